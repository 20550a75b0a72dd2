"""What goes wrong, as exceptions. Each is of all the types that teenygrad, tinygrad, NumPy or PyTorch raise for that mistake, so that
an ``except`` written for one of them catches it here too."""


class ShapeError(ValueError, AssertionError, RuntimeError):
    """Shapes, sizes or numbers that don't fit together."""


class AxisError(IndexError, ValueError, AssertionError):
    """An axis that a tensor doesn't have."""


class DTypeError(TypeError, RuntimeError):
    """A dtype that an operation cannot have."""


class StateError(RuntimeError, AssertionError):
    """The right thing at the wrong time: a second backward through a freed graph, a step without gradients."""
