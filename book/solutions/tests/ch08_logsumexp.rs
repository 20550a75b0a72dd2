//! # A sum of exponentials that does not overflow
//!
//! ln Σ eˣ along the last axis is what a smooth maximum is. Written as it stands, it is infinite for x = 100. Write it so that it is exact
//! for every finite x: what shift has no influence on the result, once it is put back?
//!
//! `max_keepdim(-1)` and `sum_keepdim(-1)` reduce the last axis and keep it with size 1; `squeeze(-1)` takes it away; `detach()` cuts a
//! tensor off from the graph of gradients.

use teenygrad::Tensor;

/// [.., n] to [..].
pub fn logsumexp(x: &Tensor) -> Tensor {
    let largest = x.detach().max_keepdim(-1);
    let sum = (x - &largest).exp().sum_keepdim(-1);
    (sum.log() + largest).squeeze(-1)
}

#[cfg(test)]
#[path = "../../exercises/checks/ch08_logsumexp.rs"]
mod checks;
