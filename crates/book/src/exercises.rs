//! # exercises: where a chapter invites to one
//!
//! **In:** the name of an exercise. **Out:** its title, its task and the command, as Markdown. The task is the header of the file that
//! the reader will open, so that the book and the file say the same.

use anyhow::{Context, Result};
use std::path::Path;

/// An exercise's title and task, from the header of its file.
pub fn task(root: &Path, name: &str) -> Result<(String, String)> {
    let path = format!("book/exercises/tests/{name}.rs");
    let text = std::fs::read_to_string(root.join(&path))
        .with_context(|| format!("there is no exercise {path}"))?;
    let header: Vec<&str> = text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .map(|line| line[3..].strip_prefix(' ').unwrap_or(&line[3..]))
        .collect();
    let title = header
        .first()
        .and_then(|line| line.strip_prefix("# "))
        .with_context(|| format!("{path} has no title"))?;
    Ok((title.to_string(), header[1..].join("\n").trim().to_string()))
}
