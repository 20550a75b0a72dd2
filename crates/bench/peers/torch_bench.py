"""The bench's rows in PyTorch, eager: same inputs, same work, same JSON lines.

    python torch_bench.py [FILTER] [--threads N] [--fused] [--serve]

--fused adds adam_10m_fused, which is adam_10m with PyTorch's fused optimizer. --serve reads names of rows from standard input and
answers each with its JSON line: that is how compare.py takes turns.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

import common
from common import floats, integers

N = 4096


def tensor(seed, shape, scale=1.0):
    return torch.from_numpy(floats(seed, shape, scale))


def labels(seed, shape, below):
    return torch.from_numpy(integers(seed, shape, below)).long()


# ---- Training steps --------------------------------------------------------------------------------------------------------------------


class Weights:
    """Weights one after the other, each from a seed of its own, in the same order as in the Rust program."""

    def __init__(self):
        self.seed = 100

    def uniform(self, parameter, shape, fan_in, transposed=False):
        """Uniform in ±1/√fan_in. PyTorch keeps the matrices of linear layers the other way round."""
        self.seed += 1
        values = tensor(self.seed, shape, math.sqrt(1 / fan_in))
        with torch.no_grad():
            parameter.copy_(values.t() if transposed else values)

    def linear(self, layer):
        self.uniform(layer.weight, (layer.in_features, layer.out_features), layer.in_features, transposed=True)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)

    def conv(self, layer):
        o, i, h, w = layer.weight.shape
        self.uniform(layer.weight, (o, i, h, w), i * h * w)


class Mlp(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.l1, self.l2 = nn.Linear(784, 128, bias=False), nn.Linear(128, 10, bias=False)
        weights.linear(self.l1)
        weights.linear(self.l2)

    def forward(self, x):
        return self.l2(self.l1(x).relu())


class ConvNet(nn.Module):
    def __init__(self, weights, channels1, channels2):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, channels1, 3, bias=False), nn.Conv2d(channels1, channels2, 3, bias=False)
        self.l1 = nn.Linear(channels2 * 25, 10, bias=False)
        weights.conv(self.c1)
        weights.conv(self.c2)
        weights.linear(self.l1)

    def forward(self, x):
        x = F.max_pool2d(self.c1(x.view(-1, 1, 28, 28)).relu(), 2)
        x = F.max_pool2d(self.c2(x).relu(), 2)
        return self.l1(x.flatten(1))


class Block(nn.Module):
    def __init__(self, weights, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.hidden, self.out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        for layer in (self.qkv, self.joined, self.hidden, self.out):
            weights.linear(layer)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.out(F.gelu(self.hidden(self.norm2(x)), approximate="tanh"))

    def attention(self, x):
        batch, time, width = x.shape
        q, k, v = self.qkv(x).view(batch, time, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.joined(heads.transpose(1, 2).reshape(batch, time, width))


class Gpt(nn.Module):
    def __init__(self, weights, layers, width, heads, context, vocabulary):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Parameter(torch.empty(context, width))
        weights.uniform(self.tokens.weight, (vocabulary, width), width)
        weights.uniform(self.positions, (context, width), width)
        self.blocks = nn.ModuleList(Block(weights, width, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        weights.linear(self.head)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def conv_norm(weights, channels_in, channels_out, kernel, stride):
    conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False)
    weights.conv(conv)
    return nn.Sequential(conv, nn.BatchNorm2d(channels_out))


class Residual(nn.Module):
    def __init__(self, weights, channels_in, channels_out, stride):
        super().__init__()
        self.first = conv_norm(weights, channels_in, channels_out, 3, stride)
        self.second = conv_norm(weights, channels_out, channels_out, 3, 1)
        same = channels_in == channels_out
        self.shortcut = nn.Identity() if same else conv_norm(weights, channels_in, channels_out, 1, stride)

    def forward(self, x):
        return (self.shortcut(x) + self.second(self.first(x).relu())).relu()


class ResNet(nn.Module):
    def __init__(self, weights, stages):
        super().__init__()
        self.stem, channels, blocks = conv_norm(weights, 3, stages[0], 3, 1), stages[0], []
        for more in stages:
            blocks += [Residual(weights, channels, more, 1 if more == channels else 2), Residual(weights, more, more, 1)]
            channels = more
        self.blocks, self.head = nn.Sequential(*blocks), nn.Linear(channels, 10)
        weights.linear(self.head)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x).relu()).mean((2, 3)))


def step(model, optimizer, x, y):
    model.train()
    optimizer = optimizer(model.parameters())

    def run():
        logits = model(x)
        loss = F.cross_entropy(logits.flatten(0, -2), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return common.Case(run, steps=True)


def digits():
    return tensor(1, (128, 784)), labels(2, (128,), 10)


def adam(params):
    return torch.optim.Adam(params, lr=1e-3)


def gpt_step():
    model = Gpt(Weights(), layers=4, width=256, heads=4, context=128, vocabulary=512)
    optimizer = lambda params: torch.optim.AdamW(params, lr=1e-3, weight_decay=0.01)
    return step(model, optimizer, labels(1, (8, 128), 512), labels(2, (8, 128), 512))


def resnet_step():
    optimizer = lambda params: torch.optim.SGD(params, lr=0.01, momentum=0.9)
    return step(ResNet(Weights(), (16, 32, 64)), optimizer, tensor(1, (64, 3, 32, 32)), labels(2, (64,), 10))


# ---- Products --------------------------------------------------------------------------------------------------------------------------


def binary(f, shape_a, shape_b, flops=0.0):
    a, b = tensor(1, shape_a), tensor(2, shape_b)
    return common.Case(lambda: f(a, b), flops=flops)


def matmul(n):
    return lambda: binary(torch.matmul, (n, n), (n, n), 2 * n**3)


def conv(backward, channels, side, filters, kernel, stride, groups):
    def make():
        out = (side - 1) // stride + 1
        x = tensor(1, (8, channels, side, side)).requires_grad_(backward)
        weight = tensor(2, (filters, channels // groups, kernel, kernel)).requires_grad_(backward)
        flops = 2 * 8 * filters * out * out * channels // groups * kernel**2

        def forward():
            return F.conv2d(x, weight, stride=stride, padding=kernel // 2, groups=groups)

        if not backward:
            return common.Case(forward, flops=flops)
        slope = tensor(3, (8, filters, out, out))

        def both():
            x.grad = weight.grad = None
            y = forward()
            y.backward(slope)
            return y, x.grad, weight.grad

        return common.Case(both, flops=3 * flops)

    return make


STEM, MIDDLE, DEPTHWISE = (3, 224, 64, 7, 2, 1), (64, 56, 64, 3, 1, 1), (128, 28, 128, 3, 1, 128)


# ---- Streams ---------------------------------------------------------------------------------------------------------------------------


def unary(f, scale=1.0):
    def make():
        x = tensor(1, (N, N), scale)
        return common.Case(lambda: f(x))

    return make


def log_softmax_bwd():
    x, slope = tensor(1, (N, N), 4.0).requires_grad_(), tensor(2, (N, N))

    def both():
        x.grad = None
        y = F.log_softmax(x, -1)
        y.backward(slope)
        return y, x.grad

    return common.Case(both)


def max_pool():
    x = tensor(1, (8, 64, 56, 56))
    return common.Case(lambda: F.max_pool2d(x, 2))


def gather():
    table, ids = tensor(1, (50_000, 512)), labels(2, (8192,), 50_000)
    return common.Case(lambda: F.embedding(ids, table))


# ---- Engine ----------------------------------------------------------------------------------------------------------------------------


def adam_step(**options):
    def make():
        params = [tensor(1 + i, (200_000,)).requires_grad_() for i in range(50)]
        for i, param in enumerate(params):
            param.grad = tensor(1001 + i, (200_000,))
        optimizer = torch.optim.Adam(params, lr=1e-3, **options)

        def run():
            optimizer.step()
            return params[0]

        return common.Case(run)

    return make


def graph():
    x = tensor(1, (4,))

    def run():
        y = x
        for _ in range(1000):
            y = y + x
        return y

    return common.Case(run)


ROWS = {
    "mlp_step": lambda: step(Mlp(Weights()), adam, *digits()),
    "tinyconv_step": lambda: step(ConvNet(Weights(), 8, 16), adam, *digits()),
    "bigconv_step": lambda: step(ConvNet(Weights(), 32, 64), adam, *digits()),
    "gpt_step": gpt_step,
    "resnet_step": resnet_step,
    "matmul_256": matmul(256),
    "matmul_512": matmul(512),
    "matmul_1024": matmul(1024),
    "matmul_2048": matmul(2048),
    "matmul_tn_1024": lambda: binary(lambda a, b: a.t() @ b, (1024, 1024), (1024, 1024), 2 * 1024**3),
    "bmm_64x128x64x128": lambda: binary(torch.matmul, (64, 128, 64), (64, 64, 128), 2 * 64 * 128 * 64 * 128),
    "matvec_4096": lambda: binary(torch.matmul, (N, N), (N,), 2 * N * N),
    "conv_fwd_3x224s2": conv(False, *STEM),
    "conv_fwd_64x56": conv(False, *MIDDLE),
    "conv_fwd_dw128x28": conv(False, *DEPTHWISE),
    "conv_bwd_3x224s2": conv(True, *STEM),
    "conv_bwd_64x56": conv(True, *MIDDLE),
    "conv_bwd_dw128x28": conv(True, *DEPTHWISE),
    "add_4096": lambda: binary(torch.add, (N, N), (N, N)),
    "chain_4096": unary(lambda a: (a * 2 + 1).relu().neg().exp().sum()),
    "softmax_4096": unary(lambda x: x.softmax(-1), 4.0),
    "log_softmax_bwd_4096": log_softmax_bwd,
    "gelu_4096": unary(lambda x: F.gelu(x, approximate="tanh"), 4.0),
    "layernorm_4096": unary(lambda x: F.layer_norm(x, (N,)), 4.0),
    "sum_4096": unary(lambda x: x.sum()),
    "sum_axis0_4096": unary(lambda x: x.sum(0)),
    "max_pool_64x56": max_pool,
    "transpose_4096": unary(lambda x: x.t().contiguous(), 4.0),
    "cumsum_4096": unary(lambda x: x.cumsum(-1), 4.0),
    "gather_embedding": gather,
    "adam_10m": adam_step(),
    "graph_1000": graph,
    "cast_f16_4096": unary(lambda x: x.half(), 4.0),
}


def magnitude(result):
    """The mean of |x|."""
    return result.detach().double().abs().mean().item()


def setup(options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    if options.fused:
        ROWS["adam_10m_fused"] = adam_step(fused=True)


if __name__ == "__main__":
    common.main("PyTorch", torch.__version__, ROWS, magnitude, setup)
