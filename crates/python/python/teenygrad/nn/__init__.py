"""Layers, optimizers, weights on disk. The layers are tinygrad's; what they compute is in src/nn/layers.rs of the Rust library."""

from typing import Optional, Tuple, Union

from teenygrad import _teenygrad
from teenygrad.helpers import make_pair
from teenygrad.nn import datasets, optim, state
from teenygrad.tensor import Tensor

__all__ = [
    "BatchNorm", "BatchNorm2d", "BatchNorm3d", "Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d", "Embedding", "GroupNorm",
    "InstanceNorm", "LSTMCell", "LayerNorm", "LayerNorm2d", "Linear", "RMSNorm", "datasets", "optim", "state",
]  # fmt: skip

_layers = _teenygrad.layers


class Linear:
    """x @ weight.T + bias: (…, in_features) to (…, out_features).

    >>> Linear(3, 2)(Tensor.ones(5, 3)).shape
    (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias=True):
        self.weight, self.bias = _layers.linear_init(in_features, out_features, bias)

    def __call__(self, x: Tensor) -> Tensor:
        return _layers.linear(x, self.weight, self.bias)


class Conv2d:
    """A convolution: (n, in_channels, H, W) to (n, out_channels, H', W'). padding is a number, one an axis, or "same"."""

    _transposed = False

    def __init__(self, in_channels: int, out_channels: int, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        self.kernel_size: Tuple[int, ...] = make_pair(kernel_size)
        self.stride, self.dilation, self.groups, self.padding = stride, dilation, groups, padding
        if isinstance(padding, str):
            if padding.lower() != "same":
                raise ValueError(f"Invalid padding string {padding!r}, only 'same' is supported")
            if stride != 1:
                raise ValueError("padding='same' is not supported for strided convolutions")
            reach = [d * (k - 1) for d, k in zip(make_pair(dilation, len(self.kernel_size)), self.kernel_size[::-1])]
            self.padding = [p for total in reach for p in (total // 2, total - total // 2)]
        self.weight, self.bias = _layers.conv_init(in_channels, out_channels, self.kernel_size, groups, bias, self._transposed)

    def __call__(self, x: Tensor) -> Tensor:
        return x.conv2d(self.weight, self.bias, self.groups, self.stride, self.dilation, self.padding)


def Conv1d(in_channels: int, out_channels: int, kernel_size: int, stride=1, padding=0, dilation=1, groups=1, bias=True) -> Conv2d:
    """A convolution along one axis: (n, in_channels, length) to (n, out_channels, length')."""
    return Conv2d(in_channels, out_channels, (kernel_size,), stride, padding, dilation, groups, bias)


class ConvTranspose2d(Conv2d):
    """A transposed convolution."""

    _transposed = True

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, dilation=1, groups=1, bias=True):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.output_padding = output_padding

    def __call__(self, x: Tensor) -> Tensor:
        return x.conv_transpose2d(self.weight, self.bias, self.groups, self.stride, self.dilation, self.padding, self.output_padding)


def ConvTranspose1d(in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, dilation=1, groups=1, bias=True):
    """A transposed convolution along one axis."""
    return ConvTranspose2d(in_channels, out_channels, (kernel_size,), stride, padding, output_padding, dilation, groups, bias)


class BatchNorm:
    """Batch normalisation over all axes but the channels: with the batch's statistics while Tensor.training, else with the running ones."""

    def __init__(self, sz: int, eps=1e-5, affine=True, track_running_stats=True, momentum=0.1):
        self.eps, self.track_running_stats, self.momentum = eps, track_running_stats, momentum
        (self.weight, self.bias), running = _layers.batchnorm_init(sz, affine, track_running_stats)
        self.num_batches_tracked = Tensor.zeros(1, requires_grad=False)
        if track_running_stats:
            self.running_mean, self.running_var = running

    def __call__(self, x: Tensor) -> Tensor:
        mean, var = (self.running_mean, self.running_var) if self.track_running_stats else (None, None)
        if Tensor.training and self.track_running_stats:
            self.num_batches_tracked.assign(self.num_batches_tracked + 1)
        return _layers.batchnorm(x, self.weight, self.bias, mean, var, self.eps, self.momentum)


BatchNorm2d = BatchNorm3d = BatchNorm


class LayerNorm:
    """Layer normalisation over the last axes, which have the shape normalized_shape."""

    def __init__(self, normalized_shape: Union[int, Tuple[int, ...]], eps=1e-5, elementwise_affine=True):
        self.normalized_shape: Tuple[int, ...] = make_pair(normalized_shape, 1)
        self.axis, self.eps, self.elementwise_affine = tuple(-1 - i for i in range(len(self.normalized_shape))), eps, elementwise_affine
        self.weight, self.bias = _layers.layernorm_init(self.normalized_shape, elementwise_affine)

    def __call__(self, x: Tensor) -> Tensor:
        return _layers.layernorm(x, self.weight, self.bias, self.normalized_shape, self.eps)


class LayerNorm2d(LayerNorm):
    """Layer normalisation over the channels of (n, channels, H, W)."""

    def __call__(self, x: Tensor) -> Tensor:
        return super().__call__(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class GroupNorm:
    """Group normalisation: num_channels in num_groups."""

    def __init__(self, num_groups: int, num_channels: int, eps=1e-5, affine=True):
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight, self.bias = _layers.layernorm_init(num_channels, affine)

    def __call__(self, x: Tensor) -> Tensor:
        return _layers.groupnorm(x, self.weight, self.bias, self.num_groups, self.eps)


class InstanceNorm:
    """Instance normalisation: each channel of each example by itself."""

    def __init__(self, num_features: int, eps=1e-5, affine=True):
        self.num_features, self.eps = num_features, eps
        self.weight, self.bias = _layers.layernorm_init(num_features, affine)

    def __call__(self, x: Tensor) -> Tensor:
        return _layers.groupnorm(x, self.weight, self.bias, self.num_features, self.eps)


class RMSNorm:
    """x / sqrt(mean(x²) + eps) along the last axis, times weight."""

    def __init__(self, dim: int, eps=1e-6, elementwise_affine=True):
        self.eps = eps
        self.weight: Optional[Tensor] = _layers.layernorm_init(dim, elementwise_affine)[0]

    def __call__(self, x: Tensor) -> Tensor:
        return _layers.rmsnorm(x, self.weight, self.eps)


class Embedding:
    """A row of a table for each integer: (…) to (…, embed_size)."""

    def __init__(self, vocab_size: int, embed_size: int):
        self.vocab_sz, self.embed_sz = vocab_size, embed_size
        self.weight = _layers.embedding_init(vocab_size, embed_size)

    def __call__(self, idx: Tensor) -> Tensor:
        return _layers.embedding(idx, self.weight)


class LSTMCell:
    """A cell of a long short-term memory: x (n, input_size) and the (h, c) of the step before to the new (h, c), (n, hidden_size) each."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True):
        (self.weight_ih, self.weight_hh), (self.bias_ih, self.bias_hh) = _layers.lstm_init(input_size, hidden_size, bias)

    def __call__(self, x: Tensor, hc: Optional[Tuple[Tensor, Tensor]] = None) -> Tuple[Tensor, Tensor]:
        return _layers.lstm(x, (self.weight_ih, self.weight_hh), (self.bias_ih, self.bias_hh), hc)
