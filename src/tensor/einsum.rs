//! # tensor/einsum: sums of products, by the letters of their axes
//!
//! **In:** a formula such as `"ij,jk->ik"` and a tensor for each term. **Out:** the sum, over all letters that the result doesn't name, of
//! the products. Each pair of terms is one SUM(MUL(a, b)), hence a contraction like any other ([`conv`](super::conv)).
//!
//! | formula | is |
//! |---|---|
//! | `ij->ji` | the transpose |
//! | `ii->i`, `ii` | the diagonal, the trace |
//! | `ij,jk` | a matrix product (without an arrow the result has the letters that come once, in alphabetical order) |
//! | `...ij,...jk->...ik` | one for each of the axes in front, which broadcast |

use super::Tensor;
use crate::error::fail;

/// One term: its tensor, and the letter of each axis. Axes of an ellipsis get capital numbers beyond all letters.
struct Term {
    tensor: Tensor,
    letters: Vec<char>,
}

/// The letter of the i-th axis from the end of an ellipsis.
fn dots(i: usize) -> char {
    char::from_u32(0xE000 + i as u32).expect("the private use area is large")
}

/// A term's letters, with those of the ellipsis filled in for so many axes.
#[track_caller]
fn letters(formula: &str, term: &str, rank: usize) -> Vec<char> {
    let named = term.chars().filter(|c| c.is_alphabetic()).count();
    let Some(rest) = rank.checked_sub(named) else {
        fail!(
            "einsum",
            "{term:?} of {formula:?} names {named} axes, and the tensor has {rank}"
        )
    };
    let expanded: Vec<char> = match term.split_once("...") {
        Some((before, after)) => before
            .chars()
            .chain((0..rest).rev().map(dots))
            .chain(after.chars())
            .collect(),
        None => term.chars().collect(),
    };
    if expanded.len() != rank
        || expanded
            .iter()
            .any(|c| *c == '.' || (!c.is_alphabetic() && *c < dots(0)))
    {
        fail!("einsum", "{term:?} of {formula:?} does not name the {rank} axes of its tensor"; "letters, one an axis, and at most one ...");
    }
    expanded
}

impl Tensor {
    /// The sum of products that a formula describes; see the [module](self).
    /// ```
    /// # use teenygrad::Tensor;
    /// let (a, b) = (Tensor::from([[1, 2], [3, 4]]), Tensor::from([[5, 6], [7, 8]]));
    /// assert_eq!(Tensor::einsum("ij,jk->ik", &[&a, &b]).to_vec::<i32>(), [19, 22, 43, 50]);
    /// assert_eq!(Tensor::einsum("ii", &[&a]).item::<i32>(), 5);
    /// assert_eq!(Tensor::einsum("ij->ji", &[&a]).to_vec::<i32>(), [1, 3, 2, 4]);
    /// ```
    /// # Panics
    /// If terms and tensors don't fit, a letter has two sizes, or the result names a letter that no term has.
    #[track_caller]
    pub fn einsum(formula: &str, tensors: &[&Tensor]) -> Tensor {
        let clean: String = formula.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = match clean.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (&clean[..], None),
        };
        let names: Vec<&str> = left.split(',').collect();
        if names.len() != tensors.len() {
            fail!(
                "einsum",
                "{formula:?} has {} terms for {} tensors",
                names.len(),
                tensors.len()
            );
        }
        let mut terms = Vec::with_capacity(tensors.len());
        for (name, tensor) in names.iter().zip(tensors) {
            let letters = letters(formula, name, tensor.ndim());
            terms.push(without_repetition(Term {
                tensor: (*tensor).clone(),
                letters,
            }));
        }
        let result = result_letters(formula, right, &names, &terms);
        let mut terms = terms.into_iter();
        let first = terms.next().expect("split gives at least one");
        let mut rest: Vec<Term> = terms.collect();
        let mut product = first;
        while !rest.is_empty() {
            let next = rest.remove(0);
            // What later terms or the result still need stays, the rest is summed now.
            let needed = |letter: &char| {
                result.contains(letter) || rest.iter().any(|term| term.letters.contains(letter))
            };
            product = contract(formula, product, next, needed);
        }
        finish(product, &result)
    }
}

