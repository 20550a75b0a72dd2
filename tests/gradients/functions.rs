//! The [`Function`](teenygrad::mlops::Function)s themselves, without the methods around them.
//!
//! **In:** nothing. **Out:** entries named as [`FUNCTIONS`](teenygrad::mlops::FUNCTIONS) names them. Their law: an entry goes through
//! the function whose name it has, which a test in [`source`](super::source) sees to.

use super::entry::{Entry, entry, integers};
use teenygrad::mlops::{binary, indexing, movement, reduce, ternary, unary};
use teenygrad::{DType, Device, Tensor};

/// The mlops themselves, without the methods around them.
pub fn functions() -> Vec<Entry> {
    let one = [3, 4];
    let (one, two): (&[&[usize]], &[&[usize]]) = (&[&one], &[&one, &one]);
    vec![
        entry("Contiguous", "", one, |x| {
            Tensor::apply(unary::Contiguous, &[&x[0]])
        }),
        entry("ContiguousBackward", "", one, |x| {
            Tensor::apply(unary::ContiguousBackward, &[&x[0]])
        }),
        entry("Cast", "by way of float32", one, |x| {
            Tensor::apply(unary::Cast::new(DType::Float32), &[&x[0]]).cast(DType::Float64)
        })
        .single_precision(),
        entry("ToDevice", "to the other one", one, |x| {
            let other = if x[0].device() == Device::CPU {
                Device::REFERENCE
            } else {
                Device::CPU
            };
            Tensor::apply(unary::ToDevice::new(other), &[&x[0].mul(&x[0])]).exp()
        }),
        entry("Zero", "", one, |x| Tensor::apply(unary::Zero, &[&x[0]])),
        entry("Neg", "", one, |x| Tensor::apply(unary::Neg, &[&x[0]])),
        entry("Sin", "", one, |x| {
            Tensor::apply(unary::Sin::default(), &[&x[0]])
        }),
        entry("Relu", "", one, |x| {
            Tensor::apply(unary::Relu::default(), &[&x[0]])
        }),
        entry("Log", "", one, |x| {
            Tensor::apply(unary::Log::default(), &[&x[0]])
        })
        .within(0.2, 3.0),
        entry("Exp", "", one, |x| {
            Tensor::apply(unary::Exp::default(), &[&x[0]])
        }),
        entry("Sqrt", "", one, |x| {
            Tensor::apply(unary::Sqrt::default(), &[&x[0]])
        })
        .within(0.2, 3.0),
        entry("Sigmoid", "", one, |x| {
            Tensor::apply(unary::Sigmoid::default(), &[&x[0]])
        }),
        entry("Add", "", two, |x| {
            Tensor::apply(binary::Add, &[&x[0], &x[1]])
        }),
        entry("Add", "of one to itself", one, |x| {
            Tensor::apply(binary::Add, &[&x[0], &x[0]])
        }),
        entry("Sub", "", two, |x| {
            Tensor::apply(binary::Sub, &[&x[0], &x[1]])
        }),
        entry("Mul", "", two, |x| {
            Tensor::apply(binary::Mul::default(), &[&x[0], &x[1]])
        }),
        entry("Mul", "of one by itself", one, |x| {
            Tensor::apply(binary::Mul::default(), &[&x[0], &x[0]])
        }),
        entry("Div", "", two, |x| {
            Tensor::apply(binary::Div::default(), &[&x[0], &x[1]])
        })
        .within(0.3, 2.0),
        entry("Div", "negative", two, |x| {
            Tensor::apply(binary::Div::default(), &[&x[0], &x[1]])
        })
        .within(-2.0, -0.3),
        entry("Pow", "", two, |x| {
            Tensor::apply(binary::Pow::default(), &[&x[0], &x[1]])
        })
        .within(0.2, 2.5),
        entry("Mod", "", two, |x| {
            Tensor::apply(binary::Mod::default(), &[&x[0].mul(5.0), &x[1]])
        })
        .within(0.5, 2.0),
        entry("Maximum", "", two, |x| {
            Tensor::apply(binary::Maximum::default(), &[&x[0], &x[1]])
        }),
        entry("Where", "", two, |x| {
            let condition = x[0].detach().gt(0.5);
            Tensor::apply(ternary::Where::default(), &[&condition, &x[0], &x[1]])
        }),
        entry("Sum", "one axis", one, |x| {
            Tensor::apply(reduce::Sum::new(vec![1]), &[&x[0]])
        }),
        entry("Sum", "all axes", one, |x| {
            Tensor::apply(reduce::Sum::new(vec![0, 1]), &[&x[0]])
        }),
        entry("Max", "one axis", one, |x| {
            Tensor::apply(reduce::Max::new(vec![1]), &[&x[0]])
        }),
        entry("Max", "all axes", one, |x| {
            Tensor::apply(reduce::Max::new(vec![0, 1]), &[&x[0]])
        }),
        entry("CumSum", "", one, |x| {
            Tensor::apply(reduce::CumSum::new(1), &[&x[0]])
        }),
        entry("CumSum", "other axis", one, |x| {
            Tensor::apply(reduce::CumSum::new(0), &[&x[0]])
        }),
        entry("Expand", "", &[&[3, 1, 2]], |x| {
            Tensor::apply(movement::Expand::new(vec![3, 4, 2]), &[&x[0]])
        }),
        entry("Reshape", "", one, |x| {
            Tensor::apply(movement::Reshape::new(vec![2, 6]), &[&x[0]])
        }),
        entry("Permute", "", &[&[2, 3, 2]], |x| {
            Tensor::apply(movement::Permute::new(vec![2, 0, 1]), &[&x[0]])
        }),
        entry("Pad", "", one, |x| {
            Tensor::apply(movement::Pad::new(vec![(1, 2), (0, 3)]), &[&x[0]])
        }),
        entry("Shrink", "", one, |x| {
            Tensor::apply(movement::Shrink::new(vec![(1, 3), (0, 2)]), &[&x[0]])
        }),
        entry("Flip", "", one, |x| {
            Tensor::apply(movement::Flip::new(vec![1]), &[&x[0]])
        }),
        entry("Gather", "", one, |x| {
            let index = integers(&x[0], [1, 1, 0, 2, 2, 2, 0, 1]).reshape([2, 4]);
            Tensor::apply(indexing::Gather::new(0), &[&x[0], &index])
        }),
        entry("Scatter", "", one, |x| {
            let index = integers(&x[0], [1, 1, 0, 4, 2, 2, 0, 1, 4, 4, 4, 4]).reshape([3, 4]);
            Tensor::apply(indexing::Scatter::new(1, 5), &[&x[0], &index])
        }),
    ]
}

