//! The shapes that matter: products of matrices, convolutions and their gradients, as pairs of views.
//!
//! **In:** sizes. **Out:** a [`Case`], whose output and sum each function states. Its law: windows are views of an image, with bounds for
//! what lies over the edge, as the tensor's own convolution makes them; nothing is copied.

use super::definition::{Case, case};
use crate::shape::view::{Remap, View};

pub fn strided(shape: &[usize], strides: &[isize]) -> View {
    let strides = strides
        .iter()
        .zip(shape)
        .map(|(&s, &n)| if n == 1 { 0 } else { s })
        .collect();
    View {
        shape: shape.to_vec(),
        strides,
        offset: 0,
        bounds: Vec::new(),
    }
}

/// out[m, n] = Σ a[m, k] b[k, n], each operand as it is or transposed in memory.
pub fn matmul(m: usize, n: usize, k: usize, a_turned: bool, b_turned: bool) -> Case {
    let (im, in_, ik) = (m as isize, n as isize, k as isize);
    let a = if a_turned { [1, 0, im] } else { [ik, 0, 1] };
    let b = if b_turned { [0, ik, 1] } else { [0, 1, in_] };
    case(
        &[m, n],
        &[k],
        strided(&[m, n, k], &a),
        strided(&[m, n, k], &b),
    )
}

/// A sliding window over the last two axes of an image [n, c, h, w], as [n, c, y, x, ky, kx], for padding, step and dilation.
pub fn windows(image: [usize; 4], kernel: usize, pad: isize, step: isize, dilation: isize) -> View {
    let [n, c, h, w] = image;
    let size = |extent: usize| {
        ((extent as isize + 2 * pad - dilation * (kernel as isize - 1) - 1) / step + 1) as usize
    };
    let mut remap = Remap::still(4, vec![n, c, size(h), size(w), kernel, kernel]);
    for axis in 0..4 {
        remap.follow(axis, axis, if axis < 2 { 1 } else { step });
    }
    for axis in [2, 3] {
        remap.follow(axis, axis + 2, dilation);
        remap.begin(axis, -pad);
    }
    View::contiguous(&image).remap(&remap)
}

/// The view with axes of size `sizes[i]` and stride 0 put in where `order` says None.
pub fn arrange(view: &View, order: &[Option<usize>], sizes: &[usize]) -> View {
    let mut remap = Remap::still(view.shape.len(), sizes.to_vec());
    for (new, old) in order.iter().enumerate() {
        if let Some(old) = *old {
            remap.follow(old, new, 1);
        }
    }
    view.remap(&remap)
}

/// out[n, o, y, x] = Σ_{c, i, j} windows[n, c, y, x, i, j] · weights[o, c, i, j].
pub fn convolution(
    image: [usize; 4],
    o: usize,
    kernel: usize,
    pad: isize,
    step: isize,
    dilation: isize,
) -> Case {
    let windows = windows(image, kernel, pad, step, dilation);
    let [n, c, ..] = image;
    let (y, x) = (windows.shape[2], windows.shape[3]);
    let sizes = [n, o, y, x, c, kernel, kernel];
    let a = arrange(
        &windows,
        &[Some(0), None, Some(2), Some(3), Some(1), Some(4), Some(5)],
        &sizes,
    );
    let weights = View::contiguous(&[o, c, kernel, kernel]);
    let b = arrange(
        &weights,
        &[None, Some(0), None, None, Some(1), Some(2), Some(3)],
        &sizes,
    );
    case(&sizes[..4], &sizes[4..], a, b)
}

/// out[o, c, i, j] = Σ_{n, y, x} gradient[n, o, y, x] · windows[n, c, y, x, i, j].
pub fn weight_gradient(
    image: [usize; 4],
    o: usize,
    kernel: usize,
    pad: isize,
    step: isize,
) -> Case {
    let windows = windows(image, kernel, pad, step, 1);
    let [n, c, ..] = image;
    let (y, x) = (windows.shape[2], windows.shape[3]);
    let sizes = [o, c, kernel, kernel, n, y, x];
    let gradient = View::contiguous(&[n, o, y, x]);
    let a = arrange(
        &gradient,
        &[Some(1), None, None, None, Some(0), Some(2), Some(3)],
        &sizes,
    );
    let b = arrange(
        &windows,
        &[None, Some(1), Some(4), Some(5), Some(0), Some(2), Some(3)],
        &sizes,
    );
    case(&sizes[..4], &sizes[4..], a, b)
}

