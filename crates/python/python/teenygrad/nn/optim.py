"""From gradients to better parameters. The formulas, and the arithmetic, are in src/nn/optim.rs of the Rust library."""

from typing import List, Optional

from teenygrad import _teenygrad
from teenygrad.tensor import Tensor


class Optimizer:
    """Tensors and a learning rate: what all optimizers have in common.

    Tensors whose requires_grad is unset require a gradient from now on; those with requires_grad=False are buffers, which are computed
    along with the rest. A tensor that is given twice counts once. lr is a tensor of one element; a number may be put in its place.
    """

    def __init__(self, params: List[Tensor], lr: float):
        tensors = list(params)
        trained, others = _teenygrad.optimizer_group(tensors)
        self.params: List[Tensor] = [tensors[i] for i in trained]
        self.buffers: List[Tensor] = [tensors[i] for i in others]
        if not self.params:
            from teenygrad.errors import StateError

            raise StateError("optimizer must have at least one param")
        self.device = self.params[0].device
        self.lr = Tensor([lr], requires_grad=False, device=self.device)

    def zero_grad(self) -> None:
        """Forgets the parameters' gradients: they would add up otherwise."""
        for param in self.params:
            param.grad = None

    def realize(self, extra: Optional[List[Tensor]] = None) -> None:
        """Computes parameters, buffers and extra together."""
        Tensor.corealize((extra or []) + self.params + self.buffers)

    def step(self) -> None:
        """Moves every parameter against its gradient, and computes all new values."""
        self._steps.step(self.lr, self.buffers)

    def schedule_step(self) -> List[Tensor]:
        """tinygrad's step that computes nothing yet: here it is step."""
        self.step()
        return []

    def _keep(self, steps) -> None:
        self._steps = steps
        self.__dict__.update(steps.state())


class SGD(Optimizer):
    """Stochastic gradient descent: g += wd·p, b = momentum·b + g, p -= lr·b, or with nesterov p -= lr·(g + momentum·b)."""

    def __init__(self, params: List[Tensor], lr=0.001, momentum=0, weight_decay=0.0, nesterov=False):
        super().__init__(params, lr)
        self.momentum, self.wd, self.nesterov = momentum, weight_decay, nesterov
        self.b: List[Tensor] = []
        self._keep(_teenygrad.Steps.sgd(self.params, momentum, weight_decay, nesterov))


class LAMB(Optimizer):
    """Adam with a step that is measured by the layer; with adam=True, AdamW (and with wd=0 also Adam)."""

    def __init__(self, params: List[Tensor], lr=0.001, b1=0.9, b2=0.999, eps=1e-6, wd=0.0, adam=False):
        super().__init__(params, lr)
        self.b1, self.b2, self.eps, self.wd, self.adam, self.t = b1, b2, eps, wd, adam, 0
        self._keep(_teenygrad.Steps.lamb(self.params, b1, b2, eps, wd, adam))

    def step(self) -> None:
        self.t += 1
        super().step()


def AdamW(params: List[Tensor], lr=0.001, b1=0.9, b2=0.999, eps=1e-8, wd=0.01, weight_decay: Optional[float] = None) -> LAMB:
    """Adam with weight decay of its own (Loshchilov & Hutter, 2017). weight_decay is tinygrad's name of wd."""
    return LAMB(params, lr, b1, b2, eps, wd if weight_decay is None else weight_decay, adam=True)


def Adam(params: List[Tensor], lr=0.001, b1=0.9, b2=0.999, eps=1e-8) -> LAMB:
    """p -= lr · m̂ / (√v̂ + eps), with running means m of the gradient and v of its square (Kingma & Ba, 2014)."""
    return LAMB(params, lr, b1, b2, eps, 0.0, adam=True)
