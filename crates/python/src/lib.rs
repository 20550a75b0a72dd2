//! # teenygrad-python: `import teenygrad`
//!
//! The Python package is thin: no math lives here, and nothing is done twice. A method of Python's `Tensor` is a line of a table ([`tensor`]) that
//! says what its arguments are called in Python and which method of the library it is.
//!
//! ```text
//! python/teenygrad/*.py   the original's modules and names: re-exports, and what has no business in Rust (DType objects, enums)
//!        │
//!        ▼
//! tensor/   the tables of methods          lazy, function   LazyBuffer, and Functions written in Python
//! optim, layers   optimizers and layers     state            safetensors
//!        │
//! args      Python's arguments as ours     guard            panics as exceptions, the interpreter's lock, Ctrl-C
//! memory    NumPy and DLPack                         viz              pictures for notebooks
//!        │
//!        ▼
//! the crate `teenygrad`
//! ```

// PyO3's attributes, inside of our tables, expand to calls of its own unsafe functions.
#![allow(unsafe_op_in_unsafe_fn)]

mod args;
mod function;
mod guard;
mod layers;
mod lazy;
mod memory;
mod optim;
mod state;
mod tensor;
mod viz;

use pyo3::prelude::*;

#[pymodule]
fn _teenygrad(module: &Bound<'_, PyModule>) -> PyResult<()> {
    guard::install();
    memory::register(module)?;
    tensor::register(module)?;
    lazy::register(module)?;
    function::register(module)?;
    layers::register(module)?;
    optim::register(module)?;
    state::register(module)?;
    viz::register(module)?;
    module.add_function(wrap_pyfunction!(args::register_dtypes, module)?)?;
    module.add_function(wrap_pyfunction!(args::dtype_table, module)?)?;
    module.add_function(wrap_pyfunction!(args::promote, module)?)?;
    module.add_function(wrap_pyfunction!(args::canonicalize, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
