//! Tests of [`contraction`](super): the definition, the shapes that matter, and any views whatsoever.

use super::*;
use crate::shape::view::{Bound, Remap, indices};
use half::{bf16, f16};
use proptest::prelude::*;

// ---- The definition ----

/// Sum by sum, in f64.
pub(super) fn naive(case: &Case, a_data: &[f64], b_data: &[f64]) -> Vec<f64> {
    let read = |data: &[f64], address: Option<usize>| address.map_or(0.0, |address| data[address]);
    let (a, b) = (case.a.addresses(), case.b.addresses());
    let steps: usize = case.reduced.iter().product();
    let product = |i: usize| read(a_data, a[i]) * read(b_data, b[i]);
    (0..case.outer.iter().product())
        .map(|o| (o * steps..(o + 1) * steps).map(product).sum())
        .collect()
}

/// Small whole numbers, so that sums are exact in f32 and every mistake shows.
pub(super) fn numbers(length: usize, seed: usize) -> Vec<f64> {
    (0..length)
        .map(|i| ((i * 7 + seed * 3 + i / 11 * 5) % 9) as f64 - 4.0)
        .collect()
}

fn encode(data: &[f64], dtype: DType) -> Vec<u64> {
    let mut bytes: Vec<u8> = match dtype {
        DType::Float64 => data.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        DType::Float16 => data
            .iter()
            .flat_map(|x| f16::from_f64(*x).to_ne_bytes())
            .collect(),
        DType::BFloat16 => data
            .iter()
            .flat_map(|x| bf16::from_f64(*x).to_ne_bytes())
            .collect(),
        _ => data
            .iter()
            .flat_map(|x| (*x as f32).to_ne_bytes())
            .collect(),
    };
    bytes.resize(bytes.len().next_multiple_of(8), 0xff); // NaN, should anyone read on
    bytes
        .chunks(8)
        .map(|chunk| u64::from_ne_bytes(chunk.try_into().unwrap()))
        .collect()
}

pub(super) struct Case {
    pub outer: Vec<usize>,
    pub reduced: Vec<usize>,
    pub a: View,
    pub b: View,
    pub dtypes: [DType; 2],
}

pub(super) fn length(view: &View) -> usize {
    view.addresses()
        .into_iter()
        .flatten()
        .max()
        .map_or(0, |address| address + 1)
}

/// The plan for one level.
pub(super) fn plan(level: Level, case: &Case) -> Contraction {
    let [a, b] = case.dtypes;
    Contraction::with_level(
        level,
        &case.outer,
        &case.reduced,
        (&case.a, a),
        (&case.b, b),
    )
}

/// Runs a plan; counts how often each element is finished.
pub(super) fn run(plan: &Contraction, case: &Case) -> Vec<f64> {
    let lengths = [length(&case.a), length(&case.b)];
    let a = encode(&numbers(lengths[0], 1), case.dtypes[0]);
    let b = encode(&numbers(lengths[1], 2), case.dtypes[1]);
    let outputs: usize = case.outer.iter().product();
    let mut out = vec![u64::MAX; outputs + 1]; // NaN
    let finished = std::sync::Mutex::new(vec![0; outputs]);
    let count = |range: Range<usize>| {
        finished.lock().unwrap()[range]
            .iter_mut()
            .for_each(|n| *n += 1)
    };
    // SAFETY: the buffers hold every valid address and the output every element.
    unsafe {
        let (a, b, out) = (
            a.as_ptr().cast(),
            b.as_ptr().cast(),
            out.as_mut_ptr().cast(),
        );
        plan.run_with(a, lengths[0], b, lengths[1], out, &count);
    }
    assert!(
        finished.into_inner().unwrap().iter().all(|&n| n == 1),
        "each element is finished once"
    );
    if plan.dtype() == DType::Float64 {
        out[..outputs]
            .iter()
            .map(|bits| f64::from_bits(*bits))
            .collect()
    } else {
        let words = out
            .iter()
            .flat_map(|bits| bits.to_ne_bytes())
            .collect::<Vec<u8>>();
        let single = |word: &[u8]| f32::from_ne_bytes(word.try_into().unwrap()) as f64;
        words.chunks(4).take(outputs).map(single).collect()
    }
}

