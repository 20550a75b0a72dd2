//! Shapes that cannot be: movements, joins, and tensors made of nothing, of chance, or of values.
//!
//! **In:** where problems are gathered. **Out:** those of this topic's mistakes.
//! **Law:** an axis may be counted from either end, and the hint says how far.

use super::Wrong;
use teenygrad::{DType, Tensor};

pub fn mistakes(wrong: &mut Wrong) {
    let (x, y, v) = (
        Tensor::ones([2, 3]),
        Tensor::ones([2, 4]),
        Tensor::from([1.0, 2.0, 3.0]),
    );
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
