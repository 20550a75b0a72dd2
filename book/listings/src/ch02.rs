//! Listings of chapter 2: a gradient by hand, then by machine.

use teenygrad::Tensor;

pub fn slope() {
    fn f(x: f64, y: f64) -> f64 {
        x * x * y + x.exp() / y
    }
    let (x, y) = (1.5, 2.0);
    println!("f = {:.6}", f(x, y));
    for h in [0.1, 0.001, 0.00001, 1e-15] {
        let one_sided = (f(x + h, y) - f(x, y)) / h;
        let two_sided = (f(x + h, y) - f(x - h, y)) / (2.0 * h);
        println!("h = {h:<7e} one-sided {one_sided:.8}   two-sided {two_sided:.8}");
    }
}

pub fn by_hand() {
    let (x, y) = (1.5_f64, 2.0_f64);
    part!("forward");
    let a = x * x;
    let b = a * y;
    let c = x.exp();
    let d = c / y;
    let f = b + d;
    println!("a = {a:.4}, b = {b:.4}, c = {c:.4}, d = {d:.4}, f = {f:.4}");
    part!("backward");
    // Each name is the slope of f with respect to what it is named for.
    let f_ = 1.0;
    let (b_, d_) = (f_, f_); // f = b + d
    let c_ = d_ / y; // d = c / y
    let y_from_d = -d_ * d / y; //   and y is in it, too
    let x_from_c = c_ * c; // c = exp x
    let a_ = b_ * y; // b = a · y
    let y_from_b = b_ * a;
    let x_from_a = a_ * 2.0 * x; // a = x · x
    let (x_, y_) = (x_from_c + x_from_a, y_from_d + y_from_b);
    println!("df/dx = {x_:.6}, df/dy = {y_:.6}");
    let formula = (2.0 * x * y + x.exp() / y, x * x - x.exp() / (y * y));
    assert!((x_ - formula.0).abs() < 1e-12 && (y_ - formula.1).abs() < 1e-12);
    value!("dx", format!("{x_:.6}"));
    value!("dy", format!("{y_:.6}"));
}

pub fn machine() {
    part!("tape");
    #[derive(Default)]
    struct Tape {
        values: Vec<f64>,
        /// for each value: what it was made of, and the slope along each
        sources: Vec<Vec<(usize, f64)>>,
    }
    impl Tape {
        fn push(&mut self, value: f64, sources: &[(usize, f64)]) -> usize {
            self.values.push(value);
            self.sources.push(sources.to_vec());
            self.values.len() - 1
        }
        fn add(&mut self, a: usize, b: usize) -> usize {
            let y = self.values[a] + self.values[b];
            self.push(y, &[(a, 1.0), (b, 1.0)])
        }
        fn mul(&mut self, a: usize, b: usize) -> usize {
            let (p, q) = (self.values[a], self.values[b]);
            self.push(p * q, &[(a, q), (b, p)])
        }
        fn div(&mut self, a: usize, b: usize) -> usize {
            let (p, q) = (self.values[a], self.values[b]);
            self.push(p / q, &[(a, 1.0 / q), (b, -p / (q * q))])
        }
        fn exp(&mut self, a: usize) -> usize {
            let y = self.values[a].exp();
            self.push(y, &[(a, y)])
        }
    }
    part!("back");
    impl Tape {
        fn backward(&self, last: usize) -> Vec<f64> {
            let mut slopes = vec![0.0; self.values.len()];
            slopes[last] = 1.0;
            for i in (0..=last).rev() {
                for &(source, local) in &self.sources[i] {
                    slopes[source] += slopes[i] * local;
                }
            }
            slopes
        }
    }
    part!("use");
    let mut tape = Tape::default();
    let (x, y) = (tape.push(1.5, &[]), tape.push(2.0, &[]));
    let square = tape.mul(x, x);
    let first = tape.mul(square, y);
    let exp = tape.exp(x);
    let second = tape.div(exp, y);
    let f = tape.add(first, second);
    let slopes = tape.backward(f);
    println!("f = {:.6}", tape.values[f]);
    println!("df/dx = {:.6}, df/dy = {:.6}", slopes[x], slopes[y]);
    assert!((slopes[x] - (6.0 + 1.5_f64.exp() / 2.0)).abs() < 1e-12);
}

