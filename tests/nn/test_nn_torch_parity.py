"""Values and gradients of primitives, layers and losses beside PyTorch's, at assert_close's own tolerances."""

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
    "multiply": (lambda x, y: x * y, None, [X, Y[:, :1]]),
    "divide": (lambda x, y: x / y, None, [X, P]),
    "power": (lambda x, y: x**y, None, [P, Y]),
    "square": (lambda x: x**2, None, [X]),
    "exp": (lambda x: x.exp(), None, [X]),
    "log": (lambda x: x.log(), None, [P]),
    "sqrt": (lambda x: x.sqrt(), None, [P]),
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
    "transpose": (lambda x: x.T, None, [X]),
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
    "softplus": (lambda x: F.softplus(x, 1.5), lambda x: TF.softplus(x, 1.5), [X * 5]),
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
    "embedding": (
        lambda w: F.embedding(np.array([[0, 2], [2, 2]]), w),
        lambda w: TF.embedding(torch.tensor([[0, 2], [2, 2]]), w),
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
    state = {name: t.detach().numpy() for name, t in theirs.state_dict().items() if "num_batches" not in name}
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
