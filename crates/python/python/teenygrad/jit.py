"""tinygrad's TinyJit, for programs that use it. A training step whose graph has been seen before finds its plan again by itself here, so
there is nothing to capture: the function is called, and what it returns is computed."""

import functools
from typing import Any, Callable, Generic, TypeVar

from teenygrad.tensor import Tensor

ReturnType = TypeVar("ReturnType")


def _tensors(value: Any):
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)


class TinyJit(Generic[ReturnType]):
    """A transparent wrapper: TinyJit(fxn)(*args) is fxn(*args), with the tensors that it returns computed."""

    def __init__(self, fxn: Callable[..., ReturnType], *args, **kwargs):
        self.fxn, self.cnt = fxn, 0
        functools.update_wrapper(self, fxn)

    def __get__(self, obj, objtype=None):
        return functools.partial(self.__call__, obj)

    def __call__(self, *args, **kwargs) -> ReturnType:
        self.cnt += 1
        result = self.fxn(*args, **kwargs)
        Tensor.corealize(list(_tensors(result)))
        return result

    def reset(self) -> None:
        self.cnt = 0
