"""The differentiable functions, by the original's names: each is used through apply, as in Relu.apply(x) or Sum.apply(x, new_shape=(1,)).
What they do, and the derivation of each gradient, is in src/mlops of the Rust library."""

from teenygrad import _teenygrad
from teenygrad.lazy import LazyBuffer
from teenygrad.tensor import Function


class _Mlop(Function):
    argument = None  # the name of forward's argument after the inputs

    def forward(self, *args, **kwargs):
        inputs = [x for x in args if isinstance(x, LazyBuffer)]
        rest = [x for x in args if not isinstance(x, LazyBuffer)]
        if kwargs.pop("bitcast", False) or (self.argument == "dtype" and len(rest) == 2 and rest.pop()):
            return inputs[0].cast(kwargs.get("dtype", rest[0] if rest else None), True)
        argument = rest[0] if rest else kwargs.pop(self.argument, None) if self.argument else None
        if self.argument == "axis" and isinstance(argument, int):
            argument = (argument,)
        self._mlop = _teenygrad.Mlop(type(self).__name__, inputs[0], argument)
        self._inputs = len(inputs)
        return self._mlop.forward(*inputs)

    def backward(self, grad_output):
        needs = [bool(need) for need in self.needs_input_grad] if len(self.needs_input_grad) == self._inputs else [True] * self._inputs
        grads = self._mlop.backward(grad_output, needs)
        return grads[0] if len(grads) == 1 else tuple(grads)


def _define(name, argument=None):
    return type(name, (_Mlop,), {"argument": argument, "__module__": __name__, "__doc__": f"The function {name}."})


Contiguous, ContiguousBackward, Zero = _define("Contiguous"), _define("ContiguousBackward"), _define("Zero")
Cast = _define("Cast", "dtype")
Neg, Sin, Relu, Log, Exp, Sqrt, Sigmoid = (_define(name) for name in ("Neg", "Sin", "Relu", "Log", "Exp", "Sqrt", "Sigmoid"))
Less, Add, Sub, Mul, Div, Where = (_define(name) for name in ("Less", "Add", "Sub", "Mul", "Div", "Where"))
Sum, Max = _define("Sum", "new_shape"), _define("Max", "new_shape")
Expand, Reshape = _define("Expand", "shape"), _define("Reshape", "shape")
Permute = _define("Permute", "order")
Pad, Shrink = _define("Pad", "arg"), _define("Shrink", "arg")
Flip = _define("Flip", "axis")
