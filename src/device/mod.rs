//! # device: where kernels run
//!
//! **In:** a verified [`Kernel`] and the buffers it reads and writes. **Out:** the buffers, written. **Above:** `realize`.
//!
//! ```text
//! Device (a name) ──▶ Engine::compile(kernel) ──▶ Program::run(buffers)
//!   CPU        blocks that stay in cache, contractions, threads       cpu/
//!   REFERENCE  one element at a time, in the most obvious way         reference.rs   — the definition
//! ```
//!
//! Law: an engine computes what the reference computes, up to rounding, whatever the graph. Property tests hold it to that.

pub mod cpu;
pub mod memory;
pub mod random;
pub mod reference;

use crate::dtype::{DType, Element, Scalar, with_dtype};
use crate::error::{Error, Result};
use crate::kernel::{Cost, Kernel};
use memory::Memory;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// A place where tensors live and kernels run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Device {
    /// this machine's processor, with all that makes it fast
    CPU,
    /// the definition: slow, unfused, element by element
    REFERENCE,
}

impl Device {
    /// The device of tensors that name none: the environment's `DEVICE`, else the CPU.
    ///
    /// # Panics
    /// If `DEVICE` names no device.
    #[allow(non_snake_case)]
    pub fn DEFAULT() -> Device {
        static DEFAULT: OnceLock<Device> = OnceLock::new();
        *DEFAULT.get_or_init(|| match std::env::var("DEVICE") {
            Ok(name) => {
                Device::canonicalize(&name).unwrap_or_else(|error| panic!("DEVICE: {error}"))
            }
            Err(_) => Device::CPU,
        })
    }

    /// The device of this name, in any case.
    /// ```
    /// # use teenygrad::Device;
    /// assert_eq!(Device::canonicalize("cpu").unwrap(), Device::CPU);
    /// assert!(Device::canonicalize("abacus").is_err());
    /// ```
    pub fn canonicalize(name: &str) -> Result<Device> {
        match name.to_ascii_uppercase().as_str() {
            "CPU" => Ok(Device::CPU),
            "REFERENCE" => Ok(Device::REFERENCE),
            _ => Err(Error::Device {
                name: name.to_string(),
                known: "CPU, REFERENCE".to_string(),
            }),
        }
    }

    /// What compiles kernels for it.
    pub fn engine(self) -> &'static dyn Engine {
        match self {
            Device::CPU => &cpu::Cpu,
            Device::REFERENCE => &reference::Reference,
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What a device brings along.
pub trait Engine: Sync {
    /// Whether the scheduler should fuse. The reference device says no: there every node is a kernel of its own.
    fn fuses(&self) -> bool;
    /// What it could do at best, for DEBUG; `None` if nobody wants to know.
    fn roof(&self) -> Option<Roof> {
        None
    }
    /// Turns a kernel into something that runs. Done once for each kernel of a schedule that is used again and again.
    fn compile(&self, kernel: Kernel) -> Box<dyn Program>;
}

/// The limits of a device, under which no kernel gets away: see [`cpu::roofline`].
#[derive(Clone, Copy, Debug)]
pub struct Roof {
    /// operations of arithmetic a second
    pub flops: f64,
    /// bytes a second, from memory
    pub bytes: f64,
}

impl Roof {
    /// Seconds that something takes at least.
    pub fn seconds(&self, cost: Cost) -> f64 {
        (cost.flops as f64 / self.flops).max(cost.bytes as f64 / self.bytes)
    }
    /// Operations a byte from which on arithmetic is what takes the time, and not memory.
    pub fn ridge(&self) -> f64 {
        self.flops / self.bytes
    }
}

/// A kernel, ready to run on its device.
pub trait Program: Send + Sync {
    /// Reads `inputs`, writes all of `outputs`.
    fn run(&self, args: &Args);
    /// The kernel that this was made of.
    fn kernel(&self) -> &Kernel;
    /// Bytes of tables that it keeps between runs, as far as they grow with the problem.
    fn bytes(&self) -> usize {
        0
    }
    /// A word on how it will be run (`blocks`, `contraction`, …), for DEBUG.
    fn strategy(&self) -> String;
}

/// What a program gets: memory and numbers. The buffers' lengths and dtypes are those of the kernel's slots.
pub struct Args<'a> {
    /// memory to read
    pub inputs: &'a [*const u8],
    /// memory to write; may be the same as an input that is only read at the place that is written
    pub outputs: &'a [*mut u8],
    /// constants, and keys of random numbers: they change from step to step while the kernel stays
    pub params: &'a [Param],
}

// SAFETY: the pointers are to buffers that the caller keeps alive for the run; programs write only their own outputs.
unsafe impl Sync for Args<'_> {}

/// A number that a kernel is given when it runs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Param {
    /// a constant of the graph
    Const(Scalar),
    /// the key of a random node
    Key([u32; 2]),
}

