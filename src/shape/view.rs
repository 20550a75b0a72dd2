//! # shape/view: how a tensor looks at memory
//!
//! **In:** a buffer that holds elements in row-major order. **Out:** for every index of a shape, the place of its element in the
//! buffer, or the fact that it has none and is zero. **Above:** `lazy` (which composes views) and `schedule`. **Below:** nothing.
//!
//! A [`View`] is one affine function and some conditions:
//!
//! ```text
//! address(i) = offset + Σⱼ strides[j]·i[j]        valid(i) = for every bound: 0 ≤ offset + Σⱼ coefs[j]·i[j] < size
//! ```
//!
//! Everything that moves elements without computing is arithmetic on these few numbers, and there are just two kinds of it:
//!
//! - a **[`Remap`]**: each *old* index is an affine function of the *new* ones. permute, expand, shrink, flip, stride, pad, sliding
//!   windows and the inverse of sliding windows are all of this kind, and every remap of a view is again a view.
//! - a **reshape**: the elements keep their order and are counted differently. Splitting an axis is affine; merging two is so only
//!   if the second runs on where the first leaves off. So [`View::reshape`] may answer `None`, and then somebody has to copy.
//!
//! Most libraries give a view one mask per axis ("from here to there it is real, elsewhere it is padding"). The bounds here are
//! the same idea for *any* affine function, which is what makes "slide a window over a padded image" one view:
//! the row that window y sees at kernel row k is `y·stride + k − padding`, a sum over two axes, and it exists while that is in 0..height.
//!
//! Laws:
//! 1. `strides.len() == shape.len()`, and so for each bound's `coefs`.
//! 2. A valid index's address lies in the buffer. (Invalid ones may point anywhere and are never read.)
//! 3. An axis of size 1 has stride 0 and coefficients 0, so that equal views are equal values.
//! 4. A bound that no index can break is dropped.
//!
//! ```
//! use teenygrad::shape::view::View;
//! let matrix = View::contiguous(&[2, 3]);            // 0 1 2 / 3 4 5
//! let transposed = matrix.permute(&[1, 0]);          // 0 3 / 1 4 / 2 5
//! assert_eq!(transposed.addresses(), [Some(0), Some(3), Some(1), Some(4), Some(2), Some(5)]);
//! assert_eq!(transposed.reshape(&[6]), None);        // 0 3 1 4 2 5 has no single stride
//! let padded = View::contiguous(&[2]).pad(&[(1, 1)]);
//! assert_eq!(padded.addresses(), [None, Some(0), Some(1), None]);
//! ```

use std::fmt;
use std::ops::Range;

/// The number of elements of a shape; 1 for the empty shape of a single number.
pub fn numel(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// Row-major strides: the last axis is 1 apart, each earlier one as far as everything behind it is long. Axes of size 1 get 0 (law 3).
/// ```
/// assert_eq!(teenygrad::shape::view::row_major(&[2, 3, 4]), [12, 4, 1]);
/// ```
pub fn row_major(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![0; shape.len()];
    let mut step = 1;
    for axis in (0..shape.len()).rev() {
        strides[axis] = if shape[axis] == 1 { 0 } else { step };
        step *= shape[axis] as isize;
    }
    strides
}

/// One condition for an index to be real: 0 ≤ offset + Σ coefs·index < size.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Bound {
    /// a factor for each axis
    pub coefs: Vec<isize>,
    /// the constant term
    pub offset: isize,
    /// the first value that is too large
    pub size: usize,
}

impl Bound {
    /// The smallest and the largest value that the affine function takes over a (not empty) shape.
    pub fn range(&self, shape: &[usize]) -> (isize, isize) {
        affine_range(&self.coefs, self.offset, shape)
    }

    /// Whether the index meets the condition.
    pub fn holds(&self, index: &[usize]) -> bool {
        let value = self.offset + dot(&self.coefs, index);
        0 <= value && value < self.size as isize
    }
}

/// A shape's way into a buffer. See the module's header.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct View {
    /// elements along each axis
    pub shape: Vec<usize>,
    /// how far apart in the buffer two neighbours of an axis are; 0 repeats, negative walks backwards
    pub strides: Vec<isize>,
    /// address of index 0, 0, …
    pub offset: isize,
    /// all must hold for an index to have an address; otherwise its element is 0
    pub bounds: Vec<Bound>,
}

