"""Layers of images that learn no convolution: pooling and upsampling, under PyTorch's names."""

from collections.abc import Callable
from typing import Any

from fastml.nn import _functional_pooling as functional
from fastml.nn._functional_conv import numbers
from fastml.nn.module import Module, ShapeError
from fastml.nn.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "MaxPool1d",
    "MaxPool2d",
    "Upsample",
]


class _ImageLayer(Module):
    """What hands its input to a function: where the shape does not fit, the error names the layer."""

    def _apply(self, function: Callable[..., Tensor], x: Any, *args: Any) -> Tensor:
        try:
            return function(x, *args)
        except ShapeError as error:
            raise self.misfit(error.problem) from None


def _windows(n: int, kernel_size: Any, stride: Any, padding: Any) -> tuple[tuple[int, ...], ...]:
    kernel = numbers("kernel_size", kernel_size, n, 1)
    return kernel, kernel if stride is None else numbers("stride", stride, n, 1), numbers("padding", padding, n, 0)


class MaxPool2d(_ImageLayer):
    """The largest values of windows.

    Parameters
    ----------
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        From a window to the next, by default its size.
    padding : int or pair of int, default=0
        Margins that hold nothing, at most half of the kernel.
    dilation : int or pair of int, default=1
        From a pixel of a window to the next.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the margin.
    """

    n_axes = 2

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
    ) -> None:
        self.kernel_size, self.stride, self.padding = _windows(self.n_axes, kernel_size, stride, padding)
        self.dilation, self.ceil_mode = numbers("dilation", dilation, self.n_axes, 1), ceil_mode

    def forward(self, x: Any) -> Tensor:
        function = functional.max_pool2d if self.n_axes == 2 else functional.max_pool1d
        return self._apply(function, x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(MaxPool2d):
    """The largest values of windows of sequences.

    Parameters
    ----------
    kernel_size : int
    stride : int, optional
        From a window to the next, by default its size.
    padding : int, default=0
        Margins that hold nothing, at most half of the kernel.
    dilation : int, default=1
        From a value of a window to the next.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the margin.
    """

    n_axes = 1


class AvgPool2d(_ImageLayer):
    """The means of windows.

    Parameters
    ----------
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        From a window to the next, by default its size.
    padding : int or pair of int, default=0
        Margins of zeros, at most half of the kernel.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the margin.
    count_include_pad : bool, default=True
        Whether the zeros of the margin count.
    divisor_override : int, optional
        What sums are divided by in place of the number of values.
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self.kernel_size, self.stride, self.padding = _windows(2, kernel_size, stride, padding)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Tensor:
        windows = self.kernel_size, self.stride, self.padding
        return self._apply(
            functional.avg_pool2d, x, *windows, self.ceil_mode, self.count_include_pad, self.divisor_override
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_ImageLayer):
    """The means of windows of sequences.

    Parameters
    ----------
    kernel_size : int
    stride : int, optional
        From a window to the next, by default its size.
    padding : int, default=0
        Margins of zeros, at most half of the kernel.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the margin.
    count_include_pad : bool, default=True
        Whether the zeros of the margin count.
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size, self.stride, self.padding = _windows(1, kernel_size, stride, padding)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, x: Any) -> Tensor:
        windows = self.kernel_size, self.stride, self.padding
        return self._apply(functional.avg_pool1d, x, *windows, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(_ImageLayer):
    """The means of as many windows as are wanted; of one, that of each channel.

    Parameters
    ----------
    output_size : int, None, or a pair of them
        Rows and columns of the result; None keeps those of the input.
    """

    def __init__(self, output_size: Any) -> None:
        functional.output_sizes(type(self).__name__, output_size)
        self.output_size = output_size

    def forward(self, x: Any) -> Tensor:
        return self._apply(functional.adaptive_avg_pool2d, x, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool2d(AdaptiveAvgPool2d):
    """The largest values of as many windows as are wanted.

    Parameters
    ----------
    output_size : int, None, or a pair of them
        Rows and columns of the result; None keeps those of the input.
    """

    def forward(self, x: Any) -> Tensor:
        return self._apply(functional.adaptive_max_pool2d, x, self.output_size)


class Upsample(_ImageLayer):
    """Images or sequences of another size: see :func:`fastml.nn.functional.interpolate`.

    Parameters
    ----------
    size : int or sequence of int, optional
        The size of the result. Give it or a factor.
    scale_factor : float or sequence of float, optional
    mode : {"nearest", "linear", "bilinear"}, default="nearest"
    align_corners : bool, optional
        Whether the centres of the first and last pixels keep their places. Not of "nearest".
    recompute_scale_factor : bool, optional
        Whether positions are computed with the ratio of sizes, where a factor is given.
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        self.size, self.scale_factor, self.mode, self.align_corners = size, scale_factor, mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, x: Any) -> Tensor:
        how = self.mode, self.align_corners, self.recompute_scale_factor
        return self._apply(functional.interpolate, x, self.size, self.scale_factor, *how)

    def extra_repr(self) -> str:
        given = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{given}, mode={self.mode!r}"
