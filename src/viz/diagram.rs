//! # viz/diagram: a graph as a picture
//!
//! **In:** [`Diagram`]: boxes with a few lines of text, and edges between them. **Out:** SVG. **Above:** `graphs`, which says what
//! stands in the boxes. **Below:** [`layout`](super::layout), [`svg`](super::svg).
//!
//! Laws:
//! 1. Every box has a number, and every edge says which two it joins (`data-from`, `data-to`), for readers and for tests.
//! 2. An edge over more than 7 layers is not drawn: where it would end, a dashed box has the number of the box that it comes from, and
//!    leads there when it is clicked. A value that is used a hundred layers further down would be a hundred lines side by side otherwise.
//! 3. At most 4,000 boxes are drawn: the last ones, which are nearest to the result. The subtitle says how many there are.

use super::layout::{layers, place};
use super::svg::{escaped, grouped, line, open, shortened, width};
use std::collections::HashMap;
use std::fmt::Write;

/// An edge over more layers than these becomes a reference (law 2).
const FAR: usize = 7;
/// So many boxes are drawn (law 3).
const MOST: usize = 4000;
/// A line of a box has at most so many letters; all of them are in its tooltip.
const LETTERS: usize = 48;
/// From the picture's edges to the graph; where the graph begins below the legend; how far apart lines of text are.
const MARGIN: f64 = 24.0;
const LINE: f64 = 17.0;
/// The narrowest picture: room for a title.
const NARROW: f64 = 560.0;

/// What a box stands for, which decides on its colours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Room {
    /// elements that are there, or come from nowhere: memory, constants, random numbers
    Memory,
    /// memory that wants a gradient
    Parameter,
    /// another way to look at elements
    Movement,
    /// element by element
    Elementwise,
    /// many elements to one, and running sums
    Reduction,
    /// a sum of products: matrix product, convolution
    Contraction,
    /// by an index that is data
    Indexed,
    /// stands for a box further up
    Reference,
}

impl Room {
    /// All of them, in the order of the legend.
    pub const ALL: [Room; 8] = [
        Room::Memory,
        Room::Parameter,
        Room::Movement,
        Room::Elementwise,
        Room::Reduction,
        Room::Contraction,
        Room::Indexed,
        Room::Reference,
    ];

    fn class(self) -> &'static str {
        match self {
            Room::Memory => "memory",
            Room::Parameter => "parameter",
            Room::Movement => "movement",
            Room::Elementwise => "elementwise",
            Room::Reduction => "reduction",
            Room::Contraction => "contraction",
            Room::Indexed => "indexed",
            Room::Reference => "reference",
        }
    }

    fn legend(self) -> &'static str {
        match self {
            Room::Memory => "memory, load",
            Room::Parameter => "wants a gradient",
            Room::Movement => "movement: a view",
            Room::Elementwise => "element by element",
            Room::Reduction => "reduction, scan",
            Room::Contraction => "contraction: sum of products",
            Room::Indexed => "gather, scatter",
            Room::Reference => "the box with this number, further up",
        }
    }
}

/// A box.
#[derive(Clone, Debug)]
pub struct Node {
    /// what it stands for
    pub room: Room,
    /// what the tables of the graph call it
    pub number: usize,
    /// the name of what is computed
    pub heading: String,
    /// what there is to know about it, a few lines
    pub lines: Vec<String>,
    /// the same at length, for the tooltip; may be empty
    pub more: String,
    /// whether somebody asked for it
    pub wanted: bool,
}

/// Boxes and edges between them, each from an earlier box to a later one.
#[derive(Clone, Default, Debug)]
pub struct Diagram {
    /// above the picture
    pub title: String,
    /// below the title
    pub subtitle: String,
    /// sources first
    pub boxes: Vec<Node>,
    /// from a box, to a box, by their places in the list
    pub edges: Vec<(usize, usize)>,
}

