"""Ops that move elements or gather many into one: reductions, movement, indexing, creation."""

import itertools

import torch
import torch.nn.functional as F

from record import Book, f32, randint, randn

INF, NAN = float("inf"), float("nan")


# ---- Reductions --------------------------------------------------------------------------------


def axis_args(axis, keepdim):
    return {"axis": axis, **({"keepdim": True} if keepdim else {})}


def reduce():
    book = Book("reduce")
    x = randn(2, 3, 4)
    everything = (0, 1, 2)
    choices = [None] + [list(c) for n in (1, 2, 3) for c in itertools.combinations(everything, n)] + [-1, [-3, -1]]
    functions = {
        "sum": lambda x, axis, keep: torch.sum(x, axis, keepdim=keep),
        "max": lambda x, axis, keep: torch.amax(x, axis, keepdim=keep),  # unlike torch.max, ties share the gradient
        "min": lambda x, axis, keep: torch.amin(x, axis, keepdim=keep),
        "mean": lambda x, axis, keep: torch.mean(x, axis, keepdim=keep),
    }
    for (op, function), axis, keep in itertools.product(functions.items(), choices, (False, True)):
        where = everything if axis is None else axis
        book.case(op, [x], lambda x: function(x, where, keep), axis_args(axis, keep))
    for axis, (keep, correction) in itertools.product(choices, ((False, 1), (True, 0))):
        where = everything if axis is None else axis
        args = {**axis_args(axis, keep), "correction": correction}
        book.case("std", [x], lambda x: torch.std(x, where, correction=correction, keepdim=keep), args)
    book.case("std", [f32([[1], [2]])], lambda x: torch.std(x, 1), {"axis": 1, "correction": 1}, grad=False, name="of one")

    for op, function in functions.items():
        book.case(op, [f32(2.5)], lambda x: function(x, (), False), {"axis": None}, name="of a number")
        book.case(op, [randn(7)], lambda x: function(x, 0, False), {"axis": 0})
        # Longer than any block, and ragged.
        book.case(op, [randint(-9, 10, 3, 331, dtype=torch.float32) / 4], lambda x: function(x, 1, False), {"axis": 1})
        book.case(op, [randint(-9, 10, 331, 3, dtype=torch.float32) / 4], lambda x: function(x, 0, False), {"axis": 0})
    # Ties: [1, 3, 3] → [0, ½, ½].
    ties = f32([[1, 3, 3], [2, 2, 2], [0, 0, -1], [5, 4, 4]])
    for op, axis in itertools.product(("max", "min"), (None, 0, 1)):
        where = (0, 1) if axis is None else axis
        book.case(op, [ties], lambda x: functions[op](x, where, False), {"axis": axis}, name="with ties")
        book.case(op, [f32([[1, NAN, 2], [INF, 1, -INF]])], lambda x: functions[op](x, where, False), {"axis": axis}, grad=False, name="of NaN")
    # Of nothing.
    for axis, shape in [(None, (0,)), (0, (0, 3)), (1, (0, 3)), (1, (2, 0)), (None, (2, 0, 3))]:
        where = tuple(range(len(shape))) if axis is None else axis
        book.case("sum", [torch.zeros(shape)], lambda x: functions["sum"](x, where, False), {"axis": axis}, name="of nothing")
    book.case("mean", [torch.zeros(2, 0)], lambda x: functions["mean"](x, 1, False), {"axis": 1}, grad=False, name="of nothing")

    # Integers. PyTorch sums them in int64, the library in at least 32 bits: values are compared, dtypes are not.
    book.case("sum", [torch.ones(300, dtype=torch.uint8)], lambda x: x.sum(), {"axis": None}, name="of 300 ones in uint8")
    book.case("sum", [torch.full((3, 9), -100, dtype=torch.int8)], lambda x: x.sum(1), {"axis": 1}, name="of int8")
    book.case("sum", [torch.tensor([[True, False, True], [True, True, True]])], lambda x: x.sum(1), {"axis": 1}, name="of bool")
    book.case("sum", [torch.tensor([2**40, -(2**41), 5])], lambda x: x.sum(), {"axis": None}, name="of int64")
    book.case("sum", [torch.ones(64, 64, dtype=torch.float16)], lambda x: x.sum(), {"axis": None}, grad=False, name="of 4096 ones in float16")
    book.case("sum", [torch.ones(513, 1, dtype=torch.bfloat16)], lambda x: x.float().sum(0), {"axis": 0}, grad=False, name="of 513 ones in bfloat16")
    book.case("mean", [torch.full((2, 8), 60000, dtype=torch.float16)], lambda x: x.mean(1), {"axis": 1}, grad=False, name="of large float16")
    for dtype in (torch.uint8, torch.int8, torch.int32, torch.int64):
        whole = randint(-100, 100, 3, 4).to(dtype)
        for op in ("max", "min"):
            book.case(op, [whole], lambda x: functions[op](x, 1, False), {"axis": 1}, dtype=True, name=f"of {dtype}")
        book.case("argmax", [whole], lambda x: x.argmax(1), {"axis": 1}, name=f"of {dtype}")
        book.case("cumsum", [whole.to(torch.int32)], lambda x: x.cumsum(1), {"axis": 1}, name=f"of {dtype} as int32")

    for axis in (0, 1, 2, -1, -2):
        book.case("softmax", [x], lambda x: x.softmax(axis), {"axis": axis})
        book.case("log_softmax", [x], lambda x: x.log_softmax(axis), {"axis": axis})
    large = f32([[1000, 0, -1000], [1e4, 1e4, 1e4], [-1e4, -1e4, -1e4 + 1], [1e30, 1, -1e30]])
    masked = f32([[1, -INF, 2], [-INF, 0, -INF]])
    for op, function in [("softmax", torch.softmax), ("log_softmax", torch.log_softmax)]:
        book.case(op, [large], lambda x: function(x, -1), {"axis": -1}, name="far out")
        book.case(op, [f32([3.0])], lambda x: function(x, -1), {"axis": -1}, name="of one")
        book.case(op, [masked], lambda x: function(x, -1), {"axis": -1}, grad=op == "softmax", name="partly masked")
    book.case("softmax", [torch.zeros(0, 3)], lambda x: x.softmax(-1), {"axis": -1}, name="of nothing")

    for op, function in [("argmax", torch.argmax), ("argmin", torch.argmin)]:
        for axis, keep in itertools.product((None, 0, 1, 2, -1), (False, True)):
            book.case(op, [x], lambda x: function(x, axis, keepdim=keep), axis_args(axis, keep))
        # The first of ties. PyTorch promises none in particular, hence by hand: the first index that holds the extreme.
        extreme = torch.amax if op == "argmax" else torch.amin
        book.case(op, [ties], lambda x: (x == extreme(x, 1, keepdim=True)).int().argmax(1), {"axis": 1}, name="with ties")
        book.case(op, [torch.full((5,), 2.0)], lambda x: torch.tensor(0), {"axis": None}, name="with ties")

    for axis in (0, 1, 2, -1):
        book.case("cumsum", [x], lambda x: x.cumsum(axis), {"axis": axis})
    book.case("cumsum", [randint(-9, 10, 700, dtype=torch.float32) / 4], lambda x: x.cumsum(0), {"axis": 0})
    book.case("cumsum", [randint(0, 9, 2, 600)], lambda x: x.cumsum(1), {"axis": 1}, name="of int32")
    book.case("cumsum", [f32([4.0])], lambda x: x.cumsum(0), {"axis": 0})
    book.case("cumsum", [torch.zeros(2, 0)], lambda x: x.cumsum(1), {"axis": 1}, name="of nothing")
    book.case("logsumexp", [randn(3, 4)], lambda x: x.logsumexp(1))
    return book


