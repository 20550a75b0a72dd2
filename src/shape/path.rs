//! # shape/path: a list of movements, in its shortest form
//!
//! **In:** movements one at a time. **Out:** a [`Path`]: the normalised list and the [`View`] that it amounts to on an array that lies
//! in memory in order. **Above:** `lazy` (which keeps a path beside each node) and `schedule` (which replays it on other views).
//!
//! Normal form: reshapes and remaps alternate. Two reshapes in a row are the second one; two remaps in a row are one remap,
//! unless zeros come in between.

use super::fingerprint::Fingerprint;
use super::view::{Remap, View};
use std::hash::Hash;
use std::sync::Arc;

/// One movement.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Move {
    /// to this shape, elements in the same order
    Reshape(Vec<usize>),
    /// each old index an affine function of the new ones
    Remap(Remap),
}

impl Move {
    /// The shape after the movement.
    pub fn shape(&self) -> &[usize] {
        match self {
            Move::Reshape(shape) => shape,
            Move::Remap(remap) => &remap.shape,
        }
    }

    /// Whether zeros come in.
    pub fn leaves(&self, old: &[usize]) -> bool {
        match self {
            Move::Reshape(_) => false,
            Move::Remap(remap) => remap.leaves(old),
        }
    }

    /// The same movement on a shape with further axes behind, which it leaves alone.
    pub fn lift(&self, behind: &[usize]) -> Move {
        match self {
            Move::Reshape(shape) => Move::Reshape([shape, behind].concat()),
            Move::Remap(remap) => Move::Remap(remap.lift(behind)),
        }
    }

    /// The movement done to a view; `None` where a reshape can't be.
    pub fn apply(&self, view: &View) -> Option<View> {
        match self {
            Move::Reshape(shape) => view.reshape(shape),
            Move::Remap(remap) => Some(view.remap(remap)),
        }
    }
}

/// Adds a movement to a list in normal form. `start` is the shape that the list begins with.
pub fn push(moves: &mut Vec<Move>, start: &[usize], movement: &Move) {
    let before = |count: usize| match count.checked_sub(1) {
        Some(last) => moves[last].shape(),
        None => start,
    };
    let (shape, earlier) = (before(moves.len()), before(moves.len().saturating_sub(1)));
    // Whether the last movement goes, and what comes instead of it or behind it.
    let (replaces, new) = match (moves.last(), movement) {
        (Some(Move::Reshape(_)), Move::Reshape(new)) => {
            (true, (new != earlier).then(|| movement.clone()))
        }
        (Some(Move::Remap(first)), Move::Remap(second)) => match first.then(earlier, second) {
            Some(both) => (
                true,
                (!both.is_identity(earlier)).then_some(Move::Remap(both)),
            ),
            None => (false, Some(movement.clone())),
        },
        (_, Move::Reshape(new)) => (false, (new != shape).then(|| movement.clone())),
        (_, Move::Remap(_)) => (false, Some(movement.clone())),
    };
    if replaces {
        moves.pop();
    }
    moves.extend(new);
}

/// All movements of a list done to a view, or `None` if a reshape stands in the way.
pub fn replay(moves: &[Move], view: View) -> Option<View> {
    moves
        .iter()
        .try_fold(view, |view, movement| movement.apply(&view))
}

/// A list of movements with the view that it makes of a contiguous array.
#[derive(Clone, Debug)]
pub struct Path {
    start: Arc<[usize]>,
    moves: Vec<Move>,
    view: View,
    fingerprint: u128,
}

impl Path {
    /// No movement on an array of this shape.
    pub fn new(shape: &[usize]) -> Path {
        Path {
            start: shape.into(),
            moves: Vec::new(),
            view: View::contiguous(shape),
            fingerprint: 0,
        }
    }

    /// One movement more, or `None` if the result has no single view.
    pub fn then(&self, movement: &Move) -> Option<Path> {
        let view = movement.apply(&self.view)?;
        let mut moves = self.moves.clone();
        push(&mut moves, &self.start, movement);
        let mut fingerprint = Fingerprint::default();
        moves.hash(&mut fingerprint);
        Some(Path {
            start: self.start.clone(),
            moves,
            view,
            fingerprint: fingerprint.bits(),
        })
    }

    /// The movements.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }
    /// The view on a contiguous array.
    pub fn view(&self) -> &View {
        &self.view
    }
    /// Whether nothing has moved after all.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }
    /// A fingerprint of the movements, the same in every run.
    pub fn fingerprint(&self) -> u128 {
        self.fingerprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_movement_and_its_inverse_leave_nothing() {
        let path = Path::new(&[2, 3]);
        let there = path
            .then(&Move::Remap(Remap::permute(&[2, 3], &[1, 0])))
            .unwrap();
        let back = there
            .then(&Move::Remap(Remap::permute(&[3, 2], &[1, 0])))
            .unwrap();
        assert!(back.is_empty());
        let reshaped = path
            .then(&Move::Reshape(vec![6]))
            .unwrap()
            .then(&Move::Reshape(vec![2, 3]))
            .unwrap();
        assert_eq!(reshaped.view(), path.view());
        assert!(reshaped.is_empty());
    }

    #[test]
    fn zeros_in_between_are_not_forgotten() {
        let padded = Path::new(&[3])
            .then(&Move::Remap(Remap::pad(&[3], &[(0, 2)])))
            .unwrap();
        let cut = padded
            .then(&Move::Remap(Remap::shrink(&[5], &[(1, 5)])))
            .unwrap();
        assert_eq!(cut.view().addresses(), [Some(1), Some(2), None, None]);
        let shrunk = Path::new(&[3])
            .then(&Move::Remap(Remap::shrink(&[3], &[(0, 2)])))
            .unwrap();
        let grown = shrunk
            .then(&Move::Remap(Remap::pad(&[2], &[(0, 1)])))
            .unwrap();
        assert_eq!(grown.view().addresses(), [Some(0), Some(1), None]); // not Some(2)
        assert_eq!(grown.moves().len(), 2);
    }
}
