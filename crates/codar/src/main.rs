//! # codar: what is in a tree of code
//!
//! **In:** a folder or file with Rust and Python. **Out:** its figures, its structure, its calls, and what nothing uses; as tables
//! and trees for people, or as JSON.
//!
//! ```text
//! cargo run --release -p teenygrad-codar -- stats|files|strct|calls|dead [PATH] [--json] [--sort BY] [--ignore PATTERN]
//! cargo run --release -p teenygrad-codar -- readme --write|--check
//! ```
//!
//! It is the Rust counterpart of PyCodar, with which the overview of the original teenygrad was made, and draws what that drew.
//!
//! | file | for |
//! |---|---|
//! | `main` | the command line |
//! | [`language`] | the table of languages: two queries each, and a few words |
//! | [`tree`] | which files, and reading them on all processors |
//! | [`source`] | one file: text, syntax tree, items |
//! | [`lines`] | code, comment, or empty |
//! | [`uses`] | one file's calls, imports, and mentions of names |
//! | [`overview`] | `stats`, `files`, `strct`, and the rules by which they count |
//! | [`links`] | what a call's name means |
//! | [`calls`] | `calls` |
//! | [`dead`] | `dead` |
//! | [`readme`] | the overview between a file's markers |
//! | [`draw`] | tables, trees, colours |
//!
//! Laws:
//! 1. Figures go to standard output, remarks about files to standard error.
//! 2. The exit status is 0 when the figures are there, also with files that could not be read (they are named); 1 when there are
//!    none, or `readme --check` found a stale text; 2 for a command line that isn't understood.
//! 3. A reader who stops early (`| head`) ends the program without a word.

mod calls;
mod dead;
mod draw;
mod language;
mod lines;
mod links;
mod overview;
mod readme;
mod source;
mod tree;
mod uses;

use calls::CallOrder;
use clap::{Args, Parser, Subcommand};
use dead::{DeadOrder, Verdict};
use overview::{Figures, FileOrder, ItemOrder, Stats};
use source::Trouble;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tree::{Tree, Wanted, printable};

