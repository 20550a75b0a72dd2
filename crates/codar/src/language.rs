//! # language: all that codar knows of a language
//!
//! **In:** a file's name. **Out:** its row of the table below. **Above:** [`source`](crate::source), which reads every language by
//! the same code. **Below:** the grammars of tree-sitter.
//!
//! A language is two queries over its syntax tree and a few words. The queries (`language/*.scm`) name what they find by words that
//! mean the same in each of them:
//!
//! | word | what it marks |
//! |---|---|
//! | `@comment` | text for people: comments, docstrings |
//! | `@class`, `@trait`, `@impl`, `@function`, `@macro`, `@module`, `@foreign` | an item, with its name in the field `name` |
//! | `@attribute` | a decorator or attribute of the item that follows |
//! | `@inner` | an attribute of the item or file around it |
//! | `@exported` | a list of names that a module exports |
//! | `@call`, `@token` | the function of a call; a token that may be one |
//! | `@import`, `@import.all` | a name brought in, or all of a module's |
//! | `@mention`, `@string` | a name; text that may hold one |
//!
//! Law: nothing outside this table and [`dead`](crate::dead)'s lists of known attributes asks which language a file is in.

use std::path::Path;
use tree_sitter_language::LanguageFn;

/// One language.
pub struct Language {
    /// as people write it
    pub name: &'static str,
    /// what its files' names end with
    pub extensions: &'static [&'static str],
    /// files that only declare what another file defines
    pub declarations: &'static str,
    /// the parser
    pub grammar: LanguageFn,
    /// query for comments, items and attributes
    pub outline: &'static str,
    /// query for calls, imports and names
    pub uses: &'static str,
    /// files that stand for their folder
    pub folder_files: &'static [&'static str],
    /// between the parts of a path
    pub separator: &'static str,
    /// a receiver whose class is the one around the call
    pub own: &'static [&'static str],
    /// whether `a.f()` may call a function of a module or class `a`
    pub dot_is_path: bool,
}

/// The table.
pub static LANGUAGES: [Language; 2] = [
    Language {
        name: "Rust",
        extensions: &["rs"],
        declarations: "",
        grammar: tree_sitter_rust::LANGUAGE,
        outline: include_str!("language/rust.outline.scm"),
        uses: include_str!("language/rust.uses.scm"),
        folder_files: &["mod", "lib", "main"],
        separator: "::",
        own: &["self", "Self"],
        dot_is_path: false,
    },
    Language {
        name: "Python",
        extensions: &["py", "pyi", "pyw"],
        declarations: "pyi",
        grammar: tree_sitter_python::LANGUAGE,
        outline: include_str!("language/python.outline.scm"),
        uses: include_str!("language/python.uses.scm"),
        folder_files: &["__init__"],
        separator: ".",
        own: &["self", "cls", "super()"],
        dot_is_path: true,
    },
];

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Language {
    /// The language of a file with this name, if it is one of ours.
    pub fn of(path: &Path) -> Option<&'static Language> {
        let extension = path.extension()?.to_str()?;
        LANGUAGES
            .iter()
            .find(|language| language.extensions.contains(&extension))
    }

    /// Whether a file of this name only declares (a Python stub).
    pub fn only_declares(&self, path: &Path) -> bool {
        path.extension()
            .is_some_and(|extension| extension == self.declarations)
    }
}
