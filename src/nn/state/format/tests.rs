//! Files that are right, and every way in which one can lie.

use super::*;
use proptest::prelude::*;

struct Plain(DType, Vec<usize>, Vec<u8>);
impl Save for Plain {
    fn dtype(&self) -> DType {
        self.0
    }
    fn shape(&self) -> &[usize] {
        &self.1
    }
    fn bytes(&self) -> Vec<u8> {
        self.2.clone()
    }
}

/// Name, dtype, shape and bytes.
type Decoded = (String, DType, Vec<usize>, Vec<u8>);

/// Every tensor of a file.
fn decode(bytes: &[u8]) -> Result<Vec<Decoded>> {
    let tensors = Archive::open(Path::new("w.safetensors"), bytes, bytes.len() as u64)?.read()?;
    Ok(tensors
        .into_iter()
        .map(|(e, bytes)| (e.name, e.dtype, e.shape, bytes))
        .collect())
}

fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn valid() -> Vec<u8> {
    let tensors = [
        (
            "bits".to_string(),
            Plain(DType::Bool, vec![3], vec![1, 0, 1]),
        ),
        (
            "w".to_string(),
            Plain(DType::Float32, vec![2, 2], (0..16).collect()),
        ),
        ("empty".to_string(), Plain(DType::Int64, vec![0, 5], vec![])),
        (
            "number".to_string(),
            Plain(DType::Float64, vec![], vec![9; 8]),
        ),
    ];
    encode(Path::new("w"), &tensors).unwrap()
}

/// The message for a file that must be refused.
fn refused(bytes: &[u8]) -> String {
    let message = decode(bytes).expect_err("should be refused").to_string();
    assert!(message.starts_with("w.safetensors: expected "), "{message}");
    message
}

