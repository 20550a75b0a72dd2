//! # lazy/node: the arrays of the graph
//!
//! **In:** an op and its sources, or memory. **Out:** a [`Node`], which is the one until it is realized, and the other from then on.
//! **Above:** `lazy`, whose buffers are ways to look at nodes.

use super::LazyBuffer;
use crate::device::{Buffer, Device};
use crate::dtype::{DType, Scalar};
use crate::ops::{BinaryOps, ReduceOps, TernaryOps, UnaryOps};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

/// What a node computes from its sources.
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// one number everywhere (`LoadOps::Const`)
    Const(Scalar),
    /// the element's position, as int64 (`LoadOps::Iota`)
    Iota,
    /// uniform random float32 in [0, 1), from a key and the element's position (`LoadOps::Rand`)
    Rand([u32; 2]),
    /// memory without a meaning yet (`LoadOps::Empty`)
    Empty,
    /// the source, written out in order (`LoadOps::Contiguous`)
    Contiguous,
    /// the source, from another device (`LoadOps::From`)
    From,
    /// one operand, element by element
    Unary(UnaryOps),
    /// two operands
    Binary(BinaryOps),
    /// three operands
    Ternary(TernaryOps),
    /// along these axes, which stay with size 1
    Reduce(ReduceOps, Vec<usize>),
    /// sources x and index: `out[…, i, …] = x[…, index[…, i, …], …]` along this axis; 0 where the index is outside
    Gather(usize),
    /// sources values and index, the adjoint: `out[…, index[…, i, …], …] += values[…, i, …]`; indices outside are dropped
    Scatter(usize),
    /// running reduction along this axis
    Scan(ReduceOps, usize),
}

impl From<UnaryOps> for Op {
    fn from(op: UnaryOps) -> Op {
        Op::Unary(op)
    }
}
impl From<BinaryOps> for Op {
    fn from(op: BinaryOps) -> Op {
        Op::Binary(op)
    }
}
impl From<TernaryOps> for Op {
    fn from(op: TernaryOps) -> Op {
        Op::Ternary(op)
    }
}

/// What an op is computed from: at most three, kept in the node itself, as a vector for each node would cost as much as the node.
#[derive(Clone, Default)]
pub struct Sources(pub(super) [Option<LazyBuffer>; 3]);

impl Sources {
    /// The first, the second, the third, as far as there are so many.
    pub fn iter(&self) -> impl Iterator<Item = &LazyBuffer> {
        self.0.iter().flatten()
    }
}

impl<const N: usize> From<[LazyBuffer; N]> for Sources {
    fn from(sources: [LazyBuffer; N]) -> Sources {
        let mut slots = Sources::default();
        for (slot, source) in slots.0.iter_mut().zip(sources) {
            *slot = Some(source);
        }
        slots
    }
}

/// What a node is at the moment: a plan, or memory.
#[derive(Clone)]
pub enum State {
    /// to be computed from these
    Lazy(Op, Sources),
    /// computed (or given)
    Realized(Arc<Buffer>),
}

/// One array of the graph: shape and dtype are fixed, the [`State`] changes once, from lazy to realized.
pub struct Node {
    id: u64,
    /// shared with the nodes that were computed element by element from this one
    pub(super) shape: Arc<[usize]>,
    pub(super) dtype: DType,
    pub(super) device: Device,
    /// whether it began as a constant; most nodes did not, and are spared the look behind the lock
    pub(super) began_constant: bool,
    state: RwLock<State>,
    /// the last snapshot that came by, and the number that it gave this node: see [`crate::schedule::graph`]
    snapshot: AtomicU64,
    number: AtomicUsize,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl Node {
    pub(super) fn new(
        shape: Arc<[usize]>,
        dtype: DType,
        device: Device,
        state: State,
    ) -> Arc<Node> {
        Arc::new(Node {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            shape,
            dtype,
            device,
            began_constant: matches!(state, State::Lazy(Op::Const(_), _)),
            state: RwLock::new(state),
            snapshot: AtomicU64::new(0),
            number: AtomicUsize::new(0),
        })
    }

    /// A number that no other node of this process has.
    pub fn id(&self) -> u64 {
        self.id
    }
    /// Elements along each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
    /// Type of the elements.
    pub fn dtype(&self) -> DType {
        self.dtype
    }
    /// Where it is, or will be, computed.
    pub fn device(&self) -> Device {
        self.device
    }
    /// A snapshot: cheap, as it clones handles.
    pub fn state(&self) -> State {
        self.read().clone()
    }

    /// The number that a snapshot has given to this node, if it has been here. Snapshots count from 1.
    pub(crate) fn number_in(&self, snapshot: u64) -> Option<usize> {
        (self.snapshot.load(Ordering::Relaxed) == snapshot)
            .then(|| self.number.load(Ordering::Relaxed))
    }
    /// Gives it one. Only one snapshot is taken at a time, under a lock, which orders what is written here.
    pub(crate) fn set_number(&self, snapshot: u64, number: usize) {
        self.number.store(number, Ordering::Relaxed);
        self.snapshot.store(snapshot, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// From plan to memory. The old sources are let go after the lock is released, since that may free a large graph.
    pub(crate) fn set_realized(&self, buffer: Arc<Buffer>) {
        let mut guard = self
            .state
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let old = std::mem::replace(&mut *guard, State::Realized(buffer));
        drop(guard);
        drop(old);
    }
}

impl Drop for Node {
    /// Without this, dropping the last node of a long chain would recurse once for each link and overflow the stack.
    fn drop(&mut self) {
        let mut pending = Vec::new();
        pending.extend(take_sources(self));
        while let Some(source) = pending.pop() {
            if let Some(mut node) = Arc::into_inner(source.node) {
                pending.extend(take_sources(&mut node));
            }
        }
    }
}

fn take_sources(node: &mut Node) -> impl Iterator<Item = LazyBuffer> + use<> {
    let sources = match node
        .state
        .get_mut()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
    {
        State::Lazy(_, sources) => std::mem::take(sources),
        State::Realized(_) => Sources::default(),
    };
    sources.0.into_iter().flatten()
}
