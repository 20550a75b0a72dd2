//! # links: from the name of a call to what it calls
//!
//! **In:** a [`Tree`] read with its uses. **Out:** for each call, the definitions that it may mean. **Above:** [`calls`](crate::calls).
//! **Below:** [`uses`](crate::uses).
//!
//! A definition's path is its module's (the folders and the file, with the crate's name before them in Rust), its class, its name. A call
//! is looked up as a reader would:
//!
//! 1. `f()`: a function around the call or beside one that is around it; else what the file imports by that name; else what it
//!    imports with `*`.
//! 2. `self.f()`: a method of the class around the call, or of a class that it inherits from.
//! 3. `a::b::f()`: the first name is looked up as in 1; then definitions whose path holds these names in this order, ending with the
//!    last. The closest wins: the same path, then a path with this end, then any (`use teenygrad::Tensor` finds
//!    `teenygrad::tensor::Tensor` through a re-export).
//! 4. `value.f()`: nothing says what the value is. Every method of this name is possible.
//!
//! Law: [`Found::Sure`] is one definition; where several fit equally well, or only by 4, all of them are [`Found::Possible`].

use crate::source::{Kind, Source, base_name};
use crate::tree::Tree;
use crate::uses::{Call, Import, Receiver};
use std::collections::HashMap;
use std::path::Path;

/// An item of a file: both numbers count from 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Id {
    /// among the tree's sources
    pub file: usize,
    /// among its items
    pub item: usize,
}

/// What a call means.
#[derive(PartialEq, Eq, Debug)]
pub enum Found {
    /// this one
    Sure(Id),
    /// one of these, or something that is not in the tree
    Possible(Vec<Id>),
    /// nothing in the tree
    Nothing,
}

/// All definitions of a tree, by name.
pub struct Links<'a> {
    tree: &'a Tree,
    /// each file's module
    modules: Vec<Vec<String>>,
    by_name: HashMap<&'a str, Vec<Id>>,
}

/// The name of the crate that a folder's manifest describes, as code writes it.
fn crate_name(folder: &Path) -> Option<String> {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let package = manifest.split("[package]").nth(1)?;
    let line = package
        .lines()
        .find(|line| line.trim_start().starts_with("name"))?;
    let name = line.split('"').nth(1)?;
    Some(name.replace('-', "_"))
}

/// The module that a file is.
fn module(
    root: &Path,
    source: &Source,
    crates: &mut HashMap<std::path::PathBuf, String>,
) -> Vec<String> {
    let text = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    let mut parts: Vec<String> = vec![];
    let mut inside = source.path.as_path();
    // The nearest folder with a manifest is where a crate begins; without one, the tree's root begins it.
    let own_crate = source.path.ancestors().skip(1).find_map(|folder| {
        if !crates.contains_key(folder) {
            let name = crate_name(&root.join(folder)).unwrap_or_default();
            crates.insert(folder.to_owned(), name);
        }
        let name = crates[folder].clone();
        (!name.is_empty() && !source.language.dot_is_path).then_some((folder, name))
    });
    if let Some((folder, name)) = own_crate {
        inside = source.path.strip_prefix(folder).unwrap_or(inside);
        // src/ is the crate; tests/ and its like are crates of their own, each named as its file
        if let Ok(below) = inside.strip_prefix("src") {
            inside = below;
            parts.push(name);
        } else if let Ok(below) = inside.strip_prefix("tests") {
            inside = below;
        }
    } else if let Some(name) = root
        .canonicalize()
        .ok()
        .as_deref()
        .and_then(Path::file_name)
    {
        parts.push(text(name));
    }
    parts.extend(inside.parent().unwrap_or(Path::new("")).iter().map(text));
    let stem = inside.file_stem().map(text).unwrap_or_default();
    if !source.language.folder_files.contains(&stem.as_str()) || parts.is_empty() {
        parts.push(stem);
    }
    parts
}

