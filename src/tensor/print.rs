//! # tensor/print: how a tensor looks
//!
//! **In:** a tensor. **Out:** text, the same for `{}` and `{:?}`: the values, nested and aligned, then whatever isn't obvious from them.
//!
//! ```
//! use teenygrad::Tensor;
//! let x = Tensor::from([[1.0, -0.5], [2.25, 10.0]]).requires_grad(true);
//! assert_eq!(format!("{x}"), "\
//! tensor([[ 1.0000, -0.5000],
//!         [ 2.2500, 10.0000]], shape=[2, 2], float32, requires_grad)");
//! ```
//!
//! Laws:
//! 1. Printing computes: a tensor that is not realized yet is realized.
//! 2. More than 1000 elements are elided: of each axis longer than 6 the first and the last 3 are shown.
//! 3. All numbers of a tensor are written in one way: as integers; as floats with one decimal, if they are whole; with four, if they
//!    are of similar size; else with a power of ten.

use super::Tensor;
use crate::device::Device;
use crate::dtype::{Scalar, with_dtype};
use std::fmt::{self, Write};

/// Elements up to which a tensor is shown whole, and how many at each end of an axis are if it is not.
const WHOLE: usize = 1000;
const EDGE: usize = 3;

const HEAD: &str = "tensor(";

impl fmt::Display for Tensor {
    /// Computes the values if need be. See the [module](self).
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let shape = self.shape();
        let values: Vec<Scalar> = with_dtype!(self.dtype(), T => self.to_vec::<T>().into_iter().map(Into::into).collect());
        let layout = Layout {
            shape: &shape,
            elided: values.len() > WHOLE,
        };
        // Only what is shown decides on how it is shown.
        let mut shown = Vec::new();
        layout.visit(0, 0, &mut |offset| shown.push(values[offset]));
        let style = Style::of(&shown);
        let texts: Vec<String> = shown.iter().map(|&value| style.text(value)).collect();
        let width = texts
            .iter()
            .map(|text| text.chars().count())
            .max()
            .unwrap_or(0);

        let mut text = String::from(HEAD);
        layout.write(
            &mut text,
            0,
            &mut texts.iter().map(|text| format!("{text:>width$}")),
        );
        // The brackets of one axis tell its size; those of more, or of an empty one, do not tell all.
        if shape.len() > 1 || values.is_empty() || layout.elided {
            write!(text, ", shape={shape:?}")?;
        }
        write!(text, ", {}", self.dtype())?;
        if self.device() != Device::DEFAULT() {
            write!(text, ", {}", self.device())?;
        }
        if self.needs_grad() == Some(true) {
            text.push_str(", requires_grad");
        }
        text.push(')');
        f.write_str(&text)
    }
}

impl fmt::Debug for Tensor {
    /// As `Display`. Computes the values if need be.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// ---- Which elements, and where ---------------------------------------

struct Layout<'a> {
    shape: &'a [usize],
    elided: bool,
}

impl Layout<'_> {
    /// The positions along an axis that are shown, and before which of them something is left out.
    fn positions(&self, axis: usize) -> (Vec<usize>, Option<usize>) {
        let size = self.shape[axis];
        if !self.elided || size <= 2 * EDGE {
            return ((0..size).collect(), None);
        }
        (
            (0..EDGE).chain(size - EDGE..size).collect(),
            Some(size - EDGE),
        )
    }

    /// Calls `see` with the offset of each element that is shown, in the order of the text. `offset` counts boxes of `axis`.
    fn visit(&self, axis: usize, offset: usize, see: &mut impl FnMut(usize)) {
        // As deep as there are axes: this recursion ends soon.
        if axis == self.shape.len() {
            return see(offset);
        }
        for position in self.positions(axis).0 {
            self.visit(axis + 1, offset * self.shape[axis] + position, see);
        }
    }

    /// The nested brackets, filled with `texts` in the order of [`Layout::visit`].
    fn write(&self, out: &mut String, axis: usize, texts: &mut impl Iterator<Item = String>) {
        if axis == self.shape.len() {
            return out.push_str(&texts.next().expect("a text for each element that is shown"));
        }
        // The last axis runs along the line; an axis before it starts a line for each position, with an empty one between matrices.
        let below = self.shape.len() - axis - 1;
        let separator = match below {
            0 => ", ".to_string(),
            lines => format!(
                ",{}{}",
                "\n".repeat(lines),
                " ".repeat(HEAD.len() + axis + 1)
            ),
        };
        let (positions, gap) = self.positions(axis);
        out.push('[');
        for (i, &position) in positions.iter().enumerate() {
            if i > 0 {
                out.push_str(&separator);
            }
            if gap == Some(position) {
                out.push('…');
                out.push_str(&separator);
            }
            self.write(out, axis + 1, texts);
        }
        out.push(']');
    }
}

