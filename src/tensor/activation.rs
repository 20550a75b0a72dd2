//! # tensor/activation: the bends between linear layers
//!
//! **In:** a tensor, mostly of floats (others become float32). **Out:** one of the same shape. **Above:** the user. **Below:**
//! [`math`](super::math) and `mlops`.
//!
//! Without a bend in between, two linear layers would be one. In the order of the original: the family of `relu`, then the smooth ones.
//!
//! Laws:
//! 1. Large inputs give what the limit is, in the value and in the gradient. An `exp` that overflows is dangerous even where its result
//!    is not used: on the way back its slope ∞ meets the gradient 0, and ∞ · 0 is NaN. So the arguments are bounded *before* the `exp`.
//! 2. At a corner the gradient is PyTorch's choice, which each doc states where it matters.

use super::Tensor;
use crate::error::fail;
use crate::mlops::unary::Relu;
use std::f64::consts::PI;

impl Tensor {
    // ---- Piecewise linear --------------------------------------------

    /// max(x, 0), the rectifier. The gradient is dy where x > 0, else 0.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([-1.0, 0.0, 2.0]).requires_grad(true);
    /// let y = x.relu();
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 0.0, 2.0]);
    /// y.sum(()).backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0, 0.0, 1.0]);
    /// ```
    pub fn relu(&self) -> Tensor {
        Tensor::apply(Relu::default(), &[self])
    }

    /// min(max(x, 0), 6): a rectifier that keeps to what few bits can hold. (Krizhevsky, *Convolutional Deep Belief Networks on
    /// CIFAR-10*, 2010)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-1.0, 3.0, 9.0]).relu6().to_vec::<f32>(), [0.0, 3.0, 6.0]);
    /// ```
    pub fn relu6(&self) -> Tensor {
        self.hardtanh(0.0, 6.0)
    }

    /// x between `min` and `max`, the bounds outside; usually −1 and 1: a tanh made of three lines. The same as [`Tensor::clip`], but
    /// always of floats.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([-5.0, 0.5, 1.0]).requires_grad(true);
    /// let y = x.hardtanh(-1.0, 1.0);
    /// assert_eq!(y.to_vec::<f32>(), [-1.0, 0.5, 1.0]);
    /// y.sum(()).backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0, 1.0, 0.0]);
    /// ```
    /// # Panics
    /// If min > max, or a bound is NaN.
    #[track_caller]
    pub fn hardtanh(&self, min: f64, max: f64) -> Tensor {
        self.to_float().clipped("hardtanh", min, max)
    }

    /// x · relu6(x + 3) / 6: a swish made of lines and a parabola. (Howard et al., *Searching for MobileNetV3*, 2019)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-4.0, 0.0, 1.5, 8.0]).hardswish().to_vec::<f32>(), [0.0, 0.0, 1.125, 8.0]); // 1.5 · 4.5/6
    /// ```
    pub fn hardswish(&self) -> Tensor {
        let x = self.to_float();
        // x times at most 1; the product with 6 could overflow.
        x.mul(x.add(3).relu6().mul(1.0 / 6.0))
    }

    /// x where x > 0, else `neg_slope` · x (usually 0.01): the negative side leaks, so that no unit dies.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-2.0, 3.0]).leakyrelu(0.5).to_vec::<f32>(), [-1.0, 3.0]);
    /// ```
    pub fn leakyrelu(&self, neg_slope: f64) -> Tensor {
        let x = self.to_float();
        x.gt(0).where_(&x, x.mul(neg_slope))
    }

    // ---- With an exponential -----------------------------------------

    /// x where x > 0, else α · (eˣ − 1); usually α = 1. (Clevert et al., *Fast and Accurate Deep Network Learning by Exponential Linear
    /// Units*, 2015)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-500.0, 0.0, 500.0]).elu(2.0).to_vec::<f32>(), [-2.0, 0.0, 500.0]);
    /// ```
    pub fn elu(&self, alpha: f64) -> Tensor {
        let x = self.to_float();
        x.relu().add(x.not_positive().exp().sub(1).mul(alpha))
    }

    /// x where x > 0, else α · (e^(x/α) − 1): an elu whose slope has no jump at 0 for any α. (Barron, *Continuously Differentiable
    /// Exponential Linear Units*, 2017)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-500.0, 0.0, 500.0]).celu(2.0).to_vec::<f32>(), [-2.0, 0.0, 500.0]);
    /// ```
    pub fn celu(&self, alpha: f64) -> Tensor {
        let x = self.to_float();
        x.relu()
            .add(x.not_positive().div(alpha).exp().sub(1).mul(alpha))
    }

    /// x where it is not positive, else 0, with slope 1 at 0: what may go into an `exp` that is meant for negative x. Law 1.
    fn not_positive(&self) -> Tensor {
        self.gt(0).where_(0, self)
    }

    /// x · σ(x). (Ramachandran et al., *Searching for Activation Functions*, 2017)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-500.0, 0.0, 500.0]).swish().to_vec::<f32>(), [0.0, 0.0, 500.0]);
    /// ```
    pub fn swish(&self) -> Tensor {
        self.mul(self.sigmoid())
    }

    /// Another name of [`Tensor::swish`]: the sigmoid linear unit. (Elfwing et al., *Sigmoid-Weighted Linear Units*, 2017)
    pub fn silu(&self) -> Tensor {
        self.swish()
    }

    /// x · Φ(x), where Φ is the normal distribution's, by its tanh form
    /// ½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))). (Hendrycks & Gimpel, *Gaussian Error Linear Units*, 2016)
    ///
    /// As ½ · (1 + tanh z) = σ(2z), it is x · σ(2z) here.
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([-500.0, 0.0, 1.0, 500.0]).gelu().to_vec::<f32>();
    /// assert!(y[0] == 0.0 && y[1] == 0.0 && (y[2] - 0.841_192).abs() < 1e-6 && y[3] == 500.0);
    /// ```
    pub fn gelu(&self) -> Tensor {
        let x = self.to_float();
        // Law 1 for the cube: at ±25 the sigmoid has reached its limits 0 and 1, in float64 too.
        let near = x.lt(-25.0).where_(-25.0, &x);
        let near = x.gt(25.0).where_(25.0, near);
        let scale = 2.0 * (2.0 / PI).sqrt();
        let z = near.square().mul(0.044715 * scale).add(scale).mul(&near);
        x.mul(z.sigmoid())
    }

    /// x · σ(1.702 · x), near to [`Tensor::gelu`] and cheaper. (Same paper)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-500.0, 0.0, 500.0]).quick_gelu().to_vec::<f32>(), [0.0, 0.0, 500.0]);
    /// ```
    pub fn quick_gelu(&self) -> Tensor {
        self.mul(self.mul(1.702).sigmoid())
    }

    /// ln(1 + e^(βx)) / β, a rounded rectifier; usually β = 1.
    ///
    /// Computed as max(x, 0) + ln(1 + e^(−|βx|)) / β, whose exponential is at most 1. The gradient is σ(βx): at 0 the maximum
    /// gives half of 1, and the absolute value has slope 0 there.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([-500.0, 0.0, 500.0]).requires_grad(true);
    /// let y = x.softplus(1.0);
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 2f32.ln(), 500.0]);
    /// y.sum(()).backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0, 0.5, 1.0]);
    /// ```
    /// # Panics
    /// If β is not positive.
    #[track_caller]
    pub fn softplus(&self, beta: f64) -> Tensor {
        if beta.is_nan() || beta <= 0.0 {
            fail!("softplus", "a sharpness of {beta}"; "it is positive, and 1 usually");
        }
        let x = self.to_float();
        let surplus = x.abs().mul(-beta).exp().add(1).log().div(beta);
        x.maximum(0).add(surplus)
    }

    /// x · tanh(softplus(x)). (Misra, *Mish: A Self Regularized Non-Monotonic Activation Function*, 2019)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-500.0, 0.0, 500.0]).mish().to_vec::<f32>(), [0.0, 0.0, 500.0]);
    /// ```
    pub fn mish(&self) -> Tensor {
        let x = self.to_float();
        // From 25 on it is x, to the last bit of float64, and from −1000 down it is 0; in between no slope overflows, not even float16's.
        let near = x.clip(-1000.0, 25.0);
        x.gt(25).where_(&x, near.mul(near.softplus(1.0).tanh()))
    }

    /// x / (1 + |x|): towards ±1, but slower than tanh.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-3.0, 0.0, 1.0]).softsign().to_vec::<f32>(), [-0.75, 0.0, 0.5]);
    /// ```
    pub fn softsign(&self) -> Tensor {
        self.div(self.abs().add(1))
    }
}

