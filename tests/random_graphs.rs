//! The CPU device against the reference device, on random graphs of random shapes, views and dtypes.
//!
//! A graph is a list of random numbers, read as instructions of a small machine: each picks an op and operands among the arrays made so
//! far. The same list builds the same graph on both devices. The reference runs every node as a kernel of its own, one element at a
//! time; the CPU fuses, blocks and vectorises. Both must agree: exactly where arithmetic is exact, else up to rounding.
//!
//! To know where it is exact, every array carries the largest absolute value that it can hold: sums and products of small integers
//! are exact in every dtype, bfloat16 included, up to 256. Ops with jumps (comparisons, casts to integers) are only applied to exact
//! arrays, since a rounding error in the last place could flip them.

use proptest::prelude::*;
use teenygrad::lazy::LazyBuffer;
use teenygrad::mlops::movement::{Slide, fold};
use teenygrad::ops::{BinaryOps, ReduceOps, TernaryOps, UnaryOps};
use teenygrad::shape::view::{Remap, numel};
use teenygrad::{DType, Device, Scalar, realize};

/// An array with what is known about its values.
#[derive(Clone)]
struct Known {
    data: LazyBuffer,
    /// no absolute value is larger
    bound: f64,
    /// whether no rounding has happened
    exact: bool,
}

struct Machine<'a> {
    numbers: std::slice::Iter<'a, u32>,
    arrays: Vec<Known>,
    device: Device,
}

/// No array gets larger than this.
const MOST: usize = 6000;

