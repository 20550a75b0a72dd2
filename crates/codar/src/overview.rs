//! # overview: metrics, files, structure
//!
//! **In:** a [`Tree`]. **Out:** what `stats`, `files` and `strct` print, and the same as data for `--json`. **Above:** `main`,
//! [`readme`](crate::readme). **Below:** [`draw`](crate::draw).
//!
//! Laws: what `stats` counts is what `strct` draws.
//! 1. Files are the 📄, directories the 📁: the root, and each folder on the way to a file.
//! 2. Functions are the 🔸 and 🔹: functions, nested ones, methods, and declarations of either; neither lambdas nor closures, nor what a
//!    macro would write.
//! 3. Classes are the 🔷: Python's classes, nested ones too; Rust's structs, enums, unions and traits. `🔷 impl Type` is a type's
//!    methods in another file than the type; it is no class more.

use crate::draw::{
    Branch, Column, DOUBT, FILE, NAME, NUMBER, PLAIN, TITLE, size, styled, table, thousands,
};
use crate::lines::Lines;
use crate::source::{Kind, Source, Trouble};
use crate::tree::{Tree, printable};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// What `stats` prints.
#[derive(PartialEq, Debug, Serialize)]
pub struct Stats {
    /// files that were read
    pub files: usize,
    /// the root and the folders on the way to a file
    pub directories: usize,
    /// by sort
    pub lines: Lines,
    /// of lines that are not empty, in percent
    pub comment_share: f64,
    /// functions and methods
    pub functions: usize,
    /// classes, structs, enums, unions, traits
    pub classes: usize,
    /// macros
    pub macros: usize,
    /// size of the files that were read
    pub bytes: u64,
    /// files that could not be read
    pub unread: usize,
    /// files that were not understood in full
    pub doubtful: usize,
}

/// How many of a kind there are in a file.
fn count(source: &Source, kinds: &[Kind]) -> usize {
    let items = source.items.iter();
    items.filter(|item| kinds.contains(&item.kind)).count()
}

impl Stats {
    /// Adds a tree up.
    pub fn of(tree: &Tree) -> Stats {
        let sum =
            |kinds: &[Kind]| -> usize { tree.sources.iter().map(|one| count(one, kinds)).sum() };
        let mut directories = BTreeSet::from([Path::new("")]);
        for source in &tree.sources {
            directories.extend(source.path.ancestors().skip(1));
        }
        let unread = |trouble: &Trouble| matches!(trouble, Trouble::Unread(_));
        let unread = tree.troubles.iter().filter(|(_, one)| unread(one)).count();
        let lines = tree.lines();
        Stats {
            files: tree.sources.len(),
            directories: directories.len(),
            lines,
            comment_share: rounded(lines.share()),
            functions: sum(&[Kind::Function]),
            classes: sum(&[Kind::Class, Kind::Trait]),
            macros: sum(&[Kind::Macro]),
            bytes: tree.sources.iter().map(|source| source.bytes).sum(),
            unread,
            doubtful: tree.troubles.len() - unread,
        }
    }

    /// The table. What there is none of in most trees has a row only where there is some.
    pub fn draw(&self) -> String {
        let lines = &self.lines;
        let rows = [
            ("Total Files", self.files, true),
            ("Total Directories", self.directories, true),
            ("Total Lines", lines.total, true),
            ("Code Lines", lines.code, true),
            ("Comment Lines", lines.comments, true),
            ("Empty Lines", lines.empty, true),
            ("Functions", self.functions, true),
            ("Classes", self.classes, true),
            ("Macros", self.macros, self.macros > 0),
            ("Trailing Comments", lines.trailing, lines.trailing > 0),
            ("Files Not Read", self.unread, self.unread > 0),
            ("Files In Doubt", self.doubtful, self.doubtful > 0),
        ];
        let columns = [Column::words("", NAME), Column::words("", NUMBER)];
        let rows: Vec<Vec<String>> = rows
            .iter()
            .filter(|(_, _, shown)| *shown)
            .map(|(name, number, _)| vec![(*name).to_owned(), thousands(*number)])
            .collect();
        format!("{}\n{}", styled("Metrics", TITLE), table(&columns, &rows))
    }
}

/// To a tenth.
fn rounded(percent: f64) -> f64 {
    (percent * 10.0).round() / 10.0
}

