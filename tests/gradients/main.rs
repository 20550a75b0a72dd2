//! # Every gradient against finite differences, from one list
//!
//! **The list** ([`list`]) has an entry for each [`Function`](teenygrad::mlops::Function) and several for each method of `Tensor` that
//! has a gradient. Those without one stand in [`no_gradient`], with the reason. Two meta-tests in [`source`] compare both with the
//! library's source, so that neither a function nor a method can be forgotten.
//!
//! **In:** the list's parts, each a file: [`functions`], then the methods: [`elementwise`], [`reductions`], [`movements`],
//! [`convolutions`], [`products`] and what goes [`beyond`] the original. **Out:** one test a part, which reports all of its entries that
//! are wrong together. An [`entry`] says what it takes and computes, a [`form`] how its inputs lie in memory, and [`check`] compares.
//!
//! **The check.** L = Σ w·f(x), with fixed weights w that are all different, so that no two errors cancel. In float64 the slope of L
//! along an axis is (L(x + h) − L(x − h)) / 2h up to about h², and that is what `backward` must find. Each entry is checked
//!
//! - element by element for inputs that lie in memory as they are,
//! - along two random directions for inputs that are views ([`Form`](form::Form)): turned, flipped, expanded, cut out, overlapping, or
//!   all of it. An error in any element tilts such a slope, so a direction sees all elements at once;
//! - along one direction on the reference device.
//!
//! Inputs keep away from corners: they lie on a grid of thousandths, 0.00037 beside the places where functions have theirs.

// A step may be negative, and a table of cases is a list of tuples.
#![allow(clippy::reversed_empty_ranges, clippy::type_complexity)]

mod beyond;
mod check;
mod convolutions;
mod elementwise;
mod entry;
mod form;
mod functions;
mod movements;
mod no_gradient;
mod products;
mod reductions;
mod source;

use beyond::beyond;
use check::check;
use convolutions::convolutions;
use elementwise::elementwise;
use entry::Entry;
use functions::{functions, windows};
use movements::movements;
use products::products;
use reductions::reductions;

// ---- The list --------------------------------------------------------

/// Everything that is differentiable.
fn list() -> Vec<Entry> {
    let mut all = functions();
    all.extend(windows());
    all.extend(elementwise());
    all.extend(reductions());
    all.extend(movements());
    all.extend(convolutions());
    all.extend(products());
    all.extend(beyond());
    all
}

// ---- One test a part -------------------------------------------------

#[test]
fn functions_alone() {
    check(functions());
}
#[test]
fn windows_of_all_kinds() {
    check(windows());
}
#[test]
fn elementwise_methods() {
    check(elementwise());
}
#[test]
fn reductions_and_what_is_made_of_them() {
    check(reductions());
}
#[test]
fn movements_and_indexing() {
    check(movements());
}
#[test]
fn convolutions_and_pools() {
    check(convolutions());
}
#[test]
fn what_goes_beyond_the_original() {
    check(beyond());
}

#[test]
fn products_layers_attention_and_losses() {
    check(products());
}
