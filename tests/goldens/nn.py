"""What networks are made of: convolution, pooling, matmul, the functional layers, optimizers, and whole small models."""

import numpy as np
import torch
import torch.nn.functional as F

from record import Book, f32, positive, randint, randn

INF = float("inf")
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


# ---- Convolution -------------------------------------------------------------------------------


def whole(*shape, tag=0):
    """Small integers as float32: their sums of products are exact, so that a single wrong term shows, and short to write."""
    return randint(-5, 6, *shape, tag=tag, dtype=torch.float32)


def conv(x, weight, bias=None, padding=0, **rest):
    """Any number of spatial axes; padding as one number, one an axis, or a (before, after) an axis."""
    if isinstance(padding, list) and isinstance(padding[0], list):
        x = F.pad(x, [n for pair in reversed(padding) for n in pair])
        padding = 0
    return CONV[x.ndim - 2](x, weight, bias, padding=padding, **rest)


def convolutions(book):
    # input, weight [out, in / groups, kernel…], with a bias?, arguments
    two = (2, 4, 6, 7)
    table = [
        ((1, 1, 3, 3), (1, 1, 3, 3), False, {}),
        ((1, 1, 1, 1), (1, 1, 1, 1), True, {}),
        (two, (3, 4, 1, 1), True, {}),
        (two, (3, 4, 3, 3), False, {}),
        (two, (3, 4, 3, 3), True, {"padding": 1}),
        (two, (3, 4, 2, 3), True, {}),
        (two, (3, 4, 3, 3), False, {"stride": 2}),
        (two, (3, 4, 3, 3), False, {"stride": 3}),
        (two, (3, 4, 2, 2), False, {"stride": 3}),  # a stride that skips pixels
        (two, (3, 4, 3, 2), False, {"stride": [2, 1]}),
        (two, (3, 4, 3, 3), False, {"dilation": 2}),
        (two, (3, 4, 2, 3), False, {"dilation": [3, 1]}),
        (two, (3, 4, 3, 3), False, {"padding": 2}),
        (two, (3, 4, 3, 3), False, {"padding": [0, 2]}),
        (two, (3, 4, 3, 3), False, {"padding": [[1, 0], [0, 2]]}),
        (two, (3, 4, 3, 3), False, {"padding": [[0, 1], [3, 0]], "stride": 2}),
        (two, (3, 4, 3, 3), True, {"stride": 2, "padding": 1, "dilation": 2}),
        (two, (3, 4, 3, 2), True, {"stride": [1, 3], "padding": [2, 1], "dilation": [2, 1]}),
        (two, (4, 2, 3, 3), False, {"groups": 2}),
        (two, (6, 2, 3, 3), True, {"groups": 2, "stride": 2, "padding": 1}),
        (two, (4, 1, 3, 3), True, {"groups": 4}),
        (two, (8, 1, 3, 2), True, {"groups": 4, "padding": 1}),
        (two, (8, 1, 2, 2), False, {"groups": 4, "stride": 2, "dilation": 2, "padding": [[1, 2], [0, 1]]}),
        (two, (2, 4, 6, 7), True, {}),  # one output pixel
        (two, (2, 4, 8, 9), False, {"padding": 1}),  # a kernel larger than the picture
        ((2, 3, 9), (4, 3, 3), True, {}),
        ((2, 3, 9), (4, 3, 4), True, {"stride": 2, "padding": 1}),
        ((2, 3, 9), (4, 3, 3), False, {"dilation": 3}),
        ((2, 4, 9), (6, 2, 2), True, {"groups": 2, "padding": [[2, 0]], "stride": 3}),
        ((1, 3, 11), (3, 1, 5), False, {"groups": 3, "padding": 2}),
        ((1, 2, 4, 4, 3), (3, 2, 2, 2, 2), True, {}),
        ((1, 2, 4, 4, 3), (3, 2, 2, 3, 1), False, {"stride": [1, 2, 2], "padding": [1, 0, 1]}),
        ((2, 2, 4, 3, 3), (2, 1, 2, 2, 2), True, {"groups": 2, "padding": 1, "dilation": [2, 1, 2]}),
        ((1, 2, 4, 3, 3), (2, 2, 2, 2, 3), False, {"padding": [[1, 0], [0, 1], [2, 0]], "stride": 2}),
        ((0, 2, 4, 4), (3, 2, 3, 3), True, {}),  # an empty batch
    ]
    for x, weight, bias, args in table:
        inputs = [whole(*x), whole(*weight, tag=1)] + ([whole(weight[0], tag=2)] if bias else [])
        book.case("conv2d", inputs, lambda *t: conv(*t, **args), args)
    # Larger than one tile in each direction, and ragged.
    book.case("conv2d", [whole(2, 7, 9, 10), whole(17, 7, 3, 3)], lambda x, w: conv(x, w, padding=1), {"padding": 1})
    book.case("conv2d", [randn(2, 3, 5, 5), randn(4, 3, 3, 3, tag=1), randn(4, tag=2)], conv, name="of fractions")
    views = [randn(4, 2, 7, 6), randn(3, 4, 3, 3, tag=1)]
    book.case("views_conv2d", views, lambda x, w: conv(x.permute(1, 0, 3, 2).flip(2), w.flip(3).transpose(2, 3), padding=1))


