//! # tensor/pool: one number for each window
//!
//! **In:** a tensor, and how large windows over its last axes are. **Out:** the average or the maximum of each. **Beside:** `conv`, whose windows
//! lie likewise. **Below:** sum, max and the [`Window`] view.
//!
//! A pool is a reduction over the inner axes of the windows' view, which shows an element once for each window that it is in: nothing is
//! copied. What is around the elements is padded in: zeros for an average, minus infinity for a maximum.
//!
//! ```
//! use teenygrad::Tensor;
//! let x = Tensor::from([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]);
//! assert_eq!(x.max_pool2d(2).to_vec::<f32>(), [6.0, 8.0]);
//! assert_eq!(x.avg_pool2d(2).to_vec::<f32>(), [3.5, 5.5]);
//! ```

use super::Tensor;
use super::conv::{paddings, per_axis, slides};
use crate::error::fail;
use crate::mlops::movement::Window;
use crate::shape::args::{Int, Shape};

// ---- Options ---------------------------------------------------------

/// The options of a pool: `Pool::default().stride(1)`. One number is for all axes of the kernel, several are one an axis.
#[derive(Clone, Debug)]
pub struct Pool {
    pub(super) stride: Option<Shape>,
    pub(super) dilation: Shape,
    pub(super) padding: Shape,
    ceil_mode: bool,
    count_include_pad: bool,
}

impl Default for Pool {
    /// The kernel's sizes as strides, dilation 1, no padding.
    fn default() -> Pool {
        Pool {
            stride: None,
            dilation: 1.into(),
            padding: 0.into(),
            ceil_mode: false,
            count_include_pad: true,
        }
    }
}

impl Pool {
    /// How far apart windows are.
    #[must_use]
    pub fn stride(self, stride: impl Into<Shape>) -> Pool {
        Pool {
            stride: Some(stride.into()),
            ..self
        }
    }
    /// How far apart the elements of a window are.
    #[must_use]
    pub fn dilation(self, dilation: impl Into<Shape>) -> Pool {
        Pool {
            dilation: dilation.into(),
            ..self
        }
    }
    /// How much is put around, in the forms of [`Conv::padding`](super::conv::Conv::padding): zeros for an average, for a maximum what is never the largest.
    #[must_use]
    pub fn padding(self, padding: impl Into<Shape>) -> Pool {
        Pool {
            padding: padding.into(),
            ..self
        }
    }
    /// Whether a last window that reaches over the end counts, if it begins before.
    #[must_use]
    pub fn ceil_mode(self, ceil_mode: bool) -> Pool {
        Pool { ceil_mode, ..self }
    }
    /// Whether an average divides by the elements of the padding too.
    #[must_use]
    pub fn count_include_pad(self, count_include_pad: bool) -> Pool {
        Pool {
            count_include_pad,
            ..self
        }
    }
}

/// The size of a pool's windows: one number for a square over the last two axes, or a list with one for each of as many last axes.
#[derive(Clone, Debug)]
pub struct Kernel(pub(super) Shape);

macro_rules! kernels {
    ($([$($generics:tt)*] $from:ty, $name:ident => $sizes:expr;)*) => {$(
        impl<$($generics)*> From<$from> for Kernel {
            fn from($name: $from) -> Kernel { Kernel(Shape::from($sizes)) }
        }
    )*};
}
kernels! {
    [] i32, size => [size; 2];
    [] i64, size => [size; 2];
    [] isize, size => [size; 2];
    [] usize, size => [size; 2];
    [] u32, size => [size; 2];
    [T: Int, const N: usize] [T; N], sizes => sizes;
    [T: Int] &[T], sizes => sizes;
    [T: Int] Vec<T>, sizes => sizes;
    [T: Int] &Vec<T>, sizes => sizes;
    [] Shape, sizes => sizes;
}

// ---- Pools -----------------------------------------------------------

