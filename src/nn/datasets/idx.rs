//! # nn/datasets/idx: the file format of MNIST
//!
//! **In:** an IDX file, plain or compressed with gzip. **Out:** a dtype, a shape and the elements. **Above:** [`datasets`](super).
//! **Below:** flate2, which decompresses.
//!
//! An IDX file is an n-d array with the shortest header that one could think of, all numbers big-endian:
//!
//! ```text
//! 00 00 │ 08       │ 03          │ 00 00 ea 60 │ 00 00 00 1c │ 00 00 00 1c │ pixels, row-major …
//! zeros │ a uint8  │ has 3 axes  │ of 60000    │ times 28    │ times 28    │
//! ```
//!
//! The first four bytes are the *magic number*: what looks like the arbitrary 2051 of MNIST's images is "uint8, 3 axes", and the
//! 2049 of its labels "uint8, 1 axis". (Source of the format: the MNIST page by LeCun, Cortes and Burges.)
//!
//! Laws:
//! 1. A file is what it says: not one byte shorter, not one byte longer.
//! 2. Memory grows with the bytes that arrive, not with the ones that the header promises, and never beyond [`LIMIT`].

use crate::dtype::DType;
use crate::error::{Error, Result};
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// The most bytes of elements that are read: 1 GiB. MNIST's largest file has 47 MB, and a gzip file of one megabyte can unpack to
/// a thousand of them.
pub(super) const LIMIT: usize = 1 << 30;

/// An array as it stood in a file.
#[derive(Debug, PartialEq)]
pub(super) struct Idx {
    pub dtype: DType,
    pub shape: Vec<usize>,
    /// Row-major, little-endian (the file is big-endian).
    pub bytes: Vec<u8>,
}

/// Reads a file: gzip if its name ends in `.gz`, else plain.
pub(super) fn read(path: &Path) -> Result<Idx> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    decode(path, BufReader::new(file))
}

/// The same from any source; `path` tells whether it is compressed, and is named in messages.
pub(super) fn decode(path: &Path, input: impl BufRead) -> Result<Idx> {
    if path.extension().is_some_and(|extension| extension == "gz") {
        unpack(path, input, |plain| parse(path, plain))
    } else {
        parse(path, input)
    }
}

// ---- gzip ------------------------------------------------------------

/// Hands the uncompressed stream to `consume`, which must read it to its end, and checks that nothing follows it.
pub(super) fn unpack<T>(
    path: &Path,
    mut input: impl BufRead,
    consume: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    let start = input.fill_buf().map_err(|e| Error::io(path, e))?;
    let start = start[..start.len().min(16)].to_vec();
    if !start.starts_with(&[0x1f, 0x8b]) {
        // Most often a web page that says why there is no file: its first words tell.
        let found = match start.as_slice() {
            [] => "an empty file".to_string(),
            bytes => format!("{bytes:02x?} ({:?})", String::from_utf8_lossy(bytes)),
        };
        return Err(Error::format(
            path,
            "a gzip file, which starts with 1f 8b",
            found,
        ));
    }
    let mut plain = GzDecoder::new(input);
    let result = consume(&mut plain)?;
    let mut input = plain.into_inner();
    match input.fill_buf().map_err(|e| Error::io(path, e))? {
        [] => Ok(result),
        more => {
            let found = format!("at least {} bytes after it", more.len());
            Err(Error::format(
                path,
                "the file's end after the gzip stream",
                found,
            ))
        }
    }
}

/// What an error of a read means, `done` bytes into the stream.
pub(super) fn reading(path: &Path, done: usize, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => Error::format(
            path,
            "a complete file",
            format!("its end in the middle, after {done} bytes"),
        ),
        // How flate2 reports damaged data, the stream's checksum and length included.
        ErrorKind::InvalidData | ErrorKind::InvalidInput => Error::format(
            path,
            "an undamaged gzip stream",
            format!("{error}, after {done} bytes"),
        ),
        _ => Error::io(path, error),
    }
}

// ---- IDX -------------------------------------------------------------

