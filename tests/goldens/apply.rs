//! # Goldens, the other half: how each op of the files is spelled in Rust
//!
//! **In:** an op's name, its inputs and its arguments as JSON. **Out:** the tensor that the library makes of them.
//! One `match`, in the order of the API: whoever wonders how to write something in Rust that he knows from Python finds it here.

use serde_json::Value;
use teenygrad::mlops::movement::{Slide, Window};
use teenygrad::nn::optim::{Adam, AdamW, LAMB, Optimizer, SGD};
use teenygrad::shape::args::{Axes, Shape};
use teenygrad::tensor::conv::{Conv, Kernel, Pool};
use teenygrad::tensor::index::{Index, Slice, step};
use teenygrad::tensor::losses::Reduction;
use teenygrad::tensor::math;
use teenygrad::tensor::operand::Operand;
use teenygrad::tensor::scatter::Join;
use teenygrad::{DType, Scalar, Tensor};

/// Applies the op that the goldens call `op`.
///
/// # Panics
/// If there is none: a golden without a check must not pass.
pub fn apply(op: &str, inputs: &[Tensor], args: &Value) -> Tensor {
    let input = |i: usize| {
        inputs
            .get(i)
            .unwrap_or_else(|| panic!("{op} has no input {i}"))
    };
    let (x, y) = (|| input(0), || input(1));
    let axes = || axes(&args["axis"]);
    let keepdim = args["keepdim"] == true;
    let reverse = args["reverse"] == true;
    // The argument if there is one (JSON's index gives null if not), else an input.
    let choice = |name: &str, i: usize| {
        args.get(name)
            .map_or_else(|| Operand::from(input(i)), |n| Operand::Number(scalar(n)))
    };
    let other = || choice("other", 1);
    let float_or = |name: &str, default: f64| args.get(name).map_or(default, float);
    let lr = || float(&args["lr"]);
    let number = |name: &str, default: isize| {
        args.get(name)
            .map_or(default, |value| integer(value) as isize)
    };
    let dim = |default: isize| number("dim", default);
    let value = || args.get("value").map_or(Scalar::Float(0.0), scalar);
    let all = || -> Vec<&Tensor> { inputs.iter().collect() };
    match op {
        // ---- Beyond the original -------------------------------------
        "log10" => x().log10(),
        "log1p" => x().log1p(),
        "expm1" => x().expm1(),
        "erf" => x().erf(),
        "atan" => x().atan(),
        "asin" => x().asin(),
        "acos" => x().acos(),
        "selu" => x().selu(),
        "hardsigmoid" => x().hardsigmoid(),
        "logsigmoid" => x().logsigmoid(),
        "isnan" => x().isnan(),
        "isinf" => x().isinf(),
        "isfinite" => x().isfinite(),
        "logaddexp" => x().logaddexp(y()),
        "lerp" => x().lerp(y(), float(&args["weight"])),
        "floor_div" => math::floor_div(x().into(), y().into()),
        "remainder" => math::remainder(x().into(), y().into()),
        "prod" => x().prod(axes()),
        "cumprod" => x().cumprod(dim(0)),
        "cummax" => x().cummax(dim(0)),
        "any" => x().any(axes()),
        "all" => x().all(axes()),
        "roll" => x().roll(shape(&args["shifts"]), integers(&args["dims"])),
        "repeat_interleave" => x().repeat_interleave(number("repeats", 1) as usize, dim(0)),
        "unfold" => x().unfold(
            dim(0),
            number("size", 1) as usize,
            number("step", 1) as usize,
        ),
        "diagonal" => x().diagonal(0, 1),
        "movedim" => x().movedim(number("source", 0), number("destination", 0)),
        "split" => x().split(shape(&args["sizes"]), dim(0))[number("index", 0) as usize].clone(),
        "masked_fill" => x().masked_fill(&y().gt(0), float(&args["value"])),
        "scatter" => x().scatter(dim(0), y(), input(2)),
        "scatter_add" => x().scatter_add(dim(0), y(), input(2)),
        "bitwise_and" => x() & y(),
        "bitwise_or" => x() | y(),
        "bitwise_xor" => x() ^ y(),
        "bitwise_not" => !x(),
        "lshift" => x() << y(),
        "rshift" => x() >> y(),
        "scatter_reduce" => {
            let join = match args["reduce"].as_str() {
                Some("sum") => Join::Sum,
                Some("prod") => Join::Prod,
                Some("mean") => Join::Mean,
                Some("amax") => Join::Max,
                _ => Join::Min,
            };
            x().scatter_reduce(dim(0), y(), input(2), join, args["include_self"] == true)
        }
        "pool_positions" => x().max_pool2d_indices(kernel(args), pool(args)).1,
        "max_unpool2d" => {
            let output = args.get("output").map(shape);
            x().max_unpool2d(y(), kernel(args), pool(args), output)
        }
        "cummin" => x().cummin(dim(0)),
        "logcumsumexp" => x().logcumsumexp(dim(0)),
        "gelu_erf" => x().gelu_erf(),
        "copysign" => x().copysign(y()),
        "normalize" => x().normalize(float_or("p", 2.0), dim(1), 1e-12),
        "diagonal_at" => x().diagonal_at(number("offset", 0), 1, 2),
        "binary_crossentropy_with" => x().binary_crossentropy_with(y(), reduction(args)),
        "binary_crossentropy_logits_with" => {
            x().binary_crossentropy_logits_with(y(), inputs.get(2), reduction(args))
        }
        "grouped_attention" => {
            let [k, v] = [y(), input(2)].map(|shared| shared.with_heads_of(x()));
            x().scaled_dot_product_attention(&k, &v, None, 0.0, false)
        }
        "one_hot" => x().one_hot(number("classes", 1) as usize),
        "sort" => x().sort(dim(-1), args["descending"] == true).0,
        "argsort" => x().argsort(dim(-1), args["descending"] == true),
        "topk" => {
            x().topk(number("k", 1) as usize, dim(-1), args["largest"] != false)
                .0
        }
        "einsum" => Tensor::einsum(args["formula"].as_str().expect("a formula"), &all()),
        "interpolate" => x().interpolate(
            shape(&args["size"]),
            args["mode"].as_str().expect("a mode"),
            args["align_corners"] == true,
        ),
        "pad_with" => {
            let widths: Vec<Option<(isize, isize)>> = pairs(&args["widths"], |n| n as isize);
            x().pad_with(&widths, args["mode"].as_str().expect("a mode"), value())
        }
        "nll_loss" => x().nll_loss(
            y(),
            inputs.get(2),
            args.get("ignore_index").map(integer),
            reduction(args),
        ),
        "cross_entropy" => {
            x().cross_entropy(y(), reduction(args), float_or("label_smoothing", 0.0))
        }

        // ---- Unary ---------------------------------------------------
        "neg" => x().neg(),
        "contiguous" => x().contiguous(),
        "contiguous_backward" => x().contiguous_backward(),
        "log" => x().log(),
        "log2" => x().log2(),
        "exp" => x().exp(),
        "exp2" => x().exp2(),
        "relu" => x().relu(),
        "sigmoid" => x().sigmoid(),
        "sin" => x().sin(),
        "cos" => x().cos(),
        "tan" => x().tan(),
        "sqrt" => x().sqrt(),
        "rsqrt" => x().rsqrt(),
        "trunc" => x().trunc(),
        "ceil" => x().ceil(),
        "floor" => x().floor(),
        "square" => x().square(),
        "abs" => x().abs(),
        "sign" => x().sign(),
        "reciprocal" => x().reciprocal(),
        "swish" => x().swish(),
        "silu" => x().silu(),
        "relu6" => x().relu6(),
        "hardswish" => x().hardswish(),
        "tanh" => x().tanh(),
        "sinh" => x().sinh(),
        "cosh" => x().cosh(),
        "atanh" => x().atanh(),
        "asinh" => x().asinh(),
        "acosh" => x().acosh(),
        "gelu" => x().gelu(),
        "quick_gelu" => x().quick_gelu(),
        "mish" => x().mish(),
        "softsign" => x().softsign(),
        "clip" => x().clip(float(&args["min"]), float(&args["max"])),
        "elu" => x().elu(float_or("alpha", 1.0)),
        "celu" => x().celu(float_or("alpha", 1.0)),
        "hardtanh" => x().hardtanh(float_or("min_val", -1.0), float_or("max_val", 1.0)),
        "leakyrelu" => x().leakyrelu(float_or("neg_slope", 0.01)),
        "softplus" => x().softplus(float_or("beta", 1.0)),

        // ---- Binary and ternary --------------------------------------
        // A number on the left goes through the operator, everything else through the method.
        "add" if reverse => float(&args["other"]) + x(),
        "sub" if reverse => float(&args["other"]) - x(),
        "mul" if reverse => float(&args["other"]) * x(),
        "div" if reverse => float(&args["other"]) / x(),
        "pow" if reverse => x().rpow(other()),
        "add" => x().add(other()),
        "sub" => x().sub(other()),
        "mul" => x().mul(other()),
        "div" => x().div(other()),
        "pow" => x().pow(other()),
        "idiv" => x().idiv(other()),
        "mod" => x().modulo(other()),
        "maximum" => x().maximum(other()),
        "minimum" => x().minimum(other()),
        "lt" => x().lt(other()),
        "gt" => x().gt(other()),
        "le" => x().le(other()),
        "ge" => x().ge(other()),
        "eq" => x().eq(other()),
        "ne" => x().ne(other()),
        "where" => x().where_(choice("input", 1), choice("other", inputs.len() - 1)),
        "square_by_mul" => x() * x(),
        "diamond" => (x() * y() + x()) * (x() * y()).sin() - y(),
        "detached_factor" => x() * x().detach(),

        // ---- Reduce --------------------------------------------------
        "sum" if keepdim => x().sum_keepdim(axes()),
        "sum" => x().sum(axes()),
        "max" if keepdim => x().max_keepdim(axes()),
        "max" => x().max(axes()),
        "min" if keepdim => x().min_keepdim(axes()),
        "min" => x().min(axes()),
        "mean" if keepdim => x().mean_keepdim(axes()),
        "mean" => x().mean(axes()),
        "std" if args["correction"] == 1 && keepdim => x().std_keepdim(axes()),
        "std" if args["correction"] == 1 => x().std(axes()),
        "std" => x().std_with(axes(), keepdim, number("correction", 1) as usize),
        "softmax" => x().softmax(number("axis", -1)),
        "log_softmax" => x().log_softmax(number("axis", -1)),
        "argmax" if keepdim => x().argmax_keepdim(axes()),
        "argmax" => x().argmax(axes()),
        "argmin" if keepdim => x().argmin_keepdim(axes()),
        "argmin" => x().argmin(axes()),
        "cumsum" => x().cumsum(number("axis", 0)),
        "logsumexp" => {
            let largest = x().max_keepdim(1);
            (x() - &largest).exp().sum(1).log() + largest.squeeze(1)
        }

        // ---- Movement ------------------------------------------------
        "reshape" => x().reshape(shape(&args["shape"])),
        "expand" => x().expand(shape(&args["shape"])),
        "permute" => x().permute(integers(&args["order"])),
        "flip" => x().flip(axes()),
        "shrink" => x().shrink(&pairs(&args["bounds"], |n| n as usize)),
        "pad" => x().pad(&pairs(&args["widths"], |n| n as usize), value()),
        "slice" => x().slice(&pairs(&args["bounds"], |n| n as isize), value()),
        "pad2d" => {
            let padding: Vec<isize> = integers(&args["padding"])
                .into_iter()
                .map(|n| n as isize)
                .collect();
            x().pad2d(
                padding.try_into().expect("left, right, top, bottom"),
                float_or("value", 0.0),
            )
        }
        "cat" => Tensor::cat(&all(), dim(0)),
        "stack" => Tensor::stack(&all(), dim(0)),
        "repeat" => x().repeat(shape(&args["repeats"])),
        "chunk" => {
            x().chunk(number("num", 1) as usize, dim(0))[number("index", 0) as usize].clone()
        }
        "squeeze" => x().squeeze(self::axes(&args["dim"])),
        "unsqueeze" => x().unsqueeze(dim(0)),
        "transpose" => x().transpose(number("ax1", 1), number("ax2", 0)),
        "T" => x().t(),
        "flatten" => x().flatten(number("start_dim", 0)),
        "triu" => x().triu(number("k", 0)),
        "tril" => x().tril(number("k", 0)),
        "gather" => x().gather(y(), dim(0)),
        "getitem" => x().get(indices(&args["index"], false)),
        "setitem" => {
            // `set` changes the tensor behind all handles; a handle of its own keeps the input as it is.
            let changed = x().detach();
            changed.set(indices(&args["index"], true), choice("value", 1));
            changed
        }
        "views_sum" => {
            let cut = x().permute([2, 0, 1]).flip(0).get((1..4, .., step(.., 2)));
            cut.reshape(-1).reshape([2, -1]).sum(1)
        }
        "views_mul" => {
            x().get((.., step(.., 2))).permute([0, 2, 1])
                * x().flip(2).get((.., 1..)).permute([0, 2, 1])
        }
        "windows" => {
            let slide = Slide {
                kernel: 3,
                stride: 1,
                dilation: 1,
            };
            Tensor::apply(Window::new(vec![slide]), &[x()])
                .square()
                .sum(2)
        }
        "views_matmul" => {
            let flipped = x().flip(1).t().matmul(x().get((.., step(.., 2))));
            let expanded = x().expand([2, 3, 4]).get((1, .., 1..3));
            flipped + x().pad(&[(0, 1), (0, 0)], 0).get(1..).t().matmul(expanded)
        }

        // ---- Creation ------------------------------------------------
        "eye" => Tensor::eye(integer(&args["dim"]) as usize),
        "arange" => Tensor::arange_with(
            scalar(&args["start"]),
            scalar(&args["stop"]),
            scalar(&args["step"]),
        ),
        "zeros" => Tensor::zeros(shape(&args["shape"])),
        "ones" => Tensor::ones(shape(&args["shape"])),
        "full" => Tensor::full(shape(&args["shape"]), scalar(&args["fill_value"])),
        "zeros_like" => x().zeros_like(),
        "ones_like" => x().ones_like(),
        "full_like" => x().full_like(scalar(&args["fill_value"])),

        // ---- Processing ----------------------------------------------
        "matmul" if reverse => y().matmul(x()),
        "matmul" => x().matmul(y()),
        "dot" => x().dot(y()),

        "conv2d" => x().conv2d_with(y(), inputs.get(2), conv(args, x().ndim() - 2)),
        "conv_transpose2d" => {
            x().conv_transpose2d_with(y(), inputs.get(2), conv(args, x().ndim() - 2))
        }
        "views_conv2d" => {
            let picture = x().permute([1, 0, 3, 2]).flip(2);
            picture.conv2d_with(
                &y().flip(3).transpose(2, 3),
                None,
                Conv::default().padding(1),
            )
        }
        "avg_pool2d" => x().avg_pool2d_with(kernel(args), pool(args)),
        "max_pool2d" => x().max_pool2d_with(kernel(args), pool(args)),

        // ---- Functional layers ---------------------------------------
        "linear" => x().linear(y(), inputs.get(2)),
        "sequential" => {
            let first = |x: &Tensor| x.matmul(y());
            let last = |x: &Tensor| x.matmul(input(2));
            x().sequential(&[&first, &Tensor::relu, &last])
        }
        "layernorm" => x().layernorm(axes(), float_or("eps", 1e-5)),
        "batchnorm" => x().batchnorm(Some(y()), Some(input(2)), input(3), input(4)),
        "scaled_dot_product_attention" => {
            attention(x(), y(), input(2), inputs.get(3), args["is_causal"] == true)
        }
        "binary_crossentropy" => x().binary_crossentropy(y()),
        "binary_crossentropy_logits" => x().binary_crossentropy_logits(y()),
        "sparse_categorical_crossentropy" => {
            x().sparse_categorical_crossentropy(y(), number("ignore_index", -1) as i64)
        }

        // ---- Whole models --------------------------------------------
        "mlp" => {
            let hidden = x().linear(y(), Some(input(2))).relu();
            hidden
                .linear(input(3), Some(input(4)))
                .sparse_categorical_crossentropy(input(5), -1)
        }
        "convnet" => {
            let hidden = x().conv2d(y(), None).relu().max_pool2d(2);
            let hidden = hidden.conv2d(input(2), None).relu().max_pool2d(2);
            hidden
                .flatten(1)
                .linear(input(3), None)
                .sparse_categorical_crossentropy(input(4), -1)
        }
        "transformer" => transformer(inputs),

        // ---- Cast ----------------------------------------------------
        "cast" => x().cast(dtype(args)),
        "bitcast" => x().bitcast(dtype(args)),
        "half" => x().half(),
        "float" => x().float(),

        // ---- Optimizers ----------------------------------------------
        "SGD" => {
            let nesterov = args["nesterov"].as_bool().unwrap_or(false);
            let (momentum, decay) = (float_or("momentum", 0.0), float_or("weight_decay", 0.0));
            trajectory(
                inputs,
                SGD::new(params(inputs), lr())
                    .momentum(momentum)
                    .weight_decay(decay)
                    .nesterov(nesterov),
            )
        }
        "Adam" => {
            let (b1, b2, eps) = (
                float_or("b1", 0.9),
                float_or("b2", 0.999),
                float_or("eps", 1e-8),
            );
            trajectory(
                inputs,
                Adam::new(params(inputs), lr()).betas(b1, b2).eps(eps),
            )
        }
        "AdamW" => trajectory(
            inputs,
            AdamW::new(params(inputs), lr()).weight_decay(float_or("wd", 0.01)),
        ),
        "LAMB" => {
            let (b1, b2, eps) = (
                float_or("b1", 0.9),
                float_or("b2", 0.999),
                float_or("eps", 1e-6),
            );
            trajectory(
                inputs,
                LAMB::new(params(inputs), lr())
                    .betas(b1, b2)
                    .eps(eps)
                    .weight_decay(float_or("wd", 0.0)),
            )
        }

        unknown => panic!("unknown op {unknown}: add it to tests/goldens/apply.rs"),
    }
}

