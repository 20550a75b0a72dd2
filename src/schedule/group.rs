//! # schedule/group: neighbours become one kernel with several outputs
//!
//! **In:** a kernel for each root, in order. **Out:** fewer kernels, in order.
//!
//! An optimizer's step writes the first moment, the second moment and the parameter, all of one shape. As three kernels it would read the
//! gradient twice and write both moments only to read them again; as one it touches each array once. Two kernels join if they run over
//! the same index space, share memory (an input, or one's output is the other's input, at the same place), and nothing that runs in between
//! forbids it.

use super::fuse::Decisions;
use super::graph::Graph;
use super::join;
use super::lower::{Lowered, lower};
use crate::kernel::{Body, Nest};

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
    placed
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
    if first.outer != second.outer || !fit(graph, earlier, first, later, second) {
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
