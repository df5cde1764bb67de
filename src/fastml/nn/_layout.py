"""How arrays of images lie in memory.

A tensor of images has PyTorch's shape (N, C, H, W), that of sequences (N, C, L). The channels of a pixel lie side by
side in memory all the same (NHWC), since kernels read them so: ``tensor.data`` is a view with its axes in another
order. What operations on elements make has the layout of what they were given, and images are rearranged only where
they come in, and where :func:`fastml.nn.functional.flatten` makes rows of them.
"""

import numpy as np

from fastml import _core
from fastml._support import threads

_NATIVE = (np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.uint8))

Axes = tuple[int, ...]

_LAST: dict[int, Axes] = {n: (0, *range(2, n), 1) for n in range(2, 9)}
_FIRST: dict[int, Axes] = {n: (0, n - 1, *range(1, n - 1)) for n in range(2, 9)}


def _swapped(x: np.ndarray) -> np.ndarray:
    """Return stacked matrices, each transposed, in memory of their own."""
    if x.dtype in _NATIVE:
        return _core.nn_swap_axes(x, threads.for_pass(x.size))
    return np.ascontiguousarray(x.transpose(0, 2, 1))


def channels_last(x: np.ndarray) -> np.ndarray:
    """Return images of shape (N, C, ...) as a contiguous array of shape (N, ..., C): a view where memory is so."""
    view = x.transpose(_LAST[x.ndim])
    if view.flags.c_contiguous:
        return view
    if x.flags.c_contiguous:
        return _swapped(x.reshape(*x.shape[:2], -1)).reshape(view.shape)
    return np.ascontiguousarray(view)


def channels_first(x: np.ndarray) -> np.ndarray:
    """Return images of shape (N, ..., C) as a view of shape (N, C, ...)."""
    return x.transpose(_FIRST[x.ndim])


def in_rows(x: np.ndarray) -> np.ndarray:
    """Return an array as a contiguous one of its shape."""
    if x.flags.c_contiguous or not 3 <= x.ndim < len(_LAST):
        return np.asarray(x, order="C")
    view = x.transpose(_LAST[x.ndim])
    if not view.flags.c_contiguous:
        return np.ascontiguousarray(x)
    return _swapped(view.reshape(view.shape[0], -1, view.shape[-1])).reshape(x.shape)


def in_memory_order(x: np.ndarray) -> tuple[np.ndarray, Axes | None]:
    """Return a contiguous array with the elements of x, for what is done to each of them.

    Returns
    -------
    array : ndarray
        x, a view with the channels last, or a copy where neither is contiguous.
    axes : tuple of int or None
        What ``array.transpose(axes)`` needs to be x again; None where it is.
    """
    if not x.flags.c_contiguous and 3 <= x.ndim < len(_LAST):
        view = x.transpose(_LAST[x.ndim])
        if view.flags.c_contiguous:
            return view, _FIRST[x.ndim]
    return np.asarray(x, order="C"), None  # np.ascontiguousarray would give a scalar an axis


def laid_like(g: np.ndarray, axes: Axes | None) -> np.ndarray:
    """Return a gradient in the order in which :func:`in_memory_order` gave the elements."""
    return in_rows(g) if axes is None else channels_last(g)
