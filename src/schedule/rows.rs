//! # schedule/rows: what happens to each row happens in one kernel
//!
//! **In:** kernels in order. **Out:** fewer kernels, in order.
//!
//! A softmax is three kernels so far: each row's maximum, the sum of its exponentials, and the quotients. Each reads the whole array. But a
//! row fits into cache, so all three can be done with one row before the next is read: the kernel's inner loop then has a program of
//! its own, to which a row's sum comes back by a [`Spread`](crate::kernel::Inst::Spread).
//!
//! ```text
//!  max:  for o:  for r: load x, reduce            ┐
//!  sum:  for o:  for r: load x, load max, …       ├──▶  for each row o:  load x · reduce · spread · … · reduce · spread · … · store
//!  quot: for (o, r):    load x, load max, load sum┘
//! ```
//!
//! Two kernels join here if the earlier one reduces rows, the later one reads its result at each row (and perhaps other arrays at each
//! point), and both go through memory in the rows' order. An instruction that both have is written once: the exponentials that were
//! summed are the ones that are divided. Results that no other kernel wants are not stored at all.
//!
//! Two element-wise kernels join here, too, if the later one reads the result of the earlier one point by point in the order of memory,
//! under another shape (under the same shape they did so before, in [`group`](super::group)). The gradient of a pooling window is computed
//! over [.., 13, 2, 13, 2], that of the activation before it over [.., 26, 26]: these are the same points.
//!
//! This works on finished kernels, not on the graph: what is a kernel was decided before, and here is only seen what may run together.

use super::graph::Graph;
use super::join::{contracts, is_possible, position};
use super::lower::Lowered;
use crate::kernel::{Body, Inst, Kernel, Level, Line, Nest, Reg, Slot};
use crate::shape::view::{View, numel, row_major};
use std::collections::HashMap;

/// The longest rows: with four registers 256 KiB, which a second-level cache holds.
const LONGEST: usize = 16 << 10;
/// Each row is reduced by itself, which takes as long for 4 numbers as for 64; a window of 2 × 2 is better off with its neighbours.
const SHORTEST: usize = 32;
/// With fewer rows than this, threads would have nothing to do, unless there is little to do at all.
const FEWEST: usize = 8;
/// As much as one task does.
const LITTLE: usize = 1 << 15;
/// Parts of a row are long from so many points on.
const LONG_PART: usize = 64;
/// So many instructions at the most in a joined kernel.
const MAX_LINES: usize = 200;
/// How many kernels back to look.
const WINDOW: usize = 64;

/// Joins what can be joined.
pub fn fuse(graph: &Graph, kernels: Vec<Lowered>) -> Vec<Lowered> {
    let mut readers: HashMap<usize, usize> = HashMap::new();
    for &input in kernels.iter().flat_map(|kernel| &kernel.inputs) {
        *readers.entry(input).or_default() += 1;
    }
    let mut placed: Vec<Lowered> = Vec::with_capacity(kernels.len());
    for mut current in kernels {
        let mut place = placed.len();
        while let Some((at, to, joined)) = find(graph, &placed[..place], &current, &readers) {
            let earlier = placed.remove(at);
            // What both read is read once now, and what the first wrote for the second is not read at all.
            for input in &current.inputs {
                if earlier.inputs.contains(input) || earlier.outputs.contains(input) {
                    readers.entry(*input).and_modify(|count| *count -= 1);
                }
            }
            (current, place) = (joined, to);
        }
        placed.insert(place, current);
    }
    placed
}

/// An earlier kernel to join, where the joined one goes once that is taken out, and the joined one.
fn find(
    graph: &Graph,
    placed: &[Lowered],
    later: &Lowered,
    readers: &HashMap<usize, usize>,
) -> Option<(usize, usize, Lowered)> {
    if !matches!(later.kernel.body, Body::Nest(_)) {
        return None;
    }
    for at in (placed.len().saturating_sub(WINDOW)..placed.len()).rev() {
        let earlier = &placed[at];
        if !earlier
            .outputs
            .iter()
            .any(|output| later.inputs.contains(output))
        {
            continue;
        }
        let Some(to) = position(placed, at, later) else {
            continue;
        };
        let wanted = |node: usize| {
            let others =
                readers.get(&node).copied().unwrap_or(0) - later.inputs.contains(&node) as usize;
            others > 0 || graph.targets.contains(&node)
        };
        if let Some(joined) = join(graph, earlier, later, wanted) {
            return Some((at, to, joined));
        }
    }
    None
}

