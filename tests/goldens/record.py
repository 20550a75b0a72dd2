"""What a golden is, and how it is written down.

A *case* says: this op, with these arguments, on these inputs, gives this output; and the gradient of

    L = sum(output * cotangent)        with respect to each differentiable input is this.

The cotangent is a fixed random tensor, because the gradient of a plain sum would hide transposed or shuffled gradients.

Two decisions make the numbers worth comparing with:

1. Cases in float32 are *computed in float64* and rounded once at the end. The library then has to be near the true value,
   not near PyTorch's own rounding, and the files do not depend on the processor that PyTorch ran on. PyTorch's float32
   answer is computed too, and must agree roughly, or this script stops: a case whose answer depends on the precision would
   be a bad case. Inputs of any other dtype are computed as they are.
2. Random inputs are a function of their shape and a tag, with three decimals. A new case changes no old one, and the files
   stay small.
"""

import json
import pathlib
import zlib

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).parent


# ---- Inputs ------------------------------------------------------------------------------------


def randn(*shape, tag=0, scale=1.0, dtype=torch.float32):
    """Normal random numbers with three decimals, none of them zero: the same for the same shape and tag, for ever."""
    numbers = np.random.RandomState(zlib.crc32(f"{shape} {tag}".encode()))  # its stream is frozen by NumPy's policy
    values = np.round(numbers.standard_normal(shape) * scale, 3)
    values = np.where(values == 0, 0.001, values)
    return torch.tensor(values).to(dtype)


def randint(low, high, *shape, tag=0, dtype=torch.int32):
    """Random integers in low..high (high excluded). As float32 they make products and sums that are exact."""
    numbers = np.random.RandomState(zlib.crc32(f"{shape} {tag} {low} {high}".encode()))
    return torch.tensor(numbers.randint(low, high, shape)).to(dtype)


def positive(*shape, tag=0, scale=1.0):
    """Random numbers of at least 0.05."""
    return randn(*shape, tag=tag, scale=scale).abs() + 0.05


def f32(values):
    """A float32 tensor of the given numbers."""
    return torch.tensor(values, dtype=torch.float32)


# ---- Numbers as text ---------------------------------------------------------------------------


def number(value, dtype):
    """The shortest text that reads back as exactly this value: at most 9 significant digits for float32, 17 for float64."""
    if dtype == torch.bool:
        return "true" if value else "false"
    if not dtype.is_floating_point:
        return str(int(value))
    if np.isnan(value):
        return '"nan"'
    if np.isinf(value):
        return '"inf"' if value > 0 else '"-inf"'
    kind = np.float64 if dtype == torch.float64 else np.float32  # both halves are exact in float32
    text = str(kind(value))
    return text[:-2] if text.endswith(".0") and text != "-0.0" else text


def numbers(tensor, dtype=None):
    """All elements in row-major order, as the text of a JSON list."""
    dtype = dtype or tensor.dtype
    flat = tensor.detach().to(dtype).reshape(-1)
    values = flat.to(torch.float64) if dtype.is_floating_point else flat
    return "[" + ",".join(number(value, dtype) for value in values.tolist()) + "]"


def name_of(dtype):
    """float32, uint8, …: what both PyTorch and the library call it."""
    return str(dtype).removeprefix("torch.")


# ---- Files -------------------------------------------------------------------------------------


