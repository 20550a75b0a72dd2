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
    s * l <= l + 1 + s
}

/// The nodes that become memory, in order.
pub fn roots(nodes: &[Node], asked: &[usize]) -> Vec<usize> {
    let mut kernels: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); nodes.len()];
    let mut memory = vec![false; nodes.len()];
    for i in (0..nodes.len()).rev() {
        memory[i] = match &nodes[i] {
            Node::Memory => true,
            Node::Elementwise(_) => {
                asked.contains(&i) || !inline(kernels[i].len(), arrays(nodes, i))
            }
            Node::Reduce(_) => asked.contains(&i) || kernels[i].len() > 1,
        };
        // Its sources are computed where it is: in a kernel of its own, or in those of its users.
        let here = if memory[i] {
            BTreeSet::from([i])
        } else {
            kernels[i].clone()
        };
        for &source in nodes[i].sources() {
            kernels[source].extend(&here);
        }
    }
    (0..nodes.len())
        .filter(|&i| memory[i] && nodes[i] != Node::Memory)
        .collect()
}

#[cfg(test)]
#[path = "../../exercises/checks/ch06_fusion.rs"]
mod checks;
