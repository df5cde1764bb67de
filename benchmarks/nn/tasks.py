"""How each contender makes steps of an optimizer with given gradients."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.nn.data import Network
from benchmarks.workload import Job

COMPARED_STEPS = 20


def steps(contender: str, data: Network, optimizer: str, count: int, **options: Any) -> Job:
    """Make ``count`` steps; the answer holds the parameters after 20 steps from the start."""
    make = MAKERS[contender]
    step, _ = make(data, optimizer, options)

    def call() -> None:
        for _ in range(count):
            step()

    def answer(_: Any) -> dict[str, Any]:
        fresh_step, values = make(data, optimizer, options)
        for _ in range(COMPARED_STEPS):
            fresh_step()
        return {"parameters": np.concatenate([value.ravel() for value in values()])}

    return Job(call, answer)


def _torch(data: Network, optimizer: str, options: dict[str, Any]) -> tuple[Callable[[], Any], Callable[[], Any]]:
    torch = importlib.import_module("torch")
    tensors = [torch.nn.Parameter(torch.from_numpy(p.copy())) for p in data.parameters]
    for tensor, gradient in zip(tensors, data.gradients):
        tensor.grad = torch.from_numpy(gradient.copy())
    # Its quickest way on a CPU: one call for all parameters.
    made = getattr(torch.optim, optimizer)(tensors, fused=True, **options)
    return made.step, lambda: [tensor.detach().numpy() for tensor in tensors]


def _fastml(data: Network, optimizer: str, options: dict[str, Any]) -> tuple[Callable[[], Any], Callable[[], Any]]:
    from fastml import nn

    parameters = [nn.Parameter(p.copy()) for p in data.parameters]
    for parameter, gradient in zip(parameters, data.gradients):
        parameter.grad = gradient.copy()
    made = getattr(nn.optim, optimizer)(parameters, **options)
    return made.step, lambda: [parameter.data for parameter in parameters]


MAKERS: dict[str, Callable[[Network, str, dict[str, Any]], tuple[Callable[[], Any], Callable[[], Any]]]] = {
    "torch": _torch,
    "fastml": _fastml,
}
