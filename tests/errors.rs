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
            let place = info
                .location()
                .map(|at| (at.file().to_string(), at.line(), at.column()));
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
    let text = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
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
            self.0
                .push(format!("{code}\n  says   {said:?}\n  not    {text:?}"));
        }
        let here = file.ends_with("tests/errors.rs") && (line..line + 12).contains(&said_line);
        let source = include_str!("errors.rs")
            .lines()
            .nth(said_line.saturating_sub(1) as usize)
            .unwrap_or_default();
        let rest: String = source
            .chars()
            .skip(column.saturating_sub(1) as usize)
            .collect();
        if !here || !rest.starts_with(at) {
            self.0.push(format!(
                "{code}\n  points at {file}:{said_line}:{column}, not at {at:?} in line {line}"
            ));
        }
    }
}

impl Drop for Wrong {
    fn drop(&mut self) {
        assert!(
            self.0.is_empty() || std::thread::panicking(),
            "{} problems:\n{}",
            self.0.len(),
            self.0.join("\n")
        );
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
    let (x, y, v) = (
        Tensor::ones([2, 3]),
        Tensor::ones([2, 4]),
        Tensor::from([1.0, 2.0, 3.0]),
    );
    let mut wrong = Wrong::default();
    fails!(
        wrong,
        x.reshape([4, 2]),
        "reshape",
        "reshape of [2, 3]: shape [4, 2] has 8 elements, not 6"
    );
    fails!(
        wrong,
        x.reshape([-1, 4]),
        "reshape",
        "reshape of [2, 3]: shape [-1, 4]: 6 elements cannot be divided by 4"
    );
    fails!(
        wrong,
        x.reshape([-1, -1]),
        "reshape",
        "reshape of [2, 3]: shape [-1, -1]: sizes are not negative, but for at most one -1"
    );
    fails!(
        wrong,
        x.reshape([-2, 3]),
        "reshape",
        "reshape of [2, 3]: shape [-2, 3]: sizes are not negative, but for at most one -1"
    );
    fails!(
        wrong,
        x.expand([2, 4]),
        "expand",
        "expand: [2, 3] to [2, 4]: axis 1 cannot go from 3 to 4\n  hint: only axes of size 1 can be repeated; repeat copies others"
    );
    fails!(
        wrong,
        x.expand([3]),
        "expand",
        "expand: shape [2, 3] has more axes than [3]\n  hint: squeeze or reshape takes axes away"
    );
    fails!(
        wrong,
        x.expand([-1, 2, 3]),
        "expand",
        "expand: [2, 3] to [-1, 2, 3]: the new axis 0 needs a size, not -1"
    );
    fails!(
        wrong,
        x.squeeze(2),
        "squeeze",
        "squeeze: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.unsqueeze(3),
        "unsqueeze",
        "unsqueeze: there is no place 3 for a new axis in shape [2, 3]\n  hint: places go from -3 to 2"
    );
    fails!(
        wrong,
        x.flatten(2),
        "flatten",
        "flatten: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.permute([0, 0]),
        "permute",
        "permute: axis 0 of shape [2, 3] is named twice in [0, 0]"
    );
    fails!(
        wrong,
        x.permute([0]),
        "permute",
        "permute: order [0] names 1 axes, and shape [2, 3] has 2"
    );
    fails!(
        wrong,
        x.transpose(0, 2),
        "transpose",
        "transpose: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.flip(-3),
        "flip",
        "flip: axis -3 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.flip([0, 0]),
        "flip",
        "flip: axis 0 of shape [2, 3] is named twice in [0, 0]"
    );
    fails!(
        wrong,
        x.shrink(&[(0, 3), (0, 3)]),
        "shrink",
        "shrink: (0, 3) is no range of axis 0 of shape [2, 3]\n  hint: 0 ≤ start ≤ stop ≤ 2; slice may go beyond"
    );
    fails!(
        wrong,
        x.shrink(&[(0, 2)]),
        "shrink",
        "shrink: 1 ranges for the 2 axes of shape [2, 3]\n  hint: None leaves an axis as it is"
    );
    fails!(
        wrong,
        x.pad(&[(1, 1)], 0),
        "pad",
        "pad: 1 widths for the 2 axes of shape [2, 3]\n  hint: None leaves an axis as it is"
    );
    fails!(
        wrong,
        x.slice(&[(1, 0), (0, 3)], 0),
        "slice",
        "slice: (1, 0) stops before it starts, at axis 0 of shape [2, 3]"
    );
    fails!(
        wrong,
        v.pad2d([1, 1, 1, 1], 0.0),
        "pad2d",
        "pad2d: shape [3] has no two axes to pad"
    );
    fails!(
        wrong,
        x.pad2d([-2, -2, 0, 0], 0.0),
        "pad2d",
        "pad2d: padding [-2, -2, 0, 0] cuts more than the 3 elements of axis 1 of shape [2, 3]"
    );
    fails!(
        wrong,
        x.repeat([2]),
        "repeat",
        "repeat: [2] has fewer numbers than shape [2, 3] has axes"
    );
    fails!(
        wrong,
        x.repeat([-1, 2]),
        "repeat",
        "repeat: shape [-1, 2] has a negative size -1 at axis 0"
    );
    fails!(
        wrong,
        x.chunk(0, 0),
        "chunk",
        "chunk: axis 0 of shape [2, 3] cannot be cut into 0 pieces"
    );
    fails!(
        wrong,
        x.chunk(2, 5),
        "chunk",
        "chunk: axis 5 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        Tensor::cat(&[], 0),
        "Tensor::cat",
        "cat: there are no tensors to join"
    );
    fails!(
        wrong,
        Tensor::cat(&[&x, &v], 0),
        "Tensor::cat",
        "cat: tensor 1 has shape [3], tensor 0 has [2, 3]: they need the same number of axes"
    );
    fails!(
        wrong,
        Tensor::cat(&[&x, &y], 0),
        "Tensor::cat",
        "cat: tensor 1 has shape [2, 4], tensor 0 has [2, 3]: they differ at axis 1\n  hint: along axis 0 they may differ, elsewhere not"
    );
    fails!(
        wrong,
        Tensor::cat(&[&x, &x], 2),
        "Tensor::cat",
        "cat: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        Tensor::stack(&[&x, &v], 0),
        "Tensor::stack",
        "stack: tensor 1 has shape [3], tensor 0 has [2, 3]\n  hint: cat joins tensors of different sizes along one axis"
    );
    fails!(
        wrong,
        Tensor::stack(&[&x, &x], 4),
        "Tensor::stack",
        "stack: there is no place 4 for a new axis in shape [2, 3]\n  hint: places go from -3 to 2"
    );
    fails!(
        wrong,
        x.gather(&Tensor::from([0, 1]), 0),
        "gather",
        "gather: shape [2, 3] and index shape [2] need the same number of axes"
    );
    fails!(
        wrong,
        x.gather(&x, 0),
        "gather",
        "gather: an index of float32 cannot count\n  hint: cast it to an integer type"
    );
    fails!(
        wrong,
        x.gather(&Tensor::zeros([3, 4]).cast(DType::Int32), 0),
        "gather",
        "gather: index shape [3, 4] is larger than shape [2, 3] at axis 1\n  hint: only along axis 0 it may be"
    );
    fails!(
        wrong,
        v.triu(0),
        "triu",
        "triu: shape [3] has no two axes to have a triangle"
    );
    fails!(
        wrong,
        v.tril(0),
        "tril",
        "tril: shape [3] has no two axes to have a triangle"
    );
    fails!(
        wrong,
        Tensor::zeros([2, -3]),
        "Tensor::zeros",
        "zeros: shape [2, -3] has a negative size -3 at axis 1"
    );
    fails!(
        wrong,
        Tensor::ones([-1]),
        "Tensor::ones",
        "ones: shape [-1] has a negative size -1 at axis 0"
    );
    fails!(
        wrong,
        Tensor::full([-1], 3),
        "Tensor::full",
        "full: shape [-1] has a negative size -1 at axis 0"
    );
    fails!(
        wrong,
        Tensor::empty([-1]),
        "Tensor::empty",
        "empty: shape [-1] has a negative size -1 at axis 0"
    );
    fails!(
        wrong,
        Tensor::rand([-1]),
        "Tensor::rand",
        "rand: shape [-1] has a negative size -1 at axis 0"
    );
    fails!(
        wrong,
        Tensor::randn([-1]),
        "Tensor::randn",
        "randn: shape [-1] has a negative size -1 at axis 0"
    );
    fails!(
        wrong,
        Tensor::randint([2], 5, 5),
        "Tensor::randint",
        "randint: no number is at least 5 and below 5"
    );
    fails!(
        wrong,
        Tensor::kaiming_uniform(()),
        "Tensor::kaiming_uniform",
        "kaiming_uniform: shape [] has no axis of units\n  hint: a single weight is Tensor::uniform((), low, high)"
    );
    fails!(
        wrong,
        Tensor::glorot_uniform(()),
        "Tensor::glorot_uniform",
        "glorot_uniform: shape [] has no axis of units\n  hint: a single weight is Tensor::uniform((), low, high)"
    );
    fails!(
        wrong,
        Tensor::kaiming_normal(()),
        "Tensor::kaiming_normal",
        "kaiming_normal: shape [] has no axis of units\n  hint: a single weight is Tensor::uniform((), low, high)"
    );
    fails!(
        wrong,
        Tensor::uniform([-1], 0.0, 1.0),
        "Tensor::uniform",
        "uniform: shape [-1] has a negative size -1 at axis 0"
    );
    fails!(
        wrong,
        Tensor::normal([-1], 0.0, 1.0),
        "Tensor::normal",
        "normal: shape [-1] has a negative size -1 at axis 0"
    );
    fails!(
        wrong,
        v.multinomial(4, false),
        "multinomial",
        "multinomial: cannot draw 4 of 3 positions without replacement"
    );
    fails!(
        wrong,
        Tensor::arange_with(0, 5, 0),
        "Tensor::arange_with",
        "arange: a step of 0 never gets from 0 to 5"
    );
    fails!(
        wrong,
        Tensor::arange(f64::INFINITY),
        "Tensor::arange",
        "arange: from 0 to inf in steps of 1 are inf numbers"
    );
    fails!(
        wrong,
        Tensor::arange(1i64 << 40),
        "Tensor::arange",
        "arange: 0 to 1099511627775 do not fit into int32\n  hint: with fractional numbers the range is one of float32"
    );
    fails!(
        wrong,
        Tensor::from_slice(&[1.0, 2.0], [3]),
        "Tensor::from_slice",
        "from_slice: shape [3] has 3 elements, not 2"
    );
    fails!(
        wrong,
        Tensor::from_vec(vec![1, 2, 3], [2, -1]),
        "Tensor::from_vec",
        "from_vec: shape [2, -1]: 3 elements cannot be divided by 2"
    );
    fails!(
        wrong,
        Tensor::from_bytes(&[0; 5], [1], DType::Int32),
        "Tensor::from_bytes",
        "from_bytes: 5 bytes are no whole number of int32 elements of 4 bytes"
    );
    fails!(
        wrong,
        Tensor::from(vec![vec![1, 2], vec![3]]),
        "Tensor::from",
        "from: row 1 has 1 elements, row 0 has 2"
    );
}

#[test]
fn operands() {
    let (x, y) = (Tensor::ones([2, 3]), Tensor::ones([2, 4]));
    let mut wrong = Wrong::default();
    fails!(
        wrong,
        &x + &y,
        "&x + &y",
        "add: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.clone() - &y,
        "x.clone() - &y",
        "sub: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        &x * y.clone(),
        "&x * y.clone()",
        "mul: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.clone() / y.clone(),
        "x.clone() / y.clone()",
        "div: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        &x % &y,
        "&x % &y",
        "modulo: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        {
            let mut z = x.clone();
            z += &y;
            z
        },
        "z += &y",
        "add: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        {
            let mut z = x.clone();
            z /= &y;
            z
        },
        "z /= &y",
        "div: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        2.0 * &(&x + &y),
        "(&x + &y)",
        "add: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        1.0 - x.clone() * &y,
        "x.clone() * &y",
        "mul: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.add(&y),
        "add",
        "add: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.sub(&y),
        "sub",
        "sub: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.mul(&y),
        "mul",
        "mul: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.div(&y),
        "div",
        "div: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.idiv(&y),
        "idiv",
        "idiv: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.modulo(&y),
        "modulo",
        "modulo: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.pow(&y),
        "pow",
        "pow: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.rpow(&y),
        "rpow",
        "rpow: shapes [2, 4] and [2, 3] do not broadcast: axis 1 has sizes 4 and 3\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.maximum(&y),
        "maximum",
        "maximum: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.minimum(&y),
        "minimum",
        "minimum: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.lt(&y),
        "lt",
        "lt: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.gt(&y),
        "gt",
        "gt: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.le(&y),
        "le",
        "le: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.ge(&y),
        "ge",
        "ge: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.eq(&y),
        "eq",
        "eq: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.ne(&y),
        "ne",
        "ne: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.gt(0).where_(&y, &x),
        "where_",
        "where: shapes [2, 4] and [2, 3] do not broadcast: axis 1 has sizes 4 and 3\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        &x & &x,
        "&x & &x",
        "&: the two sides make float32, and a float has no bits to work on\n  hint: compare first (x.ne(0) is true where x is not 0), or cast to an integer type"
    );
    fails!(
        wrong,
        x.gt(0) | y.gt(0),
        "x.gt(0) | y.gt(0)",
        "|: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        !&x,
        "!&x",
        "!: the two sides make float32, and a float has no bits to work on\n  hint: compare first (x.ne(0) is true where x is not 0), or cast to an integer type"
    );
    fails!(
        wrong,
        -x.gt(0),
        "-x.gt(0)",
        "neg: a truth value has no sign\n  hint: !x is its opposite, x.cast(DType::Int32) a number"
    );
    fails!(
        wrong,
        x.gt(0).neg(),
        "neg",
        "neg: a truth value has no sign\n  hint: !x is its opposite, x.cast(DType::Int32) a number"
    );
    fails!(
        wrong,
        &x + x.to(Device::REFERENCE),
        "&x + x.to",
        "add: one tensor is on CPU, another on REFERENCE\n  hint: move one of them with to()"
    );
    fails!(
        wrong,
        x.clip(1.0, 0.0),
        "clip",
        "clip: no number is at least 1 and at most 0"
    );
    fails!(
        wrong,
        x.clip(f64::NAN, 0.0),
        "clip",
        "clip: no number is at least NaN and at most 0"
    );
    fails!(
        wrong,
        x.bitcast(DType::Float64),
        "bitcast",
        "bitcast: float32 has 4 bytes and float64 has 8\n  hint: cast converts between sizes"
    );
    fails!(
        wrong,
        x.softplus(0.0),
        "softplus",
        "softplus: a sharpness of 0\n  hint: it is positive, and 1 usually"
    );
    fails!(
        wrong,
        x.hardtanh(1.0, 0.0),
        "hardtanh",
        "hardtanh: no number is at least 1 and at most 0"
    );
}

