//! # schedule/fuse: which nodes become memory
//!
//! **In:** a [`Graph`]. **Out:** [`Decisions`]: for each node whether it is a *root* (a kernel writes it to memory) or lives in registers
//! of the kernels that use it, and which reductions sit in which kernel.
//!
//! Memory is slow and arithmetic is nearly free: a core multiplies 64 numbers in the time in which it gets one from memory. So
//! nothing becomes memory without a reason. The reasons, in the order in which they are checked:
//!
//! 1. Somebody asked for it, or the op has a kernel of its own (scan, scatter, copies), or is read at computed addresses (gather's table).
//! 2. **It would be computed many times**: its user sees it through an expand or overlapping windows, so that each element is used
//!    again and again. (`x − mean(x)`: the mean is one number for a whole row. A matmul's operands are used once for each row or
//!    column of the result.)
//! 3. **Several kernels use it** and reading it costs less than recomputing it. With s kernels and l arrays read to compute it, inlining
//!    reads s·l arrays; a root reads l, writes 1 and is read s times: inline as long as s·l ≤ l + 1 + s, and it is cheap to compute.
//! 4. It is a reduction, unless it can be an *epilogue's* source: all its users are element-wise, in one kernel, over the reduction's own
//!    index space (or less of it, if there is one user). Then they are computed right after the sum, in the same kernel (`sum(x)/n`, `relu(x @ w + b)`).
//! 5. Its kernel would grow beyond what registers and readers can hold.
//!
//! A sum of a sum is one sum over more axes, also when there is a movement in between that leaves the inner sum's axes alone. That is how the
//! gradient of a convolution becomes a single contraction: see [`fold`](crate::mlops::movement::fold).

use super::graph::{Edge, Graph, Kind};
use crate::dtype::DType;
use crate::lazy::Op;
use crate::ops::{BinaryOps, ReduceOps, UnaryOps};
use crate::shape::path::Move;
use crate::shape::view::{Bound, Remap, View, numel};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Reason 5: so many instructions at the most.
const MAX_INSTRUCTIONS: usize = 200;
/// Reason 3: so many additions at each point (0.06 ns each, in cache) take about as long as writing an array and reading it again. With 16,
/// gelu's intermediate results were written out for its gradient.
const RECOMPUTED: usize = 32;
/// Reason 2 does not hold for a node whose users see at most so many times its elements.
const REUSE: f64 = 1.25;
/// If each is seen at most once, the rest is padding, where computing is wasted but reading memory would be too.
const SPREAD: f64 = 4.0;

/// Why a node becomes memory: the reasons of the module's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// somebody wants its values
    Asked,
    /// its device runs every node by itself
    Unfused,
    /// its op is a kernel of its own
    OwnKernel,
    /// it is read as memory: at computed addresses, or by an op that is a kernel of its own
    ReadAsMemory,
    /// each element is used again and again
    Reused,
    /// several kernels use it, and recomputing costs more than reading
    Shared,
    /// a reduction whose users are not all in one epilogue
    Reduction,
    /// its kernel would grow too long
    TooLong,
    /// the movements on top of it make no single view of what it is computed from
    Movement,
}

/// The outcome.
pub struct Decisions {
    root: Vec<Option<Reason>>,
    /// for each kernel that reduces: the reductions in it
    reduces_in: HashMap<usize, Vec<usize>>,
    /// reductions that are merged into the reduction that uses them
    merged: HashSet<usize>,
}

impl Decisions {
    /// The nodes that become memory, sources first.
    pub fn roots(&self) -> impl Iterator<Item = usize> {
        self.root
            .iter()
            .enumerate()
            .filter(|(_, root)| root.is_some())
            .map(|(index, _)| index)
    }
    /// Whether a node becomes memory.
    pub fn is_root(&self, index: usize) -> bool {
        self.root[index].is_some()
    }
    /// Why a node becomes memory, if it does.
    pub fn reason(&self, index: usize) -> Option<Reason> {
        self.root[index]
    }
    /// Whether a reduction is part of the reduction that uses it.
    pub fn is_merged(&self, index: usize) -> bool {
        self.merged.contains(&index)
    }
}

