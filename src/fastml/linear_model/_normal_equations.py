"""The normal equations of least squares: made in one pass over the samples, solved by Cholesky's factors.

They square the condition number of X. So a solution is only taken where the factors, of a matrix scaled to a diagonal
of ones, show a condition that leaves what the singular value decomposition of X would leave; and unless it is near 1
the solution is corrected once by its residuals, which are taken from X itself. That brings it to what a QR
decomposition gives (Björck's corrected seminormal equations, 1987).
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy import linalg
from scipy.linalg import lapack

from fastml import _core
from fastml._support.arrays import csr_arrays
from fastml.linear_model._samples import Samples

LEAST_RCOND = 1e-8
"""Reciprocal condition of the scaled matrix below which X itself is decomposed. One correction leaves an error of the
order of 1e-16 / rcond, squared, and singular values have one of 1e-16 / rcond, relative to themselves."""

CORRECTED_RCOND = 1e-3
"""Below this the solution is corrected. Above it, its error is at most some 1e-13 of the coefficients."""

_LEAST_SQUARES = 1e-200
"""Sums of squares below this may have lost values that underflowed."""


@dataclass(slots=True)
class NormalEquations:
    """Cross products of samples and targets, in float64, about their means where there is an intercept.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
        X'WX.
    xy : ndarray of shape (n_targets, n_features)
        Y'WX.
    x_mean : ndarray of shape (n_features,)
        Means of the features, zeros without an intercept.
    y_mean : ndarray of shape (n_targets,)
        Means of the targets, likewise.
    samples : Samples
        What they were made from.
    subtracted : ndarray of shape (n_features,) or None
        What was taken from the sums of squares for the means, after they were summed up. None for nothing.
    """

    gram: np.ndarray
    xy: np.ndarray
    x_mean: np.ndarray
    y_mean: np.ndarray
    samples: Samples
    subtracted: np.ndarray | None = None

    @property
    def finite(self) -> bool:
        """Whether X, Y and all sums are finite."""
        return bool(
            np.isfinite(self.gram.diagonal()).all() and np.isfinite(self.xy).all() and np.isfinite(self.y_mean).all()
        )

    def residual(self, coef: np.ndarray) -> np.ndarray:
        """Return what is left of the equations, from X itself: Y'WX - coef X'WX, in the shape of `coef`."""
        samples, coef = self.samples, np.ascontiguousarray(coef)
        Y, weights, count = samples.targets, samples.weights, samples.n_threads
        if not sp.issparse(samples.X):
            return _core.normal_residual(samples.X, Y, weights, self.x_mean, self.y_mean, coef, count)
        values, indices, offsets = csr_arrays(samples.X)
        d = samples.X.shape[1]
        return _core.sparse_normal_residual(
            values, indices, offsets, d, Y, weights, self.x_mean, self.y_mean, coef, count
        )


def cross_products(samples: Samples, *, center: bool) -> NormalEquations:
    """Return the normal equations of samples.

    Parameters
    ----------
    samples : Samples
        Dense. Weights are not negative, and their sum is not 0.
    center : bool
        Whether X and Y are taken about their means.
    """
    gram, xy, x_mean, y_mean = _core.cross_products(
        samples.X, samples.targets, samples.weights, center, samples.n_threads
    )
    return NormalEquations(gram, xy, x_mean, y_mean, samples)


@dataclass(slots=True)
class Factors:
    """Cholesky's factor of the normal equations, for the features that are not constant.

    With a penalty, it is added to the diagonal of the matrix.

    Parameters
    ----------
    equations : NormalEquations
        What was factored.
    varying : ndarray of bool of shape (n_features,)
        The features that are not constant.
    scale : ndarray of shape (n_varying,)
        Roots of the sums of squares, which the features are divided by.
    upper : ndarray of shape (n_varying, n_varying)
        The factor of the scaled matrix.
    rcond : float
        Its reciprocal condition, squared; less where digits were lost before.
    penalty : float
        The penalty.
    """

    equations: NormalEquations
    varying: np.ndarray
    scale: np.ndarray
    upper: np.ndarray
    rcond: float
    penalty: float = 0.0

    @property
    def root(self) -> np.ndarray:
        """R of the QR decomposition of X, but for the signs of its rows."""
        return self.upper * self.scale

    @property
    def rotated(self) -> np.ndarray:
        """Q'Y, of shape (n_varying, n_targets)."""
        xy = self.equations.xy[:, self.varying] / self.scale
        return linalg.solve_triangular(self.upper, xy.T, trans="T", check_finite=False)

    def _solve(self, xy: np.ndarray) -> np.ndarray:
        solution, _ = lapack.dpotrs(self.upper, (xy[:, self.varying] / self.scale).T)
        return solution.T / self.scale

    def coefficients(self) -> np.ndarray:
        """Return the solution of full rank, of shape (n_targets, n_features); 0 for constant features."""
        coef = np.zeros_like(self.equations.xy)
        coef[:, self.varying] = self._solve(self.equations.xy)
        if self.rcond < CORRECTED_RCOND:
            coef[:, self.varying] += self._solve(self.equations.residual(coef) - self.penalty * coef)
        return coef

    def singular_values(self) -> np.ndarray:
        """Return the singular values of X, n_features of them, in descending order."""
        gram = self.equations.gram
        if len(self.scale) < len(gram):
            gram = gram[np.ix_(self.varying, self.varying)]
        squares = np.linalg.eigvalsh(gram)[::-1]
        if squares[-1] > 1e-7 * squares[0]:
            values = np.sqrt(squares)
        else:
            # Small values would drown in the rounding of large ones, squared.
            values = linalg.svdvals(self.root, check_finite=False)
        constant = len(self.varying) - len(values)
        return np.concatenate([values, np.zeros(constant)]) if constant else values

    def truncated(self, rank: int) -> np.ndarray:
        """Return the solution by the `rank` largest singular values, of least norm."""
        U, values, Vt = linalg.svd(self.root, check_finite=False)
        rotated = U[:, :rank].T @ self.rotated
        coef = np.zeros_like(self.equations.xy)
        coef[:, self.varying] = (Vt[:rank].T @ (rotated / values[:rank, None])).T
        return coef


