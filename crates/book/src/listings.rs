//! # listings: running what the chapters show
//!
//! **In:** the name of a listing, `ch01::strides`. **Out:** its code as the reader sees it, what it printed, and the values and pictures
//! that it made. **Law:** each listing runs once, in a process of its own (this program again, with `--listing`), with an environment
//! that has nothing from outside but what the listing asks for: so no listing can see that another one ran.

use anyhow::{Context, Result, bail, ensure};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};
use teenygrad_listings::{END, Listing, MARK, THEN};

/// What a listing did when it ran.
#[derive(Default, Debug)]
pub struct Run {
    /// what it printed, part by part; the first part has no name
    pub printed: Vec<(String, String)>,
    /// values by name
    pub values: BTreeMap<String, String>,
    /// pictures by name
    pub pictures: BTreeMap<String, String>,
    /// how long it took
    pub time: Duration,
}

/// A listing's code: the whole body, cut at `part!` lines.
#[derive(Debug)]
pub struct Code {
    /// the file it is in
    pub file: String,
    /// name, text, and where the text starts in the file
    pub parts: Vec<(String, String, usize)>,
}

/// Where listings are found and run. Remembers what has run.
pub struct Listings {
    root: PathBuf,
    program: PathBuf,
    runs: RefCell<HashMap<String, Rc<Run>>>,
}

impl Listings {
    /// Listings of the repository at `root`, run by `program` (this one).
    pub fn new(root: &Path, program: &Path) -> Listings {
        Listings {
            root: root.to_path_buf(),
            program: program.to_path_buf(),
            runs: RefCell::default(),
        }
    }

    /// Runs a listing, unless it has run already.
    pub fn run(&self, name: &str) -> Result<Rc<Run>> {
        if let Some(run) = self.runs.borrow().get(name) {
            return Ok(run.clone());
        }
        let listing = find(name)?;
        let run = Rc::new(
            self.start(listing)
                .with_context(|| format!("the listing {name}"))?,
        );
        self.runs.borrow_mut().insert(name.to_string(), run.clone());
        Ok(run)
    }

    fn start(&self, listing: &Listing) -> Result<Run> {
        let mut command = Command::new(&self.program);
        command
            .arg("--listing")
            .arg(listing.name)
            .current_dir(&self.root)
            .stdin(Stdio::null());
        for setting in [
            "DEBUG",
            "DEVICE",
            "VIZ",
            "WINO",
            "RAYON_NUM_THREADS",
            "RUST_BACKTRACE",
            "CI",
        ] {
            command.env_remove(setting);
        }
        command
            .env("NO_COLOR", "1")
            .envs(listing.settings.iter().copied());
        let start = Instant::now();
        let output = command.output().context("cannot start")?;
        let time = start.elapsed();
        let text = String::from_utf8(output.stderr).context("printed what is not UTF-8")?;
        ensure!(
            output.stdout.is_empty(),
            "something wrote to stdout behind the page's back: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        // 101 is how a program ends that panics; anything else (a signal, say) is no panic.
        match (output.status.code(), listing.panics) {
            (Some(0), false) | (Some(101), true) => {}
            (Some(0), true) => bail!("is meant to panic and did not"),
            _ => bail!("ended with {}:\n{text}", output.status),
        }
        let mut run = read(&text)?;
        run.time = time;
        Ok(run)
    }

    /// Every chapter's listings by name: `ch01` to `ch01::strides`, …
    pub fn of_chapter(chapter: &str) -> impl Iterator<Item = &'static Listing> {
        let prefix = format!("{chapter}::");
        teenygrad_listings::LISTINGS
            .iter()
            .filter(move |listing| listing.name.starts_with(&prefix))
    }

    /// A value (or a picture) by its chapter and name, from whichever listing of the chapter makes it.
    pub fn find_in_chapter(
        &self,
        name: &str,
        pick: fn(&Run) -> &BTreeMap<String, String>,
    ) -> Result<String> {
        let Some((chapter, short)) = name.split_once("::") else {
            bail!("{name} should be chNN::name");
        };
        let mut found = None;
        for listing in Listings::of_chapter(chapter) {
            if let Some(text) = pick(&*self.run(listing.name)?).get(short) {
                ensure!(found.is_none(), "two listings of {chapter} make {short}");
                found = Some(text.clone());
            }
        }
        found.with_context(|| format!("no listing of {chapter} makes {short}"))
    }

    /// How long each listing took, longest first.
    pub fn times(&self) -> Vec<(Duration, String)> {
        let mut times: Vec<_> = self
            .runs
            .borrow()
            .iter()
            .map(|(name, run)| (run.time, name.clone()))
            .collect();
        times.sort_by(|a, b| b.cmp(a));
        times
    }

    /// A listing's code, as it stands in its file.
    pub fn code(&self, name: &str) -> Result<Code> {
        find(name)?;
        let (chapter, function) = name
            .split_once("::")
            .context("a listing's name is chNN::name")?;
        let file = format!("book/listings/src/{chapter}.rs");
        let text = std::fs::read_to_string(self.root.join(&file)).with_context(|| file.clone())?;
        code(&text, function, &file)
    }
}

