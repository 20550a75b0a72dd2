//! # rust: code as a page shows it, coloured and linked
//!
//! **In:** Rust text, and where it stands. **Out:** HTML of one line: each token in a span with its colour's class, each name that
//! [`names`](crate::names) can follow inside a link to its definition, each definition with its anchor. **Law:** without the tags the
//! HTML is the text, to the byte.

use crate::names::{Names, Place};
use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};
use std::collections::HashMap;
use std::ops::Range;

/// Where a piece of code stands, and with it what its names mean.
pub struct Scope<'a> {
    /// the names of the source
    pub names: &'a Names,
    /// the page that shows the code, `source/lazy.md`: links are relative to it
    pub page: &'a str,
    /// the file of which the code is a piece, and the piece's first byte: on the annotated page, where definitions get their anchors
    pub place: Option<(&'a str, usize)>,
    /// the module whose names hold in code that stands elsewhere
    pub module: &'a str,
    /// what `Self` is there
    pub self_type: Option<&'a str>,
    /// imports that the code brings along (the example in a comment)
    pub imports: HashMap<String, Vec<String>>,
}

/// The page of a source file: `src/lazy.rs` is on `source/lazy.md`.
pub fn page_of(file: &str) -> String {
    let short = file.strip_prefix("src/").unwrap_or(file);
    format!("source/{}.md", short.strip_suffix(".rs").unwrap_or(short))
}

/// From one page to another, as a relative link.
pub fn relative(from: &str, to: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    let same = from
        .iter()
        .zip(&to)
        .take(from.len() - 1)
        .take_while(|(a, b)| a == b)
        .count();
    "../".repeat(from.len() - 1 - same) + &to[same..].join("/")
}

/// A link from a page to a place.
pub fn link(page: &str, place: &Place) -> String {
    let target = page_of(&place.file);
    let path = if target == page {
        String::new()
    } else {
        relative(page, &target)
    };
    match (path.is_empty(), place.anchor.is_empty()) {
        (true, true) => relative(page, page),
        (_, true) => path,
        _ => format!("{path}#{}", place.anchor),
    }
}

/// Text as HTML that is text: also Markdown finds nothing in it, and it has no line ends, so that it can stand anywhere.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\n' => html.push_str("&#10;"),
            '\t' => html.push_str("    "),
            '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '$' | '|' | '{' | '}' | '#' | '!' | '\'' => {
                html.push_str(&format!("&#{};", c as u32));
            }
            _ => html.push(c),
        }
    }
    html
}

const KEYWORDS: &str = "as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move mut pub \
    ref return self Self static struct super trait type unsafe use where while macro_rules";

fn is_keyword(word: &str) -> bool {
    KEYWORDS.split_whitespace().any(|keyword| keyword == word)
}

struct Token<'a> {
    kind: TokenKind,
    text: &'a str,
    at: usize,
}

/// One line of HTML for a piece of code.
pub fn highlight(code: &str, scope: &Scope<'_>) -> String {
    let mut tokens = Vec::new();
    let mut at = 0;
    for token in tokenize(code, FrontmatterAllowed::No) {
        let text = &code[at..at + token.len as usize];
        tokens.push(Token {
            kind: token.kind,
            text,
            at,
        });
        at += token.len as usize;
    }
    let links = links(&tokens, scope);
    let mut html = String::with_capacity(code.len() * 4);
    for (index, token) in tokens.iter().enumerate() {
        let previous = tokens[..index]
            .iter()
            .rev()
            .find(|t| t.kind != TokenKind::Whitespace);
        let next = tokens[index + 1..]
            .iter()
            .find(|t| t.kind != TokenKind::Whitespace);
        let class = class(token, previous, next);
        let body = escape(token.text);
        let body = match class {
            Some(class) => format!("<span class=\"hljs-{class}\">{body}</span>"),
            None => body,
        };
        match &links[index] {
            Some(Mark::Link(href)) => html.push_str(&format!("<a href=\"{href}\">{body}</a>")),
            Some(Mark::Anchor(id)) => html.push_str(&format!("<span id=\"{id}\">{body}</span>")),
            None => html.push_str(&body),
        }
    }
    html
}