/// The affine kind of movement: each old index is `constant + Σᵢ coefs[i] · new[i]`, in a new shape.
///
/// Where an old index would leave the old shape, the new element is zero. That makes padding nothing but a negative constant.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Remap {
    /// the new shape
    pub shape: Vec<usize>,
    /// for each old axis the constant, and then a coefficient for each new axis; all in one vector, as movements are made and
    /// copied all the time while a graph is built
    table: Vec<isize>,
}

fn dot(coefs: &[isize], index: &[usize]) -> isize {
    coefs.iter().zip(index).map(|(&c, &i)| c * i as isize).sum()
}

fn affine_range(coefs: &[isize], offset: isize, shape: &[usize]) -> (isize, isize) {
    coefs
        .iter()
        .zip(shape)
        .fold((offset, offset), |(low, high), (&coef, &size)| {
            let reach = coef * (size as isize - 1);
            (low + reach.min(0), high + reach.max(0))
        })
}

impl Remap {
    /// The remap that looks at index 0 of all old axes from everywhere, to begin with: [`Remap::follow`] sets it in motion.
    pub fn still(old_axes: usize, shape: Vec<usize>) -> Remap {
        let table = vec![0; old_axes * (1 + shape.len())];
        Remap { shape, table }
    }

    /// One step of the new axis moves the index of the old axis by this.
    pub fn follow(&mut self, old: usize, new: usize, step: isize) {
        self.row(old)[1 + new] = step;
    }

    /// The old index at new index 0, 0, …
    pub fn begin(&mut self, old: usize, at: isize) {
        self.row(old)[0] = at;
    }

    fn row(&mut self, old: usize) -> &mut [isize] {
        let width = 1 + self.shape.len();
        &mut self.table[old * width..(old + 1) * width]
    }

    /// For each old axis: the constant, and a coefficient for each new axis.
    pub fn rows(&self) -> impl Iterator<Item = (isize, &[isize])> {
        let rows = self.table.chunks_exact(1 + self.shape.len());
        rows.map(|row| (row[0], &row[1..]))
    }

    /// The number of old axes.
    fn old_axes(&self) -> usize {
        self.table.len() / (1 + self.shape.len())
    }

    /// The remap that changes nothing. The constructors below differ from it in a coefficient or two.
    pub fn identity(shape: &[usize]) -> Remap {
        let mut remap = Remap::still(shape.len(), shape.to_vec());
        (0..shape.len()).for_each(|axis| remap.follow(axis, axis, 1));
        remap
    }

    /// New axis i is old axis `order[i]`.
    pub fn permute(shape: &[usize], order: &[usize]) -> Remap {
        let mut remap = Remap::still(shape.len(), order.iter().map(|&old| shape[old]).collect());
        let moves = order.iter().enumerate();
        moves.for_each(|(new, &old)| remap.follow(old, new, 1));
        remap
    }

    /// Axes of size 1 repeated: their index no longer moves anything.
    pub fn expand(shape: &[usize], to: &[usize]) -> Remap {
        let mut remap = Remap::still(shape.len(), to.to_vec());
        let same = (0..shape.len()).filter(|&axis| shape[axis] == to[axis]);
        same.for_each(|axis| remap.follow(axis, axis, 1));
        remap
    }

    /// `(before, after)` zeros around each axis; negative numbers cut instead.
    pub fn pad(shape: &[usize], padding: &[(isize, isize)]) -> Remap {
        let mut remap = Remap::identity(shape);
        for (axis, &(before, after)) in padding.iter().enumerate() {
            remap.begin(axis, -before);
            remap.shape[axis] = (shape[axis] as isize + before + after) as usize;
        }
        remap
    }

    /// Only the elements from start up to (not including) stop of each axis: padding by negative amounts.
    pub fn shrink(shape: &[usize], ranges: &[(usize, usize)]) -> Remap {
        let padding: Vec<(isize, isize)> = ranges
            .iter()
            .zip(shape)
            .map(|(&(start, stop), &size)| (-(start as isize), stop as isize - size as isize))
            .collect();
        Remap::pad(shape, &padding)
    }

