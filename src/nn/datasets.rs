//! # nn/datasets: MNIST, from wherever it is
//!
//! **In:** four files: 60,000 + 10,000 images of 28 × 28 pixels, handwritten digits, with their labels. **Out:** [`Mnist`], plain
//! bytes that were checked, and the tensors of them. **Above:** user code. **Below:** `idx`, the file format, and, with the
//! feature `download`, the mirrors.
//!
//! Where [`mnist()`] looks, in this order; the first folder that has all four files (each with or without `.gz`) is taken:
//! 1. The folder that `TEENYGRAD_DATA` names, or `mnist` in it. If this variable is set, nothing else is looked at: whoever says where the
//!    data is wants to know when it isn't there.
//! 2. `data/mnist` in the current folder, then in the package's folder (cargo tells it to the programs that it runs).
//! 3. `teenygrad/mnist` in the user's folder for caches.
//! 4. With the feature `download`: two public mirrors. What they send is checked and kept in 3.
//!
//! Law: data that is there but broken is an `Err`, never a reason to look further: two runs on one machine use the same data.
//!
//! ```no_run
//! let (x_train, y_train, x_test, y_test) = teenygrad::nn::datasets::fetch_mnist()?;
//! assert_eq!((x_train.shape(), y_test.shape()), (vec![60000, 784], vec![10000]));
//! # Ok::<(), teenygrad::Error>(())
//! ```

#[cfg(feature = "download")]
mod download;
mod idx;

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

// ---- The data --------------------------------------------------------

/// Pixels in an image: 28 rows of 28.
pub const PIXELS: usize = 28 * 28;

/// MNIST as bytes: images of [`PIXELS`] pixels each, row by row, 0 for paper and 255 for ink; labels 0 to 9.
///
/// Plain vectors, because 47 MB of bytes are a quarter of what they become as float32: who wants single images or batches takes
/// them from here; who wants tensors calls [`Mnist::train`] and [`Mnist::test`].
#[derive(Clone, PartialEq, Eq)]
pub struct Mnist {
    /// The images to learn from, 60,000 of them.
    pub train_images: Vec<u8>,
    /// Their labels.
    pub train_labels: Vec<u8>,
    /// The images to be examined with, 10,000 of them, by other people's hands.
    pub test_images: Vec<u8>,
    /// Their labels.
    pub test_labels: Vec<u8>,
}

impl Mnist {
    /// The training set: images `[n, 784]` as float32 from 0 to 255, as the original uses them, and labels `[n]` as uint8.
    pub fn train(&self) -> (Tensor, Tensor) {
        tensors(&self.train_images, &self.train_labels)
    }

    /// The test set, in the same form.
    pub fn test(&self) -> (Tensor, Tensor) {
        tensors(&self.test_images, &self.test_labels)
    }

    /// Reads the four files out of one folder.
    ///
    /// # Errors
    /// If one is missing, is damaged, or doesn't hold images of 28 × 28 and as many labels from 0 to 9.
    pub fn load(folder: impl AsRef<Path>) -> Result<Mnist> {
        let folder = folder.as_ref();
        let [train_images, train_labels, test_images, test_labels] = &FILES;
        let (train_images, train_labels) = pair(folder, train_images, train_labels)?;
        let (test_images, test_labels) = pair(folder, test_images, test_labels)?;
        Ok(Mnist {
            train_images,
            train_labels,
            test_images,
            test_labels,
        })
    }
}

impl std::fmt::Debug for Mnist {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(
            f,
            "Mnist {{ {} images to train, {} to test }}",
            self.train_labels.len(),
            self.test_labels.len()
        )
    }
}

/// The cast is lazy like everything else: what reads the pixels converts them on the way.
fn tensors(images: &[u8], labels: &[u8]) -> (Tensor, Tensor) {
    let x = Tensor::from_bytes(images, [labels.len(), PIXELS], DType::Uint8).cast(DType::Float32);
    (x, Tensor::from_bytes(labels, [labels.len()], DType::Uint8))
}

/// The data set with the original's name and form: (X_train, Y_train, X_test, Y_test).
///
/// # Errors
/// As [`mnist()`].
pub fn fetch_mnist() -> Result<(Tensor, Tensor, Tensor, Tensor)> {
    let data = mnist()?;
    let ((x_train, y_train), (x_test, y_test)) = (data.train(), data.test());
    Ok((x_train, y_train, x_test, y_test))
}