/// A place where a node's value is computed: in the kernel of this root, and whether in its inner loop.
type Site = (usize, bool);

/// For each node its places, sorted: one after the other in one vector, as most nodes have only one.
struct Sites {
    all: Vec<Site>,
    of: Vec<Range<usize>>,
}

impl Sites {
    fn of(&self, node: usize) -> &[Site] {
        &self.all[self.of[node].clone()]
    }
    fn set(&mut self, node: usize, places: &[Site]) {
        let start = self.all.len();
        self.all.extend_from_slice(places);
        self.of[node] = start..self.all.len();
    }
}

/// Decides. `forced` are nodes that lowering could not inline.
pub fn decide(graph: &Graph, forced: &HashSet<usize>) -> Decisions {
    let n = graph.nodes.len();
    let must: Vec<Option<Reason>> = (0..n).map(|i| must_be_root(graph, i, forced)).collect();
    let too_large = weigh(graph, &must);
    let mut decisions = Decisions {
        root: vec![None; n],
        reduces_in: HashMap::new(),
        merged: HashSet::new(),
    };
    let mut sites = Sites {
        all: Vec::with_capacity(n),
        of: vec![0..0; n],
    };
    let mut seen: Vec<Site> = Vec::new();
    // Whether everything between this node and its kernel's output only renumbers elements or leaves some out.
    let mut once = vec![true; n];
    let mut contraction_in: HashSet<usize> = HashSet::new();
    // Users before sources: when a node's turn comes, it is known where its users are computed.
    for i in (0..n).rev() {
        let node = &graph.nodes[i];
        let Kind::Op(op) = &node.kind else { continue };
        seen.clear();
        let uses = graph.uses(i);
        for &(user, position) in uses {
            let inner = matches!(graph.nodes[user].op(), Some(Op::Reduce(..)));
            match decisions.is_root(user) {
                true => seen.push((user, inner)),
                false if inner => seen.extend(sites.of(user).iter().map(|&(root, _)| (root, true))),
                false => seen.extend_from_slice(sites.of(user)),
            }
            let edge = &graph.sources(user)[position];
            once[i] &= comes_once(graph, edge, uses.len() == 1)
                && (decisions.is_root(user) || once[user])
                && !inner;
        }
        seen.sort_unstable();
        seen.dedup();
        let mut epilogue = || {
            let once = once[i];
            joins_epilogue(graph, &mut decisions, &mut contraction_in, i, &seen, once)
        };
        let reason = match op {
            _ if must[i].is_some() => must[i],
            _ if too_large[i] => Some(Reason::TooLong),
            Op::Const(_) | Op::Iota => None,
            Op::Rand(_) => (seen.len() > 1).then_some(Reason::Shared),
            Op::Reduce(..) if merges(graph, i) => {
                decisions.merged.insert(i);
                None
            }
            Op::Reduce(..) => (!epilogue()).then_some(Reason::Reduction),
            Op::Unary(_) | Op::Binary(_) | Op::Ternary(_) | Op::Gather(_) => {
                let costly = seen.len() > 1 && !cheap(graph, &must, i, seen.len());
                (costly && !is_product(graph, i)).then_some(Reason::Shared)
            }
            Op::Empty | Op::Contiguous | Op::From | Op::Scatter(_) | Op::Scan(..) => {
                Some(Reason::OwnKernel)
            }
        };
        if reason.is_some() && matches!(op, Op::Reduce(..)) {
            decisions.reduces_in.insert(i, vec![i]);
        }
        decisions.root[i] = reason;
        sites.set(i, &seen);
    }
    decisions
}

