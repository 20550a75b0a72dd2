//! Listings of chapter 9: convolution, and why its two gradients are convolutions.

use teenygrad::Tensor;
use teenygrad::mlops::movement::Slide;

pub fn by_hand() {
    let x = [1.0, 2.0, 4.0, 8.0, 16.0];
    let w = [-1.0, 0.0, 1.0];
    let mut y = [0.0; 3];
    for o in 0..3 {
        for k in 0..3 {
            y[o] += x[o + k] * w[k];
        }
    }
    println!("{y:?}");
}

pub fn windows() {
    let x = Tensor::from([1.0, 2.0, 4.0, 8.0, 16.0]);
    let w = Tensor::from([-1.0, 0.0, 1.0]);
    let windows = x.unfold(0, 3, 1); // [5] -> [3 windows, 3 places]
    println!("{windows}");
    let y = (windows * w).sum(1); // [3, 3] · [3] -> [3]
    println!("{:?}", y.to_vec::<f32>());
}

pub fn edges() {
    // A picture: dark on the left, bright on the right, of 6 x 8 points.
    let columns = Tensor::arange(8.0).reshape([1, 8]).expand([6, 8]);
    let picture = columns.gt(3).cast(teenygrad::DType::Float32);
    let sobel = Tensor::from([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]);
    let x = picture.reshape([1, 1, 6, 8]);
    let y = x.conv2d(&sobel.reshape([1, 1, 3, 3]), None);
    println!("{}", y.reshape([4, 6]));
}

/// env: DEBUG=2
pub fn kernel() {
    let x = Tensor::rand([32, 16, 28, 28]).realize();
    let w = Tensor::rand([32, 16, 3, 3]).realize();
    part!("conv");
    x.conv2d(&w, None).realize();
}

pub fn count() {
    let (n, c, o, h, k) = (32, 16, 32, 26, 3);
    let windows = n * c * h * h * k * k;
    println!("the picture: {} numbers", n * c * 28 * 28);
    println!("all windows: {windows} numbers");
    println!("products:    {}", windows * o);
    value!("factor", format!("{:.1}", windows as f64 / (n * c * 28 * 28) as f64));
}

pub fn gradients() {
    part!("machine");
    let x = Tensor::from([1.0, 2.0, 4.0, 8.0, 16.0]).requires_grad(true);
    let w = Tensor::from([-1.0, 0.0, 3.0]).requires_grad(true);
    let dy = [1.0, 10.0, 100.0];
    let y = (x.unfold(0, 3, 1) * &w).sum(1);
    (y * Tensor::from(dy)).sum(()).backward();
    println!("dw = {:?}", w.grad().unwrap().to_vec::<f32>());
    println!("dx = {:?}", x.grad().unwrap().to_vec::<f32>());
    part!("weight");
    let numbers = x.to_vec::<f32>();
    let mut dw = [0.0; 3];
    for k in 0..3 {
        for o in 0..3 {
            dw[k] += numbers[k + o] * dy[o];
        }
    }
    println!("dw = {dw:?}");
    assert_eq!(w.grad().unwrap().to_vec::<f32>(), dw);
    part!("input");
    let factors = w.to_vec::<f32>();
    let padded = [0.0, 0.0, 1.0, 10.0, 100.0, 0.0, 0.0]; // dy, with two zeros on each side
    let turned = [factors[2], factors[1], factors[0]]; // w, from its end
    let mut dx = [0.0; 5];
    for h in 0..5 {
        for k in 0..3 {
            dx[h] += padded[h + k] * turned[k];
        }
    }
    println!("dx = {dx:?}");
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), dx);
}

pub fn folded() {
    use teenygrad::mlops::movement::fold;

    // dy for three windows of three: o counts tens, k counts ones
    let dy = Tensor::from([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0], [20.0, 21.0, 22.0]]);
    let slide = Slide { kernel: 3, stride: 1, dilation: 1 };
    let dx = fold(&dy.lazydata(), &[slide], &[5]);
    println!("{:?}", Tensor::from_lazy(dx).to_vec::<f32>());
}

/// env: DEBUG=2
pub fn backward() {
    let x = Tensor::rand([32, 16, 28, 28]).realize().requires_grad(true);
    let w = Tensor::rand([32, 16, 3, 3]).realize().requires_grad(true);
    let dy = Tensor::rand([32, 32, 26, 26]).realize();
    (x.conv2d(&w, None) * dy).sum(()).backward();
    part!("input");
    x.grad().unwrap().realize();
    part!("weight");
    w.grad().unwrap().realize();
}

pub fn pooling() {
    let x = Tensor::from([[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 1.0, 7.0]]).requires_grad(true);
    let y = x.reshape([1, 1, 2, 4]).max_pool2d(2); // [1, 1, 2, 4] -> [1, 1, 1, 2]
    println!("{:?}", y.to_vec::<f32>());
    (y * Tensor::from([10.0, 20.0])).sum(()).backward();
    println!("{}", x.grad().unwrap());
}
