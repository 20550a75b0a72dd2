//! # pictures: what the library draws of itself
//!
//! `cargo run --release --example pictures` writes a picture of each kind into target/pictures: autograd graphs, lazy graphs, kernels, memory. A folder
//! and the names of the pictures that are wanted can follow. Two of them are kept in examples/pictures, because the README shows them; a
//! test draws these again and compares.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use teenygrad::viz::Picture;
use teenygrad::{DType, Result, Tensor};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .map_or_else(|| "target/pictures".into(), PathBuf::from);
    match save(&folder, &arguments.collect::<Vec<_>>()) {
        Ok(count) => {
            println!("{count} pictures are in {}", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the pictures of these names, or all if there are none; returns how many.
fn save(folder: &Path, names: &[String]) -> Result<usize> {
    std::fs::create_dir_all(folder).map_err(|error| teenygrad::Error::io(folder, error))?;
    let mut pictures = all();
    pictures.retain(|(name, _)| names.is_empty() || names.iter().any(|wanted| wanted == name));
    for (name, picture) in &pictures {
        picture.save(folder.join(format!("{name}.svg")))?;
    }
    Ok(pictures.len())
}

/// All pictures with their names.
pub fn all() -> Vec<(&'static str, Picture)> {
    let mut all = graphs();
    all.extend(views());
    all
}

fn graphs() -> Vec<(&'static str, Picture)> {
    // A neuron: the relu of w·x + b.
    let (x, w) = (Tensor::from(2.0), Tensor::from(-3.0).requires_grad(true));
    let b = Tensor::from(7.0).requires_grad(true);
    let neuron = (&w * &x + &b).relu();
    let graph = neuron.graph();
    neuron.backward();
    let gradients = [w.grad(), b.grad()].map(|grad| grad.expect("backward has been here"));
    Tensor::corealize(&[&neuron, &gradients[0], &gradients[1]]);
    let mut all = vec![("neuron", graph.picture())];

    let x = Tensor::rand([8, 16]).realize();
    let softmax = x.softmax(-1);
    all.push(("softmax-lazy", softmax.lazy_graph()));
    all.push(("softmax-kernels", softmax.kernel_graph()));

    // Two layers and a loss.
    let (l1, l2) = (
        Tensor::scaled_uniform([784, 128]),
        Tensor::scaled_uniform([128, 10]),
    );
    let (images, labels) = (
        Tensor::rand([32, 784]).realize(),
        Tensor::zeros([32])
            .cast(DType::Int32)
            .contiguous()
            .realize(),
    );
    let weights = [l1.requires_grad(true), l2.requires_grad(true)];
    let loss = images
        .dot(&weights[0])
        .relu()
        .dot(&weights[1])
        .sparse_categorical_crossentropy(&labels, -1);
    all.extend(trained(
        &loss,
        &weights[0],
        ["mlp-autograd", "mlp-lazy", "mlp-kernels"],
    ));

    // The network of the main example: twice a convolution, a rectifier and a pooling, then a matrix.
    let sizes = [vec![8, 1, 3, 3], vec![16, 8, 3, 3], vec![400, 10]];
    let weights = sizes.map(|size| Tensor::scaled_uniform(size).requires_grad(true));
    let x = images.reshape([32, 1, 28, 28]);
    let x = x.conv2d(&weights[0], None).relu().max_pool2d(2);
    let x = x.conv2d(&weights[1], None).relu().max_pool2d(2);
    let loss = x
        .flatten(1)
        .dot(&weights[2])
        .sparse_categorical_crossentropy(&labels, -1);
    all.extend(trained(
        &loss,
        &weights[0],
        ["conv-autograd", "conv-lazy", "conv-kernels"],
    ));
    all
}

/// Goes back from a loss, and draws the way, and how the gradient of `weights` is computed.
fn trained(
    loss: &Tensor,
    weights: &Tensor,
    names: [&'static str; 3],
) -> [(&'static str, Picture); 3] {
    let graph = loss.graph();
    loss.backward();
    let gradient = weights.grad().expect("backward has been here");
    [
        (names[0], graph.picture()),
        (names[1], gradient.lazy_graph()),
        (names[2], gradient.kernel_graph()),
    ]
}

fn views() -> Vec<(&'static str, Picture)> {
    let row = Tensor::arange(6).contiguous();
    let matrix = Tensor::arange(12).contiguous().reshape([3, 4]);
    let image = Tensor::arange(16).reshape([1, 1, 4, 4]).contiguous();
    let larger = Tensor::arange(36).reshape([1, 1, 6, 6]).contiguous();
    vec![
        ("view-transpose", matrix.t().memory_diagram()),
        (
            "view-expand",
            row.reshape([6, 1]).expand([6, 4]).memory_diagram(),
        ),
        (
            "view-shrink",
            larger
                .reshape([6, 6])
                .shrink(&[(1, 4), (2, 6)])
                .memory_diagram(),
        ),
        ("view-flip", row.flip(0).memory_diagram()),
        (
            "view-pad",
            matrix.pad(&[(1, 1), (2, 1)], 0.0).memory_diagram(),
        ),
        ("view-pool-1", windows(&image, 2, 1).memory_diagram()),
        ("view-pool-2", windows(&image, 2, 2).memory_diagram()),
        ("view-conv", windows(&larger, 3, 1).memory_diagram()),
        (
            "view-conv-padded",
            windows(&image.pad2d([1, 1, 1, 1], 0.0), 3, 1).memory_diagram(),
        ),
    ]
}

/// The windows that a kernel of `size`×`size` sees of an image [1, 1, height, width], as a view: [1, 1, y, x, size, size].
fn windows(image: &Tensor, size: usize, step: usize) -> Tensor {
    image.unfold(2, size, step).unfold(3, size, step)
}