def transposed_convolutions(book):
    # input, weight [in, out / groups, kernel…], with a bias?, arguments
    two = (2, 4, 3, 4)
    table = [
        ((1, 1, 2, 2), (1, 1, 3, 3), False, {}),
        (two, (4, 3, 3, 3), True, {}),
        (two, (4, 3, 2, 3), False, {}),
        (two, (4, 3, 3, 3), True, {"stride": 2}),
        (two, (4, 3, 2, 2), False, {"stride": 3}),
        (two, (4, 3, 3, 2), False, {"stride": [1, 2]}),
        (two, (4, 3, 3, 3), False, {"padding": 1}),
        (two, (4, 3, 3, 3), False, {"padding": [0, 2]}),
        (two, (4, 3, 3, 3), True, {"dilation": 2}),
        (two, (4, 3, 3, 3), False, {"stride": 2, "output_padding": 1}),
        (two, (4, 3, 3, 3), True, {"stride": 2, "padding": 1, "output_padding": 1}),
        (two, (4, 3, 3, 2), False, {"stride": [3, 2], "padding": [1, 0], "output_padding": [2, 1], "dilation": [1, 2]}),
        (two, (4, 2, 3, 3), True, {"groups": 2}),
        (two, (4, 1, 3, 3), True, {"groups": 4, "stride": 2, "padding": 1, "dilation": 2}),
        (two, (4, 3, 1, 1), False, {"stride": 2}),
        ((2, 3, 5), (3, 2, 3), True, {"stride": 2, "padding": 1}),
        ((2, 4, 5), (4, 1, 4), False, {"groups": 2, "stride": 3, "output_padding": 1}),
        ((1, 2, 2, 3, 2), (2, 3, 2, 2, 2), True, {}),
        ((1, 2, 2, 3, 2), (2, 1, 2, 2, 3), False, {"groups": 2, "stride": [2, 1, 2], "padding": [1, 0, 1], "output_padding": [1, 0, 0]}),
    ]
    for x, weight, bias, args in table:
        channels = weight[1] * args.get("groups", 1)
        inputs = [whole(*x), whole(*weight, tag=1)] + ([whole(channels, tag=2)] if bias else [])
        book.case("conv_transpose2d", inputs, lambda *t: CONV_TRANSPOSE[t[0].ndim - 2](*t, **args), args)


# ---- Pooling -----------------------------------------------------------------------------------


def boxes(x, kernel, stride, dilation):
    """The windows of the last len(kernel) axes, [..., outputs…, kernel…]: for what PyTorch's pools don't do."""
    first = x.ndim - len(kernel)
    for i, (k, s, d) in enumerate(zip(kernel, stride, dilation)):
        x = x.unfold(first + i, d * (k - 1) + 1, s)[..., ::d]
    return x


