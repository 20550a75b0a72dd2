//! # schedule/lower/reduction: a sum, and the sums that are merged into it
//!
//! **In:** a reduction, and the movements between it and the kernel's index space. **Out:** its register, and the kernel's reduced axes.
//! **Above:** [`lower`](super), which writes what is summed.
//!
//! A movement of a sum's result is a movement of the sum's input that leaves the summed axes alone. So: first a remap that puts the summed
//! axes behind, then the movements, lifted over these axes:
//!
//! ```text
//! x (2, 3, 4) ── sum over axis 1 ──▶ (2, 1, 4) ── permute ──▶ (4, 1, 2)
//! x (2, 3, 4) ── remap ──▶ (2, 1, 4 | 3) ── permute, lifted ──▶ (4, 1, 2 | 3)      and the loop sums what is behind the bar
//! ```
//!
//! A kernel has one inner loop: all its reductions have the same reduced axes, and none is inside of another one but
//! those that become one sum over the axes of both.

use super::{Stuck, Writer};
use crate::kernel::{Inst, Level, Reg};
use crate::lazy::Op;
use crate::ops::{BinaryOps, ReduceOps};
use crate::shape::path::{Move, push};
use crate::shape::view::Remap;

impl Writer<'_> {
    /// A reduction, with those that are merged into it: the summed axes go behind, the movements are lifted over them.
    #[inline(never)]
    pub(super) fn reduction(
        &mut self,
        node: usize,
        kind: ReduceOps,
        moves: &[Move],
        level: Level,
    ) -> Result<Reg, Stuck> {
        if level != Level::Outer {
            return Err(Stuck::Node(node)); // a sum cannot be computed inside the loop of another one
        }
        let graph = self.graph;
        let (mut at, mut reduced, mut all) = (node, Vec::new(), moves.to_vec());
        let mut merged = None;
        let source = loop {
            let Some(Op::Reduce(_, axes)) = graph.nodes[at].op() else {
                unreachable!("merged nodes are reductions")
            };
            let edge = &graph.sources(at)[0];
            let shape = edge.view(graph).shape;
            let lengths: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
            let start = graph.nodes[edge.index].shape();
            let mut lifted = edge.moves().to_vec();
            push(&mut lifted, start, &Move::Remap(axes_behind(&shape, axes)));
            all.iter()
                .for_each(|movement| push(&mut lifted, start, &movement.lift(&lengths)));
            // Axes that were put behind earlier are part of `all`'s spaces already; the new ones come last.
            reduced.extend(lengths);
            all = lifted;
            at = edge.index;
            if !self.decisions.is_merged(at) {
                break at;
            }
            merged = Some(at);
        };
        if self.reduced.as_ref().is_some_and(|other| *other != reduced) {
            return Err(Stuck::Node(node));
        }
        self.reduced = Some(reduced);
        let src =
            self.value(source, &all, Level::Inner)
                .map_err(|stuck| match (stuck, merged) {
                    // A merged sum can always become memory instead; then its movements need not reach further. But if there are movements
                    // on top, it is them that make no view, and this node is the place to cut.
                    (Stuck::Movement, Some(inner)) if moves.is_empty() => Stuck::Node(inner),
                    (stuck, _) => stuck,
                })?;
        let dtype = self.lines[src].dtype;
        let src = match self.lines[src].level {
            Level::Inner => src,
            // The sum of a constant: the greater of it and itself gives it a place in the loop.
            Level::Free | Level::Outer => {
                self.emit(Inst::Binary(BinaryOps::Max, src, src), dtype, Level::Inner)
            }
        };
        Ok(self.emit(Inst::Reduce(kind, src), dtype, Level::Outer))
    }
}

/// [a, r, b] with r reduced → [a, 1, b, r].
fn axes_behind(shape: &[usize], axes: &[usize]) -> Remap {
    let mut new = shape.to_vec();
    axes.iter().for_each(|&axis| new[axis] = 1);
    new.extend(axes.iter().map(|&axis| shape[axis]));
    let mut remap = Remap::still(shape.len(), new);
    for axis in 0..shape.len() {
        let behind = axes.iter().position(|&reduced| reduced == axis);
        remap.follow(axis, behind.map_or(axis, |i| shape.len() + i), 1);
    }
    remap
}
