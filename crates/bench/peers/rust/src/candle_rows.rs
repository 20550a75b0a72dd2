//! candle. What it has a fused function for uses that, unless a gradient is needed, which those don't have.

use crate::{Case, Row, numbers};
use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};
use candle_nn::{loss, ops};

const N: usize = 4096;

fn tensor(seed: u32, shape: &[usize], scale: f32) -> Tensor {
    let values = numbers::floats(seed, shape.iter().product(), scale);
    Tensor::from_vec(values, shape, &Device::Cpu).expect("as many numbers as the shape has")
}

fn labels(seed: u32, shape: &[usize], below: u32) -> Tensor {
    let values = numbers::integers(seed, shape.iter().product(), below);
    let values: Vec<u32> = values.into_iter().map(|value| value as u32).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("as many numbers as the shape has")
}

/// The mean of |x|.
fn magnitude(x: &Tensor) -> f64 {
    let mean = || x.to_dtype(DType::F64)?.abs()?.mean_all()?.to_scalar::<f64>();
    mean().expect("any tensor has a mean")
}

fn case(flops: usize, mut run: impl FnMut() -> Result<Vec<Tensor>> + 'static) -> Case {
    Case {
        run: Box::new(move |digest| {
            let results = run().expect("shapes that fit");
            if digest {
                results.iter().map(magnitude).collect()
            } else {
                Vec::new()
            }
        }),
        flops: flops as f64,
        steps: false,
    }
}

// ---- Training steps --------------------------------------------------

/// Weights one after the other, each from a seed of its own, as in the bench.
#[derive(Default)]
struct Weights {
    vars: Vec<Var>,
    seeds: u32,
}

impl Weights {
    fn uniform(&mut self, shape: &[usize], fan_in: usize) -> Tensor {
        self.seeds += 1;
        self.kept(tensor(100 + self.seeds, shape, (1.0 / fan_in as f32).sqrt()))
    }

    fn constant(&mut self, shape: &[usize], value: f32) -> Tensor {
        let values = vec![value; shape.iter().product()];
        self.kept(Tensor::from_vec(values, shape, &Device::Cpu).expect("as many as the shape has"))
    }

    fn kept(&mut self, values: Tensor) -> Tensor {
        let var = Var::from_tensor(&values).expect("a copy");
        let tensor = var.as_tensor().clone();
        self.vars.push(var);
        tensor
    }
}

fn step(
    weights: Weights,
    weight_decay: f64,
    [x, y]: [Tensor; 2],
    forward: impl Fn(&Tensor) -> Result<Tensor> + 'static,
) -> Case {
    let params = ParamsAdamW {
        lr: 1e-3,
        weight_decay,
        ..ParamsAdamW::default()
    };
    let mut adam = AdamW::new(weights.vars, params).expect("moments of zeros");
    let mut run = move || -> Result<f32> {
        let loss = loss::cross_entropy(&forward(&x)?, &y)?;
        adam.backward_step(&loss)?;
        loss.to_scalar()
    };
    Case {
        run: Box::new(move |_| vec![f64::from(run().expect("shapes that fit"))]),
        flops: 0.0,
        steps: true,
    }
}

fn digits() -> [Tensor; 2] {
    [tensor(1, &[128, 784], 1.0), labels(2, &[128], 10)]
}

fn mlp() -> Case {
    let mut weights = Weights::default();
    let (l1, l2) = (weights.uniform(&[784, 128], 784), weights.uniform(&[128, 10], 128));
    step(weights, 0.0, digits(), move |x| x.matmul(&l1)?.relu()?.matmul(&l2))
}

/// The largest of each window of 2×2, where a gradient is needed. candle's `max_pool2d` has a gradient that is a quarter of what it should
/// be wherever a window has one maximum (0.11: it multiplies by the mean of the mask, where it would have to divide by its sum), and our
/// digests told: the losses of six steps differed.
fn pooled(x: &Tensor) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    let x = x.narrow(2, 0, h / 2 * 2)?.narrow(3, 0, w / 2 * 2)?;
    x.reshape((n, c, h / 2, 2, w / 2, 2))?.max(5)?.max(3)
}