def pools(book):
    # input, kernel_size, stride, dilation
    two = (2, 2, 6, 7)
    table = [
        (two, None, None, None),  # the defaults: 2×2 by steps of 2
        (two, 3, None, None),
        (two, [2, 3], None, None),
        (two, 3, 1, None),  # overlapping
        (two, 3, 2, None),
        (two, [3, 2], [2, 1], None),
        (two, 2, 3, None),  # pixels that no window sees
        (two, 2, 1, 2),
        (two, [2, 3], [1, 2], [3, 2]),
        (two, 1, 2, None),
        (two, [6, 7], None, None),
        ((6, 7), 2, None, None),
        ((3, 5, 4), [2, 2], 1, None),
        ((2, 2, 9), [3], 2, None),
        ((1, 2, 4, 4, 5), [2, 2, 2], [1, 2, 2], None),
    ]
    for shape, kernel, stride, dilation in table:
        args = {key: v for key, v in [("kernel_size", kernel), ("stride", stride), ("dilation", dilation)] if v is not None}
        k = [2, 2] if kernel is None else [kernel] * 2 if isinstance(kernel, int) else kernel
        s = k if stride is None else [stride] * len(k) if isinstance(stride, int) else stride
        d = [1] * len(k) if dilation is None else [dilation] * len(k) if isinstance(dilation, int) else dilation
        inner = tuple(range(-len(k), 0))
        x = randn(*shape)
        book.case("avg_pool2d", [x], lambda x: boxes(x, k, s, d).mean(inner), args)
        # amax, not F.max_pool2d, so that ties share the gradient as they do in max; without ties both agree.
        book.case("max_pool2d", [x], lambda x: boxes(x, k, s, d).amax(inner), args)
        if len(shape) == 4 and len(k) == 2:
            assert torch.equal(boxes(x, k, s, d).amax(inner), F.max_pool2d(x, k, s, dilation=d))
            if d == [1, 1]:
                assert torch.allclose(boxes(x, k, s, d).mean(inner), F.avg_pool2d(x, k, s))
    ties = randint(0, 2, 1, 2, 5, 5, dtype=torch.float32)
    for args, k, s, d in [({}, [2, 2], [2, 2], [1, 1]), ({"kernel_size": 3, "stride": 1}, [3, 3], [1, 1], [1, 1]), ({"kernel_size": 2, "stride": 1, "dilation": 2}, [2, 2], [1, 1], [2, 2])]:
        book.case("max_pool2d", [ties], lambda x: boxes(x, k, s, d).amax((-2, -1)), args, name="with ties")
    book.case("max_pool2d", [-positive(1, 1, 4, 4)], lambda x: F.max_pool2d(x, 2), {}, name="of negatives")


def processing():
    book = Book("processing")
    convolutions(book)
    transposed_convolutions(book)
    pools(book)

    for a, b in [
        ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((1, 3), (3, 1)), ((1, 1), (1, 1)), ((2, 1), (1, 3)),
        ((2, 2, 3), (2, 3, 4)), ((2, 2, 3), (3, 4)), ((2, 3), (2, 3, 4)), ((2, 2, 3), (1, 3, 4)), ((1, 2, 3), (2, 3, 4)), ((2, 2, 3), (3,)), ((3,), (2, 3, 2)),
        ((2, 1, 2, 3), (1, 3, 3, 2)), ((2, 3, 2, 3), (2, 3, 3, 2)), ((3, 2, 3), (2, 1, 3, 2)), ((2, 0), (0, 3)), ((0, 2), (2, 3)), ((2, 0, 3), (2, 3, 2)),
    ]:  # fmt: skip
        for op in ("matmul", "dot"):
            book.case(op, [randn(*a), randn(*b, tag=1)], torch.matmul)
    book.case("matmul", [randn(2, 3), randn(4, 2, tag=1)], lambda x, y: y @ x, {"reverse": True})
    book.case("matmul", [whole(17, 67), whole(67, 19, tag=1)], torch.matmul, name="ragged")
    book.case("matmul", [whole(1, 300), whole(300, 3, tag=1)], torch.matmul, name="long")
    book.case("matmul", [randint(-9, 10, 3, 4), randint(-9, 10, 4, 2, tag=1)], torch.matmul, dtype=True, name="of int32")
    book.case("matmul", [randn(3, 4, dtype=torch.float64), randn(4, 2, tag=1, dtype=torch.float64)], torch.matmul, dtype=True, name="of float64")
    return book


# ---- Functional layers -------------------------------------------------------------------------


