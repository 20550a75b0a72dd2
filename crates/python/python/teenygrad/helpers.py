"""Small things that several modules need: dtypes, argument forms, the environment. The names are the original's."""

import builtins
import contextlib
import functools
import gzip
import hashlib
import math
import os
import pathlib
import platform
import re
import sys
import time
import urllib.request
from collections.abc import Sized
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, TypeVar, Union

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


# ---- tinygrad's helpers --------------------------------------------------


class ContextVar:
    """A number by which programs steer: from the environment at first, then from Context."""

    _cache: Dict[str, "ContextVar"] = {}
    value: Any

    def __init__(self, key: str, default_value: Any):
        ContextVar._cache[key] = self
        self.key, self.value = key, getenv(key, default_value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, x) -> bool:
        return self.value == x

    def __ge__(self, x) -> bool:
        return self.value >= x

    def __gt__(self, x) -> bool:
        return self.value > x

    def __lt__(self, x) -> bool:
        return self.value < x

    __hash__ = None  # type: ignore[assignment]


class _Training(ContextVar):
    """tinygrad's TRAINING is the original's Tensor.training."""

    def __init__(self):
        ContextVar._cache["TRAINING"] = self
        self.key = "TRAINING"

    @property
    def value(self):  # type: ignore[override]
        return int(_teenygrad.Tensor.training)

    @value.setter
    def value(self, on):
        _teenygrad.Tensor.training = bool(on)


TRAINING = _Training()
JIT, BEAM, NOOPT, WINO, GRAPH, TRACEMETA = (ContextVar(key, 0) for key in ("JIT", "BEAM", "NOOPT", "WINO", "GRAPH", "TRACEMETA"))


class Context(contextlib.ContextDecorator):
    """Other values of ContextVars for a while: with Context(TRAINING=1): …"""

    def __init__(self, **kwargs: Any):
        self.kwargs = kwargs
        self.before: List[Dict[str, Any]] = []

    def __enter__(self):
        known = {key: ContextVar._cache[key] if key in ContextVar._cache else ContextVar(key, 0) for key in self.kwargs}
        self.before.append({key: var.value for key, var in known.items()})
        for key, var in known.items():
            var.value = self.kwargs[key]
        return self

    def __exit__(self, *exc):
        for key, value in self.before.pop().items():
            ContextVar._cache[key].value = value


class GlobalCounters:
    """tinygrad's counters. Nothing is counted here: DEBUG=2 shows what each kernel does."""

    global_ops = global_mem = kernel_count = mem_used = 0
    time_sum_s = 0.0

    @staticmethod
    def reset() -> None:
        """All to 0."""


class Timing(contextlib.ContextDecorator):
    """Prints how long something took: with Timing("step: "): …"""

    def __init__(self, prefix: str = "", on_exit: Optional[Callable[[int], str]] = None, enabled: bool = True):
        self.prefix, self.on_exit, self.enabled = prefix, on_exit, enabled

    def __enter__(self):
        self.st = time.perf_counter_ns()

    def __exit__(self, *exc):
        self.et = time.perf_counter_ns() - self.st
        if self.enabled:
            print(f"{self.prefix}{self.et * 1e-6:6.2f} ms" + (self.on_exit(self.et) if self.on_exit else ""))


def colored(st, color: Optional[str], background: bool = False) -> str:
    """Text in a terminal's color; an upper-case name is a bright one."""
    colors = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
    if color is None or os.getenv("NO_COLOR"):
        return str(st)
    return f"\x1b[{10 * background + 60 * (color.upper() == color) + 30 + colors.index(color.lower())}m{st}\x1b[0m"


def ansistrip(s: str) -> str:
    """Text without colors."""
    return re.sub("\x1b\\[(K|.*?m)", "", s)


def ansilen(s: str) -> int:
    """How many characters are seen."""
    return len(ansistrip(s))


def all_same(items: Sequence[Any]) -> bool:
    """Whether all are equal."""
    return all(x == items[0] for x in items)