// ---- Digits ----------------------------------------------------------

/// Law 3.
#[derive(Clone, Copy)]
enum Style {
    Whole,
    Decimals,
    Powers,
}

impl Style {
    fn of(values: &[Scalar]) -> Style {
        let sizes = || {
            values
                .iter()
                .map(|value| value.as_f64().abs())
                .filter(|size| size.is_finite() && *size != 0.0)
        };
        let (largest, smallest) = (
            sizes().fold(0.0, f64::max),
            sizes().fold(f64::INFINITY, f64::min),
        );
        if sizes().all(|size| size.fract() == 0.0) && largest < 1e8 {
            return Style::Whole;
        }
        // Four decimals must be enough for the smallest, and not look like a serial number for the largest.
        if largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1e6 {
            Style::Powers
        } else {
            Style::Decimals
        }
    }

    fn text(self, value: Scalar) -> String {
        let float = match value {
            Scalar::Bool(value) => return value.to_string(),
            Scalar::Int(value) => return value.to_string(),
            Scalar::Float(value) => value,
        };
        if !float.is_finite() {
            return float.to_string();
        }
        match self {
            Style::Whole => format!("{float:.1}"),
            Style::Decimals => format!("{float:.4}"),
            Style::Powers => format!("{float:.4e}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{DType, Tensor};

    #[test]
    fn one_number_and_none() {
        assert_eq!(Tensor::from(2.5).to_string(), "tensor(2.5000, float32)");
        assert_eq!(Tensor::from(7).to_string(), "tensor(7, int32)");
        assert_eq!(
            Tensor::zeros([0]).to_string(),
            "tensor([], shape=[0], float32)"
        );
        assert_eq!(
            Tensor::zeros([2, 0]).to_string(),
            "tensor([[],\n        []], shape=[2, 0], float32)"
        );
    }

    #[test]
    fn debug_is_display() {
        let x = Tensor::from([true, false]);
        assert_eq!(format!("{x:?}"), "tensor([ true, false], bool)");
        assert_eq!(format!("{x:?}"), format!("{x}"));
    }

    #[test]
    fn numbers_of_a_kind_look_alike() {
        assert_eq!(
            Tensor::from([1.0, -20.0]).to_string(),
            "tensor([  1.0, -20.0], float32)"
        );
        assert_eq!(
            Tensor::from([1.5, f32::NAN, f32::NEG_INFINITY]).to_string(),
            "tensor([1.5000,    NaN,   -inf], float32)"
        );
        assert_eq!(
            Tensor::from([1e-6f32, 1.0]).to_string(),
            "tensor([1.0000e-6,  1.0000e0], float32)"
        );
        assert_eq!(
            Tensor::from([u64::MAX]).to_string(),
            "tensor([18446744073709551615], uint64)"
        );
        assert_eq!(
            Tensor::from([0.5]).cast(DType::Float16).to_string(),
            "tensor([0.5000], float16)"
        );
    }

    #[test]
    fn matrices_are_apart() {
        let text = Tensor::from([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]).to_string();
        let expected = "\
tensor([[[1, 2],
         [3, 4]],

        [[5, 6],
         [7, 8]]], shape=[2, 2, 2], int32)";
        assert_eq!(text, expected);
    }

    #[test]
    fn long_axes_show_their_ends() {
        let text = Tensor::arange(1001).to_string();
        assert_eq!(
            text,
            "tensor([   0,    1,    2, …,  998,  999, 1000], shape=[1001], int32)"
        );
        let text = Tensor::zeros([600, 2]).to_string();
        assert_eq!(text.lines().count(), 7);
        assert_eq!(text.lines().nth(3), Some("        …,"));
    }
}
