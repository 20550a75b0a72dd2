//! # tensor/functional: layers without memory, and losses
//!
//! **In:** activations, weights, labels. **Out:** what the next layer gets, or the number that training makes small. **Below:** everything
//! else in this folder; there is no function of its own here.
//!
//! Laws:
//! 1. What is averaged or exponentiated is so in float32 at least, and returned in the dtype that came.
//! 2. No loss is NaN for a finite input and legal labels: each is written in the form that is stable far out.
//!
//! ```
//! use teenygrad::Tensor;
//! let x = Tensor::from([[1.0, 2.0]]);
//! let w = Tensor::from([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]]); // [in, out]
//! let logits = x.sequential(&[&|x| x.linear(&w, None), &|x| x.mul(2.0)]);
//! assert_eq!(logits.to_vec::<f32>(), [2.0, 4.0, 0.0]);
//! assert!(logits.sparse_categorical_crossentropy(&Tensor::from([1]), -1).item::<f32>() < 0.2);
//! ```

use super::Tensor;
use super::losses::Reduction;
use super::operand::{broadcast_all, unify};
use crate::dtype::DType;
use crate::error::fail;
use crate::mlops::binary::Add;
use crate::mlops::indexing::Gather;
use crate::shape::args::{Axes, broadcast};

impl Tensor {
    // ---- Layers ------------------------------------------------------

    /// x @ weight + bias. The weight is [in, out], as in the original (PyTorch stores it the other way round). A weight with a single
    /// axis scales: x · weight + bias.
    /// ```
    /// # use teenygrad::Tensor;
    /// let (x, w, b) = (Tensor::from([1.0, 2.0]), Tensor::from([[1.0], [10.0]]), Tensor::from([0.5]));
    /// assert_eq!(x.linear(&w, Some(&b)).to_vec::<f32>(), [21.5]);
    /// ```
    /// # Panics
    /// If the last axis of x is not as long as the weight's first, or the bias doesn't broadcast.
    #[track_caller]
    pub fn linear(&self, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        let product = if weight.ndim() == 1 {
            self.mul(weight)
        } else {
            self.product("linear", weight.into())
        };
        match bias {
            None => product,
            Some(bias) => {
                let [product, bias] = unify("linear", [product.into(), bias.into()], |dtype| dtype);
                Tensor::apply(Add, &[&product, &bias])
            }
        }
    }

