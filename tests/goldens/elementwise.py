"""Ops that work element by element: unary, binary with broadcasting, where, comparisons."""

import itertools

import torch
import torch.nn.functional as F

from record import Book, f32, positive, randint, randn

INF, NAN = float("inf"), float("nan")


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


def clip(low, high):
    return lambda x: torch.clamp(x, low, high)


# ---- Unary -------------------------------------------------------------------------------------


def unary():
    book = Book("unary")
    anywhere = randn(3, 5, scale=2)
    above_zero = positive(3, 5, scale=2)
    # Where formulas that are right on paper overflow or cancel.
    far = f32([-100, -30, -5, -1, -0.001, 0.001, 1, 5, 30, 100])

    # op, function in PyTorch, arguments, [ordinary points, extreme points]; all with gradients
    table = [
        ("neg", torch.neg, {}, [anywhere, far]),
        ("contiguous", torch.clone, {}, [anywhere]),
        ("contiguous_backward", torch.clone, {}, [anywhere]),
        ("log", torch.log, {}, [above_zero, f32([1e-30, 1e-6, 0.999, 1, 1.001, 1e6, 1e30])]),
        ("log2", torch.log2, {}, [above_zero, f32([1e-30, 1e-6, 0.999, 1, 1.001, 1024, 1e30])]),
        ("exp", torch.exp, {}, [anywhere, f32([-80, -30, -0.001, 0.001, 30, 80])]),
        ("exp2", torch.exp2, {}, [anywhere, f32([-120, -30, -0.001, 0.001, 30, 120])]),
        ("relu", torch.relu, {}, [anywhere, far]),
        ("sigmoid", torch.sigmoid, {}, [anywhere, far]),
        ("sin", torch.sin, {}, [anywhere, far]),
        ("cos", torch.cos, {}, [anywhere, far]),
        ("tan", torch.tan, {}, [randn(3, 5, scale=0.5), far]),
        ("sqrt", torch.sqrt, {}, [above_zero, f32([1e-30, 1e-6, 1, 1e6, 1e30])]),
        ("rsqrt", torch.rsqrt, {}, [above_zero, f32([1e-12, 1e-6, 1, 1e6, 1e12])]),
        ("trunc", torch.trunc, {}, [anywhere, f32([-2.5, -0.5, 0.5, 2.5, 1e10, -1e10, 1e30])]),
        ("ceil", torch.ceil, {}, [anywhere, f32([-2.5, -2, -0.5, 0.5, 2, 2.5, 1e10, -1e10, 1e30])]),
        ("floor", torch.floor, {}, [anywhere, f32([-2.5, -2, -0.5, 0.5, 2, 2.5, 1e10, -1e10, 1e30])]),
        ("square", torch.square, {}, [anywhere, far]),
        ("clip", clip(-1, 1.5), {"min": -1.0, "max": 1.5}, [anywhere, far[far != -1]]),
        ("abs", torch.abs, {}, [anywhere, far]),
        ("sign", torch.sign, {}, [anywhere, f32([-1e-12, 1e-12, -1e30, 1e30])]),
        ("reciprocal", torch.reciprocal, {}, [above_zero, far]),
        ("elu", F.elu, {}, [anywhere, far]),
        ("elu", lambda x: F.elu(x, 0.5), {"alpha": 0.5}, [anywhere]),
        ("celu", F.celu, {}, [anywhere, far]),
        ("celu", lambda x: F.celu(x, 0.5), {"alpha": 0.5}, [anywhere]),
        ("swish", F.silu, {}, [anywhere, far]),
        ("silu", F.silu, {}, [anywhere, far]),
        ("relu6", F.relu6, {}, [randn(3, 5, scale=5), far]),
        ("hardswish", F.hardswish, {}, [anywhere, far]),
        ("tanh", torch.tanh, {}, [anywhere, far]),
        ("sinh", torch.sinh, {}, [anywhere, f32([-80, -30, -5, -0.001, 0.001, 5, 30, 80])]),
        ("cosh", torch.cosh, {}, [anywhere, f32([-80, -30, -5, -0.001, 0.001, 5, 30, 80])]),
        ("atanh", torch.atanh, {}, [randn(3, 5, scale=0.3), f32([-0.999, -0.001, 0.001, 0.999])]),
        ("asinh", torch.asinh, {}, [anywhere, f32([-1e4, -100, -0.001, 0.001, 100, 1e4])]),
        ("acosh", torch.acosh, {}, [1 + above_zero, f32([1.01, 1.5, 100, 1e4])]),
        ("hardtanh", F.hardtanh, {}, [anywhere, far]),
        ("hardtanh", lambda x: F.hardtanh(x, -0.5, 2.0), {"min_val": -0.5, "max_val": 2.0}, [anywhere]),
        ("gelu", lambda x: F.gelu(x, approximate="tanh"), {}, [anywhere, far]),
        ("quick_gelu", quick_gelu, {}, [anywhere, far]),
        ("leakyrelu", F.leaky_relu, {}, [anywhere, far]),
        ("leakyrelu", lambda x: F.leaky_relu(x, 0.2), {"neg_slope": 0.2}, [anywhere]),
        ("mish", F.mish, {}, [anywhere, far]),
        # PyTorch's softplus switches to the identity above 20 / beta; a higher threshold keeps the formula.
        ("softplus", lambda x: F.softplus(x, threshold=50), {}, [anywhere, far]),
        ("softplus", lambda x: F.softplus(x, beta=2.5, threshold=50), {"beta": 2.5}, [anywhere, far]),
        ("softsign", F.softsign, {}, [anywhere, far]),
    ]
    for op, function, args, points in table:
        for label, x in zip(["", "far out"], points):
            book.case(op, [x], function, args, name=label)
        book.case(op, [points[0][1, 2]], function, args, name="of a number")  # rank 0
        book.case(op, [torch.zeros(2, 0)], function, args, name="of nothing")

    # At the kinks a convention decides; that of PyTorch 2.15 is recorded, each op in a case of its own. clip is not among
    # them, and is not asked about its bounds above: the library states that the gradient passes there, which PyTorch 2.15 does
    # not let it.
    kinks = [
        ("relu", torch.relu, {}, [-1, 0, 1]),
        ("abs", torch.abs, {}, [-1, 0, 1]),
        ("sign", torch.sign, {}, [-1, 0, 1]),
        ("elu", F.elu, {}, [-1, 0, 1]),
        ("celu", F.celu, {}, [-1, 0, 1]),
        ("relu6", F.relu6, {}, [0, 3, 6]),
        ("hardswish", F.hardswish, {}, [-3, 0, 3]),
        ("hardtanh", F.hardtanh, {}, [-1, 0, 1]),
        ("leakyrelu", F.leaky_relu, {}, [-1, 0, 1]),
        ("softsign", F.softsign, {}, [0]),
        ("trunc", torch.trunc, {}, [-1, 0, 1]),
        ("ceil", torch.ceil, {}, [-1, 0, 1]),
        ("floor", torch.floor, {}, [-1, 0, 1]),
        # infinite slopes
        ("sqrt", torch.sqrt, {}, [0, 1]),
        ("log", torch.log, {}, [0, 1]),
        ("log2", torch.log2, {}, [0, 1]),
        ("rsqrt", torch.rsqrt, {}, [0, 1]),
        ("reciprocal", torch.reciprocal, {}, [0, 1]),
        # nothing special, and formulas that go through a quotient of zeros
        *((op, f, {}, [0]) for op, f in [("exp", torch.exp), ("sigmoid", torch.sigmoid), ("sin", torch.sin), ("cos", torch.cos)]),
        *((op, f, {}, [0]) for op, f in [("tan", torch.tan), ("tanh", torch.tanh), ("sinh", torch.sinh), ("cosh", torch.cosh)]),
        *((op, f, {}, [0]) for op, f in [("atanh", torch.atanh), ("asinh", torch.asinh), ("square", torch.square)]),
        *((op, f, {}, [0]) for op, f in [("silu", F.silu), ("mish", F.mish), ("softplus", F.softplus)]),
        ("gelu", lambda x: F.gelu(x, approximate="tanh"), {}, [0]),
        ("quick_gelu", quick_gelu, {}, [0]),
    ]
    for op, function, args, points in kinks:
        book.case(op, [f32(points)], function, args, name="at its kinks")

    # Values only: infinities and NaN, where the limit is what everybody expects.
    limits = [
        ("neg", torch.neg, [INF, -INF, NAN]),
        ("exp", torch.exp, [INF, -INF, NAN, 1000, -1000]),
        ("exp2", torch.exp2, [INF, -INF, NAN, 1000, -1000]),
        ("log", torch.log, [INF, NAN, -1, -INF]),
        ("log2", torch.log2, [INF, NAN, -1, -INF]),
        ("sqrt", torch.sqrt, [INF, NAN, -1, -INF]),
        ("rsqrt", torch.rsqrt, [INF, NAN, -1]),
        ("reciprocal", torch.reciprocal, [INF, -INF, NAN]),
        ("sin", torch.sin, [INF, -INF, NAN, 1e4, -1e5]),
        ("cos", torch.cos, [INF, -INF, NAN, 1e4, -1e5]),
        ("relu", torch.relu, [INF, -INF, NAN]),
        ("abs", torch.abs, [INF, -INF, NAN]),
        ("sign", torch.sign, [INF, -INF]),
        ("square", torch.square, [INF, -INF, NAN, 1e30]),
        ("clip", clip(-1, 1.5), [INF, -INF, NAN]),
        ("sigmoid", torch.sigmoid, [INF, -INF, NAN, 1000, -1000]),
        ("tanh", torch.tanh, [INF, -INF, NAN, 1000, -1000]),
        ("sinh", torch.sinh, [INF, -INF, NAN, 1000, -1000]),
        ("cosh", torch.cosh, [INF, -INF, NAN, 1000, -1000]),
        ("asinh", torch.asinh, [INF, -INF, NAN, 1e30, -1e30]),
        ("acosh", torch.acosh, [INF, NAN, 0.5, 1e30]),
        ("atanh", torch.atanh, [1, -1, NAN, 2]),
        ("trunc", torch.trunc, [INF, -INF, NAN, -0.0]),
        ("ceil", torch.ceil, [INF, -INF, NAN]),
        ("floor", torch.floor, [INF, -INF, NAN]),
        ("elu", F.elu, [INF, -INF, NAN, 1000]),
        ("celu", F.celu, [INF, -INF, NAN, 1000]),
        ("relu6", F.relu6, [INF, -INF]),
        ("hardtanh", F.hardtanh, [INF, -INF]),
        ("leakyrelu", F.leaky_relu, [INF, -INF, NAN]),
        ("softplus", F.softplus, [INF, -INF, NAN, 1000, -1000]),
        ("silu", F.silu, [INF, NAN, 1000, -1000]),
        ("mish", F.mish, [INF, NAN, 1000, -1000]),
        ("gelu", lambda x: F.gelu(x, approximate="tanh"), [INF, NAN, 1000, -1000]),
        ("quick_gelu", quick_gelu, [INF, NAN, 1000, -1000]),
    ]
    for op, function, points in limits:
        args = {"min": -1.0, "max": 1.5} if op == "clip" else {}
        book.case(op, [f32(points)], function, args, grad=False, name="at infinity")

    # Integers stay integers, and wrap.
    whole = torch.tensor([-128, -5, -1, 0, 1, 5, 127])
    for dtype in (torch.int8, torch.int32, torch.int64):
        for op, function in [("neg", torch.neg), ("abs", torch.abs), ("sign", torch.sign), ("square", torch.square), ("relu", torch.relu)]:
            book.case(op, [whole.to(dtype)], function, dtype=True, name=f"of {dtype}")
        book.case("clip", [whole.to(dtype)], clip(-3, 4), {"min": -3, "max": 4}, dtype=True, name=f"of {dtype}")
    small = torch.tensor([0, 1, 5, 200, 255], dtype=torch.uint8)
    for op, function in [("neg", torch.neg), ("square", torch.square), ("sign", torch.sign), ("abs", torch.abs)]:
        book.case(op, [small], function, dtype=True, name="of uint8")
    return book