impl<'a> Links<'a> {
    /// Lists a tree's definitions.
    pub fn of(tree: &'a Tree) -> Links<'a> {
        let mut by_name: HashMap<&str, Vec<Id>> = HashMap::new();
        for (file, source) in tree.sources.iter().enumerate() {
            if source.language.only_declares(&source.path) {
                continue;
            }
            for (at, item) in source.items.iter().enumerate() {
                match item.kind {
                    Kind::Class | Kind::Trait | Kind::Function | Kind::Macro => {
                        let id = Id { file, item: at };
                        by_name.entry(&item.name).or_default().push(id);
                    }
                    Kind::Impl | Kind::Module | Kind::Foreign => {}
                }
            }
        }
        let mut crates = HashMap::new();
        let modules = tree
            .sources
            .iter()
            .map(|source| module(&tree.root, source, &mut crates))
            .collect();
        Links {
            tree,
            modules,
            by_name,
        }
    }

    fn source(&self, id: Id) -> &'a Source {
        &self.tree.sources[id.file]
    }

    /// A definition's name with its class, as its language writes it.
    pub fn label(&self, id: Id) -> String {
        let source = self.source(id);
        let item = &source.items[id.item];
        match (&item.owner, item.kind) {
            (Some(owner), _) => format!("{owner}{}{}", source.language.separator, item.name),
            (None, Kind::Macro) => format!("{}!", item.name),
            (None, _) => item.name.clone(),
        }
    }

    /// The function or class in which a place of a file is, if it is in one.
    pub fn around(&self, file: usize, at: usize) -> Option<Id> {
        let source = &self.tree.sources[file];
        let named = |kind| matches!(kind, Kind::Function | Kind::Class | Kind::Macro);
        let item = source.innermost(at, |item| named(item.kind))?;
        Some(Id { file, item })
    }

    /// What a call means.
    pub fn find(&self, file: usize, call: &Call) -> Found {
        match &call.receiver {
            Receiver::None => match call.name.strip_suffix('!') {
                Some(name) => self.macros(file, name),
                None => self.plain(file, &call.name, call.at),
            },
            Receiver::Path(path) => self.on_path(file, path, call),
            Receiver::Value => self.methods(file, &call.name),
        }
    }

    /// 1. A name that stands alone.
    fn plain(&self, file: usize, name: &str, at: usize) -> Found {
        if let Some(id) = self.in_sight(file, name, at) {
            return Found::Sure(id);
        }
        let source = &self.tree.sources[file];
        let imports = &source.uses.imports;
        let by_alias = imports
            .iter()
            .find(|import| import.alias.as_deref() == Some(name));
        if let Some(import) = by_alias {
            return self.by_path(file, &self.absolute(file, &import.path, at));
        }
        let mut found = vec![];
        for Import { alias, path } in imports {
            if alias.is_none() {
                let mut path = self.absolute(file, path, at);
                path.push(name.to_owned());
                match self.by_path(file, &path) {
                    Found::Sure(id) => found.push(id),
                    Found::Possible(ids) => found.extend(ids),
                    Found::Nothing => {}
                }
            }
        }
        choice(found)
    }

    /// A definition in this file that a place can see by its bare name.
    fn in_sight(&self, file: usize, name: &str, at: usize) -> Option<Id> {
        let source = &self.tree.sources[file];
        let inner = source.innermost(at, |_| true);
        let around: Vec<usize> = inner
            .into_iter()
            .chain(inner.into_iter().flat_map(|item| source.around(item)))
            .collect();
        let here = |id: &&Id| id.file == file && source.items[id.item].owner.is_none();
        let candidates = self.by_name.get(name)?.iter().filter(here);
        // How far out the item around the candidate is: the nearest is meant; with the same distance, the last.
        let distance = |id: &Id| match source.items[id.item].parent {
            None => Some(around.len()),
            Some(parent) => around.iter().position(|&outer| outer == parent),
        };
        candidates
            .filter_map(|id| Some((distance(id)?, *id)))
            .min_by_key(|(far, id)| (*far, std::cmp::Reverse(id.item)))
            .map(|(_, id)| id)
    }

