"""teenygrad: the deep-learning framework that people read, on an engine in Rust.

>>> from teenygrad import Tensor
>>> x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
>>> loss = x.square().sum().backward()
>>> x.grad.tolist()
[[2.0, 4.0], [6.0, 8.0]]
"""

from teenygrad.tensor import Tensor
from teenygrad.helpers import Context, GlobalCounters, dtypes, fetch, getenv
from teenygrad.ops import Device
from teenygrad.jit import TinyJit
from teenygrad.shape.symbolic import Variable
from teenygrad._teenygrad import __version__
from teenygrad import nn

__all__ = [
    "Context", "Device", "GlobalCounters", "Tensor", "TinyJit", "Variable", "dtypes", "fetch", "getenv", "nn", "__version__",
]  # fmt: skip
