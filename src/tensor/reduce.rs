//! # tensor/reduce: many to one
//!
//! **In:** a tensor and axes. **Out:** sums, extremes, averages and what is made of them: softmax, running sums, positions of extremes.
//! **Below:** [`mlops::reduce`](crate::mlops::reduce).
//!
//! Axes are `()` for all of them, one number, or several; negative ones count from the end. Each reduction has a `_keepdim` form, in
//! which the reduced axes stay with size 1, so that the result broadcasts against what it was made of.
//!
//! Laws:
//! 1. No sum overflows for being computed in a narrow type: integers below 32 bits (and bools) are summed and *returned* in 32 bits;
//!    float16 and bfloat16 are summed in float32 and returned as they came.
//! 2. Over an empty axis a sum is 0 and a mean NaN (0/0). A largest element of nothing there is not: that panics.
//! 3. NaN is contagious: where one is among the elements, it is the sum, the mean and the extreme.
//!
//! ```
//! use teenygrad::Tensor;
//! let x = Tensor::from([[1.0, 2.0], [3.0, 6.0]]);
//! assert_eq!(x.sum(()).item::<f32>(), 12.0);
//! assert_eq!(x.max(0).to_vec::<f32>(), [3.0, 6.0]);
//! assert_eq!((&x - x.mean_keepdim(1)).to_vec::<f32>(), [-0.5, 0.5, -1.5, 1.5]);
//! ```

use super::Tensor;
use super::movement::{constant, positions};
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::lazy::LazyBuffer;
use crate::mlops::binary::Sub;
use crate::mlops::movement::Reshape;
use crate::mlops::reduce::{CumSum, Max, Sum};
use crate::mlops::unary::Neg;
use crate::ops::{BinaryOps, ReduceOps, TernaryOps};
use crate::shape::args::{Axes, resolve_axis};

/// Two methods for each reduction: without and with the reduced axes.
macro_rules! with_keepdim {
    ($($(#[$doc:meta])* $name:ident, $keepdim:ident, $over:ident;)*) => {
        impl Tensor {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, axes: impl Into<Axes>) -> Tensor {
                self.$over(&axes.into(), false)
            }
            #[doc = concat!("As [`Tensor::", stringify!($name), "`]; the reduced axes stay, with size 1.")]
            #[track_caller]
            pub fn $keepdim(&self, axes: impl Into<Axes>) -> Tensor {
                self.$over(&axes.into(), true)
            }
        )*}
    };
}
pub(super) use with_keepdim;

