//! Listings of chapter 3: the functions, each with its derivation.

use std::fmt::Write;
use teenygrad::Tensor;
use teenygrad::viz::svg;

pub fn list() {
    use teenygrad::mlops::FUNCTIONS;

    println!("{}", FUNCTIONS.join(" "));
    value!("count", FUNCTIONS.len());
    value!("more", FUNCTIONS.len() - 25);
}

pub fn check() {
    /// The slope of f at x, by machine and by small steps, in float64.
    fn compare(name: &str, f: impl Fn(&Tensor) -> Tensor, x: f64) {
        let at = |x: f64| Tensor::zeros([1]).cast(teenygrad::DType::Float64) + x;
        let tensor = at(x).requires_grad(true);
        f(&tensor).sum(()).backward();
        let slope = tensor.grad().unwrap().item::<f64>();
        let h = 1e-5;
        let measured = (f(&at(x + h)) - f(&at(x - h))).item::<f64>() / (2.0 * h);
        println!("{name:<8} at {x}: slope {slope:>9.6}, measured {measured:>9.6}");
        assert!((slope - measured).abs() <= 1e-7);
    }
    part!("use");
    compare("neg", |x| x.neg(), 0.7);
    compare("sin", |x| x.sin(), 0.7);
    compare("relu", |x| x.relu(), 0.7);
    compare("log", |x| x.log(), 0.7);
    compare("exp", |x| x.exp(), 0.7);
    compare("sqrt", |x| x.sqrt(), 0.7);
    compare("sigmoid", |x| x.sigmoid(), 0.7);
    compare("tanh", |x| x.tanh(), 0.7);
    compare("gelu", |x| x.gelu(), 0.7);
}

pub fn curves() {
    picture!("relu", plot("relu", (-3.0, 3.0), (-0.5, 3.0), |x| x.relu()));
    picture!("sigmoid", plot("sigmoid", (-6.0, 6.0), (-0.2, 1.2), |x| x.sigmoid()));
    picture!("sin", plot("sin", (-6.3, 6.3), (-1.3, 1.3), |x| x.sin()));
    picture!("exp_log", plot("log", (0.05, 4.0), (-3.0, 4.0), |x| x.log()));
}

pub fn far_out() {
    // The slope of sigmoid as y · (1 − y), and as e⁻ˣ / (1 + e⁻ˣ)², at −100 in float32.
    let x = Tensor::from([-100.0]);
    let y = x.sigmoid();
    let short = &y * (1.0 - &y);
    let e = x.neg().exp();
    let long = &e / (1.0 + &e).square();
    println!("y · (1 − y)        = {}", short.item::<f32>());
    println!("e⁻ˣ / (1 + e⁻ˣ)²   = {}", long.item::<f32>());
    assert!(long.item::<f32>().is_nan() && short.item::<f32>() == 0.0);
}

pub fn choice() {
    // Where x is 0, the branch that is not taken divides by 0.
    let x = Tensor::from([0.0, 4.0]).requires_grad(true);
    let safe = x.lt(1.0).where_(Tensor::from(1.0), &x);
    safe.reciprocal().sum(()).backward();
    println!("chosen first:     {:?}", x.grad().unwrap().to_vec::<f32>());
    x.zero_grad();
    x.lt(1.0).where_(Tensor::from(1.0), x.reciprocal()).sum(()).backward();
    println!("chosen afterwards: {:?}", x.grad().unwrap().to_vec::<f32>());
}

pub fn ties() {
    let x = Tensor::from([2.0, 7.0, 7.0]).requires_grad(true);
    x.max(()).backward();
    println!("max:     {:?}", x.grad().unwrap().to_vec::<f32>());
    let (a, b) = (Tensor::from([5.0]), Tensor::from([5.0]));
    let (a, b) = (a.requires_grad(true), b.requires_grad(true));
    a.maximum(&b).sum(()).backward();
    let shares = [&a, &b].map(|t| t.grad().unwrap().item::<f32>());
    println!("maximum: {shares:?}");
}

pub fn powers() {
    let a = Tensor::from([2.0, 3.0, 0.0, 0.0]).requires_grad(true);
    let b = Tensor::from([3.0, 0.0, 2.0, 0.0]).requires_grad(true);
    a.pow(&b).sum(()).backward();
    println!("da: {:?}", a.grad().unwrap().to_vec::<f32>());
    println!("db: {:?}", b.grad().unwrap().to_vec::<f32>());
}

