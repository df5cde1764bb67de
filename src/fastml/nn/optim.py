"""Optimizers, under PyTorch's names, with its arguments, defaults and formulas.

An optimizer moves the parameters of each group into one buffer for each type (:mod:`fastml.nn._flat`). A step is one
native call for a buffer, which passes over parameters, gradients and states once.

As in PyTorch, a parameter whose ``grad`` is None is left alone by a step, and its own count of steps, from which Adam
corrects its bias, does not grow. Parameters with different counts are stepped by a call for each count.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import Any

from fastml import _core
from fastml.nn._flat import FlatParameters
from fastml.nn._optimizer import Optimizer

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum.

    Parameters
    ----------
    params : iterable of Tensor or of dict
    lr : float, default=1e-3
    momentum : float, default=0
    dampening : float, default=0
        What a gradient loses before it is added to the velocity; its first one loses nothing.
    weight_decay : float, default=0
        The factor of the parameters that is added to their gradients.
    nesterov : bool, default=False
        Whether the step looks ahead along the velocity.
    maximize : bool, default=False
        Whether to climb.
    """

    states = ("momentum_buffer",)
    kernel = staticmethod(_core.nn_sgd_step)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def _states(self, group: dict[str, Any], flat: FlatParameters) -> tuple:
        return (flat.state("momentum_buffer") if group["momentum"] else None,)

    def _alike(self, count: int) -> Hashable:
        return count == 0

    def _numbers(self, group: dict[str, Any], count: int) -> tuple:
        momentum = group["momentum"]
        keep, take = (0.0, 1.0) if count == 1 else (momentum, 1 - group["dampening"])
        return group["weight_decay"], group["lr"], momentum, keep, take, group["nesterov"]


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients.

    Parameters
    ----------
    params : iterable of Tensor or of dict
    lr : float, default=1e-2
    lr_decay : float, default=0
        The learning rate of step t is ``lr / (1 + (t - 1) * lr_decay)``.
    weight_decay : float, default=0
    initial_accumulator_value : float, default=0
        What the sums start with.
    eps : float, default=1e-10
    maximize : bool, default=False
    """

    states = ("sum",)
    kernel = staticmethod(_core.nn_adagrad_step)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initial(self, group: dict[str, Any], name: str) -> float:
        return group["initial_accumulator_value"]

    def _states(self, group: dict[str, Any], flat: FlatParameters) -> tuple:
        return (flat.state("sum", self._initial(group, "sum")),)

    def _alike(self, count: int) -> Hashable:
        return count

    def _numbers(self, group: dict[str, Any], count: int) -> tuple:
        rate = group["lr"] / (1 + (count - 1) * group["lr_decay"])
        return group["weight_decay"], rate, group["eps"]


class RMSprop(Optimizer):
    """Steps divided by the root of a moving mean of squared gradients.

    Parameters
    ----------
    params : iterable of Tensor or of dict
    lr : float, default=1e-2
    alpha : float, default=0.99
        The share that the means keep in a step.
    eps : float, default=1e-8
    weight_decay : float, default=0
    momentum : float, default=0
    centered : bool, default=False
        Whether the square of the mean gradient is taken off: what is divided by is then a standard deviation.
    maximize : bool, default=False
    """

    states = ("square_avg", "momentum_buffer", "grad_avg")
    kernel = staticmethod(_core.nn_rmsprop_step)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _states(self, group: dict[str, Any], flat: FlatParameters) -> tuple:
        mean = flat.state("grad_avg") if group["centered"] else None
        velocity = flat.state("momentum_buffer") if group["momentum"] > 0 else None
        return flat.state("square_avg"), mean, velocity

    def _numbers(self, group: dict[str, Any], count: int) -> tuple:
        return group["weight_decay"], group["lr"], group["alpha"], group["eps"], group["momentum"]


class Adam(Optimizer):
    """Steps along a moving mean of gradients, divided by the root of one of their squares (Kingma and Ba, 2015).

    Parameters
    ----------
    params : iterable of Tensor or of dict
    lr : float, default=1e-3
    betas : tuple of two floats, default=(0.9, 0.999)
        The shares that the two means keep in a step.
    eps : float, default=1e-8
    weight_decay : float, default=0
    amsgrad : bool, default=False
        Whether to divide by the root of the largest mean of squares seen so far.
    maximize : bool, default=False
    decoupled_weight_decay : bool, default=False
        Whether parameters shrink by themselves, as in AdamW, and not through their gradients.
    eps_after_correction : bool, default=True
        Whether ``eps`` is added to the root once its bias is corrected, as in PyTorch. With False it is added to the
        uncorrected root, as in the paper's efficient version and in scikit-learn's MLPClassifier.
    """

    states = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    kernel = staticmethod(_core.nn_adam_step)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        eps_after_correction: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
            "eps_after_correction": eps_after_correction,
        }
        super().__init__(params, defaults)

    def _states(self, group: dict[str, Any], flat: FlatParameters) -> tuple:
        largest = flat.state("max_exp_avg_sq") if group["amsgrad"] else None
        return flat.state("exp_avg"), flat.state("exp_avg_sq"), largest

    def _alike(self, count: int) -> Hashable:
        return count

    def _numbers(self, group: dict[str, Any], count: int) -> tuple:
        (beta1, beta2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
        shrink, decay = (1 - lr * decay, 0.0) if group["decoupled_weight_decay"] else (1.0, decay)
        rate, root = lr / (1 - beta1**count), math.sqrt(1 - beta2**count)
        rate, root_factor = (rate, 1 / root) if group["eps_after_correction"] else (rate * root, 1.0)
        return decay, shrink, rate, beta1, beta2, root_factor, group["eps"]


class AdamW(Adam):
    """Adam whose weight decay does not go through the gradients (Loshchilov and Hutter, 2019).

    Parameters
    ----------
    params : iterable of Tensor or of dict
    lr : float, default=1e-3
    betas : tuple of two floats, default=(0.9, 0.999)
    eps : float, default=1e-8
    weight_decay : float, default=1e-2
        Each step multiplies parameters by ``1 - lr * weight_decay``.
    amsgrad : bool, default=False
    maximize : bool, default=False
    eps_after_correction : bool, default=True
        As in :class:`Adam`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        eps_after_correction: bool = True,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
            eps_after_correction=eps_after_correction,
        )
