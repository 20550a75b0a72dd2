//! # schedule/graph: a snapshot of what is to be computed
//!
//! **In:** lazy buffers. **Out:** a [`Graph`]: every node behind them down to memory and constants, in an order with sources first,
//! numbered from 0. Numbers instead of pointers make the decisions that follow simple tables.
//!
//! The fingerprint is a hash of all that a plan depends on: ops, shapes, dtypes, movements, who uses whom. It leaves out the values of
//! constants, the keys of random numbers and the addresses of memory, which change from one training step to the next.

use crate::device::Buffer;
use crate::dtype::Scalar;
use crate::lazy::{LazyBuffer, Node, Op, State};
use crate::shape::path::{Move, Path};
use crate::shape::view::{View, numel};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// One node of the snapshot.
pub struct GraphNode {
    /// the node of the lazy graph
    pub node: Arc<Node>,
    /// what it computes, or the memory that it is
    pub kind: Kind,
    /// what it is computed from
    pub sources: Vec<Edge>,
    /// who uses it: (node, which of its sources)
    pub uses: Vec<(usize, usize)>,
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

/// The snapshot.
pub struct Graph {
    /// sources first
    pub nodes: Vec<GraphNode>,
    /// the numbers of the nodes that were asked for (those that are not memory or constants already)
    pub targets: Vec<usize>,
    /// equal for graphs that one plan serves
    pub fingerprint: u128,
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

impl Graph {
    /// Everything behind the targets that is not memory yet, and the memory that it rests on.
    pub fn snapshot(targets: &[LazyBuffer]) -> Graph {
        let mut numbers: HashMap<*const Node, usize> = HashMap::new();
        let mut nodes: Vec<GraphNode> = Vec::new();
        // Depth first with a stack of our own (law: no recursion): a node goes back under its sources and is numbered after them.
        let mut stack: Vec<(Arc<Node>, Option<State>)> = targets
            .iter()
            .rev()
            .map(|t| (t.node().clone(), None))
            .collect();
        while let Some((node, state)) = stack.pop() {
            if numbers.contains_key(&Arc::as_ptr(&node)) {
                continue;
            }
            match state {
                None => {
                    let state = node.state();
                    let sources: Vec<Arc<Node>> = match &state {
                        State::Lazy(_, sources) => sources
                            .iter()
                            .rev()
                            .map(|source| source.node().clone())
                            .collect(),
                        State::Realized(_) => Vec::new(),
                    };
                    stack.push((node, Some(state)));
                    stack.extend(
                        sources
                            .into_iter()
                            .filter(|s| !numbers.contains_key(&Arc::as_ptr(s)))
                            .map(|s| (s, None)),
                    );
                }
                Some(state) => {
                    let index = nodes.len();
                    numbers.insert(Arc::as_ptr(&node), index);
                    let (kind, sources) = match state {
                        State::Realized(buffer) => (Kind::Leaf(buffer), Vec::new()),
                        State::Lazy(op, sources) => {
                            let edge = |s: &LazyBuffer| Edge {
                                index: numbers[&Arc::as_ptr(s.node())],
                                path: s.path().cloned(),
                            };
                            (Kind::Op(op), sources.iter().map(edge).collect())
                        }
                    };
                    for (position, Edge { index: source, .. }) in sources.iter().enumerate() {
                        nodes[*source].uses.push((index, position));
                    }
                    nodes.push(GraphNode {
                        node,
                        kind,
                        sources,
                        uses: Vec::new(),
                    });
                }
            }
        }
        let mut wanted: Vec<usize> = Vec::new();
        for target in targets {
            let index = numbers[&Arc::as_ptr(target.node())];
            if nodes[index].op().is_some()
                && nodes[index].constant().is_none()
                && !wanted.contains(&index)
            {
                wanted.push(index);
            }
        }
        let fingerprint = fingerprint(&nodes, &wanted);
        Graph {
            nodes,
            targets: wanted,
            fingerprint,
        }
    }
}

fn fingerprint(nodes: &[GraphNode], targets: &[usize]) -> u128 {
    // Two 64-bit hashes of the same words, differently started, make an accidental equality of two structures unthinkable.
    let mut hashers = [DefaultHasher::new(), DefaultHasher::new()];
    hashers[1].write_u64(0x9E37_79B9_7F4A_7C15);
    for hasher in &mut hashers {
        targets.hash(hasher);
        for node in nodes {
            node.shape().hash(hasher);
            (node.node.dtype(), node.node.device()).hash(hasher);
            match &node.kind {
                Kind::Leaf(_) => 0u8.hash(hasher),
                Kind::Op(op) => {
                    std::mem::discriminant(op).hash(hasher);
                    match op {
                        Op::Const(_)
                        | Op::Rand(_)
                        | Op::Iota
                        | Op::Empty
                        | Op::Contiguous
                        | Op::From => {}
                        Op::Unary(op) => op.hash(hasher),
                        Op::Binary(op) => op.hash(hasher),
                        Op::Ternary(op) => op.hash(hasher),
                        Op::Reduce(op, axes) => (op, axes).hash(hasher),
                        Op::Gather(axis) | Op::Scatter(axis) => axis.hash(hasher),
                        Op::Scan(op, axis) => (op, axis).hash(hasher),
                    }
                }
            }
            for source in &node.sources {
                (
                    source.index,
                    source.path.as_ref().map(|path| path.fingerprint()),
                )
                    .hash(hasher);
            }
        }
    }
    (hashers[0].finish() as u128) << 64 | hashers[1].finish() as u128
}
