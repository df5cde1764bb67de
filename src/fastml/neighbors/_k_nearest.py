"""Classification and regression by the k nearest neighbours."""

from typing import Any

import numpy as np
import sklearn.neighbors
from sklearn.base import _fit_context

from fastml import _core
from fastml._support.dispatch import Condition, accelerated
from fastml.neighbors._fitting import SERVED
from fastml.neighbors._searching import KNeighbors
from fastml.neighbors._voting import Neighbors, flat_weights, labels_of, mean_targets

REAL_TARGETS = Condition(
    "targets that are numbers", lambda self, X: getattr(self, "_y", None) is None or self._y.dtype.kind in "biuf"
)


class KNeighborsPredicting(KNeighbors):
    """The neighbours of queries with their weights."""

    def _neighbors(self, X: Any) -> Neighbors:
        if self.weights in (None, "uniform"):
            distances, indices = None, self.kneighbors(X, return_distance=False)
        else:
            distances, indices = self.kneighbors(X)
        count, k = indices.shape
        offsets = np.arange(count + 1) * k
        weights = None
        if distances is not None:
            weights = flat_weights(offsets, distances, self.weights, lambda: distances)
        return Neighbors(offsets, np.ascontiguousarray(indices).ravel(), weights)

    def _checked_neighbors(self, X: Any) -> Neighbors:
        neighbors = self._neighbors(X)
        if neighbors.without_weight():
            raise ValueError(
                "All neighbors of some sample is getting zero weights. Please modify 'weights' to avoid this case if "
                "you are using a user-defined function."
            )
        return neighbors


class KNeighborsClassifier(KNeighborsPredicting, sklearn.neighbors.KNeighborsClassifier):
    __doc__ = sklearn.neighbors.KNeighborsClassifier.__doc__

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        return self._fit(X, y)

    @accelerated(*SERVED)
    def predict(self, X):
        neighbors = self._checked_neighbors(X)
        columns = []
        for classes, labels in labels_of(self):
            winners = _core.most_votes(*neighbors, labels, len(classes))
            columns.append(classes.take(winners))
        if not self.outputs_2d_:
            return columns[0]
        predictions = np.empty((len(columns[0]), len(columns)), dtype=self.classes_[0].dtype)
        for k, column in enumerate(columns):
            predictions[:, k] = column
        return predictions

    @accelerated(*SERVED)
    def predict_proba(self, X):
        neighbors = self._checked_neighbors(X)
        shares = []
        for classes, labels in labels_of(self):
            votes = _core.sum_votes(*neighbors, labels, len(classes))
            votes /= votes.sum(axis=1)[:, None]
            shares.append(votes)
        return shares if self.outputs_2d_ else shares[0]


class KNeighborsRegressor(KNeighborsPredicting, sklearn.neighbors.KNeighborsRegressor):
    __doc__ = sklearn.neighbors.KNeighborsRegressor.__doc__

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        return self._fit(X, y)

    @accelerated(*SERVED, REAL_TARGETS)
    def predict(self, X):
        neighbors = self._neighbors(X)
        means = mean_targets(self._y, neighbors)
        return means.ravel() if self._y.ndim == 1 else means