// ---- Arguments -------------------------------------------------------

fn integer(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| panic!("{value} is no integer"))
}

/// JSON knows no infinities: they are texts.
fn float(value: &Value) -> f64 {
    let text = value
        .as_str()
        .map(|text| text.parse().expect("inf, -inf or nan"));
    text.or(value.as_f64())
        .unwrap_or_else(|| panic!("{value} is no number"))
}

/// Whole numbers without a decimal point are integers, as in Rust.
fn scalar(value: &Value) -> Scalar {
    if value.is_i64() {
        integer(value).into()
    } else {
        float(value).into()
    }
}

fn integers(value: &Value) -> Vec<i64> {
    list(value).iter().map(integer).collect()
}

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("{value} is no list"))
}

fn shape(value: &Value) -> Shape {
    Shape::from(integers(value))
}

/// `null` is all axes.
fn axes(value: &Value) -> Axes {
    match value {
        Value::Null => Axes::from(()),
        Value::Array(_) => Axes::from(integers(value)),
        axis => Axes::from(integer(axis)),
    }
}

fn dtype(args: &Value) -> DType {
    let name = args["dtype"].as_str().expect("a dtype");
    DType::from_name(name).unwrap_or_else(|| panic!("no dtype is named {name}"))
}

/// A list of pairs, in which `null` leaves an axis as it is.
fn pairs<N>(value: &Value, convert: fn(i64) -> N) -> Vec<Option<(N, N)>> {
    let pair = |value: &Value| match integers(value)[..] {
        [a, b] => (convert(a), convert(b)),
        _ => panic!("{value} is no pair"),
    };
    list(value)
        .iter()
        .map(|value| (!value.is_null()).then(|| pair(value)))
        .collect()
}

