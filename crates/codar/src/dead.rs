//! # dead: what nothing uses
//!
//! **In:** a [`Tree`] read with its uses. **Out:** definitions whose name stands nowhere else, and what may use them all the same.
//! **Above:** `main`. **Below:** [`uses`](crate::uses); [`attributes`] says what those of an item mean.
//!
//! A name decides, not a resolved call: whoever writes `x.step()` keeps every `step` alive. That misses some dead code and accuses none.
//!
//! Laws:
//! 1. Something whose name stands anywhere outside itself (a call, a value, a type, an import, a base class, an attribute, `__all__`,
//!    a macro's arguments) is alive. Inside itself means in its own text and, for a Rust type, in its `impl` blocks; and what only
//!    unused code uses is unused.
//! 2. Never listed: what the language calls by itself (`main`, `__dunder__` methods, methods of a trait's `impl`), tests, what
//!    an attribute hands to others (`#[test]`, `#[no_mangle]`, `#[pyfunction]`, `@pytest.fixture`, …), and what its author marked
//!    with `#[allow(dead_code)]` or, in Rust, a `_` before its name.
//! 3. "Unused" is said only of what nobody outside the tree can reach either. Of the rest "possibly" is said, and why: it is public, its
//!    name stands in a string, an unknown decorator got it, its class inherits from one that isn't here, names are looked up or
//!    put together while the program runs, or the tree holds a language that isn't read.
//! 4. Methods of an unused class, and functions inside an unused function, have no row of their own.

mod attributes;

use crate::calls::kind_name;
use crate::draw::{Column, DOUBT, FILE, NAME, PLAIN, TITLE, styled, table};
use crate::links::{Id, Links};
use crate::source::{Item, Kind, Source};
use crate::tree::{Tree, printable};
use crate::uses::Mention;
use attributes::{head, is_entry, is_neutral, is_silent, silenced, words};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// How sure it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// nothing reaches it
    Unused,
    /// nothing that is seen here reaches it
    Possibly,
}

/// A definition that nothing seems to use.
#[derive(PartialEq, Eq, Debug, Serialize)]
pub struct Dead {
    /// how sure
    pub verdict: Verdict,
    /// Class, Function, Method, …
    pub kind: &'static str,
    /// with its class
    pub name: String,
    /// its file
    pub path: String,
    /// its line
    pub line: usize,
    /// why it is only possible, or what unused code uses it; empty if nothing does
    pub why: String,
}

/// How `dead` may be sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum DeadOrder {
    /// the unused first, then those that possibly are
    Verdict,
    /// by name
    Name,
    /// by file and line
    Path,
}

// ---- Who uses what --------------------------------------------------------------------------------------------------------

/// What a search for dead code knows.
struct Search<'a> {
    tree: &'a Tree,
    /// where the names of definitions stand
    mentions: HashMap<&'a str, Vec<(usize, Mention)>>,
    /// names of all classes
    classes: HashSet<&'a str>,
    /// for each Rust type, its impl blocks
    impls: HashMap<&'a str, Vec<Id>>,
    /// for each file, whether what is public there is public to other crates
    library: Vec<bool>,
    /// files and folders whose author said that nobody need use what is there
    silenced: Vec<PathBuf>,
    /// a place where Python's names are looked up by value
    looked_up: Option<String>,
    /// a file in which Rust's names are put together
    pasted: Option<String>,
}