    /// Every n-th element of each axis, from its end if n is negative.
    pub fn stride(shape: &[usize], steps: &[isize]) -> Remap {
        let mut remap = Remap::identity(shape);
        for (axis, &step) in steps.iter().enumerate() {
            remap.shape[axis] = shape[axis].div_ceil(step.unsigned_abs());
            remap.follow(axis, axis, step);
            if step < 0 {
                remap.begin(axis, shape[axis] as isize - 1);
            }
        }
        remap
    }

    /// Whether some new index falls outside of the old shape, so that zeros come in.
    pub fn leaves(&self, old: &[usize]) -> bool {
        numel(&self.shape) > 0
            && self.rows().zip(old).any(|((offset, coefs), &size)| {
                let (low, high) = affine_range(coefs, offset, &self.shape);
                low < 0 || high >= size as isize
            })
    }

    /// Whether this remap leaves everything as it is.
    pub fn is_identity(&self, old: &[usize]) -> bool {
        self.shape == old
            && self.rows().enumerate().all(|(axis, (offset, coefs))| {
                offset == 0
                    && coefs
                        .iter()
                        .enumerate()
                        .all(|(i, &c)| old[i] == 1 || c == (i == axis) as isize)
            })
    }

    /// The same movement on a shape that has further axes behind, which it leaves alone: how a movement of a reduction's result
    /// becomes a movement of the reduction's input.
    pub fn lift(&self, behind: &[usize]) -> Remap {
        let (old, new) = (self.old_axes(), self.shape.len());
        let mut lifted = Remap::still(old + behind.len(), [&self.shape[..], behind].concat());
        for (axis, row) in self.table.chunks_exact(1 + new).enumerate() {
            lifted.row(axis)[..row.len()].copy_from_slice(row);
        }
        (0..behind.len()).for_each(|extra| lifted.follow(old + extra, new + extra, 1));
        lifted
    }

    /// This movement, then `next`, as one; or `None` if zeros come in between (their place would be forgotten).
    pub fn then(&self, old: &[usize], next: &Remap) -> Option<Remap> {
        if next.leaves(&self.shape) || numel(&self.shape) == 0 || numel(old) == 0 {
            return None;
        }
        let mut both = Remap::still(self.old_axes(), next.shape.clone());
        for (axis, (offset, coefs)) in self.rows().enumerate() {
            let [constant, new @ ..] = both.row(axis) else {
                unreachable!("a row begins with its constant")
            };
            *constant = substitute(coefs, offset, next, new);
        }
        Some(both)
    }
}

/// An affine function of old indices, rewritten as one of new indices: its constant is returned, its coefficients replace the zeros in `new`.
fn substitute(coefs: &[isize], offset: isize, remap: &Remap, new: &mut [isize]) -> isize {
    let mut constant = offset;
    for (&coef, (row_offset, row)) in coefs.iter().zip(remap.rows()) {
        if coef != 0 {
            constant += coef * row_offset;
            for (new, &c) in new.iter_mut().zip(row) {
                *new += coef * c;
            }
        }
    }
    for (coef, &size) in new.iter_mut().zip(&remap.shape) {
        if size == 1 {
            *coef = 0; // law 3
        }
    }
    constant
}

impl View {
    /// The whole of a buffer that holds exactly this shape.
    pub fn contiguous(shape: &[usize]) -> View {
        View {
            shape: shape.to_vec(),
            strides: row_major(shape),
            offset: 0,
            bounds: Vec::new(),
        }
    }

    /// How many elements it shows.
    pub fn numel(&self) -> usize {
        numel(&self.shape)
    }

    /// Whether it shows the buffer from its start, in order, each element once.
    pub fn is_contiguous(&self) -> bool {
        self.offset == 0 && self.bounds.is_empty() && self.strides == row_major(&self.shape)
    }

