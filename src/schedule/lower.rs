//! # schedule/lower: one root's kernel
//!
//! **In:** a graph, the decisions, one root (or several over the same index space). **Out:** a [`Lowered`] kernel.
//!
//! The program is written by walking from the root down to memory. On the way, the movements that lie between a node and the kernel's
//! index space pile up in a list; when memory is reached, the list is replayed on the memory's own view, and that is the load:
//!
//! ```text
//! root = relu(a + b.permute) ──▶ Max ◀── Add ◀── a             load a, contiguous
//!                                            ◀── permute ◀── b     load b through the permuted view
//! ```
//!
//! Two things need care:
//!
//! - **Zeros from padding.** If a movement brings in zeros, then the node's value is 0 there, not f(0). For ops with f(0, …) = 0 that is the
//!   same, as loads give 0 outside their bounds; for all others a `Where(Valid, …, 0)` restores it.
//! - **Reductions.** A movement of a sum's result is a movement of the sum's input that leaves the summed axes alone: see `reduction`.

mod reduction;
mod zeros;

use self::zeros::{keeps_zero, share_bounds};
use super::ParamSource;
use super::fuse::Decisions;
use super::graph::{Graph, Kind};
use crate::dtype::DType;
use crate::kernel::{Body, Inst, Kernel, Level, Line, Nest, Reg, Slot};
use crate::lazy::Op;
use crate::ops::{TernaryOps, UnaryOps};
use crate::shape::fingerprint::Fingerprint;
use crate::shape::path::{Move, push, replay};
use crate::shape::view::View;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// A kernel, and which nodes its slots and parameters are.
#[derive(Clone)]
pub struct Lowered {
    /// the kernel
    pub kernel: Kernel,
    /// node of each input
    pub inputs: Vec<usize>,
    /// node of each output
    pub outputs: Vec<usize>,
    /// source of each parameter
    pub params: Vec<ParamSource>,
}

/// Why a value can't be had.
enum Stuck {
    /// the movements make no single view here: whoever asked for it must become memory
    Movement,
    /// this node must become memory
    Node(usize),
}

/// The kernel that computes `outputs` (of one shape, but for axes of size 1), or the node that must become memory first.
pub fn lower(graph: &Graph, decisions: &Decisions, outputs: &[usize]) -> Result<Lowered, usize> {
    let mut writer = Writer {
        graph,
        decisions,
        outputs,
        lines: Vec::new(),
        reduced: None,
        known: HashMap::default(),
        inputs: Vec::new(),
        params: Vec::new(),
    };
    let root = outputs[0];
    let source = |position: usize| graph.sources(root)[position].clone();
    let body = match graph.nodes[root].op().expect("a root is not memory yet") {
        Op::Scan(op, axis) => {
            writer.input(source(0).index);
            Body::Scan {
                view: source(0).view(graph),
                axis: *axis,
                op: *op,
            }
        }
        Op::Scatter(axis) => {
            // Slots are positions, so an array that is both values and index takes two.
            writer.inputs.extend([source(0).index, source(1).index]);
            let size = graph.nodes[root].shape()[*axis];
            Body::Scatter {
                values: source(0).view(graph),
                index: source(1).view(graph),
                axis: *axis,
                size,
            }
        }
        Op::From => {
            writer.input(source(0).index);
            Body::Copy
        }
        Op::Const(_)
        | Op::Iota
        | Op::Rand(_)
        | Op::Empty
        | Op::Contiguous
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Ternary(_)
        | Op::Reduce(..)
        | Op::Gather(_) => {
            let outer = graph.nodes[root].shape().to_vec();
            for (position, &output) in outputs.iter().enumerate() {
                // Other outputs may have other axes of size 1.
                let moves = match graph.nodes[output].shape() == outer {
                    true => Vec::new(),
                    false => vec![Move::Reshape(outer.clone())],
                };
                // Without movements on top a root's sources have views (law 1 of lazy); with them, it is this output that has none.
                let src =
                    writer
                        .compute(output, &moves, Level::Outer)
                        .map_err(|stuck| match stuck {
                            Stuck::Node(node) => node,
                            Stuck::Movement => output,
                        })?;
                // Two outputs of one kernel may use each other's values: they are in registers now.
                writer.known.insert((output, moves, Level::Outer), src);
                writer.emit(
                    Inst::Store {
                        output: position,
                        src,
                    },
                    graph.nodes[output].node.dtype(),
                    Level::Outer,
                );
            }
            share_bounds(&mut writer.lines, |input| {
                graph.nodes[writer.inputs[input]].numel()
            });
            Body::Nest(Nest {
                outer,
                reduced: writer.reduced.take().unwrap_or_default(),
                lines: std::mem::take(&mut writer.lines),
            })
        }
    };
    let slot = |&index: &usize| Slot {
        dtype: graph.nodes[index].node.dtype(),
        len: graph.nodes[index].numel(),
    };
    let kernel = Kernel {
        name: name(graph, root, &body),
        inputs: writer.inputs.iter().map(slot).collect(),
        outputs: outputs.iter().map(slot).collect(),
        params: writer.params.len(),
        body,
    };
    Ok(Lowered {
        kernel,
        inputs: writer.inputs,
        outputs: outputs.to_vec(),
        params: writer.params,
    })
}

