"""Ridge regression and classification."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.linear_model
from sklearn.base import _fit_context
from sklearn.linear_model._ridge import _BaseRidge, _get_valid_accept_sparse, _RidgeClassifierMixin
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from fastml._support.dispatch import accelerated, note_borrowed
from fastml.linear_model._class_targets import prepare_quickly
from fastml.linear_model._linear_regression import intercept_of
from fastml.linear_model._predicting import NUMPY, PredictingClasses, PredictingValues
from fastml.linear_model._ridge_solving import BORROWED, solve_normal_equations
from fastml.linear_model._samples import FLOATS, Samples, check_samples


class NormalRidge(_BaseRidge):
    """Fits by the normal equations. Comes before scikit-learn's class among the bases.

    Where those are not solved, scikit-learn's solvers run as they are, on samples that were checked here.
    """

    coef_: Any
    intercept_: Any
    n_iter_: Any
    solver_: str

    def _fit_by_normal_equations(self, samples: Samples) -> bool:
        """Fit if the normal equations are to be solved, and can be; tell whether."""
        if self.positive:
            return False
        solved = solve_normal_equations(samples, self.alpha, solver=self.solver, center=self.fit_intercept)
        if solved is None:
            return False
        equations, coef, solver = solved
        self.coef_ = coef[0] if len(coef) == 1 else coef
        self.intercept_ = intercept_of(equations, self.coef_, samples) if self.fit_intercept else 0.0
        self.n_iter_, self.solver_ = None, solver
        return True

    def _fit_as_sklearn(self, samples: Samples) -> None:
        note_borrowed(BORROWED)
        X = samples.X
        if not (self.copy_X or sp.issparse(X) or X.flags.writeable):
            X = X.copy()
        _BaseRidge.fit(self, X, samples.y, samples.weights)


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
