"""Parameters of networks and gradients for them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Network:
    """Weights and biases of dense layers, and a gradient for each.

    Parameters
    ----------
    parameters, gradients : list of ndarray
    origin : str
        For the record.
    """

    parameters: list[NDArray[Any]]
    gradients: list[NDArray[Any]]
    origin: str


def dense_layers(sizes: list[int], dtype: str, data_dir: Path | None = None, seed: int = 0) -> Network:
    """Draw the parameters of layers between so many units."""
    rng = np.random.default_rng(seed)
    shapes = [shape for inputs, outputs in pairwise(sizes) for shape in ((outputs, inputs), (outputs,))]
    parameters, gradients = ([rng.normal(size=shape).astype(dtype) for shape in shapes] for _ in range(2))
    count = sum(p.size for p in parameters)
    return Network(parameters, gradients, f"{'-'.join(map(str, sizes))}, {count:,} parameters")