#[test]
fn reductions() {
    let (x, none) = (Tensor::ones([2, 3]), Tensor::ones([2, 0]));
    let mut wrong = Wrong::default();
    fails!(
        wrong,
        x.sum(2),
        "sum",
        "sum: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.sum([0, -2]),
        "sum",
        "sum: axis 0 of shape [2, 3] is named twice in [0, -2]"
    );
    fails!(
        wrong,
        x.sum_keepdim(-3),
        "sum_keepdim",
        "sum: axis -3 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.mean(2),
        "mean",
        "mean: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.max(2),
        "max",
        "max: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        none.max(1),
        "max",
        "max: axis 1 of shape [2, 0] is empty, and of nothing, nothing is the largest or smallest\n  hint: a sum or a mean of nothing is defined"
    );
    fails!(
        wrong,
        none.min_keepdim(1),
        "min_keepdim",
        "min: axis 1 of shape [2, 0] is empty, and of nothing, nothing is the largest or smallest\n  hint: a sum or a mean of nothing is defined"
    );
    fails!(
        wrong,
        none.argmax(()),
        "argmax",
        "argmax: axis 1 of shape [2, 0] is empty, and of nothing, nothing is the largest or smallest\n  hint: a sum or a mean of nothing is defined"
    );
    fails!(
        wrong,
        x.min(2),
        "min",
        "min: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.var(2),
        "var",
        "var: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.std(2),
        "std",
        "std: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.std_with(2, true, 0),
        "std_with",
        "std: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.var_with([0, 0], true, 0),
        "var_with",
        "var: axis 0 of shape [2, 3] is named twice in [0, 0]"
    );
    fails!(
        wrong,
        x.logsumexp(2),
        "logsumexp",
        "logsumexp: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.argmax([0, 1]),
        "argmax",
        "argmax: axes [0, 1] of shape [2, 3]: a position is along one axis, or in all of the tensor\n  hint: reshape to make one axis of several"
    );
    fails!(
        wrong,
        x.argmin(2),
        "argmin",
        "argmin: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.softmax(2),
        "softmax",
        "softmax: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.log_softmax(-3),
        "log_softmax",
        "log_softmax: axis -3 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.cumsum(2),
        "cumsum",
        "cumsum: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        Tensor::from(1.0).sum(0),
        "sum",
        "sum: axis 0 of a tensor without axes (shape [])\n  hint: a single number has no axes; unsqueeze gives it one"
    );
}

