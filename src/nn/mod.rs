//! # nn: what training needs around a tensor
//!
//! **In:** tensors that are parameters, files that hold examples or weights. **Out:** the same tensors, a little better at their task,
//! and files again. **Below:** `tensor`.
//!
//! | file | for |
//! |---|---|
//! | [`optim`] | SGD, Adam, AdamW and LAMB: from gradients to steps |
//! | [`lars`] | LARS and Muon |
//! | [`layers`] | layers that own their weights |
//! | [`datasets`] | examples to learn from |
//! | [`state`] | names for parameters; loading and saving them |
//! | [`files`] | reading and writing, with errors that say which file and why |

pub mod datasets;
pub mod files;
pub mod lars;
pub mod layers;
pub mod optim;
pub mod state;