/// Colours that people with any kind of colour vision can tell apart (after Okabe and Ito), and that keep their contrast on both grounds.
/// Texts name what the colours say, so that none says anything alone.
const STYLE: &str = "
.box rect { stroke-width: 1.3 }
.box text, .key text { font: 12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #33322f }
.box .head { font-weight: 700; fill: #191918 }
.box .number { font-size: 10px; fill: #65645e }
.key text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif }
.wanted rect { stroke-width: 3.2 }
.edge { fill: none; stroke: #8a8983; stroke-width: 1.4 }
.edge:hover { stroke: #d1400f; stroke-width: 3 }
.tip { fill: #8a8983 }
.memory rect { fill: #efede8; stroke: #77766f }
.parameter rect { fill: #d8f0e3; stroke: #147a50 }
.movement rect { fill: #fbf1c8; stroke: #94700a }
.elementwise rect { fill: #dde9fb; stroke: #2466b8 }
.reduction rect { fill: #fce1d4; stroke: #b3461b }
.contraction rect { fill: #f1ddf4; stroke: #8a3a96 }
.indexed rect { fill: #d3eef0; stroke: #0f7480 }
.reference rect { fill: none; stroke: #77766f; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
.box text, .key text { fill: #d2d1c9 }
.box .head { fill: #f4f3ee }
.box .number { fill: #a5a49c }
.edge { stroke: #85847d }
.edge:hover { stroke: #ff8d5c }
.tip { fill: #85847d }
.memory rect { fill: #2b2b28; stroke: #99988f }
.parameter rect { fill: #14352a; stroke: #4fc08d }
.movement rect { fill: #393112; stroke: #d9b443 }
.elementwise rect { fill: #1a2c46; stroke: #6fa8f0 }
.reduction rect { fill: #432417; stroke: #ff9a6b }
.contraction rect { fill: #3a2140; stroke: #d48be0 }
.indexed rect { fill: #12343a; stroke: #57c4d0 }
.reference rect { stroke: #99988f }
}
";

impl Node {
    fn corner(&self) -> f64 {
        match self.room {
            Room::Memory | Room::Parameter => 15.0,
            Room::Reference => 11.0,
            Room::Movement
            | Room::Elementwise
            | Room::Reduction
            | Room::Contraction
            | Room::Indexed => 4.0,
        }
    }

    fn number_text(&self) -> String {
        self.number.to_string()
    }

    fn size(&self) -> (f64, f64) {
        if self.room == Room::Reference {
            return (width(&self.heading) + 22.0, 22.0);
        }
        let head = width(&self.heading) * 1.03 + 10.0 + width(&self.number_text());
        let widest = self
            .lines
            .iter()
            .map(|text| width(text))
            .fold(head, f64::max);
        (widest + 22.0, 14.0 + LINE * (1 + self.lines.len()) as f64)
    }

    fn shorten(&mut self) {
        self.heading = shortened(&self.heading, LETTERS);
        for text in &mut self.lines {
            *text = shortened(text, LETTERS);
        }
    }

    fn tooltip(&self) -> String {
        let more = if self.more.is_empty() {
            String::new()
        } else {
            format!("\n{}", self.more)
        };
        let lines: String = self.lines.iter().map(|text| format!("\n{text}")).collect();
        format!("{} {}{lines}{more}", self.number, self.heading)
    }
}

impl Diagram {
    /// The picture.
    pub fn svg(mut self) -> String {
        let all = self.boxes.len();
        let mut subtitle = self.subtitle.clone();
        if all > MOST {
            let _ = write!(
                subtitle,
                "; the last {} of {} boxes",
                grouped(MOST),
                grouped(all)
            );
        }
        let (boxes, layer, edges) = self.refer();
        let sizes: Vec<(f64, f64)> = boxes.iter().map(Node::size).collect();
        let pairs: Vec<(usize, usize)> = edges.iter().map(|edge| (edge.at, edge.to)).collect();
        let layout = place(&sizes, &layer, &pairs);

        let rooms: Vec<Room> = (Room::ALL.into_iter())
            .filter(|room| boxes.iter().any(|b| b.room == *room))
            .collect();
        let wanted = boxes.iter().any(|b| b.wanted);
        let widest = NARROW.max(layout.width + 2.0 * MARGIN);
        let widest = widest.max(2.0 * MARGIN + 1.6 * width(&shortened(&self.title, 80)));
        let (keys, below) = legend(&rooms, wanted, widest);
        let top = below + 26.0;
        let height = top + layout.height + MARGIN;
        let left = (widest - layout.width) / 2.0;

        let mut svg = open(
            widest.ceil(),
            height.ceil(),
            &shortened(&self.title, 80),
            &subtitle,
            STYLE,
        );
        svg += "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
                <path class=\"tip\" d=\"M0 .8L8 4L0 7.2z\"/></marker></defs>\n";
        line(
            &mut svg,
            "",
            MARGIN,
            58.0,
            "start",
            &shortened(&subtitle, (widest / 7.0) as usize),
        );
        svg += &keys;
        let _ = writeln!(svg, r#"<g transform="translate({left:.1} {top:.1})">"#);
        for (edge, path) in edges.iter().zip(&layout.paths) {
            let (from, to) = (boxes[edge.at].number, boxes[edge.to].number);
            let _ = writeln!(
                svg,
                r#"<path class="edge" data-from="{from}" data-to="{to}" d="{path}" marker-end="url(#tip)"/>"#
            );
        }
        for (b, place) in boxes.iter().zip(&layout.places) {
            draw(&mut svg, b, place.x, place.y, place.width, place.height);
        }
        svg + "</g>\n</svg>\n"
    }

    /// Laws 2 and 3: the boxes that are drawn, their layers, and the edges between them.
    fn refer(&mut self) -> (Vec<Node>, Vec<usize>, Vec<Edge>) {
        let cut = self.boxes.len().saturating_sub(MOST);
        let mut boxes: Vec<Node> = std::mem::take(&mut self.boxes);
        let numbers: Vec<usize> = boxes.iter().map(|b| b.number).collect();
        let name = |b: &Node| shortened(&format!("{} {}", b.number, b.heading), 20);
        let names: Vec<String> = boxes.iter().map(name).collect();
        let mut boxes: Vec<Node> = boxes.drain(cut..).collect();
        boxes.iter_mut().for_each(Node::shorten);
        let mut inside: Vec<(usize, usize)> = Vec::new();
        let mut outside: Vec<(usize, usize)> = Vec::new();
        for &(from, to) in self.edges.iter().filter(|edge| edge.1 >= cut) {
            match from.checked_sub(cut) {
                Some(from) => inside.push((from, to - cut)),
                None => outside.push((from, to - cut)),
            }
        }
        let mut layer = layers(boxes.len(), &inside);
        // A reference needs a layer above the box that it leads to.
        if !outside.is_empty() {
            layer.iter_mut().for_each(|layer| *layer += 1);
        }
        let mut references: HashMap<(usize, usize), usize> = HashMap::new();
        let far = |&(from, to): &(usize, usize), layer: &[usize]| layer[to] - layer[from] > FAR;
        let mut edges = Vec::new();
        let near = inside
            .iter()
            .copied()
            .map(|(from, to)| (Some(from), from + cut, to));
        let cut_off = outside.iter().map(|&(from, to)| (None, from, to));
        for (source, from, to) in near.chain(cut_off) {
            let at = match source {
                Some(source) if !far(&(source, to), &layer) => source,
                Some(_) | None => {
                    let above = layer[to] - 1;
                    *references.entry((from, above)).or_insert_with(|| {
                        boxes.push(Node {
                            room: Room::Reference,
                            number: numbers[from],
                            heading: names[from].clone(),
                            lines: Vec::new(),
                            more: "further up".to_string(),
                            wanted: false,
                        });
                        layer.push(above);
                        boxes.len() - 1
                    })
                }
            };
            edges.push(Edge { at, to });
        }
        (boxes, layer, edges)
    }
}

/// From a box (which may be a reference to what the edge really comes from) to a box.
struct Edge {
    at: usize,
    to: usize,
}

/// One box with its texts. A reference is a link to what it stands for.
fn draw(svg: &mut String, b: &Node, x: f64, y: f64, width: f64, height: f64) {
    let (number, class) = (b.number, b.room.class());
    let reference = b.room == Room::Reference;
    let wanted = if b.wanted { " wanted" } else { "" };
    let id = if reference {
        String::new()
    } else {
        format!(r#" id="n{number}""#)
    };
    if reference {
        let _ = write!(svg, r##"<a href="#n{number}">"##);
    }
    let _ = write!(
        svg,
        r#"<g class="box {class}{wanted}"{id} data-number="{number}"><title>{}</title><rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="{}"/>"#,
        escaped_lines(&b.tooltip()),
        b.corner()
    );
    if reference {
        line(svg, "", x + width / 2.0, y + 15.0, "middle", &b.heading);
    } else {
        line(svg, "head", x + 11.0, y + 21.0, "start", &b.heading);
        line(
            svg,
            "number",
            x + width - 9.0,
            y + 20.0,
            "end",
            &b.number_text(),
        );
        for (at, text) in b.lines.iter().enumerate() {
            line(
                svg,
                "",
                x + 11.0,
                y + 21.0 + LINE * (at + 1) as f64,
                "start",
                text,
            );
        }
    }
    svg.push_str(if reference { "</g></a>\n" } else { "</g>\n" });
}

/// As [`escaped`], but lines stay lines: in a tooltip they are shown so.
fn escaped_lines(text: &str) -> String {
    text.split('\n').map(escaped).collect::<Vec<_>>().join("\n")
}

/// What the colours mean, as far as they occur, in as many lines as it takes; and where it ends.
fn legend(rooms: &[Room], wanted: bool, widest: f64) -> (String, f64) {
    let mut svg = String::new();
    let (mut x, mut y) = (MARGIN, 84.0);
    let entries = rooms.iter().map(|room| (room.class(), room.legend()));
    let asked = wanted.then_some(("memory wanted", "asked for: a thick frame"));
    for (class, text) in entries.chain(asked) {
        let long = 34.0 + width(text) * 0.98 + 14.0;
        if x > MARGIN && x + long > widest {
            (x, y) = (MARGIN, y + 22.0);
        }
        let rx = if class.starts_with("memory") || class == "parameter" {
            7
        } else {
            2
        };
        let _ = write!(
            svg,
            r#"<g class="key {class}"><rect x="{x:.1}" y="{:.1}" width="26" height="14" rx="{rx}"/>"#,
            y - 11.0
        );
        line(&mut svg, "", x + 33.0, y, "start", text);
        svg += "</g>\n";
        x += long;
    }
    (svg, y)
}
