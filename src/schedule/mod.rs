//! # schedule: from the graph to few kernels
//!
//! **In:** the lazy buffers that somebody wants. **Out:** a [`Plan`]: kernels in an order in which each finds its inputs computed.
//! **Above:** `realize`. **Below:** `kernel`.
//!
//! ```text
//! targets ──snapshot──▶ Graph ──fuse──▶ which nodes become memory ──lower──▶ a kernel for each ──group──▶ fewer ──rows──▶ Plan
//! ```
//!
//! - [`graph`]: a snapshot of everything unrealized behind the targets, sources first, with a fingerprint of its structure.
//! - [`fuse`]: decides which nodes become memory ("roots"); all others live in registers of the kernels that use them.
//! - [`lower`]: writes the program of one root's kernel by walking from the root to the memory it reads, replaying movements on the way.
//! - `cache`: keeps plans for graphs of the same structure.
//! - [`group`]: makes one kernel with several outputs of neighbours over the same index space.
//! - [`rows`]: makes one kernel of what happens to each row: its maximum, its sum, and what is computed with them.
//! - `join`: what both of these ask before they make one kernel of two.
//!
//! Laws:
//! 1. Fusion never changes values but for rounding: an engine without fusion (the reference) gets the same graph, a kernel a node.
//! 2. A node is computed in one place, or else recomputing it costs less than storing it (see [`fuse`]).
//! 3. A plan refers to memory by number, not by address, and to constants as parameters: a graph of the same structure uses it again.

mod cache;
pub mod fuse;
pub mod graph;
pub mod group;
mod join;
pub mod lower;
pub mod rows;

use crate::device::{Device, Program};
use crate::kernel::{Body, Kernel};
use crate::lazy::LazyBuffer;
use cache::Cache;
use graph::{Graph, Snapshot};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

/// One kernel of a plan, with the numbers of the graph's nodes that it reads and writes.
pub struct Step {
    /// compiled for its device
    pub program: Box<dyn Program>,
    /// where it runs
    pub device: Device,
    /// node of each input
    pub inputs: Vec<usize>,
    /// node of each output
    pub outputs: Vec<usize>,
    /// what each parameter is
    pub params: Vec<ParamSource>,
    /// inputs into whose memory an output may be written
    pub in_place: Vec<(usize, usize)>,
}

/// Where a kernel's parameter comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamSource {
    /// the constant or key of this node
    Node(usize),
    /// always zero: what padding is filled with
    Zero,
}

/// Kernels in order. Nodes are numbered as in a [`Snapshot`] of the same fingerprint.
pub struct Plan {
    /// the kernels
    pub steps: Vec<Step>,
}

impl Plan {
    /// The kernels, for looking at: their number is what the scheduler's tests assert.
    pub fn kernels(&self) -> impl Iterator<Item = &Kernel> {
        self.steps.iter().map(|step| step.program.kernel())
    }
    /// How many kernels there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }
    /// About how much memory the plan takes.
    pub fn bytes(&self) -> usize {
        // Some kilobytes a kernel, its instructions (with their places in the engine), and the tables that grow with the problem.
        let lines = |step: &Step| match &step.program.kernel().body {
            Body::Nest(nest) => nest.lines.len(),
            Body::Scan { .. } | Body::Scatter { .. } | Body::Copy => 0,
        };
        self.steps
            .iter()
            .map(|step| 4096 + 256 * lines(step) + step.program.bytes())
            .sum()
    }
    /// Whether nothing needs to run.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// The plan for some targets, made anew: for tests and pictures. Nothing runs.
pub fn plan(targets: &[LazyBuffer]) -> Plan {
    build(&Graph::of(targets))
}

/// The same for a graph that somebody has already taken a snapshot of, with its numbers.
pub(crate) fn plan_of(graph: &Graph) -> Plan {
    build(graph)
}

/// The plan for a snapshot that was just taken, and whether it was made earlier, for a graph of the same structure.
pub(crate) fn cached(snapshot: &Snapshot) -> (Arc<Plan>, bool) {
    static CACHE: Mutex<Cache> = Mutex::new(Cache::new());
    let lock = || {
        CACHE
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    };
    if let Some(plan) = lock().find(snapshot.fingerprint) {
        return (plan, true);
    }
    let plan = Arc::new(build(&Graph::new(snapshot)));
    lock().keep(snapshot.fingerprint, plan.clone());
    (plan, false)
}

/// Decides, lowers, groups. Lowering may find that a node cannot live in registers after all (a movement that no single view can
/// express); such nodes are noted and everything starts again. Each round adds at least one, so it ends.
fn build(graph: &Graph) -> Plan {
    let mut forced = HashSet::new();
    loop {
        let decisions = fuse::decide(graph, &forced);
        let mut kernels = Vec::new();
        let mut stuck = Vec::new();
        for root in decisions.roots() {
            match lower::lower(graph, &decisions, &[root]) {
                Ok(kernel) => kernels.push(kernel),
                Err(node) => stuck.push(node),
            }
        }
        if stuck.is_empty() {
            let kernels = group::group(graph, &decisions, kernels);
            let kernels = rows::fuse(graph, kernels);
            if crate::helpers::debug() >= 3 {
                explain(graph, &decisions, &kernels);
            }
            return Plan {
                steps: kernels
                    .into_iter()
                    .map(|kernel| compile(graph, kernel))
                    .collect(),
            };
        }
        let before = forced.len();
        forced.extend(stuck);
        assert!(
            forced.len() > before,
            "a node that is memory cannot be stuck"
        );
    }
}

/// DEBUG=3: a line for each node at which the graph was cut, with the reason, and whether it really becomes memory: what only
/// kernels read that have joined its own stays in registers.
fn explain(graph: &Graph, decisions: &fuse::Decisions, kernels: &[lower::Lowered]) {
    let written: HashSet<usize> = kernels
        .iter()
        .flat_map(|kernel| kernel.outputs.iter().copied())
        .collect();
    for root in decisions.roots() {
        let fate = match written.contains(&root) {
            true => "becomes memory",
            false => "stays in registers",
        };
        let node = &graph.nodes[root];
        let (shape, op) = (node.shape(), node.op().expect("memory is no root"));
        let users: Vec<usize> = graph.uses(root).iter().map(|&(user, _)| user).collect();
        let reason = decisions.reason(root).expect("a root has a reason");
        eprintln!("cut: node {root} {op:?} {shape:?} {fate}: {reason:?}, used by {users:?}");
    }
}

fn compile(graph: &Graph, mut lowered: lower::Lowered) -> Step {
    let device = graph.nodes[lowered.outputs[0]].node.device();
    if let Body::Nest(nest) = &mut lowered.kernel.body
        && device.engine().fuses()
    {
        nest.join_multiply_adds(lowered.outputs.len());
    }
    if let Err(broken) = lowered.kernel.verify() {
        panic!(
            "the scheduler made an illegal kernel: {broken}\n{}",
            lowered.kernel
        );
    }
    let in_place = lowered.kernel.in_place();
    let program = device.engine().compile(lowered.kernel);
    Step {
        program,
        device,
        inputs: lowered.inputs,
        outputs: lowered.outputs,
        params: lowered.params,
        in_place,
    }
}
