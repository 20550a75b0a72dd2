//! Tests of [`winograd`](super): against sums in f64, for all sizes and orders, and how large the errors are.

use super::super::tests::{
    Case, arrange, case, convolution, input_gradient, length, naive, numbers, plan, run,
    weight_gradient, windows,
};
use super::gradient::FilterGradient;
use super::*;
use crate::device::cpu::contraction::{Contraction, Way};
use crate::device::cpu::simd::{Level, level};
use crate::dtype::DType;
use crate::shape::view::{Bound, Remap, View};

/// The largest difference, relative to the root mean square of what is expected.
pub(in crate::device::cpu::contraction) fn error(found: &[f64], expected: &[f64]) -> f64 {
    let squares: f64 = expected.iter().map(|x| x * x).sum();
    let scale = (squares / expected.len() as f64).sqrt();
    let differences = found.iter().zip(expected).map(|(x, y)| (x - y).abs());
    // Not `max`, which would pass over NaN.
    differences.fold(0.0, |most: f64, x| if x <= most { most } else { x }) / scale.max(1e-9)
}

/// A plan for one level and of this way, whether or not it pays: of a convolution, or of its filters' gradient.
fn form(level: Level, case: &Case) -> Option<Way> {
    let set = f32::instruction_set(level);
    let Case {
        outer,
        reduced,
        a,
        b,
        ..
    } = case;
    let gradient = || FilterGradient::of(set, [outer, reduced], [a, b]);
    let convolution = Winograd::of(set, [outer, reduced], [a, b]).map(Way::Winograd);
    convolution.or_else(|| gradient().map(Way::FilterGradient))
}

/// Every level gives what the definition does, this way.
fn check(case: &Case) {
    let (a, b) = (numbers(length(&case.a), 1), numbers(length(&case.b), 2));
    let expected = naive(case, &a, &b);
    for level in Level::available() {
        let mut plan = plan(level, case);
        plan.way = form(level, case).expect("a window of 3 × 3");
        let found = run(&plan, case);
        let error = error(&found, &expected);
        // Whole numbers: a mistake is as large as they are.
        assert!(error < 2e-5, "{level:?} {error}\n{case:?}");
    }
}

#[test]
fn outputs_of_all_sizes_and_paddings() {
    for height in 2..14 {
        for (width, pad) in [(2, 0), (3, 1), (4, 2), (5, 1), (7, 0), (8, 1), (13, 2)] {
            let image = [2, 3, height + 2, width + 2].map(|size| size as isize);
            let [h, w] = [image[2] - 2 * pad, image[3] - 2 * pad];
            if h > 0 && w > 0 {
                check(&convolution(
                    [2, 3, h as usize, w as usize],
                    5,
                    3,
                    pad,
                    1,
                    1,
                ));
            }
        }
    }
    // Tiles that are whole vectors, in one row and in several, and more of them than are transformed at a time.
    for image in [[1, 2, 8, 64], [3, 2, 16, 32], [1, 1, 8, 300], [40, 3, 8, 8]] {
        check(&convolution(image, 3, 3, 1, 1, 1));
    }
}

#[test]
fn gradients_of_images_slide_the_other_way() {
    for (image, o) in [([2, 3, 9, 7], 5), ([3, 18, 12, 12], 17), ([1, 2, 30, 5], 1)] {
        check(&input_gradient(image, o, 3));
    }
}

#[test]
fn gradients_of_filters_of_all_sizes_and_paddings() {
    for height in 2..14 {
        for (width, pad) in [(2, 0), (3, 1), (4, 2), (5, 1), (7, 0), (8, 1), (13, 2)] {
            // Of the output; the image is larger by the window, and smaller by the padding.
            let of = |output: usize| (output + 2).checked_sub(2 * pad as usize);
            if let (Some(h @ 1..), Some(w @ 1..)) = (of(height), of(width)) {
                check(&weight_gradient([2, 3, h, w], 5, 3, pad, 1));
            }
        }
    }
    // Many tiles in a row, in a column and in all; several parts, which are added up; channels and filters in several blocks.
    for (image, o) in [
        ([1, 2, 8, 300], 3),
        ([1, 1, 300, 8], 1),
        ([3, 2, 16, 32], 33),
        ([40, 20, 8, 8], 12),
        ([16, 3, 30, 30], 8),
        ([1, 70, 5, 6], 3),
        ([2, 3, 5, 6], 130),
        ([1, 129, 4, 9], 65),
    ] {
        check(&weight_gradient(image, o, 3, 1, 1));
    }
}

