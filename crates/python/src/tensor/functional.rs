//! # tensor/functional: windows, layers without memory, losses

use super::{PyTensor, methods, record, training};
use crate::args::{Along, Given, Sizes, Type};
use crate::guard::guard;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use teenygrad::shape::args::Shape;
use teenygrad::tensor::conv::{Conv, Kernel, Pool};
use teenygrad::tensor::losses::Reduction;
use teenygrad::{DType, Tensor};

fn conv(
    groups: usize,
    stride: Option<Sizes>,
    dilation: Option<Sizes>,
    padding: Option<Sizes>,
) -> Conv {
    let or = |sizes: Option<Sizes>, default: i32| sizes.map_or(Shape::from(default), Shape::from);
    Conv::default()
        .groups(groups)
        .stride(or(stride, 1))
        .dilation(or(dilation, 1))
        .padding(or(padding, 0))
}

fn option(given: &Option<Given>) -> Option<&Tensor> {
    given.as_ref().map(|given| &given.0)
}

/// The labels of a loss, under the original's name or tinygrad's.
fn labels(y: Option<Given>, other: Option<Given>) -> PyResult<Tensor> {
    match y.or(other) {
        Some(y) => Ok(y.0),
        None => Err(PyTypeError::new_err("the labels y are missing")),
    }
}

/// One number is a kernel of that size over the last two axes.
pub(super) fn kernel(sizes: Option<Sizes>) -> Kernel {
    match sizes.map(|sizes| sizes.0).as_deref() {
        None => Kernel::from([2, 2]),
        Some(&[size]) => Kernel::from(size),
        Some(sizes) => Kernel::from(sizes),
    }
}

/// As the dtype, if one is asked for.
pub(super) fn typed(x: &Tensor, dtype: Option<Type>) -> Tensor {
    x.cast(dtype.map_or(x.dtype(), |dtype| dtype.0))
}

methods! {
    /// Slides weight (out, in / groups, kernel…) over this tensor (n, in, spatial…): (n, out, spatial…).
    ///
    /// Any number of spatial axes. stride and dilation are one number or one an axis; padding is one number, one an axis, or a pair an
    /// axis, the last axis first: (left, right, top, bottom). Each spatial size becomes (H + padding - dilation·(K - 1) - 1) // stride + 1.
    ///
    /// >>> x = Tensor.ones(1, 1, 3, 3)
    /// >>> x.conv2d(Tensor.ones(1, 1, 2, 2)).tolist()
    /// [[[[4.0, 4.0], [4.0, 4.0]]]]
    conv2d (weight, bias=None, groups=1, stride=None, dilation=None, padding=None, dtype=None) ["($self, weight, bias=None, groups=1, stride=1, dilation=1, padding=0, dtype=None)"] (weight: Given, bias: Option<Given>, groups: usize, stride: Option<Sizes>, dilation: Option<Sizes>, padding: Option<Sizes>, dtype: Option<Type>)
        => |x| {
            let (x, weight) = (typed(x, dtype), typed(&weight.0, dtype));
            x.conv2d_with(&weight, option(&bias), conv(groups, stride, dilation, padding))
        };
    /// What a convolution does on its way back, as a way forward: weight is (in, out / groups, kernel…).
    conv_transpose2d (weight, bias=None, groups=1, stride=None, dilation=None, padding=None, output_padding=None) ["($self, weight, bias=None, groups=1, stride=1, dilation=1, padding=0, output_padding=0)"] (weight: Given, bias: Option<Given>, groups: usize, stride: Option<Sizes>, dilation: Option<Sizes>, padding: Option<Sizes>, output_padding: Option<Sizes>)
        => |x| {
            let more = output_padding.map_or(Shape::from(0), Shape::from);
            x.conv_transpose2d_with(&weight.0, option(&bias), conv(groups, stride, dilation, padding).output_padding(more))
        };
    /// The product with a weight of shape (in, out) (a weight of one axis is multiplied element by element), plus the bias.
    linear (weight, bias=None, dtype=None) (weight: Given, bias: Option<Given>, dtype: Option<Type>) => |x| {
        let bias = bias.map(|bias| typed(&bias.0, dtype));
        typed(x, dtype).linear(&typed(&weight.0, dtype), bias.as_ref())
    };
    /// (x - mean) / sqrt(variance + eps) along an axis or several.
    layernorm (axis=None, eps=1e-5) ["($self, axis=-1, eps=1e-05)"] (axis: Option<Along>, eps: f64) => |x| x.layernorm(axis.unwrap_or(Along(Some(vec![-1]))), eps);
    /// (x - mean) · weight · invstd + bias, each of shape (channels,), for x of shape (n, channels, …) or with the channels at another axis.
    batchnorm (weight, bias, mean, invstd, axis=1) (weight: Option<Given>, bias: Option<Given>, mean: Given, invstd: Given, axis: isize)
        => |x| x.movedim(axis, 1).batchnorm(option(&weight), option(&bias), &mean.0, &invstd.0).movedim(1, axis);
    /// The matrix product: see matmul.
    dot (w, dtype=None) (w: Given, dtype: Option<Type>) => |x| typed(x, dtype).dot(typed(&w.0, dtype));
}

