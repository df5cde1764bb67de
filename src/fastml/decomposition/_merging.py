"""Singular values of all samples so far, from those of the samples before and a batch.

Samples before count as the rows of their components, scaled by singular values, and one row more for the distance of
both means (Ross et al., 2008). The cross products of those rows need neither the batch less its mean nor the stack of
rows: one pass over the batch makes them. They square the condition number, so that their eigenvalues are only taken
where the smallest that is wanted is not small; singular values are computed of the rows themselves elsewhere.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.extmath import svd_flip

from fastml.decomposition._covariance import centered_products
from fastml.decomposition._singular_values import right_singular_vectors
from fastml.decomposition._spectrum import Spectrum

LEAST_SQUARE = 1e-4
"""The square of the smallest singular value that is wanted, in units of the largest square, down to which it is taken
from cross products. They leave an error of some 1e-16 of the largest square."""


@dataclass(slots=True)
class Summary:
    """What is kept of all samples so far.

    Parameters
    ----------
    n_components : int
        The components that were to be kept; there are fewer if there were fewer samples.
    count : float
        The number of samples.
    mean, variances : ndarray of shape (n_features,)
        Means and population variances of the features, in float64.
    components : ndarray of shape (n_components, n_features)
        Right singular vectors of the samples less their means.
    singular_values : ndarray of shape (n_components,)
        Their singular values.
    explained_variances, explained_ratios : ndarray of shape (n_components,)
        The variances along them, and their parts of all variances.
    noise : float
        The mean of the variances along all that is not kept.
    """

    n_components: int
    count: Any
    mean: np.ndarray
    variances: np.ndarray
    components: np.ndarray
    singular_values: np.ndarray
    explained_variances: Any = None
    explained_ratios: Any = None
    noise: Any = 0.0


def merged(before: Summary | None, X: np.ndarray, n_components: int, *, checked: bool = False) -> Summary | None:
    """Return the summary of samples and a batch.

    Parameters
    ----------
    before : Summary or None
        That of the samples before the batch; None for none.
    X : ndarray of shape (n_samples, n_features)
        The batch, float32 or float64, of any layout.
    n_components : int
        How many components to keep.
    checked : bool, default=False
        Whether to go on with values that are not finite.

    Returns
    -------
    summary : Summary or None
        None where a value is not finite, or too large for its square.
    """
    n, d = X.shape
    rows = n + (0 if before is None else len(before.components) + 1)
    products = None
    # Singular values that were too small for products will be so again.
    steep = before is not None and not before.singular_values[-1] ** 2 > LEAST_SQUARE * before.singular_values[0] ** 2
    if rows >= d and not steep:
        products, mean = centered_products(X)
        squares = products.diagonal()
    else:
        with np.errstate(invalid="ignore", over="ignore"):
            mean = X.mean(axis=0, dtype=np.float64)
            centered = X - mean
            # The rounding of large means.
            rest = centered.mean(axis=0)
            centered -= rest
        mean += rest
        squares = np.einsum("ij,ij->j", centered, centered)
    if not checked and not np.isfinite(squares).all():
        return None

    old_rows = np.empty((0, d))
    if before is None:
        count, kind = np.float64(n), X.dtype
        new_mean, variances = mean, squares / n
    else:
        seen = np.float64(before.count)
        count, kind = seen + n, np.dtype(np.float64)
        distance = before.mean - mean
        weight = seen * n / count
        new_mean = before.mean - distance * (n / count)
        variances = (before.variances * seen + squares + weight * distance**2) / count
        old_rows = np.vstack([before.singular_values[:, None] * before.components, np.sqrt(weight) * distance])

    kept = None
    if products is not None:
        kept = _from_products(products + old_rows.T @ old_rows, n_components)
    if kept is None:
        stack = np.vstack([old_rows, centered if products is None else X - mean])
        kept = _from_rows(stack, n_components) if rows < d and not steep else None
    if kept is None:
        # In the type of the samples: where a component has no variance, that is told from their rounding.
        _, singular, Vt = right_singular_vectors(stack.astype(kind, copy=False), left=False)
        kept = singular[:n_components], Vt[:n_components], np.square(singular[n_components:])
    singular, components, others = kept
    _, components = svd_flip(None, np.ascontiguousarray(components), u_based_decision=False)
    squares_kept = np.square(singular)
    return Summary(
        n_components,
        count,
        new_mean,
        variances,
        components.astype(kind, copy=False),
        singular.astype(kind, copy=False),
        squares_kept / (count - 1),
        squares_kept / np.sum(variances * count),
        (others / (count - 1)).mean() if n_components not in (n, d) else 0.0,
    )


def _from_products(products: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return singular values and right vectors of rows by their cross products, and the mean of all other squares.

    None where they would lose digits.
    """
    spectrum = Spectrum(products)
    values, vectors = spectrum.leading(n_components)
    if not values[-1] > LEAST_SQUARE * values[0]:
        return None
    others = np.array([spectrum.rest(values) / max(len(products) - n_components, 1)])
    return np.sqrt(values), vectors, others


def _from_rows(stack: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return the same of fewer rows than columns, by the products of all pairs of rows."""
    if n_components > len(stack):
        return None
    kept = _from_products(stack @ stack.T, n_components)
    if kept is None:
        return None
    singular, vectors, others = kept
    return singular, vectors @ stack / singular[:, None], others
