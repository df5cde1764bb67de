"""Coarse primitives of losses: value, derivative and reduction in one pass. See ``_primitives_fused``.

The forward pass computes the derivatives as well, scaled as the reduction asks for: what is left for the backward pass
is to multiply them by a gradient, which is 1 where the loss is what is differentiated.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastml import _core
from fastml._support import threads
from fastml.nn._primitives import constant
from fastml.nn._primitives_fused import fuse, plain_activation, plain_softmax
from fastml.nn._recording import mode
from fastml.nn.tensor import Tensor, apply


def _reduced(losses: np.ndarray, total: float, reduction: str, count: float, dtype: np.dtype) -> np.ndarray:
    if reduction == "none":
        return losses
    if reduction == "mean":
        total = total / count if count else math.nan  # of nothing, as in PyTorch
    return np.array(total, dtype=dtype)


def _scaled(derivatives: np.ndarray, g: np.ndarray) -> np.ndarray:
    # A view: the array is the record's, which may be asked again.
    return derivatives.view() if g.ndim == 0 and g == 1 else derivatives * g


def _plain_reduced(losses: Tensor, reduction: str, count: float) -> Tensor:
    if reduction == "none":
        return losses
    total = apply("sum", losses, axis=None, keepdims=False)
    return total / count if reduction == "mean" else total


def _factor(reduction: str, count: float) -> float:
    return 1 / count if reduction == "mean" and count else 1.0


# One number against another.


def _elementwise_loss(
    x: np.ndarray,
    target: np.ndarray,
    kind: str,
    parameter: float,
    weight: np.ndarray | None,
    positive_weight: np.ndarray | None,
    reduction: str,
) -> tuple[np.ndarray, Any]:
    x = np.asarray(x, order="C")
    total, losses, derivatives = _core.nn_elementwise_loss(
        x,
        target,
        kind,
        parameter,
        weight,
        positive_weight,
        _factor(reduction, x.size),
        reduction == "none",
        mode.recording,
        threads.for_pass(x.size),
    )
    return _reduced(losses, total, reduction, x.size, x.dtype), derivatives


def _huber(d: Tensor, delta: float) -> Tensor:
    size = apply("abs", d)
    near = apply("minimum", size, constant(delta, d))  # the part of |d| with a square
    return near * (size - near * 0.5)


def _logistic(x: Tensor, y: Tensor, positive_weight: np.ndarray | None) -> Tensor:
    # y log(1 + e^-x) + (1 - y) log(1 + e^x), each without overflow.
    positive, negative = plain_activation(-x, "softplus", 1.0), plain_activation(x, "softplus", 1.0)
    return (y * positive if positive_weight is None else y * positive * positive_weight) + (1.0 - y) * negative


_PLAIN: dict[str, Callable[[Tensor, Tensor, float, Any], Tensor]] = {
    "squared": lambda x, y, p, w: (x - y) * (x - y),
    "absolute": lambda x, y, p, w: apply("abs", x - y),
    "huber": lambda x, y, p, w: _huber(x - y, p),
    "smooth": lambda x, y, p, w: _huber(x - y, p) / p,
    "logistic": lambda x, y, p, w: _logistic(x, y, w),
    "hinge": lambda x, y, p, w: plain_activation(1.0 - x * y, "relu", 0.0),
    "poisson": lambda x, y, p, w: x - y * apply("log", x + p),
    "poisson_of_log": lambda x, y, p, w: apply("exp", x) - y * x,
}


def plain_elementwise_loss(
    x: Tensor,
    target: Any,
    kind: str,
    parameter: float,
    weight: np.ndarray | None,
    positive_weight: np.ndarray | None,
    reduction: str,
) -> Tensor:
    """Return a loss in small primitives. The target may be a tensor that requires a gradient."""
    y = target if isinstance(target, Tensor) else Tensor._of(target)
    losses = _PLAIN[kind](x, y, parameter, positive_weight)
    return _plain_reduced(losses if weight is None else losses * weight, reduction, x.data.size)


fuse(
    "elementwise_loss",
    _elementwise_loss,
    lambda g, derivatives, needs, x, **options: [_scaled(derivatives, g)],
    plain_elementwise_loss,
)


# Cross entropy: rows of scores against classes or probabilities.


def _cross_entropy(
    x: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None,
    label_smoothing: float,
    ignore_index: int,
    reduction: str,
) -> tuple[np.ndarray, Any]:
    classes, probabilities = (target, None) if target.dtype.kind == "i" else (None, target)
    total, count, losses, derivatives = _core.nn_cross_entropy(
        np.ascontiguousarray(x),
        classes,
        probabilities,
        weight,
        label_smoothing,
        ignore_index,
        reduction == "mean",
        mode.recording,
        threads.for_pass(x.size),
    )
    return _reduced(losses, total, reduction, count, x.dtype), derivatives


def _cross_entropy_vjp(g: np.ndarray, derivatives: np.ndarray, needs: Sequence[bool], x: np.ndarray, **_: Any) -> list:
    return [_scaled(derivatives, g[:, np.newaxis] if g.ndim else g)]


def _plain_cross_entropy(
    x: Tensor,
    target: np.ndarray,
    weight: np.ndarray | None,
    label_smoothing: float,
    ignore_index: int,
    reduction: str,
) -> Tensor:
    n_samples, n_classes = x.data.shape
    weights, of_rows = np.ones(n_classes) if weight is None else weight, np.ones(n_samples)
    if target.dtype.kind == "i":
        kept = target != ignore_index
        classes = np.where(kept, target, 0)
        target = np.eye(n_classes)[classes]
        of_rows = kept * weights[classes]
    else:
        kept = np.ones(n_samples, dtype=bool)
    # What each class' -log(probability) is multiplied by.
    factors = ((1 - label_smoothing) * target + label_smoothing / n_classes) * weights * kept[:, np.newaxis]
    losses = -apply("sum", plain_softmax(x, logarithm=True) * constant(factors, x), axis=1)
    return _plain_reduced(losses, reduction, float(of_rows.sum()))


fuse("cross_entropy", _cross_entropy, _cross_entropy_vjp, _plain_cross_entropy)