fn convnet(channels1: usize, channels2: usize) -> Case {
    let mut weights = Weights::default();
    let c1 = weights.uniform(&[channels1, 1, 3, 3], 9);
    let c2 = weights.uniform(&[channels2, channels1, 3, 3], channels1 * 9);
    let l1 = weights.uniform(&[channels2 * 25, 10], channels2 * 25);
    step(weights, 0.0, digits(), move |x| {
        let x = pooled(&x.reshape(((), 1, 28, 28))?.conv2d(&c1, 0, 1, 1, 1)?.relu()?)?;
        let x = pooled(&x.conv2d(&c2, 0, 1, 1, 1)?.relu()?)?;
        x.flatten_from(1)?.matmul(&l1)
    })
}

struct Linear(Tensor, Tensor);

impl Linear {
    fn new(weights: &mut Weights, from: usize, to: usize) -> Linear {
        Linear(weights.uniform(&[from, to], from), weights.constant(&[to], 0.0))
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.broadcast_matmul(&self.0)?.broadcast_add(&self.1)
    }
}

struct Norm(Tensor, Tensor);

impl Norm {
    fn new(weights: &mut Weights, width: usize) -> Norm {
        Norm(weights.constant(&[width], 1.0), weights.constant(&[width], 0.0))
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::layer_norm_slow(x, &self.0, &self.1, 1e-5)
    }
}

struct Block {
    norm1: Norm,
    qkv: Linear,
    joined: Linear,
    norm2: Norm,
    hidden: Linear,
    out: Linear,
}

impl Block {
    fn new(weights: &mut Weights, width: usize) -> Block {
        Block {
            norm1: Norm::new(weights, width),
            qkv: Linear::new(weights, width, 3 * width),
            joined: Linear::new(weights, width, width),
            norm2: Norm::new(weights, width),
            hidden: Linear::new(weights, width, 4 * width),
            out: Linear::new(weights, 4 * width, width),
        }
    }

    fn forward(&self, x: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let x = (x + self.attention(&self.norm1.forward(x)?, mask)?)?;
        let hidden = self.hidden.forward(&self.norm2.forward(&x)?)?.gelu()?;
        &x + self.out.forward(&hidden)?
    }

    fn attention(&self, x: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let (batch, time, width) = x.dims3()?;
        let (heads, each) = (4, width / 4);
        let qkv = self.qkv.forward(x)?.reshape((batch, time, 3, heads, each))?.permute((2, 0, 3, 1, 4))?;
        let (q, k, v) = (qkv.get(0)?.contiguous()?, qkv.get(1)?.contiguous()?, qkv.get(2)?.contiguous()?);
        let scores = (q.matmul(&k.transpose(2, 3)?.contiguous()?)? / (each as f64).sqrt())?;
        let mixed = ops::softmax(&scores.broadcast_add(mask)?, D::Minus1)?.matmul(&v)?;
        self.joined.forward(&mixed.transpose(1, 2)?.reshape((batch, time, width))?)
    }
}

