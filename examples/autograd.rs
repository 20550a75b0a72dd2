//! # autograd: the hello world of gradients
//!
//! `cargo run --release --example autograd` computes f(x, y) = x²·y + eˣ / y with its gradient, checks both against the formulas, and
//! prints the graph by which the gradient came about.

use teenygrad::Tensor;

fn main() {
    let x = Tensor::from(1.5).requires_grad(true);
    let y = Tensor::from(2.0).requires_grad(true);
    let f = x.square() * &y + x.exp() / &y;

    // backward() frees the graph that it walks, so that the picture is drawn before.
    println!("f(x, y) = x²·y + eˣ / y was made by");
    print_tree(&f, &[("x", &x), ("y", &y)]);
    let order: Vec<&str> = f
        .deepwalk()
        .iter()
        .filter_map(|t| t.made_by())
        .map(|made| made.0)
        .collect();
    println!(
        "and backward() will go from the right to the left: {}\n",
        order.join(" ")
    );

    f.backward();
    let (a, b) = (1.5_f32, 2.0_f32);
    check("f    ", &f, a * a * b + a.exp() / b);
    check("df/dx", &x.grad().unwrap(), 2.0 * a * b + a.exp() / b);
    check("df/dy", &y.grad().unwrap(), a * a - a.exp() / (b * b));
}

/// One line for each use of a tensor, what it was made of below it and further in.
fn print_tree(root: &Tensor, names: &[(&str, &Tensor)]) {
    // A stack, not recursion: graphs may be deep.
    let mut pending = vec![(root.clone(), 1)];
    while let Some((tensor, depth)) = pending.pop() {
        let name = names.iter().find(|(_, known)| known.is_same(&tensor));
        let indent = "    ".repeat(depth);
        match (tensor.made_by(), name) {
            (Some((function, parents)), _) => {
                println!("{indent}{function}");
                // The last one pushed is printed first.
                pending.extend(parents.into_iter().rev().map(|parent| (parent, depth + 1)));
            }
            (None, Some((name, _))) => println!("{indent}{name}"),
            (None, None) => println!("{indent}{}", tensor.item::<f32>()),
        }
    }
}

/// Prints a value beside what the formula says, and panics if they differ.
fn check(what: &str, tensor: &Tensor, expected: f32) {
    let value = tensor.item::<f32>();
    println!("{what} = {value:.6}   by the formula {expected:.6}");
    assert!((value - expected).abs() <= 1e-5 * expected.abs(), "{what}");
}