/// An IDX file, plain or (with a name that ends in `.gz`) compressed, as a tensor of the dtype and shape that it states.
///
/// # Errors
/// If the file isn't there, is damaged, or has another length than its header says.
pub fn load_idx(path: impl AsRef<Path>) -> Result<Tensor> {
    let array = idx::read(path.as_ref())?;
    Ok(Tensor::from_bytes(&array.bytes, array.shape, array.dtype))
}

// ---- Where it is -----------------------------------------------------

/// MNIST, from the first place that has it: see the top of this file.
///
/// # Errors
/// [`Error::NotFound`] if no place has it, with what was tried and what to do; or what is wrong with a file that is there.
pub fn mnist() -> Result<Mnist> {
    mnist_with(&mut |_| {})
}

/// The same, telling `progress` about each piece of a download (there is none if the data is on this machine).
///
/// # Errors
/// As [`mnist()`].
pub fn mnist_with(progress: &mut dyn FnMut(&Progress)) -> Result<Mnist> {
    #[cfg(feature = "download")]
    let mirrors: &[&str] = &download::MIRRORS;
    #[cfg(not(feature = "download"))]
    let mirrors: &[&str] = &[];
    search(
        &|name| std::env::var_os(name),
        Path::new(""),
        mirrors,
        progress,
    )
}

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// Which of the files.
    pub file: &'a str,
    /// Where it comes from.
    pub url: &'a str,
    /// Bytes that have arrived.
    pub received: u64,
    /// Bytes that there are, if the mirror says so.
    pub total: Option<u64>,
}

/// One of the four files.
struct Dataset {
    name: &'static str,
    /// Of the uncompressed content, as published.
    #[cfg(any(test, feature = "download"))]
    md5: &'static str,
    /// Images have three, labels one.
    axes: usize,
}

impl Dataset {
    const fn new(name: &'static str, md5: &'static str, axes: usize) -> Dataset {
        #[cfg(not(any(test, feature = "download")))]
        let _ = md5;
        Dataset {
            name,
            #[cfg(any(test, feature = "download"))]
            md5,
            axes,
        }
    }

    fn packed_name(&self) -> String {
        format!("{}.gz", self.name)
    }

    /// The file in `folder`, compressed or not, if it is there.
    fn find(&self, folder: &Path) -> Option<PathBuf> {
        [folder.join(self.packed_name()), folder.join(self.name)]
            .into_iter()
            .find(|path| path.is_file())
    }
}

const FILES: [Dataset; 4] = [
    Dataset::new(
        "train-images-idx3-ubyte",
        "6bbc9ace898e44ae57da46a324031adb",
        3,
    ),
    Dataset::new(
        "train-labels-idx1-ubyte",
        "a25bea736e30d166cdddb491f175f624",
        1,
    ),
    Dataset::new(
        "t10k-images-idx3-ubyte",
        "2646ac647ad5339dbf082846283269ea",
        3,
    ),
    Dataset::new(
        "t10k-labels-idx1-ubyte",
        "27ae3e4e09519cfbb04c329615203637",
        1,
    ),
];

