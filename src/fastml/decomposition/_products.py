"""A matrix as what the randomized solver asks of it: its products, and those of its transpose, with thin matrices."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from fastml import _core
from fastml._support import threads


class Dense:
    """Products of an array, by NumPy's BLAS.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        float32 or float64.
    mean : ndarray of shape (n_features,) or None
        What is subtracted from every row: beforehand, as products about zero would lose what large means have in common.
    """

    def __init__(self, X: np.ndarray, mean: np.ndarray | None = None):
        self._X = X if mean is None else X - mean.astype(X.dtype, copy=False)

    def times(self, Q: np.ndarray) -> np.ndarray:
        """Return X @ Q."""
        return self._X @ Q

    def transposed_times(self, Y: np.ndarray) -> np.ndarray:
        """Return X.T @ Y."""
        return self._X.T @ Y


class Sparse:
    """Products of CSR or CSC samples, each by rows: the transpose is made when first needed, and kept.

    Parameters
    ----------
    X : sparse array of shape (n_samples, n_features)
        float32 or float64, CSR or CSC, of any type of indices; they need not be sorted, and may repeat.
    mean : ndarray of shape (n_features,) or None
        What is subtracted from every row, without making X dense.
    """

    def __init__(self, X: Any, mean: np.ndarray | None = None):
        self._mean = None if mean is None else mean.astype(X.dtype, copy=False)
        self._shape = X.shape
        arrays = compressed_arrays(X)
        self._rows, self._columns = (arrays, None) if X.format == "csr" else (None, arrays)

    def times(self, Q: np.ndarray) -> np.ndarray:
        """Return (X - mean) @ Q."""
        if self._rows is None:
            self._rows = _transposed(self._columns, self._shape[0])
        result = _product(self._rows, Q)
        if self._mean is not None:
            result -= self._mean @ Q
        return result

    def transposed_times(self, Y: np.ndarray) -> np.ndarray:
        """Return (X - mean).T @ Y."""
        if self._columns is None:
            self._columns = _transposed(self._rows, self._shape[1])
        result = _product(self._columns, Y)
        if self._mean is not None:
            result -= self._mean[:, np.newaxis] * Y.sum(axis=0)
        return result


def products_of(X: Any, mean: np.ndarray | None = None) -> Dense | Sparse:
    """Return the products of an array, or of CSR or CSC samples."""
    return Sparse(X, mean) if sp.issparse(X) else Dense(X, mean)


def sparse_product(X: Any, b: np.ndarray) -> np.ndarray:
    """Return X @ b.

    Parameters
    ----------
    X : sparse array of shape (n_samples, n_features)
        CSR, float32 or float64.
    b : ndarray of shape (n_features, n_columns)
        Of X's type.

    Returns
    -------
    product : ndarray of shape (n_samples, n_columns)
        C-contiguous.
    """
    return _product(compressed_arrays(X), b)


def compressed_arrays(X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, indices and offsets of CSR or CSC samples, as kernels take them."""
    kind = np.int32 if X.indices.dtype == X.indptr.dtype == np.int32 else np.int64
    indices, offsets = X.indices.astype(kind, copy=False), X.indptr.astype(kind, copy=False)
    return np.ascontiguousarray(X.data), np.ascontiguousarray(indices), np.ascontiguousarray(offsets)


def _product(rows: tuple[np.ndarray, np.ndarray, np.ndarray], b: np.ndarray) -> np.ndarray:
    values, indices, offsets = rows
    count = threads.n_threads(work=values.size * b.shape[1])
    return _core.sparse_product(values, indices, offsets, np.ascontiguousarray(b), count)


def _transposed(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray], n_columns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values, indices, offsets = rows
    return _core.sparse_transpose(values, indices, offsets, n_columns, threads.for_pass(values.size))
