//! Listings of chapter 10: optimizers, each from its paper's formula.

use std::fmt::Write;
use teenygrad::Tensor;
use teenygrad::nn::optim::{Adam, AdamW, LAMB, Optimizer, SGD};
use teenygrad::viz::svg;

/// A long valley: along the second axis it is 40 times as steep as along the first.
fn valley(w: &Tensor) -> Tensor {
    (w.square() * Tensor::from([0.5, 20.0])).sum(())
}

pub fn by_hand() {
    let mut w = [4.0, 1.0];
    let lr = 0.045;
    for step in 0..5 {
        let loss = 0.5 * w[0] * w[0] + 20.0 * w[1] * w[1];
        println!("step {step}: w = [{:.3}, {:.3}], loss {loss:.3}", w[0], w[1]);
        let g = [1.0 * w[0], 40.0 * w[1]];
        w = [w[0] - lr * g[0], w[1] - lr * g[1]];
    }
}

pub fn sgd() {
    let w = Tensor::from([4.0, 1.0]);
    let mut optimizer = SGD::new([&w], 0.045);
    for step in 0..5 {
        optimizer.zero_grad();
        let loss = valley(&w);
        println!("step {step}: w = {:.3?}, loss {:.3}", w.to_vec::<f32>(), loss.item::<f32>());
        loss.backward();
        optimizer.step();
    }
}

pub fn races() {
    type Build<'a> = &'a dyn Fn(&Tensor) -> Box<dyn Optimizer>;
    let race = |steps: usize, build: Build| {
        let w = Tensor::from([4.0, 1.0]);
        let mut optimizer = build(&w);
        let mut path = vec![(4.0, 1.0)];
        for _ in 0..steps {
            optimizer.zero_grad();
            valley(&w).backward();
            optimizer.step();
            let at = w.to_vec::<f32>();
            path.push((f64::from(at[0]), f64::from(at[1])));
        }
        (path, valley(&w).item::<f32>())
    };
    let runners: [(&str, Build); 4] = [
        ("SGD", &|w| Box::new(SGD::new([w], 0.045))),
        ("momentum", &|w| Box::new(SGD::new([w], 0.02).momentum(0.8))),
        ("Nesterov", &|w| Box::new(SGD::new([w], 0.02).momentum(0.8).nesterov(true))),
        ("Adam", &|w| Box::new(Adam::new([w], 0.3))),
    ];
    let mut paths = Vec::new();
    for (name, build) in runners {
        let (path, loss) = race(40, build);
        println!("{name:<9} after 40 steps: loss {loss:.6}");
        paths.push((name, path));
    }
    pictures(&paths);
}

/// Hands over a picture of each way.
fn pictures(paths: &[(&str, Vec<(f64, f64)>)]) {
    picture!("sgd", trail(paths[0].0, &paths[0].1[..13]));
    picture!("momentum", trail(paths[1].0, &paths[1].1));
    picture!("adam", trail(paths[3].0, &paths[3].1));
}

pub fn momentum() {
    // The gradient is 1 in every step: how long do the steps become?
    let w = Tensor::from([0.0]);
    let mut optimizer = SGD::new([&w], 1.0).momentum(0.9);
    let mut before = 0.0;
    for step in 1..=30 {
        optimizer.zero_grad();
        w.sum(()).backward();
        optimizer.step();
        let now = w.item::<f32>();
        if [1, 2, 3, 10, 30].contains(&step) {
            println!("step {step:>2} has length {:.3}", before - now);
        }
        before = now;
    }
    println!("1 / (1 − 0.9) = {:.3}", 1.0 / (1.0 - 0.9_f32));
}

pub fn bias() {
    let (mut m, beta) = (0.0, 0.9_f64);
    for t in 1..=5 {
        m = beta * m + (1.0 - beta) * 1.0; // the gradient is 1, always
        let corrected = m / (1.0 - beta.powi(t));
        println!("t = {t}: m = {m:.4}, corrected {corrected:.4}");
        assert!((corrected - 1.0).abs() < 1e-12);
    }
}

