//! # source: the annotated source, file by file
//!
//! **In:** a source file. **Out:** a page on which its comments are prose and its code stands in between, in the order of the file.
//! **Also:** the reading order, which is one list, `book/reading-order.txt`.
//!
//! What becomes prose: the file's header; the comment of an item; a longer remark between two statements. What stays with the code: a
//! comment behind a statement, one line about the line below, and the one line that says what a field or a variant is for. A banner
//! becomes a heading.

use crate::prose::{Kind, Prose};
use crate::rust::{Scope, highlight, page_of};
use anyhow::{Result, ensure};
use ra_ap_rustc_lexer::{DocStyle, FrontmatterAllowed, TokenKind, tokenize};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::path::Path;

/// The folders that the book shows, and the names of their crates. All of their files, and no file twice: `check` sees to it.
pub const ROOTS: [(&str, &str); 3] = [
    ("src", "teenygrad"),
    ("crates/python/src", "teenygrad_python"),
    ("crates/codar/src", "codar"),
];

/// A line of the reading order.
#[derive(Debug, PartialEq)]
pub enum Entry {
    /// the title of a part
    Part(String),
    /// a file, and how deep it is in its room
    File(String, usize),
}

/// Reads the list: `# Title`, and paths, indented below the file that they belong to.
pub fn reading_order(list: &str) -> Vec<Entry> {
    list.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| match line.strip_prefix("# ") {
            Some(title) => Entry::Part(title.trim().to_string()),
            None => Entry::File(
                line.trim().to_string(),
                (line.len() - line.trim_start().len()) / 2,
            ),
        })
        .collect()
}

/// Every Rust file below a folder, as paths from the root of the repository.
pub fn files_in(root: &Path, folder: &str) -> Result<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            files.extend(files_in(root, &path)?);
        } else if path.ends_with(".rs") {
            files.insert(path);
        }
    }
    Ok(files)
}

/// Fails when a file is missing in the reading order, listed twice, or gone.
pub fn check(root: &Path, order: &[Entry]) -> Result<()> {
    let mut listed = BTreeSet::new();
    for entry in order {
        if let Entry::File(path, _) = entry {
            ensure!(
                listed.insert(path.clone()),
                "book/reading-order.txt lists {path} twice"
            );
        }
    }
    let mut there = BTreeSet::new();
    for (folder, _) in ROOTS {
        there.extend(files_in(root, folder)?);
    }
    let missing: Vec<_> = there.difference(&listed).collect();
    ensure!(
        missing.is_empty(),
        "book/reading-order.txt does not list {missing:?}: put each where a reader should meet it"
    );
    let gone: Vec<_> = listed.difference(&there).collect();
    ensure!(
        gone.is_empty(),
        "book/reading-order.txt lists what is not there: {gone:?}"
    );
    Ok(())
}

/// The module that a file is: `src/shape/view.rs` is `teenygrad::shape::view`.
pub fn module_of(file: &str) -> Option<String> {
    let (folder, name) = ROOTS
        .iter()
        .find(|(folder, _)| file.starts_with(&format!("{folder}/")))?;
    let inner = file[folder.len() + 1..].strip_suffix(".rs")?;
    let mut module = vec![*name];
    module.extend(
        inner
            .split('/')
            .filter(|part| !matches!(*part, "mod" | "lib" | "main")),
    );
    Some(module.join("::"))
}

/// A page's title in the list of contents: what its header says before the colon, or the path.
pub fn title(file: &str, text: &str) -> String {
    let path = file
        .strip_prefix("src/")
        .unwrap_or(file)
        .trim_end_matches(".rs");
    match text.lines().find_map(|line| line.strip_prefix("//! # ")) {
        Some(title) if file != "src/lib.rs" => {
            let room = file
                .strip_prefix("crates/")
                .and_then(|path| path.split_once('/'));
            let room = room.map_or(String::new(), |(name, _)| format!("{name}/"));
            format!("{room}{}", title.split(':').next().unwrap_or(title).trim())
        }
        _ => path.to_string(),
    }
}

/// A line of a file that is a comment and nothing else.
#[derive(Clone, Copy, PartialEq)]
struct Comment<'a> {
    style: Option<DocStyle>,
    indent: usize,
    text: &'a str,
}

/// For each line, the comment that it is.
fn comments(text: &str) -> Vec<Option<Comment<'_>>> {
    let mut lines = vec![None; text.lines().count()];
    let (mut at, mut line, mut line_start) = (0, 0, 0);
    for token in tokenize(text, FrontmatterAllowed::No) {
        let piece = &text[at..at + token.len as usize];
        if let TokenKind::LineComment { doc_style } = token.kind
            && text[line_start..at].trim().is_empty()
        {
            let marks = if doc_style.is_some() { 3 } else { 2 };
            let body = &piece[marks.min(piece.len())..];
            lines[line] = Some(Comment {
                style: doc_style,
                indent: at - line_start,
                text: body.strip_prefix(' ').unwrap_or(body),
            });
        }
        line += piece.matches('\n').count();
        if let Some(last) = piece.rfind('\n') {
            line_start = at + last + 1;
        }
        at += piece.len();
    }
    lines
}

/// `---- Powers ------`: a heading.
fn banner(comment: &Comment<'_>) -> Option<String> {
    let title = comment.text.strip_prefix("--")?.trim_matches('-').trim();
    (comment.style.is_none() && !title.is_empty()).then(|| title.to_string())
}