def layernorm(x, axis, eps=1e-5):
    """Mean 0 and variance 1 over any axes; F.layer_norm only knows the last ones."""
    x = x - x.mean(axis, keepdim=True)
    return x / torch.sqrt(x.square().mean(axis, keepdim=True) + eps)


def batchnorm(x, weight, bias, mean, invstd):
    """Over axis 1. Written out, because F.batch_norm gives no gradient to mean and variance."""
    across = lambda t: t.reshape(1, -1, *[1] * (x.ndim - 2))
    y = (x - across(mean)) * across(weight) * across(invstd) + across(bias)
    with torch.no_grad():
        assert torch.allclose(y, F.batch_norm(x, mean, invstd**-2, weight, bias, eps=0), rtol=1e-3, atol=1e-4)
    return y


def attention(query, key, value, mask=None, causal=False):
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)


def functional():
    book = Book("functional")
    for x, w, bias in [((2, 3), (3, 4), True), ((2, 3), (3, 4), False), ((2, 2, 3), (3, 4), True), ((3,), (3, 2), True), ((2, 3), (3,), True)]:
        inputs = [randn(*x), randn(*w, tag=1)] + ([randn(w[-1], tag=2)] if bias else [])
        compute = lambda x, w, b=0: (x * w if w.ndim == 1 else x @ w) + b  # a weight of rank 1 scales, as in the original
        book.case("linear", inputs, compute)
    x = randn(2, 3, 4)
    for axis in (-1, 0, 1, [1, 2], [-1, -2], [0, 1, 2], [0, 2]):
        book.case("layernorm", [x], lambda x: layernorm(x, axis), {"axis": axis})
    assert torch.allclose(layernorm(x, (1, 2)), F.layer_norm(x, (3, 4)), atol=1e-6)
    book.case("layernorm", [x], lambda x: F.layer_norm(x, (4,), eps=0.1), {"axis": -1, "eps": 0.1})
    book.case("layernorm", [torch.full((2, 4), 3.0)], lambda x: F.layer_norm(x, (4,)), {"axis": -1}, name="of a constant")
    for shape in ((2, 3, 2, 2), (4, 3), (2, 3, 5)):
        inputs = [randn(*shape), randn(3, tag=1), randn(3, tag=2), randn(3, tag=3), positive(3, tag=4)]
        book.case("batchnorm", inputs, batchnorm)

    q, k, v = randn(2, 3, 4, tag=1), randn(2, 5, 4, tag=2), randn(2, 5, 6, tag=3)
    book.case("scaled_dot_product_attention", [q, k, v], attention)
    keep = randint(0, 2, 3, 5, dtype=torch.bool)
    keep[:, 0] = True  # a row that may look at nothing is a matter of definition, not of comparison
    book.case("scaled_dot_product_attention", [q, k, v, keep], attention, name="bool mask")
    book.case("scaled_dot_product_attention", [q, k, v, randn(3, 5, tag=4)], attention, name="float mask")
    hidden = torch.zeros(3, 5).masked_fill(~keep, -INF)
    book.case("scaled_dot_product_attention", [q, k, v, hidden], attention, grad=[True, True, True, False], name="float mask with infinity")
    book.case("scaled_dot_product_attention", [q, k, v], lambda q, k, v: attention(q, k, v, causal=True), {"is_causal": True})
    four = [randn(2, 2, 4, 3, tag=n) for n in (1, 2, 3)]
    book.case("scaled_dot_product_attention", four, attention)
    book.case("scaled_dot_product_attention", four, lambda q, k, v: attention(q, k, v, causal=True), {"is_causal": True})
    book.case("scaled_dot_product_attention", [30 * t for t in four], attention, name="peaked")

    target = randint(0, 2, 3, 4, dtype=torch.float32)
    soft = f32([0.1, 0.9, 0.5, 0.0])
    prob = torch.round(torch.sigmoid(randn(3, 4)), decimals=3)
    book.case("binary_crossentropy", [prob, target], F.binary_cross_entropy, grad=[True, False])
    book.case("binary_crossentropy", [prob[0], soft], F.binary_cross_entropy, grad=[True, False], name="soft")
    logits = F.binary_cross_entropy_with_logits
    book.case("binary_crossentropy_logits", [randn(3, 4), target], logits, grad=[True, False])
    book.case("binary_crossentropy_logits", [randn(4), soft], logits, grad=[True, False], name="soft")
    book.case("binary_crossentropy_logits", [f32([-100, -30, 0, 30, 100, 100]), f32([0, 1, 1, 0, 1, 0])], logits, grad=[True, False], name="far out")

    def crossentropy(x, y, ignore=-1):
        return F.cross_entropy(x.reshape(-1, x.shape[-1]), y.long().reshape(-1), ignore_index=ignore)

    labels = lambda *values: torch.tensor(values, dtype=torch.int32)
    entropy = "sparse_categorical_crossentropy"
    book.case(entropy, [randn(4, 5), labels(0, 4, 2, 2)], crossentropy)
    book.case(entropy, [randn(4, 5), labels(0, -1, 2, -1)], crossentropy, name="some ignored")
    book.case(entropy, [randn(4, 5), labels(0, 1, 2, 2)], lambda x, y: crossentropy(x, y, 2), {"ignore_index": 2})
    book.case(entropy, [randn(2, 3, 4), labels(0, 1, 2, 3, -1, 0).reshape(2, 3)], crossentropy, name="a batch of sequences")
    book.case(entropy, [randn(3, 4), torch.tensor([3, 0, 1], dtype=torch.uint8)], crossentropy, name="labels in uint8")
    book.case(entropy, [f32([[1000, 0, -1000], [0, 1e4, 0]]), labels(0, 2)], crossentropy, name="far out")
    book.case("sequential", [randn(2, 3), randn(3, 4, tag=1), randn(4, 2, tag=2)], lambda x, w1, w2: torch.relu(x @ w1) @ w2)
    return book


