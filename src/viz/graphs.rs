//! # viz/graphs: the three graphs behind a tensor
//!
//! **In:** tensors, a snapshot of the lazy graph, a plan. **Out:** a [`Diagram`] of each: what stands in the boxes. **Above:** [`viz`](super).
//! **Below:** [`diagram`](super::diagram).
//!
//! | graph | a box is | an edge is |
//! |---|---|---|
//! | autograd | a tensor and the function that made it | "was made from" |
//! | lazy | a node, or a way to look at one | a source |
//! | kernels | a kernel, or the memory between kernels | reading and writing |
//!
//! Law: nothing is computed for a picture. Values are shown where they are there already and are few.

use super::Graph as Autograd;
use super::diagram::{Diagram, Node, Room};
use super::svg::{bytes, grouped, number};
use crate::Tensor;
use crate::dtype::{DType, Scalar};
use crate::kernel::{Body, Inst, Kernel, Level, Nest};
use crate::lazy::{LazyBuffer, Op};
use crate::ops::{BinaryOps, ReduceOps, UnaryOps};
use crate::schedule::graph::{Edge, Graph, GraphNode, Kind};
use crate::schedule::{Plan, Step};
use crate::shape::path::{Move, Path};
use crate::shape::view::{Remap, View, row_major};
use std::collections::HashMap;
use std::sync::Arc;

/// A line of a kernel's box has at most so many letters, where it can be broken.
const WIDE: usize = 34;
/// Up to so many values are shown.
const FEW: usize = 3;

fn typed(dtype: DType, shape: &[usize]) -> String {
    format!("{dtype} {shape:?}")
}

fn plural(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {what}{s}", grouped(count))
}

/// A constant as a person writes it.
fn constant(value: Scalar) -> String {
    match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Float(value) => number(value),
    }
}

/// What is written into a function's brackets for each of its operands, if something must be: constants, and numbers of boxes where it
/// matters which is the first. `Mul(·, 0.5)`: the dot is where the edge goes.
fn call(name: &str, operands: &[Operand], ordered: bool) -> String {
    let several = operands
        .iter()
        .filter(|o| matches!(o, Operand::Box(_)))
        .count()
        > 1;
    let any_constant = operands.iter().any(|o| matches!(o, Operand::Constant(_)));
    if !any_constant && !(ordered && several) {
        return name.to_string();
    }
    let text = |operand: &Operand| match operand {
        Operand::Constant(value) => value.clone(),
        Operand::Box(number) if several && ordered => number.to_string(),
        Operand::Box(_) => "·".to_string(),
    };
    let texts: Vec<String> = operands.iter().map(text).collect();
    format!("{name}({})", texts.join(", "))
}

enum Operand {
    Constant(String),
    Box(usize),
}

// ---- Autograd --------------------------------------------------------

/// The room of a differentiable function. One that a program brings along is taken for element by element.
fn room_of_function(name: &str) -> Room {
    match name {
        "Reshape" | "Expand" | "Permute" | "Pad" | "Shrink" | "Flip" | "Window" => Room::Movement,
        "Sum" | "Max" | "CumSum" => Room::Reduction,
        "Gather" | "Scatter" => Room::Indexed,
        "Contiguous" | "ContiguousBackward" | "ToDevice" => Room::Memory,
        _ => Room::Elementwise,
    }
}

/// The values, if they are there and few, or known without computing.
fn values(buffer: &LazyBuffer) -> Option<String> {
    if let Some(value) = buffer.as_const() {
        return Some(constant(value));
    }
    let memory = buffer
        .realized()
        .filter(|memory| memory.len() <= FEW * 16)?;
    let addresses = (1..=FEW)
        .contains(&buffer.numel())
        .then(|| buffer.view().addresses())?;
    let all: Vec<f64> = memory.to_vec();
    let texts: Vec<String> = (addresses.iter())
        .map(|at| number(at.map_or(0.0, |at| all[at])))
        .collect();
    Some(texts.join(", "))
}

