//! # viz/layout: where the boxes of a graph go
//!
//! **In:** the sizes of boxes, and edges from earlier boxes to later ones. **Out:** a place for each box and a path for each edge, from the top
//! to the bottom. **Above:** [`diagram`](super::diagram).
//!
//! The method is that of Sugiyama, Tagawa and Toda (1981), which all drawers of layered graphs use:
//!
//! 1. **Layers** ([`layers`]): a box is below all that it is made of: the longest path to it. What little is made of (memory, above all) goes down
//!    to where it is used.
//! 2. **Order** (`order`): an edge over several layers gets a point in each. From layer to layer, down and up, each vertex
//!    moves to the mean place of its neighbours (the barycentre); the order with the fewest crossings is kept.
//! 3. **Places** (`settle`): from layer to layer, each vertex wants to be at the weighted mean of its neighbours, and the order and the room
//!    between them must be kept. The places with the least Σ weight · (place − wanted)² are found exactly, in one walk over the layer: it is
//!    isotonic regression, by merging neighbours that want to pass each other ("pool adjacent violators", Ayer et al. 1955).
//!    Long edges weigh more, which makes them straight.
//!
//! Why not a crate? These were tried on the graph of a training step (171 nodes), on chains of 3,000 and 20,000 nodes, and on a chain of 1,000 with
//! 500 long edges, each in an optimised build with a stack of 2 MiB:
//!
//! - `rust-sugiyama` 0.4 (4,800 lines, and petgraph) finds places quickly (23 ms, 0.1 s, –, 17 s), but no way for the edges: long ones run through boxes. It
//!   recurses, and the longer chain overflows the stack.
//! - `dagre` 0.1 (17,800 lines; doesn't build without its JSON) finds both, slowly (0.6 s, 8 s, –, more than 2 minutes), and recurses.
//! - `layout-rs` 0.1 draws the SVG as well, with colours written into each shape, so that they can't follow the reader's.
//!
//! What is below takes 11 ms, 0.2 s and 1.7 s; the fourth graph doesn't get here, as [`diagram`](super::diagram) has references for long edges.
//!
//! Laws:
//! 1. Boxes don't overlap, and no edge runs through a box: it leaves its row of boxes before it bends.
//! 2. No recursion; time grows with the number of edges and layers, not with its square.
//! 3. The same input gives the same output.

use std::fmt::Write;

/// The room between two boxes of a layer, and between a box and an edge that passes it.
const BESIDE: f64 = 26.0;
const PASSING: f64 = 16.0;
/// The room between two layers is at least this, and more where edges go far to the side, up to the second.
const BETWEEN: (f64, f64) = (34.0, 110.0);
/// How long the straight end of an edge is.
const TIP: f64 = 8.0;
/// How often the layers are gone through, down and up, for the order, and at least and at most for the places: small graphs can have the time.
const ORDERINGS: usize = 12;
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

/// A box: its upper left corner and its size.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Place {
    /// left
    pub x: f64,
    /// top
    pub y: f64,
    /// to the right
    pub width: f64,
    /// down
    pub height: f64,
}

/// Boxes with places, and edges as paths of SVG.
pub struct Layout {
    /// of each box
    pub places: Vec<Place>,
    /// of each edge
    pub paths: Vec<String>,
    /// from 0 to the right end of the rightmost thing
    pub width: f64,
    /// from 0 to the lowest box's lower end
    pub height: f64,
}

/// The layer of each of `count` vertices: below all that lead to it. What has no more edges in than out is as far down as it can be.
pub fn layers(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layer = vec![0; count];
    let (mut ins, mut outs) = (vec![0; count], vec![Vec::new(); count]);
    for &(from, to) in edges {
        debug_assert!(from < to, "sources come first");
        ins[to] += 1;
        outs[from].push(to);
    }
    for from in 0..count {
        for &to in &outs[from] {
            layer[to] = layer[to].max(layer[from] + 1);
        }
    }
    for from in (0..count).rev() {
        if ins[from] <= outs[from].len()
            && let Some(first) = outs[from].iter().map(|&to| layer[to]).min()
        {
            layer[from] = first - 1;
        }
    }
    layer
}

/// Places for boxes of these sizes (width, height) in these layers; an edge leads to a later layer.
pub fn place(sizes: &[(f64, f64)], layer: &[usize], edges: &[(usize, usize)]) -> Layout {
    let mut layered = Layered::new(sizes, layer, edges);
    layered.order();
    layered.settle();
    layered.finish(sizes, edges)
}

/// The graph while it is being laid out. Vertices are the boxes, and behind them the points of long edges.
struct Layered {
    /// how wide each vertex is; 0 for a point
    widths: Vec<f64>,
    /// the layer of each
    layer: Vec<usize>,
    /// neighbours in the layer above and in the one below
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
    /// the vertices of each layer, from the left to the right
    rows: Vec<Vec<usize>>,
    /// for each edge, the vertices that it goes through, both ends included
    routes: Vec<Vec<usize>>,
    /// the middle of each
    x: Vec<f64>,
}

