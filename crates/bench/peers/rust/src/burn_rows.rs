//! burn, with its flex backend.

use crate::{Case, Row, numbers};
use burn::module::{Module, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::module::{attention, conv2d, embedding, layer_norm, linear};
use burn::tensor::ops::{AttentionModuleOptions, ConvOptions};
use burn::tensor::{DType, Device, Int, Tensor, TensorData, activation};

const N: usize = 4096;

fn device() -> Device {
    Device::flex()
}

fn tensor<const D: usize>(seed: u32, shape: [usize; D], scale: f32) -> Tensor<D> {
    let values = numbers::floats(seed, shape.iter().product(), scale);
    Tensor::from_data(TensorData::new(values, shape), &device())
}

fn labels<const D: usize>(seed: u32, shape: [usize; D], below: u32, device: &Device) -> Tensor<D, Int> {
    let values = numbers::integers(seed, shape.iter().product(), below);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The mean of |x|.
fn magnitude<const D: usize>(x: &Tensor<D>) -> f64 {
    let values: Vec<f32> = x.clone().cast(DType::F32).into_data().iter::<f32>().collect();
    values.iter().map(|&x| f64::from(x.abs())).sum::<f64>() / values.len() as f64
}

fn case<const D: usize>(flops: usize, mut run: impl FnMut() -> Tensor<D> + 'static) -> Case {
    Case {
        run: Box::new(move |digest| {
            let result = run();
            if digest { vec![magnitude(&result)] } else { Vec::new() }
        }),
        flops: flops as f64,
        steps: false,
    }
}

// ---- Training steps --------------------------------------------------

/// Weights one after the other, each from a seed of its own, as in the bench.
struct Weights {
    device: Device,
    seeds: u32,
}

impl Weights {
    fn new() -> Weights {
        Weights {
            device: device().autodiff(),
            seeds: 0,
        }
    }

    fn uniform<const D: usize>(&mut self, shape: [usize; D], fan_in: usize) -> Param<Tensor<D>> {
        self.seeds += 1;
        let scale = (1.0 / fan_in as f32).sqrt();
        let values = numbers::floats(100 + self.seeds, shape.iter().product(), scale);
        Param::from_data(TensorData::new(values, shape), &self.device)
    }

    fn constant(&mut self, n: usize, value: f32) -> Param<Tensor<1>> {
        Param::from_data(TensorData::new(vec![value; n], [n]), &self.device)
    }
}

/// A step: `forward` gives logits [n, classes], and `y` the right answers [n].
fn step<M: Module + 'static>(
    model: M,
    mut optimizer: ModuleOptimizer,
    y: Tensor<1, Int>,
    forward: impl Fn(&M) -> Tensor<2> + 'static,
) -> Case {
    let loss = CrossEntropyLossConfig::new().init(&device().autodiff());
    let mut model = Some(model);
    let run = move |_| {
        let before = model.take().expect("each step puts it back");
        let loss = loss.forward(forward(&before), y.clone());
        let grads = GradientsParams::from_grads(loss.backward(), &before);
        model = Some(optimizer.step(1e-3, before, grads));
        vec![f64::from(loss.into_scalar::<f32>())]
    };
    Case {
        run: Box::new(run),
        flops: 0.0,
        steps: true,
    }
}

/// Adam with everyone else's epsilon.
fn adam() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

fn digits() -> (Tensor<2>, Tensor<1, Int>) {
    let device = device().autodiff();
    let x = numbers::floats(1, 128 * 784, 1.0);
    (Tensor::from_data(TensorData::new(x, [128, 784]), &device), labels(2, [128], 10, &device))
}

#[derive(Module, Debug)]
struct Mlp {
    l1: Param<Tensor<2>>,
    l2: Param<Tensor<2>>,
}

fn mlp() -> Case {
    let mut weights = Weights::new();
    let model = Mlp {
        l1: weights.uniform([784, 128], 784),
        l2: weights.uniform([128, 10], 128),
    };
    let (x, y) = digits();
    step(model, adam(), y, move |model: &Mlp| {
        activation::relu(x.clone().matmul(model.l1.val())).matmul(model.l2.val())
    })
}

#[derive(Module, Debug)]
struct ConvNet {
    c1: Param<Tensor<4>>,
    c2: Param<Tensor<4>>,
    l1: Param<Tensor<2>>,
}

fn convnet(channels1: usize, channels2: usize) -> Case {
    let mut weights = Weights::new();
    let model = ConvNet {
        c1: weights.uniform([channels1, 1, 3, 3], 9),
        c2: weights.uniform([channels2, channels1, 3, 3], channels1 * 9),
        l1: weights.uniform([channels2 * 25, 10], channels2 * 25),
    };
    let (x, y) = digits();
    let pool = MaxPool2dConfig::new([2, 2]).init();
    step(model, adam(), y, move |model: &ConvNet| {
        let options = || ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        let x = conv2d(x.clone().reshape([128, 1, 28, 28]), model.c1.val(), None, options());
        let x = conv2d(pool.forward(activation::relu(x)), model.c2.val(), None, options());
        pool.forward(activation::relu(x)).flatten::<2>(1, 3).matmul(model.l1.val())
    })
}

#[derive(Module, Debug)]
struct Linear {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Linear {
    fn new(weights: &mut Weights, from: usize, to: usize) -> Linear {
        Linear {
            weight: weights.uniform([from, to], from),
            bias: weights.constant(to, 0.0),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        linear(x, self.weight.val(), Some(self.bias.val()))
    }
}

#[derive(Module, Debug)]
struct Norm {
    gain: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
}

impl Norm {
    fn new(weights: &mut Weights, width: usize) -> Norm {
        Norm {
            gain: weights.constant(width, 1.0),
            bias: weights.constant(width, 0.0),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        layer_norm(x, self.gain.val(), Some(self.bias.val()), 1e-5)
    }
}

#[derive(Module, Debug)]
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

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = x.clone() + self.attention(self.norm1.forward(x));
        let hidden = activation::gelu_approximate(self.hidden.forward(self.norm2.forward(x.clone())));
        x + self.out.forward(hidden)
    }

    fn attention(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, time, width] = x.dims();
        let (heads, each) = (4, width / 4);
        let qkv = self.qkv.forward(x).reshape([batch, time, 3, heads, each]).permute([2, 0, 3, 1, 4]);
        let part = |i: usize| qkv.clone().narrow(0, i, 1).squeeze_dim::<4>(0);
        let options = AttentionModuleOptions {
            is_causal: true,
            ..Default::default()
        };
        let mixed = attention(part(0), part(1), part(2), None, None, options);
        self.joined.forward(mixed.swap_dims(1, 2).reshape([batch, time, width]))
    }
}

#[derive(Module, Debug)]
struct Gpt {
    tokens: Param<Tensor<2>>,
    positions: Param<Tensor<2>>,
    blocks: Vec<Block>,
    norm: Norm,
    head: Param<Tensor<2>>,
}

fn gpt() -> Case {
    let (width, context, vocabulary, batch) = (256, 128, 512, 8);
    let mut weights = Weights::new();
    let model = Gpt {
        tokens: weights.uniform([vocabulary, width], width),
        positions: weights.uniform([context, width], width),
        blocks: (0..4).map(|_| Block::new(&mut weights, width)).collect(),
        norm: Norm::new(&mut weights, width),
        head: weights.uniform([width, vocabulary], width),
    };
    let ids = labels(1, [batch, context], vocabulary as u32, &weights.device);
    let next = labels(2, [batch * context], vocabulary as u32, &weights.device);
    let adamw = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.01).init();
    step(model, adamw, next, move |model: &Gpt| {
        let mut x = embedding(model.tokens.val(), ids.clone()) + model.positions.val().unsqueeze::<3>();
        for block in &model.blocks {
            x = block.forward(x);
        }
        linear(model.norm.forward(x), model.head.val(), None).reshape([batch * context, vocabulary])
    })
}

