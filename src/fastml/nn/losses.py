"""Losses, as functions and as modules, under PyTorch's names and with its defaults.

All take ``reduction``: "mean" (the default), "sum", or "none" for the loss of each element or row. Targets are arrays
or tensors; those of the elementwise losses may require gradients.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastml.nn import functional as F
from fastml.nn._primitives_losses import plain_elementwise_loss
from fastml.nn.module import Module
from fastml.nn.tensor import Tensor, apply

REDUCTIONS = ("mean", "sum", "none")


def _checked_reduction(reduction: str) -> str:
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}.")
    return reduction


def _pair(loss: str, input: Any, target: Any) -> tuple[Tensor, Tensor]:  # noqa: A002
    """Return predictions and targets as tensors of one shape."""
    x = input if isinstance(input, Tensor) else Tensor(input)
    y = target if isinstance(target, Tensor) and target.dtype == x.dtype else Tensor(target, dtype=x.dtype)
    if x.shape != y.shape:
        raise ValueError(f"{loss}: predictions of shape {x.shape} and targets of shape {y.shape} must have one shape.")
    return x, y


def _array(values: Any, like: Tensor, shape: tuple[int, ...] | None = None) -> np.ndarray | None:
    """Return weights as an array of a tensor's type, repeated to a shape."""
    if values is None:
        return None
    values = np.asarray(values.data if isinstance(values, Tensor) else values, dtype=like.dtype)
    return np.asarray(values if shape is None else np.broadcast_to(values, shape), order="C")


def _elementwise(
    x: Tensor,
    y: Tensor,
    kind: str,
    reduction: str,
    parameter: float = 0.0,
    weight: Any = None,
    positive_weight: Any = None,
) -> Tensor:
    options: dict[str, Any] = {
        "kind": kind,
        "parameter": parameter,
        "weight": _array(weight, x, x.shape),
        "positive_weight": _array(positive_weight, x, x.shape),
        "reduction": _checked_reduction(reduction),
    }
    if y.requires_grad:  # the kernel differentiates by predictions only
        return plain_elementwise_loss(x, y, **options)
    return apply("elementwise_loss", x, target=np.asarray(y.data, order="C"), **options)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:  # noqa: A002
    """Return squared differences."""
    return _elementwise(*_pair("mse_loss", input, target), "squared", reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:  # noqa: A002
    """Return absolute differences."""
    return _elementwise(*_pair("l1_loss", input, target), "absolute", reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:  # noqa: A002
    """Return d^2 / 2 of differences d up to delta, and delta * (|d| - delta / 2) of larger ones."""
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta}.")
    return _elementwise(*_pair("huber_loss", input, target), "huber", reduction, float(delta))


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:  # noqa: A002
    """Return the Huber loss with delta = beta, divided by beta; with beta = 0 absolute differences."""
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, got {beta}.")
    kind = "smooth" if beta > 0 else "absolute"
    return _elementwise(*_pair("smooth_l1_loss", input, target), kind, reduction, float(beta))


def cross_entropy(
    input: Any,  # noqa: A002
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return -log of the probability that the softmax of the scores gives to the target.

    Parameters
    ----------
    input : Tensor of shape (n_classes,), (n_samples, n_classes) or (n_samples, n_classes, ...)
        Scores.
    target : array of int, of the shape without the classes, or of float, of the same shape
        Classes, or their probabilities.
    weight : array-like of shape (n_classes,), optional
        Weights of the classes. The mean over classes given as integers is then a weighted one.
    ignore_index : int, default=-100
        A class, or any other number, whose samples have no loss and do not count in the mean.
    reduction : {"mean", "sum", "none"}, default="mean"
        The mean over probabilities is that over samples and further positions.
    label_smoothing : float, default=0
        The share of the target that is spread over all classes.

    Returns
    -------
    loss : Tensor
        A scalar, or of the shape without the classes.
    """
    x = input if isinstance(input, Tensor) else Tensor(input)
    values = target.data if isinstance(target, Tensor) else np.asarray(target)
    is_classes = values.dtype.kind in "iu"
    axis = min(x.ndim - 1, 1)
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    if x.ndim == 0 or values.shape != (shape if is_classes else x.shape):
        raise ValueError(
            f"cross_entropy: scores of shape {x.shape} and targets of shape {values.shape} do not fit: expected "
            "samples x classes, and a class (an integer) for each sample or as many probabilities."
        )
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must lie in [0, 1], got {label_smoothing}.")
    n_classes = x.shape[axis]
    weights = _array(weight, x)
    if weights is not None and weights.shape != (n_classes,):
        raise ValueError(f"cross_entropy: expected {n_classes} weights, one a class, got shape {weights.shape}.")
    if x.ndim != 2:
        # The kernel takes rows: classes become the last axis.
        order = (0, *range(2, x.ndim), 1) if x.ndim > 2 else (0,)
        x = F.reshape(F.transpose(x, order), (-1, n_classes))
        values = values.reshape(-1) if is_classes else values.transpose(order).reshape(-1, n_classes)
    values = np.ascontiguousarray(values, dtype=np.int64 if is_classes else x.dtype)
    losses = apply(
        "cross_entropy",
        x,
        target=values,
        weight=weights,
        label_smoothing=float(label_smoothing),
        ignore_index=ignore_index,
        reduction=_checked_reduction(reduction),
    )
    return F.reshape(losses, shape) if losses.shape and losses.shape != shape else losses


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
    return _elementwise(x, y, "logistic", reduction, 0.0, weight, pos_weight)


def hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:  # noqa: A002
    """Return max(0, 1 - y s) of scores s and targets y, which are -1 or 1."""
    x, y = _pair("hinge_loss", input, target)
    if not (np.abs(y.data) == 1).all():
        raise ValueError("hinge_loss: targets must be -1 or 1.")
    return _elementwise(x, y, "hinge", reduction)


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
    loss = _elementwise(x, y, "poisson_of_log" if log_input else "poisson", reduction, float(eps))
    if not full:
        return loss
    large = y.data > 1
    safe = np.where(large, y.data, 1)
    rest = np.where(large, safe * np.log(safe) - safe + 0.5 * np.log(2 * np.pi * safe), 0).astype(x.dtype)
    return loss + (rest if reduction == "none" else rest.mean() if reduction == "mean" else rest.sum())


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
        self.reduction = _checked_reduction(reduction)

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

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction)
        self.weight, self.ignore_index, self.label_smoothing = weight, ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> Tensor:  # noqa: A002
        return cross_entropy(input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing)


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