impl Machine<'_> {
    fn number(&mut self, below: usize) -> usize {
        *self.numbers.next().unwrap_or(&0) as usize % below.max(1)
    }

    fn pick(&mut self) -> Known {
        // Later arrays are more interesting: graphs grow deep rather than wide.
        let back = self.number(self.arrays.len().min(4));
        self.arrays[self.arrays.len() - 1 - back].clone()
    }

    fn leaf(&mut self) {
        let dtype = DType::ALL[self.number(DType::ALL.len())];
        let rank = self.number(5);
        let zero_sized = self.number(40) == 0;
        let mut shape: Vec<usize> = (0..rank)
            .map(|_| [1, 2, 3, 4, 5, 7, 16, 33][self.number(8)])
            .collect();
        while numel(&shape) > 2000 {
            shape.pop();
        }
        if zero_sized && !shape.is_empty() {
            shape[0] = 0;
        }
        let seed = self.number(1000);
        let small = |i: usize| ((i * 2654435761 + seed * 40503) >> 7) % 9;
        let data = match self.number(6) {
            0 => LazyBuffer::full(&shape, Scalar::Int(seed as i128 % 5), dtype, self.device),
            1 => LazyBuffer::iota(&shape, self.device)
                .e(
                    BinaryOps::Mod,
                    &[&LazyBuffer::full(
                        &shape,
                        5.into(),
                        DType::Int64,
                        self.device,
                    )],
                )
                .cast(dtype, false),
            _ => {
                let values: Vec<i64> = (0..numel(&shape))
                    .map(|i| small(i) as i64 - if dtype.is_unsigned() { 0 } else { 4 })
                    .collect();
                LazyBuffer::from_cpu(&values, &shape, self.device)
                    .cast(dtype, false)
                    .contiguous()
            }
        };
        self.arrays.push(Known {
            data,
            bound: 8.0,
            exact: true,
        });
    }

    fn keep(&mut self, data: LazyBuffer, bound: f64, exact: bool) {
        // Beyond 256 an integer may be lost in bfloat16, beyond 127 it wraps in int8 (which is exact, but unbounded).
        let limit = match data.dtype() {
            DType::BFloat16 => 256.0,
            DType::Float16 => 2048.0,
            DType::Float32 => 1e6,
            _ => f64::INFINITY,
        };
        if data.dtype().compute() != data.dtype() && (!exact || bound > limit) {
            return; // halves are only followed as long as they are exact
        }
        self.arrays.push(Known {
            exact: exact && (bound <= limit || data.dtype().is_int()),
            data,
            bound,
        });
    }

    fn step(&mut self) {
        let x = self.pick();
        let (dtype, shape, rank) = (
            x.data.dtype(),
            x.data.shape().to_vec(),
            x.data.shape().len(),
        );
        match self.number(22) {
            0 => self.leaf(),
            1 => {
                if dtype != DType::Bool {
                    let bound = if dtype.is_unsigned() {
                        f64::INFINITY
                    } else {
                        x.bound
                    };
                    self.keep(x.data.e(UnaryOps::Neg, &[]), bound, x.exact);
                }
            }
            2 => {
                if matches!(dtype, DType::Float32 | DType::Float64) && x.bound < 60.0 {
                    let op = [
                        UnaryOps::Exp2,
                        UnaryOps::Sin,
                        UnaryOps::Sqrt,
                        UnaryOps::Log2,
                        UnaryOps::Recip,
                    ][self.number(5)];
                    // Of |x| + 1, so that values stay tame and errors small.
                    let tame = x.data.e(BinaryOps::Max, &[&x.data.e(UnaryOps::Neg, &[])]);
                    let tame = tame.e(BinaryOps::Add, &[&tame.const_like(1)]);
                    if op != UnaryOps::Exp2 || x.bound < 9.0 {
                        let bound = if op == UnaryOps::Exp2 {
                            (x.bound + 1.0).exp2()
                        } else {
                            x.bound + 1.0
                        };
                        self.keep(tame.e(op, &[]), bound, false);
                    }
                }
            }
            3 => {
                let to = DType::ALL[self.number(DType::ALL.len())];
                let both_wide = |d: DType| matches!(d, DType::Float32 | DType::Float64);
                // From a float to an unsigned type a negative value saturates, as it does everywhere.
                if x.exact && x.bound < 200.0 {
                    self.keep(x.data.cast(to, false), x.bound, true);
                } else if both_wide(dtype) && both_wide(to) {
                    self.keep(x.data.cast(to, false), x.bound, false);
                }
            }
            4..=7 => self.binary(x),
            8 => {
                let y = self.pick();
                if x.exact {
                    let condition = x.data.e(BinaryOps::Cmplt, &[&x.data.const_like(1)]);
                    if let Some(y) = fit(&y, &shape) {
                        let other = y.data.const_like(3);
                        self.keep(
                            condition.e(TernaryOps::Where, &[&y.data, &other]),
                            y.bound.max(3.0),
                            y.exact,
                        );
                    }
                }
            }
            9 | 10 => self.reduce(x),
            11 => {
                let order = permutation(rank, self.number(720));
                self.keep(x.data.permute(&order), x.bound, x.exact);
            }
            12 => {
                let padding: Vec<(usize, usize)> = (0..rank)
                    .map(|_| (self.number(3), self.number(3)))
                    .collect();
                let padded = x.data.pad(&padding);
                if padded.numel() <= MOST {
                    self.keep(padded, x.bound, x.exact);
                }
            }
            13 => {
                let ranges: Vec<(usize, usize)> = shape
                    .iter()
                    .map(|&n| {
                        let start = self.number(n.max(1));
                        (
                            start.min(n),
                            (start + 1 + self.number(n)).min(n).max(start.min(n)),
                        )
                    })
                    .collect();
                self.keep(x.data.shrink(&ranges), x.bound, x.exact);
            }
            14 => {
                let steps: Vec<isize> = (0..rank).map(|_| [1, -1, 2, -2][self.number(4)]).collect();
                self.keep(x.data.stride(&steps), x.bound, x.exact);
            }
            15 => self.reshape(x),
            16 => {
                let mut bigger = shape.clone();
                for size in bigger.iter_mut().filter(|size| **size == 1) {
                    *size = 1 + self.number(4);
                }
                if numel(&bigger) <= MOST {
                    self.keep(x.data.expand(&bigger), x.bound, x.exact);
                }
            }
            17 => self.window(x),
            18 | 19 => self.contract(x),
            20 => {
                if rank > 0 && x.bound * shape.iter().max().map_or(0.0, |&n| n as f64) < 1e5 {
                    let axis = self.number(rank);
                    let op = [ReduceOps::Sum, ReduceOps::Max][self.number(2)];
                    let longest = shape[axis] as f64;
                    self.keep(
                        x.data.scan(op, axis),
                        if op == ReduceOps::Sum {
                            x.bound * longest
                        } else {
                            x.bound
                        },
                        x.exact,
                    );
                }
            }
            _ => self.index(x),
        }
    }

    fn binary(&mut self, x: Known) {
        let y = self.pick();
        let dtype = x.data.dtype();
        let Some(y) = fit(&y, x.data.shape()) else {
            return;
        };
        let y = if y.data.dtype() == dtype {
            y
        } else if y.exact && y.bound < 200.0 {
            Known {
                data: y.data.cast(dtype, false),
                ..y
            }
        } else {
            return;
        };
        let exact = x.exact && y.exact;
        let floats = dtype.is_float();
        match self.number(10) {
            0 => self.keep(
                x.data.e(BinaryOps::Add, &[&y.data]),
                x.bound + y.bound,
                exact,
            ),
            1 => {
                let bound = if dtype.is_unsigned() {
                    f64::INFINITY
                } else {
                    x.bound + y.bound
                }; // it wraps below 0
                self.keep(x.data.e(BinaryOps::Sub, &[&y.data]), bound, exact);
            }
            2 | 3 if x.bound * y.bound < 1e6 || !floats => self.keep(
                x.data.e(BinaryOps::Mul, &[&y.data]),
                x.bound * y.bound,
                exact,
            ),
            4 => self.keep(
                x.data.e(BinaryOps::Max, &[&y.data]),
                x.bound.max(y.bound),
                exact,
            ),
            5 if exact => self.keep(x.data.e(BinaryOps::Cmplt, &[&y.data]), 1.0, true),
            6 if exact => self.keep(x.data.e(BinaryOps::Cmpne, &[&y.data]), 1.0, true),
            7 if exact => self.keep(x.data.e(BinaryOps::Mod, &[&y.data]), x.bound, exact),
            8 if exact && dtype.is_int() => {
                self.keep(x.data.e(BinaryOps::Div, &[&y.data]), x.bound, exact)
            }
            9 if exact && !floats => {
                use BinaryOps::*;
                let op = [And, Or, Xor, Shl, Shr][self.number(5)];
                // A shift may reach the highest bit.
                self.keep(x.data.e(op, &[&y.data]), f64::INFINITY, true);
            }
            _ => {}
        }
    }

    fn reduce(&mut self, x: Known) {
        let shape = x.data.shape().to_vec();
        let mask = self.number(16);
        let axes: Vec<usize> = (0..shape.len())
            .filter(|axis| mask >> axis & 1 == 1)
            .collect();
        let length: usize = axes.iter().map(|&axis| shape[axis]).product();
        let op = [ReduceOps::Sum, ReduceOps::Sum, ReduceOps::Max][self.number(3)];
        let bound = if op == ReduceOps::Sum {
            x.bound * length as f64
        } else if length == 0 {
            f64::INFINITY
        } else {
            x.bound
        };
        if bound < 1e6 {
            self.keep(x.data.r(op, &axes), bound, x.exact);
        }
    }

    fn reshape(&mut self, x: Known) {
        let n = x.data.numel();
        let shape = x.data.shape();
        let candidates: Vec<Vec<usize>> = vec![
            vec![n],
            vec![1, n],
            shape.iter().copied().filter(|&s| s != 1).collect(),
            if shape.len() >= 2 {
                [&[shape[0] * shape[1]], &shape[2..]].concat()
            } else {
                vec![n, 1]
            },
            if n.is_multiple_of(2) {
                vec![2, n / 2]
            } else {
                vec![n]
            },
            if n.is_multiple_of(6) {
                vec![3, n / 6, 2]
            } else {
                vec![n]
            },
        ];
        let shape = candidates[self.number(candidates.len())].clone();
        self.keep(x.data.reshape(&shape), x.bound, x.exact);
    }

    /// Windows over the last axis, or their inverse.
    fn window(&mut self, x: Known) {
        let shape = x.data.shape().to_vec();
        let slide = Slide {
            kernel: 1 + self.number(3),
            stride: 1 + self.number(3),
            dilation: 1 + self.number(2),
        };
        let Some(&size) = shape.last() else { return };
        if size < slide.dilation * (slide.kernel - 1) + 1 || x.data.numel() * slide.kernel > MOST {
            return;
        }
        let windows = windows(&x.data, slide);
        if self.number(2) == 0 {
            return self.keep(windows, x.bound, x.exact);
        }
        let bound = x.bound * slide.kernel as f64;
        if bound < 1e6 && x.data.dtype() != DType::Bool {
            self.keep(fold(&windows, &[slide], &shape), bound, x.exact);
        }
    }

    /// A product summed over an axis, of x and something like its transpose: what the contraction room is for.
    fn contract(&mut self, x: Known) {
        let shape = x.data.shape().to_vec();
        let y = self.pick();
        let (Some(&k), true) = (shape.last(), x.data.dtype().is_float()) else {
            return;
        };
        let n = y.data.numel() / k.max(1);
        if k == 0
            || n == 0
            || !y.data.numel().is_multiple_of(k)
            || x.bound * y.bound * k as f64 > 1e5
        {
            return;
        }
        let m = x.data.numel() / k;
        if m * n > MOST || !(y.exact && y.bound < 200.0 || y.data.dtype() == x.data.dtype()) {
            return;
        }
        let left = x.data.reshape(&[m, 1, k]).expand(&[m, n, k]);
        let right = if self.number(2) == 0 {
            y.data.reshape(&[1, n, k])
        } else {
            y.data.reshape(&[k, n]).permute(&[1, 0]).reshape(&[1, n, k])
        };
        let right = right.cast(x.data.dtype(), false).expand(&[m, n, k]);
        let product = left.e(BinaryOps::Mul, &[&right]).r(ReduceOps::Sum, &[2]);
        let sum = if k == 1 {
            left.e(BinaryOps::Mul, &[&right])
        } else {
            product
        };
        self.keep(
            sum.reshape(&[m, n]),
            x.bound * y.bound * k as f64,
            x.exact && y.exact,
        );
    }

    fn index(&mut self, x: Known) {
        let shape = x.data.shape().to_vec();
        if shape.is_empty() || numel(&shape) == 0 {
            return;
        }
        let axis = self.number(shape.len());
        let mut picked = shape.clone();
        picked[axis] = 1 + self.number(5);
        if numel(&picked) > MOST {
            return;
        }
        let last = (shape[axis] + 1) as i64; // one too many: outside is 0
        let index: Vec<i64> = (0..numel(&picked))
            .map(|i| (i as i64 * 7 + 3) % last)
            .collect();
        let index = LazyBuffer::from_cpu(&index, &picked, self.device);
        if self.number(2) == 0 {
            self.keep(x.data.gather(&index, axis), x.bound, x.exact);
        } else if x.bound * 200.0 < 1e5 && x.data.dtype() != DType::Bool {
            let values = x.data.gather(&index, axis);
            self.keep(
                values.scatter(&index, axis, 3),
                x.bound * picked[axis] as f64,
                x.exact,
            );
        }
    }
}

