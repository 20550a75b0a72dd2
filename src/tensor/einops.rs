//! # tensor/einops: axes by name
//!
//! **In:** a tensor and a formula, `"b (h w) c -> b c h w"`. **Out:** the same elements, split, reordered and merged as it says. (Rogozhnikov,
//! *Einops: Clear and Reliable Tensor Manipulations with Einstein-like Notation*, 2022.)
//!
//! A name is an axis, names in parentheses are one axis made of several, `1` is an axis of size 1, `...` stands for all axes that are not named. It
//! is a reshape, a permutation and another reshape.

use super::Tensor;
use crate::error::fail;

/// The axes of one side: each has the names that it is made of.
#[track_caller]
fn side(formula: &str, text: &str, unnamed: usize) -> Vec<Vec<String>> {
    let mut axes: Vec<Vec<String>> = Vec::new();
    let mut open = false;
    for token in text
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace("...", " ... ")
        .split_whitespace()
    {
        let names: Vec<String> = match token {
            "(" if !open => {
                open = true;
                axes.push(Vec::new());
                continue;
            }
            ")" if open => {
                open = false;
                continue;
            }
            "..." => (0..unnamed).map(|i| format!("...{i}")).collect(),
            "1" => Vec::new(),
            name if name.chars().all(|c| c.is_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_numeric()) =>
            {
                vec![name.to_string()]
            }
            odd => {
                fail!("rearrange", "{formula:?}: {odd:?} is no name of an axis"; "names, parentheses (not nested), 1 and ...")
            }
        };
        if open {
            let last = axes.last_mut().expect("a parenthesis has made an axis");
            last.extend(names);
        } else if token == "1" {
            axes.push(names);
        } else {
            axes.extend(names.into_iter().map(|name| vec![name]));
        }
    }
    if open {
        fail!("rearrange", "{formula:?}: a parenthesis is not closed");
    }
    axes
}

impl Tensor {
    /// The same elements under axes that a formula names; `sizes` has those of split axes (all but one of each).
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2, 3, 4], [5, 6, 7, 8]]);
    /// let y = x.rearrange("a (b c) -> c (b a)", &[("c", 2)]);
    /// assert_eq!(y.shape(), [2, 4]);
    /// assert_eq!(y.to_vec::<i32>(), [1, 5, 3, 7, 2, 6, 4, 8]);
    /// ```
    /// # Panics
    /// If the formula doesn't fit the shape, or its sides have different names.
    #[track_caller]
    pub fn rearrange(&self, formula: &str, sizes: &[(&str, usize)]) -> Tensor {
        const OP: &str = "rearrange";
        let shape = self.shape();
        let Some((left, right)) = formula.split_once("->") else {
            fail!(OP, "{formula:?} has no ->"; "\"b (h w) c -> b c h w\"");
        };
        // As many axes as are left are unnamed.
        let named = side(formula, left, 0).len();
        let unnamed = if left.contains("...") {
            shape.len().saturating_sub(named)
        } else {
            0
        };
        let (from, to) = (side(formula, left, unnamed), side(formula, right, unnamed));
        if from.len() != shape.len() {
            fail!(
                OP,
                "{formula:?} names {} axes, and shape {shape:?} has {}",
                from.len(),
                shape.len()
            );
        }
        let (names, wanted) = (from.concat(), to.concat());
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names
        };
        let mut unique = sorted(&names);
        unique.dedup();
        if unique != sorted(&wanted) || unique.len() != names.len() {
            fail!(OP, "{formula:?}: each name must stand once on either side");
        }
        if let Some((odd, _)) = sizes
            .iter()
            .find(|(name, _)| !names.iter().any(|n| n == name))
        {
            fail!(OP, "{formula:?} has no axis {odd:?}");
        }
        // The sizes of all names: given, or what is left of their axis.
        let mut split = Vec::new();
        for (axis, (group, &size)) in from.iter().zip(&shape).enumerate() {
            let given =
                |name: &String| sizes.iter().find(|(n, _)| n == name).map(|(_, size)| *size);
            let known: usize = group.iter().filter_map(given).product();
            let open = group.iter().filter(|name| given(name).is_none()).count();
            let fits = match open {
                0 => known == size,
                1 => known > 0 && size.is_multiple_of(known),
                _ => false,
            };
            if !fits {
                fail!(OP, "{formula:?}: axis {axis} of shape {shape:?} is not ({})", group.join(" "); "name the sizes of all its parts but one");
            }
            split.extend(
                group
                    .iter()
                    .map(|name| given(name).unwrap_or(size / known.max(1))),
            );
        }
        let place = |name: &String| {
            let place = names.iter().position(|other| other == name);
            place.expect("both sides have the same names")
        };
        let merged: Vec<usize> = to
            .iter()
            .map(|group| group.iter().map(|name| split[place(name)]).product())
            .collect();
        let order: Vec<usize> = wanted.iter().map(place).collect();
        self.reshape(&split).permute(order).reshape(merged)
    }
}
