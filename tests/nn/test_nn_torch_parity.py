"""Values and gradients of primitives, layers and losses beside PyTorch's, at assert_close's own tolerances."""

import inspect

import numpy as np
import pytest

from fastml import nn
from fastml.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch, the reference of these tests, is not installed")
TF = torch.nn.functional

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 5)) * 2
Y = RNG.normal(size=(6, 5))
P = np.abs(X) + 0.1
CLASSES = RNG.integers(0, 5, 6)
PROBABILITIES = RNG.dirichlet(np.ones(5), 6)
SIGNS = np.sign(Y)
COUNTS = RNG.poisson(3, (6, 5)).astype(float)
WEIGHT = RNG.random(5)
DTYPES = [np.float32, np.float64]


def compare(ours, theirs, inputs, dtype, constants=()):
    """Compare results and, for a random gradient, the gradients of all inputs."""
    mine = [nn.Tensor(x.astype(dtype), requires_grad=True) for x in inputs]
    other = [torch.tensor(x.astype(dtype), requires_grad=True) for x in inputs]
    a = ours(*mine, *constants)
    b = theirs(*other, *[torch.tensor(c) if isinstance(c, np.ndarray) else c for c in constants])
    torch.testing.assert_close(torch.from_numpy(np.array(a.data)), b.detach())
    gradient = np.random.default_rng(1).normal(size=a.shape).astype(dtype)
    a.backward(gradient)
    b.backward(torch.from_numpy(gradient))
    for x, y in zip(mine, other):
        torch.testing.assert_close(torch.from_numpy(x.grad), y.grad)