# ---- Optimizers --------------------------------------------------------------------------------

STEPS = 5


def trajectory(make, params, gradients):
    """All parameters after each step, [steps, numel], with the gradients given rather than computed."""
    params = [p.clone().requires_grad_() for p in params]
    optimizer, rows = make(params), []
    for step in range(STEPS):
        for p, g in zip(params, gradients):
            p.grad = g[step].clone()
        optimizer.step()
        rows.append(torch.cat([p.detach().reshape(-1) for p in params]))
    return torch.stack(rows)


def lamb(params, gradients, lr, b1, b2, eps, wd):
    """LAMB by its paper (You et al., 2020, algorithm 2), in NumPy float64: PyTorch has none.

    m and v are Adam's averages with their corrections, u = m / (√v + eps) + wd · p, and p moves by lr · |p| / |u| · u.
    """
    state, rows = [(p.double().numpy(), 0.0, 0.0) for p in params], []
    for t in range(1, STEPS + 1):
        for i, g in enumerate(gradients):
            p, m, v = state[i]
            g = g[t - 1].double().numpy()
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            u = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps) + wd * p
            p_norm, u_norm = np.linalg.norm(p), np.linalg.norm(u)
            trust = p_norm / u_norm if p_norm > 0 and u_norm > 0 else 1.0
            state[i] = (p - lr * trust * u, m, v)
        rows.append(np.concatenate([p.reshape(-1) for p, _, _ in state]))
    return torch.tensor(np.stack(rows), dtype=params[0].dtype)