#[test]
fn axes_of_gradients_come_in_any_order() {
    let gradient = weight_gradient([2, 5, 10, 9], 6, 3, 1, 1);
    for outer in [[1, 0, 2, 3], [2, 3, 0, 1], [3, 1, 2, 0]] {
        check(&reordered(&gradient, &outer, &[4, 5, 6]));
    }
    for reduced in [[5, 4, 6], [6, 5, 4], [4, 6, 5]] {
        check(&reordered(&gradient, &[0, 1, 2, 3], &reduced));
    }
    let Case {
        outer,
        reduced,
        a,
        b,
        ..
    } = &gradient;
    check(&case(outer, reduced, b.clone(), a.clone()));
    // The filters turned around: their windows begin at the end.
    let mut turned = a.clone();
    let mut image = b.clone();
    for axis in [2, 3] {
        for view in [&mut turned, &mut image] {
            view.offset += 2 * view.strides[axis];
            view.strides[axis] *= -1;
            for bound in &mut view.bounds {
                bound.offset += 2 * bound.coefs[axis];
                bound.coefs[axis] *= -1;
            }
        }
    }
    check(&case(outer, reduced, turned, image));
    let dtypes = [DType::BFloat16, DType::Float16];
    check(&Case { dtypes, ..gradient });
}

#[test]
fn many_channels_and_filters_take_several_rounds() {
    for (c, o) in [(300, 5), (4, 300), (140, 130), (128, 129)] {
        check(&convolution([1, c, 3, 5], o, 3, 1, 1, 1));
    }
}

/// A case with its axes in another order: those of the output, and those that are added up.
fn reordered(case: &Case, outer: &[usize], reduced: &[usize]) -> Case {
    let order: Vec<usize> = outer.iter().chain(reduced).copied().collect();
    let sizes = [&case.outer[..], &case.reduced[..]].concat();
    let pick = |axes: &[usize]| axes.iter().map(|&axis| sizes[axis]).collect::<Vec<_>>();
    let [a, b] = [&case.a, &case.b].map(|view| view.permute(&order));
    self::case(&pick(outer), &pick(reduced), a, b)
}

#[test]
fn axes_come_in_any_order() {
    let forward = convolution([2, 5, 10, 9], 6, 3, 1, 1, 1);
    let backward = input_gradient([2, 5, 10, 9], 6, 3);
    for case in [&forward, &backward] {
        for reduced in [[5, 6, 4], [6, 4, 5], [6, 5, 4]] {
            check(&reordered(case, &[0, 1, 2, 3], &reduced));
        }
        for outer in [[1, 0, 2, 3], [2, 0, 1, 3], [0, 2, 1, 3]] {
            check(&reordered(case, &outer, &[4, 5, 6]));
        }
        let Case {
            outer,
            reduced,
            a,
            b,
            ..
        } = case;
        check(&self::case(outer, reduced, b.clone(), a.clone()));
    }
}

#[test]
fn halves_are_widened() {
    for dtypes in [
        [DType::Float16, DType::BFloat16],
        [DType::Float32, DType::Float16],
    ] {
        let case = convolution([2, 16, 9, 9], 16, 3, 1, 1, 1);
        check(&Case { dtypes, ..case });
    }
}

#[test]
fn views_of_views() {
    // A part of a larger image, upside down, of every second channel, with a bound besides that of the padding.
    let mut whole = Remap::still(4, vec![2, 4, 11, 12]);
    for axis in 0..4 {
        whole.follow(axis, axis, [1, 2, -1, 1][axis]);
        whole.begin(axis, [0, 1, 10, 3][axis]);
    }
    let image = View::contiguous(&[2, 9, 14, 17]).remap(&whole);
    let mut taps = Remap::still(4, vec![2, 6, 11, 10, 4, 3, 3]);
    for (old, new) in [(0, 0), (1, 4), (2, 2), (2, 5), (3, 3), (3, 6)] {
        taps.follow(old, new, 1);
    }
    taps.begin(2, -1);
    let mut a = image.remap(&taps);
    a.bounds.push(Bound {
        coefs: vec![0, 0, 0, 1, 0, 0, 1],
        offset: -2,
        size: 9,
    });
    let order = [None, Some(0), None, None, Some(1), Some(3), Some(2)];
    let b = arrange(&View::contiguous(&[6, 4, 3, 3]), &order, &a.shape);
    check(&case(&[2, 6, 11, 10], &[4, 3, 3], a, b));
}

