//! Pools and convolutions of any kernel, stride, dilation, padding and groups, against plain loops.

use super::*;

/// A generator of small numbers, the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
    fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.roll(high - low + 1)
    }
}

/// Sizes of one convolution over two axes.
#[derive(Debug)]
struct Sizes {
    batch: usize,
    groups: usize,
    channels: usize, // a group
    out: usize,      // a group
    input: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [[usize; 2]; 2], // before and after, an axis
}

impl Sizes {
    fn roll(dice: &mut Dice) -> Sizes {
        loop {
            let mut two = |low, high| [dice.between(low, high), dice.between(low, high)];
            let (input, kernel, stride, dilation) = (two(1, 8), two(1, 4), two(1, 4), two(1, 3));
            let padding = [two(0, 2), two(0, 2)];
            let fits =
                |i: usize| dilation[i] * (kernel[i] - 1) < input[i] + padding[i][0] + padding[i][1];
            if fits(0) && fits(1) {
                let [batch, groups] = two(1, 3);
                let [channels, out] = two(1, 3);
                return Sizes {
                    batch,
                    groups,
                    channels,
                    out,
                    input,
                    kernel,
                    stride,
                    dilation,
                    padding,
                };
            }
        }
    }
    fn output(&self) -> [usize; 2] {
        [0, 1].map(|i| {
            (self.input[i] + self.padding[i][0] + self.padding[i][1]
                - self.dilation[i] * (self.kernel[i] - 1)
                - 1)
                / self.stride[i]
                + 1
        })
    }
    /// Where window `o` sees with its element `k`, or nothing if that is padding.
    fn place(&self, axis: usize, o: usize, k: usize) -> Option<usize> {
        (o * self.stride[axis] + k * self.dilation[axis])
            .checked_sub(self.padding[axis][0])
            .filter(|&at| at < self.input[axis])
    }
    /// All (output row, output column, kernel row, kernel column, input row, input column) that meet.
    fn meetings(&self) -> Vec<[usize; 6]> {
        let mut all = Vec::new();
        let out = self.output();
        for (p, q) in (0..out[0]).flat_map(|p| (0..out[1]).map(move |q| (p, q))) {
            for (a, b) in (0..self.kernel[0]).flat_map(|a| (0..self.kernel[1]).map(move |b| (a, b)))
            {
                if let (Some(i), Some(j)) = (self.place(0, p, a), self.place(1, q, b)) {
                    all.push([p, q, a, b, i, j]);
                }
            }
        }
        all
    }
    fn options(&self) -> Conv {
        let [rows, columns] = self.padding;
        Conv::default()
            .groups(self.groups)
            .stride(self.stride)
            .dilation(self.dilation)
            .padding([columns[0], columns[1], rows[0], rows[1]])
    }
}

#[test]
fn convolutions_against_six_loops() {
    let mut dice = Dice(15);
    for _ in 0..300 {
        let s = Sizes::roll(&mut dice);
        let out = s.output();
        let (all_in, all_out) = (s.groups * s.channels, s.groups * s.out);
        let x_shape = [s.batch, all_in, s.input[0], s.input[1]];
        let w_shape = [all_out, s.channels, s.kernel[0], s.kernel[1]];
        let y_shape = [s.batch, all_out, out[0], out[1]];
        let at = |shape: &[usize; 4], index: [usize; 4]| {
            index
                .iter()
                .zip(shape)
                .fold(0, |place, (i, size)| place * size + i)
        };
        let (x, w, b, dy) = (
            whole(&x_shape, 1),
            whole(&w_shape, 2),
            whole(&[all_out], 3),
            whole(&y_shape, 4),
        );
        let (xv, wv, bv, dyv) = (
            x.to_vec::<f64>(),
            w.to_vec::<f64>(),
            b.to_vec::<f64>(),
            dy.to_vec::<f64>(),
        );
        let (mut y, mut dx, mut dw, mut db) = (
            vec![0.0; dyv.len()],
            vec![0.0; xv.len()],
            vec![0.0; wv.len()],
            vec![0.0; bv.len()],
        );
        let meetings = s.meetings();
        for (n, o) in (0..s.batch).flat_map(|n| (0..all_out).map(move |o| (n, o))) {
            for (p, q) in (0..out[0]).flat_map(|p| (0..out[1]).map(move |q| (p, q))) {
                y[at(&y_shape, [n, o, p, q])] += bv[o];
                db[o] += dyv[at(&y_shape, [n, o, p, q])];
            }
            for (c, &[p, q, a, b, i, j]) in
                (0..s.channels).flat_map(|c| meetings.iter().map(move |m| (c, m)))
            {
                let (xi, wi) = (
                    at(&x_shape, [n, o / s.out * s.channels + c, i, j]),
                    at(&w_shape, [o, c, a, b]),
                );
                let yi = at(&y_shape, [n, o, p, q]);
                y[yi] += xv[xi] * wv[wi];
                dx[xi] += dyv[yi] * wv[wi];
                dw[wi] += dyv[yi] * xv[xi];
            }
        }
        // In float32 too: the numbers are small and whole, so that it is exact, and another micro-kernel.
        for dtype in [DType::Float64, DType::Float32] {
            let [x, w, b] = [&x, &w, &b].map(|t| {
                t.cast(dtype)
                    .contiguous()
                    .realize()
                    .detach()
                    .requires_grad(true)
            });
            let result = x.conv2d_with(&w, Some(&b), s.options());
            assert_eq!(result.shape(), y_shape, "{s:?}");
            result.mul(dy.cast(dtype)).sum(()).backward();
            assert_eq!(result.to_vec::<f64>(), y, "{s:?}");
            for (name, tensor, expected) in
                [("input", &x, &dx), ("weight", &w, &dw), ("bias", &b, &db)]
            {
                assert_eq!(
                    &tensor.grad().unwrap().to_vec::<f64>(),
                    expected,
                    "gradient of the {name}: {s:?} {dtype}"
                );
            }
        }
    }
}