/// The class that mdBook's themes have a colour for.
fn class(
    token: &Token<'_>,
    previous: Option<&Token<'_>>,
    next: Option<&Token<'_>>,
) -> Option<&'static str> {
    match token.kind {
        TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => Some("comment"),
        TokenKind::Literal { kind, .. } => Some(match kind {
            LiteralKind::Int { .. } | LiteralKind::Float { .. } => "number",
            _ => "string",
        }),
        TokenKind::Lifetime { .. } | TokenKind::RawLifetime => Some("symbol"),
        TokenKind::Ident => match token.text {
            "true" | "false" => Some("literal"),
            word if is_keyword(word) => Some("keyword"),
            _ if previous.is_some_and(|p| p.text == "fn" || p.text == "mod") => Some("title"),
            _ if next.is_some_and(|n| n.kind == TokenKind::Bang) => Some("built_in"),
            word if word.starts_with(|c: char| c.is_uppercase()) => Some("type"),
            "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64"
            | "isize" | "f32" | "f64" | "bool" | "char" | "str" => Some("type"),
            _ => None,
        },
        _ => None,
    }
}

enum Mark {
    Link(String),
    Anchor(String),
}

/// For each token, the link or the anchor that it carries.
fn links(tokens: &[Token<'_>], scope: &Scope<'_>) -> Vec<Option<Mark>> {
    let solid = |kind| {
        !matches!(
            kind,
            TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. }
        )
    };
    let walk = Walk {
        tokens,
        solid: (0..tokens.len())
            .filter(|&i| solid(tokens[i].kind))
            .collect(),
        scope,
        defined: match scope.place {
            Some((file, _)) => scope
                .names
                .of_file(file)
                .map(|place| (place.name.clone(), place))
                .collect(),
            None => HashMap::new(),
        },
    };
    let mut marks: Vec<Option<Mark>> = tokens.iter().map(|_| None).collect();
    let (mut position, mut in_use) = (0, false);
    while position < walk.solid.len() {
        in_use = match walk.text(position) {
            "use" => true,
            ";" => false,
            _ => in_use,
        };
        position = walk.step(position, in_use, &mut marks);
    }
    marks
}

/// A walk over the tokens that are neither space nor comment.
struct Walk<'a> {
    tokens: &'a [Token<'a>],
    /// the positions of such tokens
    solid: Vec<usize>,
    scope: &'a Scope<'a>,
    /// the items that this file defines, by where their names stand
    defined: HashMap<Range<usize>, &'a Place>,
}

impl Walk<'_> {
    fn text(&self, position: usize) -> &str {
        self.solid
            .get(position)
            .map_or("", |&i| self.tokens[i].text)
    }

    fn is_name(&self, position: usize) -> bool {
        self.solid
            .get(position)
            .is_some_and(|&i| self.tokens[i].kind == TokenKind::Ident)
    }

    /// The item that is defined by the name at this position.
    fn defines(&self, position: usize) -> Option<&Place> {
        let token = &self.tokens[self.solid[position]];
        let start = self.scope.place?.1 + token.at;
        self.defined
            .get(&(start..start + token.text.len()))
            .copied()
    }

    /// The module and the type around a position.
    fn around(&self, position: usize) -> (&str, Option<&str>) {
        match self.scope.place {
            Some((file, start)) => {
                let at = start + self.tokens[self.solid[position]].at;
                self.scope.names.scope(file, at).unwrap_or(("", None))
            }
            None => (self.scope.module, self.scope.self_type),
        }
    }

    /// Marks what begins at a position, and says where to go on.
    fn step(&self, position: usize, in_use: bool, marks: &mut [Option<Mark>]) -> usize {
        if !self.is_name(position) {
            return position + 1;
        }
        if let Some(place) = self.defines(position) {
            if !place.anchor.is_empty() {
                marks[self.solid[position]] = Some(Mark::Anchor(place.anchor.clone()));
            }
            return position + 1;
        }
        let behind_dot = position > 0 && self.text(position - 1) == ".";
        let in_range = position > 1 && self.text(position - 2) == "."; // `0..n`
        if behind_dot && !in_range {
            if let Some(place) = self.method(position) {
                marks[self.solid[position]] = Some(Mark::Link(link(self.scope.page, place)));
            }
            return position + 1;
        }
        self.path(position, in_use, marks)
    }

    /// `.name(…)`: the method, if it can be known.
    fn method(&self, position: usize) -> Option<&Place> {
        let turbofish = self.text(position + 1) == ":" && self.text(position + 3) == "<";
        if self.text(position + 1) != "(" && !turbofish {
            return None; // a field
        }
        let on_self = position > 1
            && self.text(position - 2) == "self"
            && (position < 3 || self.text(position - 3) != ".");
        let (_, self_type) = self.around(position);
        self.scope
            .names
            .method(self_type.filter(|_| on_self), self.text(position))
    }

    /// A path: names with `::` in between, of which each may lead somewhere.
    fn path(&self, position: usize, in_use: bool, marks: &mut [Option<Mark>]) -> usize {
        let mut path = vec![position];
        let mut last = position;
        while self.text(last + 1) == ":" && self.text(last + 2) == ":" && self.is_name(last + 3) {
            last += 3;
            path.push(last);
        }
        // A single small word is a variable, unless it is called or imported.
        let word = self.text(position);
        let alone = path.len() == 1;
        let called = matches!(self.text(last + 1), "(" | "!") && !is_keyword(word);
        let may_be_item = word.starts_with(|c: char| c.is_uppercase()) && word != "Self";
        if !alone || in_use || called || may_be_item {
            let (module, self_type) = self.around(position);
            let words: Vec<String> = path.iter().map(|&p| self.text(p).to_string()).collect();
            for (length, &position) in (1..).zip(&path) {
                if matches!(words[length - 1].as_str(), "crate" | "self" | "super") {
                    continue;
                }
                let full = full_path(self.scope, module, self_type, &words[..length]);
                if let Some(place) = full.and_then(|full| self.scope.names.place_of(&full)) {
                    marks[self.solid[position]] = Some(Mark::Link(link(self.scope.page, place)));
                }
            }
        }
        last + 1
    }
}

