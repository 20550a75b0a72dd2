"""Small things that several modules need: dtypes, argument forms, the environment. The names are the original's."""

import builtins
import functools
import math
import os
import platform
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple, TypeVar, Union

import numpy as np

from teenygrad import _teenygrad

T = TypeVar("T")

OSX = platform.system() == "Darwin"
CI = os.getenv("CI", "") != ""


def dedup(x: Iterable[T]) -> List[T]:
    """The elements without repetitions, in the order of their first appearance."""
    return list(dict.fromkeys(x))


def prod(x: Iterable[Any]) -> Any:
    """The product of all elements; 1 of none."""
    return functools.reduce(lambda a, b: a * b, x, 1)


def argfix(*x):
    """f(1, 2) and f((1, 2)) both as (1, 2)."""
    return tuple(x[0]) if x and x[0].__class__ in (tuple, list) else x


def argsort(x):
    """The positions that sort x."""
    return type(x)(sorted(range(len(x)), key=x.__getitem__))


def all_int(t: Tuple[Any, ...]) -> bool:
    """Whether all elements are int."""
    return all(isinstance(s, int) for s in t)


def make_pair(x: Union[int, Tuple[int, ...]], cnt: int = 2) -> Tuple[int, ...]:
    """One number as cnt of them; several as they are."""
    return (x,) * cnt if isinstance(x, int) else x


def flatten(l: Iterable[Iterable[T]]) -> List[T]:
    """The elements of the elements, as one list."""
    return [item for sublist in l for item in sublist]


def round_up(num: int, amt: int) -> int:
    """num rounded up to a multiple of amt."""
    return math.ceil(num / amt) * amt


@functools.lru_cache(maxsize=None)
def getenv(key: str, default: Any = 0) -> Any:
    """An environment variable as a value of default's type."""
    return type(default)(os.getenv(key, default))


DEBUG = getenv("DEBUG")
IMAGE = getenv("IMAGE")


# ---- Dtypes --------------------------------------------------------------


class DType(NamedTuple):
    """The type of a tensor's elements."""

    priority: int  # its place in the order in which mixed operations prefer dtypes
    itemsize: int
    name: str
    np: Optional[type]  # NumPy's type, or None for bfloat16
    sz: int = 1

    def __repr__(self) -> str:
        return f"dtypes.{self.name}"


class ImageDType(DType):
    """A dtype of images: a name that the original has, for devices that this package doesn't."""

    def __new__(cls, priority, itemsize, name, np, shape, base):
        return super().__new__(cls, priority, itemsize, name, np)

    def __init__(self, priority, itemsize, name, np, shape, base):
        self.shape, self.base = shape, base

    def __repr__(self) -> str:
        return f"dtypes.{self.name}({self.shape})"


class PtrDType(DType):
    """A pointer to elements of a dtype."""

    def __new__(cls, dt: DType):
        return super().__new__(cls, dt.priority, dt.itemsize, dt.name, dt.np, dt.sz)

    def __repr__(self) -> str:
        return f"ptr.{super().__repr__()}"


def _dtype(priority: int, itemsize: int, name: str) -> DType:
    known = None if name == "bfloat16" else np.dtype(name).type
    return DType(priority, itemsize, name, known)


_ALL = {name: _dtype(priority, itemsize, name) for name, priority, itemsize in _teenygrad.dtype_table()}
_teenygrad.register_dtypes(list(_ALL.values()))


class dtypes:
    """All dtypes, and questions about them."""

    bool: DType = _ALL["bool"]
    int8: DType = _ALL["int8"]
    uint8: DType = _ALL["uint8"]
    int16: DType = _ALL["int16"]
    uint16: DType = _ALL["uint16"]
    int32: DType = _ALL["int32"]
    uint32: DType = _ALL["uint32"]
    int64: DType = _ALL["int64"]
    uint64: DType = _ALL["uint64"]
    float16: DType = _ALL["float16"]
    bfloat16: DType = _ALL["bfloat16"]
    float32: DType = _ALL["float32"]
    float64: DType = _ALL["float64"]

    # other names of the same
    half, float, double = float16, float32, float64
    char, uchar, short, ushort, int, uint, long, ulong = int8, uint8, int16, uint16, int32, uint32, int64, uint64
    default_float, default_int = float32, int32
    ints = (int8, uint8, int16, uint16, int32, uint32, int64, uint64)
    uints = (uint8, uint16, uint32, uint64)
    sints = (int8, int16, int32, int64)
    floats = (float16, bfloat16, float32, float64)

    @staticmethod
    def is_int(x: DType) -> builtins.bool:
        """A signed or unsigned integer; bool is none."""
        return x in dtypes.ints

    @staticmethod
    def is_float(x: DType) -> builtins.bool:
        """One of the floating-point types."""
        return x in dtypes.floats

    @staticmethod
    def is_unsigned(x: DType) -> builtins.bool:
        """An unsigned integer."""
        return x in dtypes.uints

    @staticmethod
    def from_np(x) -> DType:
        """The dtype of a NumPy type, dtype or name."""
        return DTYPES_DICT[np.dtype(x).name]

    @staticmethod
    def from_py(x) -> DType:
        """The dtype that tinygrad gives a Python number."""
        x = x[0] if isinstance(x, (list, tuple)) and x else x
        return {"float": dtypes.float32, "int": dtypes.int32, "bool": dtypes.bool}[type(x).__name__]

    @staticmethod
    def fields() -> Dict[str, DType]:
        """All dtypes by their names and aliases."""
        return {k: v for k, v in dtypes.__dict__.items() if isinstance(v, DType) and not k.startswith("default")}


DTYPES_DICT: Dict[str, DType] = dict(_ALL)


def least_upper_dtype(*ds: DType) -> DType:
    """The dtype of an operation between tensors of these dtypes."""
    return functools.reduce(_teenygrad.promote, ds)
