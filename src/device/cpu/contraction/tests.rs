//! Tests of [`contraction`](super): every way that a plan may take, against the definition.
//!
//! **In:** the [`cases`] that matter, and [`any`] views whatsoever. **Out:** whether each gives what its [`definition`] says, and is
//! computed in the way that it is meant for.

use super::*;

mod any;
mod cases;
mod definition;

pub(super) use cases::{arrange, convolution, input_gradient, weight_gradient, windows};
use cases::{depthwise, grouped, matmul, strided};
pub(super) use definition::{Case, case, length, naive, numbers, plan, run};
use definition::{check, described};

#[test]
fn matmuls_of_all_edges_and_orders() {
    for (m, n, k) in [
        (1, 1, 1),
        (2, 8, 3),
        (33, 13, 5),
        (31, 32, 33),
        (64, 24, 17),
        (10, 70, 700),
        (12, 200, 9),
        (129, 10, 40),
    ] {
        for order in 0..4 {
            check(&matmul(m, n, k, order & 1 == 1, order & 2 == 2));
        }
    }
}

#[test]
fn convolutions_and_their_gradients() {
    for (image, o, kernel) in [
        ([2, 3, 9, 7], 5, 3),
        ([1, 1, 8, 12], 8, 2),
        ([3, 2, 20, 21], 2, 3),
        // Some panels of its windows with stride 2 are far from both ends of memory, so that whole vectors may be loaded.
        ([2, 4, 33, 40], 3, 3),
    ] {
        for (pad, step, dilation) in [(0, 1, 1), (1, 1, 1), (2, 2, 1), (1, 1, 2), (0, 3, 2)] {
            check(&convolution(image, o, kernel, pad, step, dilation));
        }
        check(&weight_gradient(image, o, kernel, 0, 1));
        check(&weight_gradient(image, o, kernel, 1, 2));
        check(&weight_gradient(image, o, kernel, 1, 1));
        check(&input_gradient(image, o, kernel));
    }
}

#[test]
fn large_ones_take_every_kind_of_blocking() {
    let kinds = [
        (matmul(40, 500, 400, false, false), "rows shared"),
        (matmul(900, 64, 40, false, true), "columns"),
        (weight_gradient([16, 3, 60, 60], 8, 3, 1, 2), "chunks of K"),
    ];
    for (case, kind) in kinds {
        check(&case);
        let plan = Contraction::new(
            &case.outer,
            &case.reduced,
            &case.a,
            DType::Float32,
            &case.b,
            DType::Float32,
        );
        let Way::Tiles(Plan { blocking, size, .. }) = plan.way else {
            panic!("{kind} of a plan without tiles");
        };
        let found = if blocking.chunk < size.k {
            "chunks of K"
        } else if blocking.shared {
            "rows shared"
        } else {
            "columns"
        };
        assert_eq!(found, kind, "{size:?} {blocking:?}");
    }
}

#[test]
fn batches_inside_and_outside() {
    // out[h, m, b, n] = Σ a[b, h, m, k] b[h, b, n, k]
    let (h, m, b, n, k) = (3usize, 17usize, 5usize, 20usize, 6usize);
    let sizes = [h, m, b, n, k];
    let a = strided(&sizes, &[102, 6, 306, 0, 1]);
    let second = strided(&sizes, &[600, 0, 120, 6, 1]);
    check(&case(&sizes[..4], &sizes[4..], a, second));
    // Many small ones, and the batch as the output's innermost axis.
    let a = strided(&[9, 10, 700, 8], &[8, 0, 72, 1]);
    let second = strided(&[9, 10, 700, 8], &[0, 8, 80, 1]);
    check(&case(&[9, 10, 700], &[8], a, second));
}

#[test]
fn nothing_to_add_up_gives_zeros_and_nothing_to_compute_gives_nothing() {
    let empty = |outer: &[usize], reduced: &[usize]| {
        let shape = [outer, reduced].concat();
        let case = case(
            outer,
            reduced,
            View::contiguous(&shape),
            View::contiguous(&shape),
        );
        run(&plan(level(), &case), &case)
    };
    assert_eq!(empty(&[2, 3], &[0]), [0.0; 6]);
    assert!(empty(&[2, 0], &[4]).is_empty());
    check(&case(
        &[],
        &[5],
        View::contiguous(&[5]),
        View::contiguous(&[5]),
    ));
}

