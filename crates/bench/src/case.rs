//! # case: a row made ready
//!
//! **In:** how large, and on which device. **Out:** inputs in memory, a closure that does the work once, and what must come out.

use crate::numbers;
use teenygrad::realize::kernels_on_this_thread;
use teenygrad::{Device, Tensor};

/// How large a row's inputs are, and where they live.
#[derive(Clone, Copy)]
pub struct Setup {
    small: bool,
    device: Device,
}

impl Setup {
    /// The sizes that the names promise.
    pub fn full() -> Setup {
        Setup {
            small: false,
            device: Device::DEFAULT(),
        }
    }

    /// Sizes that take milliseconds.
    pub fn small() -> Setup {
        Setup {
            small: true,
            ..Setup::full()
        }
    }

    /// The same on another device.
    #[cfg(test)]
    pub fn on(self, device: Device) -> Setup {
        Setup { device, ..self }
    }

    /// A size: what the row's name says, or what is enough to see that it works.
    pub fn size(&self, full: usize, small: usize) -> usize {
        if self.small { small } else { full }
    }

    /// An input in memory: numbers in −1..1 times `scale`.
    pub fn numbers(&self, seed: u32, shape: &[usize], scale: f32) -> Tensor {
        let values = numbers::floats(seed, shape.iter().product(), scale);
        self.placed(Tensor::from_vec(values, shape))
    }

    /// An input in memory: int32 in 0..below.
    pub fn integers(&self, seed: u32, shape: &[usize], below: u32) -> Tensor {
        let values = numbers::integers(seed, shape.iter().product(), below);
        self.placed(Tensor::from_vec(values, shape))
    }

    /// An input in memory: one number everywhere.
    pub fn constant(&self, shape: &[usize], value: f32) -> Tensor {
        self.placed(Tensor::from_vec(vec![value; shape.iter().product()], shape))
    }

    fn placed(&self, tensor: Tensor) -> Tensor {
        tensor.to(self.device).realize()
    }
}

/// What one run amounts to, for GFLOP/s and GB/s; 0 where that number says nothing.
#[derive(Clone, Copy, Default)]
pub struct Work {
    /// multiplications and additions
    pub flops: f64,
    /// bytes that must be read and written at least
    pub bytes: f64,
}

impl Work {
    /// Arithmetic is what takes the time.
    pub fn flops(flops: usize) -> Work {
        Work {
            flops: flops as f64,
            bytes: 0.0,
        }
    }

    /// Memory is what takes the time: so many numbers of 4 bytes.
    pub fn floats(count: usize) -> Work {
        Work {
            flops: 0.0,
            bytes: 4.0 * count as f64,
        }
    }
}

/// What a row must give back.
pub enum Expected {
    /// Nothing: the machine's own rows.
    Nothing,
    /// Finite tensors of these shapes.
    Shapes(Vec<Vec<usize>>),
    /// A loss that falls from run to run.
    FallingLoss,
}

/// A row made ready.
pub struct Case {
    /// Does the work once, and gives its results, which are memory.
    pub run: Box<dyn FnMut() -> Vec<Tensor>>,
    pub work: Work,
    pub expected: Expected,
}

/// How many steps [`Case::checked`] trains.
const STEPS: usize = 6;

impl Case {
    /// One result of a known shape.
    pub fn new(
        shape: impl Into<Vec<usize>>,
        work: Work,
        mut run: impl FnMut() -> Tensor + 'static,
    ) -> Case {
        Case {
            run: Box::new(move || vec![run()]),
            work,
            expected: Expected::Shapes(vec![shape.into()]),
        }
    }

    /// Runs once (a training step: several times), and returns the digest: each result's mean absolute value, or the first loss and the
    /// last.
    ///
    /// # Errors
    /// If a result has another shape, is not finite or is 0 all over, if a loss does not fall, or if nothing was computed.
    pub fn checked(&mut self) -> Result<Vec<f64>, String> {
        let kernels = kernels_on_this_thread();
        let first = (self.run)();
        let mut digest = Vec::new();
        match &self.expected {
            Expected::Nothing => return Ok(digest),
            Expected::Shapes(shapes) => {
                let found: Vec<Vec<usize>> = first.iter().map(Tensor::shape).collect();
                if found != *shapes {
                    return Err(format!("gives {found:?}, not {shapes:?}"));
                }
                digest.extend(first.iter().map(mean_magnitude));
            }
            Expected::FallingLoss => {
                digest.push(f64::from(first[0].item::<f32>()));
                let mut last = digest[0];
                for _ in 1..STEPS {
                    last = f64::from((self.run)()[0].item::<f32>());
                }
                digest.push(last);
                if last >= digest[0] {
                    return Err(format!("the loss goes from {} to {last}", digest[0]));
                }
            }
        }
        if kernels_on_this_thread() == kernels {
            return Err("computes nothing".to_string());
        }
        if digest
            .iter()
            .any(|&number| !number.is_finite() || number == 0.0)
        {
            return Err(format!("results are finite and not all 0, not {digest:?}"));
        }
        Ok(digest)
    }
}

/// The mean of |x|, summed in float64.
fn mean_magnitude(x: &Tensor) -> f64 {
    let values = x.to_vec::<f32>();
    values.iter().map(|&x| f64::from(x.abs())).sum::<f64>() / values.len() as f64
}
