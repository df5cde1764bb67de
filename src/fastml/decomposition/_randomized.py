"""The randomized singular value decomposition, on scikit-learn's draws.

It can be read beside ``_randomized_svd`` and ``_randomized_range_finder`` of scikit-learn's ``utils/extmath.py``. The
answer depends on the spaces that the iterates span, not on their bases: where scikit-learn takes the factor L of an LU
decomposition or the Q of a QR decomposition, any basis of the same space will do, and none where the columns are far
from depending on each other anyway. The last decomposition is that of a small square matrix: what is left of the wide
one in a basis of its rows.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg
from sklearn.utils import check_random_state

from fastml._support import threads
from fastml._support.serial_blas import serial_blas
from fastml.decomposition._bases import near_basis, orthonormal_basis
from fastml.decomposition._products import Dense, Sparse, multiply, products_of

Product = Callable[[np.ndarray], np.ndarray]

ROUNDING_TO_SPARE = {"d": 1e-8, "f": 1e-2}
"""Least eigenvalues, as of :func:`near_basis`, above which products may be multiplied on without a new basis: of the
digits of the space, rounding then takes four (of float64) or one (of float32)."""


def randomized_svd(
    X: Any,
    n_components: int,
    *,
    n_oversamples: int = 10,
    n_iter: int | str = "auto",
    power_iteration_normalizer: str = "auto",
    random_state: Any = None,
    left: bool = True,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Compute a truncated randomized singular value decomposition.

    Parameters
    ----------
    X : ndarray or sparse array of shape (n_samples, n_features), or their products
        float32 or float64, finite; CSR or CSC if sparse.
    n_components : int
        Number of singular values and vectors to return.
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
    matrix = X if isinstance(X, Dense | Sparse) else products_of(X)
    n_samples, n_features = matrix.shape
    few = n_components < 0.1 * min(matrix.shape)
    iterations = (7 if few else 4) if isinstance(n_iter, str) else n_iter
    normalize = power_iteration_normalizer in ("LU", "QR") or (power_iteration_normalizer == "auto" and iterations > 2)
    is_wide = n_samples < n_features
    forward, backward = _directions(matrix, transposed=is_wide)

    drawn = random_state.normal(size=(min(matrix.shape), n_components + n_oversamples))
    # Small decompositions come between our kernels, which are all that use threads.
    with serial_blas(threads.n_threads(work=sum(matrix.shape) * drawn.shape[1])):
        basis = _iterate(forward, backward, drawn.astype(matrix.dtype, copy=False), iterations, normalize=normalize)
        basis = orthonormal_basis(forward(basis))
        projected = backward(basis)  # the transpose of scikit-learn's B
        other = orthonormal_basis(projected)
        left_of_core, S, right_of_core = linalg.svd(multiply(projected.T, other), full_matrices=False)
    factors = [(basis, left_of_core[:, :n_components]), (other, right_of_core[:n_components].T)]
    if is_wide:
        factors.reverse()
    U = multiply(*factors[0]) if left else None
    return U, S[:n_components], multiply(*factors[1]).T


def _directions(matrix: Dense | Sparse, *, transposed: bool) -> tuple[Product, Product]:
    """Return the products of a matrix and of its transpose, or of its transpose and itself."""
    return (matrix.transposed_times, matrix.times) if transposed else (matrix.times, matrix.transposed_times)


def _iterate(forward: Product, backward: Product, basis: np.ndarray, n_iter: int, *, normalize: bool) -> np.ndarray:
    """Return a basis of the space that n_iter products back and forth lead to."""
    enough = ROUNDING_TO_SPARE[basis.dtype.char]
    halfway = True  # whether there is to be a basis between the two products
    for _ in range(n_iter):
        if not normalize:
            basis = backward(forward(basis))
            continue
        basis, eigenvalue = near_basis(forward(basis)) if halfway else (forward(basis), 1.0)
        basis, of_both = near_basis(backward(basis))
        # Condition numbers multiply.
        halfway = not eigenvalue * of_both > enough
    return basis
