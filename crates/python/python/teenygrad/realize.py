"""The plan, carried out: here, when a value is wanted."""

from typing import List


def run_schedule(schedule: List) -> None:
    """Runs what LazyBuffer.schedule() gave. In the original nothing is ever left to run; here realize() is what runs it."""
