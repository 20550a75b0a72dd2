//! # nn/state: a model's weights on disk
//!
//! **In:** tensors with names. **Out:** a `.safetensors` file, the format that PyTorch, candle, tinygrad and the rest of the field
//! read and write; and back. **Above:** user code. **Below:** `format`, which knows the bytes; [`files`],
//! which writes them.
//!
//! Laws:
//! 1. A load that fails changes nothing: every name, shape and dtype is compared, and all data is read, before the first tensor
//!    gets its new value.
//! 2. A save that fails leaves the old file as it was.
//! 3. What was saved is loaded bit for bit, NaNs included, on any machine.
//!
//! ```
//! use teenygrad::{Tensor, nn::state::{load_state, safe_load, safe_save}};
//! let path = std::env::temp_dir().join(format!("teenygrad-doc-{}.safetensors", std::process::id()));
//! let (weight, bias) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([0.5, -0.5]));
//! safe_save([("weight", &weight), ("bias", &bias)], &path)?;
//!
//! let fresh = (Tensor::zeros([2, 2]), Tensor::zeros([2]));
//! load_state(&path, [("weight", &fresh.0), ("bias", &fresh.1)])?;
//! assert_eq!(fresh.0.to_vec::<f32>(), [1.0, 2.0, 3.0, 4.0]);
//!
//! // A name with a typo is an error that offers the right one, and `fresh` keeps its values.
//! let error = load_state(&path, [("wieght", &fresh.0), ("bias", &fresh.1)]).unwrap_err();
//! assert!(error.to_string().contains("did you mean \"weight\"?"));
//!
//! assert_eq!(safe_load(&path)?["bias"].to_vec::<f32>(), [0.5, -0.5]);
//! # std::fs::remove_file(&path).unwrap();
//! # Ok::<(), teenygrad::Error>(())
//! ```

mod format;

use crate::dtype::DType;
use crate::error::{Error, Result, fail, nearest};
use crate::nn::files;
use crate::tensor::Tensor;
use format::{Archive, Entry, Save};
use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

// ---- Saving ----------------------------------------------------------

/// A tensor on its way into a file; its shape is held because the format asks for it by reference.
struct Saved<T> {
    tensor: T,
    shape: Vec<usize>,
}

impl<T: Borrow<Tensor>> Save for Saved<T> {
    fn dtype(&self) -> DType {
        self.tensor.borrow().dtype()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn bytes(&self) -> Vec<u8> {
        self.tensor.borrow().to_bytes()
    }
}

/// Writes named tensors into a safetensors file: an array, a vector or a map of names and tensors (owned or borrowed).
///
/// # Errors
/// If the file can't be written; the old one is then as it was.
///
/// # Panics
/// If two tensors have the same name, or one has the name `__metadata__`, which the format reserves.
#[track_caller]
pub fn safe_save<N, T>(
    tensors: impl IntoIterator<Item = (N, T)>,
    path: impl AsRef<Path>,
) -> Result<()>
where
    N: AsRef<str>,
    T: Borrow<Tensor>,
{
    let named = by_name("safe_save", tensors);
    let saved: Vec<(String, Saved<T>)> = named
        .into_iter()
        .map(|(name, tensor)| {
            let shape = tensor.borrow().shape();
            (name, Saved { tensor, shape })
        })
        .collect();
    let bytes = format::encode(path.as_ref(), &saved)?;
    files::write(path, &bytes)
}

// ---- Loading ---------------------------------------------------------

/// All tensors of a safetensors file, by name.
///
/// # Errors
/// If the file isn't there or is broken in any way; the message names the file, the tensor, what was expected and what was found.
pub fn safe_load(path: impl AsRef<Path>) -> Result<BTreeMap<String, Tensor>> {
    let tensors = open(path.as_ref())?.read()?;
    let made = tensors.into_iter().map(|(entry, bytes)| {
        let tensor = Tensor::from_bytes(&bytes, entry.shape, entry.dtype);
        (entry.name, tensor)
    });
    Ok(made.collect())
}

/// Gives the tensors of a model the values that a file has under their names.
///
/// The file must hold exactly these names, each with the tensor's shape and dtype. The tensors are assigned to, so that every
/// handle of them (an optimizer's, say) sees the new values, each on the device it was on.
///
/// # Errors
/// If the file isn't there or is broken, or if a name, a shape or a dtype differs; the model is then as it was.
///
/// # Panics
/// If two tensors have the same name.
#[track_caller]
pub fn load_state<N, T>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, T)>,
) -> Result<()>
where
    N: AsRef<str>,
    T: Borrow<Tensor>,
{
    let path = path.as_ref();
    let model = by_name("load_state", tensors);
    let archive = open(path)?;
    let wanted: Vec<Wanted> = model
        .iter()
        .map(|(name, tensor)| {
            let tensor = tensor.borrow();
            Wanted {
                name,
                shape: tensor.shape(),
                dtype: tensor.dtype(),
            }
        })
        .collect();
    compare(path, &wanted, &archive.entries)?;
    for (entry, bytes) in archive.read()? {
        // compare() has seen that each entry has its tensor.
        let tensor = model[&entry.name].borrow();
        let value = Tensor::from_bytes(&bytes, entry.shape, entry.dtype).to(tensor.device());
        tensor.assign(&value);
    }
    Ok(())
}