fn check(case: &Case) {
    let (a, b) = (numbers(length(&case.a), 1), numbers(length(&case.b), 2));
    let expected = naive(case, &a, &b);
    for level in Level::available() {
        let plan = plan(level, case);
        let found = run(&plan, case);
        let right = match plan.way {
            // Sixths and their like are not exact.
            Way::Winograd(_) | Way::FilterGradient(_) => {
                winograd::tests::error(&found, &expected) < 2e-5
            }
            Way::Nothing | Way::Tiles(_) | Way::Lines(_) => found == expected,
        };
        assert!(
            right,
            "{level:?}\n{:?} {:?}\n{:?}\n{:?}\n{found:?}\n{expected:?}",
            case.outer, case.reduced, case.a, case.b
        );
    }
}

pub(super) fn case(outer: &[usize], reduced: &[usize], a: View, b: View) -> Case {
    Case {
        outer: outer.to_vec(),
        reduced: reduced.to_vec(),
        a,
        b,
        dtypes: [DType::Float32; 2],
    }
}

// ---- The shapes that matter ----

fn strided(shape: &[usize], strides: &[isize]) -> View {
    let strides = strides
        .iter()
        .zip(shape)
        .map(|(&s, &n)| if n == 1 { 0 } else { s })
        .collect();
    View {
        shape: shape.to_vec(),
        strides,
        offset: 0,
        bounds: Vec::new(),
    }
}

/// out[m, n] = Σ a[m, k] b[k, n], each operand as it is or transposed in memory.
fn matmul(m: usize, n: usize, k: usize, a_turned: bool, b_turned: bool) -> Case {
    let (im, in_, ik) = (m as isize, n as isize, k as isize);
    let a = if a_turned { [1, 0, im] } else { [ik, 0, 1] };
    let b = if b_turned { [0, ik, 1] } else { [0, 1, in_] };
    case(
        &[m, n],
        &[k],
        strided(&[m, n, k], &a),
        strided(&[m, n, k], &b),
    )
}

/// A sliding window over the last two axes of an image [n, c, h, w], as [n, c, y, x, ky, kx], for padding, step and dilation.
pub(super) fn windows(
    image: [usize; 4],
    kernel: usize,
    pad: isize,
    step: isize,
    dilation: isize,
) -> View {
    let [n, c, h, w] = image;
    let size = |extent: usize| {
        ((extent as isize + 2 * pad - dilation * (kernel as isize - 1) - 1) / step + 1) as usize
    };
    let mut remap = Remap::still(4, vec![n, c, size(h), size(w), kernel, kernel]);
    for axis in 0..4 {
        remap.follow(axis, axis, if axis < 2 { 1 } else { step });
    }
    for axis in [2, 3] {
        remap.follow(axis, axis + 2, dilation);
        remap.begin(axis, -pad);
    }
    View::contiguous(&image).remap(&remap)
}

/// The view with axes of size `sizes[i]` and stride 0 put in where `order` says None.
pub(super) fn arrange(view: &View, order: &[Option<usize>], sizes: &[usize]) -> View {
    let mut remap = Remap::still(view.shape.len(), sizes.to_vec());
    for (new, old) in order.iter().enumerate() {
        if let Some(old) = *old {
            remap.follow(old, new, 1);
        }
    }
    view.remap(&remap)
}

/// out[n, o, y, x] = Σ_{c, i, j} windows[n, c, y, x, i, j] · weights[o, c, i, j].
pub(super) fn convolution(
    image: [usize; 4],
    o: usize,
    kernel: usize,
    pad: isize,
    step: isize,
    dilation: isize,
) -> Case {
    let windows = windows(image, kernel, pad, step, dilation);
    let [n, c, ..] = image;
    let (y, x) = (windows.shape[2], windows.shape[3]);
    let sizes = [n, o, y, x, c, kernel, kernel];
    let a = arrange(
        &windows,
        &[Some(0), None, Some(2), Some(3), Some(1), Some(4), Some(5)],
        &sizes,
    );
    let weights = View::contiguous(&[o, c, kernel, kernel]);
    let b = arrange(
        &weights,
        &[None, Some(0), None, None, Some(1), Some(2), Some(3)],
        &sizes,
    );
    case(&sizes[..4], &sizes[4..], a, b)
}