// ---- Products --------------------------------------------------------

fn binary<const D: usize>(
    shape_a: [usize; D],
    shape_b: [usize; D],
    flops: usize,
    f: fn(Tensor<D>, Tensor<D>) -> Tensor<D>,
) -> Case {
    let (a, b) = (tensor(1, shape_a, 1.0), tensor(2, shape_b, 1.0));
    case(flops, move || f(a.clone(), b.clone()))
}

fn matmul(n: usize) -> Case {
    binary([n, n], [n, n], 2 * n * n * n, Tensor::matmul)
}

/// Channels, side, filters, kernel, stride, groups.
type Sizes = [usize; 6];
const STEM: Sizes = [3, 224, 64, 7, 2, 1];
const MIDDLE: Sizes = [64, 56, 64, 3, 1, 1];
const DEPTHWISE: Sizes = [128, 28, 128, 3, 1, 128];

fn conv([channels, side, filters, kernel, stride, groups]: Sizes, backward: bool) -> Case {
    let out = (side - 1) / stride + 1;
    let x = tensor(1, [8, channels, side, side], 1.0);
    let weight = tensor(2, [filters, channels / groups, kernel, kernel], 1.0);
    let flops = 2 * 8 * filters * out * out * channels / groups * kernel * kernel;
    let forward = move |x: Tensor<4>, weight: Tensor<4>| {
        let padding = [kernel / 2; 2];
        conv2d(x, weight, None, ConvOptions::new([stride; 2], padding, [1, 1], groups))
    };
    if !backward {
        return case(flops, move || forward(x.clone(), weight.clone()));
    }
    let slope = tensor(3, [8, filters, out, out], 1.0).autodiff();
    let (x, weight) = (x.autodiff().require_grad(), weight.autodiff().require_grad());
    let run = move |digest: bool| {
        let y = forward(x.clone(), weight.clone());
        // There is no way in for a gradient of y but a loss.
        let grads = (y.clone() * slope.clone()).sum().backward();
        let (dx, dw) = (x.grad(&grads), weight.grad(&grads));
        let (dx, dw) = (dx.expect("a gradient"), dw.expect("a gradient"));
        if digest {
            vec![magnitude(&y.inner()), magnitude(&dx), magnitude(&dw)]
        } else {
            Vec::new()
        }
    };
    Case {
        run: Box::new(run),
        flops: 3.0 * flops as f64,
        steps: false,
    }
}