impl Layered {
    fn new(sizes: &[(f64, f64)], layer: &[usize], edges: &[(usize, usize)]) -> Layered {
        let mut graph = Layered {
            widths: sizes.iter().map(|size| size.0).collect(),
            layer: layer.to_vec(),
            above: vec![Vec::new(); sizes.len()],
            below: vec![Vec::new(); sizes.len()],
            rows: Vec::new(),
            routes: Vec::new(),
            x: Vec::new(),
        };
        for &(from, to) in edges {
            let mut route = vec![from];
            for between in layer[from] + 1..layer[to] {
                route.push(graph.widths.len());
                graph.widths.push(0.0);
                graph.layer.push(between);
                graph.above.push(Vec::new());
                graph.below.push(Vec::new());
            }
            route.push(to);
            for pair in route.windows(2) {
                graph.below[pair[0]].push(pair[1]);
                graph.above[pair[1]].push(pair[0]);
            }
            graph.routes.push(route);
        }
        let depth = layer.iter().max().map_or(0, |last| last + 1);
        graph.rows = vec![Vec::new(); depth];
        for vertex in graph.first_order() {
            graph.rows[graph.layer[vertex]].push(vertex);
        }
        graph.x = vec![0.0; graph.widths.len()];
        graph
    }

    /// All vertices, what belongs together near each other: depth first from the last vertex on, upwards.
    fn first_order(&self) -> Vec<usize> {
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

    // ---- Order -------------------------------------------------------

    fn order(&mut self) {
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

    // ---- Places ------------------------------------------------------

    fn is_point(&self, vertex: usize) -> bool {
        self.widths[vertex] == 0.0
    }

    fn settle(&mut self) {
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

    /// Heights of rows, the room between them, and the edges' paths.
    fn finish(&self, sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Layout {
        let depth = self.rows.len();
        let mut tops = vec![0.0; depth];
        let mut heights = vec![0.0f64; depth];
        for (vertex, size) in sizes.iter().enumerate() {
            heights[self.layer[vertex]] = heights[self.layer[vertex]].max(size.1);
        }
        for row in 1..depth {
            let x = &self.x;
            let ends = self.rows[row]
                .iter()
                .flat_map(|&to| self.above[to].iter().map(move |&from| (from, to)));
            let aside = ends
                .map(|(from, to)| (x[to] - x[from]).abs())
                .fold(0.0, f64::max);
            let between = (BETWEEN.0 + 0.12 * aside).min(BETWEEN.1);
            tops[row] = tops[row - 1] + heights[row - 1] + between;
        }
        let places: Vec<Place> = (0..sizes.len())
            .map(|vertex| {
                let ((width, height), row) = (sizes[vertex], self.layer[vertex]);
                let y = tops[row] + (heights[row] - height) / 2.0;
                Place {
                    x: self.x[vertex] - width / 2.0,
                    y,
                    width,
                    height,
                }
            })
            .collect();
        let ports = self.ports(edges);
        let paths = (self.routes.iter().zip(&ports))
            .map(|(route, &(start, end))| {
                let last = route.len() - 1;
                let (from, to) = (&places[route[0]], &places[route[last]]);
                let mut x = start;
                let mut path = format!("M{x:.1} {:.1}", from.y + from.height);
                for (step, &vertex) in route.iter().enumerate().skip(1) {
                    let row = self.layer[vertex];
                    let (upper, lower) = (tops[row - 1] + heights[row - 1], tops[row]);
                    // An arrow's tip needs a straight end that gives it its direction.
                    let (next, lower) = if step == last {
                        (end, lower - TIP)
                    } else {
                        (self.x[vertex], lower)
                    };
                    let middle = (upper + lower) / 2.0;
                    let _ = write!(
                        path,
                        "V{upper:.1}C{x:.1} {middle:.1} {next:.1} {middle:.1} {next:.1} {lower:.1}"
                    );
                    x = next;
                }
                let _ = write!(path, "V{:.1}", to.y);
                path
            })
            .collect();
        let right = (0..self.x.len()).map(|v| self.x[v] + self.widths[v] / 2.0);
        Layout {
            places,
            paths,
            width: right.fold(0.0, f64::max),
            height: depth
                .checked_sub(1)
                .map_or(0.0, |last| tops[last] + heights[last]),
        }
    }

    /// Where each edge leaves its first box and enters its last one: spread over the boxes' width, in the order of where it goes.
    fn ports(&self, edges: &[(usize, usize)]) -> Vec<(f64, f64)> {
        let mut ports = vec![(0.0, 0.0); edges.len()];
        let (mut leaving, mut entering) = (
            vec![Vec::new(); self.above.len()],
            vec![Vec::new(); self.above.len()],
        );
        for (edge, route) in self.routes.iter().enumerate() {
            leaving[route[0]].push((self.x[route[1]], edge));
            entering[route[route.len() - 1]].push((self.x[route[route.len() - 2]], edge));
        }
        let mut spread = |ends: Vec<Vec<(f64, usize)>>, set: fn(&mut (f64, f64), f64)| {
            for (vertex, mut ends) in ends.into_iter().enumerate() {
                ends.sort_by(|a, b| a.0.total_cmp(&b.0));
                let pitch = (self.widths[vertex] * 0.7 / ends.len().max(1) as f64).min(18.0);
                let first = self.x[vertex] - pitch * (ends.len().saturating_sub(1)) as f64 / 2.0;
                for (at, &(_, edge)) in ends.iter().enumerate() {
                    set(&mut ports[edge], first + pitch * at as f64);
                }
            }
        };
        spread(leaving, |port, x| port.0 = x);
        spread(entering, |port, x| port.1 = x);
        ports
    }
}
