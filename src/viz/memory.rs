//! # viz/memory: a view as a picture of memory
//!
//! **In:** a [`View`] and the shape of the memory that it looks at. **Out:** SVG: the cells of memory, the cells of the view, and for each axis an arrow
//! as long as its stride. **Above:** [`viz`](super). **Below:** [`svg`](super::svg).
//!
//! A cell of the view has the address and the colour of the memory that it shows, so that one sees where an index leads. Memory that is
//! shown more than once says how often; what no index leads to is pale; a cell of the view without an address, which is a zero of the padding,
//! is hatched.
//!
//! Here is the picture from its top to its bottom, and what it says in words; which cells of the view are drawn, where they go, and the
//! arrows are in `shown`.
//!
//! Law: a picture has a bounded number of cells, however large the view: the first ones of each axis.

mod shown;

use self::shown::Shown;
use super::svg::{grouped, line, open, width};
use crate::shape::view::{Bound, View, indices, numel};
use std::collections::HashMap;
use std::fmt::Write;

/// A cell's size; from the picture's edge.
const CELL: (f64, f64) = (42.0, 36.0);
const MARGIN: f64 = 24.0;
/// How many cells of memory are drawn at most.
const MEMORY: usize = 480;
/// Memory of up to so many elements is one row.
const ROW: usize = 12;
/// Between the first and the last address the colour goes in so many steps.
const SHADES: usize = 12;

/// Colours for axes, from the last axis on, and for addresses: three stops between which the shades lie, on a light and on a dark ground.
const LIGHT_AXES: [&str; 6] = [
    "#2466b8", "#b3461b", "#147a50", "#8a3a96", "#94700a", "#0f7480",
];
const DARK_AXES: [&str; 6] = [
    "#6fa8f0", "#ff9a6b", "#4fc08d", "#d48be0", "#d9b443", "#57c4d0",
];
const LIGHT: [[u8; 3]; 3] = [[178, 208, 250], [214, 238, 205], [255, 217, 134]];
const DARK: [[u8; 3]; 3] = [[24, 66, 122], [36, 88, 66], [118, 84, 12]];

