"""Weights by name: out of models, into files, and back."""

import os
from collections import OrderedDict
from typing import Any, Dict, List, Optional, Union

from teenygrad import _teenygrad
from teenygrad.tensor import Tensor


def safe_save(tensors: Dict[str, Tensor], fn: Union[str, os.PathLike], metadata: Optional[Dict[str, Any]] = None) -> None:
    """Writes named tensors into a safetensors file. The old file, if any, is replaced at once or not at all."""
    _teenygrad.safe_save(tensors, fn, metadata)


def safe_load(fn: Union[str, os.PathLike]) -> Dict[str, Tensor]:
    """All tensors of a safetensors file, by name."""
    return _teenygrad.safe_load(fn)


def get_state_dict(obj: Any, prefix: str = "", tensor_type=Tensor) -> Dict[str, Tensor]:
    """The tensors of a model by name: those in its attributes, lists and dicts, with dots in between.

    >>> class Net:
    ...     def __init__(self): self.layers = [Tensor.zeros(2), Tensor.ones(3)]
    >>> list(get_state_dict(Net()))
    ['layers.0', 'layers.1']
    """
    if isinstance(obj, tensor_type):
        return {prefix.strip("."): obj}
    if hasattr(obj, "_asdict"):
        return get_state_dict(obj._asdict(), prefix, tensor_type)
    if isinstance(obj, OrderedDict):
        return get_state_dict(dict(obj), prefix, tensor_type)
    if hasattr(obj, "__dict__"):
        return get_state_dict(obj.__dict__, prefix, tensor_type)
    state_dict: Dict[str, Tensor] = {}
    if isinstance(obj, (list, tuple)):
        for i, x in enumerate(obj):
            state_dict.update(get_state_dict(x, f"{prefix}{i}.", tensor_type))
    elif isinstance(obj, dict):
        for k, v in obj.items():
            state_dict.update(get_state_dict(v, f"{prefix}{k}.", tensor_type))
    return state_dict


def get_parameters(obj: Any) -> List[Tensor]:
    """The tensors of a model."""
    return list(get_state_dict(obj).values())


def load_state_dict(model: Any, state_dict: Dict[str, Tensor], strict: bool = True, verbose: bool = False, consume: bool = False) -> None:
    """Gives the model's tensors the values that state_dict has under their names. With strict, every tensor of the model must be there."""
    named = get_state_dict(model)
    missing = [name for name in named if name not in state_dict]
    if strict and missing:
        raise KeyError(f"the state has no {missing[0]!r}; it has {', '.join(map(repr, list(state_dict)[:5]))}…")
    for name, tensor in named.items():
        if name in state_dict:
            if tensor.shape != state_dict[name].shape:
                raise ValueError(f"Shape mismatch in layer `{name}`: Expected shape {tensor.shape}, but found {state_dict[name].shape} in state dict.")
            tensor.assign(state_dict[name].to(tensor.device).cast(tensor.dtype)).realize()
            if consume:
                del state_dict[name]