with_keepdim! {
    /// Σ x along axes; 0 over nothing. Small integers and bools are summed in 32 bits.
    /// ```
    /// # use teenygrad::{DType, Tensor};
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).requires_grad(true);
    /// assert_eq!(x.sum(1).to_vec::<f32>(), [3.0, 7.0]);
    /// assert_eq!(x.sum_keepdim(0).shape(), [1, 2]);
    /// x.sum(()).backward(); // each element counts once
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [1.0; 4]);
    /// let pixels = Tensor::from([200u8; 3]).sum(());
    /// assert_eq!((pixels.item::<u32>(), pixels.dtype()), (600, DType::Uint32));
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice.
    sum, sum_keepdim, sum_over;

    /// The largest element along axes; NaN if one is among them.
    ///
    /// Elements that tie share the gradient.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1.0, 3.0, 3.0]).requires_grad(true);
    /// x.max(()).backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0, 0.5, 0.5]);
    /// assert_eq!(Tensor::from([[1, 5], [4, 2]]).max(1).to_vec::<i32>(), [5, 4]);
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice, or is empty: of nothing, nothing is the largest.
    max, max_keepdim, max_over;

    /// The smallest element along axes; NaN if one is among them. Elements that tie share the gradient.
    ///
    /// A minimum is a maximum in the opposite order: min x = −max −x. For integers, whose −x may not exist (0 − 1 in uint8, −(−128) in int8),
    /// the order is turned by x ↦ −1 − x, all bits flipped, which every integer has.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 5.0], [4.0, 2.0]]).min(1).to_vec::<f32>(), [1.0, 2.0]);
    /// assert_eq!(Tensor::from([-128i8, 127]).min(()).item::<i8>(), -128);
    /// assert_eq!(Tensor::from([7u8, 0]).min(()).item::<u8>(), 0);
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice, or is empty.
    min, min_keepdim, min_over;

    /// The average along axes, Σ x / n; NaN over nothing. Integers give float32.
    ///
    /// float16 and bfloat16 are summed and divided in float32: the sum of large ones would be infinite, their mean isn't.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[1, 2], [3, 6]]).mean(1).to_vec::<f32>(), [1.5, 4.5]);
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice.
    mean, mean_keepdim, mean_over;

    /// The sample variance along axes, Σ (x − mean)² / (n − 1); NaN for a single element. [`Tensor::var_with`] takes another correction
    /// than 1. Integers give float32.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, 3.0, 5.0]).var(()).item::<f32>(), 4.0); // (4 + 0 + 4) / 2
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice.
    var, var_keepdim, var_over;

    /// The sample standard deviation along axes, √[`var`](Tensor::var); NaN for a single element. [`Tensor::std_with`] takes another
    /// correction than 1. Integers give float32.
    ///
    /// Where all elements are equal the root has no slope, and the gradient is 0 by choice (as in PyTorch).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, 3.0, 5.0]).std(()).item::<f32>(), 2.0);
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice.
    std, std_keepdim, std_over;

    /// ln Σ eˣ along axes, without overflow: m + ln Σ eˣ⁻ᵐ with the largest element m. Integers give float32.
    ///
    /// Its gradient is the softmax. Over infinities it has its limits: −∞ if all elements are −∞ (with no gradient for them), ∞ if one is ∞.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1000.0, 1000.0]);
    /// assert!((x.logsumexp(()).item::<f32>() - (1000.0 + 2f32.ln())).abs() < 1e-3);
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice, or is empty.
    logsumexp, logsumexp_keepdim, logsumexp_over;

    /// The position of the largest element, as int64: along one axis, or of all elements in row-major order for `()`. Of several that
    /// tie, the first; NaN counts as the largest, as it does in `max`.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1.0, 7.0, 7.0], [9.0, 2.0, 3.0]]);
    /// assert_eq!(x.argmax(1).to_vec::<i64>(), [1, 0]);
    /// assert_eq!(x.argmax(()).item::<i64>(), 3);
    /// ```
    /// # Panics
    /// If the axis isn't there or is empty, or there are several.
    argmax, argmax_keepdim, argmax_over;

    /// The position of the smallest element; otherwise as [`Tensor::argmax`].
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[1, 7], [9, 2]]).argmin(1).to_vec::<i64>(), [0, 1]);
    /// ```
    /// # Panics
    /// If the axis isn't there or is empty, or there are several.
    argmin, argmin_keepdim, argmin_over;
}

impl Tensor {
    /// The variance with a choice of what to subtract from n: Σ (x − mean)² / max(0, n − correction).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, 3.0]).var_with((), false, 0).item::<f32>(), 1.0); // (1 + 1) / 2
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice.
    #[track_caller]
    pub fn var_with(&self, axes: impl Into<Axes>, keepdim: bool, correction: usize) -> Tensor {
        self.variance("var", &axes.into(), keepdim, correction)
            .cast(self.float_dtype())
    }

    /// The standard deviation with a choice of what to subtract from n: √(Σ (x − mean)² / max(0, n − correction)).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, 3.0]).std_with((), false, 0).item::<f32>(), 1.0);
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice.
    #[track_caller]
    pub fn std_with(&self, axes: impl Into<Axes>, keepdim: bool, correction: usize) -> Tensor {
        let variance = self.variance("std", &axes.into(), keepdim, correction);
        // √0 has an infinite slope, and what comes before it a zero one: NaN. So zeros go around the root.
        let flat = variance.eq(0.0);
        let root = flat.where_(1.0, &variance).sqrt();
        flat.where_(0.0, &root).cast(self.float_dtype())
    }

    // ---- Softmax -----------------------------------------------------

    /// yᵢ = eˣⁱ / Σⱼ eˣʲ along an axis: positive numbers that sum to 1. Integers give float32.
    ///
    /// Shifting all x of a row changes nothing, so that the largest is shifted to 0 first: no power overflows.
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([1000.0, 1000.0, -1000.0]).softmax(-1);
    /// assert_eq!(y.to_vec::<f32>(), [0.5, 0.5, 0.0]);
    /// ```
    /// A row of −∞ alone has no softmax: 0/0, NaN. (Attention, where such a row means "look at nothing", gives zeros; see
    /// [`Tensor::scaled_dot_product_attention`].)
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Tensor {
        let Some((shifted, axis)) = self.shifted("softmax", axis) else {
            return self.cast(self.float_dtype());
        };
        let powers = shifted.exp();
        powers
            .div(powers.sum_keepdim(axis))
            .cast(self.float_dtype())
    }

