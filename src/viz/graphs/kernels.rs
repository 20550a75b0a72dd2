//! # viz/graphs/kernels: what the scheduler has made
//!
//! **In:** a plan and the snapshot that it was made of. **Out:** a box for each kernel, saying what it computes, and one for each memory between.

use super::{plural, typed};
use crate::kernel::{Body, Inst, Kernel, Level, Nest};
use crate::ops::{BinaryOps, ReduceOps, UnaryOps};
use crate::schedule::graph::Graph;
use crate::schedule::{Plan, Step};
use crate::viz::diagram::{Diagram, Node, Room};
use crate::viz::svg::bytes;
use std::collections::HashMap;

/// A line of a kernel's box has at most so many letters, where it can be broken.
const WIDE: usize = 34;

/// The kernels of a plan and the memory that they read and write.
pub fn kernels(graph: &Graph, plan: &Plan) -> Diagram {
    let mut diagram = Diagram::default();
    let mut memory: HashMap<usize, usize> = HashMap::new();
    let mut total = 0;
    for (
        step,
        Step {
            program,
            inputs,
            outputs,
            ..
        },
    ) in plan.steps.iter().enumerate()
    {
        let kernel = program.kernel();
        for &input in inputs {
            memory.entry(input).or_insert_with(|| {
                diagram.boxes.push(buffer(graph, input));
                diagram.boxes.len() - 1
            });
        }
        let at = diagram.boxes.len();
        // One edge for each memory, however often it is read.
        let mut read: Vec<usize> = inputs.iter().map(|input| memory[input]).collect();
        read.sort();
        read.dedup();
        diagram
            .edges
            .extend(read.into_iter().map(|input| (input, at)));
        diagram
            .boxes
            .push(described(graph, step, kernel, &program.strategy()));
        for &output in outputs {
            total += graph.nodes[output].numel() * graph.nodes[output].node.dtype().itemsize();
            memory.insert(output, diagram.boxes.len());
            diagram.edges.push((at, diagram.boxes.len()));
            diagram.boxes.push(buffer(graph, output));
        }
    }
    diagram.title = "Kernels".to_string();
    diagram.subtitle = format!(
        "{} of {}, writing {}; a rounded box is memory",
        plural(plan.len(), "kernel"),
        plural(graph.nodes.len(), "node"),
        bytes(total)
    );
    diagram
}

fn buffer(graph: &Graph, index: usize) -> Node {
    let node = &graph.nodes[index];
    let size = bytes(node.numel() * node.node.dtype().itemsize());
    let (room, heading) = match node.op() {
        None => (Room::Memory, "given memory"),
        Some(_) => (Room::Memory, "memory"),
    };
    Node {
        room,
        number: index,
        heading: heading.to_string(),
        lines: vec![typed(node.node.dtype(), node.shape()), size],
        more: node.op().map_or(String::new(), |op| {
            format!("what the node {op:?} is kept in")
        }),
        wanted: graph.targets.contains(&index),
    }
}

/// A kernel's box. Kernels are numbered on from the nodes.
fn described(graph: &Graph, step: usize, kernel: &Kernel, strategy: &str) -> Node {
    let cost = kernel.cost();
    let mut lines = match &kernel.body {
        Body::Nest(nest) => {
            let mut lines = wrapped(&operations(nest));
            let (outer, reduced) = (
                format!("for {:?}", nest.outer),
                format!("over {:?}", nest.reduced),
            );
            match nest.reduced.is_empty() {
                true => lines.push(outer),
                false if outer.len() + reduced.len() <= WIDE => {
                    lines.push(format!("{outer}, {reduced}"))
                }
                false => lines.extend([outer, reduced]),
            }
            lines
        }
        Body::Scan { op, axis, .. } => vec![format!("running {op:?} along axis {axis}")],
        Body::Scatter { axis, .. } => vec![format!("scatter along axis {axis}")],
        Body::Copy => vec!["copy between devices".to_string()],
    };
    let flops = match cost.flops {
        0..1000 => format!("{} flop", cost.flops),
        flops => format!("{}flop", bytes(flops as usize).trim_end_matches('B')),
    };
    lines.push(format!("{flops}, {}", bytes(cost.bytes as usize)));
    Node {
        room: room_of_kernel(kernel),
        number: graph.nodes.len() + step,
        heading: kernel.name.clone(),
        lines,
        more: format!("runs as {strategy}\n{kernel}"),
        wanted: false,
    }
}