/// A letter that stands twice in a term means its diagonal.
#[track_caller]
fn without_repetition(mut term: Term) -> Term {
    loop {
        let repeated = (0..term.letters.len()).find_map(|i| {
            let later =
                (i + 1..term.letters.len()).find(|&j| term.letters[j] == term.letters[i])?;
            Some((i, later))
        });
        let Some((i, j)) = repeated else { return term };
        let shape = term.tensor.shape();
        if shape[i] != shape[j] {
            fail!(
                "einsum",
                "the letter {:?} has sizes {} and {} in shape {shape:?}",
                term.letters[i],
                shape[i],
                shape[j]
            );
        }
        let letter = term.letters[i];
        term.tensor = term.tensor.diagonal(i as isize, j as isize);
        term.letters.remove(j);
        term.letters.remove(i);
        term.letters.push(letter);
    }
}

/// The letters of the result, in order.
#[track_caller]
fn result_letters(formula: &str, right: Option<&str>, names: &[&str], terms: &[Term]) -> Vec<char> {
    let most = terms
        .iter()
        .flat_map(|term| &term.letters)
        .filter(|c| **c >= dots(0))
        .max();
    let ellipsis = most.map_or(0, |most| *most as usize - dots(0) as usize + 1);
    match right {
        Some(right) => {
            let rank = right.chars().filter(|c| c.is_alphabetic()).count()
                + if right.contains("...") { ellipsis } else { 0 };
            let result = letters(formula, right, rank);
            if let Some(unknown) = result
                .iter()
                .find(|letter| !terms.iter().any(|term| term.letters.contains(letter)))
            {
                fail!(
                    "einsum",
                    "{unknown:?} of the result of {formula:?} is in none of its terms"
                );
            }
            result
        }
        None => {
            let all: String = names.concat();
            let mut once: Vec<char> = all
                .chars()
                .filter(|c| c.is_alphabetic() && all.matches(*c).count() == 1)
                .collect();
            once.sort_unstable();
            (0..ellipsis).rev().map(dots).chain(once).collect()
        }
    }
}

/// Two terms as one, summed over what nobody needs any more.
#[track_caller]
fn contract(formula: &str, a: Term, b: Term, needed: impl Fn(&char) -> bool) -> Term {
    let mut letters = a.letters.clone();
    letters.extend(
        b.letters
            .iter()
            .filter(|letter| !a.letters.contains(letter)),
    );
    // What is summed comes last, as the engine likes it.
    let (mut kept, summed): (Vec<char>, Vec<char>) =
        letters.into_iter().partition(|letter| needed(letter));
    let rank = kept.len();
    kept.extend(summed);
    let (a, b) = (spread(&a, &kept), spread(&b, &kept));
    let (left, right) = (a.shape(), b.shape());
    if let Some(odd) =
        (0..kept.len()).find(|&i| left[i] != right[i] && left[i] != 1 && right[i] != 1)
    {
        fail!(
            "einsum",
            "the letter {:?} of {formula:?} has sizes {} and {}",
            kept[odd],
            left[odd],
            right[odd]
        );
    }
    let product = a.mul(&b);
    let axes: Vec<usize> = (rank..kept.len()).collect();
    let tensor = if axes.is_empty() {
        product
    } else {
        product.sum(axes)
    };
    kept.truncate(rank);
    Term {
        tensor,
        letters: kept,
    }
}

/// A term with an axis for each of these letters, of size 1 where it has none.
fn spread(term: &Term, letters: &[char]) -> Tensor {
    let own: Vec<usize> = letters
        .iter()
        .filter_map(|letter| term.letters.iter().position(|l| l == letter))
        .collect();
    let moved = term.tensor.permute(own);
    let mut sizes = moved.shape().into_iter();
    let shape: Vec<usize> = letters
        .iter()
        .map(|letter| {
            if term.letters.contains(letter) {
                sizes.next().unwrap_or(1)
            } else {
                1
            }
        })
        .collect();
    moved.reshape(shape)
}

/// The last term: summed over what the result lacks, its axes in the result's order.
fn finish(term: Term, result: &[char]) -> Tensor {
    let gone: Vec<usize> = (0..term.letters.len())
        .filter(|&i| !result.contains(&term.letters[i]))
        .collect();
    let left: Vec<char> = term
        .letters
        .iter()
        .filter(|letter| result.contains(letter))
        .copied()
        .collect();
    let summed = if gone.is_empty() {
        term.tensor
    } else {
        term.tensor.sum(gone)
    };
    let order: Vec<usize> = result
        .iter()
        .filter_map(|letter| left.iter().position(|l| l == letter))
        .collect();
    summed.permute(order)
}