/// What a path means here: through the code's own imports first, then as the module around it sees it.
pub fn full_path(
    scope: &Scope<'_>,
    module: &str,
    self_type: Option<&str>,
    words: &[String],
) -> Option<String> {
    if let Some(import) = scope.imports.get(&words[0]) {
        let whole: Vec<String> = import.iter().chain(&words[1..]).cloned().collect();
        return scope.names.resolve(module, self_type, &whole);
    }
    scope.names.resolve(module, self_type, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::default();
        let lib = "pub mod shape;\npub use shape::View;\n";
        let shape = "pub struct View;\nimpl View {\n    pub fn reshape_to(&self) {}\n    fn twice(&self) { self.reshape_to(); }\n}\n";
        names.add("src/lib.rs", "house", lib).unwrap();
        names.add("src/shape.rs", "house::shape", shape).unwrap();
        names.add_impls("src/lib.rs", "house", lib).unwrap();
        names
            .add_impls("src/shape.rs", "house::shape", shape)
            .unwrap();
        names
    }

    fn plain(html: &str) -> String {
        let mut text = String::new();
        let mut inside = false;
        for c in html.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                _ if !inside => text.push(c),
                _ => {}
            }
        }
        text
    }

    #[test]
    fn a_name_leads_to_its_definition_through_imports() {
        let names = names();
        let code = "use house::View;\nlet v = View::new();\nView::reshape_to(&v); // 'a' \"b\"";
        let scope = Scope {
            names: &names,
            page: "ch01.md",
            place: None,
            module: "",
            self_type: None,
            imports: crate::names::imports_of(code),
        };
        let html = highlight(code, &scope);
        assert_eq!(
            html.matches("href=\"source/shape.md#View\"").count(),
            3,
            "{html}"
        );
        assert_eq!(
            html.matches("href=\"source/shape.md#View::reshape_to\"")
                .count(),
            1,
            "{html}"
        );
        assert_eq!(plain(&html), plain(&escape(code)), "nothing is lost");
        assert!(!html.contains('\n'));
    }

    #[test]
    fn a_call_on_self_is_known_and_a_definition_is_an_anchor() {
        let names = names();
        let code = "pub struct View;\nimpl View {\n    pub fn reshape_to(&self) {}\n    fn twice(&self) { self.reshape_to(); }\n}\n";
        let scope = Scope {
            names: &names,
            page: "source/shape.md",
            place: Some(("src/shape.rs", 0)),
            module: "",
            self_type: None,
            imports: HashMap::new(),
        };
        let html = highlight(code, &scope);
        assert!(html.contains("id=\"View::reshape_to\""), "{html}");
        assert!(html.contains("href=\"#View::reshape_to\""), "{html}");
    }

    #[test]
    fn links_between_pages_are_relative() {
        assert_eq!(relative("ch01.md", "source/lazy.md"), "source/lazy.md");
        assert_eq!(
            relative("source/shape/view.md", "source/lazy.md"),
            "../lazy.md"
        );
        assert_eq!(
            relative("source/shape/view.md", "source/shape/path.md"),
            "path.md"
        );
    }
}
