"""Writes python/teenygrad/_teenygrad.pyi: the types of what is compiled, from the signatures that it tells and a table of what
parameters of each name take.

    python crates/python/stubs.py          # with the package installed
"""

import inspect
import pathlib
import re
import sys

from teenygrad import _teenygrad

FILE = pathlib.Path(__file__).parent / "python/teenygrad/_teenygrad.pyi"

HEAD = '''"""What is compiled. Written by crates/python/stubs.py."""

import builtins
from typing import Any, Callable, ClassVar, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from teenygrad.helpers import DType
from teenygrad.tensor import inference_mode as _inference_mode
from teenygrad.tensor import train as _train

Number = Union[bool, int, float]
Operand = Union["Tensor", Number, Sequence[Any], np.ndarray]
Sizes = Union[int, Sequence[int]]
Axis = Union[None, int, Sequence[int]]
Pairs = Union[Sequence[Optional[Tuple[int, int]]], Sequence[int]]
AnyDType = Union[DType, str]

__version__: str
'''

# Parameters by name; a method's own table, below, comes first.
PARAMETERS = {
    "x": "Operand", "input": "Operand", "other": "Operand", "value": "Operand", "reverse": "bool", "axis": "Axis", "keepdim": "bool",
    "dim": "int", "dims": "Axis", "shape": "Sizes", "args": "Any", "order": "Sizes", "repeats": "Sizes", "arg": "Pairs", "dtype": "Optional[AnyDType]",
    "device": "Optional[str]", "requires_grad": "Optional[bool]", "weight": "Tensor", "bias": "Optional[Tensor]", "groups": "int",
    "stride": "Optional[Sizes]", "dilation": "Sizes", "padding": "Sizes", "output_padding": "Sizes", "kernel_size": "Sizes", "eps": "float",
    "Y": "Tensor", "y": "Tensor", "ignore_index": "Optional[int]", "index": "Any", "idx": "Any", "src": "Operand", "mask": "Tensor",
    "correction": "int", "k": "int", "num": "int", "sizes": "Sizes", "tensors": "Sequence[Tensor]", "lst": "Tensor", "data": "Any", "p": "float",
    "alpha": "float", "beta": "float", "neg_slope": "float", "min_val": "float", "max_val": "float", "min_": "Optional[float]", "max_": "Optional[float]",
    "seed": "int", "fill_value": "Number", "start": "Number", "stop": "Optional[Number]", "step": "Number", "steps": "int", "low": "float",
    "high": "float", "mean": "float", "std": "float", "a": "float", "m": "Optional[int]", "num_samples": "int", "replacement": "bool",
    "size": "Sizes", "mode": "str", "align_corners": "bool", "ceil_mode": "bool", "count_include_pad": "bool", "start_dim": "int", "end_dim": "int",
    "ax1": "int", "ax2": "int", "dim1": "int", "dim2": "int", "source": "int", "destination": "int", "shifts": "Sizes", "descending": "bool",
    "largest": "bool", "sorted_": "bool", "num_classes": "int", "reduce": "Optional[str]", "formula": "str", "operands": "Tensor",
    "reduction": "str", "label_smoothing": "float", "rtol": "float", "atol": "float", "equal_nan": "bool", "end": "Tensor", "key": "Tensor",
    "attn_mask": "Optional[Tensor]", "dropout_p": "float", "is_causal": "bool", "ll": "Sequence[Callable[[Tensor], Tensor]]", "w": "Tensor",
    "gradient": "Optional[Tensor]", "copy": "Optional[bool]", "stream": "None", "max_version": "Optional[Tuple[int, int]]",
    "dl_device": "Optional[Tuple[int, int]]", "indexing": "str", "n": "int", "op": "Any", "srcs": "LazyBuffer", "new_shape": "Sizes",
    "bitcast": "bool", "seen": "Any", "requires_grad_": "Optional[bool]", "invstd": "Tensor", "modulo": "None", "name": "str", "path": "str",
    "acc_dtype": "Optional[AnyDType]", "approximate": "str", "gamma": "float", "detect_positive": "bool", "detect_negative": "bool", "offset": "int",
    "dim0": "int", "diagonal": "int", "chunks": "int", "rounding_mode": "Optional[str]", "return_indices": "bool", "indices": "Tensor",
    "output_size": "Optional[Sizes]", "include_self": "bool", "full_matrices": "bool", "targets": "Tensor", "is_param": "bool", "enable_gqa": "bool",
    "pos_weight": "Optional[Tensor]", "params": "Sequence[float]",
}  # fmt: skip