/// out[n, c, h, w] = Σ_{o, i, j} gradient[n, o, h − i, w − j] · weights[o, c, i, j]: windows slid the other way, mostly over the edge.
pub fn input_gradient(image: [usize; 4], o: usize, kernel: usize) -> Case {
    let [n, c, h, w] = image;
    let sizes = [n, c, h, w, o, kernel, kernel];
    let gradient = View::contiguous(&[n, o, h - kernel + 1, w - kernel + 1]);
    let mut remap = Remap::still(4, sizes.to_vec());
    for (old, new, step) in [
        (0, 0, 1),
        (1, 4, 1),
        (2, 2, 1),
        (2, 5, -1),
        (3, 3, 1),
        (3, 6, -1),
    ] {
        remap.follow(old, new, step);
    }
    let a = gradient.remap(&remap);
    let weights = View::contiguous(&[o, c, kernel, kernel]);
    let b = arrange(
        &weights,
        &[None, Some(1), None, None, Some(0), Some(2), Some(3)],
        &sizes,
    );
    case(&sizes[..4], &sizes[4..], a, b)
}

/// A filter for each channel: the windows times it, and the gradients of filters and image.
pub fn depthwise(image: [usize; 4], kernel: usize, pad: isize, dilation: isize) -> [Case; 3] {
    let [n, c, h, w] = image;
    let windows = windows(image, kernel, pad, 1, dilation);
    let (y, x) = (windows.shape[2], windows.shape[3]);
    let filters = View::contiguous(&[c, kernel, kernel]);
    let gradient = View::contiguous(&[n, c, y, x]);
    let forward = case(
        &windows.shape[..4],
        &windows.shape[4..],
        windows.clone(),
        arrange(
            &filters,
            &[None, Some(0), None, None, Some(1), Some(2)],
            &windows.shape,
        ),
    );
    let sizes = [c, kernel, kernel, n, y, x];
    let of_filters = case(
        &sizes[..3],
        &sizes[3..],
        arrange(
            &gradient,
            &[Some(1), None, None, Some(0), Some(2), Some(3)],
            &sizes,
        ),
        windows.permute(&[1, 4, 5, 0, 2, 3]),
    );
    // Of the image before it was padded: gradient[n, c, i − ky · dilation, j − kx · dilation] · filters[c, ky, kx].
    let reach = dilation as usize * (kernel - 1);
    let sizes = [n, c, y + reach, x + reach, kernel, kernel];
    let mut remap = Remap::still(4, sizes.to_vec());
    (0..4).for_each(|axis| remap.follow(axis, axis, 1));
    (2..4).for_each(|axis| remap.follow(axis, axis + 2, -dilation));
    let of_image = case(
        &sizes[..4],
        &sizes[4..],
        arrange(
            &filters,
            &[None, Some(0), None, None, Some(1), Some(2)],
            &sizes,
        ),
        gradient.remap(&remap),
    );
    assert!(h + 2 * pad as usize == y + reach && w + 2 * pad as usize == x + reach);
    [forward, of_filters, of_image]
}

/// out[n, g, o, y, x] = Σ_{i, j} windows[n, g, y, x, i, j] · weights[g, o, i, j]: a batch of each channel's own.
pub fn grouped(image: [usize; 4], o: usize, kernel: usize, pad: isize) -> Case {
    let windows = windows(image, kernel, pad, 1, 1);
    let [n, g, y, x, ..] = windows.shape[..] else {
        unreachable!("windows of an image have six axes")
    };
    let sizes = [n, g, o, y, x, kernel, kernel];
    let order = [0, 1, 6, 2, 3, 4, 5].map(|axis| (axis < 6).then_some(axis));
    let a = arrange(&windows, &order, &sizes);
    let weights = View::contiguous(&[g, o, kernel, kernel]);
    let order = [4, 0, 1, 4, 4, 2, 3].map(|axis| (axis < 4).then_some(axis));
    let b = arrange(&weights, &order, &sizes);
    case(&sizes[..5], &sizes[5..], a, b)
}