class Book:
    """The cases of one topic; `write` makes tests/goldens/<topic>.json of them, one case a line."""

    def __init__(self, topic):
        self.topic, self.lines, self.names = topic, [], set()

    def case(self, op, inputs, compute, args=None, grad=True, dtype=False, name="", compare=True):
        """Records one case.

        inputs: tensors; compute(*inputs): the output in PyTorch; args: what the op takes beside tensors.
        grad: record gradients of all float inputs (True), of some (a list of bools) or of none (False).
        dtype: the output's dtype must agree as well. False where PyTorch and the library choose differently on purpose
        (PyTorch sums uint8 in int64, for instance).
        compare: False where float32 is expected to differ from float64 in PyTorch itself, with a comment that says why.
        """
        args = args or {}
        shapes = " ".join(str(list(x.shape)).replace(" ", "") for x in inputs)
        name = " ".join(part for part in (op, name, shapes, describe(args)) if part)
        assert name not in self.names, f"two cases named {name}"
        self.names.add(name)

        wide = [x.double() if x.dtype == torch.float32 else x.clone() for x in inputs]
        output, grads, cotangent = differentiate(wide, compute, grad)
        in_f32 = any(x.dtype == torch.float32 for x in inputs)
        with torch.no_grad():
            out_dtype = compute(*inputs).dtype
        if compare and in_f32 and output.numel() > 0:
            agree(name, [x.clone() for x in inputs], compute, grad, output, grads)

        tensors = ",".join(
            '{"shape":%s,"dtype":"%s","data":%s,"grad":%s}'
            % (list(x.shape), name_of(x.dtype), numbers(x), "null" if g is None else numbers(g, x.dtype))
            for x, g in zip(inputs, grads)
        )
        self.lines.append(
            '{"op":"%s","name":%s,"args":%s,"inputs":[%s],"output":{"shape":%s,"dtype":%s,"data":%s},"cotangent":%s}'
            % (
                op,
                json.dumps(name),
                json.dumps(args, separators=(",", ":")),
                tensors,
                list(output.shape),
                f'"{name_of(out_dtype)}"' if dtype else "null",
                numbers(output, out_dtype),
                "null" if cotangent is None else numbers(cotangent, out_dtype),
            )
        )

    def write(self):
        """Writes the file, and says how large it became."""
        text = '{"topic":"%s","count":%d,"cases":[\n%s\n]}\n' % (self.topic, len(self.lines), ",\n".join(self.lines))
        (FOLDER / f"{self.topic}.json").write_text(text.replace(", ", ","))
        print(f"{self.topic:12} {len(self.lines):5} cases {len(text) / 1024:8.0f} KiB")


def describe(args):
    """The arguments in words: `stride 2 padding [1,0]`."""
    return " ".join(f"{key} {json.dumps(value, separators=(',', ':'))}".replace('"', "") for key, value in args.items())


def differentiate(inputs, compute, grad):
    """The output, the gradient of sum(output * cotangent) with respect to each input (None where none is wanted), the cotangent."""
    wanted = grad if isinstance(grad, list) else [grad] * len(inputs)
    wanted = [want and x.is_floating_point() for want, x in zip(wanted, inputs)]
    leaves = [x.requires_grad_(want) for x, want in zip(inputs, wanted)]
    output = compute(*leaves)
    if not any(wanted) or not output.is_floating_point():
        return output.detach(), [None] * len(inputs), None
    # Quarters between ±½ and ±2, which every dtype holds exactly; no element of the gradient may vanish in the tolerance.
    cotangent = randn(*output.shape, tag="cotangent")
    cotangent = (cotangent.sign() * (cotangent.abs() * 4).round().clamp(2, 8) / 4).to(output.dtype)
    if output.requires_grad:
        (output * cotangent).sum().backward()
    grads = [(torch.zeros_like(x) if x.grad is None else x.grad) if want else None for x, want in zip(leaves, wanted)]
    return output.detach(), grads, cotangent


def agree(name, inputs, compute, grad, output, grads):
    """Stops unless PyTorch in float32 gives roughly what it gave in float64."""
    near, near_grads, _ = differentiate(inputs, compute, grad)
    for what, a, b in [("output", near, output)] + [("gradient", a, b) for a, b in zip(near_grads, grads) if b is not None]:
        if not b.is_floating_point():
            assert torch.equal(a, b), f"{name}: {what} depends on the precision: {a} {b}"
            continue
        b = b.float()
        largest = b[b.isfinite()].abs().max().item() if b.isfinite().any() else 1.0
        assert torch.allclose(a.float(), b, rtol=1e-4, atol=1e-5 * max(1.0, largest), equal_nan=True), (
            f"{name}: {what} depends on the precision:\n{a}\n{b}"
        )