/// [`mnist_with`] with all that it reads of its surroundings as arguments, so that a test can choose them.
fn search(
    env: &dyn Fn(&str) -> Option<OsString>,
    here: &Path,
    mirrors: &[&str],
    progress: &mut dyn FnMut(&Progress),
) -> Result<Mnist> {
    let set = |name: &str| {
        env(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let not_found = |tried: Vec<String>, hint: &str| {
        Err(Error::NotFound {
            what: "the MNIST data set".into(),
            tried,
            hint: hint.into(),
        })
    };
    let mut tried = Vec::new();
    if let Some(folder) = set("TEENYGRAD_DATA") {
        for place in [folder.clone(), folder.join("mnist")] {
            match missing(&place) {
                None => return Mnist::load(place),
                Some(why) => {
                    tried.push(format!("{} (from TEENYGRAD_DATA): {why}", place.display()))
                }
            }
        }
        return not_found(
            tried,
            "put the four files there, or unset TEENYGRAD_DATA to look in the usual places",
        );
    }
    let cache = cache_folder(&set).map(|folder| folder.join("teenygrad").join("mnist"));
    let local = [Some(here.to_path_buf()), set("CARGO_MANIFEST_DIR")];
    let local = local
        .into_iter()
        .flatten()
        .map(|folder| folder.join("data").join("mnist"));
    for place in local.chain(cache.clone()) {
        match missing(&place) {
            None => return Mnist::load(place),
            Some(why) => tried.push(format!("{}: {why}", place.display())),
        }
    }
    match cache {
        Some(cache) if !mirrors.is_empty() => {
            if let Err(failures) = fill(&cache, mirrors, progress)? {
                tried.extend(failures);
                return not_found(
                    tried,
                    "is there a network? Else get the four files by hand and set TEENYGRAD_DATA to their folder",
                );
            }
            Mnist::load(cache)
        }
        Some(_) => not_found(
            tried,
            "run from the repository's root, or set TEENYGRAD_DATA to the folder that has the four files, \
             or build with `--features download` to fetch them",
        ),
        None => not_found(
            tried,
            "set TEENYGRAD_DATA to the folder that has the four files (there is no folder for caches: HOME is not set)",
        ),
    }
}

/// Why a folder can't be taken, if it can't.
fn missing(folder: &Path) -> Option<String> {
    if !folder.is_dir() {
        return Some("no such folder".into());
    }
    let absent: Vec<String> = FILES
        .iter()
        .filter(|file| file.find(folder).is_none())
        .map(Dataset::packed_name)
        .collect();
    if absent.is_empty() {
        None
    } else {
        Some(format!("lacks {}", absent.join(", ")))
    }
}

/// The user's folder for caches, by the custom of the system.
fn cache_folder(set: &dyn Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    // The XDG standard says that a relative path is to be ignored.
    let explicit = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    explicit.or_else(|| {
        if cfg!(windows) {
            set("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            set("HOME").map(|home| home.join("Library").join("Caches"))
        } else {
            set("HOME").map(|home| home.join(".cache"))
        }
    })
}

/// Fetches the files that `folder` lacks. The outer error is this machine's (a full disk), the inner list the mirrors'.
#[cfg(feature = "download")]
fn fill(
    folder: &Path,
    mirrors: &[&str],
    progress: &mut dyn FnMut(&Progress),
) -> Result<std::result::Result<(), Vec<String>>> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    for file in FILES.iter().filter(|file| file.find(folder).is_none()) {
        match download::fetch(file, mirrors, progress) {
            Ok(bytes) => crate::nn::files::write(folder.join(file.packed_name()), &bytes)?,
            Err(failures) => return Ok(Err(failures)),
        }
    }
    Ok(Ok(()))
}

/// Without the feature there are no mirrors, and nothing is fetched.
#[cfg(not(feature = "download"))]
fn fill(
    _: &Path,
    _: &[&str],
    _: &mut dyn FnMut(&Progress),
) -> Result<std::result::Result<(), Vec<String>>> {
    Ok(Err(Vec::new()))
}

// ---- Checking --------------------------------------------------------

/// Images and their labels, as bytes, each of the shape that MNIST has, and as many of one as of the other.
fn pair(folder: &Path, images: &Dataset, labels: &Dataset) -> Result<(Vec<u8>, Vec<u8>)> {
    let (image_path, images) = read(folder, images)?;
    let (label_path, labels) = read(folder, labels)?;
    let restored = "the file is not MNIST's: delete it and get it again";
    if images.shape[1..] != [28, 28] || images.shape[0] == 0 {
        let found = format!("shape {:?}", images.shape);
        return Err(Error::format(
            image_path,
            "images of shape [n, 28, 28], one or more",
            found,
        )
        .with_hint(restored));
    }
    if labels.shape[0] != images.shape[0] {
        let expected = format!(
            "{} labels, one for each image in {}",
            images.shape[0],
            image_path.display()
        );
        return Err(
            Error::format(label_path, expected, format!("{}", labels.shape[0])).with_hint(restored),
        );
    }
    if let Some(at) = labels.bytes.iter().position(|label| *label > 9) {
        let found = format!("{} at position {at}", labels.bytes[at]);
        return Err(Error::format(label_path, "labels from 0 to 9", found).with_hint(restored));
    }
    Ok((images.bytes, labels.bytes))
}

/// A file as an array of bytes with the number of axes that it should have.
fn read(folder: &Path, file: &Dataset) -> Result<(PathBuf, idx::Idx)> {
    // If it vanished in the meantime, the error names the usual path.
    let path = file
        .find(folder)
        .unwrap_or_else(|| folder.join(file.packed_name()));
    let array = idx::read(&path).map_err(|error| match error {
        broken @ Error::Format { .. } => broken.with_hint("delete the file and get it again"),
        other @ (Error::Io { .. } | Error::NotFound { .. } | Error::Device { .. }) => other,
    })?;
    if array.dtype != DType::Uint8 || array.shape.len() != file.axes {
        let expected = format!("a uint8 array of {} axes", file.axes);
        let found = format!("a {} array of {} axes", array.dtype, array.shape.len());
        return Err(
            Error::format(path, expected, found).with_hint("are two of the files mixed up?")
        );
    }
    Ok((path, array))
}

#[cfg(test)]
mod tests;
