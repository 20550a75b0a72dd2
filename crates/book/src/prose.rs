//! # prose: Markdown with what it quotes filled in
//!
//! **In:** a chapter, or a comment of the source. **Out:** Markdown that mdBook turns into a page: code coloured and linked, formulas
//! typeset, names in brackets led to their definitions, and the chapters' directives (see `book/README.md`) replaced by what they name.
//!
//! Nothing is rewritten but the pieces that need it: the text is parsed once for where these are, and they are replaced in place.
//!
//! Here is the text, its code and its links; what the directives name is fetched in `directives`.
//!
//! Laws for chapters:
//! 1. A code block comes from a directive. Commands for the shell (```` ```console ````) and what is marked `by-hand` are the exceptions.
//! 2. A picture comes from a directive.
//! 3. A name in brackets that leads nowhere, a directive that names nothing, a formula that can't be set: the build fails.

mod directives;
#[cfg(test)]
mod tests;

use crate::listings::Listings;
use crate::math::mathml;
use crate::names::{Names, imports_of};
use crate::rust::{Scope, escape, highlight, link, page_of, relative};
use anyhow::{Result, bail, ensure};
use pulldown_cmark::{
    BrokenLink, CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd,
};
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

/// Whether the text is a comment of the source or a chapter of the tour.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// from a source file, with its names' meaning at the byte
    Comment(usize),
    /// of the tour
    Chapter,
}

/// What prose can refer to.
pub struct Prose<'a> {
    /// the root of the repository
    pub root: &'a Path,
    /// names of the source
    pub names: &'a Names,
    /// the tour's programs
    pub listings: &'a Listings,
    /// the texts of the source files by path
    pub files: &'a HashMap<String, String>,
    /// the tour's chapters: `ch05` to `ch05-views.md`
    pub chapters: &'a HashMap<String, String>,
}

/// One replacement: a piece of the text, and what stands there instead.
type Edit = (Range<usize>, String);

