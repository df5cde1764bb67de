"""Bases of the space that the columns of a tall, thin matrix span.

A Cholesky factor of the Gram matrix gives one by two matrix products, in a fraction of the time of LAPACK's LU or QR
decomposition. The Gram matrix squares the condition number; where that is too much, there is Householder's QR.
"""

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from fastml import _core
from fastml._support import threads

LEAST_EIGENVALUE = 1e-11
"""Of a Gram matrix with ones on its diagonal: below this its Cholesky factor, off by some eps, leaves a basis that is
not near to orthonormal any more."""

ORTHONORMAL_EIGENVALUE = 0.1
"""Above this, one Cholesky factor leaves a basis that is orthonormal but for some eps."""


def near_basis(Y: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a basis that is not far from orthonormal, and how far Y itself was.

    Parameters
    ----------
    Y : ndarray of shape (n, k)
        float32 or float64.

    Returns
    -------
    basis : ndarray of shape (n, min(n, k))
        Of Y's type, C-contiguous. Where Y has no full rank, some of it is arbitrary.
    eigenvalue : float
        A lower bound, by LAPACK's estimate, for the least of Y'Y, had all columns of Y length 1: the inverse square of
        Y's condition number is not far above. 0 where it was too small to tell.
    """
    n, k = Y.shape
    found = None
    if n >= k:
        # As sums in double: of float32, too, the squares are exact.
        no_targets = np.empty((n, 0), Y.dtype)
        gram, *_ = _core.cross_products(Y, no_targets, None, False, threads.n_threads(work=n * k * k / 2))
        found = _inverse_factor(gram)
    if found is not None and not np.isfinite(found[0].astype(Y.dtype, copy=False)).all():
        found = None  # columns so short that their inverse lengths are no numbers of the type
    if found is None:
        return np.ascontiguousarray(linalg.qr(Y, mode="economic", check_finite=False)[0]), 0.0
    inverse, eigenvalue = found
    # Not by NumPy's BLAS: its threads and ours would wait for each other's next call on the same cores.
    return _core.gemm(Y, inverse.astype(Y.dtype, copy=False), n_threads=threads.n_threads(work=n * k * k)), eigenvalue


def orthonormal_basis(Y: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis.

    Parameters
    ----------
    Y : ndarray of shape (n, k)
        float32 or float64.

    Returns
    -------
    basis : ndarray of shape (n, min(n, k))
        Of Y's type, C-contiguous. Where Y has no full rank, some of it is arbitrary.
    """
    basis, eigenvalue = near_basis(Y)
    # What the first step leaves to be desired, by its rounding, is put right by a second one.
    return near_basis(basis)[0] if 0 < eigenvalue < ORTHONORMAL_EIGENVALUE else basis


def _inverse_factor(gram: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return what a matrix is multiplied by for columns that are orthonormal, and the bound for the eigenvalue."""
    norms = np.sqrt(gram.diagonal())
    if not (np.isfinite(norms).all() and norms.all()):
        return None
    gram /= norms * norms[:, np.newaxis]
    factor, failed = lapack.dpotrf(gram)
    if failed:
        return None
    norm = np.abs(gram).sum(axis=0).max()
    rcond, _ = lapack.dpocon(factor, norm)
    if not rcond * norm > LEAST_EIGENVALUE:
        return None
    inverse, _ = lapack.dtrtri(factor)
    return inverse / norms[:, np.newaxis], rcond * norm
