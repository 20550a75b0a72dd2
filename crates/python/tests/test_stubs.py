"""The stubs are those of what is installed."""

import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent.parent


def test_stubs_are_up_to_date():
    sys.path.insert(0, str(FOLDER))
    import stubs

    assert stubs.text() == stubs.FILE.read_text(), "run python crates/python/stubs.py"
