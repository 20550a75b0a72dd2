"""tinygrad's place of dtypes."""

from typing import Union

from teenygrad.helpers import DTYPES_DICT, DType, ImageDType, PtrDType, dtypes, least_upper_dtype

__all__ = ["ConstType", "DTYPES_DICT", "DType", "DTypeLike", "ImageDType", "PtrDType", "dtypes", "least_upper_dtype", "least_upper_float", "to_dtype"]

ConstType = Union[float, int, bool]
DTypeLike = Union[str, DType]


def to_dtype(dtype: DTypeLike) -> DType:
    """A dtype by its name or alias; a dtype is itself."""
    return dtype if isinstance(dtype, DType) else getattr(dtypes, dtype.lower())


def least_upper_float(dt: DType) -> DType:
    """dt itself if it is a float, else the default one."""
    return dt if dtypes.is_float(dt) else dtypes.default_float