/// Reasons 1 and 2.
fn must_be_root(graph: &Graph, i: usize, forced: &HashSet<usize>) -> Option<Reason> {
    let node = &graph.nodes[i];
    let op = node.op()?;
    if graph.targets.contains(&i) {
        return Some(Reason::Asked);
    }
    if forced.contains(&i) {
        return Some(Reason::Movement);
    }
    let memory = |&(user, position): &(usize, usize)| needs_memory(graph, user, position);
    let uses = graph.uses(i);
    if uses.iter().any(memory) {
        return Some(Reason::ReadAsMemory);
    }
    if matches!(op, Op::Const(_) | Op::Iota) {
        return None;
    }
    if !node.node.device().engine().fuses() {
        return Some(Reason::Unfused);
    }
    let repeats = |&(user, position): &(usize, usize)| {
        let edge = &graph.sources(user)[position];
        let Some(path) = &edge.path else {
            return false; // each once
        };
        let limit = if is_injective(path.view()) {
            SPREAD
        } else {
            REUSE
        };
        edge.numel(graph) as f64 > limit * node.numel() as f64
    };
    let reused = uses.iter().any(repeats) && !free_to_repeat(graph, i) && !merges(graph, i);
    reused.then_some(Reason::Reused)
}

/// Whether a user reads this source as memory, not as a value.
fn needs_memory(graph: &Graph, user: usize, position: usize) -> bool {
    match graph.nodes[user].op() {
        Some(Op::Scan(..) | Op::Scatter(_) | Op::From) => true,
        Some(Op::Gather(_)) => position == 0,
        Some(
            Op::Const(_)
            | Op::Iota
            | Op::Rand(_)
            | Op::Empty
            | Op::Contiguous
            | Op::Unary(_)
            | Op::Binary(_)
            | Op::Ternary(_)
            | Op::Reduce(..),
        )
        | None => false,
    }
}

/// Positions and constants, also cast, or memory of a half type widened: repeating that is no dearer than reading it. (But a causal mask is: it
/// compares two arrays of int64, for each head of each sequence anew. Read from memory, it takes a twentieth of that.)
fn free_to_repeat(graph: &Graph, i: usize) -> bool {
    match graph.nodes[i].op() {
        Some(Op::Const(_) | Op::Iota) => true,
        Some(Op::Unary(UnaryOps::Cast(dtype))) => {
            let edge = &graph.sources(i)[0];
            let source = &graph.nodes[edge.index];
            match source.op() {
                Some(Op::Const(_) | Op::Iota) => true,
                Some(_) => false,
                None => {
                    let widened = matches!(dtype, DType::Float32 | DType::Float64);
                    widened && edge.path.is_none() && source.node.dtype().is_float()
                }
            }
        }
        _ => false,
    }
}

/// Counts instructions, sources first; a node whose kernel would grow too large is memory, and what uses it starts from scratch (reason 5).
fn weigh(graph: &Graph, must: &[Option<Reason>]) -> Vec<bool> {
    let mut lines: Vec<usize> = Vec::with_capacity(graph.nodes.len());
    let mut too_large = vec![false; graph.nodes.len()];
    for (i, node) in graph.nodes.iter().enumerate() {
        let below = |source: &Edge| match is_inlined(graph, must, source.index)
            && !too_large[source.index]
        {
            true => lines[source.index],
            false => 1,
        };
        let total = 1 + graph.sources(i).iter().map(below).sum::<usize>();
        // A reduction's lines count for its kernel, whose epilogue comes on top; an element-wise node's for all users.
        if total > MAX_INSTRUCTIONS && node.op().is_some() {
            too_large[i] = !matches!(node.op(), Some(Op::Const(_) | Op::Iota));
        }
        lines.push(total);
    }
    too_large
}

/// Whether a node may live in registers of whoever uses it, as far as its op and what must be memory tell.
fn is_inlined(graph: &Graph, must: &[Option<Reason>], i: usize) -> bool {
    let inlined = matches!(
        graph.nodes[i].op(),
        Some(
            Op::Unary(_) | Op::Binary(_) | Op::Ternary(_) | Op::Gather(_) | Op::Const(_) | Op::Iota
        )
    );
    inlined && must[i].is_none()
}