/// out[o, c, i, j] = Σ_{n, y, x} gradient[n, o, y, x] · windows[n, c, y, x, i, j].
pub(super) fn weight_gradient(
    image: [usize; 4],
    o: usize,
    kernel: usize,
    pad: isize,
    step: isize,
) -> Case {
    let windows = windows(image, kernel, pad, step, 1);
    let [n, c, ..] = image;
    let (y, x) = (windows.shape[2], windows.shape[3]);
    let sizes = [o, c, kernel, kernel, n, y, x];
    let gradient = View::contiguous(&[n, o, y, x]);
    let a = arrange(
        &gradient,
        &[Some(1), None, None, None, Some(0), Some(2), Some(3)],
        &sizes,
    );
    let b = arrange(
        &windows,
        &[None, Some(1), Some(4), Some(5), Some(0), Some(2), Some(3)],
        &sizes,
    );
    case(&sizes[..4], &sizes[4..], a, b)
}

/// out[n, c, h, w] = Σ_{o, i, j} gradient[n, o, h − i, w − j] · weights[o, c, i, j]: windows slid the other way, mostly over the edge.
pub(super) fn input_gradient(image: [usize; 4], o: usize, kernel: usize) -> Case {
    let [n, c, h, w] = image;
    let sizes = [n, c, h, w, o, kernel, kernel];
    let gradient = View::contiguous(&[n, o, h - kernel + 1, w - kernel + 1]);
    let mut remap = Remap::still(4, sizes.to_vec());
    for (old, new, step) in [
        (0, 0, 1),
        (1, 4, 1),
        (2, 2, 1),
        (2, 5, -1),
        (3, 3, 1),
        (3, 6, -1),
    ] {
        remap.follow(old, new, step);
    }
    let a = gradient.remap(&remap);
    let weights = View::contiguous(&[o, c, kernel, kernel]);
    let b = arrange(
        &weights,
        &[None, Some(1), None, None, Some(0), Some(2), Some(3)],
        &sizes,
    );
    case(&sizes[..4], &sizes[4..], a, b)
}

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

