//! Kernels whose blocks are several rows, or read one number again and again.

use crate::device::cpu::threads::with_threads;
use crate::{DType, Tensor};

/// Numbers that differ from their neighbours, and whose products and sums need no rounding.
fn numbers(count: usize, step: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i * step) % 61) as f32 - 20.0)
        .collect()
}

/// Batches, channels, and what lies in each: rows shorter and longer than a strip, whole strips and not, many rows in a block and few, more
/// channels than a task takes.
const SHAPES: [[usize; 4]; 10] = [
    [3, 5, 8, 8],
    [2, 3, 10, 13],
    [4, 6, 16, 16],
    [2, 7, 15, 17],
    [1, 40, 32, 32],
    [9, 2, 1, 100],
    [5, 3, 1, 7],
    [2, 2, 60, 100],
    [9, 70, 16, 16],
    [70, 3, 13, 13],
];

#[test]
fn each_row_meets_its_own_channels_numbers() {
    for [n, c, h, w] in SHAPES {
        let (count, row) = (n * c * h * w, h * w);
        let (x, y) = (numbers(count, 7), numbers(count, 11));
        let (scale, shift, gate) = (numbers(c, 3), numbers(c, 5), numbers(n * c, 9));
        let array = |values: &[f32]| Tensor::from_slice(values, [n, c, h, w]);
        let channels = |values: &[f32]| Tensor::from_slice(values, [1, c, 1, 1]);
        let expected: Vec<f32> = (0..count)
            .map(|i| {
                let (channel, gate) = (i / row % c, gate[i / row]);
                (x[i] * scale[channel] + shift[channel]).max(0.0) * gate + y[i]
            })
            .collect();
        let gates = Tensor::from_slice(&gate, [n, c, 1, 1]);
        // The second array as it lies, turned twice (so that it lies otherwise), and with a margin cut off.
        let cut = array(&y)
            .pad(&[(0, 0), (1, 2), (0, 0), (0, 0)], 0.0)
            .realize();
        let lies = [
            array(&y),
            array(&y)
                .permute([1, 0, 2, 3])
                .contiguous()
                .realize()
                .permute([1, 0, 2, 3]),
            cut.shrink(&[(0, n), (1, 1 + c), (0, h), (0, w)]),
        ];
        for (kind, y) in lies.into_iter().enumerate() {
            let x = array(&x);
            let found = (&x * channels(&scale) + channels(&shift)).relu() * &gates + y;
            let found = with_threads(2, || found.to_vec::<f32>());
            assert_eq!(found, expected, "{:?}, y {kind}", [n, c, h, w]);
        }
        // Halves that hold each channel's number, and a truth a channel.
        let half = channels(&scale).cast(DType::Float16).realize();
        let some = channels(&shift).gt(0).realize();
        let found = some.where_(&array(&x) * half.cast(DType::Float32), array(&y));
        let expected = (0..count).map(|i| {
            let channel = i / row % c;
            if shift[channel] > 0.0 {
                x[i] * scale[channel]
            } else {
                y[i]
            }
        });
        assert!(expected.eq(found.to_vec::<f32>()), "{:?}", [n, c, h, w]);
    }
}

#[test]
fn rows_that_are_reduced_meet_a_number_each_from_memory() {
    for [n, row] in [[64, 256], [40, 130], [9, 512], [3, 2000]] {
        let (x, each) = (numbers(n * row, 7), numbers(n, 5));
        let array = Tensor::from_slice(&x, [n, row]);
        let d = array - Tensor::from_slice(&each, [n, 1]);
        let found = &d * d.max(1).reshape([n, 1]) - &d;
        let expected: Vec<f32> = (0..n)
            .flat_map(|r| {
                let d: Vec<f32> = (0..row).map(|i| x[r * row + i] - each[r]).collect();
                let most = d.iter().copied().fold(f32::MIN, f32::max);
                d.into_iter().map(move |d| d * most - d)
            })
            .collect();
        assert_eq!(found.to_vec::<f32>(), expected, "{n} rows of {row}");
    }
}

#[test]
fn what_is_summed_meets_its_own_channels_numbers() {
    for [n, c, h, w] in SHAPES {
        let (count, row) = (n * c * h * w, h * w);
        let (x, y) = (numbers(count, 7), numbers(count, 11));
        let (scale, gate) = (numbers(c, 3), numbers(n * c, 9));
        let array = |values: &[f32]| Tensor::from_slice(values, [n, c, h, w]);
        let scales = Tensor::from_slice(&scale, [1, c, 1, 1]);
        let gates = Tensor::from_slice(&gate, [n, c, 1, 1]);
        let all = (array(&x) - &scales) * &gates + array(&y);
        let mut expected = [vec![0.0f64; c], vec![0.0; c], vec![0.0; n * c]];
        for i in 0..count {
            let channel = i / row % c;
            let term = (x[i] - scale[channel]) * gate[i / row] + y[i];
            expected[0][channel] += f64::from(term);
            expected[1][channel] += f64::from(x[i]);
            expected[2][i / row] += f64::from(term);
        }
        // With what is computed, without (then memory is summed where it is), and over the rows alone.
        let found = [
            all.sum([0, 2, 3]),
            array(&x).sum([0, 2, 3]),
            all.sum([2, 3]),
        ];
        for (found, expected) in found.into_iter().zip(expected) {
            let (one, two) = (
                with_threads(1, || (&found * 1.0).to_vec::<f32>()),
                with_threads(2, || (&found * 1.0).to_vec::<f32>()),
            );
            assert_eq!(one, two);
            for (found, expected) in one.into_iter().zip(expected) {
                let near = (f64::from(found) - expected).abs() <= 1e-5 * expected.abs().max(1e3);
                assert!(near, "{found} instead of {expected}: {:?}", [n, c, h, w]);
            }
        }
    }
}

#[test]
fn a_cast_to_halves_is_rounded_once_wherever_it_goes() {
    let values: Vec<f32> = (0..5000).map(|i| i as f32 * 0.3711 - 900.0).collect();
    let x = Tensor::from_slice(&values, [50, 100]);
    for dtype in [DType::Float16, DType::BFloat16] {
        let stored = |y: Tensor| y.cast(dtype).realize().cast(DType::Float64).to_vec::<f64>();
        // Straight from memory, after an op, after a sum, and read by somebody else, too.
        assert_eq!(
            stored(x.clone()),
            x.cast(dtype).cast(DType::Float64).to_vec::<f64>()
        );
        assert_eq!(stored(&x * 3.0), stored((&x * 3.0).realize()));
        assert_eq!(stored(x.sum(1)), stored(x.sum(1).realize()));
        let half = (&x * 3.0).cast(dtype);
        let wide = half.cast(DType::Float32) + 1.0;
        Tensor::corealize(&[&half, &wide]);
        assert_eq!(
            half.cast(DType::Float64).to_vec::<f64>(),
            stored((&x * 3.0).realize())
        );
    }
}
