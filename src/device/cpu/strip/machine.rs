//! # device/cpu/strip/machine: the loop that takes a strip through its steps
//!
//! **In:** steps whose operands are places in memory, and how many numbers there are. **Out:** the places that steps store to. **Above:**
//! `strip`. **Below:** `lanes`.
//!
//! It is an accumulator machine, as the first computers were: each step does something to the *accumulator*, which here is 128 numbers in
//! eight vector registers.
//!
//! ```text
//! m ← 0.9·m + 0.1·g       acc ← g            p ← p − lr·m / (√v + ε)      acc ← v
//!                         acc ← acc · 0.1                                acc ← √acc
//!                         acc ← m · 0.9 + acc                            acc ← acc · 1 + ε
//!                         m ← acc                                        t ← acc         …
//! ```
//!
//! A step costs one jump and eight of the processor's instructions, so what is paid for deciding is little, and the jumps come in the same
//! order for each strip, so the processor guesses them right. What has no vector instruction of its own (2ˣ, log₂ x)
//! goes through a strip-sized array and the functions of `number`, which the compiler vectorises.
//!
//! The steps run over 128 numbers at a time, then over 64, 32, one register, and a rest of less than that through padded copies.
//!
//! A sum has a place for 128 *lanes*: number i of a row is added to lane i mod 128, so the order of adding is the same whatever the registers' length.

use crate::device::cpu::lanes::{Floats, Vector};
use crate::device::cpu::number::Number;
use crate::device::cpu::simd::{Hot, Isa};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::copy_nonoverlapping;

/// Numbers in a strip: eight of the widest registers.
pub const STRIP: usize = 128;
/// Vector registers in the accumulator.
const REGISTERS: usize = 8;

/// What a step does. `x` and `y` are its operands; where a value is a truth, it is a byte 0 or 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// acc ← x
    Load,
    /// acc ← 1 where x holds, else 0
    Truth,
    /// x ← acc
    Store,
    /// x ← acc, past the caches
    Stream,
    /// x ← x + acc: a sum's lanes
    SumUp,
    /// acc ← acc + x
    Add,
    /// acc ← acc − x
    Sub,
    /// acc ← x − acc
    SubFrom,
    /// acc ← acc · x
    Mul,
    /// acc ← acc / x
    Div,
    /// acc ← x / acc
    DivInto,
    /// acc ← max(acc, x)
    Max,
    /// acc ← max(x, acc), which of two zeros is the other one
    MaxOf,
    /// acc ← acc · x + y, rounded twice
    MulAdd,
    /// acc ← x · y + acc, rounded twice
    AddMul,
    /// acc ← −acc
    Neg,
    /// acc ← 1 / acc
    Recip,
    /// acc ← √acc
    Sqrt,
    /// acc ← 2^acc
    Exp2,
    /// acc ← log₂ acc
    Log2,
    /// y ← acc < x
    Less,
    /// y ← x < acc
    Greater,
    /// y ← acc ≠ x
    Differs,
    /// acc ← acc where x holds, else y
    SelectThen,
    /// acc ← y where x holds, else acc
    SelectElse,
}

/// Where an operand is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Place {
    /// the first number
    pub at: *mut u8,
    /// number i of a row is the (i & wrap)-th here: all bits ([`Place::MOVES`]), none for what is the same strip again and again
    /// ([`Place::STAYS`]), those below a strip for a sum's lanes ([`Place::LANES`])
    pub wrap: usize,
    /// bytes of a number: 4, or 1 of a truth
    pub size: usize,
    /// bytes from row to row
    pub row: isize,
}

impl Place {
    /// No operand.
    pub const NONE: Place = Place {
        at: std::ptr::null_mut(),
        wrap: Place::STAYS,
        size: 0,
        row: 0,
    };
    /// How numbers are counted: see `wrap`.
    pub const MOVES: usize = usize::MAX;
    /// The same strip for all.
    pub const STAYS: usize = 0;
    /// One strip's lanes in turn.
    pub const LANES: usize = STRIP - 1;

    /// Where a number of the row is.
    #[inline(always)]
    fn number<T>(&self, number: usize) -> *mut T {
        self.at.cast::<T>().wrapping_add(number & self.wrap)
    }
}

/// A step with its operands.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// what to do
    pub op: Op,
    /// the first operand, or [`Place::NONE`]
    pub x: Place,
    /// the second
    pub y: Place,
}