/// A filter for each channel: the windows times it, and the gradients of filters and image.
fn depthwise(image: [usize; 4], kernel: usize, pad: isize, dilation: isize) -> [Case; 3] {
    let [n, c, h, w] = image;
    let windows = windows(image, kernel, pad, 1, dilation);
    let (y, x) = (windows.shape[2], windows.shape[3]);
    let filters = View::contiguous(&[c, kernel, kernel]);
    let gradient = View::contiguous(&[n, c, y, x]);
    let forward = case(
        &windows.shape[..4],
        &windows.shape[4..],
        windows.clone(),
        arrange(
            &filters,
            &[None, Some(0), None, None, Some(1), Some(2)],
            &windows.shape,
        ),
    );
    let sizes = [c, kernel, kernel, n, y, x];
    let of_filters = case(
        &sizes[..3],
        &sizes[3..],
        arrange(
            &gradient,
            &[Some(1), None, None, Some(0), Some(2), Some(3)],
            &sizes,
        ),
        windows.permute(&[1, 4, 5, 0, 2, 3]),
    );
    // Of the image before it was padded: gradient[n, c, i − ky · dilation, j − kx · dilation] · filters[c, ky, kx].
    let reach = dilation as usize * (kernel - 1);
    let sizes = [n, c, y + reach, x + reach, kernel, kernel];
    let mut remap = Remap::still(4, sizes.to_vec());
    (0..4).for_each(|axis| remap.follow(axis, axis, 1));
    (2..4).for_each(|axis| remap.follow(axis, axis + 2, -dilation));
    let of_image = case(
        &sizes[..4],
        &sizes[4..],
        arrange(
            &filters,
            &[None, Some(0), None, None, Some(1), Some(2)],
            &sizes,
        ),
        gradient.remap(&remap),
    );
    assert!(h + 2 * pad as usize == y + reach && w + 2 * pad as usize == x + reach);
    [forward, of_filters, of_image]
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

/// How a plan for float32 describes itself.
fn described(case: &Case) -> String {
    let Case {
        outer,
        reduced,
        a,
        b,
        ..
    } = case;
    Contraction::new(outer, reduced, a, DType::Float32, b, DType::Float32).describe()
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

/// out[n, g, o, y, x] = Σ_{i, j} windows[n, g, y, x, i, j] · weights[g, o, i, j]: a batch of each channel's own.
fn grouped(image: [usize; 4], o: usize, kernel: usize, pad: isize) -> Case {
    let windows = windows(image, kernel, pad, 1, 1);
    let [n, g, y, x, ..] = windows.shape[..] else {
        unreachable!("windows of an image have six axes")
    };
    let sizes = [n, g, o, y, x, kernel, kernel];
    let order = [0, 1, 6, 2, 3, 4, 5].map(|axis| (axis < 6).then_some(axis));
    let a = arrange(&windows, &order, &sizes);
    let weights = View::contiguous(&[g, o, kernel, kernel]);
    let order = [4, 0, 1, 4, 4, 2, 3].map(|axis| (axis < 4).then_some(axis));
    let b = arrange(&weights, &order, &sizes);
    case(&sizes[..5], &sizes[5..], a, b)
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

// ---- Any views whatsoever ----

fn any_view(shape: Vec<usize>, roles: Vec<u8>, operand: u8) -> impl Strategy<Value = View> {
    let rank = shape.len();
    let bound = (
        prop::collection::vec(-2isize..3, rank),
        -3isize..4,
        1usize..7,
    );
    let strides = prop::collection::vec(-3isize..5, rank);
    (strides, prop::collection::vec(bound, 0..3)).prop_map(move |(mut strides, bounds)| {
        let silence = |coefs: &mut Vec<isize>| {
            for axis in 0..rank {
                if shape[axis] == 1 || roles[axis] & operand == 0 {
                    coefs[axis] = 0;
                }
            }
        };
        silence(&mut strides);
        let mut view = View {
            shape: shape.clone(),
            strides,
            offset: 0,
            bounds: Vec::new(),
        };
        for (mut coefs, offset, size) in bounds {
            silence(&mut coefs);
            view.bounds.push(Bound {
                coefs,
                offset,
                size,
            });
        }
        // The buffer begins at the first valid element; invalid ones may be anywhere.
        let signed = |index: &Vec<usize>| {
            view.strides
                .iter()
                .zip(index)
                .map(|(s, &i)| s * i as isize)
                .sum::<isize>()
        };
        let valid =
            indices(&shape).filter(|index| view.bounds.iter().all(|bound| bound.holds(index)));
        view.offset = -valid.map(|index| signed(&index)).min().unwrap_or(0);
        view
    })
}

fn any_case() -> impl Strategy<Value = Case> {
    let axis = (prop_oneof![Just(1usize), 2usize..5, 5usize..20], 0u8..4);
    (prop::collection::vec(axis, 1..6), 0usize..6).prop_flat_map(|(axes, split)| {
        let shape: Vec<usize> = axes
            .iter()
            .map(|(size, _)| *size)
            .scan(1, |product, size| {
                // Not too many elements in all.
                let size = if *product * size > 20_000 { 1 } else { size };
                *product *= size;
                Some(size)
            })
            .collect();
        let roles: Vec<u8> = axes.iter().map(|(_, role)| *role).collect();
        let split = split.min(shape.len());
        let views = (
            any_view(shape.clone(), roles.clone(), 1),
            any_view(shape.clone(), roles, 2),
        );
        views.prop_map(move |(a, b)| case(&shape[..split], &shape[split..], a, b))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_two_views_agree_with_the_definition(case in any_case()) {
        check(&case);
    }

    #[test]
    fn any_sizes_agree_with_the_definition(m in 0usize..70, n in 0usize..70, k in 0usize..70, order in 0u8..4) {
        check(&matmul(m, n, k, order & 1 == 1, order & 2 == 2));
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(
            f,
            "{:?} {:?} {:?}\n{:?}\n{:?}",
            self.outer, self.reduced, self.dtypes, self.a, self.b
        )
    }
}
