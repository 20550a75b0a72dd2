//! # exercises: one after the other
//!
//! `cargo run -p teenygrad-exercises` runs the exercises' tests in order and stops at the first that fails: that one is next. The file
//! to edit is `tests/NAME.rs`; `--hint` shows a hint, `--hint 2` the next. Solutions are in `book/solutions`, for afterwards.
//!
//! An exercise is four files of one name: `tests/NAME.rs` with a hole, `checks/NAME.rs` with the tests, `hints/NAME.md`, and
//! `book/solutions/tests/NAME.rs`, the same file without the hole. Both include the same checks.

use clap::Parser;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::{fs, io};

/// Leads through the exercises of the book.
#[derive(Parser)]
struct Options {
    /// Only this exercise (its name, or the beginning of it)
    name: Option<String>,
    /// Show a hint instead of what failed; later ones say more
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, default_missing_value = "1")]
    hint: Option<usize>,
    /// List the exercises
    #[arg(long)]
    list: bool,
    /// For those who add exercises: every one must compile, fail while it has its hole, and have checks, hints and a solution
    #[arg(long)]
    verify: bool,
    /// Another package to select while building, so that cargo reuses the library as it built it for that one
    #[arg(long, value_name = "PACKAGE")]
    with: Option<String>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<bool> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = names(&folder.join("tests"), "rs")?;
    let prefix = options.name.as_deref().unwrap_or("");
    let chosen: Vec<&String> = all.iter().filter(|name| name.starts_with(prefix)).collect();
    if chosen.is_empty() {
        eprintln!(
            "There is no exercise {prefix}. There are: {}",
            all.join(", ")
        );
        return Ok(false);
    }
    if options.list {
        for name in &all {
            println!("{name}");
        }
        return Ok(true);
    }
    if options.verify {
        return verify(&all, options.with.as_deref());
    }
    for (position, name) in chosen.iter().enumerate() {
        let output = test(name, options.with.as_deref())?;
        if output.status.success() {
            println!("✓ {name}");
            continue;
        }
        println!("▶ {name} ({} of {})", position + 1, chosen.len());
        println!("  edit book/exercises/tests/{name}.rs until its tests pass\n");
        match options.hint {
            Some(number) => hint(folder, name, number)?,
            None => {
                println!("{}", what_failed(&output));
                println!("\n  cargo run -p teenygrad-exercises -- --hint   shows a hint");
            }
        }
        return Ok(false);
    }
    println!("All exercises are solved.");
    Ok(true)
}

/// Runs the tests of one exercise. They are marked as ignored, so that a plain `cargo test` of everything passes over them.
fn test(name: &str, with: Option<&str>) -> io::Result<Output> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--quiet", "--package", "teenygrad-exercises"]);
    if let Some(package) = with {
        command.args(["--package", package]);
    }
    command
        .args(["--test", name, "--", "--include-ignored"])
        .env_remove("RUST_BACKTRACE")
        .output()
}

/// What the compiler or the tests said, without what only cargo wants to say.
fn what_failed(output: &Output) -> String {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_string();
    let (tests, compiler) = (said(&output.stdout), said(&output.stderr));
    let text = if tests.contains("panicked") {
        tests
    } else {
        compiler
    };
    text.lines()
        .filter(|line| !line.starts_with("note: run with") && !line.starts_with("To rerun"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A hint from `hints/NAME.md`, where a line of dashes is between one and the next.
fn hint(folder: &Path, name: &str, number: usize) -> io::Result<()> {
    let text = fs::read_to_string(folder.join("hints").join(format!("{name}.md")))?;
    let hints: Vec<&str> = text.split("\n---\n").map(str::trim).collect();
    let index = number.clamp(1, hints.len()) - 1;
    println!("Hint {} of {}: {}", index + 1, hints.len(), hints[index]);
    Ok(())
}

/// The names of the files in a folder, without the ending, in order.
fn names(folder: &Path, ending: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == ending)
            && let Some(stem) = path.file_stem()
        {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn verify(all: &[String], with: Option<&str>) -> io::Result<bool> {
    let mut right = true;
    for name in all {
        let output = test(name, with)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        // It must have come as far as running tests: what does not compile gives its reader nothing to begin with.
        let problem = if output.status.success() {
            Some("passes although nobody has solved it")
        } else if !said.contains("test result: FAILED") {
            Some("does not compile")
        } else {
            None
        };
        match problem {
            Some(problem) => eprintln!("{name} {problem}\n{}", what_failed(&output)),
            None => println!("{name} waits to be solved"),
        }
        right &= problem.is_none();
    }
    Ok(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// The folders that must hold one file for each exercise.
    fn companions(folder: &Path) -> [(PathBuf, &'static str); 3] {
        [
            (folder.join("checks"), "rs"),
            (folder.join("hints"), "md"),
            (folder.join("../solutions/tests"), "rs"),
        ]
    }

    #[test]
    fn every_exercise_has_checks_hints_and_a_solution() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let all = names(&folder.join("tests"), "rs").unwrap();
        assert!(!all.is_empty());
        for (companion, ending) in companions(folder) {
            assert_eq!(
                names(&companion, ending).unwrap(),
                all,
                "in {}",
                companion.display()
            );
        }
    }

    #[test]
    fn exercise_and_solution_include_the_same_checks() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in names(&folder.join("tests"), "rs").unwrap() {
            let exercise = fs::read_to_string(folder.join(format!("tests/{name}.rs"))).unwrap();
            let solution =
                fs::read_to_string(folder.join(format!("../solutions/tests/{name}.rs"))).unwrap();
            assert!(
                exercise.contains(&format!("#[path = \"../checks/{name}.rs\"]")),
                "{name}"
            );
            assert!(
                solution.contains(&format!("#[path = \"../../exercises/checks/{name}.rs\"]")),
                "{name}"
            );
            assert!(exercise.contains("todo!("), "{name} has no hole");
            assert!(!solution.contains("todo!("), "{name} is not solved");
        }
    }

    #[test]
    fn hints_are_told_one_at_a_time() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in names(&folder.join("tests"), "rs").unwrap() {
            let text = fs::read_to_string(folder.join(format!("hints/{name}.md"))).unwrap();
            assert!(
                text.split("\n---\n").all(|hint| !hint.trim().is_empty()),
                "{name}"
            );
        }
    }
}
