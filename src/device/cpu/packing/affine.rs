//! # device/cpu/packing/affine: sums over axes, tabulated
//!
//! **In:** some axes of a loop nest, and what a step along each of them adds to an address. **Out:** the sum at each of their indices.
//! **Above:** operands, and the output's addresses.

use std::ops::Range;

/// Several axes counted as one, i = 0 … len − 1 in row-major order, and what one affine function of the axes contributes at each i:
/// `starts[i / inner] + (i % inner) · step`. The innermost axes that merge (in *all* functions of interest, so that all have the same
/// `inner`) need no table; that leaves a table as small as the number of an image's lines instead of its pixels.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::device::cpu) struct Affine {
    /// length of the innermost stretch
    pub inner: usize,
    /// difference between neighbours within a stretch
    pub step: isize,
    starts: Vec<isize>,
}

impl Affine {
    /// Bytes of its table.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.starts[..])
    }

    /// Tabulates several functions, given by a coefficient for each axis of the loop space, over some of the axes.
    pub fn tabulate(axes: &[usize], sizes: &[usize], functions: &[&[isize]]) -> Vec<Affine> {
        let Some((&last, mut outer)) = axes.split_last() else {
            return functions
                .iter()
                .map(|_| Affine {
                    inner: 1,
                    step: 0,
                    starts: vec![0],
                })
                .collect();
        };
        let mut inner = sizes[last];
        while let Some((&axis, rest)) = outer.split_last() {
            if functions
                .iter()
                .any(|coefs| coefs[axis] != coefs[last] * inner as isize)
            {
                break;
            }
            inner *= sizes[axis];
            outer = rest;
        }
        let table = |coefs: &&[isize]| {
            let mut starts = vec![0];
            for &axis in outer {
                let steps = || (0..sizes[axis] as isize).map(|i| i * coefs[axis]);
                starts = starts
                    .iter()
                    .flat_map(|start| steps().map(move |step| start + step))
                    .collect();
            }
            Affine {
                inner,
                step: coefs[last],
                starts,
            }
        };
        functions.iter().map(table).collect()
    }

    /// How many i there are.
    pub fn count(&self) -> usize {
        self.inner * self.starts.len()
    }

    /// The contribution at i.
    pub fn at(&self, i: usize) -> isize {
        self.starts[i / self.inner] + (i % self.inner) as isize * self.step
    }

    /// The stretches that a range of i touches: (i, contribution at i, length).
    pub fn stretches(&self, range: Range<usize>) -> impl Iterator<Item = (usize, isize, usize)> {
        let mut i = range.start;
        let (mut stretch, mut skipped) = (i / self.inner, i % self.inner);
        std::iter::from_fn(move || {
            (i < range.end).then(|| {
                let length = (self.inner - skipped).min(range.end - i);
                let found = (
                    i,
                    self.starts[stretch] + skipped as isize * self.step,
                    length,
                );
                (i, stretch, skipped) = (i + length, stretch + 1, 0);
                found
            })
        })
    }

    /// Appends `base +` the contributions of a range of i.
    pub fn append(&self, range: Range<usize>, base: isize, to: &mut Vec<isize>) {
        for (_, start, length) in self.stretches(range) {
            to.extend((0..length as isize).map(|j| base + start + j * self.step));
        }
    }
}
