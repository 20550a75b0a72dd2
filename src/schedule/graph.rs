//! # schedule/graph: a snapshot of what is to be computed
//!
//! **In:** lazy buffers. **Out:** a [`Snapshot`]: every node behind them down to memory and constants, in an order with sources first,
//! numbered from 0, with a fingerprint. If no plan is known for the fingerprint, a [`Graph`]: the same with edges in both directions, as
//! tables. Numbers instead of pointers make the decisions that follow simple.
//!
//! The fingerprint is a hash of all that a plan depends on: ops, shapes, dtypes, movements, who uses whom. It leaves out the values of
//! constants, the keys of random numbers and the addresses of memory, which change from one training step to the next.
//!
//! A training step takes a snapshot each time and a graph only the first time, so the snapshot is what must be quick: each
//! node remembers by itself which number it has been given, and nothing is copied but a handle.
//!
//! Law: whoever takes a snapshot or turns nodes into memory is [`Alone`]. So nodes stay as they are while a snapshot of them is in use, and
//! the numbers that they remember are the latest snapshot's.

use crate::device::Buffer;
use crate::dtype::Scalar;
use crate::lazy::{LazyBuffer, Node, Op, State};
use crate::shape::fingerprint::Fingerprint;
use crate::shape::path::{Move, Path};
use crate::shape::view::{View, numel};
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