// ---- Files ----------------------------------------------------------------------------------------------------------------

/// A row of `files`.
#[derive(Debug, Serialize)]
pub struct FileRow {
    /// its folder, from the root; `Root` if it has none
    pub path: String,
    /// its name
    pub file: String,
    /// by sort
    pub lines: Lines,
    /// of lines that are not empty, in percent
    pub comment_share: f64,
    /// its size
    pub bytes: u64,
}

/// How `files` may be sorted: words from A to Z, numbers from the largest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum FileOrder {
    /// folder, then name
    Path,
    /// name
    File,
    /// lines of code
    Code,
    /// lines of comments
    Comments,
    /// empty lines
    Empty,
    /// all lines
    Total,
    /// share of comments
    Share,
    /// bytes
    Size,
}

/// A folder for people.
pub fn folder(path: &Path) -> String {
    match path.parent() {
        Some(parent) if parent != Path::new("") => printable(parent),
        _ => "Root".into(),
    }
}

/// A file's own name for people.
pub fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or(String::new(), |name| printable(Path::new(name)))
}

/// The rows of `files`.
pub fn file_rows(tree: &Tree, order: FileOrder) -> Vec<FileRow> {
    let row = |source: &Source| FileRow {
        path: folder(&source.path),
        file: file_name(&source.path),
        lines: source.lines,
        comment_share: rounded(source.lines.share()),
        bytes: source.bytes,
    };
    let mut rows: Vec<FileRow> = tree.sources.iter().map(row).collect();
    // Sorting is stable: the rest stays by path.
    let largest = |rows: &mut Vec<FileRow>, key: fn(&FileRow) -> usize| {
        rows.sort_by_key(|row| std::cmp::Reverse(key(row)));
    };
    match order {
        FileOrder::Path => {}
        FileOrder::File => rows.sort_by(|a, b| a.file.cmp(&b.file)),
        FileOrder::Code => largest(&mut rows, |row| row.lines.code),
        FileOrder::Comments => largest(&mut rows, |row| row.lines.comments),
        FileOrder::Empty => largest(&mut rows, |row| row.lines.empty),
        FileOrder::Total => largest(&mut rows, |row| row.lines.total),
        FileOrder::Share => rows.sort_by(|a, b| b.comment_share.total_cmp(&a.comment_share)),
        FileOrder::Size => rows.sort_by_key(|row| std::cmp::Reverse(row.bytes)),
    }
    rows
}

/// The table of `files`.
pub fn draw_files(rows: &[FileRow]) -> String {
    let columns = [
        Column::words("Path", NAME),
        Column::words("File", FILE),
        Column::numbers("Code"),
        Column::numbers("Comments"),
        Column::numbers("Empty"),
        Column::numbers("Total"),
        Column::numbers("Share"),
        Column::numbers("Size"),
    ];
    let cells = |row: &FileRow| {
        let lines = &row.lines;
        let mut cells = vec![row.path.clone(), row.file.clone()];
        cells.extend([lines.code, lines.comments, lines.empty, lines.total].map(thousands));
        cells.extend([format!("{:.0}%", lines.share()), size(row.bytes)]);
        cells
    };
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let title = styled("File Distribution", TITLE);
    format!("{title}\n{}", table(&columns, &rows))
}

// ---- Structure ------------------------------------------------------------------------------------------------------------

/// A sign of the tree, as data.
#[derive(Debug, Serialize)]
pub struct Node {
    /// directory, file, class, impl, method, function, macro
    pub kind: &'static str,
    /// its name
    pub name: String,
    /// where it is, in its file
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// of a file
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Lines>,
    /// what it holds
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
}

/// How `strct` may be sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum ItemOrder {
    /// as in the text: classes, then functions
    Source,
    /// from A to Z: classes, then functions
    Name,
}

/// What stands for an item in the tree.
fn node(kind: &'static str, name: String, line: Option<usize>) -> Node {
    Node {
        kind,
        name,
        line,
        lines: None,
        children: vec![],
    }
}

