//! # mlops/movement: elements go elsewhere, values stay
//!
//! Every movement is a linear map of 0s and 1s, and the gradient goes back through its transpose: what was cut off gets zeros,
//! what was repeated gets summed, what was turned gets turned back.
//!
//! **Law:** a forward here never copies. The backward of [`Window`] is the one that has work to do: see [`fold`].

use super::Function;
use crate::dtype::DType;
use crate::helpers::argsort;
use crate::lazy::{LazyBuffer, Op, State};
use crate::ops::{BinaryOps, ReduceOps, UnaryOps};
use crate::shape::view::{Bound, Remap};

/// Repeats axes of size 1. One x became many y's: **dx = Σ dy along the repeated axes**.
pub struct Expand {
    to: Vec<usize>,
    from: Vec<usize>,
}

impl Expand {
    /// To this shape, of the same rank.
    pub fn new(to: Vec<usize>) -> Expand {
        Expand {
            to,
            from: Vec::new(),
        }
    }
}

impl Function for Expand {
    fn name(&self) -> &'static str {
        "Expand"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.from = inputs[0].shape().to_vec();
        inputs[0].expand(&self.to)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        let repeated: Vec<usize> = (0..self.to.len())
            .filter(|&axis| self.from[axis] != self.to[axis])
            .collect();
        // An axis repeated no times (size 0) sums to zeros, of the size 1 that it had.
        vec![Some(sum_along(dy, &repeated))]
    }
}

/// Σ dy along axes, a sum of few flops: **Σ −g = −Σ g**, and **Σ c·g = c·Σ g** where c is the same along all of these axes.
///
/// Mostly Σ g is wanted as well. In (x − mean)·c + bias, a batch norm, bias has the gradient Σ g and mean −Σ c·g, over all numbers of a channel: so
/// it is −c·Σ g, and c·g need not be there for it. Not so for halves, whose range an inner sum might leave.
fn sum_along(dy: &LazyBuffer, axes: &[usize]) -> LazyBuffer {
    let is_same = |factor: &LazyBuffer| {
        let view = factor.view();
        let along = |axis: usize| {
            let bounded = |bound: &Bound| bound.coefs[axis] != 0;
            view.strides[axis] != 0 || view.bounds.iter().any(bounded)
        };
        factor.as_const().is_some() || !axes.iter().any(|&axis| along(axis))
    };
    // One point of each of these axes.
    let first = |factor: &LazyBuffer| {
        let size = |(axis, &size)| if axes.contains(&axis) { 1 } else { size };
        let sizes = factor.shape().iter().enumerate().map(size);
        factor.shrink(&sizes.map(|size| (0, size)).collect::<Vec<_>>())
    };
    let wide = matches!(dy.dtype(), DType::Float32 | DType::Float64) && dy.numel() > 0;
    let mut summed = dy.clone();
    // What happens to the sum, the last first: it is negated (`None`), or multiplied.
    let mut after: Vec<Option<LazyBuffer>> = Vec::new();
    while wide && summed.path().is_none() {
        let State::Lazy(op, sources) = summed.node().state() else {
            break;
        };
        let mut sources = sources.iter().cloned();
        let (factor, rest) = match (op, sources.next(), sources.next()) {
            (Op::Unary(UnaryOps::Neg), Some(rest), _) => (None, rest),
            (Op::Binary(BinaryOps::Mul), Some(a), Some(b)) if is_same(&a) => (Some(a), b),
            (Op::Binary(BinaryOps::Mul), Some(a), Some(b)) if is_same(&b) => (Some(b), a),
            _ => break,
        };
        after.push(factor);
        summed = rest;
    }
    let sum = summed.r(ReduceOps::Sum, axes);
    after.iter().rev().fold(sum, |sum, factor| match factor {
        Some(factor) => sum.e(BinaryOps::Mul, &[&first(factor)]),
        None => sum.e(UnaryOps::Neg, &[]),
    })
}

/// Counts the same elements differently. **dx = dy, counted as before**.
pub struct Reshape {
    to: Vec<usize>,
    from: Vec<usize>,
}

impl Reshape {
    /// To this shape, of as many elements.
    pub fn new(to: Vec<usize>) -> Reshape {
        Reshape {
            to,
            from: Vec::new(),
        }
    }
}

impl Function for Reshape {
    fn name(&self) -> &'static str {
        "Reshape"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.from = inputs[0].shape().to_vec();
        inputs[0].reshape(&self.to)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.reshape(&self.from))]
    }
}

/// Axes in another order: y's axis i is x's axis `order[i]`. **dx = dy in the inverse order**, which is the order that sorts `order`.
pub struct Permute {
    order: Vec<usize>,
}

