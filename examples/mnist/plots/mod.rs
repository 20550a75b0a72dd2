//! # plots: what a training run looked like, as two pictures
//!
//! **In:** the numbers of a run. **Out:** SVG text, one self-contained file each: no script, no font, no program needed to look at it
//! but a browser. The colours follow the reader's choice of a light or a dark screen. Nothing here knows of tensors.
//! **Below:** the library's [`svg`](teenygrad::viz::svg), so that these pictures look as its own do.
//!
//! [`curves_svg`] draws loss and accuracy over the steps, [`wrong_digits_svg`] the digits that the model read wrongly. This file has
//! the colours that both share.

mod curves;
mod digits;

pub use curves::curves_svg;
pub use digits::{WrongDigit, wrong_digits_svg};

/// Colours for both pictures. Those of the lines keep their contrast on both grounds.
const STYLE: &str = "
.truth { fill: #191918 }
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
.truth { fill: #f4f3ee }
.guess { fill: #ff8d70 }
.grid { stroke: #343430 }
.axis { stroke: #77766f }
.loss { stroke: #6fa8f0 }
.accuracy { stroke: #4fc08d }
.card { fill: #282825 }
.ink { fill: #f4f3ee }
}
";
