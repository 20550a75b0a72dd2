//! # source: one file, read and taken apart
//!
//! **In:** bytes and a [`Language`]. **Out:** a [`Source`]: its lines, its items, and what it asks of others ([`uses`](crate::uses)).
//! **Above:** [`tree`](crate::tree). **Below:** [`language`](crate::language), [`lines`](crate::lines).
//!
//! Laws:
//! 1. Any bytes give a `Source` or a [`Trouble`]; text that is not understood gives both. Nothing panics, nothing recurses by the
//!    text's depth.
//! 2. Items are in the order of the text, an item before those inside it.
//! 3. What a macro would write is not there: items are counted where somebody wrote them.

use crate::language::{LANGUAGES, Language};
use crate::lines::{Lines, visible};
use crate::uses::Uses;
use serde::Serialize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tree_sitter::{Node, Parser, Query, QueryCursor, StreamingIterator, Tree};

/// What an item is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// a Python class; a Rust struct, enum or union
    Class,
    /// a Rust trait
    Trait,
    /// a block of a type's methods
    Impl,
    /// a function or method
    Function,
    /// a `macro_rules!`
    Macro,
    /// a module inside a file
    Module,
    /// a block of functions that are defined elsewhere, in another language
    Foreign,
}

/// Something that has a name and a place.
#[derive(Debug)]
pub struct Item {
    /// what it is
    pub kind: Kind,
    /// its name; of an `impl`, the type's
    pub name: String,
    /// of an `impl`, the trait's name
    pub of_trait: Option<String>,
    /// the class, trait or type whose method this is
    pub owner: Option<String>,
    /// all of it, in bytes
    pub span: Range<usize>,
    /// where its name begins
    pub name_at: usize,
    /// the line of its name, from 1
    pub line: usize,
    /// the item around it
    pub parent: Option<usize>,
    /// its attributes or decorators, without their signs
    pub attributes: Vec<String>,
    /// the classes that it inherits from
    pub bases: Vec<String>,
    /// marked as visible to all
    pub public: bool,
}

/// What is wrong with a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// it is counted nowhere
    Unread(String),
    /// it is counted, with what is wrong in it read as far as it goes
    Doubtful(String),
}

/// A file's parts.
#[derive(Debug)]
pub struct Source {
    /// from the root of the tree
    pub path: PathBuf,
    /// what it is written in
    pub language: &'static Language,
    /// its size
    pub bytes: u64,
    /// its lines, by sort
    pub lines: Lines,
    /// its items
    pub items: Vec<Item>,
    /// attributes of the whole file
    pub attributes: Vec<String>,
    /// what it asks of others; empty if nobody wanted to know
    pub uses: Uses,
}

/// The queries of all languages, made ready once.
pub struct Queries {
    outline: Vec<Query>,
    uses: Vec<Query>,
}

impl Queries {
    /// Compiles the tables' queries.
    pub fn new() -> Queries {
        let compiled = |text: fn(&Language) -> &'static str| {
            let compile = |language: &Language| {
                Query::new(&language.grammar.into(), text(language))
                    .unwrap_or_else(|error| panic!("{}: {error}", language.name))
            };
            LANGUAGES.iter().map(compile).collect()
        };
        Queries {
            outline: compiled(|language| language.outline),
            uses: compiled(|language| language.uses),
        }
    }
}

