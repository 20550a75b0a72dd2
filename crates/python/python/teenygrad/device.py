"""tinygrad's place of Device."""

from teenygrad.ops import Device

__all__ = ["Device"]
