"""tinygrad's place of TinyJit."""

from teenygrad.jit import TinyJit

__all__ = ["TinyJit"]
