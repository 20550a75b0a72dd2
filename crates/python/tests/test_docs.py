"""The examples in docstrings are true."""

import doctest

import numpy
import pytest

import teenygrad
from teenygrad import Tensor, Variable, dtypes, nn
from teenygrad.lazy import LazyBuffer
from teenygrad.nn.state import get_state_dict
from teenygrad.ops import BinaryOps, ReduceOps, UnaryOps
from teenygrad.tensor import Function

NAMES = dict(
    Tensor=Tensor, dtypes=dtypes, LazyBuffer=LazyBuffer, Function=Function, numpy=numpy, BinaryOps=BinaryOps, ReduceOps=ReduceOps,
    UnaryOps=UnaryOps, Linear=nn.Linear, Variable=Variable, get_state_dict=get_state_dict,
)  # fmt: skip


def documented():
    yield "teenygrad", teenygrad
    for owner in (Tensor, LazyBuffer):
        yield owner.__name__, owner
        for name in vars(owner):
            if not name.startswith("__"):
                yield f"{owner.__name__}.{name}", getattr(owner, name)
    for value in (Function, nn.Linear, get_state_dict, Variable):
        yield value.__name__, value


EXAMPLES = [(name, value.__doc__) for name, value in documented() if ">>>" in (getattr(value, "__doc__", None) or "")]


@pytest.mark.parametrize("name,text", EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_example(name, text):
    test = doctest.DocTestParser().get_doctest(text, dict(NAMES), name, None, 0)
    runner = doctest.DocTestRunner(verbose=False)
    report = []
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_there_are_examples():
    assert len(EXAMPLES) > 30
