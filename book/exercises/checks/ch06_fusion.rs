//! The tests of the exercise; leave them as they are.

use super::Node::{Elementwise, Memory, Reduce};
use super::*;

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_trade() {
    assert!(
        inline(1, 5),
        "one kernel: writing it would only add traffic"
    );
    assert!(inline(2, 3), "6 arrays against 3 + 1 + 2");
    assert!(!inline(2, 4), "8 arrays against 4 + 1 + 2");
    assert!(inline(100, 1), "100 arrays against 1 + 1 + 100");
    assert!(!inline(3, 3), "9 arrays against 3 + 1 + 3");
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn a_chain_is_one_kernel() {
    // relu(a + b), summed, and halved
    let nodes = [
        Memory,
        Memory,
        Elementwise(vec![0, 1]),
        Elementwise(vec![2]),
        Reduce([3]),
        Elementwise(vec![4]),
    ];
    assert_eq!(roots(&nodes, &[5]), [5]);
    assert_eq!(roots(&nodes, &[4, 5]), [4, 5]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn a_sum_for_two_kernels_is_written_once() {
    let nodes = [
        Memory,
        Reduce([0]),
        Elementwise(vec![1]),
        Elementwise(vec![1]),
    ];
    assert_eq!(roots(&nodes, &[2, 3]), [1, 2, 3]);
    assert_eq!(roots(&nodes, &[2]), [2], "nobody asked for 3");
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn something_cheap_is_computed_twice() {
    // (a + b) for two kernels: 4 arrays against 2 + 1 + 2
    let nodes = [
        Memory,
        Memory,
        Elementwise(vec![0, 1]),
        Reduce([2]),
        Elementwise(vec![2]),
    ];
    assert_eq!(roots(&nodes, &[3, 4]), [3, 4]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn something_wide_is_written_once() {
    // a + b + c + d for two kernels
    let nodes = [
        Memory,
        Memory,
        Memory,
        Memory,
        Elementwise(vec![0, 1, 2, 3]),
        Reduce([4]),
        Elementwise(vec![4]),
    ];
    assert_eq!(roots(&nodes, &[5, 6]), [4, 5, 6]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn two_users_in_one_kernel_are_one_kernel() {
    // x · x, where x is a sum of four arrays: both uses are in the same kernel
    let nodes = [
        Memory,
        Memory,
        Memory,
        Memory,
        Elementwise(vec![0, 1, 2, 3]),
        Elementwise(vec![4]),
        Elementwise(vec![4]),
        Elementwise(vec![5, 6]),
    ];
    assert_eq!(roots(&nodes, &[7]), [7]);
}
