"""Optimizers, layers, weights on disk."""

from teenygrad.nn import optim, state

__all__ = ["optim", "state"]
