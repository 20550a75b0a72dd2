//! # lines: code, comment, or empty
//!
//! **In:** a file's text and the spans of its comments. **Out:** how many lines of each sort. **Above:** [`source`](crate::source).
//!
//! Laws, for every language:
//! 1. A line of white space is empty, also inside a string, a docstring or a block comment.
//! 2. Any other line is a comment if all it holds lies in comments, else code. So a line of code with a comment at its end is
//!    code; it is counted once more as [`Lines::trailing`].
//! 3. code + comments + empty = total. A last line without a line end counts; nothing after the last line end doesn't.

use serde::Serialize;
use std::ops::{AddAssign, Range};

/// How many lines, by sort.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Lines {
    /// all of them
    pub total: usize,
    /// with something that a machine reads
    pub code: usize,
    /// with text for people, and nothing else
    pub comments: usize,
    /// with white space at most
    pub empty: usize,
    /// of the lines of code: how many hold a comment too
    pub trailing: usize,
}

impl Lines {
    /// Sorts the lines of a text whose comments are these spans, in order and apart from each other.
    pub fn count(text: &str, comments: &[Range<usize>]) -> Lines {
        let mut lines = Lines::default();
        let mut start = 0;
        // The first comment that doesn't end before this line.
        let mut first = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.len();
            while comments.get(first).is_some_and(|span| span.end <= start) {
                first += 1;
            }
            let (mut code, mut comment) = (false, false);
            let mut at = first;
            for (offset, _) in visible(line) {
                let byte = start + offset;
                while comments.get(at).is_some_and(|span| span.end <= byte) {
                    at += 1;
                }
                if comments.get(at).is_some_and(|span| span.start <= byte) {
                    comment = true;
                } else {
                    code = true;
                }
            }
            lines.total += 1;
            match (code, comment) {
                (true, _) => lines.code += 1,
                (false, true) => lines.comments += 1,
                (false, false) => lines.empty += 1,
            }
            lines.trailing += usize::from(code && comment);
            start = end;
        }
        lines
    }

    /// The share of comments among the lines that are not empty, in percent.
    pub fn share(&self) -> f64 {
        let said = self.code + self.comments;
        if said == 0 {
            return 0.0;
        }
        100.0 * self.comments as f64 / said as f64
    }
}

impl AddAssign for Lines {
    fn add_assign(&mut self, other: Lines) {
        self.total += other.total;
        self.code += other.code;
        self.comments += other.comments;
        self.empty += other.empty;
        self.trailing += other.trailing;
    }
}

/// The characters that are not white space, with their places.
pub fn visible(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().filter(|(_, c)| !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_one_of_three() {
        //          0123456 7 89 1234567
        let text = "a # b\n\n# c\n  # d";
        let lines = Lines::count(text, &[2..5, 7..10, 13..16]);
        let expected = Lines {
            total: 4,
            code: 1,
            comments: 2,
            empty: 1,
            trailing: 1,
        };
        assert_eq!(lines, expected);
        assert_eq!(format!("{:.1}", lines.share()), "66.7");
    }

    #[test]
    fn a_comment_over_many_lines_has_empty_ones() {
        let text = "/* one\n\t\r\n two */ x\r\n/**/\r\n";
        let lines = Lines::count(text, &[0..17, 21..25]);
        assert_eq!((lines.total, lines.code, lines.comments), (4, 1, 2));
        assert_eq!((lines.empty, lines.trailing), (1, 1));
    }

    #[test]
    fn nothing_has_no_lines() {
        assert_eq!(Lines::count("", &[]), Lines::default());
        assert_eq!(Lines::default().share(), 0.0);
        assert_eq!(Lines::count("\n", &[]).empty, 1);
        assert_eq!(Lines::count("\u{a0}\u{2003}\n", &[]).empty, 1);
    }
}
