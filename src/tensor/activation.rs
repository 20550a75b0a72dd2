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

    /// x between `min` and `max`, the bounds outside; usually −1 and 1: a tanh made of three lines. The gradient is dy strictly
    /// between the bounds, else 0; that is how it differs from [`Tensor::clip`].
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
        if min.is_nan() || max.is_nan() || min > max {
            fail!("hardtanh", "no number is between {min} and {max}");
        }
        let x = self.to_float();
        x.le(min).where_(min, x.ge(max).where_(max, &x))
    }

    /// x · relu6(x + 3) / 6: a swish made of lines and a parabola. (Howard et al., *Searching for MobileNetV3*, 2019)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-4.0, 0.0, 1.5, 8.0]).hardswish().to_vec::<f32>(), [0.0, 0.0, 1.125, 8.0]); // 1.5 · 4.5/6
    /// ```
    pub fn hardswish(&self) -> Tensor {
        let x = self.to_float();
        x.mul(&x.add(3).relu6()).mul(1.0 / 6.0)
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
        // Law 1 for the cube: at ±10 the sigmoid has long reached its limit.
        let near = x.clip(-10.0, 10.0);
        let z = near
            .square()
            .mul(0.044715)
            .add(1)
            .mul(&near)
            .mul(2.0 * (2.0 / PI).sqrt());
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
    /// Computed as (max(z, 0) + ln(1 + e^(−|z|))) / β with z = βx, whose exponential is at most 1. The gradient is σ(z): at 0 the
    /// maximum gives half of 1, and |z| has slope 0 there.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([-500.0, 0.0, 500.0]).requires_grad(true);
    /// let y = x.softplus(1.0);
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 2f32.ln(), 500.0]);
    /// y.sum(()).backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0, 0.5, 1.0]);
    /// ```
    pub fn softplus(&self, beta: f64) -> Tensor {
        let z = self.to_float().mul(beta);
        z.maximum(0).add(z.abs().neg().exp().add(1).log()).div(beta)
    }

    /// x · tanh(softplus(x)). (Misra, *Mish: A Self Regularized Non-Monotonic Activation Function*, 2019)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-500.0, 0.0, 500.0]).mish().to_vec::<f32>(), [0.0, 0.0, 500.0]);
    /// ```
    pub fn mish(&self) -> Tensor {
        self.mul(self.softplus(1.0).tanh())
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