OWN = {
    ("Tensor", "scaled_dot_product_attention"): {"value": "Tensor"},
    ("Tensor", "nll_loss"): {"weight": "Optional[Tensor]"},
    ("Tensor", "lerp"): {"weight": "Operand"},
    ("Tensor", "selu"): {"alpha": "float", "gamma": "float"},
    ("Tensor", "pad"): {"padding": "Optional[Pairs]"},
    ("Tensor", "normalize"): {"p": "float"},
    ("Tensor", "scatter_reduce"): {"reduce": "str", "src": "Tensor"},
    ("Tensor", "masked_select"): {"size": "Optional[int]"},
    ("Tensor", "nonzero"): {"size": "Optional[int]"},
    ("Tensor", "rearrange"): {"sizes": "int"},
    ("Tensor", "einsum"): {"operands": "Any"},
    ("Tensor", "logcumsumexp"): {"axis": "int"},
    ("Tensor", "softmin"): {"axis": "int"},
    ("Tensor", "batchnorm"): {"weight": "Optional[Tensor]", "mean": "Tensor", "axis": "int"},
    ("Tensor", "pad_to"): {"value": "Number"},
    ("Tensor", "squeeze"): {"dim": "Axis"},
    ("Tensor", "eye"): {"dim": "int"},
    ("Tensor", "size"): {"dim": "Optional[int]"},
    ("Tensor", "roll"): {"shifts": "Sizes"},
    ("Tensor", "repeat_interleave"): {"repeats": "int", "dim": "Optional[int]"},
    ("Tensor", "unfold"): {"size": "int", "step": "int"},
    ("Tensor", "type_as"): {"other": "Tensor"},
    ("Tensor", "isclose"): {"other": "Tensor"},
    ("Tensor", "allclose"): {"other": "Tensor"},
    ("Tensor", "softmax"): {"axis": "int"},
    ("Tensor", "log_softmax"): {"axis": "int"},
    ("Tensor", "cumsum"): {"axis": "int"},
    ("Tensor", "cumprod"): {"axis": "int"},
    ("Tensor", "cummax"): {"axis": "int"},
    ("Tensor", "cummin"): {"axis": "int"},
    ("Tensor", "pad2d"): {"padding": "Sequence[int]", "value": "float"},
    ("Tensor", "linspace"): {"start": "float", "stop": "float"},
    ("Tensor", "corealize"): {"lst": "Sequence[Tensor]"},
    ("Tensor", "from_dlpack"): {"x": "Any"},
    ("Tensor", "__array__"): {"dtype": "Any"},
    ("Tensor", "split"): {"sizes": "Sizes"},
    ("LazyBuffer", "const"): {"x": "Number"},
    ("LazyBuffer", "fromCPU"): {"x": "np.ndarray"},
    ("LazyBuffer", "loadop"): {"src": "Optional[LazyBuffer]", "arg": "Optional[Number]"},
    ("LazyBuffer", "reshape"): {"arg": "Sizes"},
    ("LazyBuffer", "expand"): {"arg": "Sizes"},
    ("LazyBuffer", "permute"): {"arg": "Sizes"},
    ("LazyBuffer", "stride"): {"arg": "Sizes"},
    ("LazyBuffer", "shrink"): {"arg": "Sequence[Tuple[int, int]]"},
    ("LazyBuffer", "pad"): {"arg": "Sequence[Tuple[int, int]]"},
}

