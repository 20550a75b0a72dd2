//! Who reads later still reads what was there when it was asked.

use super::*;

/// Small and large: large ones are computed in parallel blocks, and a hazard there is a race.
const SIZES: [usize; 3] = [4, 1000, 200_000];

fn line(n: usize) -> Tensor {
    Tensor::arange(n)
        .cast(DType::Float64)
        .contiguous()
        .realize()
}

fn check(n: usize, got: &Tensor, expected: impl Fn(usize) -> f64, what: &str) {
    for (i, got) in got.to_vec::<f64>().into_iter().enumerate() {
        assert!(
            got == expected(i),
            "{what}, {n} elements: element {i} is {got}, not {}",
            expected(i)
        );
    }
}

#[test]
fn a_pending_reader_sees_the_old_value() {
    for n in SIZES {
        let x = line(n);
        let reader = &x * 10.0;
        let reversed = x.flip(0);
        x.assign(&(&x + 1.0));
        x.realize();
        check(n, &x, |i| i as f64 + 1.0, "the new value");
        check(n, &reader, |i| i as f64 * 10.0, "the reader");
        check(n, &reversed, |i| (n - 1 - i) as f64, "the view");
        // The other order, and both together.
        let x = line(n);
        let reader = x.flip(0) - &x;
        x.assign(&(&x * 2.0));
        Tensor::corealize(&[&x, &reader]);
        check(
            n,
            &reader,
            |i| n as f64 - 1.0 - 2.0 * i as f64,
            "the reader together with it",
        );
        check(n, &x, |i| 2.0 * i as f64, "the new value together with it");
    }
}

#[test]
fn values_that_are_updated_from_themselves_moved() {
    for n in SIZES {
        let last = n - 1;
        let x = line(n);
        x.assign(&(x.flip(0) + &x));
        check(n, &x.realize(), |_| last as f64, "x.flip + x");
        let x = line(n);
        x.assign(&x.flip(0));
        check(n, &x.realize(), |i| (last - i) as f64, "x.flip");
        let x = line(n);
        x.assign(&x.shrink(&[(1, n)]).pad(&[(0, 1)], 0));
        check(
            n,
            &x.realize(),
            |i| if i == last { 0.0 } else { i as f64 + 1.0 },
            "moved to the left",
        );
        let x = line(n);
        x.assign(&x.shrink(&[(0, last)]).pad(&[(1, 0)], 0));
        check(
            n,
            &x.realize(),
            |i| i.saturating_sub(1) as f64,
            "moved to the right",
        );
        let x = line(n);
        x.assign(&(&x - x.sum(())));
        check(
            n,
            &x.realize(),
            |i| i as f64 - (n * last / 2) as f64,
            "less its sum",
        );
        let x = line(n);
        x.assign(&x.get(0).expand([n]));
        check(n, &x.realize(), |_| 0.0, "its first element everywhere");
        let x = line(n);
        x.assign(&x.cumsum(0));
        check(
            n,
            &x.realize(),
            |i| (i * (i + 1) / 2) as f64,
            "its running sum",
        );
        let x = line(n);
        x.assign(&x.get(Tensor::arange(n).mul(-1).add(last)));
        check(
            n,
            &x.realize(),
            |i| (last - i) as f64,
            "gathered from itself",
        );
    }
    for n in [2, 33, 300] {
        let x = line(n * n).reshape([n, n]).contiguous().realize();
        x.assign(&x.t());
        check(n, &x.realize(), |at| (at % n * n + at / n) as f64, "turned");
        let x = (line(n * n).reshape([n, n]) % 7).contiguous().realize();
        let values = x.to_vec::<f64>();
        x.assign(&x.matmul(&x));
        let x = x.realize().to_vec::<f64>();
        for at in [0, n - 1, n * n / 2, n * n - 1] {
            let expected: f64 = (0..n)
                .map(|k| values[at / n * n + k] * values[k * n + at % n])
                .sum();
            assert_eq!(x[at], expected, "squared as a matrix of {n}");
        }
    }
}

