//! # nn: what training needs around a tensor
//!
//! **In:** tensors that are parameters. **Out:** the same ones, a little better at their task. **Below:** `tensor`.
//!
//! | file | for |
//! |---|---|
//! | [`optim`] | SGD, Adam, AdamW and LAMB: from gradients to steps |
//! | [`datasets`] | MNIST: found, fetched, checked, read |
//! | [`state`] | weights to and from safetensors files |
//! | [`files`] | writing a file so that it is whole or not there |

pub mod datasets;
pub mod files;
pub mod optim;
pub mod state;
