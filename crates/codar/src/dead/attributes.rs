//! # dead/attributes: what an attribute or decorator says about who uses an item
//!
//! **In:** an attribute's text. **Out:** nothing; or that somebody else gets the item; or that its author knows that nobody uses it.
//! **Above:** [`dead`](crate::dead).
//!
//! An attribute that is in none of these lists may do anything with its item: that is a doubt, not a verdict.

use crate::source::{Kind, Source};
use std::path::{Path, PathBuf};

/// Attributes that say nothing about who uses an item: Rust's, then Python's.
const NEUTRAL: &str = "
    allow arg automatically_derived cfg cfg_attr clap clippy cold command default deny deprecated derive doc error expect forbid
    from ignore inline macro_export macro_use must_use non_exhaustive path repr rustfmt serde should_panic target_feature
    track_caller value warn

    abstractmethod abstractproperty asynccontextmanager cache cached_property classmethod contextmanager dataclass deleter final
    getter lru_cache no_type_check overload override property runtime_checkable setter staticmethod total_ordering unique wraps
";

/// Attributes by which somebody else gets an item, or by which its author says that nobody need use it.
const ENTRIES: &str = "
    alloc_error_handler bench ctor dead_code dtor entry export_name fixture global_allocator link_section main naked no_mangle
    panic_handler proc_macro proc_macro_attribute proc_macro_derive pyclass pyfunction pymethods pymodule rstest test test_case
    unused used wasm_bindgen
";

/// Derives whose code only serves those who use the type.
const DERIVES: &str = "
    derive Args Clone Copy Debug Default Deserialize Eq Error Hash Ord Parser PartialEq PartialOrd Serialize Subcommand ValueEnum
";

fn lists(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|other| other == name)
}

/// The names in a text.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// The last name of what stands before an attribute's arguments: `pytest.fixture(scope="module")` is a `fixture`.
pub fn head(attribute: &str) -> &str {
    let path = attribute
        .split(['(', '=', '[', '{'])
        .next()
        .unwrap_or(attribute);
    if path.starts_with("clippy") || path.starts_with("rustfmt") {
        return words(path).next().unwrap_or(path);
    }
    words(path).last().unwrap_or(path)
}

/// Whether somebody else gets the item, or nobody need use it.
pub fn is_entry(attribute: &str) -> bool {
    match head(attribute) {
        "allow" | "expect" | "cfg_attr" | "unsafe" => {
            words(attribute).any(|word| lists(ENTRIES, word))
        }
        head => lists(ENTRIES, head),
    }
}

/// `allow(dead_code)`, or `allow(unused)`.
pub fn is_silent(attribute: &str) -> bool {
    matches!(head(attribute), "allow" | "expect") && is_entry(attribute)
}

/// Modules that a file silences, as paths without an extension: itself, all that is below it, or one that it declares.
pub fn silenced(source: &Source) -> Vec<PathBuf> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    let own = source.path.with_extension("");
    let stem = own.file_name().unwrap_or_default();
    let is_folder = source
        .language
        .folder_files
        .iter()
        .any(|name| stem == *name);
    let below = if is_folder { folder } else { &own };
    let mut all = vec![];
    if source.attributes.iter().any(|one| is_silent(one)) {
        all.push(below.to_owned());
    }
    let modules = source.items.iter().filter(|item| item.kind == Kind::Module);
    for module in modules.filter(|item| item.attributes.iter().any(|one| is_silent(one))) {
        // src/a.rs has its modules in src/a/; tests/a.rs, a crate's root, beside it
        all.push(below.join(&module.name));
        let is_root = ["tests", "examples", "benches"]
            .iter()
            .any(|name| folder.ends_with(name));
        if is_root {
            all.push(folder.join(&module.name));
        }
    }
    all
}

/// Whether it says nothing about who uses the item.
pub fn is_neutral(attribute: &str) -> bool {
    match head(attribute) {
        "derive" => words(attribute).all(|word| lists(DERIVES, word)),
        head => lists(NEUTRAL, head),
    }
}
