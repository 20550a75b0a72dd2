//! # tensor/unpool: where the largest elements of windows were, and back there
//!
//! **In:** a tensor and a kernel, as for [`Tensor::max_pool2d_with`]. **Out:** positions within the last axes, counted in row-major order, and
//! a tensor with elements at such positions. (conv.rs has the windows.)

use super::Tensor;
use super::conv::{Kernel, Pool, paddings, per_axis};
use crate::dtype::DType;
use crate::error::fail;
use crate::shape::args::Shape;
use crate::shape::view::numel;

impl Tensor {
    /// [`Tensor::max_pool2d_with`], and at which place of the last axes each largest element was, int64; of several that tie, the first.
    /// ```
    /// use teenygrad::{Tensor, tensor::conv::Pool};
    /// let x = Tensor::from([[1, 5, 5, 3], [2, 0, 7, 1]]);
    /// let (largest, places) = x.max_pool2d_indices(2, Pool::default());
    /// assert_eq!(largest.to_vec::<i32>(), [5, 7]);
    /// assert_eq!(places.to_vec::<i64>(), [1, 6]); // 6 = 1 · 4 + 2
    /// ```
    /// # Panics
    /// As `avg_pool2d_with`.
    #[track_caller]
    pub fn max_pool2d_indices(
        &self,
        kernel_size: impl Into<Kernel>,
        options: Pool,
    ) -> (Tensor, Tensor) {
        const OP: &str = "max_pool2d";
        let (kernel, shape) = (kernel_size.into(), self.shape());
        let lowest = f64::NEG_INFINITY;
        let (windows, axes, _) = self.pooled(OP, kernel.clone(), &options, lowest);
        let largest = windows.max_keepdim(&axes);
        // [1…, H…]: each element's place, and around them one that is none
        let lead = shape.len() - axes.len();
        let sizes = &shape[lead..];
        let nowhere = numel(sizes);
        let places = Tensor::positions(sizes)
            .to(self.device())
            .reshape([&vec![1; lead][..], sizes].concat());
        let (places, ..) = places.pooled(OP, kernel, &options, nowhere as f64);
        let among = windows.detach();
        let found = among.eq(largest.detach()) | among.isnan();
        (
            largest.squeeze(&axes),
            found.where_(places, nowhere as i64).min(&axes),
        )
    }

    /// The way back of [`Tensor::max_pool2d_indices`]: each element at its place, zeros elsewhere. The last axes get the sizes of `output`,
    /// or if not given the smallest ones that have such windows.
    /// ```
    /// use teenygrad::{Tensor, tensor::conv::Pool};
    /// let y = Tensor::from([[8, 9]]).max_unpool2d(&Tensor::from([[1, 6]]), 2, Pool::default(), None);
    /// assert_eq!((y.to_vec::<i32>(), y.shape()), (vec![0, 8, 0, 0, 0, 0, 9, 0], vec![2, 4]));
    /// ```
    /// # Panics
    /// If the shapes differ, or the kernel has more axes than this tensor.
    #[track_caller]
    pub fn max_unpool2d(
        &self,
        indices: &Tensor,
        kernel_size: impl Into<Kernel>,
        options: Pool,
        output: Option<Shape>,
    ) -> Tensor {
        const OP: &str = "max_unpool2d";
        let (shape, kernel) = (self.shape(), kernel_size.into().0);
        let n = kernel.0.len();
        if n == 0 || n > shape.len() || indices.shape() != shape {
            fail!(OP, "a kernel {:?}, elements of shape {shape:?} and indices of shape {:?}", kernel.0, indices.shape(); "an index for each element");
        }
        let lead = shape.len() - n;
        let sizes: Vec<usize> = match output {
            Some(output) => {
                let all = output.sizes(OP);
                all[all.len().saturating_sub(n)..].to_vec()
            }
            None => {
                let kernel = per_axis(OP, "kernel", &kernel, n, 1);
                let stride = match &options.stride {
                    Some(stride) => per_axis(OP, "stride", stride, n, 1),
                    None => kernel.clone(),
                };
                let dilation = per_axis(OP, "dilation", &options.dilation, n, 1);
                let around = paddings(OP, &options.padding, n);
                let size = |i: usize| {
                    let reach =
                        (shape[lead + i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1;
                    let padding = around[2 * (n - 1 - i)] + around[2 * (n - 1 - i) + 1];
                    reach - padding as usize
                };
                (0..n).map(size).collect()
            }
        };
        let rows: usize = shape[..lead].iter().product();
        let flat = |x: &Tensor| x.reshape([rows, numel(&shape[lead..])]);
        let empty = Tensor::full([rows, numel(&sizes)], 0)
            .cast(self.dtype())
            .to(self.device());
        empty
            .scatter(1, &flat(&indices.cast(DType::Int64)), &flat(self))
            .reshape([&shape[..lead], &sizes[..]].concat())
    }
}
