//! Listings of chapter 12: how fast, and how we know.

use std::time::{Duration, Instant};
use teenygrad::Tensor;

pub fn noise() {
    let x = Tensor::rand([256, 256]).realize();
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let start = Instant::now();
            x.matmul(&x).realize();
            start.elapsed()
        })
        .collect();
    println!("the first: {:>8.1?}", times[0]);
    println!("the last:  {:>8.1?}", times[199]);
    times.sort();
    println!("fastest:   {:>8.1?}", times[0]);
    println!("median:    {:>8.1?}", times[100]);
    println!("slowest:   {:>8.1?}", times[199]);
    let spread = times[199].as_secs_f64() / times[0].as_secs_f64();
    value!("spread", format!("{spread:.0}"));
}

pub fn table() {
    let text = std::fs::read_to_string("BENCHMARKS.md").expect("it is in the repository");
    let table = text.split("<!-- table: begin -->").nth(1).expect("a mark");
    let table = table.split("<!-- table: end -->").next().expect("a mark");
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let wanted = |line: &&str| {
        ["step", "matmul_1", "conv_fwd_64", "chain", "softmax_4096", "adam_10m ", "graph_1000"]
            .iter()
            .any(|name| line.split('|').nth(1).is_some_and(|cell| format!("{cell} ").contains(name)))
    };
    println!("{:<22}{:>10}{:>12}   ratio", "row", "ours, ms", "PyTorch, ms");
    for line in rows.filter(wanted) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if cells.len() > 6 {
            println!("{:<22}{:>10}{:>12}   {}", cells[1], cells[2], cells[4], cells[5].replace("**", ""));
        }
    }
    let measured = table.lines().find(|line| line.starts_with("Measured")).unwrap_or_default();
    println!("\n{}", measured.split(", against").next().unwrap_or_default());
    value!("when", measured.split_whitespace().nth(2).unwrap_or_default().trim_end_matches(','));
}

pub fn intensity() {
    // operations on each byte that has to be moved
    let n = 1024.0;
    println!("a + b:           {:.2}", 1.0 / 12.0);
    println!("softmax:         {:.2}", 6.0 / 8.0);
    println!("matmul of 1,024: {:.0}", 2.0 * n * n * n / (3.0 * n * n * 4.0));
}

/// env: DEBUG=2
pub fn share() {
    let x = Tensor::rand([2048, 2048]).realize();
    for _ in 0..3 {
        x.softmax(-1).realize();
    }
    part!("shown");
    x.softmax(-1).realize();
}

pub fn bits() {
    let run = || {
        Tensor::manual_seed(7);
        let x = Tensor::randn([64, 64]);
        x.matmul(&x).softmax(-1).square().sum(()).item::<f32>().to_bits()
    };
    println!("{:08x} {:08x} {:08x}", run(), run(), run());
    assert_eq!(run(), run());
}
