"""Ridge regression and classification with a penalty chosen by cross-validation."""

from numbers import Real
from typing import Any

import numpy as np
import sklearn.linear_model
from sklearn.base import _fit_context, is_classifier
from sklearn.linear_model._ridge import _BaseRidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.utils import check_scalar
from sklearn.utils.metadata_routing import _raise_for_params, _routing_enabled, process_routing

from fastml._support.dispatch import accelerated
from fastml.linear_model._leave_one_out import _RidgeGCV
from fastml.linear_model._predicting import NUMPY, PredictingValues
from fastml.linear_model._ridge import LearningLabels, Ridge, RidgeClassifier


class ChoosingPenalty(_BaseRidgeCV):
    """The search for a penalty. Comes before scikit-learn's class among the bases."""

    def _search(self, X: Any, y: Any, sample_weight: Any, params: dict[str, Any]) -> None:
        _raise_for_params(params, self, "fit")
        scorer = self._get_scorer()
        self._check_alphas()
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        if self.cv is None:
            fitted = self._leave_one_out(X, y, sample_weight, scorer, params)
        else:
            fitted = self._grid_search(X, y, scorer, params)
        self.coef_ = fitted.coef_
        self.intercept_ = fitted.intercept_
        self.n_features_in_ = fitted.n_features_in_
        if hasattr(fitted, "feature_names_in_"):
            self.feature_names_in_ = fitted.feature_names_in_

    def _check_alphas(self) -> None:
        # The errors of samples left out divide by the penalty.
        boundaries = "neither" if self.cv is None else "left"
        limits = {"target_type": Real, "min_val": 0.0, "include_boundaries": boundaries}
        if not isinstance(self.alphas, (np.ndarray, list, tuple)):
            return
        if np.size(self.alphas) == 1:
            check_scalar(np.ravel(self.alphas)[0], "alphas", **limits)
            return
        for i, alpha in enumerate(self.alphas):
            check_scalar(alpha, f"alphas[{i}]", **limits)

    def _leave_one_out(self, X: Any, y: Any, sample_weight: Any, scorer: Any, params: dict[str, Any]) -> Any:
        score_params = {} if sample_weight is None else {"sample_weight": sample_weight}
        if _routing_enabled():
            score_params = process_routing(self, "fit", **params).scorer.score
        errors = _RidgeGCV(
            np.asarray(self.alphas),
            fit_intercept=self.fit_intercept,
            scoring=None if self.scoring is None else scorer,
            gcv_mode=self.gcv_mode,
            store_cv_results=self.store_cv_results,
            is_clf=is_classifier(self),
            alpha_per_target=self.alpha_per_target,
        )
        errors.fit(X, y, sample_weight=sample_weight, score_params=score_params)
        self.alpha_ = errors.alpha_
        self.best_score_ = errors.best_score_
        if self.store_cv_results:
            self.cv_results_ = errors.cv_results_
        return errors

    def _grid_search(self, X: Any, y: Any, scorer: Any, params: dict[str, Any]) -> Any:
        for name in ("store_cv_results", "alpha_per_target"):
            if getattr(self, name):
                raise ValueError(f"cv!=None and {name}=True are incompatible")
        model = (RidgeClassifier if is_classifier(self) else Ridge)(fit_intercept=self.fit_intercept)
        if _routing_enabled():
            model.set_fit_request(sample_weight=True)
        search = GridSearchCV(model, {"alpha": np.asarray(self.alphas)}, cv=self.cv, scoring=scorer)
        search.fit(X, y, **params)
        self.alpha_ = search.best_estimator_.alpha
        self.best_score_ = search.best_score_
        return search.best_estimator_


class RidgeCV(PredictingValues, ChoosingPenalty, sklearn.linear_model.RidgeCV):
    __doc__ = sklearn.linear_model.RidgeCV.__doc__

    @accelerated(NUMPY)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        self._search(X, y, sample_weight, params)
        return self


class RidgeClassifierCV(LearningLabels, ChoosingPenalty, sklearn.linear_model.RidgeClassifierCV):
    __doc__ = sklearn.linear_model.RidgeClassifierCV.__doc__

    @accelerated(NUMPY)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        # Any solver but those that take CSR alone stands for all sparse formats.
        X, y, sample_weight, Y = self._prepare_data(X, y, sample_weight, solver="eigen")
        self._search(X, Y if self.cv is None else y, sample_weight, params)
        return self
