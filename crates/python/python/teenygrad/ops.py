"""The closed list of primitive operations, and the device."""

from enum import Enum, auto
from typing import List, Optional

from teenygrad import _teenygrad

__all__ = ["UnaryOps", "BinaryOps", "ReduceOps", "TernaryOps", "MovementOps", "LoadOps", "Device"]


class UnaryOps(Enum):
    NOOP = auto(); EXP2 = auto(); LOG2 = auto(); CAST = auto(); SIN = auto(); SQRT = auto(); RECIP = auto(); NEG = auto()  # noqa: E702


class BinaryOps(Enum):
    ADD = auto(); SUB = auto(); MUL = auto(); DIV = auto(); MAX = auto(); MOD = auto(); CMPLT = auto()  # noqa: E702


class ReduceOps(Enum):
    SUM = auto(); MAX = auto()  # noqa: E702


class TernaryOps(Enum):
    MULACC = auto(); WHERE = auto()  # noqa: E702


class MovementOps(Enum):
    RESHAPE = auto(); PERMUTE = auto(); EXPAND = auto(); PAD = auto(); SHRINK = auto(); STRIDE = auto()  # noqa: E702


class LoadOps(Enum):
    EMPTY = auto(); RAND = auto(); CONST = auto(); FROM = auto(); CONTIGUOUS = auto(); CUSTOM = auto()  # noqa: E702


class _Engine:
    """A device as tinygrad's programs see one: there is nothing to wait for here, as realize() returns when it is done."""

    def __init__(self, device: str):
        self.device = self.dname = device

    def synchronize(self) -> None:
        """Returns at once."""


class _ByName(type):
    def __getitem__(cls, device: str) -> _Engine:
        return _Engine(_teenygrad.canonicalize(device))


class Device(metaclass=_ByName):
    """Where tensors live: "CPU", or "REFERENCE", the slow engine that defines what is right."""

    DEFAULT: str = _teenygrad.canonicalize()
    _buffers: List[str] = ["CPU", "REFERENCE"]

    @staticmethod
    def canonicalize(device: Optional[str]) -> str:
        """The device's name as the package writes it; None is the default one."""
        return _teenygrad.canonicalize(device)

    @staticmethod
    def get_available_devices() -> List[str]:
        """All devices."""
        return list(Device._buffers)