PRIMITIVES = {
    "add": (lambda x, y: x + y, None, [X, Y[0]]),
    "subtract": (lambda x, y: x - y, None, [X, Y[:, :1]]),
    "negative": (lambda x: -x, None, [X]),
    "reflected": (lambda x: 2 / (1 - 3 * x) ** 2 + 2**x, None, [P]),
    "multiply": (lambda x, y: x * y, None, [X, Y[:, :1]]),
    "divide": (lambda x, y: x / y, None, [X, P]),
    "power": (lambda x, y: x**y, None, [P, Y]),
    "square": (lambda x: x**2, None, [X]),
    "exp": (lambda x: x.exp(), None, [X]),
    "log": (lambda x: x.log(), None, [P]),
    "log1p": (lambda x: x.log1p(), None, [P]),
    "expm1": (lambda x: x.expm1(), None, [X]),
    "sqrt": (lambda x: x.sqrt(), None, [P]),
    "sin": (lambda x: x.sin(), None, [X]),
    "cos": (lambda x: x.cos(), None, [X]),
    "erf": (lambda x: x.erf(), None, [X]),
    "abs": (lambda x: x.abs(), None, [X]),
    "maximum": (F.maximum, torch.maximum, [X, Y]),
    "minimum": (F.minimum, torch.minimum, [X, np.where(X > 0, X, Y)]),
    "clip": (lambda x: x.clip(-1, 1), lambda x: x.clamp(-1, 1), [X]),
    "where": (lambda x, y: F.where(X > 0, x, y), lambda x, y: torch.where(torch.tensor(X > 0), x, y), [X, Y]),
    "sum": (lambda x: x.sum(axis=1), lambda x: x.sum(dim=1), [X]),
    "mean": (lambda x: x.mean(axis=0, keepdims=True), lambda x: x.mean(dim=0, keepdim=True), [X]),
    "var": (lambda x: x.var(axis=1), lambda x: x.var(dim=1), [X]),
    "max": (lambda x: x.max(axis=1), lambda x: x.amax(dim=1), [np.round(X)]),
    "min": (lambda x: x.min(axis=0), lambda x: x.amin(dim=0), [np.round(X)]),
    "logsumexp": (lambda x: x.logsumexp(axis=1), lambda x: x.logsumexp(dim=1), [X * 50]),
    "reshape": (lambda x: x.reshape(3, 10), None, [X]),
    "flatten": (lambda x: x.reshape(2, 3, 5).flatten(1), None, [X]),
    "broadcast_to": (lambda x: x.broadcast_to((3, 6, 5)), None, [X]),
    "transpose": (lambda x: x.T, None, [X]),
    "permute": (
        lambda x: x.reshape(2, 3, 5).transpose(2, 0, 1),
        lambda x: x.reshape(2, 3, 5).permute(2, 0, 1),
        [X],
    ),
    "slice": (lambda x: x[1:4, ::2], None, [X]),
    "integers": (lambda x: x[[0, 0, 3]], None, [X]),
    "mask": (lambda x: x[X > 0], lambda x: x[torch.tensor(X > 0)], [X]),
    "concatenate": (lambda x, y: F.cat([x, y], 1), lambda x, y: torch.cat([x, y], 1), [X, Y]),
    "stack": (lambda x, y: F.stack([x, y], 1), lambda x, y: torch.stack([x, y], 1), [X, Y]),
    "matmul": (lambda x, y: x @ y, None, [X, Y.T]),
    "batched": (lambda x, y: x @ y, None, [X.reshape(2, 3, 5), Y.T]),
    "relu": (F.relu, TF.relu, [X]),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), lambda x: TF.leaky_relu(x, 0.2), [X]),
    "elu": (lambda x: F.elu(x, 0.7), lambda x: TF.elu(x, 0.7), [X]),
    "gelu": (F.gelu, TF.gelu, [X]),
    "gelu_tanh": (lambda x: F.gelu(x, "tanh"), lambda x: TF.gelu(x, approximate="tanh"), [X]),
    "silu": (F.silu, TF.silu, [X]),
    "sigmoid": (F.sigmoid, torch.sigmoid, [X * 5]),
    "tanh": (F.tanh, torch.tanh, [X]),
    "elu_down": (lambda x: F.elu(x, -0.7), lambda x: TF.elu(x, -0.7), [X]),
    "elu_flat": (lambda x: F.elu(x, 0), lambda x: TF.elu(x, 0), [X]),
    "softplus": (lambda x: F.softplus(x, 1.5), lambda x: TF.softplus(x, 1.5), [X * 5]),
    "softplus_far": (F.softplus, TF.softplus, [X * 40]),
    "softplus_threshold": (lambda x: F.softplus(x, 2, 1.5), lambda x: TF.softplus(x, 2, 1.5), [X]),
    "softmax": (lambda x: F.softmax(x, 0), lambda x: TF.softmax(x, 0), [X]),
    "log_softmax": (lambda x: F.log_softmax(x, 1), lambda x: TF.log_softmax(x, 1), [X * 5]),
    "linear": (F.linear, TF.linear, [X, RNG.normal(size=(4, 5)), RNG.normal(size=4)]),
    "layer_norm": (
        lambda x, w, b: F.layer_norm(x, 5, w, b),
        lambda x, w, b: TF.layer_norm(x, (5,), w, b),
        [X, WEIGHT, Y[0]],
    ),
    "batch_norm": (
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        lambda x, w, b: TF.batch_norm(x, None, None, w, b, training=True),
        [X, WEIGHT, Y[0]],
    ),
    "batch_norm_positions": (
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        lambda x, w, b: TF.batch_norm(x, None, None, w, b, training=True),
        [X.reshape(2, 5, 3), WEIGHT, Y[0]],
    ),
    "layer_norm_plain": (lambda x: F.layer_norm(x, (6, 5)), lambda x: TF.layer_norm(x, (6, 5)), [X]),
    "embedding": (
        lambda w: F.embedding(np.array([[0, 2], [2, 2]]), w),
        lambda w: TF.embedding(torch.tensor([[0, 2], [2, 2]]), w),
        [X],
    ),
    "embedding_padding": (
        lambda w: F.embedding(np.array([[0, 2], [2, 4]]), w, padding_idx=2),
        lambda w: TF.embedding(torch.tensor([[0, 2], [2, 4]]), w, padding_idx=2),
        [X],
    ),
}


