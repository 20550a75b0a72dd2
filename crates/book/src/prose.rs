//! # prose: Markdown with what it quotes filled in
//!
//! **In:** a chapter, or a comment of the source. **Out:** Markdown that mdBook turns into a page: code coloured and linked, formulas
//! typeset, names in brackets led to their definitions, and the chapters' directives (see `book/README.md`) replaced by what they name.
//!
//! Nothing is rewritten but the pieces that need it: the text is parsed once for where these are, and they are replaced in place.
//!
//! Laws for chapters:
//! 1. A code block comes from a directive. Commands for the shell (```` ```console ````) and what is marked `by-hand` are the exceptions.
//! 2. A picture comes from a directive.
//! 3. A name in brackets that leads nowhere, a directive that names nothing, a formula that can't be set: the build fails.

use crate::exercises;
use crate::listings::{Listings, Run};
use crate::math::mathml;
use crate::names::{Names, imports_of};
use crate::pictures;
use crate::rust::{Scope, escape, highlight, link, page_of, relative};
use anyhow::{Context, Result, bail, ensure};
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

    /// `{{#value …}}` replaced by its text, wherever it is text already.
    fn values(&self, text: &str) -> Result<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{#") {
            let end = start
                + rest[start..]
                    .find("}}")
                    .context("a directive without its end")?;
            let words: Vec<&str> = rest[start + 3..end].split_whitespace().collect();
            let ["value", name] = words[..] else {
                bail!(
                    "only {{{{#value}}}} can stand within code or a formula: {}",
                    &rest[start..end + 2]
                );
            };
            out.push_str(&rest[..start]);
            out.push_str(&self.listings.find_in_chapter(name, |run| &run.values)?);
            rest = &rest[end + 2..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn directives(
        &self,
        text: &str,
        page: &str,
        taken: &[Range<usize>],
        edits: &mut Vec<Edit>,
    ) -> Result<()> {
        let mut from = 0;
        while let Some(found) = text[from..].find("{{#") {
            let start = from + found;
            let end = start
                + text[start..]
                    .find("}}")
                    .context("a directive without its end")?
                + 2;
            from = end;
            if taken.iter().any(|range| range.contains(&start)) {
                continue;
            }
            let directive = &text[start + 3..end - 2];
            let (word, rest) = directive
                .split_once(char::is_whitespace)
                .unwrap_or((directive, ""));
            let html = self
                .directive(word, rest.trim(), page)
                .with_context(|| format!("in {}", &text[start..end]))?;
            let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
            let line_end = text[end..].find('\n').map_or(text.len(), |at| end + at);
            let alone =
                text[line_start..start].trim().is_empty() && text[end..line_end].trim().is_empty();
            if word == "value" {
                edits.push((start..end, html));
            } else {
                ensure!(alone, "{{{{#{word}}}}} needs a line of its own");
                edits.push((start..end, format!("\n{html}\n")));
            }
        }
        Ok(())
    }

    fn directive(&self, word: &str, rest: &str, page: &str) -> Result<String> {
        let (name, more) = rest
            .split_once(char::is_whitespace)
            .map_or((rest, ""), |(name, more)| (name, more.trim()));
        match word {
            "value" => Ok(escape(
                &self.listings.find_in_chapter(name, |run| &run.values)?,
            )),
            "picture" => {
                let svg = self.listings.find_in_chapter(name, |run| &run.pictures)?;
                ensure!(
                    !more.is_empty(),
                    "a picture needs a caption: {{{{#picture {name} What it shows}}}}"
                );
                pictures::figure(&svg, name, more)
            }
            "listing" => Ok(format!(
                "{}{}",
                self.listing_code(name, more, page)?,
                self.listing_output(name, more, true)?
            )),
            "code" => self.listing_code(name, more, page),
            "output" => self.listing_output(name, more, false),
            "source" => self.source(rest, page),
            "header" => self.header(name, page),
            "doc" => self.doc(rest, page),
            "exercise" => self.exercise(name, page),
            _ => bail!("there is no directive {word}"),
        }
    }

    /// The code of a listing, or of one of its parts.
    fn listing_code(&self, name: &str, part: &str, page: &str) -> Result<String> {
        let code = self.listings.code(name)?;
        let named = !part.is_empty();
        let parts: Vec<_> = code
            .parts
            .iter()
            .filter(|(of, ..)| !named || of == part)
            .collect();
        ensure!(!parts.is_empty(), "{name} has no part {part}");
        let mut html = String::new();
        let (module, _) = self
            .names
            .scope(&code.file, 0)
            .context("a listing that was not read")?;
        for (position, (_, text, _)) in parts
            .iter()
            .filter(|(_, text, _)| !text.is_empty())
            .enumerate()
        {
            let scope = Scope {
                names: self.names,
                page,
                place: None,
                module,
                self_type: None,
                imports: HashMap::new(),
            };
            html.push_str(if position > 0 { "&#10;&#10;" } else { "" });
            html.push_str(&highlight(text, &scope));
        }
        Ok(format!(
            "<pre class=\"listing\"><code class=\"nohighlight hljs\">{html}</code></pre>"
        ))
    }

    /// What a listing printed, or one of its parts.
    fn listing_output(&self, name: &str, part: &str, may_be_silent: bool) -> Result<String> {
        let run: &Run = &*self.listings.run(name)?;
        let named = !part.is_empty();
        let text: String = run
            .printed
            .iter()
            .filter(|(of, _)| !named || of == part)
            .map(|(_, text)| text.as_str())
            .collect();
        let text = text.trim_matches('\n');
        if text.is_empty() {
            ensure!(may_be_silent, "{name} {part} printed nothing");
            return Ok(String::new());
        }
        Ok(format!(
            "<pre class=\"output\"><code class=\"nohighlight hljs\">{}</code></pre>",
            escape(text)
        ))
    }

    /// An item of the library's source, quoted, with the way to its page.
    fn source(&self, what: &str, page: &str) -> Result<String> {
        let (file, item) = what
            .split_once(":")
            .context("{{#source src/file.rs:Item}}")?;
        let place = self.names.item_of(file, item).with_context(|| {
            format!("{file} has no {item}: it was renamed or moved, and the chapter must follow")
        })?;
        let text = self
            .files
            .get(file)
            .with_context(|| format!("{file} is not in the book"))?;
        let quoted = &text[place.text.clone()];
        let start = place.text.start + quoted.len() - quoted.trim_start().len();
        let indent = text[..start].rsplit('\n').next().unwrap_or("").len();
        let line = text[..start].matches('\n').count() + 1;
        let lines: Vec<&str> = quoted
            .trim()
            .lines()
            .enumerate()
            .map(|(i, l)| {
                if i == 0 {
                    l
                } else {
                    l.get(indent..).unwrap_or(l.trim_start())
                }
            })
            .collect();
        // The text is moved to the left, so the names are looked up as of the item's module, not byte by byte.
        let (module, self_type) = self.names.scope(file, start).unwrap_or(("", None));
        let scope = Scope {
            names: self.names,
            page,
            place: None,
            module,
            self_type,
            imports: HashMap::new(),
        };
        let html = highlight(&lines.join("\n"), &scope);
        let target = if item.starts_with("impl ") {
            format!("{}#L{line}", relative(page, &page_of(file)))
        } else {
            link(page, place)
        };
        let target = target.replace(".md", ".html");
        Ok(format!(
            "<div class=\"quote\"><pre class=\"source\"><code class=\"nohighlight hljs\">{html}</code></pre><p class=\"from\"><a href=\"{target}\">{}, from line {line}</a></p></div>",
            escape(file)
        ))
    }

    /// What an item of the library's source says of itself: its doc comment, as prose.
    fn doc(&self, what: &str, page: &str) -> Result<String> {
        let (file, item) = what.split_once(":").context("{{#doc src/file.rs:Item}}")?;
        let place = self.names.item_of(file, item).with_context(|| {
            format!("{file} has no {item}: it was renamed or moved, and the chapter must follow")
        })?;
        let text = self
            .files
            .get(file)
            .with_context(|| format!("{file} is not in the book"))?;
        let start = place.text.end - text[place.text.clone()].trim_start().len();
        let mut lines: Vec<&str> = text[..start]
            .lines()
            .rev()
            .map(str::trim)
            .skip_while(|line| line.is_empty() || line.starts_with("#["))
            .map_while(|line| line.strip_prefix("///"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        ensure!(!lines.is_empty(), "{item} in {file} has no doc comment");
        lines.reverse();
        let prose = self.render(&lines.join("\n"), page, Some(file), Kind::Comment(0))?;
        let quoted: String = prose.lines().map(|line| format!("> {line}\n")).collect();
        let target = link(page, place);
        Ok(format!("{quoted}>\n> [{file}, `{item}`]({target})"))
    }

    /// The header of a source file (its `//!`), without its title: the map, for example.
    fn header(&self, file: &str, page: &str) -> Result<String> {
        let text = self
            .files
            .get(file)
            .with_context(|| format!("{file} is not in the book"))?;
        let lines: Vec<&str> = text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .map(|line| line[3..].strip_prefix(' ').unwrap_or(&line[3..]))
            .skip_while(|line| line.starts_with("# ") || line.is_empty())
            .collect();
        self.render(&lines.join("\n"), page, Some(file), Kind::Comment(0))
    }

    /// The invitation to an exercise: what its file says at the top, and how to begin.
    fn exercise(&self, name: &str, page: &str) -> Result<String> {
        let (title, task) = exercises::task(self.root, name)?;
        let task = self.render(&task, page, None, Kind::Comment(0))?;
        Ok(format!(
            "<div class=\"exercise\">\n\n### Exercise: {title}\n\n{task}\n\n<p class=\"from\">book/exercises/tests/{name}.rs; \
             <code>cargo run -p teenygrad-exercises</code> leads through all of them</p>\n\n</div>"
        ))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Renders with a small source around: `src/lib.rs` has `Tensor::expand` and the module `shape`.
    fn render(text: &str, kind: Kind) -> Result<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let lib = "//! # The map\n//!\n//! Start [here](shape).\npub struct Tensor;\nimpl Tensor {\n    /// Long.\n    #[track_caller]\n    pub fn expand(&self) {\n        todo!()\n    }\n}\n";
        let shape = "pub struct View;\n";
        let files = [
            ("src/lib.rs", "teenygrad", lib),
            ("src/shape.rs", "teenygrad::shape", shape),
        ];
        let mut names = Names::default();
        for (file, module, text) in files {
            names.add(file, module, text)?;
            names.add_impls(file, module, text)?;
        }
        let files = files
            .into_iter()
            .map(|(file, _, text)| (file.to_string(), text.to_string()))
            .collect();
        let chapters = HashMap::from([("ch06".to_string(), "ch06-fusion.md".to_string())]);
        let listings = Listings::new(&root, Path::new("no such program"));
        let prose = Prose {
            root: &root,
            names: &names,
            listings: &listings,
            files: &files,
            chapters: &chapters,
        };
        let file = matches!(kind, Kind::Comment(_)).then_some("src/lib.rs");
        prose.render(text, "ch01-x.md", file, kind)
    }

    fn chapter(text: &str) -> Result<String> {
        render(text, Kind::Chapter)
    }

    #[test]
    fn a_chapter_must_not_paste() {
        for pasted in [
            "```rust\nlet x = 1;\n```",
            "```\n1 2 3\n```",
            "```text\n1 2 3\n```",
            "    indented",
            "![a picture](x.png)",
            "<svg></svg>",
            "a <img src=\"x.png\">",
            "{{#listing ch00::none}}",
            "{{#source src/lib.rs:Tensor::gone}}",
            "{{#nothing}}",
            "{{#value ch00::none}}",
            "a {{#source src/lib.rs:Tensor}}",
            "$\\frac{1$",
            "[`Tensor::gone`]",
            "[text](shape::Gone)",
        ] {
            assert!(chapter(pasted).is_err(), "{pasted}");
        }
    }

    #[test]
    fn what_is_marked_as_typed_or_by_hand_is_let_through() {
        assert!(
            chapter("```console\ncargo test\n```")
                .unwrap()
                .contains("cargo test")
        );
        assert!(
            chapter("```python by-hand\nx = 1\n```")
                .unwrap()
                .contains("x = 1")
        );
    }

    #[test]
    fn formulas_are_set_and_code_with_dollars_stays_code() {
        let html = chapter("The area $x^2$, and `$HOME/$x` costs \\$5.").unwrap();
        assert_eq!(html.matches("<math").count(), 1, "{html}");
        assert!(
            html.contains("`$HOME/$x`") && html.contains("\\$5"),
            "{html}"
        );
    }

    #[test]
    fn names_files_and_chapters_are_led_to_their_pages() {
        let link = |text: &str| chapter(text).unwrap();
        assert_eq!(
            link("[`Tensor::expand`]"),
            "[`Tensor::expand`](source/lib.md#Tensor::expand)"
        );
        assert_eq!(link("[it](shape::View)"), "[it](source/shape.md#View)");
        assert_eq!(
            link("[file](src/shape.rs#View)"),
            "[file](source/shape.md#View)"
        );
        assert_eq!(link("[later](ch06)"), "[later](ch06-fusion.md)");
        assert_eq!(
            link("[out](https://example.org/)"),
            "[out](https://example.org/)"
        );
        assert_eq!(link("shape [2, 3]"), "shape \\[2, 3\\]");
    }

    #[test]
    fn the_source_is_quoted_without_comments_and_attributes() {
        let html = chapter("{{#source src/lib.rs:Tensor::expand}}").unwrap();
        assert!(
            html.contains("expand") && html.contains("source/lib.html#Tensor::expand"),
            "{html}"
        );
        assert!(
            !html.contains("track_caller") && !html.contains("Long"),
            "{html}"
        );
        assert!(
            chapter("{{#header src/lib.rs}}")
                .unwrap()
                .contains("Start [here](source/shape.md)")
        );
    }

    #[test]
    fn an_example_in_a_comment_is_shown_without_its_hidden_lines() {
        let comment =
            "Text.\n```\n# use teenygrad::Tensor;\nTensor::expand(&x);\n```\n# Panics\nNever.";
        let html = render(comment, Kind::Comment(10)).unwrap();
        assert!(
            !html.contains("use") && html.contains("href=\"source/lib.md#Tensor::expand\""),
            "{html}"
        );
        assert!(html.contains("**Panics**\n\nNever."), "{html}");
    }
}
