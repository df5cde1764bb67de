"""Convolutions as layers, under PyTorch's names and with its arguments and initial values."""

import math
from typing import Any

import numpy as np

from fastml.nn import functional
from fastml.nn._functional_conv import PADDING_MODES, margins_of, numbers
from fastml.nn._primitives_fused import reads_result
from fastml.nn._seeding import as_generator
from fastml.nn.module import Module, Parameter, ShapeError
from fastml.nn.tensor import PRIMITIVES, Tensor, as_tensor

__all__ = ["Conv1d", "Conv2d", "ConvTranspose2d", "Convolution"]


_PARAMETERS = """Parameters
    ----------
    in_channels, out_channels : int
        Both multiples of groups.
    kernel_size : int or sequence of int
    stride, dilation : int or sequence of int, default=1
    padding : int, sequence of int, "same" or "valid", default=0
        Margins on both sides of an image.
    groups : int, default=1
        Channels fall into so many groups, each of which makes its own part of the outputs.
    bias : bool, default=True
    padding_mode : {"zeros", "reflect", "replicate", "circular"}, default="zeros"
        What margins hold.
    dtype : dtype, default=float32
    rng : None, int, Generator or RandomState
        Where the initial values come from: uniform in +-1 / sqrt(values that an output is a sum of).

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels / groups, *kernel_size)
    bias : Parameter of shape (out_channels,), or None
"""


class Convolution(Module):
    __doc__ = f"""Base of the convolutions. Behind one, :class:`Sequential` computes an activation in the same pass.

    {_PARAMETERS}
    """

    n_axes: int
    axes: str

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        dtype: Any = np.float32,
        rng: Any = None,
    ) -> None:
        name, n = type(self).__name__, self.n_axes
        if min(in_channels, out_channels, groups) < 1 or in_channels % groups != 0 or out_channels % groups != 0:
            raise ValueError(
                f"{name}: in_channels and out_channels must be multiples of groups, got {in_channels}, {out_channels} "
                f"and {groups}."
            )
        if padding_mode not in PADDING_MODES or padding_mode == "constant":
            modes = sorted(set(PADDING_MODES) - {"constant"})
            raise ValueError(f"{name}: padding_mode must be one of {modes}, got {padding_mode!r}.")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = numbers("kernel_size", kernel_size, n, 1)
        self.stride, self.dilation = numbers("stride", stride, n, 1), numbers("dilation", dilation, n, 1)
        self.padding_mode = padding_mode
        self.margins = margins_of(padding, self.kernel_size, self.stride, self.dilation)
        self.padding = padding if isinstance(padding, str) else numbers("padding", padding, n, 0)
        shape = self._weight_shape()
        rng, bound = as_generator(rng), 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(rng.uniform(-bound, bound, shape).astype(dtype))
        self.bias = Parameter(rng.uniform(-bound, bound, out_channels).astype(dtype)) if bias else None

    def _weight_shape(self) -> tuple[int, ...]:
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    def checked(self, x: Any) -> Tensor:
        """Return the input as a tensor, or raise what is wrong with its shape."""
        x = as_tensor(x)
        if x.ndim not in (self.n_axes + 1, self.n_axes + 2) or x.shape[-self.n_axes - 1] != self.in_channels:
            raise self.misfit(
                f"the input has shape {x.shape}; expected (samples, {self.in_channels} channels, {self.axes})."
            )
        for i, size in enumerate(x.shape[-self.n_axes :]):
            reach = self.dilation[i] * (self.kernel_size[i] - 1) + 1
            if size + self.margins[2 * i] + self.margins[2 * i + 1] < reach:
                raise self._too_small(x.shape)
        return x

    def _too_small(self, shape: tuple[int, ...]) -> ShapeError:
        reach = tuple(d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation))
        pixels = shape[-self.n_axes :]
        given = tuple(s + self.margins[2 * i] + self.margins[2 * i + 1] for i, s in enumerate(pixels))
        return self.misfit(
            f"the input has shape {shape}, {given} pixels with margins; the kernel needs at least {reach}."
        )

    def with_margins(self, x: Tensor) -> tuple[Tensor, Any]:
        """Return x, enlarged where its margins are not zeros, and the padding that is left to do."""
        if self.padding_mode == "zeros" or not any(self.margins):
            return x, self.padding
        pairs = [self.margins[2 * i : 2 * i + 2] for i in range(self.n_axes)]
        widths = [width for pair in reversed(pairs) for width in pair]
        return functional.pad(x, widths, self.padding_mode), 0

    def forward(self, x: Any) -> Tensor:
        return self.activated(x, "identity", 0.0)

    def activated(self, x: Any, kind: str, parameter: float) -> Tensor:
        """Return the layer's result with an activation, computed in one pass."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, default in (
            ("padding", (0,) * self.n_axes),
            ("dilation", (1,) * self.n_axes),
            ("groups", 1),
            ("padding_mode", "zeros"),
        ):
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)!r}"
        return text if self.bias is not None else f"{text}, bias=False"


class Conv2d(Convolution):
    __doc__ = f"""Convolution of images, (samples, channels, height, width).

    {_PARAMETERS}
    """
    n_axes, axes = 2, "height, width"

    def activated(self, x: Any, kind: str, parameter: float) -> Tensor:
        """Return the layer's result with an activation, computed in one pass."""
        x, padding = self.with_margins(self.checked(x))
        if x.ndim == 4 and padding is self.padding and (kind == "identity" or reads_result(kind, parameter)):
            # All is checked: small images are not to wait for functional.conv2d's doing it again.
            inputs = (x, self.weight) if self.bias is None else (x, self.weight, self.bias)
            options = {
                "kind": kind,
                "parameter": parameter,
                "stride": self.stride,
                "dilation": self.dilation,
                "margins": self.margins,
                "groups": self.groups,
            }
            return PRIMITIVES["conv"].apply(inputs, options)
        return functional.conv2d(
            x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups, kind, parameter
        )


