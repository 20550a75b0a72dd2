//! # optim: the library's optimizers
//!
//! **In:** Python's tensors and numbers. **Out:** steps. The classes that users see are in `teenygrad.nn.optim`; each holds one of these.

use crate::args::{Given, scalar};
use crate::guard::{computed, guard};
use crate::tensor::{PyTensor, record};
use pyo3::prelude::*;
use std::sync::{Mutex, MutexGuard};
use teenygrad::Tensor;
use teenygrad::nn::lars::LARS;
use teenygrad::nn::optim::{AdamW, Group, LAMB, Optimizer, SGD};

/// The positions of the parameters (which require a gradient from now on) and of the buffers among these tensors, each counted once.
#[pyfunction]
fn optimizer_group(tensors: Vec<Given>) -> PyResult<(Vec<usize>, Vec<usize>)> {
    guard(|| {
        let all: Vec<&Tensor> = tensors.iter().map(|tensor| &tensor.0).collect();
        let group = Group::new(all.iter().copied(), 0.0);
        let places = |some: &[Tensor]| -> Vec<usize> {
            some.iter()
                .filter_map(|one| all.iter().position(|tensor| tensor.is_same(one)))
                .collect()
        };
        (places(group.params()), places(group.buffers()))
    })
}

#[pyclass(frozen, module = "teenygrad._teenygrad")]
struct Steps {
    optimizer: Mutex<Box<dyn Optimizer + Send>>,
}

impl Steps {
    fn new(optimizer: impl Optimizer + Send + 'static) -> Steps {
        Steps {
            optimizer: Mutex::new(Box::new(optimizer)),
        }
    }
    fn lock(&self) -> MutexGuard<'_, Box<dyn Optimizer + Send>> {
        self.optimizer
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn tensors(given: &[Given]) -> impl Iterator<Item = &Tensor> {
    given.iter().map(|given| &given.0)
}

#[pymethods]
impl Steps {
    #[staticmethod]
    fn sgd(
        params: Vec<Given>,
        momentum: f64,
        weight_decay: f64,
        nesterov: bool,
    ) -> PyResult<Steps> {
        guard(|| {
            Steps::new(
                SGD::new(tensors(&params), 0.0)
                    .momentum(momentum)
                    .weight_decay(weight_decay)
                    .nesterov(nesterov),
            )
        })
    }
    #[staticmethod]
    #[allow(clippy::too_many_arguments)]
    fn lars(
        params: Vec<Given>,
        momentum: f64,
        weight_decay: f64,
        ns_steps: usize,
        ns_coefficients: Vec<f64>,
        nesterov: bool,
        classic: bool,
        pre_wd: bool,
        tcoef: f64,
    ) -> PyResult<Steps> {
        guard(|| {
            Steps::new(
                LARS::new(tensors(&params), 0.0)
                    .momentum(momentum)
                    .weight_decay(weight_decay)
                    .orthogonal(&ns_coefficients, ns_steps)
                    .nesterov(nesterov)
                    .classic(classic)
                    .decay_first(pre_wd)
                    .trust(tcoef),
            )
        })
    }
    #[staticmethod]
    fn lamb(
        params: Vec<Given>,
        b1: f64,
        b2: f64,
        eps: f64,
        weight_decay: f64,
        adam: bool,
    ) -> PyResult<Steps> {
        guard(|| {
            if adam {
                Steps::new(
                    AdamW::new(tensors(&params), 0.0)
                        .betas(b1, b2)
                        .eps(eps)
                        .weight_decay(weight_decay),
                )
            } else {
                Steps::new(
                    LAMB::new(tensors(&params), 0.0)
                        .betas(b1, b2)
                        .eps(eps)
                        .weight_decay(weight_decay),
                )
            }
        })
    }
    /// One step with this learning rate (a number, or a tensor of one element). The tensors given along are computed with it.
    fn step(&self, py: Python<'_>, lr: &Bound<'_, PyAny>, along: Vec<Given>) -> PyResult<()> {
        record(py)?;
        let number = match (lr.cast::<PyTensor>(), scalar(lr)?) {
            (Ok(lr), _) => Ok(lr.get().0.clone()),
            (Err(_), Some(number)) => Err(number.as_f64()),
            (Err(_), None) => Err(lr.extract()?),
        };
        computed(py, || {
            let lr = number.map_or_else(|number| number, |tensor| tensor.item::<f64>());
            let mut optimizer = self.lock();
            optimizer.set_lr(lr);
            optimizer.step();
            if !along.is_empty() {
                Tensor::corealize(&tensors(&along).collect::<Vec<_>>());
            }
        })
    }
    /// The tensors that it keeps from step to step, by name: "b" of SGD's momentum, "m" and "v" of the others.
    fn state(&self) -> Vec<(&'static str, Vec<PyTensor>)> {
        let named = |(name, tensors): (&'static str, &[Tensor])| {
            (name, tensors.iter().cloned().map(PyTensor).collect())
        };
        self.lock().state().into_iter().map(named).collect()
    }
}

/// Adds what `teenygrad.nn.optim` needs.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Steps>()?;
    module.add_function(wrap_pyfunction!(optimizer_group, module)?)
}
