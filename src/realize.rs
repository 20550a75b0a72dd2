//! # realize: the plan, carried out
//!
//! **In:** the lazy buffers that somebody wants now. **Out:** their nodes, turned into memory. **Above:** `tensor`. **Below:** `schedule`,
//! `device`.
//!
//! What happens to memory on the way:
//!
//! 1. Every node that the plan makes is given a buffer: a promise, without memory yet. From then on the node is that buffer and has let
//!    go of its sources, so a buffer lives exactly as long as someone may read it: a kernel still to run, a node that a tensor shows.
//! 2. Before a kernel runs, its outputs get memory: that of an input which nobody else holds and which the kernel reads only where it
//!    writes (so `p −= lr·g` updates p in place), or else a block from the pool.
//! 3. After a kernel has run, its hold on its inputs ends; what nobody holds goes back to the pool, for the next kernel.
//!
//! That is the whole memory plan: reference counts know the last reader, and the pool makes its memory the next writer's.
//! An assignment that still has a pending reader leaves two holders on the old buffer, and then point 2 does not apply: the reader gets
//! the old values, always.
//!
//! Law: one realize at a time in a process ([`Alone`]). Building graphs needs no lock; kernels use all threads anyway. A thread that wants a node that
//! another one is computing waits at the lock, since a buffer counts as realized only when it is written.

use crate::device::{Args, Buffer, Device, Param, Roof};
use crate::error::fail;
use crate::helpers::debug;
use crate::interrupt::{self, Computing};
use crate::lazy::{LazyBuffer, Op, State};
use crate::schedule::graph::{Alone, Graph, Snapshot};
use crate::schedule::{ParamSource, Plan, Step, cached};
use crate::shape::view::numel;
use crate::viz::watch;
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Once};
use std::time::Instant;

/// One kernel with the memory it will work on.
struct Launch {
    step: usize,
    inputs: Vec<Arc<Buffer>>,
    outputs: Vec<Arc<Buffer>>,
    params: Vec<Param>,
}

thread_local! {
    static KERNELS: Cell<u64> = const { Cell::new(0) };
}

/// How many kernels have been run because this thread asked for values.
pub fn kernels_on_this_thread() -> u64 {
    KERNELS.get()
}

/// Computes the nodes of these buffers, and all that they need. Returns when the memory is written.
pub fn run(targets: &[LazyBuffer]) {
    if targets
        .iter()
        .all(|target| target.realized().is_some() || target.base().as_const().is_some())
    {
        return;
    }
    let kernels = run_alone(targets);
    KERNELS.set(KERNELS.get() + kernels);
}

/// Panics for values that somebody wants and that a computation was stopped in the middle of.
pub(crate) fn lost(shape: &[usize]) -> ! {
    fail!(State: "realize", "values of shape {shape:?} were being computed when that computation was interrupted or failed, and are lost";
        "compute them anew")
}

/// The work of [`run`], one thread at a time; returns how many kernels it ran.
fn run_alone(targets: &[LazyBuffer]) -> u64 {
    let mut alone = Alone::wait();
    let start = Instant::now();
    let snapshot = Snapshot::take(&mut alone, targets);
    let (plan, seen_before) = cached(&snapshot);
    let nodes = snapshot.nodes.len();
    if debug() >= 5 {
        print_graph(&Graph::new(&snapshot));
    }
    watch::computation(&snapshot, &plan);
    let mut launches = bind(snapshot, &plan);
    let scheduled = start.elapsed();
    let mut totals = Totals::default();
    let _computing = Computing::start();
    while let Some(launch) = launches.pop_front() {
        let step = &plan.steps[launch.step];
        interrupt::checkpoint();
        totals.add(step, execute(step, launch));
    }
    if debug() >= 1 && !plan.is_empty() {
        let reuse = if seen_before { "reused" } else { "new" };
        let below = totals.share_below().map_or(String::new(), |share| {
            format!(
                ", {:.0} % of it below {:.0} % of the roofline",
                share * 100.0,
                LOW * 100.0
            )
        });
        eprintln!(
            "{:>4} kernels {:9.3} ms {:8.2} GFLOP/s{below}   {nodes} nodes scheduled in {:.3} ms ({reuse} plan)",
            plan.len(),
            totals.seconds * 1e3,
            totals.flops as f64 / totals.seconds.max(1e-9) * 1e-9,
            scheduled.as_secs_f64() * 1e3
        );
    }
    plan.len() as u64
}

/// Gives every node of the plan its buffer (point 1), and each step the buffers it works on. Ends the snapshot, so that only launches
/// and living nodes hold buffers.
fn bind(snapshot: Snapshot, plan: &Plan) -> VecDeque<Launch> {
    let nodes = &snapshot.nodes;
    let mut promised: Vec<Option<Arc<Buffer>>> = vec![None; nodes.len()];
    for &output in plan.steps.iter().flat_map(|step| &step.outputs) {
        let node = &nodes[output];
        let buffer = Buffer::promised(node.dtype(), numel(node.shape()), node.device());
        promised[output] = Some(Arc::new(buffer));
    }
    let get = |&index: &usize| match (&promised[index], &*nodes[index].read()) {
        (Some(buffer), _) => buffer.clone(),
        // Nobody else computes now (the law above): what is not written by now will never be.
        (None, State::Realized(buffer)) if !buffer.is_written() => lost(nodes[index].shape()),
        (None, State::Realized(buffer)) => buffer.clone(),
        (None, State::Lazy(..)) => {
            unreachable!("a kernel's buffers are memory or made by an earlier kernel")
        }
    };
    let param = |source: &ParamSource| match source {
        ParamSource::Zero => Param::Const(0.into()),
        ParamSource::Node(index) => match &*nodes[*index].read() {
            State::Lazy(Op::Const(value), _) => Param::Const(*value),
            State::Lazy(Op::Rand(key), _) => Param::Key(*key),
            State::Lazy(op, _) => unreachable!("{op:?} is no parameter"),
            State::Realized(_) => unreachable!("memory is no parameter"),
        },
    };
    let launches = plan
        .steps
        .iter()
        .enumerate()
        .map(
            |(
                step,
                Step {
                    inputs,
                    outputs,
                    params,
                    ..
                },
            )| Launch {
                step,
                inputs: inputs.iter().map(get).collect(),
                outputs: outputs.iter().map(get).collect(),
                params: params.iter().map(param).collect(),
            },
        )
        .collect();
    for (node, buffer) in nodes.iter().zip(promised) {
        if let Some(buffer) = buffer {
            node.set_realized(buffer);
        }
    }
    launches
}