def ceildiv(num: Any, amt: Any) -> Any:
    """num / amt, rounded up."""
    return -(num // -amt)


def make_tuple(x: Union[int, Sequence[int]], cnt: int) -> Tuple[int, ...]:
    """One number as cnt of them; several as a tuple."""
    return (x,) * cnt if isinstance(x, int) else tuple(x)


def to_tuple(x: Any) -> Tuple[Any, ...]:
    """A list as a tuple, one thing as a tuple of it."""
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def fully_flatten(l: Any) -> List[Any]:
    """The elements of lists in lists in lists."""
    if not isinstance(l, (list, tuple)):
        return [l]
    return [item for sublist in l for item in fully_flatten(sublist)]


def partition(itr: Iterable[T], fxn: Callable[[T], bool]) -> Tuple[List[T], List[T]]:
    """Those for which it is true, and the others."""
    items = list(itr)
    return [x for x in items if fxn(x)], [x for x in items if not fxn(x)]


def merge_dicts(ds: Iterable[Dict[Any, Any]]) -> Dict[Any, Any]:
    """All entries in one; a key must have one value everywhere."""
    merged: Dict[Any, Any] = {}
    for d in ds:
        for key, value in d.items():
            if merged.setdefault(key, value) != value:
                raise AssertionError(f"{key!r} is {merged[key]!r} and {value!r}")
    return merged


def unwrap(x: Optional[T]) -> T:
    """x, which must not be None."""
    if x is None:
        raise AssertionError("a value is None")
    return x


def get_child(obj: Any, key: str) -> Any:
    """What "layers.0.weight" names in a model."""
    for k in key.split("."):
        obj = obj[int(k)] if k.isnumeric() else obj[k] if isinstance(obj, dict) else getattr(obj, k)
    return obj


def fetch(
    url: str, name: Optional[Union[str, pathlib.Path]] = None, subdir: Optional[str] = None, gunzip: bool = False, allow_caching: bool = True,
    headers: Optional[Dict[str, str]] = None, sha256: Optional[str] = None,
) -> pathlib.Path:  # fmt: skip
    """A file from the net, kept in the user's folder for caches; a path is itself."""
    if url.startswith(("/", ".")):
        return pathlib.Path(url)
    cache = pathlib.Path(os.getenv("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))) / "teenygrad" / "downloads" / (subdir or "")
    path = pathlib.Path(name) if isinstance(name, pathlib.Path) else cache / (name or hashlib.md5(url.encode()).hexdigest() + (".gunzip" if gunzip else ""))
    if path.is_file() and allow_caching:
        return path
    with urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": "teenygrad", **(headers or {})}), timeout=30) as answer:
        data = gzip.decompress(answer.read()) if gunzip else answer.read()
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise RuntimeError(f"{url}: this is not the file with the SHA-256 {sha256}")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_bytes(data)
    part.replace(path)
    return path


class tqdm:
    """A progress bar like tqdm's, for programs that import tinygrad's: a line that is written anew on a terminal, and nothing elsewhere."""

    def __init__(self, iterable: Optional[Iterable[Any]] = None, desc: str = "", disable: bool = False, unit: str = "it", unit_scale=False, total=None, rate: int = 20):
        self.iterable, self.desc, self.unit, self.rate = iterable, desc, unit, rate
        self.disable = disable or not sys.stderr.isatty()
        self.total = total if total is not None else len(iterable) if isinstance(iterable, Sized) else None
        self.n, self.start, self.shown = 0, time.perf_counter(), 0.0

    def __iter__(self):
        for item in self.iterable or ():
            yield item
            self.update(1)
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def set_description(self, desc: str) -> None:
        """What stands in front."""
        self.desc = desc

    def update(self, n: int = 1, close: bool = False) -> None:
        """So many more are done."""
        self.n += n
        now = time.perf_counter()
        if self.disable or (not close and now - self.shown < 1 / self.rate):
            return
        self.shown, seconds = now, now - self.start
        of = f"/{self.total}" if self.total else ""
        speed = f"{self.n / seconds:.2f}{self.unit}/s" if seconds > 0 else ""
        print(f"\r{self.desc} {self.n}{of} [{seconds:.0f}s {speed}]\x1b[K", end="\n" if close else "", file=sys.stderr, flush=True)

    def close(self) -> None:
        """The last line stays."""
        self.update(0, close=True)

    @staticmethod
    def write(s: str) -> None:
        """A line above the bar."""
        print(f"\r\x1b[K{s}" if sys.stderr.isatty() else s, file=sys.stderr)


def trange(n: int, **kwargs: Any) -> tqdm:
    """tqdm(range(n))."""
    return tqdm(range(n), **kwargs)


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

    @property
    def min(self) -> Union[int, float]:
        """The smallest value; of a float, minus infinity."""
        return dtypes.min(self)

    @property
    def max(self) -> Union[int, float]:
        """The largest value; of a float, infinity."""
        return dtypes.max(self)

    def scalar(self) -> "DType":
        """tinygrad's vectors have elements; here a dtype is one element's."""
        return self


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
    int8s, int16s, int32s, int64s = (int8, uint8), (int16, uint16), (int32, uint32), (int64, uint64)
    all = (bool, *ints, *floats)

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
    def is_bool(x: DType) -> builtins.bool:
        """The type of truth values."""
        return x == dtypes.bool

    @staticmethod
    def min(dtype: DType) -> Union[builtins.int, builtins.float]:
        """The smallest value; of a float, minus infinity."""
        if dtypes.is_int(dtype):
            return 0 if dtypes.is_unsigned(dtype) else -(2 ** (8 * dtype.itemsize - 1))
        return -math.inf if dtypes.is_float(dtype) else False

    @staticmethod
    def max(dtype: DType) -> Union[builtins.int, builtins.float]:
        """The largest value; of a float, infinity."""
        if dtypes.is_int(dtype):
            return dtypes.min(dtype) + 2 ** (8 * dtype.itemsize) - 1
        return math.inf if dtypes.is_float(dtype) else True

    @staticmethod
    def finfo(dtype: DType) -> Tuple[builtins.int, builtins.int]:
        """The bits of a float's exponent and of its mantissa."""
        return {dtypes.float16: (5, 10), dtypes.bfloat16: (8, 7), dtypes.float32: (8, 23), dtypes.float64: (11, 52)}[dtype]

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
