"""Ridge regression and classification."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.linear_model
from scipy import linalg
from sklearn.base import _fit_context
from sklearn.linear_model._ridge import _BaseRidge, _get_valid_accept_sparse, _RidgeClassifierMixin
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from fastml._support.dispatch import accelerated, note_borrowed
from fastml.linear_model._class_targets import prepare_quickly
from fastml.linear_model._linear_regression import intercept_of
from fastml.linear_model._normal_equations import NormalEquations, cross_products, solve_positive
from fastml.linear_model._predicting import NUMPY, PredictingClasses, PredictingValues
from fastml.linear_model._samples import FLOATS, Samples, check_samples


class NormalRidge(_BaseRidge):
    """Fits by the normal equations. Comes before scikit-learn's class among the bases.

    They are what scikit-learn solves for dense X with more samples than features, unless another solver is asked for.
    Its other solvers run as they are, on samples that were checked here.
    """

    coef_: Any
    intercept_: Any
    n_iter_: Any
    solver_: str

    def _fit_by_normal_equations(self, samples: Samples) -> bool:
        """Fit if the normal equations are to be solved, and can be; tell whether."""
        n, d = samples.X.shape
        if self.positive or self.solver not in ("auto", "cholesky") or sp.issparse(samples.X) or n < d:
            return False
        if samples.weights is not None and not (samples.weights.min() >= 0 and samples.weights.sum() > 0):
            return False
        if np.size(self.alpha) not in (1, samples.targets.shape[1]):
            return False
        equations = cross_products(samples, center=self.fit_intercept)
        if not equations.finite:
            return False
        alphas = np.ravel(np.asarray(self.alpha, dtype=samples.X.dtype)).astype(np.float64)
        try:
            coef = penalized_coefficients(equations, alphas, samples.X.dtype)
        except linalg.LinAlgError:
            return False
        coef = coef.astype(samples.X.dtype, copy=False)
        self.coef_ = coef[0] if len(coef) == 1 else coef
        self.intercept_ = intercept_of(equations, self.coef_, samples) if self.fit_intercept else 0.0
        self.n_iter_, self.solver_ = None, "cholesky"
        return True

    def _fit_as_sklearn(self, samples: Samples) -> None:
        note_borrowed("its solver is scikit-learn's, unless dense X of n >= d is solved by Cholesky")
        X = samples.X
        if not (self.copy_X or sp.issparse(X) or X.flags.writeable):
            X = X.copy()
        _BaseRidge.fit(self, X, samples.y, samples.weights)


def penalized_coefficients(equations: NormalEquations, alphas: np.ndarray, dtype: Any) -> np.ndarray:
    """Return the coefficients for one penalty, or one for each target, of shape (n_targets, n_features).

    Raises
    ------
    LinAlgError
        When a system is not positive definite.
    """
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


class Ridge(PredictingValues, NormalRidge, sklearn.linear_model.Ridge):
    __doc__ = sklearn.linear_model.Ridge.__doc__

    @accelerated(NUMPY)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        samples, checked = self._check(X, y, sample_weight)
        if self._fit_by_normal_equations(samples):
            return self
        if not checked:
            # Perhaps X or y are not finite, which is an error.
            samples, _ = self._check(X, y, sample_weight, quick=False)
        self._fit_as_sklearn(samples)
        return self

    def _check(self, X: Any, y: Any, sample_weight: Any, *, quick: bool = True) -> tuple[Samples, bool]:
        samples, checked = check_samples(
            self,
            X,
            y,
            quick=quick,
            accept_sparse=_get_valid_accept_sparse(sp.issparse(X), self.solver),
            dtype=list(FLOATS),
        )
        if sample_weight is not None:
            samples.weights = np.require(
                _check_sample_weight(sample_weight, samples.X, dtype=samples.X.dtype), requirements=["C", "A"]
            )
        return samples, checked


class LearningLabels(PredictingClasses, _RidgeClassifierMixin):
    """Classes, or the labels of multilabel problems, as targets. Comes before scikit-learn's class among the bases."""

    _label_binarizer: Any

    def _prepare_data(self, X: Any, y: Any, sample_weight: Any, solver: str) -> tuple[Any, Any, Any, np.ndarray]:
        prepared = None if _routing_enabled() else prepare_quickly(self, X, y, sample_weight)
        return super()._prepare_data(X, y, sample_weight, solver) if prepared is None else prepared

    @accelerated(NUMPY)
    def predict(self, X):
        check_is_fitted(self, attributes=["_label_binarizer"])
        if not self._label_binarizer.y_type_.startswith("multilabel"):
            return super().predict(X)
        return self._label_binarizer.inverse_transform(np.where(self.decision_function(X) > 0, 1.0, -1.0))


class RidgeClassifier(LearningLabels, NormalRidge, sklearn.linear_model.RidgeClassifier):
    __doc__ = sklearn.linear_model.RidgeClassifier.__doc__

    @accelerated(NUMPY)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        weighted = sample_weight is not None or self.class_weight is not None
        X, y, sample_weight, Y = self._prepare_data(X, y, sample_weight, self.solver)
        dtype = X.dtype if X.dtype in FLOATS else np.dtype(np.float64)
        samples = Samples(X.astype(dtype, copy=False), Y.astype(dtype))
        if weighted:
            samples.weights = sample_weight.astype(dtype, copy=False)
        if not self._fit_by_normal_equations(samples):
            self._fit_as_sklearn(samples)
        return self
