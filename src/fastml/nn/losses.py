"""Losses, as functions and as modules, under PyTorch's names and with its defaults.

All take ``reduction``: "mean" (the default), "sum", or "none" for the loss of each element or row. Targets are arrays
or tensors; those of the elementwise losses may require gradients.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastml.nn import functional as F
from fastml.nn.module import Module
from fastml.nn.tensor import Tensor, apply


def _reduced(losses: Tensor, reduction: str, count: Any = None) -> Tensor:
    if reduction == "none":
        return losses
    total = F.sum(losses)
    if reduction == "sum":
        return total
    if reduction != "mean":
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}.")
    return total / (losses.size if count is None else count)


def _pair(loss: str, input: Any, target: Any) -> tuple[Tensor, Tensor]:  # noqa: A002
    """Return predictions and targets as tensors of one shape."""
    x = input if isinstance(input, Tensor) else Tensor(input)
    y = target if isinstance(target, Tensor) and target.dtype == x.dtype else Tensor(target, dtype=x.dtype)
    if x.shape != y.shape:
        raise ValueError(f"{loss}: predictions of shape {x.shape} and targets of shape {y.shape} must have one shape.")
    return x, y


def _array(values: Any, like: Tensor) -> np.ndarray | None:
    if values is None:
        return None
    values = values.data if isinstance(values, Tensor) else values
    return np.ascontiguousarray(values, dtype=like.dtype)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:  # noqa: A002
    """Return squared differences."""
    x, y = _pair("mse_loss", input, target)
    difference = x - y
    return _reduced(difference * difference, reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:  # noqa: A002
    """Return absolute differences."""
    x, y = _pair("l1_loss", input, target)
    return _reduced(F.abs(x - y), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:  # noqa: A002
    """Return d^2 / 2 of differences d up to delta, and delta * (|d| - delta / 2) of larger ones."""
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta}.")
    x, y = _pair("huber_loss", input, target)
    size = F.abs(x - y)
    near = F.minimum(size, delta)  # the part of |d| with a square
    return _reduced(near * (size - near * 0.5), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:  # noqa: A002
    """Return the Huber loss with delta = beta, divided by beta; with beta = 0 absolute differences."""
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, got {beta}.")
    if beta == 0:
        return l1_loss(input, target, reduction)
    return huber_loss(input, target, reduction, delta=beta) / beta


def cross_entropy(
    input: Any,  # noqa: A002
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return -log of the probability that the softmax of the scores gives to the target.

    Parameters
    ----------
    input : Tensor of shape (n_samples, n_classes)
        Scores.
    target : array of int, shape (n_samples,), or of float, shape (n_samples, n_classes)
        Classes, or their probabilities.
    weight : array-like of shape (n_classes,), optional
        Weights of the classes. The mean over classes given as integers is then a weighted one.
    reduction : {"mean", "sum", "none"}, default="mean"
    label_smoothing : float, default=0
        The share of the target that is spread over all classes.

    Returns
    -------
    loss : Tensor
        A scalar, or of shape (n_samples,).
    """
    x = input if isinstance(input, Tensor) else Tensor(input)
    values = target.data if isinstance(target, Tensor) else np.asarray(target)
    is_classes = values.dtype.kind in "iu"
    if x.ndim != 2 or values.shape != (x.shape[:1] if is_classes else x.shape):
        raise ValueError(
            f"cross_entropy: scores of shape {x.shape} and targets of shape {values.shape} do not fit: expected "
            "samples x classes, and a class (an integer) for each sample or as many probabilities."
        )
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must lie in [0, 1], got {label_smoothing}.")
    weights = _array(weight, x)
    if weights is not None and weights.shape != x.shape[1:]:
        raise ValueError(f"cross_entropy: expected {x.shape[1]} weights, one a class, got shape {weights.shape}.")
    if is_classes:
        values = np.ascontiguousarray(values, dtype=np.int64)
        if values.size and (values.min() < 0 or values.max() >= x.shape[1]):
            outside = values[(values < 0) | (values >= x.shape[1])][0]
            raise ValueError(f"cross_entropy: classes must lie in [0, {x.shape[1]}), got {outside}.")
    else:
        values = np.ascontiguousarray(values, dtype=x.dtype)
    losses = apply("cross_entropy", x, target=values, weight=weights, label_smoothing=float(label_smoothing))
    count = weights[values].sum() if is_classes and weights is not None else None
    return _reduced(losses, reduction, count)


