//! # viz/layout/order: which box stands left of which
//!
//! **In:** boxes, and the points of long edges, in layers. **Out:** each layer's order, with few crossings of edges. **Above:**
//! [`layout`](super), of whose method this is the second step.
//!
//! To find the fewest is NP-hard, for two layers already (Garey and Johnson 1983). So each row is sorted by mean places, as the method has
//! it, and then neighbours are exchanged wherever that takes crossings away.

use super::Layered;

/// How often the layers are gone through, down and up.
const ORDERINGS: usize = 12;

impl Layered {
    /// All vertices, what belongs together near each other: depth first from the last vertex on, upwards.
    pub(super) fn first_order(&self) -> Vec<usize> {
        let mut seen = vec![false; self.widths.len()];
        let mut order = Vec::new();
        for start in (0..self.widths.len()).rev() {
            let mut stack = vec![start];
            while let Some(vertex) = stack.pop() {
                if !std::mem::replace(&mut seen[vertex], true) {
                    order.push(vertex);
                    stack.extend(self.below[vertex].iter().rev());
                    stack.extend(self.above[vertex].iter().rev());
                }
            }
        }
        order
    }

    /// The order with the fewest crossings of those that are tried.
    pub(super) fn order(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for round in 0..ORDERINGS {
            if best.0 == 0 {
                break;
            }
            for step in 1..self.rows.len() {
                self.sort_row(step, true);
            }
            for step in (0..self.rows.len().saturating_sub(1)).rev() {
                self.sort_row(step, false);
            }
            self.exchange(round % 2 == 0);
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    /// Where each vertex is in its row.
    fn positions(&self, row: usize) -> Vec<(usize, usize)> {
        self.rows[row]
            .iter()
            .enumerate()
            .map(|(at, &vertex)| (vertex, at))
            .collect()
    }

    /// Sorts a row by the mean place of the neighbours above or below. What has none stays where it is.
    fn sort_row(&mut self, row: usize, by_above: bool) {
        let neighbour_row = if by_above { row - 1 } else { row + 1 };
        for (vertex, at) in self.positions(neighbour_row) {
            self.x[vertex] = at as f64;
        }
        let neighbours = if by_above { &self.above } else { &self.below };
        let scale = self.rows[neighbour_row].len() as f64 / self.rows[row].len() as f64;
        let mut keyed: Vec<(f64, usize)> = (self.rows[row].iter().enumerate())
            .map(|(at, &vertex)| {
                let near = &neighbours[vertex];
                let sum: f64 = near.iter().map(|&n| self.x[n]).sum();
                (
                    if near.is_empty() {
                        at as f64 * scale
                    } else {
                        sum / near.len() as f64
                    },
                    vertex,
                )
            })
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.rows[row] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
    }

    /// Exchanges neighbours in a row wherever that takes crossings away.
    fn exchange(&mut self, from_left: bool) {
        for row in 0..self.rows.len() {
            for near in [row.wrapping_sub(1), row + 1] {
                if near < self.rows.len() {
                    for (vertex, at) in self.positions(near) {
                        self.x[vertex] = at as f64;
                    }
                }
            }
            let pairs = self.rows[row].len().saturating_sub(1);
            for pair in 0..pairs {
                let at = if from_left { pair } else { pairs - 1 - pair };
                let (a, b) = (self.rows[row][at], self.rows[row][at + 1]);
                let crossing = |left: usize, right: usize| {
                    let side = |sides: &[Vec<usize>]| {
                        let crosses = |&l: &usize| {
                            sides[right]
                                .iter()
                                .filter(|&&r| self.x[l] > self.x[r])
                                .count()
                        };
                        sides[left].iter().map(crosses).sum::<usize>()
                    };
                    side(&self.above) + side(&self.below)
                };
                if crossing(a, b) > crossing(b, a) {
                    self.rows[row].swap(at, at + 1);
                }
            }
        }
    }

    /// How many pairs of edges cross: for each pair of layers, the inversions among the edges' lower ends, counted with a Fenwick tree.
    fn crossings(&self) -> usize {
        let mut at = vec![0; self.widths.len()];
        let mut count = 0;
        for row in 0..self.rows.len() {
            for (vertex, place) in self.positions(row) {
                at[vertex] = place;
            }
            let Some(upper) = row.checked_sub(1) else {
                continue;
            };
            let (mut tree, mut before) = (vec![0usize; self.rows[row].len() + 1], 0);
            for &vertex in &self.rows[upper] {
                let mut ends: Vec<usize> = self.below[vertex].iter().map(|&to| at[to]).collect();
                ends.sort();
                for &end in &ends {
                    // Earlier edges that end at `end` or further left don't cross this one; the others do.
                    let (mut i, mut left) = (end + 1, 0);
                    while i > 0 {
                        left += tree[i];
                        i -= i & i.wrapping_neg();
                    }
                    count += before - left;
                }
                for &end in &ends {
                    let mut i = end + 1;
                    while i < tree.len() {
                        tree[i] += 1;
                        i += i & i.wrapping_neg();
                    }
                    before += 1;
                }
            }
        }
        count
    }
}