# ---- Binary ------------------------------------------------------------------------------------

ARITHMETIC = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow}
EXTREMES = {"maximum": torch.maximum, "minimum": torch.minimum}
COMPARISONS = {"lt": torch.lt, "gt": torch.gt, "le": torch.le, "ge": torch.ge, "eq": torch.eq, "ne": torch.ne}


def broadcasting(book):
    """All pairs of ranks 0 to 4, with and without axes of size 1."""
    full = (2, 3, 2, 3)
    for rank_a, rank_b in itertools.product(range(5), range(5)):
        a, b = full[4 - rank_a :], full[4 - rank_b :]
        # Ones in the even axes of a and the odd axes of b, counted from the end, so that both sides are stretched.
        thin_a = tuple(1 if (rank_a - i) % 2 == 0 else n for i, n in enumerate(a))
        thin_b = tuple(1 if (rank_b - i) % 2 == 1 else n for i, n in enumerate(b))
        for pair in dict.fromkeys([(a, b), (thin_a, thin_b)]):
            for op in ("add", "mul"):
                book.case(op, [randn(*pair[0]), randn(*pair[1], tag=1)], ARITHMETIC[op])
    for a, b in [((2, 3), (3,)), ((3, 1), (1, 4)), ((1,), (2, 1, 3)), ((), (2, 2)), ((2, 1, 3), (4, 1)), ((3, 0), (1,)), ((0,), ())]:
        for op in ("sub", "div", "maximum", "minimum"):
            book.case(op, [randn(*a), positive(*b, tag=1)], {**ARITHMETIC, **EXTREMES}[op], name="stretched")
        book.case("pow", [positive(*a), randn(*b, tag=1)], torch.pow, name="stretched")
        for op, function in COMPARISONS.items():
            book.case(op, [randint(-1, 2, *a, dtype=torch.float32), randint(-1, 2, *b, tag=1, dtype=torch.float32)], function, dtype=True)
    for a, b, c in [((2, 3), (2, 3), (2, 3)), ((2, 1), (3,), ()), ((), (2, 3), (3,)), ((3,), (2, 1), (2, 3)), ((4, 1, 2), (3, 1), (1, 2)), ((2,), (), ())]:
        condition = randint(0, 2, *a, dtype=torch.bool)
        book.case("where", [condition, randn(*b, tag=1), randn(*c, tag=2)], torch.where)


