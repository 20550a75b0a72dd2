//! # Use each number many times
//!
//! `product` cuts the result into tiles of W × N and calls `tile` for each. It is yours to write: the sums of one tile, such that each step of k
//! loads W numbers of a and N of b, and no more. A counter is told of each load, and the tests read it.
//!
//! Both matrices lie so that a step of k is a row: a\[k\]\[row\], b\[k\]\[column\]. The result's columns lie one after the other: c\[column\]\[row\].

/// Rows and columns of a tile.
pub const W: usize = 4;
pub const N: usize = 3;

/// Counts how many numbers are loaded from a and b.
#[derive(Default)]
pub struct Counter {
    pub loads: usize,
}

impl Counter {
    pub fn load(&mut self, numbers: usize) {
        self.loads += numbers;
    }
}

/// c\[column + n\]\[row + w\] = Σₖ a\[k\]\[row + w\] · b\[k\]\[column + n\] for w < W and n < N.
#[allow(clippy::too_many_arguments, clippy::needless_range_loop)]
pub fn tile(
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    [depth, rows, columns]: [usize; 3],
    [row, column]: [usize; 2],
    counter: &mut Counter,
) {
    let mut tile = [[0.0; W]; N];
    for k in 0..depth {
        counter.load(W + N);
        for n in 0..N {
            for w in 0..W {
                tile[n][w] += a[k * rows + row + w] * b[k * columns + column + n];
            }
        }
    }
    for (n, sums) in tile.iter().enumerate() {
        for (w, sum) in sums.iter().enumerate() {
            c[(column + n) * rows + row + w] = *sum;
        }
    }
}

/// aᵀ · b, with the number of loads. The sizes are multiples of W and N.
pub fn product(a: &[f32], b: &[f32], sizes: [usize; 3]) -> (Vec<f32>, usize) {
    let [_, rows, columns] = sizes;
    let mut c = vec![0.0; rows * columns];
    let mut counter = Counter::default();
    for row in (0..rows).step_by(W) {
        for column in (0..columns).step_by(N) {
            tile(a, b, &mut c, sizes, [row, column], &mut counter);
        }
    }
    (c, counter.loads)
}

#[cfg(test)]
#[path = "../../exercises/checks/ch07_tile.rs"]
mod checks;
