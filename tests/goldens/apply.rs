//! # Goldens, the other half: how each op of the files is spelled in Rust
//!
//! **In:** an op's name, its inputs and its arguments as JSON. **Out:** the tensor that the library makes of them.
//! One `match`, in the order of the API: whoever wonders how to write something in Rust that he knows from Python finds it here.

use serde_json::Value;
use teenygrad::{DType, Tensor};

/// Applies the op that the goldens call `op`.
///
/// # Panics
/// If there is none: a golden without a check must not pass.
pub fn apply(op: &str, inputs: &[Tensor], args: &Value) -> Tensor {
    let x = || &inputs[0];
    let y = || &inputs[1];
    match op {
        // ---- Unary ---------------------------------------------------
        "neg" => x().neg(),
        "contiguous" => x().contiguous(),
        "contiguous_backward" => x().contiguous_backward(),
        "log" => x().log(),
        "log2" => x().log2(),
        "exp" => x().exp(),
        "exp2" => x().exp2(),
        "relu" => x().relu(),
        "sigmoid" => x().sigmoid(),
        "sin" => x().sin(),
        "cos" => x().cos(),
        "tan" => x().tan(),
        "sqrt" => x().sqrt(),
        "rsqrt" => x().rsqrt(),
        "trunc" => x().trunc(),
        "ceil" => x().ceil(),
        "floor" => x().floor(),
        "square" => x().square(),
        "abs" => x().abs(),
        "sign" => x().sign(),
        "reciprocal" => x().reciprocal(),
        "swish" => x().swish(),
        "silu" => x().silu(),
        "relu6" => x().relu6(),
        "hardswish" => x().hardswish(),
        "tanh" => x().tanh(),
        "sinh" => x().sinh(),
        "cosh" => x().cosh(),
        "atanh" => x().atanh(),
        "asinh" => x().asinh(),
        "acosh" => x().acosh(),
        "gelu" => x().gelu(),
        "quick_gelu" => x().quick_gelu(),
        "mish" => x().mish(),
        "softsign" => x().softsign(),

        unknown => panic!("unknown op {unknown}: add it to tests/goldens/apply.rs"),
    }
}