impl<'a> Search<'a> {
    fn new(tree: &'a Tree) -> Search<'a> {
        let (mut classes, mut defined) = (HashSet::new(), HashSet::new());
        let mut impls: HashMap<&str, Vec<Id>> = HashMap::new();
        for (file, source) in tree.sources.iter().enumerate() {
            for (at, item) in source.items.iter().enumerate() {
                defined.insert(item.name.as_str());
                match item.kind {
                    Kind::Class | Kind::Trait => drop(classes.insert(item.name.as_str())),
                    Kind::Impl => {
                        let id = Id { file, item: at };
                        impls.entry(&item.name).or_default().push(id);
                    }
                    Kind::Function | Kind::Macro | Kind::Module | Kind::Foreign => {}
                }
            }
        }
        let mut mentions: HashMap<&str, Vec<(usize, Mention)>> = HashMap::new();
        let (mut looked_up, mut pasted) = (None, None);
        for (file, source) in tree.sources.iter().enumerate() {
            for (name, places) in &source.uses.mentions {
                if defined.contains(name.as_str()) {
                    let places = places.iter().map(|&mention| (file, mention));
                    mentions.entry(name).or_default().extend(places);
                }
            }
            let path = printable(&source.path);
            if let Some(line) = source.uses.looked_up {
                looked_up.get_or_insert(format!("{path}:{line}"));
            }
            let pastes = ["paste", "concat_idents"];
            if pastes
                .iter()
                .any(|name| source.uses.mentions.contains_key(*name))
            {
                pasted.get_or_insert(path);
            }
        }
        let mut known = HashMap::new();
        let library = tree
            .sources
            .iter()
            .map(|source| is_library(&tree.root, source, &mut known))
            .collect();
        Search {
            tree,
            mentions,
            classes,
            impls,
            library,
            silenced: tree.sources.iter().flat_map(silenced).collect(),
            looked_up,
            pasted,
        }
    }

    fn item(&self, id: Id) -> (&'a Source, &'a Item) {
        let source = &self.tree.sources[id.file];
        (source, &source.items[id.item])
    }

    /// Whether anything at all may be said of a definition.
    fn is_of_interest(&self, id: Id) -> bool {
        let (source, item) = self.item(id);
        match item.kind {
            Kind::Class | Kind::Trait | Kind::Function | Kind::Macro => {}
            Kind::Impl | Kind::Module | Kind::Foreign => return false,
        }
        let class = source.class_of(id.item).map(|class| &source.items[class]);
        let is_called = |name: &str| name.starts_with("__") && name.ends_with("__");
        let spoken_for = |item: &Item| item.attributes.iter().any(|one| is_entry(one));
        let around = || source.around(id.item).map(|outer| &source.items[outer]);
        let plain = source.path.with_extension("");
        let is_below = |silenced: &PathBuf| plain.starts_with(silenced);
        !(source.language.only_declares(&source.path)
            || self.silenced.iter().any(is_below)
            || item.name == "main"
            || is_called(&item.name)
            // rustc too takes `_name` for something that nobody need use
            || (!source.language.dot_is_path && item.name.starts_with('_'))
            || class.is_some_and(|class| class.of_trait.is_some())
            || spoken_for(item)
            || class.is_some_and(spoken_for)
            || is_test(source, item)
            // it speaks for all that is inside
            || around().any(|outer| outer.attributes.iter().any(|one| is_silent(one))))
    }

    /// Where a definition's name stands outside of itself and of what is known to be unused: in code, and in strings.
    fn users(&self, id: Id, unused: &BTreeMap<Id, String>) -> Users {
        let (_, item) = self.item(id);
        let mut users = Users::default();
        let own_blocks: &[Id] = match item.kind {
            Kind::Class => self
                .impls
                .get(item.name.as_str())
                .map_or(&[], Vec::as_slice),
            _ => &[],
        };
        let inside = |block: Id, file: usize, at: usize| {
            block.file == file && self.item(block).1.span.contains(&at)
        };
        for &(file, mention) in self.mentions.get(item.name.as_str()).into_iter().flatten() {
            let here = |block: &Id| inside(*block, file, mention.at);
            if here(&id) || own_blocks.iter().any(here) {
                continue;
            }
            let source = &self.tree.sources[file];
            let around = source.innermost(mention.at, |_| true);
            let mut blocks = around
                .into_iter()
                .chain(around.into_iter().flat_map(|inner| source.around(inner)))
                .map(|item| Id { file, item });
            if let Some(dead) = blocks.find(|block| unused.contains_key(block)) {
                users.dead.get_or_insert(dead);
            } else if mention.in_string {
                users.string.get_or_insert(file);
            } else {
                users.alive = true;
                return users;
            }
        }
        users
    }

    /// Why something whose name stands nowhere may be used all the same.
    fn doubt(&self, id: Id) -> Option<String> {
        let (source, item) = self.item(id);
        if let Some(unknown) = item.attributes.iter().find(|one| !is_neutral(one)) {
            return Some(format!("{} may use it", head(unknown)));
        }
        let class = source.class_of(id.item);
        let nested = item
            .parent
            .is_some_and(|outer| source.items[outer].kind == Kind::Function);
        if !source.language.dot_is_path {
            let public = match class.map(|class| &source.items[class]) {
                Some(class) if class.kind == Kind::Trait => class.public,
                _ => {
                    item.public
                        || item
                            .attributes
                            .iter()
                            .any(|one| head(one) == "macro_export")
                }
            };
            if public && self.library[id.file] {
                return Some("public".into());
            }
            let paste = self.pasted.as_ref();
            return paste.map(|path| format!("names are put together in {path}"));
        }
        if nested {
            return None;
        }
        let mut bases = match (class, item.kind) {
            (Some(class), _) => self.bases(source, &source.items[class]),
            (None, Kind::Class) => item.bases.clone(),
            (None, _) => vec![],
        };
        if class.is_some() {
            // Methods of classes that are here are seen by their names.
            bases.retain(|base| !self.classes.contains(base.as_str()) && base != "object");
        } else {
            bases.retain(|base| base != "object");
        }
        if let Some(base) = bases.first() {
            return Some(match class {
                Some(_) => format!("{base} may call it"),
                None => format!("{base} may find it"),
            });
        }
        let hidden = |name: &str| name.starts_with('_');
        if !hidden(&item.name) && !class.is_some_and(|at| hidden(&source.items[at].name)) {
            return Some("public".into());
        }
        if let Some(place) = &self.looked_up {
            return Some(format!("names are looked up in {place}"));
        }
        let unseen = self.tree.unseen.as_ref();
        unseen.map(|path| format!("{} may use it", printable(path)))
    }

    /// All classes that a class inherits from, by their last names.
    fn bases(&self, source: &Source, class: &Item) -> Vec<String> {
        let last = |base: &String| {
            let plain = base.split(['(', '[']).next().unwrap_or(base);
            words(plain).last().unwrap_or(plain).to_owned()
        };
        let mut all: Vec<String> = class.bases.iter().map(last).collect();
        let mut at = 0;
        while let Some(name) = all.get(at).cloned() {
            for other in &self.tree.sources {
                let same = |item: &&Item| item.kind == Kind::Class && item.name == name;
                if !std::ptr::eq(other.language, source.language)
                    || !self.classes.contains(name.as_str())
                {
                    continue;
                }
                for base in other.items.iter().filter(same).flat_map(|item| &item.bases) {
                    let base = last(base);
                    if !all.contains(&base) {
                        all.push(base);
                    }
                }
            }
            at += 1;
        }
        all
    }
}

/// Who uses a definition.
#[derive(Default)]
struct Users {
    /// code that may run
    alive: bool,
    /// a file with a string that holds the name
    string: Option<usize>,
    /// code that nothing uses
    dead: Option<Id>,
}

/// Whether a test runner finds this by its name.
fn is_test(source: &Source, item: &Item) -> bool {
    if !source.language.dot_is_path {
        return false;
    }
    let stem = source
        .path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let in_test = stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem == "conftest"
        || stem == "tests";
    let starts = [
        "test", "Test", "setUp", "tearDown", "setup", "teardown", "pytest_",
    ];
    in_test && starts.iter().any(|start| item.name.starts_with(start))
}

/// Whether what is public in a file is public to other crates.
fn is_library(root: &Path, source: &Source, known: &mut HashMap<PathBuf, Option<bool>>) -> bool {
    for folder in source.path.ancestors().skip(1) {
        let whole = root.join(folder);
        let library = *known.entry(folder.to_owned()).or_insert_with(|| {
            let manifest = std::fs::read_to_string(whole.join("Cargo.toml")).ok()?;
            manifest.contains("[package]").then_some(())?;
            Some(whole.join("src/lib.rs").exists() || manifest.contains("[lib]"))
        });
        if let Some(library) = library {
            let inside = source.path.strip_prefix(folder).unwrap_or(&source.path);
            let own_crate = ["tests", "examples", "benches", "build.rs"];
            return library && !own_crate.iter().any(|part| inside.starts_with(part));
        }
    }
    // Without a manifest anything may be a library.
    true
}

// ---- The list -------------------------------------------------------------------------------------------------------------

/// All definitions that nothing seems to use.
pub fn dead(tree: &Tree, order: DeadOrder) -> Vec<Dead> {
    let search = Search::new(tree);
    let links = Links::of(tree);
    let mut candidates: BTreeSet<Id> = tree
        .sources
        .iter()
        .enumerate()
        .flat_map(|(file, source)| (0..source.items.len()).map(move |item| Id { file, item }))
        .filter(|&id| search.is_of_interest(id))
        .collect();
    // What only unused code uses is unused: round after round, until nothing more is found.
    let mut unused: BTreeMap<Id, String> = BTreeMap::new();
    let mut possible: BTreeMap<Id, String>;
    loop {
        let before = unused.len();
        possible = BTreeMap::new();
        let mut found = BTreeMap::new();
        candidates.retain(|&id| {
            let users = search.users(id, &unused);
            if users.alive {
                // It may lose its users in a later round, when those are known to be unused.
                return true;
            }
            let string = users.string.map(|file| {
                let path = printable(&tree.sources[file].path);
                format!("its name is in a string in {path}")
            });
            if let Some(why) = string.or_else(|| search.doubt(id)) {
                possible.insert(id, why);
                return true;
            }
            let by = users
                .dead
                .map(|dead| format!("only {} uses it", links.label(dead)));
            found.insert(id, by.unwrap_or_default());
            false
        });
        unused.extend(found);
        if unused.len() == before {
            break;
        }
    }
    let row = |verdict: Verdict| {
        let links = &links;
        move |(id, why): (&Id, &String)| {
            let source = &tree.sources[id.file];
            let item = &source.items[id.item];
            Dead {
                verdict,
                kind: kind_name(item.kind, item.owner.is_some()),
                name: links.label(*id),
                path: printable(&source.path),
                line: item.line,
                why: why.clone(),
            }
        }
    };
    // Inside something that has a row, or among the methods of a type that has one.
    let is_inside = |id: &Id| {
        let source = &tree.sources[id.file];
        let owner = source.items[id.item].owner.as_deref();
        let listed = |item: usize| {
            let id = Id {
                file: id.file,
                item,
            };
            unused.contains_key(&id) || possible.contains_key(&id)
        };
        let of_type = |(other, _): (&Id, &String)| {
            let (_, item) = search.item(*other);
            item.kind == Kind::Class && Some(item.name.as_str()) == owner
        };
        source.around(id.item).any(listed)
            || owner.is_some() && unused.iter().chain(&possible).any(of_type)
    };
    let shown = |list: &BTreeMap<Id, String>, verdict| -> Vec<Dead> {
        let rows = list.iter().filter(|(id, _)| !is_inside(id));
        rows.map(row(verdict)).collect()
    };
    let mut rows = shown(&unused, Verdict::Unused);
    rows.extend(shown(&possible, Verdict::Possibly));
    match order {
        DeadOrder::Verdict => {}
        DeadOrder::Name => rows.sort_by(|a, b| a.name.cmp(&b.name)),
        DeadOrder::Path => rows.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line))),
    }
    rows
}

/// The table, and how many of each sort.
pub fn draw(rows: &[Dead]) -> String {
    let title = styled("Dead Code", TITLE);
    if rows.is_empty() {
        return format!("{title}\nEverything here is used.\n");
    }
    let columns = [
        Column::words("Verdict", DOUBT),
        Column::words("Type", PLAIN),
        Column::words("Name", NAME),
        Column::words("Defined", FILE),
        Column::words("Why", PLAIN),
    ];
    let verdict = |row: &Dead| match row.verdict {
        Verdict::Unused => "unused",
        Verdict::Possibly => "possibly",
    };
    let cells = |row: &Dead| {
        vec![
            verdict(row).to_owned(),
            row.kind.to_owned(),
            row.name.clone(),
            format!("{}:{}", row.path, row.line),
            row.why.clone(),
        ]
    };
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let unused = rows
        .iter()
        .filter(|row| row.verdict == Verdict::Unused)
        .count();
    let possibly = rows.len() - unused;
    format!(
        "{title}\n{}{unused} unused, {possibly} possibly\n",
        table(&columns, &cells)
    )
}
