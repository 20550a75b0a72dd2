//! A strip gives the bits that its instructions give one by one.

use super::*;
use crate::device::cpu::alu::{self, Source};
use crate::device::cpu::simd::{Level as Width, at_level};
use crate::kernel::{Level, Line};
use crate::shape::view::View;
use proptest::prelude::*;

/// Registers 0 and 1 are f32 from outside, 2 is a truth from outside, 3 a constant; then come the instructions.
const GIVEN: usize = 4;

/// A program of such instructions: each choice picks an op and its operands among the registers before it.
fn program(choices: &[(usize, usize, usize, usize)]) -> Nest {
    let line = |inst, dtype, level| Line { inst, dtype, level };
    let given = |dtype| {
        line(
            Inst::Iota {
                view: Box::new(View::contiguous(&[1])),
            },
            dtype,
            Level::Outer,
        )
    };
    let constant = line(Inst::Const { param: 0 }, DType::Float32, Level::Free);
    let mut lines = vec![
        given(DType::Float32),
        given(DType::Float32),
        given(DType::Bool),
        constant,
    ];
    for &(op, a, b, c) in choices {
        let of = |dtype: DType, pick: usize| {
            let regs: Vec<Reg> = (0..lines.len())
                .filter(|&reg| lines[reg].dtype == dtype)
                .collect();
            // The latest ones more often, so that values pass through the accumulator.
            regs[regs.len() - 1 - (pick % regs.len()).min(pick % 3)]
        };
        let (a, b, c, truth) = (
            of(DType::Float32, a),
            of(DType::Float32, b),
            of(DType::Float32, c),
            of(DType::Bool, a),
        );
        let unary = [
            UnaryOps::Exp2,
            UnaryOps::Log2,
            UnaryOps::Sqrt,
            UnaryOps::Recip,
            UnaryOps::Neg,
        ];
        let binary = [
            BinaryOps::Add,
            BinaryOps::Sub,
            BinaryOps::Mul,
            BinaryOps::Div,
            BinaryOps::Max,
            BinaryOps::Cmplt,
            BinaryOps::Cmpne,
        ];
        let inst = match op % 16 {
            op @ 0..5 => Inst::Unary(unary[op], a),
            op @ 5..12 => Inst::Binary(binary[op - 5], a, b),
            12 => Inst::Unary(UnaryOps::Cast(DType::Float32), truth),
            13 => Inst::Ternary(TernaryOps::Where, truth, b, c),
            _ => Inst::Ternary(TernaryOps::Mulacc, a, b, c),
        };
        let dtype = match inst {
            Inst::Binary(BinaryOps::Cmplt | BinaryOps::Cmpne, ..) => DType::Bool,
            _ => DType::Float32,
        };
        lines.push(line(inst, dtype, Level::Outer));
    }
    // Some results go out.
    for output in 0..2 {
        let src = lines.len() - 1 - output;
        lines.push(line(
            Inst::Store {
                output,
                src: src.max(GIVEN),
            },
            DType::Float32,
            Level::Outer,
        ));
    }
    Nest {
        outer: vec![1],
        reduced: vec![],
        lines,
    }
}

/// Blocks of bytes, one a register, the same to begin with for both ways.
fn blocks(nest: &Nest, n: usize) -> Vec<Vec<u8>> {
    let odd = [
        0.0,
        -0.0,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        1e-40,
        -3.5,
        0.1,
    ];
    let number = |reg: usize, i: usize| match (reg * 7 + i * 13) % 11 {
        k if k < odd.len() => odd[k],
        k => k as f32 * 0.37 - i as f32 * 0.011,
    };
    let block = |reg: usize| match nest.lines[reg].dtype {
        DType::Bool => (0..n.max(STRIP)).map(|i| (i % 3 == 0) as u8).collect(),
        _ if reg == 3 => 0.25f32.to_ne_bytes().repeat(STRIP),
        _ => (0..n.max(STRIP))
            .flat_map(|i| number(reg, i).to_ne_bytes())
            .collect(),
    };
    (0..nest.lines.len()).map(block).collect()
}

