//! # device/cpu/contraction: sums of products, which is where the time goes
//!
//! **In:** a loop nest of output axes and reduced axes, and two views over it. **Out:** `out[o] = Σᵣ a[o, r] · b[o, r]`.
//! **Above:** the CPU engine, which finds a multiplication under a sum. **Below:** [`packing`](super::packing) and
//! [`microkernel`](super::microkernel).
//!
//! matmul, batched matmul, convolution with any stride, dilation, padding and groups, and both of its gradients are one kernel. Each axis
//! plays one of four parts, told by which of a, b and the output it matters to (its stride or its coefficient in a bound is not 0):
//!
//! ```text
//!              in a   in b   in out        matmul   convolution       its weights' gradient   its input's gradient
//!   batch       x      x      x            …        groups            groups                  groups
//!   M           x             x            m        n, y, x           out channel             n, h, w
//!   N                  x      x            n        out channel       channel, ky, kx         channel
//!   K           (x)    (x)                 k        channel, ky, kx   n, y, x                 out channel, ky, kx
//! ```
//!
//! With the axes of each part counted as one, there are two matrices for each batch, M × K and K × N, whose elements are found by
//! adding up small tables. Packing them by these tables is the only place where convolution differs from matmul.
//!
//! One of M and N is the *wide* side, whose numbers fill vectors, the other the *narrow* side, whose numbers are broadcast. The one that owns the
//! output's innermost axis is wide, so that results are stored as vectors, unless it is so small that the other one wastes less of
//! the tile. The problem is then cut as GotoBLAS and BLIS do it, so that each level of memory serves the one above it many times:
//!
//! ```text
//!            N (narrow)                        one task: its rows × all columns (or a block of them)
//!          ┌─────┬─────┬─────┬──┐                for each block of K (`depth` steps):
//!       M  │ task 0             │                  pack the rows into wide panels             → L2 cache
//!   (wide) ├─────┼─────┼─────┼──┤                  for each narrow panel of 12 columns        → L1 cache
//!          │ task 1             │                    for each wide panel of 32 rows
//!          ├─────┼─────┼─────┼──┤                      the kernel adds 32 × 12 products       → registers
//!          │ task 2 │ …         │                      `depth` times and stores them
//!          └─────┴─────┴─────┴──┘
//!   The columns are packed before, once for all tasks, by all threads, unless there is just one block of rows.
//!   If the output is small and K long, a task is a chunk of K, and the tasks' outputs are added up in order.
//! ```
//!
//! Windows of 3 × 3 that neither skip nor spread are multiplied at six points of polynomials instead of slid, if there are enough channels
//! on both sides: a quarter of the multiplications (see `winograd`, and for the gradient of the weights, `winograd/gradient`).
//!
//! **What to expect.** A product of n × n matrices does 2n³ operations on 3n² numbers, so arithmetic is the limit from n ≈ 100 on. With
//! 32 operations a cycle (one 512-bit multiply-add) at 3.3 GHz a core ends at 106 GFLOP/s; 1024 × 1024 was measured at 100 (AMD Zen 4, one
//! thread, on a machine that others used too).
//!
//! A convolution that packs writes every number of the image once for each place of the window, and then uses it for as many multiply-adds
//! as there are channels on the other side: 64 channels take 64/16 = 4 cycles a number, packing takes ½ to 1. With few channels that is too
//! much, so three ways do without: the wide side is loaded where it is, or copied once for each place in a line of the window (both:
//! [`packing`](super::packing)), and the gradient of the weights adds up products of lines (see `lines`). Windows that are slid reach
//! 93 to 103 GFLOP/s a core with 32 channels and more so, 85 with 16, 55 with 8, where memory is what one measures; and three quarters of that
//! where a window of 3 × 3 skips numbers (a stride of 2).
//!
//! **Tried and lost:** leaving the kernel's vectors to the compiler (see there); copying runs of rows in chunks of 16 that overwrite each other's
//! surplus (60 % of the speed of masked loads that put several runs into one register: overlapping stores are slow); turning
//! blocks with array code (the compiler moves single numbers, 60 % of the speed).
//!
//! Laws:
//! 1. The result doesn't depend on the number of threads: see `blocking`.
//! 2. No memory outside of the two buffers is read, and an index that breaks a bound counts as 0.
//! 3. A plan has no pointers in it and can be run any number of times, also at the same time.

mod blocking;
mod finish;
mod lines;
mod plan;
mod scratch;
mod tasks;
#[cfg(test)]
mod tests;
mod tiles;
mod winograd;