/// Text from bytes, and what is wrong with them.
fn decode(bytes: &[u8]) -> (String, Option<Trouble>) {
    if bytes.contains(&0) {
        let why = "holds zero bytes: not a text in UTF-8";
        return (String::new(), Some(Trouble::Unread(why.into())));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(error) => {
            let line = 1 + newlines(&bytes[..error.valid_up_to()]);
            let why = format!("line {line}: not UTF-8; read with \u{fffd} for what is not");
            let text = String::from_utf8_lossy(bytes).into_owned();
            (text, Some(Trouble::Doubtful(why)))
        }
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

impl Source {
    /// Takes a file's bytes apart. `wants_uses`: also what it asks of others.
    pub fn read(
        path: &Path,
        language: &'static Language,
        bytes: &[u8],
        queries: &Queries,
        wants_uses: bool,
    ) -> (Option<Source>, Option<Trouble>) {
        let (text, mut trouble) = decode(bytes);
        if matches!(trouble, Some(Trouble::Unread(_))) {
            return (None, trouble);
        }
        let at = LANGUAGES
            .iter()
            .position(|other| std::ptr::eq(other, language))
            .expect("a row of the table");
        let mut parser = Parser::new();
        parser
            .set_language(&language.grammar.into())
            .expect("a grammar of this version of tree-sitter");
        let Some(tree) = parser.parse(&text, None) else {
            let why = Trouble::Unread("the parser gave up".into());
            return (None, Some(why));
        };
        if trouble.is_none() {
            trouble = first_error(&tree).map(|line| {
                let why = format!("line {line}: not understood; its figures may be off");
                Trouble::Doubtful(why)
            });
        }
        let outline = outline(&text, &tree, &queries.outline[at]);
        let uses = if wants_uses {
            Uses::find(&text, &tree, &queries.uses[at], language, &outline)
        } else {
            Uses::default()
        };
        let source = Source {
            path: path.to_owned(),
            language,
            bytes: bytes.len() as u64,
            lines: Lines::count(&text, &outline.comments),
            items: outline.items,
            attributes: outline.attributes,
            uses,
        };
        (Some(source), trouble)
    }

    /// The item around an item that has methods, if this is one of its methods.
    pub fn class_of(&self, item: usize) -> Option<usize> {
        let parent = self.items[item].parent?;
        let has_methods = match self.items[parent].kind {
            Kind::Class | Kind::Trait | Kind::Impl => true,
            Kind::Function | Kind::Macro | Kind::Module | Kind::Foreign => false,
        };
        (has_methods && self.items[item].kind == Kind::Function).then_some(parent)
    }

    /// The items around an item, the nearest first.
    pub fn around(&self, item: usize) -> impl Iterator<Item = usize> {
        outwards(&self.items, item).skip(1)
    }

    /// The innermost item around a place that `wanted` accepts.
    pub fn innermost(&self, at: usize, wanted: impl Fn(&Item) -> bool) -> Option<usize> {
        innermost(&self.items, at, wanted)
    }
}

/// An item and those around it, the nearest first.
fn outwards(items: &[Item], item: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(item), |&inner| items[inner].parent)
}

/// Items are in the order of the text: the last one that begins before the place, or an item around that one.
fn innermost(items: &[Item], at: usize, wanted: impl Fn(&Item) -> bool) -> Option<usize> {
    let last = items
        .partition_point(|item| item.span.start <= at)
        .checked_sub(1)?;
    outwards(items, last).find(|&item| items[item].span.contains(&at) && wanted(&items[item]))
}

/// An attribute without its signs.
fn words_of(attribute: &str) -> String {
    let signs = |c: char| c.is_whitespace() || matches!(c, '#' | '!' | '[' | ']' | '@');
    attribute.trim_matches(signs).to_owned()
}

/// The line of the first place that the grammar has no rule for.
fn first_error(tree: &Tree) -> Option<usize> {
    let mut node = tree.root_node();
    if !node.has_error() {
        return None;
    }
    while !node.is_error() && !node.is_missing() {
        let mut cursor = node.walk();
        match node.children(&mut cursor).find(Node::has_error) {
            Some(child) => node = child,
            None => break,
        }
    }
    Some(1 + node.start_position().row)
}

/// What the outline's query finds, each list in the order of the text.
pub struct Outline {
    /// with their parents and attributes
    pub items: Vec<Item>,
    /// what is said of the whole file
    pub attributes: Vec<String>,
    /// spans of comments and docstrings
    pub comments: Vec<Range<usize>>,
    /// spans in which a string is a name: decorators, attributes, lists of what a module exports
    pub naming: Vec<Range<usize>>,
}

/// Spans in order, those that overlap as one.
fn joined(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_by_key(|span| span.start);
    let mut apart: Vec<Range<usize>> = vec![];
    for span in spans {
        match apart.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => apart.push(span),
        }
    }
    apart
}

/// Whether one of these spans, in order and apart from each other, holds a place.
pub fn covers(spans: &[Range<usize>], at: usize) -> bool {
    let next = spans.partition_point(|span| span.end <= at);
    spans.get(next).is_some_and(|span| span.start <= at)
}

