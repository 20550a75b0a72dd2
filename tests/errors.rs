//! What a mistake gets to hear: the full text of each panic, and that it points at the line where the mistake was made.
//!
//! A shape error names the op, both shapes and the axis, and where there is something to advise, a hint. The place is that of the caller,
//! not of the library: for a method the name of the method, for an operator the start of its left side. That takes `#[track_caller]` on
//! every function between the two, and one closure in between loses it; so the place is checked with every text, by looking at what the
//! source of this file has there.

use std::cell::RefCell;
use std::sync::Once;
use teenygrad::nn::optim::{Adam, Optimizer, SGD};
use teenygrad::tensor::conv::{Conv, Pool};
use teenygrad::tensor::index::{Ellipsis, step};
use teenygrad::{DType, Device, Tensor};

/// Where a panic says it was: file, line, column.
type Place = (String, u32, u32);

thread_local! {
    static LAST: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// Runs something that panics; returns what it said and where.
fn caught(run: impl FnOnce()) -> Option<(String, Place)> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let place = info.location().map(|at| (at.file().to_string(), at.line(), at.column()));
            // A test's own failed assertion should still be seen.
            if LAST.with_borrow(|last| last.is_some()) {
                LAST.set(place);
            } else {
                usual(info);
            }
        }));
    });
    LAST.set(Some(Place::default()));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    let place = LAST.take()?;
    let panic = outcome.err()?;
    let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
    Some((text?, place))
}

/// All that is wrong in a test, not only the first.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    /// Compares a panic with what it should say, and the source at its place with what should stand there.
    fn unless(&mut self, code: &str, line: u32, at: &str, text: &str, run: impl FnOnce()) {
        let Some((said, (file, said_line, column))) = caught(run) else {
            return self.0.push(format!("{code}: no panic"));
        };
        if said != text {
            self.0.push(format!("{code}\n  says   {said:?}\n  not    {text:?}"));
        }
        let here = file.ends_with("tests/errors.rs") && (line..line + 12).contains(&said_line);
        let source = include_str!("errors.rs").lines().nth(said_line.saturating_sub(1) as usize).unwrap_or_default();
        let rest: String = source.chars().skip(column.saturating_sub(1) as usize).collect();
        if !here || !rest.starts_with(at) {
            self.0.push(format!("{code}\n  points at {file}:{said_line}:{column}, not at {at:?} in line {line}"));
        }
    }
}