#[test]
fn products_convolutions_and_layers() {
    let (x, y, v) = (
        Tensor::ones([2, 3]),
        Tensor::ones([2, 4]),
        Tensor::from([1.0, 2.0, 3.0]),
    );
    let picture = Tensor::ones([1, 2, 5, 5]);
    let mut wrong = Wrong::default();
    fails!(
        wrong,
        x.matmul(&x),
        "matmul",
        "matmul: [2, 3] @ [2, 3]: the last axis of the left (3) and the second-last of the right (2) must be equal\n  hint: transpose one of them?"
    );
    fails!(
        wrong,
        x.matmul(2.0),
        "matmul",
        "matmul: a number on the right of [2, 3] has no axes to sum over\n  hint: * multiplies by a number"
    );
    fails!(
        wrong,
        x.matmul(Tensor::from(1.0)),
        "matmul",
        "matmul: [2, 3] @ []: a single number has no axes to sum over\n  hint: * multiplies by a number"
    );
    fails!(
        wrong,
        x.matmul(Tensor::ones([2])),
        "matmul",
        "matmul: [2, 3] @ [2]: the last axis of the left (3) and the axis of the right (2) must be equal"
    );
    fails!(
        wrong,
        Tensor::ones([2, 2, 3]).matmul(Tensor::ones([3, 3, 2])),
        "matmul",
        "matmul: [2, 2, 3] @ [3, 3, 2]: the axes in front of the matrices, [2] and [3], do not broadcast\n  hint: sizes are compared from the last of them on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.dot(&x),
        "dot",
        "dot: [2, 3] @ [2, 3]: the last axis of the left (3) and the second-last of the right (2) must be equal\n  hint: transpose one of them?"
    );
    fails!(
        wrong,
        x.linear(&x, None),
        "linear",
        "linear: [2, 3] @ [2, 3]: the last axis of the left (3) and the second-last of the right (2) must be equal\n  hint: transpose one of them?"
    );
    fails!(
        wrong,
        x.linear(&x.t(), Some(&v)),
        "linear",
        "linear: shapes [2, 2] and [3] do not broadcast: axis 1 has sizes 2 and 3\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.matmul(x.t().to(Device::REFERENCE)),
        "matmul",
        "matmul: one tensor is on CPU, another on REFERENCE\n  hint: move one of them with to()"
    );
    fails!(
        wrong,
        picture.conv2d(&x, None),
        "conv2d",
        "conv2d: input [1, 2, 5, 5] has 2 spatial axes, and weight [2, 3] has 0\n  hint: weights are [out, in / groups, kernel…]"
    );
    fails!(
        wrong,
        x.conv2d(&x, None),
        "conv2d",
        "conv2d: input [2, 3] is not [n, channels, spatial…]\n  hint: unsqueeze(0) makes a batch of one"
    );
    fails!(
        wrong,
        picture.conv2d(&Tensor::ones([4, 3, 2, 2]), None),
        "conv2d",
        "conv2d: input [1, 2, 5, 5] has 2 channels, and weight [4, 3, 2, 2] with 1 groups takes 3\n  hint: weights are [out, in / groups, kernel…]"
    );
    fails!(
        wrong,
        picture.conv2d(&Tensor::ones([4, 2, 6, 2]), None),
        "conv2d",
        "conv2d: a kernel of 6 with dilation 1 reaches over 6 elements, and axis 2 of the (padded) input [1, 2, 5, 5] has 5\n  hint: more padding, or a smaller kernel"
    );
    fails!(
        wrong,
        picture.conv2d(&Tensor::ones([4, 2, 2, 2]), Some(&v)),
        "conv2d",
        "conv2d: a bias of shape [3] for 4 output channels"
    );
    fails!(
        wrong,
        picture.conv2d_with(&Tensor::ones([3, 1, 2, 2]), None, Conv::default().groups(2)),
        "conv2d_with",
        "conv2d: the 3 output channels of weight [3, 1, 2, 2] cannot be cut into 2 groups"
    );
    fails!(
        wrong,
        picture.conv2d_with(
            &Tensor::ones([3, 2, 2, 2]),
            None,
            Conv::default().stride([1, 2, 3])
        ),
        "conv2d_with",
        "conv2d: stride [1, 2, 3] has 3 numbers for 2 axes\n  hint: one number for all axes, or one for each"
    );
    fails!(
        wrong,
        picture.conv2d_with(&Tensor::ones([3, 2, 2, 2]), None, Conv::default().stride(0)),
        "conv2d_with",
        "conv2d: stride [0]: 0 is less than 1"
    );
    fails!(
        wrong,
        picture.conv2d_with(
            &Tensor::ones([3, 2, 2, 2]),
            None,
            Conv::default().padding([1, 2, 3])
        ),
        "conv2d_with",
        "conv2d: padding [1, 2, 3] has 3 numbers for 2 axes\n  hint: one number for all axes, or one for each"
    );
    fails!(
        wrong,
        picture.conv2d_with(
            &Tensor::ones([3, 2, 2, 2]),
            None,
            Conv::default().padding(-1)
        ),
        "conv2d_with",
        "conv2d: padding [-1]: -1 is less than 0"
    );
    fails!(
        wrong,
        picture.conv2d_with(
            &Tensor::ones([3, 2, 2, 2]),
            None,
            Conv::default().dilation(9)
        ),
        "conv2d_with",
        "conv2d: a kernel of 2 with dilation 9 reaches over 10 elements, and axis 2 of the (padded) input [1, 2, 5, 5] has 5\n  hint: more padding, or a smaller kernel"
    );
    fails!(
        wrong,
        picture.conv_transpose2d(&Tensor::ones([3, 2, 2, 2]), None),
        "conv_transpose2d",
        "conv_transpose2d: input [1, 2, 5, 5] has 2 channels, and weight [3, 2, 2, 2] takes 3\n  hint: weights are [in, out / groups, kernel…]"
    );
    fails!(
        wrong,
        picture.conv_transpose2d_with(
            &Tensor::ones([2, 2, 2, 2]),
            None,
            Conv::default().output_padding(1)
        ),
        "conv_transpose2d_with",
        "conv_transpose2d: output_padding 1 of spatial axis 0 is not smaller than stride 1 or dilation 1"
    );
    fails!(
        wrong,
        picture.conv_transpose2d_with(
            &Tensor::ones([2, 2, 1, 1]),
            None,
            Conv::default().padding(3)
        ),
        "conv_transpose2d_with",
        "conv_transpose2d: padding (3, 3) of spatial axis 1 leaves nothing of input [1, 2, 5, 5] with weight [2, 2, 1, 1]"
    );
    fails!(
        wrong,
        picture.max_pool2d(6),
        "max_pool2d",
        "max_pool2d: a kernel of 6 with dilation 1 reaches over 6 elements, and axis 2 of the (padded) input [1, 2, 5, 5] has 5\n  hint: more padding, or a smaller kernel"
    );
    fails!(
        wrong,
        picture.max_pool2d([2, 2, 2, 2, 2]),
        "max_pool2d",
        "max_pool2d: a kernel [2, 2, 2, 2, 2] of 5 axes, and shape [1, 2, 5, 5] has 4"
    );
    fails!(
        wrong,
        picture.max_pool2d_with(2, Pool::default().stride(0)),
        "max_pool2d_with",
        "max_pool2d: stride [0]: 0 is less than 1"
    );
    fails!(
        wrong,
        picture.avg_pool2d(0),
        "avg_pool2d",
        "avg_pool2d: kernel [0, 0]: 0 is less than 1"
    );
    fails!(
        wrong,
        picture.avg_pool2d_with(2, Pool::default().dilation([1, 2, 3])),
        "avg_pool2d_with",
        "avg_pool2d: dilation [1, 2, 3] has 3 numbers for 2 axes\n  hint: one number for all axes, or one for each"
    );
    fails!(
        wrong,
        x.layernorm(2, 1e-5),
        "layernorm",
        "layernorm: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        v.batchnorm(None, None, &v, &v),
        "batchnorm",
        "batchnorm: shape [3] is not [n, channels, …]"
    );
    fails!(
        wrong,
        x.batchnorm(None, None, &v, &Tensor::ones([2])),
        "batchnorm",
        "batchnorm: invstd has shape [2], and input [2, 3] has 3 channels\n  hint: one number a channel"
    );
    fails!(
        wrong,
        x.dropout(1.5),
        "dropout",
        "dropout: 1.5 is no probability\n  hint: 0 drops nothing, 1 everything"
    );
    fails!(
        wrong,
        v.scaled_dot_product_attention(&x, &x, None, 0.0, false),
        "scaled_dot_product_attention",
        "scaled_dot_product_attention: query [3], key [2, 3] and value [2, 3] need two axes each\n  hint: […, positions, features]"
    );
    fails!(
        wrong,
        x.scaled_dot_product_attention(&y, &x, None, 0.0, false),
        "scaled_dot_product_attention",
        "scaled_dot_product_attention: query [2, 3] has 3 features, key [2, 4] has 4"
    );
    fails!(
        wrong,
        x.scaled_dot_product_attention(&x, &Tensor::ones([3, 3]), None, 0.0, false),
        "scaled_dot_product_attention",
        "scaled_dot_product_attention: there are 2 keys in [2, 3] and 3 values in [3, 3]"
    );
    fails!(
        wrong,
        x.scaled_dot_product_attention(&x, &x, Some(&x.t()), 0.0, false),
        "scaled_dot_product_attention",
        "scaled_dot_product_attention: a mask of shape [3, 2] does not broadcast with scores [2, 2]\n  hint: […, queries, keys]"
    );
    fails!(
        wrong,
        x.binary_crossentropy(&y),
        "binary_crossentropy",
        "binary_crossentropy: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.binary_crossentropy_logits(&y),
        "binary_crossentropy_logits",
        "binary_crossentropy_logits: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.sparse_categorical_crossentropy(&Tensor::from([1, 2, 0]), -1),
        "sparse_categorical_crossentropy",
        "sparse_categorical_crossentropy: logits [2, 3] need labels [2], not [3]\n  hint: one label for each row of logits"
    );
    fails!(
        wrong,
        x.sparse_categorical_crossentropy(&Tensor::from([1.0, 2.0]), -1),
        "sparse_categorical_crossentropy",
        "sparse_categorical_crossentropy: labels of float32 are no numbers of classes\n  hint: cast them to an integer type"
    );
    fails!(
        wrong,
        Tensor::from(1.0).sparse_categorical_crossentropy(&Tensor::from(1), -1),
        "sparse_categorical_crossentropy",
        "sparse_categorical_crossentropy: logits of shape [] have no axis of classes"
    );
}

