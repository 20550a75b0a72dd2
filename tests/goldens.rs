//! # Goldens: values and gradients of every op, compared with PyTorch
//!
//! **In:** `tests/goldens/*.json`, which `tests/goldens/make.py` wrote: cases, each an op with its arguments, inputs, output, and
//! the gradients of Σ output · cotangent. **Out:** one test a file, which reports all of its failing cases together, by name.
//! `goldens/apply.rs` says how each op is spelled in Rust.
//!
//! Each case runs twice: on inputs as they are written, and on the same inputs as *views*, stored transposed and backwards, so that
//! no op may rely on contiguous memory.
//!
//! What has to agree: the shape; the dtype, where the case states one; each value within the tolerance of its dtype, NaN with NaN;
//! each gradient likewise, in its input's dtype. A gradient that is missing counts as zero, and so fails unless zero is right.

#[path = "goldens/apply.rs"]
mod apply;

use serde_json::Value;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Once;
use teenygrad::{DType, Element, Scalar, Tensor};

// ---- One test a file -------------------------------------------------

macro_rules! topics {
    ($($topic:ident),* $(,)?) => {
        const TOPICS: &[&str] = &[$(stringify!($topic)),*];
        $(
            #[test]
            fn $topic() {
                check(stringify!($topic));
            }
        )*
    };
}
topics!(
    unary, binary, reduce, movement, indexing, creation, processing, functional, optimizers,
    models, dtypes, beyond
);

/// A file that no test reads would be worth nothing.
#[test]
fn every_file_has_a_test() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .expect("the goldens lie beside this file")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            path.file_stem()
                .expect("a file has a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    found.sort();
    let mut expected = TOPICS.to_vec();
    expected.sort();
    assert_eq!(found, expected);
}