class Conv1d(Convolution):
    __doc__ = f"""Convolution of sequences, (samples, channels, length).

    {_PARAMETERS}
    """
    n_axes, axes = 1, "length"

    def activated(self, x: Any, kind: str, parameter: float) -> Tensor:
        """Return the layer's result with an activation, computed in one pass."""
        x, padding = self.with_margins(self.checked(x))
        return functional.conv1d(
            x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups, kind, parameter
        )


class ConvTranspose2d(Convolution):
    """Transposed convolution of images: it makes them larger where a :class:`Conv2d` makes them smaller.

    Parameters
    ----------
    in_channels, out_channels : int
        Both multiples of groups.
    kernel_size : int or pair of int
    stride : int or pair of int, default=1
        What the image grows by.
    padding : int or pair of int, default=0
        What the result is cut off at each side.
    output_padding : int or pair of int, default=0
        What it gains at its bottom and right.
    groups : int, default=1
    bias : bool, default=True
    dilation : int or pair of int, default=1
    dtype : dtype, default=float32
    rng : None, int, Generator or RandomState

    Attributes
    ----------
    weight : Parameter of shape (in_channels, out_channels / groups, kernel height, kernel width)
    bias : Parameter of shape (out_channels,), or None
    """

    n_axes, axes = 2, "height, width"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        dtype: Any = np.float32,
        rng: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, "zeros", dtype, rng
        )
        self.output_padding = numbers("output_padding", output_padding, 2, 0)
        if isinstance(self.padding, str):
            raise ValueError(f"ConvTranspose2d: padding must be integers, got {padding!r}.")
        if any(more >= s for more, s in zip(self.output_padding, self.stride)):
            raise ValueError(
                f"ConvTranspose2d: output_padding must be less than stride {self.stride}, got {self.output_padding}."
            )

    def _weight_shape(self) -> tuple[int, ...]:
        return (self.in_channels, self.out_channels // self.groups, *self.kernel_size)

    def activated(self, x: Any, kind: str, parameter: float) -> Tensor:
        """Return the layer's result with an activation, computed in one pass."""
        x = as_tensor(x)
        if x.ndim not in (3, 4) or x.shape[-3] != self.in_channels:
            raise self.misfit(
                f"the input has shape {x.shape}; expected (samples, {self.in_channels} channels, {self.axes})."
            )
        return functional.conv_transpose2d(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
            kind,
            parameter,
        )