def powers(book):
    """pow in each quadrant and at each border, with the gradients to base and to exponent."""
    bases = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]
    exponents = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0]
    for base in bases:  # one case a base, so that a failure names it
        book.case("pow", [f32([base] * len(exponents)), f32(exponents)], torch.pow, name=f"base {base}")
    for exponent in (*exponents, 1 / 3, 10.0):
        book.case("pow", [f32(bases)], lambda x: torch.pow(x, exponent), {"other": exponent}, name="number")
    for base in (0.0, 0.5, 1.0, 2.0, -2.0):
        # Exponents away from 0 and whole numbers: a negative base is then NaN, gradient and all.
        points = f32([-2.5, -0.5, 0.5, 2.5]) if base != 0 else f32([0.5, 1.0, 2.5])
        book.case("pow", [points], lambda x: torch.pow(base, x), {"other": base, "reverse": True}, name="of a number")
    big = f32([INF, INF, -INF, -INF, -INF, 1, NAN, 2, 0.5, 2, 0.5, 1e20, -1e20])
    exponent = f32([2, -2, 3, 2, -3, INF, 0, INF, INF, -INF, -INF, 3, 3])
    book.case("pow", [big, exponent], torch.pow, grad=False, name="at infinity")
    book.case("pow", [randint(-4, 5, 9), randint(0, 5, 9, tag=1)], torch.pow, dtype=True, name="of integers")
    book.case("pow", [randint(-4, 5, 9)], lambda x: x**3, {"other": 3}, dtype=True, name="of integers")


