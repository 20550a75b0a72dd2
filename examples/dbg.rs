use teenygrad::nn::optim::*;
use teenygrad::*;
fn count(name: &str, ts: &[&Tensor]) {
    let l: Vec<_> = ts.iter().map(|t| t.lazydata()).collect();
    let p = teenygrad::schedule::plan(&l);
    println!("== {name}: {} kernels", p.len());
    if std::env::var("V").is_ok_and(|v| name.contains(&v)) {
        for k in p.kernels() {
            println!("{k}");
        }
    }
    for s in &p.steps {
        println!(
            "     {} {} in {:?} out {:?}",
            s.program.kernel().name,
            s.program.strategy(),
            s.inputs,
            s.outputs
        );
    }
}
fn main() {
    Tensor::manual_seed(1);
    let r = |s: &[usize]| Tensor::rand(s).realize();
    let x = r(&[64, 100]);
    count("softmax", &[&x.softmax(-1)]);
    count("log_softmax", &[&x.log_softmax(-1)]);
    count("layernorm", &[&x.layernorm(-1, 1e-5)]);
    count("gelu", &[&x.gelu()]);
    count("chain", &[&(((&x * 2.0) + 1.0).relu().neg().exp().sum(()))]);
    let w = r(&[100, 32]);
    let b = r(&[32]);
    count("linear relu", &[&x.linear(&w, Some(&b)).relu()]);
    let img = r(&[4, 3, 12, 12]);
    let cw = r(&[8, 3, 3, 3]);
    let cb = r(&[8]);
    count("conv bias relu", &[&img.conv2d(&cw, Some(&cb)).relu()]);
    let im = img.clone().requires_grad(true);
    let cw2 = cw.clone().requires_grad(true);
    let y = im.conv2d(&cw2, Some(&cb)).relu().sum(());
    y.backward();
    count(
        "conv backward",
        &[&im.grad().unwrap(), &cw2.grad().unwrap()],
    );
    // step
    for (c1, c2) in [(8, 16)] {
        let p = vec![
            r(&[c1, 1, 3, 3]),
            r(&[c2, c1, 3, 3]),
            r(&[400 / 16 * c2, 10]),
        ];
        let mut opt = Adam::new(p.clone(), 0.001);
        let x = r(&[128, 784]);
        let yv: Vec<u8> = (0..128).map(|i| (i % 10) as u8).collect();
        let yt = Tensor::from_slice(&yv, [128]);
        for _ in 0..5 {
            let t = std::time::Instant::now();
            let out = x
                .reshape([-1, 1, 28, 28])
                .conv2d(&p[0], None)
                .relu()
                .max_pool2d([2, 2])
                .conv2d(&p[1], None)
                .relu()
                .max_pool2d([2, 2])
                .reshape([128, -1])
                .dot(&p[2])
                .log_softmax(-1);
            let loss = out.sparse_categorical_crossentropy(&yt, -1);
            opt.zero_grad();
            loss.backward();
            let g: Vec<_> = p.iter().map(|p| p.grad().unwrap()).collect();
            if std::env::var("G").is_ok() {
                count("tinyconv grads", &[&loss, &g[0], &g[1], &g[2]]);
            }
            opt.step();
            println!("{} {:?}", loss.item::<f32>(), t.elapsed());
        }
    }
}