    /// ln softmax x along an axis, computed as x − ln Σ eˣ: exact where softmax itself would round to 0. Integers give float32.
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([0.0, -1000.0]).log_softmax(-1);
    /// assert_eq!(y.to_vec::<f32>(), [0.0, -1000.0]);
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Tensor {
        let Some((shifted, axis)) = self.shifted("log_softmax", axis) else {
            return self.cast(self.float_dtype());
        };
        shifted
            .sub(shifted.exp().sum_keepdim(axis).log())
            .cast(self.float_dtype())
    }

    /// x − max x along an axis, in a wide float, and the axis; `None` for nothing at all.
    #[track_caller]
    fn shifted(&self, op: &str, axis: isize) -> Option<(Tensor, usize)> {
        let axis = resolve_axis(op, axis, &self.shape());
        let x = self.wide_float();
        // The shift has no influence, hence no gradient.
        (x.numel() > 0).then(|| (x.sub(x.detach().max_keepdim(axis)), axis))
    }

    // ---- Running sums ------------------------------------------------

    /// The running sum along an axis: yᵢ = x₀ + … + xᵢ. Small integers and bools are summed in 32 bits.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.cumsum(1).to_vec::<i32>(), [1, 3, 6, 4, 9, 15]);
    /// assert_eq!(x.cumsum(0).to_vec::<i32>(), [1, 2, 3, 5, 7, 9]);
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Tensor {
        let axis = resolve_axis("cumsum", axis, &self.shape());
        let wide = self.cast(self.dtype().sum_dtype());
        Tensor::apply(CumSum::new(axis), &[&wide]).narrowed_as(self)
    }

    // ---- How it is done ----------------------------------------------

    /// What was computed in `from`'s [`DType::sum_dtype`]: halves become halves again, integers stay wide.
    pub(super) fn narrowed_as(self, from: &Tensor) -> Tensor {
        match from.is_floating_point() {
            true => self.cast(from.dtype()),
            false => self,
        }
    }