use super::microkernel::{InstructionSet, Real};
use super::simd::{Level, level};
use crate::dtype::DType;
use crate::shape::view::View;
use blocking::cost;
use lines::Lines;
pub(super) use lines::vectors;
use plan::Plan;
use scratch::{Source, with_single};
use std::ops::Range;
use winograd::Winograd;
use winograd::gradient::FilterGradient;
pub(super) use winograd::gradient::turned;
pub(super) use winograd::transforms;

// ---- The plan --------------------------------------------------------

/// A sum of products over a loop nest, ready to run again and again: see the [module](self).
#[derive(Clone, Debug)]
pub struct Contraction {
    dtypes: [DType; 2],
    outputs: usize,
    /// of each output
    steps: usize,
    level: Level,
    /// addresses that each view may touch, valid or not
    extents: [(isize, isize); 2],
    way: Way,
}

/// How it is computed.
#[derive(Clone, Debug)]
enum Way {
    /// there is nothing to add up: no element, or no step
    Nothing,
    Tiles(Plan),
    Lines(Lines),
    Winograd(Winograd),
    FilterGradient(FilterGradient),
}

/// The loop nest's axes (without those of size 1) by the part they play.
struct Axes {
    batch: Vec<usize>,
    m: Vec<usize>,
    n: Vec<usize>,
    k: Vec<usize>,
}

impl Axes {
    fn classify(outer: &[usize], reduced: &[usize], a: &View, b: &View) -> Axes {
        let matters = |view: &View, axis: usize| {
            view.strides[axis] != 0 || view.bounds.iter().any(|bound| bound.coefs[axis] != 0)
        };
        let mut axes = Axes {
            batch: Vec::new(),
            m: Vec::new(),
            n: Vec::new(),
            k: Vec::new(),
        };
        for (axis, &size) in outer.iter().chain(reduced).enumerate() {
            if size == 1 {
                continue;
            }
            let list = match (axis < outer.len(), matters(a, axis), matters(b, axis)) {
                (false, _, _) => &mut axes.k,
                (true, true, true) => &mut axes.batch,
                (true, false, true) => &mut axes.n,
                (true, _, false) => &mut axes.m,
            };
            list.push(axis);
        }
        axes
    }

    fn count(axes: &[usize], sizes: &[usize]) -> usize {
        axes.iter().map(|&axis| sizes[axis]).product()
    }
}

impl Way {
    /// The way that takes the fewest cycles, about; `points` says whether windows may be multiplied at points of polynomials.
    fn choose<T: Real>(
        set: &InstructionSet<T>,
        [outer, reduced]: [&[usize]; 2],
        [a, b]: [&View; 2],
        points: bool,
    ) -> Way {
        let sizes = [outer, reduced].concat();
        let axes = Axes::classify(outer, reduced, a, b);
        let [batch, m, n, k] =
            [&axes.batch, &axes.m, &axes.n, &axes.k].map(|axes| Axes::count(axes, &sizes));
        if !Contraction::is_tiled(m, n, k) {
            if let Some(lines) = Lines::new(set.lanes, outer, reduced, a, b) {
                return Way::Lines(lines);
            }
        } else {
            // Turning costs about ¾ of a cycle a number (and of each operand there are that many, if it is turned once).
            let cycles = cost(set, m, n).min(cost(set, n, m)) + 3 * (m + n) / 4;
            let cycles = batch * k * cycles;
            let lines = Lines::instead_of_tiles(set, cycles, [outer, reduced], a, b);
            let cycles = lines.as_ref().map_or(cycles, |lines| lines.dot_cycles(set));
            if points && let Some(plan) = FilterGradient::new(set, cycles, [outer, reduced], [a, b])
            {
                return Way::FilterGradient(plan);
            }
            if let Some(lines) = lines {
                return Way::Lines(lines);
            }
        }
        if points && let Some(plan) = Winograd::new(set, [outer, reduced], [a, b]) {
            return Way::Winograd(plan);
        }
        Way::Tiles(Plan::new(set, [outer, reduced], [a, b], axes))
    }
}