@pytest.mark.parametrize("name", PRIMITIVES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_primitives(name, dtype):
    ours, theirs, inputs = PRIMITIVES[name]
    compare(ours, theirs or ours, inputs, dtype)


def losses(dtype):
    w = WEIGHT.astype(dtype)
    tw = torch.tensor(w)
    return {
        "mse": (nn.MSELoss, torch.nn.MSELoss, {}, {}, X, Y),
        "l1": (nn.L1Loss, torch.nn.L1Loss, {}, {}, X, Y),
        "huber": (nn.HuberLoss, torch.nn.HuberLoss, {"delta": 0.8}, {"delta": 0.8}, X, Y),
        "smooth_l1": (nn.SmoothL1Loss, torch.nn.SmoothL1Loss, {"beta": 0.8}, {"beta": 0.8}, X, Y),
        "bce": (nn.BCEWithLogitsLoss, torch.nn.BCEWithLogitsLoss, {}, {}, X, PROBABILITIES),
        "bce_weighted": (
            nn.BCEWithLogitsLoss,
            torch.nn.BCEWithLogitsLoss,
            {"pos_weight": w, "weight": w},
            {"pos_weight": tw, "weight": tw},
            X,
            PROBABILITIES,
        ),
        "poisson": (nn.PoissonNLLLoss, torch.nn.PoissonNLLLoss, {"full": True}, {"full": True}, X, COUNTS),
        "poisson_short": (nn.PoissonNLLLoss, torch.nn.PoissonNLLLoss, {}, {}, X, COUNTS),
        "smooth_l1_0": (nn.SmoothL1Loss, torch.nn.SmoothL1Loss, {"beta": 0}, {"beta": 0}, X, Y),
        "poisson_counts": (
            nn.PoissonNLLLoss,
            torch.nn.PoissonNLLLoss,
            {"log_input": False},
            {"log_input": False},
            P,
            COUNTS,
        ),
        "cross_entropy": (nn.CrossEntropyLoss, torch.nn.CrossEntropyLoss, {}, {}, X, CLASSES),
        "cross_entropy_weighted": (
            nn.CrossEntropyLoss,
            torch.nn.CrossEntropyLoss,
            {"weight": w, "label_smoothing": 0.1},
            {"weight": tw, "label_smoothing": 0.1},
            X,
            CLASSES,
        ),
        "cross_entropy_ignored": (
            nn.CrossEntropyLoss,
            torch.nn.CrossEntropyLoss,
            {"weight": w, "label_smoothing": 0.1},
            {"weight": tw, "label_smoothing": 0.1},
            X,
            np.where(np.arange(6) % 3, CLASSES, -100),
        ),
        "cross_entropy_positions": (
            nn.CrossEntropyLoss,
            torch.nn.CrossEntropyLoss,
            {"weight": w, "ignore_index": 1},
            {"weight": tw, "ignore_index": 1},
            X.reshape(2, 5, 3),
            np.array([[4, 1, 3], [0, 2, 1]]),
        ),
        "cross_entropy_soft_positions": (
            nn.CrossEntropyLoss,
            torch.nn.CrossEntropyLoss,
            {"weight": w},
            {"weight": tw},
            X.reshape(1, 5, 3, 2),
            PROBABILITIES.reshape(1, 5, 3, 2),
        ),
        "cross_entropy_one": (nn.CrossEntropyLoss, torch.nn.CrossEntropyLoss, {}, {}, X[0], np.array(3)),
        "cross_entropy_soft": (
            nn.CrossEntropyLoss,
            torch.nn.CrossEntropyLoss,
            {"weight": w, "label_smoothing": 0.1},
            {"weight": tw, "label_smoothing": 0.1},
            X,
            PROBABILITIES,
        ),
    }


@pytest.mark.parametrize("name", list(losses(np.float64)))
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_losses(name, reduction, dtype):
    ours, theirs, mine, other, x, y = losses(dtype)[name]
    y = y if y.dtype == np.int64 else y.astype(dtype)
    compare(ours(reduction=reduction, **mine), theirs(reduction=reduction, **other), [x], dtype, [y])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_hinge_loss(reduction, dtype):
    """PyTorch has no hinge loss of elements: it is written out."""
    reduced = {"mean": torch.mean, "sum": torch.sum, "none": lambda x: x}[reduction]
    compare(
        nn.HingeLoss(reduction),
        lambda x, y: reduced(torch.clamp(1 - x * y, min=0)),
        [X],
        dtype,
        [SIGNS.astype(dtype)],
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout(dtype):
    """The choice is ours; what PyTorch's backward makes of a choice is compared."""
    x = nn.Tensor(X.astype(dtype), requires_grad=True)
    y = F.dropout(x, 0.4, seed=3)
    kept = torch.from_numpy(y.data != 0)
    other = torch.tensor(X.astype(dtype), requires_grad=True)
    expected = torch.where(kept, other / (1 - 0.4), 0.0)
    torch.testing.assert_close(torch.from_numpy(y.data), expected.detach())
    gradient = Y.astype(dtype)
    y.backward(gradient)
    expected.backward(torch.from_numpy(gradient))
    torch.testing.assert_close(torch.from_numpy(x.grad), other.grad)


LAYERS = {
    "Linear": (lambda m: m.Linear(5, 4), X),
    "Linear_no_bias": (lambda m: m.Linear(5, 4, bias=False), X.reshape(2, 3, 5)),
    "ReLU": (lambda m: m.ReLU(), X),
    "LeakyReLU": (lambda m: m.LeakyReLU(0.3), X),
    "ELU": (lambda m: m.ELU(0.3), X),
    "ELU_down": (lambda m: m.Sequential(m.Linear(5, 4), m.ELU(-0.3)), X),
    "GELU": (lambda m: m.GELU(), X),
    "GELU_tanh": (lambda m: m.GELU("tanh"), X),
    "SiLU": (lambda m: m.SiLU(), X),
    "Sigmoid": (lambda m: m.Sigmoid(), X),
    "Tanh": (lambda m: m.Tanh(), X),
    "Softplus": (lambda m: m.Softplus(0.5), X),
    "Softplus_threshold": (lambda m: m.Sequential(m.Linear(5, 4), m.Softplus(2, 0.5)), X),
    "Softmax": (lambda m: m.Softmax(dim=0), X),
    "LogSoftmax": (lambda m: m.LogSoftmax(dim=1), X),
    "Identity": (lambda m: m.Identity(), X),
    "Flatten": (lambda m: m.Flatten(), X.reshape(2, 3, 5)),
    "BatchNorm1d": (lambda m: m.BatchNorm1d(5), X),
    "BatchNorm1d_positions": (lambda m: m.BatchNorm1d(5, eps=1e-3, momentum=0.3), X.reshape(2, 5, 3)),
    "BatchNorm1d_mean": (lambda m: m.BatchNorm1d(5, momentum=None), X),
    "BatchNorm1d_plain": (lambda m: m.BatchNorm1d(5, affine=False), X),
    "BatchNorm1d_untracked": (lambda m: m.BatchNorm1d(5, track_running_stats=False), X),
    "LayerNorm": (lambda m: m.LayerNorm(5), X),
    "LayerNorm_axes": (lambda m: m.LayerNorm((3, 5), eps=1e-3, bias=False), X.reshape(2, 3, 5)),
    "LayerNorm_plain": (lambda m: m.LayerNorm(5, elementwise_affine=False), X),
    "Embedding": (lambda m: m.Embedding(5, 3), CLASSES.reshape(2, 3)),
    "Embedding_padding": (lambda m: m.Embedding(5, 3, padding_idx=int(CLASSES[0])), CLASSES),
    "Sequential": (lambda m: m.Sequential(m.Linear(5, 6), m.Tanh(), m.Linear(6, 2), m.ReLU()), X),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_layers(name, dtype):
    """Three batches in training, then evaluation: results, gradients of input and parameters, all of the state."""
    build, x = LAYERS[name]
    torch.manual_seed(0)
    theirs = build(torch.nn).to(torch.float32 if dtype == np.float32 else torch.float64)
    ours = build(nn).astype(dtype)
    assert set(ours.state_dict()) == set(theirs.state_dict())
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    for batch in range(4):
        theirs.train(batch < 3)
        ours.train(batch < 3)
        values = x if x.dtype.kind == "i" else (x * (1 + 0.1 * batch)).astype(dtype)
        a, b = nn.Tensor(values), torch.tensor(values)
        if values.dtype.kind == "f":
            a.requires_grad_()
            b.requires_grad_()
        y, z = ours(a), theirs(b)
        torch.testing.assert_close(torch.from_numpy(np.array(y.data)), z.detach())
        if not z.requires_grad:
            continue
        gradient = np.random.default_rng(batch).normal(size=y.shape).astype(dtype)
        y.backward(gradient)
        z.backward(torch.from_numpy(gradient))
        if b.requires_grad:
            torch.testing.assert_close(torch.from_numpy(a.grad), b.grad)
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters()):
        torch.testing.assert_close(torch.from_numpy(p.grad), q.grad, msg=lambda m, name=name: f"{name}: {m}")
    for name, array in ours.state_dict().items():
        torch.testing.assert_close(torch.from_numpy(array), theirs.state_dict()[name])


def test_residual_is_a_sum():
    inner, theirs = nn.Linear(5, 5, dtype=np.float64), torch.nn.Linear(5, 5).double()
    inner.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    compare(nn.Residual(inner), lambda x: x + theirs(x), [X], np.float64)


def test_names_and_defaults_are_pytorch_s():
    """Every argument of ours that PyTorch has as well has its default there."""
    deprecated = {"size_average", "reduce"}
    for name in nn.__all__:
        ours, theirs = getattr(nn, name), getattr(torch.nn, name, None)
        if not (isinstance(ours, type) and issubclass(ours, nn.Module) and theirs) or name in ("Module", "Sequential"):
            continue
        mine, other = (dict(inspect.signature(c.__init__).parameters) for c in (ours, theirs))
        shared = [argument for argument in mine if argument in other and argument not in ("self", "args", "kwargs")]
        for argument in shared:
            if argument not in ("dtype", "dim"):
                assert mine[argument].default == other[argument].default, f"{name}: {argument}"
        assert shared == [argument for argument in other if argument in shared and argument not in deprecated], name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("training", [True, False])
def test_a_network_of_all_layers(dtype, training):
    def build(m):
        return m.Sequential(
            m.Linear(5, 8), m.ReLU(), m.BatchNorm1d(8), m.Linear(8, 6), m.GELU(), m.LayerNorm(6), m.Linear(6, 6),
            m.ELU(), m.Linear(6, 5), m.SiLU(), m.Linear(5, 5), m.Tanh(), m.Linear(5, 5), m.Sigmoid(), m.Linear(5, 4),
            m.LeakyReLU(), m.Linear(4, 4), m.Softplus(), m.Flatten(), m.Linear(4, 3),
        )  # fmt: skip

    torch.manual_seed(0)
    theirs = build(torch.nn).to(torch.float32 if dtype == np.float32 else torch.float64)
    ours = build(nn).astype(dtype)
    state = {name: t.detach().numpy() for name, t in theirs.state_dict().items()}
    assert set(state) == set(ours.state_dict())
    ours.load_state_dict(state)
    theirs.train(training)
    ours.train(training)
    x, y = X.astype(dtype), CLASSES % 3
    for _ in range(2):
        a = nn.cross_entropy(ours(x), y)
        b = TF.cross_entropy(theirs(torch.from_numpy(x)), torch.from_numpy(y))
        a.backward()
        b.backward()
        torch.testing.assert_close(torch.from_numpy(a.data), b.detach())
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters()):
        torch.testing.assert_close(torch.from_numpy(p.grad), q.grad, msg=lambda m, name=name: f"{name}: {m}")
    for name, buffer in ours.named_buffers():
        torch.testing.assert_close(torch.from_numpy(buffer.data), theirs.state_dict()[name])
