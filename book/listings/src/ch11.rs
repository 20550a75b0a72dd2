//! Listings of chapter 11: training MNIST, followed line by line.

use std::fmt::Write;
use teenygrad::nn::datasets::{Mnist, PIXELS, mnist};
use teenygrad::nn::optim::{Adam, Optimizer};
use teenygrad::viz::svg;
use teenygrad::{DType, Tensor};

/// The original's network.
struct TinyConvNet {
    c1: Tensor,
    c2: Tensor,
    l1: Tensor,
}

impl TinyConvNet {
    fn new() -> TinyConvNet {
        Tensor::manual_seed(42);
        TinyConvNet {
            c1: Tensor::scaled_uniform([8, 1, 3, 3]),
            c2: Tensor::scaled_uniform([16, 8, 3, 3]),
            l1: Tensor::scaled_uniform([400, 10]),
        }
    }
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = x.reshape([-1, 1, 28, 28]);
        let x = x.conv2d(&self.c1, None).relu().max_pool2d(2);
        let x = x.conv2d(&self.c2, None).relu().max_pool2d(2);
        x.flatten(1).dot(&self.l1).log_softmax(-1)
    }
    fn weights(&self) -> [&Tensor; 3] {
        [&self.c1, &self.c2, &self.l1]
    }
}

/// n digits of the training set, from the start-th on.
fn digits(data: &Mnist, start: usize, n: usize) -> (Tensor, Tensor) {
    let images = &data.train_images[start * PIXELS..(start + n) * PIXELS];
    let labels = &data.train_labels[start..start + n];
    let images = Tensor::from_bytes(images, [n, PIXELS], DType::Uint8);
    (images.cast(DType::Float32), Tensor::from(labels.to_vec()))
}

pub fn data() {
    use teenygrad::nn::datasets::mnist;

    let data = mnist().expect("the files are in data/mnist");
    println!("{} images to learn from", data.train_labels.len());
    println!("{} images to be examined with", data.test_labels.len());
    let first = &data.train_images[..784];
    println!("row 10 of the first: {:?}", &first[10 * 28..11 * 28]);
    println!("it is a {}", data.train_labels[0]);
    value!("label", data.train_labels[0]);
    value!("bytes", data.train_images.len());
    picture!("digits", first_digits(&data));
}

pub fn network() {
    let c1 = Tensor::scaled_uniform([8, 1, 3, 3]);
    let c2 = Tensor::scaled_uniform([16, 8, 3, 3]);
    let l1 = Tensor::scaled_uniform([400, 10]);
    let forward = |x: &Tensor| {
        let x = x.reshape([-1, 1, 28, 28]);
        let x = x.conv2d(&c1, None).relu().max_pool2d(2);
        let x = x.conv2d(&c2, None).relu().max_pool2d(2);
        x.flatten(1).dot(&l1).log_softmax(-1)
    };
    assert_eq!(forward(&Tensor::zeros([2, 784])).shape(), [2, 10]);
}

pub fn batch() {
    let data = mnist().expect("the files are in data/mnist");
    let bytes = &data.train_images[..128 * 784];
    let x = Tensor::from_bytes(bytes, [128, 784], DType::Uint8);
    println!("{:?}", x.lazydata());
    let x = x.cast(DType::Float32);
    println!("{:?}", x.lazydata());
    value!("floats", 128 * 784 * 4);
}

pub fn forward() {
    let net = TinyConvNet::new();
    let data = mnist().expect("the files are in data/mnist");
    let (x, _) = digits(&data, 0, 128);
    part!("reshape");
    let x = x.reshape([-1, 1, 28, 28]);
    println!("{:?}", x.shape());
    part!("conv");
    let x = x.conv2d(&net.c1, None);
    println!("{:?}", x.shape());
    println!("{:?}", x.lazydata());
    part!("relu");
    let x = x.relu();
    println!("{:?}", x.lazydata());
    part!("pool");
    let x = x.max_pool2d(2);
    println!("{:?}", x.shape());
    part!("second");
    let x = x.conv2d(&net.c2, None).relu().max_pool2d(2);
    println!("{:?}", x.shape());
    part!("flat");
    let x = x.flatten(1);
    println!("{:?}", x.shape());
    let x = x.dot(&net.l1);
    println!("{:?}", x.shape());
    part!("probabilities");
    let x = x.log_softmax(-1);
    let first = x.get(0).exp();
    println!("{:.3?}", first.to_vec::<f32>());
}

