//! # memory: arrays in and out
//!
//! **In:** NumPy's arrays, lists, anything with `__array__` or `__dlpack__`. **Out:** tensors; and back.
//!
//! | direction | copies |
//! |---|---|
//! | array → tensor | always one: a tensor's memory is aligned, pooled, and written into by the engine when nobody else holds it, none of which it can do with somebody else's. Any strides, also negative ones, are read in place. |
//! | tensor → array | none: the array shows the tensor's memory and keeps it alive. While an array shows it, the engine writes new values elsewhere. |
//! | DLPack | the same two |
//!
//! Law: memory that Python holds stays as it is, as [`Buffer`]s are overwritten only by who is their last holder. Who writes into an array
//! of a tensor's memory writes into the tensor, as in the original and in PyTorch.

use crate::args::{Type, unexpected};
use crate::guard::guard;
use numpy::npyffi::{self, PY_ARRAY_API};
use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::ffi::{CStr, c_void};
use std::sync::Arc;
use teenygrad::device::Buffer;
use teenygrad::{DType, Tensor};

// ---- In --------------------------------------------------------------

/// A tensor of whatever NumPy makes an array of.
pub fn from_object(object: &Bound<'_, PyAny>, dtype: Option<DType>) -> PyResult<Tensor> {
    let py = object.py();
    let array = match object.cast::<PyUntypedArray>() {
        Ok(array) => array.clone(),
        Err(_) => {
            let numpy = py.import("numpy")?;
            // Bfloat16 is unknown to NumPy; its numbers pass through float32, which holds each of them.
            let array = match dtype {
                Some(DType::BFloat16) => numpy.call_method1("asarray", (object, "float32"))?,
                Some(dtype) => numpy.call_method1("asarray", (object, dtype.name()))?,
                None => numpy.call_method1("asarray", (object,))?,
            };
            array.cast_into()?
        }
    };
    let tensor = from_array(&array)?;
    Ok(dtype.map_or(tensor.clone(), |dtype| tensor.cast(dtype)))
}

fn from_array(array: &Bound<'_, PyUntypedArray>) -> PyResult<Tensor> {
    let descr = array.dtype();
    if descr.is_native_byteorder() == Some(false) {
        let native = descr.call_method1("newbyteorder", ("=",))?;
        return from_array(&array.call_method1("astype", (native,))?.cast_into()?);
    }
    let name: String = descr.getattr("name")?.extract()?;
    let Some(dtype) = DType::from_name(&name) else {
        return Err(PyTypeError::new_err(format!(
            "an array of {name} cannot become a tensor"
        )));
    };
    // SAFETY: NumPy says that the elements lie there, `shape` of them, `strides` bytes apart, and the lock is held while they are read.
    let bytes = unsafe {
        let data = (*array.as_array_ptr()).fields.data.cast::<u8>();
        gather(data, array.shape(), array.strides(), dtype.itemsize())
    };
    guard(|| Tensor::from_bytes(&bytes, array.shape(), dtype))
}

/// Elements in row-major order out of memory of any strides (in bytes).
///
/// # Safety
/// There must be a readable element of `size` bytes at each place that shape and strides lead to from `data`.
unsafe fn gather(data: *const u8, shape: &[usize], strides: &[isize], size: usize) -> Vec<u8> {
    let count: usize = shape.iter().product();
    let mut bytes = Vec::with_capacity(count * size);
    if count == 0 {
        return bytes;
    }
    // The last axes that lie in order are copied as one piece.
    let (mut piece, mut outer) = (size, shape.len());
    while outer > 0 && (shape[outer - 1] == 1 || strides[outer - 1] == piece as isize) {
        outer -= 1;
        piece *= shape[outer];
    }
    let mut index = vec![0; outer];
    let mut at = data;
    loop {
        // SAFETY: the caller's promise, for each element of the piece.
        bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(at, piece) });
        // The next index, as an odometer counts.
        let Some(axis) = (0..outer).rev().find(|&axis| index[axis] + 1 < shape[axis]) else {
            return bytes;
        };
        index[axis] += 1;
        at = at.wrapping_offset(strides[axis]);
        for back in axis + 1..outer {
            at = at.wrapping_offset(-strides[back] * index[back] as isize);
            index[back] = 0;
        }
    }
}

// ---- Out -------------------------------------------------------------

/// What an array is a view of: it keeps the memory alive.
#[pyclass(frozen, name = "Memory", module = "teenygrad._teenygrad")]
#[allow(dead_code)] // held, not read
struct Memory {
    buffer: Arc<Buffer>,
}

