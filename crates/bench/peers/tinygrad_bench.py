"""The bench's rows that tinygrad can do in a line: same inputs, same work, same JSON lines."""

import common
from common import floats, integers

import numpy as np
import tinygrad
from tinygrad import Tensor, dtypes

N = 4096


def tensor(seed, shape, scale=1.0):
    return Tensor(floats(seed, shape, scale)).realize()


def binary(f, shape_a, shape_b, flops=0.0):
    a, b = tensor(1, shape_a), tensor(2, shape_b)
    return common.Case(lambda: done(f(a, b)), flops=flops)


def done(x):
    """Realized, and waited for."""
    x.realize()
    tinygrad.Device[tinygrad.Device.DEFAULT].synchronize()
    return x


def matmul(n):
    return lambda: binary(Tensor.matmul, (n, n), (n, n), 2 * n**3)


def unary(f, scale=1.0):
    def make():
        x = tensor(1, (N, N), scale)
        return common.Case(lambda: done(f(x)))

    return make


def gather():
    table, ids = tensor(1, (50_000, 512)), Tensor(integers(2, (8192,), 50_000)).realize()
    return common.Case(lambda: done(table[ids]))


ROWS = {
    "matmul_256": matmul(256),
    "matmul_512": matmul(512),
    "matmul_1024": matmul(1024),
    "matmul_2048": matmul(2048),
    "matmul_tn_1024": lambda: binary(lambda a, b: a.T @ b, (1024, 1024), (1024, 1024), 2 * 1024**3),
    "bmm_64x128x64x128": lambda: binary(Tensor.matmul, (64, 128, 64), (64, 64, 128), 2 * 64 * 128 * 64 * 128),
    "matvec_4096": lambda: binary(Tensor.matmul, (N, N), (N,), 2 * N * N),
    "add_4096": lambda: binary(Tensor.add, (N, N), (N, N)),
    "chain_4096": unary(lambda a: (a * 2 + 1).relu().neg().exp().sum()),
    "softmax_4096": unary(lambda x: x.softmax(-1), 4.0),
    "gelu_4096": unary(lambda x: x.gelu(), 4.0),
    "layernorm_4096": unary(lambda x: x.layernorm(), 4.0),
    "sum_4096": unary(lambda x: x.sum()),
    "sum_axis0_4096": unary(lambda x: x.sum(0)),
    "transpose_4096": unary(lambda x: x.T.contiguous(), 4.0),
    "cumsum_4096": unary(lambda x: x.cumsum(-1), 4.0),
    "gather_embedding": gather,
    "cast_f16_4096": unary(lambda x: x.cast(dtypes.half).contiguous(), 4.0),
}


def magnitude(result):
    """The mean of |x|."""
    return float(np.abs(result.numpy().astype(np.float64)).mean())


if __name__ == "__main__":
    version = getattr(tinygrad, "__version__", "of this Python")
    common.main("tinygrad", version, ROWS, magnitude, lambda options: None)
