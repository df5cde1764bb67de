"""Gradient boosting: scikit-learn's stages and losses, with our trees on samples encoded once for all of them."""

import threading
from typing import Any

import numpy as np
import sklearn.ensemble
from sklearn._loss.loss import HuberLoss
from sklearn.base import is_classifier
from sklearn.ensemble._gb import BaseGradientBoosting, _init_raw_predictions, set_huber_delta
from sklearn.utils.validation import check_is_fitted

from fastml import _core
from fastml._support import threads
from fastml._support.dispatch import accelerated
from fastml.ensemble._pickled_stages import for_pickle, from_pickle
from fastml.ensemble._terminal_regions import update_terminal_regions
from fastml.tree import DecisionTreeRegressor
from fastml.tree._parameters import encoding
from fastml.tree._predicting import core_samples, forget_view, plain_samples, prediction_threads, remembered_view
from fastml.tree._samples import dense_or_csc
from fastml.tree._shared_features import encode


class _Stages(threading.local):
    """The samples of the fit that this thread is in, and their encoding.

    The estimator itself does not hold them: monitors may copy or pickle it between stages.
    """

    X: Any = None
    features: _core.TreeFeatures | None = None


_stages = _Stages()


class Boosting(BaseGradientBoosting):
    """What the classifier and the regressor have in common."""

    estimators_: Any

    @accelerated()
    def fit(self, X, y, sample_weight=None, monitor=None):
        forget_view(self)
        return super().fit(X, y, sample_weight=sample_weight, monitor=monitor)

    @accelerated()
    def apply(self, X):
        return super().apply(X)

    def _fit_stages(self, X, *args, **kwargs):
        X = dense_or_csc(X, "best")
        outer = _stages.X, _stages.features
        _stages.X, _stages.features = X, encode(X, encoding("best", self.max_features_, X.shape[1]))
        try:
            return super()._fit_stages(X, *args, **kwargs)
        finally:
            _stages.X, _stages.features = outer

    def _fit_stage(
        self,
        i,
        X,
        y,
        raw_predictions,
        sample_weight,
        sample_mask,
        random_state,
        X_csc=None,
        X_csr=None,
    ):
        features = _stages.features if _stages.X is X else None
        rows = X if X_csr is None else X_csr
        n_samples = X.shape[0]
        n_threads = threads.n_threads(work=4.0 * n_samples)
        if isinstance(self._loss, HuberLoss):
            set_huber_delta(loss=self._loss, y_true=y, raw_prediction=raw_predictions, sample_weight=sample_weight)
        gradient = self._loss.gradient(y_true=y, raw_prediction=raw_predictions, sample_weight=None)
        descent = np.negative(gradient).reshape(n_samples, -1)
        for k in range(self.n_trees_per_iteration_):
            targets = (y == k).astype(np.float64) if self._loss.is_multiclass else y
            tree = DecisionTreeRegressor(
                criterion="squared_error",
                splitter="best",
                max_depth=self.max_depth,
                min_samples_split=self.min_samples_split,
                min_samples_leaf=self.min_samples_leaf,
                min_weight_fraction_leaf=self.min_weight_fraction_leaf,
                min_impurity_decrease=self.min_impurity_decrease,
                max_features=self.max_features,
                max_leaf_nodes=self.max_leaf_nodes,
                random_state=random_state,
                ccp_alpha=self.ccp_alpha,
            )
            if self.subsample < 1.0:
                sample_weight = sample_weight * sample_mask.astype(np.float64)
            tree._fit(X, descent[:, k], sample_weight=sample_weight, check_input=False, features=features)
            update_terminal_regions(
                self._loss,
                tree.tree_,
                rows,
                targets,
                descent[:, k],
                raw_predictions,
                sample_weight,
                None if self.subsample == 1.0 else sample_mask,
                self.learning_rate,
                k,
                n_threads,
            )
            self.estimators_[i, k] = tree
        return raw_predictions

    def _raw_predict(self, X):
        check_is_fitted(self)
        plain = plain_samples(self, X)
        if plain is not None:
            return self._raw_predict_plain(plain)
        raw_predictions = self._raw_predict_init(X)
        # Validated again: _raw_predict_init keeps what it has made of X to itself.
        self._add_stages(self.estimators_[0, 0]._validate_X_predict(X, check_input=True), raw_predictions)
        return raw_predictions

    def _raw_predict_plain(self, X: np.ndarray) -> np.ndarray:
        """Return what ``_raw_predict`` does of samples that have been checked."""
        X = np.ascontiguousarray(X)  # the order of columns and rows could matter to the estimator that begins
        if self.init_ == "zero":
            raw_predictions = np.zeros((len(X), self.n_trees_per_iteration_))
        else:
            raw_predictions = _init_raw_predictions(X, self.init_, self._loss, is_classifier(self))
        self._add_stages(X, raw_predictions)
        return raw_predictions

    def _add_stages(self, X: Any, raw_predictions: np.ndarray) -> None:
        """Add what the stages predict, in scikit-learn's order."""
        stages = self.estimators_
        view = remembered_view(self, [tree.tree_ for tree in stages.ravel().tolist()])
        columns = None if stages.shape[1] == 1 else np.tile(np.arange(stages.shape[1]), stages.shape[0])
        view.add_values(core_samples(X), raw_predictions, self.learning_rate, columns, prediction_threads(view, X))

    def _raw_predict_quickly(self, X: Any) -> np.ndarray | None:
        """Return the raw predictions of samples that need no check, None of others."""
        if "estimators_" not in self.__dict__:
            return None
        plain = plain_samples(self, X)
        return None if plain is None else self._raw_predict_plain(plain)

    def __getstate__(self):
        state = dict(super().__getstate__())  # a copy: it may be the estimator's own
        if "estimators_" in state:
            state["estimators_"] = for_pickle(state["estimators_"])
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "estimators_" in vars(self):
            self.estimators_ = from_pickle(self.estimators_)


class GradientBoostingClassifier(Boosting, sklearn.ensemble.GradientBoostingClassifier):
    __doc__ = sklearn.ensemble.GradientBoostingClassifier.__doc__

    @accelerated()
    def predict(self, X):
        return super().predict(X)

    @accelerated()
    def decision_function(self, X):
        raw_predictions = self._raw_predict_quickly(X)
        if raw_predictions is None:
            return super().decision_function(X)
        return raw_predictions.ravel() if raw_predictions.shape[1] == 1 else raw_predictions

    @accelerated()
    def predict_proba(self, X):
        return super().predict_proba(X)


class GradientBoostingRegressor(Boosting, sklearn.ensemble.GradientBoostingRegressor):
    __doc__ = sklearn.ensemble.GradientBoostingRegressor.__doc__

    @accelerated()
    def predict(self, X):
        raw_predictions = self._raw_predict_quickly(X)
        return super().predict(X) if raw_predictions is None else raw_predictions.ravel()
