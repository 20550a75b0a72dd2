//! The tests of the exercise; leave them as they are.

use super::*;

/// The addresses that a view reads, in its order.
fn reads(view: &View) -> Vec<usize> {
    assert_eq!(
        view.shape.len(),
        view.strides.len(),
        "one stride for each axis"
    );
    view.addresses()
        .into_iter()
        .map(|address| address.expect("no padding here"))
        .collect()
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_transposed_matrix() {
    let view = transposed();
    assert_eq!(view.shape, [4, 3]);
    assert_eq!(reads(&view), [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    assert_eq!(
        view,
        matrix().permute(&[1, 0]),
        "what the library makes of it"
    );
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_last_column() {
    let view = last_column();
    assert_eq!(view.shape, [3]);
    assert_eq!(reads(&view), [3, 7, 11]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_rows_from_the_last_to_the_first() {
    let view = upside_down();
    assert_eq!(view.shape, [3, 4]);
    assert_eq!(reads(&view), [8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_first_row_five_times() {
    let view = repeated_row();
    assert_eq!(view.shape, [5, 4]);
    assert_eq!(reads(&view), [0, 1, 2, 3].repeat(5));
}