    /// One function after the other: x ↦ f(x) ↦ g(f(x)) ↦ …
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([-1.0, 2.0]).sequential(&[&|x| x.mul(3.0), &|x| x.relu()]);
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 6.0]);
    /// ```
    pub fn sequential(&self, layers: &[&dyn Fn(&Tensor) -> Tensor]) -> Tensor {
        layers.iter().fold(self.clone(), |x, layer| layer(&x))
    }

    /// Mean 0 and variance 1 along axes: (x − mean) / √(variance + eps), with the variance over n. (Ba et al. 2016, without gain and bias.)
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([1.0, 3.0]).layernorm(-1, 0.0);
    /// assert_eq!(y.to_vec::<f32>(), [-1.0, 1.0]);
    /// ```
    /// The original's defaults are axis −1 and eps 1e-5.
    /// # Panics
    /// If an axis isn't there or is named twice.
    #[track_caller]
    pub fn layernorm(&self, axis: impl Into<Axes>, eps: f64) -> Tensor {
        let axes = axis.into().resolve("layernorm", &self.shape());
        let x = self.wide_float();
        let centered = x.sub(x.mean_keepdim(&axes));
        let variance = centered.mul(&centered).mean_keepdim(&axes);
        centered
            .div(variance.add(eps).sqrt())
            .cast(self.float_dtype())
    }

    /// (x − mean) · weight · invstd + bias, each of them one number a channel, for x of shape [n, channels, …]. Weight and bias may be
    /// absent. Where mean and invstd = 1/√(variance + eps) come from is not this function's business: from the batch in training,
    /// from running averages later. (Ioffe and Szegedy 2015.)
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1.0, 10.0], [3.0, 30.0]]);
    /// let y = x.batchnorm(None, None, &Tensor::from([2.0, 20.0]), &Tensor::from([1.0, 0.1]));
    /// assert_eq!(y.to_vec::<f32>(), [-1.0, -1.0, 1.0, 1.0]);
    /// ```
    /// # Panics
    /// If there is no channel axis, or one of the four has another shape than \[channels\].
    #[track_caller]
    pub fn batchnorm(
        &self,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        mean: &Tensor,
        invstd: &Tensor,
    ) -> Tensor {
        let shape = self.shape();
        if shape.len() < 2 {
            fail!("batchnorm", "shape {shape:?} is not [n, channels, …]");
        }
        let named = [
            ("weight", weight),
            ("bias", bias),
            ("mean", Some(mean)),
            ("invstd", Some(invstd)),
        ];
        for (name, tensor) in named
            .into_iter()
            .filter_map(|(name, tensor)| Some((name, tensor?)))
        {
            if tensor.shape() != [shape[1]] {
                fail!("batchnorm", "{name} has shape {:?}, and input {shape:?} has {} channels", tensor.shape(), shape[1]; "one number a channel");
            }
        }
        // [c] → [c, 1, …]: broadcasting aligns at the end
        let mut across = vec![1; shape.len() - 1];
        across[0] = shape[1];
        let across = |tensor: &Tensor| tensor.reshape(&across);
        // The factors of a channel meet before they meet its elements: so the gradients of both are one sum over these.
        let factor = match weight {
            Some(weight) => weight.mul(invstd),
            None => invstd.clone(),
        };
        let mut y = self.sub(across(mean)).mul(across(&factor));
        if let Some(bias) = bias {
            y = y.add(across(bias));
        }
        y
    }

    /// While [training](Tensor::training): each element is 0 with probability p, else divided by 1 − p, so that the expected value
    /// stays. Otherwise the tensor itself. (Srivastava et al. 2014.)
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::ones(1000);
    /// assert_eq!(x.dropout(0.5).sum(()).item::<f32>(), 1000.0); // not training
    /// let _train = Tensor::train(true);
    /// let y = x.dropout(0.75).to_vec::<f32>();
    /// assert!(y.iter().all(|&y| y == 0.0 || y == 4.0));
    /// let kept = y.iter().filter(|&&y| y != 0.0).count();
    /// assert!((150..350).contains(&kept)); // about 250
    /// ```
    /// # Panics
    /// If p is not in 0..=1.
    #[track_caller]
    pub fn dropout(&self, p: f64) -> Tensor {
        if !(0.0..=1.0).contains(&p) {
            fail!("dropout", "{p} is no probability"; "0 drops nothing, 1 everything");
        }
        if !Tensor::training() || p == 0.0 {
            return self.clone();
        }
        let drawn = Tensor::rand(self.shape())
            .requires_grad(false)
            .to(self.device());
        // A choice and not a product with 0, so that a dropped infinity is gone.
        let scale = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
        drawn.lt(p).where_(0.0, self.mul(scale))
    }

    // ---- Attention ---------------------------------------------------

    /// softmax(q kᵀ / √E + mask) v: each query's average of the values, weighted by how well their keys match. (Vaswani et al. 2017.)
    ///
    /// Shapes: self (the queries) […, L, E], key […, S, E], value […, S, V], result […, L, V]; the axes in front broadcast. The mask broadcasts
    /// to […, L, S]: bools tell which keys a query may look at, floats are added to the scores. `is_causal` lets query i look at
    /// keys up to i only, besides what the mask says. Dropout falls on the weights, while training.
    ///
    /// A query that may look at nothing gets zeros, and gives no gradient (a plain softmax of −∞ alone would be NaN, and poison all of
    /// the training).
    /// ```
    /// # use teenygrad::Tensor;
    /// let (q, k) = (Tensor::zeros([2, 1]), Tensor::zeros([2, 1])); // all keys match equally
    /// let v = Tensor::from([[2.0], [4.0]]);
    /// assert_eq!(q.scaled_dot_product_attention(&k, &v, None, 0.0, false).to_vec::<f32>(), [3.0, 3.0]);
    /// assert_eq!(q.scaled_dot_product_attention(&k, &v, None, 0.0, true).to_vec::<f32>(), [2.0, 3.0]);
    /// let mask = Tensor::from([[false, true], [false, false]]);
    /// assert_eq!(q.scaled_dot_product_attention(&k, &v, Some(&mask), 0.0, false).to_vec::<f32>(), [4.0, 0.0]);
    /// ```
    /// # Panics
    /// If one of them has fewer than two axes, sizes don't fit, or dropout_p is no probability.
    #[track_caller]
    pub fn scaled_dot_product_attention(
        &self,
        key: &Tensor,
        value: &Tensor,
        attn_mask: Option<&Tensor>,
        dropout_p: f64,
        is_causal: bool,
    ) -> Tensor {
        const OP: &str = "scaled_dot_product_attention";
        let (q, k, v) = (self.shape(), key.shape(), value.shape());
        if q.len() < 2 || k.len() < 2 || v.len() < 2 {
            fail!(OP, "query {q:?}, key {k:?} and value {v:?} need two axes each"; "[…, positions, features]");
        }
        let (features, queries, keys) = (q[q.len() - 1], q[q.len() - 2], k[k.len() - 2]);
        if k[k.len() - 1] != features {
            fail!(
                OP,
                "query {q:?} has {features} features, key {k:?} has {}",
                k[k.len() - 1]
            );
        }
        if v[v.len() - 2] != keys {
            fail!(
                OP,
                "there are {keys} keys in {k:?} and {} values in {v:?}",
                v[v.len() - 2]
            );
        }
        // […, L, S]
        let mut scores = self
            .product(OP, key.transpose(-1, -2).into())
            .wide_float()
            .div((features as f64).sqrt());
        if is_causal {
            let earlier = Tensor::full([queries, keys], true)
                .to(self.device())
                .tril(0)
                .requires_grad(false);
            scores = earlier.where_(&scores, f64::NEG_INFINITY);
        }
        if let Some(mask) = attn_mask {
            let (own, wanted) = (mask.shape(), scores.shape());
            if broadcast(&own, &wanted).is_none() {
                fail!(OP, "a mask of shape {own:?} does not broadcast with scores {wanted:?}"; "[…, queries, keys]");
            }
            scores = if mask.dtype() == DType::Bool {
                mask.where_(&scores, f64::NEG_INFINITY)
            } else {
                scores.add(mask)
            };
        }
        let dtype = self.dtype().promote(value.dtype());
        scores
            .attention_weights()
            .cast(dtype)
            .dropout(dropout_p)
            .product(OP, value.into())
    }

    /// Keys or values of fewer heads than the queries have, each head as often as it takes: grouped-query attention. (Ainslie et al. 2023.)
    ///
    /// Heads are the axis before positions and features: […, heads, S, E].
    /// ```
    /// # use teenygrad::Tensor;
    /// let key = Tensor::from([[[1.0]], [[2.0]]]); // two heads
    /// assert_eq!(key.with_heads_of(&Tensor::zeros([4, 1, 1])).to_vec::<f32>(), [1.0, 1.0, 2.0, 2.0]);
    /// ```
    /// # Panics
    /// If one of them has no axis of heads, or the numbers of heads don't fit.
    #[track_caller]
    pub fn with_heads_of(&self, query: &Tensor) -> Tensor {
        let (own, wanted) = (self.shape(), query.shape());
        let heads = |shape: &[usize]| shape.len().checked_sub(3).map(|axis| shape[axis]);
        match (heads(&own), heads(&wanted)) {
            (Some(few), Some(many)) if few > 0 && many.is_multiple_of(few) => {
                self.repeat_interleave(many / few, -3)
            }
            _ => {
                fail!("with_heads_of", "the heads of {own:?} are not shared by those of {wanted:?}"; "[…, heads, positions, features]")
            }
        }
    }

    /// The softmax of the last axis, but for rows of −∞ alone, which give zeros.
    fn attention_weights(&self) -> Tensor {
        if self.numel() == 0 {
            return self.clone();
        }
        let largest = self.detach().max_keepdim(-1);
        // −∞ − (−∞) is NaN; −∞ − 0 is −∞, whose power is 0.
        let shift = largest.eq(f64::NEG_INFINITY).where_(0.0, &largest);
        let powers = self.sub(shift).exp();
        let sum = powers.sum_keepdim(-1);
        powers.div(sum.eq(0.0).where_(1.0, &sum))
    }

    // ---- Losses ------------------------------------------------------

    /// The mean of −y·ln x − (1 − y)·ln(1 − x), for probabilities x and targets y in 0..=1.
    ///
    /// ln 0 counts as −100, with slope 0 (as PyTorch has it), so that a wrong certainty costs much but not everything, and 0 · ln 0
    /// is 0. Where x comes out of a sigmoid, [`Tensor::binary_crossentropy_logits`] is exact.
    /// ```
    /// # use teenygrad::Tensor;
    /// let loss = Tensor::from([0.5, 1.0]).binary_crossentropy(&Tensor::from([1.0, 1.0]));
    /// assert!((loss.item::<f32>() - 0.5 * 2f32.ln()).abs() < 1e-6);
    /// ```
    /// # Panics
    /// If the shapes don't broadcast.
    #[track_caller]
    pub fn binary_crossentropy(&self, y: &Tensor) -> Tensor {
        self.binary_crossentropy_with(y, Reduction::Mean)
    }

    /// The same, averaged, summed or as it is.
    /// ```
    /// # use teenygrad::{Tensor, tensor::losses::Reduction};
    /// let losses = Tensor::from([0.5, 0.0]).binary_crossentropy_with(&Tensor::from([1.0, 1.0]), Reduction::None);
    /// assert_eq!(losses.to_vec::<f32>(), [2f32.ln(), 100.0]);
    /// ```
    /// # Panics
    /// If the shapes don't broadcast.
    #[track_caller]
    pub fn binary_crossentropy_with(&self, y: &Tensor, reduction: Reduction) -> Tensor {
        let [x, y] = broadcast_all("binary_crossentropy", [self.wide_float(), y.wide_float()]);
        let other = x.sub(1.0).neg();
        let yes = y.mul(x.log_or_little());
        let no = y.sub(1.0).neg().mul(other.log_or_little());
        yes.add(no)
            .neg()
            .reduced(reduction)
            .cast(self.float_dtype())
    }

    /// ln x, and −100 at 0.
    fn log_or_little(&self) -> Tensor {
        let nothing = self.eq(0.0);
        nothing.where_(-100.0, nothing.where_(1.0, self).log())
    }

    /// The mean of −y·ln σ(x) − (1 − y)·ln(1 − σ(x)), for logits x and targets y in 0..=1, σ the sigmoid.
    ///
    /// With ln σ(x) = x − ln(1 + eˣ) and ln(1 − σ(x)) = −ln(1 + eˣ) that is ln(1 + eˣ) − x·y, and without overflow
    /// **max(x, 0) + ln(1 + e^−|x|) − x·y**. Its slope is σ(x) − y, at 0 too: there both halves of max(x, 0) get half, and |x| = max(x, −x) none.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([0.0, 200.0]).requires_grad(true);
    /// let loss = x.binary_crossentropy_logits(&Tensor::from([1.0, 0.0]));
    /// assert!((loss.item::<f32>() - (2f32.ln() + 200.0) / 2.0).abs() < 1e-4);
    /// loss.backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [-0.25, 0.5]); // (σ(x) − y) / 2
    /// ```
    /// # Panics
    /// If the shapes don't broadcast.
    #[track_caller]
    pub fn binary_crossentropy_logits(&self, y: &Tensor) -> Tensor {
        self.binary_crossentropy_logits_with(y, None, Reduction::Mean)
    }

    /// The same, averaged, summed or as it is; what y asks for may count `pos_weight` times.
    ///
    /// With that w it is (1 − y)·x + (1 + (w − 1)·y) · (max(−x, 0) + ln(1 + e^−|x|)).
    /// ```
    /// # use teenygrad::{Tensor, tensor::losses::Reduction};
    /// let (x, y, w) = (Tensor::from([0.0, 0.0]), Tensor::from([1.0, 0.0]), Tensor::from([3.0, 3.0]));
    /// let losses = x.binary_crossentropy_logits_with(&y, Some(&w), Reduction::None).to_vec::<f32>();
    /// assert!((losses[0] - 3.0 * 2f32.ln()).abs() < 1e-6 && (losses[1] - 2f32.ln()).abs() < 1e-6);
    /// ```
    /// # Panics
    /// If the shapes don't broadcast.
    #[track_caller]
    pub fn binary_crossentropy_logits_with(
        &self,
        y: &Tensor,
        pos_weight: Option<&Tensor>,
        reduction: Reduction,
    ) -> Tensor {
        let [x, y] = broadcast_all(
            "binary_crossentropy_logits",
            [self.wide_float(), y.wide_float()],
        );
        let magnitude = x.maximum(x.neg());
        let tail = magnitude.neg().exp().add(1.0).log();
        let losses = match pos_weight {
            None => x.maximum(0.0).add(tail).sub(x.mul(&y)),
            Some(weight) => {
                let factor = weight.wide_float().sub(1.0).mul(&y).add(1.0);
                let other = x.neg().maximum(0.0).add(tail).mul(factor);
                x.mul(y.sub(1.0).neg()).add(other)
            }
        };
        losses.reduced(reduction).cast(self.float_dtype())
    }

    /// The mean of −ln softmax(x)\[label\] over the last axis, for logits x […, classes] and labels […] of any integer type. Labels that
    /// equal `ignore_index` don't count (the original's default is −1).
    /// ```
    /// # use teenygrad::Tensor;
    /// let logits = Tensor::from([[0.0, 0.0], [0.0, 1000.0], [5.0, 0.0]]);
    /// let loss = logits.sparse_categorical_crossentropy(&Tensor::from([0, 1, -1]), -1);
    /// assert!((loss.item::<f32>() - (2f32.ln() + 0.0) / 2.0).abs() < 1e-6);
    /// ```
    /// Labels are compared as int64, whatever their type: in uint8, nothing is −1. A label that is no class gives NaN, so that it is
    /// noticed; and so does a batch in which all labels are ignored (0/0, as in PyTorch).
    /// # Panics
    /// If the labels are no integers, or their shape is not that of x without its last axis.
    #[track_caller]
    pub fn sparse_categorical_crossentropy(&self, y: &Tensor, ignore_index: i64) -> Tensor {
        const OP: &str = "sparse_categorical_crossentropy";
        let (shape, labels) = (self.shape(), y.shape());
        let Some((&classes, batch)) = shape.split_last() else {
            fail!(OP, "logits of shape [] have no axis of classes")
        };
        if batch != labels {
            fail!(OP, "logits {shape:?} need labels {batch:?}, not {labels:?}"; "one label for each row of logits");
        }
        if !y.dtype().is_int() {
            fail!(Type: OP, "labels of {} are no numbers of classes", y.dtype(); "cast them to an integer type");
        }
        let log_probability = self.wide_float().log_softmax(-1);
        let y = y.cast(DType::Int64).unsqueeze(-1);
        let picked = Tensor::apply(Gather::new(batch.len()), &[&log_probability, &y]);
        let legal = y.ge(0).mul(y.lt(classes));
        let picked = legal.where_(&picked, f64::NAN);
        let counted = y.ne(ignore_index);
        let sum = counted.where_(&picked, 0.0).sum(());
        let count = counted.sum(()).cast(sum.dtype());
        sum.neg().div(count).cast(self.float_dtype())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_may_look_at_nothing_gives_zeros_and_no_nan() {
        let (q, k, v) = (
            Tensor::from([[1.0], [2.0]]),
            Tensor::from([[0.5], [-1.0]]),
            Tensor::from([[3.0], [4.0]]),
        );
        let [q, k, v] = [q, k, v].map(|t| t.requires_grad(true));
        let inf = f32::NEG_INFINITY;
        for mask in [
            Tensor::from([[true, true], [false, false]]),
            Tensor::from([[0.0, 0.0], [inf, inf]]),
        ] {
            let y = q.scaled_dot_product_attention(&k, &v, Some(&mask), 0.0, false);
            assert_eq!(y.to_vec::<f32>()[1], 0.0);
            y.sum(()).backward();
            for t in [&q, &k, &v] {
                assert!(
                    t.grad()
                        .unwrap()
                        .to_vec::<f32>()
                        .iter()
                        .all(|g| g.is_finite())
                );
                t.zero_grad();
            }
        }
    }

    #[test]
    fn labels_of_any_type_are_compared_as_they_are() {
        let logits = Tensor::from([[0.0, 1.0], [2.0, 0.0]]);
        let expected = logits
            .sparse_categorical_crossentropy(&Tensor::from([1i64, 0]), -1)
            .item::<f32>();
        assert_eq!(
            logits
                .sparse_categorical_crossentropy(&Tensor::from([1u8, 0]), -1)
                .item::<f32>(),
            expected
        );
        // 255 is not −1: a label that is no class
        assert!(
            logits
                .sparse_categorical_crossentropy(&Tensor::from([1u8, 255]), -1)
                .item::<f32>()
                .is_nan()
        );
        assert_eq!(
            logits
                .sparse_categorical_crossentropy(&Tensor::from([1u8, 255]), 255)
                .item::<f32>(),
            logits
                .get(0)
                .sparse_categorical_crossentropy(&Tensor::from(1), -1)
                .item::<f32>()
        );
        assert!(
            logits
                .sparse_categorical_crossentropy(&Tensor::from([-1, -1]), -1)
                .item::<f32>()
                .is_nan()
        );
    }

    #[test]
    fn ignored_rows_have_no_gradient() {
        let logits = Tensor::from([[0.0, 0.0], [f32::NAN, 1.0]]).requires_grad(true);
        let loss = logits.sparse_categorical_crossentropy(&Tensor::from([0, -1]), -1);
        assert_eq!(loss.item::<f32>(), 2f32.ln());
        loss.backward();
        assert_eq!(logits.grad().unwrap().to_vec::<f32>()[..2], [-0.5, 0.5]);
    }

    #[test]
    fn certainties_cost_much_but_not_everything() {
        let x = Tensor::from([0.0, 1.0, 0.0, 1.0]).requires_grad(true);
        let loss = x.binary_crossentropy(&Tensor::from([0.0, 1.0, 1.0, 0.0]));
        assert_eq!(loss.item::<f32>(), 50.0); // (0 + 0 + 100 + 100) / 4
        loss.backward();
        assert!(
            x.grad()
                .unwrap()
                .to_vec::<f32>()
                .iter()
                .all(|g| g.is_finite())
        );
    }

    #[test]
    fn dropping_everything_is_zero_there_and_back() {
        let _train = Tensor::train(true);
        let x = Tensor::from([f32::INFINITY, 1.0]).requires_grad(true);
        let y = x.dropout(1.0);
        assert_eq!(y.to_vec::<f32>(), [0.0, 0.0]);
        y.sum(()).backward();
        assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0, 0.0]);
    }

    #[test]
    fn halves_are_averaged_wide() {
        let x = Tensor::from([60_000.0, 60_000.0, 0.0, 0.0]).half();
        let y = x.layernorm(-1, 0.0);
        assert_eq!(
            (y.to_vec::<f32>(), y.dtype()),
            (vec![1.0, 1.0, -1.0, -1.0], DType::Float16)
        );
    }
}
