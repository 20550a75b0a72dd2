"""Pictures of graphs and of memory: what Tensor.graph(), lazy_graph(), kernel_graph() and memory_diagram() give."""

from teenygrad._teenygrad import Picture

__all__ = ["Picture"]
