//! # tensor/matrix: what a matrix is made of
//!
//! **In:** matrices, the last two axes of a tensor. **Out:** orthogonal matrices near them, and their QR and singular value decompositions.
//!
//! The decompositions are computed at once, in float64, as what a step does depends on the numbers before it; their results have no
//! gradient. They are for matrices of hundreds of rows, not of thousands.

use super::Tensor;
use super::movement::constant;
use crate::error::fail;

impl Tensor {
    /// A matrix with the same singular vectors and singular values near 1: n times X ← c₀·X + c₁·(X Xᵀ)X + c₂·(X Xᵀ)²X …, from X / (‖X‖ + eps) on.
    /// The polynomial is that of each singular value. (Newton & Schulz's iteration; [`MUON`](crate::nn::lars::MUON) has coefficients.)
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[3.0, 0.0], [0.0, 2.0]]);
    /// let y = x.newton_schulz(8, &[1.5, -0.5], 1e-7).to_vec::<f32>(); // 1.5·x − 0.5·x³ has its fixed point at 1
    /// assert!((y[0] - 1.0).abs() < 1e-4 && y[1].abs() < 1e-6 && (y[3] - 1.0).abs() < 1e-4);
    /// ```
    /// # Panics
    /// If there are no two axes.
    #[track_caller]
    pub fn newton_schulz(&self, steps: usize, coefficients: &[f64], eps: f64) -> Tensor {
        let [.., rows, columns] = self.shape()[..] else {
            fail!("newton_schulz", "shape {:?} is no matrix", self.shape());
        };
        if rows > columns {
            // X Xᵀ is the smaller product.
            let turned = self.transpose(-2, -1);
            return turned
                .newton_schulz(steps, coefficients, eps)
                .transpose(-2, -1);
        }
        let norm = self.square().sum_keepdim([-2, -1]).sqrt().add(eps);
        let mut x = self.div(norm);
        for _ in 0..steps {
            let square = x.matmul(x.transpose(-2, -1));
            let mut power = x.clone();
            let mut sum: Option<Tensor> = None;
            for (i, &coefficient) in coefficients.iter().enumerate() {
                if i > 0 {
                    power = square.matmul(&power);
                }
                let term = power.mul(coefficient);
                sum = Some(sum.map_or(term.clone(), |sum| sum.add(term)));
            }
            x = sum.unwrap_or(x);
        }
        x
    }

    /// Q and R with Q R = this matrix, Q's columns orthonormal and R zero below its diagonal: `[…, m, n]` to `[…, m, m]` and `[…, m, n]`. By
    /// Householder's reflections. Computes the values.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[3.0, 1.0], [4.0, 2.0]]);
    /// let (q, r) = x.qr();
    /// assert!(q.matmul(&r).isclose(&x, 1e-5, 1e-6, false).all(()).item::<bool>());
    /// assert!((r.get((0, 0)).item::<f32>() + 5.0).abs() < 1e-6); // −‖[3, 4]‖
    /// ```
    /// # Panics
    /// If there are no two axes.
    #[track_caller]
    pub fn qr(&self) -> (Tensor, Tensor) {
        let shape = self.shape();
        let [.., m, n] = shape[..] else {
            fail!("qr", "shape {shape:?} is no matrix");
        };
        let (mut qs, mut rs) = (Vec::new(), Vec::new());
        for matrix in self.matrices(m * n) {
            let mut r = matrix;
            let mut q = identity(m);
            for k in 0..m.saturating_sub(1).min(n) {
                let norm = (k..m).map(|i| r[i * n + k].powi(2)).sum::<f64>().sqrt();
                if norm == 0.0 {
                    continue;
                }
                // v = x ± ‖x‖·e₁, with the sign that cancels no digits; H = 1 − 2 v vᵀ / vᵀv
                let mut v: Vec<f64> = (k..m).map(|i| r[i * n + k]).collect();
                v[0] += norm.copysign(v[0]);
                let length: f64 = v.iter().map(|v| v * v).sum();
                for j in 0..n {
                    let along: f64 = v.iter().zip(k..).map(|(v, i)| v * r[i * n + j]).sum();
                    v.iter()
                        .zip(k..)
                        .for_each(|(v, i)| r[i * n + j] -= 2.0 * v * along / length);
                }
                for i in 0..m {
                    let along: f64 = v.iter().zip(k..).map(|(v, j)| v * q[i * m + j]).sum();
                    v.iter()
                        .zip(k..)
                        .for_each(|(v, j)| q[i * m + j] -= 2.0 * v * along / length);
                }
                (k + 1..m).for_each(|i| r[i * n + k] = 0.0);
            }
            qs.extend(q);
            rs.extend(r);
        }
        let lead = &shape[..shape.len() - 2];
        (
            self.made_of(qs, &[lead, &[m, m]].concat()),
            self.made_of(rs, &shape),
        )
    }

    /// U, s and Vᵀ with U · diag(s) · Vᵀ = this matrix, the columns of U and V orthonormal and s falling: `[…, m, n]` to `[…, m, k]`, `[…, k]` and
    /// `[…, k, n]`, k = min(m, n); with `full`, U and V are square. By Jacobi's rotations of pairs of columns until all are orthogonal. Computes the values.
    /// ```
    /// # use teenygrad::Tensor;
    /// let (u, s, vt) = Tensor::from([[0.0, 2.0], [-5.0, 0.0]]).svd(false);
    /// assert_eq!(s.to_vec::<f32>(), [5.0, 2.0]);
    /// let again = u.mul(s.unsqueeze(-2)).matmul(&vt);
    /// assert!(again.isclose(&Tensor::from([[0.0, 2.0], [-5.0, 0.0]]), 1e-5, 1e-6, false).all(()).item::<bool>());
    /// ```
    /// # Panics
    /// If there are no two axes.
    #[track_caller]
    pub fn svd(&self, full: bool) -> (Tensor, Tensor, Tensor) {
        let shape = self.shape();
        let [.., m, n] = shape[..] else {
            fail!("svd", "shape {shape:?} is no matrix");
        };
        if m < n {
            let (u, s, vt) = self.transpose(-2, -1).svd(full);
            return (vt.transpose(-2, -1), s, u.transpose(-2, -1));
        }
        let (mut us, mut ss, mut vs) = (Vec::new(), Vec::new(), Vec::new());
        for matrix in self.matrices(m * n) {
            // Columns, each with its column of V.
            let mut columns: Vec<(Vec<f64>, Vec<f64>)> = (0..n)
                .map(|j| {
                    let unit = (0..n).map(|i| f64::from(u8::from(i == j))).collect();
                    ((0..m).map(|i| matrix[i * n + j]).collect(), unit)
                })
                .collect();
            for _ in 0..60 {
                if !rotate_all(&mut columns) {
                    break;
                }
            }
            let norm = |column: &[f64]| dot(column, column).sqrt();
            columns.sort_by(|a, b| norm(&b.0).total_cmp(&norm(&a.0)));
            let sizes: Vec<f64> = columns.iter().map(|(column, _)| norm(column)).collect();
            let units = orthonormal(&columns, &sizes, if full { m } else { n }, m);
            us.extend((0..m).flat_map(|i| units.iter().map(move |unit| unit[i])));
            vs.extend(columns.iter().flat_map(|(_, v)| v.clone()));
            ss.extend(sizes);
        }
        let lead = &shape[..shape.len() - 2];
        (
            self.made_of(us, &[lead, &[m, if full { m } else { n }]].concat()),
            self.made_of(ss, &[lead, &[n]].concat()),
            self.made_of(vs, &[lead, &[n, n]].concat()),
        )
    }

    /// The elements of all matrices, in float64.
    fn matrices(&self, size: usize) -> Vec<Vec<f64>> {
        let all = self.detach().to_vec::<f64>();
        all.chunks(size.max(1)).map(<[f64]>::to_vec).collect()
    }

    /// A tensor of these elements like this one.
    fn made_of(&self, elements: Vec<f64>, shape: &[usize]) -> Tensor {
        let tensor = Tensor::from_vec(elements, shape).cast(self.float_dtype());
        constant(tensor.to(self.device()).lazydata())
    }
}

