"""Gradients kept within bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastml import _core
from fastml._support import threads

__all__ = ["clip_grad_norm_", "clip_grad_value_", "grad_norm"]


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale gradients in place so that their norm, as if they were one vector, is ``max_norm`` at most.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensors
        Those without gradient are left out.
    max_norm : float
    norm_type : float, default=2.0
        The order of the norm; ``inf`` for the largest absolute value.
    error_if_nonfinite : bool, default=False
        Whether a norm that is not finite is an error; gradients become NaN or zero otherwise.

    Returns
    -------
    norm : float
        The norm before.
    """
    gradients = _gradients(parameters)
    norm = _norm(gradients, norm_type)
    factor = clip_factor(norm, max_norm, norm_type, error_if_nonfinite)
    if factor != 1:
        for same, n_threads in _by_type(gradients):
            _core.nn_scale(same, factor, n_threads)
    return norm


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Bring each element of the gradients into ``[-clip_value, clip_value]``, in place.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensors
        Those without gradient are left out.
    clip_value : float
    """
    for same, n_threads in _by_type(_gradients(parameters)):
        _core.nn_clip(same, float(clip_value), n_threads)


def grad_norm(parameters: Any, norm_type: float = 2.0) -> float:
    """Return the norm of the gradients, as if they were one vector; 0 where there are none."""
    return _norm(_gradients(parameters), norm_type)


def clip_factor(norm: float, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False) -> float:
    """Return what gradients of a norm are to be multiplied by: 1 where it is small enough."""
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    # As in PyTorch: the small number keeps gradients of norm 0 finite.
    factor = float(max_norm) / (norm + 1e-6)
    return 1.0 if factor >= 1 else factor


def _gradients(parameters: Any) -> list[np.ndarray]:
    if hasattr(parameters, "data") and hasattr(parameters, "grad"):
        parameters = [parameters]
    found: list[np.ndarray] = []
    for p in parameters:
        if p.grad is None:
            continue
        if not p.grad.flags.c_contiguous:
            p.grad = np.ascontiguousarray(p.grad)
        found.append(p.grad)
    return found


def _by_type(gradients: Iterable[np.ndarray]) -> list[tuple[list[np.ndarray], int]]:
    by_type: dict[np.dtype, list[np.ndarray]] = {}
    for g in gradients:
        by_type.setdefault(g.dtype, []).append(g)
    return [(same, threads.n_threads(work=2 * sum(g.size for g in same))) for same in by_type.values()]


def _norm(gradients: list[np.ndarray], norm_type: float) -> float:
    if not gradients:
        return 0.0
    if norm_type == 2:
        return math.sqrt(sum(_core.nn_squared_norm(same, n_threads) for same, n_threads in _by_type(gradients)))
    norms = [np.linalg.norm(g.ravel(), norm_type) for g in gradients if g.size]
    return float(np.linalg.norm(norms, norm_type)) if norms else 0.0
