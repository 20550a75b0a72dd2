//! # viz/layout/settle: how far to the right each box stands
//!
//! **In:** layers in order. **Out:** the middle of each box, and of each point of a long edge: near its neighbours above and below, and
//! never closer to those beside it than allowed. **Above:** [`layout`](super), of whose method this is the third step.

use super::Layered;

/// The room between two boxes of a layer, and between a box and an edge that passes it.
const BESIDE: f64 = 26.0;
const PASSING: f64 = 16.0;
/// How often the layers are gone through, down and up, at least and at most: small graphs can have the time.
const SETTLINGS: (usize, usize) = (40, 400);

/// Which neighbours a vertex goes by. What begins in its row, with none above, always goes by those below.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Above,
    Below,
    Both,
    /// only what begins in the row moves, as far as the others let it
    Beginning,
}

impl Layered {
    fn is_point(&self, vertex: usize) -> bool {
        self.widths[vertex] == 0.0
    }

    /// Places for all vertices, from 0 on.
    pub(super) fn settle(&mut self) {
        for row in 0..self.rows.len() {
            let offsets = self.offsets(row);
            let middle = offsets.last().map_or(0.0, |last| last / 2.0);
            for (&vertex, offset) in self.rows[row].iter().zip(&offsets) {
                self.x[vertex] = offset - middle;
            }
        }
        let rounds = (100_000 / self.x.len().max(1)).clamp(SETTLINGS.0, SETTLINGS.1);
        for round in 0..rounds {
            // First by one side only, which moves far; then by both, which evens out.
            let sides = if round < 10 {
                [By::Above, By::Below]
            } else {
                [By::Both; 2]
            };
            self.settle_rows(sides[0], true);
            self.settle_rows(sides[1], false);
        }
        // Evened out, a shift to the side is spread over a whole chain. At last by one side, so that it happens at one place and the rest of
        // the chain is straight; what begins there follows.
        self.settle_rows(By::Above, true);
        self.settle_rows(By::Beginning, false);
        let left = (0..self.x.len()).map(|v| self.x[v] - self.widths[v] / 2.0);
        let left = left.fold(f64::INFINITY, f64::min);
        for x in &mut self.x {
            *x -= left;
        }
    }

    /// How far the vertices of a row are at least from the first one.
    fn offsets(&self, row: usize) -> Vec<f64> {
        let mut at = 0.0;
        let mut last: Option<usize> = None;
        let mut offsets = Vec::with_capacity(self.rows[row].len());
        for &vertex in &self.rows[row] {
            if let Some(last) = last {
                let points = self.is_point(last) || self.is_point(vertex);
                at += (self.widths[last] + self.widths[vertex]) / 2.0
                    + if points { PASSING } else { BESIDE };
            }
            offsets.push(at);
            last = Some(vertex);
        }
        offsets
    }

    fn settle_rows(&mut self, by: By, down: bool) {
        for step in 0..self.rows.len() {
            self.settle_row(
                if down {
                    step
                } else {
                    self.rows.len() - 1 - step
                },
                by,
            );
        }
    }

    /// How much an edge draws at the vertex that it leads to, and at the one that it comes from. What begins here and has one edge only can go
    /// to its user: it hardly draws at it.
    fn pull(&self, from: usize, to: usize) -> f64 {
        match (self.is_point(from), self.is_point(to)) {
            (true, true) => 8.0,
            (true, false) | (false, true) => 2.0,
            (false, false) if self.above[from].is_empty() && self.below[from].len() == 1 => 0.0005,
            (false, false) => 1.0,
        }
    }

    fn settle_row(&mut self, row: usize, by: By) {
        /// Vertices that stand as close together as they may: where the first one wants to be, and how much they weigh.
        struct Block {
            wanted: f64,
            weight: f64,
            count: usize,
        }
        let offsets = self.offsets(row);
        let mut blocks: Vec<Block> = Vec::new();
        for (&vertex, offset) in self.rows[row].iter().zip(&offsets) {
            let (mut sum, mut weight) = (0.0, 0.0);
            let begins = self.above[vertex].is_empty();
            if matches!(by, By::Above | By::Both) {
                for &near in &self.above[vertex] {
                    let pull = self.pull(near, vertex);
                    (sum, weight) = (sum + pull * self.x[near], weight + pull);
                }
            }
            if matches!(by, By::Below | By::Both) || begins {
                for &near in &self.below[vertex] {
                    let pull = self.pull(vertex, near);
                    (sum, weight) = (sum + pull * self.x[near], weight + pull);
                }
            }
            if weight == 0.0 {
                weight = if by == By::Beginning { 100.0 } else { 0.01 };
                sum = weight * self.x[vertex];
            }
            blocks.push(Block {
                wanted: sum / weight - offset,
                weight,
                count: 1,
            });
            while let [.., a, b] = &mut blocks[..]
                && a.wanted > b.wanted
            {
                a.wanted = (a.wanted * a.weight + b.wanted * b.weight) / (a.weight + b.weight);
                a.weight += b.weight;
                a.count += b.count;
                blocks.pop();
            }
        }
        let mut at = 0;
        for block in blocks {
            for _ in 0..block.count {
                self.x[self.rows[row][at]] = block.wanted + offsets[at];
                at += 1;
            }
        }
    }
}
