use teenygrad::mlops::*;
use teenygrad::*;
#[test]
fn smoke() {
    let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).requires_grad(true);
    let s = Tensor::apply(binary::Mul::default(), &[&x, &x]);
    let y = Tensor::apply(reduce::Sum::new(vec![0, 1]), &[&s]);
    println!("{:?}", y.shape());
    y.backward();
    assert_eq!(y.item::<f32>(), 91.0);
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
}
#[test]
fn deep() {
    std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
        let one = Tensor::from([1.0, 2.0]);
        let x = Tensor::from([1.0, 2.0]).requires_grad(true);
        let mut y = x.clone();
        for _ in 0..100_000 { y = Tensor::apply(binary::Add, &[&y, &one]); }
        let y = Tensor::apply(reduce::Sum::new(vec![0]), &[&y]);
        let y = Tensor::apply(movement::Reshape::new(vec![]), &[&y]);
        y.backward();
        let t = std::time::Instant::now();
        assert_eq!(y.item::<f32>(), 300003.0);
        println!("{:?}", t.elapsed());
        assert_eq!(x.grad().unwrap().to_vec::<f32>(), [1.0, 1.0]);
    }).unwrap().join().unwrap();
}
