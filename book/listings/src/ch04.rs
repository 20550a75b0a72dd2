//! Listings of chapter 4: why laziness.

use teenygrad::Tensor;

pub fn nothing() {
    use teenygrad::realize::kernels_on_this_thread;

    let x = Tensor::rand([1000, 1000]);
    let y = ((&x * 2.0 + 1.0).relu().neg().exp()).sum(());
    println!("{:?}", y.lazydata());
    println!("kernels so far: {}", kernels_on_this_thread());
    let number = y.item::<f32>();
    println!("{number:.1}, kernels so far: {}", kernels_on_this_thread());
    println!("{:?}", y.lazydata());
}

/// env: DEBUG=2
pub fn fused() {
    let x = Tensor::full([2048, 2048], 0.25).contiguous().realize();
    part!("lazy");
    let y = (&x * 2.0 + 1.0).relu().neg().exp().sum(());
    y.realize();
    part!("eager");
    let y = (&x * 2.0).realize();
    let y = (y + 1.0).realize();
    let y = y.relu().realize();
    let y = y.neg().realize();
    let y = y.exp().realize();
    y.sum(()).realize();
}

pub fn traffic() {
    let megabytes = 4.0 * 2048.0 * 2048.0 / 1e6;
    let (once, often) = (megabytes, 11.0 * megabytes);
    println!("one kernel:  {once:.0} MB");
    println!("six kernels: {often:.0} MB");
    value!("once", format!("{once:.0}"));
    value!("often", format!("{often:.0}"));
}

pub fn graph() {
    let x = Tensor::rand([4, 3]).realize();
    let w = Tensor::rand([3, 2]).realize();
    let y = x.matmul(&w).relu();
    let mean = y.mean(0);
    picture!("graph", mean.lazy_graph());
    picture!("kernels", mean.kernel_graph());
    let plan = mean.lazydata().schedule();
    println!("{} kernels", plan.len());
    value!("kernels", plan.len());
}

pub fn folded() {
    let x = Tensor::ones([3]);
    let show = |what: &str, tensor: Tensor| {
        println!("{what:<12} {:?}", tensor.lazydata());
    };
    show("x", x.clone());
    show("x + 2", &x + 2.0);
    show("its sum", (&x + 2.0).sum(()));
    let data = Tensor::from([1.0, 2.0, 3.0]);
    show("data * 1", &data * 1.0);
    show("data * 0", &data * 0.0);
}

/// panics
pub fn early() {
    let a = Tensor::ones([2, 3]);
    let b = Tensor::ones([4]);
    let _ = &a + &b;
}

/// env: DEBUG=1
pub fn again() {
    let x = Tensor::rand([64, 64]).realize();
    part!("loop");
    for _ in 0..3 {
        let y = x.matmul(&x).softmax(-1);
        y.realize();
    }
}

pub fn frees() {
    use std::sync::Arc;

    let a = Tensor::rand([100]).realize();
    let b = (&a + 1.0).exp();
    let c = &b * 3.0;
    part!("before");
    let holders = |tensor: &Tensor| Arc::strong_count(tensor.lazydata().node());
    println!("holders of b's node: {}", holders(&b));
    println!("{:?}", c.lazydata());
    part!("after");
    c.realize();
    println!("holders of b's node: {}", holders(&b));
    println!("{:?}", c.lazydata());
    println!("{:?}", b.lazydata());
}

pub fn deep() {
    let mut x = Tensor::zeros([4]).contiguous().realize();
    for _ in 0..10_000 {
        x += 1.0;
    }
    println!("{:?}", x.to_vec::<f32>());
}

pub fn trap() {
    use std::time::Instant;

    let x = Tensor::rand([512, 512]).realize();
    let start = Instant::now();
    let y = x.matmul(&x);
    let built = start.elapsed();
    y.realize();
    let all = start.elapsed();
    println!("the matmul took less than a tenth of it all: {}", built < all / 10);
}