def factorize(equations: NormalEquations, penalty: float = 0.0) -> Factors | None:
    """Factor the normal equations; None where that would lose too much."""
    squares = equations.gram.diagonal() + penalty
    varying = squares > 0
    if not varying.all() and not (varying.any() and _are_constant(equations, ~varying)):
        return None
    scale = np.sqrt(squares[varying])
    if squares[varying].min() < _LEAST_SQUARES:
        return None
    gram = equations.gram if varying.all() else equations.gram[np.ix_(varying, varying)]
    scaled = gram / scale / scale[:, None]
    if penalty:
        scaled.flat[:: len(scaled) + 1] = 1.0
    upper, failed = lapack.dpotrf(scaled, clean=1)
    if failed:
        return None
    rcond, _ = lapack.dpocon(upper, np.abs(scaled).sum(axis=0).max())
    if equations.subtracted is not None:
        rcond /= 1 + (equations.subtracted[varying] / squares[varying]).max()
    if not rcond > LEAST_RCOND:
        return None
    return Factors(equations, varying, scale, upper, float(rcond), penalty)


def _are_constant(equations: NormalEquations, features: np.ndarray) -> bool:
    """Tell whether features without a sum of squares have one value each; it may have underflowed, too."""
    X = equations.samples.X
    if sp.issparse(X):
        assert equations.subtracted is not None
        return not equations.subtracted[features].any() and not X.data[features[X.indices]].any()
    constant = X[:, features]
    return bool((constant == constant[0]).all())


def solve_positive(matrix: np.ndarray, right: np.ndarray, dtype: Any) -> np.ndarray:
    """Solve ``matrix @ solution = right`` for a symmetric, positive definite matrix, as SciPy's ``solve`` does.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Is not changed.
    right : ndarray of shape (n, m)
        The right-hand sides.
    dtype : dtype
        The type in which scikit-learn would solve, whose precision decides whether there is a warning.

    Raises
    ------
    LinAlgError
        When the matrix is not positive definite.

    Warns
    -----
    LinAlgWarning
        When the solution is mostly rounding.
    """
    upper, failed = lapack.dpotrf(matrix, clean=0)
    if failed:
        raise linalg.LinAlgError("The matrix is not positive definite.")
    rcond, _ = lapack.dpocon(upper, np.abs(matrix).sum(axis=0).max())
    if not rcond >= np.finfo(dtype).eps:
        warnings.warn(
            f"An ill-conditioned matrix detected (rcond={rcond:.6g}): the result may not be accurate.",
            linalg.LinAlgWarning,
            stacklevel=3,
        )
    solution, _ = lapack.dpotrs(upper, right)
    return solution
