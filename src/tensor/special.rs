//! # tensor/special: more functions of one and two tensors
//!
//! **In:** tensors and numbers. **Out:** what tinygrad and PyTorch have beside the original's list in [`math`](super::math).
//!
//! Laws: those of `math`. Where a formula loses digits, a better value is put in its place while the gradient stays the formula's:
//! y + (better − y), of which only the first y is connected.

use super::Tensor;
use super::operand::{Operand, unify};
use crate::dtype::DType;
use std::f64::consts::{FRAC_PI_2, LN_10, PI};

impl Tensor {
    /// `value` here, the gradient of this tensor. Where this one is infinite or NaN, there is no difference to add.
    fn corrected(&self, value: &Tensor) -> Tensor {
        let own = self.detach();
        let difference = value.detach().sub(&own);
        self.add(difference.isfinite().where_(&difference, 0))
    }

    // ---- Questions ---------------------------------------------------

    /// Whether it is not a number, as bool.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, f32::NAN]).isnan().to_vec::<bool>(), [false, true]);
    /// ```
    pub fn isnan(&self) -> Tensor {
        self.detach().ne(self.detach())
    }

    /// Whether it is ∞ or −∞, as bool.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, f32::NEG_INFINITY]).isinf().to_vec::<bool>(), [false, true]);
    /// ```
    pub fn isinf(&self) -> Tensor {
        self.isinf_with(true, true)
    }

    /// Whether it is ∞ (if that is asked for) or −∞ (if that is), as bool.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([f32::INFINITY, f32::NEG_INFINITY]);
    /// assert_eq!(x.isinf_with(true, false).to_vec::<bool>(), [true, false]);
    /// ```
    pub fn isinf_with(&self, positive: bool, negative: bool) -> Tensor {
        let x = self.detach();
        (x.eq(f64::INFINITY) & positive) | (x.eq(f64::NEG_INFINITY) & negative)
    }

    /// Whether it is neither infinite nor NaN, as bool.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, f32::NAN, f32::INFINITY]).isfinite().to_vec::<bool>(), [true, false, false]);
    /// ```
    pub fn isfinite(&self) -> Tensor {
        !(self.isnan() | self.isinf())
    }

    /// Whether it is false (zero), as bool.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([0, 2]).logical_not().to_vec::<bool>(), [true, false]);
    /// ```
    pub fn logical_not(&self) -> Tensor {
        !self.detach().cast(DType::Bool)
    }

    /// Whether both are nearly equal, as bool: |a − b| ≤ atol + rtol · |b|. Infinities are near themselves; NaN is near nothing
    /// (or, with `equal_nan`, near NaN).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).isclose(&Tensor::from([1.000001, 2.1]), 1e-5, 1e-8, false).to_vec::<bool>(), [true, false]);
    /// ```
    /// # Panics
    /// If the shapes don't broadcast.
    #[track_caller]
    pub fn isclose(&self, x: &Tensor, rtol: f64, atol: f64, equal_nan: bool) -> Tensor {
        let [a, b] = unify(
            "isclose",
            [self.detach().into(), x.detach().into()],
            |dtype| dtype,
        );
        let near = a.sub(&b).abs().le(b.abs().mul(rtol).add(atol));
        let near = (a.isfinite() & b.isfinite() & near) | a.eq(&b);
        if equal_nan {
            near | (a.isnan() & b.isnan())
        } else {
            near
        }
    }

    // ---- Logarithms and exponentials ---------------------------------

    /// The logarithm to base 10.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert!((Tensor::from(1000.0).log10().item::<f32>() - 3.0).abs() < 1e-6);
    /// ```
    pub fn log10(&self) -> Tensor {
        self.log().div(LN_10)
    }

    /// ln(1 + x), without the loss of a small x's digits: with u = 1 + x rounded, ln(u) · x / (u − 1). (Kahan)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from(1e-10f32).log1p().item::<f32>(), 1e-10);
    /// ```
    pub fn log1p(&self) -> Tensor {
        let x = self.to_float();
        let plain = x.add(1).log();
        let value = Tensor::no_grad(|| {
            let u = x.add(1);
            let same = u.eq(1);
            let step = same.where_(1, u.sub(1));
            same.where_(&x, u.log().mul(&x).div(step))
        });
        plain.corrected(&value)
    }

    /// eˣ − 1, without the loss of a small x's digits: with u = eˣ rounded, (u − 1) · x / ln(u). (Kahan)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from(1e-10f32).expm1().item::<f32>(), 1e-10);
    /// ```
    pub fn expm1(&self) -> Tensor {
        let x = self.to_float();
        let plain = x.exp().sub(1);
        let value = Tensor::no_grad(|| {
            let u = x.exp();
            let same = u.eq(1);
            let small = x.abs().lt(1);
            let log = (!same.clone() & small.clone()).where_(&u, 2).log();
            let careful = same.where_(&x, u.sub(1).mul(&x).div(log));
            small.where_(careful, &plain)
        });
        plain.corrected(&value)
    }