RETURNS = {
    "numel": "int", "element_size": "int", "nbytes": "int", "is_floating_point": "bool", "size": "Any", "__len__": "int", "__bool__": "bool",
    "__hash__": "int", "__repr__": "str", "__float__": "float", "__int__": "int", "corealize": "None", "to_": "None", "manual_seed": "None",
    "numpy": "np.ndarray", "__array__": "np.ndarray", "tolist": "Any", "item": "Any", "data": "memoryview", "__dlpack__": "Any",
    "__dlpack_device__": "Tuple[int, int]", "deepwalk": "List[Tensor]", "chunk": "List[Tensor]", "split": "Tuple[Tensor, ...]",
    "cummax": "Tuple[Tensor, Tensor]", "cummin": "Tuple[Tensor, Tensor]", "qr": "Tuple[Tensor, Tensor]", "svd": "Tuple[Tensor, Tensor, Tensor]",
    "std_mean": "Tuple[Tensor, Tensor]", "var_mean": "Tuple[Tensor, Tensor]", "gradient": "List[Tensor]", "max_pool2d": "Any",
    "meshgrid": "List[Tensor]", "sort": "Tuple[Tensor, Tensor]", "topk": "Tuple[Tensor, Tensor]", "allclose": "bool", "toCPU": "np.ndarray",
    "is_unrealized_contiguous_const": "bool", "schedule": "List[str]", "__setitem__": "None", "sequential": "Any", "__reduce__": "Tuple[Any, ...]",
    "graph": "Picture", "lazy_graph": "Picture", "kernel_graph": "Picture", "memory_diagram": "Picture", "svg": "str", "save": "None",
}  # fmt: skip

PROPERTIES = {
    "shape": "Tuple[int, ...]", "dtype": "DType", "device": "str", "ndim": "int", "grad": "Optional[Tensor]", "requires_grad": "Optional[bool]",
    "lazydata": "LazyBuffer", "is_param": "bool", "_ctx": "Optional[Tuple[str, List[Tensor]]]", "base": "LazyBuffer", "realized": "Optional[LazyBuffer]",
}  # fmt: skip
SETTABLE = {"grad", "requires_grad", "lazydata"}

# What teenygrad.tensor adds in Python.
ADDED = {
    "Tensor": """    training: ClassVar[builtins.bool]
    no_grad: ClassVar[builtins.bool]
    default_type: ClassVar[DType]
    train = _train
    inference_mode = _inference_mode
    @staticmethod
    def test(val: bool = ...) -> _train: ...
    def __init__(self, data: Any = ..., device: Optional[str] = ..., dtype: Optional[AnyDType] = ..., requires_grad: Optional[bool] = ...) -> None: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    @staticmethod
    def _stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor: ...
    def stack(self: Union[Tensor, Sequence[Tensor]], *args: Any, dim: int = 0) -> Tensor: ...
""",
    "LazyBuffer": "",
    "Picture": "",
}
SKIPPED = {"training", "no_grad", "default_type", "train", "inference_mode", "test", "stack", "__new__", "__doc__", "__module__"}
INPLACE = ("add", "sub", "mul", "truediv", "matmul", "pow", "floordiv", "mod", "and", "or", "xor", "lshift", "rshift")


def method(owner, name, function, static):
    """One method's lines."""
    own = OWN.get((owner, name), {})
    signature = inspect.signature(function)
    parts, seen_star = [], False
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            parts.append("self")
            continue
        kind = own.get(parameter.name) or PARAMETERS.get(parameter.name, "Any")
        if name == "__getitem__" or (name == "__setitem__" and parameter.name == "key"):
            kind = "Any"
        default = ""
        if parameter.default is not inspect.Parameter.empty:
            default = f" = {parameter.default!r}" if parameter.default is not ... else " = ..."
            if parameter.default is None and not kind.startswith(("Optional", "Axis", "None", "Any")):
                kind = f"Optional[{kind}]"
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            parts.append(f"**{parameter.name}: {kind}")
            continue
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            seen_star = True
            parts.append(f"*{parameter.name}: {'Any' if kind == 'Sizes' else kind}")
            continue
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not seen_star:
            parts.append("*")
            seen_star = True
        parts.append(f"{parameter.name}: {kind}{default}")
    returns = RETURNS.get(name, owner)
    ignore = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
    lines = "    @staticmethod\n" if static else ""
    text = inspect.getdoc(function)
    body = " ..."
    if text and not name.startswith("__"):
        written = "\n".join(f"        {line}".rstrip() for line in f'"""{text}"""'.splitlines())
        body = f"\n{written}"
    return f"{lines}    def {name}({', '.join(parts)}) -> {returns}:{body}{ignore if body == ' ...' else ''}\n"


