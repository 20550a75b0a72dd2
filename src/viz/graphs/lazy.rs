//! # viz/graphs/lazy: nodes, and how they look at each other
//!
//! **In:** a snapshot of the lazy graph. **Out:** a box for each node, and one for each view through which something looks at it.

use super::{Operand, call, constant, plural, typed};
use crate::lazy::{LazyBuffer, Op};
use crate::ops::{BinaryOps, ReduceOps, UnaryOps};
use crate::schedule::graph::{Edge, Graph, Kind};
use crate::shape::path::{Move, Path};
use crate::shape::view::{Remap, View, row_major};
use crate::viz::diagram::{Diagram, Node, Room};
use crate::viz::svg::bytes;
use std::collections::HashMap;
use std::sync::Arc;

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
        Op::Gather(_) => "Gather".into(),
        Op::Scatter(_) => "Scatter".into(),
        Op::Scan(op, _) => format!("Scan {op:?}"),
    }
}

/// The axis along which an op goes, where its name doesn't say it.
fn axis_of(op: &Op) -> Option<usize> {
    match op {
        Op::Gather(axis) | Op::Scatter(axis) | Op::Scan(_, axis) => Some(*axis),
        Op::Const(_) | Op::Iota | Op::Rand(_) | Op::Empty | Op::Contiguous | Op::From => None,
        Op::Unary(_) | Op::Binary(_) | Op::Ternary(_) | Op::Reduce(..) => None,
    }
}

fn room_of(graph: &Graph, index: usize) -> Room {
    let Kind::Op(op) = &graph.nodes[index].kind else {
        return Room::Memory;
    };
    match op {
        Op::Const(_) | Op::Iota | Op::Rand(_) | Op::Empty | Op::Contiguous | Op::From => {
            Room::Memory
        }
        Op::Unary(_) | Op::Binary(_) | Op::Ternary(_) => Room::Elementwise,
        Op::Reduce(ReduceOps::Sum, _) if is_product(graph, graph.sources(index)[0].index) => {
            Room::Contraction
        }
        Op::Reduce(..) | Op::Scan(..) => Room::Reduction,
        Op::Gather(_) | Op::Scatter(_) => Room::Indexed,
    }
}

/// Whether a node is a product of two arrays, perhaps cast.
fn is_product(graph: &Graph, index: usize) -> bool {
    let sources = graph.sources(index);
    match graph.nodes[index].op() {
        Some(Op::Binary(BinaryOps::Mul)) => sources
            .iter()
            .all(|edge| graph.nodes[edge.index].constant().is_none()),
        Some(Op::Unary(UnaryOps::Cast(_))) => {
            let source = &graph.nodes[sources[0].index];
            matches!(source.op(), Some(Op::Binary(BinaryOps::Mul)))
        }
        Some(_) | None => false,
    }
}

/// Whether it matters which operand is the first.
fn is_ordered(op: &Op) -> bool {
    match op {
        Op::Binary(
            BinaryOps::Add
            | BinaryOps::Mul
            | BinaryOps::Max
            | BinaryOps::Cmpne
            | BinaryOps::And
            | BinaryOps::Or
            | BinaryOps::Xor,
        ) => false,
        Op::Binary(
            BinaryOps::Sub
            | BinaryOps::Div
            | BinaryOps::Mod
            | BinaryOps::Pow
            | BinaryOps::Cmplt
            | BinaryOps::Shl
            | BinaryOps::Shr,
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
    let rows: Vec<(isize, &[isize])> = (remap.rows().zip(old))
        .filter(|row| *row.1 != 1)
        .map(|row| row.0)
        .collect();
    let used = |axis: usize| rows.iter().any(|row| row.1[axis] != 0);
    let long = |axis: usize| remap.shape[axis] > 1;
    let moving = |row: &(isize, &[isize])| -> Vec<usize> {
        (0..row.1.len())
            .filter(|&axis| long(axis) && row.1[axis] != 0)
            .collect()
    };
    // For each old axis that is one of the new ones: which.
    let places: Vec<usize> = rows
        .iter()
        .map(&moving)
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
    let span = |row: &(isize, &[isize])| -> isize {
        row.1
            .iter()
            .enumerate()
            .map(|(axis, &c)| c.abs() * (remap.shape[axis] as isize - 1))
            .sum()
    };
    let shrinks = (remap.rows().zip(old)).any(|(row, &size)| {
        let stepping = row
            .1
            .iter()
            .map(|c| c.abs())
            .filter(|&c| c != 0)
            .min()
            .unwrap_or(1);
        size > 1 && span(&row) + stepping < size as isize
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
        let seen =
            |&(user, position): &(usize, usize)| folded(&graph.sources(user)[position]).is_none();
        let uses = graph.uses(number);
        if node.constant().is_some() && !uses.is_empty() && !uses.iter().any(seen) {
            continue;
        }
        let (mut operands, mut ends) = (Vec::new(), Vec::new());
        for edge in graph.sources(number) {
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
            Kind::Op(op) => {
                lines.extend(axis_of(op).map(|axis| format!("along axis {axis}")));
                call(&name_of(op), &operands, is_ordered(op))
            }
        };
        let at = diagram.boxes.len();
        diagram.edges.extend(ends.into_iter().map(|end| (end, at)));
        boxes.insert(number, at);
        diagram.boxes.push(Node {
            room: room_of(graph, number),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::dtype::DType;

    fn words(change: impl Fn(&LazyBuffer) -> LazyBuffer) -> String {
        let memory = LazyBuffer::loadop(
            crate::ops::LoadOps::Empty,
            &[4, 6],
            DType::Float32,
            Device::CPU,
        );
        let changed = change(&memory);
        let moves = changed.path().map_or(&[][..], |path| path.moves());
        movements(&[4, 6], moves)
    }

    #[test]
    fn movements_have_the_names_of_what_they_do() {
        assert_eq!(words(|x| x.permute(&[1, 0])), "permute");
        assert_eq!(words(|x| x.reshape(&[24])), "reshape");
        assert_eq!(
            words(|x| x.reshape(&[4, 1, 6]).expand(&[4, 3, 6])),
            "reshape, expand"
        );
        assert_eq!(words(|x| x.shrink(&[(1, 3), (0, 6)])), "shrink");
        assert_eq!(words(|x| x.pad(&[(0, 1), (2, 0)])), "pad");
        assert_eq!(words(|x| x.stride(&[-1, 1])), "flip");
        assert_eq!(words(|x| x.stride(&[1, -2])), "flip, stride");
        assert_eq!(words(|x| x.stride(&[2, 3])), "stride");
        assert_eq!(
            words(|x| x.permute(&[1, 0]).pad(&[(1, 1), (0, 0)])),
            "permute, pad"
        );
        let x = crate::Tensor::rand([1, 1, 5, 5]).realize();
        let windows = x.unfold(2, 3, 1).unfold(3, 3, 1).lazydata();
        assert!(movements(&[1, 1, 5, 5], windows.path().unwrap().moves()).contains("window"));
    }
}
