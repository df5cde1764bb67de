"""Losses against NumPy, their modules, and what they reject."""

import numpy as np
import pytest
from scipy import special

from fastml import nn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 4))
PROBABILITIES = RNG.random((6, 4))
SIGNS = np.sign(Y)
COUNTS = RNG.poisson(3, (6, 4)).astype(float)
CLASSES = RNG.integers(0, 4, 6)
WEIGHT = RNG.random(4)


def huber(d, delta):
    return np.where(np.abs(d) < delta, 0.5 * d**2, delta * (np.abs(d) - 0.5 * delta))


def bce(x, y, pos_weight=1.0):
    return -(pos_weight * y * special.log_expit(x) + (1 - y) * special.log_expit(-x))


# name: (module, its losses, targets)
ELEMENTWISE = {
    "mse": (nn.MSELoss, {}, lambda x, y: (x - y) ** 2, Y),
    "l1": (nn.L1Loss, {}, lambda x, y: np.abs(x - y), Y),
    "huber": (nn.HuberLoss, {"delta": 0.7}, lambda x, y: huber(x - y, 0.7), Y),
    "smooth_l1": (nn.SmoothL1Loss, {"beta": 0.7}, lambda x, y: huber(x - y, 0.7) / 0.7, Y),
    "smooth_l1_0": (nn.SmoothL1Loss, {"beta": 0}, lambda x, y: np.abs(x - y), Y),
    "bce": (nn.BCEWithLogitsLoss, {}, bce, PROBABILITIES),
    "bce_pos_weight": (nn.BCEWithLogitsLoss, {"pos_weight": WEIGHT}, lambda x, y: bce(x, y, WEIGHT), PROBABILITIES),
    "bce_weight": (nn.BCEWithLogitsLoss, {"weight": WEIGHT}, lambda x, y: bce(x, y) * WEIGHT, PROBABILITIES),
    "hinge": (nn.HingeLoss, {}, lambda x, y: np.maximum(0, 1 - x * y), SIGNS),
    "poisson": (nn.PoissonNLLLoss, {}, lambda x, y: np.exp(x) - x * y, COUNTS),
    "poisson_counts": (
        nn.PoissonNLLLoss,
        {"log_input": False, "eps": 0.1},
        lambda x, y: x - y * np.log(x + 0.1),
        COUNTS,
    ),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_elementwise_losses(name, reduction):
    module, arguments, reference, y = ELEMENTWISE[name]
    x = np.abs(X) if name == "poisson_counts" else X
    expected = reference(x, y)
    expected = expected.mean() if reduction == "mean" else expected.sum() if reduction == "sum" else expected
    loss = module(reduction=reduction, **arguments)
    np.testing.assert_allclose(loss(x, y).data, expected, rtol=1e-12)
    assert loss(x.astype(np.float32), y).dtype == np.float32
    nn.check_grads(lambda x: loss(x, y), [x])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("by_class", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy(reduction, weight, smoothing, by_class, dtype):
    w = np.ones(4) if weight is None else weight
    target = np.eye(4)[CLASSES] if by_class else PROBABILITIES
    expected = -(special.log_softmax(X, axis=1) * w * ((1 - smoothing) * target + smoothing / 4)).sum(axis=1)
    if reduction == "sum":
        expected = expected.sum()
    elif reduction == "mean":
        expected = expected.sum() / (w[CLASSES].sum() if by_class else 6)
    loss = nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=smoothing)
    given = CLASSES if by_class else PROBABILITIES
    np.testing.assert_allclose(loss(X.astype(dtype), given).data, expected, rtol=40 * np.finfo(dtype).eps)
    nn.check_grads(lambda x: loss(x, given), [X])


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_ignored_classes_count_for_nothing(weight):
    classes = np.array([0, 3, -100, 2, -100, 0])
    kept = classes != -100
    loss = nn.cross_entropy(X, classes, weight)
    assert loss.item() == pytest.approx(nn.cross_entropy(X[kept], classes[kept], weight).item(), rel=1e-12)
    of_samples = nn.cross_entropy(X, classes, weight, reduction="none").data
    np.testing.assert_array_equal(of_samples[~kept], 0)
    assert (of_samples[kept] > 0).all()
    assert nn.cross_entropy(X, np.where(kept, classes, 1), weight, ignore_index=1).item() == pytest.approx(loss.item())


def test_stirling_s_term_of_the_poisson_loss():
    full, short = (nn.poisson_nll_loss(X, COUNTS, full=full, reduction="none").data for full in (True, False))
    exact = np.where(COUNTS > 1, special.gammaln(COUNTS + 1), 0)
    np.testing.assert_allclose(full - short, exact, atol=0.05)


def test_huge_scores_lose_nothing():
    x = nn.Tensor(np.array([[1000.0, 0.0, -np.inf]]), requires_grad=True)
    loss = nn.cross_entropy(x, np.array([0]))
    assert loss.item() == 0
    loss.backward()
    np.testing.assert_array_equal(x.grad, np.zeros((1, 3)))
    assert nn.cross_entropy(x, np.array([1])).item() == 1000
    assert nn.binary_cross_entropy_with_logits(np.array([-1000.0]), np.array([1.0])).item() == 1000


def test_targets_may_require_gradients():
    nn.check_grads(lambda x, y: nn.mse_loss(x, y), [X, Y], order=2)


def test_penalties():
    model = nn.Linear(3, 2, dtype=np.float64)
    values = np.concatenate([p.data.ravel() for p in model.parameters()])
    assert nn.l1_penalty(model.parameters()).item() == pytest.approx(np.abs(values).sum())
    loss = nn.l2_penalty(model.parameters())
    assert loss.item() == pytest.approx(0.5 * (values**2).sum())
    loss.backward()
    np.testing.assert_allclose(model.weight.grad, model.weight.data)


def test_wrong_targets_and_arguments():
    with pytest.raises(ValueError, match=r"\[0, 4\), got 4"):
        nn.cross_entropy(X, np.array([0, 3, 1, 4, 0, 5]))
    with pytest.raises(ValueError, match=r"\[0, 4\), got -1"):
        nn.cross_entropy(X, np.array([0, 3, 1, -1, 0, 0]))
    with pytest.raises(ValueError, match=r"expected 4 weights.*\(3,\)"):
        nn.cross_entropy(X, CLASSES, weight=np.ones(3))
    with pytest.raises(ValueError, match="label_smoothing"):
        nn.cross_entropy(X, CLASSES, label_smoothing=1.5)
    with pytest.raises(ValueError, match="-1 or 1"):
        nn.hinge_loss(X, np.zeros((6, 4)))
    with pytest.raises(ValueError, match="reduction"):
        nn.MSELoss("average")
    with pytest.raises(ValueError, match="delta"):
        nn.huber_loss(X, Y, delta=0)