def optimizers():
    book = Book("optimizers")
    params = [randn(2, 3), randn(4, tag=1)]
    gradients = [randn(STEPS, 2, 3, tag=2), randn(STEPS, 4, tag=3)]
    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    for kind, settings in [
        (sgd, {"lr": 0.001}),
        (sgd, {"lr": 0.1, "weight_decay": 0.1}),
        (sgd, {"lr": 0.1, "momentum": 0.9}),
        (sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        (sgd, {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.05}),
        (sgd, {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.05, "nesterov": True}),
        (adam, {"lr": 0.001}),
        (adam, {"lr": 0.1, "b1": 0.8, "b2": 0.95, "eps": 1e-3}),
        (adamw, {"lr": 0.001, "wd": 0.01}),
        (adamw, {"lr": 0.1, "wd": 0.1}),
    ]:
        torch_settings = {k: v for k, v in settings.items() if k not in ("b1", "b2", "wd")}
        if kind is not sgd:
            torch_settings["betas"] = (settings.get("b1", 0.9), settings.get("b2", 0.999))
        if "wd" in settings:
            torch_settings["weight_decay"] = settings["wd"]
        run = lambda p, q, gp, gq: trajectory(lambda ps: kind(ps, **torch_settings), [p, q], [gp, gq])
        book.case(kind.__name__, params + gradients, run, settings, grad=False)
    # Adam starts without a gradient in places: 0 / (√0 + eps) must stay 0.
    quiet = [gradients[0] * (randn(2, 3, tag=4) > 0), gradients[1]]
    run = lambda p, q, gp, gq: trajectory(lambda ps: adam(ps, lr=0.01), [p, q], [gp, gq])
    book.case("Adam", params + quiet, run, {"lr": 0.01}, grad=False, name="partly without gradient")

    for settings in ({"lr": 0.001}, {"lr": 0.1, "wd": 0.1}, {"lr": 0.1, "b1": 0.8, "b2": 0.95, "eps": 1e-3, "wd": 0.01}):
        full = {"lr": 0.001, "b1": 0.9, "b2": 0.999, "eps": 1e-6, "wd": 0.0, **settings}
        run = lambda p, q, gp, gq: lamb([p, q], [gp, gq], **full)
        book.case("LAMB", params + gradients, run, settings, grad=False)
    nothing = [torch.zeros(2, 3), params[1]]
    run = lambda p, q, gp, gq: lamb([p, q], [gp, gq], 0.1, 0.9, 0.999, 1e-6, 0.0)
    book.case("LAMB", nothing + gradients, run, {"lr": 0.1}, grad=False, name="from zero")
    return book


# ---- Whole models ------------------------------------------------------------------------------


def models():
    """Loss and all gradients of a batch; the loss is the model's own, so the cotangent is one number."""
    book = Book("models")

    def mlp(x, w1, b1, w2, b2, labels):
        return F.cross_entropy(torch.relu(x @ w1 + b1) @ w2 + b2, labels.long())

    labels = torch.tensor([0, 2, 1, 1], dtype=torch.int32)
    book.case("mlp", [randn(4, 6), randn(6, 5, tag=1), randn(5, tag=2), randn(5, 3, tag=3), randn(3, tag=4), labels], mlp)

    def convnet(x, w1, w2, w3, labels):
        """TinyConvNet: conv, relu, pool, conv, relu, pool, linear, log_softmax; the weights say how wide."""
        x = F.max_pool2d(torch.relu(F.conv2d(x, w1)), 2)
        x = F.max_pool2d(torch.relu(F.conv2d(x, w2)), 2)
        return F.nll_loss(torch.log_softmax(x.flatten(1) @ w3, -1), labels.long())

    small = [randn(2, 1, 14, 14), randn(2, 1, 3, 3, tag=1), randn(3, 2, 3, 3, tag=2), randn(12, 4, tag=3)]
    book.case("convnet", [*small, torch.tensor([3, 1], dtype=torch.int32)], convnet)
    full = [randn(2, 1, 28, 28), randn(8, 1, 3, 3, tag=1, scale=0.3), randn(16, 8, 3, 3, tag=2, scale=0.1), randn(400, 10, tag=3, scale=0.05)]
    book.case("convnet", [*full, torch.tensor([7, 0], dtype=torch.int32)], convnet, grad=[False, True, True, True, False])

    def transformer(x, wq, wk, wv, wo, w1, w2):
        """One block with two heads: attention, then a gelu MLP, each with a layernorm before and a residual around it."""
        n, t, d = x.shape
        heads = lambda y: y.reshape(n, t, 2, d // 2).transpose(1, 2)
        y = F.layer_norm(x, (d,))
        y = attention(heads(y @ wq), heads(y @ wk), heads(y @ wv), causal=True)
        x = x + y.transpose(1, 2).reshape(n, t, d) @ wo
        return (x + F.gelu(F.layer_norm(x, (d,)) @ w1, approximate="tanh") @ w2).square().mean()

    square = [randn(4, 4, tag=n) for n in range(4)]
    book.case("transformer", [randn(2, 3, 4), *square, randn(4, 8), randn(8, 4)], transformer)
    return book
