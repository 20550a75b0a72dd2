//! The tests of the exercise; leave them as they are.

use super::*;
use teenygrad::shape::view::View;

/// The addresses that a remap of memory of this shape reads.
fn reads(shape: &[usize], remap: &Remap) -> Vec<Option<usize>> {
    assert_eq!(remap.rows().count(), shape.len(), "the old axes");
    View::contiguous(shape).remap(remap).addresses()
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn every_second_backwards() {
    let expected = [Some(6), Some(4), Some(2), Some(0)];
    assert_eq!(reads(&[7], &every_second_from_the_end(7)), expected);
    let expected = [Some(5), Some(3), Some(1)];
    assert_eq!(reads(&[6], &every_second_from_the_end(6)), expected);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_diagonal() {
    assert_eq!(reads(&[3, 3], &diagonal(3)), [Some(0), Some(4), Some(8)]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn windows_that_fit() {
    let remap = windows(7, 3, 2);
    assert_eq!(remap.shape, [3, 3]);
    let expected = [0, 1, 2, 2, 3, 4, 4, 5, 6].map(Some);
    assert_eq!(reads(&[7], &remap), expected);
    let remap = windows(8, 3, 2);
    assert_eq!(remap.shape, [3, 3], "the last element is in no window");
}