fn find(name: &str) -> Result<&'static Listing> {
    teenygrad_listings::find(name).with_context(|| {
        format!(
            "there is no listing {name} (a `pub fn` of the chapter's file in book/listings/src)"
        )
    })
}

/// Runs a listing in this process: what `--listing` means.
pub fn perform(name: &str) -> Result<()> {
    let listing = find(name)?;
    // The message without the thread's number, which differs from run to run, and the place without the path of this machine.
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let message = text
            .or(payload.downcast_ref::<&str>().copied())
            .unwrap_or("");
        match panic.location() {
            Some(at) => {
                let file = at.file();
                let file = file
                    .find("book/listings/")
                    .map_or(file, |start| &file[start..]);
                eprintln!(
                    "panicked at {file}:{}:{}:\n{message}",
                    at.line(),
                    at.column()
                );
            }
            None => eprintln!("panicked:\n{message}"),
        }
    }));
    (listing.run)();
    Ok(())
}

/// Takes a listing's stderr apart.
fn read(text: &str) -> Result<Run> {
    let mut run = Run {
        printed: vec![Default::default()],
        ..Run::default()
    };
    let mut pieces = text.split(MARK);
    run.printed[0].1.push_str(pieces.next().unwrap_or(""));
    for piece in pieces {
        let (mark, rest) = piece.split_once(END).context("a mark without an end")?;
        let fields: Vec<&str> = mark.split(THEN).collect();
        match fields[..] {
            ["part", name] => run.printed.push((name.to_string(), String::new())),
            ["value", name, value] => {
                let before = run.values.insert(name.to_string(), value.to_string());
                ensure!(
                    before.is_none_or(|before| before == value),
                    "the value {name} is made twice, and differs"
                );
            }
            ["picture", name, svg] => {
                run.pictures.insert(name.to_string(), svg.to_string());
            }
            _ => bail!("a mark that means nothing: {mark:?}"),
        }
        if let Some(last) = run.printed.last_mut() {
            last.1.push_str(rest);
        }
    }
    Ok(run)
}

/// The body of a function in a chapter's file, without the lines that only the book needs, cut into its parts.
fn code(text: &str, function: &str, file: &str) -> Result<Code> {
    let parsed = syn::parse_file(text).with_context(|| file.to_string())?;
    let item = parsed.items.iter().find_map(|item| match item {
        syn::Item::Fn(f) if f.sig.ident == function => Some(f),
        _ => None,
    });
    let item = item.with_context(|| format!("{file} has no function {function}"))?;
    let braces = item.block.brace_token.span;
    let body: Range<usize> = braces.open().byte_range().end..braces.close().byte_range().start;

    let mut parts: Vec<(String, String, usize)> = Vec::new();
    let mut current = (String::new(), String::new(), body.start);
    let mut at = body.start;
    let mut hook = false;
    for piece in text[body.clone()].split_inclusive('\n') {
        let start = at;
        at += piece.len();
        let trimmed = piece.trim();
        if let Some(name) = trimmed
            .strip_prefix("part!(\"")
            .and_then(|rest| rest.strip_suffix("\");"))
        {
            parts.push(std::mem::replace(
                &mut current,
                (name.to_string(), String::new(), at),
            ));
            continue;
        }
        hook |= trimmed.starts_with("value!(") || trimmed.starts_with("picture!(");
        if hook {
            hook = !trimmed.ends_with(';');
            continue;
        }
        if current.1.trim().is_empty() && !trimmed.is_empty() {
            current.2 = start;
        }
        current.1.push_str(
            piece
                .strip_prefix("    ")
                .unwrap_or(piece.trim_start_matches(' ')),
        );
    }
    parts.push(current);
    for part in &mut parts {
        part.1 = part.1.trim_matches('\n').trim_end().to_string();
    }
    Ok(Code {
        file: file.to_string(),
        parts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_printed_is_told_from_what_was_marked() {
        let text =
            format!("one\n{MARK}value{THEN}n{THEN}6{END}two\n{MARK}part{THEN}next{END}three\n");
        let run = read(&text).unwrap();
        let parts = [
            ("".to_string(), "one\ntwo\n".to_string()),
            ("next".to_string(), "three\n".to_string()),
        ];
        assert_eq!(run.printed, parts);
        assert_eq!(run.values["n"], "6");
        assert!(read(&format!("{MARK}value{THEN}n")).is_err());
    }

    #[test]
    fn code_is_shown_without_hooks_and_in_parts() {
        let text = "pub fn f() {\n    let x = 1;\n    value!(\n        \"x\",\n        x\n    );\n    part!(\"end\");\n    if x > 0 {\n        println!(\"{x}\");\n    }\n}\n";
        let code = code(text, "f", "ch99.rs").unwrap();
        assert_eq!(code.parts[0].1, "let x = 1;");
        assert_eq!(
            (code.parts[1].0.as_str(), code.parts[1].1.as_str()),
            ("end", "if x > 0 {\n    println!(\"{x}\");\n}")
        );
    }
}
