//! # tensor/movement: elements go elsewhere, values stay
//!
//! **Law:** a shape or an order is written as one list or number by number.

use super::{PyTensor, methods, record};
use crate::args::{Along, Given, Number, Pairs, Sizes, unsigned};
use crate::guard::guard;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use teenygrad::Tensor;

/// `name (first, *rest)`: the numbers of one list, or one by one.
macro_rules! listed {
    ($($(#[$doc:meta])* $name:ident $signature:tt $arg:ident => |$x:ident, $sizes:ident| $body:expr;)*) => {
        #[pymethods]
        impl PyTensor {$(
            $(#[$doc])*
            #[pyo3(signature = $signature)]
            fn $name(&self, py: Python<'_>, $arg: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<PyTensor> {
                record(py)?;
                let $x = &self.0;
                let $sizes = Sizes::joined($arg, args)?;
                guard(|| $body).map(PyTensor)
            }
        )*}
    };
}

listed! {
    /// Axes of size 1 repeated up to a larger size, without a copy; -1 keeps a size. New axes may come in front.
    ///
    /// >>> Tensor([[1], [2]]).expand(2, 3).tolist()
    /// [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]
    expand (shape, *args) shape => |x, sizes| x.expand(sizes);
    /// Axes in another order: the result's axis i is this tensor's axis order[i].
    ///
    /// >>> Tensor.zeros(2, 3, 4).permute(2, 0, 1).shape
    /// (4, 2, 3)
    permute (order, *args) order => |x, sizes| x.permute(sizes);
    /// These axes backwards.
    ///
    /// >>> Tensor([[1, 2], [3, 4]]).flip(0).tolist()
    /// [[3.0, 4.0], [1.0, 2.0]]
    flip (axis, *args) axis => |x, sizes| x.flip(sizes);
    /// The tensor side by side with itself, so many times along each axis; more numbers than axes make new axes in front.
    ///
    /// >>> Tensor([1, 2]).repeat(2).tolist()
    /// [1.0, 2.0, 1.0, 2.0]
    repeat (repeats, *args) repeats => |x, sizes| x.repeat(sizes);
}

#[pymethods]
impl PyTensor {
    /// A box cut out: of each axis the elements from start up to (not including) stop, or all of them for None.
    ///
    /// >>> Tensor([[1, 2, 3], [4, 5, 6]]).shrink((None, (1, 3))).tolist()
    /// [[2.0, 3.0], [5.0, 6.0]]
    fn shrink(&self, py: Python<'_>, arg: Pairs) -> PyResult<PyTensor> {
        record(py)?;
        let ranges = unsigned(arg.for_axes(self.0.ndim()))?;
        guard(|| self.0.shrink(&ranges)).map(PyTensor)
    }
    /// value around the elements: so many before and after along each axis, or none for None. A flat tuple has the numbers of the last
    /// axis first, as in PyTorch; negative ones cut.
    ///
    /// >>> Tensor([1, 2]).pad(((1, 2),)).tolist()
    /// [0.0, 1.0, 2.0, 0.0, 0.0]
    /// >>> Tensor([1, 2]).pad((1, -1), value=9).tolist()
    /// [9.0, 1.0]
    #[pyo3(signature = (arg=None, mode=None, value=None, *, padding=None), text_signature = "($self, arg, mode='constant', value=0.0)")]
    fn pad(
        &self,
        py: Python<'_>,
        arg: Option<Pairs>,
        mode: Option<Bound<'_, PyAny>>,
        value: Option<Number>,
        padding: Option<Pairs>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        // tinygrad's name of the first argument
        let arg = arg.or(padding);
        let arg = arg.ok_or_else(|| PyTypeError::new_err("pad() needs widths"))?;
        // The original's second argument is the value, tinygrad's the mode.
        let constant = "constant".to_string();
        let (mode, value) = match (mode, value) {
            (None, value) => (constant, value),
            (Some(mode), value) if mode.is_instance_of::<PyString>() => (mode.extract()?, value),
            (Some(number), None) => (constant, Some(number.extract()?)),
            (Some(_), Some(_)) => return Err(PyTypeError::new_err("pad() got two values")),
        };
        let value = value.map_or(0.into(), |value| value.0);
        let pairs = arg.for_axes(self.0.ndim());
        guard(|| self.0.pad_with(&pairs, &mode, value)).map(PyTensor)
    }
    /// From start up to (not including) stop of each axis, or all of it for None; beyond the axis lies value.
    ///
    /// >>> Tensor([1, 2, 3]).slice(((1, 5),)).tolist()
    /// [2.0, 3.0, 0.0, 0.0]
    #[pyo3(signature = (arg, value=None), text_signature = "($self, arg, value=0)")]
    fn slice(&self, py: Python<'_>, arg: Pairs, value: Option<Number>) -> PyResult<PyTensor> {
        record(py)?;
        let ranges = arg.for_axes(self.0.ndim());
        guard(|| {
            self.0
                .slice(&ranges, value.map_or(0.into(), |value| value.0))
        })
        .map(PyTensor)
    }
    /// Elements at places that are data: y[…, i, …] = self[…, idx[…, i, …], …] along dim, in idx's shape.
    /// gather(idx, dim), or as in tinygrad and PyTorch gather(dim, index).
    ///
    /// >>> Tensor([[1, 2], [3, 4]]).gather(Tensor([[1], [0]], dtype=dtypes.int32), dim=1).tolist()
    /// [[2.0], [3.0]]
    #[pyo3(signature = (idx=None, dim=None, index=None))]
    fn gather(
        &self,
        py: Python<'_>,
        idx: Option<Bound<'_, PyAny>>,
        dim: Option<Bound<'_, PyAny>>,
        index: Option<Given>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let (index, dim) = match (idx, dim, index) {
            (Some(first), Some(second), None) => match first.extract::<isize>() {
                Ok(dim) if second.cast::<PyTensor>().is_ok() => (second.extract()?, dim),
                _ => (first.extract::<Given>()?, second.extract()?),
            },
            (Some(dim), None, Some(index)) | (None, Some(dim), Some(index)) => {
                (index, dim.extract()?)
            }
            _ => {
                return Err(PyTypeError::new_err(
                    "gather() takes an index tensor and a dim",
                ));
            }
        };
        guard(|| self.0.gather(&index.0, dim)).map(PyTensor)
    }
    /// This tensor and others one after the other along dim; they may differ in size there and nowhere else.
    ///
    /// >>> Tensor([1, 2]).cat(Tensor([3])).tolist()
    /// [1.0, 2.0, 3.0]
    #[pyo3(signature = (*args, dim=0))]
    fn cat(&self, py: Python<'_>, args: Vec<Given>, dim: isize) -> PyResult<PyTensor> {
        record(py)?;
        let mut all = vec![&self.0];
        all.extend(args.iter().map(|given| &given.0));
        guard(|| Tensor::cat(&all, dim)).map(PyTensor)
    }
    /// Without its axes of size 1: all of them for None, else the named ones.
    #[pyo3(signature = (dim=None))]
    fn squeeze(&self, py: Python<'_>, dim: Option<Along>) -> PyResult<PyTensor> {
        record(py)?;
        let dim = Along::of(dim, &self.0);
        // The original's text, which is PyTorch's: there are tests that compare the two.
        let axes = self.0.ndim().max(1) as isize;
        let beyond = dim.0.iter().flatten().find(|&&at| at < -axes || at >= axes);
        if let Some(at) = beyond {
            return Err(PyIndexError::new_err(format!(
                "Dimension out of range (expected to be in range of [{}, {}], but got {at})",
                -axes,
                axes - 1
            )));
        }
        guard(|| self.0.squeeze(dim)).map(PyTensor)
    }
    /// Tensors of one shape as one tensor with a new axis dim.
    #[staticmethod]
    #[pyo3(signature = (tensors, dim=0))]
    fn _stack(py: Python<'_>, tensors: Vec<Given>, dim: isize) -> PyResult<PyTensor> {
        record(py)?;
        let all: Vec<&Tensor> = tensors.iter().map(|given| &given.0).collect();
        guard(|| Tensor::stack(&all, dim)).map(PyTensor)
    }
    /// Cut along an axis into (at most) num pieces of one size; the last may be smaller.
    #[pyo3(signature = (num=None, dim=0, *, chunks=None), text_signature = "($self, num, dim=0)")]
    fn chunk(
        &self,
        py: Python<'_>,
        num: Option<usize>,
        dim: isize,
        chunks: Option<usize>,
    ) -> PyResult<Vec<PyTensor>> {
        record(py)?;
        let num = num.or(chunks);
        let num = num.ok_or_else(|| PyTypeError::new_err("chunk() needs a number of pieces"))?;
        guard(|| self.0.chunk(num, dim)).map(|pieces| pieces.into_iter().map(PyTensor).collect())
    }
    /// value around the last two axes: (left, right, top, bottom); negative numbers cut.
    #[pyo3(signature = (padding, value=0.0))]
    fn pad2d(&self, py: Python<'_>, padding: Vec<isize>, value: f64) -> PyResult<PyTensor> {
        record(py)?;
        let widths: [isize; 4] = padding
            .try_into()
            .map_err(|_| PyTypeError::new_err("pad2d takes (left, right, top, bottom)"))?;
        guard(|| self.0.pad2d(widths, value)).map(PyTensor)
    }
}

methods! {
    /// With a new axis of size 1 at dim; -1 is a new last axis.
    unsqueeze (dim) (dim: isize) => |x| x.unsqueeze(dim);
    /// Two axes exchanged.
    transpose (ax1=1, ax2=0, *, dim0=None, dim1=None) ["($self, ax1=1, ax2=0)"] (ax1: isize, ax2: isize, dim0: Option<isize>, dim1: Option<isize>)
        => |x| x.transpose(dim0.unwrap_or(ax1), dim1.unwrap_or(ax2));
    /// The upper triangle of the last two axes, zeros elsewhere: x[i, j] where j - i >= k.
    triu (k=0, *, diagonal=None) ["($self, k=0)"] (k: isize, diagonal: Option<isize>) => |x| x.triu(diagonal.unwrap_or(k));
    /// The lower triangle of the last two axes, zeros elsewhere: x[i, j] where j - i <= k.
    tril (k=0, *, diagonal=None) ["($self, k=0)"] (k: isize, diagonal: Option<isize>) => |x| x.tril(diagonal.unwrap_or(k));
}

/// Each axis at a size, or as it is for None.
macro_rules! sized {
    ($($(#[$doc:meta])* $name:ident ($($more:ident: $type:ty = $default:tt),*) => |$x:ident, $sizes:ident| $body:expr;)*) => {
        #[pymethods]
        impl PyTensor {$(
            $(#[$doc])*
            #[pyo3(signature = (shape, *args $(, $more = $default)*))]
            fn $name(&self, py: Python<'_>, shape: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple> $(, $more: $type)*) -> PyResult<PyTensor> {
                record(py)?;
                let $x = &self.0;
                let $sizes = kept(shape, args, &self.0.shape())?;
                guard(|| $body).map(PyTensor)
            }
        )*}
    };
}

sized! {
    /// The same elements in the same order under another shape, in which one size may be -1 (whatever is left), and None keeps a size.
    ///
    /// >>> Tensor([1, 2, 3, 4, 5, 6]).reshape(2, -1).tolist()
    /// [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    reshape () => |x, sizes| x.reshape(sizes);
    /// As reshape.
    view () => |x, sizes| x.reshape(sizes);
    /// value behind the elements until the axes have these sizes; None keeps one.
    pad_to (value: Option<Number> = None) => |x, sizes| x.pad_to(sizes, value.map_or(0.into(), |value| value.0));
    /// The first elements of each axis, so many; None keeps all.
    shrink_to () => |x, sizes| x.shrink_to(sizes);
}

/// Sizes one by one or in a list, with None for those that stay.
fn kept(
    shape: &Bound<'_, PyAny>,
    args: &Bound<'_, PyTuple>,
    own: &[usize],
) -> PyResult<Vec<isize>> {
    let mut sizes: Vec<Option<isize>> = if crate::args::is_sequence(shape) {
        shape.extract()?
    } else {
        vec![shape.extract()?]
    };
    sizes.extend(args.extract::<Vec<Option<isize>>>()?);
    let size = |(axis, size): (usize, Option<isize>)| {
        size.unwrap_or(own.get(axis).copied().unwrap_or(0) as isize)
    };
    Ok(sizes.into_iter().enumerate().map(size).collect())
}
