//! # A small scheduler
//!
//! Here is a graph in its barest form: nodes, each with the numbers of its sources, which come before it. Decide which nodes become memory, by
//! three rules:
//!
//! 1. What was asked for becomes memory.
//! 2. A reduction becomes memory if more than one kernel needs it. If one does, it is computed there, and what uses it is its epilogue.
//! 3. Something element-wise becomes memory if several kernels need it, and computing it in each would move more arrays than writing it once.
//!
//! What becomes memory is a kernel of its own. Go through the nodes from the last to the first: when a node's turn comes, all its users have
//! been decided, and so it is known which kernels need it.

use std::collections::BTreeSet;

#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    /// an array that is there already
    Memory,
    /// computed element by element from these
    Elementwise(Vec<usize>),
    /// a sum over some axes of this
    Reduce([usize; 1]),
}

impl Node {
    pub fn sources(&self) -> &[usize] {
        match self {
            Node::Memory => &[],
            Node::Elementwise(sources) => sources,
            Node::Reduce(source) => source,
        }
    }
}

/// How many different arrays have to be read to compute a node from what is there already.
pub fn arrays(nodes: &[Node], node: usize) -> usize {
    let (mut pending, mut found) = (vec![node], BTreeSet::new());
    while let Some(i) = pending.pop() {
        if nodes[i] == Node::Memory {
            found.insert(i);
        }
        pending.extend(nodes[i].sources());
    }
    found.len()
}

/// Rule 3: whether a node that s kernels need, and that is computed from l arrays, is better computed in each of them than written once.
pub fn inline(s: usize, l: usize) -> bool {
    let _ = (s, l);
    todo!("compare the arrays that are read and written in both cases")
}

/// The nodes that become memory, in order.
pub fn roots(nodes: &[Node], asked: &[usize]) -> Vec<usize> {
    let _ = (nodes, asked, BTreeSet::<usize>::new());
    todo!(
        "users before sources: for each node the kernels that need it, and whether it becomes memory"
    )
}

#[cfg(test)]
#[path = "../checks/ch06_fusion.rs"]
mod checks;