/// One kernel for two, if the later one works on the rows of the earlier one, or point by point on its points. `wanted`: whether any other
/// kernel, or the user, reads a node.
fn join(
    graph: &Graph,
    earlier: &Lowered,
    later: &Lowered,
    wanted: impl Fn(usize) -> bool,
) -> Option<Lowered> {
    let (Body::Nest(first), Body::Nest(second)) = (&earlier.kernel.body, &later.kernel.body) else {
        return None;
    };
    let (count, length) = (numel(&first.outer), numel(&first.reduced));
    let little = count * length <= LITTLE;
    let fits =
        (2..=LONGEST).contains(&length) && (little || (count >= FEWEST && length >= SHORTEST));
    let pointwise = !first.reduces() && !second.reduces() && count > 1;
    let by_rows = first.reduces() && fits && !lie_between(first);
    if !(pointwise || by_rows) || first.lines.len() + second.lines.len() > MAX_LINES {
        return None;
    }
    if !is_possible(graph, earlier, later) || contracts(first) || contracts(second) {
        return None;
    }
    // The later kernel's outer points are either the rows, or all points.
    let of_points = by_rows && second.reduced.is_empty() && !second.has_rows();
    let level_of = |level: Level| match level {
        Level::Outer if of_points => Level::Inner,
        level => level,
    };
    let rows = &first.outer;
    let points = first.space(Level::Inner);
    let same = match of_points {
        true => numel(&second.outer) == count * length,
        false => numel(&second.outer) == count && numel(&second.reduced) == length,
    };
    if !same || count == 0 {
        return None;
    }
    let mut writer = Writer {
        lines: first.lines.clone(),
        inputs: earlier.inputs.clone(),
        params: earlier.params.clone(),
    };
    // Where the earlier kernel's results are.
    let stored = |node: usize| {
        let position = earlier.outputs.iter().position(|&output| output == node)?;
        first.lines.iter().find_map(|line| match line.inst {
            Inst::Store { output, src } if output == position => Some((src, line.level)),
            _ => None,
        })
    };
    let mut outputs = earlier.outputs.clone();
    let mut new: Vec<Reg> = Vec::with_capacity(second.lines.len());
    for line in &second.lines {
        let level = level_of(line.level);
        let space = if level == Level::Inner { &points } else { rows };
        let reshaped = |view: &View| view.reshape(space);
        let mut inst = line.inst.clone();
        if let Inst::Load { input, view } = &inst {
            let view = reshaped(view)?;
            if let Some((src, at)) = stored(later.inputs[*input]) {
                let reg = match (at, level) {
                    (Level::Inner, Level::Inner) | (Level::Outer, Level::Outer)
                        if view == View::contiguous(space) =>
                    {
                        src
                    }
                    (Level::Outer, Level::Inner) if view == of_each_row(rows, &points) => {
                        writer.emit(Inst::Spread(src), line.dtype, Level::Inner)
                    }
                    _ => return None,
                };
                new.push(reg);
                continue;
            }
        }
        inst.renumber(|read| new[read]);
        match &mut inst {
            Inst::Load { input, view } => {
                *input = writer.input(later.inputs[*input]);
                **view = reshaped(view)?;
            }
            Inst::Gather { input, view, .. } => {
                if stored(later.inputs[*input]).is_some() {
                    return None;
                }
                *input = writer.input(later.inputs[*input]);
                **view = reshaped(view)?;
            }
            Inst::Iota { view } | Inst::Valid { view } => **view = reshaped(view)?,
            Inst::Rand { param, view } => {
                *param = writer.param(later.params[*param]);
                **view = reshaped(view)?;
            }
            Inst::Const { param } => *param = writer.param(later.params[*param]),
            Inst::Unary(..)
            | Inst::Binary(..)
            | Inst::Ternary(..)
            | Inst::Reduce(..)
            | Inst::Spread(_) => {}
            Inst::Store { output, .. } => {
                outputs.push(later.outputs[*output]);
                *output = outputs.len() - 1;
            }
        }
        new.push(writer.emit(inst, line.dtype, level));
    }
    let kept: Vec<usize> = (outputs.iter().enumerate())
        .filter(|&(position, &node)| position >= earlier.outputs.len() || wanted(node))
        .map(|(position, _)| position)
        .collect();
    let mut nest = Nest {
        outer: rows.clone(),
        reduced: first.reduced.clone(),
        lines: writer.lines,
    };
    nest.keep_outputs(&kept);
    if by_rows && !(nest.has_rows() && in_order(&nest)) {
        return None;
    }
    let slot = |&node: &usize| Slot {
        dtype: graph.nodes[node].node.dtype(),
        len: graph.nodes[node].numel(),
    };
    let outputs: Vec<usize> = kept.iter().map(|&position| outputs[position]).collect();
    let kind = if pointwise { "e" } else { "rows" };
    let sizes = points
        .iter()
        .filter(|&&size| size != 1)
        .map(|size| format!("_{size}"));
    Some(Lowered {
        kernel: Kernel {
            name: std::iter::once(kind.to_string()).chain(sizes).collect(),
            inputs: writer.inputs.iter().map(slot).collect(),
            outputs: outputs.iter().map(slot).collect(),
            params: writer.params.len(),
            body: Body::Nest(nest),
        },
        inputs: writer.inputs,
        outputs,
        params: writer.params,
    })
}