/// A letter for the kind and the sizes: `e_128_10` element-wise, `r_128_10_784` reduces 784 for each of 128×10.
fn name(graph: &Graph, root: usize, body: &Body) -> String {
    let (kind, space) = match body {
        Body::Nest(nest) if nest.reduces() => ("r", nest.space(Level::Inner)),
        Body::Nest(nest) => ("e", nest.outer.clone()),
        Body::Scan { view, .. } => ("scan", view.shape.clone()),
        Body::Scatter { values, .. } => ("scatter", values.shape.clone()),
        Body::Copy => ("copy", graph.nodes[root].shape().to_vec()),
    };
    let sizes = space
        .iter()
        .filter(|&&size| size != 1)
        .map(|size| format!("_{size}"));
    std::iter::once(kind.to_string()).chain(sizes).collect()
}

/// How many instructions back what another output has computed is looked for, at the most.
const LOOK_BACK: usize = 64;

struct Writer<'g> {
    graph: &'g Graph,
    decisions: &'g Decisions,
    outputs: &'g [usize],
    lines: Vec<Line>,
    reduced: Option<Vec<usize>>,
    /// what has been computed already: (node, movements on top of it, loop)
    known: HashMap<(usize, Vec<Move>, Level), Reg, BuildHasherDefault<Fingerprint>>,
    inputs: Vec<usize>,
    params: Vec<ParamSource>,
}