/// Reads an array from a plain stream that ends with it.
fn parse(path: &Path, mut input: impl Read) -> Result<Idx> {
    let [zero0, zero1, code, axes] = word(path, &mut input, 0)?;
    let dtype = match (zero0, zero1, code) {
        (0, 0, 0x08) => DType::Uint8,
        (0, 0, 0x09) => DType::Int8,
        (0, 0, 0x0b) => DType::Int16,
        (0, 0, 0x0c) => DType::Int32,
        (0, 0, 0x0d) => DType::Float32,
        (0, 0, 0x0e) => DType::Float64,
        _ => {
            let expected = "the magic number of an IDX file: 00 00, then 08, 09, 0b, 0c, 0d or 0e, then the number of axes";
            return Err(Error::format(
                path,
                expected,
                format!("{:02x?}", [zero0, zero1, code, axes]),
            ));
        }
    };
    let mut shape = Vec::with_capacity(axes as usize);
    for axis in 0..axes as usize {
        shape.push(u32::from_be_bytes(word(path, &mut input, 4 + 4 * axis)?) as usize);
    }
    let header = 4 + 4 * shape.len();
    // An empty axis makes the product 0 however long the others are; the strides of such a tensor would still overflow.
    let extent = shape.iter().try_fold(dtype.itemsize(), |product, n| {
        product.checked_mul((*n).max(1))
    });
    let Some(extent) = extent.filter(|extent| *extent <= LIMIT) else {
        let expected = format!("an array of at most {LIMIT} bytes");
        return Err(Error::format(
            path,
            expected,
            format!("a header that claims {dtype} of shape {shape:?}"),
        ));
    };
    let claimed = if shape.contains(&0) { 0 } else { extent };
    let mut bytes = Vec::new();
    read_up_to(&mut input, claimed, &mut bytes)
        .map_err(|e| reading(path, header + bytes.len(), e))?;
    if bytes.len() != claimed {
        let expected = format!("{claimed} bytes of elements ({dtype} of shape {shape:?})");
        let found = if bytes.len() < claimed {
            format!("{}", bytes.len())
        } else {
            "more".into()
        };
        return Err(Error::format(path, expected, found));
    }
    for element in bytes.chunks_exact_mut(dtype.itemsize()) {
        element.reverse();
    }
    Ok(Idx {
        dtype,
        shape,
        bytes,
    })
}

/// Four bytes of the header, which stand at `position`.
fn word(path: &Path, input: &mut impl Read, position: usize) -> Result<[u8; 4]> {
    let mut bytes = [0; 4];
    input
        .read_exact(&mut bytes)
        .map_err(|e| reading(path, position, e))?;
    Ok(bytes)
}