#[pymethods]
impl PyTensor {
    /// The cross entropy of probabilities with labels of 0 and 1 (or between).
    #[pyo3(signature = (y=None, reduction="mean", *, Y=None))]
    #[allow(non_snake_case)]
    fn binary_crossentropy(
        &self,
        py: Python<'_>,
        y: Option<Given>,
        reduction: &str,
        Y: Option<Given>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let (y, how) = (labels(y, Y)?, super::beyond::reduction(reduction)?);
        guard(|| self.0.binary_crossentropy_with(&y, how)).map(PyTensor)
    }
    /// As binary_crossentropy, of logits; what y asks for may count pos_weight times.
    #[pyo3(signature = (y=None, reduction="mean", pos_weight=None, *, Y=None))]
    #[allow(non_snake_case)]
    fn binary_crossentropy_logits(
        &self,
        py: Python<'_>,
        y: Option<Given>,
        reduction: &str,
        pos_weight: Option<Given>,
        Y: Option<Given>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let (y, how) = (labels(y, Y)?, super::beyond::reduction(reduction)?);
        guard(|| {
            self.0
                .binary_crossentropy_logits_with(&y, option(&pos_weight), how)
        })
        .map(PyTensor)
    }
    /// While Tensor.training: elements are 0 with probability p, the others are divided by 1 - p. Else nothing.
    #[pyo3(signature = (p=0.5))]
    fn dropout(&self, py: Python<'_>, p: f64) -> PyResult<PyTensor> {
        training(py)?;
        guard(|| self.0.dropout(p)).map(PyTensor)
    }
    /// softmax(self @ keyᵀ / sqrt(features) + attn_mask) @ value, for (…, positions, features).
    ///
    /// attn_mask is bool (true: may look) or is added to the scores; is_causal lets no position look at later ones. With enable_gqa, several
    /// heads of the queries share one of key and value.
    #[pyo3(signature = (key, value, attn_mask=None, dropout_p=0.0, is_causal=false, enable_gqa=false))]
    #[allow(clippy::too_many_arguments)]
    fn scaled_dot_product_attention(
        &self,
        py: Python<'_>,
        key: Given,
        value: Given,
        attn_mask: Option<Given>,
        dropout_p: f64,
        is_causal: bool,
        enable_gqa: bool,
    ) -> PyResult<PyTensor> {
        training(py)?;
        guard(|| {
            let heads = |x: Tensor| {
                if enable_gqa {
                    x.with_heads_of(&self.0)
                } else {
                    x
                }
            };
            self.0.scaled_dot_product_attention(
                &heads(key.0),
                &heads(value.0),
                option(&attn_mask),
                dropout_p,
                is_causal,
            )
        })
        .map(PyTensor)
    }
    /// What the layers make of this tensor, one after the other; a layer is anything that can be called with a tensor.
    fn sequential<'py>(
        slf: Bound<'py, Self>,
        ll: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        ll.iter()
            .try_fold(slf.into_any(), |x, layer| layer.call1((x,)))
    }
    /// The average of each window over the last axes: kernel_size is one number for the last two, or one for each of as many last axes.
    /// The stride is the kernel's size if not given; padding is written as conv2d's.
    #[pyo3(signature = (kernel_size=None, stride=None, dilation=None, padding=None, ceil_mode=false, count_include_pad=true), text_signature = "($self, kernel_size=(2, 2), stride=None, dilation=1, padding=0, ceil_mode=False, count_include_pad=True)")]
    #[allow(clippy::too_many_arguments)]
    fn avg_pool2d(
        &self,
        py: Python<'_>,
        kernel_size: Option<Sizes>,
        stride: Option<Sizes>,
        dilation: Option<Sizes>,
        padding: Option<Sizes>,
        ceil_mode: bool,
        count_include_pad: bool,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let options =
            pool(stride, dilation, padding, ceil_mode).count_include_pad(count_include_pad);
        guard(|| self.0.avg_pool2d_with(kernel(kernel_size), options)).map(PyTensor)
    }
    /// The largest element of each window over the last axes; arguments as avg_pool2d's. Ties share the gradient. With return_indices also
    /// where it was in the last axes (counted row by row; of ties the first), int32.
    #[pyo3(signature = (kernel_size=None, stride=None, dilation=None, padding=None, ceil_mode=false, return_indices=false), text_signature = "($self, kernel_size=(2, 2), stride=None, dilation=1, padding=0, ceil_mode=False, return_indices=False)")]
    #[allow(clippy::too_many_arguments)]
    fn max_pool2d<'py>(
        &self,
        py: Python<'py>,
        kernel_size: Option<Sizes>,
        stride: Option<Sizes>,
        dilation: Option<Sizes>,
        padding: Option<Sizes>,
        ceil_mode: bool,
        return_indices: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        record(py)?;
        let (kernel, options) = (
            kernel(kernel_size),
            pool(stride, dilation, padding, ceil_mode),
        );
        if !return_indices {
            let largest = guard(|| self.0.max_pool2d_with(kernel, options))?;
            return Ok(PyTensor(largest).into_pyobject(py)?.into_any());
        }
        let (largest, places) = guard(|| {
            let (largest, places) = self.0.max_pool2d_indices(kernel, options);
            (PyTensor(largest), PyTensor(places.cast(DType::Int32)))
        })?;
        Ok((largest, places).into_pyobject(py)?.into_any())
    }
    /// The cross entropy of these logits (…, classes) with labels (…): averaged over the labels that are not ignore_index.
    ///
    /// >>> round(Tensor([[2.0, 0.0]]).sparse_categorical_crossentropy(Tensor([0])).item(), 4)
    /// 0.1269
    #[pyo3(signature = (Y, ignore_index=-1, label_smoothing=0.0, reduction="mean"))]
    #[allow(non_snake_case)]
    fn sparse_categorical_crossentropy(
        &self,
        py: Python<'_>,
        Y: Given,
        ignore_index: i64,
        label_smoothing: f64,
        reduction: &str,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let how = super::beyond::reduction(reduction)?;
        let labels = super::beyond::whole(Y);
        guard(|| match how {
            Reduction::Mean if label_smoothing == 0.0 => self
                .0
                .sparse_categorical_crossentropy(&labels, ignore_index),
            _ => self.0.sparse_categorical_crossentropy_with(
                &labels,
                ignore_index,
                label_smoothing,
                how,
            ),
        })
        .map(PyTensor)
    }
}

pub(super) fn pool(
    stride: Option<Sizes>,
    dilation: Option<Sizes>,
    padding: Option<Sizes>,
    ceil_mode: bool,
) -> Pool {
    let or = |sizes: Option<Sizes>, default: i32| sizes.map_or(Shape::from(default), Shape::from);
    let pool = Pool::default()
        .dilation(or(dilation, 1))
        .padding(or(padding, 0))
        .ceil_mode(ceil_mode);
    match stride {
        Some(stride) => pool.stride(stride),
        None => pool,
    }
}
