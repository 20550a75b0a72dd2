//! # prose/directives: what a chapter shows, fetched from where it is
//!
//! **In:** a chapter's text with `{{#listing …}}`, `{{#source …}}` and their like; `book/README.md` has the list. **Out:** for each, what
//! it names: code and what it printed, a value, a picture, a piece of the source or what it says of itself, an exercise. **Above:**
//! [`prose`](super), which puts it into the text.
//!
//! Law: nothing is fetched that is not there. A directive that names nothing is an error that says what it looked for.

use super::{Edit, Kind, Prose};
use crate::exercises;
use crate::listings::Run;
use crate::pictures;
use crate::rust::{Scope, escape, highlight, link, page_of, relative};
use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use std::ops::Range;

impl Prose<'_> {
    /// `{{#value …}}` replaced by its text, wherever it is text already.
    pub(super) fn values(&self, text: &str) -> Result<String> {
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

    /// Adds to the edits what stands in place of each directive, but for those in code and formulas (`taken`).
    pub(super) fn directives(
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

    /// What stands in place of one directive: its first word, and the rest of it.
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
}
