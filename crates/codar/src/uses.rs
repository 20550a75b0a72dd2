//! # uses: what a file asks of others
//!
//! **In:** a syntax tree and its outline. **Out:** calls, imports, and every place at which a name stands. Nothing is looked up
//! here: [`links`](crate::links) does that when all files are known. **Above:** [`source`](crate::source).
//!
//! Laws:
//! 1. A name in a comment or docstring is no use of it. A name in another string may be one.
//! 2. Arguments of a Rust macro are tokens without structure: `name(`, `name!(` and `name::<T>(` are calls there.

use crate::language::Language;
use crate::source::{Outline, base_name, covers};
use std::collections::{HashMap, HashSet};
use tree_sitter::{Node, Query, QueryCursor, StreamingIterator, Tree};

/// What stands before the name of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Receiver {
    /// nothing: `f()`
    None,
    /// names: `a.b.f()`, `a::b::f()`, `self.f()`
    Path(Vec<String>),
    /// a value: `g().f()`
    Value,
}

/// A call; making a struct and running a macro (`name!`) are calls too.
#[derive(Debug)]
pub struct Call {
    /// the last name
    pub name: String,
    /// what stands before it
    pub receiver: Receiver,
    /// where the name begins
    pub at: usize,
}

/// A name brought in from elsewhere.
#[derive(PartialEq, Eq, Debug)]
pub struct Import {
    /// its name here; none if all of a module's names come in
    pub alias: Option<String>,
    /// its name there. A leading `.` stands for a dot of Python's relative imports
    pub path: Vec<String>,
}

/// A place at which a name stands that is not its definition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mention {
    /// where
    pub at: usize,
    /// in a string
    pub in_string: bool,
}

/// All of these for a file.
#[derive(Default, Debug)]
pub struct Uses {
    /// in the order of the text
    pub calls: Vec<Call>,
    /// in the order of the text
    pub imports: Vec<Import>,
    /// by name
    pub mentions: HashMap<String, Vec<Mention>>,
    /// a line in which names are looked up that only the running program knows
    pub looked_up: Option<usize>,
}

/// Python's functions that find a thing by a name that is a value.
const LOOK_UPS: [&str; 9] = [
    "getattr",
    "globals",
    "locals",
    "vars",
    "eval",
    "exec",
    "attrgetter",
    "methodcaller",
    "import_module",
];

impl Uses {
    /// Runs the query for uses over a file.
    pub fn find(
        text: &str,
        tree: &Tree,
        query: &Query,
        language: &Language,
        outline: &Outline,
    ) -> Uses {
        let defined: HashSet<usize> = outline.items.iter().map(|item| item.name_at).collect();
        let names = query.capture_names();
        let mut uses = Uses::default();
        let mut cursor = QueryCursor::new();
        let mut matches = cursor.matches(query, tree.root_node(), text.as_bytes());
        while let Some(one) = matches.next() {
            for capture in one.captures() {
                let (node, at) = (capture.node, capture.node.start_byte());
                match names[capture.index as usize] {
                    "call" => uses.add_call(node, text, language),
                    "token" => uses.calls.extend(token_call(node, text)),
                    "import" => uses.imports.extend(import(node, text, language)),
                    "import.all" => uses.imports.push(import_all(node, text)),
                    "mention" if !defined.contains(&at) => {
                        uses.mention(&text[node.byte_range()], at, false);
                    }
                    "string" if !covers(&outline.comments, at) => {
                        // In an attribute, `default = "name"` is how a macro is told which function to call.
                        let is_name = covers(&outline.naming, at);
                        for name in path_of(&text[node.byte_range()]).unwrap_or_default() {
                            uses.mention(&name, at, !is_name);
                        }
                    }
                    _ => {}
                }
            }
        }
        uses.calls.sort_by_key(|call| call.at);
        uses
    }

    fn mention(&mut self, name: &str, at: usize, in_string: bool) {
        let mention = Mention { at, in_string };
        match self.mentions.get_mut(name) {
            Some(places) => places.push(mention),
            None => {
                self.mentions.insert(name.to_owned(), vec![mention]);
            }
        }
    }

    fn add_call(&mut self, node: Node, text: &str, language: &Language) {
        let mut callee = node;
        // f::<T>() and Point::<T> { … }
        while callee.child_by_field_name("type_arguments").is_some() {
            let inner = ["function", "type"]
                .iter()
                .find_map(|field| callee.child_by_field_name(field));
            let Some(inner) = inner else { return };
            callee = inner;
        }
        let field = |names: [&str; 3]| {
            names
                .iter()
                .find_map(|name| callee.child_by_field_name(name))
        };
        let name_node = match field(["attribute", "field", "name"]) {
            Some(name) => name,
            None if callee.named_child_count() == 0 => callee,
            // a call of what another call, an index or a parenthesis gave
            None => return,
        };
        let receiver = match field(["object", "value", "path"]) {
            None => Receiver::None,
            Some(before) => {
                let dot = text[before.end_byte()..name_node.start_byte()].contains('.');
                let words = &text[before.byte_range()];
                if language.own.contains(&words) {
                    Receiver::Path(vec![words.to_owned()])
                } else if dot && !language.dot_is_path {
                    Receiver::Value
                } else {
                    path_of(words).map_or(Receiver::Value, Receiver::Path)
                }
            }
        };
        let mut name = text[name_node.byte_range()].to_owned();
        // Only these have to know what their call looks like: looking for a parent starts at the root of the tree.
        if language.dot_is_path && LOOK_UPS.contains(&name.as_str()) && !names_a_literal(node) {
            self.looked_up
                .get_or_insert(1 + name_node.start_position().row);
        }
        if text[node.end_byte()..].starts_with('!') {
            name.push('!');
        }
        self.calls.push(Call {
            name,
            receiver,
            at: name_node.start_byte(),
        });
    }
}

