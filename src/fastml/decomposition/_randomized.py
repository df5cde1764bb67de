"""The randomized singular value decomposition, on scikit-learn's draws.

It can be read beside ``_randomized_svd`` and ``_randomized_range_finder`` of scikit-learn's ``utils/extmath.py``. The
answer depends on the spaces that the iterates span, not on their bases: where scikit-learn takes the factor L of an LU
decomposition or the Q of a QR decomposition, a Cholesky factor of the Gram matrix gives a basis of the same space by
two matrix products. Where the Gram matrix, which squares the condition number, would not do, there is Householder's QR.
The last decomposition is that of a small square matrix: what is left of the wide one in a basis of its rows.
"""

from typing import Any

import numpy as np
from scipy import linalg
from sklearn.utils import check_random_state

from fastml import _core
from fastml._support import threads
from fastml.decomposition._products import products_of

LEAST_EIGENVALUE = 1e-11
"""Of a Gram matrix with ones on its diagonal: below this its Cholesky factor, off by some eps, leaves a basis that is
not near to orthonormal any more."""


def randomized_svd(
    X: Any,
    n_components: int,
    *,
    mean: np.ndarray | None = None,
    n_oversamples: int = 10,
    n_iter: int | str = "auto",
    power_iteration_normalizer: str = "auto",
    random_state: Any = None,
    left: bool = True,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Compute a truncated randomized singular value decomposition of X, or of X less the means of its columns.

    Parameters
    ----------
    X : ndarray or sparse array of shape (n_samples, n_features)
        float32 or float64, finite; CSR or CSC if sparse.
    n_components : int
        Number of singular values and vectors to return.
    mean : ndarray of shape (n_features,), optional
        What to subtract from every row. Sparse X is not made dense for it; of dense X there will be a copy.
    n_oversamples : int, default=10
        Number of further random vectors.
    n_iter : int or "auto", default="auto"
        Number of power iterations; "auto" for 7 where few components are asked for, else 4.
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}, default="auto"
        "none" for iterates as they come, and so does "auto" for 2 iterations at most. All others have one meaning here:
        bases of the same spaces.
    random_state : int, RandomState instance or None
        Where the random vectors are drawn from.
    left : bool, default=True
        False where the left singular vectors are not needed.

    Returns
    -------
    U : ndarray of shape (n_samples, n_components) or None
        Left singular vectors, their signs as they come.
    S : ndarray of shape (n_components,)
        Singular values, descending.
    Vt : ndarray of shape (n_components, n_features)
        Right singular vectors in rows, of an array in Fortran's order.
    """
    random_state = check_random_state(random_state)
    n_samples, n_features = X.shape
    if n_iter == "auto":
        n_iter = 7 if n_components < 0.1 * min(X.shape) else 4
    matrix = products_of(X, mean)
    forward, backward = matrix.times, matrix.transposed_times
    is_wide = n_samples < n_features
    if is_wide:
        forward, backward = backward, forward
    drawn = random_state.normal(size=(min(X.shape), n_components + n_oversamples)).astype(X.dtype, copy=False)
    normalize = power_iteration_normalizer != "none" and not (power_iteration_normalizer == "auto" and n_iter <= 2)

    basis = drawn
    for _ in range(n_iter):
        basis = backward(_some_basis(forward(basis)) if normalize else forward(basis))
        if normalize:
            basis = _some_basis(basis)
    basis = orthonormal_basis(forward(basis))
    projected = backward(basis)  # the transpose of scikit-learn's B
    other = orthonormal_basis(projected)
    left_of_core, S, right_of_core = linalg.svd(projected.T @ other, full_matrices=False)
    S = S[:n_components]
    if is_wide:
        U = other @ right_of_core[:n_components].T if left else None
        V = basis @ left_of_core[:, :n_components]
    else:
        U = basis @ left_of_core[:, :n_components] if left else None
        V = other @ right_of_core[:n_components].T
    return U, S, V.T


def orthonormal_basis(Y: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the space of Y's columns.

    Parameters
    ----------
    Y : ndarray of shape (n, k)
        float32 or float64.

    Returns
    -------
    basis : ndarray of shape (n, min(n, k))
        Of Y's type. Where Y has no full rank, some of it is arbitrary.
    """
    # What the first step leaves to be desired, by its rounding, is put right by the second.
    basis = _by_cholesky(Y)
    basis = None if basis is None else _by_cholesky(basis)
    return _by_householder(Y) if basis is None else basis


def _some_basis(Y: np.ndarray) -> np.ndarray:
    """Return a basis of the same space that is not far from orthonormal."""
    basis = _by_cholesky(Y)
    return _by_householder(Y) if basis is None else basis


def _by_cholesky(Y: np.ndarray) -> np.ndarray | None:
    """Return Y times the inverse of the Cholesky factor of Y'Y, if that can be told to be near to orthonormal."""
    n, k = Y.shape
    if n < k:
        return None
    none = np.empty((n, 0), Y.dtype)
    gram, *_ = _core.cross_products(Y, none, None, False, threads.n_threads(work=n * k * k / 2))
    norms = np.sqrt(gram.diagonal())
    if not (np.isfinite(norms).all() and norms.all()):
        return None
    gram /= norms * norms[:, np.newaxis]
    try:
        if not linalg.eigvalsh(gram, subset_by_index=[0, 0], check_finite=False)[0] > LEAST_EIGENVALUE:
            return None
        factor = linalg.cholesky(gram, check_finite=False)
    except linalg.LinAlgError:
        return None
    inverse = linalg.solve_triangular(factor, np.eye(k), check_finite=False) / norms[:, np.newaxis]
    return Y @ np.ascontiguousarray(inverse, dtype=Y.dtype)


def _by_householder(Y: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(linalg.qr(Y, mode="economic", check_finite=False)[0])
