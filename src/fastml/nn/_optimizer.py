"""What optimizers share: groups of parameters, gradients set back, states saved and restored."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np

from fastml._support import threads
from fastml.nn._flat import FLOATS, FlatParameters, flat_by_dtype

WORK_PER_ELEMENT = 10
"""Scalar operations that a step counts as, for each element: it waits for memory more than it computes."""


class Optimizer:
    """What optimizers share: groups of parameters, gradients set back, states saved and restored.

    Parameters
    ----------
    params : iterable of Tensor or of dict
        Parameters, or groups of them: dicts with ``params`` and whichever arguments differ from the others'.
    defaults : dict
        The arguments of groups that do not say otherwise.

    Attributes
    ----------
    param_groups : list of dict
        The groups, each with all arguments; they may be changed between steps, as schedules change ``lr``.
    """

    states: tuple[str, ...] = ()
    """Names of the arrays that go into ``state_dict``."""

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._flats: list[list[FlatParameters]] = []
        if hasattr(params, "data") or isinstance(params, dict):
            raise TypeError(
                f"params: expected an iterable of parameters or of dicts, got a single {type(params).__name__}."
            )
        params = list(params)
        if not params:
            raise ValueError("optimizer got an empty parameter list")
        for group in params if isinstance(params[0], dict) else [{"params": params}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: a dict with ``params`` and the arguments that differ from the optimizer's defaults."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        params = param_group["params"]
        params = [params] if hasattr(params, "data") else list(params)
        for p in params:
            data = getattr(p, "data", None)
            if not isinstance(data, np.ndarray) or data.dtype not in FLOATS:
                raise TypeError(f"optimizer can only optimize Tensors of float32 and float64, but got {p!r}")
        unknown = set(param_group) - set(self.defaults) - {"params", "initial_lr"}
        if unknown:
            raise ValueError(f"unknown arguments of a parameter group: {', '.join(sorted(unknown))}")
        taken = {id(p) for group in self.param_groups for p in group["params"]}
        if len({id(p) for p in params} | taken) < len(params) + len(taken):
            raise ValueError("some parameters appear in more than one parameter group, or twice in one")
        group = {**self.defaults, **param_group, "params": params}
        self._check(group)
        self.param_groups.append(group)
        self._flats.append(flat_by_dtype(params))

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients.

        Parameters
        ----------
        set_to_none : bool, default=True
            Whether ``grad`` becomes None, so that the next backward stores where it would add; zeros otherwise.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.fill(0)

    def step(self, closure: Callable[[], Any] | None = None, gradient_scale: float = 1.0) -> Any:
        """Move the parameters by one step.

        Parameters
        ----------
        closure : callable, optional
            Called first; computes the loss and its gradients.
        gradient_scale : float, default=1.0
            What gradients are multiplied by in passing: clipping by norm then needs no pass of its own to do so.

        Returns
        -------
        loss : object
            What the closure returned.
        """
        loss = None if closure is None else closure()
        for group, flats in zip(self.param_groups, self._flats):
            factor = -gradient_scale if group["maximize"] else gradient_scale
            for flat in flats:
                self._step(group, flat, factor, threads.n_threads(work=flat.n_elements * WORK_PER_ELEMENT))
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return copies of all states, and the arguments of groups, with parameters numbered from 0.

        The layout and the names of states are PyTorch's, with arrays in the place of tensors.
        """
        state: dict[int, dict[str, Any]] = {}
        groups = []
        number = 0
        for group, flats in zip(self.param_groups, self._flats):
            homes = _homes(flats)
            numbers = list(range(number, number + len(group["params"])))
            for n, p in zip(numbers, group["params"]):
                flat, i = homes[id(p)]
                if flat.counts[i]:
                    arrays = {k: flat.view(flat.states[k], i).copy() for k in self.states if k in flat.states}
                    state[n] = {"step": flat.counts[i], **arrays}
            groups.append({**{k: v for k, v in group.items() if k != "params"}, "params": numbers})
            number += len(numbers)
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over states and arguments; the steps that follow are those of the optimizer they came from.

        Raises
        ------
        ValueError
            Where groups, parameters, shapes or types differ, or a group has arguments that it cannot have. Nothing has
            been loaded then.
        """
        saved_groups, saved_state = state_dict["param_groups"], state_dict["state"]
        if len(saved_groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(s["params"]) != len(g["params"]) for s, g in zip(saved_groups, self.param_groups)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        found = []
        for saved, group, flats in zip(saved_groups, self.param_groups, self._flats):
            self._check({**group, **{k: v for k, v in saved.items() if k in self.defaults}})
            homes = _homes(flats)
            for n, p in zip(saved["params"], group["params"]):
                entries = saved_state.get(n, saved_state.get(str(n), {}))
                arrays = {k: np.asarray(v) for k, v in entries.items() if k in self.states and v is not None}
                for name, array in arrays.items():
                    if array.shape != p.data.shape:
                        raise ValueError(
                            f"loaded state dict has {name} of shape {array.shape} for parameter {n}, whose shape is "
                            f"{p.data.shape}"
                        )
                    if not np.can_cast(array.dtype, p.data.dtype, "same_kind"):
                        raise ValueError(f"loaded state dict has {name} of type {array.dtype} for parameter {n}")
                # PyTorch's SGD counts no steps: one that has left a velocity has been taken.
                count = int(entries.get("step", bool(arrays)))
                found.append((*homes[id(p)], group, count, arrays))
        for flats in self._flats:
            for flat in flats:
                flat.states.clear()
        for flat, i, group, count, arrays in found:
            flat.counts[i] = count
            for name, array in arrays.items():
                np.copyto(flat.view(flat.state(name, self._initial(group, name)), i), array)
        for saved, group in zip(saved_groups, self.param_groups):
            group.update({k: v for k, v in saved.items() if k in self.defaults or k == "initial_lr"})

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines.extend(f"    {k}: {group[k]}" for k in sorted(group) if k != "params")
        return "\n".join([*lines, ")"])

    def _check(self, group: dict[str, Any]) -> None:
        for name, what in _NOT_NEGATIVE.items():
            if name in group and not group[name] >= 0:
                raise ValueError(f"Invalid {what}: {group[name]}")
        for i, beta in enumerate(group.get("betas", ())):
            if not 0 <= beta < 1:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")

    def _initial(self, group: dict[str, Any], name: str) -> float:
        """Return what a state starts with."""
        return 0.0

    def _step(self, group: dict[str, Any], flat: FlatParameters, gradient_factor: float, n_threads: int) -> None:
        states = self._states(group, flat)
        for count, gradients, offsets in flat.due(self._alike):
            numbers = self._numbers(group, count)
            self.kernel(flat.values, gradients, offsets, *states, gradient_factor, *numbers, n_threads)

    # What a step is made of. The kernel takes flat parameters, gradients and their offsets, then these.

    kernel: Callable[..., None]

    def _states(self, group: dict[str, Any], flat: FlatParameters) -> tuple:
        """Return the kernel's arrays, None for those that the group does without."""
        raise NotImplementedError(f"{type(self).__name__} has no states")

    def _alike(self, count: int) -> Hashable:
        """Return what parameters that have taken some steps must have in common to be stepped by one call."""
        return None

    def _numbers(self, group: dict[str, Any], count: int) -> tuple:
        """Return the kernel's numbers for step ``count`` of a group."""
        raise NotImplementedError(f"{type(self).__name__} has no numbers")


_NOT_NEGATIVE = {
    "lr": "learning rate",
    "momentum": "momentum value",
    "weight_decay": "weight_decay value",
    "eps": "epsilon value",
    "alpha": "alpha value",
    "lr_decay": "lr_decay value",
    "initial_accumulator_value": "initial_accumulator_value value",
}


def _homes(flats: list[FlatParameters]) -> dict[int, tuple[FlatParameters, int]]:
    return {id(p): (flat, i) for flat in flats for i, p in enumerate(flat.parameters)}