    #[track_caller]
    fn sum_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        let axes = axes.resolve("sum", &self.shape());
        // Halves stay halves: engines accumulate their sums in float32.
        let x = if self.is_floating_point() {
            self.clone()
        } else {
            self.cast(self.dtype().sum_dtype())
        };
        Tensor::apply(Sum::new(axes.clone()), &[&x]).without(&axes, keepdim)
    }

    #[track_caller]
    fn max_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        let axes = self.not_empty("max", axes.resolve("max", &self.shape()));
        Tensor::apply(Max::new(axes.clone()), &[self]).without(&axes, keepdim)
    }

    #[track_caller]
    fn min_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        let axes = self.not_empty("min", axes.resolve("min", &self.shape()));
        Tensor::apply(Max::new(axes.clone()), &[&self.order_turned()])
            .order_turned()
            .without(&axes, keepdim)
    }

    #[track_caller]
    fn mean_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        let axes = axes.resolve("mean", &self.shape());
        self.mean_of(&axes, keepdim).cast(self.float_dtype())
    }

    #[track_caller]
    fn var_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        self.var_with(axes.clone(), keepdim, 1)
    }

    #[track_caller]
    fn std_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        self.std_with(axes.clone(), keepdim, 1)
    }

    #[track_caller]
    fn logsumexp_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        let axes = self.not_empty("logsumexp", axes.resolve("logsumexp", &self.shape()));
        let x = self.wide_float();
        let largest = x.detach().max_keepdim(&axes);
        // ∞ − ∞ is NaN: where the largest is infinite, nothing is shifted.
        let shift = largest
            .ne(f64::INFINITY)
            .mul(largest.ne(f64::NEG_INFINITY))
            .where_(&largest, 0.0);
        let sum = x.sub(&shift).exp().sum_keepdim(&axes);
        // ln 0 is −∞ with an infinite slope, of which 0 · ∞ would make NaN: so zeros go around the logarithm.
        let none = sum.eq(0.0);
        let log = none.where_(f64::NEG_INFINITY, none.where_(1.0, &sum).log());
        log.add(&shift)
            .without(&axes, keepdim)
            .cast(self.float_dtype())
    }

    #[track_caller]
    fn argmax_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        self.first_largest("argmax", axes, keepdim, Tensor::clone)
    }

    #[track_caller]
    fn argmin_over(&self, axes: &Axes, keepdim: bool) -> Tensor {
        self.first_largest("argmin", axes, keepdim, Tensor::order_turned)
    }

    /// The first position of the largest element of `order(self)`.
    ///
    /// With n places, the largest element at place i scores n − i, all others 0: the best score is that of the first one.
    #[track_caller]
    fn first_largest(
        &self,
        op: &str,
        axes: &Axes,
        keepdim: bool,
        order: impl Fn(&Tensor) -> Tensor,
    ) -> Tensor {
        let shape = self.shape();
        let (flat, axis) = match axes.0.as_deref() {
            None => {
                self.not_empty(op, (0..shape.len()).collect());
                (self.reshape(self.numel()), 0)
            }
            Some(&[axis]) => (self.clone(), resolve_axis(op, axis, &shape)),
            Some(axes) => {
                fail!(op, "axes {axes:?} of shape {shape:?}: a position is along one axis, or in all of the tensor"; "reshape to make one axis of several")
            }
        };
        flat.not_empty(op, vec![axis]);
        let x = order(&flat).lazydata();
        let largest = x.r(ReduceOps::Max, &[axis]).expand(x.shape());
        let place = positions(x.shape(), axis, x.device());
        let count = place.const_like(x.shape()[axis]);
        let score = count.e(BinaryOps::Sub, &[&place]);
        let loses = x.e(BinaryOps::Cmpne, &[&largest]);
        // NaN is unequal to itself, and yet it is the largest.
        let number = x
            .e(BinaryOps::Cmpne, &[&x])
            .e(TernaryOps::Where, &[&loses.const_like(false), &loses]);
        let best = number
            .e(TernaryOps::Where, &[&score.const_like(0), &score])
            .r(ReduceOps::Max, &[axis]);
        let first =
            constant(LazyBuffer::const_like(&best, x.shape()[axis]).e(BinaryOps::Sub, &[&best]));
        match axes.0 {
            None if keepdim => first.reshape(vec![1; shape.len()]),
            None | Some(_) => first.without(&[axis], keepdim),
        }
    }

    /// Σ (x − mean)² / max(0, n − correction), in a wide float.
    #[track_caller]
    fn variance(&self, op: &str, axes: &Axes, keepdim: bool, correction: usize) -> Tensor {
        let shape = self.shape();
        let axes = axes.resolve(op, &shape);
        let count: usize = axes.iter().map(|&axis| shape[axis]).product();
        let x = self.wide_float();
        // The mean's gradient is Σ −2(x − mean) = 0, and nobody needs to compute that.
        let distance = x.sub(x.mean_of(&axes, true).detach());
        let squares = distance.mul(&distance).sum_keepdim(&axes);
        squares
            .div(count.saturating_sub(correction) as f64)
            .without(&axes, keepdim)
    }

    /// Σ x / n in a wide float.
    fn mean_of(&self, axes: &[usize], keepdim: bool) -> Tensor {
        let shape = self.shape();
        let count: usize = axes.iter().map(|&axis| shape[axis]).product();
        self.wide_float()
            .sum_keepdim(axes)
            .div(count as f64)
            .without(axes, keepdim)
    }

    /// float64 if it is that, else float32: the type in which averages and the like are computed.
    pub(crate) fn wide_float(&self) -> Tensor {
        if self.dtype() == DType::Float64 {
            self.clone()
        } else {
            self.cast(DType::Float32)
        }
    }

    /// Its own dtype if that is a float, else float32: the type in which averages and the like are returned.
    pub(crate) fn float_dtype(&self) -> DType {
        if self.is_floating_point() {
            self.dtype()
        } else {
            DType::Float32
        }
    }

    /// The same elements with the opposite order among them: −x, or all bits flipped. Twice is not at all.
    pub(super) fn order_turned(&self) -> Tensor {
        if self.is_floating_point() {
            return Tensor::apply(Neg, &[self]);
        }
        // −1 is all bits in every integer type, signed or not, and true for bool, where a − b is "one of the two".
        let ones = constant(self.lazydata().const_like(Scalar::Int(-1)));
        Tensor::apply(Sub, &[&ones, self])
    }

    /// Without axes that have been reduced to size 1, unless they are to be kept.
    pub(super) fn without(&self, axes: &[usize], keepdim: bool) -> Tensor {
        if keepdim || axes.is_empty() {
            return self.clone();
        }
        let shape = self.shape();
        let kept = (0..shape.len())
            .filter(|axis| !axes.contains(axis))
            .map(|axis| shape[axis])
            .collect();
        Tensor::apply(Reshape::new(kept), &[self])
    }

    /// The axes, none of which may be empty.
    #[track_caller]
    fn not_empty(&self, op: &str, axes: Vec<usize>) -> Vec<usize> {
        let shape = self.shape();
        if let Some(&empty) = axes.iter().find(|&&axis| shape[axis] == 0) {
            fail!(op, "axis {empty} of shape {shape:?} is empty, and of nothing, nothing is the largest or smallest"; "a sum or a mean of nothing is defined");
        }
        axes
    }
}

#[cfg(test)]
mod tests;