#[test]
fn halves_are_widened_and_doubles_stay_double() {
    use DType::{BFloat16, Float16, Float32, Float64};
    for dtypes in [
        [Float16, Float32],
        [Float32, BFloat16],
        [BFloat16, Float16],
        [Float64, Float64],
    ] {
        check(&Case {
            dtypes,
            ..matmul(40, 30, 20, false, true)
        });
        check(&Case {
            dtypes,
            ..convolution([2, 3, 9, 9], 4, 3, 1, 1, 1)
        });
        check(&Case {
            dtypes,
            ..weight_gradient([2, 3, 9, 9], 4, 3, 1, 1)
        });
    }
    let third = 1.0 / 3.0;
    let view = View::contiguous(&[1]);
    let plan = Contraction::new(&[], &[1], &view, Float64, &view, Float64);
    let (a, mut out) = ([third], [0.0]);
    // SAFETY: one element each.
    unsafe {
        plan.run(
            a.as_ptr().cast(),
            1,
            a.as_ptr().cast(),
            1,
            out.as_mut_ptr().cast(),
        )
    };
    assert_eq!(out[0], third * third);
}

/// Sums of thirds differ with every other order of adding.
#[cfg(feature = "threads")]
#[test]
fn as_many_threads_as_you_like_give_the_same_bits() {
    use crate::device::cpu::contraction::scratch::Raw;
    use crate::device::cpu::threads::with_threads;
    let cases = [
        matmul(300, 200, 700, false, true),
        convolution([8, 3, 30, 30], 20, 3, 1, 1, 1),
        weight_gradient([16, 3, 30, 30], 8, 3, 1, 1),
        weight_gradient([16, 3, 60, 60], 8, 3, 1, 2),
        weight_gradient([16, 20, 30, 30], 17, 3, 1, 1),
        input_gradient([8, 6, 30, 30], 20, 3),
        convolution([8, 20, 30, 30], 20, 3, 1, 1, 1),
    ];
    let thin = depthwise([20, 6, 30, 30], 3, 1, 1);
    for case in cases.into_iter().chain(thin) {
        let thirds = |view: &View, seed: usize| -> Vec<f32> {
            numbers(length(view), seed)
                .iter()
                .map(|x| *x as f32 / 3.0)
                .collect()
        };
        let (a, b) = (thirds(&case.a, 1), thirds(&case.b, 2));
        let bits = |threads: usize| {
            let plan = Contraction::new(
                &case.outer,
                &case.reduced,
                &case.a,
                DType::Float32,
                &case.b,
                DType::Float32,
            );
            let mut out = vec![0f32; case.outer.iter().product()];
            let target = Raw(out.as_mut_ptr());
            let (a, b) = (&a, &b);
            with_threads(threads, move || {
                let target = target.add(0);
                // SAFETY: the buffers hold every valid address and the output every element.
                unsafe {
                    plan.run(
                        a.as_ptr().cast(),
                        a.len(),
                        b.as_ptr().cast(),
                        b.len(),
                        target.0.cast(),
                    )
                }
            });
            out.iter().map(|x| x.to_bits()).collect::<Vec<u32>>()
        };
        let one = bits(1);
        assert_eq!(one, bits(2));
        assert_eq!(one, bits(7));
    }
}

#[test]
fn thin_products_are_lines() {
    for (image, kernel, pad, dilation) in [
        ([2, 3, 28, 28], 3, 1, 1),
        ([1, 5, 9, 21], 3, 0, 1),
        ([70, 1, 8, 11], 2, 1, 1), // more lines than join a sum at once
        ([2, 2, 12, 40], 5, 4, 2),
        ([1, 1, 3, 100], 1, 2, 1),
        ([3, 2, 16, 16], 4, 2, 1),
    ] {
        let cases = depthwise(image, kernel, pad, dilation);
        for (case, kind) in cases.into_iter().zip(["scaled", "dots", "scaled"]) {
            check(&case);
            for dtypes in [[DType::Float64; 2], [DType::BFloat16, DType::Float32]] {
                let Case { a, b, .. } = &case;
                let (a, b) = (a.clone(), b.clone());
                check(&Case {
                    dtypes,
                    ..self::case(&case.outer, &case.reduced, a, b)
                });
            }
            let Case {
                outer,
                reduced,
                a,
                b,
                ..
            } = &case;
            let plan = Contraction::new(outer, reduced, a, DType::Float32, b, DType::Float32);
            let text = plan.describe();
            let lines = matches!(plan.way, Way::Lines(_));
            assert!(kernel == 1 || lines && text.contains(kind), "{text}");
        }
    }
    // A product without windows is none of these: a matrix times a vector, an outer product of one step.
    let lines =
        |case: &Case| Lines::new(16, &case.outer, &case.reduced, &case.a, &case.b).is_some();
    assert!(!lines(&matmul(1, 500, 500, false, false)));
    assert!(!lines(&matmul(500, 1, 500, true, false)));
    assert!(!lines(&matmul(500, 500, 1, false, false)));
}

