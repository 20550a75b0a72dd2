"""Sizes with names. In teenygrad all sizes are numbers, and so they are here: a tinygrad Variable that was bound is the number it was
bound to. Shapes that stay open have no use where a graph that was seen before finds its plan by itself."""

from typing import Tuple

sint = int


class Variable:
    """A number with a name and bounds, that bind gives its value.

    >>> i = Variable("i", 1, 10).bind(3)
    >>> i + 1, i.unbind()
    (4, (Variable('i', 1, 10), 3))
    """

    def __init__(self, expr: str, min: int, max: int):
        if not 0 <= min <= max:
            raise AssertionError(f"invalid Variable {expr}: {min} to {max}")
        self.expr, self.min, self.max = expr, min, max

    @property
    def vmin(self) -> int:
        return self.min

    @property
    def vmax(self) -> int:
        return self.max

    def bind(self, val: int) -> "BoundVariable":
        """The number val, which must be within the bounds, with this name."""
        if not self.min <= val <= self.max:
            raise AssertionError(f"cannot bind {val} to {self}")
        return BoundVariable(val, self)

    def __repr__(self) -> str:
        return f"Variable({self.expr!r}, {self.min}, {self.max})"

    def __eq__(self, other) -> bool:
        return isinstance(other, Variable) and (self.expr, self.min, self.max) == (other.expr, other.min, other.max)

    def __hash__(self) -> int:
        return hash((self.expr, self.min, self.max))


class BoundVariable(int):
    """The number that a Variable was bound to."""

    variable: Variable

    def __new__(cls, val: int, variable: Variable):
        number = super().__new__(cls, val)
        number.variable = variable
        return number

    @property
    def val(self) -> int:
        return int(self)

    @property
    def expr(self) -> str:
        return self.variable.expr

    def unbind(self) -> Tuple[Variable, int]:
        """The Variable, and the number."""
        return self.variable, int(self)
