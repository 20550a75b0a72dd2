//! # helpers: small things that several rooms need
//!
//! The original's `helpers.py`, as far as it makes sense in Rust: `make_pair`, `flatten`, `prod` and `all_int` exist in Python because
//! its arguments come in many forms; here that is the work of [`Shape`](crate::shape::args::Shape) and
//! [`Axes`](crate::shape::args::Axes), and of the standard library.

use std::collections::HashSet;
use std::hash::Hash;
use std::str::FromStr;
use std::sync::OnceLock;

/// An environment variable as a value; `default` if it is not set or can't be read as one.
/// ```
/// assert_eq!(teenygrad::helpers::getenv("TEENYGRAD_NO_SUCH_VARIABLE", 3), 3);
/// ```
pub fn getenv<T: FromStr>(key: &str, default: T) -> T {
    std::env::var(key)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// How much the engine tells on stderr, from the environment's `DEBUG`: 1 totals, 2 a line a kernel, 3 why the scheduler cut,
/// 4 each kernel's program, 5 the graph.
pub fn debug() -> u8 {
    static DEBUG: OnceLock<u8> = OnceLock::new();
    *DEBUG.get_or_init(|| getenv("DEBUG", 0))
}

/// Whether a continuous-integration service runs us (`CI` is set to anything but nothing): no progress bars then.
pub fn ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "0" && value != "false")
}

/// The elements without repetitions, in the order of their first appearance.
/// ```
/// assert_eq!(teenygrad::helpers::dedup([3, 1, 3, 2, 1]), [3, 1, 2]);
/// ```
pub fn dedup<T: Clone + Eq + Hash>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items
        .into_iter()
        .filter(|item| seen.insert(item.clone()))
        .collect()
}

/// The positions that sort the items: `items[argsort(items)[0]]` is the smallest. For an order of axes, its inverse.
/// ```
/// assert_eq!(teenygrad::helpers::argsort(&[2, 0, 1]), [1, 2, 0]);
/// ```
pub fn argsort<T: Ord>(items: &[T]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&position| &items[position]);
    order
}

/// `number` rounded up to a multiple of `amount`.
/// ```
/// assert_eq!(teenygrad::helpers::round_up(13, 4), 16);
/// ```
pub fn round_up(number: usize, amount: usize) -> usize {
    number.div_ceil(amount) * amount
}