def binary_cross_entropy_with_logits(
    input: Any,  # noqa: A002
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:
    """Return -log of the probability that the sigmoid of the scores gives to targets in [0, 1].

    Parameters
    ----------
    input, target : Tensor of one shape
        Scores and probabilities.
    weight : array-like, optional
        Weights of the elements, broadcast.
    reduction : {"mean", "sum", "none"}, default="mean"
    pos_weight : array-like, optional
        Weights of the positive part of the loss, broadcast.
    """
    x, y = _pair("binary_cross_entropy_with_logits", input, target)
    # y log(1 + e^-x) + (1 - y) log(1 + e^x), each without overflow.
    positive, negative = F.softplus(-x), F.softplus(x)
    factor = _array(pos_weight, x)
    losses = (y * positive if factor is None else y * positive * factor) + (1.0 - y) * negative
    weights = _array(weight, x)
    return _reduced(losses if weights is None else losses * weights, reduction)


def hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:  # noqa: A002
    """Return max(0, 1 - y s) of scores s and targets y, which are -1 or 1."""
    x, y = _pair("hinge_loss", input, target)
    if not np.isin(y.data, (-1, 1)).all():
        raise ValueError("hinge_loss: targets must be -1 or 1.")
    return _reduced(F.relu(1.0 - x * y), reduction)


def poisson_nll_loss(
    input: Any,  # noqa: A002
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log-likelihood of counts under a Poisson distribution.

    Parameters
    ----------
    input, target : Tensor of one shape
        Predictions, and counts.
    log_input : bool, default=True
        Whether predictions are logarithms of the expected counts.
    full : bool, default=False
        Whether to add Stirling's approximation of log(target!), which does not depend on the predictions.
    eps : float, default=1e-8
        Added to expected counts, whose logarithm is taken, where log_input is False.
    reduction : {"mean", "sum", "none"}, default="mean"
    """
    x, y = _pair("poisson_nll_loss", input, target)
    losses = F.exp(x) - y * x if log_input else x - y * F.log(x + eps)
    if full:
        large = y.data > 1
        safe = np.where(large, y.data, 1)
        losses = losses + np.where(large, safe * np.log(safe) - safe + 0.5 * np.log(2 * np.pi * safe), 0)
    return _reduced(losses, reduction)


def l1_penalty(parameters: Iterable[Tensor]) -> Tensor:
    """Return the sum of the absolute values of parameters."""
    return _total([F.sum(F.abs(p)) for p in parameters])


def l2_penalty(parameters: Iterable[Tensor]) -> Tensor:
    """Return half of the sum of the squares of parameters: its gradient is the parameters."""
    return _total([F.sum(p * p) * 0.5 for p in parameters])


def _total(parts: list[Tensor]) -> Tensor:
    if not parts:
        raise ValueError("a penalty needs at least one parameter.")
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


class Loss(Module):
    """Base of the losses as modules. Their arguments are those of the functions."""

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}.")
        self.reduction = reduction

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class MSELoss(Loss):
    """Squared differences: see :func:`mse_loss`."""

    def forward(self, input: Any, target: Any) -> Tensor:  # noqa: A002
        return mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """Absolute differences: see :func:`l1_loss`."""

    def forward(self, input: Any, target: Any) -> Tensor:  # noqa: A002
        return l1_loss(input, target, self.reduction)


class HuberLoss(Loss):
    """Squares of small differences, absolute values of large ones: see :func:`huber_loss`."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Tensor:  # noqa: A002
        return huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(Loss):
    """The Huber loss over beta: see :func:`smooth_l1_loss`."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Tensor:  # noqa: A002
        return smooth_l1_loss(input, target, self.reduction, self.beta)


class CrossEntropyLoss(Loss):
    """Cross entropy of the softmax: see :func:`cross_entropy`."""

    def __init__(self, weight: Any = None, reduction: str = "mean", label_smoothing: float = 0.0) -> None:
        super().__init__(reduction)
        self.weight, self.label_smoothing = weight, label_smoothing

    def forward(self, input: Any, target: Any) -> Tensor:  # noqa: A002
        return cross_entropy(input, target, self.weight, self.reduction, self.label_smoothing)


class BCEWithLogitsLoss(Loss):
    """Cross entropy of the sigmoid: see :func:`binary_cross_entropy_with_logits`."""

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight, self.pos_weight = weight, pos_weight

    def forward(self, input: Any, target: Any) -> Tensor:  # noqa: A002
        return binary_cross_entropy_with_logits(input, target, self.weight, self.reduction, self.pos_weight)


class HingeLoss(Loss):
    """max(0, 1 - y s): see :func:`hinge_loss`."""

    def forward(self, input: Any, target: Any) -> Tensor:  # noqa: A002
        return hinge_loss(input, target, self.reduction)


class PoissonNLLLoss(Loss):
    """Likelihood of counts: see :func:`poisson_nll_loss`."""

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, input: Any, target: Any) -> Tensor:  # noqa: A002
        return poisson_nll_loss(input, target, self.log_input, self.full, self.eps, self.reduction)
