"""How the thirteen dtypes convert, mix and compute."""

import itertools

import numpy as np
import torch

from record import Book, f32, randint, randn

INF, NAN = float("inf"), float("nan")

BOOL = torch.bool
SIGNED = [torch.int8, torch.int16, torch.int32, torch.int64]
UNSIGNED = [torch.uint8, torch.uint16, torch.uint32, torch.uint64]
HALVES = [torch.float16, torch.bfloat16]
FLOATS = HALVES + [torch.float32, torch.float64]
ALL = [BOOL] + SIGNED + UNSIGNED + FLOATS


def limits(dtype):
    info = torch.iinfo(dtype)
    return info.min, info.max


def samples(source, target):
    """Values of `source` whose conversion to `target` both sides define: all of them, but for a float beyond an integer's range."""
    if source == BOOL:
        return torch.tensor([False, True])
    if source.is_floating_point:
        values = [0.0, 1.0, 2.5, 100.75]
        if target.is_floating_point or target == BOOL:
            values += [-0.0, -2.5, 0.1, 1e-4, 65504.0, 70000.0, 3e38, INF, -INF, NAN]
        elif target in SIGNED:
            values += [-1.0, -2.75, -100.5]
        return torch.tensor(values, dtype=torch.float64).to(source)
    low, high = limits(source)
    values = [0, 1, 5, 100, high, high - 1, low, high // 3, high // 2 + 1, low // 2 + 7]
    return torch.tensor(list(dict.fromkeys(values)), dtype=source)


def casts(book):
    for source, target in itertools.product(ALL, ALL):
        name = f"{source} to {target}".replace("torch.", "")
        x = samples(source, target)
        # Doubles on their way to a half pass through float32, in PyTorch and in the library.
        book.case("cast", [x], lambda x: x.to(source).to(target), {"dtype": str(target)[6:]}, grad=False, dtype=True, name=name, compare=False)
    for target in FLOATS:
        args = {"dtype": str(target)[6:]}
        # A gradient comes back in the dtype of its input.
        book.case("cast", [torch.tensor([0.5, -1.25, 3], dtype=torch.float64)], lambda x: x.to(target), args, dtype=True, name="with gradient", compare=False)
    book.case("half", [f32([1, 0.1, -3])], lambda x: x.half(), grad=False, dtype=True, compare=False)
    book.case("float", [torch.tensor([1, -2, 3])], lambda x: x.float(), dtype=True)

    bits = {
        torch.float32: torch.tensor([1.0, -2.5, 0.0, INF, 1e-40], dtype=torch.float32),
        torch.int32: torch.tensor([0, 1, -1, 0x3F800000, -0x80000000], dtype=torch.int32),
        torch.float16: torch.tensor([1.0, -2.5, INF], dtype=torch.float16),
        torch.int16: torch.tensor([0, -1, 0x3C00], dtype=torch.int16),
        torch.float64: torch.tensor([1.0, -2.5], dtype=torch.float64),
        torch.int8: torch.tensor([0, -1, 127, -128], dtype=torch.int8),
    }
    pairs = [(torch.float32, torch.int32), (torch.float32, torch.uint32), (torch.int32, torch.float32), (torch.int32, torch.uint32), (torch.float16, torch.int16),
             (torch.float16, torch.bfloat16), (torch.int16, torch.float16), (torch.int16, torch.bfloat16), (torch.float64, torch.int64), (torch.int8, torch.uint8)]  # fmt: skip
    for source, target in pairs:
        name = f"{source} to {target}".replace("torch.", "")
        compute = lambda x: x.to(source).view(target)
        book.case("bitcast", [bits[source]], compute, {"dtype": str(target)[6:]}, grad=False, dtype=True, name=name, compare=False)


def lattice(a, b):
    """The library's promotion, where PyTorch's may differ: JAX's, in which uint64 and a signed type meet in float32."""
    order = [BOOL, torch.int8, torch.uint8, torch.int16, torch.uint16, torch.int32, torch.uint32, torch.int64, torch.uint64] + FLOATS
    low, high = sorted((a, b), key=order.index)
    if low == high or low == BOOL or (high in FLOATS and low not in FLOATS):
        return high
    if high in FLOATS:
        return torch.float32 if {low, high} == set(HALVES) else high
    if (low in UNSIGNED) == (high in UNSIGNED):
        return high
    unsigned, signed = (low, high) if low in UNSIGNED else (high, low)
    at_least = {torch.uint8: torch.int16, torch.uint16: torch.int32, torch.uint32: torch.int64}
    return max(signed, at_least[unsigned], key=order.index) if unsigned in at_least else torch.float32


def with_numpy(operation):
    """The same operation in NumPy, for the wider unsigned types, whose arithmetic PyTorch lacks."""
    return lambda *inputs: torch.from_numpy(np.asarray(operation(*(x.numpy() for x in inputs))))


def mixed(book):
    """Each pair of dtypes on whose common dtype the library agrees with PyTorch or, for the wider unsigned types, with NumPy."""
    skipped = []
    for a, b in itertools.product(ALL, ALL):
        x = torch.tensor([0, 1, 1] if a == BOOL else [0, 3, 100]).to(a)
        y = torch.tensor([1, 0, 1] if b == BOOL else [5, 3, 7]).to(b)
        functions = {"add": torch.add, "lt": torch.lt, "maximum": torch.maximum}
        if not {a, b}.isdisjoint(UNSIGNED[1:]) and {a, b}.isdisjoint(FLOATS):
            functions = {"add": with_numpy(np.add), "lt": with_numpy(np.less), "maximum": with_numpy(np.maximum)}
        if functions["add"](x, y).dtype != lattice(a, b):
            skipped.append(f"{a} with {b}".replace("torch.", ""))
            continue
        name = f"{a} with {b}".replace("torch.", "")
        for op, function in functions.items():
            book.case(op, [x, y], lambda x, y: function(x.to(a), y.to(b)), grad=False, dtype=True, name=name, compare=False)
        common = lambda c, x, y: torch.where(c, x.to(lattice(a, b)), y.to(lattice(a, b)))
        if a != b:
            book.case("where", [torch.tensor([True, False, True]), x, y], common, grad=False, dtype=True, name=name, compare=False)
    print("no case, for PyTorch and NumPy promote otherwise:", ", ".join(skipped))
    # Gradients come back in each input's own dtype.
    for a, b in itertools.permutations(FLOATS, 2):
        x, y = torch.tensor([0.5, -1.25, 3]).to(a), torch.tensor([2, 0.75, -1]).to(b)
        name = f"{a} with {b}".replace("torch.", "")
        book.case("mul", [x, y], lambda x, y: x * y, dtype=True, name=name, compare=False, grad=torch.float32 not in (a, b))


def computing(book):
    """Arithmetic in each dtype: integers wrap, halves round after each op."""
    for dtype in SIGNED + UNSIGNED:
        low, high = limits(dtype)
        x = torch.tensor([high, low, high // 2 + 1, 7, 100], dtype=dtype)
        y = torch.tensor([1, high, 3, 5, 100], dtype=dtype)
        functions = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum, "lt": np.less, "eq": np.equal}
        for op, function in functions.items():
            compute = with_numpy(function) if dtype in UNSIGNED[1:] else {"sub": torch.sub, "mul": torch.mul}.get(op) or getattr(torch, op)
            book.case(op, [x, y], compute, dtype=True, name=f"in {dtype}")
    x = torch.tensor([0.1, -2.5, 3.3, 1000, 60000, 1e-3])
    y = torch.tensor([0.2, 0.3, -7.7, 33.3, 60000, 3e-3])
    for dtype in HALVES + [torch.float64]:
        a, b = x.to(dtype), y.to(dtype)
        for op, function in [("add", torch.add), ("sub", torch.sub), ("mul", torch.mul), ("div", torch.div), ("maximum", torch.maximum)]:
            book.case(op, [a, b], function, dtype=True, name=f"in {dtype}")
        small = randn(2, 5).to(dtype)
        for op, function in [("exp", torch.exp), ("sin", torch.sin), ("relu", torch.relu), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh), ("neg", torch.neg)]:
            book.case(op, [small], function, dtype=True, name=f"in {dtype}")
        for op, function in [("log", torch.log), ("sqrt", torch.sqrt), ("log2", torch.log2)]:
            book.case(op, [small.abs() + 0.5], function, dtype=True, name=f"in {dtype}")
        book.case("exp2", [small], torch.exp2, dtype=True, name=f"in {dtype}")
        # A weak number leaves the dtype alone.
        book.case("mul", [small], lambda x: x * 2.5, {"other": 2.5}, dtype=True, name=f"in {dtype}")
        book.case("max", [small], lambda x: x.amax(1), {"axis": 1}, dtype=True, name=f"in {dtype}")
        if dtype == torch.float64:
            book.case("sum", [small], lambda x: x.sum(1), {"axis": 1}, dtype=True, name=f"in {dtype}")
            book.case("softmax", [small], lambda x: x.softmax(-1), {"axis": -1}, dtype=True, name=f"in {dtype}")
    # Sums of products in the half types: small whole numbers, so that the result does not depend on where it is rounded.
    for dtype in HALVES:
        a, b = randint(-3, 4, 3, 5).to(dtype), randint(-3, 4, 5, 2).to(dtype)
        book.case("matmul", [a, b], torch.matmul, name=f"in {dtype}")
        picture, weight = randint(-3, 4, 1, 2, 4, 4).to(dtype), randint(-3, 4, 2, 2, 3, 3).to(dtype)
        book.case("conv2d", [picture, weight], torch.nn.functional.conv2d, name=f"in {dtype}")
        book.case("sum", [a], lambda x: x.sum(1), {"axis": 1}, name=f"in {dtype}")
        book.case("softmax", [randn(2, 5).to(dtype)], lambda x: x.softmax(-1), {"axis": -1}, name=f"in {dtype}")
    for dtype in (torch.uint8, torch.int8, torch.int32, torch.int64):
        x = torch.tensor([0, 5, 100], dtype=dtype)
        book.case("add", [x], lambda x: x + 1, {"other": 1}, dtype=True, name=f"in {dtype}")
        book.case("mul", [x], lambda x: x * 2.5, {"other": 2.5}, dtype=True, name=f"in {dtype}")  # a fraction makes float32
    truth = torch.tensor([[False, True], [True, True]])
    other = torch.tensor([[False, False], [True, False]])
    for op, function in [("add", torch.add), ("mul", torch.mul), ("maximum", torch.maximum), ("eq", torch.eq), ("lt", torch.lt)]:
        book.case(op, [truth, other], function, dtype=True, name="in bool")
    big = torch.tensor([2**62 + 1, -(2**62) - 3])
    book.case("add", [big, torch.tensor([5, -5])], torch.add, dtype=True, name="beyond 2^53")
    book.case("lt", [big, big + 1], torch.lt, dtype=True, name="beyond 2^53")


def dtypes():
    book = Book("dtypes")
    casts(book)
    mixed(book)
    computing(book)
    return book
