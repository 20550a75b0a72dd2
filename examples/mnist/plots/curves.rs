//! # plots/curves: loss and accuracy over the steps
//!
//! **In:** one number of each kind a step. **Out:** an SVG with two plots, one above the other, over the same steps.

use super::STYLE;
use std::fmt::Write;
use teenygrad::viz::svg::{line, number, open};

/// The picture's width, and where the plots begin and end in it.
const WIDTH: f64 = 880.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = WIDTH - 24.0;
/// A plot's height, and how far the second one's top is below the first one's.
const PLOT: f64 = 210.0;
const PITCH: f64 = 306.0;

/// Loss above accuracy (0 to 1), over the steps. Each step is a thin line; a thick one is the mean over some steps around it, which
/// is where the run goes once the luck of the single batch is taken out. The loss has a logarithmic axis if it falls far.
/// Values that are no finite numbers are gaps.
pub fn curves_svg(losses: &[f32], accuracies: &[f32], title: &str) -> String {
    let height = 96.0 + PITCH + PLOT + 54.0;
    let mut svg = open(WIDTH, height, title, "", STYLE);
    let loss = Panel {
        name: "loss",
        class: "loss",
        values: losses,
        axis: Axis::of_loss(losses),
        unit: "",
        scale: 1.0,
    };
    let accuracy = Panel {
        name: "accuracy",
        class: "accuracy",
        values: accuracies,
        axis: Axis {
            low: 0.0,
            high: 1.0,
            log: false,
        },
        unit: " %",
        scale: 100.0,
    };
    loss.draw(&mut svg, 96.0);
    accuracy.draw(&mut svg, 96.0 + PITCH);
    svg + "</svg>\n"
}

/// One plot with its axes, its heading and its two lines.
struct Panel<'a> {
    name: &'a str,
    class: &'a str,
    values: &'a [f32],
    axis: Axis,
    /// Labels show the value times `scale`, followed by `unit`.
    unit: &'a str,
    scale: f64,
}

