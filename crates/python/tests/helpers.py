"""One op, compared with PyTorch: the value, and the gradient of Σ output · cotangent with respect to each float input."""

import numpy as np
import torch

from teenygrad import Tensor


def inputs_of(shapes, low=-2.0, high=2.0, seed=0):
    """Random float32 arrays of these shapes; an array is taken as it is."""
    numbers = np.random.RandomState(seed)
    return [
        shape if isinstance(shape, np.ndarray) else numbers.uniform(low, high, shape).astype(np.float32) for shape in shapes
    ]


def compare(shapes, ours, theirs=None, low=-2.0, high=2.0, rtol=1e-4, atol=1e-5, grad=True, seed=0):
    """Calls both with tensors of the same values and compares what comes out, there and back."""
    theirs = theirs or ours
    arrays = inputs_of(shapes, low, high, seed)
    floats = [array.dtype.kind == "f" for array in arrays]
    a = [Tensor(array, requires_grad=True if is_float and grad else None) for array, is_float in zip(arrays, floats)]
    b = [torch.tensor(array, requires_grad=is_float and grad) for array, is_float in zip(arrays, floats)]
    x, y = ours(*a), theirs(*b)
    assert tuple(x.shape) == tuple(y.shape), (x.shape, tuple(y.shape))
    np.testing.assert_allclose(x.numpy(), y.detach().numpy(), rtol=rtol, atol=atol)
    if not grad or not y.requires_grad:
        return
    cotangent = np.random.RandomState(1).choice([-1.5, -0.5, 0.5, 1.0], y.shape).astype(np.float32)
    (x * Tensor(cotangent)).sum().backward()
    (y * torch.tensor(cotangent)).sum().backward()
    for i, (mine, other, is_float) in enumerate(zip(a, b, floats)):
        if is_float:
            expected = np.zeros_like(arrays[i]) if other.grad is None else other.grad.numpy()
            found = np.zeros_like(arrays[i]) if mine.grad is None else mine.grad.numpy()
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=10 * atol, err_msg=f"gradient {i}")