/// The right to take snapshots and to realize: one thread at a time has it.
pub struct Alone(MutexGuard<'static, u64>);

impl Alone {
    /// Waits until no other thread has it.
    pub fn wait() -> Alone {
        /// How many snapshots there have been.
        static SNAPSHOTS: Mutex<u64> = Mutex::new(0);
        Alone(
            SNAPSHOTS
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
        )
    }
}

/// All nodes behind some targets.
pub struct Snapshot {
    /// sources first
    pub nodes: Vec<Arc<Node>>,
    /// the numbers of the nodes that were asked for (those that are not memory or constants already)
    pub targets: Vec<usize>,
    /// equal for graphs that one plan serves
    pub fingerprint: u128,
    /// which snapshot this is
    snapshot: u64,
}

/// One node of the graph.
pub struct GraphNode {
    /// the node of the lazy graph
    pub node: Arc<Node>,
    /// what it computes, or the memory that it is
    pub kind: Kind,
    sources: Range<usize>,
    uses: Range<usize>,
}

/// A node is memory, or to be computed.
pub enum Kind {
    /// realized
    Leaf(Arc<Buffer>),
    /// an op on the sources
    Op(Op),
}

/// A source: another node, seen through movements.
#[derive(Clone)]
pub struct Edge {
    /// number of the node
    pub index: usize,
    /// the movements, if any
    pub path: Option<Arc<Path>>,
}

/// The snapshot as tables. All nodes' edges lie in one vector, and so do the same edges seen from their other end: two vectors for each
/// node would take longer to make than all that is decided with them.
pub struct Graph {
    /// sources first
    pub nodes: Vec<GraphNode>,
    /// the numbers of the nodes that were asked for
    pub targets: Vec<usize>,
    /// those of each node one after the other
    edges: Vec<Edge>,
    uses: Vec<(usize, usize)>,
}

impl GraphNode {
    /// The op of a node that is not memory yet.
    pub fn op(&self) -> Option<&Op> {
        match &self.kind {
            Kind::Leaf(_) => None,
            Kind::Op(op) => Some(op),
        }
    }
    /// Elements along each axis.
    pub fn shape(&self) -> &[usize] {
        self.node.shape()
    }
    /// The number of elements.
    pub fn numel(&self) -> usize {
        numel(self.node.shape())
    }
    /// The number everywhere, for a constant.
    pub fn constant(&self) -> Option<Scalar> {
        match self.kind {
            Kind::Op(Op::Const(value)) => Some(value),
            Kind::Op(_) | Kind::Leaf(_) => None,
        }
    }
}

impl Edge {
    /// The movements as a slice.
    pub fn moves(&self) -> &[Move] {
        self.path.as_ref().map_or(&[], |path| path.moves())
    }
    /// How the source's memory is seen through the edge.
    pub fn view(&self, graph: &Graph) -> View {
        match &self.path {
            Some(path) => path.view().clone(),
            None => View::contiguous(graph.nodes[self.index].shape()),
        }
    }
    /// The number of elements that come through.
    pub fn numel(&self, graph: &Graph) -> usize {
        self.path.as_ref().map_or_else(
            || graph.nodes[self.index].numel(),
            |path| path.view().numel(),
        )
    }
}

impl Snapshot {
    /// Everything behind the targets that is not memory yet, and the memory that it rests on.
    pub fn take(alone: &mut Alone, targets: &[LazyBuffer]) -> Snapshot {
        *alone.0 += 1;
        let snapshot = *alone.0;
        let mut nodes: Vec<Arc<Node>> = Vec::new();
        let mut fingerprint = Fingerprint::default();
        // Depth first with a stack of our own (law: no recursion): a node stays under its sources and is numbered after them.
        let mut stack: Vec<(Arc<Node>, bool)> = targets
            .iter()
            .rev()
            .map(|target| (target.node().clone(), false))
            .collect();
        while let Some((node, sources_done)) = stack.last_mut() {
            if node.number_in(snapshot).is_some() {
                stack.pop();
            } else if *sources_done {
                describe(node, snapshot, &mut fingerprint);
                node.set_number(snapshot, nodes.len());
                nodes.extend(stack.pop().map(|(node, _)| node));
            } else {
                *sources_done = true;
                let mut sources: [Option<Arc<Node>>; 3] = [None, None, None];
                if let State::Lazy(_, lazy) = &*node.read() {
                    for (slot, source) in sources.iter_mut().zip(lazy.iter()) {
                        if source.node().number_in(snapshot).is_none() {
                            *slot = Some(source.node().clone());
                        }
                    }
                }
                let sources = sources.into_iter().rev().flatten();
                stack.extend(sources.map(|source| (source, false)));
            }
        }
        let mut wanted: Vec<usize> = Vec::new();
        for target in targets {
            let node = target.node();
            let number = node.number_in(snapshot).expect("targets are numbered");
            let done = match &*node.read() {
                State::Realized(_) | State::Lazy(Op::Const(_), _) => true,
                State::Lazy(..) => false,
            };
            if !done && !wanted.contains(&number) {
                wanted.push(number);
            }
        }
        wanted.hash(&mut fingerprint);
        Snapshot {
            nodes,
            targets: wanted,
            fingerprint: fingerprint.bits(),
            snapshot,
        }
    }
}

impl Graph {
    /// The tables of a snapshot that was just taken.
    pub fn new(snapshot: &Snapshot) -> Graph {
        let mut nodes: Vec<GraphNode> = Vec::with_capacity(snapshot.nodes.len());
        let mut edges: Vec<Edge> = Vec::with_capacity(2 * snapshot.nodes.len());
        for node in &snapshot.nodes {
            let first = edges.len();
            let kind = match &*node.read() {
                State::Realized(buffer) => Kind::Leaf(buffer.clone()),
                State::Lazy(op, sources) => {
                    edges.extend(sources.iter().map(|source| Edge {
                        index: number(source, snapshot.snapshot),
                        path: source.path().cloned(),
                    }));
                    Kind::Op(op.clone())
                }
            };
            nodes.push(GraphNode {
                node: node.clone(),
                kind,
                sources: first..edges.len(),
                uses: 0..0,
            });
        }
        // The edges in the order of their sources: first how many each has, then where each one's begin.
        edges
            .iter()
            .for_each(|edge| nodes[edge.index].uses.end += 1);
        let mut begin = 0;
        for node in &mut nodes {
            let count = node.uses.end;
            node.uses = begin..begin;
            begin += count;
        }
        let mut uses = vec![(0, 0); begin];
        for user in 0..nodes.len() {
            for (position, at) in nodes[user].sources.clone().enumerate() {
                let end = &mut nodes[edges[at].index].uses.end;
                uses[*end] = (user, position);
                *end += 1;
            }
        }
        Graph {
            nodes,
            targets: snapshot.targets.clone(),
            edges,
            uses,
        }
    }

    /// What a node is computed from.
    pub fn sources(&self, node: usize) -> &[Edge] {
        &self.edges[self.nodes[node].sources.clone()]
    }
    /// Who uses a node: (node, which of its sources).
    pub fn uses(&self, node: usize) -> &[(usize, usize)] {
        &self.uses[self.nodes[node].uses.clone()]
    }

    /// The graph behind some targets, for looking at.
    pub fn of(targets: &[LazyBuffer]) -> Graph {
        Graph::new(&Snapshot::take(&mut Alone::wait(), targets))
    }
}

fn number(source: &LazyBuffer, snapshot: u64) -> usize {
    let number = source.node().number_in(snapshot);
    number.expect("sources are numbered before what uses them")
}

/// What a plan depends on in one node.
fn describe(node: &Node, snapshot: u64, fingerprint: &mut Fingerprint) {
    node.shape().hash(fingerprint);
    (node.dtype(), node.device()).hash(fingerprint);
    let state = node.read();
    let State::Lazy(op, sources) = &*state else {
        return 0u8.hash(fingerprint);
    };
    1u8.hash(fingerprint);
    std::mem::discriminant(op).hash(fingerprint);
    match op {
        Op::Const(_) | Op::Rand(_) | Op::Iota | Op::Empty | Op::Contiguous | Op::From => {}
        Op::Unary(op) => op.hash(fingerprint),
        Op::Binary(op) => op.hash(fingerprint),
        Op::Ternary(op) => op.hash(fingerprint),
        Op::Reduce(op, axes) => (op, axes).hash(fingerprint),
        Op::Gather(axis) | Op::Scatter(axis) => axis.hash(fingerprint),
        Op::Scan(op, axis) => (op, axis).hash(fingerprint),
    }
    for source in sources.iter() {
        fingerprint.write_usize(number(source, snapshot));
        match source.path() {
            Some(path) => path.fingerprint().hash(fingerprint),
            None => 0u8.hash(fingerprint),
        }
    }
}
