"""Coarse primitives of images: pooling and upsampling. See ``_primitives_fused`` and ``_layout``.

Means of windows and upsampling are linear, and separable in rows and columns: their plain form is a product with a
matrix on either side of an image.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastml import _core
from fastml._support import threads
from fastml.nn._layout import channels_first, channels_last
from fastml.nn._primitives import constant
from fastml.nn._primitives_fused import fuse
from fastml.nn.tensor import Tensor, apply

Pair = tuple[int, int]

# Which pixels lie in a window, along one axis: an array of windows x places, -1 where a place is outside.


def _sliding(n: int, out: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> np.ndarray:
    at = np.arange(out)[:, np.newaxis] * stride - padding + np.arange(kernel) * dilation
    return np.where((at >= 0) & (at < n), at, -1)


def _covering(n: int, out: int) -> np.ndarray:
    begin = np.arange(out) * n // out
    end = -(-np.arange(1, out + 1) * n // out)
    at = begin[:, np.newaxis] + np.arange((end - begin).max(initial=1))
    return np.where(at < end[:, np.newaxis], at, -1)


# Maxima. `noted` says whether the places of the maxima are kept, which only a backward pass needs.


def _plain_maxima(x: Tensor, down: np.ndarray, across: np.ndarray) -> Tensor:
    """Return the maxima of windows, as elements of x that an argmax of windows names."""
    n, c, h, w = x.data.shape
    rows, cols = down[:, np.newaxis, :, np.newaxis], across[np.newaxis, :, np.newaxis, :]
    outside = (rows < 0) | (cols < 0)
    windows = np.where(outside, -np.inf, x.data[:, :, rows, cols])
    pixels = np.broadcast_to(np.where(outside, -1, rows * w + cols), windows.shape)
    shape = (n * c, down.shape[0] * across.shape[0], down.shape[1] * across.shape[1])
    # Of equal values the first that is inside: a pixel of -inf is no place of the margin.
    windows, pixels = windows.reshape(shape), pixels.reshape(shape)
    best = (windows == windows.max(axis=2, keepdims=True)) | np.isnan(windows)
    place = np.argmax(best & (pixels >= 0), axis=2)[..., np.newaxis]
    chosen = np.take_along_axis(pixels, place, axis=2)[..., 0]
    values = apply("reshape", x, shape=(n * c, h * w))
    y = apply("getitem", values, index=(np.arange(n * c)[:, np.newaxis], chosen))
    if (chosen < 0).any():
        y = apply("where", constant(-np.inf, x), y, condition=chosen < 0)
    return apply("reshape", y, shape=(n, c, down.shape[0], across.shape[0]))


def _max_pool(
    x: np.ndarray, *, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, noted: bool
) -> tuple[np.ndarray, Any]:
    images = channels_last(x)
    y, places = _core.nn_max_pool(images, size, kernel, stride, padding, dilation, noted, threads.for_pass(x.size))
    return channels_first(y), places


def _max_pool_vjp(
    g: np.ndarray,
    places: Any,
    needs: Sequence[bool],
    x: np.ndarray,
    *,
    size: Pair,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    noted: bool,
) -> list:
    dx = _core.nn_max_pool_backward(
        channels_last(g), places, x.shape[2:], kernel, stride, padding, dilation, threads.for_pass(x.size)
    )
    return [channels_first(dx)]


def _plain_max_pool(
    x: Tensor, *, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, noted: bool
) -> Tensor:
    down, across = [
        _sliding(x.data.shape[2 + i], size[i], kernel[i], stride[i], padding[i], dilation[i]) for i in (0, 1)
    ]
    return _plain_maxima(x, down, across)


fuse("max_pool", _max_pool, _max_pool_vjp, _plain_max_pool, any_layout=True)


def _adaptive_max_pool(x: np.ndarray, *, size: Pair, noted: bool) -> tuple[np.ndarray, Any]:
    y, places = _core.nn_adaptive_max_pool(channels_last(x), size, noted, threads.for_pass(x.size))
    return channels_first(y), places


def _adaptive_max_pool_vjp(
    g: np.ndarray, places: Any, needs: Sequence[bool], x: np.ndarray, *, size: Pair, noted: bool
) -> list:
    dx = _core.nn_adaptive_max_pool_backward(channels_last(g), places, x.shape[2:], threads.for_pass(x.size))
    return [channels_first(dx)]


def _plain_adaptive_max_pool(x: Tensor, *, size: Pair, noted: bool) -> Tensor:
    return _plain_maxima(x, *[_covering(x.data.shape[2 + i], size[i]) for i in (0, 1)])


fuse("adaptive_max_pool", _adaptive_max_pool, _adaptive_max_pool_vjp, _plain_adaptive_max_pool, any_layout=True)


# Means, and images of another size. A matrix has a row for each pixel of the result.


def _between(x: Tensor, down: np.ndarray, across: np.ndarray) -> Tensor:
    """Return ``down @ x @ across.T``."""
    return apply("matmul", apply("matmul", constant(down, x), x), constant(across.T, x))


def _memberships(places: np.ndarray, n: int) -> np.ndarray:
    """Return how often each pixel is in each window."""
    return (places[..., np.newaxis] == np.arange(n)).sum(axis=1).astype(np.float64)


def _avg_pool(
    x: np.ndarray, *, size: Pair, kernel: Pair, stride: Pair, padding: Pair, count_margin: bool, divisor: int
) -> tuple[np.ndarray, Any]:
    images = channels_last(x)
    y = _core.nn_avg_pool(images, size, kernel, stride, padding, count_margin, divisor, threads.for_pass(x.size))
    return channels_first(y), None


def _avg_pool_vjp(
    g: np.ndarray,
    saved: None,
    needs: Sequence[bool],
    x: np.ndarray,
    *,
    size: Pair,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    count_margin: bool,
    divisor: int,
) -> list:
    dx = _core.nn_avg_pool_backward(
        channels_last(g), x.shape[2:], kernel, stride, padding, count_margin, divisor, threads.for_pass(x.size)
    )
    return [channels_first(dx)]


def _plain_avg_pool(
    x: Tensor, *, size: Pair, kernel: Pair, stride: Pair, padding: Pair, count_margin: bool, divisor: int
) -> Tensor:
    matrices = []
    for n, out, k, s, p in zip(x.data.shape[2:], size, kernel, stride, padding):
        sums = _memberships(_sliding(n, out, k, s, p), n)
        begin = np.arange(out) * s - p
        count = np.minimum(begin + k, n + p) - begin if count_margin else sums.sum(axis=1)
        matrices.append(sums if divisor else sums / count[:, np.newaxis])
    y = _between(x, *matrices)
    return y / divisor if divisor else y


fuse("avg_pool", _avg_pool, _avg_pool_vjp, _plain_avg_pool, any_layout=True)


def _adaptive_avg_pool(x: np.ndarray, *, size: Pair) -> tuple[np.ndarray, Any]:
    return channels_first(_core.nn_adaptive_avg_pool(channels_last(x), size, threads.for_pass(x.size))), None


def _adaptive_avg_pool_vjp(g: np.ndarray, saved: None, needs: Sequence[bool], x: np.ndarray, *, size: Pair) -> list:
    dx = _core.nn_adaptive_avg_pool_backward(channels_last(g), x.shape[2:], threads.for_pass(x.size))
    return [channels_first(dx)]


def _plain_adaptive_avg_pool(x: Tensor, *, size: Pair) -> Tensor:
    sums = [_memberships(_covering(n, out), n) for n, out in zip(x.data.shape[2:], size)]
    return _between(x, *[m / m.sum(axis=1, keepdims=True) for m in sums])


fuse("adaptive_avg_pool", _adaptive_avg_pool, _adaptive_avg_pool_vjp, _plain_adaptive_avg_pool, any_layout=True)


# `factors` are those that the size was made from, which positions are computed with; 0 stands for none.


def _upsample(
    x: np.ndarray, *, size: Pair, linear: bool, align_corners: bool, factors: tuple[float, float]
) -> tuple[np.ndarray, Any]:
    n_threads = threads.for_pass(x.shape[0] * x.shape[1] * size[0] * size[1])
    return channels_first(_core.nn_upsample(channels_last(x), size, linear, align_corners, factors, n_threads)), None


def _upsample_vjp(
    g: np.ndarray,
    saved: None,
    needs: Sequence[bool],
    x: np.ndarray,
    *,
    size: Pair,
    linear: bool,
    align_corners: bool,
    factors: tuple[float, float],
) -> list:
    dy, n_threads = channels_last(g), threads.for_pass(g.size)
    return [channels_first(_core.nn_upsample_backward(dy, x.shape[2:], linear, align_corners, factors, n_threads))]


def _plain_upsample(
    x: Tensor, *, size: Pair, linear: bool, align_corners: bool, factors: tuple[float, float]
) -> Tensor:
    matrices = []
    for n, out, factor in zip(x.data.shape[2:], size, factors):
        dtype = x.data.dtype if linear else np.dtype(np.float32)
        at = np.arange(out, dtype=dtype)
        scale = dtype.type(1 / factor) if factor else dtype.type(n) / dtype.type(out)
        if not linear:
            at = np.minimum(np.floor(at * scale), n - 1)
        elif align_corners:
            at = at * dtype.type((n - 1) / max(out - 1, 1))
        else:
            at = np.clip(scale * (at + dtype.type(0.5)) - dtype.type(0.5), 0, n - 1)
        # A tent of width 1 around each pixel of the image.
        matrices.append(np.maximum(0, 1 - np.abs(at[:, np.newaxis] - np.arange(n))))
    return _between(x, *matrices)


fuse("upsample", _upsample, _upsample_vjp, _plain_upsample, any_layout=True)
