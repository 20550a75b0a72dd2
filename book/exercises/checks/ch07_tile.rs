//! The tests of the exercise; leave them as they are.

use super::*;

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * seed + 1) % 5) as f32).collect()
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_product_is_right() {
    let [depth, rows, columns] = [7, 2 * W, 3 * N];
    let (a, b) = (numbers(depth * rows, 3), numbers(depth * columns, 2));
    let (c, _) = product(&a, &b, [depth, rows, columns]);
    for column in 0..columns {
        for row in 0..rows {
            let expected: f32 = (0..depth)
                .map(|k| a[k * rows + row] * b[k * columns + column])
                .sum();
            assert_eq!(
                c[column * rows + row],
                expected,
                "row {row}, column {column}"
            );
        }
    }
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn each_number_is_loaded_once_a_step() {
    let [depth, rows, columns] = [10, 3 * W, 2 * N];
    let (a, b) = (numbers(depth * rows, 3), numbers(depth * columns, 2));
    let (_, loads) = product(&a, &b, [depth, rows, columns]);
    let tiles = 3 * 2;
    assert_eq!(loads, tiles * depth * (W + N));
}
