//! # viz/graphs/autograd: tensors, and the functions that made them
//!
//! **In:** the notes that a backward would follow. **Out:** a box for each tensor, with its value and its gradient where they are known.

use super::{Operand, call, constant, plural, typed};
use crate::Tensor;
use crate::lazy::LazyBuffer;
use crate::viz::Graph;
use crate::viz::diagram::{Diagram, Node, Room};
use crate::viz::svg::number;
use std::collections::HashMap;

/// Up to so many values are shown.
const FEW: usize = 3;

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
pub fn autograd(graph: &Graph) -> Diagram {
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
fn products(graph: &Graph, numbers: &HashMap<usize, usize>, tensor: &Tensor) -> bool {
    let made = &graph.tensors[numbers[&tensor.id()]];
    match made.function {
        Some("Mul") => true,
        Some("Cast") => graph.tensors[numbers[&made.parents[0].id()]].function == Some("Mul"),
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mlops::FUNCTIONS;

    #[test]
    fn every_function_is_in_the_room_that_it_is_in() {
        let of = |room: Room| {
            FUNCTIONS
                .iter()
                .filter(|name| room_of_function(name) == room)
                .count()
        };
        assert_eq!(
            [Room::Movement, Room::Reduction, Room::Indexed, Room::Memory].map(of),
            [7, 3, 2, 3]
        );
        assert_eq!(of(Room::Elementwise), FUNCTIONS.len() - 15);
    }
}
