"""The bench's rows that NumPy can do in a line: same inputs, same work, same JSON lines. Where NumPy has no threads of its own (all but
its matrix products), one thread is what it uses."""

import common
from common import floats, integers

import numpy as np

N = 4096


def binary(f, shape_a, shape_b, flops=0.0):
    a, b = floats(1, shape_a), floats(2, shape_b)
    return common.Case(lambda: f(a, b), flops=flops)


def matmul(n):
    return lambda: binary(np.matmul, (n, n), (n, n), 2 * n**3)


def unary(f, scale=1.0):
    def make():
        x = floats(1, (N, N), scale)
        return common.Case(lambda: f(x))

    return make


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def layernorm(x):
    centered = x - x.mean(-1, keepdims=True)
    return centered / np.sqrt((centered * centered).mean(-1, keepdims=True) + np.float32(1e-5))


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.float32((2 / np.pi) ** 0.5) * (x + np.float32(0.044715) * x * x * x)))


def gather():
    table, ids = floats(1, (50_000, 512)), integers(2, (8192,), 50_000)
    return common.Case(lambda: table[ids])


def graph():
    x = floats(1, (4,))

    def run():
        y = x
        for _ in range(1000):
            y = y + x
        return y

    return common.Case(run)


ROWS = {
    "matmul_256": matmul(256),
    "matmul_512": matmul(512),
    "matmul_1024": matmul(1024),
    "matmul_2048": matmul(2048),
    "matmul_tn_1024": lambda: binary(lambda a, b: a.T @ b, (1024, 1024), (1024, 1024), 2 * 1024**3),
    "bmm_64x128x64x128": lambda: binary(np.matmul, (64, 128, 64), (64, 64, 128), 2 * 64 * 128 * 64 * 128),
    "matvec_4096": lambda: binary(np.matmul, (N, N), (N,), 2 * N * N),
    "add_4096": lambda: binary(np.add, (N, N), (N, N)),
    "chain_4096": unary(lambda a: np.exp(-np.maximum(a * 2 + 1, 0)).sum()),
    "softmax_4096": unary(softmax, 4.0),
    "gelu_4096": unary(gelu, 4.0),
    "layernorm_4096": unary(layernorm, 4.0),
    "sum_4096": unary(np.sum),
    "sum_axis0_4096": unary(lambda x: x.sum(0)),
    "transpose_4096": unary(lambda x: np.ascontiguousarray(x.T), 4.0),
    "cumsum_4096": unary(lambda x: x.cumsum(-1), 4.0),
    "gather_embedding": gather,
    "graph_1000": graph,
    "cast_f16_4096": unary(lambda x: x.astype(np.float16), 4.0),
}


def magnitude(result):
    """The mean of |x|."""
    return float(np.abs(np.asarray(result, dtype=np.float64)).mean())


if __name__ == "__main__":
    common.main("NumPy", np.__version__, ROWS, magnitude, lambda options: None)
