//! # names: what a name in the source stands for
//!
//! **In:** source files. **Out:** for a path such as `View::reshape`, written somewhere, the file and the anchor of its definition.
//!
//! No compiler is asked: items, imports and `impl` blocks are read with `syn`, and paths are followed through them as the language
//! does. What that can't know (the type of an expression) is left alone: a method call is resolved only when a single type of this
//! source has a method of that name and the standard library has none. A missing link is no loss; a wrong one would be.
//!
//! `read` is how the files get in here: each is read twice, as what an `impl` block belongs to can be said only when all types are known.
//! Here is what can be asked then.

mod read;

pub use read::imports_of;

use std::collections::HashMap;
use std::ops::Range;

/// Where an item is defined.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// the file, from the root of the repository
    pub file: String,
    /// the anchor on its page, made of the item's name: `View::reshape` (of an `impl` block, what it says: it has no anchor)
    pub anchor: String,
    /// the item in the file's text, without its comments and attributes
    pub text: Range<usize>,
    /// the item's name in the file's text
    pub name: Range<usize>,
}

/// A stretch of a file in which names mean the same: a module's text, or the inside of an `impl`.
struct Region {
    text: Range<usize>,
    module: String,
    self_type: Option<String>,
}

/// Every item of the source, and every module's imports.
#[derive(Default)]
pub struct Names {
    places: Vec<Place>,
    /// full path (`teenygrad::shape::view::View::reshape`) to its place
    items: HashMap<String, usize>,
    /// a module's imports: (module, name) to the full path it stands for
    imports: HashMap<(String, String), Vec<String>>,
    globs: HashMap<String, Vec<Vec<String>>>,
    modules: HashMap<String, usize>,
    /// a method's name to the full paths of all methods with it
    methods: HashMap<String, Vec<String>>,
    regions: HashMap<String, Vec<Region>>,
    /// file to its items, to anchor them
    of_file: HashMap<String, Vec<usize>>,
}

/// Methods of the standard library that ours could be mistaken for.
const STANDARD_METHODS: &str = "abs add all and and_then any append as_mut as_ptr as_ref as_slice as_str binary_search borrow bytes ceil \
    chain chars clear clone cloned cmp collect concat contains copied copy_from_slice cos count default deref drain drop entry enumerate \
    eq exp exp2 extend fill filter filter_map find first flat_map flatten floor flush fmt fold for_each from get get_mut get_or_init \
    hash index insert into into_iter is_empty is_finite is_nan is_some is_none iter iter_mut join keys last len lines ln load lock log2 \
    map map_err max min mul neg next ok open parse path pop position pow powf powi product push read recip remove repeat replace resize \
    retain rev round set shape sin skip sort spawn split split_at sqrt step_by store strip_prefix sub sum swap take tan then then_some \
    to_string to_vec trim trunc truncate unwrap unwrap_or update values wait windows with write zip write_str item name kind shrink";

impl Names {
    /// The full path that `path` means in a module.
    pub fn resolve(
        &self,
        module: &str,
        self_type: Option<&str>,
        path: &[String],
    ) -> Option<String> {
        self.follow(module, self_type, path, 0)
    }

    fn follow(
        &self,
        module: &str,
        self_type: Option<&str>,
        path: &[String],
        depth: usize,
    ) -> Option<String> {
        if depth > 16 {
            return None; // imports in a circle
        }
        let (first, rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => module.split("::").next()?.to_string(),
            "self" => module.to_string(),
            "super" => module.rsplit_once("::")?.0.to_string(),
            "Self" => self_type?.to_string(),
            name => self
                .member(module, name, depth)
                .or_else(|| self.modules.contains_key(name).then(|| name.to_string()))?,
        };
        for name in rest {
            at = match name.as_str() {
                "super" => at.rsplit_once("::")?.0.to_string(),
                name => self.member(&at, name, depth)?,
            };
        }
        Some(at)
    }

    /// What `name` is inside of a module or a type.
    fn member(&self, owner: &str, name: &str, depth: usize) -> Option<String> {
        let full = format!("{owner}::{name}");
        if self.items.contains_key(&full) || self.modules.contains_key(&full) {
            return Some(full);
        }
        if let Some(path) = self.imports.get(&(owner.to_string(), name.to_string())) {
            return if path
                .first()
                .is_some_and(|first| first == name && path.len() == 1)
            {
                None
            } else {
                self.follow(owner, None, path, depth + 1)
            };
        }
        self.globs.get(owner)?.iter().find_map(|glob| {
            let from = self.follow(owner, None, glob, depth + 1)?;
            self.member(&from, name, depth + 1)
        })
    }

    /// The place of a full path, if it is on a page of the book (a listing's helpers are on none).
    pub fn place_of(&self, full: &str) -> Option<&Place> {
        let place = self.items.get(full).or_else(|| self.modules.get(full))?;
        Some(&self.places[*place]).filter(|place| !place.file.starts_with("book/"))
    }

    /// The method that a call `.name()` must mean, if there is but one; `self_type` if it is called on `self`.
    pub fn method(&self, self_type: Option<&str>, name: &str) -> Option<&Place> {
        if let Some(own) = self_type.and_then(|owner| self.items.get(&format!("{owner}::{name}"))) {
            return Some(&self.places[*own]);
        }
        if STANDARD_METHODS
            .split_whitespace()
            .any(|standard| standard == name)
        {
            return None;
        }
        match self.methods.get(name)?.as_slice() {
            [only] => self.place_of(only),
            _ => None,
        }
    }

    /// The module and the type around a place in a file: what `self` and `Self` mean there.
    pub fn scope(&self, file: &str, position: usize) -> Option<(&str, Option<&str>)> {
        let region = self
            .regions
            .get(file)?
            .iter()
            .filter(|region| region.text.contains(&position))
            .min_by_key(|region| region.text.len())?;
        Some((&region.module, region.self_type.as_deref()))
    }

    /// The items of a file.
    pub fn of_file(&self, file: &str) -> impl Iterator<Item = &Place> {
        self.of_file
            .get(file)
            .into_iter()
            .flatten()
            .map(|&place| &self.places[place])
    }

    /// A file's item by the name that its anchor has: `View::reshape`.
    pub fn item_of(&self, file: &str, anchor: &str) -> Option<&Place> {
        self.of_file(file).find(|place| place.anchor == anchor)
    }
}