impl Drop for Wrong {
    fn drop(&mut self) {
        assert!(self.0.is_empty() || std::thread::panicking(), "{} problems:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// `fails!(wrong, code, what stands at the reported place, text)`
macro_rules! fails {
    ($wrong:ident, $code:expr, $at:expr, $text:expr) => {
        $wrong.unless(stringify!($code), line!(), $at, $text, || {
            let _ = $code;
        })
    };
}


#[test]
fn shapes() {
    let (x, y, v) = (Tensor::ones([2, 3]), Tensor::ones([2, 4]), Tensor::from([1.0, 2.0, 3.0]));
    let mut wrong = Wrong::default();
    fails!(wrong, x.reshape([4, 2]), "reshape", "?");
    fails!(wrong, x.reshape([-1, 4]), "reshape", "?");
    fails!(wrong, x.reshape([-1, -1]), "reshape", "?");
    fails!(wrong, x.reshape([-2, 3]), "reshape", "?");
    fails!(wrong, x.expand([2, 4]), "expand", "?");
    fails!(wrong, x.expand([3]), "expand", "?");
    fails!(wrong, x.expand([-1, 2, 3]), "expand", "?");
    fails!(wrong, x.squeeze(2), "squeeze", "?");
    fails!(wrong, x.unsqueeze(3), "unsqueeze", "?");
    fails!(wrong, x.flatten(2), "flatten", "?");
    fails!(wrong, x.permute([0, 0]), "permute", "?");
    fails!(wrong, x.permute([0]), "permute", "?");
    fails!(wrong, x.transpose(0, 2), "transpose", "?");
    fails!(wrong, x.flip(-3), "flip", "?");
    fails!(wrong, x.flip([0, 0]), "flip", "?");
    fails!(wrong, x.shrink(&[(0, 3), (0, 3)]), "shrink", "?");
    fails!(wrong, x.shrink(&[(0, 2)]), "shrink", "?");
    fails!(wrong, x.pad(&[(1, 1)], 0), "pad", "?");
    fails!(wrong, x.slice(&[(1, 0), (0, 3)], 0), "slice", "?");
    fails!(wrong, v.pad2d([1, 1, 1, 1], 0.0), "pad2d", "?");
    fails!(wrong, x.pad2d([-2, -2, 0, 0], 0.0), "pad2d", "?");
    fails!(wrong, x.repeat([2]), "repeat", "?");
    fails!(wrong, x.repeat([-1, 2]), "repeat", "?");
    fails!(wrong, x.chunk(0, 0), "chunk", "?");
    fails!(wrong, x.chunk(2, 5), "chunk", "?");
    fails!(wrong, Tensor::cat(&[], 0), "Tensor::cat", "?");
    fails!(wrong, Tensor::cat(&[&x, &v], 0), "Tensor::cat", "?");
    fails!(wrong, Tensor::cat(&[&x, &y], 0), "Tensor::cat", "?");
    fails!(wrong, Tensor::cat(&[&x, &x], 2), "Tensor::cat", "?");
    fails!(wrong, Tensor::stack(&[&x, &v], 0), "Tensor::stack", "?");
    fails!(wrong, Tensor::stack(&[&x, &x], 4), "Tensor::stack", "?");
    fails!(wrong, x.gather(&Tensor::from([0, 1]), 0), "gather", "?");
    fails!(wrong, x.gather(&x, 0), "gather", "?");
    fails!(wrong, x.gather(&Tensor::zeros([3, 4]).cast(DType::Int32), 0), "gather", "?");
    fails!(wrong, v.triu(0), "triu", "?");
    fails!(wrong, v.tril(0), "tril", "?");
    fails!(wrong, Tensor::zeros([2, -3]), "Tensor::zeros", "?");
    fails!(wrong, Tensor::ones([-1]), "Tensor::ones", "?");
    fails!(wrong, Tensor::full([-1], 3), "Tensor::full", "?");
    fails!(wrong, Tensor::empty([-1]), "Tensor::empty", "?");
    fails!(wrong, Tensor::rand([-1]), "Tensor::rand", "?");
    fails!(wrong, Tensor::randn([-1]), "Tensor::randn", "?");
    fails!(wrong, Tensor::randint([2], 5, 5), "Tensor::randint", "?");
    fails!(wrong, Tensor::kaiming_uniform(()), "Tensor::kaiming_uniform", "?");
    fails!(wrong, Tensor::glorot_uniform(()), "Tensor::glorot_uniform", "?");
    fails!(wrong, Tensor::scaled_uniform(()), "Tensor::scaled_uniform", "?");
    fails!(wrong, Tensor::kaiming_normal(()), "Tensor::kaiming_normal", "?");
    fails!(wrong, Tensor::uniform([-1], 0.0, 1.0), "Tensor::uniform", "?");
    fails!(wrong, Tensor::normal([-1], 0.0, 1.0), "Tensor::normal", "?");
    fails!(wrong, v.multinomial(4, false), "multinomial", "?");
    fails!(wrong, Tensor::arange_with(0, 5, 0), "Tensor::arange_with", "?");
    fails!(wrong, Tensor::arange(f64::INFINITY), "Tensor::arange", "?");
    fails!(wrong, Tensor::arange(1i64 << 40), "Tensor::arange", "?");
    fails!(wrong, Tensor::from_slice(&[1.0, 2.0], [3]), "Tensor::from_slice", "?");
    fails!(wrong, Tensor::from_vec(vec![1, 2, 3], [2, -1]), "Tensor::from_vec", "?");
    fails!(wrong, Tensor::from_bytes(&[0; 5], [1], DType::Int32), "Tensor::from_bytes", "?");
    fails!(wrong, Tensor::from(vec![vec![1, 2], vec![3]]), "Tensor::from", "?");
}

#[test]
fn operands() {
    let (x, y) = (Tensor::ones([2, 3]), Tensor::ones([2, 4]));
    let mut wrong = Wrong::default();
    fails!(wrong, &x + &y, "&x + &y", "?");
    fails!(wrong, x.clone() - &y, "x.clone() - &y", "?");
    fails!(wrong, &x * y.clone(), "&x * y.clone()", "?");
    fails!(wrong, x.clone() / y.clone(), "x.clone() / y.clone()", "?");
    fails!(wrong, &x % &y, "&x % &y", "?");
    fails!(wrong, x.add(&y), "add", "?");
    fails!(wrong, x.sub(&y), "sub", "?");
    fails!(wrong, x.mul(&y), "mul", "?");
    fails!(wrong, x.div(&y), "div", "?");
    fails!(wrong, x.idiv(&y), "idiv", "?");
    fails!(wrong, x.modulo(&y), "modulo", "?");
    fails!(wrong, x.pow(&y), "pow", "?");
    fails!(wrong, x.rpow(&y), "rpow", "?");
    fails!(wrong, x.maximum(&y), "maximum", "?");
    fails!(wrong, x.minimum(&y), "minimum", "?");
    fails!(wrong, x.lt(&y), "lt", "?");
    fails!(wrong, x.gt(&y), "gt", "?");
    fails!(wrong, x.le(&y), "le", "?");
    fails!(wrong, x.ge(&y), "ge", "?");
    fails!(wrong, x.eq(&y), "eq", "?");
    fails!(wrong, x.ne(&y), "ne", "?");
    fails!(wrong, x.gt(0).where_(&y, &x), "where_", "?");
    fails!(wrong, &x & &x, "&x & &x", "?");
    fails!(wrong, x.gt(0) | y.gt(0), "x.gt(0) | y.gt(0)", "?");
    fails!(wrong, !&x, "!&x", "?");
    fails!(wrong, -x.gt(0), "-x.gt(0)", "?");
    fails!(wrong, x.gt(0).neg(), "neg", "?");
    fails!(wrong, &x + x.to(Device::REFERENCE), "&x + x.to", "?");
    fails!(wrong, x.clip(1.0, 0.0), "clip", "?");
    fails!(wrong, x.clip(f64::NAN, 0.0), "clip", "?");
    fails!(wrong, x.bitcast(DType::Float64), "bitcast", "?");
    fails!(wrong, x.softplus(0.0), "softplus", "?");
    fails!(wrong, x.hardtanh(1.0, 0.0), "hardtanh", "?");
}

#[test]
fn reductions() {
    let (x, none) = (Tensor::ones([2, 3]), Tensor::ones([2, 0]));
    let mut wrong = Wrong::default();
    fails!(wrong, x.sum(2), "sum", "?");
    fails!(wrong, x.sum([0, -2]), "sum", "?");
    fails!(wrong, x.sum_keepdim(-3), "sum_keepdim", "?");
    fails!(wrong, x.mean(2), "mean", "?");
    fails!(wrong, x.max(2), "max", "?");
    fails!(wrong, none.max(1), "max", "?");
    fails!(wrong, none.min_keepdim(1), "min_keepdim", "?");
    fails!(wrong, none.argmax(()), "argmax", "?");
    fails!(wrong, x.min(2), "min", "?");
    fails!(wrong, x.var(2), "var", "?");
    fails!(wrong, x.std(2), "std", "?");
    fails!(wrong, x.std_with(2, true, 0), "std_with", "?");
    fails!(wrong, x.var_with([0, 0], true, 0), "var_with", "?");
    fails!(wrong, x.logsumexp(2), "logsumexp", "?");
    fails!(wrong, x.argmax([0, 1]), "argmax", "?");
    fails!(wrong, x.argmin(2), "argmin", "?");
    fails!(wrong, x.softmax(2), "softmax", "?");
    fails!(wrong, x.log_softmax(-3), "log_softmax", "?");
    fails!(wrong, x.cumsum(2), "cumsum", "?");
    fails!(wrong, Tensor::from(1.0).sum(0), "sum", "?");
}

#[test]
fn products_convolutions_and_layers() {
    let (x, y, v) = (Tensor::ones([2, 3]), Tensor::ones([2, 4]), Tensor::from([1.0, 2.0, 3.0]));
    let picture = Tensor::ones([1, 2, 5, 5]);
    let mut wrong = Wrong::default();
    fails!(wrong, x.matmul(&x), "matmul", "?");
    fails!(wrong, x.matmul(2.0), "matmul", "?");
    fails!(wrong, x.matmul(Tensor::from(1.0)), "matmul", "?");
    fails!(wrong, x.matmul(&Tensor::ones([2])), "matmul", "?");
    fails!(wrong, Tensor::ones([2, 2, 3]).matmul(Tensor::ones([3, 3, 2])), "matmul", "?");
    fails!(wrong, x.dot(&x), "dot", "?");
    fails!(wrong, x.linear(&x, None), "linear", "?");
    fails!(wrong, x.linear(&x.t(), Some(&v)), "linear", "?");
    fails!(wrong, x.matmul(x.t().to(Device::REFERENCE)), "matmul", "?");
    fails!(wrong, picture.conv2d(&x, None), "conv2d", "?");
    fails!(wrong, x.conv2d(&x, None), "conv2d", "?");
    fails!(wrong, picture.conv2d(&Tensor::ones([4, 3, 2, 2]), None), "conv2d", "?");
    fails!(wrong, picture.conv2d(&Tensor::ones([4, 2, 6, 2]), None), "conv2d", "?");
    fails!(wrong, picture.conv2d(&Tensor::ones([4, 2, 2, 2]), Some(&v)), "conv2d", "?");
    fails!(wrong, picture.conv2d_with(&Tensor::ones([3, 1, 2, 2]), None, Conv::default().groups(2)), "conv2d_with", "?");
    fails!(wrong, picture.conv2d_with(&Tensor::ones([3, 2, 2, 2]), None, Conv::default().stride([1, 2, 3])), "conv2d_with", "?");
    fails!(wrong, picture.conv2d_with(&Tensor::ones([3, 2, 2, 2]), None, Conv::default().stride(0)), "conv2d_with", "?");
    fails!(wrong, picture.conv2d_with(&Tensor::ones([3, 2, 2, 2]), None, Conv::default().padding([1, 2, 3])), "conv2d_with", "?");
    fails!(wrong, picture.conv2d_with(&Tensor::ones([3, 2, 2, 2]), None, Conv::default().padding(-1)), "conv2d_with", "?");
    fails!(wrong, picture.conv2d_with(&Tensor::ones([3, 2, 2, 2]), None, Conv::default().dilation(9)), "conv2d_with", "?");
    fails!(wrong, picture.conv_transpose2d(&Tensor::ones([3, 2, 2, 2]), None), "conv_transpose2d", "?");
    fails!(wrong, picture.conv_transpose2d_with(&Tensor::ones([2, 2, 2, 2]), None, Conv::default().output_padding(1)), "conv_transpose2d_with", "?");
    fails!(wrong, picture.conv_transpose2d_with(&Tensor::ones([2, 2, 1, 1]), None, Conv::default().padding(3)), "conv_transpose2d_with", "?");
    fails!(wrong, picture.max_pool2d(6), "max_pool2d", "?");
    fails!(wrong, picture.max_pool2d([2, 2, 2, 2, 2]), "max_pool2d", "?");
    fails!(wrong, picture.max_pool2d_with(2, Pool::default().stride(0)), "max_pool2d_with", "?");
    fails!(wrong, picture.avg_pool2d(0), "avg_pool2d", "?");
    fails!(wrong, picture.avg_pool2d_with(2, Pool::default().dilation([1, 2, 3])), "avg_pool2d_with", "?");
    fails!(wrong, x.layernorm(2, 1e-5), "layernorm", "?");
    fails!(wrong, v.batchnorm(None, None, &v, &v), "batchnorm", "?");
    fails!(wrong, x.batchnorm(None, None, &v, &Tensor::ones([2])), "batchnorm", "?");
    fails!(wrong, x.dropout(1.5), "dropout", "?");
    fails!(wrong, v.scaled_dot_product_attention(&x, &x, None, 0.0, false), "scaled_dot_product_attention", "?");
    fails!(wrong, x.scaled_dot_product_attention(&y, &x, None, 0.0, false), "scaled_dot_product_attention", "?");
    fails!(wrong, x.scaled_dot_product_attention(&x, &Tensor::ones([3, 3]), None, 0.0, false), "scaled_dot_product_attention", "?");
    fails!(wrong, x.scaled_dot_product_attention(&x, &x, Some(&x.t()), 0.0, false), "scaled_dot_product_attention", "?");
    fails!(wrong, x.binary_crossentropy(&y), "binary_crossentropy", "?");
    fails!(wrong, x.binary_crossentropy_logits(&y), "binary_crossentropy_logits", "?");
    fails!(wrong, x.sparse_categorical_crossentropy(&Tensor::from([1, 2, 0]), -1), "sparse_categorical_crossentropy", "?");
    fails!(wrong, x.sparse_categorical_crossentropy(&Tensor::from([1.0, 2.0]), -1), "sparse_categorical_crossentropy", "?");
    fails!(wrong, Tensor::from(1.0).sparse_categorical_crossentropy(&Tensor::from(1), -1), "sparse_categorical_crossentropy", "?");
}

#[test]
fn indices() {
    let (x, none, w) = (Tensor::ones([2, 3]), Tensor::ones([0, 2]), Tensor::ones([2, 3]).requires_grad(true));
    let mut wrong = Wrong::default();
    fails!(wrong, x.get(2), "get", "?");
    fails!(wrong, x.get((0, -4)), "get", "?");
    fails!(wrong, x.get((0, 0, 0)), "get", "?");
    fails!(wrong, x.get((Ellipsis, Ellipsis)), "get", "?");
    fails!(wrong, x.get([0, 2]), "get", "?");
    fails!(wrong, x.get(step(.., 0)), "step", "?");
    fails!(wrong, x.get(&x), "get", "?");
    fails!(wrong, x.get(&x.gt(0)), "get", "?");
    fails!(wrong, x.get((&Tensor::from([0, 1]), &Tensor::from([0, 1, 2]))), "get", "?");
    fails!(wrong, none.get((0, 0)), "get", "?");
    fails!(wrong, x.set(2, 1), "set", "?");
    fails!(wrong, x.set((0, 0, 0), 1), "set", "?");
    fails!(wrong, x.set(0, Tensor::from([1.0, 2.0])), "set", "?");
    fails!(wrong, w.set(0, 1.0), "set", "?");
    fails!(wrong, x.set(0, &w.get(0)), "set", "?");
    fails!(wrong, x.set(0, Tensor::from([1.0, 2.0, 3.0]).to(Device::REFERENCE)), "set", "?");
}

#[test]
fn values_gradients_and_optimizers() {
    let (x, y, w) = (Tensor::ones([2, 3]), Tensor::ones([2, 4]), Tensor::ones([2, 3]).requires_grad(true));
    let freed = w.sum(());
    freed.backward();
    w.zero_grad();
    let (mut sgd, mut adam) = (SGD::new([&w], 0.1), Adam::new([&w], 0.1));
    let mut wrong = Wrong::default();
    fails!(wrong, x.item::<f32>(), "item", "?");
    fails!(wrong, x.assign(&y), "assign", "?");
    fails!(wrong, x.assign(&x.cast(DType::Float64)), "assign", "?");
    fails!(wrong, x.assign(&x.to(Device::REFERENCE)), "assign", "?");
    fails!(wrong, w.backward(), "backward", "?");
    fails!(wrong, x.sum(()).backward(), "backward", "?");
    fails!(wrong, freed.backward(), "backward", "?");
    fails!(wrong, Tensor::from([1, 2]).requires_grad(true), "requires_grad", "?");
    fails!(wrong, Tensor::from([1, 2]).set_requires_grad(Some(true)), "set_requires_grad", "?");
    fails!(wrong, SGD::new([&w.mul(2)], 0.1), "SGD::new", "?");
    fails!(wrong, SGD::new([&Tensor::from([1, 2])], 0.1), "SGD::new", "?");
    fails!(wrong, Adam::new([&w.mul(2)], 0.1), "Adam::new", "?");
    fails!(wrong, sgd.step(), "step", "?");
    fails!(wrong, adam.step(), "step", "?");
}
