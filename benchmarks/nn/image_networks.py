"""Networks for small images, as each contender builds them, with the same parameters."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

IMAGES: Mapping[str, tuple[int, int, int]] = {"lenet": (1, 28, 28), "resnet20": (3, 32, 32), "mobilenet": (3, 32, 32)}
"""Channels, height and width of the images that each network takes."""

STAGES = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1))
"""Channels and stride of the pairs of convolutions in the MobileNet."""


@dataclass(frozen=True)
class Batch:
    """Images of shape (samples, channels, height, width), and their classes.

    Parameters
    ----------
    network : str
        Which network they are for.
    X, y : ndarray
    origin : str
        For the record.
    """

    network: str
    X: NDArray[Any]
    y: NDArray[np.int64]
    origin: str


def noise(network: str, count: int, dtype: str, data_dir: Path | None = None, seed: int = 0) -> Batch:
    """Draw images for a network: what they show makes no difference to the time."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, *IMAGES[network])).astype(dtype)
    return Batch(network, X, rng.integers(0, 10, count), f"{network}, {count} images of noise")


def drawn(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float64]]:
    """Draw parameters and running averages by their names, so that equal networks get equal ones.

    Weights are as large as layers with ReLU begin with, so that values grow or vanish in none of them.
    """
    return {name: _drawn(name, shape) for name, shape in shapes.items()}


def _drawn(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    values = np.random.default_rng(zlib.crc32(name.encode())).normal(size=shape)
    if len(shape) > 1:
        return values * np.sqrt(2 / np.prod(shape[1:]))
    if name.endswith(("weight", "running_var")):
        return 1 + 0.1 * np.abs(values)
    return 0.1 * values


def fastml_network(network: str, dtype: str) -> Any:
    """Build a network of fastml's models."""
    from fastml import nn

    module = getattr(nn.models, network)(**({} if network == "lenet" else {"in_channels": IMAGES[network][0]}))
    module.astype(dtype)
    state = module.state_dict()
    module.load_state_dict(state | drawn({name: v.shape for name, v in state.items() if v.dtype.kind == "f"}))
    return module


def torch_network(network: str, dtype: str) -> Any:
    """Build the same in PyTorch, layer by layer, its modules under the same names."""
    torch = importlib.import_module("torch")
    module = {"lenet": _lenet, "resnet20": _resnet20, "mobilenet": _mobilenet}[network](torch.nn)
    module.to(getattr(torch, dtype))
    state = module.state_dict()
    values = drawn({name: tuple(value.shape) for name, value in state.items() if value.is_floating_point()})
    module.load_state_dict(state | {name: torch.from_numpy(value) for name, value in values.items()})
    return module


def _lenet(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(inplace=True),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 12 * 12, 128),
        nn.ReLU(inplace=True),
        nn.Linear(128, 10),
    )


def _convolution(nn: Any, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> list[Any]:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


def _head(nn: Any, features: int) -> list[Any]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, 10)]


def _residual(nn: Any, inputs: int, outputs: int, stride: int) -> Any:
    class Residual(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.module = nn.Sequential(
                *_convolution(nn, inputs, outputs, stride=stride),
                nn.ReLU(inplace=True),
                *_convolution(nn, outputs, outputs),
            )
            self.shortcut = None
            if stride != 1 or inputs != outputs:
                self.shortcut = nn.Sequential(*_convolution(nn, inputs, outputs, kernel=1, stride=stride))
            self.activation = nn.ReLU(inplace=True)

        def forward(self, x: Any) -> Any:
            outside = x if self.shortcut is None else self.shortcut(x)
            return self.activation(self.module(x) + outside)

    return Residual()


def _resnet20(nn: Any) -> Any:
    layers = [*_convolution(nn, 3, 16), nn.ReLU(inplace=True)]
    inputs = 16
    for width in (16, 32, 64):
        for _ in range(3):
            layers.append(_residual(nn, inputs, width, 1 if inputs == width else 2))
            inputs = width
    return nn.Sequential(*layers, *_head(nn, inputs))


def _mobilenet(nn: Any) -> Any:
    width = 32
    layers = [*_convolution(nn, 3, width), nn.ReLU(inplace=True)]
    for outputs, stride in STAGES:
        layers += [*_convolution(nn, width, width, stride=stride, groups=width), nn.ReLU(inplace=True)]
        layers += [*_convolution(nn, width, outputs, kernel=1), nn.ReLU(inplace=True)]
        width = outputs
    return nn.Sequential(*layers, *_head(nn, width))
