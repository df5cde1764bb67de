"""Batches of samples, drawn in a seeded order and gathered in native code."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse import issparse

from fastml import _core
from fastml._support import threads
from fastml.nn._flat import FLOATS
from fastml.nn._seeding import as_generator

__all__ = ["Batches", "as_samples", "gather"]

_GATHERED = (*FLOATS, np.dtype(np.uint8))


class Batches:
    """Batches of rows of X, and of y. Each iteration is an epoch, in an order of its own where they are shuffled.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...), or sparse array
        Rows of float32, float64 or uint8 (images) are gathered in native code, from memory of any row stride; within a
        row the order of memory is kept, so that images stay channels last. Those of sparse arrays become dense batch by
        batch.
    y : array-like of shape (n_samples, ...), optional
        Targets.
    batch_size : int, default=32
    shuffle : bool, default=True
        Whether every epoch visits the samples in a new order. Batches in order are views where nothing is converted.
    rng : int, Generator or RandomState, optional
        Where the orders come from; by default the generator that ``nn.manual_seed`` sets.
    drop_last : bool, default=False
        Whether a last batch that is not full is left out.
    dtype : dtype, optional
        float32 or float64, for X that is to be converted.
    shift, factor : array-like of the shape of a sample or broadcast to it, or float, optional
        Batches are ``(X - shift) * factor``, in the batches' type: 1 / 255 makes numbers up to 1 of images of uint8.
    sample_weight : array-like of shape (n_samples,), optional
        A number for each sample, that goes along.

    Yields
    ------
    X_batch, y_batch : ndarray
        ``y_batch`` is None without y.
    weight_batch : ndarray
        Only where there are weights.
    """

    def __init__(
        self,
        X: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        rng: Any = None,
        drop_last: bool = False,
        *,
        dtype: Any = None,
        shift: Any = None,
        factor: Any = None,
        sample_weight: Any = None,
    ) -> None:
        self.X: Any = as_samples(X)
        self.y = None if y is None else np.asarray(y)
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        if self.X.ndim == 0:
            raise ValueError("X: expected an array of samples, got a single number.")
        if self.y is not None and self.y.shape[:1] != self.X.shape[:1]:
            raise ValueError(f"X has {self.X.shape[0]} samples, y has shape {self.y.shape}: expected as many.")
        if self.sample_weight is not None and self.sample_weight.shape != self.X.shape[:1]:
            raise ValueError(
                f"X has {self.X.shape[0]} samples, sample_weight has shape {self.sample_weight.shape}: expected a "
                "number for each."
            )
        if batch_size < 1:
            raise ValueError(f"batch_size: expected at least 1, got {batch_size}.")
        self.batch_size, self.shuffle, self.drop_last = int(batch_size), shuffle, drop_last
        self.rng = as_generator(rng)
        self.dtype = self.X.dtype if dtype is None else np.dtype(dtype)
        self.shift, self.factor = self._scaling(shift, factor)
        if (dtype is not None or self.factor is not None) and self.dtype not in FLOATS:
            raise ValueError(f"dtype: batches are converted to float32 or float64, not to {self.dtype}.")

    def _scaling(self, shift: Any, factor: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
        if shift is None and factor is None:
            return None, None
        if self.X.ndim < 2:
            raise ValueError(f"shift, factor: expected X of two dimensions or more, got {self.X.ndim} dimension(s).")

        def of_sample(values: Any) -> np.ndarray:
            return np.array(np.broadcast_to(np.asarray(values, dtype=self.dtype), self.X.shape[1:]), order="C")

        return of_sample(0 if shift is None else shift), of_sample(1 if factor is None else factor)

    @property
    def n_samples(self) -> int:
        """Samples of an epoch, those of a batch that is dropped not included."""
        n_samples = self.X.shape[0]
        return n_samples // self.batch_size * self.batch_size if self.drop_last else n_samples

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return -(-self.n_samples // self.batch_size)

    def sizes(self) -> list[int]:
        """Return the number of samples of each batch."""
        return [min(self.batch_size, self.n_samples - i) for i in range(0, self.n_samples, self.batch_size)]

    def order(self) -> np.ndarray | None:
        """Draw the order of an epoch's samples; None for that in which they lie."""
        return self.rng.permutation(self.X.shape[0]).astype(np.int64, copy=False) if self.shuffle else None

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        order = self.order()
        for start in range(0, self.n_samples, self.batch_size):
            part = slice(start, min(start + self.batch_size, self.n_samples))
            if order is None:
                batch = self._in_order(part), None if self.y is None else self.y[part]
                yield batch if self.sample_weight is None else (*batch, self.sample_weight[part])
            else:
                rows = order[part]
                X = gather(self.X, rows, self.dtype, self.shift, self.factor)
                batch = X, None if self.y is None else gather(self.y, rows)
                yield batch if self.sample_weight is None else (*batch, gather(self.sample_weight, rows))

    def _in_order(self, part: slice) -> np.ndarray:
        if self.factor is None and self.X.dtype == self.dtype and not issparse(self.X):
            return self.X[part]
        rows = np.arange(part.start, part.stop, dtype=np.int64)
        return gather(self.X, rows, self.dtype, self.shift, self.factor)