/// The checks below must be able to fail: a wrong value, a wrong gradient and an unknown op are found out.
#[test]
fn wrong_goldens_fail() {
    let case = |op: &str, output: &str, grad: &str| -> Value {
        let input = format!(r#"{{"shape":[2],"dtype":"float32","data":[2,-3],"grad":{grad}}}"#);
        let output = format!(r#"{{"shape":[2],"dtype":"float32","data":{output}}}"#);
        let text = format!(
            r#"{{"op":"{op}","args":{{}},"inputs":[{input}],"output":{output},"cotangent":[1,1]}}"#
        );
        serde_json::from_str(&text).expect("valid JSON")
    };
    for layout in [Layout::Plain, Layout::Views] {
        assert_eq!(run(&case("square", "[4,9]", "[4,-6]"), layout), Ok(()));
        for (op, output, grad, complaint) in [
            ("square", "[4,9.001]", "[4,-6]", "output"),
            ("square", "[4,\"nan\"]", "[4,-6]", "output"),
            ("square", "[4,9]", "[4,6]", "gradient"),
            ("squares", "[4,9]", "[4,-6]", "unknown op"),
        ] {
            let message =
                attempt(|| run(&case(op, output, grad), layout)).expect_err("a wrong golden");
            assert!(message.contains(complaint), "{message}");
        }
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens")
}

/// Runs all cases of one file, in each layout, and fails with the list of those that went wrong.
fn check(topic: &str) {
    let path = folder().join(format!("{topic}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases = list(&file["cases"]);
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases {
        for layout in [Layout::Plain, Layout::Views] {
            // Parameters of an optimizer are leaves; a view of a leaf is none.
            if layout == Layout::Views && topic == "optimizers" {
                continue;
            }
            if let Err(message) = attempt(|| run(case, layout)) {
                failures.push(format!(
                    "  {} ({layout:?}): {message}",
                    text_of(&case["name"])
                ));
            }
        }
        ran += 1;
    }
    assert_eq!(
        file["count"].as_u64(),
        Some(ran),
        "{topic}: the file announces another number of cases"
    );
    assert!(
        failures.is_empty(),
        "{topic}: {} failures in {ran} cases:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

// ---- One case --------------------------------------------------------

/// How the inputs lie in memory.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Layout {
    /// row-major
    Plain,
    /// all axes in the opposite order, and each backwards
    Views,
}

fn run(case: &Value, layout: Layout) -> Result<(), String> {
    let written = list(&case["inputs"]);
    let leaves: Vec<Tensor> = written.iter().map(|input| leaf(input, layout)).collect();
    let inputs: Vec<Tensor> = leaves.iter().map(|leaf| laid_out(leaf, layout)).collect();
    let output = apply::apply(text_of(&case["op"]), &inputs, &case["args"]);

    let expected = &case["output"];
    let shape = shape_of(expected);
    if output.shape() != shape {
        return Err(format!(
            "output has shape {:?}, not {shape:?}",
            output.shape()
        ));
    }
    let dtype = expected["dtype"].as_str().map(dtype_named);
    if let Some(dtype) = dtype.filter(|&dtype| dtype != output.dtype()) {
        return Err(format!("output is {}, not {dtype}", output.dtype()));
    }
    let tolerance = Tolerance::of(dtype.unwrap_or(output.dtype()), written);
    // Casts round in one way only. A text of nine digits is first read as the float that it stands for.
    let tolerance = if text_of(&case["op"]) == "cast" {
        Tolerance::EXACT
    } else {
        tolerance
    };
    let exactly = |value: Scalar| dtype.map_or(value, |dtype| value.cast(dtype));
    let data: Vec<Scalar> = scalars(&expected["data"])
        .into_iter()
        .map(exactly)
        .collect();
    compare("output", &values(&output), &data, tolerance)?;

    if case["cotangent"].is_null() {
        return Ok(());
    }
    if output.needs_grad() == Some(true) {
        let cotangent = tensor(output.dtype(), &scalars(&case["cotangent"]), &shape);
        (&output * &cotangent).sum(()).backward();
    }
    for (i, (input, leaf)) in written.iter().zip(&leaves).enumerate() {
        if input["grad"].is_null() {
            continue;
        }
        let expected = scalars(&input["grad"]);
        let gradient = match leaf.grad() {
            Some(gradient)
                if gradient.shape() != leaf.shape() || gradient.dtype() != leaf.dtype() =>
            {
                return Err(format!(
                    "gradient {i} is {} {:?}",
                    gradient.dtype(),
                    gradient.shape()
                ));
            }
            Some(gradient) => read_back(values(&gradient), &leaf.shape(), layout),
            None => vec![Scalar::Float(0.0); expected.len()],
        };
        let what = if leaf.grad().is_some() {
            format!("gradient {i}")
        } else {
            format!("gradient {i} (missing)")
        };
        compare(
            &what,
            &gradient,
            &expected,
            Tolerance::of(leaf.dtype(), written).of_gradient(),
        )?;
    }
    Ok(())
}

/// The tensor that holds an input's values, in the order that the layout asks for.
fn leaf(input: &Value, layout: Layout) -> Tensor {
    let (shape, data) = (shape_of(input), scalars(&input["data"]));
    let tensor = match layout {
        Layout::Plain => tensor(dtype_of(input), &data, &shape),
        Layout::Views => {
            let backwards: Vec<Scalar> = data.into_iter().rev().collect();
            let opposite: Vec<usize> = shape.iter().copied().rev().collect();
            tensor(dtype_of(input), &transposed(&backwards, &shape), &opposite)
        }
    };
    if input["grad"].is_null() {
        tensor
    } else {
        tensor.requires_grad(true)
    }
}

/// The input itself, of which `leaf` holds the values.
fn laid_out(leaf: &Tensor, layout: Layout) -> Tensor {
    let axes: Vec<usize> = (0..leaf.ndim()).collect();
    let opposite: Vec<usize> = axes.iter().copied().rev().collect();
    match layout {
        Layout::Plain => leaf.clone(),
        // Row-major data backwards is every axis backwards.
        Layout::Views => leaf.permute(opposite).flip(axes),
    }
}

/// A leaf's gradient in the order of the input's elements: the inverse of [`leaf`].
fn read_back(gradient: Vec<Scalar>, leaf_shape: &[usize], layout: Layout) -> Vec<Scalar> {
    match layout {
        Layout::Plain => gradient,
        Layout::Views => transposed(&gradient, leaf_shape)
            .into_iter()
            .rev()
            .collect(),
    }
}

/// The elements of a row-major array in the order in which its transpose (all axes in the opposite order) is row-major.
fn transposed(data: &[Scalar], shape: &[usize]) -> Vec<Scalar> {
    let mut positions = vec![0];
    let mut stride = data.len();
    for &size in shape {
        stride = stride.checked_div(size).unwrap_or(0);
        // The first axis of the original is the last of the transpose, hence the fastest so far is the outer loop's.
        positions = (0..size)
            .flat_map(|i| positions.iter().map(move |p| p + i * stride))
            .collect();
    }
    positions
        .into_iter()
        .map(|position| data[position])
        .collect()
}

// ---- Comparing -------------------------------------------------------

/// |actual − expected| ≤ relative · |expected| + absolute · magnitude
#[derive(Clone, Copy)]
struct Tolerance {
    relative: f64,
    absolute: f64,
}

impl Tolerance {
    /// All but the last bits of a float64, in which the reader of JSON may err.
    const EXACT: Tolerance = Tolerance {
        relative: 1e-15,
        absolute: 0.0,
    };

    /// That of the coarsest float in the case: a product of a float16 and a float32 is no better than float16.
    fn of(dtype: DType, inputs: &[Value]) -> Tolerance {
        let relative = |dtype: DType| match dtype {
            DType::Float64 => 1e-11,
            DType::Float32 => 1e-5,
            DType::Float16 => 1e-3,
            DType::BFloat16 => 8e-3,
            DType::Bool
            | DType::Int8
            | DType::Uint8
            | DType::Int16
            | DType::Uint16
            | DType::Int32
            | DType::Uint32
            | DType::Int64
            | DType::Uint64 => 0.0,
        };
        let relative = inputs
            .iter()
            .map(|input| relative(dtype_of(input)))
            .fold(relative(dtype), f64::max);
        Tolerance {
            relative,
            absolute: relative / 10.0,
        }
    }

    /// In the half types a gradient has been rounded at each link of the chain, and PyTorch's chains have other links.
    fn of_gradient(self) -> Tolerance {
        let factor = if self.relative > 1e-4 { 4.0 } else { 1.0 };
        Tolerance {
            relative: factor * self.relative,
            absolute: factor * self.absolute,
        }
    }
}

fn compare(
    what: &str,
    actual: &[Scalar],
    expected: &[Scalar],
    tolerance: Tolerance,
) -> Result<(), String> {
    if actual.len() != expected.len() {
        return Err(format!(
            "{what} has {} elements, not {}",
            actual.len(),
            expected.len()
        ));
    }
    // A sum of large terms may miss by their rounding; but one huge element must not excuse all others.
    let largest = expected
        .iter()
        .map(|x| x.as_f64().abs())
        .filter(|x| x.is_finite())
        .fold(1.0, f64::max)
        .min(10.0);
    let wrong = actual
        .iter()
        .zip(expected)
        .position(|(&a, &b)| match (a, b) {
            (Scalar::Float(_), _) | (_, Scalar::Float(_)) => {
                let (a, b) = (a.as_f64(), b.as_f64());
                let near =
                    (a - b).abs() <= tolerance.relative * b.abs() + tolerance.absolute * largest;
                !(a == b || (a.is_nan() && b.is_nan()) || (b.is_finite() && near))
            }
            (a, b) => a.as_i128() != b.as_i128(),
        });
    match wrong {
        None => Ok(()),
        Some(i) => Err(format!(
            "{what}[{i}]\n      is {}\n  not {}",
            around(actual, i),
            around(expected, i)
        )),
    }
}

/// The element and a few of its neighbours, as text.
fn around(values: &[Scalar], i: usize) -> String {
    let start = i.saturating_sub(2);
    let shown: Vec<String> = values[start..values.len().min(start + 8)]
        .iter()
        .map(|value| match value {
            Scalar::Bool(value) => value.to_string(),
            Scalar::Int(value) => value.to_string(),
            Scalar::Float(value) => format!("{value:?}"),
        })
        .collect();
    format!("{}{}", if start > 0 { "… " } else { "" }, shown.join(", "))
}

// ---- Panics as failures ----------------------------------------------

thread_local! {
    /// Some while a case runs on this thread: where its panic happened
    static PANICKED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs one case; a panic becomes its error message, with file and line, and is not printed.
fn attempt(case: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let ours = PANICKED.with_borrow_mut(|place| {
                let location = info.location().map(ToString::to_string).unwrap_or_default();
                place.as_mut().map(|place| *place = location).is_some()
            });
            if !ours {
                usual(info);
            }
        }));
    });
    PANICKED.set(Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(case));
    let place = PANICKED.take().unwrap_or_default();
    result.unwrap_or_else(|payload| {
        let message = payload.downcast_ref::<String>().map(String::as_str);
        let message = message
            .or(payload.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a message");
        Err(format!("panicked at {place}: {message}"))
    })
}

// ---- Reading JSON ----------------------------------------------------

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("expected a list, found {value}"))
}

fn text_of(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("expected a text, found {value}"))
}

