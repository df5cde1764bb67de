"""Eigenvalues and leading eigenvectors of a covariance matrix, no more of them than are asked for.

LAPACK's reduction to a tridiagonal matrix is what takes the time. All eigenvalues of that matrix, or some of its
eigenvectors, then cost little, while all eigenvectors cost more than the reduction.
"""

from functools import cached_property

import numpy as np
from scipy.linalg import get_lapack_funcs, lapack

FEW = 1 / 3
"""The part of the eigenvectors up to which they are taken one by one. With more, divide and conquer finds all of them
sooner. (On a Zen 4, for 100 to 800 features.)"""

LEAST_REST = 1e-6
"""The part of the trace below which the rest of it, less the leading eigenvalues, has lost too many digits."""

MOST_OVERLAP = 10
"""The deviation from orthogonality, in units of rounding for each element of a vector, from which eigenvectors are not
taken. Those of clusters of eigenvalues are orthogonal to one such unit at most, unless the method failed."""


class Spectrum:
    """Eigenvalues of a symmetric matrix that is positive semi-definite, but for rounding, in descending order.

    Parameters
    ----------
    matrix : ndarray of shape (n_features, n_features)
        Is not changed. If it is not finite, there is LAPACK's error.
    dtype : type, default=np.float64
        The type to decompose it in.
    """

    def __init__(self, matrix: np.ndarray, dtype: type = np.float64) -> None:
        self._size = len(matrix)
        self.trace = max(float(matrix.trace(dtype=np.float64)), 0.0)
        # Constant features add nothing but eigenvalues of 0, and a unit vector each.
        self._varying = np.flatnonzero(matrix.diagonal())
        if len(self._varying) < self._size:
            matrix = matrix.take(self._varying, axis=0).take(self._varying, axis=1)
        self._matrix: np.ndarray = matrix.astype(dtype, copy=False)

    @cached_property
    def _all(self) -> tuple[np.ndarray, np.ndarray]:
        """All eigenvalues, and their vectors as rows."""
        values, vectors = np.linalg.eigh(self._matrix)
        return values[::-1], vectors.T[::-1]

    @cached_property
    def _tridiagonal(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The tridiagonal matrix by its two diagonals, and the reflections that lead to it.

        The diagonals are in float64: the method for some of the eigenvectors loses digits, of which float32 has none to
        lose, and takes little time.
        """
        sytrd, sytrd_lwork = get_lapack_funcs(("sytrd", "sytrd_lwork"), (self._matrix,))
        work, _ = sytrd_lwork(len(self._matrix), lower=1)
        reflectors, diagonal, off_diagonal, scales, _ = sytrd(self._matrix.T, lower=1, lwork=int(work))
        return diagonal.astype(np.float64), off_diagonal.astype(np.float64), reflectors, scales

    def _pad(self, values: np.ndarray) -> np.ndarray:
        return np.concatenate([np.maximum(values, 0), np.zeros(self._size - len(values), values.dtype)])

    @cached_property
    def values(self) -> np.ndarray:
        """All eigenvalues; those below 0 by rounding are 0."""
        if "_all" not in self.__dict__ and len(self._matrix) > 1 and np.isfinite(self.trace):
            diagonal, off_diagonal, _, _ = self._tridiagonal
            values, failed = lapack.dsterf(diagonal, off_diagonal)
            if not failed:
                return self._pad(values[::-1])
        return self._pad(self._all[0])

    def leading(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the largest eigenvalues and their vectors, which are the rows of a matrix.

        Parameters
        ----------
        count : int
            How many, of n_features at most.

        Raises
        ------
        LinAlgError
            When LAPACK finds no eigenvalues.
        """
        n = len(self._matrix)
        few = 0 < count <= FEW * n and "_all" not in self.__dict__ and np.isfinite(self.trace)
        count = min(count, self._size)
        found = self._some(count) if few else None
        if found is None:
            values, vectors = self._all
            found = values[:count], vectors[:count]
        values, vectors = found
        values = np.maximum(values, 0)
        if n == self._size:
            return values, np.ascontiguousarray(vectors)
        padded = np.zeros((count, self._size), vectors.dtype)
        padded[: len(values), self._varying] = vectors
        constant = np.setdiff1d(np.arange(self._size), self._varying, assume_unique=True)
        more = np.arange(len(values), count)
        padded[more, constant[: len(more)]] = 1
        return np.concatenate([values, np.zeros(len(more), values.dtype)]), padded

    def _some(self, count: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the same of the tridiagonal matrix, its vectors taken back; None where the method fails."""
        diagonal, off_diagonal, reflectors, scales = self._tridiagonal
        n = len(diagonal)
        # Both diagonals are overwritten, and there must be room for one more element of the second.
        found, values, vectors, failed = lapack.dstemr(
            diagonal.copy(), np.append(off_diagonal, 0.0), 2, 0.0, 0.0, n - count + 1, n
        )
        if failed or found < count:
            return None
        vectors = vectors[:, :count][:, ::-1]
        if not np.abs(vectors.T @ vectors - np.eye(count)).max() < MOST_OVERLAP * n * np.finfo(np.float64).eps:
            return None
        vectors = vectors.astype(self._matrix.dtype, copy=False)
        (ormqr,) = get_lapack_funcs(("ormqr",), (self._matrix,))
        # The reflections leave the first coordinate alone.
        rest, _, failed = ormqr("L", "N", reflectors[1:, :-1], scales, vectors[1:], 64 * n)
        if failed:
            return None
        return values[:count][::-1], np.vstack([vectors[:1], rest]).T

    def rest(self, leading: np.ndarray) -> float:
        """Return the sum of all eigenvalues but the largest, which are given."""
        if "_all" not in self.__dict__ and "values" not in self.__dict__:
            rest = self.trace - leading.sum(dtype=np.float64)
            if rest > LEAST_REST * self.trace:
                return float(rest)
        return float(self.values[len(leading) :].sum(dtype=np.float64))
