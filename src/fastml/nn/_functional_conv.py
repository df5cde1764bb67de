"""Functions of images: convolutions and margins. They are part of :mod:`fastml.nn.functional`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastml.nn._primitives_fused import reads_result
from fastml.nn.tensor import Tensor, apply, as_tensor

PADDING_MODES = {"constant": None, "zeros": None, "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""NumPy's names of what margins hold."""


def numbers(what: str, value: Any, n: int, least: int) -> tuple[int, ...]:
    """Return n integers, which may be given as one."""
    if type(value) is tuple and len(value) == n:  # as layers hold them: the way that every call takes
        for v in value:
            if type(v) is not int or v < least:
                break
        else:
            return value
    values = (value,) * n if np.ndim(value) == 0 else tuple(value)
    if len(values) == 1:
        values *= n
    if len(values) != n or any(not isinstance(v, (int, np.integer)) or v < least for v in values):
        expected = f"an integer from {least} on" + (f", or {n} of them" if n > 1 else "")
        raise ValueError(f"{what}: expected {expected}, got {value!r}.")
    return tuple(int(v) for v in values)


def margins_of(padding: Any, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """Return what an image is enlarged by along each axis, at its beginning and at its end.

    Parameters
    ----------
    padding : int, sequence of int, "valid" or "same"
        "same" keeps the size at stride 1; where the margins are unequal, that at the end is larger.
    kernel, stride, dilation : sequence of int
    """
    if padding == "valid":
        return (0,) * (2 * len(kernel))
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ValueError(f"padding: 'same' needs stride 1, got {tuple(stride)}.")
        totals = [d * (k - 1) for k, d in zip(kernel, dilation)]
        return tuple(part for total in totals for part in (total // 2, total - total // 2))
    if isinstance(padding, str):
        raise ValueError(f"padding: expected 'same', 'valid' or integers, got {padding!r}.")
    return tuple(p for p in numbers("padding", padding, len(kernel), 0) for _ in (0, 1))


def _convolved(
    what: str,
    n: int,
    x: Any,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    activation: str,
    parameter: float,
) -> Tensor:
    x, weight = as_tensor(x), as_tensor(weight)
    strides, dilations = numbers("stride", stride, n, 1), numbers("dilation", dilation, n, 1)
    if x.ndim == n + 1:
        y = _convolved(
            what, n, x.reshape((1, *x.shape)), weight, bias, strides, padding, dilations, groups, activation, parameter
        )
        return y.reshape(y.shape[1:])
    if x.ndim != n + 2 or weight.ndim != n + 2:
        axes = ", ".join(("height, width" if n == 2 else "length").split(", "))
        raise ValueError(
            f"{what}: expected an input (samples, channels, {axes}) and a weight (outputs, channels / groups, {axes}), "
            f"got shapes {x.shape} and {weight.shape}."
        )
    outputs, inputs, *kernel = weight.shape
    if groups < 1 or x.shape[1] != inputs * groups or outputs % groups != 0:
        raise ValueError(
            f"{what}: an input of shape {x.shape} and a weight of shape {weight.shape} do not fit: the input must have "
            f"{inputs * max(groups, 1)} channels, and outputs must be a multiple of groups, which is {groups}."
        )
    if bias is not None and bias.shape != (outputs,):
        raise ValueError(f"{what}: a weight of shape {weight.shape} and a bias of shape {bias.shape} do not fit.")
    margins = margins_of(padding, kernel, strides, dilations)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilations)]
    framed = [s + margins[2 * i] + margins[2 * i + 1] for i, s in enumerate(x.shape[2:])]
    if any(k < 1 for k in kernel) or any(f < r for f, r in zip(framed, reach)):
        raise ValueError(
            f"{what}: the kernel of {tuple(reach)} pixels, dilation included, is empty or larger than the input of "
            f"{tuple(framed)}, margins included."
        )
    fused = activation == "identity" or reads_result(activation, parameter)
    options: dict[str, Any] = {
        "kind": activation if fused else "identity",
        "parameter": float(parameter) if fused else 0.0,
        "groups": int(groups),
    }
    if n == 1:
        flat = x.reshape((*x.shape[:2], 1, x.shape[2]))
        matrix = weight.reshape((outputs, inputs, 1, kernel[0]))
        inputs_ = (flat, matrix) if bias is None else (flat, matrix, bias)
        y = apply("conv", *inputs_, stride=(1, *strides), dilation=(1, *dilations), margins=(0, 0, *margins), **options)
        y = y.reshape((*y.shape[:2], y.shape[3]))
    else:
        inputs_ = (x, weight) if bias is None else (x, weight, bias)
        y = apply("conv", *inputs_, stride=strides, dilation=dilations, margins=margins, **options)
    return y if fused else apply("activation", y, kind=activation, parameter=float(parameter))


def conv2d(
    x: Any,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    activation: str = "identity",
    parameter: float = 0.0,
) -> Tensor:
    """Return activation(convolution of images with a weight + bias), computed in one pass.

    Parameters
    ----------
    x : Tensor of shape (samples, in_channels, height, width) or (in_channels, height, width)
    weight : Tensor of shape (out_channels, in_channels / groups, kernel height, kernel width)
    bias : Tensor of shape (out_channels,), optional
    stride, dilation : int or pair of int, default=1
        Down and across.
    padding : int, pair of int, "same" or "valid", default=0
        Margins of zeros on both sides. "same" (at stride 1) keeps the size.
    groups : int, default=1
        Channels fall into so many groups, each of which makes its own part of the outputs.
    activation : str, default="identity"
        As in :func:`linear`.
    parameter : float, default=0
        The activation's slope, alpha or beta, where it has one.

    Returns
    -------
    y : Tensor of shape (samples, out_channels, out height, out width)
        With its channels last in memory.
    """
    return _convolved("conv2d", 2, x, weight, bias, stride, padding, dilation, groups, activation, parameter)


def conv1d(
    x: Any,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    activation: str = "identity",
    parameter: float = 0.0,
) -> Tensor:
    """Return a convolution of sequences, (samples, in_channels, length): :func:`conv2d` of images of one row."""
    return _convolved("conv1d", 1, x, weight, bias, stride, padding, dilation, groups, activation, parameter)


def conv_transpose2d(
    x: Any,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
    activation: str = "identity",
    parameter: float = 0.0,
) -> Tensor:
    """Return a transposed convolution: what a convolution does to the derivative by its result.

    Parameters
    ----------
    x : Tensor of shape (samples, in_channels, height, width) or (in_channels, height, width)
    weight : Tensor of shape (in_channels, out_channels / groups, kernel height, kernel width)
    bias : Tensor of shape (out_channels,), optional
    stride, dilation : int or pair of int, default=1
    padding : int or pair of int, default=0
        What the result is cut off at each side.
    output_padding : int or pair of int, default=0
        What it gains at its bottom and right, less than the stride.
    groups : int, default=1
    activation : str, default="identity"
    parameter : float, default=0

    Returns
    -------
    y : Tensor of shape (samples, out_channels, out height, out width)
        Of height ``(height - 1) * stride - 2 * padding + dilation * (kernel height - 1) + output_padding + 1``.
    """
    x = as_tensor(x)
    what = "conv_transpose2d"
    if x.ndim == 3:
        one = x.reshape((1, *x.shape))
        y = conv_transpose2d(
            one, weight, bias, stride, padding, output_padding, groups, dilation, activation, parameter
        )
        return y.reshape(y.shape[1:])
    if x.ndim != 4 or weight.ndim != 4:
        raise ValueError(
            f"{what}: expected an input (samples, channels, height, width) and a weight (channels, outputs / groups, "
            f"height, width), got shapes {x.shape} and {weight.shape}."
        )
    channels, outputs, *kernel = weight.shape
    if groups < 1 or x.shape[1] != channels or channels % groups != 0:
        raise ValueError(
            f"{what}: an input of shape {x.shape} and a weight of shape {weight.shape} do not fit: the input must have "
            f"{channels} channels, a multiple of groups, which is {groups}."
        )
    if bias is not None and bias.shape != (outputs * groups,):
        raise ValueError(f"{what}: a weight of shape {weight.shape} and a bias of shape {bias.shape} do not fit.")
    strides, dilations = numbers("stride", stride, 2, 1), numbers("dilation", dilation, 2, 1)
    pads, more = numbers("padding", padding, 2, 0), numbers("output_padding", output_padding, 2, 0)
    if any(m >= s for m, s in zip(more, strides)):
        raise ValueError(f"{what}: output_padding must be less than the stride {strides}, got {more}.")
    size = tuple(
        (x.shape[2 + i] - 1) * strides[i] - 2 * pads[i] + dilations[i] * (kernel[i] - 1) + more[i] + 1 for i in (0, 1)
    )
    if min(size) < 1:
        raise ValueError(f"{what}: an input of shape {x.shape} would give an image of size {size}.")
    fused = activation == "identity" or reads_result(activation, parameter)
    y = apply(
        "conv_transpose",
        *((x, weight) if bias is None else (x, weight, bias)),
        kind=activation if fused else "identity",
        parameter=float(parameter) if fused else 0.0,
        size=size,
        stride=strides,
        dilation=dilations,
        margins=(pads[0], pads[0], pads[1], pads[1]),
        groups=int(groups),
    )
    return y if fused else apply("activation", y, kind=activation, parameter=float(parameter))


def pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Tensor:
    """Return x with margins along its last axes.

    Parameters
    ----------
    x : Tensor
    pad : sequence of int
        Left and right margins of the last axis, then those of the axis before it, and so on.
    mode : {"constant", "reflect", "replicate", "circular"}, default="constant"
        What margins hold.
    value : float, default=0
        What they hold in mode "constant".

    Returns
    -------
    y : Tensor
    """
    x = as_tensor(x)
    widths = numbers("pad", tuple(pad), len(pad), 0)
    if mode not in PADDING_MODES:
        raise ValueError(f"pad: mode must be one of {sorted(PADDING_MODES)}, got {mode!r}.")
    if len(widths) % 2 != 0 or len(widths) > 2 * x.ndim:
        raise ValueError(f"pad: expected two widths for each of at most {x.ndim} axes, got {tuple(pad)}.")
    sides = [(0, 0)] * (x.ndim - len(widths) // 2) + [
        (widths[i], widths[i + 1]) for i in range(len(widths) - 2, -1, -2)
    ]
    numpy_mode = PADDING_MODES[mode]
    if numpy_mode is None:
        inside = tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, sides))
        shape = tuple(n + before + after for n, (before, after) in zip(x.shape, sides))
        y = apply("put", x, index=inside, shape=shape)
        if value == 0:
            return y
        margins = np.full(shape, value, dtype=x.dtype)
        margins[inside] = 0
        return y + Tensor(margins)
    for axis, (n, (before, after)) in enumerate(zip(x.shape, sides)):
        if before == after == 0:
            continue
        most = {"reflect": n - 1, "wrap": n, "edge": before + after}[numpy_mode]
        if n == 0 or max(before, after) > most:
            raise ValueError(f"pad: margins {(before, after)} are too wide for mode {mode!r} of shape {x.shape}.")
        places = np.pad(np.arange(n), (before, after), mode=numpy_mode)  # type: ignore[call-overload]
        x = apply("getitem", x, index=(*[slice(None)] * axis, places))
    return x


__all__ = ["conv1d", "conv2d", "conv_transpose2d", "pad"]