def binary():
    book = Book("binary")
    broadcasting(book)
    powers(book)

    # A number on either side.
    x = positive(2, 3)
    for op, function in ARITHMETIC.items():
        if op != "pow":
            book.case(op, [x], lambda x: function(x, 2.5), {"other": 2.5})
            book.case(op, [x], lambda x: function(torch.tensor(2.5, dtype=x.dtype), x), {"other": 2.5, "reverse": True})
    for op, function in {**EXTREMES, **COMPARISONS}.items():
        book.case(op, [f32([-1, 0.5, 2])], lambda x: function(x, torch.tensor(0.5, dtype=x.dtype)), {"other": 0.5})
    book.case("where", [torch.tensor([True, False])], lambda c: torch.where(c, 1.5, -2.0), {"input": 1.5, "other": -2.0})
    book.case("where", [torch.tensor([True, False]), f32([3, 4])], lambda c, x: torch.where(c, x, -2.0), {"other": -2.0})

    # Ties share the gradient; NaN wins.
    for op, function in EXTREMES.items():
        book.case(op, [f32([1, 2, 3, -1, 0]), f32([1, 3, 2, -1, 0])], function, name="with ties")
        book.case(op, [f32([NAN, 1, NAN, INF, -INF]), f32([1, NAN, NAN, 1, 1])], function, grad=False, name="at infinity")
    for op, function in COMPARISONS.items():
        a, b = f32([NAN, 1, NAN, INF, -INF, 0.0, -0.0]), f32([1, NAN, NAN, INF, 1, -0.0, 1])
        book.case(op, [a, b], function, dtype=True, name="at infinity")
    book.case("div", [f32([1, -1, 0, 1, INF]), f32([0, 0, 0, INF, INF])], torch.div, grad=False, name="by zero")

    # What is not taken leaks nothing, neither forward nor backward.
    taken = torch.tensor([True, False, True, False])
    book.case("where", [taken, f32([1, NAN, 2, INF]), f32([NAN, 3, INF, 4])], torch.where, name="beside NaN")

    # C's division and remainder: cut towards zero, the sign of the dividend.
    a = torch.tensor([7, -7, 7, -7, 6, -6, 0, 1, -1], dtype=torch.int32)
    b = torch.tensor([2, 2, -2, -2, 3, 3, 5, 7, 7], dtype=torch.int32)
    book.case("idiv", [a, b], lambda a, b: torch.div(a, b, rounding_mode="trunc"), dtype=True, name="of integers")
    book.case("idiv", [a], lambda a: torch.div(a, 4, rounding_mode="trunc"), {"other": 4}, dtype=True, name="of integers")
    book.case("div", [a, b], torch.div, dtype=True, name="of integers")  # the true quotient, in float32
    book.case("div", [a], lambda a: a / 4, {"other": 4}, dtype=True, name="of integers")
    book.case("mod", [a, b], torch.fmod, dtype=True, name="of integers")
    book.case("mod", [a], lambda a: torch.fmod(a, 4), {"other": 4}, dtype=True, name="of integers")
    book.case("mod", [f32([5.5, -5.5, 5.5, -5.5, 2, 0.25]), f32([2, 2, -2, -2, 2, 1])], torch.fmod, grad=False)
    book.case("mod", [f32([5.5, -5.5, 1e6])], lambda a: torch.fmod(a, 3), {"other": 3.0}, grad=False)
    for op in ("add", "sub", "mul", "maximum", "minimum"):
        book.case(op, [a, b], {**ARITHMETIC, **EXTREMES}[op], dtype=True, name="of integers")
    for op, function in COMPARISONS.items():
        book.case(op, [a, b], function, dtype=True, name="of integers")

    # The same tensor twice, and a value used three times: gradients add up.
    book.case("square_by_mul", [randn(2, 3)], lambda x: x * x)
    book.case("diamond", [randn(2, 3), randn(2, 3, tag=1)], lambda x, y: (x * y + x) * (x * y).sin() - y)
    book.case("detached_factor", [randn(2, 3)], lambda x: x * x.detach())
    return book
