//! # nn/state/format: the bytes of a safetensors file
//!
//! **In:** a file that anyone may have made. **Out:** names, dtypes, shapes and bytes that are what they claim to be, or an [`Error`]
//! that says what is wrong with which tensor. **Above:** [`state`](super), which makes tensors of them. **Below:** the crate
//! `safetensors`, which knows the header's JSON and writes files.
//!
//! ```text
//! 8 bytes   n, little-endian
//! n bytes   JSON: {"conv1": {"dtype": "F32", "shape": [8, 1, 3, 3], "data_offsets": [0, 288]}, …}, padded with spaces
//! the rest  the tensors' elements, little-endian, row-major, at the offsets that the header states
//! ```
//!
//! Laws (each broken one is an `Err`; nothing is allocated on the word of a header alone):
//! 1. n is at most 100 MB and fits into the file; the header is UTF-8 and JSON; no name comes twice.
//! 2. Sorted by offset, the tensors cover the data without a gap or an overlap, from its first byte to the file's last.
//! 3. Each range is as long as shape × dtype says (at most 64 axes, no product that overflows), and starts at a multiple of the element's size.
//! 4. A bool is 0 or 1.

use crate::dtype::DType;
use crate::error::{Error, Result};
use safetensors::tensor::{Dtype as Stored, TensorInfo};
use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The longest header that is read, as in the crate: 100 MB describe more than a million tensors.
const LONGEST_HEADER: u64 = 100_000_000;

/// As many axes as NumPy takes; a header could name millions.
const MOST_AXES: usize = 64;

/// One tensor, as the header describes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub name: String,
    pub dtype: DType,
    pub shape: Vec<usize>,
    /// How many bytes its elements take.
    pub length: usize,
}

/// An open file whose header was read and found right, and whose data was not read yet.
pub(super) struct Archive<R> {
    path: PathBuf,
    reader: R,
    /// In the order in which the data follows.
    pub entries: Vec<Entry>,
}

// ---- Reading ---------------------------------------------------------

impl<R: Read> Archive<R> {
    /// Reads and checks the header of a file of `length` bytes; `path` is for the messages.
    pub fn open(path: &Path, mut reader: R, length: u64) -> Result<Archive<R>> {
        let wrong = |expected: String, found: String| Error::format(path, expected, found);
        if length < 8 {
            return Err(wrong(
                "a safetensors file, of 8 bytes or more".into(),
                format!("{length} bytes"),
            ));
        }
        let mut prefix = [0; 8];
        reader
            .read_exact(&mut prefix)
            .map_err(|e| Error::io(path, e))?;
        let header = u64::from_le_bytes(prefix);
        let available = length - 8;
        if header > LONGEST_HEADER.min(available) {
            let expected = format!(
                "a header of at most {} bytes",
                LONGEST_HEADER.min(available)
            );
            let advice =
                "a safetensors file starts with the header's length in 8 bytes; is this one?";
            return Err(
                wrong(expected, format!("a header that claims {header} bytes")).with_hint(advice),
            );
        }
        let mut text = vec![0; header as usize];
        reader
            .read_exact(&mut text)
            .map_err(|e| Error::io(path, e))?;
        let text = String::from_utf8(text).map_err(|e| {
            let at = e.utf8_error().valid_up_to();
            wrong(
                "a header in UTF-8".into(),
                format!("an invalid byte at {at} of the header"),
            )
        })?;
        let described =
            parse(&text).map_err(|e| wrong("a header in JSON".into(), e.to_string()))?;
        let entries = check(path, described, available - header)?;
        Ok(Archive {
            path: path.to_path_buf(),
            reader,
            entries,
        })
    }

