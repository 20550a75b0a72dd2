//! What [`datasets`](super) promises, tried on the real files and on broken copies of small ones.

use super::*;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use md5::{Digest, Md5};
use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};

fn repository() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("data/mnist")
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn idx(shape: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|n| n.to_be_bytes()));
    bytes.extend(body);
    bytes
}

/// Two images to train and one to test, in a folder as it should be.
fn fill_small(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let images = |n: u32| gzip(&idx(&[n, 28, 28], &vec![n as u8; n as usize * PIXELS]));
    fs::write(folder.join("train-images-idx3-ubyte.gz"), images(2)).unwrap();
    fs::write(
        folder.join("train-labels-idx1-ubyte.gz"),
        gzip(&idx(&[2], &[3, 4])),
    )
    .unwrap();
    fs::write(folder.join("t10k-images-idx3-ubyte.gz"), images(1)).unwrap();
    // One of them uncompressed, which is as good.
    fs::write(folder.join("t10k-labels-idx1-ubyte"), idx(&[1], &[5])).unwrap();
}

/// A search in a world of its own: these variables, this current folder, no mirrors.
fn find(variables: &[(&str, &Path)], here: &Path) -> Result<Mnist> {
    let variables: HashMap<&str, &Path> = variables.iter().copied().collect();
    search(
        &|name| variables.get(name).map(|path| path.as_os_str().to_owned()),
        here,
        &[],
        &mut |_| {},
    )
}

#[test]
fn the_repositorys_files_have_the_published_checksums() {
    for file in &FILES {
        let packed = fs::read(repository().join(file.packed_name())).unwrap();
        let mut plain = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(
            format!("{:x}", Md5::digest(&plain)),
            file.md5,
            "{}",
            file.name
        );
    }
}

