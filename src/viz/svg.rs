//! # viz/svg: what all pictures share
//!
//! **In:** sizes, texts, numbers. **Out:** SVG text, one self-contained file a picture: no script, no font, no program needed to look at it
//! but a browser. **Above:** the other files of [`viz`](super), and the pictures of the examples.
//!
//! Laws:
//! 1. The colours follow the reader's choice of a light or a dark screen, also in an `<img>`: a media query in the file itself decides.
//! 2. Text is escaped; what XML cannot hold at all becomes a space.
//! 3. No font is brought along, so that the width of a text is a guess. It is a good one for fonts whose letters are all equally wide.
//!
//! The text is written as it is: a crate that builds a tree of elements first (`svg`) would save none of the arithmetic below.

use std::fmt::Write;

/// Type, ground and title: what every picture has. Rules of a picture's own come after these.
const STYLE: &str = "
text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; fill: #52514e }
.ground { fill: #fcfcfb }
.title { font-size: 18px; font-weight: 600 }
.head { font-weight: 600 }
.title, .head { fill: #191918 }
@media (prefers-color-scheme: dark) {
text { fill: #b5b4ac }
.ground { fill: #191918 }
.title, .head { fill: #f4f3ee }
}
";

/// How far apart the letters of a text are that is 12 px high, in a font with letters of equal width (most have 0.6 of the height).
const LETTER: f64 = 7.3;

/// The beginning of a picture: size, title, style and ground. `style` are CSS rules beside those that all pictures have, `description`
/// is for those who can't see it, and may be empty. The end is `</svg>`.
pub fn open(width: f64, height: f64, title: &str, description: &str, style: &str) -> String {
    let (title, description) = (escaped(title), escaped(description));
    let described = match description.is_empty() {
        true => String::new(),
        false => format!("<desc>{description}</desc>\n"),
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>{title}</title>\n{described}<style>{STYLE}{style}</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n"
    );
    let _ = writeln!(svg, r#"<text class="title" x="24" y="36">{title}</text>"#);
    svg
}

/// A line of text; `anchor` is `start`, `middle` or `end`: which part of it is at x.
pub fn line(svg: &mut String, class: &str, x: f64, y: f64, anchor: &str, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        svg,
        r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
    );
}

/// About how wide a text is, 12 px high in letters of equal width; Asian letters and pictograms take two.
/// ```
/// use teenygrad::viz::svg::width;
/// assert_eq!((width(""), width("ab") / width("a"), width("語") / width("a")), (0.0, 2.0, 2.0));
/// ```
pub fn width(text: &str) -> f64 {
    let letters: usize = text
        .chars()
        .map(|c| {
            if c >= '\u{1100}' && !('\u{2000}'..'\u{2e80}').contains(&c) {
                2
            } else {
                1
            }
        })
        .sum();
    letters as f64 * LETTER
}

/// The text, or its beginning and `…` if it has more letters than `most`.
/// ```
/// assert_eq!(teenygrad::viz::svg::shortened("contraction", 6), "contr…");
/// ```
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars()
        .take(most.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// Text as XML wants it. Control characters and what else XML cannot hold become spaces.
/// ```
/// assert_eq!(teenygrad::viz::svg::escaped("a < b & \"c\"\u{1b}\u{ffff}"), "a &lt; b &amp; &quot;c&quot;  ");
/// ```
pub fn escaped(text: &str) -> String {
    let clean = text.replace(
        |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'),
        " ",
    );
    clean
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A number with four significant digits and no zeros that say nothing: 0.0312, 95.7, 12,000.
pub fn number(value: f64) -> String {
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
pub fn grouped(value: usize) -> String {
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

/// Bytes in the unit that leaves a number of one to three digits.
/// ```
/// use teenygrad::viz::svg::bytes;
/// assert_eq!([4, 5120, 401_408].map(bytes), ["4 B", "5.12 kB", "401 kB"]);
/// ```
pub fn bytes(count: usize) -> String {
    let (mut value, mut units) = (count as f64, ["B", "kB", "MB", "GB", "TB"].into_iter());
    let mut unit = units.next().unwrap_or("B");
    while value >= 999.5
        && let Some(next) = units.next()
    {
        (value, unit) = (value / 1000.0, next);
    }
    let decimals = if value >= 99.95 || count < 1000 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let numbers = [
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
        ];
        let shown = [
            "0", "0.3", "0.03125", "95.7", "100", "1234", "12,000", "-0.5", "2.0e-9", "1.0e12",
        ];
        assert_eq!(numbers.map(number), shown);
        assert_eq!(
            [1, 999, 1000, 1234567].map(grouped),
            ["1", "999", "1,000", "1,234,567"]
        );
        assert_eq!(bytes(12_345_678_901), "12.3 GB");
    }
}