// ---- Indices ---------------------------------------------------------

/// What stood between the brackets. A row of numbers can be written as a list or as a tensor: `lists` says which it is to be.
fn indices(value: &Value, lists: bool) -> Vec<Index> {
    list(value)
        .iter()
        .map(|token| index(token, lists))
        .collect()
}

fn index(token: &Value, lists: bool) -> Index {
    let (kind, value) = token
        .as_object()
        .and_then(|token| token.iter().find(|(key, _)| *key != "shape"))
        .expect("an index");
    match kind.as_str() {
        "int" => Index::At(integer(value) as isize),
        "slice" => {
            let part = |i: usize| (!value[i].is_null()).then(|| integer(&value[i]) as isize);
            Index::Slice(Slice {
                start: part(0),
                stop: part(1),
                step: part(2).unwrap_or(1),
            })
        }
        "newaxis" => Index::NewAxis,
        "ellipsis" => Index::Ellipsis,
        "tensor" => {
            let places = if value.is_array() {
                integers(value)
            } else {
                vec![integer(value)]
            };
            let shape = integers(&token["shape"]);
            if lists && shape.len() == 1 {
                return Index::List(places.into_iter().map(|place| place as isize).collect());
            }
            Index::Tensor(Tensor::from_vec(places, shape))
        }
        unknown => panic!("{unknown} is no kind of index"),
    }
}

