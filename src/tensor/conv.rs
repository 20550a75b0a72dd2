//! # tensor/conv: products that are summed
//!
//! **In:** inputs and weights. **Out:** matrix products, convolutions of any number of spatial axes. **Beside:** `pool`. **Below:** mul, sum
//! and the [`Window`] view.
//!
//! There is one idea in this file: **a contraction is a sum of products**. Both operands are brought under one shape, in which every axis
//! belongs to the left, to the right or to both, are multiplied, and the axes that should vanish are summed:
//!
//! ```text
//! matmul   [m, k] @ [k, n]         x [m, 1, k] · w [1, n, k]                              Σ over k
//! conv     [n, c, H] ∗ [o, c, K]   windows [n, 1, O, c, K] · weight [1, o, 1, c, K]       Σ over c, K
//! ```
//!
//! The product is never written out: the scheduler recognises SUM(MUL(a, b)), and the engine computes it as a blocked contraction. Both
//! gradients are again sums of products, so that they are found the same way.
//!
//! Laws:
//! 1. Dtypes promote; integers are multiplied and summed in at least 32 bits, halves are summed in float32.
//! 2. Sizes are checked here, with the user's shapes in the message: below, everything fits.
//!
//! ```
//! use teenygrad::Tensor;
//! let (a, b) = (Tensor::from([[1, 2], [3, 4]]), Tensor::from([[5, 6], [7, 8]]));
//! assert_eq!(a.matmul(&b).to_vec::<i32>(), [19, 22, 43, 50]);
//! let picture = Tensor::from([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]]);
//! let edge = Tensor::from([[[[-1.0, 1.0]]]]); // right minus left
//! assert_eq!(picture.conv2d(&edge, None).to_vec::<f32>(), [1.0; 6]);
//! ```

use super::Tensor;
use super::operand::{Operand, common_device};
use crate::error::fail;
use crate::mlops::movement::{Slide, Window};
use crate::shape::args::{Shape, broadcast};

/// What slides its windows over the same axes.
pub use super::pool::{Kernel, Pool};

// ---- Options ---------------------------------------------------------

/// The options of a convolution: `Conv::default().stride(2).padding(1)`. One number is for all spatial axes, several are one an axis.
#[derive(Clone, Debug)]
pub struct Conv {
    groups: usize,
    stride: Shape,
    dilation: Shape,
    padding: Shape,
    output_padding: Shape,
}

impl Default for Conv {
    /// One group, stride 1, dilation 1, no padding.
    fn default() -> Conv {
        Conv {
            groups: 1,
            stride: 1.into(),
            dilation: 1.into(),
            padding: 0.into(),
            output_padding: 0.into(),
        }
    }
}

impl Conv {
    /// Channels are cut into so many groups, each convolved on its own.
    #[must_use]
    pub fn groups(self, groups: usize) -> Conv {
        Conv { groups, ..self }
    }
    /// How far apart windows are.
    #[must_use]
    pub fn stride(self, stride: impl Into<Shape>) -> Conv {
        Conv {
            stride: stride.into(),
            ..self
        }
    }
    /// How far apart the elements of a window are.
    #[must_use]
    pub fn dilation(self, dilation: impl Into<Shape>) -> Conv {
        Conv {
            dilation: dilation.into(),
            ..self
        }
    }
    /// Zeros around the input: one number, one an axis, or two an axis with the last axis first (left, right, top, bottom, …).
    #[must_use]
    pub fn padding(self, padding: impl Into<Shape>) -> Conv {
        Conv {
            padding: padding.into(),
            ..self
        }
    }
    /// For transposed convolutions: so much is added to the output's sizes, at their ends.
    #[must_use]
    pub fn output_padding(self, output_padding: impl Into<Shape>) -> Conv {
        Conv {
            output_padding: output_padding.into(),
            ..self
        }
    }
}

/// One number for each of `n` axes, each at least `least`.
#[track_caller]
pub(super) fn per_axis(op: &str, what: &str, sizes: &Shape, n: usize, least: usize) -> Vec<usize> {
    let all = match sizes.0[..] {
        [one] => vec![one; n],
        _ if sizes.0.len() == n => sizes.0.clone(),
        _ => {
            fail!(op, "{what} {:?} has {} numbers for {n} axes", sizes.0, sizes.0.len(); "one number for all axes, or one for each")
        }
    };
    if let Some(wrong) = all.iter().find(|&&size| size < least as isize) {
        fail!(op, "{what} {:?}: {wrong} is less than {least}", sizes.0);
    }
    all.into_iter().map(|size| size as usize).collect()
}

