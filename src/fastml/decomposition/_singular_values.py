"""Singular values and right singular vectors of dense matrices, by LAPACK."""

from contextlib import AbstractContextManager

import numpy as np
from scipy import linalg

from fastml._support import threads
from fastml._support.serial_blas import serial_blas

TALL = 1.5
"""Rows for each column from which a QR decomposition comes first: without the left vectors, the rest is square."""

SERIAL_WORK = 1e8
"""Multiply-adds, roughly, below which LAPACK gets one thread: some milliseconds, in many short calls of BLAS."""


def lapack_threads(n: int, d: int) -> AbstractContextManager[None]:
    """Return a context in which LAPACK decomposes an n x d matrix on one thread, where that is too small for more."""
    return serial_blas(threads.n_threads() if float(n) * d * min(n, d) < SERIAL_WORK else 1)


def center(X: np.ndarray, *, copy: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return samples less their means, and the means.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The samples. They are centred in place if they need not be copied and are writeable.
    copy : bool
        Whether to leave X alone.
    """
    mean = X.mean(axis=0, dtype=np.float64).astype(X.dtype)
    centered = np.subtract(X, mean, out=X if not copy and X.flags.writeable else None)
    # What the sum of large values lost; that the mean itself is rounded stays, as in scikit-learn.
    rest = centered.mean(axis=0, dtype=np.float64).astype(X.dtype)
    if (np.abs(rest) > np.finfo(X.dtype).eps * np.abs(mean)).any():
        centered -= rest
    return centered, mean + rest


def right_singular_vectors(centered: np.ndarray, *, left: bool) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Return the singular value decomposition of a matrix.

    Parameters
    ----------
    centered : ndarray of shape (n_samples, n_features)
        Is not changed.
    left : bool
        Whether the left vectors are wanted.

    Returns
    -------
    U : ndarray of shape (n_samples, n_values) or None
        The left vectors as columns.
    S : ndarray of shape (n_values,)
        The min(n_samples, n_features) values in descending order.
    Vt : ndarray of shape (n_values, n_features)
        The right vectors as rows.
    """
    n, d = centered.shape
    if left or n < TALL * d:
        U, S, Vt = linalg.svd(centered, full_matrices=False)
        return (U if left else None), S, Vt
    (R,) = linalg.qr(centered, mode="r", check_finite=False)
    _, S, Vt = linalg.svd(R[:d], full_matrices=False, check_finite=False)
    return None, S, Vt