def qualified(line):
    """Inside of Tensor, `int` and its kin are methods."""
    if line.lstrip().startswith(("def ", "train", "no_grad")):
        line = re.sub(r"(?<=[:>,] )(int|float|bool)\b", r"builtins.\1", line)
        line = re.sub(r"(?<=\[)(int|float|bool)\b", r"builtins.\1", line)
    return line


def cls(owner):
    """One class's lines."""
    kind = getattr(_teenygrad, owner)
    text = f"class {owner}:\n" + ADDED[owner]
    for name in sorted(vars(kind), key=lambda name: (name.startswith("__"), name)):
        value = vars(kind)[name]
        if name in SKIPPED or (name.startswith("_") and not name.startswith("__") and name not in PROPERTIES):
            continue
        if inspect.isgetsetdescriptor(value):
            returns = PROPERTIES.get(name, owner)
            text += f"    @property\n    def {name}(self) -> {returns}: ...\n"
            if name in SETTABLE:
                text += f"    @{name}.setter\n    def {name}(self, value: {returns}) -> None: ...\n"
        elif isinstance(value, staticmethod):
            text += method(owner, name, value.__func__, True)
        elif name.startswith("__i") and name[3:-2] in INPLACE:
            more = ", modulo: None = None" if name == "__ipow__" else ""
            ignore = "  # type: ignore[misc]" if more else ""
            text += f"    def {name}(self, x: Operand{more}) -> Tensor: ...{ignore}\n"
        elif callable(value):
            try:
                text += method(owner, name, value, False)
            except ValueError:
                continue
    return "\n".join(map(qualified, text.split("\n")))


REST = '''
class Steps:
    @staticmethod
    def sgd(params: Sequence[Tensor], momentum: float, weight_decay: float, nesterov: bool) -> Steps: ...
    @staticmethod
    def lars(
        params: Sequence[Tensor], momentum: float, weight_decay: float, ns_steps: int, ns_coefficients: Sequence[float], nesterov: bool,
        classic: bool, pre_wd: bool, tcoef: float,
    ) -> Steps: ...
    @staticmethod
    def lamb(params: Sequence[Tensor], b1: float, b2: float, eps: float, weight_decay: float, adam: bool) -> Steps: ...
    def step(self, lr: Union[Number, Tensor], along: Sequence[Tensor]) -> None: ...
    def state(self) -> List[Tuple[str, List[Tensor]]]: ...

class Mlop:
    def __init__(self, name: str, x: LazyBuffer, arg: Any) -> None: ...
    def forward(self, *x: LazyBuffer) -> LazyBuffer: ...
    def backward(self, dy: LazyBuffer, needs: Sequence[bool]) -> List[Optional[LazyBuffer]]: ...

layers: Any

def apply_function(context: Any, tensors: Sequence[Tensor], keywords: Optional[Dict[str, Any]]) -> Tensor: ...
def optimizer_group(tensors: Sequence[Tensor]) -> Tuple[List[int], List[int]]: ...
def safe_save(tensors: Dict[str, Tensor], fn_: Any, metadata: Any = None) -> None: ...
def safe_load(fn_: Any) -> Dict[str, Tensor]: ...
def mnist() -> Tuple[Tensor, Tensor, Tensor, Tensor]: ...
def register_dtypes(objects: List[DType]) -> None: ...
def dtype_table() -> List[Tuple[str, int, int]]: ...
def promote(a: AnyDType, b: AnyDType) -> DType: ...
def canonicalize(device: Optional[str] = None) -> str: ...
'''


def text():
    """The whole file."""
    return HEAD + "\n" + cls("Tensor") + "\n" + cls("LazyBuffer") + "\n" + cls("Picture") + REST


if __name__ == "__main__":
    FILE.write_text(text())
    print(f"{FILE}: {len(text().splitlines())} lines", file=sys.stderr)