/// Tensors, the functions that made them, their gradients as they are at the moment.
pub fn autograd(graph: &Autograd) -> Diagram {
    let numbers: HashMap<usize, usize> = (graph.tensors.iter().enumerate())
        .map(|(number, made)| (made.tensor.id(), number))
        .collect();
    // A constant goes into the box of what it is used by, unless it is all there is.
    let constant_of = |tensor: &Tensor| {
        let leaf = graph.tensors[numbers[&tensor.id()]].function.is_none();
        let value = tensor.lazydata().as_const()?;
        (leaf && tensor.needs_grad() != Some(true)).then(|| constant(value))
    };
    let last = graph.tensors.len().saturating_sub(1);
    let mut diagram = Diagram::default();
    let mut boxes: HashMap<usize, usize> = HashMap::new();
    let mut gradients = 0;
    for (number, made) in graph.tensors.iter().enumerate() {
        let tensor = &made.tensor;
        if made.function.is_none() && number != last && constant_of(tensor).is_some() {
            continue;
        }
        let operands = made.parents.iter().map(|parent| match constant_of(parent) {
            Some(value) => Operand::Constant(value),
            None => Operand::Box(numbers[&parent.id()]),
        });
        let operands: Vec<Operand> = operands.collect();
        let room = match made.function {
            None if tensor.needs_grad() == Some(true) => Room::Parameter,
            None => Room::Memory,
            Some("Sum") if products(graph, &numbers, &made.parents[0]) => Room::Contraction,
            Some(name) => room_of_function(name),
        };
        let heading = match made.function {
            None if tensor.needs_grad() == Some(true) => "parameter".to_string(),
            None => "tensor".to_string(),
            Some(name) => {
                let ordered = matches!(
                    name,
                    "Sub" | "Div" | "Pow" | "Mod" | "Less" | "Where" | "Gather" | "Scatter"
                );
                call(name, &operands, ordered)
            }
        };
        let lazydata = tensor.lazydata();
        let mut lines = vec![typed(lazydata.dtype(), lazydata.shape())];
        lines.extend(values(&lazydata).map(|values| format!("= {values}")));
        if let Some(grad) = tensor.grad() {
            gradients += 1;
            let lazydata = grad.lazydata();
            lines.push(match values(&lazydata) {
                Some(values) => format!("gradient = {values}"),
                None => format!("gradient {:?}", lazydata.shape()),
            });
        }
        let more = match made.function {
            Some(name) => format!("{name}, recorded for the walk back"),
            None => String::new(),
        };
        boxes.insert(number, diagram.boxes.len());
        for operand in &operands {
            if let Operand::Box(source) = operand {
                diagram.edges.push((boxes[source], diagram.boxes.len()));
            }
        }
        let wanted = number == last;
        diagram.boxes.push(Node {
            room,
            number,
            heading,
            lines,
            more,
            wanted,
        });
    }
    diagram.title = "Autograd graph".to_string();
    diagram.subtitle = format!(
        "{} and the functions that made them; {}",
        plural(diagram.boxes.len(), "tensor"),
        match gradients {
            0 => "no gradients yet".to_string(),
            some => format!("{some} with a gradient"),
        }
    );
    diagram
}

/// Whether a tensor is a product, perhaps cast: a sum of it is a contraction.
fn products(graph: &Autograd, numbers: &HashMap<usize, usize>, tensor: &Tensor) -> bool {
    let made = &graph.tensors[numbers[&tensor.id()]];
    match made.function {
        Some("Mul") => true,
        Some("Cast") => graph.tensors[numbers[&made.parents[0].id()]].function == Some("Mul"),
        Some(_) | None => false,
    }
}

// ---- The lazy graph --------------------------------------------------

fn name_of(op: &Op) -> String {
    match op {
        Op::Const(value) => constant(*value),
        Op::Iota => "Iota".into(),
        Op::Rand(_) => "Rand".into(),
        Op::Empty => "Empty".into(),
        Op::Contiguous => "Contiguous".into(),
        Op::From => "From".into(),
        Op::Unary(UnaryOps::Cast(dtype)) => format!("Cast {dtype}"),
        Op::Unary(UnaryOps::Bitcast(dtype)) => format!("Bitcast {dtype}"),
        Op::Unary(op) => format!("{op:?}"),
        Op::Binary(op) => format!("{op:?}"),
        Op::Ternary(op) => format!("{op:?}"),
        Op::Reduce(op, axes) => format!("{op:?} axes {axes:?}"),
        Op::Gather(axis) => format!("Gather axis {axis}"),
        Op::Scatter(axis) => format!("Scatter axis {axis}"),
        Op::Scan(op, axis) => format!("Scan {op:?} axis {axis}"),
    }
}

