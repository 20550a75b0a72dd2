//! # readme: an overview that is never stale
//!
//! **In:** a [`Tree`] and a text with two markers. **Out:** the text with the overview of the tree between them. **Above:** `main`.
//! **Below:** [`overview`](crate::overview).
//!
//! ```text
//! <!-- codar: begin -->
//! (written by `codar readme --write`; `codar readme --check` fails when it is not what would be written)
//! <!-- codar: end -->
//! ```

use crate::draw::{Column, NAME, table, thousands};
use crate::lines::Lines;
use crate::overview::{Figures, Stats, branch, folder, structure};
use crate::tree::Tree;

/// The marker before the overview.
pub const BEGIN: &str = "<!-- codar: begin -->";
/// The marker after it.
pub const END: &str = "<!-- codar: end -->";

/// A text with this tree's overview between its markers.
pub fn written(text: &str, tree: &Tree) -> Result<String, String> {
    let missing = |marker: &str| format!("no line {marker}");
    let (before, rest) = text.split_once(BEGIN).ok_or_else(|| missing(BEGIN))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| missing(END))?;
    if rest.contains(BEGIN) || after.contains(END) {
        return Err("more than one pair of markers".into());
    }
    let overview = anstream::adapter::strip_str(&overview(tree)).to_string();
    Ok(format!("{before}{BEGIN}\n{overview}{END}{after}"))
}

/// Metrics and folders in sight, the files folded away.
fn overview(tree: &Tree) -> String {
    let files = branch(&structure(tree, |_| vec![]), Figures::Shown).draw();
    let metrics = Stats::of(tree).draw();
    let folders = draw_folders(tree);
    format!(
        "```text\n{metrics}```\n\n```text\n{folders}```\n\n<details>\n<summary>Every file, with the share of comments among its \
         lines</summary>\n\n```text\n{files}```\n\n</details>\n"
    )
}

/// How many folders deep the table goes; what is further in is counted there.
const DEPTH: usize = 2;

/// A row for each of the upper folders.
fn draw_folders(tree: &Tree) -> String {
    let mut rows: Vec<(String, usize, Lines)> = vec![];
    for source in &tree.sources {
        let whole = folder(&source.path);
        let parts: Vec<&str> = whole.split('/').take(DEPTH).collect();
        let path = parts.join("/");
        // Files come sorted by folder.
        match rows.last_mut() {
            Some((last, files, lines)) if *last == path => {
                *files += 1;
                *lines += source.lines;
            }
            _ => rows.push((path, 1, source.lines)),
        }
    }
    let columns = [
        Column::words("Path", NAME),
        Column::numbers("Files"),
        Column::numbers("Code"),
        Column::numbers("Comments"),
        Column::numbers("Empty"),
        Column::numbers("Total"),
        Column::numbers("Share"),
    ];
    let cells = |(path, files, lines): &(String, usize, Lines)| {
        let numbers = [*files, lines.code, lines.comments, lines.empty, lines.total];
        let mut cells = vec![path.clone()];
        cells.extend(numbers.map(thousands));
        cells.push(format!("{:.0}%", lines.share()));
        cells
    };
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    format!("File Distribution\n{}", table(&columns, &rows))
}