/// Windows of every kind along one axis, and a few along two: what `fold` has to find the way back from.
pub fn windows() -> Vec<Entry> {
    let mut entries = Vec::new();
    for kernel in 1..=4 {
        for stride in 1..=4 {
            for dilation in 1..=3 {
                if dilation * (kernel - 1) >= 9 {
                    continue;
                }
                let slide = movement::Slide {
                    kernel,
                    stride,
                    dilation,
                };
                entries.push(entry(
                    "Window",
                    format!("{slide:?}"),
                    &[&[2, 9]],
                    move |x| Tensor::apply(movement::Window::new(vec![slide]), &[&x[0]]),
                ));
            }
        }
    }
    let pairs = [
        [(2, 1, 1), (3, 2, 1)],
        [(2, 3, 2), (2, 1, 2)],
        [(2, 2, 1), (2, 2, 1)],
        [(1, 3, 1), (3, 1, 1)],
        [(3, 2, 2), (2, 3, 2)],
    ];
    for pair in pairs {
        let slides = pair.map(|(kernel, stride, dilation)| movement::Slide {
            kernel,
            stride,
            dilation,
        });
        entries.push(entry(
            "Window",
            format!("{slides:?}"),
            &[&[5, 4]],
            move |x| Tensor::apply(movement::Window::new(slides.to_vec()), &[&x[0]]),
        ));
    }
    entries
}
