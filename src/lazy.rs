//! # lazy: the graph that remembers what to compute
//!
//! **In:** ops from `mlops` and `tensor`. **Out:** a graph of [`Node`]s that [`crate::schedule`] turns into kernels when somebody asks
//! for a value. Nothing is computed here. **Above:** `mlops`. **Below:** `shape`, `ops`, `device`.
//!
//! A [`LazyBuffer`] is a node together with a way to look at it:
//!
//! ```text
//! LazyBuffer ─┬─ node: Arc<Node>       "an array of this shape and dtype: either memory, or an op on other LazyBuffers"
//!             └─ path: Option<Path>    the movements (reshape, remap) since then, and the view that they add up to
//! ```
//!
//! Why are movements kept as a *list* and not only as the view that they make? Because of fusion. If `y = (a + b).permute(…)` is used
//! by a kernel, then `a + b` need not exist: the kernel can compute `a.permute(…) + b.permute(…)`, as movement and element-wise
//! arithmetic commute. The list can be replayed on the views of `a` and `b`, whatever these are; a finished view of `a + b` could not.
//!
//! The nodes and their ops are in `node`, the movements in `movement`, what needs no node at all in `simplify`.
//!
//! Laws:
//! 1. A path's view exists: if the movements on a node cannot be one [`View`], the constructor puts a `Contiguous` node in between.
//!    That is the only place where movement costs a copy, and it is lazy too.
//! 2. A node is written once. Realizing turns its op and sources into memory and lets the sources go.
//! 3. What is known while building is folded: arithmetic on constants, `x + 0`, `x · 1`, movements of constants.
//! 4. Nothing here recurses: a chain of 100,000 ops is built and dropped with loops.
//!
//! Three ops go beyond the seed's list, because its compositions don't scale:
//! - **Gather**, an indexed load. The original multiplies by one-hot rows: an embedding of 50,000 rows costs 50,000 times too much.
//! - **Scatter**, its adjoint: adds values into place, in the order of their positions, hence the same on every run.
//! - **Scan**, running sums and maxima. The original sums windows that grow with the axis: n² work instead of n.

mod movement;
mod node;
mod simplify;

pub use node::{Node, Op, Sources, State};

use crate::device::{Buffer, Device};
use crate::dtype::{DType, Element, Scalar};
use crate::ops::{BinaryOps, LoadOps, ReduceOps, TernaryOps, UnaryOps};
use crate::shape::path::Path;
use crate::shape::view::{View, numel};
use std::fmt;
use std::sync::Arc;

/// A lazily computed array, seen through a view. Cloning makes another handle of the same node.
#[derive(Clone)]
pub struct LazyBuffer {
    node: Arc<Node>,
    path: Option<Arc<Path>>,
}

impl LazyBuffer {
    fn lazy(
        op: Op,
        sources: impl Into<Sources>,
        shape: impl Into<Arc<[usize]>>,
        dtype: DType,
        device: Device,
    ) -> LazyBuffer {
        let state = State::Lazy(op, sources.into());
        LazyBuffer {
            node: Node::new(shape.into(), dtype, device, state),
            path: None,
        }
    }

    // ---- Where arrays come from --------------------------------------

    /// The seed's `loadop`: an array without sources. `Rand` (here with the key 0) and `Const` (here 0) have parameters: see
    /// [`LazyBuffer::rand`] and [`LazyBuffer::full`]. Random numbers are float32 and positions int64, whatever `dtype` says.
    ///
    /// # Panics
    /// For `From` and `Contiguous`, which need a source, and `Custom`, which needs memory ([`LazyBuffer::from_buffer`]).
    pub fn loadop(op: LoadOps, shape: &[usize], dtype: DType, device: Device) -> LazyBuffer {
        let op = match op {
            LoadOps::Empty => Op::Empty,
            LoadOps::Rand => return LazyBuffer::rand(shape, [0, 0], device),
            LoadOps::Const => Op::Const(Scalar::Int(0).cast(dtype)),
            LoadOps::Iota => Op::Iota,
            LoadOps::Custom => panic!("loadop: Custom is memory that is there: use from_buffer"),
            LoadOps::From | LoadOps::Contiguous => {
                panic!("loadop: {op:?} needs a source: use copy_to_device or contiguous")
            }
        };
        let dtype = if op == Op::Iota { DType::Int64 } else { dtype };
        LazyBuffer::lazy(op, [], shape, dtype, device)
    }