/// One tensor of the model, as the file must have it.
struct Wanted<'a> {
    name: &'a str,
    shape: Vec<usize>,
    dtype: DType,
}

/// Err at the first difference between a model and a file: a name that is missing, a shape or a dtype, names that are too many.
fn compare(path: &Path, model: &[Wanted], file: &[Entry]) -> Result<()> {
    let stored: HashMap<&str, &Entry> = file
        .iter()
        .map(|entry| (entry.name.as_str(), entry))
        .collect();
    // Only a name that the model doesn't use elsewhere can be what a missing one was meant to be.
    let used: HashSet<&str> = model.iter().map(|wanted| wanted.name).collect();
    let extra: Vec<&str> = file
        .iter()
        .map(|e| e.name.as_str())
        .filter(|name| !used.contains(name))
        .collect();
    for Wanted { name, shape, dtype } in model {
        let expected = format!("tensor {name:?} of dtype {dtype} and shape {shape:?}");
        let Some(entry) = stored.get(name) else {
            let all: Vec<&str> = file.iter().map(|e| e.name.as_str()).collect();
            let found = format!("none of that name among {}", list(&all));
            let hint =
                nearest(name, extra.iter().copied()).map(|near| format!("did you mean {near:?}?"));
            return Err(Error::format(path, expected, found).with_hint(hint.unwrap_or_default()));
        };
        if entry.dtype != *dtype || entry.shape != *shape {
            let found = format!("dtype {} and shape {:?}", entry.dtype, entry.shape);
            let hint = "were these weights saved from another model?";
            return Err(Error::format(path, expected, found).with_hint(hint));
        }
    }
    if !extra.is_empty() {
        let expected = format!("only the model's own {} tensors", model.len());
        let hint = "to take some tensors out of a file, read it with safe_load";
        return Err(
            Error::format(path, expected, format!("also {}", list(&extra))).with_hint(hint),
        );
    }
    Ok(())
}

fn open(path: &Path) -> Result<Archive<BufReader<File>>> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let meta = file.metadata().map_err(|e| Error::io(path, e))?;
    if meta.is_dir() {
        return Err(Error::format(path, "a safetensors file", "a folder"));
    }
    Archive::open(path, BufReader::new(file), meta.len())
}

/// The tensors in the order of their names, each of which must be there once.
#[track_caller]
fn by_name<N: AsRef<str>, T>(
    op: &str,
    tensors: impl IntoIterator<Item = (N, T)>,
) -> BTreeMap<String, T> {
    let mut named = BTreeMap::new();
    for (name, tensor) in tensors {
        let name = name.as_ref();
        if name == format::METADATA {
            fail!(op, "the name {:?} is reserved by the format", name; "rename the tensor");
        }
        if named.insert(name.to_string(), tensor).is_some() {
            fail!(op, "two tensors have the name {:?}", name; "number the layers: \"conv1\", \"conv2\", …");
        }
    }
    named
}