fn room_of(graph: &Graph, node: &GraphNode) -> Room {
    let Kind::Op(op) = &node.kind else {
        return Room::Memory;
    };
    match op {
        Op::Const(_) | Op::Iota | Op::Rand(_) | Op::Empty | Op::Contiguous | Op::From => {
            Room::Memory
        }
        Op::Unary(_) | Op::Binary(_) | Op::Ternary(_) => Room::Elementwise,
        Op::Reduce(ReduceOps::Sum, _) if is_product(graph, node.sources[0].index) => {
            Room::Contraction
        }
        Op::Reduce(..) | Op::Scan(..) => Room::Reduction,
        Op::Gather(_) | Op::Scatter(_) => Room::Indexed,
    }
}

/// Whether a node is a product of two arrays, perhaps cast.
fn is_product(graph: &Graph, index: usize) -> bool {
    let node = &graph.nodes[index];
    match node.op() {
        Some(Op::Binary(BinaryOps::Mul)) => node
            .sources
            .iter()
            .all(|edge| graph.nodes[edge.index].constant().is_none()),
        Some(Op::Unary(UnaryOps::Cast(_))) => {
            let source = &graph.nodes[node.sources[0].index];
            matches!(source.op(), Some(Op::Binary(BinaryOps::Mul)))
        }
        Some(_) | None => false,
    }
}

/// Whether it matters which operand is the first.
fn is_ordered(op: &Op) -> bool {
    match op {
        Op::Binary(BinaryOps::Add | BinaryOps::Mul | BinaryOps::Max | BinaryOps::Cmpne) => false,
        Op::Binary(
            BinaryOps::Sub | BinaryOps::Div | BinaryOps::Mod | BinaryOps::Pow | BinaryOps::Cmplt,
        ) => true,
        Op::Ternary(_) | Op::Gather(_) | Op::Scatter(_) => true,
        Op::Const(_) | Op::Iota | Op::Rand(_) | Op::Empty | Op::Contiguous | Op::From => false,
        Op::Unary(_) | Op::Reduce(..) | Op::Scan(..) => false,
    }
}

/// What a list of movements does, in the words of [`MovementOps`](crate::ops::MovementOps).
pub fn movements(start: &[usize], moves: &[Move]) -> String {
    let mut shape = start.to_vec();
    let mut words: Vec<&str> = Vec::new();
    for movement in moves {
        match movement {
            Move::Reshape(_) => words.push("reshape"),
            Move::Remap(remap) => words.extend(words_of(remap, &shape)),
        }
        shape = movement.shape().to_vec();
    }
    match words.is_empty() {
        true => "view".to_string(),
        false => words.join(", "),
    }
}

fn words_of(remap: &Remap, old: &[usize]) -> Vec<&'static str> {
    // An old axis of size 1 has index 0 whatever the coefficients say.
    let rows: Vec<&(isize, Vec<isize>)> = (remap.rows.iter().zip(old))
        .filter(|row| *row.1 != 1)
        .map(|row| row.0)
        .collect();
    let used = |axis: usize| rows.iter().any(|row| row.1[axis] != 0);
    let long = |axis: usize| remap.shape[axis] > 1;
    let moving = |row: &(isize, Vec<isize>)| -> Vec<usize> {
        (0..row.1.len())
            .filter(|&axis| long(axis) && row.1[axis] != 0)
            .collect()
    };
    // For each old axis that is one of the new ones: which.
    let places: Vec<usize> = rows
        .iter()
        .map(|row| moving(row))
        .filter(|axes| axes.len() == 1)
        .map(|axes| axes[0])
        .collect();
    let any = |test: &dyn Fn(isize, usize) -> bool| {
        rows.iter().any(|row| {
            row.1
                .iter()
                .enumerate()
                .any(|(axis, &c)| c != 0 && long(axis) && test(c, axis))
        })
    };
    let leaves = remap.leaves(old);
    let span = |row: &(isize, Vec<isize>)| -> isize {
        row.1
            .iter()
            .enumerate()
            .map(|(axis, &c)| c.abs() * (remap.shape[axis] as isize - 1))
            .sum()
    };
    let shrinks = (remap.rows.iter().zip(old)).any(|(row, &size)| {
        let stepping = row
            .1
            .iter()
            .map(|c| c.abs())
            .filter(|&c| c != 0)
            .min()
            .unwrap_or(1);
        size > 1 && span(row) + stepping < size as isize
    });
    let windows = rows.iter().any(|row| moving(row).len() > 1);
    let checks = [
        ("permute", places.windows(2).any(|pair| pair[0] > pair[1])),
        (
            "expand",
            (0..remap.shape.len()).any(|axis| long(axis) && !used(axis)),
        ),
        ("window", windows),
        ("flip", any(&|c, _| c < 0)),
        ("stride", !windows && any(&|c, _| c.abs() > 1)),
        ("pad", leaves),
        ("shrink", shrinks && !windows),
    ];
    checks
        .into_iter()
        .filter(|check| check.1)
        .map(|check| check.0)
        .collect()
}

