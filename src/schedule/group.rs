//! # schedule/group: neighbours become one kernel with several outputs
//!
//! **In:** a kernel for each root, in order. **Out:** fewer kernels, in order.
//!
//! An optimizer's step writes the first moment, the second moment and the parameter, all of one shape. As three kernels it would read the
//! gradient twice and write both moments only to read them again; as one it touches each array once. Two kernels join if they run over
//! the same index space (but for axes of size 1), share memory (an input, or one's output is the other's input, at the same place), and
//! nothing that runs in between forbids it.

use super::fuse::Decisions;
use super::graph::Graph;
use super::join;
use super::lower::{Lowered, lower};
use crate::kernel::{Body, Nest};
use std::collections::HashSet;

/// So many instructions at the most in a joined kernel.
const MAX_LINES: usize = 300;
/// How many kernels back to look for a neighbour: an optimizer's sums come long after the backward pass that reads the same gradients.
const WINDOW: usize = 512;

/// Joins what can be joined.
pub fn group(graph: &Graph, decisions: &Decisions, kernels: Vec<Lowered>) -> Vec<Lowered> {
    let mut placed: Vec<Lowered> = Vec::with_capacity(kernels.len());
    for kernel in kernels {
        let start = placed.len().saturating_sub(WINDOW);
        let candidate = (start..placed.len())
            .rev()
            .find_map(|at| join(graph, decisions, &placed, at, &kernel));
        match candidate {
            Some((at, position, joined)) => {
                placed.remove(at);
                placed.insert(position, joined);
            }
            None => placed.push(kernel),
        }
    }
    leave_out_unread(graph, &mut placed);
    placed
}

/// What was to become memory for kernels that have all joined the one that computes it need not be stored.
fn leave_out_unread(graph: &Graph, kernels: &mut [Lowered]) {
    let inputs = kernels.iter().flat_map(|kernel| &kernel.inputs);
    let wanted: HashSet<usize> = inputs.chain(&graph.targets).copied().collect();
    for Lowered {
        kernel, outputs, ..
    } in kernels
    {
        let is_kept = |&position: &usize| wanted.contains(&outputs[position]);
        let kept: Vec<usize> = (0..outputs.len()).filter(is_kept).collect();
        let Body::Nest(nest) = &mut kernel.body else {
            continue;
        };
        if kept.len() < outputs.len() {
            nest.keep_outputs(&kept);
            kernel.outputs = kept.iter().map(|&i| kernel.outputs[i]).collect();
            *outputs = kept.iter().map(|&i| outputs[i]).collect();
        }
    }
}

/// The kernel at `at` joined with a later one, and where it goes.
fn join(
    graph: &Graph,
    decisions: &Decisions,
    placed: &[Lowered],
    at: usize,
    later: &Lowered,
) -> Option<(usize, usize, Lowered)> {
    let earlier = &placed[at];
    let (Body::Nest(first), Body::Nest(second)) = (&earlier.kernel.body, &later.kernel.body) else {
        return None;
    };
    if !same_space(&first.outer, &second.outer) || !fit(graph, earlier, first, later, second) {
        return None;
    }
    let position = join::position(placed, at, later)?;
    // A failure to lower them together only means that they stay apart.
    let joined = lower(
        graph,
        decisions,
        &[&earlier.outputs[..], &later.outputs].concat(),
    )
    .ok()?;
    Some((at, position, joined))
}

/// Whether two shapes have the same axes, but for those of size 1.
fn same_space(a: &[usize], b: &[usize]) -> bool {
    let is_long = |size: &&usize| **size != 1;
    a == b || a.iter().filter(is_long).eq(b.iter().filter(is_long))
}

/// Whether joining two kernels over one outer space makes sense.
fn fit(graph: &Graph, earlier: &Lowered, first: &Nest, later: &Lowered, second: &Nest) -> bool {
    if !join::is_possible(graph, earlier, later) {
        return false;
    }
    if first.lines.len() + second.lines.len() > MAX_LINES
        || first.outer.iter().product::<usize>() < 2
    {
        return false;
    }
    // Reductions join over the same reduced space; a contraction keeps its loops for itself and takes only an epilogue.
    let reduces = match (first.reduces(), second.reduces()) {
        (false, false) | (true, false) => true,
        (true, true) => {
            first.reduced == second.reduced && !join::contracts(first) && !join::contracts(second)
        }
        (false, true) => false,
    };
    let follows = later
        .inputs
        .iter()
        .any(|input| earlier.outputs.contains(input));
    let shares = later.inputs.iter().any(|input| {
        earlier.inputs.contains(input)
            && graph.nodes[*input].numel() * 2 >= graph.nodes[later.outputs[0]].numel()
    });
    reduces && (follows || (shares && first.reduces() == second.reduces()))
}
