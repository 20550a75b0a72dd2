//! # calls: who calls whom
//!
//! **In:** a [`Tree`] read with its uses. **Out:** a row for each definition that something calls: how often, and by whom.
//! **Above:** `main`. **Below:** [`links`](crate::links).
//!
//! Laws:
//! 1. "Called" counts the places of which [`links`](crate::links) is sure, "Possibly" those that may mean this one or another.
//! 2. Making an object of a class is a call of the class.
//! 3. Code outside of all functions calls under its file's name.

use crate::draw::{Column, DOUBT, FILE, NAME, PLAIN, TITLE, styled, table, thousands};
use crate::links::{Found, Id, Links};
use crate::source::Kind;
use crate::tree::{Tree, printable};
use serde::Serialize;
use std::collections::BTreeMap;

/// One who calls.
#[derive(PartialEq, Eq, Debug, Serialize)]
pub struct Caller {
    /// a function with its class, or a file
    pub name: String,
    /// where it is
    pub path: String,
    /// in how many places
    pub times: usize,
    /// whether it is known that these call this definition, and no other
    pub sure: bool,
}

/// One who is called.
#[derive(PartialEq, Eq, Debug, Serialize)]
pub struct Called {
    /// Class, Function, Method or Macro
    pub kind: &'static str,
    /// with its class
    pub name: String,
    /// the file of its definition
    pub path: String,
    /// the line of its definition
    pub line: usize,
    /// places that call it
    pub called: usize,
    /// places that may
    pub possibly: usize,
    /// by whom, those with the most calls first
    pub callers: Vec<Caller>,
}

/// How `calls` may be sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum CallOrder {
    /// the most called first
    Called,
    /// by name
    Name,
    /// by file and line
    Path,
}

/// What a definition is called.
pub fn kind_name(kind: Kind, has_owner: bool) -> &'static str {
    match kind {
        Kind::Class => "Class",
        Kind::Trait => "Trait",
        Kind::Function if has_owner => "Method",
        Kind::Function => "Function",
        Kind::Macro => "Macro",
        Kind::Impl => "Impl",
        Kind::Module => "Module",
        Kind::Foreign => "Extern",
    }
}

/// Who calls something: the file and the function or class around the call, whether it is sure, and in how many places.
type Callers = BTreeMap<(usize, Option<Id>, bool), usize>;

/// All who are called.
pub fn calls(tree: &Tree, order: CallOrder) -> Vec<Called> {
    let links = Links::of(tree);
    let mut edges: BTreeMap<Id, Callers> = BTreeMap::new();
    for (file, source) in tree.sources.iter().enumerate() {
        for call in &source.uses.calls {
            let (ids, sure) = match links.find(file, call) {
                Found::Sure(id) => (vec![id], true),
                Found::Possible(ids) => (ids, false),
                Found::Nothing => continue,
            };
            let caller = (file, links.around(file, call.at), sure);
            for id in ids {
                *edges.entry(id).or_default().entry(caller).or_default() += 1;
            }
        }
    }
    let path = |file: usize| printable(&tree.sources[file].path);
    let row = |(id, callers): (Id, Callers)| {
        let item = &tree.sources[id.file].items[id.item];
        let total = |wanted: bool| {
            let of_sort = callers.iter().filter(|((_, _, sure), _)| *sure == wanted);
            of_sort.map(|(_, times)| times).sum()
        };
        let (called, possibly) = (total(true), total(false));
        let caller = |(&(file, by, sure), &times): (&(usize, Option<Id>, bool), &usize)| Caller {
            name: by.map_or_else(|| path(file), |by| links.label(by)),
            path: path(file),
            times,
            sure,
        };
        let mut callers: Vec<Caller> = callers.iter().map(caller).collect();
        callers.sort_by_key(|caller| std::cmp::Reverse((caller.sure, caller.times)));
        Called {
            kind: kind_name(item.kind, item.owner.is_some()),
            name: links.label(id),
            path: path(id.file),
            line: item.line,
            called,
            possibly,
            callers,
        }
    };
    let mut rows: Vec<Called> = edges.into_iter().map(row).collect();
    match order {
        CallOrder::Called => rows.sort_by_key(|row| std::cmp::Reverse((row.called, row.possibly))),
        CallOrder::Name => rows.sort_by(|a, b| a.name.cmp(&b.name)),
        CallOrder::Path => {}
    }
    rows
}

/// How many callers a row names.
const NAMED: usize = 3;

/// The table.
pub fn draw(rows: &[Called]) -> String {
    let columns = [
        Column::words("Type", PLAIN),
        Column::words("Name", NAME),
        Column::words("Defined", FILE),
        Column::numbers("Called"),
        Column::numbers("Possibly"),
        Column::words("By", DOUBT),
    ];
    let cells = |row: &Called| {
        // Who is sure to call is named before who may.
        let mut names: Vec<&str> = vec![];
        for caller in &row.callers {
            if !names.contains(&caller.name.as_str()) {
                names.push(&caller.name);
            }
        }
        let mut by = names[..names.len().min(NAMED)].join(", ");
        if names.len() > NAMED {
            by += &format!(" and {} more", names.len() - NAMED);
        }
        vec![
            row.kind.to_owned(),
            row.name.clone(),
            format!("{}:{}", row.path, row.line),
            thousands(row.called),
            thousands(row.possibly),
            by,
        ]
    };
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    format!("{}\n{}", styled("Calls", TITLE), table(&columns, &rows))
}
