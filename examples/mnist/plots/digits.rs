//! # plots/digits: what the model read wrongly
//!
//! **In:** images with guess and truth. **Out:** an SVG with a card for each, ten in a row.

use super::STYLE;
use std::fmt::Write;
use teenygrad::viz::svg::{grouped, line, open};

/// A digit that the model read wrongly.
#[derive(Clone)]
pub struct WrongDigit {
    /// 28 rows of 28 pixels, 0 for paper, 255 for ink.
    pub pixels: [u8; 784],
    /// What the model took it for.
    pub guess: u8,
    /// What it is.
    pub truth: u8,
}

/// At most this many digits are drawn.
const SHOWN: usize = 100;
/// The distance from one digit to the next, to the right and down.
const CELL: (f64, f64) = (78.0, 92.0);

/// The first 100 of the wrongly read digits, each with guess and truth, under a heading that says how many there are among the `total`
/// that were read.
pub fn wrong_digits_svg(digits: &[WrongDigit], total: usize, title: &str) -> String {
    let shown = &digits[..digits.len().min(SHOWN)];
    let rows = shown.len().div_ceil(10);
    let (width, height) = (40.0 + 10.0 * CELL.0, 104.0 + rows as f64 * CELL.1);
    let mut svg = open(width, height, title, "", STYLE);
    let which = match (digits.len(), shown.len()) {
        (0, _) => String::new(),
        (all, drawn) if all == drawn => "; all of them:".into(),
        (_, drawn) => format!("; the first {drawn} of them:"),
    };
    let heading = format!(
        "{} of {} digits read wrongly{which}",
        grouped(digits.len()),
        grouped(total)
    );
    line(&mut svg, "head", 24.0, 62.0, "start", &heading);
    if !shown.is_empty() {
        let key = r#"<text x="24" y="82"><tspan class="guess">guess</tspan> → <tspan class="truth">truth</tspan></text>"#;
        svg += key;
        svg.push('\n');
    }
    for (i, digit) in shown.iter().enumerate() {
        let (x, y) = (
            24.0 + (i % 10) as f64 * CELL.0,
            98.0 + (i / 10) as f64 * CELL.1,
        );
        let WrongDigit {
            pixels,
            guess,
            truth,
        } = digit;
        // 28 pixels of 2 each, on a card with a margin.
        let _ = writeln!(
            svg,
            r#"<g transform="translate({x} {y})"><rect class="card" width="64" height="64" rx="4"/>"#
        );
        let _ = write!(
            svg,
            r#"<g class="ink" transform="translate(4 4) scale(2)">"#
        );
        draw_pixels(&mut svg, pixels);
        let label = format!(
            r#"<tspan class="guess">{guess}</tspan> → <tspan class="truth">{truth}</tspan>"#
        );
        let _ = writeln!(
            svg,
            r#"</g><text x="32" y="80" text-anchor="middle">{label}</text></g>"#
        );
    }
    svg + "</svg>\n"
}

/// Shades of ink that are told apart, beside none.
const SHADES: usize = 8;

/// One path for each shade, made of horizontal runs of pixels: a tenth of the size of a rectangle for each pixel, and, unlike an
/// embedded bitmap, in whatever colour the ink has.
fn draw_pixels(svg: &mut String, pixels: &[u8; 784]) {
    let mut paths = [const { String::new() }; SHADES + 1];
    for (y, row) in pixels.chunks_exact(28).enumerate() {
        let shade = |pixel: u8| (pixel as usize * SHADES + 127) / 255;
        let mut x = 0;
        for run in row.chunk_by(|a, b| shade(*a) == shade(*b)) {
            let length = run.len();
            let _ = write!(paths[shade(run[0])], "M{x} {y}h{length}v1h-{length}z");
            x += length;
        }
    }
    for (shade, path) in paths
        .iter()
        .enumerate()
        .skip(1)
        .filter(|(_, path)| !path.is_empty())
    {
        let opacity = shade as f64 / SHADES as f64;
        let _ = write!(svg, r#"<path fill-opacity="{opacity}" d="{path}"/>"#);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_drawn_as_runs_and_counted() {
        let mut pixels = [0; 784];
        pixels[28 + 3..28 + 8].fill(255);
        pixels[28 + 8] = 128;
        let digit = WrongDigit {
            pixels,
            guess: 4,
            truth: 9,
        };
        let svg = wrong_digits_svg(&vec![digit; 123], 10_000, "run");
        assert!(svg.contains("123 of 10,000 digits read wrongly; the first 100 of them:"));
        assert_eq!(
            svg.matches(r#"<path fill-opacity="1" d="M3 1h5v1h-5z"/>"#)
                .count(),
            100
        );
        assert_eq!(
            svg.matches(r#"<path fill-opacity="0.5" d="M8 1h1v1h-1z"/>"#)
                .count(),
            100
        );
        assert!(svg.contains(r#"<tspan class="guess">4</tspan> → <tspan class="truth">9</tspan>"#));
        assert!(wrong_digits_svg(&[], 10_000, "run").contains(">0 of 10,000 digits read wrongly<"));
    }
}
