"""The fit and the predictions of the regressors that learn by SGD."""

from typing import Any

import numpy as np
from sklearn.linear_model._stochastic_gradient import BaseSGDRegressor
from sklearn.utils import check_random_state

from fastml._support import validation
from fastml._support.dispatch import accelerated
from fastml._support.validation import samples_and_targets
from fastml.linear_model._predicting import linear_scores
from fastml.linear_model._sgd_solving import SEEDS, detach, draw_unused, solve_single, warn_of_fit


class FittingValues(BaseSGDRegressor):
    """Fit, partial fit and predictions of linear regressors. Comes before scikit-learn's class among the bases."""

    coef_: Any
    intercept_: Any
    _standard_coef: Any
    _standard_intercept: Any
    _average_coef: Any
    _average_intercept: Any
    n_iter_: int
    t_: float

    @accelerated()
    def predict(self, X):
        return self._decision_function(X)

    def _decision_function(self, X):
        return linear_scores(self, X, sparse="csr").ravel()

    def _fit(self, X, y, alpha, loss, learning_rate, coef_init=None, intercept_init=None, sample_weight=None):
        if self.warm_start and getattr(self, "coef_", None) is not None:
            if coef_init is None:
                coef_init = self.coef_
            if intercept_init is None:
                intercept_init = self.intercept_
        else:
            self.coef_ = None
            self.intercept_ = None
        self.t_ = 1.0
        self._partial_fit(X, y, alpha, loss, learning_rate, self.max_iter, sample_weight, coef_init, intercept_init)
        warn_of_fit(self)
        return self

    def _partial_fit(self, X, y, alpha, loss, learning_rate, max_iter, sample_weight, coef_init, intercept_init):
        first_call = getattr(self, "coef_", None) is None
        X, y = samples_and_targets(self, X, y, reset=first_call)
        y = np.require(y, X.dtype, ["C", "A"])
        weights = validation.sample_weight(sample_weight, X)
        if first_call:
            self._allocate_parameter_mem(
                n_classes=1,
                n_features=X.shape[1],
                input_dtype=X.dtype,
                coef_init=coef_init,
                intercept_init=intercept_init,
            )
        if self.average > 0 and getattr(self, "_average_coef", None) is None:
            self._average_coef = np.zeros(X.shape[1], dtype=X.dtype)
            self._average_intercept = np.zeros(1, dtype=X.dtype)
        detach(self)
        self._fit_regressor(X, y, alpha, loss, learning_rate, weights, max_iter)
        return self

    def _fit_regressor(self, X, y, alpha, loss, learning_rate, sample_weight, max_iter):
        if not hasattr(self, "t_"):
            self.t_ = 1.0
        mask = score = None
        if self.early_stopping:
            if sample_weight is None:
                sample_weight = np.ones(X.shape[0], dtype=X.dtype)
            mask = self._make_validation_split(y, sample_mask=sample_weight > 0)
            score = self._make_validation_score_cb(mask, X, y, sample_weight)
        random_state = check_random_state(self.random_state)
        seed = random_state.randint(0, SEEDS)
        draw_unused(random_state)
        self.coef_, self.intercept_ = solve_single(
            self,
            X,
            y,
            sample_weight,
            self.intercept_,
            loss=loss,
            alpha=alpha,
            learning_rate=learning_rate,
            max_iter=max_iter,
            seed=seed,
            validation_mask=mask,
            validation_score=score,
        )