/// Zeros around each of `n` axes, two an axis and the last axis first.
#[track_caller]
pub(super) fn paddings(op: &str, padding: &Shape, n: usize) -> Vec<isize> {
    if n > 0 && padding.0.len() == 2 * n {
        let pairs = padding.sizes(op);
        return pairs.into_iter().map(|size| size as isize).collect();
    }
    let each = per_axis(op, "padding", padding, n, 0);
    each.iter()
        .rev()
        .flat_map(|&size| [size as isize, size as isize])
        .collect()
}

// ---- Matrix products -------------------------------------------------

impl Tensor {
    /// The matrix product: **y[…, i, j] = Σₖ x[…, i, k] · w[…, k, j]**.
    ///
    /// | x | w | y | |
    /// |---|---|---|---|
    /// | `[k]` | `[k]` | `[]` | a scalar product |
    /// | `[m, k]` | `[k]` | `[m]` | a matrix times a vector |
    /// | `[k]` | `[k, n]` | `[n]` | a vector times a matrix |
    /// | […, m, k] | […, k, n] | […, m, n] | matrices; the axes in front broadcast |
    ///
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).requires_grad(true);
    /// let y = x.matmul(Tensor::from([10.0, 1.0]));
    /// assert_eq!(y.to_vec::<f32>(), [12.0, 34.0]);
    /// y.sum(()).backward(); // dx[i, k] = dy[i] · w[k]
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [10.0, 1.0, 10.0, 1.0]);
    /// ```
    /// Dtypes promote. Integers are multiplied and summed in at least 32 bits; bools count.
    /// # Panics
    /// If one side is a single number, if the axes that meet have different sizes, or if the axes in front don't broadcast.
    #[track_caller]
    pub fn matmul(&self, w: impl Into<Operand>) -> Tensor {
        self.product("matmul", w.into())
    }

    /// Another name of [`Tensor::matmul`].
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).dot(Tensor::from([4, 5, 6])).item::<i32>(), 32);
    /// ```
    /// # Panics
    /// As `matmul`.
    #[track_caller]
    pub fn dot(&self, w: impl Into<Operand>) -> Tensor {
        self.product("dot", w.into())
    }

    /// [`Tensor::matmul`], under the name of the op that needs it.
    #[track_caller]
    pub(crate) fn product(&self, op: &str, w: Operand) -> Tensor {
        let Operand::Tensor(w) = w else {
            fail!(op, "a number on the right of {:?} has no axes to sum over", self.shape(); "* multiplies by a number")
        };
        let (a, b) = (self.shape(), w.shape());
        if a.is_empty() || b.is_empty() {
            fail!(op, "{a:?} @ {b:?}: a single number has no axes to sum over"; "* multiplies by a number");
        }
        let inner = b.len().saturating_sub(2);
        if a[a.len() - 1] != b[inner] {
            match b.len() {
                1 => fail!(
                    op,
                    "{a:?} @ {b:?}: the last axis of the left ({}) and the axis of the right ({}) must be equal",
                    a[a.len() - 1],
                    b[inner]
                ),
                _ => {
                    fail!(op, "{a:?} @ {b:?}: the last axis of the left ({}) and the second-last of the right ({}) must be equal", a[a.len() - 1], b[inner];
                    "transpose one of them?")
                }
            }
        }
        let batches = (&a[..a.len().saturating_sub(2)], &b[..inner]);
        if broadcast(batches.0, batches.1).is_none() {
            fail!(op, "{a:?} @ {b:?}: the axes in front of the matrices, {:?} and {:?}, do not broadcast", batches.0, batches.1;
                "sizes are compared from the last of them on, and must be equal or 1");
        }
        let [x, w] = factors(op, self, &w);
        // A vector has no m (or n), and gets none. The axes stay in this order, so that the gradients' sums, over n and over m, have the
        // order of x and of w: nobody has to turn them.
        // x: […, m, k] → […, m, k, 1]; w: […, k, n] → […, 1, k, n]
        let (has_m, has_n) = (usize::from(a.len() > 1), usize::from(b.len() > 1));
        let left = [&a[..], &vec![1; has_n]].concat();
        let right = [&b[..inner], &vec![1; has_m * has_n], &b[inner..]].concat();
        let summed = if has_n == 1 { -2 } else { -1 };
        x.reshape(left).mul(w.reshape(right)).sum(summed)
    }
}

