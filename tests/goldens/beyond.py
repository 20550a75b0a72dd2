"""What goes beyond the original's list: the names that tinygrad and PyTorch have."""

import itertools

import torch
import torch.nn.functional as F

from record import Book, f32, positive, randint, randn

INF, NAN = float("inf"), float("nan")


def beyond():
    book = Book("beyond")
    x = randn(3, 4)

    # ---- Element by element ----------------------------------------------------------------------------------------
    for op in ("expm1", "erf", "atan"):
        book.case(op, [x * 2], getattr(torch, op))
    book.case("log1p", [positive(3, 4)], torch.log1p)
    book.case("log10", [positive(3, 4)], torch.log10)
    book.case("log1p", [f32([1e-8, -1e-8, 1e-4, 0, -0.5])], torch.log1p, name="near 0")
    book.case("expm1", [f32([1e-8, -1e-8, 1e-4, 0, -30, 5])], torch.expm1, name="near 0")
    book.case("erf", [f32([0, 0.001, -0.4, 0.6, 3, -6, 30, INF, NAN])], torch.erf, grad=False, name="all over")
    book.case("atan", [f32([0, 1, -1, 100, -1e6, INF, -INF, NAN])], torch.atan, grad=False, name="all over")
    book.case("asin", [x.clamp(-0.95, 0.95)], torch.asin)
    book.case("acos", [x.clamp(-0.95, 0.95)], torch.acos)
    book.case("asin", [f32([-1, 1, 0, 1.5])], torch.asin, grad=False, name="at the ends")
    book.case("selu", [x], F.selu)
    book.case("hardsigmoid", [x * 3], F.hardsigmoid)
    book.case("logsigmoid", [x * 5], F.logsigmoid)
    for op in ("isnan", "isinf", "isfinite"):
        book.case(op, [f32([1, NAN, INF, -INF])], getattr(torch, op), dtype=True)
    book.case("logaddexp", [x, randn(3, 4, tag=1)], torch.logaddexp)
    book.case("logaddexp", [f32([1000, -1000, 0]), f32([1000, -1000, 500])], torch.logaddexp, name="far out")
    book.case("lerp", [x, randn(3, 4, tag=1)], lambda a, b: torch.lerp(a, b, 0.3), {"weight": 0.3})
    for dtype in (torch.int32, torch.float32):
        a = randint(-20, 20, 24, dtype=dtype)
        b = randint(1, 6, 24, dtype=dtype) * (randint(0, 2, 24, tag=1, dtype=dtype) * 2 - 1)
        book.case("floor_div", [a, b], torch.floor_divide, grad=False, name=str(dtype))
        book.case("remainder", [a, b], torch.remainder, grad=False, name=str(dtype))

    # ---- Many to one -----------------------------------------------------------------------------------------------
    cube = randn(2, 3, 5)
    for axis in (0, 1, 2, -1):
        book.case("prod", [cube], lambda x: x.prod(axis), {"axis": axis})
        book.case("cumprod", [cube], lambda x: x.cumprod(axis), {"dim": axis})
        book.case("cummax", [cube], lambda x: x.cummax(axis).values, {"dim": axis})
    book.case("prod", [randn(7)], torch.prod, {"axis": None})
    book.case("prod", [f32([2, 0, 3])], torch.prod, {"axis": None}, name="with a 0")
    book.case("prod", [f32([0, 0, 3])], torch.prod, {"axis": None}, name="with two")
    book.case("prod", [torch.zeros(0)], torch.prod, {"axis": None}, grad=False, name="of nothing")
    bits = randint(0, 2, 4, 3)
    for axis in (0, 1):
        book.case("any", [bits], lambda x: x.bool().any(axis), {"axis": axis}, dtype=True)
        book.case("all", [bits], lambda x: x.bool().all(axis), {"axis": axis}, dtype=True)

    # ---- Elsewhere -------------------------------------------------------------------------------------------------
    book.case("roll", [cube], lambda x: x.roll((1, -2), (1, 2)), {"shifts": [1, -2], "dims": [1, 2]})
    book.case("repeat_interleave", [cube], lambda x: x.repeat_interleave(2, 1), {"repeats": 2, "dim": 1})
    for dim, size, step in [(2, 3, 1), (2, 2, 3), (1, 2, 1), (0, 2, 1)]:
        book.case("unfold", [cube], lambda x: x.unfold(dim, size, step), {"dim": dim, "size": size, "step": step})
    book.case("diagonal", [cube], lambda x: x.diagonal(dim1=0, dim2=1))
    book.case("movedim", [cube], lambda x: x.movedim(0, 2), {"source": 0, "destination": 2})
    for index in (0, 1, 2):
        book.case("split", [cube], lambda x: x.split(2, 2)[index], {"sizes": [2], "dim": 2, "index": index})
        book.case("split", [cube], lambda x: x.split((1, 3, 1), 2)[index], {"sizes": [1, 3, 1], "dim": 2, "index": index})
    book.case("masked_fill", [x, randn(3, 4, tag=1)], lambda x, m: x.masked_fill(m > 0, 2.5), {"value": 2.5}, grad=[True, False])
    for mode in ("reflect", "replicate", "circular"):
        widths = [[0, 0], [0, 0], [2, 1]]
        book.case("pad_with", [cube], lambda x: F.pad(x, (2, 1), mode), {"widths": widths, "mode": mode})
    book.case("pad_with", [cube], lambda x: F.pad(x, (-1, 2, 3, -1), value=1.5), {"widths": [[0, 0], [3, -1], [-1, 2]], "mode": "constant", "value": 1.5})

    # ---- At places that are data -----------------------------------------------------------------------------------
    table, source = randn(4, 5), randn(3, 4, tag=2)
    places = torch.tensor([[3, 0, 2, 1], [1, 2, 0, 3], [0, 1, 3, 2]])  # no two of a row or column alike
    book.case("scatter", [table, places, source], lambda x, i, s: x.scatter(0, i, s), {"dim": 0})
    book.case("scatter", [table, places, source], lambda x, i, s: x.scatter(1, i, s), {"dim": 1})
    crowded = torch.tensor([[0, 0, 1, 1], [2, 2, 2, 2], [0, 3, 0, 3]])
    for dim in (0, 1):
        book.case("scatter_add", [table, crowded, source], lambda x, i, s: x.scatter_add(dim, i, s), {"dim": dim})
    book.case("one_hot", [randint(0, 4, 2, 3, dtype=torch.int64)], lambda x: F.one_hot(x, 5), {"classes": 5})

    # ---- Order -----------------------------------------------------------------------------------------------------
    ties = randint(-3, 4, 3, 8, dtype=torch.float32)
    for dim, descending in itertools.product((0, 1), (False, True)):
        args = {"dim": dim, "descending": descending}
        book.case("sort", [randn(3, 8)], lambda x: x.sort(dim, descending=descending).values, args)
        book.case("argsort", [ties], lambda x: torch.argsort(x, dim=dim, descending=descending, stable=True), args, name="with ties")
    book.case("sort", [f32([3, NAN, -INF, INF, 0])], lambda x: x.sort().values, grad=False, name="with NaN")
    book.case("sort", [randint(0, 255, 9, dtype=torch.uint8)], lambda x: x.sort().values, dtype=True)
    for largest in (True, False):
        book.case("topk", [randn(3, 8)], lambda x: x.topk(3, 1, largest).values, {"k": 3, "dim": 1, "largest": largest})

    # ---- Sums of products ------------------------------------------------------------------------------------------
    a, b, c = randn(2, 3), randn(3, 4), randn(4, 2)
    batch = [randn(2, 3, 4), randn(2, 4, 5)]
    for formula, inputs in [
        ("ij,jk->ik", [a, b]), ("ij,jk", [a, b]), ("ij,jk,kl->il", [a, b, c]), ("ij->ji", [a]), ("ij->", [a]), ("ij->j", [a]),
        ("ii->i", [randn(3, 3)]), ("ii", [randn(3, 3)]), ("bij,bjk->bik", batch), ("...ij,...jk->...ik", batch),
        ("...ij,jk->...ik", [batch[0], randn(4, 2, tag=1)]), ("i,j->ij", [randn(3), randn(4)]), ("i,i->", [randn(3), randn(3, tag=1)]),
        ("ij,ij->ij", [a, randn(2, 3, tag=1)]), ("iji->ij", [randn(2, 3, 2)]), ("ba,cb", [a, randn(4, 2, tag=3)]),
    ]:
        book.case("einsum", inputs, lambda *x: torch.einsum(formula, *x), {"formula": formula})

    # ---- Pictures --------------------------------------------------------------------------------------------------
    picture = randn(1, 2, 5, 6)
    for size in ([7, 9], [3, 4], [10, 12], [5, 1]):
        for mode, corners in (("nearest", False), ("nearest-exact", False), ("bilinear", False), ("bilinear", True)):
            options = {"align_corners": corners} if mode == "bilinear" else {}
            args = {"size": size, "mode": mode, "align_corners": corners}
            book.case("interpolate", [picture], lambda x: F.interpolate(x, tuple(size), mode=mode, **options), args)
    for kernel, stride, padding, ceil in itertools.product((2, 3), (1, 2, 3), (0, 1), (False, True)):
        args = {"kernel_size": [kernel, kernel], "stride": stride, "padding": padding, "ceil_mode": ceil}
        book.case("max_pool2d", [picture], lambda x: F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil), args)
        for include in (True, False):
            more = {**args, "count_include_pad": include}
            book.case("avg_pool2d", [picture], lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil, include), more)

    # ---- Losses ----------------------------------------------------------------------------------------------------
    logits, labels = randn(4, 3), torch.tensor([2, 0, 1, 1])
    log_p, weight = logits.log_softmax(1), positive(3)
    for reduction in ("mean", "sum", "none"):
        args = {"reduction": reduction}
        book.case("nll_loss", [log_p, labels], lambda x, y: F.nll_loss(x, y, reduction=reduction), args)
        book.case("nll_loss", [log_p, labels, weight], lambda x, y, w: F.nll_loss(x, y, w, ignore_index=1, reduction=reduction),
                  {**args, "ignore_index": 1}, grad=[True, False, False])
        for smoothing in (0.0, 0.1):
            more = {**args, "label_smoothing": smoothing}
            book.case("cross_entropy", [logits, labels], lambda x, y: F.cross_entropy(x, y, reduction=reduction, label_smoothing=smoothing), more)
            book.case("cross_entropy", [randn(2, 3, 4), randint(0, 3, 2, 4, dtype=torch.int64)],
                      lambda x, y: F.cross_entropy(x, y, reduction=reduction, label_smoothing=smoothing), more)
    shares = randn(4, 3, tag=5).softmax(1)
    book.case("cross_entropy", [logits, shares], lambda x, y: F.cross_entropy(x, y), grad=[True, False])

    # ---- Bits ------------------------------------------------------------------------------------------------------
    for dtype in (torch.int8, torch.uint8, torch.int32, torch.int64):
        a, b = randint(0, 100, 12, dtype=dtype), randint(0, 6, 12, tag=1, dtype=dtype)
        signed = a if dtype == torch.uint8 else a - 50
        for op in ("bitwise_and", "bitwise_or", "bitwise_xor"):
            book.case(op, [signed, b], getattr(torch, op), dtype=True, name=str(dtype))
        book.case("bitwise_not", [signed], torch.bitwise_not, dtype=True, name=str(dtype))
        book.case("lshift", [signed, b], torch.bitwise_left_shift, dtype=True, name=str(dtype))
        book.case("rshift", [signed, b], torch.bitwise_right_shift, dtype=True, name=str(dtype))
    truths = [torch.tensor([True, True, False, False]), torch.tensor([True, False, True, False])]
    for op in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        book.case(op, truths, getattr(torch, op), dtype=True, name="of truth values")

    # ---- Joined, unpooled, running ---------------------------------------------------------------------------------
    for (reduce, dim), include_self in itertools.product(itertools.product(("sum", "prod", "mean", "amax", "amin"), (0, 1)), (True, False)):
        args = {"reduce": reduce, "dim": dim, "include_self": include_self}
        # PyTorch has no gradient of a product without self.
        book.case("scatter_reduce", [table, crowded, source], lambda x, i, s: x.scatter_reduce(dim, i, s, reduce, include_self=include_self), args,
                  grad=include_self or reduce != "prod")
    ties = randint(0, 3, 1, 2, 6, 7, dtype=torch.float32)
    for kernel, stride, padding, ceil in itertools.product((2, 3), (1, 2), (0, 1), (False, True)):
        args = {"kernel_size": [kernel, kernel], "stride": stride, "padding": padding, "ceil_mode": ceil}
        book.case("pool_positions", [ties], lambda x: F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil, return_indices=True)[1], args)
    # Without an order of its own in PyTorch, and none is needed: all places are different.
    torch.use_deterministic_algorithms(False)
    places = torch.tensor([[[[0, 9], [20, 23]]]])
    book.case("max_unpool2d", [randn(1, 1, 2, 2), places], lambda x, i: F.max_unpool2d(x, i, 2, output_size=(5, 5)),
              {"kernel_size": [2, 2], "output": [5, 5]})
    book.case("max_unpool2d", [randn(1, 1, 2, 2), torch.tensor([[[[0, 8], [20, 24]]]])], lambda x, i: F.max_unpool2d(x, i, 3, 2), {"kernel_size": [3, 3], "stride": 2},
              name="by its windows")
    torch.use_deterministic_algorithms(True)
    for axis in (0, 1, -1):
        book.case("cummin", [cube], lambda x: x.cummin(axis).values, {"dim": axis})
        book.case("logcumsumexp", [cube], lambda x: torch.logcumsumexp(x, axis), {"dim": axis})

    # ---- Other arguments -------------------------------------------------------------------------------------------
    book.case("gelu_erf", [x * 2], F.gelu)
    book.case("copysign", [x, randn(3, 4, tag=1)], torch.copysign, grad=[True, False])
    book.case("copysign", [f32([1, 2, -3]), f32([-0.0, 0.0, -0.0])], torch.copysign, grad=False, name="of zeros")
    for p, axis in itertools.product((1.0, 2.0, 3.0), (0, 1)):
        book.case("normalize", [x], lambda x: F.normalize(x, p, axis), {"p": p, "dim": axis})
    for offset in (-1, 1, 2):
        book.case("diagonal_at", [cube], lambda x: x.diagonal(offset, 1, 2), {"offset": offset})
    for reduction in ("mean", "sum", "none"):
        args = {"reduction": reduction}
        y = randn(4, 3, tag=6).sigmoid()
        book.case("binary_crossentropy_with", [randn(4, 3, tag=7).sigmoid(), y], lambda x, y: F.binary_cross_entropy(x, y, reduction=reduction), args, grad=[True, False])
        book.case("binary_crossentropy_logits_with", [logits, y, positive(3, tag=8)],
                  lambda x, y, w: F.binary_cross_entropy_with_logits(x, y, reduction=reduction, pos_weight=w), args, grad=[True, False, False])
    heads = [randn(4, 3, 2), randn(2, 3, 2, tag=1), randn(2, 3, 2, tag=2)]
    book.case("grouped_attention", heads, lambda q, k, v: F.scaled_dot_product_attention(q[None], k[None], v[None], enable_gqa=True)[0])
    return book
