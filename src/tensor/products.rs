//! # tensor/products: products, running products and extremes, truths of many
//!
//! **In:** a tensor and axes. **Out:** what tinygrad and PyTorch call `prod`, `any`, `all`, `cumprod`, `cummax`, `cummin`, `logcumsumexp`. The first
//! three have `_keepdim` forms like all of [`reduce`](super::reduce)'s.
//!
//! There is no primitive for a product of many: halves are multiplied until one element is left, log₂ n times. The gradient, which would be
//! a quotient by each factor, then needs no division and is right for factors of 0.

use super::Tensor;
use super::movement::{constant, positions};
use super::reduce::with_keepdim;
use crate::dtype::DType;
use crate::error::fail;
use crate::shape::args::{Axes, resolve_axis};

/// What fills up an odd number of elements, by the operation: it changes nothing.
type Combine = fn(&Tensor, &Tensor) -> Tensor;

with_keepdim! {
    /// The product along axes. Integers below 32 bits are multiplied, and returned, in 32 bits.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2, 3], [4, 5, 0]]);
    /// assert_eq!(x.prod(1).to_vec::<i32>(), [6, 0]);
    /// ```
    /// Of nothing it is 1.
    /// # Panics
    /// If an axis isn't there or is named twice.
    prod, prod_keepdim, prod_over;

    /// Whether any element along axes is true (not zero), as bool; of nothing, false.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[0, 1], [0, 0]]).any(1).to_vec::<bool>(), [true, false]);
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice.
    any, any_keepdim, any_over;

    /// Whether all elements along axes are true (not zero), as bool; of nothing, true.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[1, 1], [0, 2]]).all(1).to_vec::<bool>(), [true, false]);
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice.
    all, all_keepdim, all_over;
}

impl Tensor {
    #[track_caller]
    fn prod_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        let shape = self.shape();
        let axes = axes.resolve("prod", &shape);
        let wide = self.cast(self.dtype().sum_dtype());
        let kept: Vec<usize> = (0..shape.len())
            .filter(|axis| !axes.contains(axis))
            .collect();
        let order: Vec<usize> = kept.iter().chain(&axes).copied().collect();
        let rows: usize = kept.iter().map(|&axis| shape[axis]).product();
        let mut n: usize = axes.iter().map(|&axis| shape[axis]).product();
        let mut x = wide.permute(order).reshape([rows, n]);
        if n == 0 {
            x = x.pad(&[(0, 0), (0, 1)], 1);
            n = 1;
        }
        while n > 1 {
            let half = n.div_ceil(2);
            let x_even = if n % 2 == 1 {
                x.pad(&[(0, 0), (0, 1)], 1)
            } else {
                x
            };
            x = x_even
                .narrow(1, 0, half)
                .mul(x_even.narrow(1, half, 2 * half));
            n = half;
        }
        let mut result = shape;
        axes.iter().for_each(|&axis| result[axis] = 1);
        x.reshape(result).without(&axes, keepdim).narrowed_as(self)
    }

    #[track_caller]
    fn any_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        let axes = axes.resolve("any", &self.shape());
        let truths = self.detach().cast(DType::Bool);
        truths
            .sum_keepdim(&axes)
            .cast(DType::Bool)
            .without(&axes, keepdim)
    }

    #[track_caller]
    fn all_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        let axes = axes.resolve("all", &self.shape());
        !self
            .logical_not()
            .any_keepdim(&axes)
            .without(&axes, keepdim)
    }

    /// Running products along an axis.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3, 4]).cumprod(0).to_vec::<i32>(), [1, 2, 6, 24]);
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumprod(&self, axis: isize) -> Tensor {
        let axis = resolve_axis("cumprod", axis, &self.shape());
        let wide = self.cast(self.dtype().sum_dtype());
        wide.running(axis, |a, b| a.mul(b)).narrowed_as(self)
    }

    /// The largest so far, along an axis.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 3, 2, 4]).cummax(0).to_vec::<i32>(), [1, 3, 3, 4]);
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cummax(&self, axis: isize) -> Tensor {
        let axis = resolve_axis("cummax", axis, &self.shape());
        self.running(axis, |a, b| a.maximum(b))
    }

    /// The smallest so far, along an axis.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([3, 1, 2, 0]).cummin(0).to_vec::<i32>(), [3, 1, 1, 0]);
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cummin(&self, axis: isize) -> Tensor {
        let axis = resolve_axis("cummin", axis, &self.shape());
        self.running(axis, |a, b| a.minimum(b))
    }

    /// Of a running extreme (`cummax` or `cummin` of this tensor): at which position each was found, int64; of several that tie, the first.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1, 3, 2, 3]);
    /// assert_eq!(x.cum_positions(&x.cummax(0), 0).to_vec::<i64>(), [0, 1, 1, 1]);
    /// ```
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    #[track_caller]
    pub fn cum_positions(&self, extremes: &Tensor, axis: isize) -> Tensor {
        let shape = self.shape();
        let axis = resolve_axis("cum_positions", axis, &shape);
        if extremes.shape() != shape {
            fail!(
                "cum_positions",
                "extremes {:?} are not of this tensor, {shape:?}",
                extremes.shape()
            );
        }
        let place = constant(positions(&shape, axis, self.device()));
        // A new extreme is one that the place before didn't have; NaN, which differs from itself, is new only after a number.
        let (now, size) = (extremes.detach(), shape[axis]);
        if size < 2 {
            return place;
        }
        let (before, after) = (now.narrow(axis, 0, size - 1), now.narrow(axis, 1, size));
        let changed = before.ne(&after) & !(before.isnan() & after.isnan());
        let mut first = vec![(0, 0); shape.len()];
        first[axis] = (1, 0);
        changed
            .pad(&first, true)
            .where_(place, 0)
            .cummax(axis as isize)
    }

    /// ln of the running sum of eˣ along an axis, without overflow. Integers give float32.
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([1000.0, 1000.0]).logcumsumexp(0).to_vec::<f32>();
    /// assert!((y[1] - 1000.6931).abs() < 1e-3); // 1000 + ln 2
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn logcumsumexp(&self, axis: isize) -> Tensor {
        let axis = resolve_axis("logcumsumexp", axis, &self.shape());
        let running = self.wide_float().running(axis, |a, b| a.logaddexp(b));
        running.cast(self.float_dtype())
    }

    /// Running results along an axis, by doubling (Hillis & Steele, *Data parallel algorithms*, 1986): after the k-th round each
    /// element has combined the 2ᵏ elements that end with itself.
    fn running(&self, axis: usize, combine: Combine) -> Tensor {
        let size = self.shape()[axis];
        let mut x = self.clone();
        let mut reach = 1;
        while reach < size {
            let begun = x.narrow(axis, 0, reach);
            let rest = combine(
                &x.narrow(axis, reach, size),
                &x.narrow(axis, 0, size - reach),
            );
            x = Tensor::cat(&[&begun, &rest], axis as isize);
            reach *= 2;
        }
        x
    }

    // ---- Truths ------------------------------------------------------

    /// How many elements along axes are not zero, int32.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([0.0, 2.0, 3.0]).count_nonzero(()).item::<i32>(), 2);
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice.
    #[track_caller]
    pub fn count_nonzero(&self, axes: impl Into<Axes>) -> Tensor {
        self.detach().cast(DType::Bool).sum(axes)
    }
}