#[test]
fn indices() {
    let (x, none, w) = (
        Tensor::ones([2, 3]),
        Tensor::ones([0, 2]),
        Tensor::ones([2, 3]).requires_grad(true),
    );
    let mut wrong = Wrong::default();
    fails!(
        wrong,
        x.get(2),
        "get",
        "get: index 2 is out of range for axis 0 of size 2 (shape [2, 3])\n  hint: indices go from -2 to 1"
    );
    fails!(
        wrong,
        x.get((0, -4)),
        "get",
        "get: index -4 is out of range for axis 1 of size 3 (shape [2, 3])\n  hint: indices go from -3 to 2"
    );
    fails!(
        wrong,
        x.get((0, 0, 0)),
        "get",
        "get: 3 indices for the 2 axes of shape [2, 3]"
    );
    fails!(
        wrong,
        x.get((Ellipsis, Ellipsis)),
        "get",
        "get: there are 2 ellipses, and one is all that can be filled in"
    );
    fails!(
        wrong,
        x.get([0, 2]),
        "get",
        "get: index 2 is out of range for axis 0 of size 2 (shape [2, 3])\n  hint: indices go from -2 to 1"
    );
    fails!(
        wrong,
        x.get(step(.., 0)),
        "step",
        "step: a step of 0 never arrives"
    );
    fails!(
        wrong,
        x.get(&x),
        "get",
        "get: the index of axis 0 is of float32, which cannot count\n  hint: cast it to an integer type"
    );
    fails!(
        wrong,
        x.get(x.gt(0)),
        "get",
        "get: the index of axis 0 is a mask of bools [2, 3], and how many elements it selects is not known before it is computed\n  hint: where_ chooses without changing the shape"
    );
    fails!(
        wrong,
        x.get((&Tensor::from([0, 1]), &Tensor::from([0, 1, 2]))),
        "get",
        "get: the index of axis 1 has shape [3], which does not broadcast with [2], that of those before it"
    );
    fails!(
        wrong,
        none.get((0, 0)),
        "get",
        "get: index 0 of axis 0 of shape [0, 2], which is empty"
    );
    fails!(
        wrong,
        x.set(2, 1),
        "set",
        "set: index 2 is out of range for axis 0 of size 2 (shape [2, 3])\n  hint: indices go from -2 to 1"
    );
    fails!(
        wrong,
        x.set((0, 0, 0), 1),
        "set",
        "set: 3 indices for the 2 axes of shape [2, 3]"
    );
    fails!(
        wrong,
        x.set(0, Tensor::from([1.0, 2.0])),
        "set",
        "set: a value of shape [2] does not broadcast to the indexed shape [3]"
    );
    fails!(
        wrong,
        w.set(0, 1.0),
        "set",
        "set: this tensor requires a gradient, and the values that are overwritten could not be found on the way back\n  hint: compute a new tensor with where_ or cat, or set within Tensor::no_grad"
    );
    fails!(
        wrong,
        x.set(0, w.get(0)),
        "set",
        "set: the value requires a gradient, and the values that are overwritten could not be found on the way back\n  hint: compute a new tensor with where_ or cat, or set within Tensor::no_grad"
    );
    fails!(
        wrong,
        x.set(0, Tensor::from([1.0, 2.0, 3.0]).to(Device::REFERENCE)),
        "set",
        "set: one tensor is on CPU, another on REFERENCE\n  hint: move one of them with to()"
    );
}