/// The first names of a list, and how many there are beyond.
fn list(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    if names.is_empty() {
        return "no tensors at all".into();
    }
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("{name:?}"))
        .collect();
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    shown.join(", ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn model() -> (Tensor, Tensor) {
        (
            Tensor::from_bytes(&[0; 24], vec![2, 3], DType::Float32),
            Tensor::from_bytes(&[0; 3], vec![3], DType::Uint8),
        )
    }

    /// A folder with a file that fits [`model`].
    fn saved() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let weight: Vec<u8> = [1f32, 2.0, 3.0, f32::NAN, -0.0, f32::INFINITY]
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        let weight = Tensor::from_bytes(&weight, vec![2, 3], DType::Float32);
        let labels = Tensor::from_bytes(&[7, 8, 9], vec![3], DType::Uint8);
        safe_save([("conv.weight", &weight), ("labels", &labels)], &path).unwrap();
        (folder, path)
    }

    /// Loading into `named` must fail with all `parts` in the message, and change nothing.
    fn refused(path: &Path, named: &[(&str, &Tensor)], parts: &[&str]) {
        let before: Vec<Vec<u8>> = named.iter().map(|(_, t)| t.to_bytes()).collect();
        let message = load_state(path, named.iter().copied())
            .unwrap_err()
            .to_string();
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in:\n{message}");
        }
        let after: Vec<Vec<u8>> = named.iter().map(|(_, t)| t.to_bytes()).collect();
        assert_eq!(before, after, "a failed load changed the model");
    }

    #[test]
    fn a_model_comes_back_bit_for_bit_from_any_kind_of_collection() {
        let (folder, path) = saved();
        let loaded = safe_load(&path).unwrap();
        assert_eq!(loaded.keys().collect::<Vec<_>>(), ["conv.weight", "labels"]);
        let (weight, labels) = model();
        let other_handle = weight.clone();
        load_state(&path, [("labels", &labels), ("conv.weight", &weight)]).unwrap();
        assert_eq!(other_handle.to_bytes(), loaded["conv.weight"].to_bytes());
        assert_eq!(labels.to_bytes(), [7, 8, 9]);
        let again = folder.path().join("again");
        safe_save(&loaded, &again).unwrap();
        safe_save(
            vec![
                ("conv.weight".to_string(), weight),
                ("labels".to_string(), labels),
            ],
            &again,
        )
        .unwrap();
        assert_eq!(
            std::fs::read(&path).unwrap(),
            std::fs::read(&again).unwrap()
        );
    }

    #[test]
    fn names_shapes_and_dtypes_that_differ_are_refused_and_nothing_is_half_loaded() {
        let (_folder, path) = saved();
        let (w, l) = model();
        let file = path.display().to_string();
        refused(
            &path,
            &[("labels", &l), ("conv.wieght", &w)],
            &[
                &file,
                "expected tensor \"conv.wieght\" of dtype float32 and shape [2, 3]",
                "found none of that name among \"conv.weight\", \"labels\"",
                "hint: did you mean \"conv.weight\"?",
            ],
        );
        refused(
            &path,
            &[("labels", &l)],
            &[
                "only the model's own 1 tensors, found also \"conv.weight\"",
                "safe_load",
            ],
        );
        refused(
            &path,
            &[("conv.weight", &w), ("labels", &l), ("extra", &l)],
            &["tensor \"extra\" of dtype uint8"],
        );
        let transposed = Tensor::from_bytes(&[0; 24], vec![3, 2], DType::Float32);
        refused(
            &path,
            &[("labels", &l), ("conv.weight", &transposed)],
            &["shape [3, 2], found dtype float32 and shape [2, 3]"],
        );
        let signed = Tensor::from_bytes(&[0; 3], vec![3], DType::Int8);
        refused(
            &path,
            &[("conv.weight", &w), ("labels", &signed)],
            &["dtype int8 and shape [3], found dtype uint8"],
        );
    }

    #[test]
    fn broken_and_missing_files_are_refused_and_nothing_is_half_loaded() {
        let (folder, path) = saved();
        let (w, l) = model();
        let named = [("conv.weight", &w), ("labels", &l)];
        refused(&folder.path().join("nowhere"), &named, &["nowhere: "]);
        refused(folder.path(), &named, &["found a folder"]);
        let bytes = std::fs::read(&path).unwrap();
        for length in [0, 7, 8, 20, bytes.len() - 3, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            refused(&path, &named, &["w.safetensors: expected "]);
        }
        std::fs::write(&path, [&bytes[..], b"\n"].concat()).unwrap();
        refused(
            &path,
            &named,
            &["27 bytes of data, as the header describes, found 28"],
        );
    }

    #[test]
    fn a_failed_save_leaves_the_old_file() {
        let (folder, path) = saved();
        let old = std::fs::read(&path).unwrap();
        let (weight, _) = model();
        assert!(safe_save([("w", &weight)], folder.path().join("no/such/folder")).is_err());
        assert!(safe_save([("w", &weight)], folder.path()).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), old);
    }

    #[test]
    #[should_panic(expected = "safe_save: two tensors have the name \"w\"")]
    fn a_name_that_comes_twice_is_the_programmers_mistake() {
        let (weight, labels) = model();
        let _ = safe_save([("w", weight), ("w", labels)], "never-written");
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..10).map(|i| format!("n{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(list(&names).ends_with("\"n7\" and 2 more"));
        assert_eq!(list(&[]), "no tensors at all");
    }

    proptest! {
        /// Any damage to a file: no panic, and a model that has all of the file's values or none of them.
        #[test]
        fn damaged_files_never_panic_and_are_never_half_loaded(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            digits in prop::collection::vec((any::<prop::sample::Index>(), b'0'..=b'9'), 0..4),
        ) {
            let (_folder, path) = saved();
            let mut bytes = std::fs::read(&path).unwrap();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            // Another number in the header is still JSON: these get further.
            let numbers: Vec<usize> = (8..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
            for (at, digit) in digits.into_iter().filter(|_| !numbers.is_empty()) {
                bytes[*at.get(&numbers)] = digit;
            }
            std::fs::write(&path, &bytes).unwrap();
            let (w, l) = model();
            let loaded = load_state(&path, [("conv.weight", &w), ("labels", &l)]);
            match safe_load(&path) {
                Ok(all) if loaded.is_ok() => {
                    prop_assert_eq!(w.to_bytes(), all["conv.weight"].to_bytes());
                    prop_assert_eq!(l.to_bytes(), all["labels"].to_bytes());
                }
                Ok(_) | Err(_) => {
                    prop_assert!(loaded.is_err());
                    prop_assert_eq!(w.to_bytes(), vec![0; 24]);
                    prop_assert_eq!(l.to_bytes(), vec![0; 3]);
                }
            }
        }
    }
}
