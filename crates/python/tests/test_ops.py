"""Values and gradients of the API, method by method, against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import compare

from teenygrad import Tensor, dtypes

UNARY = {
    "neg": None, "contiguous": None, "contiguous_backward": lambda x: x.clone(), "exp": None, "exp2": None, "relu": None, "sigmoid": None,
    "sin": None, "cos": None, "trunc": None, "ceil": None, "floor": None, "round": None, "square": None, "abs": None, "sign": None,
    "silu": F.silu, "swish": F.silu, "relu6": F.relu6, "hardswish": F.hardswish, "tanh": None, "sinh": None, "cosh": None, "asinh": None,
    "hardtanh": F.hardtanh, "gelu": lambda x: F.gelu(x, approximate="tanh"), "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "leakyrelu": F.leaky_relu, "leaky_relu": F.leaky_relu, "mish": F.mish, "softplus": F.softplus, "softsign": F.softsign, "elu": F.elu,
    "celu": F.celu, "expm1": None, "erf": None, "atan": None, "selu": F.selu, "hardsigmoid": F.hardsigmoid, "logsigmoid": F.logsigmoid,
    "softmax": lambda x: F.softmax(x, -1), "log_softmax": lambda x: F.log_softmax(x, -1), "cumsum": lambda x: x.cumsum(0),
    "T": lambda x: x.T, "tan": None,
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_tensor(name):
    theirs = UNARY[name] or (lambda x: getattr(torch.Tensor, name)(x))
    ours = (lambda x: x.T) if name == "T" else lambda x: getattr(x, name)()
    compare([(3, 4)], ours, theirs, low=-1.4, high=1.4)


@pytest.mark.parametrize("name", ["log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal"])
def test_functions_of_positive_numbers(name):
    compare([(3, 4)], lambda x: getattr(x, name)(), low=0.2, high=3)


@pytest.mark.parametrize("name", ["asin", "acos", "atanh"])
def test_functions_within_one(name):
    compare([(3, 4)], lambda x: getattr(x, name)(), low=-0.9, high=0.9)


def test_acosh():
    compare([(3, 4)], lambda x: x.acosh(), low=1.1, high=4)


def test_functions_with_parameters():
    compare([(3, 4)], lambda x: x.clip(-0.5, 0.7), lambda x: x.clamp(-0.5, 0.7))
    compare([(3, 4)], lambda x: x.clip(min_=0.1), lambda x: x.clamp(min=0.1))
    compare([(3, 4)], lambda x: x.clip(3, 0), lambda x: x.clamp(3, 0))
    with pytest.raises(RuntimeError):
        Tensor([1.0]).clip()
    compare([(3, 4)], lambda x: x.elu(alpha=2.0), lambda x: F.elu(x, 2.0))
    compare([(3, 4)], lambda x: x.leakyrelu(neg_slope=0.3), lambda x: F.leaky_relu(x, 0.3))
    compare([(3, 4)], lambda x: x.hardtanh(min_val=-0.5, max_val=0.2), lambda x: F.hardtanh(x, -0.5, 0.2))
    compare([(3, 4)], lambda x: x.softplus(beta=2.0), lambda x: F.softplus(x, 2.0))


# ---- Two tensors -----------------------------------------------------------------------------------------------------

SHAPES = [[(3, 4), (3, 4)], [(3, 1), (4,)], [(2, 1, 4), (3, 1)], [(), (3, 4)], [(3, 4), ()]]


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "maximum", "minimum", "logaddexp"])
def test_functions_of_two_tensors(name, shapes):
    theirs = {"div": torch.div, "maximum": torch.maximum, "minimum": torch.minimum, "logaddexp": torch.logaddexp}
    compare(shapes, lambda x, y: getattr(x, name)(y), theirs.get(name, lambda x, y: getattr(x, name)(y)), low=0.3, high=2)


@pytest.mark.parametrize("number", [2, -1, 0.5, 3.0])
def test_operators_with_numbers(number):
    compare([(3, 4)], lambda x: number + x * number - x / 3 + number / x - (number - x), low=0.5, high=2)
    compare([(3, 4)], lambda x: x**number, low=0.5, high=2)
    compare([(3, 4)], lambda x: (abs(number) + 0.5) ** x)
    compare([(3, 4)], lambda x: x.sub(number, reverse=True), lambda x: number - x)
    compare([(3, 4)], lambda x: x.div(number, reverse=True), lambda x: number / x, low=0.5)


def test_operators_with_arrays_and_lists():
    x = Tensor([1.0, 2.0])
    for other in (np.array([3, 4]), np.array([3.0, 4.0]), [3, 4]):
        assert (x + other).tolist() == [4, 6] and (x * other).dtype == dtypes.float32
    assert isinstance(np.array([3.0, 4.0]) * x, Tensor) and (np.array([3.0, 4.0]) - x).tolist() == [2, 2]
    assert isinstance(np.float64(3) * x, Tensor) and (np.float32(3) / x).tolist() == [3, 1.5]
    with pytest.raises(TypeError):
        x + "text"


@pytest.mark.parametrize("compared", ["lt", "gt", "le", "ge", "eq", "ne"])
def test_comparisons(compared):
    a, b = Tensor([1.0, 2.0, float("nan")]), Tensor([2.0, 2.0, float("nan")])
    found = getattr(a, f"__{compared}__")(b)
    assert found.dtype == dtypes.bool
    expected = getattr(torch, compared)(torch.tensor([1.0, 2.0, float("nan")]), torch.tensor([2.0, 2.0, float("nan")]))
    assert found.tolist() == expected.tolist()


def test_truth_values_count():
    x = Tensor([-1.0, 0.0, 2.0])
    assert ((x > 0) - (x < 0)).tolist() == [-1, 0, 1]
    assert (1 - (x > 0)).tolist() == [1, 1, 0] and ((x > 0) + (x >= 0)).tolist() == [0, 1, 2]
    assert ((x > 0) & (x > 1)).tolist() == [False, False, True] and (~(x > 0)).tolist() == [True, True, False]
    assert (x > 0).mean().item() == pytest.approx(1 / 3)


def test_floor_division_and_remainder():
    for dtype in (np.int32, np.float32):
        a, b = np.array([7, -7, 7, -7], dtype), np.array([2, 2, -2, -2], dtype)
        np.testing.assert_array_equal((Tensor(a) // Tensor(b)).numpy(), a // b)
        np.testing.assert_array_equal((Tensor(a) % Tensor(b)).numpy(), a % b)


def test_where():
    compare([(3, 4), (3, 4)], lambda x, y: (x > 0).where(x, y), lambda x, y: torch.where(x > 0, x, y))
    compare([(3, 4)], lambda x: (x > 0).where(x, 2.5), lambda x: torch.where(x > 0, x, 2.5))
    assert (Tensor([1.0, -1.0]) > 0).where(1, 0).tolist() == [1, 0]


def test_assigning_operators_change_the_tensor_itself():
    x = Tensor([1.0, 2.0])
    y = x
    x += 1
    x *= 3
    assert y.tolist() == [6, 9] and y is x
    w = Tensor([1.0], requires_grad=True)
    z = w
    w = w * 2
    w += 1  # a gradient flows: the name goes to a new tensor
    w.sum().backward()
    assert z.grad.tolist() == [2]


# ---- Reductions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_reductions(axis, keepdim):
    where = (0, 1, 2) if axis is None else axis
    for name, theirs in {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin, "logsumexp": torch.logsumexp}.items():
        compare([(2, 3, 4)], lambda x: getattr(x, name)(axis=axis, keepdim=keepdim), lambda x: theirs(x, where, keepdim=keepdim))
    for name in ("std", "var"):
        for correction in (0, 1):
            compare(
                [(2, 3, 4)],
                lambda x: getattr(x, name)(axis=axis, keepdim=keepdim, correction=correction),
                lambda x: getattr(torch, name)(x, where, keepdim=keepdim, correction=correction),
            )


def test_sums_in_a_dtype():
    x = Tensor(np.full(300, 200, np.uint8))
    assert x.sum().item() == 60000 and x.sum(dtype=dtypes.float64).dtype == dtypes.float64


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_positions_of_extremes(axis):
    x = np.array([[1, 5, 5], [7, 7, 0]], np.float32)
    for name in ("argmax", "argmin"):
        found = getattr(Tensor(x), name)(axis)
        assert found.dtype == dtypes.int32
        np.testing.assert_array_equal(found.numpy(), getattr(np, name)(x, axis))


def test_products_and_truths():
    compare([(2, 3, 4)], lambda x: x.prod(1), lambda x: x.prod(1))
    compare([(2, 3)], lambda x: x.prod(), lambda x: x.prod())
    compare([(2, 5)], lambda x: x.cumprod(1), lambda x: x.cumprod(1))
    compare([(2, 5)], lambda x: x.cummax(1)[0], lambda x: x.cummax(1).values)
    assert Tensor([[0.0, 1.0], [0.0, 0.0]]).any(1).tolist() == [True, False]
    assert Tensor([[1.0, 1.0], [0.0, 1.0]]).all(axis=1, keepdim=True).tolist() == [[True], [False]]


# ---- Movement --------------------------------------------------------------------------------------------------------


def test_shapes():
    compare([(2, 3, 4)], lambda x: x.reshape(4, -1), lambda x: x.reshape(4, -1))
    compare([(2, 3, 4)], lambda x: x.reshape((6, 4)), lambda x: x.reshape(6, 4))
    compare([(2, 3, 4)], lambda x: x.reshape(shape=(None, -1)), lambda x: x.reshape(2, 12))
    compare([(3, 1)], lambda x: x.expand(2, 3, 4), lambda x: x.expand(2, 3, 4))
    compare([(3, 1)], lambda x: x.expand((-1, 4)), lambda x: x.expand(-1, 4))
    compare([(2, 3, 4)], lambda x: x.permute(2, 0, 1), lambda x: x.permute(2, 0, 1))
    compare([(2, 3, 4)], lambda x: x.permute(order=(1, 0, 2)), lambda x: x.permute(1, 0, 2))
    compare([(2, 3, 4)], lambda x: x.transpose(), lambda x: x.transpose(0, 1))
    compare([(2, 3, 4)], lambda x: x.transpose(ax1=-1, ax2=0), lambda x: x.transpose(-1, 0))
    compare([(2, 3, 4)], lambda x: x.flip((0, 2)), lambda x: x.flip(0, 2))
    compare([(2, 3, 4)], lambda x: x.flip(axis=1), lambda x: x.flip(1))
    compare([(1, 3, 1)], lambda x: x.squeeze(), lambda x: x.squeeze())
    compare([(1, 3, 1)], lambda x: x.squeeze(-1), lambda x: x.squeeze(-1))
    compare([(2, 3)], lambda x: x.unsqueeze(1), lambda x: x.unsqueeze(1))
    compare([(2, 3, 4)], lambda x: x.flatten(), lambda x: x.flatten())
    compare([(2, 3, 4)], lambda x: x.flatten(1), lambda x: x.flatten(1))
    compare([(2, 3, 4, 5)], lambda x: x.flatten(1, 2), lambda x: x.flatten(1, 2))
    compare([(2, 12)], lambda x: x.unflatten(1, (3, 4)), lambda x: x.unflatten(1, (3, 4)))
    compare([(2, 3)], lambda x: x.repeat((2, 2)), lambda x: x.repeat(2, 2))
    compare([(4, 5)], lambda x: x.triu(1) + x.tril(k=-1), lambda x: x.triu(1) + x.tril(-1))
    compare([(2, 3, 4)], lambda x: x.roll((1, -1), (0, 2)), lambda x: x.roll((1, -1), (0, 2)))
    compare([(2, 6)], lambda x: x.unfold(1, 3, 2), lambda x: x.unfold(1, 3, 2))
    compare([(2, 3)], lambda x: x.repeat_interleave(2, 1), lambda x: x.repeat_interleave(2, 1))


def test_cutting_and_padding():
    compare([(4, 5)], lambda x: x.shrink(((1, 3), None)), lambda x: x[1:3])
    compare([(4, 5)], lambda x: x.pad(((1, 2), None)), lambda x: F.pad(x, (0, 0, 1, 2)))
    compare([(4, 5)], lambda x: x.pad(((1, 2), (0, 1)), 3.0), lambda x: F.pad(x, (0, 1, 1, 2), value=3.0))
    compare([(4, 5)], lambda x: x.pad((1, 2, -1, 1), value=2.0), lambda x: F.pad(x, (1, 2, -1, 1), value=2.0))
    compare([(2, 4, 5)], lambda x: x.pad((1, 2), mode="reflect"), lambda x: F.pad(x, (1, 2), "reflect"))
    compare([(4, 5)], lambda x: x.slice(((-1, 3), (2, 7))), lambda x: F.pad(x, (0, 2, 1, 0))[:4, 2:])
    compare([(1, 1, 4, 5)], lambda x: x.pad2d((1, -1, 2, 0), value=1.5), lambda x: F.pad(x, (1, -1, 2, 0), value=1.5))
    compare([(2, 3), (4, 3)], lambda x, y: x.cat(y), lambda x, y: torch.cat([x, y]))
    compare([(2, 3), (2, 1)], lambda x, y: Tensor.cat(x, y, x, dim=-1), lambda x, y: torch.cat([x, y, x], -1))
    compare([(2, 3), (2, 3)], lambda x, y: Tensor.stack([x, y], dim=1), lambda x, y: torch.stack([x, y], 1))
    compare([(2, 3), (2, 3)], lambda x, y: x.stack(y, dim=-1), lambda x, y: torch.stack([x, y], -1))
    for i, (a, b) in enumerate(zip(Tensor.arange(7).chunk(3), torch.arange(7.0).chunk(3))):
        assert a.tolist() == b.tolist(), i
    for a, b in zip(Tensor.arange(7).split([3, 4]), torch.arange(7.0).split([3, 4])):
        assert a.tolist() == b.tolist()


INDICES = [
    1, -1, slice(1, 3), slice(None, None, 2), slice(None, None, -1), slice(-2, 0, -1), Ellipsis, None, (0, 1), (slice(None), 2),
    (Ellipsis, -1), (None, 1, slice(None)), (slice(None), None, slice(1, None)), [0, 2], ([0, 1], [1, 2]), (slice(None), [3, 0, 0]),
    slice(5, 2), (Ellipsis, slice(None, None, -2)),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indexing(index):
    # PyTorch has no negative steps: NumPy says what is right, and the gradient is where the elements came from.
    array = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    x = Tensor(array, requires_grad=True)
    found, expected = x[index], array[index]
    np.testing.assert_array_equal(found.numpy(), expected)
    if expected.size:
        found.sum().backward()
        counted = np.bincount(expected.astype(int).reshape(-1), minlength=60).reshape(3, 4, 5)
        np.testing.assert_array_equal(x.grad.numpy(), counted)


def test_indexing_by_tensors():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    rows, columns = np.array([[2, 0], [1, -1]]), np.array([1, 3])
    np.testing.assert_array_equal(Tensor(array)[Tensor(rows), Tensor(columns)].numpy(), array[rows, columns])
    np.testing.assert_array_equal(Tensor(array)[:, Tensor(columns)].numpy(), array[:, columns])
    np.testing.assert_array_equal(Tensor(array)[rows].numpy(), array[rows])


def test_writing_by_index():
    array = np.zeros((3, 4), np.float32)
    x = Tensor(array)
    for index, value in [(0, 1.0), ((slice(None), 1), 2), ((slice(None, None, 2), slice(2, None)), np.ones((2, 2))), ([1, 2], -1), ((Ellipsis, 0), [7, 8, 9])]:
        x[index] = value
        array[index] = value
        np.testing.assert_array_equal(x.numpy(), array)


def test_gather_and_scatter():
    places = np.array([[3, 0, 1], [1, 2, 0]])
    compare([(4, 3), places], lambda x, i: x.gather(i, 0), lambda x, i: x.gather(0, i))
    compare([(4, 3), places], lambda x, i: x.gather(0, i), lambda x, i: x.gather(0, i))
    compare([(4, 3), places, (2, 3)], lambda x, i, s: x.scatter(0, i, s), lambda x, i, s: x.scatter(0, i, s))
    compare([(4, 3), places * 0 + 1, (2, 3)], lambda x, i, s: x.scatter(0, i, s, reduce="add"), lambda x, i, s: x.scatter_add(0, i, s))
    assert Tensor([2, 0]).one_hot(3).tolist() == [[0, 0, 1], [1, 0, 0]]
    compare([(3, 4)], lambda x: x.masked_fill(x > 0, 5.0), lambda x: x.masked_fill(x > 0, 5.0))
    assert Tensor([1.0, -2.0, 3.0]).masked_select(Tensor([1.0, -2.0, 3.0]) > 0).tolist() == [1, 3]


def test_order():
    compare([(3, 8)], lambda x: x.sort(1)[0], lambda x: x.sort(1).values)
    compare([(3, 8)], lambda x: x.sort(dim=0, descending=True)[0], lambda x: x.sort(0, descending=True).values)
    compare([(3, 8)], lambda x: x.topk(3)[0], lambda x: x.topk(3).values)
    compare([(3, 8)], lambda x: x.topk(2, dim=0, largest=False)[0], lambda x: x.topk(2, 0, largest=False).values)
    values, places = Tensor([3.0, 1.0, 2.0]).sort()
    assert places.tolist() == [1, 2, 0] and places.dtype == dtypes.int32


# ---- Products, windows, losses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shapes", [[(3, 4), (4, 5)], [(4,), (4,)], [(4,), (4, 5)], [(3, 4), (4,)], [(2, 3, 4), (2, 4, 5)], [(2, 1, 3, 4), (5, 4, 2)]])
def test_matmul(shapes):
    compare(shapes, lambda x, y: x @ y, torch.matmul)
    compare(shapes, lambda x, y: x.dot(y), torch.matmul)
    compare(shapes, lambda x, y: y.matmul(x, reverse=True), torch.matmul)


@pytest.mark.parametrize("formula,shapes", [("ij,jk->ik", [(2, 3), (3, 4)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]), ("ii->i", [(3, 3)]), ("ij,jk,kl", [(2, 3), (3, 4), (4, 2)]), ("...i,i->...", [(2, 3, 4), (4,)])])
def test_einsum(formula, shapes):
    compare(shapes, lambda *x: Tensor.einsum(formula, *x), lambda *x: torch.einsum(formula, *x))


@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": (2, 1), "padding": (1, 0)}, {"groups": 2, "padding": 1}])
def test_conv2d(options):
    weight = (4, 4 // options.get("groups", 1), 3, 3)
    compare([(2, 4, 7, 8), weight, (4,)], lambda x, w, b: x.conv2d(w, b, **options), lambda x, w, b: F.conv2d(x, w, b, **options))


def test_convolutions_of_other_kinds():
    compare([(1, 2, 5, 5), (3, 2, 2, 2)], lambda x, w: x.conv2d(w, padding=(1, 0, 2, 1)), lambda x, w: F.conv2d(F.pad(x, (1, 0, 2, 1)), w))
    compare([(1, 2, 9), (3, 2, 3)], lambda x, w: x.conv2d(w, stride=2), lambda x, w: F.conv1d(x, w, stride=2))
    compare([(1, 1, 4, 4, 4), (2, 1, 2, 2, 2)], lambda x, w: x.conv2d(w), lambda x, w: F.conv3d(x, w))
    options = dict(stride=2, padding=1, output_padding=1)
    compare([(2, 3, 4, 4), (3, 2, 3, 3)], lambda x, w: x.conv_transpose2d(w, **options), lambda x, w: F.conv_transpose2d(x, w, **options))


def test_pools():
    compare([(2, 3, 6, 8)], lambda x: x.max_pool2d(), lambda x: F.max_pool2d(x, 2))
    compare([(2, 3, 6, 8)], lambda x: x.avg_pool2d(kernel_size=(3, 2), stride=1), lambda x: F.avg_pool2d(x, (3, 2), 1))
    compare([(2, 3, 6, 8)], lambda x: x.max_pool2d(3, stride=2, dilation=2), lambda x: F.max_pool2d(x, 3, 2, dilation=2))
    compare([(2, 3, 6, 8)], lambda x: x.max_pool2d(3, padding=1), lambda x: F.max_pool2d(x, 3, padding=1))
    compare([(2, 3, 7, 8)], lambda x: x.avg_pool2d(3, 2, padding=1, count_include_pad=False), lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))
    compare([(2, 3, 7, 8)], lambda x: x.max_pool2d(2, ceil_mode=True), lambda x: F.max_pool2d(x, 2, ceil_mode=True))


def test_interpolate():
    compare([(1, 2, 5, 6)], lambda x: x.interpolate((7, 3)), lambda x: F.interpolate(x, (7, 3), mode="bilinear"))
    compare([(1, 2, 5, 6)], lambda x: x.interpolate((7, 3), mode="nearest"), lambda x: F.interpolate(x, (7, 3)))


def test_layers_without_memory():
    compare([(5, 3), (3, 2), (2,)], lambda x, w, b: x.linear(w, b), lambda x, w, b: x @ w + b)
    compare([(2, 3, 4)], lambda x: x.layernorm(), lambda x: F.layer_norm(x, (4,)))
    compare([(2, 3, 4)], lambda x: x.layernorm(axis=(1, 2), eps=1e-3), lambda x: F.layer_norm(x, (3, 4), eps=1e-3))
    compare([(2, 3, 4)], lambda x: x.sequential([lambda x: x + 1, Tensor.relu]), lambda x: (x + 1).relu())
    for causal in (False, True):
        compare(
            [(2, 4, 3)] * 3,
            lambda q, k, v: q.scaled_dot_product_attention(k, v, is_causal=causal),
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=causal),
        )
    mean, invstd = np.array([0.1, -0.2, 0.3], np.float32), np.array([1.5, 0.5, 2.0], np.float32)
    compare(
        [(2, 3, 4), (3,), (3,)],
        lambda x, w, b: x.batchnorm(w, b, Tensor(mean), Tensor(invstd)),
        lambda x, w, b: F.batch_norm(x, torch.tensor(mean), torch.tensor(invstd) ** -2, w, b, eps=0),
    )


def test_losses():
    labels = np.array([2, 0, 1, 1])
    compare([(4, 3), labels], lambda x, y: x.sparse_categorical_crossentropy(y), F.cross_entropy)
    compare([(4, 3), np.array([2, -1, 1, -1])], lambda x, y: x.sparse_categorical_crossentropy(y), lambda x, y: F.cross_entropy(x, y, ignore_index=-1))
    for options in ({"label_smoothing": 0.1}, {"reduction": "sum"}, {"reduction": "none"}):
        compare([(4, 3), labels], lambda x, y: x.sparse_categorical_crossentropy(y, **options), lambda x, y: F.cross_entropy(x, y, **options))
    compare([(4, 3), labels], lambda x, y: x.cross_entropy(y, label_smoothing=0.1), lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1))
    compare([(4, 3), labels], lambda x, y: x.log_softmax().nll_loss(y), lambda x, y: F.nll_loss(x.log_softmax(1), y))
    compare([(4, 3), (4, 3)], lambda x, y: x.binary_crossentropy(y), F.binary_cross_entropy, low=0.1, high=0.9)
    compare([(4, 3), (4, 3)], lambda x, y: x.binary_crossentropy_logits(y.sigmoid()), lambda x, y: F.binary_cross_entropy_with_logits(x, y.sigmoid()))


def test_dropout():
    x = Tensor.ones(1000)
    assert x.dropout(0.5).tolist() == x.tolist()
    with Tensor.train():
        dropped = x.dropout(0.25).numpy()
    assert set(np.unique(dropped)) == {0, np.float32(1 / 0.75)} and 150 < (dropped == 0).sum() < 350


# ---- tinygrad's newer names ------------------------------------------------------------------------------------------

WHOLE = [np.array([[12, 10, -7], [0, 5, 127]]), np.array([[6, 3, 2], [1, 1, 5]])]
BITS = {
    "&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b, "~": lambda a, b: ~a, "5 &": lambda a, b: 5 & a,
    "1 |": lambda a, b: 1 | a, "3 ^": lambda a, b: 3 ^ a, "<<": lambda a, b: a << b, ">>": lambda a, b: a >> b, "1 <<": lambda a, b: 1 << b,
    "bitwise_and": lambda a, b: a.bitwise_and(b), "bitwise_or": lambda a, b: a.bitwise_or(b), "bitwise_xor": lambda a, b: a.bitwise_xor(b),
    "bitwise_not": lambda a, b: a.bitwise_not(),
}  # fmt: skip


@pytest.mark.parametrize("name", BITS)
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8"])
def test_bits_of_integers(name, dtype):
    a, b = (x.astype(dtype) for x in WHOLE)
    found = BITS[name](Tensor(a), Tensor(b))
    np.testing.assert_array_equal(found.numpy(), BITS[name](torch.tensor(a), torch.tensor(b)).numpy())
    assert found.dtype == Tensor(a).dtype


def test_bits_in_place_and_of_truth_values():
    x = Tensor(WHOLE[0])
    same = x
    x &= 127
    x |= 1
    x ^= 3
    x <<= 2
    x >>= 1
    np.testing.assert_array_equal(same.numpy(), ((((WHOLE[0] & 127) | 1) ^ 3) << 2) >> 1)
    assert x.lshift(1).tolist() == (x * 2).tolist() and x.rshift(1).tolist() == (x // 2).tolist()
    truth = Tensor([1, 0]) > 0
    assert (truth ^ True).tolist() == [False, True] and (truth | (truth ^ True)).tolist() == [True, True]
    with pytest.raises(TypeError, match="float"):
        Tensor([1.0]) & 1


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_scatter_reduce(reduce, include_self):
    places = np.array([[3, 0, 1, 3], [1, 2, 0, 3], [1, 1, 1, 1]])
    both = dict(reduce=reduce, include_self=include_self)
    for dim, shape in [(0, (4, 4)), (1, (3, 5))]:
        # PyTorch's product has no gradient without self.
        compare([shape, places, (3, 4)], lambda x, i, s: x.scatter_reduce(dim, i, s, **both), lambda x, i, s: x.scatter_reduce(dim, i, s, **both), grad=include_self or reduce != "prod")


def test_scatter_multiply_and_its_mistakes():
    places = np.array([[1, 1, 0]])
    compare([(2, 3), places, (1, 3)], lambda x, i, s: x.scatter(0, i, s, reduce="multiply"), lambda x, i, s: x.scatter_reduce(0, i, s, "prod"))
    with pytest.raises(TypeError, match="reduce"):
        Tensor([1.0]).scatter(0, Tensor([0]), Tensor([1.0]), reduce="most")
    with pytest.raises(RuntimeError, match="reduce"):
        Tensor([1.0]).scatter_reduce(0, Tensor([0]), Tensor([1.0]), "most")


@pytest.mark.parametrize("options", [{}, {"stride": 1}, {"padding": 1}, {"dilation": 2}, {"stride": 2, "ceil_mode": True}, {"stride": 3, "padding": 1}])
def test_positions_of_pools_and_back(options):
    ours = lambda x: x.max_pool2d(3, return_indices=True, **options)
    theirs = lambda x: F.max_pool2d(x, 3, return_indices=True, **options)
    compare([(2, 3, 8, 9)], lambda x: ours(x)[0], lambda x: theirs(x)[0])
    compare([(2, 3, 8, 9)], lambda x: ours(x)[1], lambda x: theirs(x)[1].int(), grad=False)
    assert ours(Tensor.ones(1, 1, 7, 7))[1].flatten()[0].item() == 0  # of ties the first


def test_unpooling():
    def back(x, size=None):
        values, places = x.max_pool2d(2, return_indices=True)
        return values.max_unpool2d(places, 2, output_size=size)

    def theirs(x, size=None):
        values, places = F.max_pool2d(x, 2, return_indices=True)
        return F.max_unpool2d(values, places, 2, output_size=size)

    compare([(2, 3, 6, 8)], back, theirs)
    compare([(2, 3, 7, 9)], lambda x: back(x, (2, 3, 7, 9)), lambda x: theirs(x, (7, 9)))


def test_dtypes_of_results():
    x = Tensor.rand(2, 3).half()
    assert x.softmax(dtype=dtypes.float32).dtype == x.log_softmax(dtype="float32").dtype == x.softmin(dtype="float32").dtype == dtypes.float32
    y = Tensor([100, 100], dtype=dtypes.int8)
    assert (y.sum(dtype=dtypes.int8).item(), y.sum(acc_dtype="float64").dtype, y.prod(dtype="int64").item()) == (-56, dtypes.float64, 10000)
    z = Tensor([[1, 2], [3, 4]], dtype=dtypes.int32)
    assert z.matmul(z, dtype="float64").dtype == z.dot(z, dtype="float64").dtype == z.linear(z, dtype="float64").dtype == dtypes.float64
    assert Tensor.einsum("ij,jk", z, z, dtype="float16").dtype == dtypes.float16 and Tensor.einsum("ij,jk", [z, z]).tolist() == [[7, 10], [15, 22]]


def test_running_extremes_and_logarithms():
    for name in ("cummax", "cummin"):
        compare([(3, 5)], lambda x: getattr(x, name)(1)[0], lambda x: getattr(torch, name)(x, 1).values)
        compare([(3, 5)], lambda x: getattr(x, name)(0)[1], lambda x: getattr(torch, name)(x, 0).indices.int(), grad=False)
    assert Tensor([1, 3, 3, 2]).cummax()[1].tolist() == [0, 1, 1, 1]  # of ties the first
    compare([(3, 5)], lambda x: x.logcumsumexp(1), lambda x: torch.logcumsumexp(x, 1))


def test_functions_with_tinygrads_arguments():
    compare([(3, 4)], lambda x: x.gelu("none"), F.gelu, low=-3, high=3)
    compare([(3, 4)], lambda x: x.hardsigmoid(0.2, 0.3), lambda x: (x * 0.2 + 0.3).clamp(0, 1), low=-5, high=5)
    compare([(3, 4)], lambda x: x.selu(alpha=1.0, gamma=2.0), lambda x: F.elu(x) * 2)
    compare([(3, 4), (3, 4)], lambda x, y: x.copysign(y), lambda x, y: x.copysign(y.detach()))
    compare([(3, 4), (3, 4)], lambda x, y: x.fmod(y), torch.fmod, grad=False)
    for mode in ("floor", "trunc"):
        compare([(3, 4)], lambda x: x.div(0.3, rounding_mode=mode), lambda x: torch.div(x, 0.3, rounding_mode=mode), grad=False)
    for p in (1.0, 2.0, 3.0):
        compare([(3, 4)], lambda x: x.normalize(p, 0), lambda x: F.normalize(x, p, 0))
    for offset in (-1, 0, 2):
        compare([(2, 4, 5)], lambda x: x.diagonal(offset, 1, 2), lambda x: x.diagonal(offset, 1, 2))
    compare([(2, 6)], lambda x: x.rearrange("a (b c) -> c (b a)", c=2), lambda x: x.reshape(2, 3, 2).permute(2, 1, 0).reshape(2, 6))
    compare([(2, 3)], lambda x: x.pad_to(4, None), lambda x: F.pad(x, (0, 0, 0, 2)))
    compare([(4, 3)], lambda x: x.shrink_to(2, None), lambda x: x[:2])
    compare([(3, 4, 5)], lambda x: x.transpose(dim0=0, dim1=2), lambda x: x.transpose(0, 2))
    compare([(3, 4)], lambda x: x.triu(diagonal=1) + x.tril(diagonal=-1), lambda x: x.triu(1) + x.tril(-1))
    compare([(3, 4)], lambda x: x.std_mean(1)[0] + x.var_mean(1)[0] * x.var_mean(1)[1], lambda x: x.std(1) + x.var(1) * x.mean(1))
    assert Tensor([float("inf"), float("-inf")]).isinf(detect_negative=False).tolist() == [True, False]
    assert Tensor([3, 0, 4]).nonzero(size=3, fill_value=-1).tolist() == [[0], [2], [-1]]
    assert Tensor([1, 2, 3]).masked_select(Tensor([1, 0, 1]), size=1).tolist() == [1]


def test_losses_with_tinygrads_arguments():
    weight = np.array([2.0, 0.5, 1.0], np.float32)
    for reduction in ("mean", "sum", "none"):
        compare(
            [(4, 3), (4, 3)],
            lambda x, y: x.binary_crossentropy_logits(Y=y.sigmoid(), reduction=reduction, pos_weight=Tensor(weight)),
            lambda x, y: F.binary_cross_entropy_with_logits(x, y.sigmoid(), reduction=reduction, pos_weight=torch.tensor(weight)),
        )
        compare([(4, 3), (4, 3)], lambda x, y: x.binary_crossentropy(y, reduction), lambda x, y: F.binary_cross_entropy(x, y, reduction=reduction), low=0.1, high=0.9)
    compare(
        [(2, 4, 3, 5), (2, 2, 6, 5), (2, 2, 6, 5)],
        lambda q, k, v: q.scaled_dot_product_attention(k, v, enable_gqa=True),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True),
    )
    mean, invstd = np.array([0.1, -0.2, 0.3], np.float32), np.array([1.5, 0.5, 2.0], np.float32)
    compare([(2, 4, 3)], lambda x: x.batchnorm(None, None, Tensor(mean), Tensor(invstd), axis=2), lambda x: (x - torch.tensor(mean)) * torch.tensor(invstd))


def test_matrices():
    for shape in [(4, 3), (3, 5), (2, 4, 4)]:
        x = np.random.RandomState(0).randn(*shape).astype(np.float32)
        q, r = Tensor(x).qr()
        np.testing.assert_allclose((q @ r).numpy(), x, atol=1e-5)
        u, s, v = Tensor(x).svd()
        np.testing.assert_allclose(s.numpy(), np.linalg.svd(x, compute_uv=False), rtol=1e-4)
        assert u.shape[-1] == shape[-2] and v.shape[-2] == shape[-1]
        u, s, v = Tensor(x).svd(full_matrices=False)
        np.testing.assert_allclose((u * s.unsqueeze(-2) @ v).numpy(), x, atol=1e-5)


def test_gradients_given_back():
    x = Tensor([2.0, 3.0], requires_grad=True)
    y = x * x
    (first, second) = y.sum().gradient(x, y)
    assert first.tolist() == [4, 6] and second.tolist() == [1, 1] and x.grad is None
    assert y.gradient(x, gradient=Tensor([1.0, 10.0]))[0].tolist() == [4, 60]
    y.sum().backward()
    assert x.grad.tolist() == [4, 6]
    with pytest.raises(RuntimeError):
        (x * 2).sum().gradient(Tensor([1.0]))


def test_an_axis_that_is_not_there_is_told_in_the_originals_words():
    for x, dim in [(Tensor.ones(4, 3), 50), (Tensor.ones(4, 3), -3), (Tensor(1.0), 10)]:
        with pytest.raises(IndexError) as ours:
            x.squeeze(dim)
        with pytest.raises(IndexError) as theirs:
            torch.ones(x.shape).squeeze(dim)
        assert str(ours.value) == str(theirs.value)


def test_single_numbers_pass_for_one_axis():
    for name in ("sum", "mean", "softmax", "log_softmax", "logsumexp", "cumsum", "cumprod", "logcumsumexp", "prod", "squeeze"):
        for axis in (0, -1):
            compare([()], lambda x: getattr(x, name)(axis), lambda x: getattr(x, name)(axis))
    assert Tensor(3.0).max(0).item() == 3 and Tensor(3.0).argmax(-1).item() == 0 and Tensor(3.0).cummax()[1].item() == 0
    for name in ("sum", "max", "softmax", "cumsum", "squeeze"):
        with pytest.raises(IndexError):
            getattr(Tensor(3.0), name)(1)
