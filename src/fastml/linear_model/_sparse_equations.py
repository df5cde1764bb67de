"""Sparse least squares: its normal equations where they cost less than an iterative solver, and that solver."""

from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, lsqr
from sklearn.utils.parallel import Parallel, delayed

from fastml import _core
from fastml._support import threads
from fastml._support.arrays import csr_arrays
from fastml.linear_model._normal_equations import NormalEquations, cross_products
from fastml.linear_model._samples import Samples

DENSE_GROWTH = 4
SMALL = 1 << 14
"""X is made dense where one value in so many is stored, or where it has at most so many: its products then come sooner
than those of stored values alone."""

PAIR, VALUE, CUBE, SQUARE = 2.0, 5.0, 0.012, 15.0
"""What the normal equations cost: nanoseconds for a product of two stored values, for a value, and for each entry of
the Gram matrix times its size to factor it, and to handle it otherwise. (On a Zen 4, one thread.)"""

ITERATIONS, CALLS, STORED, ENTRY = 10, 50_000.0, 3.0, 6.0
"""What a solver by iterations costs: their number for well conditioned X; and nanoseconds of each for the calls, for a
stored value and for an entry of its vectors. (Likewise.)"""


def sparse_cross_products(samples: Samples, *, center: bool) -> NormalEquations:
    """Return the normal equations of CSR samples.

    Parameters
    ----------
    samples : Samples
        CSR, finite. Weights are not negative, and their sum is not 0.
    center : bool
        Whether X and Y are taken about their means.
    """
    X, Y, weights = samples.X, samples.targets, samples.weights
    count = threads.n_threads(work=_products(X) + X.nnz * (Y.shape[1] + 2))
    values, indices, offsets = csr_arrays(X)
    gram, xy, x_mean, y_mean = _core.sparse_cross_products(
        values, indices, offsets, X.shape[1], Y, weights, center, count
    )
    total = X.shape[0] if weights is None else float(weights.sum(dtype=np.float64))
    return NormalEquations(gram, xy, x_mean, y_mean, samples, total * x_mean**2)


def cheap_equations(samples: Samples, *, center: bool) -> NormalEquations | None:
    """Return the normal equations of sparse samples; None where iterations cost less.

    Parameters
    ----------
    samples : Samples
        As above, of any sparse format.
    center : bool
        Whether X and Y are taken about their means.
    """
    n, d = samples.X.shape
    n_targets = 1 if samples.y.ndim == 1 else samples.y.shape[1]
    iterations = n_targets * ITERATIONS * (CALLS + STORED * samples.X.nnz + ENTRY * (n + d))
    factoring = (CUBE * d + SQUARE) * d * d
    if factoring > iterations:
        return None
    if n * d <= max(SMALL, DENSE_GROWTH * samples.X.nnz):
        return cross_products(Samples(samples.X.toarray(), samples.y, samples.weights), center=center)
    X = samples.X.tocsr()
    if PAIR * _products(X) + VALUE * X.nnz + factoring > iterations:
        return None
    return sparse_cross_products(Samples(X, samples.y, samples.weights), center=center)


def _products(X: Any) -> float:
    """Return the number of pairs of values that lie in the same row."""
    return float(np.square(np.diff(X.indptr), dtype=np.float64).sum()) / 2


def solve_by_lsqr(
    X: Any, y: np.ndarray, x_mean: np.ndarray, root_weights: np.ndarray | None, tol: float, n_jobs: int | None
) -> np.ndarray:
    """Return the least squares solution of least norm, by LSQR, which sees X less its means.

    Parameters
    ----------
    X : sparse array of shape (n_samples, n_features)
        The samples, times the roots of their weights.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        The targets, less their means, times the same.
    x_mean : ndarray of shape (n_features,)
        What is taken from each row of X before it is weighted.
    root_weights : ndarray of shape (n_samples,) or None
        The roots of the weights.
    tol : float
        The tolerance of LSQR.
    n_jobs : int or None
        Targets to be solved for at a time.

    Returns
    -------
    coef : ndarray of shape (n_features,) or (n_targets, n_features)
        The coefficients.
    """
    transposed = X.T
    operator = LinearOperator(
        shape=X.shape,
        matvec=lambda b: X @ b - (b @ x_mean if root_weights is None else root_weights * (b @ x_mean)),
        rmatvec=lambda b: transposed @ b - x_mean * (b.sum() if root_weights is None else b @ root_weights),
    )
    if y.ndim == 1:
        return lsqr(operator, y, atol=tol, btol=tol)[0]
    if n_jobs is None:
        return np.vstack([lsqr(operator, target, atol=tol, btol=tol)[0] for target in y.T])
    solve = delayed(lsqr)
    return np.vstack(
        [found[0] for found in Parallel(n_jobs=n_jobs)(solve(operator, target, atol=tol, btol=tol) for target in y.T)]
    )
