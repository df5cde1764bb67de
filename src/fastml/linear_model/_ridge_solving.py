"""The normal equations of ridge regression, which the estimators and the function share."""

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy import linalg

from fastml.linear_model._normal_equations import NormalEquations, cross_products, factorize, solve_positive
from fastml.linear_model._samples import Samples
from fastml.linear_model._sparse_equations import cheap_equations, sparse_cross_products

BORROWED = "its solver is scikit-learn's, unless X of n >= d is solved by the normal equations"


def solve_normal_equations(
    samples: Samples, penalty: Any, *, solver: str, center: bool
) -> tuple[NormalEquations, np.ndarray, str] | None:
    """Solve ridge regression by its normal equations, if they are to be solved and can be.

    They are what scikit-learn solves for dense X with more samples than features, unless another solver is asked for.
    For sparse X, where it takes conjugate gradients, they are solved if that costs less, and correctly to more digits.

    Parameters
    ----------
    samples : Samples
        Dense or sparse.
    penalty : float or array-like of shape (n_targets,)
        One penalty for all targets, or one for each.
    solver : str
        As in ``Ridge``.
    center : bool
        Whether X and Y are taken about their means.

    Returns
    -------
    solved : tuple of (NormalEquations, ndarray of shape (n_targets, n_features), str) or None
        The equations, the coefficients in the type of X, and scikit-learn's name of the solver that this stands for.
    """
    n, d = samples.X.shape
    sparse, dtype = sp.issparse(samples.X), samples.X.dtype
    if solver not in ("auto", "cholesky") or n < d or (sparse and center and solver == "cholesky"):
        return None
    if samples.weights is not None and not (samples.weights.min() >= 0 and samples.weights.sum() > 0):
        return None
    if np.size(penalty) not in (1, samples.targets.shape[1]):
        return None
    alphas = np.ravel(np.asarray(penalty, dtype=dtype)).astype(np.float64)
    iterative = sparse and solver == "auto"
    equations: NormalEquations | None
    if not sparse:
        equations = cross_products(samples, center=center)
    elif iterative:
        equations = cheap_equations(samples, center=center)
    else:
        equations = sparse_cross_products(replace(samples, X=samples.X.tocsr()), center=center)
    if equations is None or not equations.finite:
        return None
    coef: np.ndarray | None
    if iterative:
        coef = _corrected_coefficients(equations, alphas)
    else:
        try:
            coef = _coefficients(equations, alphas, dtype)
        except linalg.LinAlgError:
            return None
    if coef is None:
        return None
    return equations, coef.astype(dtype, copy=False), "sparse_cg" if iterative else "cholesky"


def _coefficients(equations: NormalEquations, alphas: np.ndarray, dtype: Any) -> np.ndarray:
    """Return the coefficients for one penalty, or one for each target; raise and warn as scikit-learn's Cholesky."""
    d = len(equations.gram)
    matrix = equations.gram.copy()
    if np.all(alphas == alphas[0]):
        matrix.flat[:: d + 1] += alphas[0]
        return solve_positive(matrix, equations.xy.T, dtype).T
    coef = np.empty_like(equations.xy)
    for k, alpha in enumerate(alphas):
        matrix.flat[:: d + 1] = equations.gram.diagonal() + alpha
        coef[k] = solve_positive(matrix, equations.xy[k][:, None], dtype)[:, 0]
    return coef


def _corrected_coefficients(equations: NormalEquations, alphas: np.ndarray) -> np.ndarray | None:
    """Return the same, corrected by residuals where it matters; None where iterations would lose less."""
    if not np.all(alphas >= 0):
        return None
    if np.all(alphas == alphas[0]):
        factors = factorize(equations, alphas[0])
        return None if factors is None else factors.coefficients()
    coef = np.empty_like(equations.xy)
    samples = equations.samples
    for k, alpha in enumerate(alphas):
        one = replace(
            equations,
            xy=equations.xy[[k]],
            y_mean=equations.y_mean[[k]],
            samples=replace(samples, y=samples.targets[:, k]),
        )
        factors = factorize(one, alpha)
        if factors is None:
            return None
        coef[k] = factors.coefficients()[0]
    return coef