/// Steps over rows of `n` numbers.
pub struct Run<'a> {
    /// what to do with each strip; their places go from row to row
    pub steps: &'a mut [Step],
    /// how many rows
    pub rows: usize,
    /// how many numbers in each
    pub n: usize,
}

impl Hot for Run<'_> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Run { steps, rows, n } = self;
        for row in 0..rows {
            if row > 0 {
                // Once for a row: in each step it would take another multiplication for each operand.
                for step in steps.iter_mut() {
                    step.x.at = step.x.at.wrapping_offset(step.x.row);
                    step.y.at = step.y.at.wrapping_offset(step.y.row);
                }
            }
            // SAFETY: as `strip::Strip::run` promises, n numbers can be read or written in each row of a moving place, and a strip at each
            // other one; each loop goes on where the one before has ended, and ends before it would need more than n.
            unsafe {
                let mut done = strips::<I, REGISTERS>(steps, 0..n);
                if done < n {
                    done = strips::<I, { REGISTERS / 2 }>(steps, done..n);
                    done = strips::<I, 2>(steps, done..n);
                    done = strips::<I, 1>(steps, done..n);
                }
                if done < n {
                    rest::<I>(steps, done..n);
                }
            }
        }
    }
}

/// The last few numbers of a row, less than a register's: on copies with room for a register.
///
/// # Safety
/// These numbers can be read or written at each moving place.
#[inline(always)]
unsafe fn rest<I: Isa>(steps: &[Step], numbers: Range<usize>) {
    let n = numbers.len();
    let mut steps = steps.to_vec();
    // One copy for each address, as a place that is stored to may be read again.
    let mut copies: Vec<(*mut u8, [u64; 8])> = Vec::new();
    for place in steps.iter_mut().flat_map(|step| [&mut step.x, &mut step.y]) {
        place.at = match place.size {
            1 => place.number::<u8>(numbers.start),
            _ => place.number::<f32>(numbers.start).cast(),
        };
        if place.wrap != Place::STAYS && copies.iter().all(|(other, _)| *other != place.at) {
            let mut copy = [0; 8];
            // SAFETY: n numbers of at most 4 bytes are there (of a place that is only written: whatever was in it), and have room in
            // the copy.
            unsafe { copy_nonoverlapping(place.at, copy.as_mut_ptr().cast(), n * place.size) };
            copies.push((place.at, copy));
        }
    }
    let addresses: Vec<(*mut u8, *mut u8)> = copies
        .iter_mut()
        .map(|(at, copy)| (*at, copy.as_mut_ptr().cast()))
        .collect();
    let mut written = Vec::new();
    for step in steps.iter_mut() {
        let op = step.op;
        for (is_y, place) in [(false, &mut step.x), (true, &mut step.y)] {
            if place.wrap != Place::STAYS {
                let copy = addresses.iter().find(|(at, _)| *at == place.at);
                let (at, copy) = *copy.expect("every moving place has a copy");
                let stores = match op {
                    Op::Store | Op::Stream | Op::SumUp => !is_y,
                    Op::Less | Op::Greater | Op::Differs => is_y,
                    _ => false,
                };
                if stores {
                    written.push((at, copy, n * place.size));
                }
                place.at = copy;
            }
        }
        if op == Op::Stream {
            step.op = Op::Store; // a copy is not past anything
        }
    }
    // SAFETY: each copy has room for a register; what is copied back has been stored to.
    unsafe {
        strips::<I, 1>(&steps, 0..I::Floats::LANES);
        for (at, copy, bytes) in written {
            copy_nonoverlapping(copy, at, bytes);
        }
    }
}

