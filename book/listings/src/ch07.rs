//! Listings of chapter 7: what a CPU likes.

use std::hint::black_box;
use std::time::Instant;
use teenygrad::Tensor;

/// The best of some runs, in seconds.
fn best(runs: usize, mut run: impl FnMut()) -> f64 {
    let once = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..runs).map(once).fold(f64::INFINITY, f64::min)
}

/// n × n matrices of small numbers.
fn matrices(n: usize) -> (Vec<f32>, Vec<f32>) {
    let numbers = |seed: usize| (0..n * n).map(|i| ((i * seed) % 7) as f32).collect();
    (numbers(3), numbers(5))
}

pub fn distance() {
    // The same additions, on as many numbers: in order, and jumping around.
    let n = 1 << 24;
    let numbers = vec![1.0_f32; n];
    let sum = |step: usize| {
        let (mut at, mut sums) = (0, [0.0; 16]);
        for _ in 0..n / 16 {
            for sum in &mut sums {
                *sum += numbers[at];
                at = (at + step) & (n - 1);
            }
        }
        sums
    };
    for (name, step) in [("side by side", 1), ("17 apart", 17), ("4,099 apart", 4099)] {
        let seconds = best(3, || {
            black_box(sum(black_box(step)));
        });
        println!("{name:<13} {:>5.2} ns a number", seconds / n as f64 * 1e9);
    }
}

pub fn dependent() {
    let numbers = vec![1.0_f32; 4096];
    let one = best(200, || {
        let mut sum = 0.0;
        for x in black_box(&numbers) {
            sum += x;
        }
        black_box(sum);
    });
    let many = best(200, || {
        let mut sums = [0.0; 64];
        for chunk in black_box(&numbers).chunks_exact(64) {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += x;
            }
        }
        black_box(sums);
    });
    println!("one sum:  {:.2} ns a number", one / 4096.0 * 1e9);
    println!("64 sums:  {:.2} ns a number", many / 4096.0 * 1e9);
    value!("factor", format!("{:.0}", one / many));
}

pub fn naive() {
    let n = 384;
    let (a, b) = matrices(n);
    let mut c = vec![0.0; n * n];
    part!("ijk");
    let seconds = best(3, || {
        for i in 0..n {
            for j in 0..n {
                let mut sum = 0.0;
                for k in 0..n {
                    sum += a[i * n + k] * b[k * n + j];
                }
                c[i * n + j] = sum;
            }
        }
    });
    let flops = 2.0 * (n * n * n) as f64;
    println!("{:.1} GFLOP/s", flops / seconds / 1e9);
    value!("ijk", format!("{:.1}", flops / seconds / 1e9));
    black_box(&c);
    part!("ikj");
    let seconds = best(3, || {
        c.fill(0.0);
        for i in 0..n {
            for k in 0..n {
                let (factor, row) = (a[i * n + k], &b[k * n..][..n]);
                for (sum, x) in c[i * n..][..n].iter_mut().zip(row) {
                    *sum += factor * x;
                }
            }
        }
    });
    println!("{:.1} GFLOP/s", flops / seconds / 1e9);
    value!("ikj", format!("{:.1}", flops / seconds / 1e9));
    black_box(&c);
}

pub fn library() {
    let n = 384;
    let (a, b) = matrices(n);
    let a = Tensor::from(a).reshape([n, n]).realize();
    let b = Tensor::from(b).reshape([n, n]).realize();
    let seconds = best(20, || {
        a.matmul(&b).realize();
    });
    let flops = 2.0 * (n * n * n) as f64;
    println!("{:.1} GFLOP/s", flops / seconds / 1e9);
    value!("gflops", format!("{:.0}", flops / seconds / 1e9));
}

pub fn tile() {
    // Loads for each multiply-add, for a tile of w × n sums (a vector has 16 numbers)
    for (w, n) in [(16, 1), (16, 4), (32, 6), (32, 12)] {
        let (sums, loads) = (w / 16 * n, w / 16 + n);
        println!("{w} × {n:<2}: {sums:>2} multiply-adds, {loads:>2} loads, {:.2} each", loads as f64 / sums as f64);
    }
}

/// env: DEBUG=2
pub fn roof() {
    let a = Tensor::rand([768, 768]).realize();
    let b = Tensor::rand([768, 768]).realize();
    let x = Tensor::rand([4_000_000]).realize();
    a.matmul(&b).realize();
    (&x + 1.0).realize();
    part!("matmul");
    a.matmul(&b).realize();
    part!("add");
    (&x + 1.0).realize();
}

/// env: DEBUG=4
pub fn blocks() {
    let x = Tensor::rand([1_000_000]).realize();
    part!("run");
    ((&x * 2.0 + 1.0).exp() - &x).sqrt().realize();
}
