//! # shape: how elements are counted, moved and found
//!
//! [`view`] is the arithmetic of one look at memory, [`path`] a list of movements, [`args`] the forms in which users write shapes and axes,
//! [`fingerprint`] a number that stands for a structure.
pub mod args;
pub mod fingerprint;
pub mod path;
pub mod view;