/// A file's classes with their methods, then its functions and macros; nested ones stand beside those around them.
fn items(source: &Source, order: ItemOrder) -> Vec<Node> {
    let mut classes: Vec<Node> = vec![];
    let (mut functions, mut macros) = (vec![], vec![]);
    // Where an item of the file is among the classes.
    let mut place = vec![None; source.items.len()];
    for (at, item) in source.items.iter().enumerate() {
        if matches!(item.kind, Kind::Class | Kind::Trait) {
            place[at] = Some(classes.len());
            classes.push(node("class", item.name.clone(), Some(item.line)));
        }
    }
    let types = classes.len();
    for (at, item) in source.items.iter().enumerate() {
        let line = Some(item.line);
        match item.kind {
            Kind::Impl => {
                let same = |class: &Node| class.name == item.name;
                place[at] = classes.iter().position(same).or_else(|| {
                    classes.push(node("impl", item.name.clone(), line));
                    Some(classes.len() - 1)
                });
            }
            Kind::Function => match source.class_of(at) {
                Some(class) => {
                    let name = match &source.items[class].of_trait {
                        Some(of) => format!("{of}::{}", item.name),
                        None => item.name.clone(),
                    };
                    let class = place[class].expect("a class is placed before its methods");
                    classes[class].children.push(node("method", name, line));
                }
                None => functions.push(node("function", item.name.clone(), line)),
            },
            Kind::Macro => macros.push(node("macro", format!("{}!", item.name), line)),
            Kind::Class | Kind::Trait | Kind::Module | Kind::Foreign => {}
        }
    }
    // An impl without methods says nothing about structure.
    let mut at = 0;
    classes.retain(|class| {
        at += 1;
        at <= types || !class.children.is_empty()
    });
    if order == ItemOrder::Name {
        for list in [&mut classes, &mut functions, &mut macros] {
            list.sort_by(|a, b| a.name.cmp(&b.name));
        }
        for class in &mut classes {
            class.children.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }
    classes.extend(functions);
    classes.extend(macros);
    classes
}

/// The folders and files of a tree, each file with what `inside` says: files first, then folders, from A to Z.
pub fn structure(tree: &Tree, inside: impl Fn(&Source) -> Vec<Node>) -> Node {
    let mut root = node("directory", "Root".into(), None);
    let mut folders = vec![];
    for source in &tree.sources {
        let mut here = &mut root;
        for part in source.path.parent().unwrap_or(Path::new("")) {
            let name = printable(Path::new(part));
            let known = here
                .children
                .iter()
                .position(|child| child.kind == "directory" && child.name == name);
            let at = known.unwrap_or_else(|| {
                here.children.push(node("directory", name, None));
                here.children.len() - 1
            });
            here = &mut here.children[at];
        }
        let mut file = node("file", file_name(&source.path), None);
        file.lines = Some(source.lines);
        file.children = inside(source);
        here.children.push(file);
    }
    folders.push(&mut root);
    while let Some(folder) = folders.pop() {
        folder.children.sort_by(|a, b| {
            (a.kind == "directory", &a.name).cmp(&(b.kind == "directory", &b.name))
        });
        let below = folder.children.iter_mut();
        folders.extend(below.filter(|child| child.kind == "directory"));
    }
    root
}

/// The structure with all items.
pub fn full_structure(tree: &Tree, order: ItemOrder) -> Node {
    structure(tree, |source| items(source, order))
}

/// Whether a file's lines stand behind its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Figures {
    /// how many, and the share of comments
    Shown,
    /// the name alone
    Hidden,
}

/// The tree as it is drawn.
pub fn branch(node: &Node, figures: Figures) -> Branch {
    let (sign, style) = match node.kind {
        "directory" => ("📁 ", NAME),
        "file" => ("📄 ", FILE),
        "class" => ("🔷 ", NUMBER),
        "impl" => ("🔷 impl ", NUMBER),
        "method" => ("🔹 ", PLAIN),
        "function" | "macro" => ("🔸 ", DOUBT),
        other => unreachable!("no such sign: {other}"),
    };
    let mut label = format!("{sign}{}", styled(&node.name, style));
    if let (Some(lines), Figures::Shown) = (&node.lines, figures) {
        let total = thousands(lines.total);
        label += &format!(" · {total} lines, {:.0}% comments", lines.share());
    }
    let below = node.children.iter().map(|child| branch(child, figures));
    Branch {
        label,
        below: below.collect(),
    }
}