#[test]
fn two_that_exchange_their_values() {
    for n in SIZES {
        let (a, b) = (line(n), (line(n) * -1.0).contiguous().realize());
        let old = a.detach();
        a.assign(&b);
        b.assign(&old);
        Tensor::corealize(&[&a, &b]);
        check(n, &a, |i| -(i as f64), "a");
        check(n, &b, |i| i as f64, "b");
        // Fibonacci: both new values from both old ones.
        let (a, b) = (line(n), line(n));
        for _ in 0..5 {
            let sum = &a + &b;
            a.assign(&b.detach());
            b.assign(&sum);
        }
        Tensor::corealize(&[&a, &b]);
        check(n, &a, |i| 8.0 * i as f64, "the fifth");
        check(n, &b, |i| 13.0 * i as f64, "the sixth");
    }
}

#[test]
fn readers_between_several_assignments() {
    for n in SIZES {
        let x = line(n);
        let mut readers = Vec::new();
        for round in 0..4 {
            readers.push(x.flip(0) + round as f64);
            x.assign(&(&x + 1.0));
            if round == 1 {
                x.realize();
            }
        }
        for (round, reader) in readers.iter().enumerate().rev() {
            check(
                n,
                reader,
                |i| (n - 1 - i + 2 * round) as f64,
                "a reader of a round",
            );
        }
        check(n, &x, |i| i as f64 + 4.0, "after four rounds");
    }
}

#[test]
fn what_shares_memory_keeps_its_own_values() {
    for n in SIZES {
        let x = line(n);
        let (same, detached, reshaped) = (x.clone(), x.detach(), x.reshape([n, 1]));
        let other = Tensor::zeros([n])
            .cast(DType::Float64)
            .contiguous()
            .realize();
        other.assign(&x); // shares, until one of them changes
        x.assign(&(&x * 3.0));
        x.realize();
        check(n, &same, |i| 3.0 * i as f64, "a clone is the same tensor");
        check(n, &detached, |i| i as f64, "detached");
        check(n, &reshaped, |i| i as f64, "reshaped");
        check(n, &other, |i| i as f64, "assigned");
        other.assign(&(&other + 1.0));
        other.realize();
        check(
            n,
            &x,
            |i| 3.0 * i as f64,
            "the first after the second has changed",
        );
        check(n, &other, |i| i as f64 + 1.0, "the second");
        check(n, &detached, |i| i as f64, "detached, still");
    }
}

#[test]
fn set_from_itself() {
    for n in SIZES {
        let x = line(n);
        let reader = &x + 0.5;
        x.set(1.., x.get(..-1)); // as NumPy has it: the right side first
        check(n, &x, |i| i.saturating_sub(1) as f64, "moved by one");
        check(n, &reader, |i| i as f64 + 0.5, "the reader");
        let x = line(n);
        x.set(step(.., -1), &x);
        check(n, &x, |i| (n - 1 - i) as f64, "backwards");
        let x = line(n);
        x.set(..n / 2, x.get(n / 2..n / 2 * 2));
        check(
            n,
            &x,
            |i| {
                if i < n / 2 {
                    (i + n / 2) as f64
                } else {
                    i as f64
                }
            },
            "the second half to the first",
        );
        x.set(0, x.get(-1));
        assert_eq!(x.get(0).item::<f64>(), (n - 1) as f64);
    }
}

/// A gradient that was asked for before a step belongs to the values before the step.
#[test]
fn a_graph_that_was_built_before_a_step_uses_the_values_before_it() {
    let w = Tensor::from([3.0]);
    let mut sgd = SGD::new([&w], 0.5);
    let early = w.square().sum(());
    w.square().sum(()).backward();
    sgd.step(); // 3 − ½·6
    assert_eq!(w.item::<f32>(), 0.0);
    assert_eq!(early.item::<f32>(), 9.0);
    sgd.zero_grad();
    early.backward();
    assert_eq!(w.grad().unwrap().item::<f32>(), 6.0);
}
