"""Coarse primitives: convolutions. See ``_primitives_fused``, and ``_layout`` for how images lie in memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastml import _core
from fastml._support import threads
from fastml.nn._layout import channels_first, channels_last
from fastml.nn._primitives_fused import Fused, plain_activation
from fastml.nn._recording import mode
from fastml.nn.tensor import FLOATS, PRIMITIVES, STORED, Record, Tensor, apply

Pair = tuple[int, int]
Margins = tuple[int, int, int, int]
"""What an image is enlarged by: at its top, bottom, left and right."""

_PRODUCTS_AT_ONCE = 3
"""Multiply-adds of a register tile that take as long as one of those that threads are counted by."""

_VALUES_FOR_THREADS = 50_000
"""Values from which on a pass over them is worth a second thread."""


def _checked(
    what: str, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return weight and bias as kernels take them."""
    types = {a.dtype for a in (x, weight, bias) if a is not None}
    if not types <= set(FLOATS):
        raise TypeError(f"{what}: expected tensors of float32 or float64, got {', '.join(sorted(map(str, types)))}.")
    if len(types) != 1:
        raise TypeError(f"{what}: input, weight and bias must have one type, got {', '.join(sorted(map(str, types)))}.")
    return np.ascontiguousarray(weight), None if bias is None else np.ascontiguousarray(bias)


