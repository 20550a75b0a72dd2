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
//! Steps 2 and 3 have a file each; here are the first one, the graph that all work on, and at the end the heights and the edges' paths.
//!
//! Laws:
//! 1. Boxes don't overlap, and no edge runs through a box: it leaves its row of boxes before it bends.
//! 2. No recursion; time grows with the number of edges and layers, not with its square.
//! 3. The same input gives the same output.

mod order;
mod settle;

use std::fmt::Write;

/// The room between two layers is at least this, and more where edges go far to the side, up to the second.
const BETWEEN: (f64, f64) = (34.0, 110.0);
/// How long the straight end of an edge is.
const TIP: f64 = 8.0;

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