impl Contraction {
    /// Plans `out[o] = Σᵣ a[o, r] · b[o, r]`, for o over the indices of `outer` and r over those of `reduced`. Both views have the shape
    /// `outer ++ reduced`. The dtypes are float16, bfloat16 or float32, or both are float64.
    /// ```
    /// use teenygrad::{DType::Float32, device::cpu::contraction::Contraction, shape::view::View};
    /// // [[1, 2], [3, 4]] times its own transpose: over m, n and k, a is strides 2 0 1 and b is strides 0 2 1.
    /// let view = |strides: [isize; 3]| View { shape: vec![2, 2, 2], strides: strides.to_vec(), offset: 0, bounds: vec![] };
    /// let plan = Contraction::new(&[2, 2], &[2], &view([2, 0, 1]), Float32, &view([0, 2, 1]), Float32);
    /// let (matrix, mut out) = ([1f32, 2.0, 3.0, 4.0], [0f32; 4]);
    /// let data = matrix.as_ptr().cast();
    /// // SAFETY: both views stay within the four numbers, and there is room for four results.
    /// unsafe { plan.run(data, 4, data, 4, out.as_mut_ptr().cast()) };
    /// assert_eq!(out, [5.0, 11.0, 11.0, 25.0]); // 1·1 + 2·2, 1·3 + 2·4, …
    /// ```
    pub fn new(
        outer: &[usize],
        reduced: &[usize],
        a: &View,
        a_dtype: DType,
        b: &View,
        b_dtype: DType,
    ) -> Contraction {
        Contraction::with_level(level(), outer, reduced, (a, a_dtype), (b, b_dtype))
    }

    fn with_level(
        level: Level,
        outer: &[usize],
        reduced: &[usize],
        a: (&View, DType),
        b: (&View, DType),
    ) -> Contraction {
        let dtypes = [a.1, b.1];
        if dtypes == [DType::Float64; 2] {
            Contraction::plan(
                f64::instruction_set(level),
                level,
                outer,
                reduced,
                [a.0, b.0],
                dtypes,
            )
        } else {
            let half_or_single =
                |dtype| matches!(dtype, DType::Float16 | DType::BFloat16 | DType::Float32);
            assert!(
                dtypes.into_iter().all(half_or_single),
                "contraction of {} with {}",
                a.1,
                b.1
            );
            Contraction::plan(
                f32::instruction_set(level),
                level,
                outer,
                reduced,
                [a.0, b.0],
                dtypes,
            )
        }
    }

    fn plan<T: Real>(
        set: &InstructionSet<T>,
        level: Level,
        outer: &[usize],
        reduced: &[usize],
        [a, b]: [&View; 2],
        dtypes: [DType; 2],
    ) -> Contraction {
        let sizes = [outer, reduced].concat();
        assert_eq!(
            (&a.shape, &b.shape),
            (&sizes, &sizes),
            "a contraction's views cover its loop nest"
        );
        let (extents, way) = match (a.extent(), b.extent()) {
            (Some(a_extent), Some(b_extent)) => {
                let points = dtypes != [DType::Float64; 2];
                let way = Way::choose(set, [outer, reduced], [a, b], points);
                ([a_extent, b_extent], way)
            }
            _ => ([(0, -1); 2], Way::Nothing),
        };
        Contraction {
            dtypes,
            outputs: outer.iter().product(),
            steps: reduced.iter().product(),
            level,
            extents,
            way,
        }
    }

    /// Whether packing pays: if each number that is packed is used several times.
    fn is_tiled(m: usize, n: usize, k: usize) -> bool {
        m.min(n) >= 2 && m.max(n) >= 8 && k >= 2
    }

    /// Whether running this as a contraction beats a plain reduction.
    pub fn is_worthwhile(outer: &[usize], reduced: &[usize], a: &View, b: &View) -> bool {
        let sizes = [outer, reduced].concat();
        let axes = Axes::classify(outer, reduced, a, b);
        let [m, n, k] = [&axes.m, &axes.n, &axes.k].map(|axes| Axes::count(axes, &sizes));
        let lanes = f32::instruction_set(level()).lanes;
        Contraction::is_tiled(m, n, k) || Lines::new(lanes, outer, reduced, a, b).is_some()
    }

    /// Floating-point operations: a multiplication and an addition for each element and step, also where `winograd` does with fewer, so that
    /// ways can be compared.
    pub fn flops(&self) -> u64 {
        2 * self.outputs as u64 * self.steps as u64
    }

    /// Bytes of its tables of addresses, which grow with the sizes.
    pub fn bytes(&self) -> usize {
        match &self.way {
            Way::Nothing => 0,
            Way::Lines(lines) => lines.bytes(),
            Way::Winograd(winograd) => winograd.bytes(),
            Way::FilterGradient(gradient) => gradient.bytes(),
            Way::Tiles(plan) => plan.bytes(),
        }
    }

