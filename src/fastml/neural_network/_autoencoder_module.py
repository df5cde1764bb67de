"""The network of an autoencoder: noise, encoder, decoder."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from fastml import nn
from fastml.neural_network._building import activation as new_activation

NOISES = ("gaussian", "masking")


class Noise(nn.Module):
    """In training, disturb the input; otherwise leave it as it is.

    Parameters
    ----------
    kind : {"gaussian", "masking"}
        Whether to add normal numbers, or to set values to 0.
    level : float
        Their standard deviation, or the share of the values.
    """

    def __init__(self, kind: str, level: float) -> None:
        self.kind, self.level = kind, level

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        if not self.training or self.level == 0:
            return x
        rng, dtype = nn.default_generator(), x.dtype.type
        if self.kind == "gaussian":
            return x + rng.standard_normal(x.shape, dtype) * dtype(self.level)
        return x * (rng.random(x.shape, dtype) >= self.level).astype(dtype)

    def extra_repr(self) -> str:
        return f"{self.kind!r}, {self.level}"


class Transposed(nn.Module):
    """A linear layer back: with the weight of another one, transposed, and a bias of its own.

    Parameters
    ----------
    linear : Linear
        Part of another module, which it stays: its weight is not among the parameters of this one.
    """

    def __init__(self, linear: nn.Linear) -> None:
        self.bias = nn.Parameter(np.zeros(linear.in_features, linear.weight.dtype))
        self._linear = (linear,)  # in a tuple modules do not look for members

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return nn.functional.linear(x, self._linear[0].weight.T, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self._linear[0].out_features}, out_features={self._linear[0].in_features}"


class AutoencoderModule(nn.Module):
    """Encoder and decoder, which is its mirror image.

    Parameters
    ----------
    widths : sequence of int
        Of the input, of the hidden layers of the encoder, and of the code.
    activation, code_activation, output_activation : str
        Of hidden layers, of the code, and of the output.
    tied : bool
        Whether the weights of the decoder are those of the encoder, transposed.
    noise : str or None
    noise_level : float
    dtype : dtype
    """

    def __init__(
        self,
        widths: Sequence[int],
        activation: str,
        code_activation: str,
        output_activation: str,
        tied: bool,
        noise: str | None,
        noise_level: float,
        dtype: Any,
    ) -> None:
        down = [nn.Linear(fan_in, fan_out, dtype=dtype) for fan_in, fan_out in pairwise(widths)]
        if tied:
            up: list[nn.Module] = [Transposed(linear) for linear in reversed(down)]
        else:
            up = [nn.Linear(linear.out_features, linear.in_features, dtype=dtype) for linear in reversed(down)]
        between = [activation] * (len(down) - 1)
        self.noise = nn.Identity() if noise is None else Noise(noise, noise_level)
        self.encoder = _chain(down, [*between, code_activation])
        self.decoder = _chain(up, [*between, output_activation])

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return self.decoder(self.encoder(self.noise(x)))


def _chain(linears: Sequence[nn.Module], activations: Sequence[str]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for linear, name in zip(linears, activations):
        layers += [linear] if name == "identity" else [linear, new_activation(name)]
    return nn.Sequential(*layers)