const STYLE: &str = "
.cell text, .formula, .times { font: 12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #33322f }
.cell rect { stroke: #77766f; stroke-width: 1 }
.unread rect { fill: none; stroke: #c3c2bb; stroke-dasharray: 3 2 }
.unread text { fill: #8a8983 }
.zero rect { fill: url(#hatch) }
.zero text { fill: #65645e }
.hatch { stroke: #c3c2bb; stroke-width: 2 }
.first rect { stroke: #191918; stroke-width: 2.6 }
text.times { font-size: 9.5px }
.arrow { fill: none; stroke-width: 2.2 }
@media (prefers-color-scheme: dark) {
.cell text, .formula, .times { fill: #e4e3dc }
.cell rect { stroke: #99988f }
.unread rect { stroke: #55544e }
.unread text { fill: #85847d }
.zero text { fill: #a5a49c }
.hatch { stroke: #45443f }
.first rect { stroke: #f4f3ee }
}
";

/// CSS for shades and axes on one ground.
fn colours(stops: &[[u8; 3]; 3], axes: &[&str; 6]) -> String {
    let mut css = String::new();
    for shade in 0..SHADES {
        let along = 2.0 * shade as f64 / (SHADES - 1) as f64;
        let (low, part) = if along < 1.0 {
            (0, along)
        } else {
            (1, along - 1.0)
        };
        let mixed =
            |c: usize| stops[low][c] as f64 * (1.0 - part) + stops[low + 1][c] as f64 * part;
        let _ = writeln!(
            css,
            ".s{shade} rect {{ fill: #{:02x}{:02x}{:02x} }}",
            mixed(0) as u8,
            mixed(1) as u8,
            mixed(2) as u8
        );
    }
    for (axis, colour) in axes.iter().enumerate() {
        let _ = writeln!(
            css,
            ".arrow.a{axis} {{ stroke: {colour} }}\n.tip.a{axis} {{ fill: {colour} }}"
        );
    }
    css
}

fn style() -> String {
    let (light, dark) = (colours(&LIGHT, &LIGHT_AXES), colours(&DARK, &DARK_AXES));
    format!("{STYLE}{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n")
}

/// The picture of a view of memory that lies in row-major order of `base`.
pub fn svg(view: &View, base: &[usize]) -> String {
    let shown = Shown::of(view);
    let len = numel(base);
    let columns = columns(view, base);
    let cells = len.min(MEMORY);
    let rows = cells.div_ceil(columns).max(1);
    let notes = notes(view, &shown, len);
    let keys: Vec<(usize, String)> = shown
        .axes()
        .map(|axis| (axis, shown.key(view, axis)))
        .collect();

    // From the top to the bottom: title, formulas, axes, memory, view.
    let notes_end = 58.0 + 19.0 * notes.len() as f64;
    let keys_end = notes_end + 21.0 * keys.len() as f64;
    // One row of memory has its arrows above it.
    let arcs = if rows == 1 {
        16.0 + 13.0 * keys.len() as f64
    } else {
        0.0
    };
    let memory_top = keys_end + 34.0 + arcs;
    let view_top = memory_top + rows as f64 * CELL.1 + 62.0;
    let (view_width, view_height) = shown.extent();
    let height = view_top + view_height + MARGIN;
    let texts = notes.iter().chain(keys.iter().map(|key| &key.1));
    let widest = texts.map(|text| 34.0 + width(text)).fold(420.0, f64::max);
    let widest = widest.max(columns as f64 * CELL.0).max(view_width) + 2.0 * MARGIN;

    let title = format!("View {:?} of memory {base:?}", view.shape);
    let mut svg = open(
        widest.ceil(),
        height.ceil(),
        &title,
        &notes.join("; "),
        &style(),
    );
    svg += "<defs><pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><path class=\"hatch\" d=\"M0 0V7\"/></pattern>";
    for axis in 0..LIGHT_AXES.len() {
        let _ = write!(
            svg,
            "<marker id=\"t{axis}\" viewBox=\"0 0 8 8\" refX=\"6\" refY=\"4\" markerWidth=\"9\" markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"tip a{axis}\" d=\"M0 0L8 4L0 8z\"/></marker>"
        );
    }
    svg += "</defs>\n";
    for (at, note) in notes.iter().enumerate() {
        line(
            &mut svg,
            "formula",
            MARGIN,
            62.0 + 19.0 * at as f64,
            "start",
            note,
        );
    }
    for (at, (axis, text)) in keys.iter().enumerate() {
        let (y, colour) = (notes_end + 12.0 + 21.0 * at as f64, shown.colour(*axis));
        let _ = writeln!(
            svg,
            r#"<path class="arrow a{colour}" marker-end="url(#t{colour})" d="M{MARGIN} {:.1}h22"/>"#,
            y - 4.0
        );
        line(&mut svg, "", MARGIN + 32.0, y, "start", text);
    }

    let elided = if cells < len {
        format!(", the first {cells} drawn")
    } else {
        String::new()
    };
    let wrap = if rows > 1 {
        format!(", {columns} in a row")
    } else {
        String::new()
    };
    let heading = format!(
        "memory: {} element{}{wrap}{elided}",
        grouped(len),
        if len == 1 { "" } else { "s" }
    );
    line(
        &mut svg,
        "head",
        MARGIN,
        memory_top - 12.0 - arcs,
        "start",
        &heading,
    );
    let mut times: HashMap<usize, usize> = HashMap::new();
    for index in indices(&shown.shape) {
        if let Some(address) = view.address(&index) {
            *times.entry(address).or_default() += 1;
        }
    }
    let origin = view
        .address(&vec![0; view.shape.len()])
        .filter(|_| view.numel() > 0);
    let place = |address: usize| {
        let (x, y) = (address % columns, address / columns);
        (MARGIN + x as f64 * CELL.0, memory_top + y as f64 * CELL.1)
    };
    for address in 0..cells {
        let (x, y) = place(address);
        let read = times.get(&address).copied().unwrap_or(0);
        let class = if read == 0 {
            "unread".to_string()
        } else {
            shade(address, len)
        };
        let first = if origin == Some(address) {
            " first"
        } else {
            ""
        };
        cell(
            &mut svg,
            &format!("{class}{first}"),
            x,
            y,
            &address.to_string(),
            &format!("address {address}, shown {read} times"),
        );
        if read > 1 {
            line(
                &mut svg,
                "times",
                x + CELL.0 - 7.0,
                y + CELL.1 - 7.0,
                "end",
                &format!("×{read}"),
            );
        }
    }
    shown.arrows(&mut svg, view, rows == 1, cells, place);

    let heading = format!(
        "view: {} element{}{}; thick: the first",
        grouped(view.numel()),
        if view.numel() == 1 { "" } else { "s" },
        shown.elided(view)
    );
    line(&mut svg, "head", MARGIN, view_top - 12.0, "start", &heading);
    let mut first = true;
    for index in indices(&shown.shape) {
        let (x, y) = shown.place(&index);
        let (class, text, tip) = match view.address(&index) {
            Some(address) => (
                shade(address, len),
                address.to_string(),
                format!("index {index:?}: address {address}"),
            ),
            None => (
                "zero".to_string(),
                "0".to_string(),
                format!("index {index:?}: outside, hence 0"),
            ),
        };
        let class = if std::mem::take(&mut first) {
            class + " first"
        } else {
            class
        };
        cell(&mut svg, &class, MARGIN + x, view_top + y, &text, &tip);
    }
    svg + "</svg>\n"
}

/// How many cells of memory make a row: all, if they are few, else as many as one of the strides says, so that a step along that axis leads
/// to the cell below; or as long as the last axis of memory is.
fn columns(view: &View, base: &[usize]) -> usize {
    let fits = |size: &usize| (4..=24).contains(size);
    let strides = view
        .strides
        .iter()
        .zip(&view.shape)
        .filter(|axis| *axis.1 > 1)
        .map(|axis| axis.0.unsigned_abs());
    let last = base.last().copied().filter(fits);
    match numel(base) {
        few if few <= ROW => few.max(1),
        _ => strides.filter(fits).min().or(last).unwrap_or(16),
    }
}

fn shade(address: usize, len: usize) -> String {
    format!("s{}", address * SHADES / len.max(1))
}

fn cell(svg: &mut String, class: &str, x: f64, y: f64, text: &str, tip: &str) {
    let _ = write!(
        svg,
        r#"<g class="cell {class}"><title>{tip}</title><rect x="{x:.1}" y="{y:.1}" width="{}" height="{}" rx="3"/>"#,
        CELL.0 - 3.0,
        CELL.1 - 3.0
    );
    line(svg, "", x + (CELL.0 - 3.0) / 2.0, y + 19.0, "middle", text);
    *svg = std::mem::take(svg).trim_end().to_string() + "</g>\n";
}

// ---- What is said in words -------------------------------------------

/// `3·i0 + i1 − 1`.
fn affine(coefs: &[isize], offset: isize) -> String {
    let mut text = String::new();
    let terms = coefs.iter().enumerate().filter(|term| *term.1 != 0);
    let names = terms.map(|(axis, &c)| {
        (
            c,
            if c.abs() == 1 {
                format!("i{axis}")
            } else {
                format!("{}·i{axis}", c.abs())
            },
        )
    });
    let constant = (offset != 0).then(|| (offset, offset.abs().to_string()));
    for (value, name) in names.chain(constant) {
        text += match (text.is_empty(), value < 0) {
            (true, false) => "",
            (true, true) => "−",
            (false, false) => " + ",
            (false, true) => " − ",
        };
        text += &name;
    }
    if text.is_empty() {
        "0".to_string()
    } else {
        text
    }
}

/// The view as formulas, and what is not drawn of it.
fn notes(view: &View, shown: &Shown, len: usize) -> Vec<String> {
    let mut notes = vec![
        format!(
            "shape {:?}  strides {:?}  offset {}",
            view.shape, view.strides, view.offset
        ),
        format!("address = {}", affine(&view.strides, view.offset)),
    ];
    let bound = |bound: &Bound| {
        format!(
            "only where 0 ≤ {} < {}",
            affine(&bound.coefs, bound.offset),
            bound.size
        )
    };
    notes.extend(view.bounds.iter().map(bound));
    if !view.bounds.is_empty() {
        notes.push("elsewhere 0 (hatched), and nothing is read".to_string());
    }
    if view.numel() == 0 || len == 0 {
        notes.push("no elements".to_string());
    } else if shown.shape.is_empty() {
        notes.push("a single number has no axes".to_string());
    }
    notes
}
