"""Examples to learn from."""

from typing import Optional, Tuple

from teenygrad import _teenygrad
from teenygrad.tensor import Tensor


def mnist(device: Optional[str] = None, fashion: bool = False) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    """Handwritten digits: images (60000, 1, 28, 28) and labels (60000,), then 10,000 of each to test with, all uint8.

    The files are looked for in $TEENYGRAD_DATA, then in data/mnist of the folder where the program runs; nothing is downloaded.
    """
    if fashion:
        raise FileNotFoundError("Fashion-MNIST is not here; its files in a folder named by $TEENYGRAD_DATA are read as MNIST's are")
    x_train, y_train, x_test, y_test = _teenygrad.mnist()
    images = [x.cast("uint8").reshape(-1, 1, 28, 28) for x in (x_train, x_test)]
    found = (images[0], y_train, images[1], y_test)
    return found if device is None else tuple(x.to(device) for x in found)  # type: ignore[return-value]