#[test]
fn the_real_mnist_is_read() {
    let data = Mnist::load(repository()).unwrap();
    assert_eq!(
        (data.train_images.len(), data.train_labels.len()),
        (60_000 * PIXELS, 60_000)
    );
    assert_eq!(
        (data.test_images.len(), data.test_labels.len()),
        (10_000 * PIXELS, 10_000)
    );
    assert_eq!(data.train_labels[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(data.test_labels[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    // The mean that every introduction normalises by.
    let mean = data.train_images.iter().map(|p| *p as f64).sum::<f64>()
        / data.train_images.len() as f64
        / 255.0;
    assert!((mean - 0.1307).abs() < 1e-4, "{mean}");
    assert_eq!(
        format!("{data:?}"),
        "Mnist { 60000 images to train, 10000 to test }"
    );
    let (x, y) = data.test();
    assert_eq!((x.shape(), x.dtype()), (vec![10_000, 784], DType::Float32));
    assert_eq!((y.shape(), y.dtype()), (vec![10_000], DType::Uint8));
    assert_eq!(y.to_bytes(), data.test_labels);
}

#[test]
fn places_are_looked_at_in_order() {
    let world = tempfile::tempdir().unwrap();
    let (env, here, package, cache) = (
        world.path().join("env"),
        world.path().join("here"),
        world.path().join("package"),
        world.path().join("cache"),
    );
    let variables: [(&str, &Path); 2] =
        [("CARGO_MANIFEST_DIR", &package), ("XDG_CACHE_HOME", &cache)];
    // From the last place to the first: each time, the new one wins. Its label tells which one it is.
    let places = [
        cache.join("teenygrad/mnist"),
        package.join("data/mnist"),
        here.join("data/mnist"),
    ];
    for (label, place) in places.iter().enumerate() {
        fill_small(place);
        fs::write(
            place.join("t10k-labels-idx1-ubyte"),
            idx(&[1], &[label as u8]),
        )
        .unwrap();
        assert_eq!(find(&variables, &here).unwrap().test_labels, [label as u8]);
    }
    // A folder that is named wins over all of these, and the files in it over those in its folder `mnist`.
    let with_env = [variables[0], variables[1], ("TEENYGRAD_DATA", &*env)];
    for (label, place) in [(8, env.join("mnist")), (9, env.clone())] {
        fill_small(&place);
        fs::write(place.join("t10k-labels-idx1-ubyte"), idx(&[1], &[label])).unwrap();
        assert_eq!(find(&with_env, &here).unwrap().test_labels, [label]);
    }
    // An empty variable is as good as none.
    let empty = [
        variables[0],
        variables[1],
        ("TEENYGRAD_DATA", Path::new("")),
    ];
    assert_eq!(find(&empty, &here).unwrap().test_labels, [2]);
}

#[test]
fn what_is_nowhere_is_reported_with_every_place_and_what_to_do() {
    let world = tempfile::tempdir().unwrap();
    let (here, cache) = (world.path().join("here"), world.path().join("cache"));
    fill_small(&here.join("data/mnist"));
    fs::remove_file(here.join("data/mnist/train-labels-idx1-ubyte.gz")).unwrap();
    let message = find(&[("XDG_CACHE_HOME", &cache)], &here)
        .unwrap_err()
        .to_string();
    let expected = format!(
        "the MNIST data set not found; tried:\n  - {}: lacks train-labels-idx1-ubyte.gz\n  - {}: no such folder\n  hint: ",
        here.join("data").join("mnist").display(),
        cache.join("teenygrad").join("mnist").display(),
    );
    assert!(message.starts_with(&expected), "{message}");
    assert!(
        message.contains("TEENYGRAD_DATA") && message.contains("--features download"),
        "{message}"
    );
    let message = find(&[], world.path()).unwrap_err().to_string();
    assert!(message.contains("HOME is not set"), "{message}");
}

#[test]
fn a_variable_that_leads_nowhere_is_reported_though_the_data_is_elsewhere() {
    let world = tempfile::tempdir().unwrap();
    fill_small(&world.path().join("data/mnist"));
    let nowhere = world.path().join("nowhere");
    let message = find(&[("TEENYGRAD_DATA", &nowhere)], world.path())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("nowhere (from TEENYGRAD_DATA): no such folder"),
        "{message}"
    );
    assert!(message.contains("unset TEENYGRAD_DATA"), "{message}");
}

#[test]
fn broken_data_is_an_error_and_no_reason_to_look_further() {
    let world = tempfile::tempdir().unwrap();
    let (here, cache) = (world.path().join("here"), world.path().join("cache"));
    fill_small(&cache.join("teenygrad/mnist"));
    let refused = |name: &str, content: Vec<u8>, parts: &[&str]| {
        let folder = here.join("data/mnist");
        fill_small(&folder);
        fs::write(folder.join(name), content).unwrap();
        let message = find(&[("XDG_CACHE_HOME", &cache)], &here)
            .unwrap_err()
            .to_string();
        for part in parts.iter().chain(&[name, "hint: "]) {
            assert!(message.contains(part), "{part:?} is not in:\n{message}");
        }
    };
    let (images, labels) = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
    refused(
        images,
        vec![],
        &["a gzip file", "found an empty file", "get it again"],
    );
    refused(
        images,
        gzip(&idx(&[2, 28, 28], &[0; 100])),
        &["expected 1568 bytes", "found 100"],
    );
    refused(
        images,
        gzip(&idx(&[2, 27, 28], &[0; 2 * 27 * 28])),
        &["[n, 28, 28]", "found shape [2, 27, 28]"],
    );
    refused(
        images,
        gzip(&idx(&[0, 28, 28], &[])),
        &["one or more, found shape [0, 28, 28]"],
    );
    refused(
        images,
        gzip(&idx(&[2], &[1, 2])),
        &[
            "uint8 array of 3 axes, found a uint8 array of 1 axes",
            "mixed up",
        ],
    );
    refused(
        labels,
        gzip(&idx(&[3], &[1, 2, 3])),
        &["expected 2 labels, one for each image in", "found 3"],
    );
    refused(
        labels,
        gzip(&idx(&[2], &[1, 10])),
        &["labels from 0 to 9, found 10 at position 1"],
    );
    let truncated = fs::read(repository().join(images)).unwrap()[..1_000_000].to_vec();
    refused(
        images,
        truncated,
        &["expected a complete file, found its end in the middle, after "],
    );
}

#[test]
fn any_idx_file_becomes_a_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbers.idx");
    fs::write(&path, [0, 0, 0x0b, 1, 0, 0, 0, 2, 0, 1, 0xff, 0xff]).unwrap();
    let tensor = load_idx(&path).unwrap();
    assert_eq!((tensor.dtype(), tensor.shape()), (DType::Int16, vec![2]));
    assert_eq!(tensor.to_bytes(), [1, 0, 0xff, 0xff]);
    assert!(
        load_idx(folder.path().join("none"))
            .err()
            .unwrap()
            .to_string()
            .contains("none: ")
    );
}

#[test]
#[cfg(feature = "download")]
fn what_mirrors_cannot_give_is_reported_and_leaves_nothing_in_the_cache() {
    let world = tempfile::tempdir().unwrap();
    let cache = world.path().join("cache");
    let env = |name: &str| (name == "XDG_CACHE_HOME").then(|| cache.clone().into_os_string());
    let nobody = ["http://127.0.0.1:1/one", "http://127.0.0.1:1/two"];
    let message = search(&env, world.path(), &nobody, &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("/one/train-images-idx3-ubyte.gz: ") && message.contains("/two/"),
        "{message}"
    );
    assert!(message.contains("is there a network?"), "{message}");
    assert_eq!(
        fs::read_dir(cache.join("teenygrad/mnist")).unwrap().count(),
        0
    );
}

#[test]
#[cfg(feature = "download")]
fn what_a_mirror_gives_is_kept_in_the_cache_and_not_asked_for_again() {
    let world = tempfile::tempdir().unwrap();
    let cache = world.path().join("cache");
    let env = |name: &str| (name == "XDG_CACHE_HOME").then(|| cache.clone().into_os_string());
    let mirror = download::tests::serve(|path| {
        let name = path.strip_prefix("/mnist/").unwrap();
        (
            "200 OK",
            String::new(),
            fs::read(repository().join(name)).unwrap(),
        )
    });
    let mut seen = Vec::new();
    let fetched = search(&env, world.path(), &[&mirror], &mut |p| {
        seen.push(p.file.to_string())
    })
    .unwrap();
    assert!(fetched == Mnist::load(repository()).unwrap());
    seen.dedup();
    assert_eq!(seen, FILES.map(|file| file.name));
    assert_eq!(
        fs::read_dir(cache.join("teenygrad/mnist")).unwrap().count(),
        4
    );
    let again = search(&env, world.path(), &["http://127.0.0.1:1"], &mut |_| {
        panic!("a download")
    });
    assert!(again.unwrap() == fetched);
    // One file is lost: only that one is fetched.
    let lost = cache.join("teenygrad/mnist/t10k-labels-idx1-ubyte.gz");
    fs::remove_file(&lost).unwrap();
    let mut seen = Vec::new();
    search(&env, world.path(), &[&mirror], &mut |p| {
        seen.push(p.file.to_string())
    })
    .unwrap();
    seen.dedup();
    assert_eq!(seen, ["t10k-labels-idx1-ubyte"]);
    assert!(lost.is_file());
}
