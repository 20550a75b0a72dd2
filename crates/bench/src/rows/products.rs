//! # rows/products: matrix products and convolutions
//!
//! Arithmetic is what takes the time: a product of [m, k] and [k, n] has 2·m·k·n operations, a convolution 2 for each output element,
//! input channel and place in the kernel. Backward is as much again for each of the two gradients.

use crate::case::{Case, Expected, Setup, Work};
use teenygrad::Tensor;
use teenygrad::tensor::conv::Conv;

// ---- Matrix products -------------------------------------------------

pub fn matmul(setup: Setup, n: usize) -> Case {
    let n = setup.size(n, n / 16 + 3);
    let (a, b) = (
        setup.numbers(1, &[n, n], 1.0),
        setup.numbers(2, &[n, n], 1.0),
    );
    Case::new([n, n], Work::flops(2 * n * n * n), move || {
        a.matmul(&b).realize()
    })
}

pub fn matmul_tn(setup: Setup) -> Case {
    let n = setup.size(1024, 67);
    let (a, b) = (
        setup.numbers(1, &[n, n], 1.0),
        setup.numbers(2, &[n, n], 1.0),
    );
    Case::new([n, n], Work::flops(2 * n * n * n), move || {
        a.t().matmul(&b).realize()
    })
}

pub fn bmm(setup: Setup) -> Case {
    let (batch, m, k) = (setup.size(64, 3), setup.size(128, 17), setup.size(64, 9));
    let (a, b) = (
        setup.numbers(1, &[batch, m, k], 1.0),
        setup.numbers(2, &[batch, k, m], 1.0),
    );
    Case::new(
        [batch, m, m],
        Work::flops(2 * batch * m * k * m),
        move || a.matmul(&b).realize(),
    )
}

pub fn matvec(setup: Setup) -> Case {
    let n = setup.size(4096, 65);
    let (a, v) = (setup.numbers(1, &[n, n], 1.0), setup.numbers(2, &[n], 1.0));
    let work = Work {
        flops: 2.0 * (n * n) as f64,
        ..Work::floats(n * n)
    };
    Case::new([n], work, move || a.matmul(&v).realize())
}

// ---- Convolutions ----------------------------------------------------

/// A convolution of [8, channels, side, side] with square filters, padded so that stride 1 keeps the side.
#[derive(Clone, Copy)]
pub struct Sizes {
    channels: usize,
    side: usize,
    filters: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
}

/// The first layer of most networks for pictures.
pub const STEM: Sizes = Sizes {
    channels: 3,
    side: 224,
    filters: 64,
    kernel: 7,
    stride: 2,
    groups: 1,
};

/// A layer in their middle.
pub const MIDDLE: Sizes = Sizes {
    channels: 64,
    side: 56,
    filters: 64,
    kernel: 3,
    stride: 1,
    groups: 1,
};

/// A layer that leaves channels apart.
pub const DEPTHWISE: Sizes = Sizes {
    channels: 128,
    side: 28,
    filters: 128,
    kernel: 3,
    stride: 1,
    groups: 128,
};

/// A convolution made ready.
struct Ready {
    x: Tensor,
    weight: Tensor,
    options: Conv,
    /// [n, filters, side, side]
    shape: [usize; 4],
    flops: usize,
}

impl Ready {
    fn new(setup: Setup, sizes: Sizes) -> Ready {
        let n = setup.size(8, 1);
        let side = setup.size(sizes.side, sizes.side / 28 + 3);
        let (per_group, filters) = (sizes.channels / sizes.groups, sizes.filters);
        let area = sizes.kernel * sizes.kernel;
        let out = (side - 1) / sizes.stride + 1;
        let weight = [filters, per_group, sizes.kernel, sizes.kernel];
        Ready {
            x: setup.numbers(1, &[n, sizes.channels, side, side], 1.0),
            weight: setup.numbers(2, &weight, 1.0),
            options: Conv::default()
                .groups(sizes.groups)
                .stride(sizes.stride)
                .padding(sizes.kernel / 2),
            shape: [n, filters, out, out],
            flops: 2 * n * filters * out * out * per_group * area,
        }
    }

    fn forward(&self) -> Tensor {
        self.x.conv2d_with(&self.weight, None, self.options.clone())
    }
}

pub fn conv_fwd(setup: Setup, sizes: Sizes) -> Case {
    let conv = Ready::new(setup, sizes);
    Case::new(conv.shape, Work::flops(conv.flops), move || {
        conv.forward().realize()
    })
}

/// Forward, and both gradients from a given gradient of the output. The loss Σ y·g has g as the gradient of y; it is not computed itself.
pub fn conv_bwd(setup: Setup, sizes: Sizes) -> Case {
    let mut conv = Ready::new(setup, sizes);
    conv.x = conv.x.requires_grad(true);
    conv.weight = conv.weight.requires_grad(true);
    let slope = setup.numbers(3, &conv.shape, 1.0);
    let work = Work::flops(3 * conv.flops);
    let shapes = vec![conv.shape.to_vec(), conv.x.shape(), conv.weight.shape()];
    let run = move || {
        let y = conv.forward();
        (&y * &slope).sum(()).backward();
        let results = vec![y.detach(), gradient(&conv.x), gradient(&conv.weight)];
        Tensor::corealize(&results.iter().collect::<Vec<_>>());
        results
    };
    Case {
        run: Box::new(run),
        work,
        expected: Expected::Shapes(shapes),
    }
}

/// Takes the gradient that backward has left.
pub fn gradient(x: &Tensor) -> Tensor {
    let gradient = x.grad().expect("backward has been here");
    x.zero_grad();
    gradient
}