fn windows(x: &LazyBuffer, slide: Slide) -> LazyBuffer {
    let shape = x.shape();
    let last = shape.len() - 1;
    let mut new = shape.to_vec();
    new[last] = slide.count(shape[last]);
    new.push(slide.kernel);
    let mut remap = Remap::still(shape.len(), new);
    (0..last).for_each(|axis| remap.follow(axis, axis, 1));
    remap.follow(last, last, slide.stride as isize);
    remap.follow(last, last + 1, slide.dilation as isize);
    x.remap(remap)
}

fn permutation(rank: usize, mut code: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..rank).collect();
    (0..rank)
        .map(|_| {
            let next = code % left.len();
            code /= left.len();
            left.remove(next)
        })
        .collect()
}

/// The array under another shape, by cutting, padding or repeating what there is.
fn fit(y: &Known, shape: &[usize]) -> Option<Known> {
    if y.data.shape() == shape {
        return Some(y.clone());
    }
    if y.data.shape().len() == shape.len()
        && y.data
            .shape()
            .iter()
            .zip(shape)
            .all(|(&a, &b)| a == b || a == 1)
    {
        return Some(Known {
            data: y.data.expand(shape),
            ..y.clone()
        });
    }
    if y.data.numel() == numel(shape) {
        return Some(Known {
            data: y.data.reshape(shape),
            ..y.clone()
        });
    }
    let (n, want) = (y.data.numel(), numel(shape));
    if n == 0 {
        return None;
    }
    let flat = y.data.reshape(&[n]);
    let cut = if n > want {
        flat.shrink(&[(0, want)])
    } else {
        flat.pad(&[(0, want - n)])
    };
    Some(Known {
        data: cut.reshape(shape),
        ..y.clone()
    })
}