fn identity(n: usize) -> Vec<f64> {
    (0..n * n)
        .map(|i| f64::from(u8::from(i % (n + 1) == 0)))
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Turns each pair of columns (and of V's) until they are orthogonal; whether any had to be turned.
fn rotate_all(columns: &mut [(Vec<f64>, Vec<f64>)]) -> bool {
    let mut turned = false;
    for j in 1..columns.len() {
        let (before, after) = columns.split_at_mut(j);
        let second = &mut after[0];
        for first in before {
            let (a, b) = (dot(&first.0, &first.0), dot(&second.0, &second.0));
            let shared = dot(&first.0, &second.0);
            if shared.abs() <= 1e-15 * (a * b).sqrt() {
                continue;
            }
            turned = true;
            // tan 2θ = 2·shared / (a − b), of which t = tan θ is the smaller solution.
            let ratio = (b - a) / (2.0 * shared);
            let t = 1f64.copysign(ratio) / (ratio.abs() + (1.0 + ratio * ratio).sqrt());
            let cos = 1.0 / (1.0 + t * t).sqrt();
            let sin = cos * t;
            let turn = |x: &mut [f64], y: &mut [f64]| {
                for (x, y) in x.iter_mut().zip(y) {
                    (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
                }
            };
            turn(&mut first.0, &mut second.0);
            turn(&mut first.1, &mut second.1);
        }
    }
    turned
}

/// The columns as unit vectors, and others orthogonal to them in place of those that are nothing, until there are `count`.
fn orthonormal(
    columns: &[(Vec<f64>, Vec<f64>)],
    sizes: &[f64],
    count: usize,
    m: usize,
) -> Vec<Vec<f64>> {
    let nothing = sizes.first().copied().unwrap_or(0.0) * 1e-14;
    let mut units: Vec<Vec<f64>> = Vec::new();
    for i in 0..count {
        let unit = match sizes.get(i).zip(columns.get(i)) {
            Some((&size, (column, _))) if size > nothing => {
                column.iter().map(|x| x / size).collect()
            }
            _ => farthest(&units, m),
        };
        units.push(unit);
    }
    units
}

/// Of the unit vectors along the axes, the one of which most is left outside of the span of `units`: that part of it, as a unit vector.
fn farthest(units: &[Vec<f64>], m: usize) -> Vec<f64> {
    let outside = |axis: usize| {
        let mut vector: Vec<f64> = (0..m).map(|i| f64::from(u8::from(i == axis))).collect();
        // Twice, because the first time leaves a rounding error that may be as large as what is left.
        for other in units.iter().chain(units) {
            let along = dot(other, &vector);
            vector
                .iter_mut()
                .zip(other)
                .for_each(|(x, y)| *x -= along * y);
        }
        vector
    };
    let best = (0..m)
        .map(outside)
        .max_by(|a, b| dot(a, a).total_cmp(&dot(b, b)));
    let best = best.expect("a vector has an axis");
    let size = dot(&best, &best).sqrt();
    best.iter().map(|x| x / size).collect()
}

#[cfg(test)]
mod tests {
    use crate::Tensor;

    fn near(a: &Tensor, b: &Tensor) {
        assert!(
            a.isclose(b, 1e-4, 1e-5, false).all(()).item::<bool>(),
            "{:?}",
            (a.to_vec::<f32>(), b.to_vec::<f32>())
        );
    }

    fn orthonormal_columns(x: &Tensor) {
        let columns = x.shape()[x.ndim() - 1];
        let square = x.transpose(-2, -1).matmul(x);
        near(&square, &Tensor::eye(columns).expand(square.shape()));
    }

    #[test]
    fn decompositions_of_all_shapes_multiply_to_the_matrix() {
        Tensor::manual_seed(5);
        for shape in [
            vec![4, 4],
            vec![6, 3],
            vec![3, 6],
            vec![1, 5],
            vec![2, 3, 4],
            vec![1, 1],
        ] {
            let x = Tensor::randn(&shape).realize();
            let (q, r) = x.qr();
            orthonormal_columns(&q);
            near(&q.matmul(&r), &x);
            near(&r.triu(0), &r);
            for full in [false, true] {
                let (u, s, vt) = x.svd(full);
                orthonormal_columns(&u);
                orthonormal_columns(&vt.transpose(-2, -1));
                let k = s.shape()[s.ndim() - 1];
                let all = |axis: usize| {
                    (0..shape.len())
                        .map(|i| (i == axis).then_some((0, k)))
                        .collect::<Vec<_>>()
                };
                let (u, vt) = (
                    u.shrink(&all(shape.len() - 1)),
                    vt.shrink(&all(shape.len() - 2)),
                );
                near(&u.mul(s.unsqueeze(-2)).matmul(&vt), &x);
            }
        }
    }

    #[test]
    fn matrices_without_full_rank_have_orthonormal_factors_too() {
        for x in [
            Tensor::zeros([3, 3]),
            Tensor::ones([4, 2]),
            Tensor::from([[1.0, 2.0], [2.0, 4.0]]),
        ] {
            let (u, s, vt) = x.svd(false);
            orthonormal_columns(&u);
            near(&u.mul(s.unsqueeze(-2)).matmul(&vt), &x);
            let (q, r) = x.qr();
            orthonormal_columns(&q);
            near(&q.matmul(&r), &x);
        }
    }
}