    /// Moves by a remap: always possible.
    ///
    /// Substituting the new indices into `address` and into each bound gives the new view. The remap's own condition (each old
    /// index must be inside the old shape) joins the bounds, unless no new index can break it.
    pub fn remap(&self, remap: &Remap) -> View {
        let shape = remap.shape.clone();
        if numel(&shape) == 0 {
            return View::contiguous(&shape);
        }
        let mut strides = vec![0; shape.len()];
        let offset = substitute(&self.strides, self.offset, remap, &mut strides);
        let mut bounds: Vec<Bound> = Vec::new();
        let mut add = |coefs: Vec<isize>, offset: isize, size: usize| {
            let bound = Bound {
                coefs,
                offset,
                size,
            };
            let (low, high) = bound.range(&shape);
            if (low < 0 || high >= size as isize) && !bounds.contains(&bound) {
                bounds.push(bound);
            }
        };
        for bound in &self.bounds {
            let mut coefs = vec![0; shape.len()];
            let offset = substitute(&bound.coefs, bound.offset, remap, &mut coefs);
            add(coefs, offset, bound.size);
        }
        if remap.leaves(&self.shape) {
            for ((row_offset, row), &size) in remap.rows().zip(&self.shape) {
                let moves = row.iter().zip(&shape);
                let coefs = moves.map(|(&c, &n)| if n == 1 { 0 } else { c });
                add(coefs.collect(), row_offset, size);
            }
        }
        View {
            shape,
            strides,
            offset,
            bounds,
        }
    }

    /// The same elements in the same order under another shape, or `None` if no affine function says that.
    ///
    /// Old and new axes are cut into the smallest groups with equal products: [2, 3, 4] → [6, 2, 2] has the groups `[2, 3] → [6]` and
    /// `[4] → [2, 2]`. Within a group the old axes must merge into one, which then splits into the new ones. Axes a (outer) and b merge
    /// when one step of a is as far as `size(b)` steps of b: in the strides and in every bound.
    pub fn reshape(&self, new: &[usize]) -> Option<View> {
        debug_assert_eq!(
            numel(&self.shape),
            numel(new),
            "reshape keeps the number of elements"
        );
        if self.shape == new {
            return Some(self.clone());
        }
        if numel(new) == 0 {
            return Some(View::contiguous(new));
        }
        // The address and every bound change alike: each is one affine function. Collect their coefficients as columns.
        let columns: Vec<&[isize]> = std::iter::once(&self.strides[..])
            .chain(self.bounds.iter().map(|b| &b.coefs[..]))
            .collect();
        let mut result = vec![vec![0isize; new.len()]; columns.len()];
        let old_axes: Vec<usize> = (0..self.shape.len())
            .filter(|&a| self.shape[a] != 1)
            .collect();
        let new_axes: Vec<usize> = (0..new.len()).filter(|&a| new[a] != 1).collect();
        let (mut old_at, mut new_at) = (0, 0);
        while old_at < old_axes.len() {
            let (old_start, new_start) = (old_at, new_at);
            let (mut old_size, mut new_size) =
                (self.shape[old_axes[old_at]], new[new_axes[new_at]]);
            (old_at, new_at) = (old_at + 1, new_at + 1);
            while old_size != new_size {
                if old_size < new_size {
                    old_size *= self.shape[old_axes[old_at]];
                    old_at += 1;
                } else {
                    new_size *= new[new_axes[new_at]];
                    new_at += 1;
                }
            }
            let (old_group, new_group) =
                (&old_axes[old_start..old_at], &new_axes[new_start..new_at]);
            for (column, out) in columns.iter().zip(&mut result) {
                let merges = old_group
                    .windows(2)
                    .all(|pair| column[pair[0]] == column[pair[1]] * self.shape[pair[1]] as isize);
                if !merges {
                    return None;
                }
                let mut step = column[*old_group.last()?];
                for &axis in new_group.iter().rev() {
                    out[axis] = step;
                    step *= new[axis] as isize;
                }
            }
        }
        let mut result = result.into_iter();
        let strides = result.next()?;
        let bounds = self
            .bounds
            .iter()
            .zip(result)
            .map(|(b, coefs)| Bound {
                coefs,
                offset: b.offset,
                size: b.size,
            })
            .collect();
        Some(View {
            shape: new.to_vec(),
            strides,
            offset: self.offset,
            bounds,
        })
    }

    /// The axes in another order. A shorthand of [`View::remap`].
    pub fn permute(&self, order: &[usize]) -> View {
        self.remap(&Remap::permute(&self.shape, order))
    }

    /// Zeros around each axis. A shorthand of [`View::remap`].
    pub fn pad(&self, padding: &[(isize, isize)]) -> View {
        self.remap(&Remap::pad(&self.shape, padding))
    }

    /// Where the element of an index is, or `None` if it is a zero of the padding.
    pub fn address(&self, index: &[usize]) -> Option<usize> {
        let valid = self.bounds.iter().all(|bound| bound.holds(index));
        valid.then(|| (self.offset + dot(&self.strides, index)) as usize)
    }

