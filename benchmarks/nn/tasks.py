"""How each contender makes steps of an optimizer with given gradients, and trains networks through its autograd."""

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


def training(contender: str, data: Network, batch: int, count: int) -> Job:
    """Train dense layers with ReLU between them on one batch by Adam; the answer holds the losses of 20 steps."""
    rng = np.random.default_rng(1)
    weights = data.parameters[::2]
    X = rng.normal(size=(batch, weights[0].shape[1])).astype(weights[0].dtype)
    y = rng.integers(0, len(weights[-1]), batch)
    make = TRAINERS[contender]
    step = make(data, X, y)

    def call() -> None:
        for _ in range(count):
            step()

    def answer(_: Any) -> dict[str, Any]:
        fresh_step = make(data, X, y)
        return {"losses": np.array([float(fresh_step()) for _ in range(COMPARED_STEPS)])}

    return Job(call, answer)


def _scaled(parameter: np.ndarray) -> np.ndarray:
    """Return weights of unit variance in the size that layers begin with."""
    return parameter / np.sqrt(parameter.shape[-1]).astype(parameter.dtype)


def _torch_trainer(data: Network, X: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    torch = importlib.import_module("torch")
    layers: list[Any] = []
    for weight, bias in zip(data.parameters[::2], data.parameters[1::2]):
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": torch.from_numpy(_scaled(weight)), "bias": torch.from_numpy(_scaled(bias))})
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)

    def step() -> Any:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _fastml_trainer(data: Network, X: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    from fastml import nn

    layers: list[Any] = []
    for weight, bias in zip(data.parameters[::2], data.parameters[1::2]):
        layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
        layer.load_state_dict({"weight": _scaled(weight), "bias": _scaled(bias)})
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimizer = nn.optim.Adam(model.parameters())
    inputs = nn.Tensor(X)

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(inputs), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


TRAINERS: dict[str, Callable[[Network, np.ndarray, np.ndarray], Callable[[], Any]]] = {
    "torch": _torch_trainer,
    "fastml": _fastml_trainer,
}