# ---- Movement ----------------------------------------------------------------------------------


def crop(x, bounds):
    """x[start:stop] on each axis; None keeps the axis."""
    return x[tuple(slice(None) if b is None else slice(b[0], b[1]) for b in bounds)]


def surround(x, widths, value=0.0):
    """F.pad with one (before, after) an axis, in the order of the axes; negative widths cut."""
    flat = [n for pair in reversed(widths) for n in (pair or (0, 0))]
    return F.pad(x, flat, value=value)


def movement():
    book = Book("movement")
    x = randn(2, 3, 4)
    for shape in ([24], [4, 6], [4, -1], [-1], [2, 1, 3, 1, 4], [2, 2, 3, 2], [6, 4]):
        book.case("reshape", [x], lambda x: x.reshape(shape), {"shape": shape})
    book.case("reshape", [f32(3.0)], lambda x: x.reshape(1, 1), {"shape": [1, 1]})
    book.case("reshape", [f32([3.0])], lambda x: x.reshape(()), {"shape": []})
    book.case("reshape", [torch.zeros(2, 0)], lambda x: x.reshape(0, 5), {"shape": [0, 5]})
    for start, shape in [((3, 1), [3, 4]), ((1, 3, 1), [2, 3, 4]), ((3,), [2, 3]), ((), [2, 2]), ((2, 1), [-1, 3]), ((1, 1), [-1, 3]), ((1,), [0])]:
        book.case("expand", [randn(*start)], lambda x: x.expand(shape), {"shape": shape})
    for order in itertools.permutations(range(3)):
        book.case("permute", [x], lambda x: x.permute(order), {"order": list(order)})
    book.case("permute", [x], lambda x: x.permute(-1, 0, 1), {"order": [-1, 0, 1]})
    book.case("permute", [randn(2, 3, 2, 2, 3)], lambda x: x.permute(4, 1, 3, 0, 2), {"order": [4, 1, 3, 0, 2]})
    for axis in (0, 1, 2, -1, [0, 1], [1, 2], [0, -1], [0, 1, 2]):
        book.case("flip", [x], lambda x: x.flip(axis), {"axis": axis})
    for bounds in ([[0, 1], [1, 3], [1, 4]], [None, [2, 3], None], [[0, 2], [0, 3], [0, 4]], [None, [1, 1], None]):
        book.case("shrink", [x], lambda x: crop(x, bounds), {"bounds": bounds})
    for widths in ([[1, 0], [0, 2], [1, 1]], [None, [2, 0], None], [[0, 0], [0, 0], [0, 0]]):
        book.case("pad", [x], lambda x: surround(x, widths), {"widths": widths})
        book.case("pad", [x], lambda x: surround(x, widths, -1.5), {"widths": widths, "value": -1.5})
    book.case("pad", [x], lambda x: surround(x, [None, None, [1, 1]], -INF), {"widths": [None, None, [1, 1]], "value": "-inf"})
    book.case("pad", [randint(0, 9, 2, 2)], lambda x: surround(x, [[1, 0], [0, 1]], 7), {"widths": [[1, 0], [0, 1]], "value": 7}, dtype=True)
    for bounds in ([[-1, 3], [1, 5], None], [[0, 1], [-2, 2], [3, 6]], [None, None, [1, 3]]):
        widths = [None if b is None else (-b[0], b[1] - n) for b, n in zip(bounds, x.shape)]
        book.case("slice", [x], lambda x: surround(x, widths), {"bounds": bounds})
        book.case("slice", [x], lambda x: surround(x, widths, 2.5), {"bounds": bounds, "value": 2.5})
    y = randn(1, 2, 3, 4)
    for padding in ([1, 1, 1, 1], [1, 2, 0, 3], [0, -1, 2, -1]):
        book.case("pad2d", [y], lambda y: F.pad(y, padding), {"padding": padding})
        book.case("pad2d", [y], lambda y: F.pad(y, padding, value=0.5), {"padding": padding, "value": 0.5})
    for dim, sizes in [(0, (2, 1, 3)), (1, (2, 3)), (-1, (1, 4, 2)), (1, (2, 0, 1))]:
        axis = dim % 2
        parts = [randn(*(n if i == axis else 3 for i in range(2)), tag=k) for k, n in enumerate(sizes)]
        book.case("cat", parts, lambda *t: torch.cat(t, dim), {"dim": dim})
    book.case("cat", [x, x[:, :1] + 1], lambda *t: torch.cat(t, 1), {"dim": 1})
    for dim in (0, 1, 2, -1):
        book.case("stack", [randn(2, 3, tag=k) for k in range(3)], lambda *t: torch.stack(t, dim), {"dim": dim})
    for start, repeats in [((2, 3), [2, 2]), ((3,), [2, 3]), ((2, 1), [1, 3]), ((2, 3), [2, 1, 3]), ((), [3])]:
        book.case("repeat", [randn(*start)], lambda x: x.repeat(repeats), {"repeats": repeats})
    for num, dim, start in [(2, 0, (4, 3)), (3, 0, (7, 2)), (2, 1, (2, 5)), (4, -1, (2, 6)), (1, 0, (3,))]:
        for index in range(len(torch.chunk(torch.zeros(start), num, dim))):
            book.case("chunk", [randn(*start)], lambda x: torch.chunk(x, num, dim)[index], {"num": num, "dim": dim, "index": index})
    thin = randn(1, 3, 1, 2)
    book.case("squeeze", [thin], lambda x: x.squeeze(), {"dim": None})
    for dim in (0, 1, 2, -2, -1):
        book.case("squeeze", [thin], lambda x: x.squeeze(dim), {"dim": dim})
    for dim in (0, 1, 3, -1, -2, -4):
        book.case("unsqueeze", [x], lambda x: x.unsqueeze(dim), {"dim": dim})
    for a, b in [(1, 0), (0, 2), (-1, -2), (1, 1)]:
        book.case("transpose", [x], lambda x: x.transpose(a, b), {"ax1": a, "ax2": b})
    book.case("transpose", [randn(2, 3)], lambda x: x.transpose(1, 0), {})
    book.case("T", [randn(2, 3)], lambda x: x.T, {})
    for start in (0, 1, 2, -1, -2):
        book.case("flatten", [x], lambda x: x.flatten(start), {"start_dim": start})
    book.case("flatten", [f32(2.0)], lambda x: x.flatten(), {"start_dim": 0})
    for op, function in [("triu", torch.triu), ("tril", torch.tril)]:
        for k in range(-4, 5):
            book.case(op, [randn(3, 4)], lambda x: function(x, k), {"k": k})
        book.case(op, [randn(2, 4, 3)], function, {"k": 0})
        book.case(op, [f32([[1, NAN], [INF, 2]])], function, {"k": 0}, grad=False, name="beside NaN")

    # Chains of views, as the inputs of what follows.
    book.case("views_sum", [x], lambda x: x.permute(2, 0, 1).flip(0)[1:4, :, ::2].reshape(-1).reshape(2, -1).sum(1))
    book.case("views_mul", [x], lambda x: x[:, ::2].permute(0, 2, 1) * x.flip(2)[:, 1:].permute(0, 2, 1))
    book.case("windows", [randn(3, 8)], lambda x: x.unfold(1, 3, 1).square().sum(2))  # overlapping
    book.case("views_matmul", [randn(3, 4, tag=7)], lambda x: x.flip(1).T @ x[:, ::2] + F.pad(x, (0, 0, 0, 1))[1:].T @ x.expand(2, 3, 4)[1, :, 1:3])
    return book


