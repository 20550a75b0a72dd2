//! # A convolution and its gradients
//!
//! In one dimension, without batch or channels: y\[o\] = Σ x\[o + k\] · w\[k\]. Write the forward as a view, a product and a sum; and then both
//! gradients with the forward's help, without a loop and without autograd.
//!
//! `x.unfold(0, size, 1)` are the windows of `size` elements, as \[windows, size\]; `pad(&[(before, after)], 0)` puts zeros around, `flip(0)` turns around.

use teenygrad::Tensor;

/// x \[n\], w \[k\] to \[n − k + 1\].
pub fn conv(x: &Tensor, w: &Tensor) -> Tensor {
    let _ = (x, w);
    todo!("windows, a product, a sum")
}

/// The gradient of the weights, \[k\], given the input \[n\] and the result's gradient \[n − k + 1\].
pub fn weight_gradient(x: &Tensor, dy: &Tensor) -> Tensor {
    let _ = (x, dy);
    todo!("a convolution: of what, with what?")
}

/// The gradient of the input, \[n\], given the result's gradient \[n − k + 1\] and the weights \[k\].
pub fn input_gradient(dy: &Tensor, w: &Tensor) -> Tensor {
    let _ = (dy, w);
    todo!("a convolution: of what, with what?")
}

#[cfg(test)]
#[path = "../checks/ch09_conv.rs"]
mod checks;
