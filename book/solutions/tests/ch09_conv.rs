//! # A convolution and its gradients
//!
//! In one dimension, without batch or channels: y\[o\] = Σ x\[o + k\] · w\[k\]. Write the forward as a view, a product and a sum; and then both
//! gradients with the forward's help, without a loop and without autograd.
//!
//! `x.unfold(0, size, 1)` are the windows of `size` elements, as \[windows, size\]; `pad(&[(before, after)], 0)` puts zeros around, `flip(0)` turns around.

use teenygrad::Tensor;

/// x \[n\], w \[k\] to \[n − k + 1\].
pub fn conv(x: &Tensor, w: &Tensor) -> Tensor {
    let k = w.shape()[0];
    (x.unfold(0, k, 1) * w).sum(1)
}

/// The gradient of the weights, \[k\], given the input \[n\] and the result's gradient \[n − k + 1\].
pub fn weight_gradient(x: &Tensor, dy: &Tensor) -> Tensor {
    // dw[k] = Σ x[k + o] · dy[o]: dy slides over x
    conv(x, dy)
}

/// The gradient of the input, \[n\], given the result's gradient \[n − k + 1\] and the weights \[k\].
pub fn input_gradient(dy: &Tensor, w: &Tensor) -> Tensor {
    // dx[h] = Σ dy[h − k] · w[k]: w, turned around, slides over dy with zeros on both sides
    let margin = w.shape()[0] - 1;
    conv(&dy.pad(&[(margin, margin)], 0), &w.flip(0))
}

#[cfg(test)]
#[path = "../../exercises/checks/ch09_conv.rs"]
mod checks;
