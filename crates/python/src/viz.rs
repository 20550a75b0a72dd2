//! # viz: pictures in a notebook
//!
//! **In:** tensors. **Out:** [`PyPicture`]s, which Jupyter shows by themselves.

use crate::guard::{failure, guard};
use crate::tensor::PyTensor;
use pyo3::prelude::*;
use std::path::PathBuf;
use teenygrad::viz::{Graph, Picture};

/// A picture of a graph or of memory: SVG. A notebook shows it; elsewhere there are svg() and save(path).
///
/// >>> x = Tensor([2.0], requires_grad=True)
/// >>> "Mul" in (x * x).graph().svg()
/// True
#[pyclass(frozen, name = "Picture", module = "teenygrad.viz")]
pub struct PyPicture(Drawn);

/// What is drawn now, and what whenever it is looked at.
enum Drawn {
    Picture(Picture),
    Graph(Graph),
}

#[pymethods]
impl PyPicture {
    /// The picture as text.
    fn svg(&self) -> PyResult<String> {
        guard(|| match &self.0 {
            Drawn::Picture(picture) => picture.to_string(),
            Drawn::Graph(graph) => graph.svg(),
        })
    }
    /// For Jupyter.
    fn _repr_svg_(&self) -> PyResult<String> {
        self.svg()
    }
    /// Writes the picture to a file.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        guard(|| match &self.0 {
            Drawn::Picture(picture) => picture.save(path),
            Drawn::Graph(graph) => graph.save(path),
        })?
        .map_err(failure)
    }
}

#[pymethods]
impl PyTensor {
    /// The tensors and functions that this one came from, with their gradients as they are when the picture is looked at: take it before the
    /// backward, which frees the graph, and look at it after.
    fn graph(&self) -> PyResult<PyPicture> {
        guard(|| PyPicture(Drawn::Graph(self.0.graph())))
    }
    /// The nodes that would be computed for this tensor, and the views through which they look at each other.
    fn lazy_graph(&self) -> PyResult<PyPicture> {
        guard(|| PyPicture(Drawn::Picture(self.0.lazy_graph())))
    }
    /// The kernels that would run to compute this tensor, and the memory that they read and write.
    fn kernel_graph(&self) -> PyResult<PyPicture> {
        guard(|| PyPicture(Drawn::Picture(self.0.kernel_graph())))
    }
    /// How this tensor looks at memory: which cell each index leads to.
    fn memory_diagram(&self) -> PyResult<PyPicture> {
        guard(|| PyPicture(Drawn::Picture(self.0.memory_diagram())))
    }
}

/// Adds the class.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPicture>()
}