pub fn maps() {
    let net = TinyConvNet::new();
    let data = mnist().expect("the files are in data/mnist");
    let (x, _) = digits(&data, 0, 1);
    let x = x.reshape([-1, 1, 28, 28]);
    let y = x.conv2d(&net.c1, None).relu();
    let maps: Vec<Vec<f32>> = (0..8).map(|c| y.get((0, c)).flatten(0).to_vec()).collect();
    picture!("maps", images("The first digit, untrained", &maps, 26, 3.0));
}

pub fn loss() {
    let net = TinyConvNet::new();
    let data = mnist().expect("the files are in data/mnist");
    let (x, y) = digits(&data, 0, 128);
    for weight in net.weights() {
        weight.set_requires_grad(Some(true));
    }
    part!("loss");
    let loss = net.forward(&x).sparse_categorical_crossentropy(&y, -1);
    println!("loss {:.3}", loss.item::<f32>());
    println!("ln 10 = {:.3}", 10.0_f32.ln());
    let graph = loss.graph();
    part!("backward");
    loss.backward();
    for (name, weight) in [("c1", &net.c1), ("c2", &net.c2), ("l1", &net.l1)] {
        let gradient = weight.grad().unwrap();
        let size = gradient.square().mean(()).sqrt().item::<f32>();
        println!("{name}: shape {:?}, gradient about {size:.3}", gradient.shape());
    }
    picture!("graph", graph.svg());
}

/// env: DEBUG=1
pub fn steps() {
    let net = TinyConvNet::new();
    let data = mnist().expect("the files are in data/mnist");
    let mut adam = Adam::new(net.weights(), 0.001);
    adam.realize();
    part!("loop");
    for step in 0..4 {
        let (x, y) = digits(&data, 128 * step, 128);
        let loss = net.forward(&x).sparse_categorical_crossentropy(&y, -1);
        adam.zero_grad();
        loss.backward();
        adam.step();
    }
}

/// env: DEBUG=2
pub fn kernels() {
    let net = TinyConvNet::new();
    let data = mnist().expect("the files are in data/mnist");
    let mut adam = Adam::new(net.weights(), 0.001);
    adam.realize();
    for step in 0..3 {
        if step == 2 {
            part!("third");
        }
        let (x, y) = digits(&data, 128 * step, 128);
        let loss = net.forward(&x).sparse_categorical_crossentropy(&y, -1);
        adam.zero_grad();
        loss.backward();
        adam.step();
    }
}

pub fn plan() {
    let net = TinyConvNet::new();
    let data = mnist().expect("the files are in data/mnist");
    let (x, y) = digits(&data, 0, 128);
    Tensor::corealize(&net.weights());
    let before = net.forward(&x).sparse_categorical_crossentropy(&y, -1);
    picture!("kernels", before.kernel_graph());
}

pub fn training() {
    let net = TinyConvNet::new();
    let data = mnist().expect("the files are in data/mnist");
    let mut adam = Adam::new(net.weights(), 0.001);
    let mut losses = Vec::new();
    part!("loop");
    for step in 0..100 {
        let (x, y) = digits(&data, 128 * step, 128);
        let loss = net.forward(&x).sparse_categorical_crossentropy(&y, -1);
        adam.zero_grad();
        loss.backward();
        adam.step();
        losses.push(loss.item::<f32>());
        if [0, 1, 9, 99].contains(&step) {
            println!("step {step:>2}: loss {:.3}", losses[step]);
        }
    }
    part!("test");
    let (x, y) = data.test();
    let (x, y) = (x.get(..2000), y.get(..2000));
    let guesses = Tensor::no_grad(|| net.forward(&x)).argmax(-1);
    let right = guesses.eq(&y).mean(()).item::<f32>();
    println!("of the first 2,000 unseen digits it reads {:.1} %", right * 100.0);
    assert!(right > 0.9);
    part!("end");
    value!("accuracy", format!("{:.1} %", right * 100.0));
    picture!("losses", curve("The loss, step by step", &losses));
    let windows: Vec<Vec<f32>> = (0..8).map(|c| net.c1.get((c, 0)).flatten(0).to_vec()).collect();
    picture!("windows", images("What the first layer looks for", &windows, 3, 20.0));
}

