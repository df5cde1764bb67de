"""The network of a convolutional autoencoder: noise, an encoder that halves images, a decoder that doubles them."""

import math
from collections.abc import Sequence
from typing import Any

from fastml import nn
from fastml.neural_network._autoencoder_module import Noise
from fastml.neural_network._building import activation as new_activation

KERNEL = 3


class AsImages(nn.Module):
    """Rows to images, the inverse of ``Flatten``.

    Parameters
    ----------
    image_shape : tuple of int
        Channels, height and width.
    """

    def __init__(self, image_shape: tuple[int, ...]) -> None:
        self.image_shape = tuple(image_shape)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return x.reshape((x.shape[0], *self.image_shape))

    def extra_repr(self) -> str:
        return f"{self.image_shape}"


class ConvAutoencoderModule(nn.Module):
    """Encoder and decoder, which is its mirror image.

    Parameters
    ----------
    image_shape : tuple of int
        Channels, height and width.
    filters : sequence of int
        Channels of the encoder's convolutions, each of which halves the image.
    n_components : int
    activation, code_activation, output_activation : str
        Of inner layers, of the code, and of the output.
    noise : str or None
    noise_level : float
    dtype : dtype
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        filters: Sequence[int],
        n_components: int,
        activation: str,
        code_activation: str,
        output_activation: str,
        noise: str | None,
        noise_level: float,
        dtype: Any,
    ) -> None:
        widths = [image_shape[0], *filters]
        sizes = [tuple(image_shape[1:])]
        for _ in filters:
            sizes.append(tuple(-(-size // 2) for size in sizes[-1]))
        smallest = (widths[-1], *sizes[-1])
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for i in range(len(filters)):
            down += [
                nn.Conv2d(widths[i], widths[i + 1], KERNEL, 2, KERNEL // 2, dtype=dtype),
                new_activation(activation),
            ]
            # An even size has lost a pixel more than an odd one, which the way back adds again.
            even = tuple(1 - size % 2 for size in sizes[i])
            back = nn.ConvTranspose2d(widths[i + 1], widths[i], KERNEL, 2, KERNEL // 2, even, dtype=dtype)
            up = [new_activation(activation), back, *up]
        n_inner = math.prod(smallest)
        self.noise = nn.Identity() if noise is None else Noise(noise, noise_level)
        self.encoder = nn.Sequential(
            *down, nn.Flatten(), nn.Linear(n_inner, n_components, dtype=dtype), *_unless_identity(code_activation)
        )
        self.decoder = nn.Sequential(
            nn.Linear(n_components, n_inner, dtype=dtype),
            *up[:1],
            AsImages(smallest),
            *up[1:],
            *_unless_identity(output_activation),
        )

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return self.decoder(self.encoder(self.noise(x)))


def _unless_identity(name: str) -> list[nn.Module]:
    return [] if name == "identity" else [new_activation(name)]