    /// Reads every tensor's bytes, in the order of [`Archive::entries`].
    pub fn read(mut self) -> Result<Vec<(Entry, Vec<u8>)>> {
        let mut tensors = Vec::with_capacity(self.entries.len());
        for entry in std::mem::take(&mut self.entries) {
            let mut bytes = Vec::new();
            // A sparse file can be longer than the memory: then this is an error like any other, and no abort.
            bytes
                .try_reserve_exact(entry.length)
                .map_err(|_| Error::io(&self.path, io::ErrorKind::OutOfMemory.into()))?;
            let got = self
                .reader
                .by_ref()
                .take(entry.length as u64)
                .read_to_end(&mut bytes);
            got.map_err(|e| Error::io(&self.path, e))?;
            if bytes.len() != entry.length {
                let expected = format!("{} bytes of tensor {:?}", entry.length, entry.name);
                let found = format!("the end of the file after {}", bytes.len());
                return Err(Error::format(&self.path, expected, found));
            }
            // Law 4. To Rust, a bool that is 2 is undefined behaviour, not a strange value.
            let odd = if entry.dtype == DType::Bool {
                bytes.iter().find(|b| **b > 1)
            } else {
                None
            };
            if let Some(byte) = odd {
                let expected = format!("0 or 1 as each byte of the bool tensor {:?}", entry.name);
                return Err(Error::format(&self.path, expected, format!("{byte}")));
            }
            tensors.push((entry, bytes));
        }
        Ok(tensors)
    }
}

/// Laws 2 and 3.
fn check(path: &Path, mut described: Vec<(String, TensorInfo)>, data: u64) -> Result<Vec<Entry>> {
    described.sort_by_key(|(_, info)| info.data_offsets);
    let mut entries = Vec::with_capacity(described.len());
    let mut covered = 0;
    for (name, info) in described {
        let wrong = |expected: String, found: String| {
            Error::format(path, format!("tensor {name:?} {expected}"), found)
        };
        let TensorInfo {
            dtype: stored,
            shape,
            data_offsets: (start, end),
        } = info;
        let dtype = dtype_of(stored).ok_or_else(|| {
            wrong(
                format!("of one of the dtypes {}", known_dtypes()),
                stored.to_string(),
            )
        })?;
        let itemsize = dtype.itemsize();
        if shape.len() > MOST_AXES {
            let expected = format!("of at most {MOST_AXES} axes");
            return Err(wrong(expected, format!("{}", shape.len())));
        }
        // An empty axis makes the product 0 however long the others are; the strides of such a tensor would still overflow.
        let length = shape
            .iter()
            .try_fold(itemsize, |product, n| product.checked_mul((*n).max(1)));
        let length = length.filter(|length| *length <= isize::MAX as usize);
        let length = if shape.contains(&0) {
            length.and(Some(0))
        } else {
            length
        };
        if end < start || end as u64 > data {
            let expected = format!("within the {data} bytes of data");
            return Err(wrong(expected, format!("the range {start}..{end}")));
        }
        if length != Some(end - start) {
            let length = length.map_or("more bytes than a memory has".into(), |n| {
                format!("{n} bytes")
            });
            let expected = format!("to take {length}, as {dtype} of shape {shape:?} does");
            return Err(wrong(
                expected,
                format!("the range {start}..{end} of {} bytes", end - start),
            ));
        }
        if start % itemsize != 0 {
            let expected = format!("to start at a multiple of {itemsize} bytes, as {dtype} does");
            let advice = "an old program wrote this file: a current version of safetensors aligns what it saves";
            return Err(wrong(expected, format!("{start}")).with_hint(advice));
        }
        if start != covered {
            let what = if start < covered {
                "an overlap"
            } else {
                "a gap"
            };
            let expected = format!("to start at byte {covered}, where the one before ends");
            return Err(wrong(expected, format!("{what}: it starts at {start}")));
        }
        covered = end;
        entries.push(Entry {
            name,
            dtype,
            shape,
            length: end - start,
        });
    }
    if covered as u64 != data {
        let expected = format!("{covered} bytes of data, as the header describes");
        return Err(Error::format(path, expected, format!("{data}")));
    }
    Ok(entries)
}