pub fn movements() {
    let show = |name: &str, f: &dyn Fn(&Tensor) -> Tensor| {
        let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).requires_grad(true);
        let y = f(&x);
        // The gradient of the result counts: 1, 2, 3, …
        let dy = Tensor::arange(1.0 + y.numel() as f64).get(1..).reshape(y.shape());
        (&y * &dy).sum(()).backward();
        let dx = x.grad().unwrap().to_vec::<f32>();
        println!("{name:<8} dy {:<30} dx {dx:?}", format!("{:?}", dy.to_vec::<f32>()));
    };
    show("permute", &|x| x.permute([1, 0]));
    show("flip", &|x| x.flip(0));
    show("shrink", &|x| x.get((.., 1)));
    show("expand", &|x| x.reshape([1, 2, 2]).expand([2, 2, 2]));
}

pub fn windows() {
    let x = Tensor::arange(5.0).requires_grad(true);
    // three windows of three neighbours: [0 1 2] [1 2 3] [2 3 4]
    let windows = x.unfold(0, 3, 1); // [3, 3]
    println!("{windows}");
    windows.sum(()).backward();
    println!("in how many windows: {:?}", x.grad().unwrap().to_vec::<f32>());
}

pub fn embedding() {
    let table = Tensor::from([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]).requires_grad(true);
    let rows = table.get(Tensor::from([2, 0, 2]));
    rows.sum(()).backward();
    println!("{}", table.grad().unwrap());
}

pub fn composed() {
    let x = Tensor::from([0.5]).requires_grad(true);
    let y = x.tanh();
    for tensor in y.deepwalk() {
        print!("{} ", tensor.made_by().unwrap().0);
    }
    y.backward();
    let (slope, formula) = (x.grad().unwrap().item::<f32>(), 1.0 - 0.5_f32.tanh().powi(2));
    println!("\nslope {slope:.6}, and 1 − tanh² is {formula:.6}");
}

// ---- Pictures --------------------------------------------------------

/// A function and its slope, as the library computes both.
fn plot(name: &str, across: (f64, f64), up: (f64, f64), f: fn(&Tensor) -> Tensor) -> String {
    const STYLE: &str = "
.axis { stroke: #8a8983; fill: none }
.y, .dy { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.y { stroke: #2a6fb0 }
.dy { stroke: #b3541e; stroke-dasharray: 7 4 }
@media (prefers-color-scheme: dark) { .y { stroke: #7db7ee } .dy { stroke: #f0a06a } }
";
    const STEPS: usize = 240;
    let (width, height, top) = (560.0, 300.0, 56.0);
    let step = (across.1 - across.0) / STEPS as f64;
    let points: Vec<f64> = (0..=STEPS).map(|i| across.0 + i as f64 * step).collect();
    let x = Tensor::from(points.iter().map(|&x| x as f32).collect::<Vec<_>>());
    let x = x.requires_grad(true);
    let y = f(&x);
    y.sum(()).backward();
    let place = |x: f64, y: f64| {
        let right = 24.0 + (x - across.0) / (across.1 - across.0) * (width - 48.0);
        let down = top + (up.1 - y) / (up.1 - up.0) * (height - top - 24.0);
        (right, down)
    };
    let mut text = svg::open(width, height, name, &format!("{name} and its slope"), STYLE);
    let ((left, zero), (right, _)) = (place(across.0, 0.0), place(across.1, 0.0));
    let _ = writeln!(text, r#"<path class="axis" d="M{left:.1} {zero:.1}H{right:.1}"/>"#);
    if across.0 < 0.0 {
        let (middle, above) = place(0.0, up.1);
        let (_, below) = place(0.0, up.0);
        let _ = writeln!(text, r#"<path class="axis" d="M{middle:.1} {above:.1}V{below:.1}"/>"#);
    }
    for (class, values) in [("y", y.to_vec::<f32>()), ("dy", x.grad().unwrap().to_vec())] {
        let mut path = String::new();
        let mut pen = 'M';
        for (&x, y) in points.iter().zip(values) {
            let inside = (up.0..=up.1).contains(&f64::from(y));
            if inside {
                let (x, y) = place(x, f64::from(y));
                let _ = write!(path, "{pen}{x:.1} {y:.1}");
            }
            pen = if inside { 'L' } else { 'M' };
        }
        let _ = writeln!(text, r#"<path class="{class}" d="{path}"/>"#);
    }
    for (i, (class, label)) in [("y", "y"), ("dy", "its slope, dy/dx")].iter().enumerate() {
        let x = width - 300.0 + 70.0 * i as f64;
        let _ = writeln!(text, r#"<path class="{class}" d="M{x} 31h26"/>"#);
        svg::line(&mut text, "head", x + 32.0, 36.0, "start", label);
    }
    text + "</svg>"
}