impl Panel<'_> {
    fn draw(&self, svg: &mut String, top: f64) {
        let Panel {
            name,
            class,
            values,
            axis,
            ..
        } = self;
        let bottom = top + PLOT;
        let window = window_of(values.len());
        let smooth = smoothed(values, window);

        // The heading says what a reader would ask first: how did it end?
        let log = if axis.log { " (logarithmic)" } else { "" };
        line(
            svg,
            "head",
            LEFT,
            top - 34.0,
            "start",
            &format!("{name}{log}"),
        );
        if let Some(last) = smooth.iter().rev().find(|v| v.is_finite()) {
            line(
                svg,
                "head",
                RIGHT,
                top - 34.0,
                "end",
                &format!("at the end: {}", self.label(*last)),
            );
        }
        let mut key = vec![("raw", "each step".to_string())];
        if window > 1 {
            key.push(("mean", format!("mean of {window} steps")));
        }
        for ((kind, text), x) in key.into_iter().zip([LEFT, LEFT + 110.0]) {
            let y = top - 16.0;
            let _ = writeln!(
                svg,
                r#"<path class="{class} {kind}" d="M{x} {}h22"/>"#,
                y - 4.0
            );
            line(svg, "", x + 28.0, y, "start", &text);
        }

        for tick in axis.ticks() {
            let y = bottom - PLOT * axis.at(tick);
            let _ = writeln!(svg, r#"<path class="grid" d="M{LEFT} {y:.1}H{RIGHT}"/>"#);
            line(svg, "", LEFT - 8.0, y + 4.0, "end", &self.label(tick));
        }
        let steps = Axis {
            low: 1.0,
            high: values.len().max(2) as f64,
            log: false,
        };
        let x_of = |step: f64| LEFT + (RIGHT - LEFT) * steps.at(step);
        for tick in steps.ticks().into_iter().filter(|tick| tick.fract() == 0.0) {
            let x = x_of(tick);
            let _ = writeln!(svg, r#"<path class="axis" d="M{x:.1} {bottom}v5"/>"#);
            line(svg, "", x, bottom + 20.0, "middle", &number(tick));
        }
        let _ = writeln!(svg, r#"<path class="axis" d="M{LEFT} {bottom}H{RIGHT}"/>"#);
        line(
            svg,
            "",
            (LEFT + RIGHT) / 2.0,
            bottom + 40.0,
            "middle",
            "step",
        );

        if !values.iter().any(|v| v.is_finite()) {
            line(
                svg,
                "",
                (LEFT + RIGHT) / 2.0,
                top + PLOT / 2.0,
                "middle",
                "no values",
            );
        }
        let raw: Vec<f64> = values.iter().map(|v| *v as f64).collect();
        let mean: &[f64] = if window > 1 { &smooth } else { &[] };
        for (kind, series) in [("raw", &raw[..]), ("mean", mean)] {
            let path = path_of(series, |step, value| {
                (x_of(step), bottom - PLOT * axis.at(value))
            });
            let _ = writeln!(svg, r#"<path class="{class} {kind}" d="{path}"/>"#);
        }
    }

    fn label(&self, value: f64) -> String {
        number(value * self.scale) + self.unit
    }
}

/// How values become places on a line of length 1.
#[derive(Debug, PartialEq)]
struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    /// From 0 to the largest loss; logarithmic if the largest is more than 30 times the smallest, because then a linear axis shows
    /// the first few steps and a flat line.
    fn of_loss(losses: &[f32]) -> Axis {
        let finite = || losses.iter().filter(|v| v.is_finite()).map(|v| *v as f64);
        let (low, high) = (
            finite().fold(f64::INFINITY, f64::min),
            finite().fold(f64::NEG_INFINITY, f64::max),
        );
        if low > high {
            return Axis {
                low: 0.0,
                high: 1.0,
                log: false,
            };
        }
        if low > 0.0 && high > 30.0 * low {
            return Axis {
                low: low / 1.1,
                high: high * 1.1,
                log: true,
            };
        }
        let low = low.min(0.0);
        // Equal ends would be an axis of length 0.
        Axis {
            low,
            high: if high > low {
                low + (high - low) * 1.05
            } else {
                low + 1.0
            },
            log: false,
        }
    }

    /// 0 at the low end, 1 at the high one; beyond the ends it stays there.
    fn at(&self, value: f64) -> f64 {
        let along = |v: f64| {
            if self.log {
                v.max(f64::MIN_POSITIVE).ln()
            } else {
                v
            }
        };
        let place = (along(value) - along(self.low)) / (along(self.high) - along(self.low));
        place.clamp(0.0, 1.0)
    }

    /// Round numbers within the axis: multiples of 1, 2 or 5 times a power of ten, or, on a logarithmic axis, these numbers
    /// themselves (only the powers, if that would be many).
    fn ticks(&self) -> Vec<f64> {
        if self.log {
            let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
            let mantissas: &[f64] = if decades.clone().count() <= 4 {
                &[1.0, 2.0, 5.0]
            } else {
                &[1.0]
            };
            let all = decades
                .flat_map(|exponent| mantissas.iter().map(move |m| m * 10f64.powi(exponent)));
            return all
                .filter(|tick| (self.low..=self.high).contains(tick))
                .collect();
        }
        let rough = (self.high - self.low) / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|m| m * power)
            .into_iter()
            .find(|s| *s >= rough)
            .unwrap_or(rough);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last).map(|n| n as f64 * step).collect()
    }
}

/// An odd number of steps, a twentieth of the run, at most 51.
fn window_of(steps: usize) -> usize {
    (steps / 20).clamp(1, 51) | 1
}

/// The mean of the finite values among the `window` ones around each; fewer at the ends. A centred mean has no lag.
fn smoothed(values: &[f32], window: usize) -> Vec<f64> {
    let half = window / 2;
    (0..values.len())
        .map(|i| {
            let around = &values[i.saturating_sub(half)..(i + half + 1).min(values.len())];
            let finite: Vec<f64> = around
                .iter()
                .filter(|v| v.is_finite())
                .map(|v| *v as f64)
                .collect();
            finite.iter().sum::<f64>() / finite.len() as f64 // 0 / 0 is NaN: a gap
        })
        .collect()
}

