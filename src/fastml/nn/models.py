"""Networks for small images, each built by a short function.

All take images of shape (samples, in_channels, height, width) and give a number for each class: logits. Parameters
that they share:

n_classes : int, default=10
in_channels : int, default=1
rng : None, int, Generator or RandomState
    Where the initial values come from.
"""

from collections.abc import Sequence
from typing import Any

from fastml.nn._seeding import as_generator
from fastml.nn.containers import DenseBlock, Residual, Sequential
from fastml.nn.conv_layers import Conv2d
from fastml.nn.layers import Dropout, Flatten, Linear, ReLU
from fastml.nn.module import Module
from fastml.nn.norm_layers import BatchNorm2d
from fastml.nn.pool_layers import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d

__all__ = ["densenet", "lenet", "mobilenet", "resnet18", "resnet20", "vgg"]


def _convolution(inputs: int, outputs: int, rng: Any, kernel: int = 3, stride: int = 1, groups: int = 1) -> list:
    """Return a convolution that keeps the size at stride 1, and its BatchNorm, whose bias takes that of the former."""
    return [
        Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False, rng=rng),
        BatchNorm2d(outputs),
    ]


def _head(features: int, n_classes: int, rng: Any) -> list:
    return [AdaptiveAvgPool2d(1), Flatten(), Linear(features, n_classes, rng=rng)]