impl Permute {
    /// In this order.
    pub fn new(order: Vec<usize>) -> Permute {
        Permute { order }
    }
}

impl Function for Permute {
    fn name(&self) -> &'static str {
        "Permute"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].permute(&self.order)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.permute(&argsort(&self.order)))]
    }
}

/// Zeros around. The zeros are no one's: **dx = dy without its margins**.
pub struct Pad {
    padding: Vec<(usize, usize)>,
    from: Vec<usize>,
}

impl Pad {
    /// So many before and after, for each axis.
    pub fn new(padding: Vec<(usize, usize)>) -> Pad {
        Pad {
            padding,
            from: Vec::new(),
        }
    }
}

impl Function for Pad {
    fn name(&self) -> &'static str {
        "Pad"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.from = inputs[0].shape().to_vec();
        inputs[0].pad(&self.padding)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        let ranges: Vec<_> = self
            .padding
            .iter()
            .zip(&self.from)
            .map(|(&(before, _), &size)| (before, before + size))
            .collect();
        vec![Some(dy.shrink(&ranges))]
    }
}

/// A box cut out. What was cut off did not count: **dx = dy with zeros around**.
pub struct Shrink {
    ranges: Vec<(usize, usize)>,
    from: Vec<usize>,
}

impl Shrink {
    /// From start up to (not including) stop, for each axis.
    pub fn new(ranges: Vec<(usize, usize)>) -> Shrink {
        Shrink {
            ranges,
            from: Vec::new(),
        }
    }
}

impl Function for Shrink {
    fn name(&self) -> &'static str {
        "Shrink"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.from = inputs[0].shape().to_vec();
        inputs[0].shrink(&self.ranges)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        let padding: Vec<_> = self
            .ranges
            .iter()
            .zip(&self.from)
            .map(|(&(start, stop), &size)| (start, size - stop))
            .collect();
        vec![Some(dy.pad(&padding))]
    }
}

/// Axes backwards. Turning twice is not turning: **dx = dy, turned**.
pub struct Flip {
    axes: Vec<usize>,
}

impl Flip {
    /// Along these axes.
    pub fn new(axes: Vec<usize>) -> Flip {
        Flip { axes }
    }
    fn turn(&self, x: &LazyBuffer) -> LazyBuffer {
        let steps: Vec<isize> = (0..x.shape().len())
            .map(|axis| if self.axes.contains(&axis) { -1 } else { 1 })
            .collect();
        x.stride(&steps)
    }
}

impl Function for Flip {
    fn name(&self) -> &'static str {
        "Flip"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.turn(&inputs[0])
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(self.turn(dy))]
    }
}

// ---- Windows: what convolution and pooling slide over their input ----

/// How windows lie along one axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slide {
    /// elements in a window
    pub kernel: usize,
    /// from one window to the next
    pub stride: usize,
    /// from one element of a window to the next
    pub dilation: usize,
}

impl Slide {
    /// How many windows fit into `size` elements.
    pub fn count(&self, size: usize) -> usize {
        (size - self.dilation * (self.kernel - 1) - 1) / self.stride + 1
    }
}

/// All windows over the last axes as a view: [lead…, H…] → [lead…, O…, K…], with **y[…, o…, k…] = x[…, o·stride + k·dilation…]**.
///
/// Neighbouring windows overlap in memory; nothing is copied. An x is in several windows, so **dx = the sum of its dy's**, which
/// [`fold`] finds.
pub struct Window {
    slides: Vec<Slide>,
    from: Vec<usize>,
}

impl Window {
    /// Windows over as many last axes as there are slides.
    pub fn new(slides: Vec<Slide>) -> Window {
        Window {
            slides,
            from: Vec::new(),
        }
    }
}

impl Function for Window {
    fn name(&self) -> &'static str {
        "Window"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let x = &inputs[0];
        self.from = x.shape().to_vec();
        let (lead, n) = (x.shape().len() - self.slides.len(), self.slides.len());
        let mut shape = x.shape()[..lead].to_vec();
        shape.extend(
            self.slides
                .iter()
                .zip(&x.shape()[lead..])
                .map(|(slide, &size)| slide.count(size)),
        );
        shape.extend(self.slides.iter().map(|slide| slide.kernel));
        let mut remap = Remap::still(x.shape().len(), shape);
        (0..lead).for_each(|axis| remap.follow(axis, axis, 1));
        for (axis, slide) in (lead..).zip(&self.slides) {
            remap.follow(axis, axis, slide.stride as isize);
            remap.follow(axis, axis + n, slide.dilation as isize);
        }
        x.remap(remap)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(fold(dy, &self.slides, &self.from))]
    }
}