/// What an op costs at each point, in additions.
fn work(op: Option<&Op>) -> usize {
    match op {
        None | Some(Op::Const(_) | Op::Iota) => 0,
        Some(Op::Rand(_)) => 12,
        Some(Op::Unary(UnaryOps::Exp2 | UnaryOps::Log2 | UnaryOps::Sin)) => 4,
        Some(
            Op::Unary(UnaryOps::Sqrt | UnaryOps::Recip)
            | Op::Binary(BinaryOps::Div | BinaryOps::Mod),
        ) => 2,
        Some(Op::Binary(BinaryOps::Pow)) => 40,
        Some(Op::Gather(_)) => 8,
        Some(_) => 1,
    }
}

/// Reason 3: whether computing a node in each of `sites` kernels costs less than one more array. Each op and each array behind it counts once,
/// however often it is used on the way: `x · x` reads x once.
fn cheap(graph: &Graph, must: &[Option<Reason>], i: usize, sites: usize) -> bool {
    let (mut behind, mut at) = (vec![i], 0);
    let (mut total, mut loads) = (0, 0);
    while at < behind.len() {
        let node = &graph.nodes[behind[at]];
        if at > 0 && !is_inlined(graph, must, behind[at]) {
            let small = node.numel() * 16 <= graph.nodes[i].numel();
            loads += !small as usize;
        } else {
            total += work(node.op());
            for source in graph.sources(behind[at]) {
                if !behind.contains(&source.index) {
                    behind.push(source.index);
                }
            }
        }
        if total * (sites - 1) > RECOMPUTED || sites * loads > loads + 1 + sites {
            return false;
        }
        at += 1;
    }
    true
}

/// The product in a contraction: never memory, whoever else uses it.
fn is_product(graph: &Graph, i: usize) -> bool {
    let mut uses = graph.uses(i).iter();
    uses.any(|&(user, _)| is_contraction(graph, user))
}

/// SUM(MUL(a, b)) where each element of a meets several of b, and the other way round.
fn is_contraction(graph: &Graph, i: usize) -> bool {
    let Some(Op::Reduce(ReduceOps::Sum, _)) = graph.nodes[i].op() else {
        return false;
    };
    let at = graph.sources(i)[0].index;
    let product = &graph.nodes[at];
    matches!(product.op(), Some(Op::Binary(BinaryOps::Mul)))
        && product.node.dtype().is_float()
        && graph
            .sources(at)
            .iter()
            .all(|source| graph.nodes[source.index].numel() as f64 * REUSE < product.numel() as f64)
}

/// Reason 4, first exception: a sum that only another sum uses becomes part of it, unless that multiplies the work.
fn merges(graph: &Graph, i: usize) -> bool {
    let node = &graph.nodes[i];
    let (Some(Op::Reduce(ReduceOps::Sum, axes)), [(user, _)]) = (node.op(), graph.uses(i)) else {
        return false;
    };
    let Some(Op::Reduce(ReduceOps::Sum, _)) = graph.nodes[*user].op() else {
        return false;
    };
    if !node.node.device().engine().fuses() {
        return false;
    }
    let source = &graph.sources(i)[0];
    let shape = source.view(graph).shape;
    let length: usize = axes.iter().map(|&axis| shape[axis]).product();
    let (alone, together) = (
        source.numel(graph),
        graph.sources(*user)[0].numel(graph) * length,
    );
    if is_contraction(graph, i) {
        // Only with the sum of a fold, which leaves a contraction. (The sum of all elements of a matmul would be no contraction any more.)
        // A fold counts its margins too: up to four times the products, and still less than writing them all out.
        let folds = !graph.sources(*user)[0].view(graph).bounds.is_empty();
        folds && together <= 4 * alone
    } else {
        together as f64 <= REUSE * alone as f64
    }
}

