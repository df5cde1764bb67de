"""Initial values of parameters, under PyTorch's names.

Functions fill a tensor in place and return it. Numbers are drawn in float64 and rounded, so that a seed gives the same
network in both types.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastml.nn._seeding import as_generator

__all__ = [
    "calculate_gain",
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return by how much weights in front of a nonlinearity are to be larger, to keep the variance of what follows.

    Parameters
    ----------
    nonlinearity : str
        "linear", "sigmoid", "tanh", "relu", "leaky_relu" or "selu".
    param : float, optional
        The negative slope of "leaky_relu", 0.01 by default.
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}; known: {', '.join([*_GAINS, 'leaky_relu'])}")
    return _GAINS[nonlinearity]


def constant_(tensor: Any, val: float) -> Any:
    """Fill a tensor with a number."""
    tensor.data[...] = val
    return tensor


def zeros_(tensor: Any) -> Any:
    """Fill a tensor with zeros."""
    return constant_(tensor, 0)


def ones_(tensor: Any) -> Any:
    """Fill a tensor with ones."""
    return constant_(tensor, 1)


def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Any:
    """Fill a tensor with numbers drawn uniformly from [a, b).

    Parameters
    ----------
    tensor : Tensor
    a, b : float
    generator : int, Generator or RandomState, optional
        The one that ``nn.manual_seed`` sets by default; so it is for all functions here.
    """
    tensor.data[...] = as_generator(generator).uniform(a, b, tensor.data.shape)
    return tensor


def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Any:
    """Fill a tensor with normally distributed numbers."""
    tensor.data[...] = as_generator(generator).normal(mean, std, tensor.data.shape)
    return tensor


def xavier_uniform_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Fill weights uniformly, with the variance ``2 gain^2 / (fan_in + fan_out)`` (Glorot and Bengio, 2010)."""
    bound = gain * math.sqrt(6.0 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Fill weights normally, with the variance ``2 gain^2 / (fan_in + fan_out)`` (Glorot and Bengio, 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Any:
    """Fill weights uniformly, with the variance ``gain^2 / fan`` (He et al., 2015).

    Parameters
    ----------
    tensor : Tensor
    a : float, default=0
        The negative slope of "leaky_relu".
    mode : {"fan_in", "fan_out"}, default="fan_in"
        Whether the variance is kept on the way forward or backward.
    nonlinearity : str, default="leaky_relu"
        What follows the weights: see :func:`calculate_gain`.
    generator : int, Generator or RandomState, optional
    """
    bound = math.sqrt(3.0) * _kaiming_deviation(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Any:
    """Fill weights normally, with the variance ``gain^2 / fan``; parameters as in :func:`kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_deviation(tensor, a, mode, nonlinearity), generator)


def fans(tensor: Any) -> tuple[int, int]:
    """Return how many inputs an output of these weights has, and how many outputs an input.

    Weights have the shape (outputs, inputs, ...): what follows are places that share them.
    """
    shape = tensor.data.shape
    if len(shape) < 2:
        raise ValueError(f"Fan in and fan out can not be computed for a tensor of shape {shape}: 2 dimensions needed.")
    places = int(np.prod(shape[2:], dtype=int))
    return shape[1] * places, shape[0] * places


def _kaiming_deviation(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    modes = ("fan_in", "fan_out")
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {', '.join(modes)}")
    fan = fans(tensor)[modes.index(mode)]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0