def as_samples(X: Any) -> Any:
    """Return samples as an array whose rows can be taken: dense, or in the CSR format."""
    return X.tocsr() if issparse(X) else np.asarray(X)


def gather(
    X: Any,
    rows: np.ndarray,
    dtype: Any = None,
    shift: np.ndarray | None = None,
    factor: np.ndarray | None = None,
) -> np.ndarray:
    """Return rows of an array, as ``X[rows]`` does, converted and scaled on the way.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...), or CSR array
    rows : ndarray of int64
        Indices of rows, none of them negative.
    dtype : dtype, optional
        The type of the result, X's by default.
    shift, factor : ndarray of shape X.shape[1:], optional
        Both or neither, of the type of the result, which is then ``(X[rows] - shift) * factor``.

    Returns
    -------
    batch : ndarray
        Its samples lie in memory as those of X do, where these are contiguous in some order of their axes.
    """
    dtype = X.dtype if dtype is None else np.dtype(dtype)
    if issparse(X):
        batch = X[rows].toarray().astype(dtype, copy=False)
        return batch if factor is None else (batch - shift) * factor
    axes = _order_of_axes(X)
    if axes is not None:
        samples = X.transpose(axes)
        batch = np.empty((len(rows), *samples.shape[1:]), dtype=dtype)
        if X.ndim > 1 and X.dtype in _GATHERED and dtype in FLOATS:
            size = math.prod(samples.shape[1:])
            minus, times = _in_memory_order(shift, axes), _in_memory_order(factor, axes)
            n_threads = threads.n_threads(work=batch.size)
            flat = batch.reshape(len(rows), size)
            _core.nn_gather_rows(samples.reshape(len(X), size), rows, minus, times, flat, n_threads)
            return batch.transpose(np.argsort(axes))
        if X.dtype == dtype and factor is None and not dtype.hasobject and (X.ndim == 1 or samples.flags.c_contiguous):
            _core.nn_gather_items(samples, rows, batch)
            return batch.transpose(np.argsort(axes))
    batch = X[rows].astype(dtype, copy=False)
    return batch if factor is None else (batch - shift) * factor


def _order_of_axes(X: np.ndarray) -> tuple[int, ...] | None:
    """Return an order of the axes in which each sample is contiguous, the first one staying, or None."""
    rest = sorted(range(1, X.ndim), key=lambda axis: (-abs(X.strides[axis]), X.shape[axis] == 1))
    stride = X.itemsize
    for axis in reversed(rest):
        if X.shape[axis] != 1 and X.strides[axis] != stride:
            return None
        stride *= X.shape[axis]
    return (0, *rest) if X.ndim == 1 or X.strides[0] % X.itemsize == 0 else None


def _in_memory_order(of_sample: Any, axes: tuple[int, ...]) -> Any:
    return None if of_sample is None else of_sample.transpose([axis - 1 for axis in axes[1:]]).ravel()