#[test]
fn gradients_of_few_weights_are_dots_of_lines() {
    // Peers and taps that are and aren't multiples of what a call takes; lines with rests; more places than one sum runs over.
    for (image, o, kernel, pad) in [
        ([2, 1, 12, 26], 8, 3, 0),
        ([2, 1, 12, 26], 9, 3, 1),
        ([1, 3, 9, 31], 6, 2, 1),
        ([3, 2, 16, 16], 3, 3, 1),
        ([2, 5, 20, 24], 2, 1, 0),
        ([14, 2, 32, 32], 5, 3, 1),
        ([70, 3, 12, 12], 16, 3, 1),
    ] {
        let case = weight_gradient(image, o, kernel, pad, 1);
        check(&case);
        let text = described(&case);
        assert!(text.contains("dots"), "{image:?} {o} {kernel}: {text}");
    }
    // Many channels are worth turning, and windows that skip numbers have no lines.
    for case in [
        weight_gradient([2, 64, 11, 11], 64, 3, 0, 1),
        weight_gradient([2, 3, 21, 21], 8, 3, 1, 2),
    ] {
        let text = described(&case);
        assert!(text.contains("tiles"), "{text}");
    }
}

#[test]
fn windows_with_few_columns_are_multiplied_where_they_are() {
    // One, two and three runs in a vector, bounds on each side and none, rests in all directions.
    for (case, in_place) in [
        (convolution([2, 3, 16, 32], 8, 3, 1, 1, 1), true),
        (convolution([2, 3, 8, 8], 20, 3, 1, 1, 1), true),
        (convolution([2, 2, 30, 28], 13, 3, 0, 1, 1), true),
        (convolution([1, 4, 15, 15], 9, 5, 1, 1, 1), true),
        (convolution([3, 3, 14, 17], 16, 3, 2, 1, 2), true),
        (convolution([1, 3, 12, 10], 7, 3, 0, 1, 1), true),
        (convolution([2, 9, 9, 9], 5, 3, 0, 1, 1), false), // runs of 7
        (convolution([2, 3, 20, 40], 8, 3, 1, 2, 1), false), // every second number
        (input_gradient([2, 8, 13, 13], 16, 3), true),
        (matmul(300, 5, 40, true, false), true),
        (matmul(300, 100, 40, true, false), false), // each number is in one place, and used often
    ] {
        check(&case);
        let text = described(&case);
        let possible = f32::instruction_set(level()).faultless;
        assert_eq!(text.contains("in place"), in_place && possible, "{text}");
    }
}

#[test]
fn windows_with_many_columns_are_staged() {
    for (case, staged) in [
        // Images of whole vectors and with rests, of several lines in a vector and of less than one vector.
        (convolution([2, 3, 16, 32], 32, 3, 1, 1, 1), true),
        (convolution([5, 3, 8, 8], 45, 3, 1, 1, 1), true),
        (convolution([3, 2, 7, 7], 33, 3, 1, 1, 1), true),
        (convolution([64, 4, 5, 5], 36, 3, 0, 1, 1), true), // three pieces in a vector
        (convolution([64, 4, 4, 4], 36, 3, 0, 1, 1), false), // too many
        // Windows that reach beyond the image on both sides or not at all, with gaps, and that skip lines.
        (convolution([2, 2, 30, 28], 36, 3, 0, 1, 1), true),
        (convolution([1, 4, 15, 15], 40, 5, 1, 1, 1), true),
        (convolution([3, 3, 14, 17], 32, 3, 2, 1, 2), true),
        (convolution([2, 3, 20, 40], 32, 3, 1, 2, 1), true),
        (convolution([2, 2, 23, 19], 32, 7, 3, 2, 1), true),
        (convolution([2, 2, 23, 29], 32, 7, 0, 3, 1), true),
        (convolution([2, 4, 20, 20], 32, 2, 0, 2, 1), false), // windows side by side
        // Windows that slide the other way; several tasks, and several blocks of K; a batch.
        (input_gradient([2, 32, 13, 13], 3, 3), true),
        (convolution([1, 36, 12, 12], 32, 3, 1, 1, 1), true),
        (grouped([2, 3, 12, 12], 32, 5, 2), true),
        (matmul(300, 100, 40, true, false), false),
    ] {
        check(&case);
        let text = described(&case);
        assert_eq!(text.contains("staged"), staged, "{text}");
        let Case {
            outer,
            reduced,
            a,
            b,
            ..
        } = case;
        check(&Case {
            dtypes: [DType::Float64; 2],
            ..self::case(&outer, &reduced, a, b)
        });
    }
}

#[test]
fn only_what_has_rows_and_columns_is_worthwhile() {
    let worthwhile =
        |case: &Case| Contraction::is_worthwhile(&case.outer, &case.reduced, &case.a, &case.b);
    assert!(worthwhile(&matmul(128, 10, 400, false, false)));
    assert!(!worthwhile(&matmul(1, 500, 500, false, false)));
    assert!(!worthwhile(&matmul(500, 500, 1, false, false)));
    let product = View::contiguous(&[20, 30]);
    assert!(!worthwhile(&case(&[20], &[30], product.clone(), product)));
}
