//! # tensor: what a user touches
//!
//! **In:** numbers, arrays, other tensors. **Out:** a [`Tensor`]: a handle of a lazily computed array that remembers, if asked to, how
//! it came about, so that gradients can flow back. **Below:** `mlops`.
//!
//! | file | for |
//! |---|---|
//! | `mod` | the handle; data in and out; realize, assign, detach, to |
//! | [`autograd`] | deepwalk and backward |
//! | [`operand`] | numbers and tensors as operands: dtype promotion, broadcasting |
//! | [`operators`] | + − · / and their kin for tensors, references and numbers on either side |
//! | [`creation`], [`random`] | zeros, arange, rand, … |
//! | [`movement`] | reshape, permute, pad, cat, … |
//! | [`index`], [`indexing`] | what can stand in an index; `get` and `set` |
//! | [`reduce`], [`math`], [`activation`] | sums and maxima; functions of one and two tensors |
//! | [`conv`], [`pool`], [`functional`] | matmul, convolution; pooling; normalisation, attention, losses |
//! | [`special`], [`products`], [`sorting`] | beyond the original: erf, log1p, …; products and running extremes; order |
//! | [`rearrange`], [`interpolate`], [`einsum`], [`losses`] | beyond the original: split, roll, scatter, …; other sizes; sums of products by letters; cross entropy |
//! | [`mod@print`] | how a tensor looks |
//!
//! Laws:
//! 1. A `Tensor` is a handle: cloning it is cheap and gives the same tensor, gradient included.
//! 2. Methods compute nothing; [`Tensor::realize`], [`Tensor::item`], [`Tensor::to_vec`] and printing do.
//! 3. No math of its own below mlops: every method composes [`Function`](crate::mlops::Function)s, so that every method has a gradient.

pub mod activation;
pub mod autograd;
pub mod bits;
pub mod conv;
pub mod creation;
pub mod einops;
pub mod einsum;
pub mod functional;
pub mod index;
pub mod indexing;
pub mod interpolate;
pub mod losses;
pub mod math;
pub mod matrix;
pub mod movement;
pub mod operand;
pub mod operators;
pub mod pool;
pub mod print;
pub mod products;
pub mod random;
pub mod rearrange;
pub mod reduce;
pub mod scatter;
pub mod sorting;
pub mod special;
pub mod unpool;

use crate::device::{Buffer, Device};
use crate::dtype::{DType, Element};
use crate::error::fail;
use crate::lazy::LazyBuffer;
use crate::mlops::unary::{Cast, ToDevice};
use crate::realize;
use crate::shape::args::Shape;
use crate::shape::view::numel;
use autograd::Context;
use std::sync::{Arc, Mutex, MutexGuard};

/// An n-dimensional array on the lazy graph. See the [module's header](self).
///
/// ```
/// use teenygrad::Tensor;
/// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).requires_grad(true);
/// let y = (&x * &x).sum(());          // nothing is computed yet
/// y.backward();                       // dy/dx = 2x
/// assert_eq!(y.item::<f32>(), 30.0);
/// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [2.0, 4.0, 6.0, 8.0]);
/// ```
#[derive(Clone)]
pub struct Tensor(pub(crate) Arc<Inner>);

/// What all clones of a handle share.
pub(crate) struct Inner {
    state: Mutex<TensorState>,
}

pub(crate) struct TensorState {
    pub lazydata: LazyBuffer,
    pub grad: Option<Tensor>,
    /// Some(true), Some(false), or None for "unset": an optimizer turns unset into true
    pub requires_grad: Option<bool>,
    pub context: Option<Arc<Context>>,
    /// backward has been through here and has let the graph go
    pub freed: bool,
}