/// The tensor's memory as an array, without a copy. Bfloat16, which NumPy doesn't have, as float32.
pub fn to_array<'py>(py: Python<'py>, tensor: &Tensor) -> PyResult<Bound<'py, PyAny>> {
    let (buffer, shape) = crate::guard::computed(py, || {
        let tensor = match tensor.dtype() {
            DType::BFloat16 => tensor.detach().float(),
            _ => tensor.clone(),
        };
        (tensor.buffer(), tensor.shape())
    })?;
    let descr = PyArrayDescr::new(py, buffer.dtype().name())?;
    let mut dims: Vec<npyffi::npy_intp> =
        shape.iter().map(|&size| size as npyffi::npy_intp).collect();
    let data = buffer.bytes().as_ptr().cast_mut();
    let memory = Bound::new(py, Memory { buffer })?;
    // SAFETY: `data` holds the elements of this shape and dtype one after the other, for as long as the base object, which is given to
    // the array right away, keeps the buffer.
    unsafe {
        let array = PY_ARRAY_API.PyArray_NewFromDescr(
            py,
            npyffi::get_type_object(py, npyffi::NpyTypes::PyArray_Type),
            descr.into_dtype_ptr(),
            dims.len() as i32,
            dims.as_mut_ptr(),
            std::ptr::null_mut(),
            data.cast(),
            npyffi::NPY_ARRAY_WRITEABLE,
            std::ptr::null_mut(),
        );
        let array = Bound::from_owned_ptr_or_err(py, array)?;
        PY_ARRAY_API.PyArray_SetBaseObject(py, array.as_ptr().cast(), memory.into_ptr());
        Ok(array)
    }
}

// ---- DLPack ----------------------------------------------------------

// The structures of https://dmlc.github.io/dlpack, version 1.0.

#[repr(C)]
struct DLTensor {
    data: *mut c_void,
    device: [i32; 2],
    ndim: i32,
    code: u8,
    bits: u8,
    lanes: u16,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

#[repr(C)]
struct Unversioned {
    tensor: DLTensor,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Unversioned)>,
}

#[repr(C)]
struct Versioned {
    version: [u32; 2],
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Versioned)>,
    flags: u64,
    tensor: DLTensor,
}

/// kDLCPU
pub const CPU: i32 = 1;

const CODES: [(DType, u8); 13] = [
    (DType::Bool, 6),
    (DType::Int8, 0),
    (DType::Int16, 0),
    (DType::Int32, 0),
    (DType::Int64, 0),
    (DType::Uint8, 1),
    (DType::Uint16, 1),
    (DType::Uint32, 1),
    (DType::Uint64, 1),
    (DType::Float16, 2),
    (DType::Float32, 2),
    (DType::Float64, 2),
    (DType::BFloat16, 4),
];

/// What a capsule owns: the memory, and the numbers that its structure points to.
struct Owner {
    buffer: Arc<Buffer>,
    shape: Vec<i64>,
    strides: Vec<i64>,
}

fn describe(owner: &mut Owner) -> DLTensor {
    let dtype = owner.buffer.dtype();
    let (_, code) = CODES[CODES
        .iter()
        .position(|(known, _)| *known == dtype)
        .expect("all dtypes are listed")];
    DLTensor {
        data: owner.buffer.bytes().as_ptr().cast_mut().cast(),
        device: [CPU, 0],
        ndim: owner.shape.len() as i32,
        code,
        bits: (dtype.itemsize() * 8) as u8,
        lanes: 1,
        shape: owner.shape.as_mut_ptr(),
        strides: owner.strides.as_mut_ptr(),
        byte_offset: 0,
    }
}

macro_rules! capsules {
    ($($managed:ident, $name:literal, $used:literal, $export:ident, $delete:ident, $forget:ident, |$tensor:ident, $context:ident| $make:expr;)*) => {$(
        unsafe extern "C" fn $delete(managed: *mut $managed) {
            // SAFETY: both were boxed by the export below, and a consumer calls the deleter once.
            unsafe {
                drop(Box::from_raw((*managed).context.cast::<Owner>()));
                drop(Box::from_raw(managed));
            }
        }

        /// Called when the capsule goes. If a consumer has taken the tensor, it has renamed the capsule.
        unsafe extern "C" fn $forget(capsule: *mut ffi::PyObject) {
            // SAFETY: a capsule of this name holds a pointer to this structure.
            unsafe {
                if ffi::PyCapsule_IsValid(capsule, $name.as_ptr()) == 1 {
                    $delete(ffi::PyCapsule_GetPointer(capsule, $name.as_ptr()).cast());
                }
            }
        }

        fn $export(py: Python<'_>, mut owner: Box<Owner>) -> PyResult<Bound<'_, PyAny>> {
            let $tensor = describe(&mut owner);
            let $context = Box::into_raw(owner).cast();
            let managed = Box::into_raw(Box::new($make));
            // SAFETY: the capsule owns the structure until it is renamed or goes.
            unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyCapsule_New(managed.cast(), $name.as_ptr(), Some($forget))) }
        }
    )*};
}
capsules! {
    Unversioned, c"dltensor", c"used_dltensor", export_unversioned, delete_unversioned, forget_unversioned,
        |tensor, context| Unversioned { tensor, context, deleter: Some(delete_unversioned) };
    Versioned, c"dltensor_versioned", c"used_dltensor_versioned", export_versioned, delete_versioned, forget_versioned,
        |tensor, context| Versioned { version: [1, 0], context, deleter: Some(delete_versioned), flags: 0, tensor };
}