#[test]
fn values_gradients_and_optimizers() {
    let (x, y, w) = (
        Tensor::ones([2, 3]),
        Tensor::ones([2, 4]),
        Tensor::ones([2, 3]).requires_grad(true),
    );
    let freed = w.sum(());
    freed.backward();
    w.zero_grad();
    let (mut sgd, mut adam) = (SGD::new([&w], 0.1), Adam::new([&w], 0.1));
    let mut wrong = Wrong::default();
    fails!(
        wrong,
        x.item::<f32>(),
        "item",
        "item: shape [2, 3] has 6 elements, not one\n  hint: to_vec gives all of them"
    );
    fails!(
        wrong,
        x.assign(&y),
        "assign",
        "assign: float32 [2, 3] on CPU cannot take float32 [2, 4] on CPU\n  hint: shape, dtype and device stay as they are; cast or reshape the new values"
    );
    fails!(
        wrong,
        x.assign(&x.cast(DType::Float64)),
        "assign",
        "assign: float32 [2, 3] on CPU cannot take float64 [2, 3] on CPU\n  hint: shape, dtype and device stay as they are; cast or reshape the new values"
    );
    fails!(
        wrong,
        x.assign(&x.to(Device::REFERENCE)),
        "assign",
        "assign: float32 [2, 3] on CPU cannot take float32 [2, 3] on REFERENCE\n  hint: shape, dtype and device stay as they are; cast or reshape the new values"
    );
    fails!(
        wrong,
        w.backward(),
        "backward",
        "backward: shape [2, 3] has 6 elements, and a gradient is of one number\n  hint: sum or average it first"
    );
    fails!(
        wrong,
        x.sum(()).backward(),
        "backward",
        "backward: nothing that this tensor came from requires a gradient\n  hint: tensor.requires_grad(true), or put it into an optimizer, before computing with it"
    );
    fails!(
        wrong,
        freed.backward(),
        "backward",
        "backward: a backward has already been through this graph and has freed it\n  hint: compute the loss anew, or add both losses and go back once"
    );
    fails!(
        wrong,
        Tensor::from([1, 2]).requires_grad(true),
        "requires_grad",
        "requires_grad: a tensor of int32 has no gradient\n  hint: cast it to a float first"
    );
    fails!(
        wrong,
        Tensor::from([1, 2]).set_requires_grad(Some(true)),
        "set_requires_grad",
        "requires_grad: a tensor of int32 has no gradient\n  hint: cast it to a float first"
    );
    fails!(
        wrong,
        SGD::new([&w.mul(2)], 0.1),
        "SGD::new",
        "optimizer: tensor 0 of shape [2, 3] has been computed from others that require a gradient\n  hint: tensor.detach().requires_grad(true) is a parameter of its own"
    );
    fails!(
        wrong,
        SGD::new([&Tensor::from([1, 2])], 0.1),
        "SGD::new",
        "requires_grad: a tensor of int32 has no gradient\n  hint: cast it to a float first"
    );
    fails!(
        wrong,
        Adam::new([&w.mul(2)], 0.1),
        "Adam::new",
        "optimizer: tensor 0 of shape [2, 3] has been computed from others that require a gradient\n  hint: tensor.detach().requires_grad(true) is a parameter of its own"
    );
    fails!(
        wrong,
        sgd.step(),
        "step",
        "step: parameter 0 of shape [2, 3] has no gradient\n  hint: does the loss depend on it, and has backward run since zero_grad? A tensor that is not trained is a buffer: requires_grad(false)"
    );
    fails!(
        wrong,
        adam.step(),
        "step",
        "step: parameter 0 of shape [2, 3] has no gradient\n  hint: does the loss depend on it, and has backward run since zero_grad? A tensor that is not trained is a buffer: requires_grad(false)"
    );
}