def lenet(
    n_classes: int = 10, in_channels: int = 1, image_size: Sequence[int] = (28, 28), rng: Any = None
) -> Sequential:
    """Return two convolutions, a pool and two dense layers, in the manner of LeNet-5 (LeCun et al., 1998).

    Parameters
    ----------
    n_classes : int, default=10
    in_channels : int, default=1
    image_size : pair of int, default=(28, 28)
        The dense layers see all pixels, so that the size is fixed; at least 6 x 6.
    rng : None, int, Generator or RandomState

    Returns
    -------
    network : Sequential
    """
    rng = as_generator(rng)
    height, width = [(n - 4) // 2 for n in image_size]
    if min(height, width) < 1:
        raise ValueError(f"lenet: images must be at least 6 x 6 pixels, got {tuple(image_size)}.")
    return Sequential(
        Conv2d(in_channels, 32, 3, rng=rng),
        ReLU(),
        Conv2d(32, 64, 3, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(64 * height * width, 128, rng=rng),
        ReLU(),
        Linear(128, n_classes, rng=rng),
    )


def vgg(
    n_classes: int = 10,
    in_channels: int = 1,
    widths: Sequence[int] = (32, 64, 128),
    dropout: float = 0.0,
    rng: Any = None,
) -> Sequential:
    """Return stages of two convolutions and a pool, in the manner of VGG (Simonyan and Zisserman, 2015).

    Parameters
    ----------
    n_classes : int, default=10
    in_channels : int, default=1
    widths : sequence of int, default=(32, 64, 128)
        Channels of the stages, each of which halves the image.
    dropout : float, default=0
        Before the last layer.
    rng : None, int, Generator or RandomState

    Returns
    -------
    network : Sequential
    """
    rng = as_generator(rng)
    layers: list[Module] = []
    for width in widths:
        layers += [*_convolution(in_channels, width, rng), ReLU(), *_convolution(width, width, rng), ReLU()]
        layers += [MaxPool2d(2, ceil_mode=True)]
        in_channels = width
    pool, flatten, last = _head(in_channels, n_classes, rng)
    return Sequential(*layers, pool, flatten, *([Dropout(dropout)] if dropout else []), last)


def _residual(inputs: int, outputs: int, stride: int, rng: Any) -> Residual:
    shortcut = None
    if stride != 1 or inputs != outputs:
        shortcut = Sequential(*_convolution(inputs, outputs, rng, kernel=1, stride=stride))
    module = Sequential(
        *_convolution(inputs, outputs, rng, stride=stride), ReLU(), *_convolution(outputs, outputs, rng)
    )
    return Residual(module, shortcut, ReLU())


def _resnet(n_classes: int, in_channels: int, widths: Sequence[int], blocks: int, rng: Any) -> Sequential:
    rng = as_generator(rng)
    layers = [*_convolution(in_channels, widths[0], rng), ReLU()]
    inputs = widths[0]
    for stage, width in enumerate(widths):
        for block in range(blocks):
            layers.append(_residual(inputs, width, 2 if stage > 0 and block == 0 else 1, rng))
            inputs = width
    return Sequential(*layers, *_head(inputs, n_classes, rng))


def resnet20(n_classes: int = 10, in_channels: int = 3, rng: Any = None) -> Sequential:
    """Return the residual network of 20 layers for images of 32 x 32 pixels (He et al., 2016).

    Three stages of three blocks, of 16, 32 and 64 channels. Where a stage halves the image, the shortcut is a
    convolution of one pixel.

    Parameters
    ----------
    n_classes : int, default=10
    in_channels : int, default=3
    rng : None, int, Generator or RandomState

    Returns
    -------
    network : Sequential
    """
    return _resnet(n_classes, in_channels, (16, 32, 64), 3, rng)


def resnet18(n_classes: int = 10, in_channels: int = 3, rng: Any = None) -> Sequential:
    """Return the residual network of 18 layers (He et al., 2016), its first layer that for images of 32 x 32 pixels.

    Four stages of two blocks, of 64, 128, 256 and 512 channels.

    Parameters
    ----------
    n_classes : int, default=10
    in_channels : int, default=3
    rng : None, int, Generator or RandomState

    Returns
    -------
    network : Sequential
    """
    return _resnet(n_classes, in_channels, (64, 128, 256, 512), 2, rng)


def densenet(
    n_classes: int = 10,
    in_channels: int = 3,
    growth: int = 12,
    layers: Sequence[int] = (4, 4, 4),
    rng: Any = None,
) -> Sequential:
    """Return blocks in which each layer sees all before it (Huang et al., 2017), small.

    Parameters
    ----------
    n_classes : int, default=10
    in_channels : int, default=3
    growth : int, default=12
        Channels that each layer adds.
    layers : sequence of int, default=(4, 4, 4)
        Layers of each block. Between blocks channels and sides of images are halved.
    rng : None, int, Generator or RandomState

    Returns
    -------
    network : Sequential
    """
    rng = as_generator(rng)
    width = 2 * growth
    parts: list[Module] = [Conv2d(in_channels, width, 3, padding=1, bias=False, rng=rng)]
    for i, count in enumerate(layers):
        if i > 0:
            parts += [BatchNorm2d(width), ReLU(), Conv2d(width, width // 2, 1, bias=False, rng=rng)]
            parts += [AvgPool2d(2, ceil_mode=True)]
            width //= 2
        inside = []
        for _ in range(count):
            convolution = Conv2d(width, growth, 3, padding=1, bias=False, rng=rng)
            inside.append(Sequential(BatchNorm2d(width), ReLU(), convolution))
            width += growth
        parts.append(DenseBlock(*inside))
    return Sequential(*parts, BatchNorm2d(width), ReLU(), *_head(width, n_classes, rng))


def mobilenet(
    n_classes: int = 10,
    in_channels: int = 3,
    stages: Sequence[tuple[int, int]] = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)),
    rng: Any = None,
) -> Sequential:
    """Return convolutions of single channels and of single pixels by turns, in the manner of MobileNet (Howard, 2017).

    Parameters
    ----------
    n_classes : int, default=10
    in_channels : int, default=3
    stages : sequence of (int, int), default=((64, 1), (128, 2), (128, 1), (256, 2), (256, 1))
        Channels and stride of each pair.
    rng : None, int, Generator or RandomState

    Returns
    -------
    network : Sequential
    """
    rng = as_generator(rng)
    width = 32
    layers = [*_convolution(in_channels, width, rng), ReLU()]
    for outputs, stride in stages:
        layers += [*_convolution(width, width, rng, stride=stride, groups=width), ReLU()]
        layers += [*_convolution(width, outputs, rng, kernel=1), ReLU()]
        width = outputs
    return Sequential(*layers, *_head(width, n_classes, rng))