#[test]
fn every_dtype_comes_back_as_it_went() {
    for dtype in DType::ALL {
        assert_eq!(dtype_of(stored_of(dtype)), Some(dtype));
        let bytes: Vec<u8> = (0..6 * dtype.itemsize()).map(|i| (i % 2) as u8).collect();
        let saved = [("x".to_string(), Plain(dtype, vec![2, 3], bytes.clone()))];
        let loaded = decode(&encode(Path::new("w"), &saved).unwrap()).unwrap();
        assert_eq!(loaded, [("x".to_string(), dtype, vec![2, 3], bytes)]);
    }
    assert_eq!(decode(&valid()).unwrap().len(), 4);
    assert_eq!(decode(&file("{}", b"")).unwrap(), []);
    assert_eq!(
        decode(&file(r#"{"__metadata__":{"format":"pt"}}  "#, b"")).unwrap(),
        []
    );
}

#[test]
fn headers_that_lie_are_refused_before_anything_is_allocated() {
    assert!(refused(b"").contains("found 0 bytes"));
    assert!(refused(&[1, 0, 0]).contains("found 3 bytes"));
    assert!(refused(&u64::MAX.to_le_bytes()).contains("claims 18446744073709551615 bytes"));
    assert!(
        refused(&file("{}", b"")[..9]).contains("at most 1 bytes, found a header that claims 2")
    );
    let mut text = file("{}  ", b"");
    text[9] = 0xff;
    assert!(refused(&text).contains("found an invalid byte at 1 of the header"));
    assert!(refused(&file("{", b"")).contains("a header in JSON, found EOF"));
    assert!(refused(&file("[]", b"")).contains("expected an object of names and tensors"));
    assert!(refused(&file("{}{}", b"")).contains("trailing characters"));
    assert!(refused(&file(&"[".repeat(50_000), b"")).contains("a header in JSON"));
    assert!(refused(&file(&format!(r#"{{"a":{}"#, "[".repeat(50_000)), b"")).contains("in \"a\""));
    // The limit of 100 MB holds for a file that is long enough for more. Nothing is read of it.
    let long = Archive::open(Path::new("w"), &200_000_000u64.to_le_bytes()[..], 1 << 40)
        .err()
        .unwrap();
    assert!(
        long.to_string().contains("at most 100000000 bytes"),
        "{long}"
    );
}

#[test]
fn tensors_that_lie_are_refused_by_name() {
    let one = |dtype: &str, shape: &str, from: &str, to: usize, data: usize| {
        let header = format!(
            r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}}}"#
        );
        refused(&file(&header, &vec![0; data]))
    };
    assert!(
        one("F32", "[2]", "0", 8, 4)
            .contains(r#"tensor "a" within the 4 bytes of data, found the range 0..8"#)
    );
    assert!(one("F32", "[2]", "8", 0, 8).contains("the range 8..0"));
    assert!(one("F32", "[3]", "0", 8, 8).contains("12 bytes, as float32 of shape [3]"));
    assert!(
        one("U8", "[4294967296, 4294967296, 16]", "0", 0, 0)
            .contains("more bytes than a memory has")
    );
    assert!(
        one("U8", "[0, 18446744073709551615]", "0", 0, 0).contains("more bytes than a memory has")
    );
    assert!(
        one("U8", &format!("{:?}", [1; 65]), "0", 1, 1).contains("of at most 64 axes, found 65")
    );
    assert!(one("U8", "[1099511627776]", "0", 1 << 40, 8).contains("within the 8 bytes"));
    assert!(one("F32", "[1]", "4", 8, 8).contains("found a gap: it starts at 4"));
    assert!(
        one("F32", "[1]", "0", 4, 8).contains("4 bytes of data, as the header describes, found 8")
    );
    assert!(one("F8_E4M3", "[1]", "0", 1, 1).contains("of one of the dtypes BOOL, I8, "));
    assert!(one("Q4", "[1]", "0", 1, 1).contains("in \"a\": unknown variant `Q4`"));
    assert!(one("U8", "[-1]", "0", 1, 1).contains("in \"a\": invalid value"));
}

#[test]
fn overlaps_unaligned_ranges_and_repeated_names_are_refused() {
    let two = |first: &str, second: &str| format!(r#"{{"a":{{{first}}},"b":{{{second}}}}}"#);
    let f32_0_8 = r#""dtype":"F32","shape":[2],"data_offsets":[0,8]"#;
    let overlap = two(
        f32_0_8,
        r#""dtype":"F32","shape":[2],"data_offsets":[4,12]"#,
    );
    assert!(refused(&file(&overlap, &[0; 12])).contains(r#"tensor "b" to start at byte 8"#));
    assert!(refused(&file(&overlap, &[0; 12])).contains("an overlap: it starts at 4"));
    let unaligned = two(
        r#""dtype":"U8","shape":[3],"data_offsets":[0,3]"#,
        r#""dtype":"F32","shape":[1],"data_offsets":[3,7]"#,
    );
    assert!(
        refused(&file(&unaligned, &[0; 7]))
            .contains("a multiple of 4 bytes, as float32 does, found 3")
    );
    let twice = two(f32_0_8, f32_0_8).replace("\"b\"", "\"a\"");
    assert!(refused(&file(&twice, &[0; 8])).contains("the name \"a\" twice"));
}

#[test]
fn a_bool_is_0_or_1_and_a_file_that_shrinks_while_it_is_read_is_an_error() {
    let header = r#"{"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}"#;
    assert!(refused(&file(header, &[1, 2])).contains("the bool tensor \"a\", found 2"));
    let bytes = file(header, &[1, 1]);
    let short = &bytes[..bytes.len() - 1];
    let archive = Archive::open(Path::new("w"), short, bytes.len() as u64).unwrap();
    let message = archive.read().err().unwrap().to_string();
    assert!(
        message.contains("2 bytes of tensor \"a\", found the end of the file after 1"),
        "{message}"
    );
}

proptest! {
    /// Whatever is done to a file: what still loads is consistent, the rest is an `Err`, and nothing panics.
    #[test]
    fn mutations_never_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        insert in prop::option::of((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..20))),
    ) {
        let mut bytes = valid();
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
        if let Ok(tensors) = decode(&bytes) {
            for (_, dtype, shape, bytes) in tensors {
                prop_assert_eq!(shape.iter().product::<usize>() * dtype.itemsize(), bytes.len());
            }
        }
    }
}