    /// `value`, cast to `dtype`, everywhere.
    pub fn full(shape: &[usize], value: Scalar, dtype: DType, device: Device) -> LazyBuffer {
        LazyBuffer::lazy(Op::Const(value.cast(dtype)), [], shape, dtype, device)
    }

    /// 0, 1, 2, … in row-major order, as int64.
    pub fn iota(shape: &[usize], device: Device) -> LazyBuffer {
        LazyBuffer::loadop(LoadOps::Iota, shape, DType::Int64, device)
    }

    /// Uniform random numbers in [0, 1), a function of the key and of each element's position.
    pub fn rand(shape: &[usize], key: [u32; 2], device: Device) -> LazyBuffer {
        LazyBuffer::lazy(Op::Rand(key), [], shape, DType::Float32, device)
    }

    /// Memory that is there already.
    pub fn from_buffer(buffer: Arc<Buffer>, shape: &[usize]) -> LazyBuffer {
        assert_eq!(
            buffer.len(),
            numel(shape),
            "a buffer of as many elements as the shape has"
        );
        let (dtype, device) = (buffer.dtype(), buffer.device());
        LazyBuffer {
            node: Node::new(shape.into(), dtype, device, State::Realized(buffer)),
            path: None,
        }
    }

    /// The seed's `fromCPU`: a copy of a slice.
    pub fn from_cpu<T: Element>(data: &[T], shape: &[usize], device: Device) -> LazyBuffer {
        LazyBuffer::from_buffer(Arc::new(Buffer::from_slice(data, device)), shape)
    }

    // ---- What it is --------------------------------------------------

    /// The node, which other LazyBuffers may show in other ways.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }
    /// The whole node, without movement.
    pub fn base(&self) -> LazyBuffer {
        LazyBuffer {
            node: self.node.clone(),
            path: None,
        }
    }
    /// The movements since the node, if any.
    pub fn path(&self) -> Option<&Arc<Path>> {
        self.path.as_ref()
    }
    /// How this looks at the node's memory.
    pub fn view(&self) -> View {
        match &self.path {
            Some(path) => path.view().clone(),
            None => View::contiguous(&self.node.shape),
        }
    }
    /// Elements along each axis.
    pub fn shape(&self) -> &[usize] {
        match &self.path {
            Some(path) => &path.view().shape,
            None => &self.node.shape,
        }
    }
    /// The shape, for a node that has the same.
    fn shared_shape(&self) -> Arc<[usize]> {
        match &self.path {
            Some(path) => path.view().shape.as_slice().into(),
            None => self.node.shape.clone(),
        }
    }
    /// The number of elements.
    pub fn numel(&self) -> usize {
        numel(self.shape())
    }
    /// Type of the elements.
    pub fn dtype(&self) -> DType {
        self.node.dtype
    }
    /// Where it lives.
    pub fn device(&self) -> Device {
        self.node.device
    }
    /// The node's memory, if it has been computed (and is not being computed by another thread right now).
    pub fn realized(&self) -> Option<Arc<Buffer>> {
        match &*self.node.read() {
            State::Realized(buffer) => buffer.is_written().then(|| buffer.clone()),
            State::Lazy(..) => None,
        }
    }
    /// The kernels that would run to realize this: for looking at, nothing is computed.
    pub fn schedule(&self) -> crate::schedule::Plan {
        crate::schedule::plan(std::slice::from_ref(self))
    }

    /// The number that every element is, if that is known without computing.
    pub fn as_const(&self) -> Option<Scalar> {
        if !self.node.began_constant {
            return None;
        }
        match &*self.node.read() {
            State::Lazy(Op::Const(value), _) if self.path.is_none() => Some(*value),
            State::Lazy(..) | State::Realized(_) => None,
        }
    }
    /// The seed's name for [`LazyBuffer::as_const`] being something.
    pub fn is_unrealized_contiguous_const(&self) -> bool {
        self.as_const().is_some()
    }

