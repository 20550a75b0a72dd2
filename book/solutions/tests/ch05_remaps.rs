//! # Three movements, by hand
//!
//! A `Remap` says where each new element was before: for each *old* axis a constant, and a factor for each *new* axis. Write three that
//! the library has no constructor for.

use teenygrad::shape::view::Remap;

/// Turning around n elements, as an example: old = (n − 1) − new.
pub fn turned(n: usize) -> Remap {
    Remap {
        shape: vec![n],
        rows: vec![(n as isize - 1, vec![-1])],
    }
}

/// Every second of n elements, beginning with the last one and going down.
pub fn every_second_from_the_end(n: usize) -> Remap {
    Remap {
        shape: vec![n.div_ceil(2)],
        rows: vec![(n as isize - 1, vec![-2])],
    }
}

/// The diagonal of a matrix with n rows and n columns.
pub fn diagonal(n: usize) -> Remap {
    // row = i, column = i
    Remap {
        shape: vec![n],
        rows: vec![(0, vec![1]), (0, vec![1])],
    }
}

/// Windows of `size` elements over n elements, each `step` further than the last: [n] to [windows, size]. Only windows that fit.
pub fn windows(n: usize, size: usize, step: usize) -> Remap {
    // old = o · step + k
    Remap {
        shape: vec![(n - size) / step + 1, size],
        rows: vec![(0, vec![step as isize, 1])],
    }
}

#[cfg(test)]
#[path = "../../exercises/checks/ch05_remaps.rs"]
mod checks;
