//! The list against the library's source, so that neither a function nor a method can be forgotten.
//!
//! **In:** the list, [`NO_GRADIENT`], and the source as text. **Out:** what stands in one and not in the other, by name.
//!
//! Laws:
//! 1. [`FUNCTIONS`], the implementations of `Function` in `src/mlops`, and the list name the same functions.
//! 2. The methods of `Tensor` in `src/tensor` that take a tensor and the list name the same methods.
//! 3. An entry with a function's name goes through that function.

use super::check::Check;
use super::form::Form;
use super::no_gradient::NO_GRADIENT;
use super::{functions, list, windows};
use std::collections::BTreeSet;
use std::path::Path;
use teenygrad::mlops::FUNCTIONS;
use teenygrad::{DType, Device, Tensor};

/// What stands in the list and does not exist, and what exists and does not stand there.
fn compare(kind: &str, listed: &BTreeSet<String>, existing: &BTreeSet<String>) {
    let forgotten: Vec<_> = existing.difference(listed).collect();
    let gone: Vec<_> = listed.difference(existing).collect();
    assert!(
        forgotten.is_empty(),
        "{kind} without a gradient test (or a reason in NO_GRADIENT): {forgotten:?}"
    );
    assert!(
        gone.is_empty(),
        "{kind} in the list that do not exist: {gone:?}"
    );
}

fn source(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names in the list, and those with a reason not to be; functions begin with a capital letter.
fn listed(functions: bool) -> BTreeSet<String> {
    let names = list()
        .into_iter()
        .map(|entry| entry.name)
        .chain(NO_GRADIENT.map(|(name, _)| name));
    names
        .filter(|name| name.starts_with(|c: char| c.is_uppercase()) == functions)
        .map(String::from)
        .collect()
}

#[test]
fn every_function_is_in_the_list() {
    let named: BTreeSet<String> = FUNCTIONS.map(String::from).into();
    assert_eq!(
        named.len(),
        FUNCTIONS.len(),
        "a name stands twice in FUNCTIONS"
    );
    compare("functions", &listed(true), &named);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mlops");
    let mut implemented = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the sources are there") {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for block in text.split("impl Function for ").skip(1) {
            let name: String = block.chars().take_while(|c| c.is_alphanumeric()).collect();
            let says = block.split('"').nth(1).expect("a name() with its text");
            assert_eq!(says, name, "a function's name is that of its type");
            implemented.insert(name);
        }
    }
    assert!(
        implemented.len() > 30,
        "the scan of the sources finds too little"
    );
    compare("implementations", &named, &implemented);
}

#[test]
fn every_entry_of_a_function_goes_through_it() {
    for entry in functions().into_iter().chain(windows()) {
        let check = Check {
            entry: &entry,
            form: Form::Plain,
            device: Device::CPU,
        };
        let leaves: Vec<Tensor> = entry
            .inputs
            .iter()
            .map(|shape| Tensor::ones(shape).cast(DType::Float64).requires_grad(true))
            .collect();
        let used: BTreeSet<&str> = check
            .loss(&leaves)
            .deepwalk()
            .iter()
            .filter_map(|tensor| Some(tensor.made_by()?.0))
            .collect();
        assert!(
            used.contains(entry.name),
            "{} ({}) goes through {used:?} only",
            entry.name,
            entry.what
        );
    }
}

#[test]
fn every_method_is_in_the_list() {
    let mut methods = BTreeSet::new();
    for file in [
        "math",
        "activation",
        "reduce",
        "movement",
        "indexing",
        "conv",
        "functional",
        "special",
        "rearrange",
        "products",
        "sorting",
        "interpolate",
        "losses",
        "bits",
        "scatter",
        "pool",
        "unpool",
        "einops",
        "matrix",
    ] {
        let text = source(&format!("tensor/{file}.rs"));
        for line in text.lines() {
            // A method of Tensor takes &self; `cat` and `stack` take a list of tensors.
            if let Some(rest) = line.strip_prefix("    pub fn ") {
                let name: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let signature: String = text[text.find(line).unwrap()..]
                    .chars()
                    .take_while(|&c| c != '{')
                    .collect();
                if signature.contains("&self") || signature.contains("tensors: &[&Tensor]") {
                    methods.insert(name);
                }
            }
            // In the table of reductions: `name, name_keepdim, name_over;`
            if let Some(table) = line
                .trim()
                .strip_suffix("_over;")
                .filter(|_| file == "reduce" || file == "products")
            {
                let names: Vec<&str> = table.split(", ").collect();
                methods.extend(names[..2].iter().map(|name| name.to_string()));
            }
        }
    }
    assert!(
        methods.len() > 120,
        "the scan of the sources finds too little: {}",
        methods.len()
    );
    // From mod.rs, of which most methods are not about values.
    methods.extend(["cast", "einsum", "float", "to"].map(String::from));
    compare("methods", &listed(false), &methods);
}