/// Two factors of a sum of products in one dtype, wide enough for integers.
#[track_caller]
fn factors(op: &str, x: &Tensor, w: &Tensor) -> [Tensor; 2] {
    common_device(op, &[x.into(), w.into()]);
    let dtype = x.dtype().promote(w.dtype());
    let dtype = if dtype.is_float() {
        dtype
    } else {
        dtype.sum_dtype()
    };
    [x.cast(dtype), w.cast(dtype)]
}

// ---- Convolution -----------------------------------------------------

impl Tensor {
    /// A convolution with one group, stride 1, dilation 1 and no padding: see [`Tensor::conv2d_with`].
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[[[1.0, 2.0], [3.0, 4.0]]]]);
    /// let w = Tensor::from([[[[1.0, 0.0], [0.0, 10.0]]]]);
    /// assert_eq!(x.conv2d(&w, None).to_vec::<f32>(), [41.0]); // 1·1 + 4·10
    /// ```
    /// # Panics
    /// As `conv2d_with`.
    #[track_caller]
    pub fn conv2d(&self, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        self.conv2d_with(weight, bias, Conv::default())
    }

    /// A convolution (as all of deep learning calls it: a cross-correlation) over any number of spatial axes, in spite of its name:
    ///
    /// **y[n, o, p…] = bias\[o\] + Σ_c Σ_k… x[n, c, p·stride + k·dilation − padding…] · w[o, c, k…]**
    ///
    /// Shapes: input [n, c, H…], weight [o, c/groups, K…], bias `[o]`, result [n, o, O…] with
    /// O = (H + padding before + after − dilation·(K − 1) − 1) / stride + 1, rounded down. With groups, output channels
    /// g·o/groups … see input channels g·c/groups … only; groups = c is a depthwise convolution.
    ///
    /// Windows of 3 × 3 over enough channels take a quarter of these multiplications (Winograd 1980), which costs a bit of precision and lets an
    /// infinity reach the results beside it; with `WINO=0` in the environment they don't.
    /// ```
    /// use teenygrad::{Tensor, tensor::conv::Conv};
    /// let x = Tensor::from([[[1.0, 2.0, 3.0, 4.0]]]); // one spatial axis
    /// let w = Tensor::from([[[1.0, 1.0]]]);
    /// assert_eq!(x.conv2d_with(&w, None, Conv::default().stride(2)).to_vec::<f32>(), [3.0, 7.0]);
    /// assert_eq!(x.conv2d_with(&w, None, Conv::default().padding(1)).to_vec::<f32>(), [1.0, 3.0, 5.0, 7.0, 4.0]);
    /// assert_eq!(x.conv2d_with(&w, None, Conv::default().dilation(2)).to_vec::<f32>(), [4.0, 6.0]);
    /// ```
    /// # Panics
    /// If the ranks differ or are below 3, if channels don't fit, if groups don't divide them, if the kernel is larger than the
    /// padded input, or if an option has the wrong number of numbers.
    #[track_caller]
    pub fn conv2d_with(&self, weight: &Tensor, bias: Option<&Tensor>, options: Conv) -> Tensor {
        let (x, w) = (self.shape(), weight.shape());
        check_ranks("conv2d", &x, &w, "[out, in / groups, kernel…]");
        let (n, groups) = (x.len() - 2, options.groups);
        if groups == 0 || x[1] != groups * w[1] {
            fail!("conv2d", "input {x:?} has {} channels, and weight {w:?} with {groups} groups takes {}", x[1], groups * w[1];
                "weights are [out, in / groups, kernel…]");
        }
        if !w[0].is_multiple_of(groups) {
            fail!(
                "conv2d",
                "the {} output channels of weight {w:?} cannot be cut into {groups} groups",
                w[0]
            );
        }
        let padding = paddings("conv2d", &options.padding, n);
        self.convolved("conv2d", weight, bias, &options, &padding)
    }

    /// The convolution itself. All but the kernel's reach has been checked; the padding may be negative.
    #[track_caller]
    fn convolved(
        &self,
        op: &str,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: &Conv,
        padding: &[isize],
    ) -> Tensor {
        let w = weight.shape();
        let (kernel, groups, out) = (&w[2..], options.groups, w[0]);
        let n = kernel.len();
        let stride = per_axis(op, "stride", &options.stride, n, 1);
        let dilation = per_axis(op, "dilation", &options.dilation, n, 1);
        let [x, weight] = factors(op, self, weight);
        let x = x.pad_last(op, padding, 0.0);
        let shape = x.shape();
        let slides = slides(op, &shape, kernel, &stride, &dilation);
        let spatial: Vec<usize> = slides
            .iter()
            .zip(&shape[2..])
            .map(|(slide, &size)| slide.count(size))
            .collect();
        // [n, c, H…] → [n, g, 1, c/g, H…] → [n, g, 1, c/g, O…, K…]. Groups are cut before windows are, so that on the way back
        // nothing stands between the sum over the windows and the sum over the output channels: the scheduler makes one of them.
        let split = [&[shape[0], groups, 1, w[1]], &shape[2..]].concat();
        let windows = Tensor::apply(Window::new(slides), &[&x.reshape(split)]);
        // → [n, g, 1, O…, c/g, K…]: what is summed comes last
        let order: Vec<usize> = (0..3)
            .chain(4..4 + n)
            .chain([3])
            .chain(4 + n..4 + 2 * n)
            .collect();
        let windows = windows.permute(order);
        // [o, c/g, K…] → [g, o/g, 1…, c/g, K…]
        let weight = weight.reshape([&[groups, out / groups][..], &vec![1; n], &w[1..]].concat());
        // [n, g, o/g, O…] → [n, o, O…]
        let summed: Vec<usize> = (3 + n..4 + 2 * n).collect();
        let y = windows
            .mul(weight)
            .sum(summed)
            .reshape([&[shape[0], out], &spatial[..]].concat());
        match bias {
            None => y,
            Some(bias) => y.add(channelwise(op, bias, out, n)),
        }
    }

    /// A transposed convolution with one group, stride 1, dilation 1 and no padding: see [`Tensor::conv_transpose2d_with`].
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[[1.0, 10.0]]]);
    /// let w = Tensor::from([[[1.0, 2.0]]]);
    /// assert_eq!(x.conv_transpose2d(&w, None).to_vec::<f32>(), [1.0, 12.0, 20.0]); // 1·(1 2 ·) + 10·(· 1 2)
    /// ```
    /// # Panics
    /// As `conv_transpose2d_with`.
    #[track_caller]
    pub fn conv_transpose2d(&self, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        self.conv_transpose2d_with(weight, bias, Conv::default())
    }

    /// What a convolution does on its way back, as a way forward: each input element puts its multiple of the kernel into the output.
    ///
    /// **y[n, o, p…] = bias\[o\] + Σ_c Σ_{i·stride + k·dilation − padding = p} x[n, c, i…] · w[c, o, k…]**
    ///
    /// Shapes: input [n, c, H…], weight [c, o/groups, K…], bias `[o]`, result [n, o, O…] with
    /// O = (H − 1)·stride − padding before − after + dilation·(K − 1) + 1 + output_padding.
    ///
    /// It is computed as a convolution of the input with stride − 1 zeros between its elements, with the kernel backwards: what element
    /// i puts at p with k, is what p reads at i with K − 1 − k.
    /// ```
    /// use teenygrad::{Tensor, tensor::conv::Conv};
    /// let x = Tensor::from([[[1.0, 10.0]]]);
    /// let w = Tensor::from([[[1.0, 2.0]]]);
    /// let y = x.conv_transpose2d_with(&w, None, Conv::default().stride(2));
    /// assert_eq!(y.to_vec::<f32>(), [1.0, 2.0, 10.0, 20.0]);
    /// ```
    /// # Panics
    /// If the ranks differ or are below 3, if channels don't fit, if groups don't divide them, if the padding leaves nothing, if an
    /// output padding is not smaller than the stride or the dilation, or if an option has the wrong number of numbers.
    #[track_caller]
    pub fn conv_transpose2d_with(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: Conv,
    ) -> Tensor {
        const OP: &str = "conv_transpose2d";
        let (x, w) = (self.shape(), weight.shape());
        check_ranks(OP, &x, &w, "[in, out / groups, kernel…]");
        let (n, groups, kernel) = (x.len() - 2, options.groups, &w[2..]);
        if x[1] != w[0] {
            fail!(OP, "input {x:?} has {} channels, and weight {w:?} takes {}", x[1], w[0]; "weights are [in, out / groups, kernel…]");
        }
        if groups == 0 || !w[0].is_multiple_of(groups) {
            fail!(
                OP,
                "the {} input channels of weight {w:?} cannot be cut into {groups} groups",
                w[0]
            );
        }
        let stride = per_axis(OP, "stride", &options.stride, n, 1);
        let dilation = per_axis(OP, "dilation", &options.dilation, n, 1);
        let more = per_axis(OP, "output_padding", &options.output_padding, n, 0);
        if let Some(axis) = (0..n).find(|&i| more[i] >= stride[i].max(dilation[i])) {
            fail!(
                OP,
                "output_padding {} of spatial axis {axis} is not smaller than stride {} or dilation {}",
                more[axis],
                stride[axis],
                dilation[axis]
            );
        }
        // [g·c/g, o/g, K…] → [g, c/g, o/g, K…] → [g·o/g, c/g, K…], backwards
        let split = [&[groups, w[0] / groups], &w[1..]].concat();
        let merged = [&[groups * w[1], w[0] / groups], kernel].concat();
        let axes: Vec<usize> = (2..2 + n).collect();
        let turned = weight
            .reshape(split)
            .transpose(1, 2)
            .reshape(merged)
            .flip(axes);
        // A kernel's reach around the input, less what padding takes away from the output.
        let around = paddings(OP, &options.padding, n);
        let mut padding = Vec::with_capacity(2 * n);
        for axis in (0..n).rev() {
            let reach = (dilation[axis] * kernel[axis].saturating_sub(1)) as isize;
            let [before, after] = [around[padding.len()], around[padding.len() + 1]];
            let size = (x[2 + axis] as isize - 1) * stride[axis] as isize - before - after
                + reach
                + 1
                + more[axis] as isize;
            if size <= 0 {
                fail!(
                    OP,
                    "padding ({before}, {after}) of spatial axis {axis} leaves nothing of input {x:?} with weight {w:?}"
                );
            }
            padding.extend([reach - before, reach - after + more[axis] as isize]);
        }
        let inner = Conv {
            groups,
            dilation: options.dilation,
            ..Conv::default()
        };
        self.zeros_between(&stride)
            .convolved(OP, &turned, bias, &inner, &padding)
    }

    /// `stride` − 1 zeros between neighbours of the last axes: [H] → [H, 1] → [H, s] → [H·s] → without the last zeros.
    fn zeros_between(&self, stride: &[usize]) -> Tensor {
        if stride.iter().all(|&step| step == 1) {
            return self.clone();
        }
        let shape = self.shape();
        let lead = shape.len() - stride.len();
        let (mut split, mut merged) = (shape[..lead].to_vec(), shape[..lead].to_vec());
        let mut widths = vec![(0, 0); lead];
        let mut kept: Vec<(usize, usize)> = shape[..lead].iter().map(|&size| (0, size)).collect();
        for (&size, &step) in shape[lead..].iter().zip(stride) {
            split.extend([size, 1]);
            widths.extend([(0, 0), (0, step - 1)]);
            merged.push(size * step);
            kept.push((0, (size * step + 1).saturating_sub(step)));
        }
        self.reshape(split)
            .pad(&widths, 0)
            .reshape(merged)
            .shrink(&kept)
    }
}