/// A capsule of the tensor's memory, without a copy (unless one is asked for).
pub fn to_dlpack<'py>(
    py: Python<'py>,
    tensor: &Tensor,
    versioned: bool,
    copy: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let (buffer, shape) = crate::guard::computed(py, || (tensor.buffer(), tensor.shape()))?;
    let buffer = if copy {
        Arc::new(Buffer::from_bytes(
            buffer.bytes(),
            buffer.dtype(),
            buffer.device(),
        ))
    } else {
        buffer
    };
    let mut strides = vec![1i64; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1) as i64;
    }
    let owner = Box::new(Owner {
        buffer,
        shape: shape.iter().map(|&size| size as i64).collect(),
        strides,
    });
    if versioned {
        export_versioned(py, owner)
    } else {
        export_unversioned(py, owner)
    }
}

/// A tensor with a copy of the elements of anything that has `__dlpack__`.
pub fn from_dlpack(object: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    if !object.hasattr("__dlpack__")? {
        return Err(unexpected("something with __dlpack__", object));
    }
    let capsule: Bound<'_, PyCapsule> = object.call_method0("__dlpack__")?.cast_into()?;
    let name = c"dltensor";
    let pointer = capsule.pointer_checked(Some(name)).map_err(|_| {
        PyBufferError::new_err("__dlpack__() gave no capsule of the name \"dltensor\", or one that has been used already")
    })?;
    // SAFETY: by the protocol, a capsule of this name points to this structure, which is ours until its deleter has been called.
    let result = unsafe { read(&(*pointer.as_ptr().cast::<Unversioned>()).tensor) };
    // SAFETY: the same; the capsule is renamed so that its own destructor leaves the structure alone.
    unsafe {
        let used: &'static CStr = c"used_dltensor";
        ffi::PyCapsule_SetName(capsule.as_ptr(), used.as_ptr());
        let managed = pointer.as_ptr().cast::<Unversioned>();
        if let Some(deleter) = (*managed).deleter {
            deleter(managed);
        }
    }
    result
}

/// # Safety
/// The tensor must be as its fields say.
unsafe fn read(tensor: &DLTensor) -> PyResult<Tensor> {
    let known = CODES.iter().find(|(dtype, code)| {
        (*code, dtype.itemsize() * 8, 1) == (tensor.code, tensor.bits as usize, tensor.lanes)
    });
    let Some(&(dtype, _)) = known else {
        return Err(PyBufferError::new_err(format!(
            "DLPack's type with code {}, {} bits and {} lanes is no dtype of a tensor",
            tensor.code, tensor.bits, tensor.lanes
        )));
    };
    if tensor.device[0] != CPU {
        return Err(PyBufferError::new_err(format!(
            "the data is on DLPack's device {:?}, and only the CPU (1) can be read",
            tensor.device
        )));
    }
    let ndim = tensor.ndim as usize;
    let (shape, strides): (Vec<usize>, Vec<isize>) = if ndim == 0 {
        (Vec::new(), Vec::new())
    } else {
        // SAFETY: the caller's promise: `ndim` sizes, and as many strides unless there are none.
        unsafe {
            let shape: Vec<usize> = std::slice::from_raw_parts(tensor.shape, ndim)
                .iter()
                .map(|&size| size as usize)
                .collect();
            let size = dtype.itemsize() as isize;
            let strides = if tensor.strides.is_null() {
                teenygrad::shape::view::row_major(&shape)
                    .iter()
                    .map(|stride| stride * size)
                    .collect()
            } else {
                std::slice::from_raw_parts(tensor.strides, ndim)
                    .iter()
                    .map(|&stride| stride as isize * size)
                    .collect()
            };
            (shape, strides)
        }
    };
    // SAFETY: the caller's promise.
    let bytes = unsafe {
        let data = tensor
            .data
            .cast::<u8>()
            .wrapping_add(tensor.byte_offset as usize);
        gather(data, &shape, &strides, dtype.itemsize())
    };
    guard(|| Tensor::from_bytes(&bytes, &shape, dtype))
}

/// Adds what Python needs to see of this room.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Memory>()?;
    let _ = Type(DType::Float32);
    Ok(())
}
