//! # tensor/losses: what training makes small, in PyTorch's forms
//!
//! **In:** logits or logarithms of probabilities `[n, classes, …]`, and labels. **Out:** one number, or one for each label. The original's
//! losses are in [`functional`](super::functional).

use super::Tensor;
use crate::dtype::DType;
use crate::error::fail;
use crate::mlops::indexing::Gather;

/// What becomes of the losses of all labels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reduction {
    /// their average
    Mean,
    /// their sum
    Sum,
    /// nothing
    None,
}

impl Tensor {
    /// −log probability of each label's class: of logarithms of probabilities `[n, classes, …]` and labels `[n, …]`. With weights, one for
    /// each class, the mean is weighted. Labels of `ignore_index` don't count.
    /// ```
    /// # use teenygrad::{Tensor, tensor::losses::Reduction};
    /// let log_p = Tensor::from([[-1.0, -2.0], [-3.0, -4.0]]);
    /// let loss = log_p.nll_loss(&Tensor::from([0, 1]), None, None, Reduction::Mean);
    /// assert_eq!(loss.item::<f32>(), 2.5); // (1 + 4) / 2
    /// ```
    /// # Panics
    /// If shapes don't fit or the labels are not integers.
    #[track_caller]
    pub fn nll_loss(
        &self,
        y: &Tensor,
        weight: Option<&Tensor>,
        ignore_index: Option<i64>,
        reduction: Reduction,
    ) -> Tensor {
        let (shape, labels) = (self.shape(), y.shape());
        if shape.is_empty() {
            fail!("nll_loss", "a single number has no axis of classes");
        }
        if !y.dtype().is_int() {
            fail!(Type: "nll_loss", "labels of {} are no numbers of classes", y.dtype(); "cast them to an integer type");
        }
        // [classes] is a batch of one, without its axis.
        let axis = if shape.len() == 1 { 0 } else { 1 };
        let mut rest = shape.clone();
        rest.remove(axis);
        if rest != labels {
            fail!("nll_loss", "{shape:?} needs labels {rest:?}, not {labels:?}"; "classes are axis {axis}");
        }
        let y = y.detach().cast(DType::Int64);
        let picked = Tensor::apply(Gather::new(axis), &[self, &y.unsqueeze(axis as isize)])
            .squeeze(axis as isize);
        let mut share = match ignore_index {
            Some(ignored) => y.ne(ignored).cast(self.dtype()),
            None => picked.detach().ones_like(),
        };
        if let Some(weight) = weight {
            let table = weight.cast(self.dtype());
            let flat = Tensor::apply(Gather::new(0), &[&table, &y.reshape(y.numel())]);
            share = share.mul(flat.reshape(&labels));
        }
        // A choice and not only a product: what is ignored may be infinite.
        let losses = share.ne(0).where_(picked.neg().mul(&share), 0);
        match reduction {
            Reduction::None => losses,
            Reduction::Sum => losses.sum(()),
            Reduction::Mean => losses.sum(()).div(share.sum(())),
        }
    }

    /// What becomes of the losses of all labels.
    pub(super) fn reduced(&self, reduction: Reduction) -> Tensor {
        match reduction {
            Reduction::Mean => self.mean(()),
            Reduction::Sum => self.sum(()),
            Reduction::None => self.clone(),
        }
    }

