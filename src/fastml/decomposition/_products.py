"""A matrix as what the randomized solver asks of it: its products, and those of its transpose, with thin matrices."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from fastml import _core
from fastml._support import threads
from fastml._support.arrays import csr_arrays

Compressed = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Values, indices and offsets of compressed rows, or columns."""


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a @ b, by our own kernel.

    NumPy's BLAS is as quick, but its threads and those of other kernels would wait for each other's next call on the
    same CPUs.
    """
    return _core.gemm(a, b, n_threads=threads.n_threads(work=a.size * b.shape[1]))


class Dense:
    """Products of an array.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        float32 or float64.
    """

    def __init__(self, X: np.ndarray):
        self.shape: tuple[int, int] = X.shape
        self.dtype = X.dtype
        self._X = X

    def times(self, Q: np.ndarray) -> np.ndarray:
        """Return X @ Q."""
        return multiply(self._X, Q)

    def transposed_times(self, Y: np.ndarray) -> np.ndarray:
        """Return X.T @ Y."""
        return multiply(self._X.T, Y)


class Sparse:
    """Products of CSR or CSC samples, each by rows: the transpose is made when first needed, and kept.

    Parameters
    ----------
    X : sparse array of shape (n_samples, n_features)
        float32 or float64, CSR or CSC, of any type of indices; they need not be sorted, and may repeat.
    """

    def __init__(self, X: Any):
        self.shape: tuple[int, int] = X.shape
        self.dtype = X.dtype
        arrays = csr_arrays(X)
        self._rows: Compressed | None = arrays if X.format == "csr" else None
        self._columns: Compressed | None = None if X.format == "csr" else arrays

    def times(self, Q: np.ndarray) -> np.ndarray:
        """Return X @ Q."""
        if self._rows is None:
            assert self._columns is not None
            self._rows = _transposed(self._columns, self.shape[0])
        return _product(self._rows, Q)

    def transposed_times(self, Y: np.ndarray) -> np.ndarray:
        """Return X.T @ Y."""
        if self._columns is None:
            assert self._rows is not None
            self._columns = _transposed(self._rows, self.shape[1])
        return _product(self._columns, Y)


def products_of(X: Any) -> Dense | Sparse:
    """Return the products of an array, or of CSR or CSC samples."""
    return Sparse(X) if sp.issparse(X) else Dense(X)


def _product(rows: Compressed, b: np.ndarray) -> np.ndarray:
    values, indices, offsets = rows
    count = threads.n_threads(work=values.size * b.shape[1])
    return _core.sparse_product(values, indices, offsets, np.ascontiguousarray(b), count)


def _transposed(rows: Compressed, n_columns: int) -> Compressed:
    values, indices, offsets = rows
    return _core.sparse_transpose(values, indices, offsets, n_columns, threads.for_pass(values.size))
