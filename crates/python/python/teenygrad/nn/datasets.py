"""Examples to learn from."""

from typing import Tuple

from teenygrad import _teenygrad
from teenygrad.tensor import Tensor


def mnist() -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    """Handwritten digits: images (60000, 1, 28, 28) and labels (60000,), then 10,000 of each to test with, all uint8.

    The files are looked for in $TEENYGRAD_DATA, then in data/mnist of the folder where the program runs; nothing is downloaded.
    """
    x_train, y_train, x_test, y_test = _teenygrad.mnist()
    images = [x.cast("uint8").reshape(-1, 1, 28, 28) for x in (x_train, x_test)]
    return images[0], y_train, images[1], y_test
