//! How an input lies in memory: as itself, or as a view of something else.
//!
//! **In:** the shape that an [`Entry`](super::Entry) wants. **Out:** the shape of a leaf to differentiate, and the view of it that has
//! the wanted shape. The gradient then has to find its way back through the view.

use teenygrad::Tensor;
use teenygrad::mlops::movement;

/// What an input is a view of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Form {
    /// of itself
    Plain,
    /// its axes in the opposite order
    Turned,
    /// all axes backwards
    Flipped,
    /// the last axis repeated from one element: stride 0
    Expanded,
    /// a piece of something larger: an offset, and gaps between rows
    Cut,
    /// the last two axes are overlapping windows of one
    Overlapping,
    /// padded, flipped, turned and cut
    Chain,
}

impl Form {
    pub const VIEWS: [Form; 6] = [
        Form::Turned,
        Form::Flipped,
        Form::Expanded,
        Form::Cut,
        Form::Overlapping,
        Form::Chain,
    ];

    /// The shape of what is looked at.
    pub fn leaf(self, shape: &[usize]) -> Vec<usize> {
        let (mut leaf, n) = (shape.to_vec(), shape.len());
        match self {
            Form::Plain | Form::Flipped => {}
            Form::Turned => leaf.reverse(),
            Form::Expanded => {
                if let Some(last) = leaf.last_mut() {
                    *last = 1;
                }
            }
            Form::Cut => leaf.iter_mut().for_each(|size| *size += 2),
            Form::Overlapping if n < 2 => {}
            Form::Overlapping => {
                leaf.truncate(n - 2);
                leaf.push(shape[n - 2] + shape[n - 1] - 1);
            }
            Form::Chain => {
                leaf.reverse();
                leaf.iter_mut().for_each(|size| *size += 1);
            }
        }
        leaf
    }

    /// The view of it, with the wanted shape.
    pub fn view(self, leaf: &Tensor, shape: &[usize]) -> Tensor {
        let n = shape.len();
        let backwards: Vec<usize> = (0..n).rev().collect();
        match self {
            Form::Plain => leaf.clone(),
            Form::Turned => leaf.permute(backwards),
            Form::Flipped => leaf.flip(()),
            Form::Expanded => leaf.expand(shape),
            Form::Cut => {
                let ranges: Vec<(usize, usize)> = shape.iter().map(|&size| (1, size + 1)).collect();
                leaf.shrink(&ranges)
            }
            Form::Overlapping if n < 2 => leaf.clone(),
            Form::Overlapping => {
                let slide = movement::Slide {
                    kernel: shape[n - 1],
                    stride: 1,
                    dilation: 1,
                };
                Tensor::apply(movement::Window::new(vec![slide]), &[leaf])
            }
            Form::Chain => {
                // Axis by axis: [s + 1] → a zero in front [s + 2] → backwards, so that the zero comes last → without the last two.
                let ranges: Vec<(usize, usize)> = shape.iter().map(|&size| (0, size)).collect();
                leaf.pad(&vec![(1, 0); n], 0)
                    .flip(())
                    .permute(backwards)
                    .shrink(&ranges)
            }
        }
    }
}
