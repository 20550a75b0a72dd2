//! # plots: what a training run looked like, as two pictures
//!
//! **In:** the numbers of a run. **Out:** SVG text, one self-contained file each: no script, no font, no program needed to look at it
//! but a browser. The colours follow the reader's choice of a light or a dark screen. Nothing here knows of tensors.
//!
//! [`curves_svg`] draws loss and accuracy over the steps, [`wrong_digits_svg`] the digits that the model read wrongly. This file has
//! what both share: the style, text, and numbers as people write them.

mod curves;
mod digits;

pub use curves::curves_svg;
pub use digits::{WrongDigit, wrong_digits_svg};

use std::fmt::Write;

/// Colours and type for both pictures. The colours of the lines keep their contrast on both grounds.
const STYLE: &str = "
text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; fill: #52514e }
.ground { fill: #fcfcfb }
.title { font-size: 18px; font-weight: 600 }
.head { font-weight: 600 }
.title, .head, .truth { fill: #191918 }
.truth, .guess { font-weight: 600 }
.guess { fill: #b3361b }
.grid { stroke: #e4e3df }
.axis { stroke: #8a8983 }
.raw, .mean { fill: none; stroke-linejoin: round; stroke-linecap: round }
.raw { stroke-width: 1; stroke-opacity: .6 }
.mean { stroke-width: 2.5 }
.loss { stroke: #2466b8 }
.accuracy { stroke: #147a50 }
.card { fill: #f0efeb }
.ink { fill: #191918; shape-rendering: crispEdges }
@media (prefers-color-scheme: dark) {
text { fill: #b5b4ac }
.ground { fill: #191918 }
.title, .head, .truth { fill: #f4f3ee }
.guess { fill: #ff8d70 }
.grid { stroke: #343430 }
.axis { stroke: #77766f }
.loss { stroke: #6fa8f0 }
.accuracy { stroke: #4fc08d }
.card { fill: #282825 }
.ink { fill: #f4f3ee }
}
";

/// The beginning of a picture: size, style, ground and title.
fn open(width: f64, height: f64, title: &str) -> String {
    let title = escaped(title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n"
    );
    let _ = writeln!(svg, r#"<text class="title" x="24" y="36">{title}</text>"#);
    svg
}

/// A line of text.
fn line(svg: &mut String, class: &str, x: f64, y: f64, anchor: &str, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        svg,
        r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
    );
}

/// Text as XML wants it. Control characters, which XML cannot hold at all, become spaces.
fn escaped(text: &str) -> String {
    let clean = text.replace(|c: char| c.is_control(), " ");
    clean
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A number with four significant digits and no zeros that say nothing: 0.0312, 95.7, 12,000.
fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 {
            "0".into()
        } else {
            value.to_string()
        };
    }
    let magnitude = value.abs().log10().floor();
    if !(-6.0..9.0).contains(&magnitude) {
        return format!("{value:.1e}");
    }
    let decimals = (3.0 - magnitude).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    if decimals > 0 {
        return text.trim_end_matches('0').trim_end_matches('.').to_string();
    }
    if value >= 10_000.0 {
        grouped(value.round() as usize)
    } else {
        text
    }
}

/// 10000 as 10,000.
fn grouped(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [
            0.0,
            0.3000000000000004,
            0.031249,
            95.7,
            100.0,
            1234.0,
            12000.0,
            -0.5,
            2e-9,
            1e12,
        ]
        .map(number);
        assert_eq!(
            shown,
            [
                "0", "0.3", "0.03125", "95.7", "100", "1234", "12,000", "-0.5", "2.0e-9", "1.0e12"
            ]
        );
        assert_eq!(
            [1, 999, 1000, 1234567].map(grouped),
            ["1", "999", "1,000", "1,234,567"]
        );
    }
}