// ---- Streams ---------------------------------------------------------

fn unary<const D: usize>(scale: f32, f: fn(Tensor<2>) -> Tensor<D>) -> Case {
    let x = tensor(1, [N, N], scale);
    case(0, move || f(x.clone()))
}

fn log_softmax_bwd() -> Case {
    let x = tensor(1, [N, N], 4.0).autodiff().require_grad();
    let slope = tensor(2, [N, N], 1.0).autodiff();
    let run = move |digest: bool| {
        let y = activation::log_softmax(x.clone(), 1);
        let grads = (y.clone() * slope.clone()).sum().backward();
        let dx = x.grad(&grads).expect("a gradient");
        if digest {
            vec![magnitude(&y.inner()), magnitude(&dx)]
        } else {
            Vec::new()
        }
    };
    Case {
        run: Box::new(run),
        flops: 0.0,
        steps: false,
    }
}

fn layernorm() -> Case {
    let x = tensor(1, [N, N], 4.0);
    let gain: Tensor<1> = Tensor::ones([N], &device());
    case(0, move || layer_norm(x.clone(), gain.clone(), None, 1e-5))
}

fn max_pool() -> Case {
    let x = tensor(1, [8, 64, 56, 56], 1.0);
    let pool = MaxPool2dConfig::new([2, 2]).init();
    case(0, move || pool.forward(x.clone()))
}

fn gather() -> Case {
    let table = tensor(1, [50_000, 512], 1.0);
    let ids = labels(2, [8192], 50_000, &device());
    case(0, move || table.clone().select(0, ids.clone()))
}

// ---- Engine ----------------------------------------------------------

fn graph() -> Case {
    let x = tensor(1, [4], 1.0);
    case(0, move || {
        let mut y = x.clone();
        for _ in 0..1000 {
            y = y + x.clone();
        }
        y
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
    ("matmul_tn_1024", || binary([1024, 1024], [1024, 1024], 2 << 30, |a, b| a.transpose().matmul(b))),
    ("bmm_64x128x64x128", || {
        binary([64, 128, 64], [64, 64, 128], 2 * 64 * 128 * 64 * 128, Tensor::matmul)
    }),
    ("matvec_4096", || binary([N, N], [N, 1], 2 * N * N, Tensor::matmul)),
    ("conv_fwd_3x224s2", || conv(STEM, false)),
    ("conv_fwd_64x56", || conv(MIDDLE, false)),
    ("conv_fwd_dw128x28", || conv(DEPTHWISE, false)),
    ("conv_bwd_3x224s2", || conv(STEM, true)),
    ("conv_bwd_64x56", || conv(MIDDLE, true)),
    ("conv_bwd_dw128x28", || conv(DEPTHWISE, true)),
    ("add_4096", || binary([N, N], [N, N], 0, |a, b| a + b)),
    ("chain_4096", || unary(1.0, |a| activation::relu(a * 2 + 1).neg().exp().sum())),
    ("softmax_4096", || unary(4.0, |x| activation::softmax(x, 1))),
    ("log_softmax_bwd_4096", log_softmax_bwd),
    ("gelu_4096", || unary(4.0, activation::gelu_approximate)),
    ("layernorm_4096", layernorm),
    ("sum_4096", || unary(1.0, |x| x.sum())),
    ("sum_axis0_4096", || unary(1.0, |x| x.sum_dim(0))),
    ("max_pool_64x56", max_pool),
    ("cumsum_4096", || unary(4.0, |x| x.cumsum(1))),
    ("gather_embedding", gather),
    ("graph_1000", graph),
    ("cast_f16_4096", || unary(4.0, |x| x.cast(DType::F16))),
];
