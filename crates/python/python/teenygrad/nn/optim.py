"""From gradients to better parameters. The formulas, and the arithmetic, are in src/nn/optim.rs of the Rust library."""

from typing import Any, List, Optional

from teenygrad import _teenygrad
from teenygrad.tensor import Tensor


class Optimizer:
    """Tensors and a learning rate: what all optimizers have in common.

    Tensors whose requires_grad is unset require a gradient from now on; those with requires_grad=False are buffers, which are computed
    along with the rest. A tensor that is given twice counts once. lr is a tensor of one element; a number may be put in its place.
    """

    def __init__(self, params: List[Tensor], lr: float, device: Optional[str] = None, fused: Any = None):
        if lr < 0:
            raise ValueError(f"Invalid learning rate: {lr}")
        tensors = list(params)
        trained, others = _teenygrad.optimizer_group(tensors)
        self.params: List[Tensor] = [tensors[i] for i in trained]
        self.buffers: List[Tensor] = [tensors[i] for i in others]
        if not self.params:
            from teenygrad.errors import StateError

            raise StateError("optimizer must have at least one param")
        self.device = device or self.params[0].device
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
    """Stochastic gradient descent: g += wd·p, b = momentum·b + g, p -= lr·b, or with nesterov p -= lr·(g + momentum·b). With classic the
    learning rate is in the momentum: b = momentum·b + lr·g, p -= b."""

    def __init__(self, params: List[Tensor], lr=0.001, momentum=0, weight_decay=0.0, nesterov=False, classic=False, device=None, fused=None):
        super().__init__(params, lr, device, fused)
        self.momentum, self.wd, self.nesterov = momentum, weight_decay, nesterov
        self.b: List[Tensor] = []
        if classic:
            self._keep(_teenygrad.Steps.lars(self.params, momentum, weight_decay, 0, [], nesterov, True, True, 0.0))
        else:
            self._keep(_teenygrad.Steps.sgd(self.params, momentum, weight_decay, nesterov))


class LARS(Optimizer):
    """Layer-wise adaptive rate scaling (You et al., 2017): a step is measured by the parameter's size. What its switches do is in
    src/nn/lars.rs; Muon is one setting of them."""

    def __init__(
        self, params: List[Tensor], lr=0.001, momentum=0.9, weight_decay=1e-4, ns_steps=0, ns_coefficients=None, nesterov=False, classic=True,
        pre_wd=True, tcoef=0.001, device=None, fused=None,
    ):  # fmt: skip
        super().__init__(params, lr, device, fused)
        self.momentum, self.wd, self.ns_steps, self.ns_coefficients = momentum, weight_decay, ns_steps, ns_coefficients
        self.nesterov, self.classic, self.pre_wd, self.tcoef = nesterov, classic, pre_wd, tcoef
        self.b: List[Tensor] = []
        coefficients = list(ns_coefficients or [])
        self._keep(_teenygrad.Steps.lars(self.params, momentum, weight_decay, ns_steps, coefficients, nesterov, classic, pre_wd, tcoef))


def Muon(
    params: List[Tensor], lr=0.001, momentum=0.95, weight_decay=0.1, ns_steps=5, ns_coefficients=(3.4445, -4.775, 2.0315), nesterov=True,
    device=None, fused=None,
) -> LARS:  # fmt: skip
    """Gradient descent whose momentum is made an orthogonal matrix, so that all directions learn alike (Jordan et al., 2024)."""
    return LARS(params, lr, momentum, weight_decay, ns_steps, ns_coefficients, nesterov, False, False, 0.0, device, fused)


class OptimizerGroup(Optimizer):
    """Several optimizers as one."""

    def __init__(self, *optimizers: Optimizer):
        self.optimizers = optimizers
        self.params = [param for optimizer in optimizers for param in optimizer.params]
        self.buffers = [buffer for optimizer in optimizers for buffer in optimizer.buffers]

    def __getitem__(self, i):
        return self.optimizers[i]

    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.step()


class LAMB(Optimizer):
    """Adam with a step that is measured by the layer; with adam=True, AdamW (and with wd=0 also Adam)."""

    def __init__(
        self, params: List[Tensor], lr=0.001, b1=0.9, b2=0.999, eps=1e-6, wd=0.0, adam=False, device=None, fused=None, *, weight_decay=None
    ):  # fmt: skip
        super().__init__(params, lr, device, fused)
        wd = wd if weight_decay is None else weight_decay  # tinygrad's name
        self.b1, self.b2, self.eps, self.wd, self.adam, self.t = b1, b2, eps, wd, adam, 0
        self._keep(_teenygrad.Steps.lamb(self.params, b1, b2, eps, wd, adam))

    def step(self) -> None:
        self.t += 1
        super().step()


def AdamW(
    params: List[Tensor], lr=0.001, b1=0.9, b2=0.999, eps=1e-8, wd=0.01, device=None, fused=None, *, weight_decay: Optional[float] = None
) -> LAMB:  # fmt: skip
    """Adam with weight decay of its own (Loshchilov & Hutter, 2017). weight_decay is tinygrad's name of wd."""
    return LAMB(params, lr, b1, b2, eps, wd, True, device, fused, weight_decay=weight_decay)


def Adam(params: List[Tensor], lr=0.001, b1=0.9, b2=0.999, eps=1e-8, device=None, fused=None) -> LAMB:
    """p -= lr · m̂ / (√v̂ + eps), with running means m of the gradient and v of its square (Kingma & Ba, 2014)."""
    return LAMB(params, lr, b1, b2, eps, 0.0, True, device, fused)