/// Builds the graph of a list of numbers, and the last few arrays of it.
fn build(numbers: &[u32], device: Device) -> Vec<Known> {
    let mut machine = Machine {
        numbers: numbers.iter(),
        arrays: Vec::new(),
        device,
    };
    machine.leaf();
    machine.leaf();
    while machine.numbers.len() > 0 {
        machine.step();
    }
    let from = machine.arrays.len().saturating_sub(3);
    machine.arrays.split_off(from)
}

/// All values of some arrays, computed together.
fn values(known: &[Known]) -> Vec<Vec<f64>> {
    let targets: Vec<LazyBuffer> = known.iter().map(|k| k.data.contiguous()).collect();
    realize::run(&targets);
    targets
        .iter()
        .map(|t| {
            t.realized().map_or_else(
                || vec![t.as_const().unwrap().as_f64(); t.numel()],
                |b| b.to_vec::<f64>(),
            )
        })
        .collect()
}

fn compare(numbers: &[u32]) -> Result<(), TestCaseError> {
    let (fast, slow) = (
        build(numbers, Device::CPU),
        build(numbers, Device::REFERENCE),
    );
    let plan =
        teenygrad::schedule::plan(&fast.iter().map(|k| k.data.contiguous()).collect::<Vec<_>>());
    let (fast_values, slow_values) = (values(&fast), values(&slow));
    for ((known, fast), slow) in fast.iter().zip(&fast_values).zip(&slow_values) {
        for (i, (&a, &b)) in fast.iter().zip(slow).enumerate() {
            let tolerance = if known.exact {
                0.0
            } else {
                2e-5 * known.bound.clamp(1.0, 1e4)
            };
            let agree = (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= tolerance;
            if !agree {
                let kernels: Vec<String> =
                    plan.kernels().map(|kernel| kernel.to_string()).collect();
                return Err(TestCaseError::fail(format!(
                    "{:?} element {i}: cpu {a}, reference {b} (exact: {})\n{}",
                    known.data,
                    known.exact,
                    kernels.join("\n")
                )));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_shrink_iters: 4000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn cpu_agrees_with_the_reference(numbers in prop::collection::vec(any::<u32>(), 10..160)) {
        compare(&numbers)?;
    }
}
