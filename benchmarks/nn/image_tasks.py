"""How each contender trains networks for images, and uses them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.nn.image_networks import Batch, fastml_network, torch_network
from benchmarks.workload import Job

COMPARED_STEPS = 5
"""Few: where a gradient is next to 0, Adam turns a difference in its last digit into one of a whole step."""

Step = Callable[[], Any]


def training(contender: str, data: Batch, count: int) -> Job:
    """Make ``count`` steps of Adam on one batch; the answer holds the losses of the first steps."""
    make = TRAINERS[contender]
    # What a library loads and compiles when it is first used is no part of the memory of a step.
    make(Batch(data.network, data.X[:2], data.y[:2], data.origin))()
    step = make(data)

    def call() -> None:
        for _ in range(count):
            step()

    def answer(_: Any) -> dict[str, Any]:
        fresh_step = make(data)
        return {"losses": np.array([float(fresh_step()) for _ in range(COMPARED_STEPS)])}

    return Job(call, answer)


def _torch_trainer(data: Batch, channels_last: bool) -> Step:
    torch = importlib.import_module("torch")
    model, inputs = _torch_parts(torch, data, channels_last)
    targets = torch.from_numpy(data.y)
    # Its quickest way on a CPU: one call for all parameters.
    optimizer = torch.optim.Adam(model.parameters(), fused=True)

    def step() -> Any:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def _torch_parts(torch: Any, data: Batch, channels_last: bool) -> tuple[Any, Any]:
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = torch_network(data.network, str(data.X.dtype)).to(memory_format=layout)
    return model, torch.from_numpy(data.X).contiguous(memory_format=layout)


def _fastml_trainer(data: Batch) -> Step:
    from fastml import nn

    model = fastml_network(data.network, str(data.X.dtype))
    optimizer = nn.optim.Adam(model.parameters())
    inputs, targets = nn.Tensor(data.X), data.y

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step


TRAINERS: dict[str, Callable[[Batch], Step]] = {
    "torch": lambda data: _torch_trainer(data, channels_last=False),
    "torch-nhwc": lambda data: _torch_trainer(data, channels_last=True),
    "fastml": _fastml_trainer,
}


def inference(contender: str, data: Batch) -> Job:
    """Compute the logits of a batch without gradients; they are the answer."""
    call = PREDICTORS[contender](data)
    return Job(call, lambda logits: {"logits": logits})


def _torch_predictor(data: Batch, channels_last: bool) -> Step:
    torch = importlib.import_module("torch")
    model, inputs = _torch_parts(torch, data, channels_last)
    model.eval()

    def call() -> Any:
        with torch.inference_mode():
            return model(inputs).numpy()

    return call


def _fastml_predictor(data: Batch) -> Step:
    from fastml import nn

    model = fastml_network(data.network, str(data.X.dtype)).eval()
    inputs = nn.Tensor(data.X)

    def call() -> Any:
        with nn.no_grad():
            return model(inputs).data

    return call


PREDICTORS: dict[str, Callable[[Batch], Step]] = {
    "torch": lambda data: _torch_predictor(data, channels_last=False),
    "torch-nhwc": lambda data: _torch_predictor(data, channels_last=True),
    "fastml": _fastml_predictor,
}