/// Appends what `input` has, and stops one byte beyond `claimed`: enough to know that there is more.
fn read_up_to(input: &mut impl Read, claimed: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    // No `with_capacity(claimed)`: law 2. read_to_end doubles the vector as bytes arrive.
    input.take(claimed as u64 + 1).read_to_end(bytes)?;
    bytes.shrink_to_fit();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// 2 × 3 uint8.
    fn small() -> Vec<u8> {
        [
            &[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3][..],
            &[1, 2, 3, 4, 5, 6],
        ]
        .concat()
    }

    fn plain(bytes: &[u8]) -> Result<Idx> {
        decode(Path::new("x-ubyte"), bytes)
    }

    fn zipped(bytes: &[u8]) -> Result<Idx> {
        decode(Path::new("x-ubyte.gz"), bytes)
    }

    fn message(result: Result<Idx>) -> String {
        let message = result.expect_err("should be refused").to_string();
        assert!(
            message.starts_with("x-ubyte") && message.contains(": expected "),
            "{message}"
        );
        message
    }

    #[test]
    fn an_array_is_read_plain_and_compressed() {
        let expected = Idx {
            dtype: DType::Uint8,
            shape: vec![2, 3],
            bytes: vec![1, 2, 3, 4, 5, 6],
        };
        assert_eq!(plain(&small()).unwrap(), expected);
        assert_eq!(zipped(&gzip(&small())).unwrap(), expected);
    }

    #[test]
    fn elements_of_several_bytes_are_turned_from_big_to_little_endian() {
        let idx = plain(&[
            0, 0, 0x0c, 1, 0, 0, 0, 2, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xfe,
        ])
        .unwrap();
        assert_eq!((idx.dtype, idx.shape), (DType::Int32, vec![2]));
        assert_eq!(
            idx.bytes,
            [256i32.to_le_bytes(), (-2i32).to_le_bytes()].concat()
        );
        assert_eq!(
            plain(&[0, 0, 0x0d, 0, 0x3f, 0x80, 0, 0]).unwrap().bytes,
            1f32.to_le_bytes()
        );
    }

    #[test]
    fn wrong_magic_short_and_long_bodies_are_refused() {
        let mut wrong = small();
        wrong[2] = 7;
        assert!(message(plain(&wrong)).contains("the magic number of an IDX file"));
        assert!(message(plain(&wrong)).contains("found [00, 00, 07, 02]"));
        assert!(message(plain(b"")).contains("its end in the middle, after 0 bytes"));
        assert!(message(plain(&small()[..10])).contains("after 8 bytes"));
        assert!(
            message(plain(&small()[..17]))
                .contains("6 bytes of elements (uint8 of shape [2, 3]), found 5")
        );
        assert!(
            message(plain(&[&small()[..], &[0]].concat()))
                .contains("6 bytes of elements (uint8 of shape [2, 3]), found more")
        );
        assert!(message(zipped(&gzip(&small()[..17]))).contains("found 5"));
        assert!(message(zipped(&gzip(&[&small()[..], &[0; 99]].concat()))).contains("found more"));
    }

    #[test]
    fn damaged_gzip_is_refused() {
        let good = gzip(&small());
        for length in 2..good.len() {
            message(zipped(&good[..length]));
        }
        assert!(
            message(zipped(&good[..good.len() - 1]))
                .contains("found its end in the middle, after 18 bytes")
        );
        assert!(message(zipped(b"")).contains("found an empty file"));
        assert!(message(zipped(b"<!DOCTYPE html>")).contains("<!DOCTYPE html>"));
        assert!(message(zipped(&small())).contains("which starts with 1f 8b"));
        let mut checksum = good.clone();
        let at = good.len() - 6;
        checksum[at] ^= 1;
        assert!(
            message(zipped(&checksum))
                .contains("an undamaged gzip stream, found corrupt gzip stream")
        );
        let trailing = [&good[..], b"junk"].concat();
        assert!(
            message(zipped(&trailing))
                .contains("the file's end after the gzip stream, found at least 4 bytes after it")
        );
    }

    #[test]
    fn huge_claims_allocate_nothing() {
        let claim = |axes: &[u32]| {
            let mut bytes = vec![0, 0, 0x0e, axes.len() as u8];
            bytes.extend(axes.iter().flat_map(|n| n.to_be_bytes()));
            bytes
        };
        assert!(
            message(plain(&claim(&[u32::MAX; 4])))
                .contains("at most 1073741824 bytes, found a header that claims float64")
        );
        assert!(message(plain(&claim(&[1 << 30]))).contains("at most 1073741824 bytes"));
        assert!(
            message(plain(&claim(&[1 << 27])))
                .contains("1073741824 bytes of elements (float64 of shape [134217728]), found 0")
        );
        assert!(message(plain(&claim(&[7; 255]))).contains("at most 1073741824 bytes"));
        assert!(
            message(plain(&claim(&[0, u32::MAX, u32::MAX, u32::MAX])))
                .contains("at most 1073741824 bytes")
        );
        assert!(plain(&claim(&[0, 28, 28])).unwrap().bytes.is_empty());
        // Within the limit, memory follows what arrives: 100 bytes of a claimed gigabyte.
        let mut bytes = Vec::new();
        read_up_to(&mut &[0; 100][..], LIMIT, &mut bytes).unwrap();
        assert!(bytes.len() == 100 && bytes.capacity() < 10_000);
        // A gzip bomb is read one byte beyond the claim, not to its end.
        let bomb = gzip(&[&small()[..], &vec![0; 10_000_000]].concat());
        assert!(message(zipped(&bomb)).contains("found more"));
    }

    proptest! {
        /// Whatever is done to a file: what still parses is consistent, the rest is an `Err`, and nothing panics.
        #[test]
        fn mutations_never_panic(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in prop::option::of(any::<prop::sample::Index>()),
            insert in prop::option::of((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..20))),
            compressed: bool,
        ) {
            let mut bytes = if compressed { gzip(&small()) } else { small() };
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Some((at, extra)) = insert {
                let at = at.index(bytes.len());
                bytes.splice(at..at, extra);
            }
            if let Some(at) = cut {
                bytes.truncate(at.index(bytes.len()));
            }
            if let Ok(idx) = if compressed { zipped(&bytes) } else { plain(&bytes) } {
                prop_assert_eq!(idx.shape.iter().product::<usize>() * idx.dtype.itemsize(), idx.bytes.len());
            }
        }
    }
}
