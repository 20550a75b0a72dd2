//! # viz/watch: pictures of a program as it runs
//!
//! **In:** what is about to be computed, what a backward has walked. **Out:** files. **Above:** `realize` and `backward`, which call in here.
//!
//! `VIZ=folder` in the environment makes the folder and writes into it, numbered in the order in which things happen:
//!
//! ```text
//! 001-autograd.svg    the graph that the first backward walked, with the gradients' shapes
//! 002-lazy.svg        what the first computation was asked for
//! 003-kernels.svg     what it became
//! ```
//!
//! Laws:
//! 1. A structure is drawn once: a training loop gives the pictures of its first steps and no more.
//! 2. At most 200 files are written, each whole or not at all ([`files`](crate::nn::files)). Files of an earlier run with the same numbers
//!    are replaced.
//! 3. A folder that can't be written to is told on stderr, once; the program goes on without pictures.

use super::diagram::Diagram;
use super::{Graph as Autograd, Picture, graphs};
use crate::schedule::Plan;
use crate::schedule::graph::{Graph, Snapshot};
use crate::shape::fingerprint::Fingerprint;
use std::collections::HashSet;
use std::hash::Hash;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

/// So many pictures are written by one process.
const MOST: usize = 200;

/// The folder, and what has been drawn.
struct Album {
    folder: PathBuf,
    written: usize,
    seen: HashSet<u128>,
    /// a file could not be written, or there are enough
    closed: bool,
}

/// What `VIZ` asks for, if it is set and not empty.
fn album() -> Option<&'static Mutex<Album>> {
    static ALBUM: OnceLock<Option<Mutex<Album>>> = OnceLock::new();
    let open = || {
        let folder = PathBuf::from(std::env::var_os("VIZ").filter(|folder| !folder.is_empty())?);
        let closed = match std::fs::create_dir_all(&folder) {
            Ok(()) => {
                eprintln!("VIZ: pictures go to {}", folder.display());
                false
            }
            Err(error) => {
                eprintln!(
                    "VIZ: cannot make the folder {}: {error}; no pictures are drawn",
                    folder.display()
                );
                true
            }
        };
        Some(Mutex::new(Album {
            folder,
            written: 0,
            seen: HashSet::new(),
            closed,
        }))
    };
    ALBUM.get_or_init(open).as_ref()
}

impl Album {
    /// Whether this structure is to be drawn.
    fn wants(&mut self, structure: u128) -> bool {
        !self.closed && self.seen.insert(structure)
    }

    fn add(&mut self, name: &str, mut diagram: Diagram) {
        if self.closed {
            return;
        }
        self.written += 1;
        diagram.title = format!("{} {}", self.written, diagram.title);
        let picture = Picture::of(diagram);
        let path = self.folder.join(format!("{:03}-{name}.svg", self.written));
        if let Err(error) = picture.save(&path) {
            eprintln!("VIZ: {error}\nVIZ: no more pictures are drawn");
            self.closed = true;
        } else if self.written == MOST {
            eprintln!(
                "VIZ: {MOST} pictures are in {}; no more are drawn",
                self.folder.display()
            );
            self.closed = true;
        }
    }
}

fn with<T>(work: impl FnOnce(&mut Album) -> T) -> Option<T> {
    let album = album()?;
    Some(work(
        &mut album
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()),
    ))
}

/// Draws what is about to be computed.
pub(crate) fn computation(snapshot: &Snapshot, plan: &Plan) {
    with(|album| {
        if !plan.is_empty() && album.wants(snapshot.fingerprint) {
            let graph = Graph::new(snapshot);
            album.add("lazy", graphs::lazy(&graph, &[]));
            album.add("kernels", graphs::kernels(&graph, plan));
        }
    });
}

/// The graph that a backward is about to walk (and free), if it is to be drawn afterwards: when there are gradients.
pub(crate) fn before_backward(loss: &crate::Tensor) -> Option<Autograd> {
    with(|album| {
        let graph = (!album.closed).then(|| Autograd::of(loss))?;
        let mut structure = Fingerprint::default();
        for made in &graph.tensors {
            let lazydata = made.tensor.lazydata();
            (made.function, made.parents.len(), lazydata.dtype()).hash(&mut structure);
            lazydata.shape().hash(&mut structure);
        }
        album.wants(structure.bits()).then_some(graph)
    })?
}

/// Draws it.
pub(crate) fn after_backward(graph: &Autograd) {
    with(|album| album.add("autograd", graphs::autograd(graph)));
}
