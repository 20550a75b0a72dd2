//! # site: from the repository to the finished book
//!
//! **In:** the root of the repository. **Out:** `target/book`, and a [`Report`]. Everything is written as Markdown into
//! `target/book-src` first, where it can be looked at, and rendered by mdBook from there. mdBook's warnings are errors here.

use crate::links;
use crate::listings::Listings;
use crate::names::Names;
use crate::prose::{Kind, Prose};
use crate::rust::page_of;
use crate::source::{self, Entry};
use anyhow::{Context, Result, ensure};
use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Instant;

/// How mdBook renders it. Paths are relative to `target/book-src`.
const CONFIG: &str = r#"
[book]
title = "teenygrad+"
description = "The deep-learning framework that people read: a tour, and the annotated source"
language = "en"
src = "src"

[build]
create-missing = false
use-default-preprocessors = false

[output.html]
default-theme = "light"
preferred-dark-theme = "navy"
smart-punctuation = false
no-section-label = true
additional-css = ["book.css"]
input-404 = ""

[output.html.fold]
enable = true
level = 0

[output.html.playground]
runnable = false

[output.html.search]
limit-results = 40
boost-title = 3
expand = true
"#;

/// What was built.
pub struct Report {
    /// the folder with the site
    pub site: PathBuf,
    text: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Builds the book of the repository at `root`. `program` runs the listings.
pub fn build(root: &Path, target: &Path, program: &Path) -> Result<Report> {
    let start = Instant::now();
    watch_warnings();

    // Read everything that names can come from.
    let order = source::reading_order(&read(root, "book/reading-order.txt")?);
    source::check(root, &order)?;
    let mut files = HashMap::new();
    let mut names = Names::default();
    for entry in &order {
        if let Entry::File(path, _) = entry {
            files.insert(path.clone(), read(root, path)?);
        }
    }
    let mut modules: Vec<(String, String)> = files
        .keys()
        .filter_map(|path| Some((path.clone(), source::module_of(path)?)))
        .collect();
    modules.sort();
    let mut listed = Vec::new();
    for path in source::files_in(root, "book/listings/src")? {
        let stem = path
            .rsplit('/')
            .next()
            .unwrap_or("")
            .trim_end_matches(".rs")
            .to_string();
        listed.push((
            path.clone(),
            format!("teenygrad_listings::{stem}"),
            read(root, &path)?,
        ));
    }
    for (path, module) in &modules {
        names.add(path, module, &files[path])?;
    }
    for (path, module) in &modules {
        names.add_impls(path, module, &files[path])?;
    }
    for (path, module, text) in &listed {
        names.add(path, module, text)?;
    }

    let listings = Listings::new(root, program);
    let chapters = chapters(root)?;
    let short: HashMap<String, String> = chapters
        .iter()
        .filter_map(|file| Some((file.split_once('-')?.0.to_string(), file.clone())))
        .collect();
    let prose = Prose {
        root,
        names: &names,
        listings: &listings,
        files: &files,
        chapters: &short,
    };

    // Write the pages.
    let pages = target.join("book-src");
    if pages.exists() {
        fs::remove_dir_all(&pages)?;
    }
    let mut summary = String::from("# Summary\n\n[Introduction](introduction.md)\n\n");
    write(
        &pages,
        "introduction.md",
        &chapter("introduction.md", root, &prose)?,
    )?;
    summary.push_str("# The tour\n\n");
    for file in &chapters {
        let text = chapter(file, root, &prose)?;
        summary.push_str(&format!("- [{}]({file})\n", title(file, &text)?));
        write(&pages, file, &text)?;
    }
    for entry in &order {
        match entry {
            Entry::Part(title) => summary.push_str(&format!("\n# Source: {title}\n\n")),
            Entry::File(path, depth) => {
                let text = &files[path];
                let page = page_of(path);
                let rendered = source::page(path, text, &prose)
                    .with_context(|| format!("the page of {path}"))?;
                summary.push_str(&format!(
                    "{}- [{}]({page})\n",
                    "  ".repeat(*depth),
                    source::title(path, text)
                ));
                write(&pages, &page, &rendered)?;
            }
        }
    }
    write(&pages, "SUMMARY.md", &summary)?;
    {
        let asset = "book.css";
        fs::copy(root.join("book/theme").join(asset), pages.join(asset))?;
    }

    // Render, and read it back.
    let site = target.join("book");
    if site.exists() {
        fs::remove_dir_all(&site)?;
    }
    let mut config = Config::from_str(CONFIG)?;
    config.build.build_dir = site.clone();
    MDBook::load_with_config(&pages, config)?.build()?;
    let warnings = WARNINGS
        .lock()
        .map(|mut warnings| std::mem::take(&mut *warnings))
        .unwrap_or_default();
    ensure!(
        warnings.is_empty(),
        "mdBook warns:\n{}",
        warnings.join("\n")
    );
    let found = links::check(&site)?;
    let outer: Vec<String> = found.outer.iter().cloned().collect();
    fs::write(target.join("book-links.txt"), outer.join("\n") + "\n")?;

    let times = listings.times();
    let slow: Vec<String> = times
        .iter()
        .take(3)
        .map(|(time, name)| format!("{name} {:.1} s", time.as_secs_f64()))
        .collect();
    let text = format!(
        "{}: {} pages in {:.0} s ({} chapters, {} listings run; longest: {}), {} links within, {} to other sites (listed in {})",
        site.join("index.html").display(),
        found.pages,
        start.elapsed().as_secs_f64(),
        chapters.len(),
        times.len(),
        slow.join(", "),
        found.inner,
        found.outer.len(),
        target.join("book-links.txt").display(),
    );
    Ok(Report { site, text })
}

/// The tour's files, `chNN-name.md`, in order.
fn chapters(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join("book/src"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name == "introduction.md" {
            continue;
        }
        ensure!(
            name.starts_with("ch") && name.contains('-') && name.ends_with(".md"),
            "book/src/{name} should be called chNN-name.md"
        );
        files.push(name);
    }
    files.sort();
    Ok(files)
}

fn chapter(file: &str, root: &Path, prose: &Prose<'_>) -> Result<String> {
    let text = read(root, &format!("book/src/{file}"))?;
    prose
        .render(&text, file, None, Kind::Chapter)
        .with_context(|| format!("book/src/{file}"))
}

/// `ch05-views.md` with `# Views` is "5. Views" in the list of contents.
fn title(file: &str, text: &str) -> Result<String> {
    let heading = text
        .lines()
        .find_map(|line| line.strip_prefix("# "))
        .with_context(|| format!("{file} has no title"))?;
    let number = file[2..]
        .split('-')
        .next()
        .unwrap_or("")
        .trim_start_matches('0');
    Ok(format!("{number}. {heading}"))
}

fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| path.to_string())
}

fn write(pages: &Path, path: &str, text: &str) -> Result<()> {
    let path = pages.join("src").join(path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, text).with_context(|| path.display().to_string())
}

// ---- What mdBook says while it works ---------------------------------

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Collects warnings and errors, and passes over the rest.
struct Warnings;

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN && metadata.target().starts_with("mdbook")
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        if let Ok(mut warnings) = WARNINGS.lock() {
            warnings.push(text.0);
        }
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

struct Text(String);

impl tracing::field::Visit for Text {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

fn watch_warnings() {
    // Only the first subscriber counts: a second build in one process uses it too.
    let _ = tracing::subscriber::set_global_default(Warnings);
}