# ---- Indexing ----------------------------------------------------------------------------------
# An index is written as a list of {"int": i}, {"slice": [start, stop, step]}, {"newaxis": true}, {"ellipsis": true} and
# {"tensor": [numbers], "shape": [shape]}.


def I(i):
    return {"int": i}


def S(start=None, stop=None, step=None):
    return {"slice": [start, stop, step]}


def T(values, shape=None):
    return {"tensor": values, "shape": [len(values)] if shape is None else shape}


NEW, DOTS = {"newaxis": True}, {"ellipsis": True}


def getitem(x, index):
    """x[index], with the negative steps that PyTorch lacks: reversed axes are flipped first, and their slices mirrored."""
    used = sum(1 for token in index if not ("newaxis" in token or "ellipsis" in token))
    tokens, axis = [], 0
    for token in index:
        if "newaxis" in token:
            tokens.append(None)
        elif "ellipsis" in token:
            tokens.append(Ellipsis)
            axis += x.ndim - used
        else:
            if "int" in token:
                tokens.append(token["int"])
            elif "tensor" in token:
                tokens.append(torch.tensor(token["tensor"], dtype=torch.int64).reshape(token["shape"]))
            else:
                size = x.shape[axis]
                walk = range(*slice(*token["slice"]).indices(size))
                if walk.step < 0:
                    x = x.flip(axis)
                    walk = range(size - 1 - walk.start, size - 1 - walk.start + len(walk) * -walk.step, -walk.step)
                tokens.append(slice(walk.start, max(walk.start, walk.stop), walk.step) if len(walk) else slice(0, 0))
            axis += 1
    return x[tuple(tokens)]


