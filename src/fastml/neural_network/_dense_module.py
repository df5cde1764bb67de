"""The network that estimators train where they are given none."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from fastml import nn
from fastml.neural_network._building import activation as new_activation

NARROWEST, WIDEST = 32, 256
"""Limits of the widths that are chosen from the shape of the samples."""


def default_widths(in_features: int, out_features: int) -> tuple[int, int]:
    """Return the widths of two hidden layers: a power of two that holds the inputs, and half of it."""
    first = 2 ** math.ceil(math.log2(max(in_features + out_features, 1)))
    first = min(max(first, NARROWEST), WIDEST)
    return first, max(first // 2, NARROWEST)


def checked_widths(hidden_layer_sizes: Any) -> tuple[int, ...]:
    """Return the widths of hidden layers: any number of whole numbers from 1 on, or a single one."""
    widths = np.atleast_1d(np.asarray(hidden_layer_sizes))
    is_whole = widths.dtype.kind in "iu" or (widths.dtype.kind == "f" and bool(np.all(widths % 1 == 0)))
    if widths.ndim != 1 or not is_whole or np.any(widths < 1):
        raise ValueError(f"hidden_layer_sizes: expected whole widths of at least 1, got {hidden_layer_sizes}.")
    return tuple(int(width) for width in widths)


def dense_network(
    in_features: int,
    out_features: int,
    hidden_layer_sizes: int | Sequence[int] | None = None,
    activation: str = "relu",
    dropout: float = 0.0,
    batch_norm: bool = False,
    dtype: Any = np.float32,
) -> nn.Sequential:
    """Build a multilayer perceptron.

    Parameters
    ----------
    in_features, out_features : int
        Features of samples, and numbers to predict.
    hidden_layer_sizes : int or sequence of int, optional
        Widths of the hidden layers; none of them makes a linear model. By default two layers, as wide as the shape of
        the samples suggests: between 32 and 256.
    activation : str, default="relu"
        Of the hidden layers: "elu", "gelu", "identity", "leaky_relu", "logistic", "relu", "sigmoid", "silu",
        "softplus" or "tanh".
    dropout : float, default=0
        The share of the values of each hidden layer that a training step sets to 0.
    batch_norm : bool, default=False
        Whether the values of each hidden layer are normalised over a batch, ahead of the activation.
    dtype : dtype, default=float32

    Returns
    -------
    module : Sequential
    """
    hidden: tuple[int, ...]
    if hidden_layer_sizes is None:
        hidden = default_widths(in_features, out_features)
    else:
        hidden = checked_widths(hidden_layer_sizes)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise((in_features, *hidden)):
        # The shift of BatchNorm takes the bias' place.
        layers.append(nn.Linear(fan_in, fan_out, bias=not batch_norm, dtype=dtype))
        if batch_norm:
            layers.append(nn.BatchNorm1d(fan_out, dtype=dtype))
        layers.append(new_activation(activation))
        if dropout:
            layers.append(nn.Dropout(dropout))
    layers.append(nn.Linear((in_features, *hidden)[-1], out_features, dtype=dtype))
    return nn.Sequential(*layers)