/// Reason 4, second exception: all users are in the epilogue of one kernel that has no other reduction, or only such as run over the same axes.
fn joins_epilogue(
    graph: &Graph,
    decisions: &mut Decisions,
    contraction_in: &mut HashSet<usize>,
    i: usize,
    seen: &[Site],
    once: bool,
) -> bool {
    let &[(root, false)] = seen else {
        return false;
    };
    if !once
        || !matches!(
            graph.nodes[root].op(),
            Some(Op::Unary(_) | Op::Binary(_) | Op::Ternary(_) | Op::Contiguous)
        )
    {
        return false;
    }
    let there = decisions.reduces_in.entry(root).or_default();
    let alike = there
        .iter()
        .all(|&other| lengths(graph, other) == lengths(graph, i));
    let contraction = is_contraction(graph, i);
    if !alike || (!there.is_empty() && (contraction || contraction_in.contains(&root))) {
        return false;
    }
    there.push(i);
    if contraction {
        contraction_in.insert(root);
    }
    true
}

/// The sizes of the axes that a reduction runs over.
fn lengths(graph: &Graph, i: usize) -> Vec<usize> {
    match graph.nodes[i].op() {
        Some(Op::Reduce(_, axes)) => {
            let shape = graph.sources(i)[0].view(graph).shape;
            axes.iter().map(|&axis| shape[axis]).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether no two indices lead to one address, as far as the strides tell: each is farther than all smaller ones reach together. Indices in
/// the padding lead nowhere.
fn is_injective(view: &View) -> bool {
    let inside = |axis: usize| {
        let own =
            |bound: &&Bound| (0..view.shape.len()).all(|i| (bound.coefs[i] != 0) == (i == axis));
        let steps = view
            .bounds
            .iter()
            .filter(own)
            .map(|bound| bound.size.div_ceil(bound.coefs[axis].unsigned_abs()));
        steps.fold(view.shape[axis], usize::min)
    };
    let mut steps: Vec<(usize, usize)> = (0..view.shape.len())
        .map(|axis| (view.strides[axis].unsigned_abs(), inside(axis)))
        .filter(|&(_, size)| size > 1)
        .collect();
    steps.sort_unstable();
    let mut reach = 0;
    steps.into_iter().all(|(stride, size)| {
        let beyond = stride > reach;
        reach += stride * (size - 1);
        beyond
    })
}

/// Whether every element of the source comes through the edge exactly once, or, for its only user, at most once. What that user leaves
/// out need not be computed: the gradient of a padded image is a sum for each pixel, but not for those of the margin.
fn comes_once(graph: &Graph, edge: &Edge, only_user: bool) -> bool {
    if edge.path.is_none() {
        return true;
    }
    let mut shape = graph.nodes[edge.index].shape().to_vec();
    edge.moves().iter().all(|movement| {
        let before = std::mem::replace(&mut shape, movement.shape().to_vec());
        match movement {
            Move::Reshape(_) => true,
            Move::Remap(remap) => {
                renumbers(remap, &before) && (only_user || numel(&remap.shape) == numel(&before))
            }
        }
    })
}

/// Whether a remap only permutes, turns and thins out axes: each old axis follows one new axis or stands still, each new one leads one old.
fn renumbers(remap: &Remap, old: &[usize]) -> bool {
    let mut led: Vec<usize> = Vec::new();
    for (_, coefs) in remap.rows() {
        let leads = |&axis: &usize| coefs[axis] != 0 && remap.shape[axis] != 1;
        let mut leaders = (0..coefs.len()).filter(leads);
        led.extend(leaders.next());
        if leaders.next().is_some() {
            return false;
        }
    }
    led.sort_unstable();
    let each = (0..remap.shape.len()).filter(|&axis| remap.shape[axis] != 1);
    led.into_iter().eq(each) && !remap.leaves(old)
}