fn gpt() -> Case {
    let (width, context, vocabulary, batch) = (256, 128, 512, 8);
    let mut weights = Weights::default();
    let tokens = weights.uniform(&[vocabulary, width], width);
    let positions = weights.uniform(&[context, width], width);
    let blocks: Vec<Block> = (0..4).map(|_| Block::new(&mut weights, width)).collect();
    let norm = Norm::new(&mut weights, width);
    let head = weights.uniform(&[width, vocabulary], width);
    let mask: Vec<f32> = (0..context * context)
        .map(|i| if i % context > i / context { f32::NEG_INFINITY } else { 0.0 })
        .collect();
    let mask = Tensor::from_vec(mask, (context, context), &Device::Cpu).expect("a square");
    let shape = [batch, context];
    let next = labels(2, &[batch * context], vocabulary as u32);
    step(weights, 0.01, [labels(1, &shape, vocabulary as u32), next], move |ids| {
        let mut x = tokens.embedding(&ids.flatten_all()?)?.reshape((batch, context, width))?.broadcast_add(&positions)?;
        for block in &blocks {
            x = block.forward(&x, &mask)?;
        }
        norm.forward(&x)?.broadcast_matmul(&head)?.reshape((batch * context, vocabulary))
    })
}

// ---- Products --------------------------------------------------------

fn binary(
    shape_a: &[usize],
    shape_b: &[usize],
    flops: usize,
    f: fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Case {
    let (a, b) = (tensor(1, shape_a, 1.0), tensor(2, shape_b, 1.0));
    case(flops, move || Ok(vec![f(&a, &b)?]))
}

fn matmul(n: usize) -> Case {
    binary(&[n, n], &[n, n], 2 * n * n * n, |a, b| a.matmul(b))
}

/// Channels, side, filters, kernel, stride, groups.
type Sizes = [usize; 6];
const STEM: Sizes = [3, 224, 64, 7, 2, 1];
const MIDDLE: Sizes = [64, 56, 64, 3, 1, 1];
const DEPTHWISE: Sizes = [128, 28, 128, 3, 1, 128];

fn conv([channels, side, filters, kernel, stride, groups]: Sizes, backward: bool) -> Case {
    let out = (side - 1) / stride + 1;
    let x = tensor(1, &[8, channels, side, side], 1.0);
    let weight = tensor(2, &[filters, channels / groups, kernel, kernel], 1.0);
    let flops = 2 * 8 * filters * out * out * channels / groups * kernel * kernel;
    if !backward {
        return case(flops, move || Ok(vec![x.conv2d(&weight, kernel / 2, stride, 1, groups)?]));
    }
    let slope = tensor(3, &[8, filters, out, out], 1.0);
    let (x, weight) = (Var::from_tensor(&x).expect("a copy"), Var::from_tensor(&weight).expect("a copy"));
    case(3 * flops, move || {
        let y = x.conv2d(&weight, kernel / 2, stride, 1, groups)?;
        // There is no way in for a gradient of y but a loss.
        let grads = (&y * &slope)?.sum_all()?.backward()?;
        let grad = |var: &Var| grads.get(var).expect("a variable's gradient").clone();
        Ok(vec![y.detach(), grad(&x), grad(&weight)])
    })
}

// ---- Streams ---------------------------------------------------------

fn unary(scale: f32, f: fn(&Tensor) -> Result<Tensor>) -> Case {
    let x = tensor(1, &[N, N], scale);
    case(0, move || Ok(vec![f(&x)?]))
}

fn log_softmax_bwd() -> Case {
    let x = Var::from_tensor(&tensor(1, &[N, N], 4.0)).expect("a copy");
    let slope = tensor(2, &[N, N], 1.0);
    case(0, move || {
        let y = ops::log_softmax(x.as_tensor(), D::Minus1)?;
        let grads = (&y * &slope)?.sum_all()?.backward()?;
        Ok(vec![y.detach(), grads.get(&x).expect("a variable's gradient").clone()])
    })
}

fn layernorm() -> Case {
    let x = tensor(1, &[N, N], 4.0);
    let (gain, bias) = (
        Tensor::ones(N, DType::F32, &Device::Cpu).expect("ones"),
        Tensor::zeros(N, DType::F32, &Device::Cpu).expect("zeros"),
    );
    case(0, move || Ok(vec![ops::layer_norm(&x, &gain, &bias, 1e-5)?]))
}

fn max_pool() -> Case {
    let x = tensor(1, &[8, 64, 56, 56], 1.0);
    case(0, move || Ok(vec![x.max_pool2d(2)?]))
}

fn gather() -> Case {
    let (table, ids) = (tensor(1, &[50_000, 512], 1.0), labels(2, &[8192], 50_000));
    case(0, move || Ok(vec![table.embedding(&ids)?]))
}

// ---- Engine ----------------------------------------------------------

fn adam() -> Case {
    let params: Vec<Var> = (0..50)
        .map(|i| Var::from_tensor(&tensor(1 + i, &[200_000], 1.0)).expect("a copy"))
        .collect();
    // Gradients of Σ p·g are g.
    let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu).expect("zero");
    for (i, param) in (0..).zip(&params) {
        let slope = tensor(1001 + i, &[200_000], 1.0);
        loss = (loss + (param.as_tensor() * slope).expect("the same shape").sum_all().expect("a sum")).expect("scalars");
    }
    let grads = loss.backward().expect("a scalar");
    let options = ParamsAdamW {
        lr: 1e-3,
        weight_decay: 0.0,
        ..ParamsAdamW::default()
    };
    let mut adam = AdamW::new(params.clone(), options).expect("moments of zeros");
    case(0, move || {
        adam.step(&grads)?;
        Ok(vec![params[0].as_tensor().clone()])
    })
}