/// Memory for `len` elements of a dtype on a device. Empty until a kernel (or its maker) has filled it; never changed after that.
pub struct Buffer {
    dtype: DType,
    len: usize,
    device: Device,
    memory: OnceLock<Memory>,
    written: AtomicBool,
}

impl Buffer {
    /// A promise of memory, allocated when a kernel is about to write it.
    pub fn promised(dtype: DType, len: usize, device: Device) -> Buffer {
        Buffer {
            dtype,
            len,
            device,
            memory: OnceLock::new(),
            written: AtomicBool::new(false),
        }
    }

    /// A copy of a slice.
    pub fn from_slice<T: Element>(data: &[T], device: Device) -> Buffer {
        let buffer = Buffer::promised(T::DTYPE, data.len(), device);
        // SAFETY: the destination was just allocated for exactly so many bytes; elements are plain old data.
        unsafe {
            std::ptr::copy_nonoverlapping(
                data.as_ptr().cast::<u8>(),
                buffer.allocate(),
                size_of_val(data),
            )
        };
        buffer.mark_written();
        buffer
    }

    /// A copy of raw bytes, little-endian elements one after the other. Any byte of a bool but 0 is true.
    pub fn from_bytes(bytes: &[u8], dtype: DType, device: Device) -> Buffer {
        assert_eq!(bytes.len() % dtype.itemsize(), 0, "whole elements");
        if dtype == DType::Bool {
            return Buffer::from_slice(&bytes.iter().map(|&b| b != 0).collect::<Vec<_>>(), device);
        }
        let buffer = Buffer::promised(dtype, bytes.len() / dtype.itemsize(), device);
        // SAFETY: allocated for exactly so many bytes, and every bit pattern is a value of these dtypes.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.allocate(), bytes.len()) };
        buffer.mark_written();
        buffer
    }

    /// Type of the elements.
    pub fn dtype(&self) -> DType {
        self.dtype
    }
    /// How many elements.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Where.
    pub fn device(&self) -> Device {
        self.device
    }
    /// Bytes that the elements take.
    pub fn nbytes(&self) -> usize {
        self.len * self.dtype.itemsize()
    }

    /// Whether a kernel (or its maker) has filled it. Until then another thread is at it.
    pub fn is_written(&self) -> bool {
        self.written.load(Ordering::Acquire)
    }

    /// Says that it has been filled.
    pub(crate) fn mark_written(&self) {
        self.written.store(true, Ordering::Release);
    }

    /// Makes the memory (once) and tells where it is.
    pub(crate) fn allocate(&self) -> *mut u8 {
        self.memory
            .get_or_init(|| Memory::new(self.nbytes()))
            .as_ptr()
    }

    /// Gives the buffer the memory of another one that nobody needs any more, instead of new memory.
    pub(crate) fn adopt(&self, memory: Memory) {
        debug_assert!(memory.capacity() >= self.nbytes());
        let _ = self.memory.set(memory);
    }

    /// Takes the memory out of a buffer that nobody else holds.
    pub(crate) fn into_memory(self) -> Option<Memory> {
        self.memory.into_inner()
    }

    /// Where the elements are.
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.memory
            .get()
            .expect("a buffer is written before it is read")
            .as_ptr()
    }

    /// The elements, as type T cast from whatever they are.
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        with_dtype!(self.dtype, S => {
            // SAFETY: the buffer holds `len` written elements of dtype S, and nothing writes it any more.
            let data = unsafe { std::slice::from_raw_parts(self.as_ptr().cast::<S>(), self.len) };
            data.iter().map(|&x| T::from_scalar(x.into())).collect()
        })
    }

    /// The elements' bytes where they lie, little-endian on every machine that is.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: nbytes bytes have been written, and nothing writes them while the buffer is borrowed: a kernel takes over only the
        // memory of a buffer that nobody else holds.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.nbytes()) }
    }

    /// A copy of [`Buffer::bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes().to_vec()
    }
}
