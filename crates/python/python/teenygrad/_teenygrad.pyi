"""What is compiled. Written by crates/python/stubs.py."""

import builtins
from typing import Any, Callable, ClassVar, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from teenygrad.helpers import DType
from teenygrad.tensor import inference_mode as _inference_mode
from teenygrad.tensor import train as _train

Number = Union[bool, int, float]
Operand = Union["Tensor", Number, Sequence[Any], np.ndarray]
Sizes = Union[int, Sequence[int]]
Axis = Union[None, int, Sequence[int]]
Pairs = Union[Sequence[Optional[Tuple[int, int]]], Sequence[int]]
AnyDType = Union[DType, str]

__version__: str

class Tensor:
    training: ClassVar[builtins.bool]
    no_grad: ClassVar[builtins.bool]
    default_type: ClassVar[DType]
    train = _train
    inference_mode = _inference_mode
    @staticmethod
    def test(val: builtins.bool = ...) -> _train: ...
    def __init__(self, data: Any = ..., device: Optional[str] = ..., dtype: Optional[AnyDType] = ..., requires_grad: Optional[builtins.bool] = ...) -> None: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    @staticmethod
    def _stack(tensors: Sequence[Tensor], dim: builtins.int = 0) -> Tensor: ...
    def stack(self: Union[Tensor, Sequence[Tensor]], *args: Any, dim: builtins.int = 0) -> Tensor: ...
    @property
    def T(self) -> Tensor: ...
    @property
    def _ctx(self) -> Optional[Tuple[str, List[Tensor]]]: ...
    def abs(self) -> Tensor:
        """|x|."""
    def acos(self) -> Tensor:
        """The arc cosine."""
    def acosh(self) -> Tensor:
        """The inverse of cosh."""
    def add(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self + x. Shapes broadcast: sizes are compared from the last axis on, and must be equal or 1.

        >>> (Tensor([[1], [2]]) + Tensor([10, 20])).tolist()
        [[11.0, 21.0], [12.0, 22.0]]"""
    def all(self, axis: Axis = None, keepdim: builtins.bool = False) -> Tensor:
        """Whether all elements are true (not zero), as bool."""
    def allclose(self, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False) -> builtins.bool:
        """Whether all elements of both are nearly equal. Computes them."""
    def any(self, axis: Axis = None, keepdim: builtins.bool = False) -> Tensor:
        """Whether any element is true (not zero), as bool."""
    @staticmethod
    def arange(start: Number, stop: Optional[Number] = None, step: Number = 1, *, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """start, start + step, … up to but without stop; arange(stop) starts at 0.

        >>> Tensor.arange(5, 0, -2).tolist()
        [5.0, 3.0, 1.0]"""
    def argmax(self, axis: Axis = None, keepdim: builtins.bool = False) -> Tensor:
        """The position of the largest element (of ties, the first) along one axis, or in all of the tensor; int32."""
    def argmin(self, axis: Axis = None, keepdim: builtins.bool = False) -> Tensor:
        """The position of the smallest element (of ties, the first) along one axis, or in all of the tensor; int32."""
    def argsort(self, dim: builtins.int = ..., descending: builtins.bool = False) -> Tensor:
        """The positions along an axis that put its elements in order, int32. Computes the order."""
    def asin(self) -> Tensor:
        """The arc sine."""
    def asinh(self) -> Tensor:
        """The inverse of sinh."""
    def assign(self, x: Operand) -> Tensor:
        """Gives this tensor the values of x (a tensor, an array, a list or a number) and gives it back. Shape and device must be the same;
        another dtype is cast. Whoever computes with the old values, even later, gets the old values."""
    def astype(self, dtype: Optional[AnyDType]) -> Tensor:
        """As the dtype: NumPy's name of cast."""
    def atan(self) -> Tensor:
        """The arc tangent."""
    def atanh(self) -> Tensor:
        """The inverse of tanh."""
    def avg_pool2d(self, kernel_size: Sizes = (2, 2), stride: Optional[Sizes] = None, dilation: Sizes = 1, padding: Sizes = 0, ceil_mode: builtins.bool = False, count_include_pad: builtins.bool = True) -> Tensor:
        """The average of each window over the last axes: kernel_size is one number for the last two, or one for each of as many last axes.
        The stride is the kernel's size if not given; padding is written as conv2d's."""
    def backward(self, gradient: Optional[Tensor] = None) -> Tensor:
        """Computes the gradient of this scalar with respect to all tensors that it came from and that require one, and adds it to their
        grad. Lazily: nothing runs until a gradient's values are wanted. Frees the graph that it walks.

        >>> x = Tensor([3.0], requires_grad=True)
        >>> loss = (x * x).sum().backward()
        >>> x.grad.item()
        6.0

        A tensor of more elements than one needs gradient, the gradient of whatever comes after it."""
    def batchnorm(self, weight: Optional[Tensor], bias: Optional[Tensor], mean: Tensor, invstd: Tensor, axis: builtins.int = 1) -> Tensor:
        """(x - mean) · weight · invstd + bias, each of shape (channels,), for x of shape (n, channels, …) or with the channels at another axis."""
    def bfloat16(self) -> Tensor:
        """As bfloat16."""
    def binary_crossentropy(self, y: Optional[Tensor] = None, reduction: str = 'mean', *, Y: Optional[Tensor] = None) -> Tensor:
        """The cross entropy of probabilities with labels of 0 and 1 (or between)."""
    def binary_crossentropy_logits(self, y: Optional[Tensor] = None, reduction: str = 'mean', pos_weight: Optional[Tensor] = None, *, Y: Optional[Tensor] = None) -> Tensor:
        """As binary_crossentropy, of logits; what y asks for may count pos_weight times."""
    def bitcast(self, dtype: Optional[AnyDType]) -> Tensor:
        """The elements' bits read as another dtype of the same size. No gradient."""
    def bitwise_and(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self & x: the bits that both have, of integers or truth values.

        >>> (Tensor([12, 10], dtype=dtypes.int32) & 6).tolist()
        [4, 2]"""
    def bitwise_not(self) -> Tensor:
        """All bits turned, of integers; of truth values, "not"."""
    def bitwise_or(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self | x: the bits that either has."""
    def bitwise_xor(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self ^ x: the bits that one has and the other has not."""
    def bool(self) -> Tensor:
        """As bool: anything but 0 is true."""
    def cast(self, dtype: Optional[AnyDType]) -> Tensor:
        """The elements as another dtype. Integers wrap; floats that become integers are cut towards zero and saturate."""
    def cat(self, *args: Any, dim: builtins.int = 0) -> Tensor:
        """This tensor and others one after the other along dim; they may differ in size there and nowhere else.

        >>> Tensor([1, 2]).cat(Tensor([3])).tolist()
        [1.0, 2.0, 3.0]"""
    def ceil(self) -> Tensor:
        """The least whole number that is not below x."""
    def celu(self, alpha: builtins.float = 1.0) -> Tensor:
        """x above 0, alpha · (exp(x / alpha) - 1) below."""
    def chunk(self, num: builtins.int, dim: builtins.int = 0) -> List[Tensor]:
        """Cut along an axis into (at most) num pieces of one size; the last may be smaller."""
    def clamp(self, min_: Optional[builtins.float] = None, max_: Optional[builtins.float] = None) -> Tensor:
        """As clip."""
    def clip(self, min_: Optional[builtins.float] = None, max_: Optional[builtins.float] = None) -> Tensor:
        """x, but at least min_ and at most max_; None is no bound. Where min_ is above max_, max_ wins."""
    def clone(self) -> Tensor:
        """The same values in memory of their own; gradients flow through."""
    def contiguous(self) -> Tensor:
        """The same values, written out in row-major order if they don't lie so already."""
    def contiguous_backward(self) -> Tensor:
        """The same values; their gradient will be written out."""
    def conv2d(self, weight: Tensor, bias: Optional[Tensor] = None, groups: builtins.int = 1, stride: Optional[Sizes] = 1, dilation: Sizes = 1, padding: Sizes = 0, dtype: Optional[AnyDType] = None) -> Tensor:
        """Slides weight (out, in / groups, kernel…) over this tensor (n, in, spatial…): (n, out, spatial…).

        Any number of spatial axes. stride and dilation are one number or one an axis; padding is one number, one an axis, or a pair an
        axis, the last axis first: (left, right, top, bottom). Each spatial size becomes (H + padding - dilation·(K - 1) - 1) // stride + 1.

        >>> x = Tensor.ones(1, 1, 3, 3)
        >>> x.conv2d(Tensor.ones(1, 1, 2, 2)).tolist()
        [[[[4.0, 4.0], [4.0, 4.0]]]]"""
    def conv_transpose2d(self, weight: Tensor, bias: Optional[Tensor] = None, groups: builtins.int = 1, stride: Optional[Sizes] = 1, dilation: Sizes = 1, padding: Sizes = 0, output_padding: Sizes = 0) -> Tensor:
        """What a convolution does on its way back, as a way forward: weight is (in, out / groups, kernel…)."""
    def copysign(self, x: Operand) -> Tensor:
        """This tensor's size with x's sign."""
    @staticmethod
    def corealize(lst: Sequence[Tensor]) -> None:
        """Computes several tensors together."""
    def cos(self) -> Tensor:
        """The cosine of x, in radians."""
    def cosh(self) -> Tensor:
        """The hyperbolic cosine."""
    def count_nonzero(self, axis: Axis = None) -> Tensor:
        """How many elements are not zero."""
    def cpu(self) -> Tensor:
        """The same values on the CPU."""
    def cross_entropy(self, Y: Tensor, reduction: str = 'mean', label_smoothing: builtins.float = 0.0) -> Tensor:
        """The cross entropy of logits (n, classes, …) with labels (n, …), or with probabilities of the logits' shape."""
    def cummax(self, axis: builtins.int = 0) -> Tuple[Tensor, Tensor]:
        """The largest so far along an axis, and the positions where they were found (of ties the first), int32."""
    def cummin(self, axis: builtins.int = 0) -> Tuple[Tensor, Tensor]:
        """The smallest so far along an axis, and the positions where they were found (of ties the first), int32."""
    def cumprod(self, axis: builtins.int = 0) -> Tensor:
        """Running products along an axis."""
    def cumsum(self, axis: builtins.int = 0) -> Tensor:
        """Running sums along an axis.

        >>> Tensor([1, 2, 3]).cumsum().tolist()
        [1.0, 3.0, 6.0]"""
    def data(self) -> memoryview:
        """The elements' bytes: little-endian, row-major."""
    def deepwalk(self) -> List[Tensor]:
        """All tensors that this one was computed from by functions that record gradients, itself last: each after its own parents."""
    def detach(self) -> Tensor:
        """The same values, cut off from the graph that made them: no gradient goes further back than here."""
    @property
    def device(self) -> str: ...
    def diag(self) -> Tensor:
        """A matrix with these elements on its diagonal."""
    def diagonal(self, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
        """The diagonal of two axes, or with an offset one above (or below) it.

        >>> Tensor([[1, 2, 3], [4, 5, 6]]).diagonal(1).tolist()
        [2.0, 6.0]"""
    def div(self, x: Operand, reverse: builtins.bool = False, rounding_mode: Optional[str] = None) -> Tensor:
        """self / x, the true quotient: integers give float32. rounding_mode "trunc" cuts it towards zero, "floor" rounds it down.

        >>> Tensor([1, 6], dtype=dtypes.int32).div(4).tolist()
        [0.25, 1.5]"""
    def dot(self, w: Tensor, dtype: Optional[AnyDType] = None) -> Tensor:
        """The matrix product: see matmul."""
    def double(self) -> Tensor:
        """As float64."""
    def dropout(self, p: builtins.float = 0.5) -> Tensor:
        """While Tensor.training: elements are 0 with probability p, the others are divided by 1 - p. Else nothing."""
    @property
    def dtype(self) -> DType: ...
    @staticmethod
    def einsum(formula: str, *operands: Any, dtype: Optional[AnyDType] = None) -> Tensor:
        """The sum of products that a formula describes: Tensor.einsum("ij,jk->ik", a, b). With a dtype, all are cast to it first."""
    def element_size(self) -> builtins.int:
        """Bytes that one element takes."""
    def elu(self, alpha: builtins.float = 1.0) -> Tensor:
        """x above 0, alpha · (exp(x) - 1) below."""
    @staticmethod
    def empty(*shape: Any, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Memory whose contents nobody has decided yet, for something that will be assigned.

        >>> Tensor.empty(2, 3).shape
        (2, 3)"""
    def empty_like(self, *, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Memory whose contents nobody has decided yet, with this tensor's shape, dtype and device."""
    def eq(self, x: Operand) -> Tensor:
        """self == x, as bool."""
    def erf(self) -> Tensor:
        """The error function."""
    def exp(self) -> Tensor:
        """e to the power of x."""
    def exp2(self) -> Tensor:
        """2 to the power of x."""
    def expand(self, shape: Sizes, *args: Any) -> Tensor:
        """Axes of size 1 repeated up to a larger size, without a copy; -1 keeps a size. New axes may come in front.

        >>> Tensor([[1], [2]]).expand(2, 3).tolist()
        [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]"""
    def expm1(self) -> Tensor:
        """exp(x) - 1, exact for small x."""
    @staticmethod
    def eye(dim: builtins.int, m: Optional[builtins.int] = None, *, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """The identity matrix of shape (dim, dim), or (dim, m).

        >>> Tensor.eye(2).tolist()
        [[1.0, 0.0], [0.0, 1.0]]"""
    def flatten(self, start_dim: builtins.int = 0, end_dim: builtins.int = ...) -> Tensor:
        """The axes from start_dim to end_dim as one."""
    def flip(self, axis: Axis, *args: Any) -> Tensor:
        """These axes backwards.

        >>> Tensor([[1, 2], [3, 4]]).flip(0).tolist()
        [[3.0, 4.0], [1.0, 2.0]]"""
    def float(self) -> Tensor:
        """As float32."""
    def floor(self) -> Tensor:
        """The largest whole number that is not above x."""
    def floordiv(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self // x, rounded down."""
    def fmod(self, x: Operand) -> Tensor:
        """The remainder of self / x with self's sign, as in C; % has x's."""
    @staticmethod
    def from_dlpack(x: Any) -> Tensor:
        """A tensor with a copy of the elements of anything that has `__dlpack__`: PyTorch's tensors, NumPy's arrays, …"""
    @staticmethod
    def full(shape: Sizes, fill_value: Number, *, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """One number, everywhere.

        >>> Tensor.full((2, 2), 7).tolist()
        [[7.0, 7.0], [7.0, 7.0]]"""
    def full_like(self, fill_value: Number, *, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """One number, everywhere, with this tensor's shape, dtype and device."""
    def gather(self, idx: Any = None, dim: Optional[builtins.int] = None, index: Any = None) -> Tensor:
        """Elements at places that are data: y[…, i, …] = self[…, idx[…, i, …], …] along dim, in idx's shape.
        gather(idx, dim), or as in tinygrad and PyTorch gather(dim, index).

        >>> Tensor([[1, 2], [3, 4]]).gather(Tensor([[1], [0]], dtype=dtypes.int32), dim=1).tolist()
        [[2.0], [3.0]]"""
    def gelu(self, approximate: str = 'tanh') -> Tensor:
        """x · Φ(x), in its tanh form x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), or with approximate="none" by the error function."""
    @staticmethod
    def glorot_uniform(*shape: Any, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Uniform in ±√(6 / (shape[0] + prod(shape[1:]))): Glorot & Bengio, 2010."""
    @property
    def grad(self) -> Optional[Tensor]: ...
    @grad.setter
    def grad(self, value: Optional[Tensor]) -> None: ...
    def gradient(self, *targets: Tensor, gradient: Optional[Tensor] = None) -> List[Tensor]:
        """The gradients of this scalar with respect to some tensors that it came from and that require one, as a list; their grad stays as it
        is, and so does the graph. A tensor of more elements than one needs gradient, the gradient of whatever comes after it.

        >>> x = Tensor([3.0], requires_grad=True)
        >>> [grad.tolist() for grad in (x * x).sum().gradient(x)]
        [[6.0]]"""
    def graph(self) -> Picture:
        """The tensors and functions that this one came from, with their gradients as they are when the picture is looked at: take it before the
        backward, which frees the graph, and look at it after."""
    def half(self) -> Tensor:
        """As float16."""
    def hardswish(self) -> Tensor:
        """x · relu6(x + 3) / 6."""
    def hardtanh(self, min_val: builtins.float = ..., max_val: builtins.float = 1.0) -> Tensor:
        """x, but at least min_val and at most max_val."""
    def idiv(self, x: Operand) -> Tensor:
        """The quotient cut towards zero; integers stay integers.

        >>> Tensor([7, -7], dtype=dtypes.int32).idiv(2).tolist()
        [3, -3]"""
    def int(self) -> Tensor:
        """As int32."""
    def interpolate(self, size: Sizes, mode: str = 'linear', align_corners: builtins.bool = False) -> Tensor:
        """The last axes at other sizes: mode "linear", "nearest" or "nearest-exact"."""
    def is_floating_point(self) -> builtins.bool:
        """Whether the elements are floats."""
    @property
    def is_param(self) -> builtins.bool: ...
    def is_param_(self, is_param: builtins.bool = True) -> Tensor:
        """tinygrad's name of requires_grad_."""
    def isclose(self, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False) -> Tensor:
        """Whether both are nearly equal, as bool: |self - other| <= atol + rtol · |other|."""
    def isfinite(self) -> Tensor:
        """Whether it is neither infinite nor NaN, as bool."""
    def isinf(self, detect_positive: builtins.bool = True, detect_negative: builtins.bool = True) -> Tensor:
        """Whether it is infinite (above, below, or both), as bool."""
    def isnan(self) -> Tensor:
        """Whether it is not a number, as bool."""
    def item(self) -> Any:
        """The one element of a tensor that has one, as a number of Python's.

        >>> Tensor([1, 2, 3]).sum().item()
        6.0"""
    @staticmethod
    def kaiming_normal(*shape: Any, a: builtins.float = 0.01, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Normal with standard deviation √(2 / (1 + a²)) / √prod(shape[1:]): He et al., 2015."""
    @staticmethod
    def kaiming_uniform(*shape: Any, a: builtins.float = 0.01, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Uniform in ±√3 · √(2 / (1 + a²)) / √prod(shape[1:]): He et al., 2015."""
    def kernel_graph(self) -> Picture:
        """The kernels that would run to compute this tensor, and the memory that they read and write."""
    def layernorm(self, axis: Axis = -1, eps: builtins.float = 1e-05) -> Tensor:
        """(x - mean) / sqrt(variance + eps) along an axis or several."""
    def lazy_graph(self) -> Picture:
        """The nodes that would be computed for this tensor, and the views through which they look at each other."""
    @property
    def lazydata(self) -> LazyBuffer: ...
    @lazydata.setter
    def lazydata(self, value: LazyBuffer) -> None: ...
    def leaky_relu(self, neg_slope: builtins.float = 0.01) -> Tensor:
        """x above 0, neg_slope · x below: tinygrad's name of leakyrelu."""
    def leakyrelu(self, neg_slope: builtins.float = 0.01) -> Tensor:
        """x above 0, neg_slope · x below."""
    def lerp(self, end: Tensor, weight: Operand) -> Tensor:
        """self + weight · (end - self)."""
    def linear(self, weight: Tensor, bias: Optional[Tensor] = None, dtype: Optional[AnyDType] = None) -> Tensor:
        """The product with a weight of shape (in, out) (a weight of one axis is multiplied element by element), plus the bias."""
    @staticmethod
    def linspace(start: builtins.float, stop: builtins.float, steps: builtins.int, *, dtype: Optional[AnyDType] = None) -> Tensor:
        """steps numbers from start to stop, both included."""
    def log(self) -> Tensor:
        """The natural logarithm."""
    def log10(self) -> Tensor:
        """The logarithm to base 10."""
    def log1p(self) -> Tensor:
        """log(1 + x), exact for small x."""
    def log2(self) -> Tensor:
        """The logarithm to base 2."""
    def log_softmax(self, axis: builtins.int = ..., dtype: Optional[AnyDType] = None) -> Tensor:
        """The logarithm of softmax, without the loss of digits. With a dtype, x is cast to it first."""
    def logaddexp(self, x: Operand) -> Tensor:
        """log(exp(self) + exp(x)), without overflow."""
    def logcumsumexp(self, axis: builtins.int = 0) -> Tensor:
        """log of the running sum of exp(x), along an axis."""
    def logical_not(self) -> Tensor:
        """Whether it is false (zero), as bool."""
    def logsigmoid(self) -> Tensor:
        """log(sigmoid(x))."""
    def logsumexp(self, axis: Axis = None, keepdim: builtins.bool = False) -> Tensor:
        """log(sum(exp(x))), without overflow."""
    def long(self) -> Tensor:
        """As int64."""
    def lshift(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self << x: the bits moved up by x places, of integers."""
    @staticmethod
    def manual_seed(seed: builtins.int = 0) -> None:
        """Starts the generator of random numbers anew. Each thread has its own, which starts with the seed 0."""
    def masked_fill(self, mask: Tensor, value: Operand) -> Tensor:
        """value where the mask is true, this tensor elsewhere.

        >>> Tensor([1.0, -2.0]).masked_fill(Tensor([1.0, -2.0]) < 0, 0).tolist()
        [1.0, 0.0]"""
    def masked_select(self, mask: Tensor, size: Optional[builtins.int] = None, fill_value: Number = 0) -> Tensor:
        """The elements where the mask is true, as one axis; with a size so many, filled up with fill_value. Computes the mask."""
    def matmul(self, x: Operand, reverse: builtins.bool = False, dtype: Optional[AnyDType] = None) -> Tensor:
        """The matrix product self @ x: (…, m, k) @ (…, k, n) gives (…, m, n); the axes in front broadcast. x @ self with reverse=True. With a
        dtype, both are cast to it first.

        >>> (Tensor([[1, 2], [3, 4]]) @ Tensor([1, 1])).tolist()
        [3.0, 7.0]"""
    def max(self, axis: Axis = None, keepdim: builtins.bool = False) -> Tensor:
        """The largest element. Ties share the gradient."""
    def max_pool2d(self, kernel_size: Sizes = (2, 2), stride: Optional[Sizes] = None, dilation: Sizes = 1, padding: Sizes = 0, ceil_mode: builtins.bool = False, return_indices: builtins.bool = False) -> Any:
        """The largest element of each window over the last axes; arguments as avg_pool2d's. Ties share the gradient. With return_indices also
        where it was in the last axes (counted row by row; of ties the first), int32."""
    def max_unpool2d(self, indices: Tensor, kernel_size: Sizes = (2, 2), stride: Optional[Sizes] = None, dilation: Sizes = 1, padding: Sizes = 0, output_size: Optional[Sizes] = None) -> Tensor:
        """The way back of max_pool2d(return_indices=True): each element at its place, zeros elsewhere."""
    def maximum(self, x: Operand) -> Tensor:
        """The larger of both, element by element; NaN if either is. At a tie, half of the gradient goes to each."""
    def mean(self, axis: Axis = None, keepdim: builtins.bool = False) -> Tensor:
        """The average."""
    def memory_diagram(self) -> Picture:
        """How this tensor looks at memory: which cell each index leads to."""
    def meshgrid(self, *args: Any, indexing: str = 'ij') -> List[Tensor]:
        """Each tensor of one axis along its own axis of a common grid."""
    def min(self, axis: Axis = None, keepdim: builtins.bool = False) -> Tensor:
        """The smallest element."""
    def minimum(self, x: Operand) -> Tensor:
        """The smaller of both, element by element; NaN if either is."""
    def mish(self) -> Tensor:
        """x · tanh(softplus(x))."""
    def mod(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self % x, with the sign of x: what is left by //."""
    def movedim(self, source: builtins.int, destination: builtins.int) -> Tensor:
        """An axis at another place."""
    def mul(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self * x, element by element."""
    def multinomial(self, num_samples: builtins.int = 1, replacement: builtins.bool = False) -> Tensor:
        """Draws positions along the last axis, each as likely as its weight says: from weights (n,) or (rows, n) to int32 positions
        (num_samples,) or (rows, num_samples)."""
    def nbytes(self) -> builtins.int:
        """Bytes that all elements take."""
    @property
    def ndim(self) -> builtins.int: ...
    def ne(self, x: Operand) -> Tensor:
        """self != x, as bool."""
    def neg(self) -> Tensor:
        """-x; of a truth value, 0 or -1."""
    def newton_schulz(self, steps: builtins.int, params: Sequence[builtins.float], eps: builtins.float = 1e-07) -> Tensor:
        """n times X = c0·X + c1·(X Xᵀ)X + c2·(X Xᵀ)²X … from X / (norm + eps) on, of matrices: towards the orthogonal one near it."""
    def nll_loss(self, Y: Tensor, weight: Optional[Tensor] = None, ignore_index: Optional[builtins.int] = None, reduction: str = 'mean') -> Tensor:
        """Minus the log probability of each label's class: of log probabilities (n, classes, …) and labels (n, …)."""
    def nonzero(self, size: Optional[builtins.int] = None, fill_value: Number = 0) -> Tensor:
        """The positions of the elements that are not zero, int32, one a row: (count, ndim). Computes the elements.

        >>> Tensor([[1, 0], [0, 2]]).nonzero().tolist()
        [[0, 0], [1, 1]]"""
    @staticmethod
    def normal(*shape: Any, mean: builtins.float = 0.0, std: builtins.float = 1.0, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Normal with this mean and standard deviation."""
    def normalize(self, p: builtins.float = 2.0, dim: builtins.int = 1, eps: builtins.float = 1e-12) -> Tensor:
        """x / max(norm, eps) along an axis, with the p-norm."""
    def numel(self) -> builtins.int:
        """The number of elements."""
    def numpy(self) -> np.ndarray:
        """The values as a NumPy array that shows the tensor's own memory (bfloat16, which NumPy doesn't have, as float32).

        >>> Tensor.eye(2).numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)"""
    def one_hot(self, num_classes: builtins.int = ...) -> Tensor:
        """A 1 at each class among zeros: integers of any shape to (…, num_classes); without a number of classes, as many as there are.

        >>> Tensor([2, 0]).one_hot(3).tolist()
        [[0, 0, 1], [1, 0, 0]]"""
    @staticmethod
    def ones(*shape: Any, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """1, everywhere.

        >>> Tensor.ones((2,), dtype=dtypes.int32).tolist()
        [1, 1]"""
    def ones_like(self, *, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """1, everywhere, with this tensor's shape, dtype and device."""
    def pad(self, arg: Pairs, mode: str = 'constant', value: Operand = 0.0) -> Tensor:
        """value around the elements: so many before and after along each axis, or none for None. A flat tuple has the numbers of the last
        axis first, as in PyTorch; negative ones cut.

        >>> Tensor([1, 2]).pad(((1, 2),)).tolist()
        [0.0, 1.0, 2.0, 0.0, 0.0]
        >>> Tensor([1, 2]).pad((1, -1), value=9).tolist()
        [9.0, 1.0]"""
    def pad2d(self, padding: Sequence[builtins.int], value: builtins.float = 0.0) -> Tensor:
        """value around the last two axes: (left, right, top, bottom); negative numbers cut."""
    def pad_to(self, shape: Sizes, *args: Any, value: Optional[Number] = None) -> Tensor:
        """value behind the elements until the axes have these sizes; None keeps one."""
    def permute(self, order: Sizes, *args: Any) -> Tensor:
        """Axes in another order: the result's axis i is this tensor's axis order[i].

        >>> Tensor.zeros(2, 3, 4).permute(2, 0, 1).shape
        (4, 2, 3)"""
    def pow(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self ** x. Whole powers of negative numbers are right, others NaN; 0 ** 0 is 1."""
    def prod(self, axis: Axis = None, keepdim: builtins.bool = False, dtype: Optional[AnyDType] = None) -> Tensor:
        """The product. Integers below 32 bits are multiplied, and returned, in 32 bits; with a dtype, all is cast to it first."""
    def qr(self) -> Tuple[Tensor, Tensor]:
        """Q and R with Q @ R = this matrix, Q's columns orthonormal and R zero below its diagonal. Computes the values; no gradient."""
    def quick_gelu(self) -> Tensor:
        """x · sigmoid(1.702 x)."""
    @staticmethod
    def rand(*shape: Any, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Uniform in [0, 1)."""
    def rand_like(self, *, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Uniform in [0, 1), with this tensor's shape, dtype and device."""
    @staticmethod
    def randint(*shape: Any, low: builtins.float = 0, high: builtins.float = 10, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Whole numbers from low up to but without high, each as likely as any other; int32."""
    @staticmethod
    def randn(*shape: Any, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Normal with mean 0 and standard deviation 1."""
    def randn_like(self, *, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Normal with mean 0 and standard deviation 1, with this tensor's shape, dtype and device."""
    @staticmethod
    def randperm(n: builtins.int, *, dtype: Optional[AnyDType] = None) -> Tensor:
        """The numbers 0 … n - 1 in random order; int32 if no dtype is given."""
    def realize(self, *lst: Tensor) -> Tensor:
        """Computes the values now (and those of the tensors given along), and gives the tensor back."""
    def rearrange(self, formula: str, **sizes: builtins.int) -> Tensor:
        """The same elements under axes that a formula names, sizes by name: x.rearrange("b (h w) c -> b c h w", h=4).

        >>> Tensor([[1, 2, 3, 4]]).rearrange("a (b c) -> b (a c)", b=2).tolist()
        [[1.0, 2.0], [3.0, 4.0]]"""
    def reciprocal(self) -> Tensor:
        """1 / x."""
    def relu(self) -> Tensor:
        """max(x, 0).

        >>> Tensor([-1.0, 2.0]).relu().tolist()
        [0.0, 2.0]"""
    def relu6(self) -> Tensor:
        """min(max(x, 0), 6)."""
    def repeat(self, repeats: Sizes, *args: Any) -> Tensor:
        """The tensor side by side with itself, so many times along each axis; more numbers than axes make new axes in front.

        >>> Tensor([1, 2]).repeat(2).tolist()
        [1.0, 2.0, 1.0, 2.0]"""
    def repeat_interleave(self, repeats: builtins.int, dim: Optional[builtins.int] = None) -> Tensor:
        """Every element so many times in a row, along an axis (None: of the flattened tensor)."""
    def replace(self, x: Operand) -> Tensor:
        """tinygrad's assign: shows x's values from now on."""
    @property
    def requires_grad(self) -> Optional[builtins.bool]: ...
    @requires_grad.setter
    def requires_grad(self, value: Optional[builtins.bool]) -> None: ...
    def requires_grad_(self, requires_grad: Optional[builtins.bool] = True) -> Tensor:
        """Sets requires_grad and gives the tensor back."""
    def reshape(self, shape: Sizes, *args: Any) -> Tensor:
        """The same elements in the same order under another shape, in which one size may be -1 (whatever is left), and None keeps a size.

        >>> Tensor([1, 2, 3, 4, 5, 6]).reshape(2, -1).tolist()
        [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]"""
    def roll(self, shifts: Sizes, dims: Axis = None) -> Tensor:
        """Elements pushed along axes, those that fall off one end coming back at the other.

        >>> Tensor([1, 2, 3]).roll(1, 0).tolist()
        [3.0, 1.0, 2.0]"""
    def round(self) -> Tensor:
        """The nearest whole number, halves to the even one."""
    def rshift(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self >> x: the bits moved down by x places, of integers.

        >>> (Tensor([16, -5], dtype=dtypes.int32) >> 1).tolist()
        [8, -3]"""
    def rsqrt(self) -> Tensor:
        """1 / sqrt(x)."""
    def scaled_dot_product_attention(self, key: Tensor, value: Tensor, attn_mask: Optional[Tensor] = None, dropout_p: builtins.float = 0.0, is_causal: builtins.bool = False, enable_gqa: builtins.bool = False) -> Tensor:
        """softmax(self @ keyᵀ / sqrt(features) + attn_mask) @ value, for (…, positions, features).

        attn_mask is bool (true: may look) or is added to the scores; is_causal lets no position look at later ones. With enable_gqa, several
        heads of the queries share one of key and value."""
    @staticmethod
    def scaled_uniform(*shape: Any, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Uniform in [-1, 1), divided by the square root of the number of elements."""
    def scatter(self, dim: builtins.int, index: Any, src: Operand, reduce: Optional[str] = None) -> Tensor:
        """Elements of src put at places that are data: y[…, index[…, i, …], …] = src[…, i, …] along dim. reduce="add" adds them, "multiply"
        multiplies by them."""
    def scatter_reduce(self, dim: builtins.int, index: Any, src: Tensor, reduce: str, include_self: builtins.bool = True) -> Tensor:
        """Elements of src joined at places that are data: the "sum", "prod", "mean", "amax" or "amin" of all src[…, i, …] with
        index[…, i, …] = j goes to y[…, j, …] along dim. With include_self, the element that was there is one of them.

        >>> Tensor([5, 5, 5]).scatter_reduce(0, Tensor([0, 0, 2]), Tensor([1, 9, 3]), "amax").tolist()
        [9.0, 5.0, 5.0]"""
    def selu(self, alpha: builtins.float = 1.67326, gamma: builtins.float = 1.0507) -> Tensor:
        """The self-normalising elu: gamma · elu(x, alpha)."""
    def sequential(self, ll: Sequence[Callable[[Tensor], Tensor]]) -> Any:
        """What the layers make of this tensor, one after the other; a layer is anything that can be called with a tensor."""
    @property
    def shape(self) -> Tuple[builtins.int, ...]: ...
    def short(self) -> Tensor:
        """As int16."""
    def shrink(self, arg: Pairs) -> Tensor:
        """A box cut out: of each axis the elements from start up to (not including) stop, or all of them for None.

        >>> Tensor([[1, 2, 3], [4, 5, 6]]).shrink((None, (1, 3))).tolist()
        [[2.0, 3.0], [5.0, 6.0]]"""
    def shrink_to(self, shape: Sizes, *args: Any) -> Tensor:
        """The first elements of each axis, so many; None keeps all."""
    def sigmoid(self) -> Tensor:
        """1 / (1 + exp(-x))."""
    def sign(self) -> Tensor:
        """-1, 0 or 1. The gradient is 0."""
    def silu(self) -> Tensor:
        """x · sigmoid(x)."""
    def sin(self) -> Tensor:
        """The sine of x, in radians."""
    def sinh(self) -> Tensor:
        """The hyperbolic sine."""
    def size(self, dim: Optional[builtins.int] = None) -> Any:
        """The shape, or the size of one axis: x.size() is x.shape, x.size(-1) is x.shape[-1]."""
    def slice(self, arg: Pairs, value: Operand = 0) -> Tensor:
        """From start up to (not including) stop of each axis, or all of it for None; beyond the axis lies value.

        >>> Tensor([1, 2, 3]).slice(((1, 5),)).tolist()
        [2.0, 3.0, 0.0, 0.0]"""
    def softmax(self, axis: builtins.int = ..., dtype: Optional[AnyDType] = None) -> Tensor:
        """exp(x) / sum(exp(x)) along an axis. With a dtype, x is cast to it first."""
    def softmin(self, axis: builtins.int = ..., dtype: Optional[AnyDType] = None) -> Tensor:
        """softmax of -x."""
    def softplus(self, beta: builtins.float = 1.0) -> Tensor:
        """log(1 + exp(beta · x)) / beta."""
    def softsign(self) -> Tensor:
        """x / (1 + |x|)."""
    def sort(self, dim: builtins.int = ..., descending: builtins.bool = False) -> Tuple[Tensor, Tensor]:
        """The elements along an axis in order, and the positions that they had, int32. Computes the order."""
    def sparse_categorical_crossentropy(self, Y: Tensor, ignore_index: Optional[builtins.int] = ..., label_smoothing: builtins.float = 0.0, reduction: str = 'mean') -> Tensor:
        """The cross entropy of these logits (…, classes) with labels (…): averaged over the labels that are not ignore_index.

        >>> round(Tensor([[2.0, 0.0]]).sparse_categorical_crossentropy(Tensor([0])).item(), 4)
        0.1269"""
    def split(self, sizes: Sizes, dim: builtins.int = 0) -> Tuple[Tensor, ...]:
        """Cut along an axis into pieces of these sizes; one number is the size of all pieces but perhaps the last.

        >>> [piece.tolist() for piece in Tensor([1, 2, 3]).split(2)]
        [[1.0, 2.0], [3.0]]"""
    def sqrt(self) -> Tensor:
        """The square root; NaN below 0."""
    def square(self) -> Tensor:
        """x²."""
    def squeeze(self, dim: Axis = None) -> Tensor:
        """Without its axes of size 1: all of them for None, else the named ones."""
    def std(self, axis: Axis = None, keepdim: builtins.bool = False, correction: builtins.int = 1) -> Tensor:
        """The standard deviation; correction=1 is that of a sample, 0 that of all there is."""
    def std_mean(self, axis: Axis = None, keepdim: builtins.bool = False, correction: builtins.int = 1) -> Tuple[Tensor, Tensor]:
        """The standard deviation and the mean."""
    def sub(self, x: Operand, reverse: builtins.bool = False) -> Tensor:
        """self - x, or x - self with reverse=True."""
    def sum(self, axis: Axis = None, keepdim: builtins.bool = False, dtype: Optional[AnyDType] = None, *, acc_dtype: Optional[AnyDType] = None) -> Tensor:
        """The sum. Integers below 32 bits are summed, and returned, in 32 bits; with a dtype, all is cast to it first.

        >>> Tensor([[1, 2], [3, 4]]).sum(axis=0).tolist()
        [4.0, 6.0]"""
    def svd(self, full_matrices: builtins.bool = True) -> Tuple[Tensor, Tensor, Tensor]:
        """U, S and Vᵀ with U @ diag(S) @ Vᵀ = this matrix, and S falling. Computes the values; no gradient."""
    def swish(self) -> Tensor:
        """x · sigmoid(x)."""
    def tan(self) -> Tensor:
        """The tangent of x, in radians."""
    def tanh(self) -> Tensor:
        """The hyperbolic tangent."""
    def to(self, device: Optional[str] = None) -> Tensor:
        """The same values on another device. Gradients come back from there."""
    def to_(self, device: Optional[str]) -> None:
        """Moves this tensor, and its gradient, to another device."""
    def tolist(self) -> Any:
        """The values as nested lists of Python's numbers; a number for a tensor without axes.

        >>> Tensor.arange(4).reshape(2, 2).tolist()
        [[0.0, 1.0], [2.0, 3.0]]"""
    def topk(self, k: builtins.int, dim: builtins.int = ..., largest: builtins.bool = True, sorted_: builtins.bool = True) -> Tuple[Tensor, Tensor]:
        """The k largest (or smallest) elements along an axis, the first of them first, and their positions, int32. Computes the order."""
    def transpose(self, ax1: builtins.int = 1, ax2: builtins.int = 0) -> Tensor:
        """Two axes exchanged."""
    def tril(self, k: builtins.int = 0) -> Tensor:
        """The lower triangle of the last two axes, zeros elsewhere: x[i, j] where j - i <= k."""
    def triu(self, k: builtins.int = 0) -> Tensor:
        """The upper triangle of the last two axes, zeros elsewhere: x[i, j] where j - i >= k."""
    def trunc(self) -> Tensor:
        """x cut to a whole number, towards zero. The gradient is 0."""
    def type_as(self, other: Tensor) -> Tensor:
        """As other's dtype."""
    def unflatten(self, dim: builtins.int, sizes: Sizes) -> Tensor:
        """One axis as several of these sizes, of which one may be -1."""
    def unfold(self, dim: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
        """Overlapping pieces of an axis, step apart, each of size elements in a new last axis."""
    @staticmethod
    def uniform(*shape: Any, low: builtins.float = 0.0, high: builtins.float = 1.0, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """Uniform in [low, high)."""
    def unsqueeze(self, dim: builtins.int) -> Tensor:
        """With a new axis of size 1 at dim; -1 is a new last axis."""
    def var(self, axis: Axis = None, keepdim: builtins.bool = False, correction: builtins.int = 1) -> Tensor:
        """The variance; correction=1 is that of a sample, 0 that of all there is."""
    def var_mean(self, axis: Axis = None, keepdim: builtins.bool = False, correction: builtins.int = 1) -> Tuple[Tensor, Tensor]:
        """The variance and the mean."""
    def view(self, shape: Sizes, *args: Any) -> Tensor:
        """As reshape."""
    def where(self, input: Operand, other: Operand) -> Tensor:
        """input where this is true (not zero), other elsewhere; all three broadcast.

        >>> x = Tensor([-2.0, 3.0])
        >>> (x < 0).where(0, x).tolist()
        [0.0, 3.0]"""
    @staticmethod
    def zeros(*shape: Any, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """0, everywhere.

        >>> Tensor.zeros(2, 2).tolist()
        [[0.0, 0.0], [0.0, 0.0]]"""
    def zeros_like(self, *, device: Optional[str] = None, dtype: Optional[AnyDType] = None, requires_grad: Optional[builtins.bool] = None) -> Tensor:
        """0, everywhere, with this tensor's shape, dtype and device."""
    def __abs__(self) -> Tensor: ...
    def __add__(self, value: Operand) -> Tensor: ...
    def __and__(self, value: Operand) -> Tensor: ...
    def __array__(self, dtype: Any = None, copy: Optional[builtins.bool] = None) -> np.ndarray: ...
    def __bool__(self) -> builtins.bool: ...
    def __delitem__(self, key: Tensor) -> Tensor: ...
    def __dlpack__(self, *, stream: None = None, max_version: Optional[Tuple[builtins.int, builtins.int]] = None, dl_device: Optional[Tuple[builtins.int, builtins.int]] = None, copy: Optional[builtins.bool] = None) -> Any: ...
    def __dlpack_device__(self) -> Tuple[builtins.int, builtins.int]: ...
    def __eq__(self, value: Operand) -> Tensor: ...  # type: ignore[override]
    def __float__(self) -> builtins.float: ...
    def __floordiv__(self, value: Operand) -> Tensor: ...
    def __ge__(self, value: Operand) -> Tensor: ...
    def __getitem__(self, key: Any) -> Tensor: ...
    def __gt__(self, value: Operand) -> Tensor: ...
    def __hash__(self) -> builtins.int: ...
    def __iadd__(self, x: Operand) -> Tensor: ...
    def __iand__(self, x: Operand) -> Tensor: ...
    def __ifloordiv__(self, x: Operand) -> Tensor: ...
    def __ilshift__(self, x: Operand) -> Tensor: ...
    def __imatmul__(self, x: Operand) -> Tensor: ...
    def __imod__(self, x: Operand) -> Tensor: ...
    def __imul__(self, x: Operand) -> Tensor: ...
    def __int__(self) -> builtins.int: ...
    def __invert__(self) -> Tensor: ...
    def __ior__(self, x: Operand) -> Tensor: ...
    def __ipow__(self, x: Operand, modulo: None = None) -> Tensor: ...  # type: ignore[misc]
    def __irshift__(self, x: Operand) -> Tensor: ...
    def __isub__(self, x: Operand) -> Tensor: ...
    def __itruediv__(self, x: Operand) -> Tensor: ...
    def __ixor__(self, x: Operand) -> Tensor: ...
    def __le__(self, value: Operand) -> Tensor: ...
    def __len__(self) -> builtins.int: ...
    def __lshift__(self, value: Operand) -> Tensor: ...
    def __lt__(self, value: Operand) -> Tensor: ...
    def __matmul__(self, value: Operand) -> Tensor: ...
    def __mod__(self, value: Operand) -> Tensor: ...
    def __mul__(self, value: Operand) -> Tensor: ...
    def __ne__(self, value: Operand) -> Tensor: ...  # type: ignore[override]
    def __neg__(self) -> Tensor: ...
    def __or__(self, value: Operand) -> Tensor: ...
    def __pow__(self, value: Operand, mod: Any = None) -> Tensor: ...
    def __radd__(self, value: Operand) -> Tensor: ...
    def __rand__(self, value: Operand) -> Tensor: ...
    def __reduce__(self) -> Tuple[Any, ...]: ...
    def __repr__(self) -> str: ...
    def __rfloordiv__(self, value: Operand) -> Tensor: ...
    def __rlshift__(self, value: Operand) -> Tensor: ...
    def __rmatmul__(self, value: Operand) -> Tensor: ...
    def __rmod__(self, value: Operand) -> Tensor: ...
    def __rmul__(self, value: Operand) -> Tensor: ...
    def __ror__(self, value: Operand) -> Tensor: ...
    def __rpow__(self, value: Operand, mod: Any = None) -> Tensor: ...
    def __rrshift__(self, value: Operand) -> Tensor: ...
    def __rshift__(self, value: Operand) -> Tensor: ...
    def __rsub__(self, value: Operand) -> Tensor: ...
    def __rtruediv__(self, value: Operand) -> Tensor: ...
    def __rxor__(self, value: Operand) -> Tensor: ...
    def __setitem__(self, key: Any, value: Operand) -> None: ...
    def __sub__(self, value: Operand) -> Tensor: ...
    def __truediv__(self, value: Operand) -> Tensor: ...
    def __xor__(self, value: Operand) -> Tensor: ...

class LazyBuffer:
    @property
    def base(self) -> LazyBuffer: ...
    def cast(self, dtype: Optional[AnyDType], bitcast: builtins.bool = False) -> LazyBuffer:
        """As another dtype; with bitcast the same bits read anew."""
    def const(self, x: Number) -> LazyBuffer:
        """A number everywhere, with this one's shape and dtype."""
    def contiguous(self) -> LazyBuffer:
        """The same elements lying in memory in row-major order."""
    def copy_to_device(self, device: Optional[str]) -> LazyBuffer:
        """The same elements on another device."""
    @property
    def device(self) -> str: ...
    @property
    def dtype(self) -> DType: ...
    def e(self, op: Any, *srcs: LazyBuffer) -> LazyBuffer:
        """An operation of teenygrad.ops element by element, of this buffer and others of its shape."""
    def expand(self, arg: Sizes) -> LazyBuffer:
        """Axes of size 1 repeated."""
    @staticmethod
    def fromCPU(x: np.ndarray) -> LazyBuffer:
        """A copy of a NumPy array."""
    def is_unrealized_contiguous_const(self) -> builtins.bool:
        """Whether it is a number everywhere that is known without computing."""
    @staticmethod
    def loadop(op: Any, shape: Sizes, dtype: Optional[AnyDType], device: Optional[str] = None, arg: Optional[Number] = None, src: Optional[LazyBuffer] = None) -> LazyBuffer:
        """An array without sources: LoadOps.EMPTY, CONST (arg is the number) or RAND (arg is the seed)."""
    def pad(self, arg: Sequence[Tuple[builtins.int, builtins.int]]) -> LazyBuffer:
        """Zeros around: so many before and after along each axis."""
    def permute(self, arg: Sizes) -> LazyBuffer:
        """Axes in another order."""
    def r(self, op: Any, new_shape: Sizes) -> LazyBuffer:
        """ReduceOps.SUM or MAX along the axes whose size is 1 in new_shape."""
    def realize(self) -> LazyBuffer:
        """Computes the values now, and gives the buffer back."""
    @property
    def realized(self) -> Optional[LazyBuffer]: ...
    def reshape(self, arg: Sizes) -> LazyBuffer:
        """The same elements, counted differently."""
    def schedule(self, seen: Any = None) -> List[str]:
        """The kernels that would run to compute this, as text."""
    @property
    def shape(self) -> Tuple[builtins.int, ...]: ...
    def shrink(self, arg: Sequence[Tuple[builtins.int, builtins.int]]) -> LazyBuffer:
        """Of each axis the elements from start up to stop."""
    def stride(self, arg: Sizes) -> LazyBuffer:
        """Every n-th element of each axis, backwards for negative n."""
    def toCPU(self) -> np.ndarray:
        """The values as a NumPy array. Computes them."""
    def __repr__(self) -> str: ...

class Picture:
    def save(self, path: str) -> None:
        """Writes the picture to a file."""
    def svg(self) -> str:
        """The picture as text."""

class Steps:
    @staticmethod
    def sgd(params: Sequence[Tensor], momentum: float, weight_decay: float, nesterov: bool) -> Steps: ...
    @staticmethod
    def lars(
        params: Sequence[Tensor], momentum: float, weight_decay: float, ns_steps: int, ns_coefficients: Sequence[float], nesterov: bool,
        classic: bool, pre_wd: bool, tcoef: float,
    ) -> Steps: ...
    @staticmethod
    def lamb(params: Sequence[Tensor], b1: float, b2: float, eps: float, weight_decay: float, adam: bool) -> Steps: ...
    def step(self, lr: Union[Number, Tensor], along: Sequence[Tensor]) -> None: ...
    def state(self) -> List[Tuple[str, List[Tensor]]]: ...

class Mlop:
    def __init__(self, name: str, x: LazyBuffer, arg: Any) -> None: ...
    def forward(self, *x: LazyBuffer) -> LazyBuffer: ...
    def backward(self, dy: LazyBuffer, needs: Sequence[bool]) -> List[Optional[LazyBuffer]]: ...

layers: Any

def apply_function(context: Any, tensors: Sequence[Tensor], keywords: Optional[Dict[str, Any]]) -> Tensor: ...
def optimizer_group(tensors: Sequence[Tensor]) -> Tuple[List[int], List[int]]: ...
def safe_save(tensors: Dict[str, Tensor], fn_: Any, metadata: Any = None) -> None: ...
def safe_load(fn_: Any) -> Dict[str, Tensor]: ...
def mnist() -> Tuple[Tensor, Tensor, Tensor, Tensor]: ...
def register_dtypes(objects: List[DType]) -> None: ...
def dtype_table() -> List[Tuple[str, int, int]]: ...
def promote(a: AnyDType, b: AnyDType) -> DType: ...
def canonicalize(device: Optional[str] = None) -> str: ...
