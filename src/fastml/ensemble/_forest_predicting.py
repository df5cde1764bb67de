"""What forests do once they are fitted."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.ensemble._forest import BaseForest, ForestClassifier, ForestRegressor
from sklearn.utils.validation import check_is_fitted, validate_data

from fastml import _core
from fastml._support.dispatch import accelerated
from fastml.tree._predicting import core_samples, grown_trees, prediction_threads, remembered_view, samples


class ForestPredicting(BaseForest):
    """``apply`` of a forest."""

    @accelerated()
    def apply(self, X):
        X, view = self._checked_samples(X)
        return view.apply(core_samples(X), prediction_threads(view, X, self.n_jobs)).T

    def _validate_X_predict(self, X: Any) -> Any:
        if grown_trees(self) is None:
            return super()._validate_X_predict(X)
        # As the parent does, but it would have all estimators made in order to ask the first of them about NaN.
        takes_nan = not issparse(X) and self.__sklearn_tags__().input_tags.allow_nan
        X = validate_data(
            self,
            X,
            dtype=np.float32,
            accept_sparse="csr",
            reset=False,
            ensure_all_finite="allow-nan" if takes_nan else True,
        )
        if issparse(X) and (X.indices.dtype != np.intc or X.indptr.dtype != np.intc):
            raise ValueError("No support for np.int64 index based sparse matrices")
        return X

    def _checked_samples(self, X: Any) -> tuple[Any, _core.ForestView]:
        if "n_outputs_" not in self.__dict__:
            check_is_fitted(self)
        X = samples(self, X)
        trees = grown_trees(self)
        return X, remembered_view(self, [tree.tree_ for tree in self.estimators_] if trees is None else trees)

    def _mean_values(self, X: Any) -> np.ndarray:
        """Return the mean over trees of the values of each sample's leaves, (n_samples, n_values)."""
        X, view = self._checked_samples(X)
        values = np.zeros((X.shape[0], view.n_values))
        # Tree by tree for each sample: the sums are scikit-learn's with n_jobs=1, for any number of threads.
        view.add_values(core_samples(X), values, n_threads=prediction_threads(view, X, self.n_jobs))
        values /= view.n_trees
        return values


class ForestClassifierPredicting(ForestPredicting, ForestClassifier):
    """``predict``, ``predict_proba`` and ``apply``, which make the parent's ``predict_log_proba`` quick."""

    @accelerated()
    def predict(self, X):
        probabilities = self.predict_proba(X)
        if self.n_outputs_ == 1:
            return self.classes_.take(probabilities.argmax(axis=1), axis=0)
        # All outputs have the same type.
        predictions = np.empty((len(probabilities[0]), self.n_outputs_), dtype=self.classes_[0].dtype)
        for k, of_output in enumerate(probabilities):
            predictions[:, k] = self.classes_[k].take(of_output.argmax(axis=1), axis=0)
        return predictions

    @accelerated()
    def predict_proba(self, X):
        means = self._mean_values(X)
        if self.n_outputs_ == 1:
            return means
        # A node has as many values for each output as the output with the most classes needs.
        means = means.reshape(len(means), self.n_outputs_, -1)
        return [means[:, k, :count].copy() for k, count in enumerate(self.n_classes_)]


class ForestRegressorPredicting(ForestPredicting, ForestRegressor):
    """``predict`` and ``apply``."""

    @accelerated()
    def predict(self, X):
        means = self._mean_values(X)
        return means[:, 0] if self.n_outputs_ == 1 else means