pub fn scale_free() {
    // The same loss, in other units: a thousand times as large, or as small.
    for scale in [1e-3, 1.0, 1e3] {
        let w = Tensor::from([4.0, 1.0]);
        let mut optimizer = Adam::new([&w], 0.3);
        for _ in 0..3 {
            optimizer.zero_grad();
            (valley(&w) * scale).backward();
            optimizer.step();
        }
        println!("loss · {scale:<5} w = {:.4?}", w.to_vec::<f32>());
    }
}

pub fn decay() {
    // A parameter without any say in the loss, and one whose gradient is large.
    for (name, decoupled) in [("Adam, decay in the gradient", false), ("AdamW", true)] {
        let w = Tensor::from([1.0, 1.0]);
        let mut optimizer: Box<dyn Optimizer> = match decoupled {
            true => Box::new(AdamW::new([&w], 0.01).weight_decay(0.1)),
            false => Box::new(Adam::new([&w], 0.01)),
        };
        for step in 0..20 {
            optimizer.zero_grad();
            let sign = if step % 2 == 0 { 100.0 } else { -100.0 };
            let mut loss = (&w * Tensor::from([0.0, sign])).sum(());
            if !decoupled {
                loss += w.square().sum(()) * 0.05; // its gradient is 0.1 · w
            }
            loss.backward();
            optimizer.step();
        }
        println!("{name:<28} {:.4?}", w.to_vec::<f32>());
    }
}

pub fn layers() {
    // Two layers of very different size, with gradients of the same size.
    let (large, small) = (Tensor::full([4], 10.0), Tensor::full([4], 0.1));
    let mut optimizer = LAMB::new([&large, &small], 0.01);
    optimizer.zero_grad();
    (large.sum(()) + small.sum(())).backward();
    optimizer.step();
    println!("large: moved by {:.4}", 10.0 - large.get(0).item::<f32>());
    println!("small: moved by {:.4}", 0.1 - small.get(0).item::<f32>());
}

/// env: DEBUG=2
pub fn kernels() {
    let w = Tensor::full([1000, 1000], 0.5).contiguous().realize();
    let g = Tensor::full([1000, 1000], 0.1).contiguous().realize();
    let mut optimizer = Adam::new([&w], 0.001);
    optimizer.realize();
    w.set_grad(Some(g));
    optimizer.step();
    part!("second");
    optimizer.step();
}

// ---- Pictures --------------------------------------------------------

/// The way of an optimizer, on lines of equal loss.
fn trail(name: &str, path: &[(f64, f64)]) -> String {
    const STYLE: &str = "
.level { fill: none; stroke: #8a8983; stroke-opacity: .5 }
.trail { fill: none; stroke: #2a6fb0; stroke-width: 2; stroke-linejoin: round }
.step { fill: #2a6fb0 }
.goal { fill: #b3541e }
@media (prefers-color-scheme: dark) { .trail { stroke: #7db7ee } .step { fill: #7db7ee } .goal { fill: #f0a06a } }
";
    let (width, height) = (620.0, 330.0);
    let place = |(x, y): (f64, f64)| (320.0 + x * 62.0, 190.0 - y * 100.0);
    let title = format!("{name}, {} steps", path.len() - 1);
    let mut text = svg::open(width, height, &title, "steps on lines of equal loss", STYLE);
    let (cx, cy) = place((0.0, 0.0));
    for loss in [0.25, 1.0, 3.0, 8.0, 16.0] {
        // 0.5 · x² = loss, and 20 · y² = loss
        let (rx, ry) = ((loss * 2.0_f64).sqrt() * 62.0, (loss / 20.0_f64).sqrt() * 100.0);
        let _ = writeln!(text, r#"<ellipse class="level" cx="{cx}" cy="{cy}" rx="{rx:.1}" ry="{ry:.1}"/>"#);
    }
    let points: Vec<(f64, f64)> = path.iter().map(|&at| place(at)).collect();
    let line: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let _ = writeln!(text, r#"<path class="trail" d="M{}"/>"#, line.join("L"));
    for (x, y) in points {
        let _ = writeln!(text, r#"<circle class="step" cx="{x:.1}" cy="{y:.1}" r="3"/>"#);
    }
    let _ = writeln!(text, r#"<circle class="goal" cx="{cx}" cy="{cy}" r="5"/>"#);
    text + "</svg>"
}
