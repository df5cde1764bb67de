"""Functions of images: pooling, upsampling and GroupNorm. They are part of :mod:`fastml.nn.functional`."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastml.nn import _primitives_pooling  # noqa: F401  (it fills the table)
from fastml.nn._functional_conv import numbers
from fastml.nn._recording import mode as recording
from fastml.nn.module import ShapeError
from fastml.nn.tensor import Tensor, apply, as_tensor

_AXES = {1: "length", 2: "height, width"}


def _images(what: str, x: Any, n: int) -> tuple[Tensor, bool]:
    """Return images of two axes and whether the input was one image (or sequence) without its batch."""
    x = as_tensor(x)
    if x.ndim not in (n + 1, n + 2):
        raise ShapeError(
            what, f"the input has shape {x.shape}; expected (samples, channels, {_AXES[n]}) or (channels, {_AXES[n]})."
        )
    if 0 in x.shape[-n - 1 :]:
        raise ShapeError(what, f"the input has shape {x.shape}: channels and pixels must not be none.")
    single = x.ndim == n + 1
    shape = (1, *x.shape) if single else x.shape
    return x if shape == x.shape and n == 2 else x.reshape((*shape[:2], *(1,) * (2 - n), *shape[2:])), single


def _returned(y: Tensor, n: int, single: bool) -> Tensor:
    """Undo what :func:`_images` did to the shape."""
    shape = (*y.shape[:2], *y.shape[4 - n :])[single:]
    return y if shape == y.shape else y.reshape(shape)


def _sizes(
    what: str,
    x: Tensor,
    n: int,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> tuple[int, ...]:
    """Return how many windows there are along each axis; the arguments are checked."""
    if any(2 * p > k for p, k in zip(padding, kernel)):
        raise ValueError(f"{what}: padding may be half of the kernel at most, got {padding} and kernel {kernel}.")
    given = x.shape[4 - n :]
    framed = [size + 2 * p for size, p in zip(given, padding)]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    if not ceil_mode and any(f < r for f, r in zip(framed, reach)):
        raise ShapeError(
            what,
            f"the window of {tuple(reach)} pixels, dilation included, is larger than the input of {tuple(framed)}, "
            "padding included.",
        )
    sizes = []
    for size, f, r, s, p in zip(given, framed, reach, stride, padding):
        out = (f - r + (s - 1 if ceil_mode else 0)) // s + 1
        # The last window must begin inside of the image or before it.
        sizes.append(out - 1 if ceil_mode and (out - 1) * s >= size + p else out)
    return tuple(sizes)


def _flattened(n: int, *options: Sequence[int]) -> list[tuple[int, ...]]:
    """Return options of one axis as those of images with one row: size, kernel, stride, ..., and padding at the end."""
    *others, padding = options
    return [(1,) * (2 - n) + tuple(o) for o in others] + [(0,) * (2 - n) + tuple(padding)]


def _noted(x: Tensor) -> bool:
    return recording.recording and x.requires_grad


def _max_pool(n: int, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Tensor:
    what = f"max_pool{n}d"
    kernels = numbers("kernel_size", kernel, n, 1)
    strides = kernels if stride is None else numbers("stride", stride, n, 1)
    pads, dilations = numbers("padding", padding, n, 0), numbers("dilation", dilation, n, 1)
    x, single = _images(what, x, n)
    sizes = _sizes(what, x, n, kernels, strides, pads, dilations, ceil_mode)
    size, kernels, strides, dilations, pads = _flattened(n, sizes, kernels, strides, dilations, pads)
    options = {"size": size, "kernel": kernels, "stride": strides, "padding": pads, "dilation": dilations}
    return _returned(apply("max_pool", x, **options, noted=_noted(x)), n, single)


def max_pool2d(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Tensor:
    """Return the largest values of windows.

    Of equal ones the first gets the gradient. NaN counts as larger than anything.

    Parameters
    ----------
    x : Tensor of shape (samples, channels, height, width) or (channels, height, width)
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        From a window to the next, by default its size.
    padding : int or pair of int, default=0
        Margins that hold nothing, at most half of the kernel.
    dilation : int or pair of int, default=1
        From a pixel of a window to the next.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the margin. It must begin before it.

    Returns
    -------
    y : Tensor of shape (samples, channels, out height, out width)
        With its channels last in memory.
    """
    return _max_pool(2, x, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Tensor:
    """Return the largest values of windows of sequences, (samples, channels, length); as :func:`max_pool2d`."""
    return _max_pool(1, x, kernel_size, stride, padding, dilation, ceil_mode)


def _avg_pool(
    n: int,
    x: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None = None,
) -> Tensor:
    what = f"avg_pool{n}d"
    kernels = numbers("kernel_size", kernel, n, 1)
    strides = kernels if stride is None else numbers("stride", stride, n, 1)
    pads = numbers("padding", padding, n, 0)
    if divisor == 0:
        raise ValueError(f"{what}: divisor_override must not be 0.")
    x, single = _images(what, x, n)
    sizes = _sizes(what, x, n, kernels, strides, pads, (1,) * n, ceil_mode)
    size, kernels, strides, pads = _flattened(n, sizes, kernels, strides, pads)
    options = {"size": size, "kernel": kernels, "stride": strides, "padding": pads}
    y = apply("avg_pool", x, **options, count_margin=bool(count_include_pad), divisor=int(divisor or 0))
    return _returned(y, n, single)


def avg_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the means of windows.

    Parameters
    ----------
    x : Tensor of shape (samples, channels, height, width) or (channels, height, width)
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        From a window to the next, by default its size.
    padding : int or pair of int, default=0
        Margins of zeros, at most half of the kernel.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the margin. It must begin before it, and what lies beyond never counts.
    count_include_pad : bool, default=True
        Whether the zeros of the margin count.
    divisor_override : int, optional
        What sums are divided by in place of the number of values.

    Returns
    -------
    y : Tensor of shape (samples, channels, out height, out width)
        With its channels last in memory.
    """
    return _avg_pool(2, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool1d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the means of windows of sequences, (samples, channels, length); as :func:`avg_pool2d`."""
    return _avg_pool(1, x, kernel_size, stride, padding, ceil_mode, count_include_pad)


def output_sizes(what: str, output_size: Any) -> tuple[int | None, ...]:
    """Return the height and width to pool to, each None where it is to stay; one number stands for both."""
    sizes = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * 2
    if len(sizes) != 2 or any(s is not None and (not isinstance(s, (int, np.integer)) or s < 1) for s in sizes):
        raise ValueError(
            f"{what}: output_size must be a positive integer or None, or two of them; got {output_size!r}."
        )
    return tuple(None if s is None else int(s) for s in sizes)


def _wanted(what: str, x: Tensor, output_size: Any) -> tuple[int, ...]:
    return tuple(given if s is None else s for s, given in zip(output_sizes(what, output_size), x.shape[2:]))


def adaptive_avg_pool2d(x: Any, output_size: Any) -> Tensor:
    """Return the means of as many windows as are wanted, which cover the image.

    Parameters
    ----------
    x : Tensor of shape (samples, channels, height, width) or (channels, height, width)
    output_size : int, None, or a pair of them
        Rows and columns of the result; None keeps those of x. Window i of n reaches from floor(i * size / n) to
        ceil((i + 1) * size / n).

    Returns
    -------
    y : Tensor of shape (samples, channels, out height, out width)
        With its channels last in memory.
    """
    x, single = _images("adaptive_avg_pool2d", x, 2)
    return _returned(apply("adaptive_avg_pool", x, size=_wanted("adaptive_avg_pool2d", x, output_size)), 2, single)


def adaptive_max_pool2d(x: Any, output_size: Any) -> Tensor:
    """Return the largest values of as many windows as are wanted, which are those of :func:`adaptive_avg_pool2d`."""
    x, single = _images("adaptive_max_pool2d", x, 2)
    size = _wanted("adaptive_max_pool2d", x, output_size)
    return _returned(apply("adaptive_max_pool", x, size=size, noted=_noted(x)), 2, single)


MODES = {"nearest": (1, 2), "linear": (1,), "bilinear": (2,)}
"""Ways to upsample, and of how many axes."""


def interpolate(
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Tensor:
    """Return images or sequences of another size.

    Parameters
    ----------
    x : Tensor of shape (samples, channels, height, width) or (samples, channels, length)
    size : int or sequence of int, optional
        The size of the result. Give it or a factor.
    scale_factor : float or sequence of float, optional
        Makes the size, rounded down.
    mode : {"nearest", "linear", "bilinear"}, default="nearest"
        "nearest" takes the pixel at ``floor(i / factor)``; the others are linear between pixels, of sequences and of
        images.
    align_corners : bool, optional
        Of the linear ones: whether the centres of the first and last pixels keep their places, or (by default) the
        edges of the image do.
    recompute_scale_factor : bool, optional
        Whether positions are computed with the ratio of sizes, where a factor is given.

    Returns
    -------
    y : Tensor of shape (samples, channels, *size)
        With its channels last in memory.
    """
    what = "interpolate"
    x = as_tensor(x)
    n = x.ndim - 2
    if mode not in MODES:
        raise ValueError(f"{what}: mode must be one of {sorted(MODES)}, got {mode!r}.")
    if n not in MODES[mode]:
        expected = " or ".join(f"(samples, channels, {_AXES[m]})" for m in MODES[mode])
        raise ShapeError(what, f"the input has shape {x.shape}; mode {mode!r} expects {expected}.")
    if mode == "nearest" and align_corners is not None:
        raise ValueError(f"{what}: align_corners is for linear and bilinear, not for mode 'nearest'.")
    if (size is None) == (scale_factor is None):
        raise ValueError(f"{what}: give one of size and scale_factor, got {size!r} and {scale_factor!r}.")
    if size is not None and recompute_scale_factor:
        raise ValueError(f"{what}: recompute_scale_factor is for a scale_factor, got size {size!r}.")
    x, _ = _images(what, x, n)
    factors: tuple[float, ...] = (0.0,) * n
    if size is not None:
        sizes = numbers("size", size, n, 1)
    else:
        factors = _factors(scale_factor, n)
        sizes = tuple(math.floor(given * f) for given, f in zip(x.shape[4 - n :], factors))
        if min(sizes) < 1:
            raise ShapeError(what, f"the input has shape {x.shape}: a scale_factor of {scale_factor} leaves nothing.")
        # As PyTorch does, whatever the factor: an axis that keeps its size keeps its pixels; one that doubles its size
        # has each of them twice, where the nearest are taken.
        exact = (1, 2) if mode == "nearest" else (1,)
        plain = [recompute_scale_factor or s in [k * given for k in exact] for s, given in zip(sizes, x.shape[4 - n :])]
        factors = tuple(0.0 if p else f for f, p in zip(factors, plain))
    y = apply(
        "upsample",
        x,
        size=(1,) * (2 - n) + sizes,
        linear=mode != "nearest",
        align_corners=bool(align_corners),
        factors=(0.0,) * (2 - n) + factors,
    )
    return _returned(y, n, False)


def _factors(scale_factor: Any, n: int) -> tuple[float, ...]:
    factors = (scale_factor,) * n if isinstance(scale_factor, (int, float, np.number)) else tuple(scale_factor)
    if len(factors) != n or not all(0 < f < math.inf for f in factors):
        raise ValueError(f"interpolate: scale_factor must be a positive number, or {n} of them; got {scale_factor!r}.")
    return tuple(float(f) for f in factors)


def group_norm(
    x: Any, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Return x with mean 0 and variance 1 of each group of channels of each sample, times weight, plus bias.

    Parameters
    ----------
    x : Tensor of shape (samples, channels, ...)
    num_groups : int
        Consecutive channels fall into so many groups. As many as channels make it an instance norm.
    weight, bias : Tensor of shape (channels,), optional
    eps : float, default=1e-5
        Added to the variance.

    Returns
    -------
    y : Tensor of the shape of x
        With its channels last in memory.
    """
    x = as_tensor(x)
    if x.ndim < 2:
        raise ShapeError("group_norm", f"the input has shape {x.shape}; expected (samples, channels, ...).")
    channels = x.shape[1]
    if num_groups < 1 or channels % num_groups != 0 or channels == 0:
        raise ShapeError(
            "group_norm", f"the input has shape {x.shape}; its channels must be a multiple of num_groups, {num_groups}."
        )
    if x.size == num_groups:
        raise ShapeError("group_norm", f"the input has shape {x.shape}: a group needs more than one value.")
    weight = Tensor(np.ones(channels, x.dtype)) if weight is None else weight
    bias = Tensor(np.zeros(channels, x.dtype)) if bias is None else bias
    if weight.shape != (channels,) or bias.shape != (channels,):
        raise ValueError(
            f"group_norm: weight of shape {weight.shape} or bias of shape {bias.shape} does not fit the {channels} "
            f"channels of an input of shape {x.shape}."
        )
    return apply("group_norm", x, weight, bias, groups=int(num_groups), eps=float(eps))