fn outline(text: &str, tree: &Tree, query: &Query) -> Outline {
    let names = query.capture_names();
    let (mut found, mut comments) = (vec![], vec![]);
    let (mut attributes, mut inner, mut naming) = (vec![], vec![], vec![]);
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(query, tree.root_node(), text.as_bytes());
    while let Some(one) = matches.next() {
        for capture in one.captures() {
            let node = capture.node;
            let kind = match names[capture.index as usize] {
                "comment" => {
                    comments.push(node.byte_range());
                    continue;
                }
                "attribute" => {
                    attributes.push(node.byte_range());
                    continue;
                }
                "inner" => {
                    inner.push(node.byte_range());
                    continue;
                }
                "exported" => {
                    naming.push(node.byte_range());
                    continue;
                }
                "class" => Kind::Class,
                "trait" => Kind::Trait,
                "impl" => Kind::Impl,
                "function" => Kind::Function,
                "macro" => Kind::Macro,
                "module" => Kind::Module,
                "foreign" => Kind::Foreign,
                _ => continue,
            };
            found.extend(item(kind, node, text));
        }
    }
    comments = joined(comments);
    attributes = joined(attributes);
    found.sort_by_key(|item| (item.span.start, std::cmp::Reverse(item.span.end)));
    nest(&mut found);
    for item in &mut found {
        item.attributes = attributes_before(item.span.start, &attributes, &comments, text);
    }
    // An inner attribute is said of the item around it, or else of the file.
    let mut of_file = vec![];
    for span in inner {
        let words = words_of(&text[span.clone()]);
        match innermost(&found, span.start, |_| true) {
            Some(item) => found[item].attributes.push(words),
            None => of_file.push(words),
        }
    }
    naming.extend(attributes);
    Outline {
        items: found,
        attributes: of_file,
        comments,
        naming: joined(naming),
    }
}

/// An item from its node; none if it has no name (a piece of a text that was not understood).
fn item(kind: Kind, node: Node, text: &str) -> Option<Item> {
    let field = |name: &str| node.child_by_field_name(name);
    let name_node = match kind {
        Kind::Impl => field("type")?,
        Kind::Foreign => node,
        _ => field("name")?,
    };
    let name = match kind {
        Kind::Impl => base_name(&text[name_node.byte_range()]),
        Kind::Foreign => String::new(),
        _ => text[name_node.byte_range()].to_owned(),
    };
    let of_trait = field("trait").map(|of| base_name(&text[of.byte_range()]));
    let mut cursor = node.walk();
    let public = node
        .children(&mut cursor)
        .any(|child| &text[child.byte_range()] == "pub");
    let bases = field("superclasses").map_or(vec![], |list| {
        let mut cursor = list.walk();
        list.named_children(&mut cursor)
            .filter(|base| base.kind() != "comment")
            .map(|base| text[base.byte_range()].to_owned())
            .collect()
    });
    Some(Item {
        kind,
        name,
        of_trait,
        owner: None,
        span: node.byte_range(),
        name_at: name_node.start_byte(),
        line: 1 + name_node.start_position().row,
        parent: None,
        attributes: vec![],
        bases,
        public,
    })
}

/// Gives each item the one around it, and methods their owners.
fn nest(items: &mut [Item]) {
    let mut open: Vec<usize> = vec![];
    for at in 0..items.len() {
        while open
            .last()
            .is_some_and(|&outer| items[outer].span.end <= items[at].span.start)
        {
            open.pop();
        }
        items[at].parent = open.last().copied();
        if let Some(outer) = items[at].parent
            && items[at].kind == Kind::Function
        {
            items[at].owner = match items[outer].kind {
                Kind::Class | Kind::Trait | Kind::Impl => Some(items[outer].name.clone()),
                Kind::Function | Kind::Macro | Kind::Module | Kind::Foreign => None,
            };
        }
        open.push(at);
    }
}

/// The attributes that end where an item begins, with nothing but comments between.
fn attributes_before(
    item: usize,
    attributes: &[Range<usize>],
    comments: &[Range<usize>],
    text: &str,
) -> Vec<String> {
    let mut found = vec![];
    let mut start = item;
    let mut at = attributes.partition_point(|span| span.start < item);
    while at > 0 {
        at -= 1;
        let span = &attributes[at];
        let Some(between) = text.get(span.end..start) else {
            break;
        };
        if !visible(between).all(|(offset, _)| covers(comments, span.end + offset)) {
            break;
        }
        start = span.start;
        found.push(words_of(&text[span.clone()]));
    }
    found.reverse();
    found
}

/// The bare name of a type: `&'a nn::Layer<T>` is `Layer`. What has no name, `[T]` for one, is itself.
pub fn base_name(text: &str) -> String {
    let mut rest = text.trim();
    loop {
        let before = rest;
        for sign in ["&", "*const ", "*mut ", "mut ", "dyn ", "impl ", "!", "?"] {
            rest = rest.strip_prefix(sign).unwrap_or(rest).trim_start();
        }
        if let Some(lifetime) = rest.strip_prefix('\'') {
            rest = lifetime.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
            rest = rest.trim_start();
        }
        if rest == before {
            break;
        }
    }
    let path = rest.split('<').next().unwrap_or(rest).trim_end_matches(':');
    let name = path.rsplit("::").next().unwrap_or(path).trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let whole = || text.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_name { name.to_owned() } else { whole() }
}

#[cfg(test)]
mod tests;