pub fn tensors() {
    let x = Tensor::from(1.5).requires_grad(true);
    let y = Tensor::from(2.0).requires_grad(true);
    let f = x.square() * &y + x.exp() / &y;
    part!("walk");
    for tensor in f.deepwalk() {
        let (function, parents) = tensor.made_by().unwrap();
        let of = parents.len();
        println!("{function:<4} of {of} makes {:.4}", tensor.item::<f32>());
    }
    let graph = f.graph();
    part!("backward");
    f.backward();
    println!("df/dx = {}", x.grad().unwrap().item::<f32>());
    println!("df/dy = {}", y.grad().unwrap().item::<f32>());
    picture!("graph", graph.svg());
}

pub fn layer() {
    // 4 samples of 3 features; a layer of 2 outputs.
    let x = Tensor::arange(12.0).reshape([4, 3]);
    let w = Tensor::full([3, 2], 0.5).requires_grad(true);
    let b = Tensor::zeros([2]).requires_grad(true);
    let y = x.matmul(&w) + &b; // [4, 3] @ [3, 2] + [2] -> [4, 2]
    let loss = y.square().sum(());
    part!("gradients");
    loss.backward();
    println!("dw has shape {:?}", w.grad().unwrap().shape());
    println!("db has shape {:?}", b.grad().unwrap().shape());
    part!("formulas");
    let dy = y.detach() * 2.0; // the loss is Σy², its slope along y is 2y
    let dw = x.t().matmul(&dy); // [3, 4] @ [4, 2]
    let db = dy.sum(0); // the bias was repeated for each sample
    assert_eq!(w.grad().unwrap().to_vec::<f32>(), dw.to_vec::<f32>());
    assert_eq!(b.grad().unwrap().to_vec::<f32>(), db.to_vec::<f32>());
    println!("dw = {dw}");
    println!("db = {db}");
}

pub fn twice() {
    let x = Tensor::from(3.0).requires_grad(true);
    (&x * &x).backward();
    println!("slope of x·x at 3: {}", x.grad().unwrap().item::<f32>());
    (&x * 2.0).backward();
    println!("after another loss: {}", x.grad().unwrap().item::<f32>());
    x.zero_grad();
    println!("after zero_grad: {:?}", x.grad().is_some());
}

/// panics
pub fn freed() {
    let x = Tensor::from(3.0).requires_grad(true);
    let y = x.exp();
    (&y * 2.0).backward();
    (&y * 5.0).backward();
}

pub fn flags() {
    let data = Tensor::from([1.0, 2.0]);
    let weight = Tensor::from([0.5, 0.5]).requires_grad(true);
    let frozen = Tensor::from([1.0, 1.0]).requires_grad(false);
    println!("data:            {:?}", data.needs_grad());
    println!("data * frozen:   {:?}", (&data * &frozen).needs_grad());
    println!("data * weight:   {:?}", (&data * &weight).needs_grad());
    let unrecorded = Tensor::no_grad(|| &data * &weight);
    println!("within no_grad:  {:?}", unrecorded.needs_grad());
}

pub fn descent() {
    let mut w = 1.0_f32;
    for step in 0..8 {
        let tensor = Tensor::from(w).requires_grad(true);
        let loss = (tensor.square() - 2.0).square();
        let before = loss.item::<f32>();
        loss.backward();
        println!("step {step}: w = {w:.6}, loss = {before:.6}");
        w -= 0.08 * tensor.grad().unwrap().item::<f32>();
    }
    println!("and √2 = {:.6}", 2.0_f32.sqrt());
    assert!((w - 2.0_f32.sqrt()).abs() < 1e-3);
}
