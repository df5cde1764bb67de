"""Schedules of the learning rate, under PyTorch's names, with its numbers.

A schedule sets ``lr`` of each group of an optimizer when it is made and at each ``step()``: to a function of the number
of steps and of the rate the group started with. So schedules that follow one another (:class:`SequentialLR`) do not
see each other's rates. :class:`ReduceLROnPlateau` is different: it lowers whatever rate there is.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "InverseSqrtLR",
    "LRScheduler",
    "LinearLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class LRScheduler:
    """What schedules share.

    Parameters
    ----------
    optimizer : Optimizer
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = 0
        self._set()

    def lr_at(self, step: int, base_lr: float) -> float:
        """Return the rate after so many steps, for a group that started with ``base_lr``."""
        raise NotImplementedError(f"{type(self).__name__} has no rates")

    def step(self) -> None:
        """Go on by one step, mostly an epoch, and set the rates."""
        self.last_epoch += 1
        self._set()

    def get_last_lr(self) -> list[float]:
        """Return the rates of the groups as they are now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return where the schedule stands."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go where a schedule of the same arguments stood."""
        self.last_epoch, self.base_lrs = state_dict["last_epoch"], list(state_dict["base_lrs"])
        self._set()

    def _set(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.base_lrs):
            group["lr"] = self.lr_at(self.last_epoch, base)


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name}: expected a number above 0, got {value}.")


class StepLR(LRScheduler):
    """The rate times ``gamma`` after every ``step_size`` steps.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float, default=0.1
    """

    def __init__(self, optimizer: Any, step_size: int, gamma: float = 0.1) -> None:
        _check_positive("step_size", step_size)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        return base_lr * self.gamma ** (step // self.step_size)


class ExponentialLR(LRScheduler):
    """The rate times ``gamma`` after every step.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
    """

    def __init__(self, optimizer: Any, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        return base_lr * self.gamma**step


class InverseSqrtLR(LRScheduler):
    """The rate divided by ``sqrt(1 + t / timescale)`` after t steps.

    Parameters
    ----------
    optimizer : Optimizer
    timescale : float, default=1
        Steps after which the rate has fallen by ``sqrt(2)``.
    """

    def __init__(self, optimizer: Any, timescale: float = 1) -> None:
        _check_positive("timescale", timescale)
        self.timescale = timescale
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        return base_lr / math.sqrt(1 + step / self.timescale)


class LinearLR(LRScheduler):
    """Warm-up: from ``start_factor`` of the rate to ``end_factor`` of it in a straight line.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor : float, default=1/3
    end_factor : float, default=1.0
    total_iters : int, default=5
        The steps it takes.
    """

    def __init__(
        self, optimizer: Any, start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if not 0 <= end_factor <= 1:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        _check_positive("total_iters", total_iters)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        share = min(step, self.total_iters) / self.total_iters
        return base_lr * (self.start_factor + (self.end_factor - self.start_factor) * share)


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the rate to ``eta_min``, and back where steps go on; a warm-up before it where asked for.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        The steps of half a cosine, those of the warm-up not included.
    eta_min : float, default=0
    warmup_steps : int, default=0
        Steps that lead in a straight line from ``warmup_factor`` of the rate to all of it. PyTorch has this as
        ``SequentialLR`` of ``LinearLR`` and ``CosineAnnealingLR``.
    warmup_factor : float, default=1/3
    """

    def __init__(
        self,
        optimizer: Any,
        T_max: int,
        eta_min: float = 0.0,
        *,
        warmup_steps: int = 0,
        warmup_factor: float = 1.0 / 3,
    ) -> None:
        _check_positive("T_max", T_max)
        if warmup_steps < 0:
            raise ValueError(f"warmup_steps: expected at least 0, got {warmup_steps}.")
        self.T_max, self.eta_min = T_max, eta_min
        self.warmup_steps, self.warmup_factor = warmup_steps, warmup_factor
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        if step < self.warmup_steps:
            return base_lr * (self.warmup_factor + (1 - self.warmup_factor) * step / self.warmup_steps)
        angle = math.pi * (step - self.warmup_steps) / self.T_max
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(angle)) / 2


class SequentialLR(LRScheduler):
    """One schedule after the other.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRScheduler
        Of the same optimizer.
    milestones : list of int
        The steps from which on the second, the third, ... holds; each then counts its steps from 0.
    """

    def __init__(self, optimizer: Any, schedulers: Sequence[LRScheduler], milestones: Sequence[int]) -> None:
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got number of schedulers {len(schedulers)} and the number of milestones to be "
                f"equal to {len(milestones)}"
            )
        for i, schedule in enumerate(schedulers):
            if not isinstance(schedule, LRScheduler):
                raise TypeError(f"schedulers[{i}]: {type(schedule).__name__} depends on more than the number of steps.")
            if schedule.optimizer is not optimizer:
                raise ValueError(f"schedulers[{i}] belongs to a different optimizer.")
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        i = bisect_right(self.milestones, step)
        return self.schedulers[i].lr_at(step - (self.milestones[i - 1] if i else 0), base_lr)


class ReduceLROnPlateau:
    """The rate times ``factor`` when a measure has not become better for ``patience`` steps.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}, default="min"
        Whether smaller is better.
    factor : float, default=0.1
    patience : int, default=10
        Steps without improvement that change nothing.
    threshold : float, default=1e-4
        The least improvement that counts.
    threshold_mode : {"rel", "abs"}, default="rel"
        Whether ``threshold`` is a share of the best measure so far.
    cooldown : int, default=0
        Steps after a reduction that are not counted.
    min_lr : float or list of float, default=0
        Where reductions end, for all groups or for each.
    eps : float, default=1e-8
        Rates are not changed by less.
    """

    def __init__(
        self,
        optimizer: Any,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        if factor < 0:
            raise ValueError(f"factor: expected at least 0, got {factor}.")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        groups = optimizer.param_groups
        least: Any = list(min_lr) if isinstance(min_lr, Iterable) else [min_lr] * len(groups)
        if len(least) != len(groups):
            raise ValueError(f"expected {len(groups)} min_lrs, got {len(least)}")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown = threshold, threshold_mode, cooldown
        self.min_lrs, self.eps = least, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0

    def step(self, metrics: float) -> None:
        """Take note of a measure, and lower the rates where it is time."""
        current = float(metrics)
        self.last_epoch += 1
        if self.is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, least in zip(self.optimizer.param_groups, self.min_lrs):
                lower = max(group["lr"] * self.factor, least)
                if group["lr"] - lower > self.eps:
                    group["lr"] = lower
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def is_better(self, a: float, best: float) -> bool:
        """Tell whether a measure improves on the best so far by enough."""
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            return sign * a > sign * best * (1 + sign * self.threshold)
        return sign * a > sign * best + self.threshold

    def get_last_lr(self) -> list[float]:
        """Return the rates of the groups as they are now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    _kept = ("best", "num_bad_epochs", "cooldown_counter", "last_epoch")

    def state_dict(self) -> dict[str, Any]:
        """Return what the schedule has seen; the rates are the optimizer's."""
        return {name: getattr(self, name) for name in self._kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what a schedule of the same arguments has seen."""
        for name in self._kept:
            setattr(self, name, state_dict[name])