fn shape_of(tensor: &Value) -> Vec<usize> {
    list(&tensor["shape"])
        .iter()
        .map(|size| size.as_u64().expect("a size") as usize)
        .collect()
}

fn dtype_named(name: &str) -> DType {
    DType::from_name(name).unwrap_or_else(|| panic!("no dtype is named {name}"))
}

fn dtype_of(tensor: &Value) -> DType {
    dtype_named(text_of(&tensor["dtype"]))
}

/// One number: JSON has no infinities and no NaN, so these are texts.
fn scalar(value: &Value) -> Scalar {
    match value {
        Value::Bool(value) => Scalar::Bool(*value),
        Value::Number(number) if number.is_u64() => {
            Scalar::Int(number.as_u64().expect("checked") as i128)
        }
        Value::Number(number) if number.is_i64() => {
            Scalar::Int(number.as_i64().expect("checked") as i128)
        }
        Value::Number(number) => Scalar::Float(number.as_f64().expect("a number")),
        Value::String(text) => Scalar::Float(
            text.parse()
                .unwrap_or_else(|_| panic!("{text} is no number")),
        ),
        Value::Null | Value::Array(_) | Value::Object(_) => panic!("{value} is no number"),
    }
}

fn scalars(value: &Value) -> Vec<Scalar> {
    list(value).iter().map(scalar).collect()
}