fn one_by_one(nest: &Nest, n: usize) -> Vec<Vec<u8>> {
    let mut blocks = blocks(nest, n);
    for reg in GIVEN..nest.lines.len() {
        let at: Vec<*mut u8> = blocks.iter_mut().map(|block| block.as_mut_ptr()).collect();
        let source = |reg: Reg| match reg {
            3 => Source::repeated(at[reg].cast_const()),
            _ => Source::block(at[reg].cast_const()),
        };
        let dtype = |reg: Reg| nest.lines[reg].dtype;
        // SAFETY: each block has room for n values, and a strip's for the constant; none overlap.
        unsafe {
            match nest.lines[reg].inst {
                Inst::Unary(op, a) if a == 3 => {
                    let constant = vec![0.25f32; n];
                    alu::unary(op, dtype(a), constant.as_ptr().cast(), at[reg], n)
                }
                Inst::Unary(op, a) => alu::unary(op, dtype(a), at[a], at[reg], n),
                Inst::Binary(op, a, b) => {
                    alu::binary(op, dtype(a), source(a), source(b), at[reg], n)
                }
                Inst::Ternary(op, a, b, c) => {
                    alu::ternary(op, dtype(b), source(a), source(b), source(c), at[reg], n)
                }
                _ => {}
            }
        }
    }
    blocks
}

fn by_strips(nest: &Nest, n: usize) -> (Vec<Vec<u8>>, Vec<Reg>) {
    let regs: Vec<Reg> = (GIVEN..nest.lines.len() - 2).collect();
    let parts = parts(nest, &regs);
    let [Part::Strip(strip)] = &parts[..] else {
        panic!("all of them fit into one strip: {parts:?}")
    };
    let mut blocks = blocks(nest, n);
    // What lies behind the n-th number of a result must stay as it is.
    let behind = |block: &mut Vec<u8>| block.extend([77; 64]);
    strip.results.iter().for_each(|&reg| {
        blocks[reg].truncate(n * nest.lines[reg].dtype.itemsize());
        behind(&mut blocks[reg]);
    });
    let at: Vec<*mut u8> = blocks.iter_mut().map(|block| block.as_mut_ptr()).collect();
    let place = |Operand {
                     reg, size, kept, ..
                 }| {
        let wrap = match reg == 3 || kept {
            true => Place::STAYS,
            false => Place::MOVES,
        };
        let at = at[reg];
        let row = 0;
        (
            Place {
                at,
                wrap,
                size,
                row,
            },
            false,
        )
    };
    // SAFETY: as above.
    unsafe { strip.run((1, n), place, &mut Vec::new()) };
    for &reg in &strip.results {
        assert!(
            blocks[reg].ends_with(&[77; 64]),
            "register {reg} at n = {n}"
        );
    }
    (blocks, strip.results.clone())
}

proptest! {
    #[test]
    fn any_program_gives_the_bits_of_its_instructions(
        choices in prop::collection::vec((0usize..16, 0usize..9, 0usize..9, 0usize..9), 2..20),
        n in prop::sample::select(vec![1, 3, 4, 15, 16, 17, 31, 64, 127, 128, 129, 300, 1000]),
    ) {
        let nest = program(&choices);
        for width in Width::available() {
            at_level(width, || {
                let expected = one_by_one(&nest, n);
                let (found, results) = by_strips(&nest, n);
                for reg in results {
                    let size = nest.lines[reg].dtype.itemsize();
                    for i in 0..n {
                        let (e, f) = (&expected[reg][i * size..][..size], &found[reg][i * size..][..size]);
                        let float = |bytes: &[u8]| f32::from_ne_bytes(bytes.try_into().unwrap());
                        let nan = size == 4 && float(e).is_nan() && float(f).is_nan();
                        assert!(e == f || nan, "{width:?}, n = {n}, register {reg} at {i}: {e:?}, {f:?}\n{nest:?}");
                    }
                }
            });
        }
    }
}

#[test]
fn what_reads_a_strips_value_comes_after_it_and_other_things_before() {
    let mut nest = program(&[(5, 0, 1, 0), (7, 0, 0, 0)]);
    let sine = |a| Line {
        inst: Inst::Unary(UnaryOps::Sin, a),
        dtype: DType::Float32,
        level: Level::Outer,
    };
    // %4, %5 and two sines, one of a given value and one of %5; then a last sum.
    nest.lines.truncate(6);
    nest.lines.extend([sine(0), sine(5)]);
    let sum = Inst::Binary(BinaryOps::Add, 7, 6);
    nest.lines.push(Line {
        inst: sum,
        ..nest.lines[4].clone()
    });
    let parts = parts(&nest, &[4, 5, 6, 7, 8]);
    let order: Vec<&[Reg]> = parts.iter().map(Part::regs).collect();
    assert_eq!(order, [&[6][..], &[4, 5], &[7], &[8]]);
}

