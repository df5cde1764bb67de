"""SGDClassifier, SGDRegressor and SGDOneClassSVM: scikit-learn's, on a solver of ours."""

from typing import Any

import numpy as np
import sklearn.linear_model
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from fastml._support import validation
from fastml._support.dispatch import accelerated
from fastml.linear_model._predicting import PredictingClasses, scores_of
from fastml.linear_model._sgd_classifying import FittingClasses
from fastml.linear_model._sgd_solving import SEEDS, detach, draw_unused, solve_single, warn_of_fit
from fastml.linear_model._sgd_values import FittingValues


class SGDClassifier(PredictingClasses, FittingClasses, sklearn.linear_model.SGDClassifier):
    __doc__ = sklearn.linear_model.SGDClassifier.__doc__

    @accelerated()
    def fit(self, X, y, coef_init=None, intercept_init=None, sample_weight=None):
        return super().fit(X, y, coef_init=coef_init, intercept_init=intercept_init, sample_weight=sample_weight)

    @accelerated()
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        return super().partial_fit(X, y, classes=classes, sample_weight=sample_weight)


class SGDRegressor(FittingValues, sklearn.linear_model.SGDRegressor):
    __doc__ = sklearn.linear_model.SGDRegressor.__doc__

    @accelerated()
    def fit(self, X, y, coef_init=None, intercept_init=None, sample_weight=None):
        return super().fit(X, y, coef_init=coef_init, intercept_init=intercept_init, sample_weight=sample_weight)

    @accelerated()
    def partial_fit(self, X, y, sample_weight=None):
        return super().partial_fit(X, y, sample_weight=sample_weight)


class SGDOneClassSVM(sklearn.linear_model.SGDOneClassSVM):
    __doc__ = sklearn.linear_model.SGDOneClassSVM.__doc__

    coef_: Any
    offset_: Any
    _standard_coef: Any
    _standard_intercept: Any
    _average_coef: Any
    _average_intercept: Any
    n_iter_: int
    t_: float

    @accelerated()
    def fit(self, X, y=None, coef_init=None, offset_init=None, sample_weight=None):
        return super().fit(X, y, coef_init=coef_init, offset_init=offset_init, sample_weight=sample_weight)

    @accelerated()
    def partial_fit(self, X, y=None, sample_weight=None):
        return super().partial_fit(X, y, sample_weight=sample_weight)

    @accelerated()
    def decision_function(self, X):
        if "coef_" not in self.__dict__:
            check_is_fitted(self, "coef_")
        X = validation.validate(self, X, reset=False, sparse="csr", dtype="numeric", order=None, large_sparse=True)
        return (scores_of(X, self.coef_) - self.offset_).ravel()

    @accelerated()
    def score_samples(self, X):
        return self.decision_function(X) + self.offset_

    @accelerated()
    def predict(self, X):
        return np.where(self.decision_function(X) >= 0, np.int32(1), np.int32(-1))

    def _fit(self, X, alpha, loss, learning_rate, coef_init=None, offset_init=None, sample_weight=None):
        if self.warm_start and hasattr(self, "coef_"):
            if coef_init is None:
                coef_init = self.coef_
            if offset_init is None:
                offset_init = self.offset_
        else:
            self.coef_ = None
            self.offset_ = None
        self.t_ = 1.0
        self._partial_fit(X, alpha, loss, learning_rate, self.max_iter, sample_weight, coef_init, offset_init)
        warn_of_fit(self)
        return self

    def _partial_fit(self, X, alpha, loss, learning_rate, max_iter, sample_weight, coef_init, offset_init):
        first_call = getattr(self, "coef_", None) is None
        X = validation.validate(self, X, reset=first_call, sparse="csr")
        weights = validation.sample_weight(sample_weight, X)
        if first_call or coef_init is not None:
            self._allocate_parameter_mem(
                n_classes=1,
                n_features=X.shape[1],
                input_dtype=X.dtype,
                coef_init=coef_init,
                intercept_init=offset_init,
                one_class=1,
            )
        if self.average and getattr(self, "_average_coef", None) is None:
            self._average_coef = np.zeros(X.shape[1], dtype=X.dtype)
            self._average_intercept = np.zeros(1, dtype=X.dtype)
        self._loss_function_ = self._get_loss_function(loss)
        if not hasattr(self, "t_"):
            self.t_ = 1.0
        detach(self)
        self._fit_one_class(X, alpha, weights, learning_rate, max_iter)
        return self

    def _fit_one_class(self, X, alpha, sample_weight, learning_rate, max_iter):
        draw_unused(check_random_state(None))
        seed = check_random_state(self.random_state).randint(0, SEEDS)
        self.coef_, intercept = solve_single(
            self,
            X,
            np.ones(X.shape[0], dtype=X.dtype),
            sample_weight,
            1 - self.offset_,
            loss="hinge",
            alpha=alpha,
            learning_rate=learning_rate,
            max_iter=max_iter,
            seed=seed,
            one_class=True,
        )
        self.offset_ = 1 - intercept