fn tensor(dtype: DType, data: &[Scalar], shape: &[usize]) -> Tensor {
    fn of<T: Element>(data: &[Scalar], shape: &[usize]) -> Tensor {
        let data: Vec<T> = data.iter().map(|&value| T::from_scalar(value)).collect();
        Tensor::from_vec(data, shape)
    }
    match dtype {
        DType::Bool => of::<bool>(data, shape),
        DType::Int8 => of::<i8>(data, shape),
        DType::Uint8 => of::<u8>(data, shape),
        DType::Int16 => of::<i16>(data, shape),
        DType::Uint16 => of::<u16>(data, shape),
        DType::Int32 => of::<i32>(data, shape),
        DType::Uint32 => of::<u32>(data, shape),
        DType::Int64 => of::<i64>(data, shape),
        DType::Uint64 => of::<u64>(data, shape),
        DType::Float16 => of::<half::f16>(data, shape),
        DType::BFloat16 => of::<half::bf16>(data, shape),
        DType::Float32 => of::<f32>(data, shape),
        DType::Float64 => of::<f64>(data, shape),
    }
}

/// A tensor's elements: integers exactly, floats as float64.
fn values(tensor: &Tensor) -> Vec<Scalar> {
    let dtype = tensor.dtype();
    if dtype.is_float() {
        tensor
            .to_vec::<f64>()
            .into_iter()
            .map(Scalar::from)
            .collect()
    } else if dtype == DType::Uint64 {
        tensor
            .to_vec::<u64>()
            .into_iter()
            .map(Scalar::from)
            .collect()
    } else {
        tensor
            .to_vec::<i64>()
            .into_iter()
            .map(Scalar::from)
            .collect()
    }
}