    // ---- Element-wise ------------------------------------------------

    /// A constant of this one's shape, dtype and device: what a number becomes when it meets an array.
    #[must_use]
    pub fn const_like(&self, value: impl Into<Scalar>) -> LazyBuffer {
        LazyBuffer::full(self.shape(), value.into(), self.dtype(), self.device())
    }

    /// Applies an op element by element to `self` and `others`, all of one shape and device.
    ///
    /// # Panics
    /// If shapes, dtypes or devices differ: `tensor` has broadcast and cast before it gets here.
    pub fn e(&self, op: impl Into<Op>, others: &[&LazyBuffer]) -> LazyBuffer {
        let op = op.into();
        for other in others {
            assert_eq!(self.shape(), other.shape(), "{op:?}: shapes must be equal");
            assert_eq!(
                self.device(),
                other.device(),
                "{op:?}: devices must be equal"
            );
        }
        let dtype = match (&op, others) {
            (Op::Unary(op), []) => op.result(self.dtype()),
            (Op::Binary(op), [b]) => {
                assert_eq!(self.dtype(), b.dtype(), "{op:?}: dtypes must be equal");
                assert!(
                    !(op.is_bitwise() && self.dtype().is_float()),
                    "{op:?}: {} has no bits to work on",
                    self.dtype()
                );
                op.result(self.dtype())
            }
            (Op::Ternary(op), [b, c]) => {
                assert_eq!(b.dtype(), c.dtype(), "{op:?}: dtypes must be equal");
                b.dtype()
            }
            _ => panic!(
                "{op:?} is no element-wise op of {} operands",
                others.len() + 1
            ),
        };
        if let Some(simpler) = self.simplify(&op, others) {
            return simpler;
        }
        let sources = Sources([
            Some(self.clone()),
            others.first().map(|&other| other.clone()),
            others.get(1).map(|&other| other.clone()),
        ]);
        LazyBuffer::lazy(op, sources, self.shared_shape(), dtype, self.device())
    }

    /// As another dtype; with `bitcast` the same bits read anew.
    #[must_use]
    pub fn cast(&self, dtype: DType, bitcast: bool) -> LazyBuffer {
        self.e(
            if bitcast {
                UnaryOps::Bitcast(dtype)
            } else {
                UnaryOps::Cast(dtype)
            },
            &[],
        )
    }

    // ---- Reduce, scan, gather ----------------------------------------

    /// The seed's `r`: reduces along axes, which stay with size 1. No axes: nothing to do.
    pub fn r(&self, op: ReduceOps, axes: &[usize]) -> LazyBuffer {
        let mut shape = self.shape().to_vec();
        let axes: Vec<usize> = axes
            .iter()
            .copied()
            .filter(|&axis| shape[axis] != 1)
            .collect();
        if axes.is_empty() {
            return self.clone();
        }
        let length: usize = axes.iter().map(|&axis| shape[axis]).product();
        for &axis in &axes {
            shape[axis] = 1;
        }
        if let Some(value) = self.as_const() {
            // Law 3: n equal numbers sum to n of them, and the largest of them is any.
            let value = match op {
                _ if length == 0 => op.identity(self.dtype()),
                ReduceOps::Max => value,
                ReduceOps::Sum => {
                    BinaryOps::Mul.eval(value, Scalar::Int(length as i128), self.dtype())
                }
            };
            return LazyBuffer::full(&shape, value, self.dtype(), self.device());
        }
        LazyBuffer::lazy(
            Op::Reduce(op, axes),
            [self.clone()],
            shape,
            self.dtype(),
            self.device(),
        )
    }

    /// Running reduction along one axis: `out[i] = x[0] ∘ … ∘ x[i]`.
    pub fn scan(&self, op: ReduceOps, axis: usize) -> LazyBuffer {
        if self.shape()[axis] <= 1 {
            return self.clone();
        }
        LazyBuffer::lazy(
            Op::Scan(op, axis),
            [self.clone()],
            self.shared_shape(),
            self.dtype(),
            self.device(),
        )
    }