#[cfg(test)]
mod tests {
    use crate::{DType, Tensor};

    type Activation = fn(&Tensor) -> Tensor;

    /// Every function here and the smooth ones of `math` that are used as one, with its definition in plain numbers.
    #[allow(clippy::type_complexity)]
    const ALL: [(&str, Activation, fn(f64) -> f64); 18] = [
        ("relu", |x| x.relu(), |x| x.max(0.0)),
        ("relu6", |x| x.relu6(), |x| x.clamp(0.0, 6.0)),
        (
            "hardtanh",
            |x| x.hardtanh(-1.0, 2.0),
            |x| x.clamp(-1.0, 2.0),
        ),
        (
            "hardswish",
            |x| x.hardswish(),
            |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        ),
        (
            "leakyrelu",
            |x| x.leakyrelu(0.1),
            |x| if x > 0.0 { x } else { 0.1 * x },
        ),
        (
            "elu",
            |x| x.elu(1.5),
            |x| if x > 0.0 { x } else { 1.5 * x.exp_m1() },
        ),
        (
            "celu",
            |x| x.celu(1.5),
            |x| if x > 0.0 { x } else { 1.5 * (x / 1.5).exp_m1() },
        ),
        ("swish", |x| x.swish(), |x| x * sigmoid(x)),
        ("silu", |x| x.silu(), |x| x * sigmoid(x)),
        (
            "gelu",
            |x| x.gelu(),
            |x| x * sigmoid(2.0 * (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))),
        ),
        ("quick_gelu", |x| x.quick_gelu(), |x| x * sigmoid(1.702 * x)),
        (
            "softplus",
            |x| x.softplus(1.0),
            |x| x.max(0.0) + (-x.abs()).exp().ln_1p(),
        ),
        (
            "softplus 3",
            |x| x.softplus(3.0),
            |x| x.max(0.0) + (-3.0 * x.abs()).exp().ln_1p() / 3.0,
        ),
        (
            "mish",
            |x| x.mish(),
            |x| x * (x.max(0.0) + (-x.abs()).exp().ln_1p()).tanh(),
        ),
        ("softsign", |x| x.softsign(), |x| x / (1.0 + x.abs())),
        ("sigmoid", |x| x.sigmoid(), sigmoid),
        ("tanh", |x| x.tanh(), f64::tanh),
        ("abs", |x| x.abs(), f64::abs),
    ];

    fn sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }

    #[test]
    fn values_are_those_of_the_formulas_and_gradients_their_slopes() {
        // No corners among these: a slope is measured across ±10⁻⁵.
        let points = [-7.3, -3.4, -1.2, -0.3, 0.2, 0.9, 1.7, 4.4, 6.5, 30.0, -30.0];
        for (name, activation, definition) in ALL {
            let x = Tensor::from_slice(&points, [points.len()]).requires_grad(true);
            let y = activation(&x);
            y.sum(()).backward();
            let (y, slopes) = (y.to_vec::<f64>(), x.grad().unwrap().to_vec::<f64>());
            for (i, point) in points.into_iter().enumerate() {
                let (value, step) = (definition(point), 1e-5);
                let slope = (definition(point + step) - definition(point - step)) / (2.0 * step);
                assert!(
                    (y[i] - value).abs() < 1e-12 * value.abs().max(1.0),
                    "{name}({point}) is {}, not {value}",
                    y[i]
                );
                assert!(
                    (slopes[i] - slope).abs() < 1e-8,
                    "the slope of {name} at {point} is {}, not {slope}",
                    slopes[i]
                );
            }
        }
    }

    #[test]
    fn large_inputs_give_the_limits_and_finite_slopes() {
        for (dtype, large) in [
            (DType::Float16, 6e4),
            (DType::Float32, 1e37),
            (DType::Float64, 1e300),
        ] {
            for (name, activation, definition) in ALL {
                let x = Tensor::from_slice(&[-large, large], [2])
                    .cast(dtype)
                    .detach()
                    .requires_grad(true);
                let y = activation(&x);
                y.sum(()).backward();
                for (y, x) in y.to_vec::<f64>().into_iter().zip(x.to_vec::<f64>()) {
                    let limit = definition(x);
                    let near = (y - limit).abs() <= 2e-3 * limit.abs()
                        || limit.is_nan()
                        || (limit == 0.0 && y.abs() < 1e-30);
                    assert!(
                        near && !y.is_nan(),
                        "{name}({x}) of {dtype} is {y}, not {limit}"
                    );
                }
                let slopes = x.grad().unwrap().to_vec::<f64>();
                assert!(
                    slopes.iter().all(|slope| slope.is_finite()),
                    "{name} of {dtype} has slopes {slopes:?} at ±{large}"
                );
            }
        }
    }

    #[test]
    fn nan_stays_nan() {
        for (name, activation, _) in ALL {
            assert!(
                activation(&Tensor::from([f32::NAN])).item::<f32>().is_nan(),
                "{name}"
            );
        }
    }

    #[test]
    fn integers_become_floats() {
        assert_eq!(Tensor::from([-2, 3]).elu(1.0).dtype(), DType::Float32);
        assert_eq!(
            Tensor::from([-2, 3]).softsign().to_vec::<f32>(),
            [-2.0 / 3.0, 0.75]
        );
        assert_eq!(Tensor::from([-2, 3]).relu().to_vec::<i32>(), [0, 3]); // which needs no fractions
    }

    #[test]
    fn slopes_at_the_corners() {
        let slope = |activation: Activation, at: f32| {
            let x = Tensor::from([at]).requires_grad(true);
            activation(&x).sum(()).backward();
            x.grad().unwrap().item::<f32>()
        };
        // As PyTorch has them.
        assert_eq!(slope(|x| x.relu(), 0.0), 0.0);
        assert_eq!(
            (slope(|x| x.relu6(), 0.0), slope(|x| x.relu6(), 6.0)),
            (0.0, 0.0)
        );
        assert_eq!(slope(|x| x.elu(2.0), 0.0), 2.0);
        assert_eq!(slope(|x| x.celu(2.0), 0.0), 1.0);
        assert_eq!(slope(|x| x.leakyrelu(0.25), 0.0), 0.25);
        assert_eq!(slope(|x| x.softsign(), 0.0), 1.0);
        assert_eq!(
            (
                slope(|x| x.clip(0.0, 1.0), 0.0),
                slope(|x| x.clip(0.0, 1.0), 1.0)
            ),
            (0.0, 0.0)
        );
    }
}
