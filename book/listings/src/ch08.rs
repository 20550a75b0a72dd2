//! Listings of chapter 8: reductions, and softmax done right.

use teenygrad::{DType, Tensor};

pub fn order() {
    let numbers = vec![0.1_f32; 10_000_000];
    let one_by_one = numbers.iter().fold(0.0_f32, |sum, x| sum + x);
    let exact = numbers.iter().map(|&x| f64::from(x)).sum::<f64>();
    println!("exact               {exact:.1}");
    println!("one after the other {one_by_one:.1}");
    part!("library");
    let sum = Tensor::from(numbers).sum(()).item::<f32>();
    println!("the library's       {sum:.1}");
    value!("naive", format!("{one_by_one:.0}"));
    assert!((f64::from(sum) / exact - 1.0).abs() < 1e-6);
}

pub fn swallowed() {
    let large = 16_777_216.0_f32; // 2²⁴
    println!("{:.0} + 1 = {:.0}", large, large + 1.0);
}

pub fn pairwise() {
    fn pairwise(numbers: &[f32]) -> f32 {
        match numbers {
            [] => 0.0,
            [one] => *one,
            _ => {
                let (left, right) = numbers.split_at(numbers.len() / 2);
                pairwise(left) + pairwise(right)
            }
        }
    }
    let sum = pairwise(&vec![0.1_f32; 10_000_000]);
    println!("in pairs            {sum:.1}");
    assert!((sum - 1_000_000.0).abs() < 1.0);
}

/// env: RAYON_NUM_THREADS=1
pub fn one_thread() {
    let sum = Tensor::arange(3_000_000).sin().sum(()).item::<f32>();
    println!("one thread:  {sum} {:08x}", sum.to_bits());
}

/// env: RAYON_NUM_THREADS=3
pub fn three_threads() {
    let sum = Tensor::arange(3_000_000).sin().sum(()).item::<f32>();
    println!("three:       {sum} {:08x}", sum.to_bits());
}

pub fn types() {
    let ones = Tensor::ones([300]);
    println!("300 ones of uint8:   {:?}", ones.cast(DType::Uint8).sum(()));
    let halves = Tensor::ones([3000]).cast(DType::Float16);
    println!("3000 ones, float16:  {}", halves.sum(()).item::<f32>());
    println!("sum of nothing:      {}", Tensor::zeros([0]).sum(()).item::<f32>());
    println!("max with a NaN:      {}", Tensor::from([1.0, f32::NAN, 3.0]).max(()).item::<f32>());
}

pub fn naive() {
    let x = Tensor::from([1.0, 2.0, 3.0]);
    let softmax = |x: &Tensor| x.exp() / x.exp().sum(());
    println!("{:?}", softmax(&x).to_vec::<f32>());
    println!("{:?}", softmax(&(&x + 100.0)).to_vec::<f32>());
    println!("{:?}", x.softmax(-1).to_vec::<f32>());
    println!("{:?}", (&x + 100.0).softmax(-1).to_vec::<f32>());
}

pub fn loss() {
    let logits = Tensor::from([0.0, 200.0]);
    println!("ln softmax:  {:?}", logits.softmax(-1).log().to_vec::<f32>());
    println!("log_softmax: {:?}", logits.log_softmax(-1).to_vec::<f32>());
}

pub fn gradient() {
    let x = Tensor::from([[1.0, 2.0, 3.0]]).requires_grad(true);
    let labels = Tensor::from([1]);
    let loss = x.sparse_categorical_crossentropy(&labels, -1);
    loss.backward();
    println!("gradient:             {:.4?}", x.grad().unwrap().to_vec::<f32>());
    let expected = x.detach().softmax(-1) - Tensor::from([[0.0, 1.0, 0.0]]);
    println!("softmax − the answer: {:.4?}", expected.to_vec::<f32>());
    for (a, b) in x.grad().unwrap().to_vec::<f32>().iter().zip(expected.to_vec::<f32>()) {
        assert!((a - b).abs() < 1e-6);
    }
}

/// env: DEBUG=2
pub fn kernel() {
    let x = Tensor::rand([1024, 1024]).realize();
    part!("softmax");
    x.softmax(-1).realize();
    part!("columns");
    x.sum(0).realize();
    part!("rows");
    x.sum(1).realize();
}

pub fn shift() {
    let x = Tensor::rand([8, 16]).realize();
    picture!("kernels", x.softmax(-1).kernel_graph());
}
