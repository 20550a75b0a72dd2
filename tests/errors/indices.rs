//! Indices out of range, too many of them, of the wrong type; and writing where a gradient would be lost.
//!
//! **In:** where problems are gathered. **Out:** those of this topic's mistakes.
//! **Law:** reading and writing name the index, the axis and its size alike.

use super::Wrong;
use teenygrad::tensor::index::{Ellipsis, step};
use teenygrad::{Device, Tensor};

pub fn mistakes(wrong: &mut Wrong) {
    let (x, none, w) = (
        Tensor::ones([2, 3]),
        Tensor::ones([0, 2]),
        Tensor::ones([2, 3]).requires_grad(true),
    );
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
