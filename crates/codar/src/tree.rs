//! # tree: all files of a folder
//!
//! **In:** a path. **Out:** a [`Tree`]: the files below it, taken apart, and what could not be. **Above:** the commands.
//! **Below:** [`source`](crate::source).
//!
//! Laws:
//! 1. What git ignores is not read, in a repository or out of one; nor what is hidden. Links are not followed, but for the path given.
//! 2. Files are sorted by folder and name, and the result is the same for any number of threads.
//! 3. One bad file stops nothing: it is counted and named.

use crate::language::Language;
use crate::lines::Lines;
use crate::source::{Queries, Source, Trouble};
use ignore::WalkBuilder;
use ignore::overrides::OverrideBuilder;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What to read.
#[derive(Debug)]
pub struct Wanted {
    /// a folder or a file
    pub path: PathBuf,
    /// patterns of what to leave out, as in a .gitignore
    pub ignore: Vec<String>,
    /// also read what git ignores
    pub no_gitignore: bool,
    /// find calls and names too
    pub uses: bool,
}

/// A folder's files.
#[derive(Debug)]
pub struct Tree {
    /// where it is
    pub root: PathBuf,
    /// what was read
    pub sources: Vec<Source>,
    /// what is wrong, by file
    pub troubles: Vec<(PathBuf, Trouble)>,
    /// a file, if there is one, of a language that may call Python's functions by names that are not seen here
    pub unseen: Option<PathBuf>,
}

/// Extensions of such files: C and its like, Cython, Fortran, compiled modules, notebooks.
const UNSEEN: [&str; 14] = [
    "c", "h", "cc", "cpp", "cxx", "hpp", "cu", "pyx", "pxd", "f", "f90", "so", "pyd", "ipynb",
];

/// A name for people: what would move a terminal's cursor is shown as a code.
pub fn printable(path: &Path) -> String {
    let name = path.to_string_lossy().replace('\\', "/");
    let show = |c: char| -> String {
        if c.is_control() {
            c.escape_default().collect()
        } else {
            c.into()
        }
    };
    name.chars().map(show).collect()
}

impl Tree {
    /// Reads a folder or a file.
    pub fn read(wanted: &Wanted) -> Result<Tree, String> {
        let name = printable(&wanted.path);
        let about = std::fs::metadata(&wanted.path).map_err(|error| format!("{name}: {error}"))?;
        let is_file = about.is_file();
        if is_file && Language::of(&wanted.path).is_none() {
            return Err(format!("{name}: neither a Rust nor a Python file"));
        }
        let mut troubles = vec![];
        let mut unseen = None;
        let (root, paths) = if is_file {
            let root = wanted.path.parent().unwrap_or(Path::new(""));
            let file = wanted.path.file_name().map(PathBuf::from);
            let paths: Vec<PathBuf> = file.into_iter().collect();
            (root.to_owned(), paths)
        } else {
            let all = files(wanted, &mut troubles)?;
            let is_unseen = |path: &&PathBuf| {
                let extension = path.extension().and_then(|extension| extension.to_str());
                extension.is_some_and(|extension| UNSEEN.contains(&extension))
            };
            unseen = all.iter().find(is_unseen).cloned();
            let ours = all.into_iter().filter(|path| Language::of(path).is_some());
            (wanted.path.clone(), ours.collect())
        };
        let queries = Queries::new();
        let mut sources = vec![];
        for (path, (source, trouble)) in paths.iter().zip(read_all(&root, &paths, &queries, wanted))
        {
            sources.extend(source);
            troubles.extend(trouble.map(|trouble| (path.clone(), trouble)));
        }
        Ok(Tree {
            root,
            sources,
            troubles,
            unseen,
        })
    }

    /// All lines.
    pub fn lines(&self) -> Lines {
        let mut all = Lines::default();
        for source in &self.sources {
            all += source.lines;
        }
        all
    }
}

/// Paths below a folder, from the folder, in order.
fn files(wanted: &Wanted, troubles: &mut Vec<(PathBuf, Trouble)>) -> Result<Vec<PathBuf>, String> {
    let root = &wanted.path;
    let mut left_out = OverrideBuilder::new(root);
    for pattern in &wanted.ignore {
        // There a pattern names what to take, and `!` turns it round.
        let turned = match pattern.strip_prefix('!') {
            Some(taken) => taken.to_owned(),
            None => format!("!{pattern}"),
        };
        left_out
            .add(&turned)
            .map_err(|error| format!("--ignore {pattern}: {error}"))?;
    }
    let left_out = left_out.build().map_err(|error| error.to_string())?;
    let mut walk = WalkBuilder::new(root);
    walk.overrides(left_out)
        .require_git(false)
        .follow_links(false);
    if wanted.no_gitignore {
        walk.git_ignore(false).git_exclude(false).git_global(false);
        walk.ignore(false).parents(false);
    }
    let mut paths = vec![];
    for entry in walk.build() {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
                paths.push(path.to_owned());
            }
            Ok(_) => {}
            Err(error) => {
                let why = error.to_string();
                troubles.push((PathBuf::new(), Trouble::Unread(why)));
            }
        }
    }
    paths.sort_by_cached_key(|path| {
        let folder = path.parent().map(Path::to_owned);
        (folder, path.file_name().map(ToOwned::to_owned))
    });
    Ok(paths)
}

type Read = (Option<Source>, Option<Trouble>);

/// Reads files on all processors; results in the order of the paths.
fn read_all(root: &Path, paths: &[PathBuf], queries: &Queries, wanted: &Wanted) -> Vec<Read> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = vec![];
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(at) else {
                return done;
            };
            done.push((at, read_one(root, path, queries, wanted.uses)));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(paths.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let join = |worker: std::thread::ScopedJoinHandle<Vec<(usize, Read)>>| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, read)| read).collect()
}

fn read_one(root: &Path, path: &Path, queries: &Queries, uses: bool) -> Read {
    let language = Language::of(path).expect("only such files are listed");
    match std::fs::read(root.join(path)) {
        Ok(bytes) => Source::read(path, language, &bytes, queries, uses),
        Err(error) => (None, Some(Trouble::Unread(error.to_string()))),
    }
}
