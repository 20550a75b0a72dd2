//! # draw: tables and trees out of lines
//!
//! **In:** rows of cells, or nodes with children. **Out:** text, with colours that the way out takes off again where nobody sees them.
//! **Above:** the commands.
//!
//! ```text
//! ╭────────┬────────╮      📁 Root
//! │  Path  │  Code  │      ├── 📄 a.py
//! ├────────┼────────┤      │   ├── 🔷 Class
//! │  Root  │    12  │      │   │   └── 🔹 method
//! ╰────────┴────────╯      │   └── 🔸 function
//! ```

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

/// Names of things.
pub const NAME: Style = AnsiColor::Cyan.on_default();
/// Numbers.
pub const NUMBER: Style = AnsiColor::Green.on_default();
/// Files.
pub const FILE: Style = AnsiColor::Yellow.on_default();
/// What somebody should look at.
pub const DOUBT: Style = AnsiColor::Magenta.on_default();
/// Titles.
pub const TITLE: Style = Style::new().bold();
/// As it comes.
pub const PLAIN: Style = Style::new();

/// A text in a style.
pub fn styled(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// A column: its title, how its cells look, and on which side they stand.
pub struct Column {
    /// above it; empty if the table has no head
    pub title: &'static str,
    /// of its cells
    pub style: Style,
    /// numbers stand on the right
    pub right: bool,
}

impl Column {
    /// A column of words.
    pub fn words(title: &'static str, style: Style) -> Column {
        let right = false;
        Column {
            title,
            style,
            right,
        }
    }

    /// A column of numbers.
    pub fn numbers(title: &'static str) -> Column {
        let (style, right) = (NUMBER, true);
        Column {
            title,
            style,
            right,
        }
    }
}

/// A table with a frame. Columns without titles make one without a head.
pub fn table(columns: &[Column], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cells = rows.iter().map(|row| row[at].width());
            cells.max().unwrap_or(0).max(column.title.width())
        })
        .collect();
    let rule = |left: &str, between: &str, right: &str| {
        let lines: Vec<String> = widths.iter().map(|width| "─".repeat(width + 4)).collect();
        format!("{left}{}{right}\n", lines.join(between))
    };
    let line = |cells: &[&str], style: &dyn Fn(&Column) -> Style| {
        let mut drawn = String::from("│");
        for ((cell, column), width) in cells.iter().zip(columns).zip(&widths) {
            let gap = " ".repeat(width - cell.width());
            let cell = styled(cell, style(column));
            let cell = if column.right {
                gap + &cell
            } else {
                cell + &gap
            };
            drawn += &format!("  {cell}  │");
        }
        drawn + "\n"
    };
    let mut drawn = rule("╭", "┬", "╮");
    if columns.iter().any(|column| !column.title.is_empty()) {
        let titles: Vec<&str> = columns.iter().map(|column| column.title).collect();
        drawn += &line(&titles, &|_| TITLE);
        drawn += &rule("├", "┼", "┤");
    }
    for row in rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        drawn += &line(&cells, &|column| column.style);
    }
    drawn + &rule("╰", "┴", "╯")
}

/// A node of a tree.
pub struct Branch {
    /// its line
    pub label: String,
    /// what hangs on it
    pub below: Vec<Branch>,
}

impl Branch {
    /// The tree as lines.
    pub fn draw(&self) -> String {
        let mut drawn = format!("{}\n", self.label);
        self.draw_below("", &mut drawn);
        drawn
    }

    /// Goes as deep as folders do, which is never far.
    fn draw_below(&self, indent: &str, drawn: &mut String) {
        for (at, branch) in self.below.iter().enumerate() {
            let last = at + 1 == self.below.len();
            let (here, further) = if last {
                ("└── ", "    ")
            } else {
                ("├── ", "│   ")
            };
            *drawn += &format!("{indent}{here}{}\n", branch.label);
            branch.draw_below(&format!("{indent}{further}"), drawn);
        }
    }
}

/// 1234567 as 1,234,567.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of bytes in KB of 1,024, from one MB on in MB.
pub fn size(bytes: u64) -> String {
    let kilo = bytes as f64 / 1024.0;
    if kilo < 1024.0 {
        format!("{kilo:.2}KB")
    } else {
        format!("{:.2}MB", kilo / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        let written: Vec<String> = [0, 999, 1000, 1259, 1234567]
            .iter()
            .map(|&n| thousands(n))
            .collect();
        assert_eq!(written, ["0", "999", "1,000", "1,259", "1,234,567"]);
        assert_eq!(size(8612), "8.41KB");
        assert_eq!(size(3 << 20), "3.00MB");
    }

    #[test]
    fn a_table_counts_columns_not_bytes() {
        let columns = [Column::words("A", PLAIN), Column::numbers("N")];
        let rows = [
            vec!["ä漢".into(), "7".into()],
            vec!["x".into(), "1,000".into()],
        ];
        let drawn = anstream::adapter::strip_str(&table(&columns, &rows)).to_string();
        let expected = "\
╭───────┬─────────╮
│  A    │      N  │
├───────┼─────────┤
│  ä漢  │      7  │
│  x    │  1,000  │
╰───────┴─────────╯
";
        assert_eq!(drawn, expected);
    }
}