/// The adjoint of [`Window`]: [lead…, O…, K…] → [lead…, H…], each element the sum of all windows' places that showed it.
///
/// Which (o, k) showed h? Those with o·stride + k·dilation = h. For stride 1 that is o = h − k·dilation: for each k one o, if it is in
/// range. So `dx[h] = Σₖ dy[h − k·dilation, k]`: **a view of dy** with axes (h | k), bounded by 0 ≤ h − k·dilation < O, **and a sum**.
///
/// For a stride s and dilation 1, write h = s·q + b with 0 ≤ b < s, and k = s·a + b: only such k meet h. Then o = q − a, and
/// dx[q, b] = Σₐ dy[q − a, s·a + b]: again a view and a sum, over just those k that count, and (q, b) lie in memory as h does. For a
/// pooling window that moves by its own size, a is always 0 and nothing is left to sum.
///
/// Both views are affine, so the scheduler can push them through the sum over channels that made dy in a convolution. What comes
/// out is one contraction, without a line about convolution in the engine.
///
/// For a stride and a dilation that are both over 1, zeros are put between the windows first, as if the stride had been 1.
pub fn fold(dy: &LazyBuffer, slides: &[Slide], to: &[usize]) -> LazyBuffer {
    let n = slides.len();
    let lead = to.len() - n;
    let mut dy = dy.clone();
    let mut slides = slides.to_vec();
    for (i, slide) in slides.iter_mut().enumerate() {
        if slide.stride > 1 && slide.dilation > 1 {
            dy = spread(&dy, lead + i, slide.stride);
            slide.stride = 1;
        }
    }
    // New axes: lead…, then (q, b) for each spatial axis, then a for each. No q is behind the last window's end: that of 2×2 windows in an
    // image of 11×11 is its tenth row.
    let mut shape = to[..lead].to_vec();
    shape.extend(
        slides
            .iter()
            .zip(&dy.shape()[lead..])
            .flat_map(|(slide, &windows)| {
                let more = (slide.kernel - 1) * slide.dilation / slide.stride;
                [windows + more, slide.stride]
            }),
    );
    shape.extend(
        slides
            .iter()
            .map(|slide| slide.kernel.div_ceil(slide.stride)),
    );
    let mut remap = Remap::still(dy.shape().len(), shape.clone());
    (0..lead).for_each(|axis| remap.follow(axis, axis, 1));
    for (i, slide) in slides.iter().enumerate() {
        let (q, b, a) = (lead + 2 * i, lead + 2 * i + 1, lead + 2 * n + i);
        // o = q − a·dilation (one of stride and dilation is 1), k = stride·a + b
        remap.follow(lead + i, q, 1);
        remap.follow(lead + i, a, -(slide.dilation as isize));
        remap.follow(lead + n + i, a, slide.stride as isize);
        remap.follow(lead + n + i, b, 1);
    }
    let taps: Vec<usize> = (lead + 2 * n..lead + 3 * n).collect();
    let summed = dy.remap(remap).r(ReduceOps::Sum, &taps);
    // [lead…, (q, b)…, 1…] → [lead…, q·b…] → [lead…, H…], with zeros where no window has been
    let mut merged = to[..lead].to_vec();
    merged.extend((0..n).map(|i| shape[lead + 2 * i] * shape[lead + 2 * i + 1]));
    let reached: Vec<_> = to.iter().zip(&merged).map(|(&h, &q)| h.min(q)).collect();
    let ranges: Vec<_> = reached.iter().map(|&size| (0, size)).collect();
    let margins: Vec<_> = (to.iter().zip(&reached))
        .map(|(&size, &reached)| (0, size - reached))
        .collect();
    summed.reshape(&merged).shrink(&ranges).pad(&margins)
}

/// `step` − 1 zeros between neighbours of an axis: [n] → [n, 1] → [n, step] → [n·step] → without the last zeros.
fn spread(x: &LazyBuffer, axis: usize, step: usize) -> LazyBuffer {
    let n = x.shape()[axis];
    let mut split = x.shape().to_vec();
    split.insert(axis + 1, 1);
    let mut padding = vec![(0, 0); split.len()];
    padding[axis + 1] = (0, step - 1);
    let mut merged = x.shape().to_vec();
    merged[axis] = n * step;
    let mut ranges: Vec<_> = merged.iter().map(|&size| (0, size)).collect();
    ranges[axis] = (0, (n - 1) * step + 1);
    x.reshape(&split)
        .pad(&padding)
        .reshape(&merged)
        .shrink(&ranges)
}