/// As many strips of V registers as these numbers of a row fill; the first number that is left over.
///
/// # Safety
/// The numbers can be read or written at each place that moves, and a strip at each that doesn't.
#[inline(always)]
unsafe fn strips<I: Isa, const V: usize>(steps: &[Step], numbers: Range<usize>) -> usize {
    let lanes = I::Floats::LANES;
    let mut number = numbers.start;
    // SAFETY: the caller's, for all blocks in here; the instructions are those of I.
    unsafe {
        let mut acc = [I::Floats::splat(0.0); V];
        while number + V * lanes <= numbers.end {
            for step in steps {
                // Asked for where they are needed only: finding a place takes as long as a vector operation.
                let x = || step.x.number::<f32>(number);
                let y = || step.y.number::<f32>(number);
                let x_truths = || step.x.number::<u8>(number);
                let y_truths = || step.y.number::<u8>(number);
                let load = |from: *mut f32, i: usize| I::Floats::load(from.add(i * lanes));
                // Register i of the accumulator, from what it is and the i-th registers of the operands.
                macro_rules! each {
                    (|$a:ident, $i:ident| $value:expr) => {
                        for $i in 0..V {
                            let $a = acc[$i];
                            acc[$i] = $value;
                        }
                    };
                }
                // By way of an array, for what has no instruction: number j from what it is.
                macro_rules! by_array {
                    (|$a:ident, $j:ident| $value:expr) => {{
                        let mut array = MaybeUninit::<[f32; STRIP]>::uninit();
                        let array = array.as_mut_ptr().cast::<f32>();
                        for i in 0..V {
                            acc[i].store(array.add(i * lanes));
                        }
                        for $j in 0..V * lanes {
                            let $a = array.add($j).read();
                            array.add($j).write($value);
                        }
                        for i in 0..V {
                            acc[i] = I::Floats::load(array.add(i * lanes));
                        }
                    }};
                }
                let truths = |from: *mut u8, i: usize| from.add(i * lanes);
                match step.op {
                    Op::Load => {
                        let x = x();
                        each!(|_a, i| load(x, i));
                    }
                    Op::Truth => {
                        let x = x_truths();
                        each!(|_a, i| I::Floats::truth(truths(x, i)));
                    }
                    Op::Store => {
                        let x = x();
                        for (i, register) in acc.iter().enumerate() {
                            register.store(x.add(i * lanes));
                        }
                    }
                    Op::Stream => {
                        let x = x();
                        for (i, register) in acc.iter().enumerate() {
                            register.stream(x.add(i * lanes));
                        }
                    }
                    Op::SumUp => {
                        let x = x();
                        for (i, register) in acc.iter().enumerate() {
                            let sum = load(x, i).add(*register);
                            sum.store(x.add(i * lanes));
                        }
                    }
                    Op::Add => {
                        let x = x();
                        each!(|a, i| a.add(load(x, i)));
                    }
                    Op::Sub => {
                        let x = x();
                        each!(|a, i| a.sub(load(x, i)));
                    }
                    Op::SubFrom => {
                        let x = x();
                        each!(|a, i| load(x, i).sub(a));
                    }
                    Op::Mul => {
                        let x = x();
                        each!(|a, i| a.mul(load(x, i)));
                    }
                    Op::Div => {
                        let x = x();
                        each!(|a, i| a.div(load(x, i)));
                    }
                    Op::DivInto => {
                        let x = x();
                        each!(|a, i| load(x, i).div(a));
                    }
                    Op::Max => {
                        let x = x();
                        each!(|a, i| a.max(load(x, i)));
                    }
                    Op::MaxOf => {
                        let x = x();
                        each!(|a, i| load(x, i).max(a));
                    }
                    Op::MulAdd => {
                        let x = x();
                        let y = y();
                        each!(|a, i| a.mul(load(x, i)).add(load(y, i)));
                    }
                    Op::AddMul => {
                        let x = x();
                        let y = y();
                        each!(|a, i| load(x, i).mul(load(y, i)).add(a));
                    }
                    // −0 − a is −a also for zeros.
                    Op::Neg => each!(|a, _i| I::Floats::splat(-0.0).sub(a)),
                    Op::Recip => each!(|a, _i| I::Floats::splat(1.0).div(a)),
                    Op::Sqrt => each!(|a, _i| a.sqrt()),
                    Op::Exp2 => by_array!(|a, j| Number::exp2::<I>(a)),
                    Op::Log2 => by_array!(|a, j| Number::log2::<I>(a)),
                    Op::Less => {
                        let x = x();
                        let y = y_truths();
                        (0..V).for_each(|i| acc[i].less(load(x, i), truths(y, i)));
                    }
                    Op::Greater => {
                        let x = x();
                        let y = y_truths();
                        (0..V).for_each(|i| load(x, i).less(acc[i], truths(y, i)));
                    }
                    Op::Differs => {
                        let x = x();
                        let y = y_truths();
                        (0..V).for_each(|i| acc[i].differs(load(x, i), truths(y, i)));
                    }
                    Op::SelectThen => {
                        let x = x_truths();
                        let y = y();
                        each!(|a, i| a.or_else(truths(x, i), load(y, i)));
                    }
                    Op::SelectElse => {
                        let x = x_truths();
                        let y = y();
                        each!(|a, i| load(y, i).or_else(truths(x, i), a));
                    }
                }
            }
            number += V * lanes;
        }
    }
    number
}