    /// `out[…, i, …] = self[…, index[…, i, …], …]`. `index` is int64 and has self's shape but along `axis`. Outside is 0.
    pub fn gather(&self, index: &LazyBuffer, axis: usize) -> LazyBuffer {
        assert_eq!(index.dtype(), DType::Int64, "gather: the index is int64");
        assert!(
            same_but(self.shape(), index.shape(), axis),
            "gather: shapes equal but for axis {axis}"
        );
        // An address is computed from the index: padding zeros have none.
        let has_bounds = self
            .path
            .as_ref()
            .is_some_and(|path| !path.view().bounds.is_empty());
        let table = if has_bounds {
            self.contiguous()
        } else {
            self.clone()
        };
        let shape = index.shared_shape();
        LazyBuffer::lazy(
            Op::Gather(axis),
            [table, index.clone()],
            shape,
            self.dtype(),
            self.device(),
        )
    }

    /// The adjoint of gather: zeros with `size` places along `axis`, to which each element of `self` is added at its index.
    pub fn scatter(&self, index: &LazyBuffer, axis: usize, size: usize) -> LazyBuffer {
        assert_eq!(index.dtype(), DType::Int64, "scatter: the index is int64");
        assert_eq!(
            self.shape(),
            index.shape(),
            "scatter: one index for each value"
        );
        let mut shape = self.shape().to_vec();
        let alone = std::mem::replace(&mut shape[axis], size) == 1;
        if alone {
            return self.placed(index, axis, &shape);
        }
        LazyBuffer::lazy(
            Op::Scatter(axis),
            [self.clone(), index.clone()],
            shape,
            self.dtype(),
            self.device(),
        )
    }

    /// A scatter of one element for each line: nothing is added to anything, so each place asks whether it is the one. That fuses, as a
    /// scatter does not: the gradient of a classifier's labels never becomes memory.
    fn placed(&self, index: &LazyBuffer, axis: usize, shape: &[usize]) -> LazyBuffer {
        let mut line = vec![1; shape.len()];
        line[axis] = shape[axis];
        let places = LazyBuffer::iota(&line, self.device()).expand(shape);
        let zeros = LazyBuffer::full(shape, 0.into(), self.dtype(), self.device());
        let elsewhere = places.e(BinaryOps::Cmpne, &[&index.expand(shape)]);
        elsewhere.e(TernaryOps::Where, &[&zeros, &self.expand(shape)])
    }

    // ---- Memory ------------------------------------------------------

    /// The same elements lying in memory in row-major order; itself if they do already.
    #[must_use]
    pub fn contiguous(&self) -> LazyBuffer {
        let in_order = match &self.path {
            None => true,
            Some(path) => {
                path.view().is_contiguous() && path.view().numel() == numel(&self.node.shape)
            }
        };
        if in_order && self.base().as_const().is_none() {
            return self.clone();
        }
        LazyBuffer::lazy(
            Op::Contiguous,
            [self.clone()],
            self.shared_shape(),
            self.dtype(),
            self.device(),
        )
    }

    /// The same elements on another device.
    #[must_use]
    pub fn copy_to_device(&self, device: Device) -> LazyBuffer {
        if device == self.device() {
            return self.clone();
        }
        if let Some(value) = self.as_const() {
            return LazyBuffer::full(self.shape(), value, self.dtype(), device);
        }
        // The copy moves a node's whole memory; a view must first be made of only what it shows.
        LazyBuffer::lazy(
            Op::From,
            [self.contiguous()],
            self.shared_shape(),
            self.dtype(),
            device,
        )
    }
}

/// Whether two shapes are equal in all axes but one.
fn same_but(a: &[usize], b: &[usize], axis: usize) -> bool {
    a.len() == b.len() && (0..a.len()).all(|i| i == axis || a[i] == b[i])
}

impl fmt::Debug for LazyBuffer {
    /// `<LazyBuffer float32 [2, 3] Binary(Add)>`
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "<LazyBuffer {} {:?} ", self.dtype(), self.shape())?;
        match &*self.node.read() {
            State::Lazy(op, _) => write!(f, "{op:?}>"),
            State::Realized(_) => write!(f, "realized on {}>", self.device()),
        }
    }
}