#[test]
fn what_is_no_such_window_is_left_alone() {
    let grouped = {
        let windows = windows([2, 6, 12, 12], 3, 1, 1, 1);
        let sizes = [2, 6, 16, 12, 12, 3, 3];
        let order = [0, 1, 6, 2, 3, 4, 5].map(|axis| (axis < 6).then_some(axis));
        let a = arrange(&windows, &order, &sizes);
        let order = [4, 0, 1, 4, 4, 2, 3].map(|axis| (axis < 4).then_some(axis));
        let b = arrange(&View::contiguous(&[6, 16, 3, 3]), &order, &sizes);
        case(&sizes[..5], &sizes[5..], a, b)
    };
    let forward = convolution([2, 16, 12, 12], 16, 3, 1, 1, 1);
    for case in [
        convolution([2, 16, 12, 12], 16, 3, 1, 1, 2), // spread
        convolution([2, 16, 12, 12], 16, 3, 1, 2, 1), // skipping
        convolution([2, 16, 12, 12], 16, 5, 1, 1, 1), // larger
        convolution([2, 16, 12, 12], 16, 2, 1, 1, 1), // smaller
        grouped,
        reordered(&forward, &[0, 2, 3, 1], &[4, 5, 6]), // channels innermost in the output
        weight_gradient([2, 16, 12, 12], 16, 3, 1, 2),  // skipping
        weight_gradient([2, 16, 12, 12], 16, 5, 1, 1),  // larger
    ] {
        assert!(form(level(), &case).is_none(), "{case:?}");
    }
    // A bound of rows and columns together, and one of the channel.
    for (axes, size) in [(vec![2, 3, 5, 6], 20), (vec![4], 10)] {
        let mut case = convolution([2, 16, 12, 12], 16, 3, 1, 1, 1);
        let coefs = (0..7).map(|axis| axes.contains(&axis) as isize).collect();
        case.a.bounds.push(Bound {
            coefs,
            offset: 0,
            size,
        });
        assert!(form(level(), &case).is_none(), "{case:?}");
    }
}

#[test]
fn it_is_chosen_where_it_pays() {
    let everywhere = |case: &Case, pays: bool| {
        for level in Level::available() {
            let text = plan(level, case).describe();
            assert_eq!(text.contains("winograd"), pays, "{level:?}: {text}");
        }
    };
    for (image, o, pays) in [
        ([64, 16, 32, 32], 16, true),
        ([64, 64, 8, 8], 64, true),
        ([8, 64, 56, 56], 64, true),
        ([4, 256, 14, 14], 256, true),
        ([64, 8, 13, 13], 8, true), // few channels, and rows that are no whole vectors
        ([8, 2, 32, 32], 8, false), // so few channels that there is little to save
        ([1, 64, 4, 4], 64, false), // one tile of a vector's
        ([1, 512, 7, 7], 512, false), // four tiles for a quarter of a million filters' transforms
        ([8, 2, 32, 32], 2, false),
    ] {
        everywhere(&convolution(image, o, 3, 1, 1, 1), pays);
    }
    for (image, o, pays) in [
        ([64, 16, 32, 32], 16, true),
        ([64, 64, 8, 8], 64, true),
        ([8, 64, 56, 56], 64, true),
        ([4, 256, 14, 14], 256, true),
        ([8, 3, 32, 32], 8, false),
        ([1, 64, 4, 4], 64, false), // one tile, and 4096 filters' sums to transform
    ] {
        everywhere(&weight_gradient(image, o, 3, 1, 1), pays);
    }
    let doubles = Case {
        dtypes: [DType::Float64; 2],
        ..convolution([16, 16, 32, 32], 16, 3, 1, 1, 1)
    };
    everywhere(&doubles, false);
}

/// Numbers of a normal distribution, or nearly: sums of twelve uniform ones.
fn normal(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut uniform = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 24) as f64
    };
    (0..count)
        .map(|_| ((0..12).map(|_| uniform()).sum::<f64>() - 6.0) as f32)
        .collect()
}

/// The errors of normally distributed numbers, for each level.
fn errors(case: &Case) -> Vec<(Level, f64)> {
    let (a, b) = (normal(length(&case.a), 1), normal(length(&case.b), 2));
    let wide = |data: &[f32]| data.iter().map(|&x| x as f64).collect::<Vec<_>>();
    let expected = naive(case, &wide(&a), &wide(&b));
    let found = |level| {
        let mut plan: Contraction = plan(level, case);
        plan.way = form(level, case).expect("a window of 3 × 3");
        let mut out = vec![0f32; expected.len()];
        // SAFETY: the buffers hold every valid address and the output every element.
        unsafe {
            let (a_data, b_data) = (a.as_ptr().cast(), b.as_ptr().cast());
            plan.run(a_data, a.len(), b_data, b.len(), out.as_mut_ptr().cast())
        };
        (level, error(&wide(&out), &expected))
    };
    Level::available().into_iter().map(found).collect()
}

/// The errors that the modules' headers tell of, with some room.
#[test]
fn errors_are_as_promised() {
    let convolutions = [(16, 6e-6), (64, 1e-5), (512, 3e-5)]
        .map(|(channels, most)| (convolution([1, channels, 8, 8], 8, 3, 1, 1, 1), most));
    let gradients = [
        ([1, 8, 8, 8], 8e-6),
        ([8, 8, 16, 16], 8e-6),
        ([32, 4, 32, 32], 8e-6),
    ]
    .map(|(image, most)| (weight_gradient(image, 4, 3, 1, 1), most));
    for (case, most) in convolutions.into_iter().chain(gradients) {
        for (level, error) in errors(&case) {
            let sizes = [&case.outer[..], &case.reduced].concat();
            assert!(error < most, "{level:?} {sizes:?}: {error:e}");
        }
    }
}
