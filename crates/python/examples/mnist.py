#!/usr/bin/env python
"""Trains a small convolutional network on handwritten digits, then says how many of the test set it reads rightly.

    pip install ./crates/python            # and tqdm, for a progress bar
    python crates/python/examples/mnist.py

A program as a user of the original writes it: nothing in it knows which engine runs underneath.
"""
import gzip
import os

import numpy as np

from teenygrad.helpers import CI
from teenygrad.nn import optim
from teenygrad.tensor import Tensor

try:
    from tqdm import trange
except ImportError:

    class trange:
        """The same numbers without the bar."""

        def __init__(self, steps, disable=False):
            self.steps = range(steps)

        def __iter__(self):
            return iter(self.steps)

        def set_description(self, text):
            pass


def fetch_mnist():
    """Images as float32 from 0 to 255, in rows of 784, and labels: (X_train, Y_train, X_test, Y_test)."""
    here = os.path.dirname(os.path.abspath(__file__))
    folder = os.getenv("TEENYGRAD_DATA", os.path.join(here, "../../../data/mnist"))

    def parse(name, header):
        with gzip.open(os.path.join(folder, name)) as file:
            return np.frombuffer(file.read(), dtype=np.uint8)[header:]

    def images(name):
        return parse(name, 16).reshape(-1, 28 * 28).astype(np.float32)

    return (
        images("train-images-idx3-ubyte.gz"),
        parse("train-labels-idx1-ubyte.gz", 8),
        images("t10k-images-idx3-ubyte.gz"),
        parse("t10k-labels-idx1-ubyte.gz", 8),
    )


class TinyConvNet:
    """Two convolutions with max pooling, 8 and 16 channels, then a matrix."""

    def __init__(self):
        self.c1 = Tensor.scaled_uniform(8, 1, 3, 3)
        self.c2 = Tensor.scaled_uniform(16, 8, 3, 3)
        self.l1 = Tensor.scaled_uniform(400, 10)

    def parameters(self):
        return [self.c1, self.c2, self.l1]

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(-1, 1, 28, 28)
        x = x.conv2d(self.c1).relu().max_pool2d()  # 28 → 26 → 13
        x = x.conv2d(self.c2).relu().max_pool2d()  # 13 → 11 → 5
        x = x.reshape(shape=[x.shape[0], -1])
        return x.dot(self.l1).log_softmax()


def train(model, X_train, Y_train, optimizer, steps, BS=128):
    with Tensor.train():
        for _ in (t := trange(steps, disable=CI)):
            samp = np.random.randint(0, X_train.shape[0], size=(BS))
            x = Tensor(X_train[samp], requires_grad=False)
            y = Tensor(Y_train[samp])
            out = model.forward(x)
            loss = out.sparse_categorical_crossentropy(y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            accuracy = (out.argmax(axis=-1) == y).mean()
            t.set_description("loss %.2f accuracy %.2f" % (loss.numpy(), accuracy.numpy()))


def evaluate(model, X_test, Y_test, BS=128):
    Tensor.training = False
    predicted = np.zeros(Y_test.shape, dtype=np.int64)
    for i in trange((len(Y_test) - 1) // BS + 1, disable=CI):
        out = model.forward(Tensor(X_test[i * BS : (i + 1) * BS]))
        predicted[i * BS : (i + 1) * BS] = out.numpy().argmax(axis=-1)
    return (predicted == Y_test).mean()


if __name__ == "__main__":
    np.random.seed(1337)
    Tensor.manual_seed(1337)
    X_train, Y_train, X_test, Y_test = fetch_mnist()
    model = TinyConvNet()
    train(model, X_train, Y_train, optim.Adam(model.parameters(), lr=0.001), steps=100)
    accuracy = evaluate(model, X_test, Y_test)
    print("test set accuracy is %f" % accuracy)
    assert accuracy > 0.93, "the accuracy should be above 0.93"