    /// [`Tensor::sparse_categorical_crossentropy`] with all that PyTorch's cross entropy takes: of logits `[…, classes]` and labels `[…]`,
    /// each of which is 1 − ε of itself and ε of all classes alike.
    /// ```
    /// # use teenygrad::{Tensor, tensor::losses::Reduction};
    /// let logits = Tensor::from([[0.0, 0.0], [5.0, 0.0]]);
    /// let losses = logits.sparse_categorical_crossentropy_with(&Tensor::from([0, -1]), -1, 0.1, Reduction::None);
    /// assert_eq!(losses.to_vec::<f32>(), [2f32.ln(), 0.0]); // the second one is ignored
    /// ```
    /// # Panics
    /// If shapes don't fit, the labels are not integers, or the smoothing is not within 0 and 1.
    #[track_caller]
    pub fn sparse_categorical_crossentropy_with(
        &self,
        y: &Tensor,
        ignore_index: i64,
        label_smoothing: f64,
        reduction: Reduction,
    ) -> Tensor {
        const OP: &str = "sparse_categorical_crossentropy";
        let shape = self.shape();
        if shape.is_empty() || shape[..shape.len() - 1] != y.shape() {
            fail!(OP, "logits {shape:?} do not fit labels {:?}", y.shape(); "one label for each row of logits");
        }
        if !y.dtype().is_int() {
            fail!(Type: OP, "labels of {} are no numbers of classes", y.dtype(); "cast them to an integer type");
        }
        if !(0.0..=1.0).contains(&label_smoothing) {
            fail!(OP, "a smoothing of {label_smoothing} is not within 0 and 1");
        }
        let log_p = self.wide_float().log_softmax(-1);
        let y = y.detach().cast(DType::Int64);
        let picked = Tensor::apply(Gather::new(shape.len() - 1), &[&log_p, &y.unsqueeze(-1)]);
        let smooth = log_p.mean(-1).mul(label_smoothing);
        let each = picked.squeeze(-1).mul(1.0 - label_smoothing).add(smooth);
        let counted = y.ne(ignore_index);
        let losses = counted.where_(each.neg(), 0.0);
        let result = match reduction {
            Reduction::None => losses,
            Reduction::Sum => losses.sum(()),
            Reduction::Mean => losses.sum(()).div(counted.sum(()).cast(losses.dtype())),
        };
        result.cast(self.float_dtype())
    }

    /// The cross entropy of logits `[n, classes, …]` with labels `[n, …]`, or with probabilities of the logits' shape.
    ///
    /// With `label_smoothing` ε each label is 1 − ε of itself and ε of all classes alike.
    /// ```
    /// # use teenygrad::{Tensor, tensor::losses::Reduction};
    /// let logits = Tensor::from([[0.0, 0.0], [0.0, 0.0]]);
    /// let loss = logits.cross_entropy(&Tensor::from([0, 1]), Reduction::Mean, 0.0);
    /// assert!((loss.item::<f32>() - 2f32.ln()).abs() < 1e-6);
    /// ```
    /// # Panics
    /// If shapes don't fit, or the smoothing is not within 0 and 1.
    #[track_caller]
    pub fn cross_entropy(&self, y: &Tensor, reduction: Reduction, label_smoothing: f64) -> Tensor {
        if !(0.0..=1.0).contains(&label_smoothing) {
            fail!(
                "cross_entropy",
                "a smoothing of {label_smoothing} is not within 0 and 1"
            );
        }
        let shape = self.shape();
        let axis = if shape.len() == 1 { 0 } else { 1 };
        let probabilities = if y.shape() == shape {
            y.clone()
        } else {
            if shape.is_empty() || y.ndim() + 1 != shape.len() {
                fail!("cross_entropy", "logits {shape:?} do not fit labels {:?}", y.shape(); "one label for each row of logits, or probabilities of their shape");
            }
            if !y.dtype().is_int() {
                fail!(Type: "cross_entropy", "labels of {} are no numbers of classes", y.dtype(); "cast them to an integer type");
            }
            y.one_hot(shape[axis])
                .movedim(-1, axis as isize)
                .cast(self.float_dtype())
        };
        let smooth = match label_smoothing {
            0.0 => probabilities,
            _ => probabilities
                .mul(1.0 - label_smoothing)
                .add(label_smoothing / shape[axis] as f64),
        };
        let losses = self.log_softmax(axis as isize).mul(&smooth).sum(axis).neg();
        losses.reduced(reduction)
    }
}