    fn macros(&self, file: usize, name: &str) -> Found {
        let is_macro = |id: &&Id| {
            self.source(**id).items[id.item].kind == Kind::Macro && self.same_language(file, **id)
        };
        let all = self.by_name.get(name).into_iter().flatten();
        choice(all.filter(is_macro).copied().collect())
    }

    fn same_language(&self, file: usize, id: Id) -> bool {
        std::ptr::eq(
            self.tree.sources[file].language,
            self.tree.sources[id.file].language,
        )
    }

    /// 4. Every method of this name.
    fn methods(&self, file: usize, name: &str) -> Found {
        let all = self.by_name.get(name).into_iter().flatten().copied();
        let is_method = |id: &Id| {
            self.source(*id).items[id.item].owner.is_some() && self.same_language(file, *id)
        };
        let found: Vec<Id> = all.filter(is_method).collect();
        if found.is_empty() {
            Found::Nothing
        } else {
            Found::Possible(found)
        }
    }

    /// 2. and 3.
    fn on_path(&self, file: usize, path: &[String], call: &Call) -> Found {
        let source = &self.tree.sources[file];
        if let [own] = path
            && source.language.own.contains(&own.as_str())
        {
            return self.on_own(file, own == "super()", call);
        }
        let Some(first) = path.first() else {
            return Found::Nothing;
        };
        let imported = source
            .uses
            .imports
            .iter()
            .find(|import| import.alias.as_ref() == Some(first));
        let known = match (imported, self.in_sight(file, first, call.at)) {
            (_, Some(class)) => Some(self.full_path(class)),
            (Some(import), None) => Some(self.absolute(file, &import.path, call.at)),
            (None, None) => None,
        };
        let is_known = known.is_some();
        let mut whole = known.unwrap_or_else(|| self.absolute(file, &path[..1], call.at));
        whole.extend_from_slice(&path[1..]);
        whole.push(call.name.clone());
        match self.by_path(file, &whole) {
            Found::Nothing if source.language.dot_is_path && !is_known => {
                // A variable, most likely.
                self.methods(file, &call.name)
            }
            found => found,
        }
    }

    /// A method of the class around a call, or of those that it inherits from.
    fn on_own(&self, file: usize, above: bool, call: &Call) -> Found {
        let source = &self.tree.sources[file];
        let has_methods = |kind| matches!(kind, Kind::Class | Kind::Trait | Kind::Impl);
        let Some(class) = source.innermost(call.at, |item| has_methods(item.kind)) else {
            return Found::Nothing;
        };
        let mut pending = vec![(file, source.items[class].name.clone(), above)];
        let mut seen = vec![];
        while let Some((file, class, only_above)) = pending.pop() {
            if seen.contains(&class) {
                continue;
            }
            if !only_above {
                let found = self.methods_of(file, &class, &call.name);
                if !found.is_empty() {
                    return choice(found);
                }
            }
            for id in self.classes(file, &class) {
                for base in &self.source(id).items[id.item].bases {
                    let name = base.rsplit('.').next().unwrap_or(base).to_owned();
                    pending.push((id.file, base_name(&name), false));
                }
            }
            seen.push(class);
        }
        self.methods(file, &call.name)
    }

    /// Classes of this name: in this file, or else anywhere.
    fn classes(&self, file: usize, name: &str) -> Vec<Id> {
        let is_class = |id: &Id| {
            self.source(*id).items[id.item].kind == Kind::Class && self.same_language(file, *id)
        };
        let all = self.by_name.get(name).into_iter().flatten().copied();
        let all: Vec<Id> = all.filter(is_class).collect();
        let here: Vec<Id> = all.iter().copied().filter(|id| id.file == file).collect();
        if here.is_empty() { all } else { here }
    }

