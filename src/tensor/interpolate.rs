//! # tensor/interpolate: other sizes of the same picture
//!
//! **In:** a tensor and new sizes of its last axes. **Out:** the values between its elements, axis by axis, as the interpolation over several
//! axes is a product of those over one.

use super::Tensor;
use super::rearrange::along;
use crate::error::fail;
use crate::shape::args::Shape;

impl Tensor {
    /// The last axes at other sizes, as many as `size` has numbers.
    ///
    /// `nearest` takes the element at ⌊i · old/new⌋, `nearest-exact` that at ⌊(i + ½) · old/new⌋. `linear` (also called `bilinear` and `trilinear`) is
    /// the weighted mean of the two elements around (i + ½) · old/new − ½, or with `align_corners` around i · (old − 1)/(new − 1).
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1.0, 3.0]]);
    /// assert_eq!(x.interpolate([4], "nearest", false).to_vec::<f32>(), [1.0, 1.0, 3.0, 3.0]);
    /// assert_eq!(x.interpolate([4], "linear", false).to_vec::<f32>(), [1.0, 1.5, 2.5, 3.0]);
    /// assert_eq!(x.interpolate([3], "linear", true).to_vec::<f32>(), [1.0, 2.0, 3.0]);
    /// ```
    /// # Panics
    /// If there are more sizes than axes, one of either is 0, or the mode is unknown.
    #[track_caller]
    pub fn interpolate(&self, size: impl Into<Shape>, mode: &str, align_corners: bool) -> Tensor {
        let (shape, size) = (self.shape(), size.into().sizes("interpolate"));
        let Some(first) = shape.len().checked_sub(size.len()) else {
            fail!(
                "interpolate",
                "{size:?} has more sizes than shape {shape:?} has axes"
            )
        };
        let mut x = self.to_float();
        for (i, &new) in size.iter().enumerate() {
            let (axis, old) = (first + i, shape[first + i]);
            if old == 0 || new == 0 {
                fail!(
                    "interpolate",
                    "axis {axis} of shape {shape:?} to {size:?}: between no elements there is nothing"
                );
            }
            x = match mode {
                "nearest" => {
                    let places = (0..new).map(|i| (i * old / new) as isize).collect();
                    x.get(along(axis, places))
                }
                "nearest-exact" => {
                    let places = (0..new)
                        .map(|i| ((2 * i + 1) * old / (2 * new)).min(old - 1) as isize)
                        .collect();
                    x.get(along(axis, places))
                }
                "linear" | "bilinear" | "trilinear" => x.between(axis, old, new, align_corners),
                _ => {
                    fail!("interpolate", "there is no mode {mode:?}"; "nearest, nearest-exact and linear are there")
                }
            };
        }
        x.cast(self.float_dtype())
    }

    /// Linear interpolation along one axis.
    fn between(&self, axis: usize, old: usize, new: usize, align_corners: bool) -> Tensor {
        let place = |i: usize| match align_corners {
            true if new == 1 => 0.0,
            true => i as f64 * (old - 1) as f64 / (new - 1) as f64,
            false => {
                ((i as f64 + 0.5) * old as f64 / new as f64 - 0.5).clamp(0.0, (old - 1) as f64)
            }
        };
        let below: Vec<isize> = (0..new).map(|i| place(i).floor() as isize).collect();
        let above: Vec<isize> = below
            .iter()
            .map(|&at| (at + 1).min(old as isize - 1))
            .collect();
        let weights: Vec<f64> = (0..new).map(|i| place(i) - place(i).floor()).collect();
        let mut line = vec![1; self.ndim()];
        line[axis] = new;
        let weight = Tensor::from_vec(weights, line)
            .cast(self.dtype())
            .to(self.device())
            .detach();
        let (low, high) = (self.get(along(axis, below)), self.get(along(axis, above)));
        low.mul(1 - &weight).add(high.mul(&weight))
    }
}
