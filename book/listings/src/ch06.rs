//! Listings of chapter 6: from graph to kernels.

use teenygrad::Tensor;

/// env: DEBUG=4
pub fn program() {
    let x = Tensor::rand([8, 16]).realize();
    let y = ((&x * 2.0 + 1.0).relu()).sum(1);
    part!("run");
    y.realize();
}

/// env: DEBUG=3
pub fn reasons() {
    let x = Tensor::rand([64, 64]).realize();
    let w = Tensor::rand([64, 64]).realize();
    part!("epilogue");
    let y = (x.matmul(&w) + 1.0).relu();
    y.realize();
    part!("reused");
    let shifted = &x + 1.0;
    let y = shifted.matmul(&w);
    y.realize();
    part!("shared");
    let root = (&x + 1.0).sqrt();
    let (a, b) = (root.sum(0), (&root * &w).sum(1));
    Tensor::corealize(&[&a, &b]);
}

pub fn counts() {
    use teenygrad::nn::optim::{Adam, Optimizer};

    let kernels = |tensor: &Tensor| tensor.lazydata().schedule().len();
    let x = Tensor::rand([32, 64]).realize();
    let w = Tensor::rand([64, 64]).realize();
    println!("gelu                {}", kernels(&x.gelu()));
    println!("softmax             {}", kernels(&x.softmax(-1)));
    println!("layernorm           {}", kernels(&x.layernorm(-1, 1e-5)));
    println!("relu(x @ w + 1)     {}", kernels(&(x.matmul(&w) + 1.0).relu()));
    println!("softmax(x @ w) @ w  {}", kernels(&x.matmul(&w).softmax(-1).matmul(&w)));
    part!("adam");
    use teenygrad::realize::kernels_on_this_thread;
    let parameter = Tensor::rand([100, 100]).realize();
    let mut optimizer = Adam::new([&parameter], 0.001);
    optimizer.realize();
    parameter.set_grad(Some(Tensor::rand([100, 100]).realize()));
    let before = kernels_on_this_thread();
    optimizer.step();
    println!("a step of Adam      {}", kernels_on_this_thread() - before);
}

/// env: DEBUG=4
pub fn moved() {
    let a = Tensor::rand([3, 4]).realize();
    let b = Tensor::rand([4, 3]).realize();
    part!("run");
    (&a + b.t()).exp().realize();
}

/// env: DEBUG=4
pub fn zeros() {
    let x = Tensor::rand([4]).realize();
    part!("sqrt");
    x.sqrt().pad(&[(1, 1)], 0).contiguous().realize();
    part!("exp");
    x.exp().pad(&[(1, 1)], 0).contiguous().realize();
}

pub fn picture() {
    let x = Tensor::rand([16, 64]).realize();
    let w = Tensor::rand([64, 32]).realize().requires_grad(true);
    let loss = x.matmul(&w).relu().square().mean(());
    loss.backward();
    let gradient = w.grad().unwrap();
    picture!("lazy", gradient.lazy_graph());
    picture!("kernels", gradient.kernel_graph());
    let graph = gradient.lazydata();
    let plan = graph.schedule();
    println!("{} kernels", plan.len());
    value!("kernels", plan.len());
}