/// A joined kernel's parts.
struct Writer {
    lines: Vec<Line>,
    inputs: Vec<usize>,
    params: Vec<super::ParamSource>,
}

impl Writer {
    /// The register of an instruction, which may be there already.
    fn emit(&mut self, inst: Inst, dtype: crate::dtype::DType, level: Level) -> Reg {
        let line = Line { inst, dtype, level };
        super::lower::alike_or_push(&mut self.lines, line, 0)
    }
    fn input(&mut self, node: usize) -> usize {
        super::lower::position_or_push(&mut self.inputs, node)
    }
    fn param(&mut self, source: super::ParamSource) -> usize {
        super::lower::position_or_push(&mut self.params, source)
    }
}

/// How a number for each row is seen from each point.
fn of_each_row(rows: &[usize], points: &[usize]) -> View {
    let mut strides = row_major(rows);
    strides.resize(points.len(), 0);
    View {
        shape: points.to_vec(),
        strides,
        offset: 0,
        bounds: vec![],
    }
}

/// Whether the rows of an array lie in long parts, and between these those of other rows: a channel's pictures. Then all rows are best reduced in
/// turn, from one end of memory to the other; row by row, each part would begin where no processor looks for it.
fn lie_between(nest: &Nest) -> bool {
    let outer = nest.outer.len();
    let lies_between = |view: &View| {
        let axes = (0..view.shape.len()).filter(|&axis| view.shape[axis] != 1);
        let (rows, points): (Vec<usize>, Vec<usize>) = axes.partition(|&axis| axis < outer);
        let mut part = 1;
        for axis in points.into_iter().rev() {
            let stride = view.strides[axis];
            if stride != part as isize {
                let next = |&row: &usize| 0 < view.strides[row] && view.strides[row] < stride;
                return part >= LONG_PART && rows.iter().any(next);
            }
            part *= view.shape[axis];
        }
        false
    };
    let mut loads = nest.lines.iter().filter(|line| line.level == Level::Inner);
    loads.any(|line| line.inst.view().is_some_and(lies_between))
}

/// Whether all arrays are read along the rows: neighbours in a row are neighbours in memory, or the same.
fn in_order(nest: &Nest) -> bool {
    let along_rows = |line: &Line| match line.inst.view() {
        Some(view) if line.level == Level::Inner => {
            let last = (0..view.shape.len())
                .rev()
                .find(|&axis| view.shape[axis] != 1);
            last.is_none_or(|axis| view.strides[axis].abs() <= 1)
        }
        _ => true,
    };
    nest.lines.iter().all(along_rows)
}