def setitem(x, index, value):
    """A copy of x with x[index] = value: the positions are found by indexing the numbers 0, 1, 2, …"""
    positions = getitem(torch.arange(x.numel()).reshape(x.shape), index)
    flat = x.clone().reshape(-1)
    flat[positions.reshape(-1)] = value.to(x.dtype).expand(positions.shape).reshape(-1)
    return flat.reshape(x.shape)


INDICES = [
    [I(1)], [I(-1)], [I(0), I(2), I(3)], [I(1), I(-2)], [S(), I(1)], [DOTS, I(0)], [I(1), DOTS], [I(0), DOTS, I(-1)], [DOTS],
    [S(0, 1)], [S(1)], [S(None, -1)], [S(), S(1, 3)], [S(), S(), S(1, 4)], [S(-2, None), S(-2, -1)], [S(1, 100)], [S(-100, 1)],
    [S(1, 1)], [S(), S(2, 1)], [S(), S(), S(None, None, 2)], [S(), S(None, None, 2), S(1, None, 2)], [S(), S(), S(0, 4, 3)],
    [S(None, None, -1)], [S(), S(), S(None, None, -2)], [S(), S(2, 0, -1)], [S(), S(None, None, -1), S(3, None, -3)], [S(), S(0, 2, -1)],
    [S(None, None, -1), S(None, None, -1), S(None, None, -1)], [S(), S(-1, -3, -1), S(2, None, -1)],
    [NEW], [S(), NEW], [NEW, I(1), NEW, S(), NEW], [DOTS, NEW], [NEW, DOTS, NEW, I(1)], [NEW, S(None, None, -1), S(1), NEW],
    [T([1])], [T([0, 1, 1, 0])], [S(), T([2, 0])], [S(), T([-1, 0, -3])], [DOTS, T([3, 1])], [T([0, 1], [1, 2])],
    [T([1, 0, 1, 1], [2, 2])], [S(), T([2, 0, 1, 1], [2, 2])], [T(1, [])], [S(), T(2, [])],
    [T([0, 1]), T([2, 0])], [T([0, 1]), T([1, 2]), T([3, 0])], [T([0, 1], [2, 1]), T([2, 0, 1])], [S(), T([0, 1, 2], [3, 1]), T([3, 0])],
    [T([0, 1]), S(), T([3, 0])], [T([0, 1], [2, 1]), S(), T([3, 0, 2])], [T([1]), T([2, 0, 1])],
    [I(1), T([2, 0])], [T([1, 0]), I(2)], [S(), I(1), T([3, 0])], [S(), T([2, 0]), I(1)], [T([1, 0]), S(1, 3)], [T([1, 0]), S(None, None, -1)],
    [S(None, None, -1), T([2, 0]), S(1, None, 2)], [S(1), T([0, 2, 2]), S(None, None, -2)], [T([0, 1]), NEW], [NEW, T([0, 1])],
    [S(), T([0, 2]), NEW, T([1, 3])], [NEW, T([0, 1]), T([2, 0])], [S(), NEW, T([0, 2]), S(1, 3)], [T([0, 1]), DOTS, T([1, 3])], [T([], [0])], [S(), T([], [0])],
]