    /// A class's methods of this name: in this file, or else in its crate or package; a type's own before a trait's.
    fn methods_of(&self, file: usize, class: &str, name: &str) -> Vec<Id> {
        let of_class = |id: &Id| {
            self.source(*id).items[id.item].owner.as_deref() == Some(class)
                && self.same_language(file, *id)
        };
        let all = self.by_name.get(name).into_iter().flatten().copied();
        let mut found: Vec<Id> = all.filter(of_class).collect();
        let keep = |found: &mut Vec<Id>, wanted: &dyn Fn(&Id) -> bool| {
            if found.iter().any(wanted) {
                found.retain(wanted);
            }
        };
        keep(&mut found, &|id| id.file == file);
        keep(&mut found, &|id| {
            self.modules[id.file].first() == self.modules[file].first()
        });
        keep(&mut found, &|id| {
            let source = self.source(*id);
            let around = source.items[id.item].parent;
            around.is_none_or(|around| source.items[around].of_trait.is_none())
        });
        found
    }

    /// A path as seen from the root: `self`, `super`, `crate` and leading dots stand for modules around the place.
    fn absolute(&self, file: usize, path: &[String], at: usize) -> Vec<String> {
        let source = &self.tree.sources[file];
        let mut here = self.modules[file].clone();
        let dots = path.iter().take_while(|part| *part == ".").count();
        if dots > 0 {
            // One dot is the folder: of `__init__`, the module itself.
            let stem = source.path.file_stem().unwrap_or_default();
            let is_folder = source
                .language
                .folder_files
                .iter()
                .any(|name| stem == *name);
            let up = dots - usize::from(is_folder);
            here.truncate(here.len().saturating_sub(up));
            here.extend_from_slice(&path[dots..]);
            return here;
        }
        let inline = source.innermost(at, |item| item.kind == Kind::Module);
        if let Some(inline) = inline {
            let outer = source.around(inline).collect::<Vec<_>>();
            for item in outer.into_iter().rev().chain([inline]) {
                here.push(source.items[item].name.clone());
            }
        }
        let mut rest = path;
        while let Some((first, further)) = rest.split_first() {
            match first.as_str() {
                "self" => {}
                "super" => {
                    here.pop();
                }
                "crate" => here.truncate(1),
                _ => break,
            }
            rest = further;
        }
        if rest.len() == path.len() {
            return path.to_vec();
        }
        here.extend_from_slice(rest);
        here
    }

    /// Where a definition is: module, modules inside the file, class, name.
    fn full_path(&self, id: Id) -> Vec<String> {
        let source = self.source(id);
        let item = &source.items[id.item];
        let mut path = self.modules[id.file].clone();
        let around: Vec<usize> = source.around(id.item).collect();
        for &outer in around.iter().rev() {
            if source.items[outer].kind == Kind::Module {
                path.push(source.items[outer].name.clone());
            }
        }
        path.extend(item.owner.clone());
        path.push(item.name.clone());
        path
    }

    /// 3. Definitions whose path holds these names in this order and ends with the last.
    fn by_path(&self, file: usize, path: &[String]) -> Found {
        let Some((name, before)) = path.split_last() else {
            return Found::Nothing;
        };
        let mut best = 0;
        let mut found = vec![];
        for &id in self.by_name.get(name.as_str()).into_iter().flatten() {
            let source = self.source(id);
            let item = &source.items[id.item];
            let around = item.parent.map(|outer| source.items[outer].kind);
            // A function inside another is seen from there only.
            if around == Some(Kind::Function) || !self.same_language(file, id) {
                continue;
            }
            // A method is reached through its class.
            if item.owner.is_some() && item.owner.as_ref() != before.last() {
                continue;
            }
            let whole = self.full_path(id);
            let closeness = if whole == path {
                3
            } else if whole.ends_with(path) {
                2
            } else if in_order(before, &whole[..whole.len() - 1]) {
                1
            } else {
                continue;
            };
            if closeness > best {
                best = closeness;
                found.clear();
            }
            if closeness == best {
                found.push(id);
            }
        }
        choice(found)
    }
}

/// Whether the names of the first list are in the second, in this order.
fn in_order(names: &[String], within: &[String]) -> bool {
    let mut within = within.iter();
    names.iter().all(|name| within.any(|other| other == name))
}

fn choice(mut found: Vec<Id>) -> Found {
    found.sort();
    found.dedup();
    match found[..] {
        [] => Found::Nothing,
        [id] => Found::Sure(id),
        _ => Found::Possible(found),
    }
}
