"""The original's other modules: functions written in Python, LazyBuffers, mlops, optimizers, helpers; and tinygrad's nn."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import compare, inputs_of

from teenygrad import Context, Device, GlobalCounters, Tensor, TinyJit, Variable, dtypes, fetch, helpers, mlops, nn
from teenygrad.helpers import BEAM, TRAINING, all_int, argfix, argsort, dedup, flatten, getenv, make_pair, prod, round_up
from teenygrad.lazy import LazyBuffer
from teenygrad.nn import optim, state
from teenygrad.ops import BinaryOps, LoadOps, ReduceOps, TernaryOps, UnaryOps
from teenygrad.realize import run_schedule
from teenygrad.shape.symbolic import sint
from teenygrad.tensor import Function

# ---- Functions -------------------------------------------------------------------------------------------------------


class Cube(Function):
    def forward(self, x, power=3):
        self.x, self.power = x, power
        y = x
        for _ in range(power - 1):
            y = y.e(BinaryOps.MUL, x)
        return y

    def backward(self, grad_output):
        y = self.x.const(self.power)
        for _ in range(self.power - 1):
            y = y.e(BinaryOps.MUL, self.x)
        return y.e(BinaryOps.MUL, grad_output)


class Larger(Function):
    def forward(self, x, y):
        self.mask = x.e(BinaryOps.CMPLT, y)  # numbers, as in the original
        return self.mask.e(TernaryOps.WHERE, y, x)

    def backward(self, grad_output):
        first = self.mask.const(1).e(BinaryOps.SUB, self.mask).e(BinaryOps.MUL, grad_output)
        return (first if self.needs_input_grad[0] else None, self.mask.e(BinaryOps.MUL, grad_output) if self.needs_input_grad[1] else None)


class RowSum(Function):
    def forward(self, x):
        self.shape = x.shape
        return x.r(ReduceOps.SUM, (x.shape[0], 1))

    def backward(self, grad_output):
        return grad_output.expand(self.shape)


def test_functions_written_in_python():
    compare([(3, 4)], Cube.apply, lambda x: x**3)
    compare([(3, 4)], lambda x: Cube.apply(x * 2, power=2), lambda x: (x * 2) ** 2)
    compare([(3, 4), (3, 4)], Larger.apply, torch.maximum)
    compare([(3, 4)], RowSum.apply, lambda x: x.sum(1, keepdim=True))
    y = Larger.apply(Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=False))
    y.sum().backward()


def test_mistakes_in_functions_come_out_as_they_are():
    class Broken(Function):
        def forward(self, x):
            return x

        def backward(self, grad_output):
            raise KeyError("mine")

    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(KeyError, match="mine"):
        Broken.apply(x).sum().backward()
    with pytest.raises(NotImplementedError):
        Function.apply(x)


def test_lazybuffers():
    x = LazyBuffer.fromCPU(np.array([[1.0, 4.0], [9.0, 16.0]], np.float32))
    assert (x.shape, x.dtype, x.device, repr(x)) == ((2, 2), dtypes.float32, "CPU", "<LB (2, 2) dtypes.float32>")
    results = {
        "e": (x.e(UnaryOps.SQRT), [[1, 2], [3, 4]]),
        "const": (x.const(2), [[2, 2], [2, 2]]),
        "r": (x.r(ReduceOps.MAX, (1, 2)), [[9, 16]]),
        "cast": (x.cast(dtypes.int32), [[1, 4], [9, 16]]),
        "reshape": (x.reshape((4,)), [1, 4, 9, 16]),
        "expand": (x.reshape((1, 4)).expand((2, 4)), [[1, 4, 9, 16]] * 2),
        "shrink": (x.shrink(((0, 1), (1, 2))), [[4]]),
        "permute": (x.permute((1, 0)), [[1, 9], [4, 16]]),
        "pad": (x.pad(((0, 0), (1, 0))), [[0, 1, 4], [0, 9, 16]]),
        "stride": (x.stride((-1, 2)), [[9], [1]]),
        "where": (x.e(BinaryOps.CMPLT, x.const(5)).e(TernaryOps.WHERE, x, x.const(0)), [[1, 4], [0, 0]]),
        "loadop": (LazyBuffer.loadop(LoadOps.CONST, (2,), dtypes.int8, "CPU", arg=3), [3, 3]),
    }
    for name, (found, expected) in results.items():
        assert found.toCPU().tolist() == expected, name
    assert x.const(2).is_unrealized_contiguous_const() and x.base.shape == (2, 2) and x.realized.toCPU().shape == (2, 2)
    assert (x.e(UnaryOps.NEG).realized, len(x.e(UnaryOps.NEG).schedule())) == (None, 1)
    run_schedule([])
    with pytest.raises(AssertionError):
        x.r(ReduceOps.SUM, (1,))


def test_mlops_by_name():
    compare([(3, 4)], lambda x: mlops.Relu.apply(x), torch.relu)
    compare([(3, 4)], lambda x: mlops.Sum.apply(x, new_shape=(3, 1)), lambda x: x.sum(1, keepdim=True))
    compare([(3, 4), (3, 4)], lambda x, y: mlops.Mul.apply(mlops.Sin.apply(x), y), lambda x, y: x.sin() * y)
    compare([(3, 4)], lambda x: mlops.Permute.apply(x, order=(1, 0)), lambda x: x.T)
    compare([(3, 4)], lambda x: mlops.Flip.apply(mlops.Pad.apply(x, arg=((0, 0), (1, 1))), axis=(1,)), lambda x: F.pad(x, (1, 1)).flip(1))
    compare([(3, 4)], lambda x: mlops.Reshape.apply(x, shape=(12,)), lambda x: x.reshape(12))
    compare([(3, 1)], lambda x: mlops.Expand.apply(x, shape=(3, 4)), lambda x: x.expand(3, 4))
    compare([(3, 4)], lambda x: mlops.Shrink.apply(x, arg=((1, 2), (0, 4))), lambda x: x[1:2])
    assert mlops.Less.apply(Tensor([1.0, 3.0]), Tensor([2.0, 2.0])).tolist() == [1, 0]
    assert mlops.Cast.apply(Tensor([1.5]), dtype=dtypes.int32).dtype == dtypes.int32


# ---- Optimizers ------------------------------------------------------------------------------------------------------


def steps(ours, theirs, count=6):
    """Both walk down the same slope; after each step both must be at the same place."""
    start, target = inputs_of([(3, 4), (3, 4)], seed=2)
    a, b = Tensor(start), torch.tensor(start, requires_grad=True)
    mine, other = ours([a]), theirs([b])
    assert a.requires_grad is True
    for _ in range(count):
        mine.zero_grad()
        ((a - Tensor(target)) ** 2 * 0.5).sum().backward()
        mine.step()
        other.zero_grad()
        ((b - torch.tensor(target)) ** 2 * 0.5).sum().backward()
        other.step()
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"weight_decay": 0.1}, {"momentum": 0.8, "weight_decay": 0.05}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}])
def test_sgd(options):
    steps(lambda p: optim.SGD(p, lr=0.1, **options), lambda p: torch.optim.SGD(p, lr=0.1, **options))


def test_adam_and_adamw():
    steps(lambda p: optim.Adam(p, lr=0.1), lambda p: torch.optim.Adam(p, lr=0.1))
    steps(lambda p: optim.Adam(p, lr=0.1, b1=0.8, b2=0.9, eps=1e-3), lambda p: torch.optim.Adam(p, 0.1, (0.8, 0.9), 1e-3))
    steps(lambda p: optim.AdamW(p, lr=0.1, wd=0.2), lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.2))
    steps(lambda p: optim.AdamW(p, lr=0.1), lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.01))


def test_lamb_is_its_formula():
    p, g = (x.astype(np.float64) for x in inputs_of([(3, 4), (3, 4)], seed=3))
    t = Tensor(p.astype(np.float32))
    opt = optim.LAMB([t], lr=0.1, wd=0.05)
    m = v = np.zeros_like(p)
    for step in range(1, 5):
        t.grad = Tensor(g.astype(np.float32))
        opt.step()
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        up = (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-6) + 0.05 * p
        p = p - 0.1 * np.linalg.norm(p) / np.linalg.norm(up) * up
        np.testing.assert_allclose(t.numpy(), p, rtol=2e-5)
    assert opt.t == 4 and [x.shape for x in opt.m + opt.v] == [(3, 4), (3, 4)]


def test_what_an_optimizer_holds():
    w, fixed = Tensor([1.0, 2.0]), Tensor([3.0], requires_grad=False)
    opt = optim.SGD([w, fixed, w], lr=0.5, momentum=0.9)
    assert opt.params[0] is w and len(opt.params) == 1 and opt.buffers[0] is fixed and len(opt.b) == 1
    assert opt.lr.tolist() == [0.5] and opt.device == "CPU"
    with pytest.raises(AssertionError):
        opt.step()  # no gradient yet
    w.sum().backward()
    opt.lr = 0.25
    opt.step()
    assert w.tolist() == [0.75, 1.75]
    opt.zero_grad()
    assert w.grad is None
    opt.lr = Tensor([1.0])
    w.sum().backward()
    opt.step()
    opt.realize([w * 2])
    with pytest.raises(AssertionError):
        optim.SGD([fixed], lr=0.1)


def test_an_optimizer_written_in_python():
    class Signs(optim.Optimizer):
        def step(self):
            for t in self.params:
                t.assign(t.detach() - t.grad.sign() * self.lr)
            self.realize()

    w = Tensor([1.0, -1.0])
    opt = Signs([w], lr=0.25)
    (w * w).sum().backward()
    opt.step()
    assert w.tolist() == [0.75, -0.75]


# ---- Layers ----------------------------------------------------------------------------------------------------------


def same(layer, theirs, shape, **tolerance):
    """The same weights in both; the same result and gradients."""
    for name, p in theirs.named_parameters():
        with torch.no_grad():
            p.copy_(torch.from_numpy(inputs_of([tuple(p.shape)], seed=len(name))[0]))
        getattr(layer, name).assign(Tensor(p.detach().numpy()))
    compare([shape], layer, theirs, **tolerance)


def test_layers():
    same(nn.Linear(3, 5), torch.nn.Linear(3, 5), (2, 3))
    same(nn.Linear(3, 5, bias=False), torch.nn.Linear(3, 5, bias=False), (4, 2, 3))
    same(nn.Conv2d(2, 4, 3, stride=2, padding=1), torch.nn.Conv2d(2, 4, 3, stride=2, padding=1), (2, 2, 7, 7))
    same(nn.Conv2d(4, 4, (3, 1), groups=2, padding="same"), torch.nn.Conv2d(4, 4, (3, 1), groups=2, padding="same"), (1, 4, 5, 6))
    same(nn.Conv1d(2, 3, 3, dilation=2), torch.nn.Conv1d(2, 3, 3, dilation=2), (2, 2, 9))
    same(nn.ConvTranspose2d(2, 3, 3, stride=2, output_padding=1), torch.nn.ConvTranspose2d(2, 3, 3, stride=2, output_padding=1), (1, 2, 4, 4))
    same(nn.LayerNorm(4), torch.nn.LayerNorm(4), (2, 3, 4))
    same(nn.LayerNorm((3, 4)), torch.nn.LayerNorm((3, 4)), (2, 3, 4))
    same(nn.GroupNorm(2, 4), torch.nn.GroupNorm(2, 4), (2, 4, 3))
    same(nn.InstanceNorm(3), torch.nn.InstanceNorm1d(3, affine=True), (2, 3, 5))
    same(nn.RMSNorm(4, eps=1e-6), torch.nn.RMSNorm(4, eps=1e-6), (2, 3, 4))
    table = nn.Embedding(5, 3)
    assert table(Tensor([[0, 4], [1, 1]])).tolist() == table.weight.numpy()[[[0, 4], [1, 1]]].tolist()
    assert nn.LayerNorm2d(3)(Tensor.rand(2, 3, 4, 4)).shape == (2, 3, 4, 4)


def test_batch_norm_learns_and_remembers():
    layer, theirs = nn.BatchNorm(3), torch.nn.BatchNorm2d(3)
    for seed in range(3):
        x = inputs_of([(4, 3, 5, 5)], seed=seed)[0] * 3 + 1
        with Tensor.train():
            found = layer(Tensor(x))
        np.testing.assert_allclose(found.numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.running_mean.numpy(), theirs.running_mean.numpy(), rtol=1e-4)
        np.testing.assert_allclose(layer.running_var.numpy(), theirs.running_var.numpy(), rtol=1e-4)
    theirs.eval()
    np.testing.assert_allclose(layer(Tensor(x)).numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-5)
    assert layer.num_batches_tracked.tolist() == [3]


class Net:
    def __init__(self):
        self.layers = [nn.Linear(2, 3), Tensor.relu, nn.Linear(3, 1)]
        self.scale = Tensor([1.0])

    def __call__(self, x):
        return x.sequential(self.layers) * self.scale


def test_state(tmp_path):
    net, other = Net(), Net()
    names = ["layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias", "scale"]
    assert list(state.get_state_dict(net)) == names and len(state.get_parameters(net)) == 5
    state.safe_save(state.get_state_dict(net), str(tmp_path / "net.safetensors"))
    loaded = state.safe_load(tmp_path / "net.safetensors")
    state.load_state_dict(other, loaded)
    x = Tensor.rand(4, 2)
    assert other(x).tolist() == net(x).tolist()
    with pytest.raises(KeyError):
        state.load_state_dict(net, {"scale": Tensor([1.0])})
    with pytest.raises(FileNotFoundError):
        state.safe_load(tmp_path / "nothing")
    (tmp_path / "broken").write_bytes(b"\x08\0\0\0\0\0\0\0{broken}")
    with pytest.raises(ValueError):
        state.safe_load(tmp_path / "broken")


def test_a_jitted_step_is_the_step():
    net = Net()
    opt = optim.Adam(state.get_parameters(net), lr=0.05)

    @TinyJit
    def step(x, y):
        opt.zero_grad()
        loss = ((net(x) - y) ** 2).mean()
        loss.backward()
        opt.step()
        return loss

    Tensor.manual_seed(1)
    x = Tensor.rand(32, 2)
    y = x.sum(1, keepdim=True).detach()
    losses = [step(x, y).item() for _ in range(100)]
    assert losses[-1] < losses[0] / 5 and step.cnt == 100


# ---- Helpers ---------------------------------------------------------------------------------------------------------


def test_helpers():
    assert dedup([1, 2, 1]) == [1, 2] and argfix(1, 2) == argfix((1, 2)) == (1, 2) and make_pair(3) == (3, 3) and make_pair((1, 2)) == (1, 2)
    assert flatten([[1], [2, 3]]) == [1, 2, 3] and argsort((2, 0, 1)) == (1, 2, 0) and all_int((1, 2)) and not all_int((1, 2.0))
    assert round_up(13, 4) == 16 and prod((2, 3)) == 6 and prod(()) == 1 and getenv("NO_SUCH_VARIABLE", 5) == 5 and sint is int


# ---- tinygrad's newer modules ----------------------------------------------------------------------------------------


def test_lstm_cell():
    cell, theirs = nn.LSTMCell(3, 4), torch.nn.LSTMCell(3, 4)
    for name, p in theirs.named_parameters():
        getattr(cell, name).assign(Tensor(p.detach().numpy()))
    x = inputs_of([(2, 5, 3)])[0]
    mine, other = None, None
    for t in range(5):
        mine, other = cell(Tensor(x[:, t]), mine), theirs(torch.tensor(x[:, t]), other)
    for a, b in zip(mine, other):
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-6)
    assert nn.LSTMCell(3, 4, bias=False).bias_ih is None


def test_classic_momentum_is_plain_momentum_while_the_rate_stays():
    steps(lambda p: optim.SGD(p, lr=0.1, momentum=0.9, classic=True), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9))


def test_lars_and_muon_are_their_formulas():
    p, g = (x.astype(np.float64) for x in inputs_of([(3, 4), (3, 4)], seed=3))
    lars, muon = Tensor(p.astype(np.float32)), Tensor(p.astype(np.float32))
    one, two = optim.LARS([lars], lr=0.5, weight_decay=0.01, tcoef=0.1), optim.Muon([muon], lr=0.1)
    b = c = np.zeros_like(p)
    q = p
    for _ in range(3):
        lars.grad, muon.grad = Tensor(g.astype(np.float32)), Tensor(g.astype(np.float32))
        one.step()
        two.step()
        ratio = 0.1 * np.linalg.norm(p) / (np.linalg.norm(g) + 0.01 * np.linalg.norm(p))
        b = 0.9 * b + 0.5 * ratio * (g + 0.01 * p)
        p = p - b
        np.testing.assert_allclose(lars.numpy(), p, rtol=1e-4, atol=1e-5)
        c = 0.95 * c + g
        x = g + 0.95 * c
        x = x / (np.linalg.norm(x) + 1e-7)
        for _ in range(5):
            square = x @ x.T
            x = 3.4445 * x - 4.775 * square @ x + 2.0315 * square @ square @ x
        q = q - 0.1 * x - 0.1 * 0.1 * q
        np.testing.assert_allclose(muon.numpy(), q, rtol=1e-3, atol=1e-4)


def test_a_group_of_optimizers():
    a, b = Tensor([1.0]), Tensor([2.0])
    group = optim.OptimizerGroup(optim.SGD([a], lr=0.5), optim.SGD([b], lr=0.25))
    group.zero_grad()
    (a + b).sum().backward()
    group.step()
    assert (a.item(), b.item(), len(group.params), group[1].lr.item()) == (0.5, 1.75, 2, 0.25)
    with pytest.raises(ValueError):
        optim.SGD([a], lr=-1)


def test_files_of_pytorch(tmp_path):
    base = torch.arange(24.0).reshape(4, 6)
    saved = {"t": base.T, "cut": base[1:3, ::2], "b": torch.tensor([1.5, 2]).bfloat16(), "i": torch.tensor([[1], [2]]), "n": [1, "x", {"y": None}], "e": torch.zeros(0, 3)}
    torch.save(saved, tmp_path / "file.pt")
    loaded = state.torch_load(tmp_path / "file.pt")
    assert loaded["n"] == saved["n"] and loaded["b"].dtype == dtypes.bfloat16
    for name in ("t", "cut", "b", "i"):
        assert loaded[name].tolist() == saved[name].tolist(), name
    assert loaded["e"].shape == (0, 3)
    model = torch.nn.Linear(3, 2)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    mine = nn.Linear(3, 2)
    state.load_state_dict(mine, state.torch_load(tmp_path / "model.pt"))
    assert mine.weight.tolist() == model.weight.tolist()
    torch.save(pytest.raises, tmp_path / "evil.pt")
    with pytest.raises(Exception, match="neither a tensor"):
        state.torch_load(tmp_path / "evil.pt")


def test_archives(tmp_path):
    import tarfile
    import zipfile

    (tmp_path / "a").write_bytes(b"abc")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(tmp_path / "a", "a")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.add(tmp_path / "a", "a")
    assert state.zip_extract(tmp_path / "x.zip")["a"].tolist() == state.tar_extract(Tensor((tmp_path / "x.tar").read_bytes()))["a"].tolist() == [97, 98, 99]
    state.safe_save({"w": Tensor([1.0])}, tmp_path / "w.safetensors")
    data, begin, header = state.safe_load_metadata(tmp_path / "w.safetensors")
    assert header["w"]["shape"] == [1] and data.numel() == begin + 4


def test_variables_are_numbers():
    i = Variable("i", 1, 10).bind(3)
    assert Tensor.arange(10)[:i].shape == (3,) and Tensor.rand(i, 2).shape == (3, 2) and Tensor.rand(6).reshape(i, -1).shape == (3, 2)
    assert Tensor.arange(10).shrink(((i, i + 2),)).tolist() == [3, 4] and i.unbind() == (Variable("i", 1, 10), 3) and i.val == 3
    with pytest.raises(AssertionError):
        Variable("i", 1, 10).bind(11)


def test_contexts():
    with Context(TRAINING=1, BEAM=2):
        assert Tensor.training is True and TRAINING == 1 and BEAM.value == 2
        with Context(TRAINING=0):
            assert Tensor.training is False
    assert Tensor.training is False and not TRAINING and BEAM == 0

    @Context(TRAINING=1)
    def inside():
        return Tensor.training

    assert inside() and not Tensor.training


def test_tinygrads_helpers(tmp_path, capsys):
    (tmp_path / "x").write_bytes(b"1")
    assert fetch(str(tmp_path / "x")).read_bytes() == b"1" and helpers.ansistrip(helpers.colored("x", "RED")) == "x" and helpers.ceildiv(7, 2) == 4
    with helpers.Timing("it took "):
        pass
    assert capsys.readouterr().out.startswith("it took ")
    assert list(helpers.tqdm([1, 2], desc="x")) == [1, 2] and sum(helpers.trange(3)) == 3
    assert helpers.partition([1, 2, 3], lambda x: x > 1) == ([2, 3], [1]) and helpers.merge_dicts([{1: 2}, {3: 4}]) == {1: 2, 3: 4}
    assert helpers.get_child(Net(), "layers.0.weight").shape == (3, 2) and helpers.fully_flatten([1, [2, [3]]]) == [1, 2, 3]
    GlobalCounters.reset()
    Device[Device.DEFAULT].synchronize()
    from teenygrad.device import Device as device
    from teenygrad.dtype import least_upper_float, to_dtype
    from teenygrad.engine.jit import TinyJit as jit

    assert device is Device and jit is TinyJit and to_dtype("half") is dtypes.float16 and least_upper_float(dtypes.int8) is dtypes.float32
    assert (dtypes.int8.min, dtypes.uint16.max, dtypes.max(dtypes.half), dtypes.finfo(dtypes.float32)) == (-128, 65535, float("inf"), (8, 23))
