"""Ordinary least squares."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.linear_model
from scipy import linalg, optimize
from sklearn.base import _fit_context
from sklearn.linear_model._base import _preprocess_data
from sklearn.utils.validation import _check_sample_weight

from fastml._support.dispatch import accelerated
from fastml.linear_model._normal_equations import CORRECTED_RCOND, Factors, cross_products, factorize
from fastml.linear_model._predicting import NUMPY, PredictingValues
from fastml.linear_model._samples import FLOATS, Samples, check_samples
from fastml.linear_model._sparse_equations import cheap_equations, solve_by_lsqr


class LinearRegression(PredictingValues, sklearn.linear_model.LinearRegression):
    __doc__ = sklearn.linear_model.LinearRegression.__doc__

    @accelerated(NUMPY)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        samples, checked = self._check(X, y, sample_weight)
        factors = self._factors(samples)
        if factors is None and not checked:
            # Perhaps X or y are not finite, which is an error.
            samples, _ = self._check(X, y, sample_weight, quick=False)
        if self.positive:
            self._fit_positive(samples, factors)
        elif sp.issparse(samples.X):
            self._fit_sparse(samples, factors)
        else:
            self._fit_dense(samples, factors)
        return self

    def _check(self, X: Any, y: Any, sample_weight: Any, *, quick: bool = True) -> tuple[Samples, bool]:
        samples, checked = check_samples(
            self, X, y, quick=quick, accept_sparse=False if self.positive else ["csr", "csc", "coo"]
        )
        if sample_weight is not None:
            samples.weights = np.require(
                _check_sample_weight(sample_weight, samples.X, dtype=samples.X.dtype, ensure_non_negative=True),
                requirements=["C", "A"],
            )
        return samples, checked

    def _factors(self, samples: Samples) -> Factors | None:
        """Return the factors of the normal equations, None where X must be decomposed itself."""
        n, d = samples.X.shape
        if n <= d or (samples.weights is not None and not samples.weights.sum() > 0):
            return None
        make = cheap_equations if sp.issparse(samples.X) else cross_products
        equations = make(samples, center=self.fit_intercept)
        return None if equations is None or not equations.finite else factorize(equations)

    def _fit_sparse(self, samples: Samples, factors: Factors | None) -> None:
        if factors is not None:
            self._set(samples, factors, factors.coefficients(), np.float64)
            return
        if samples.X.format == "coo":
            samples.X = samples.X.tocsr()
        X, y, x_mean, y_mean, _, root_weights = _preprocess_data(
            samples.X,
            samples.y,
            fit_intercept=self.fit_intercept,
            copy=False,
            sample_weight=samples.weights,
            check_input=False,
        )
        self.coef_ = solve_by_lsqr(X, y, x_mean, root_weights, self.tol, self.n_jobs)
        self._set_intercept(x_mean, y_mean)

    def _fit_dense(self, samples: Samples, factors: Factors | None) -> None:
        if factors is not None:
            singular = factors.singular_values()
            rank = int(np.sum(singular > self.tol * singular[0]))
            coef = None
            if rank == np.sum(factors.varying):
                coef = factors.coefficients()
            elif factors.rcond > CORRECTED_RCOND:
                coef = factors.truncated(rank)
            if coef is not None:
                self.rank_, self.singular_ = rank, singular.astype(samples.X.dtype, copy=False)
                self._set(samples, factors, coef)
                return
        X, y, x_mean, y_mean = self._centered(samples)
        coef, _, self.rank_, self.singular_ = linalg.lstsq(
            X, y, cond=self.tol, overwrite_a=True, overwrite_b=True, check_finite=False
        )
        self.coef_ = coef.T
        self._set_intercept(x_mean, y_mean)

    def _fit_positive(self, samples: Samples, factors: Factors | None) -> None:
        # ||X w - y|| and ||R w - Q'y|| differ by a constant.
        if factors is not None and factors.varying.all():
            A, B = factors.root, factors.rotated
            coef = np.vstack([optimize.nnls(A, b)[0] for b in B.T])
            self._set(samples, factors, coef, np.float64)
            return
        X, y, x_mean, y_mean = self._centered(samples)
        if y.ndim == 1:
            self.coef_ = optimize.nnls(X, y)[0]
        else:
            self.coef_ = np.vstack([optimize.nnls(X, target)[0] for target in y.T])
        self._set_intercept(x_mean, y_mean)

    def _centered(self, samples: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
        """Return X and y less their means and times the roots of the weights, and the means.

        In new arrays, but for X where it may be overwritten.
        """
        X, y, x_mean, y_mean, _, _ = _preprocess_data(
            samples.X,
            samples.y.copy(),
            fit_intercept=self.fit_intercept,
            copy=self.copy_X or not samples.X.flags.writeable,
            sample_weight=samples.weights,
            check_input=False,
        )
        return X, y, x_mean, y_mean

    def _set(self, samples: Samples, factors: Factors, coef: np.ndarray, dtype: Any = None) -> None:
        """Set coefficients, found in float64, and the intercept that goes with them as they are rounded.

        Without an intercept they are of `dtype`, that of X by default.
        """
        kind = samples.X.dtype if self.fit_intercept or dtype is None else dtype
        assert kind in FLOATS
        coef = coef.astype(kind, copy=False)
        if samples.y.ndim == 1:
            coef = coef[0]
        self.coef_ = coef
        self.intercept_ = intercept_of(factors.equations, coef, samples) if self.fit_intercept else 0.0


def intercept_of(equations: Any, coef: np.ndarray, samples: Samples) -> Any:
    """Return the intercept of coefficients: a number for one column of targets without a second dimension."""
    y_mean = equations.y_mean if samples.y.ndim == 2 else equations.y_mean[0]
    intercept = y_mean - np.asarray(coef, dtype=np.float64) @ equations.x_mean
    return samples.X.dtype.type(intercept) if np.ndim(intercept) == 0 else intercept.astype(samples.X.dtype)