def _through_activation(
    saved: np.ndarray | None, dy: np.ndarray, kind: str, parameter: float, with_sums: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the derivative by what an activation got, and its sums over all pixels: the derivative by the bias."""
    if kind == "identity" and not with_sums:
        return dy, None
    rows = dy.reshape(-1, dy.shape[-1])
    n_threads = threads.n_threads() if dy.size > _VALUES_FOR_THREADS else 1
    of = rows if saved is None else saved.reshape(rows.shape)
    dz, sums = _core.nn_activate_backward(of, rows, kind, parameter, with_sums, n_threads)
    return dz.reshape(dy.shape), sums


class _Convolution(Fused):
    """What a convolution and a transposed one share: each is the other's derivative by its input.

    Both save (images, results, number of threads), images and results with their channels last. Results are kept where
    an activation's derivative is read from them.
    """

    def backward(self, record: Record, gradient: Tensor, needs: Sequence[bool], direct: bool) -> list:
        if mode.recording:
            return self._recorded(record, gradient, needs)
        images, results, n_threads = record.saved
        options = dict(record.options)
        kind, parameter = options.pop("kind"), options.pop("parameter")
        options.pop("size", None)
        weight = record.inputs[1]
        with_sums = len(needs) > 2 and needs[2]
        dz, sums = _through_activation(results, channels_last(gradient.data), kind, parameter, with_sums)
        parts: list[Any] = [None, None, None if sums is None else Tensor._of(sums)]
        values = np.ascontiguousarray(weight.data)
        if needs[0]:
            dx = self._backward_input(dz, values, images.shape, options, n_threads)
            parts[0] = Tensor._of(channels_first(dx))
        if needs[1]:
            # Into the memory of the gradient, where it is the first.
            stores = direct and weight._record is None and not weight._hooks and weight.grad is None
            to = weight.grad_buffer if stores else None
            to = np.empty_like(values) if to is None else to
            self._backward_weight(images, dz, to, options, n_threads)
            if stores:
                weight.grad = to
            parts[1] = STORED if stores else Tensor._of(to)
        return parts[: len(needs)]

    def _backward_input(self, dz: Any, weight: Any, shape: Any, options: dict, n_threads: int) -> np.ndarray:
        raise NotImplementedError

    def _backward_weight(self, images: Any, dz: Any, dweight: Any, options: dict, n_threads: int) -> None:
        raise NotImplementedError


class _Conv(_Convolution):
    def _backward_input(self, dz: Any, weight: Any, shape: Any, options: dict, n_threads: int) -> np.ndarray:
        return _core.nn_conv_backward_input(dz, weight, size=shape[1:3], **options, n_threads=n_threads)

    def _backward_weight(self, images: Any, dz: Any, dweight: Any, options: dict, n_threads: int) -> None:
        _core.nn_conv_backward_weight(images, dz, dweight, **options, n_threads=n_threads)


def convolve(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    kind: str,
    parameter: float,
    stride: Pair,
    dilation: Pair,
    margins: Margins,
    groups: int,
    more: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return images and activation(their convolution + bias + more), channels last, and the number of threads."""
    weight, bias = _checked("conv", x, weight, bias)
    images = channels_last(x)
    more = None if more is None else channels_last(more)
    n_threads = _threads_for(x, weight, stride, groups)
    y = _core.nn_conv(images, weight, bias, kind, parameter, stride, dilation, margins, groups, n_threads, more)
    return images, y, n_threads


def _threads_for(x: np.ndarray, weight: np.ndarray, stride: Pair, groups: int) -> int:
    # A first guess at the work, by the size of x: strides make it less, margins more.
    products = x.size // (stride[0] * stride[1]) * (weight.size // max(x.shape[1] // groups, 1))
    return threads.n_threads(work=products / _PRODUCTS_AT_ONCE)


def _conv(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    kind: str,
    parameter: float,
    stride: Pair,
    dilation: Pair,
    margins: Margins,
    groups: int,
) -> tuple[np.ndarray, Any]:
    images, y, n_threads = convolve(x, weight, bias, kind, parameter, stride, dilation, margins, groups)
    return channels_first(y), (images, None if kind == "identity" else y, n_threads)


def _windows(x: Tensor, size: Pair, kernel: Pair, stride: Pair, dilation: Pair, margins: Margins) -> list[Tensor]:
    """Return, for each place of the kernel, the pixels that it meets: im2col in small primitives."""
    n, c, h, w = x.data.shape
    top, bottom, left, right = margins
    inside = (slice(None), slice(None), slice(top, top + h), slice(left, left + w))
    x = apply("put", x, index=inside, shape=(n, c, top + h + bottom, left + w + right))
    return [apply("getitem", x, index=index) for index in _meetings(size, kernel, stride, dilation)]


def _meetings(size: Pair, kernel: Pair, stride: Pair, dilation: Pair) -> list[tuple]:
    """Return, for each place of the kernel, which pixels of an image with margins it meets."""

    def along(axis: int, at: int) -> slice:
        start = at * dilation[axis]
        return slice(start, start + (size[axis] - 1) * stride[axis] + 1, stride[axis])

    both = slice(None), slice(None)
    return [(*both, along(0, a), along(1, b)) for a in range(kernel[0]) for b in range(kernel[1])]


def conv_size(size: Pair, kernel: Pair, stride: Pair, dilation: Pair, margins: Margins) -> Pair:
    """Return the height and width of a convolution's result."""
    pads = margins[0] + margins[1], margins[2] + margins[3]
    rows, cols = [(size[i] + pads[i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in (0, 1)]
    return rows, cols


def _plain_conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    kind: str,
    parameter: float,
    stride: Pair,
    dilation: Pair,
    margins: Margins,
    groups: int,
) -> Tensor:
    n = x.data.shape[0]
    outputs, inputs, rows, cols = weight.data.shape
    kernel, places = (rows, cols), rows * cols
    size = conv_size(x.data.shape[2:], kernel, stride, dilation, margins)
    windows = _windows(x, size, kernel, stride, dilation, margins)
    pixels = size[0] * size[1]
    parts = [apply("reshape", part, shape=(n, groups, inputs, 1, pixels)) for part in windows]
    columns = apply("reshape", apply("concatenate", *parts, axis=3), shape=(n, groups, inputs * places, pixels))
    matrices = apply("reshape", weight, shape=(groups, outputs // groups, inputs * places))
    z = apply("reshape", apply("matmul", matrices, columns), shape=(n, outputs, *size))
    if bias is not None:
        z = z + apply("reshape", bias, shape=(outputs, 1, 1))
    return plain_activation(z, kind, parameter)


PRIMITIVES["conv"] = _Conv("conv", _conv, lambda *_: [], _plain_conv)  # type: ignore[assignment]


# The transposed convolution: what a convolution of these sizes does to a derivative. `size` is its result's.


class _ConvTranspose(_Convolution):
    def _backward_input(self, dz: Any, weight: Any, shape: Any, options: dict, n_threads: int) -> np.ndarray:
        return _core.nn_conv(dz, weight, None, "identity", 0.0, **options, n_threads=n_threads)

    def _backward_weight(self, images: Any, dz: Any, dweight: Any, options: dict, n_threads: int) -> None:
        _core.nn_conv_backward_weight(dz, images, dweight, **options, n_threads=n_threads)


def _conv_transpose(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    kind: str,
    parameter: float,
    size: Pair,
    stride: Pair,
    dilation: Pair,
    margins: Margins,
    groups: int,
) -> tuple[np.ndarray, Any]:
    weight, bias = _checked("conv_transpose", x, weight, bias)
    images = channels_last(x)
    n_threads = threads.n_threads(work=x.size * (weight.size // max(x.shape[1], 1)))
    y = _core.nn_conv_backward_input(
        images, weight, size, stride, dilation, margins, groups, bias, kind, parameter, n_threads
    )
    return channels_first(y), (images, None if kind == "identity" else y, n_threads)


def _plain_conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    kind: str,
    parameter: float,
    size: Pair,
    stride: Pair,
    dilation: Pair,
    margins: Margins,
    groups: int,
) -> Tensor:
    n, channels, *given = x.data.shape
    _, outputs, *kernel = weight.data.shape
    places, pixels = kernel[0] * kernel[1], given[0] * given[1]
    top, bottom, left, right = margins
    framed = (n, groups * outputs, top + size[0] + bottom, left + size[1] + right)
    rows = apply("reshape", x, shape=(n, groups, channels // groups, pixels))
    matrices = apply("reshape", weight, shape=(groups, channels // groups, outputs * places))
    products = apply("matmul", apply("transpose", matrices, axes=(0, 2, 1)), rows)
    products = apply("reshape", products, shape=(n, groups * outputs, places, *given))
    z = None
    for place, index in enumerate(_meetings(given, kernel, stride, dilation)):  # type: ignore[arg-type]
        part = apply("getitem", products, index=(slice(None), slice(None), place))
        part = apply("put", part, index=index, shape=framed)
        z = part if z is None else z + part
    assert z is not None
    inside = (slice(None), slice(None), slice(top, top + size[0]), slice(left, left + size[1]))
    z = apply("getitem", z, index=inside)
    if bias is not None:
        z = z + apply("reshape", bias, shape=(groups * outputs, 1, 1))
    return plain_activation(z, kind, parameter)


PRIMITIVES["conv_transpose"] = _ConvTranspose(  # type: ignore[assignment]
    "conv_transpose", _conv_transpose, lambda *_: [], _plain_conv_transpose
)
