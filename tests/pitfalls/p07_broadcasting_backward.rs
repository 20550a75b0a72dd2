//! The gradient of what was repeated is summed back, for all pairs of ranks.

use super::*;

/// All shapes of ranks 0 to 4 that end like [2, 3, 2, 2], with size 1 at any of the axes.
fn shapes() -> Vec<Vec<usize>> {
    let full = [2, 3, 2, 2];
    let of_rank = |rank: usize| {
        (0..1 << rank).map(move |ones: usize| {
            (0..rank)
                .map(|i| {
                    if ones >> i & 1 == 1 {
                        1
                    } else {
                        full[4 - rank + i]
                    }
                })
                .collect()
        })
    };
    (0..=4).flat_map(of_rank).collect()
}

/// Σ over the axes along which a shape was repeated, one element at a time.
fn shrunk(values: &[f64], wide: &[usize], own: &[usize]) -> Vec<f64> {
    let mut sums = vec![0.0; own.iter().product()];
    for (mut linear, value) in values.iter().enumerate() {
        let mut index = vec![0; wide.len()];
        for axis in (0..wide.len()).rev() {
            (index[axis], linear) = (linear % wide[axis], linear / wide[axis]);
        }
        let place = own
            .iter()
            .zip(&index[wide.len() - own.len()..])
            .fold(0, |place, (&size, &i)| {
                place * size + if size == 1 { 0 } else { i }
            });
        sums[place] += value;
    }
    sums
}

/// A shape's elements repeated up to a wider one.
fn widened(values: &[f64], own: &[usize], wide: &[usize]) -> Vec<f64> {
    let places: Vec<f64> = (0..wide.iter().product::<usize>())
        .map(|i| i as f64)
        .collect();
    let mut out = vec![0.0; places.len()];
    for (i, mut linear) in (0..places.len()).map(|i| (i, i)) {
        let mut index = vec![0; wide.len()];
        for axis in (0..wide.len()).rev() {
            (index[axis], linear) = (linear % wide[axis], linear / wide[axis]);
        }
        let place = own
            .iter()
            .zip(&index[wide.len() - own.len()..])
            .fold(0, |place, (&size, &i)| {
                place * size + if size == 1 { 0 } else { i }
            });
        out[i] = values[place];
    }
    out
}

#[test]
fn all_pairs_of_ranks_with_axes_of_size_one() {
    let shapes = shapes();
    assert_eq!(shapes.len(), 31);
    for left in &shapes {
        for right in &shapes {
            let rank = left.len().max(right.len());
            let at = |shape: &[usize], axis: usize| {
                (axis + shape.len())
                    .checked_sub(rank)
                    .map_or(1, |i| shape[i])
            };
            let wide: Vec<usize> = (0..rank)
                .map(|axis| at(left, axis).max(at(right, axis)))
                .collect();
            let (a, b, w) = (whole(left, 1), whole(right, 2), whole(&wide, 3));
            let (a, b) = (a.requires_grad(true), b.requires_grad(true));
            // L = Σ w·(a·b − b), so that da = Σ w·b and db = Σ w·(a − 1)
            let y = &a * &b - &b;
            assert_eq!(y.shape(), wide);
            y.mul(&w).sum(()).backward();
            let (av, bv, wv) = (a.to_vec::<f64>(), b.to_vec::<f64>(), w.to_vec::<f64>());
            let da: Vec<f64> = wv
                .iter()
                .zip(widened(&bv, right, &wide))
                .map(|(w, b)| w * b)
                .collect();
            let db: Vec<f64> = wv
                .iter()
                .zip(widened(&av, left, &wide))
                .map(|(w, a)| w * (a - 1.0))
                .collect();
            let (ga, gb) = (a.grad().unwrap(), b.grad().unwrap());
            assert_eq!((ga.shape(), gb.shape()), (left.clone(), right.clone()));
            assert_eq!(
                ga.to_vec::<f64>(),
                shrunk(&da, &wide, left),
                "left of {left:?} and {right:?}"
            );
            assert_eq!(
                gb.to_vec::<f64>(),
                shrunk(&db, &wide, right),
                "right of {left:?} and {right:?}"
            );
        }
    }
}
