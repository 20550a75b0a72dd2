"""How fast it is from Python: a binary op's overhead, and the three training steps of the bench, each as its best of several rounds.

    python crates/python/bench.py          # with the package installed; compare with `teenygrad-bench mlp_step tinyconv_step bigconv_step`
"""

import sys
import time
import timeit

import numpy as np

from teenygrad import Tensor
from teenygrad.nn import optim


def weights(*shape, inputs):
    return Tensor.uniform(*shape, low=-(inputs**-0.5), high=inputs**-0.5)


class Mlp:
    def __init__(self):
        self.l1, self.l2 = weights(784, 128, inputs=784), weights(128, 10, inputs=128)

    def parameters(self):
        return [self.l1, self.l2]

    def __call__(self, x):
        return x.dot(self.l1).relu().dot(self.l2)


class ConvNet:
    def __init__(self, c1, c2):
        self.c1, self.c2 = weights(c1, 1, 3, 3, inputs=9), weights(c2, c1, 3, 3, inputs=9 * c1)
        self.l1 = weights(c2 * 25, 10, inputs=c2 * 25)

    def parameters(self):
        return [self.c1, self.c2, self.l1]

    def __call__(self, x):
        x = x.reshape(-1, 1, 28, 28).conv2d(self.c1).relu().max_pool2d()
        return x.conv2d(self.c2).relu().max_pool2d().flatten(1).dot(self.l1)


def step_of(model):
    """A step on one batch: forward, cross-entropy, backward, Adam, the loss read."""
    numbers = np.random.RandomState(0)
    x = Tensor(numbers.rand(128, 784).astype(np.float32)).realize()
    y = Tensor(numbers.randint(0, 10, 128).astype(np.int32)).realize()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    def step():
        loss = model(x).sparse_categorical_crossentropy(y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def best(run, seconds):
    """Milliseconds of one run: the median of each round, and the best round."""
    for _ in range(3):
        run()
    rounds, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(rounds) < 3:
        times = []
        for _ in range(7):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        rounds.append(sorted(times)[3])
    return min(rounds) * 1e3


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    a, b = Tensor([1.0, 2.0, 3.0]).realize(), Tensor([4.0, 5.0, 6.0]).realize()
    for name, statement in [("a + b", "a + b"), ("a * 2.5", "a * 2.5"), ("a < b", "a < b"), ("a.maximum(b)", "a.maximum(b)")]:
        times = timeit.repeat(statement, globals={"a": a, "b": b}, number=20_000, repeat=7)
        print(f"{name:16} {min(times) / 20_000 * 1e6:8.2f} µs")
    for name, model in [("mlp_step", Mlp()), ("tinyconv_step", ConvNet(8, 16)), ("bigconv_step", ConvNet(32, 64))]:
        print(f"{name:16} {best(step_of(model), seconds):8.3f} ms")