fn room_of_kernel(kernel: &Kernel) -> Room {
    let Body::Nest(nest) = &kernel.body else {
        return match kernel.body {
            Body::Scan { .. } => Room::Reduction,
            Body::Scatter { .. } => Room::Indexed,
            Body::Nest(_) | Body::Copy => Room::Memory,
        };
    };
    let multiplies = |reg: usize| matches!(nest.lines[reg].inst, Inst::Binary(BinaryOps::Mul, a, b) if nest.lines[a].level != Level::Free && nest.lines[b].level != Level::Free);
    let contracts =
        |inst: &Inst| matches!(*inst, Inst::Reduce(ReduceOps::Sum, reg) if multiplies(reg));
    if nest.lines.iter().any(|line| contracts(&line.inst)) {
        Room::Contraction
    } else if nest.reduces() {
        Room::Reduction
    } else if nest
        .lines
        .iter()
        .any(|line| matches!(line.inst, Inst::Gather { .. }))
    {
        Room::Indexed
    } else {
        Room::Elementwise
    }
}

/// What a nest computes, in order, equal neighbours counted: `Mul`, `Sum`, `Add`, `Max`.
fn operations(nest: &Nest) -> Vec<String> {
    let mut names: Vec<(String, usize)> = Vec::new();
    for line in &nest.lines {
        let name = match &line.inst {
            Inst::Unary(UnaryOps::Cast(dtype), _) => format!("Cast {dtype}"),
            Inst::Unary(op, _) => format!("{op:?}"),
            Inst::Binary(op, ..) => format!("{op:?}"),
            Inst::Ternary(op, ..) => format!("{op:?}"),
            Inst::Reduce(op, _) => format!("reduce {op:?}"),
            Inst::Gather { .. } => "gather".to_string(),
            Inst::Iota { .. } => "positions".to_string(),
            Inst::Rand { .. } => "random".to_string(),
            Inst::Load { .. }
            | Inst::Const { .. }
            | Inst::Valid { .. }
            | Inst::Spread(_)
            | Inst::Store { .. } => continue,
        };
        match names.last_mut() {
            Some((last, times)) if *last == name => *times += 1,
            _ => names.push((name, 1)),
        }
    }
    if names.is_empty() {
        return vec!["copy".to_string()];
    }
    let shown = |(name, times): (String, usize)| {
        if times == 1 {
            name
        } else {
            format!("{name} ×{times}")
        }
    };
    names.into_iter().map(shown).collect()
}

/// Names in at most three lines of at most [`WIDE`] letters; what is left is counted.
fn wrapped(names: &[String]) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (at, name) in names.iter().enumerate() {
        let full = lines.len() == 3;
        let line = lines.last_mut().expect("one at least");
        if line.is_empty() {
            line.push_str(name);
        } else if line.chars().count() + name.chars().count() + 2 <= WIDE {
            line.push_str(", ");
            line.push_str(name);
        } else if !full {
            line.push(',');
            lines.push(name.clone());
        } else {
            let left = names.len() - at;
            line.push_str(&format!(", +{left}"));
            break;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_broken_and_counted() {
        let names: Vec<String> = (0..40).map(|i| format!("step {i}")).collect();
        let lines = wrapped(&names);
        assert_eq!(lines.len(), 3);
        assert!(
            lines[2].ends_with(", +28")
                && lines.iter().all(|line| line.chars().count() <= WIDE + 6),
            "{lines:?}"
        );
        assert_eq!(wrapped(&names[..2]), ["step 0, step 1"]);
    }
}