impl Tensor {
    /// The windows of a pool over this tensor with `fill` around it, and their inner axes, which are to be reduced. Where padding
    /// makes a difference to an average, also the windows of a counter: 1 for what counts.
    #[track_caller]
    pub(super) fn pooled(
        &self,
        op: &str,
        kernel: Kernel,
        options: &Pool,
        fill: f64,
    ) -> (Tensor, Vec<usize>, Option<Tensor>) {
        let (shape, n, kernel) = (self.shape(), kernel.0.0.len(), kernel.0);
        if n == 0 || n > shape.len() {
            fail!(
                op,
                "a kernel {:?} of {n} axes, and shape {shape:?} has {}",
                kernel.0,
                shape.len()
            );
        }
        let kernel = per_axis(op, "kernel", &kernel, n, 1);
        // A match and not a closure, so that a mistake points at the caller's line.
        let stride = match &options.stride {
            Some(stride) => per_axis(op, "stride", stride, n, 1),
            None => kernel.clone(),
        };
        let dilation = per_axis(op, "dilation", &options.dilation, n, 1);
        let around = paddings(op, &options.padding, n);
        let mut beyond = vec![0; 2 * n];
        if options.ceil_mode {
            for i in 0..n {
                let [before, after] = [around[2 * (n - 1 - i)], around[2 * (n - 1 - i) + 1]];
                let size = shape[shape.len() - n + i] as isize + before + after;
                let (reach, step) = (
                    (dilation[i] * (kernel[i] - 1) + 1) as isize,
                    stride[i] as isize,
                );
                let mut last = (size - reach + step - 1).div_euclid(step) * step;
                // It has to begin on an element, or on the padding before them.
                if last >= size - after {
                    last -= step;
                }
                beyond[2 * (n - 1 - i) + 1] = (last + reach - size).max(0);
            }
        }
        let axes = (shape.len()..shape.len() + n).collect();
        let plain = around.iter().chain(&beyond).all(|&width| width == 0);
        let pad = |x: &Tensor, near: f64, far: f64| {
            x.pad_last(op, &around, near).pad_last(op, &beyond, far)
        };
        let x = if plain {
            self.clone()
        } else {
            pad(self, fill, fill)
        };
        let slides = slides(op, &x.shape(), &kernel, &stride, &dilation);
        let counter = (!plain).then(|| {
            let counted = if options.count_include_pad { 1.0 } else { 0.0 };
            let ones = Tensor::ones(&shape).to(self.device()).detach();
            Tensor::apply(Window::new(slides.clone()), &[&pad(&ones, counted, 0.0)])
        });
        (Tensor::apply(Window::new(slides), &[&x]), axes, counter)
    }

    /// The averages of windows that lie side by side: see [`Tensor::avg_pool2d_with`].
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]);
    /// assert_eq!(x.avg_pool2d(2).to_vec::<f32>(), [3.5, 5.5]);
    /// ```
    /// # Panics
    /// As `avg_pool2d_with`.
    #[track_caller]
    pub fn avg_pool2d(&self, kernel_size: impl Into<Kernel>) -> Tensor {
        self.avg_pool2d_with(kernel_size, Pool::default())
    }

    /// The average of each window over the last axes: [lead…, H…] → [lead…, O…], O = (H − dilation·(K − 1) − 1) / stride + 1.
    ///
    /// One number is a kernel of that size over the last two axes; several are one for each of as many last axes.
    /// ```
    /// use teenygrad::{Tensor, tensor::pool::Pool};
    /// let x = Tensor::from([[1.0, 2.0, 3.0, 6.0]]);
    /// assert_eq!(x.avg_pool2d_with([1, 2], Pool::default().stride(1)).to_vec::<f32>(), [1.5, 2.5, 4.5]);
    /// ```
    /// # Panics
    /// If the kernel has more axes than this tensor or is larger than it, or an option has the wrong number of numbers.
    #[track_caller]
    pub fn avg_pool2d_with(&self, kernel_size: impl Into<Kernel>, options: Pool) -> Tensor {
        let (windows, axes, counter) = self.pooled("avg_pool2d", kernel_size.into(), &options, 0.0);
        match counter {
            None => windows.mean(axes),
            Some(counter) => windows
                .sum(axes.clone())
                .div(counter.sum(axes))
                .cast(self.float_dtype()),
        }
    }

    /// The largest elements of windows that lie side by side: see [`Tensor::max_pool2d_with`].
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2, 3, 4], [8, 7, 6, 5]]);
    /// assert_eq!(x.max_pool2d(2).to_vec::<i32>(), [8, 6]);
    /// ```
    /// # Panics
    /// As `max_pool2d_with`.
    #[track_caller]
    pub fn max_pool2d(&self, kernel_size: impl Into<Kernel>) -> Tensor {
        self.max_pool2d_with(kernel_size, Pool::default())
    }

    /// The largest element of each window over the last axes; shapes as in [`Tensor::avg_pool2d_with`]. Elements that tie within a
    /// window share its gradient.
    /// ```
    /// use teenygrad::{Tensor, tensor::pool::Pool};
    /// let x = Tensor::from([[1, 5, 2, 3]]);
    /// assert_eq!(x.max_pool2d_with([1, 2], Pool::default().stride(1)).to_vec::<i32>(), [5, 5, 3]);
    /// assert_eq!(x.max_pool2d_with([1, 2], Pool::default().stride(1).dilation(2)).to_vec::<i32>(), [2, 5]);
    /// assert_eq!(x.max_pool2d_with([1, 3], Pool::default().stride(2).padding([0, 1])).to_vec::<i32>(), [5, 5]);
    /// assert_eq!(x.max_pool2d_with([1, 3], Pool::default().ceil_mode(true)).to_vec::<i32>(), [5, 3]);
    /// ```
    /// # Panics
    /// As `avg_pool2d_with`.
    #[track_caller]
    pub fn max_pool2d_with(&self, kernel_size: impl Into<Kernel>, options: Pool) -> Tensor {
        let lowest = f64::NEG_INFINITY;
        let (windows, axes, _) = self.pooled("max_pool2d", kernel_size.into(), &options, lowest);
        windows.max(axes)
    }
}