/// The header's tensors, in any order. Unlike a map, this sees a name that comes twice, of which a map would keep one in silence.
fn parse(text: &str) -> std::result::Result<Vec<(String, TensorInfo)>, serde_json::Error> {
    struct Tensors;
    impl<'de> Visitor<'de> for Tensors {
        type Value = Vec<(String, TensorInfo)>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("an object of names and tensors")
        }

        fn visit_map<M: MapAccess<'de>>(
            self,
            mut map: M,
        ) -> std::result::Result<Self::Value, M::Error> {
            let (mut tensors, mut seen) = (Vec::new(), BTreeSet::new());
            while let Some(name) = map.next_key::<String>()? {
                if !seen.insert(name.clone()) {
                    return Err(M::Error::custom(format!("the name {name:?} twice")));
                }
                let inside = |e| M::Error::custom(format!("in {name:?}: {e}"));
                if name == METADATA {
                    map.next_value::<HashMap<String, String>>()
                        .map_err(inside)?;
                } else {
                    let info = map.next_value::<TensorInfo>().map_err(inside)?;
                    tensors.push((name, info));
                }
            }
            Ok(tensors)
        }
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let tensors = json.deserialize_map(Tensors)?;
    json.end()?;
    Ok(tensors)
}

/// The one name that no tensor can have: the format keeps free text under it.
pub(super) const METADATA: &str = "__metadata__";

// ---- Writing ---------------------------------------------------------

/// A tensor that can be saved. Its bytes are asked for once, when their turn comes, so that a model is never in memory three times.
pub(super) trait Save {
    fn dtype(&self) -> DType;
    fn shape(&self) -> &[usize];
    fn bytes(&self) -> Vec<u8>;
}

/// What the crate asks of a tensor, in terms of what a [`Save`] answers.
struct View<'a, S>(&'a S);

impl<S: Save> safetensors::View for View<'_, S> {
    fn dtype(&self) -> Stored {
        stored_of(self.0.dtype())
    }

    fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        self.0.bytes().into()
    }

    fn data_len(&self) -> usize {
        self.0.shape().iter().product::<usize>() * self.0.dtype().itemsize()
    }
}

/// The whole file. The crate puts the tensors with the widest elements first, which keeps law 3, and then goes by name: the same
/// tensors always give the same bytes.
pub(super) fn encode<S: Save>(path: &Path, tensors: &[(String, S)]) -> Result<Vec<u8>> {
    let views = tensors.iter().map(|(name, tensor)| (name, View(tensor)));
    safetensors::serialize(views, None).map_err(|e| {
        Error::format(
            path,
            "tensors that a safetensors file can hold",
            e.to_string(),
        )
    })
}

// ---- Dtypes ----------------------------------------------------------

/// The format's name of a dtype.
fn stored_of(dtype: DType) -> Stored {
    match dtype {
        DType::Bool => Stored::BOOL,
        DType::Int8 => Stored::I8,
        DType::Uint8 => Stored::U8,
        DType::Int16 => Stored::I16,
        DType::Uint16 => Stored::U16,
        DType::Int32 => Stored::I32,
        DType::Uint32 => Stored::U32,
        DType::Int64 => Stored::I64,
        DType::Uint64 => Stored::U64,
        DType::Float16 => Stored::F16,
        DType::BFloat16 => Stored::BF16,
        DType::Float32 => Stored::F32,
        DType::Float64 => Stored::F64,
    }
}

/// The dtype of that name; the format also has 4-, 6- and 8-bit floats, which have no counterpart here.
fn dtype_of(stored: Stored) -> Option<DType> {
    DType::ALL
        .into_iter()
        .find(|dtype| stored_of(*dtype) == stored)
}

fn known_dtypes() -> String {
    DType::ALL
        .map(|dtype| stored_of(dtype).to_string())
        .join(", ")
}

#[cfg(test)]
mod tests;