    /// The sizes, the tile and the ways of packing, for whoever wants to see what runs.
    pub fn describe(&self) -> String {
        match &self.way {
            Way::Nothing => "of nothing".to_string(),
            Way::Lines(lines) => lines.describe(),
            Way::Winograd(winograd) => winograd.describe(),
            Way::FilterGradient(gradient) => gradient.describe(),
            Way::Tiles(plan) => plan.describe(),
        }
    }

    /// The dtype of the output: float64 if both operands are, else float32.
    pub fn dtype(&self) -> DType {
        if self.dtypes == [DType::Float64; 2] {
            DType::Float64
        } else {
            DType::Float32
        }
    }
}

// ---- Running ---------------------------------------------------------

/// What is told to [`Contraction::run_with`] when a stretch of the output has its final values.
pub type Finish<'a> = &'a (dyn Fn(Range<usize>) + Sync);

impl Contraction {
    /// Computes the output, overwriting it.
    ///
    /// # Safety
    /// - `a` and `b` point at the first of `a_length` and `b_length` elements of the dtypes that were given to [`Contraction::new`],
    ///   aligned for them, that nobody writes to meanwhile; every valid index of the views has its address among them.
    /// - `out` points at as many elements of [`Contraction::dtype`] as `outer` has indices, aligned, that nobody else uses meanwhile.
    pub unsafe fn run(
        &self,
        a: *const u8,
        a_length: usize,
        b: *const u8,
        b_length: usize,
        out: *mut u8,
    ) {
        // SAFETY: the caller's promise.
        unsafe { self.dispatch([(a, a_length), (b, b_length)], out, None) }
    }

    /// The same, and calls `finish` with ranges of output elements (counted in row-major order of `outer`) as they get ready, so that whoever has
    /// something left to do with them (add a bias, cut at zero, …) finds them in the cache.
    ///
    /// Promised: every element is in exactly one range; it has its final value by then and is not looked at again, so `finish` may change it.
    /// Not promised: the order of the ranges, their lengths, or the threads that call, several at a time. Ranges are long where
    /// the output's innermost axes belong to one operand, as they do in matmul and convolution.
    ///
    /// # Safety
    /// As [`Contraction::run`], except that `finish` may use the elements of `out` in the range that it is called with.
    pub unsafe fn run_with(
        &self,
        a: *const u8,
        a_length: usize,
        b: *const u8,
        b_length: usize,
        out: *mut u8,
        finish: Finish,
    ) {
        // SAFETY: the caller's promise.
        unsafe { self.dispatch([(a, a_length), (b, b_length)], out, Some(finish)) }
    }

    unsafe fn dispatch(
        &self,
        buffers: [(*const u8, usize); 2],
        out: *mut u8,
        finish: Option<Finish>,
    ) {
        if matches!(self.way, Way::Nothing) {
            // A sum of nothing is 0, whose bytes are zeros.
            // SAFETY: the caller promises so many elements.
            unsafe { out.write_bytes(0, self.outputs * self.dtype().itemsize()) };
            if let Some(finish) = finish
                && self.outputs > 0
            {
                finish(0..self.outputs);
            }
            return;
        }
        let [a, b] = buffers;
        let [a_dtype, b_dtype] = self.dtypes;
        let [a_extent, b_extent] = self.extents;
        // SAFETY: the caller promises buffers of these dtypes and lengths, and an output of the type `T` that `dtype` tells.
        unsafe {
            if self.dtype() == DType::Float64 {
                self.compute([Source::new(a), Source::new(b)], out.cast::<f64>(), finish);
            } else {
                with_single(a_dtype, a, a_extent, |a| {
                    with_single(b_dtype, b, b_extent, |b| {
                        self.compute([a, b], out.cast::<f32>(), finish)
                    })
                });
            }
        }
    }

    unsafe fn compute<T: Real>(
        &self,
        sources: [Source<T>; 2],
        out: *mut T,
        finish: Option<Finish>,
    ) {
        // SAFETY: passed on to the caller.
        unsafe {
            match &self.way {
                Way::Nothing => {}
                Way::Tiles(plan) => plan.run(self.level, sources, out, finish),
                Way::Lines(lines) => lines.run(self.level, sources, out, finish),
                Way::Winograd(winograd) => winograd.run(self.level, sources, out, finish),
                Way::FilterGradient(gradient) => gradient.run(self.level, sources, out, finish),
            }
        }
    }
}
