//! The check: what `backward` finds, compared with the slope of L = Σ w·f(x) between two points.
//!
//! **In:** an [`Entry`], the [`Form`] of its inputs, a device. **Out:** nothing, or the place where the two differ, and both numbers.
//!
//! Laws:
//! 1. The weights w are all different and none is near 0: errors don't cancel, and none is overlooked.
//! 2. All numbers of an input are different, and none is at a corner: a slope exists, and swapped elements show.
//! 3. The check can fail: [`the_check_finds_wrong_gradients`] hands it three.

use super::entry::{Entry, entry};
use super::form::Form;
use teenygrad::{DType, Device, Tensor};

/// `count` different numbers in a range, on the grid of thousandths and a little beside it.
fn numbers(count: usize, (low, high): (f64, f64), which: usize) -> Vec<f64> {
    let places = ((high - low) * 1000.0) as usize - 1;
    assert!(count < places, "no {count} different numbers there");
    // A step that shares no factor with the number of places visits all of them before it repeats one.
    let stride = (617..)
        .find(|&step| gcd(step, places) == 1)
        .expect("there are many primes");
    (0..count)
        .map(|i| {
            low + ((i * stride + which * 211) % places) as f64 / 1000.0
                + 0.00037
                + 0.0001 * which as f64
        })
        .collect()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Numbers in −1..1 without a pattern, none of them near 0.
fn weights(count: usize, seed: u64) -> Vec<f64> {
    (0..count as u64)
        .map(|i| {
            let bits = (i + 1 + seed * 1_000_003).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let unit = ((bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64
                / (1u64 << 53) as f64;
            if unit < 0.5 { unit - 0.75 } else { unit - 0.25 }
        })
        .collect()
}

/// An entry, its inputs in a form, on a device.
pub struct Check<'a> {
    pub entry: &'a Entry,
    pub form: Form,
    pub device: Device,
}

impl Check<'_> {
    /// L = Σ w·f(view of the leaves).
    pub fn loss(&self, leaves: &[Tensor]) -> Tensor {
        let inputs: Vec<Tensor> = leaves
            .iter()
            .zip(&self.entry.inputs)
            .map(|(leaf, shape)| self.form.view(leaf, shape))
            .collect();
        let y = (self.entry.build)(&inputs);
        let w = Tensor::from_slice(&weights(y.numel(), 0), y.shape())
            .to(y.device())
            .detach();
        y.mul(&w).sum(()).to(Device::CPU)
    }

    fn leaf(&self, values: &[f64], shape: &[usize]) -> Tensor {
        Tensor::from_slice(values, shape).to(self.device).detach()
    }

    /// L as a number.
    fn value(&self, values: &[Vec<f64>], shapes: &[Vec<usize>]) -> f64 {
        let leaves: Vec<Tensor> = values
            .iter()
            .zip(shapes)
            .map(|(values, shape)| self.leaf(values, shape))
            .collect();
        self.loss(&leaves).item::<f64>()
    }

    /// Compares gradients with differences: element by element, or along so many directions.
    fn run(&self, directions: Option<u64>) -> Result<(), String> {
        let shapes: Vec<Vec<usize>> = self
            .entry
            .inputs
            .iter()
            .map(|shape| self.form.leaf(shape))
            .collect();
        let values: Vec<Vec<f64>> = shapes
            .iter()
            .enumerate()
            .map(|(which, shape)| numbers(shape.iter().product(), self.entry.range, which))
            .collect();
        let leaves: Vec<Tensor> = values
            .iter()
            .zip(&shapes)
            .map(|(values, shape)| self.leaf(values, shape).requires_grad(true))
            .collect();
        self.loss(&leaves).backward();
        let mut grads = Vec::new();
        for (i, leaf) in leaves.iter().enumerate() {
            let grad = leaf
                .grad()
                .ok_or_else(|| format!("input {i} has no gradient"))?;
            if (grad.shape(), grad.dtype(), grad.device())
                != (leaf.shape(), leaf.dtype(), leaf.device())
            {
                return Err(format!(
                    "input {i} of {:?} has a gradient of {:?} {}",
                    leaf.shape(),
                    grad.shape(),
                    grad.dtype()
                ));
            }
            grads.push(grad.to_vec::<f64>());
        }
        let (h, tolerance) = self.entry.accuracy;
        let slope = |direction: &[Vec<f64>]| {
            let moved = |by: f64| -> Vec<Vec<f64>> {
                values
                    .iter()
                    .zip(direction)
                    .map(|(x, d)| x.iter().zip(d).map(|(x, d)| x + by * d).collect())
                    .collect()
            };
            (self.value(&moved(h), &shapes) - self.value(&moved(-h), &shapes)) / (2.0 * h)
        };
        let near = |a: f64, b: f64| (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0);
        match directions {
            None => {
                for (input, grad) in grads.iter().enumerate() {
                    for (element, &grad) in grad.iter().enumerate() {
                        let mut direction: Vec<Vec<f64>> =
                            values.iter().map(|x| vec![0.0; x.len()]).collect();
                        direction[input][element] = 1.0;
                        let slope = slope(&direction);
                        if !near(grad, slope) {
                            return Err(format!(
                                "element {element} of input {input}: backward says {grad}, the difference {slope}"
                            ));
                        }
                    }
                }
            }
            Some(count) => {
                for seed in 0..count {
                    let direction: Vec<Vec<f64>> = values
                        .iter()
                        .enumerate()
                        .map(|(i, x)| weights(x.len(), 17 * seed + i as u64 + 1))
                        .collect();
                    let along: f64 = grads
                        .iter()
                        .zip(&direction)
                        .flat_map(|(g, d)| g.iter().zip(d))
                        .map(|(g, d)| g * d)
                        .sum();
                    let slope = slope(&direction);
                    if !near(along, slope) {
                        return Err(format!(
                            "along direction {seed}: backward says {along}, the difference {slope}"
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Checks a part of the list in every form, and tells about all that failed.
pub fn check(entries: Vec<Entry>) {
    let mut failures = Vec::new();
    let mut attempt = |entry: &Entry, form: Form, device: Device, directions: Option<u64>| {
        let check = Check {
            entry,
            form,
            device,
        };
        let outcome =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check.run(directions)));
        let outcome = outcome.unwrap_or_else(|panic| {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            Err(format!("panics: {}", text.unwrap_or_default()))
        });
        if let Err(problem) = outcome {
            failures.push(format!(
                "{} ({}), {form:?} on {device}: {problem}",
                entry.name, entry.what
            ));
        }
    };
    for entry in &entries {
        attempt(entry, Form::Plain, Device::CPU, None);
        for form in Form::VIEWS {
            attempt(entry, form, Device::CPU, Some(2));
        }
        attempt(entry, Form::Plain, Device::REFERENCE, Some(1));
    }
    assert!(
        failures.is_empty(),
        "{} of {} entries × forms are wrong:\n{}",
        failures.len(),
        entries.len() * 8,
        failures.join("\n")
    );
}

#[test]
fn the_check_finds_wrong_gradients() {
    // A severed half of a product, a slope that is a hundredth too steep at one element, and no way back at all.
    let severed = entry("mul", "", &[&[3, 4]], |x| x[0].mul(x[0].detach()));
    let steep = entry("exp", "", &[&[3, 4]], |x| {
        let bump = Tensor::eye(12)
            .cast(DType::Float64)
            .get(5)
            .reshape([3, 4])
            .to(x[0].device())
            .mul(1e-2)
            .requires_grad(false);
        x[0].exp().add(x[0].sub(x[0].detach()).mul(bump))
    });
    let cut = entry("sin", "", &[&[3, 4], &[3, 4]], |x| {
        x[0].sin().add(x[1].detach())
    });
    for entry in [severed, steep, cut] {
        for (form, directions) in
            std::iter::once((Form::Plain, None)).chain(Form::VIEWS.map(|form| (form, Some(2))))
        {
            let found = Check {
                entry: &entry,
                form,
                device: Device::CPU,
            }
            .run(directions);
            assert!(
                found.is_err(),
                "{} ({}) {form:?} passes",
                entry.name,
                entry.what
            );
        }
    }
}
