"""Weights by name: out of models, into files, and back."""

import io
import json
import os
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np

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


def load_state_dict(
    model: Any, state_dict: Dict[str, Tensor], strict: bool = True, verbose: bool = False, consume: bool = False, realize: bool = True
) -> List[Tensor]:
    """Gives the model's tensors the values that state_dict has under their names, and gives them back. With strict, every tensor of the
    model must be there."""
    named = get_state_dict(model)
    missing = [name for name in named if name not in state_dict]
    if strict and missing:
        raise KeyError(f"the state has no {missing[0]!r}; it has {', '.join(map(repr, list(state_dict)[:5]))}…")
    loaded = []
    for name, tensor in named.items():
        if name in state_dict:
            if tensor.shape != state_dict[name].shape:
                raise ValueError(f"Shape mismatch in layer `{name}`: Expected shape {tensor.shape}, but found {state_dict[name].shape} in state dict.")
            loaded.append(tensor.assign(state_dict[name].to(tensor.device).cast(tensor.dtype)))
            if consume:
                del state_dict[name]
    if realize:
        Tensor.corealize(loaded)
    return loaded


# ---- Other people's files ------------------------------------------------


def _bytes(fn: Union[Tensor, str, os.PathLike]) -> bytes:
    if isinstance(fn, Tensor):
        return bytes(fn.data())
    with open(fn, "rb") as file:
        return file.read()


def safe_load_metadata(fn: Union[Tensor, str, os.PathLike]) -> Tuple[Tensor, int, Dict[str, Any]]:
    """The bytes of a safetensors file, where its elements begin, and what its header says of them."""
    data = _bytes(fn)
    length = int.from_bytes(data[:8], "little")
    return Tensor(data), 8 + length, json.loads(data[8 : 8 + length])


def zip_extract(t: Union[Tensor, str, os.PathLike]) -> Dict[str, Tensor]:
    """The files in a zip file, as bytes."""
    with zipfile.ZipFile(io.BytesIO(_bytes(t))) as archive:
        return {name: Tensor(archive.read(name)) for name in archive.namelist() if not name.endswith("/")}


def tar_extract(t: Union[Tensor, str, os.PathLike]) -> Dict[str, Tensor]:
    """The files in a tar file, as bytes."""
    with tarfile.open(fileobj=io.BytesIO(_bytes(t))) as archive:
        files = ((member.name, archive.extractfile(member)) for member in archive)
        return {name: Tensor(file.read()) for name, file in files if file is not None}


def torch_load(t: Union[Tensor, str, os.PathLike]) -> Any:
    """What torch.save has written (of version 1.6 or later), with tensors in place of PyTorch's. Nothing but tensors, lists, dicts, numbers
    and texts is made of it: whatever else a pickle may ask for is refused."""
    archive = zipfile.ZipFile(io.BytesIO(_bytes(t)))
    folder = next(name for name in archive.namelist() if name.endswith("data.pkl"))[: -len("data.pkl")]
    kinds = {
        "Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16", "Long": "int64", "Int": "int32", "Short": "int16",
        "Char": "int8", "Byte": "uint8", "Bool": "bool",
    }  # fmt: skip

    def tensor(storage, offset, size, stride, requires_grad=False, *_):
        name, data = storage
        elements = np.frombuffer(data, "uint16" if name == "bfloat16" else name)[offset:]
        view = np.lib.stride_tricks.as_strided(elements, size, [step * elements.itemsize for step in stride], writeable=False)
        if size and elements.size <= sum((n - 1) * step for n, step in zip(size, stride)) and 0 not in size:
            raise ValueError(f"a tensor of shape {tuple(size)} reaches beyond its {elements.size} elements")
        found = Tensor(np.array(view))
        return found.bitcast("bfloat16") if name == "bfloat16" else found

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            if module == "torch._utils" and name == "_rebuild_tensor_v2":
                return tensor
            if module == "torch._utils" and name == "_rebuild_parameter":
                return lambda data, requires_grad, hooks: data
            if module == "torch" and name.endswith("Storage") and name[: -len("Storage")] in kinds:
                return kinds[name[: -len("Storage")]]
            if (module, name) == ("collections", "OrderedDict"):
                return OrderedDict
            raise pickle.UnpicklingError(f"{module}.{name} is neither a tensor nor a list, a dict, a number or a text")

        def persistent_load(self, pid):
            _, kind, key, _, _ = pid
            return kind, archive.read(f"{folder}data/{key}")

    with archive:
        return Unpickler(io.BytesIO(archive.read(f"{folder}data.pkl"))).load()