    /// ln(eᵃ + eᵇ), without overflow: max + ln(1 + e^(−|a − b|)).
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1000.0]).logaddexp(&Tensor::from([1000.0]));
    /// assert!((x.item::<f32>() - 1000.6931).abs() < 1e-3);
    /// ```
    /// # Panics
    /// If the shapes don't broadcast.
    #[track_caller]
    pub fn logaddexp(&self, x: impl Into<Operand>) -> Tensor {
        let [a, b] = unify("logaddexp", [self.to_float().into(), x.into()], |dtype| {
            dtype
        });
        let largest = a.detach().maximum(b.detach());
        let shift = largest.isfinite().where_(&largest, 0);
        a.sub(&shift)
            .exp()
            .add(b.sub(&shift).exp())
            .log()
            .add(&shift)
    }

    /// ln(sigmoid(x)) = −softplus(−x).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from(-1000.0).logsigmoid().item::<f32>(), -1000.0);
    /// ```
    pub fn logsigmoid(&self) -> Tensor {
        self.to_float().neg().softplus(1.0).neg()
    }

    /// The error function (2/√π) ∫₀ˣ e^(−t²) dt, to 2·10⁻⁷: by its series up to ½, from there on by Abramowitz & Stegun's 7.1.26.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert!((Tensor::from(0.5).erf().item::<f32>() - 0.5204999).abs() < 3e-7);
    /// ```
    pub fn erf(&self) -> Tensor {
        let x = self.to_float();
        let small = x.abs().lt(0.5);
        // 2/√π · Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1))
        let near = small.where_(&x, 0);
        let square = near.square();
        let mut series = near.zeros_like();
        let mut factorial = 40320.0;
        for n in (0..=8).rev() {
            let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
            series = series
                .mul(&square)
                .add(sign / (factorial * f64::from(2 * n + 1)));
            factorial /= f64::from(n.max(1));
        }
        let series = series.mul(&near).mul(2.0 / PI.sqrt());
        let far = small.where_(1, &x);
        let size = far.abs();
        let t = 1.0 / (&size * 0.3275911 + 1.0);
        let mut tail = t.zeros_like();
        for a in [
            1.061405429,
            -1.453152027,
            1.421413741,
            -0.284496736,
            0.254829592,
        ] {
            tail = tail.add(a).mul(&t);
        }
        // Beyond 6 it is 1 in every dtype; the square must not overflow.
        let bounded = size.minimum(6.0);
        let tail = 1.0 - tail.mul(bounded.square().neg().exp());
        small.where_(series, far.sign().mul(tail))
    }

    // ---- Inverse circular functions ----------------------------------

    /// The arc tangent, by three steps of Newton's method on tan y = x from x / (1 + 0.28 x²), for |x| ≤ 1; beyond that it is
    /// ±π/2 − atan(1/x). The gradient is 1 / (1 + x²).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert!((Tensor::from(1.0).atan().item::<f32>() - std::f32::consts::FRAC_PI_4).abs() < 1e-6);
    /// ```
    pub fn atan(&self) -> Tensor {
        let x = self.wide_float();
        let value = Tensor::no_grad(|| {
            let steep = x.abs().gt(1);
            let z = steep.where_(steep.where_(&x, 1).reciprocal(), &x);
            let mut y = z.div(z.square().mul(0.28).add(1));
            for _ in 0..3 {
                let (sin, cos) = (y.sin(), y.cos());
                y = y.sub(sin.sub(z.mul(&cos)).mul(&cos));
            }
            steep.where_(x.sign().mul(FRAC_PI_2).sub(&y), &y)
        });
        x.sloped(&value, |x| {
            // Large x: 1/(1 + x²) without the square's overflow.
            let size = x.abs().maximum(1);
            let (inverse, small) = (size.reciprocal(), x.abs().minimum(1));
            inverse.square().mul(x.abs().gt(1).where_(
                inverse.square().add(1).reciprocal(),
                small.square().add(1).reciprocal(),
            ))
        })
        .cast(self.float_dtype())
    }

    /// The arc sine: atan(x / √(1 − x²)); NaN beyond ±1. The gradient is 1 / √(1 − x²).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert!((Tensor::from(0.5).asin().item::<f32>() - std::f32::consts::FRAC_PI_6).abs() < 1e-6);
    /// ```
    pub fn asin(&self) -> Tensor {
        let x = self.wide_float();
        let value = Tensor::no_grad(|| {
            let adjacent = (1 - x.clone()).mul(x.add(1)).sqrt();
            let angle = x.div(&adjacent).atan();
            adjacent.eq(0).where_(x.mul(FRAC_PI_2), angle)
        });
        x.sloped(&value, |x| (1 - x.clone()).mul(x.add(1)).rsqrt())
            .cast(self.float_dtype())
    }

    /// The arc cosine: π/2 − asin x; NaN beyond ±1.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert!((Tensor::from(0.5).acos().item::<f32>() - std::f32::consts::FRAC_PI_3).abs() < 1e-6);
    /// ```
    pub fn acos(&self) -> Tensor {
        self.asin().neg().add(FRAC_PI_2)
    }

    /// `value`, with a slope by this tensor: value + slope · (x − x), of which only the first x is connected. An infinite slope is the
    /// largest float32 instead, as ∞ · 0 would be NaN.
    fn sloped(&self, value: &Tensor, slope: impl FnOnce(&Tensor) -> Tensor) -> Tensor {
        let fixed = self.detach();
        let nothing = fixed.isfinite().where_(self.sub(&fixed), 0);
        let slope = Tensor::no_grad(|| slope(&fixed).minimum(f64::from(f32::MAX))).detach();
        value.detach().add(nothing.mul(slope))
    }

    // ---- Activations -------------------------------------------------

    /// λ · elu(x) with α: λ and α are such that means and variances stay (Klambauer et al., *Self-Normalizing Neural Networks*, 2017).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert!((Tensor::from(1.0).selu().item::<f32>() - 1.050701).abs() < 1e-6);
    /// ```
    pub fn selu(&self) -> Tensor {
        self.selu_with(1.6732632423543772, 1.0507009873554805)
    }

    /// [`Tensor::selu`] with other constants: γ · elu(x) with α.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([2.0]).selu_with(1.0, 1.5).item::<f32>(), 3.0);
    /// ```
    pub fn selu_with(&self, alpha: f64, gamma: f64) -> Tensor {
        self.elu(alpha).mul(gamma)
    }

    /// relu6(x + 3) / 6.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-4.0, 0.0, 4.0]).hardsigmoid().to_vec::<f32>(), [0.0, 0.5, 1.0]);
    /// ```
    pub fn hardsigmoid(&self) -> Tensor {
        self.to_float().add(3).relu6().div(6.0)
    }

    /// A sigmoid of straight lines: α·x + β, but at least 0 and at most 1. [`Tensor::hardsigmoid`] has α = 1/6 and β = 1/2.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-4.0, 0.0, 1.0]).hardsigmoid_with(0.25, 0.5).to_vec::<f32>(), [0.0, 0.5, 0.75]);
    /// ```
    pub fn hardsigmoid_with(&self, alpha: f64, beta: f64) -> Tensor {
        self.to_float().mul(alpha).add(beta).clip(0.0, 1.0)
    }

    /// x · Φ(x), with the distribution function Φ of the normal distribution: x/2 · (1 + erf(x/√2)). [`Tensor::gelu`] has the tanh that is near it.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert!((Tensor::from(1.0).gelu_erf().item::<f32>() - 0.8413447).abs() < 1e-6);
    /// ```
    pub fn gelu_erf(&self) -> Tensor {
        let x = self.to_float();
        x.mul(0.5).mul(x.div(2f64.sqrt()).erf().add(1.0))
    }

    // ---- Of several --------------------------------------------------

    /// This tensor's size with the other's sign, also that of −0.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).copysign(-0.0).to_vec::<f32>(), [-1.0, -2.0]);
    /// ```
    /// # Panics
    /// If the shapes don't broadcast.
    #[track_caller]
    pub fn copysign(&self, x: impl Into<Operand>) -> Tensor {
        let [a, b] = unify("copysign", [self.into(), x.into()], |dtype| dtype);
        let (size, sign) = (a.abs(), b.detach());
        // Of zeros only the reciprocal tells.
        let below = if sign.is_floating_point() {
            sign.lt(0) | sign.reciprocal().lt(0)
        } else {
            sign.lt(0)
        };
        below.where_(size.mul(-1), &size)
    }

    /// x / max(‖x‖ₚ, eps) along an axis, with the norm ‖x‖ₚ = (Σ |x|ᵖ)^(1/p); for p = 0 it counts what is not zero.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[3.0, 4.0]]).normalize(2.0, 1, 1e-12).to_vec::<f32>(), [0.6, 0.8]);
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn normalize(&self, p: f64, dim: isize, eps: f64) -> Tensor {
        let x = self.to_float();
        let norm = if p == 0.0 {
            x.detach().ne(0).sum_keepdim(dim).cast(x.dtype())
        } else if p == 2.0 {
            // Around a root of 0, whose slope is infinite.
            let sum = x.square().sum_keepdim(dim);
            let none = sum.eq(0);
            none.where_(0, none.where_(1, &sum).sqrt())
        } else {
            x.abs().pow(p).sum_keepdim(dim).pow(1.0 / p)
        };
        x.div(norm.maximum(eps))
    }

    /// a + weight · (end − a).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([0.0, 2.0]).lerp(&Tensor::from([4.0, 4.0]), 0.25).to_vec::<f32>(), [1.0, 2.5]);
    /// ```
    /// # Panics
    /// If the shapes don't broadcast.
    #[track_caller]
    pub fn lerp(&self, end: &Tensor, weight: impl Into<Operand>) -> Tensor {
        self.add(end.sub(self).mul(weight))
    }
}