/// A line through the finite values, interrupted where there are none. Long runs are thinned out: of the steps that share a pixel,
/// the lowest and the highest are drawn, which looks the same and keeps the file small.
fn path_of(series: &[f64], place: impl Fn(f64, f64) -> (f64, f64)) -> String {
    let bucket = (series.len() as f64 / (RIGHT - LEFT)).ceil().max(1.0) as usize;
    let (mut path, mut pen_down) = (String::new(), false);
    for (b, values) in series.chunks(bucket).enumerate() {
        let mut kept: Vec<usize> = (0..values.len())
            .filter(|i| values[*i].is_finite())
            .collect();
        kept.sort_by(|i, j| values[*i].total_cmp(&values[*j]));
        if kept.len() > 2 {
            kept.drain(1..kept.len() - 1);
        }
        kept.sort();
        if kept.is_empty() {
            pen_down = false;
        }
        for i in kept {
            let (x, y) = place((b * bucket + i + 1) as f64, values[i]);
            let _ = write!(path, "{}{x:.1} {y:.1}", if pen_down { 'L' } else { 'M' });
            // A single point between two gaps is a dot.
            if !pen_down {
                path += "h0";
            }
            pen_down = true;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_axis() {
        let linear = |low, high| {
            Axis {
                low,
                high,
                log: false,
            }
            .ticks()
            .into_iter()
            .map(number)
            .collect::<Vec<_>>()
        };
        assert_eq!(linear(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(linear(1.0, 100.0), ["20", "40", "60", "80", "100"]);
        assert_eq!(linear(-3.0, 3.0), ["-3", "-2", "-1", "0", "1", "2", "3"]);
        let log = Axis {
            low: 0.15,
            high: 30.0,
            log: true,
        }
        .ticks();
        assert_eq!(log, [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
    }

    #[test]
    fn the_axis_of_the_loss_fits_what_there_is() {
        assert!(Axis::of_loss(&[80.0, 0.2, 0.3]).log);
        assert_eq!(
            Axis::of_loss(&[2.0, 1.0]),
            Axis {
                low: 0.0,
                high: 2.1,
                log: false
            }
        );
        assert_eq!(
            Axis::of_loss(&[]),
            Axis {
                low: 0.0,
                high: 1.0,
                log: false
            }
        );
        assert_eq!(
            Axis::of_loss(&[0.0, f32::NAN]),
            Axis {
                low: 0.0,
                high: 1.0,
                log: false
            }
        );
    }

    #[test]
    fn smoothing_takes_the_mean_of_what_is_finite() {
        let smooth = smoothed(&[1.0, 2.0, f32::NAN, 4.0], 3);
        assert_eq!(smooth, [1.5, 1.5, 3.0, 4.0]);
        assert!(smoothed(&[f32::INFINITY], 1)[0].is_nan());
        assert_eq!([0, 100, 1000, 100_000].map(window_of), [1, 5, 51, 51]);
    }

    #[test]
    fn lines_are_interrupted_at_gaps_and_long_ones_are_thinned_out() {
        let there = |step: f64, value: f64| (step, value);
        assert_eq!(
            path_of(&[1.0, 2.0, f64::NAN, 3.0], there),
            "M1.0 1.0h0L2.0 2.0M4.0 3.0h0"
        );
        let mut long = vec![0.0; 1_000_000];
        long[777_777] = 9.0;
        let path = path_of(&long, there);
        assert!(
            path.len() < 40_000 && path.contains("777778.0 9.0"),
            "{}",
            path.len()
        );
    }

    #[test]
    fn any_run_gives_a_picture() {
        for losses in [
            &[][..],
            &[1.0],
            &[f32::NAN; 3],
            &[0.0; 4],
            &[-1.0, f32::INFINITY, 2.0],
        ] {
            let svg = curves_svg(losses, losses, "a < b & c\u{1b}");
            assert!(svg.contains("<title>a &lt; b &amp; c </title>") && svg.ends_with("</svg>\n"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