fn graph() -> Case {
    let x = tensor(1, &[4], 1.0);
    case(0, move || {
        let mut y = x.clone();
        for _ in 0..1000 {
            y = (y + &x)?;
        }
        Ok(vec![y])
    })
}

pub const ROWS: &[Row] = &[
    ("mlp_step", mlp),
    ("tinyconv_step", || convnet(8, 16)),
    ("bigconv_step", || convnet(32, 64)),
    ("gpt_step", gpt),
    ("matmul_256", || matmul(256)),
    ("matmul_512", || matmul(512)),
    ("matmul_1024", || matmul(1024)),
    ("matmul_2048", || matmul(2048)),
    ("matmul_tn_1024", || binary(&[1024, 1024], &[1024, 1024], 2 << 30, |a, b| a.t()?.matmul(b))),
    ("bmm_64x128x64x128", || {
        binary(&[64, 128, 64], &[64, 64, 128], 2 * 64 * 128 * 64 * 128, |a, b| a.matmul(b))
    }),
    ("matvec_4096", || binary(&[N, N], &[N], 2 * N * N, |a, v| a.mv(v))),
    ("conv_fwd_3x224s2", || conv(STEM, false)),
    ("conv_fwd_64x56", || conv(MIDDLE, false)),
    ("conv_fwd_dw128x28", || conv(DEPTHWISE, false)),
    ("conv_bwd_3x224s2", || conv(STEM, true)),
    ("conv_bwd_64x56", || conv(MIDDLE, true)),
    ("conv_bwd_dw128x28", || conv(DEPTHWISE, true)),
    ("add_4096", || binary(&[N, N], &[N, N], 0, |a, b| a + b)),
    ("chain_4096", || unary(1.0, |a| ((a * 2.0)? + 1.0)?.relu()?.neg()?.exp()?.sum_all())),
    ("softmax_4096", || unary(4.0, ops::softmax_last_dim)),
    ("log_softmax_bwd_4096", log_softmax_bwd),
    ("gelu_4096", || unary(4.0, Tensor::gelu)),
    ("layernorm_4096", layernorm),
    ("sum_4096", || unary(1.0, Tensor::sum_all)),
    ("sum_axis0_4096", || unary(1.0, |x| x.sum(0))),
    ("max_pool_64x56", max_pool),
    ("transpose_4096", || unary(4.0, |x| x.t()?.contiguous())),
    ("gather_embedding", gather),
    ("adam_10m", adam),
    ("graph_1000", graph),
    ("cast_f16_4096", || unary(4.0, |x| x.to_dtype(DType::F16))),
];