#[test]
fn transposed_convolutions_against_the_convolutions_own_gradient() {
    let mut dice = Dice(16);
    let mut checked = 0;
    while checked < 150 {
        let s = Sizes::roll(&mut dice);
        // A transposed convolution is what a convolution does on its way back: its input has the output's shape.
        let out = s.output();
        let rest = [0, 1].map(|i| {
            (s.input[i] + s.padding[i][0] + s.padding[i][1] - s.dilation[i] * (s.kernel[i] - 1) - 1)
                % s.stride[i]
        });
        if (0..2).any(|i| rest[i] >= s.stride[i].max(s.dilation[i])) {
            continue;
        }
        checked += 1;
        let (all_in, all_out) = (s.groups * s.channels, s.groups * s.out);
        let x = whole(&[s.batch, all_in, s.input[0], s.input[1]], 1).requires_grad(true);
        let (w, dy) = (
            whole(&[all_out, s.channels, s.kernel[0], s.kernel[1]], 2),
            whole(&[s.batch, all_out, out[0], out[1]], 4),
        );
        x.conv2d_with(&w, None, s.options())
            .mul(&dy)
            .sum(())
            .backward();
        let back = dy.conv_transpose2d_with(&w, None, s.options().output_padding(rest));
        assert_eq!(
            (back.shape(), back.to_vec::<f64>()),
            (x.shape(), x.grad().unwrap().to_vec::<f64>()),
            "{s:?}"
        );
    }
}

#[test]
fn max_pools_against_loops_with_ties() {
    let mut dice = Dice(17);
    for _ in 0..300 {
        let mut s = Sizes::roll(&mut dice);
        s.padding = [[0; 2]; 2];
        if (0..2).any(|i| s.dilation[i] * (s.kernel[i] - 1) >= s.input[i]) {
            continue;
        }
        let (out, planes) = (s.output(), s.batch * s.channels);
        let x = whole(&[s.batch, s.channels, s.input[0], s.input[1]], 5); // nine different values: ties everywhere
        let dy = whole(&[s.batch, s.channels, out[0], out[1]], 6) * 12.0; // shares of up to 4 are whole, all others near
        let (xv, dyv) = (x.to_vec::<f64>(), dy.to_vec::<f64>());
        let (mut y, mut mean, mut dx, mut dmean) = (
            vec![f64::NEG_INFINITY; dyv.len()],
            vec![0.0; dyv.len()],
            vec![0.0; xv.len()],
            vec![0.0; xv.len()],
        );
        let mut ties = vec![0.0; dyv.len()];
        let (area, meetings) = ((s.kernel[0] * s.kernel[1]) as f64, s.meetings());
        let pairs = |plane: usize, &[p, q, _, _, i, j]: &[usize; 6]| {
            (
                (plane * out[0] + p) * out[1] + q,
                (plane * s.input[0] + i) * s.input[1] + j,
            )
        };
        let all = || (0..planes).flat_map(|plane| meetings.iter().map(move |m| pairs(plane, m)));
        all().for_each(|(yi, xi)| y[yi] = y[yi].max(xv[xi]));
        all().for_each(|(yi, xi)| ties[yi] += (xv[xi] == y[yi]) as u8 as f64);
        all().for_each(|(yi, xi)| {
            dx[xi] += if xv[xi] == y[yi] {
                dyv[yi] / ties[yi]
            } else {
                0.0
            };
            mean[yi] += xv[xi] / area;
            dmean[xi] += dyv[yi] / area;
        });
        let close = |got: &Tensor, expected: &[f64]| {
            got.to_vec::<f64>()
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-9)
        };
        let options = || Pool::default().stride(s.stride).dilation(s.dilation);
        let x = x.requires_grad(true);
        let pooled = x.max_pool2d_with(s.kernel, options());
        assert_eq!(
            (pooled.shape(), pooled.to_vec::<f64>()),
            (dy.shape(), y),
            "{s:?}"
        );
        pooled.mul(&dy).sum(()).backward();
        assert!(close(&x.grad().unwrap(), &dx), "gradient of max: {s:?}");
        x.zero_grad();
        let pooled = x.avg_pool2d_with(s.kernel, options());
        assert!(close(&pooled, &mean), "{s:?}");
        pooled.mul(&dy).sum(()).backward();
        assert!(
            close(&x.grad().unwrap(), &dmean),
            "gradient of the average: {s:?}"
        );
    }
}
