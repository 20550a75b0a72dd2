//! # training: `train` and `evaluate`
//!
//! **In:** a model, digits as bytes, an optimizer. **Out:** the same model, trained, with loss and accuracy of each step; or its guesses.
//!
//! Laws:
//! 1. One realization a step: loss, accuracy, gradients, moments and weights are one graph.
//! 2. That graph has the same structure in every step but the first, whose moments are a constant 0: the second step's plan serves all
//!    that follow.
//! 3. Pixels stay bytes until they are in a batch. As float32 the training set would take 188 MB.

use crate::models::Model;
use teenygrad::nn::datasets::PIXELS;
use teenygrad::nn::optim::{Adam, Optimizer};
use teenygrad::{DType, Device, Tensor};

/// Images in one batch of [`evaluate`].
const TEST_BATCH: usize = 500;

// ---- Data ------------------------------------------------------------

/// Images and labels as bytes, and the device on which they are needed.
#[derive(Clone, Copy)]
pub struct Digits<'a> {
    images: &'a [u8],
    labels: &'a [u8],
    device: Device,
}

impl<'a> Digits<'a> {
    /// As many images, of 784 bytes each, as labels.
    pub fn new(images: &'a [u8], labels: &'a [u8], device: Device) -> Digits<'a> {
        assert_eq!(
            images.len(),
            labels.len() * PIXELS,
            "an image for each label"
        );
        Digits {
            images,
            labels,
            device,
        }
    }

    /// Batches that [`evaluate`] makes of them.
    pub fn test_batches(&self) -> usize {
        self.labels.len().div_ceil(TEST_BATCH)
    }

    /// Images `[n, 784]` as float32 from 0 to 255. The cast is part of whatever kernel reads them.
    fn tensor(&self, images: &[u8]) -> Tensor {
        let bytes = Tensor::from_bytes(images, [images.len() / PIXELS, PIXELS], DType::Uint8);
        bytes.to(self.device).cast(DType::Float32)
    }

    /// Images `[n, 784]` and labels `[n]`, drawn with repetition.
    fn sample(&self, n: usize) -> (Tensor, Tensor) {
        let (mut images, mut labels) = (Vec::with_capacity(n * PIXELS), Vec::with_capacity(n));
        for chosen in Tensor::randint([n], 0, self.labels.len()).to_vec::<u64>() {
            let at = chosen as usize;
            images.extend_from_slice(&self.images[at * PIXELS..(at + 1) * PIXELS]);
            labels.push(self.labels[at]);
        }
        (self.tensor(&images), Tensor::from(labels).to(self.device))
    }
}

// ---- Training --------------------------------------------------------

/// How a step went: the mean loss of its batch, and the share of the batch that was read rightly, both before the weights changed.
#[derive(Clone, Copy, Debug)]
pub struct StepReport {
    /// −ln of the probability that the true digit was given, on average
    pub loss: f32,
    /// from 0 to 1
    pub accuracy: f32,
}

/// Trains a model with Adam for some steps, each on a batch drawn at random; `each` hears how a step went and may end the training.
///
/// # Errors
/// Those of `each`.
pub fn train<E>(
    model: &dyn Model,
    digits: Digits,
    lr: f64,
    steps: usize,
    batch_size: usize,
    mut each: impl FnMut(StepReport) -> Result<(), E>,
) -> Result<Vec<StepReport>, E> {
    let _training = Tensor::train(true);
    // Tensors that want no gradient are an optimizer's buffers, computed together with the weights: so these two are part of law 1.
    let scalar = || Tensor::zeros(()).to(digits.device).requires_grad(false);
    let (loss_now, accuracy_now) = (scalar(), scalar());
    let weights = model.weights().into_iter().map(|(_, weights)| weights);
    let mut adam = Adam::new(weights.chain([&loss_now, &accuracy_now]), lr);
    // The weights are a formula of random numbers up to here, and memory from here on.
    adam.realize();
    let mut reports = Vec::with_capacity(steps);
    for _ in 0..steps {
        let (x, y) = digits.sample(batch_size);
        let out = model.forward(&x);
        let loss = out.sparse_categorical_crossentropy(&y, -1);
        adam.zero_grad();
        loss.backward();
        loss_now.assign(&loss.detach());
        accuracy_now.assign(&out.detach().argmax(-1).eq(&y).mean(()));
        adam.step();
        let report = StepReport {
            loss: loss_now.item(),
            accuracy: accuracy_now.item(),
        };
        reports.push(report);
        each(report)?;
    }
    Ok(reports)
}

// ---- Testing ---------------------------------------------------------

/// The digit that the model takes each image for; `each` is called after each batch and may end the test.
///
/// # Errors
/// Those of `each`.
pub fn evaluate<E>(
    model: &dyn Model,
    digits: Digits,
    mut each: impl FnMut() -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let mut guesses = Vec::with_capacity(digits.labels.len());
    for images in digits.images.chunks(TEST_BATCH * PIXELS) {
        let out = Tensor::no_grad(|| model.forward(&digits.tensor(images)));
        guesses.extend(out.argmax(-1).to_vec::<u8>());
        each()?;
    }
    Ok(guesses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Mlp;
    use std::convert::Infallible;
    use teenygrad::realize::kernels_on_this_thread;

    /// Ten sorts of images that anyone can tell apart: digit d has ink in rows 2d to 2d + 1.
    fn stripes(n: usize) -> (Vec<u8>, Vec<u8>) {
        let mut images = vec![0; n * PIXELS];
        let labels: Vec<u8> = (0..n).map(|i| (i % 10) as u8).collect();
        for (image, label) in images.chunks_mut(PIXELS).zip(&labels) {
            image[*label as usize * 56..][..56].fill(200);
        }
        (images, labels)
    }

    #[test]
    fn stripes_are_learnt_in_steps_of_equal_cost() {
        let (images, labels) = stripes(TEST_BATCH + 10); // the last batch is a short one
        let digits = Digits::new(&images, &labels, Device::DEFAULT());
        Tensor::manual_seed(1);
        let model = Mlp::new(64);
        let mut counts = vec![];
        let reports = train(&model, digits, 0.01, 60, 32, |_| {
            counts.push(kernels_on_this_thread());
            Ok::<(), Infallible>(())
        });
        let Ok(reports) = reports;
        assert!(
            reports[0].loss > 1.0 && reports[59].loss < 0.5,
            "{reports:?}"
        );
        let Ok(guesses) = evaluate(&model, digits, || Ok::<(), Infallible>(()));
        assert_eq!(guesses, labels);
        // Law 2. The first step differs, and so does what was run before it.
        let costs: Vec<u64> = counts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(costs[1..].iter().all(|&cost| cost == costs[1]), "{costs:?}");
    }

    #[test]
    fn both_stop_when_told_to() {
        let (images, labels) = stripes(20);
        let digits = Digits::new(&images, &labels, Device::DEFAULT());
        let model = Mlp::new(4);
        let mut left = 3;
        let stopped = train(&model, digits, 0.01, 100, 8, |_| {
            left -= 1;
            if left == 0 { Err("enough") } else { Ok(()) }
        });
        assert_eq!((stopped.unwrap_err(), left), ("enough", 0));
        assert_eq!(
            evaluate(&model, digits, || Err("at once")).unwrap_err(),
            "at once"
        );
    }
}