/// Whether a run of comment lines reads as prose between code. (What stays is coloured as part of the code.)
fn is_prose(run: &[Comment<'_>]) -> bool {
    let first = run[0];
    match first.style {
        Some(DocStyle::Inner) => true,
        Some(DocStyle::Outer) => first.indent == 0 || run.len() > 1,
        // A drawing or a table in a plain comment would be lost in a paragraph.
        None => {
            run.len() >= if first.indent == 0 { 2 } else { 3 }
                && !run
                    .iter()
                    .any(|line| line.text.trim_start().contains("   "))
        }
    }
}

/// The page of a file.
pub fn page(file: &str, text: &str, prose: &Prose<'_>) -> Result<String> {
    let page = page_of(file);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let comments = comments(text);
    let mut starts = Vec::with_capacity(lines.len());
    let mut at = 0;
    for line in &lines {
        starts.push(at);
        at += line.len();
    }
    let mut out = String::new();
    let from = format!("<p class=\"from\">{file}, {} lines</p>\n\n", lines.len());
    let titled = text.lines().any(|line| line.starts_with("//! # "));
    if !titled {
        write!(out, "# {file}\n\n{from}")?;
    }
    let mut code = 0; // the first line of the code that was not written yet
    let mut line = 0;
    while line < lines.len() {
        let Some(first) = comments[line] else {
            line += 1;
            continue;
        };
        let run: Vec<Comment<'_>> = comments[line..]
            .iter()
            .map_while(|comment| *comment)
            .take_while(|comment| (comment.style, comment.indent) == (first.style, first.indent))
            .collect();
        if let Some(title) = banner(&first) {
            write_code(&mut out, &lines, &starts, code..line, file, &page, prose)?;
            write!(out, "\n## {title}\n\n")?;
            line += 1;
            code = line;
        } else if is_prose(&run) {
            write_code(&mut out, &lines, &starts, code..line, file, &page, prose)?;
            let text: Vec<&str> = run.iter().map(|comment| comment.text).collect();
            let start = starts[line] + first.indent;
            let rendered =
                prose.render(&text.join("\n"), &page, Some(file), Kind::Comment(start))?;
            match rendered.split_once('\n') {
                Some((head, rest)) if titled && head.starts_with("# ") && start == 0 => {
                    write!(out, "{head}\n\n{from}{rest}\n\n")?
                }
                _ if titled && start == 0 => write!(out, "{rendered}\n\n{from}")?,
                _ => write!(out, "\n{rendered}\n\n")?,
            }
            line += run.len();
            code = line;
        } else {
            line += run.len();
        }
    }
    write_code(
        &mut out,
        &lines,
        &starts,
        code..lines.len(),
        file,
        &page,
        prose,
    )?;
    Ok(out)
}

/// Lines of code as a block with the numbers of its lines; nothing, if all are empty.
fn write_code(
    out: &mut String,
    lines: &[&str],
    starts: &[usize],
    mut range: std::ops::Range<usize>,
    file: &str,
    page: &str,
    prose: &Prose<'_>,
) -> Result<()> {
    while !range.is_empty() && lines[range.start].trim().is_empty() {
        range.start += 1;
    }
    while !range.is_empty() && lines[range.end - 1].trim().is_empty() {
        range.end -= 1;
    }
    if range.is_empty() {
        return Ok(());
    }
    let start = starts[range.start];
    let code: String = lines[range.clone()].concat();
    let scope = Scope {
        names: prose.names,
        page,
        place: Some((file, start)),
        module: "",
        self_type: None,
        imports: HashMap::new(),
    };
    let html = highlight(code.trim_end(), &scope);
    let mut numbered = String::with_capacity(html.len() + 20 * range.len());
    for (offset, line) in html.split("&#10;").enumerate() {
        let number = range.start + offset + 1;
        let end = if offset > 0 { "&#10;" } else { "" };
        write!(numbered, "{end}<b id=\"L{number}\"></b>{line}")?;
    }
    let before = range.start;
    write!(
        out,
        "\n<pre class=\"source\"><code class=\"nohighlight hljs\" style=\"counter-reset: line {before}\">{numbered}</code></pre>\n\n"
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_file_is_in_the_reading_order_once() {
        let list = std::fs::read_to_string(root().join("book/reading-order.txt")).unwrap();
        check(&root(), &reading_order(&list)).unwrap();
    }

    #[test]
    fn a_file_that_is_missing_or_listed_twice_is_noticed() {
        let list = std::fs::read_to_string(root().join("book/reading-order.txt")).unwrap();
        let without = list.replace("src/lazy.rs\n", "\n");
        assert!(
            check(&root(), &reading_order(&without))
                .unwrap_err()
                .to_string()
                .contains("src/lazy.rs")
        );
        let twice = format!("{list}\nsrc/lazy.rs\n");
        assert!(
            check(&root(), &reading_order(&twice))
                .unwrap_err()
                .to_string()
                .contains("twice")
        );
        let gone = format!("{list}\nsrc/no_such_file.rs\n");
        assert!(check(&root(), &reading_order(&gone)).is_err());
    }

    #[test]
    fn comments_are_told_from_strings_and_from_remarks_behind_code() {
        let text = "/// doc\nlet a = \"\n// no comment\n\"; // behind\n    // alone\n";
        let found: Vec<bool> = comments(text).iter().map(Option::is_some).collect();
        assert_eq!(found, [true, false, false, false, true]);
    }

    #[test]
    fn modules_are_named_as_the_compiler_names_them() {
        assert_eq!(
            module_of("src/shape/view.rs").unwrap(),
            "teenygrad::shape::view"
        );
        assert_eq!(module_of("src/shape/mod.rs").unwrap(), "teenygrad::shape");
        assert_eq!(module_of("src/lib.rs").unwrap(), "teenygrad");
        assert_eq!(module_of("build.rs"), None);
    }
}