/// Inputs are [n, channels, spatial…], weights of the same rank.
#[track_caller]
fn check_ranks(op: &str, x: &[usize], w: &[usize], form: &str) {
    if x.len() < 3 {
        fail!(op, "input {x:?} is not [n, channels, spatial…]"; "unsqueeze(0) makes a batch of one");
    }
    if x.len() != w.len() {
        fail!(op, "input {x:?} has {} spatial axes, and weight {w:?} has {}", x.len() - 2, w.len() as isize - 2; "weights are {form}");
    }
}

/// A bias [o] as [o, 1…], for `n` axes behind the channels.
#[track_caller]
fn channelwise(op: &str, bias: &Tensor, out: usize, n: usize) -> Tensor {
    if bias.shape() != [out] {
        fail!(
            op,
            "a bias of shape {:?} for {out} output channels",
            bias.shape()
        );
    }
    bias.reshape([vec![out], vec![1; n]].concat())
}

// ---- Windows -----------------------------------------------------------

/// How windows lie along the last axes of a shape; each must fit at least once.
#[track_caller]
pub(super) fn slides(
    op: &str,
    shape: &[usize],
    kernel: &[usize],
    stride: &[usize],
    dilation: &[usize],
) -> Vec<Slide> {
    let lead = shape.len() - kernel.len();
    let mut slides = Vec::with_capacity(kernel.len());
    for (i, &size) in shape[lead..].iter().enumerate() {
        let slide = Slide {
            kernel: kernel[i],
            stride: stride[i],
            dilation: dilation[i],
        };
        let axis = lead + i;
        if slide.kernel == 0 {
            fail!(
                op,
                "a kernel of 0 elements along axis {axis} of shape {shape:?}"
            );
        }
        let reach = slide.dilation * (slide.kernel - 1) + 1;
        if reach > size {
            fail!(op, "a kernel of {} with dilation {} reaches over {reach} elements, and axis {axis} of the (padded) input {shape:?} has {size}",
                slide.kernel, slide.dilation; "more padding, or a smaller kernel");
        }
        slides.push(slide);
    }
    slides
}

#[cfg(test)]
mod tests;