#[test]
fn results_go_past_the_caches_wherever_they_begin() {
    // %4 = %1 + %0, %5 = √%4, %6 = −%5, which is the result.
    let nest = program(&[(5, 1, 2, 0), (2, 0, 0, 0), (4, 0, 0, 0)]);
    let [Part::Strip(strip)] = &parts(&nest, &[4, 5, 6])[..] else {
        panic!("all of them fit into one strip")
    };
    assert!(!strip.reads_back(6));
    // Whole strips, parts of a strip, single registers, and a rest; at a cache line's beginning and not.
    for n in [1, 5, 16, 31, 64, 127, 128, 129, 128 + 32 + 16 + 3, 1000] {
        let expected = one_by_one(&nest, n);
        for start in [0, 1, 4, 8, 15, 16] {
            for width in Width::available() {
                let mut blocks = blocks(&nest, n);
                let mut room = vec![[77.0f32; 16]; n / 16 + 4];
                let first = room.as_mut_ptr().cast::<f32>();
                let lines = first.align_offset(64); // so many numbers until a cache line begins
                let to = first.wrapping_add(lines + start);
                let at: Vec<*mut u8> = blocks.iter_mut().map(|block| block.as_mut_ptr()).collect();
                let mut steps = Vec::new();
                let place = |Operand {
                                 reg, size, kept, ..
                             }| {
                    let at = if reg == 6 { to.cast() } else { at[reg] };
                    let wrap = if kept { Place::STAYS } else { Place::MOVES };
                    (
                        Place {
                            at,
                            wrap,
                            size,
                            row: 0,
                        },
                        reg == 6,
                    )
                };
                // SAFETY: each block has room for n values, and so has `room` behind less than 32 others; none overlap.
                at_level(width, || unsafe { strip.run((1, n), place, &mut steps) });
                if n % 16 == 0 {
                    // No rest, which would go by way of copies at last.
                    let streams = steps.iter().any(|step| step.op == Op::Stream);
                    assert_eq!(streams, start % 16 == 0, "{n} numbers from {start}");
                }
                let (before, result) = room.as_flattened().split_at(lines + start);
                let (result, behind) = result.split_at(n);
                for (i, (found, bytes)) in result.iter().zip(expected[6].chunks(4)).enumerate() {
                    let expected = f32::from_ne_bytes(bytes.try_into().unwrap());
                    let same = found.to_bits() == expected.to_bits();
                    assert!(
                        same || (found.is_nan() && expected.is_nan()),
                        "{width:?}: number {i} of {n} from {start}: {found} instead of {expected}"
                    );
                }
                assert!(before.iter().chain(behind).all(|&x| x == 77.0));
            }
        }
    }
}

#[test]
fn a_sums_lanes_are_the_same_with_all_registers() {
    // %4 = %0 · %1, and its sum.
    let mut nest = program(&[(7, 1, 0, 0)]);
    let Inst::Binary(BinaryOps::Mul, a, b) = nest.lines[4].inst else {
        panic!("a product of two")
    };
    nest.lines.truncate(5);
    nest.lines.push(Line {
        inst: Inst::Reduce(ReduceOps::Sum, 4),
        ..nest.lines[4].clone()
    });
    let [Part::Strip(strip)] = &parts(&nest, &[4, 5])[..] else {
        panic!("both fit into one strip")
    };
    assert_eq!((&strip.sums[..], strip.results.len()), (&[5][..], 0));
    let number = |reg: Reg, i: usize| ((i * (7 + reg)) % 61) as f32 * 0.37 - 9.0;
    const ROWS: usize = 3;
    for n in [5, 16, 64, 100, 128, 200, 1000] {
        let row_of = |reg: Reg| (0..ROWS * n).map(|i| number(reg, i)).collect::<Vec<f32>>();
        let mut given: Vec<Vec<f32>> = (0..GIVEN).map(row_of).collect();
        let mut expected = vec![0.5f32; STRIP];
        for i in 0..ROWS * n {
            expected[i % n % STRIP] += number(a, i) * number(b, i);
        }
        for width in Width::available() {
            let mut lanes = vec![0.5f32; STRIP];
            let at: Vec<*mut u8> = given.iter_mut().map(|g| g.as_mut_ptr().cast()).collect();
            let sum: *mut u8 = lanes.as_mut_ptr().cast();
            let place = |Operand { reg, size, .. }| {
                let (at, wrap, row) = match reg {
                    5 => (sum, Place::LANES, 0),
                    _ => (at[reg], Place::MOVES, (n * size) as isize),
                };
                let place = Place {
                    at,
                    wrap,
                    size,
                    row,
                };
                (place, false)
            };
            // SAFETY: so many numbers of the operands are there in each row, and a strip of lanes; none overlap.
            at_level(width, || unsafe {
                strip.run((ROWS, n), place, &mut Vec::new())
            });
            assert_eq!(lanes, expected, "{width:?}, rows of {n}");
        }
    }
}