/// What is in a tree of Rust and Python code.
///
/// Reads what git would not ignore. Exit status: 0 with figures, 1 without (or when `readme --check` finds a stale text), 2 for a
/// wrong command line. Files that can't be read or understood are named on standard error.
#[derive(Parser)]
#[command(name = "codar", version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Files, directories, lines by sort, functions, classes
    Stats(Where),
    /// A row for each file: code, comments, empty lines, their sum, the share of comments, the size
    Files {
        #[command(flatten)]
        place: Where,
        /// Names from A to Z, numbers from the largest
        #[arg(long, value_name = "BY", default_value = "path")]
        sort: FileOrder,
    },
    /// The tree of folders 📁, files 📄, classes 🔷, methods 🔹 and functions 🔸
    Strct {
        #[command(flatten)]
        place: Where,
        /// The order inside a file
        #[arg(long, value_name = "BY", default_value = "source")]
        sort: ItemOrder,
    },
    /// Who calls whom, and how often
    Calls {
        #[command(flatten)]
        place: Where,
        /// The order of the rows
        #[arg(long, value_name = "BY", default_value = "called")]
        sort: CallOrder,
    },
    /// What nothing uses, and what possibly nothing uses
    Dead {
        #[command(flatten)]
        place: Where,
        /// The order of the rows
        #[arg(long, value_name = "BY", default_value = "verdict")]
        sort: DeadOrder,
        /// Only what is sure
        #[arg(long)]
        sure: bool,
    },
    /// The overview between the markers of a file, README.md in PATH if not said
    Readme {
        #[command(flatten)]
        place: Where,
        /// Write it
        #[arg(long, required_unless_present = "check", conflicts_with = "check")]
        write: bool,
        /// Fail if it isn't what would be written
        #[arg(long)]
        check: bool,
        /// The file with the markers
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// What to read.
#[derive(Args)]
struct Where {
    /// A folder or a file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// JSON instead of tables and trees
    #[arg(long)]
    json: bool,
    /// Leave out what fits this pattern, written as in a .gitignore (again for more)
    #[arg(long, value_name = "PATTERN")]
    ignore: Vec<String>,
    /// Also read what a .gitignore leaves out
    #[arg(long)]
    no_gitignore: bool,
}

impl Where {
    /// Reads the tree and says on standard error what is wrong with it.
    fn read(&self, uses: bool) -> Result<Tree, String> {
        let wanted = Wanted {
            path: self.path.clone(),
            ignore: self.ignore.clone(),
            no_gitignore: self.no_gitignore,
            uses,
        };
        let tree = Tree::read(&wanted)?;
        remark(&self.path, &tree);
        Ok(tree)
    }

    /// JSON or a drawing.
    fn show<T: serde::Serialize>(&self, data: &T, draw: impl FnOnce(&T) -> String) -> String {
        if !self.json {
            return draw(data);
        }
        let text = serde_json::to_string_pretty(data).expect("names and numbers");
        text + "\n"
    }
}

/// How many files of each sort are named before the rest is only counted.
const NAMED: usize = 20;

/// Says which files are in doubt.
fn remark(path: &Path, tree: &Tree) {
    let say = |text: String| {
        // Nobody to talk to is no reason to stop.
        let _ = writeln!(anstream::stderr(), "{text}");
    };
    let unread = |trouble: &Trouble| matches!(trouble, Trouble::Unread(_));
    for (wanted, what) in [(true, "not read"), (false, "in doubt")] {
        let of_sort = tree
            .troubles
            .iter()
            .filter(|(_, one)| unread(one) == wanted);
        for (at, (file, trouble)) in of_sort.clone().enumerate() {
            let (Trouble::Unread(why) | Trouble::Doubtful(why)) = trouble;
            if at < NAMED {
                say(format!("codar: {}: {why}", printable(file)));
            }
        }
        let count = of_sort.count();
        if count > NAMED {
            say(format!("codar: and {} more files {what}", count - NAMED));
        }
    }
    if tree.sources.is_empty() {
        say(format!(
            "codar: no Rust or Python file in {} (what is hidden or in a .gitignore is not read; --no-gitignore reads the latter)",
            printable(path)
        ));
    }
}

/// What a command prints, or why it failed.
fn run(command: &Command) -> Result<String, String> {
    match command {
        Command::Stats(place) => {
            let stats = Stats::of(&place.read(false)?);
            Ok(place.show(&stats, Stats::draw))
        }
        Command::Files { place, sort } => {
            let rows = overview::file_rows(&place.read(false)?, *sort);
            Ok(place.show(&rows, |rows| overview::draw_files(rows)))
        }
        Command::Strct { place, sort } => {
            let root = overview::full_structure(&place.read(false)?, *sort);
            let draw = |root: &overview::Node| overview::branch(root, Figures::Hidden).draw();
            Ok(place.show(&root, draw))
        }
        Command::Calls { place, sort } => {
            let rows = calls::calls(&place.read(true)?, *sort);
            Ok(place.show(&rows, |rows| calls::draw(rows)))
        }
        Command::Dead { place, sort, sure } => {
            let mut rows = dead::dead(&place.read(true)?, *sort);
            rows.retain(|row| row.verdict == Verdict::Unused || !sure);
            Ok(place.show(&rows, |rows| dead::draw(rows)))
        }
        Command::Readme {
            place, write, file, ..
        } => {
            let file = file.clone().unwrap_or_else(|| place.path.join("README.md"));
            let name = printable(&file);
            let text =
                std::fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
            let fresh = readme::written(&text, &place.read(false)?)
                .map_err(|error| format!("{name}: {error}"))?;
            if text == fresh {
                Ok(format!("{name} is fresh\n"))
            } else if *write {
                std::fs::write(&file, fresh).map_err(|error| format!("{name}: {error}"))?;
                Ok(format!("{name} is written\n"))
            } else {
                Err(format!(
                    "{name} is stale: codar readme --write makes it fresh"
                ))
            }
        }
    }
}

fn main() -> ExitCode {
    let result = run(&Options::parse().command);
    let printed = result.and_then(|text| {
        let mut out = anstream::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.to_string()),
            _ => Ok(()),
        }
    });
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(anstream::stderr(), "codar: {message}");
            ExitCode::FAILURE
        }
    }
}