impl Prose<'_> {
    /// The text of `page`, ready for mdBook. `file` is the source file that a comment is from.
    pub fn render(&self, text: &str, page: &str, file: Option<&str>, kind: Kind) -> Result<String> {
        let chapter = kind == Kind::Chapter;
        let mut options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS;
        if chapter {
            options |= Options::ENABLE_MATH;
        }
        // A name in brackets that is defined nowhere is taken for a link, so that the loop below sees it.
        let known = |broken: BrokenLink<'_>| {
            Some((
                CowStr::from(format!("name:{}", broken.reference)),
                CowStr::from(""),
            ))
        };
        let parser = Parser::new_with_broken_link_callback(text, options, Some(known));

        let mut edits: Vec<Edit> = Vec::new();
        let mut taken: Vec<Range<usize>> = Vec::new(); // code and formulas: no directive begins there
        let mut links: Vec<(String, LinkType, usize, usize)> = Vec::new();
        let mut events = parser.into_offset_iter().peekable();
        while let Some((event, range)) = events.next() {
            if let Some(link) = links.last_mut()
                && !matches!(event, Event::End(TagEnd::Link))
            {
                link.3 = link.3.max(range.end.min(text.len()));
            }
            match event {
                Event::Start(Tag::CodeBlock(kind_of_block)) => {
                    let mut code = String::new();
                    for (event, _) in events.by_ref() {
                        match event {
                            Event::Text(piece) => code.push_str(&piece),
                            Event::End(TagEnd::CodeBlock) => break,
                            _ => {}
                        }
                    }
                    let info = match &kind_of_block {
                        CodeBlockKind::Fenced(info) => info.to_string(),
                        CodeBlockKind::Indented => "indented".to_string(),
                    };
                    // An indented block starts behind its indentation, which must go too.
                    let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
                    let indented = info == "indented" && text[line..range.start].trim().is_empty();
                    let range = if indented { line } else { range.start }..range.end;
                    taken.push(range.clone());
                    edits.push((range, self.code_block(&code, &info, page, kind)?));
                }
                Event::Start(Tag::Heading { .. }) if matches!(kind, Kind::Comment(start) if start > 0) =>
                {
                    // `# Panics` in an item's comment is a word in bold: no entry in the list of contents.
                    let line = text[range.clone()].trim_end();
                    let words = line.trim_start_matches('#').trim_start();
                    let start = range.start + line.len() - words.len();
                    if start > range.start {
                        let end = range.start + line.len();
                        edits.push((range.start..start, "**".to_string()));
                        edits.push((end..end, "**\n".to_string()));
                    }
                }
                Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    ..
                }) => {
                    links.push((
                        dest_url.to_string(),
                        link_type,
                        range.start,
                        range.start + 1,
                    ));
                }
                Event::End(TagEnd::Link) => {
                    let Some((target, link_type, start, end)) = links.pop() else {
                        continue;
                    };
                    let inner = &text[start + 1..end];
                    if let Some(edit) = self.link(&target, link_type, inner, page, file, kind)? {
                        edits.push((range.start..range.end, edit));
                        edits.retain(|(other, _)| {
                            !(other.start >= range.start
                                && other.end <= range.end
                                && *other != range)
                        });
                    }
                }
                Event::Start(Tag::Image { .. }) if chapter => {
                    bail!("a picture that no directive made: {}", &text[range]);
                }
                Event::Html(html) | Event::InlineHtml(html) if chapter => {
                    let lower = html.to_lowercase();
                    for tag in ["<svg", "<img", "<pre", "<script", "<style"] {
                        ensure!(!lower.contains(tag), "{tag}> in a chapter: use a directive");
                    }
                }
                Event::Code(code) => {
                    taken.push(range.clone());
                    if chapter && code.contains("{{#") {
                        let filled = self.values(&code)?;
                        edits.push((range, format!("<code>{}</code>", escape(&filled))));
                    }
                }
                Event::Text(_) if chapter => {
                    let alone = text[range.clone()]
                        .match_indices('$')
                        .any(|(at, _)| !text[..range.start + at].ends_with('\\'));
                    let around = &text[range];
                    ensure!(
                        !alone,
                        "a $ that belongs to no formula (write \\$ for the sign): {around}"
                    );
                }
                Event::InlineMath(latex) => {
                    taken.push(range.clone());
                    edits.push((range, mathml(&self.values(&latex)?, false)?));
                }
                Event::DisplayMath(latex) => {
                    taken.push(range.clone());
                    edits.push((range, mathml(&self.values(&latex)?, true)?));
                }
                _ => {}
            }
        }
        if chapter {
            self.directives(text, page, &taken, &mut edits)?;
        }
        splice(text, edits)
    }

    fn code_block(&self, code: &str, info: &str, page: &str, kind: Kind) -> Result<String> {
        let words: Vec<&str> = info
            .split([',', ' '])
            .filter(|word| !word.is_empty())
            .collect();
        if kind == Kind::Chapter {
            let allowed = words.first() == Some(&"console") || words.contains(&"by-hand");
            ensure!(
                allowed,
                "a code block that no directive made (```{info}): show a listing, quote the source, or mark it `by-hand`:\n{code}"
            );
        }
        let first = words.first().copied().unwrap_or("rust");
        let doctest = matches!(
            first,
            "rust" | "should_panic" | "no_run" | "ignore" | "compile_fail"
        );
        let html = if doctest && kind != Kind::Chapter || first == "rust" {
            // The lines that rustdoc hides are hidden here too; the names they bring are known all the same.
            let is_hidden = |line: &&str| line.trim() == "#" || line.trim_start().starts_with("# ");
            let whole: Vec<&str> = code
                .lines()
                .map(|line| line.strip_prefix("# ").unwrap_or(line))
                .collect();
            let shown: Vec<&str> = code.lines().filter(|line| !is_hidden(line)).collect();
            let mut imports = imports_of(&whole.join("\n"));
            imports
                .entry("teenygrad".to_string())
                .or_insert_with(|| vec!["teenygrad".to_string()]);
            let scope = Scope {
                names: self.names,
                page,
                place: None,
                module: "",
                self_type: None,
                imports,
            };
            highlight(shown.join("\n").trim_end(), &scope)
        } else {
            escape(code.trim_end())
        };
        let class = match first {
            "console" => "console",
            "text" => "drawing",
            _ => "example",
        };
        Ok(format!(
            "<pre class=\"{class}\"><code class=\"nohighlight hljs\">{html}</code></pre>\n"
        ))
    }

    /// A link that has to be led somewhere else than it says: to a name's definition, or to a source file's page.
    fn link(
        &self,
        target: &str,
        link_type: LinkType,
        inner: &str,
        page: &str,
        file: Option<&str>,
        kind: Kind,
    ) -> Result<Option<String>> {
        let position = match kind {
            Kind::Comment(position) => position,
            Kind::Chapter => 0,
        };
        let name = target.strip_prefix("name:");
        if name.is_none() && matches!(link_type, LinkType::Autolink | LinkType::Email) {
            return Ok(None);
        }
        if let Some((path, anchor)) = name
            .is_none()
            .then(|| target.split_once('#').unwrap_or((target, "")))
            && self.files.contains_key(path)
        {
            let hash = if anchor.is_empty() { "" } else { "#" };
            return Ok(Some(format!(
                "[{inner}]({}{hash}{anchor})",
                relative(page, &page_of(path))
            )));
        }
        if let Some(chapter) = self.chapters.get(target) {
            return Ok(Some(format!("[{inner}]({})", relative(page, chapter))));
        }
        if name.is_none()
            && (target.contains('/') || target.starts_with('#') || target.contains(".md"))
        {
            return Ok(None);
        }
        let words = name.unwrap_or(target).trim_matches('`');
        let words = words.split_once('@').map_or(words, |(_, rest)| rest);
        let path: Vec<String> = words
            .trim_end_matches("()")
            .trim_end_matches('!')
            .split("::")
            .map(|word| word.split('<').next().unwrap_or(word).to_string())
            .collect();
        let looks_like_a_name = path
            .iter()
            .all(|word| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_'));
        let place = if looks_like_a_name {
            let (module, self_type) = match file {
                Some(file) => self
                    .names
                    .scope(file, position)
                    .unwrap_or(("teenygrad", None)),
                None => ("teenygrad", None),
            };
            let full = self.names.resolve(module, self_type, &path);
            full.and_then(|full| self.names.place_of(&full))
        } else {
            None
        };
        match place {
            Some(place) => Ok(Some(format!("[{inner}]({})", link(page, place)))),
            None if kind == Kind::Chapter && (looks_like_a_name || inner.starts_with('`')) => {
                bail!(
                    "[{inner}] leads nowhere: there is no {words} (a path from the crate's root, such as `shape::view::View`, always works)"
                )
            }
            // In a comment, rustdoc has checked what is a link; the rest is brackets, or a name of another crate.
            None if name.is_some() && !inner.starts_with('`') => Ok(Some(format!("\\[{inner}\\]"))),
            None => Ok(Some(inner.to_string())),
        }
    }
}

fn splice(text: &str, mut edits: Vec<Edit>) -> Result<String> {
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len() * 2);
    let mut at = 0;
    for (range, new) in edits {
        ensure!(
            range.start >= at,
            "two replacements at one place: {:?}",
            &text[range]
        );
        out.push_str(&text[at..range.start]);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(&text[at..]);
    Ok(out)
}
