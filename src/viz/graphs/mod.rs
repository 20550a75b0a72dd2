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

mod autograd;
mod kernels;
mod lazy;

pub use autograd::autograd;
pub use kernels::kernels;
pub use lazy::lazy;

use super::svg::{grouped, number};
use crate::dtype::{DType, Scalar};

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
    let by_number = ordered && several;
    let any_constant = operands.iter().any(|o| matches!(o, Operand::Constant(_)));
    let plain = !any_constant && !by_number;
    if plain {
        return name.to_string();
    }
    let text = |operand: &Operand| match operand {
        Operand::Constant(value) => value.clone(),
        Operand::Box(number) if by_number => number.to_string(),
        Operand::Box(_) => "·".to_string(),
    };
    let texts: Vec<String> = operands.iter().map(text).collect();
    format!("{name}({})", texts.join(", "))
}

enum Operand {
    Constant(String),
    Box(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_name_what_matters() {
        let (two, box_3, box_4) = (
            || Operand::Constant("2".into()),
            || Operand::Box(3),
            || Operand::Box(4),
        );
        assert_eq!(call("Mul", &[box_3(), box_4()], false), "Mul");
        assert_eq!(call("Sub", &[box_3(), box_4()], true), "Sub(3, 4)");
        assert_eq!(call("Sub", &[box_3(), two()], true), "Sub(·, 2)");
        assert_eq!(
            call("Where", &[box_3(), two(), box_4()], true),
            "Where(3, 2, 4)"
        );
    }
}