// ---- Convolution and attention ---------------------------------------

/// The options of a convolution over `n` axes.
fn conv(args: &Value, n: usize) -> Conv {
    let sizes = |name: &str, default: i64| match &args[name] {
        Value::Null => Shape::from(default),
        Value::Array(list) if list.iter().all(Value::is_array) => {
            // One (before, after) an axis in the files; in the library the last axis comes first, as in PyTorch's `pad`.
            assert_eq!(list.len(), n, "one pair an axis");
            Shape::from(list.iter().rev().flat_map(integers).collect::<Vec<i64>>())
        }
        Value::Array(_) => Shape::from(integers(&args[name])),
        one => Shape::from(integer(one)),
    };
    let conv = Conv::default()
        .stride(sizes("stride", 1))
        .dilation(sizes("dilation", 1));
    let conv = conv
        .padding(sizes("padding", 0))
        .output_padding(sizes("output_padding", 0));
    conv.groups(args.get("groups").map_or(1, integer) as usize)
}

fn kernel(args: &Value) -> Kernel {
    match &args["kernel_size"] {
        Value::Null => Kernel::from([2, 2]),
        Value::Array(_) => Kernel::from(integers(&args["kernel_size"])),
        one => Kernel::from(integer(one)),
    }
}

fn reduction(args: &Value) -> Reduction {
    match args["reduction"].as_str() {
        Some("none") => Reduction::None,
        Some("sum") => Reduction::Sum,
        _ => Reduction::Mean,
    }
}

