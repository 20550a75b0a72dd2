//! # viz: pictures of what happens
//!
//! **In:** a tensor. **Out:** a [`Picture`]: SVG that any browser shows, light or dark as the reader likes it; no other program is needed.
//! **Below:** everything that is drawn: `tensor::autograd`, `lazy`, `schedule`, `shape`.
//!
//! | ask for | and see |
//! |---|---|
//! | [`Tensor::graph`] | the tensors and functions that this one came from, and their gradients |
//! | [`Tensor::lazy_graph`] | the nodes that would be computed, and the views between them |
//! | [`Tensor::kernel_graph`] | the kernels that they become, and the memory between these |
//! | [`Tensor::memory_diagram`] | which cell of memory each index leads to |
//! | `VIZ=folder` in the environment | the first three for whatever a program does: [`watch`] |
//!
//! ```
//! use teenygrad::Tensor;
//! let x = Tensor::from([1.0, -2.0]).requires_grad(true);
//! let loss = (&x * 3.0).relu().sum(());
//! let graph = loss.graph();                    // before the backward, which frees what it walks
//! loss.backward();
//! let svg = graph.svg();                       // gradients and values as they are now
//! assert!(svg.contains("Mul(·, 3)") && svg.contains("gradient"));
//! ```
//!
//! Files: [`svg`] is the style that all pictures share, [`layout`] where boxes go, [`diagram`] boxes and a legend, `graphs` what stands in
//! the boxes, `memory` cells of memory, [`watch`] files as a program runs.
//!
//! Laws:
//! 1. Nothing is computed for a picture, and nothing changes by being drawn.
//! 2. The same graph gives the same picture, letter for letter.
//! 3. No recursion, and at most some thousand boxes: graphs of any depth can be drawn.

pub mod diagram;
mod graphs;
pub mod layout;
mod memory;
pub mod svg;
pub mod watch;

use crate::Tensor;
use crate::error::Result;
use crate::nn::files;
use crate::schedule;
use crate::schedule::graph::Graph as LazyGraph;
use crate::shape::view::View;
use diagram::Diagram;
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

/// A picture: SVG text.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture(String);

impl Picture {
    /// A graph, laid out.
    pub fn of(diagram: Diagram) -> Picture {
        Picture(diagram.svg())
    }

    /// How a view looks at memory that lies in row-major order of the shape `base`.
    pub fn of_view(view: &View, base: &[usize]) -> Picture {
        Picture(memory::svg(view, base))
    }

    /// The text of the file.
    pub fn svg(&self) -> &str {
        &self.0
    }

    /// Writes the file, or leaves what was there as it was.
    ///
    /// # Errors
    /// If it can't be written: see [`crate::nn::files`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        files::write(path, self.0.as_bytes())
    }
}

impl fmt::Display for Picture {
    /// The text of the file.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "<Picture of {} bytes>", self.0.len())
    }
}

/// The autograd graph behind a tensor: which functions it came from, through which tensors. It stays drawable after a backward has freed the
/// graph itself, and shows the gradients that are there when it is drawn.
#[derive(Clone)]
pub struct Graph {
    /// what each was made of comes before it; the tensor that was asked for is the last
    pub(crate) tensors: Vec<Made>,
}

/// A tensor and how it was made.
#[derive(Clone)]
pub(crate) struct Made {
    pub tensor: Tensor,
    pub function: Option<&'static str>,
    pub parents: Vec<Tensor>,
}

impl Graph {
    pub(crate) fn of(tensor: &Tensor) -> Graph {
        let mut tensors: Vec<Made> = Vec::new();
        let mut seen = HashSet::new();
        let order = tensor.deepwalk();
        for tensor in order.iter().chain([tensor]) {
            let (function, parents) = match tensor.made_by() {
                Some((name, parents)) => (Some(name), parents),
                None => (None, Vec::new()),
            };
            let leaves = parents.iter().filter(|parent| parent.made_by().is_none());
            let leaf = |tensor: &Tensor| Made {
                tensor: tensor.clone(),
                function: None,
                parents: Vec::new(),
            };
            tensors.extend(leaves.filter(|leaf| seen.insert(leaf.id())).map(leaf));
            if seen.insert(tensor.id()) {
                tensors.push(Made {
                    tensor: tensor.clone(),
                    function,
                    parents,
                });
            }
        }
        Graph { tensors }
    }

    /// The picture, with values and gradients as they are now.
    pub fn picture(&self) -> Picture {
        Picture::of(graphs::autograd(self))
    }

    /// The text of the [`picture`](Graph::picture).
    pub fn svg(&self) -> String {
        self.picture().0
    }

    /// Writes the [`picture`](Graph::picture) to a file.
    ///
    /// # Errors
    /// As [`Picture::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.picture().save(path)
    }
}

impl Tensor {
    // ---- Pictures ----------------------------------------------------

    /// The tensors and functions that this one came from. Draw it with [`Graph::svg`] or [`Graph::save`], also after a backward, which frees
    /// the graph itself.
    /// ```
    /// # use teenygrad::Tensor;
    /// let w = Tensor::from([0.5]).requires_grad(true);
    /// let svg = (w.exp() - 1.0).graph().svg();
    /// assert!(svg.contains("parameter") && svg.contains("Sub(·, 1)"));
    /// ```
    pub fn graph(&self) -> Graph {
        Graph::of(self)
    }

    /// The nodes that would be computed for this tensor, down to memory, and the views through which they look at each other.
    /// ```
    /// # use teenygrad::Tensor;
    /// let svg = Tensor::ones([2, 3]).contiguous().t().sum(0).lazy_graph().to_string();
    /// assert!(svg.contains("permute") && svg.contains("Sum axes"));
    /// ```
    pub fn lazy_graph(&self) -> Picture {
        let lazydata = [self.lazydata()];
        Picture::of(graphs::lazy(&LazyGraph::of(&lazydata), &lazydata))
    }

    /// The kernels that would run to compute this tensor, and the memory that they read and write. Nothing runs.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::rand([8, 16]).realize();
    /// assert!(x.matmul(x.t()).relu().kernel_graph().svg().contains("1 kernel of"));
    /// ```
    pub fn kernel_graph(&self) -> Picture {
        let graph = LazyGraph::of(&[self.lazydata()]);
        Picture::of(graphs::kernels(&graph, &schedule::plan_of(&graph)))
    }

    /// How this tensor looks at the memory of its node: cells of memory, cells of the view, strides as arrows, padding.
    /// ```
    /// # use teenygrad::Tensor;
    /// let svg = Tensor::arange(6).reshape([2, 3]).t().memory_diagram().to_string();
    /// assert!(svg.contains("address = i0 + 3·i1"));
    /// ```
    pub fn memory_diagram(&self) -> Picture {
        let lazydata = self.lazydata();
        Picture::of_view(&lazydata.view(), lazydata.base().shape())
    }
}