impl Writer<'_> {
    /// The register of a new instruction. What several outputs compute alike is computed once: a mean, and the mean in a variance.
    fn emit(&mut self, inst: Inst, dtype: DType, level: Level) -> Reg {
        let line = Line { inst, dtype, level };
        let recent = match self.outputs.len() {
            1 => self.lines.len(),
            _ => self.lines.len().saturating_sub(LOOK_BACK),
        };
        alike_or_push(&mut self.lines, line, recent)
    }

    fn input(&mut self, node: usize) -> usize {
        position_or_push(&mut self.inputs, node)
    }

    /// The register that holds a node's value, seen through `moves`.
    fn value(&mut self, node: usize, moves: &[Move], level: Level) -> Result<Reg, Stuck> {
        let is_root = self.decisions.is_root(node);
        // A node with one user is asked for once; outputs use each other's values, too.
        let key =
            (is_root || self.graph.uses(node).len() > 1).then(|| (node, moves.to_vec(), level));
        if let Some(&reg) = key.as_ref().and_then(|key| self.known.get(key)) {
            return Ok(reg);
        }
        let is_memory = is_root || matches!(self.graph.nodes[node].kind, Kind::Leaf(_));
        if is_root && self.outputs.contains(&node) {
            return Err(Stuck::Node(node)); // another output of this kernel, but not at the same place: it has to be finished first
        }
        let reg = if is_memory {
            self.load(node, moves, level)?
        } else {
            if !moves.is_empty() {
                self.view(node, moves)?;
            }
            self.compute(node, moves, level)
                .map_err(|stuck| match stuck {
                    Stuck::Movement => Stuck::Node(node), // here the movements do make a view, so here is the place to cut
                    Stuck::Node(other) => Stuck::Node(other),
                })?
        };
        if let Some(key) = key {
            self.known.insert(key, reg);
        }
        Ok(reg)
    }

    /// A node's index space, seen through `moves`.
    #[inline(never)]
    fn view(&self, node: usize, moves: &[Move]) -> Result<Box<View>, Stuck> {
        let view = View::contiguous(self.graph.nodes[node].shape());
        replay(moves, view).map(Box::new).ok_or(Stuck::Movement)
    }

    /// A node's memory, seen through `moves`.
    #[inline(never)]
    fn load(&mut self, node: usize, moves: &[Move], level: Level) -> Result<Reg, Stuck> {
        let view = self.view(node, moves)?;
        let input = self.input(node);
        let dtype = self.graph.nodes[node].node.dtype();
        Ok(self.emit(Inst::Load { input, view }, dtype, level))
    }

    /// The instructions that compute a node at the points that `moves` make of its index space.
    ///
    /// This goes as deep as a chain of operations is long, so whatever is rare has a function of its own, and a frame that is gone by then.
    fn compute(&mut self, node: usize, moves: &[Move], level: Level) -> Result<Reg, Stuck> {
        let graph = self.graph;
        let GraphOp { op, dtype } = GraphOp::of(graph, node);
        let inst = match op {
            Op::Const(_) | Op::Empty => {
                let source = if matches!(op, Op::Empty) {
                    ParamSource::Zero
                } else {
                    ParamSource::Node(node)
                };
                let param = position_or_push(&mut self.params, source);
                let constant = self.constant(param, dtype);
                return self.masked(constant, node, moves, level);
            }
            Op::Iota => Inst::Iota {
                view: self.view(node, moves)?,
            },
            Op::Rand(_) => Inst::Rand {
                param: position_or_push(&mut self.params, ParamSource::Node(node)),
                view: self.view(node, moves)?,
            },
            Op::Reduce(kind, _) => return self.reduction(node, *kind, moves, level),
            Op::Contiguous => Inst::Unary(UnaryOps::Noop, self.source(node, 0, moves, level)?),
            Op::Unary(op) => Inst::Unary(*op, self.source(node, 0, moves, level)?),
            Op::Binary(op) => Inst::Binary(
                *op,
                self.source(node, 0, moves, level)?,
                self.source(node, 1, moves, level)?,
            ),
            Op::Ternary(op) => {
                let [a, b, c] = [0, 1, 2].map(|position| self.source(node, position, moves, level));
                Inst::Ternary(*op, a?, b?, c?)
            }
            Op::Gather(axis) => self.indexed(node, *axis, moves, level)?,
            Op::From | Op::Scatter(_) | Op::Scan(..) => return Err(Stuck::Node(node)),
        };
        // A no-op needs no instruction: its source's register will do.
        if let Inst::Unary(UnaryOps::Noop, src) = inst {
            return Ok(src);
        }
        let keeps_zero = keeps_zero(&inst);
        let reg = self.emit(inst, dtype, level);
        match moves.is_empty() || keeps_zero {
            true => Ok(reg),
            false => self.masked(reg, node, moves, level),
        }
    }

    fn source(
        &mut self,
        node: usize,
        position: usize,
        moves: &[Move],
        level: Level,
    ) -> Result<Reg, Stuck> {
        let edge = &self.graph.sources(node)[position];
        let mut all = edge.moves().to_vec();
        for movement in moves {
            push(&mut all, self.graph.nodes[edge.index].shape(), movement);
        }
        self.value(edge.index, &all, level)
    }

    #[inline(never)]
    fn constant(&mut self, param: usize, dtype: DType) -> Reg {
        let same = |line: &Line| line.dtype == dtype && line.inst == Inst::Const { param };
        match self.lines.iter().position(same) {
            Some(reg) => reg,
            None => self.emit(Inst::Const { param }, dtype, Level::Free),
        }
    }

    /// `reg` where the bounds hold that `moves` set to a node's index space, else 0.
    #[inline(never)]
    fn masked(
        &mut self,
        reg: Reg,
        node: usize,
        moves: &[Move],
        level: Level,
    ) -> Result<Reg, Stuck> {
        let view = *self.view(node, moves)?;
        if view.bounds.is_empty() {
            return Ok(reg);
        }
        let dtype = self.lines[reg].dtype;
        let zero = position_or_push(&mut self.params, ParamSource::Zero);
        let zero = self.constant(zero, dtype);
        // Without strides, the same condition over other memory is the same instruction.
        let view = Box::new(View {
            strides: vec![0; view.shape.len()],
            offset: 0,
            ..view
        });
        let line = Line {
            inst: Inst::Valid { view },
            dtype: DType::Bool,
            level,
        };
        let valid = alike_or_push(&mut self.lines, line, 0);
        Ok(self.emit(
            Inst::Ternary(TernaryOps::Where, valid, reg, zero),
            dtype,
            level,
        ))
    }

    /// A load at an index that is data. The table's view, without the indexed axis, is seen in the index's space.
    #[inline(never)]
    fn indexed(
        &mut self,
        node: usize,
        axis: usize,
        moves: &[Move],
        level: Level,
    ) -> Result<Inst, Stuck> {
        let table = &self.graph.sources(node)[0];
        let seen = table.view(self.graph);
        debug_assert!(
            seen.bounds.is_empty(),
            "lazy's gather makes a table without padding"
        );
        let (stride, size) = (seen.strides[axis], seen.shape[axis]);
        let mut at_zero = View {
            shape: self.graph.nodes[node].shape().to_vec(),
            ..seen
        };
        at_zero.strides[axis] = 0;
        let view = Box::new(replay(moves, at_zero).ok_or(Stuck::Movement)?);
        if self.outputs.contains(&table.index) {
            return Err(Stuck::Node(table.index)); // written by this very kernel: not there yet as memory
        }
        let input = self.input(table.index);
        let index = self.source(node, 1, moves, level)?;
        Ok(Inst::Gather {
            input,
            view,
            stride,
            size,
            index,
        })
    }
}

struct GraphOp<'g> {
    op: &'g Op,
    dtype: DType,
}

impl<'g> GraphOp<'g> {
    fn of(graph: &'g Graph, node: usize) -> GraphOp<'g> {
        GraphOp {
            op: graph.nodes[node]
                .op()
                .expect("memory is loaded, not computed"),
            dtype: graph.nodes[node].node.dtype(),
        }
    }
}

/// The register of an instruction among those from `recent` on, or else a new one. An instruction that is alike comes after all that it reads,
/// so there is little to look through: otherwise this would take a time that grows with the square of the program.
pub(super) fn alike_or_push(lines: &mut Vec<Line>, line: Line, recent: usize) -> Reg {
    let after = line.inst.reads().max().map_or(0, |read| read + 1);
    let from = after.max(recent);
    let alike = lines[from..].iter().position(|other| *other == line);
    alike.map(|position| from + position).unwrap_or_else(|| {
        lines.push(line);
        lines.len() - 1
    })
}

pub(super) fn position_or_push<T: PartialEq>(items: &mut Vec<T>, item: T) -> usize {
    items
        .iter()
        .position(|other| *other == item)
        .unwrap_or_else(|| {
            items.push(item);
            items.len() - 1
        })
}
