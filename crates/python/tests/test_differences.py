"""The README's tables of differences are true, and nothing of tinygrad's API is missing that they don't name."""

import pathlib
import re

import pytest

from teenygrad import Tensor, Variable, dtypes, nn

FOLDER = pathlib.Path(__file__).parent
README = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
NAMES = dict(Tensor=Tensor, Variable=Variable, dtypes=dtypes)
VALUES = re.findall(r"\| `([^`|]+)` is `([^`|]+)` \|", README)
MISTAKES = re.findall(r"\| `([^`|]+)` raises (\w+Error) \|", README)


@pytest.mark.parametrize("expression,value", VALUES)
def test_what_the_tables_say(expression, value):
    assert repr(eval(expression, dict(NAMES))) == repr(eval(value, dict(NAMES)))


@pytest.mark.parametrize("expression,error", MISTAKES)
def test_what_raises(expression, error):
    with pytest.raises(Exception) as raised:
        eval(expression, dict(NAMES))
    assert error in {kind.__name__ for kind in type(raised.value).__mro__}


def test_the_tables_are_read():
    assert len(VALUES) >= 9 and len(MISTAKES) >= 2


def listed():
    """The names that the README says are not here."""
    table = README.split("Names of tinygrad (0.14) that are not here:")[1].split("\n\nOf `helpers`")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def places():
    """tinygrad 0.14's public names, group by group, and where they would be here."""
    owners = {"Tensor": Tensor, "nn": nn, "nn.optim": nn.optim, "nn.state": nn.state, "nn.datasets": nn.datasets, "dtypes": dtypes}
    for line in (FOLDER / "tinygrad.txt").read_text().splitlines():
        group, names = line.split(": ")
        for name in names.split():
            yield owners[group], name


def test_every_name_of_tinygrad_is_here_or_listed():
    missing = {name for owner, name in places() if not hasattr(owner, name)}
    assert missing == listed()