    /// The smallest and the largest address of the box of all indices, valid or not: a safe estimate. Empty for no elements.
    pub fn extent(&self) -> Option<(isize, isize)> {
        (self.numel() > 0).then(|| affine_range(&self.strides, self.offset, &self.shape))
    }

    /// The addresses between those of all valid indices, or `None` if finding them takes too long. Much tighter than
    /// [`View::extent`] where it is the bounds that keep addresses in the buffer. The axes fall into groups, by which of them
    /// meet in a bound (few: a window's place and its taps). Groups move the address independently of each other, so what each
    /// adds is found by trying its indices, if these are at most `most`.
    /// ```
    /// use teenygrad::shape::view::View;
    /// let view = View::contiguous(&[5, 3]).pad(&[(0, 0), (1, 2)]); // invalid indices point at −1 … 16
    /// assert_eq!((view.extent(), view.reach(6), view.reach(5)), (Some((-1, 16)), Some(0..15), None));
    /// ```
    pub fn reach(&self, most: usize) -> Option<Range<isize>> {
        let never = |bound: &Bound| {
            let (low, high) = bound.range(&self.shape);
            high < 0 || low >= bound.size as isize
        };
        if self.numel() == 0 || self.bounds.iter().any(never) {
            return Some(0..0);
        }
        let mut rest: Vec<usize> = (0..self.shape.len()).collect();
        let (mut low, mut high) = (self.offset, self.offset);
        while let Some(axis) = rest.pop() {
            let mut group = vec![axis];
            let mut bounds: Vec<&Bound> = Vec::new();
            while let Some(next) = self.bounds.iter().find(|bound| {
                !bounds.contains(bound) && group.iter().any(|&axis| bound.coefs[axis] != 0)
            }) {
                group.extend(rest.extract_if(.., |&mut axis| next.coefs[axis] != 0));
                bounds.push(next);
            }
            let mut tried = vec![1; self.shape.len()];
            group
                .iter()
                .for_each(|&axis| tried[axis] = self.shape[axis]);
            let (first, last) = if bounds.is_empty() {
                affine_range(&self.strides, 0, &tried)
            } else if numel(&tried) > most {
                return None;
            } else {
                let valid = indices(&tried).filter(|i| bounds.iter().all(|bound| bound.holds(i)));
                let mut moves = valid.map(|index| dot(&self.strides, &index));
                let Some(any) = moves.next() else {
                    return Some(0..0);
                };
                moves.fold((any, any), |(first, last), at| {
                    (first.min(at), last.max(at))
                })
            };
            (low, high) = (low + first, high + last);
        }
        Some(low..high + 1)
    }

    /// All addresses in row-major order of the indices: for tests, pictures and the reference device.
    pub fn addresses(&self) -> Vec<Option<usize>> {
        indices(&self.shape)
            .map(|index| self.address(&index))
            .collect()
    }
}

/// All indices of a shape, the last axis running fastest.
pub fn indices(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + use<> {
    let shape = shape.to_vec();
    (0..numel(&shape)).map(move |linear| unravel(linear, &shape))
}

/// The index of the `linear`-th element in row-major order.
/// ```
/// assert_eq!(teenygrad::shape::view::unravel(5, &[2, 3]), [1, 2]);
/// ```
pub fn unravel(mut linear: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for axis in (0..shape.len()).rev() {
        index[axis] = linear % shape[axis];
        linear /= shape[axis];
    }
    index
}

impl fmt::Debug for View {
    /// `[4, 3] strides [1, 4] offset 2 where 0 ≤ 1·i0 − 1 < 3`
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?} strides {:?}", self.shape, self.strides)?;
        if self.offset != 0 {
            write!(f, " offset {}", self.offset)?;
        }
        for (position, bound) in self.bounds.iter().enumerate() {
            write!(
                f,
                " {} {bound:?}",
                if position == 0 { "where" } else { "and" }
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "0 ≤ ")?;
        for (axis, &coef) in self.coefs.iter().enumerate().filter(|(_, c)| **c != 0) {
            write!(f, "{coef}·i{axis} + ")?;
        }
        write!(f, "{} < {}", self.offset, self.size)
    }
}

#[cfg(test)]
mod tests;