def indexing():
    book = Book("indexing")
    x = randn(2, 3, 4)
    for index in INDICES:
        book.case("getitem", [x], lambda x: getitem(x, index), {"index": index})
    book.case("getitem", [randn(5)], lambda x: getitem(x, [S(None, None, -2)]), {"index": [S(None, None, -2)]})
    book.case("getitem", [randn(5)], lambda x: getitem(x, [I(2)]), {"index": [I(2)]})
    book.case("getitem", [f32(1.5)], lambda x: getitem(x, [NEW, DOTS, NEW]), {"index": [NEW, DOTS, NEW]})
    book.case("getitem", [randint(0, 99, 3, 4)], lambda x: getitem(x, [T([2, 0]), S(1, 3)]), {"index": [T([2, 0]), S(1, 3)]}, dtype=True)
    table = randn(10, 4)
    rows = T([3, 3, 9, 0, 3, 7], [2, 3])
    book.case("getitem", [table], lambda x: getitem(x, [rows]), {"index": [rows]}, name="embedding")

    writes = [index for index in INDICES if not any(token.get("tensor") == [0, 1, 1, 0] or token.get("tensor") == [1, 0, 1, 1] for token in index)]
    for index in writes:
        shape = getitem(x, index).shape
        positions = getitem(torch.arange(x.numel()).reshape(x.shape), index)
        if positions.unique().numel() != positions.numel():
            continue  # which of several writes to one place wins is nobody's promise
        book.case("setitem", [x, randn(*shape, tag=3)], lambda x, v: setitem(x, index, v), {"index": index}, grad=False)
    for index, value in [([I(1)], f32(9)), ([S(), S(1, 3)], randn(2, 4, tag=3)), ([DOTS, S(None, None, -2)], randn(3, 1, tag=3)), ([T([1, 0])], f32(7)), ([S(), T([0, 2])], randn(4, tag=3))]:
        book.case("setitem", [x, value], lambda x, v: setitem(x, index, v), {"index": index}, grad=False, name="stretched")
    for index in ([I(0)], [DOTS], [S(), S(None, None, 2)], [S(), T([0, 2])]):
        book.case("setitem", [x], lambda x: setitem(x, index, f32(2.5)), {"index": index, "value": 2.5}, grad=False, name="number")
    book.case("setitem", [randint(0, 99, 4), randint(0, 9, 2)], lambda x, v: setitem(x, [S(None, None, 2)], v), {"index": [S(None, None, 2)]}, dtype=True)

    for dim, shape in [(0, (4, 3, 4)), (1, (2, 5, 4)), (2, (2, 3, 2)), (-1, (2, 3, 6)), (0, (1, 2, 3)), (1, (1, 2, 2))]:
        idx = randint(0, x.shape[dim], *shape, dtype=torch.int32)
        book.case("gather", [x, idx], lambda x, idx: torch.gather(x, dim, idx.long()), {"dim": dim})
    book.case("gather", [randn(5), torch.tensor([4, 4, 0], dtype=torch.int32)], lambda x, idx: torch.gather(x, 0, idx.long()), {"dim": 0})
    return book