// ---- Pictures --------------------------------------------------------

/// Eight digits as they are in the files.
fn first_digits(data: &Mnist) -> String {
    let digits = data.train_images.chunks_exact(PIXELS).take(8);
    let numbers = digits.map(|bytes| bytes.iter().map(|&byte| f32::from(byte)).collect());
    images("Eight digits of the training set", &numbers.collect::<Vec<_>>(), 28, 3.0)
}

/// Images side by side, each of rows of `width` numbers, dark for the largest.
fn images(title: &str, list: &[Vec<f32>], width: usize, size: f64) -> String {
    const STYLE: &str = "
.ink { fill: #191918 }
.paper { fill: none; stroke: #8a8983; stroke-opacity: .6 }
@media (prefers-color-scheme: dark) { .ink { fill: #f4f3ee } }
";
    let rows = list[0].len() / width;
    let (wide, high) = (width as f64 * size, rows as f64 * size);
    let per_line = 4.min(list.len());
    let lines = list.len().div_ceil(per_line);
    let total = (48.0 + per_line as f64 * (wide + 16.0), 72.0 + lines as f64 * (high + 16.0));
    let mut text = svg::open(total.0, total.1, title, title, STYLE);
    for (i, numbers) in list.iter().enumerate() {
        let left = 24.0 + (i % per_line) as f64 * (wide + 16.0);
        let top = 56.0 + (i / per_line) as f64 * (high + 16.0);
        let low = numbers.iter().copied().fold(f32::INFINITY, f32::min);
        let range = numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max) - low;
        let _ = writeln!(text, r#"<rect class="paper" x="{left:.1}" y="{top:.1}" width="{wide:.1}" height="{high:.1}"/>"#);
        for (at, number) in numbers.iter().enumerate() {
            let ink = (number - low) / range.max(1e-9);
            if ink > 0.04 {
                let (x, y) = (left + (at % width) as f64 * size, top + (at / width) as f64 * size);
                let _ = writeln!(text, r#"<rect class="ink" x="{x:.1}" y="{y:.1}" width="{size}" height="{size}" opacity="{ink:.2}"/>"#);
            }
        }
    }
    text + "</svg>"
}

/// Numbers as a line, on a logarithmic axis.
fn curve(title: &str, numbers: &[f32]) -> String {
    const STYLE: &str = "
.line { fill: none; stroke: #2a6fb0; stroke-width: 2; stroke-linejoin: round }
.grid { stroke: #8a8983; stroke-opacity: .5 }
@media (prefers-color-scheme: dark) { .line { stroke: #7db7ee } }
";
    let (width, height) = (620.0, 300.0);
    let mut text = svg::open(width, height, title, title, STYLE);
    let place = |step: usize, value: f32| {
        let x = 64.0 + step as f64 / (numbers.len() - 1) as f64 * (width - 96.0);
        let y = 60.0 + (0.6 - f64::from(value).max(0.05).log10()) / 1.9 * (height - 100.0);
        (x, y)
    };
    for value in [0.1, 0.3, 1.0, 3.0] {
        let (left, y) = place(0, value);
        let (right, _) = place(numbers.len() - 1, value);
        let _ = writeln!(text, r#"<path class="grid" d="M{left:.1} {y:.1}H{right:.1}"/>"#);
        svg::line(&mut text, "", left - 8.0, y + 4.0, "end", &format!("{value}"));
    }
    let points: Vec<String> = numbers
        .iter()
        .enumerate()
        .map(|(step, &value)| {
            let (x, y) = place(step, value);
            format!("{x:.1} {y:.1}")
        })
        .collect();
    let _ = writeln!(text, r#"<path class="line" d="M{}"/>"#, points.join("L"));
    let last = format!("{} steps; the axis of the loss is logarithmic", numbers.len());
    svg::line(&mut text, "", width / 2.0, height - 12.0, "middle", &last);
    text + "</svg>"
}
