//! teenygrad+
pub mod device;
pub mod dtype;
pub mod error;
pub mod helpers;
pub mod kernel;
pub mod lazy;
pub mod mlops;
pub mod nn;
pub mod ops;
pub mod realize;
pub mod schedule;
pub mod shape;
pub mod tensor;
pub use device::Device;
pub use dtype::{DType, Element, Scalar, dtypes};
pub use error::{Error, Result};
pub use tensor::Tensor;
