//! # Three movements, by hand
//!
//! A `Remap` says where each new element was before: for each *old* axis a constant, and a factor for each *new* axis. Write three that
//! the library has no constructor for. `Remap::still(old_axes, shape)` has zeros everywhere, `begin(old, constant)` sets a constant,
//! `follow(old, new, factor)` a factor.

use teenygrad::shape::view::Remap;

/// Turning around n elements, as an example: old = (n − 1) − new.
pub fn turned(n: usize) -> Remap {
    let mut remap = Remap::still(1, vec![n]);
    remap.begin(0, n as isize - 1);
    remap.follow(0, 0, -1);
    remap
}

/// Every second of n elements, beginning with the last one and going down.
pub fn every_second_from_the_end(n: usize) -> Remap {
    let _ = n;
    todo!("a constant, and a factor for the one new axis")
}

/// The diagonal of a matrix with n rows and n columns.
pub fn diagonal(n: usize) -> Remap {
    let _ = n;
    todo!("two old axes, each with a factor for the one new axis")
}

/// Windows of `size` elements over n elements, each `step` further than the last: [n] to [windows, size]. Only windows that fit.
pub fn windows(n: usize, size: usize, step: usize) -> Remap {
    let _ = (n, size, step);
    todo!("one old axis with two factors")
}

#[cfg(test)]
#[path = "../checks/ch05_remaps.rs"]
mod checks;