/// Whether this is the function of a call like `getattr(x, "name")`.
fn names_a_literal(function: Node) -> bool {
    let second = function
        .parent()
        .and_then(|call| call.child_by_field_name("arguments"))
        .and_then(|arguments| arguments.named_child(1));
    second.is_some_and(|argument| {
        let mut cursor = argument.walk();
        argument.kind() == "string"
            && argument
                .children(&mut cursor)
                .all(|part| part.kind() != "interpolation")
    })
}

/// The names of a path; none if it is more than a path. Generic arguments are left out, and of `<T as Trait>` only T is kept.
fn path_of(text: &str) -> Option<Vec<String>> {
    let mut plain = String::new();
    let mut depth = 0_usize;
    if let Some(qualified) = text.strip_prefix('<') {
        let of = qualified.split(" as ").next().unwrap_or(qualified);
        let name = base_name(of.trim_end_matches('>'));
        return is_name(&name).then(|| vec![name]);
    }
    for c in text.chars() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 && !c.is_whitespace() => plain.push(c),
            _ => {}
        }
    }
    let plain = plain.replace("::", ".");
    let dots = plain.len() - plain.trim_start_matches('.').len();
    let rest = plain[dots..].trim_end_matches('.');
    let mut path = vec![".".to_owned(); dots];
    if !rest.is_empty() {
        path.extend(rest.split('.').map(str::to_owned));
    }
    let fine = path.iter().all(|part| part == "." || is_name(part));
    (fine && !path.is_empty()).then_some(path)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(in_name)
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A call among a macro's tokens, if this name is followed like one.
fn token_call(node: Node, text: &str) -> Option<Call> {
    let (start, end) = (node.start_byte(), node.end_byte());
    let mut after = text[end..].trim_start();
    if let Some(arguments) = after.strip_prefix("::<") {
        after = arguments.split_once('>')?.1.trim_start();
    }
    let mut name = text[start..end].to_owned();
    if let Some(rest) = after.strip_prefix('!') {
        name.push('!');
        after = rest.trim_start();
        after.starts_with(['(', '[', '{']).then_some(())?;
    } else {
        after.starts_with('(').then_some(())?;
    }
    let mut before = text[..start].trim_end();
    let word = |text: &str| {
        let from = text.trim_end_matches(in_name).len();
        text[from..].to_owned()
    };
    if word(before) == "fn" {
        return None;
    }
    let mut receiver = Receiver::None;
    if before.ends_with('.') && !before.ends_with("..") {
        let owner = word(&before[..before.len() - 1]);
        receiver = match owner.as_str() {
            "self" => Receiver::Path(vec![owner]),
            _ => Receiver::Value,
        };
    } else if before.ends_with("::") {
        let mut path = vec![];
        while let Some(rest) = before.strip_suffix("::") {
            let part = word(rest.trim_end());
            before = rest.trim_end();
            before = before[..before.len() - part.len()].trim_end();
            path.push(part);
        }
        path.reverse();
        receiver = if path.iter().all(|part| is_name(part)) {
            Receiver::Path(path)
        } else {
            Receiver::Value
        };
    }
    let at = start;
    Some(Call { name, receiver, at })
}

/// The path that all names of a list of imports have in common.
fn prefix(node: Node, text: &str) -> Vec<String> {
    let mut parts = vec![];
    let mut outer = node.parent();
    while let Some(list) = outer {
        let field = match list.kind() {
            "scoped_use_list" => "path",
            "import_from_statement" => "module_name",
            "use_declaration" | "import_statement" => break,
            _ => "",
        };
        parts.extend(list.child_by_field_name(field));
        outer = list.parent();
    }
    parts
        .iter()
        .rev()
        .filter_map(|part| path_of(&text[part.byte_range()]))
        .flatten()
        .collect()
}

/// One name brought in.
fn import(node: Node, text: &str, language: &Language) -> Option<Import> {
    let field = |name: &str| node.child_by_field_name(name);
    let words = |node: Node| text[node.byte_range()].to_owned();
    let mut path = prefix(node, text);
    let from_module = !path.is_empty();
    let named = field("path").filter(|_| field("alias").is_some());
    let own = path_of(&words(named.or(field("name")).unwrap_or(node)))?;
    // scoped_identifier has fields `path` and `name` itself: its text is the path
    let own = match field("alias") {
        None => path_of(&words(node))?,
        Some(_) => own,
    };
    // use a::b::{self}
    if own != ["self"] || !from_module {
        path.extend(own);
    }
    let alias = match field("alias") {
        Some(alias) => words(alias),
        // Python's `import a.b` brings in `a`.
        None if language.dot_is_path && !from_module => {
            path.truncate(1);
            path.first()?.clone()
        }
        None => path.last()?.clone(),
    };
    let alias = Some(alias);
    Some(Import { alias, path })
}

/// All names of a module brought in.
fn import_all(node: Node, text: &str) -> Import {
    let mut path = prefix(node, text);
    let own = node.named_child(0).map(|own| &text[own.byte_range()]);
    path.extend(own.and_then(path_of).unwrap_or_default());
    Import { alias: None, path }
}

#[cfg(test)]
mod tests;