# ---- Creation ----------------------------------------------------------------------------------


def creation():
    book = Book("creation")
    for n in (0, 1, 2, 5):
        book.case("eye", [], lambda: torch.eye(n), {"dim": n}, dtype=True)
    for arguments in ([5], [0], [2, 7], [2, 11, 3], [7, 2, -2], [3, 3], [-3, 3], [0, 10, 4]):
        start, stop, step = (*arguments, 1) if len(arguments) == 2 else (0, *arguments, 1) if len(arguments) == 1 else arguments
        book.case("arange", [], lambda: torch.arange(start, stop, step), {"start": start, "stop": stop, "step": step})
    for start, stop, step in ([0.0, 1.0, 0.25], [1.5, -1.0, -0.5], [0.0, 1.0, 0.3]):
        book.case("arange", [], lambda: torch.arange(start, stop, step), {"start": start, "stop": stop, "step": step}, dtype=True)
    for shape in ([], [3], [2, 3], [0], [2, 0, 3]):
        book.case("zeros", [], lambda: torch.zeros(shape), {"shape": shape}, dtype=True)
        book.case("ones", [], lambda: torch.ones(shape), {"shape": shape}, dtype=True)
        book.case("full", [], lambda: torch.full(shape, 2.5), {"shape": shape, "fill_value": 2.5}, dtype=True)
    for dtype in (torch.float32, torch.float16, torch.int64, torch.uint8):
        x = randint(0, 9, 2, 3).to(dtype)
        book.case("zeros_like", [x], torch.zeros_like, dtype=True, grad=False, name=f"of {dtype}")
        book.case("ones_like", [x], torch.ones_like, dtype=True, grad=False, name=f"of {dtype}")
        book.case("full_like", [x], lambda x: torch.full_like(x, 3), {"fill_value": 3}, dtype=True, grad=False, name=f"of {dtype}")
    return book
