"""The convolutional network that estimators build: from a list of blocks, or by the name of an architecture."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastml import nn
from fastml.neural_network._building import activation as new_activation
from fastml.neural_network._dense_module import default_widths

ARCHITECTURES = ("densenet", "lenet", "mobilenet", "resnet18", "resnet20", "vgg")
"""Names of functions of :mod:`fastml.nn.models`."""

WIDTHS = (32, 64, 64)
"""Channels of the network by default, between whose convolutions images are halved. With what follows it gets 99 % of
MNIST's digits from 8,000 of them."""

SMALLEST_POOLED = 8
"""The least height and width that are halved: smaller images lose more than they gain."""

DENSE, DROPOUT = 128, 0.3


def default_blocks(image_shape: tuple[int, int, int], out_features: int) -> list[Any]:
    """Return the blocks of a network for images of a shape; for a single pixel, those of a perceptron."""
    channels, height, width = image_shape
    if height * width == 1:
        return [("dense", size) for size in default_widths(channels, out_features)]
    blocks: list[Any] = []
    for place, n_channels in enumerate(WIDTHS):
        if place > 0 and min(height, width) >= SMALLEST_POOLED:
            blocks.append("pool")
            height, width = height // 2, width // 2
        blocks.append(n_channels)
    return [*blocks, ("dense", DENSE), ("dropout", DROPOUT)]


def architecture(name: str) -> Callable[..., nn.Module]:
    """Return the function that builds an architecture."""
    return getattr(nn.models, name)


def conv_network(
    image_shape: tuple[int, int, int],
    out_features: int,
    blocks: Sequence[Any] | None = None,
    activation: str = "relu",
    batch_norm: bool = True,
    dropout: float = 0.0,
    dtype: Any = np.float32,
) -> nn.Sequential:
    """Build a convolutional network from a list of blocks.

    Parameters
    ----------
    image_shape : tuple of int
        Channels, height and width.
    out_features : int
        Numbers to predict.
    blocks : list, optional
        An integer n: a convolution of 3 x 3 pixels that keeps the size, with n channels, batch normalisation and the
        activation; (n, kernel) or (n, kernel, stride) the same with another kernel, an odd number, and steps of so many
        pixels; "pool" and "avgpool" halve the size by the greatest or the mean of 2 x 2 pixels, "global" takes the mean
        of all; ("dense", n) is a dense layer with the activation, ("dropout", p) sets a share p of the numbers to 0 in
        training; a Module is taken as it is. A dense layer of the outputs follows the last one.
        By default convolutions of 32, 64 and 64 channels, with a pool between them while images have 8 x 8 pixels or
        more, a dense layer of 128 and dropout; for a single pixel two dense layers.
    activation : str, default="relu"
        As of :func:`fastml.neural_network.dense_network`.
    batch_norm : bool, default=True
        Whether to normalise what convolutions give, over a batch.
    dropout : float, default=0
        The share of the numbers ahead of the last layer that a training step sets to 0.
    dtype : dtype, default=float32

    Returns
    -------
    module : Sequential

    Raises
    ------
    ValueError
        Where a block is none, or does not fit the images that come to it: which one, what it got and what it needs.
    """
    builder = _Builder(image_shape, activation, batch_norm, dtype)
    for place, block in enumerate(default_blocks(image_shape, out_features) if blocks is None else blocks):
        builder.add(block, f"blocks[{place}] = {block!r}")
    if dropout:
        builder.append([nn.Dropout(dropout)], "dropout")
    builder.append([*builder.flat(), nn.Linear(builder.width(), out_features, dtype=dtype)], "the last layer")
    return nn.Sequential(*builder.layers)


class _Builder:
    """Layers so far, and what they make of an image."""

    def __init__(self, image_shape: tuple[int, int, int], activation: str, batch_norm: bool, dtype: Any) -> None:
        self.layers: list[nn.Module] = []
        self.activation, self.batch_norm, self.dtype = activation, batch_norm, dtype
        self.image = nn.Tensor(np.zeros((1, *image_shape), dtype))

    def width(self) -> int:
        """Return how many numbers there are of an image."""
        return self.image.data.size

    def flat(self) -> list[nn.Module]:
        """Return what makes a row of an image, if it still is one."""
        return [nn.Flatten()] if self.image.ndim > 2 else []

    def append(self, layers: Sequence[nn.Module], what: str) -> None:
        """Add layers, and see what becomes of an image."""
        try:
            with nn.no_grad():
                for layer in layers:
                    self.image = layer.eval()(self.image)
                    layer.train()
        except nn.ShapeError as error:
            raise ValueError(f"{what}: {error}") from error
        if not self.image.data.size:
            raise ValueError(f"{what}: nothing is left of an image, it has shape {self.image.shape[1:]}.")
        self.layers += layers

    def add(self, block: Any, what: str) -> None:
        """Add a block."""
        if isinstance(block, nn.Module):
            self.append([copy.deepcopy(block).astype(self.dtype)], what)
        elif isinstance(block, str) and block in _NAMED:
            self._check_image(what)
            self.append([_NAMED[block]()], what)
        elif isinstance(block, (tuple, list)) and len(block) == 2 and block[0] == "dense" and _is_whole(block[1]):
            dense = nn.Linear(self.width(), int(block[1]), dtype=self.dtype)
            self.append([*self.flat(), dense, new_activation(self.activation)], what)
        elif isinstance(block, (tuple, list)) and len(block) == 2 and block[0] == "dropout":
            self.append([nn.Dropout(block[1])], what)
        else:
            sizes = tuple(block) if isinstance(block, (tuple, list)) else (block,)
            if not 1 <= len(sizes) <= 3 or not all(_is_whole(size) for size in sizes):
                raise ValueError(
                    f"{what}: expected a number of channels, (channels, kernel), (channels, kernel, stride), 'pool', "
                    "'avgpool', 'global', ('dense', width), ('dropout', share) or a Module."
                )
            self._check_image(what)
            self.append(self._convolution(what, *[int(size) for size in sizes]), what)

    def _check_image(self, what: str) -> None:
        if self.image.ndim != 4:
            raise ValueError(f"{what}: behind a dense layer there are no images; it got shape {self.image.shape[1:]}.")

    def _convolution(self, what: str, channels: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
        if kernel % 2 == 0:
            raise ValueError(f"{what}: expected an odd kernel, which keeps the size, got {kernel}.")
        given = self.image.shape[1]
        # The shift of the normalisation takes the bias' place.
        layer = nn.Conv2d(given, channels, kernel, stride, kernel // 2, bias=not self.batch_norm, dtype=self.dtype)
        norm = [nn.BatchNorm2d(channels, dtype=self.dtype)] if self.batch_norm else []
        return [layer, *norm, new_activation(self.activation)]


_NAMED: dict[str, Callable[[], nn.Module]] = {
    "avgpool": lambda: nn.AvgPool2d(2),
    "global": lambda: nn.AdaptiveAvgPool2d(1),
    "pool": lambda: nn.MaxPool2d(2),
}


def _is_whole(size: Any) -> bool:
    return isinstance(size, (int, np.integer)) and not isinstance(size, bool) and bool(size >= 1)