/// Shape, strides, offset, and whether there is padding: what a box of a view says.
fn lines_of(view: &View) -> Vec<String> {
    let mut lines = vec![format!("{:?}", view.shape)];
    if view.strides != row_major(&view.shape) {
        lines.push(format!("strides {:?}", view.strides));
    }
    if view.offset != 0 {
        lines.push(format!("offset {}", view.offset));
    }
    if !view.bounds.is_empty() {
        lines.push("0 outside".to_string());
    }
    lines
}

/// Nodes and the views through which they look at each other. `shown` are the targets, each as it is looked at.
pub fn lazy(graph: &Graph, shown: &[LazyBuffer]) -> Diagram {
    let mut diagram = Diagram::default();
    let mut boxes: HashMap<usize, usize> = HashMap::new();
    let mut views: HashMap<(usize, u128), usize> = HashMap::new();
    // Views are numbered after the nodes.
    let mut next = graph.nodes.len();
    let mut through = |diagram: &mut Diagram, source: usize, at: usize, path: &Arc<Path>| {
        *views
            .entry((source, path.fingerprint()))
            .or_insert_with(|| {
                diagram.edges.push((at, diagram.boxes.len()));
                let start = graph.nodes[source].shape();
                diagram.boxes.push(Node {
                    room: Room::Movement,
                    number: next,
                    heading: movements(start, path.moves()),
                    lines: lines_of(path.view()),
                    more: format!("{:?}", path.view()),
                    wanted: false,
                });
                next += 1;
                diagram.boxes.len() - 1
            })
    };
    let folded = |edge: &Edge| match edge.path {
        None => graph.nodes[edge.index].constant(),
        Some(_) => None,
    };
    for (number, node) in graph.nodes.iter().enumerate() {
        let seen = |&(user, position): &(usize, usize)| {
            folded(&graph.nodes[user].sources[position]).is_none()
        };
        if node.constant().is_some() && !node.uses.is_empty() && !node.uses.iter().any(seen) {
            continue;
        }
        let (mut operands, mut ends) = (Vec::new(), Vec::new());
        for edge in &node.sources {
            if let Some(value) = folded(edge) {
                operands.push(Operand::Constant(constant(value)));
                continue;
            }
            let at = boxes[&edge.index];
            let end = match &edge.path {
                Some(path) => through(&mut diagram, edge.index, at, path),
                None => at,
            };
            operands.push(Operand::Box(diagram.boxes[end].number));
            ends.push(end);
        }
        let mut lines = vec![typed(node.node.dtype(), node.shape())];
        let heading = match &node.kind {
            Kind::Leaf(memory) => {
                lines.push(bytes(memory.nbytes()));
                "memory".to_string()
            }
            Kind::Op(op) => call(&name_of(op), &operands, is_ordered(op)),
        };
        let at = diagram.boxes.len();
        diagram.edges.extend(ends.into_iter().map(|end| (end, at)));
        boxes.insert(number, at);
        diagram.boxes.push(Node {
            room: room_of(graph, node),
            number,
            heading,
            lines,
            more: node.op().map_or(String::new(), |op| format!("{op:?}")),
            wanted: graph.targets.contains(&number),
        });
    }
    for target in shown {
        let number = (0..graph.nodes.len())
            .rev()
            .find(|&i| Arc::ptr_eq(&graph.nodes[i].node, target.node()));
        if let (Some(path), Some(number)) = (target.path(), number)
            && let Some(&at) = boxes.get(&number)
        {
            let view = through(&mut diagram, number, at, path);
            diagram.boxes[view].wanted = true;
            diagram.boxes[at].wanted = false;
        }
    }
    let views = diagram
        .boxes
        .iter()
        .filter(|b| b.room == Room::Movement)
        .count();
    diagram.title = "Lazy graph".to_string();
    diagram.subtitle = format!(
        "{} and {}; constants stand where they are used",
        plural(diagram.boxes.len() - views, "node"),
        plural(views, "view")
    );
    diagram
}

// ---- Kernels ---------------------------------------------------------

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