/// Runs one kernel; returns the seconds it took.
fn execute(step: &Step, launch: Launch) -> f64 {
    let kernel = step.program.kernel();
    if debug() >= 4 {
        eprint!("{kernel}");
    }
    let Launch {
        mut inputs,
        outputs,
        params,
        ..
    } = launch;
    let mut input_pointers: Vec<Option<*const u8>> = vec![None; inputs.len()];
    let mut adopted = vec![false; outputs.len()];
    // Point 2: an output takes the memory of an input that dies here.
    for &(position, output) in &step.in_place {
        if adopted[output] || input_pointers[position].is_some() {
            continue;
        }
        let placeholder = outputs[output].clone();
        match Arc::try_unwrap(std::mem::replace(&mut inputs[position], placeholder)) {
            Ok(buffer) => {
                if let Some(memory) = buffer.into_memory() {
                    input_pointers[position] = Some(memory.as_ptr());
                    outputs[output].adopt(memory);
                    adopted[output] = true;
                }
            }
            Err(shared) => inputs[position] = shared,
        }
    }
    let output_pointers: Vec<*mut u8> = outputs.iter().map(|buffer| buffer.allocate()).collect();
    let input_pointers: Vec<*const u8> = inputs
        .iter()
        .zip(&input_pointers)
        .map(|(buffer, adopted)| adopted.unwrap_or_else(|| buffer.as_ptr()))
        .collect();
    let start = Instant::now();
    if outputs.iter().any(|buffer| !buffer.is_empty()) {
        step.program.run(&Args {
            inputs: &input_pointers,
            outputs: &output_pointers,
            params: &params,
        });
    }
    outputs.iter().for_each(|buffer| buffer.mark_written());
    let seconds = start.elapsed().as_secs_f64();
    if debug() >= 2 {
        let cost = kernel.cost();
        let share = roof(step.device).map_or(String::new(), |roof| {
            format!("{:5.0} %", roof.seconds(cost) / seconds * 100.0)
        });
        eprintln!(
            "*** {:<9} {:<32} {:>9.3} ms {:8.2} GFLOP/s {:7.2} GB/s {share}  {:>3} in {} out  {}",
            step.device.to_string(),
            kernel.name,
            seconds * 1e3,
            cost.flops as f64 / seconds * 1e-9,
            cost.bytes as f64 / seconds * 1e-9,
            kernel.inputs.len(),
            kernel.outputs.len(),
            step.program.strategy(),
        );
    }
    seconds
}

/// What a device could do at best, where DEBUG=2 wants to compare with it. The first time it is measured and told.
fn roof(device: Device) -> Option<Roof> {
    static TOLD: Once = Once::new();
    if debug() < 2 {
        return None;
    }
    let roof = device.engine().roof()?;
    TOLD.call_once(|| {
        eprintln!(
            "roofline of {device}: {:.1} GFLOP/s, {:.1} GB/s; kernels of fewer than {:.1} operations a byte are bound by memory. \
             Each line: name and sizes, time, both rates, and the share of the roofline (above 100 %: out of a cache)",
            roof.flops * 1e-9,
            roof.bytes * 1e-9,
            roof.ridge()
        );
    });
    Some(roof)
}

/// Kernels below this share of the roofline are worth a look.
const LOW: f64 = 0.25;

#[derive(Default)]
struct Totals {
    seconds: f64,
    flops: u64,
    /// seconds in kernels below [`LOW`], if the roofline is known
    low: Option<f64>,
}

impl Totals {
    fn add(&mut self, step: &Step, seconds: f64) {
        let cost = step.program.kernel().cost();
        self.seconds += seconds;
        self.flops += cost.flops;
        if let Some(roof) = roof(step.device) {
            let is_low = roof.seconds(cost) < LOW * seconds;
            *self.low.get_or_insert(0.0) += if is_low { seconds } else { 0.0 };
        }
    }

    /// Which share of the time went into kernels below [`LOW`].
    fn share_below(&self) -> Option<f64> {
        Some(self.low? / self.seconds.max(1e-9))
    }
}

fn print_graph(graph: &Graph) {
    for (i, node) in graph.nodes.iter().enumerate() {
        let sources: Vec<String> = graph
            .sources(i)
            .iter()
            .map(|s| format!("{}{}", s.index, if s.path.is_some() { "'" } else { "" }))
            .collect();
        let what = node
            .op()
            .map_or("memory".to_string(), |op| format!("{op:?}"));
        eprintln!(
            "{i:>5} {:<9} {:?} {what} ({})",
            node.node.dtype(),
            node.shape(),
            sources.join(", ")
        );
    }
}
