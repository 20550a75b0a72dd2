"""Tensor, Function, and the class attributes that programs set."""

import contextlib
from typing import Any, List, Optional

from teenygrad import _teenygrad
from teenygrad._teenygrad import Tensor
from teenygrad.helpers import DType, dtypes
from teenygrad.lazy import LazyBuffer
from teenygrad.shape.symbolic import Variable

__all__ = ["DType", "Function", "Tensor", "Variable", "dtypes"]

# Plain attributes: the methods look at them (tensor/mod.rs, law 1).
Tensor.training = False
Tensor.no_grad = False
Tensor.default_type = dtypes.float32


class _Mode(contextlib.ContextDecorator):
    """Sets a class attribute of Tensor for a with-block or a function, also a nested or repeated one."""

    attribute: str

    def __init__(self, val: bool = True):
        self.val = val
        self.before: List[bool] = []

    def __enter__(self):
        self.before.append(getattr(Tensor, self.attribute))
        setattr(Tensor, self.attribute, self.val)
        return self

    def __exit__(self, *exc):
        setattr(Tensor, self.attribute, self.before.pop())


class train(_Mode):
    """Training (dropout drops, batch norm measures) for a while: with Tensor.train(): …"""

    attribute = "training"


class inference_mode(_Mode):
    """No recording of gradients for a while: with Tensor.inference_mode(): …"""

    attribute = "no_grad"


def test(val: bool = True) -> train:
    """Not training, for a while."""
    return train(not val)


Tensor.train, Tensor.inference_mode = train, inference_mode  # type: ignore[misc,method-assign,has-type]
Tensor.test = staticmethod(test)  # type: ignore[method-assign,assignment]


class Function:
    """A differentiable function: a subclass has forward and backward on LazyBuffers, and is used through apply.

    >>> class Square(Function):
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x.e(BinaryOps.MUL, x)
    ...     def backward(self, grad_output):                      # d(x²)/dx = 2x
    ...         return self.x.e(BinaryOps.ADD, self.x).e(BinaryOps.MUL, grad_output)
    >>> Square.apply(Tensor([3.0])).tolist()
    [9.0]
    """

    def __init__(self, device: str, *tensors: Tensor):
        self.device = device
        self.needs_input_grad = [t.requires_grad for t in tensors]
        self.requires_grad: Optional[bool] = True if any(self.needs_input_grad) else None if None in self.needs_input_grad else False
        if self.requires_grad:
            self.parents = tensors

    def forward(self, *args: Any, **kwargs: Any) -> LazyBuffer:
        """The result, of the inputs' LazyBuffers and apply's keyword arguments."""
        raise NotImplementedError(f"forward not implemented for {type(self)}")

    def backward(self, *args: Any, **kwargs: Any) -> Any:
        """The gradient of each input (or None), of the result's gradient."""
        raise RuntimeError(f"backward not implemented for {type(self)}")

    @classmethod
    def apply(cls, *x: Tensor, **kwargs: Any) -> Tensor:
        """The result as a tensor, through which gradients find backward."""
        return _teenygrad.apply_function(cls(x[0].device, *x), x, kwargs)


def _inplace(operator):
    """x += y: x itself gets the new values, as in the original; a new tensor takes its name if gradients flow through it."""

    def method(self, x):
        result = operator(self, x)
        if result is NotImplemented or result.requires_grad:
            return result
        return self.assign(result)

    return method


for _name in ("add", "sub", "mul", "truediv", "matmul", "pow", "floordiv", "mod", "and", "or", "xor", "lshift", "rshift"):
    setattr(Tensor, f"__i{_name}__", _inplace(getattr(Tensor, f"__{_name}__")))


def _stack(self, *args: Any, dim: int = 0) -> Tensor:
    """Tensors of one shape as one tensor with a new axis dim: Tensor.stack([a, b]) or a.stack(b).

    >>> Tensor.stack([Tensor([1, 2]), Tensor([3, 4])]).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if isinstance(self, (list, tuple)):
        # The original's second positional argument is dim.
        return Tensor._stack(list(self), *args, **({} if args else {"dim": dim}))
    return Tensor._stack([self, *args], dim=dim)


_stack.__name__ = "stack"
Tensor.stack = _stack  # type: ignore[method-assign]