fn pool(args: &Value) -> Pool {
    let sizes = |value: &Value| {
        if value.is_array() {
            Shape::from(integers(value))
        } else {
            Shape::from(integer(value))
        }
    };
    let pool = args.get("stride").map_or(Pool::default(), |stride| {
        Pool::default().stride(sizes(stride))
    });
    let pool = pool
        .ceil_mode(args["ceil_mode"] == true)
        .count_include_pad(args["count_include_pad"] != false);
    let pool = match args.get("padding") {
        None => pool,
        Some(padding) => pool.padding(sizes(padding)),
    };
    match args.get("dilation") {
        None => pool,
        Some(dilation) => pool.dilation(sizes(dilation)),
    }
}

fn attention(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    mask: Option<&Tensor>,
    causal: bool,
) -> Tensor {
    query.scaled_dot_product_attention(key, value, mask, 0.0, causal)
}

/// One block with two heads: attention, then a gelu MLP, each with a layernorm before it and a residual around it.
fn transformer(inputs: &[Tensor]) -> Tensor {
    let [x, wq, wk, wv, wo, w1, w2] = inputs else {
        panic!("a transformer has seven inputs")
    };
    let [n, t, d] = x.shape()[..] else {
        panic!("[batch, time, features]")
    };
    let heads = |y: Tensor| y.reshape([n, t, 2, d / 2]).transpose(1, 2);
    let y = x.layernorm(-1, 1e-5);
    let y = attention(
        &heads(y.matmul(wq)),
        &heads(y.matmul(wk)),
        &heads(y.matmul(wv)),
        None,
        true,
    );
    let x = x + y.transpose(1, 2).reshape([n, t, d]).matmul(wo);
    (&x + x.layernorm(-1, 1e-5).matmul(w1).gelu().matmul(w2))
        .square()
        .mean(())
}

// ---- Optimizers ------------------------------------------------------

/// The first half of an optimizer's inputs.
fn params(inputs: &[Tensor]) -> &[Tensor] {
    &inputs[..inputs.len() / 2]
}

/// All parameters after each step, [steps, elements]. The second half of the inputs are the gradients, [steps, a parameter's shape].
fn trajectory(inputs: &[Tensor], mut optimizer: impl Optimizer) -> Tensor {
    let (params, gradients) = inputs.split_at(inputs.len() / 2);
    let steps = gradients[0].shape()[0];
    let gradients: Vec<Vec<f32>> = gradients.iter().map(Tensor::to_vec).collect();
    let mut after = Vec::new();
    for step in 0..steps {
        for (p, gradients) in params.iter().zip(&gradients) {
            let gradient = &gradients[step * p.numel()..][..p.numel()];
            p.set_grad(Some(Tensor::from_slice(gradient, p.shape())));
        }
        optimizer.step();
        after.extend(params.iter().flat_map(Tensor::to_vec::<f32>));
    }
    Tensor::from_vec(after, [steps as isize, -1])
}