impl Inner {
    pub(crate) fn state_mut(&mut self) -> &mut TensorState {
        self.state
            .get_mut()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Tensor {
    // ---- The handle --------------------------------------------------

    /// A tensor of this lazy data, not connected to any graph.
    pub fn from_lazy(lazydata: LazyBuffer) -> Tensor {
        Tensor::with_state(TensorState {
            lazydata,
            grad: None,
            requires_grad: None,
            context: None,
            freed: false,
        })
    }

    pub(crate) fn with_state(state: TensorState) -> Tensor {
        Tensor(Arc::new(Inner {
            state: Mutex::new(state),
        }))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, TensorState> {
        self.0
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether two handles are of the same tensor.
    pub fn is_same(&self, other: &Tensor) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A number that two living handles share if and only if they are of the same tensor.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// Shows another lazy buffer from now on. Unlike [`Tensor::assign`] this is not checked: it is for code that builds graphs by hand.
    pub fn set_lazydata(&self, lazydata: LazyBuffer) {
        let old = std::mem::replace(&mut self.state().lazydata, lazydata);
        drop(old);
    }

    /// The lazy graph's node, and the view of it, that hold this tensor's values.
    pub fn lazydata(&self) -> LazyBuffer {
        self.state().lazydata.clone()
    }

    // ---- What it is --------------------------------------------------

    /// Elements along each axis.
    pub fn shape(&self) -> Vec<usize> {
        self.state().lazydata.shape().to_vec()
    }
    /// The number of axes.
    pub fn ndim(&self) -> usize {
        self.state().lazydata.shape().len()
    }
    /// The number of elements.
    pub fn numel(&self) -> usize {
        self.state().lazydata.numel()
    }
    /// Type of the elements.
    pub fn dtype(&self) -> DType {
        self.state().lazydata.dtype()
    }
    /// Where it lives.
    pub fn device(&self) -> Device {
        self.state().lazydata.device()
    }
    /// Bytes that one element takes.
    pub fn element_size(&self) -> usize {
        self.dtype().itemsize()
    }
    /// Bytes that all elements take.
    pub fn nbytes(&self) -> usize {
        self.numel() * self.element_size()
    }
    /// Whether the elements are floats.
    pub fn is_floating_point(&self) -> bool {
        self.dtype().is_float()
    }

    // ---- Data in -----------------------------------------------------

    /// The elements of a slice, in row-major order, under a shape (which may have one −1).
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from_slice(&[1.0f64, 2.0, 3.0, 4.0], [2, 2]);
    /// assert_eq!(x.dtype(), teenygrad::DType::Float64);
    /// ```
    /// # Panics
    /// If the shape has not as many elements as the slice.
    #[track_caller]
    pub fn from_slice<T: Element>(data: &[T], shape: impl Into<Shape>) -> Tensor {
        let shape = fill_in("from_slice", &shape.into(), data.len());
        Tensor::from_lazy(LazyBuffer::from_cpu(data, &shape, Device::DEFAULT()))
    }

    /// As [`Tensor::from_slice`], of a vector.
    #[track_caller]
    pub fn from_vec<T: Element>(data: Vec<T>, shape: impl Into<Shape>) -> Tensor {
        let shape = fill_in("from_vec", &shape.into(), data.len());
        Tensor::from_slice(&data, shape)
    }

    /// Raw bytes, little-endian elements of `dtype` in row-major order.
    /// ```
    /// # use teenygrad::{DType, Tensor};
    /// assert_eq!(Tensor::from_bytes(&[1, 0, 2, 0], [2], DType::Int16).to_vec::<i16>(), [1, 2]);
    /// ```
    /// # Panics
    /// If there are more or fewer bytes than the shape's elements take.
    #[track_caller]
    pub fn from_bytes(bytes: &[u8], shape: impl Into<Shape>, dtype: DType) -> Tensor {
        if !bytes.len().is_multiple_of(dtype.itemsize()) {
            fail!(
                "from_bytes",
                "{} bytes are no whole number of {dtype} elements of {} bytes",
                bytes.len(),
                dtype.itemsize()
            );
        }
        let shape = fill_in("from_bytes", &shape.into(), bytes.len() / dtype.itemsize());
        let buffer = Buffer::from_bytes(bytes, dtype, Device::DEFAULT());
        Tensor::from_lazy(LazyBuffer::from_buffer(Arc::new(buffer), &shape))
    }

    // ---- Data out ----------------------------------------------------

    /// The memory of this tensor, computed and contiguous. It stays as it is for as long as somebody holds it.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1u8, 2], [3, 4]]);
    /// let transposed = x.t().buffer();
    /// x.assign(&x.zeros_like()).realize();
    /// assert_eq!(transposed.bytes(), [1, 3, 2, 4]);
    /// ```
    #[track_caller]
    pub fn buffer(&self) -> Arc<Buffer> {
        let lazydata = self.lazydata().contiguous();
        realize::run(std::slice::from_ref(&lazydata));
        match lazydata.realized() {
            Some(buffer) => buffer,
            None => realize::lost(lazydata.shape()),
        }
    }

    /// All elements in row-major order, cast to T if they are of another type.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[1, 2], [3, 4]]).to_vec::<i64>(), [1, 2, 3, 4]);
    /// ```
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        self.buffer().to_vec()
    }

    /// The one element of a tensor that has one.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).sum(()).item::<f32>(), 3.0);
    /// ```
    /// # Panics
    /// If there is not exactly one element.
    #[track_caller]
    pub fn item<T: Element>(&self) -> T {
        if self.numel() != 1 {
            fail!("item", "shape {:?} has {} elements, not one", self.shape(), self.numel(); "to_vec gives all of them");
        }
        self.to_vec()[0]
    }

    /// The elements' bytes: little-endian, row-major.
    #[track_caller]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.buffer().to_bytes()
    }

    // ---- Making it so ------------------------------------------------

    /// Computes the values now, and gives the tensor back.
    #[track_caller]
    pub fn realize(&self) -> Tensor {
        Tensor::corealize(&[self]);
        self.clone()
    }

    /// Computes several tensors together, so that what they share is computed once and what lies side by side becomes one kernel.
    #[track_caller]
    pub fn corealize(tensors: &[&Tensor]) {
        let lazydata: Vec<LazyBuffer> = tensors.iter().map(|tensor| tensor.lazydata()).collect();
        realize::run(&lazydata);
    }

    /// Gives this tensor (and all its clones) the values of another one: `x.assign(&(&x - 1.0))`.
    ///
    /// Whoever computes with the old values, even later, gets the old values: nothing is overwritten that someone may still read.
    /// When nobody reads them any more, the new values go into the old memory.
    ///
    /// # Panics
    /// If shape, dtype or device differ.
    #[track_caller]
    pub fn assign(&self, x: &Tensor) -> Tensor {
        if self.is_same(x) {
            return self.clone();
        }
        let (new, old) = (x.lazydata(), self.lazydata());
        if new.shape() != old.shape() || new.dtype() != old.dtype() || new.device() != old.device()
        {
            fail!("assign", "{} {:?} on {} cannot take {} {:?} on {}", old.dtype(), old.shape(), old.device(),
                new.dtype(), new.shape(), new.device(); "shape, dtype and device stay as they are; cast or reshape the new values");
        }
        self.state().lazydata = new;
        self.clone()
    }

    /// The same values, cut off from the graph that made them: no gradient goes further back than here.
    ///
    /// It is a tensor of its own: a later [`assign`](Tensor::assign) or [`set`](Tensor::set) changes one of the two, not both.
    pub fn detach(&self) -> Tensor {
        let tensor = Tensor::from_lazy(self.lazydata());
        tensor.state().requires_grad = Some(false);
        tensor
    }

    /// The same values on another device. Gradients come back from there.
    pub fn to(&self, device: Device) -> Tensor {
        if device == self.device() {
            return self.clone();
        }
        Tensor::apply(ToDevice::new(device), &[self])
    }

    /// Moves this tensor (and all its clones), and its gradient, to another device.
    pub fn to_(&self, device: Device) {
        let (lazydata, grad) = {
            let state = self.state();
            (state.lazydata.copy_to_device(device), state.grad.clone())
        };
        if let Some(grad) = grad {
            grad.to_(device);
        }
        self.state().lazydata = lazydata;
    }

    // ---- Types -------------------------------------------------------

    /// The elements as another dtype. Integers wrap, floats that become integers are cut towards zero and saturate (NaN is 0),
    /// and anything but zero is true. The gradient goes back in this tensor's dtype.
    /// ```
    /// # use teenygrad::{DType, Tensor};
    /// assert_eq!(Tensor::from([-1.5, 2.9]).cast(DType::Int32).to_vec::<i32>(), [-1, 2]);
    /// ```
    pub fn cast(&self, dtype: DType) -> Tensor {
        if dtype == self.dtype() {
            return self.clone();
        }
        Tensor::apply(Cast::new(dtype), &[self])
    }

    /// The elements' bits read as another dtype of the same size. No gradient.
    /// ```
    /// # use teenygrad::{DType, Tensor};
    /// assert_eq!(Tensor::from(1.0).bitcast(DType::Int32).item::<i32>(), 0x3f80_0000);
    /// ```
    /// # Panics
    /// If the sizes of the two dtypes differ.
    #[track_caller]
    pub fn bitcast(&self, dtype: DType) -> Tensor {
        let from = self.dtype();
        if from.itemsize() != dtype.itemsize() {
            fail!("bitcast", "{from} has {} bytes and {dtype} has {}", from.itemsize(), dtype.itemsize(); "cast converts between sizes");
        }
        Tensor::from_lazy(self.lazydata().cast(dtype, true))
    }

    /// As float32.
    pub fn float(&self) -> Tensor {
        self.cast(DType::Float32)
    }

    /// As float16.
    pub fn half(&self) -> Tensor {
        self.cast(DType::Float16)
    }
}

/// A shape with one −1 replaced by what is left of `len` elements.
#[track_caller]
pub(crate) fn fill_in(op: &str, shape: &Shape, len: usize) -> Vec<usize> {
    let unknown = shape.0.iter().filter(|&&size| size == -1).count();
    let negative = shape.0.iter().any(|&size| size < -1);
    if unknown > 1 || negative {
        fail!(
            op,
            "shape {:?}: sizes are not negative, but for at most one -1",
            shape.0
        );
    }
    let known: usize = shape
        .0
        .iter()
        .filter(|&&size| size != -1)
        .map(|&size| size as usize)
        .product();
    let left = if unknown == 1 && known > 0 {
        len / known
    } else {
        0
    };
    let filled: Vec<usize> = shape
        .0
        .iter()
        .map(|&size| if size == -1 { left } else { size as usize })
        .collect();
    if numel(&filled) != len {
        match unknown {
            0 => fail!(op, "shape {:?} has {} elements, not {len}", shape.0, known),
            _ => fail!(
                op,
                "shape {:?}: {len} elements cannot be divided by {known}",
                shape.0
            ),
        }
    }
    filled
}

// ---- From numbers, nested arrays, vectors ----------------------------

// There is no `From` for f64 lists, on purpose: so that the literal in `Tensor::from([1.0, 2.0])` can only be float32, the default of
// this library and of the field. `Tensor::from_slice` takes f64.
macro_rules! from_data {
    ($($t:ty),*) => {$(
        impl From<$t> for Tensor {
            fn from(value: $t) -> Tensor { Tensor::from_slice(&[value], ()) }
        }
        impl<const A: usize> From<[$t; A]> for Tensor {
            fn from(data: [$t; A]) -> Tensor { Tensor::from_slice(&data, [A]) }
        }
        impl<const A: usize, const B: usize> From<[[$t; B]; A]> for Tensor {
            fn from(data: [[$t; B]; A]) -> Tensor { Tensor::from_slice(data.as_flattened(), [A, B]) }
        }
        impl<const A: usize, const B: usize, const C: usize> From<[[[$t; C]; B]; A]> for Tensor {
            fn from(data: [[[$t; C]; B]; A]) -> Tensor { Tensor::from_slice(data.as_flattened().as_flattened(), [A, B, C]) }
        }
        impl<const A: usize, const B: usize, const C: usize, const D: usize> From<[[[[$t; D]; C]; B]; A]> for Tensor {
            fn from(data: [[[[$t; D]; C]; B]; A]) -> Tensor {
                Tensor::from_slice(data.as_flattened().as_flattened().as_flattened(), [A, B, C, D])
            }
        }
        impl From<&[$t]> for Tensor {
            fn from(data: &[$t]) -> Tensor { Tensor::from_slice(data, [data.len()]) }
        }
        impl From<Vec<$t>> for Tensor {
            fn from(data: Vec<$t>) -> Tensor { Tensor::from_slice(&data, [data.len()]) }
        }
        impl From<Vec<Vec<$t>>> for Tensor {
            /// # Panics
            /// If the rows have different lengths.
            #[track_caller]
            fn from(rows: Vec<Vec<$t>>) -> Tensor {
                let width = rows.first().map_or(0, Vec::len);
                if let Some(odd) = rows.iter().position(|row| row.len() != width) {
                    fail!("from", "row {odd} has {} elements, row 0 has {width}", rows[odd].len());
                }
                Tensor::from_slice(&rows.concat(), [rows.len(), width])
            }
        }
    )*};
}
from_data!(
    bool,
    i8,
    u8,
    i16,
    u16,
    i32,
    u32,
    i64,
    u64,
    half::f16,
    half::bf16,
    f32
);

/// An n-d array of the `ndarray` crate, copied.
#[cfg(feature = "ndarray")]
impl<T: Element, D: ndarray::Dimension> From<&ndarray::Array<T, D>> for Tensor {
    fn from(array: &ndarray::Array<T, D>) -> Tensor {
        let data: Vec<T> = array.iter().copied().collect();
        Tensor::from_slice(&data, array.shape())
    }
}

#[cfg(feature = "ndarray")]
impl Tensor {
    /// The elements as an n-d array of the `ndarray` crate, cast to T if they are of another type.
    /// ```
    /// use teenygrad::Tensor;
    /// let array = ndarray::arr2(&[[1.0f32, 2.0], [3.0, 4.0]]);
    /// let doubled = (Tensor::from(&array) * 2.0).to_ndarray::<f32>();
    /// assert_eq!(doubled, (array * 2.0).into_dyn());
    /// ```
    #[track_caller]
    pub fn to_ndarray<T: Element>(&self) -> ndarray::ArrayD<T> {
        ndarray::ArrayD::from_shape_vec(self.shape(), self.to_vec())
            .expect("as many elements as the shape has")
    }
}
