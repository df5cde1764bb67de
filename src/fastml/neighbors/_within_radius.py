"""Classification and regression by the neighbours within a radius."""

import warnings
from typing import Any

import numpy as np
import sklearn.neighbors
from sklearn.base import _fit_context

from fastml import _core
from fastml._support.dispatch import accelerated
from fastml.neighbors._fitting import SERVED
from fastml.neighbors._k_nearest import REAL_TARGETS
from fastml.neighbors._searching import RadiusNeighbors, rows_of
from fastml.neighbors._voting import Neighbors, flat_weights, labels_of, mean_targets


class RadiusPredicting(RadiusNeighbors):
    """The neighbours of queries with their weights."""

    def _neighbors(self, X: Any) -> Neighbors:
        offsets, distances, indices = self._within(X, None)
        weights = flat_weights(offsets, distances, self.weights, lambda: rows_of(distances, offsets))
        return Neighbors(offsets, indices, weights)


class RadiusNeighborsClassifier(RadiusPredicting, sklearn.neighbors.RadiusNeighborsClassifier):
    __doc__ = sklearn.neighbors.RadiusNeighborsClassifier.__doc__

    @accelerated()
    def fit(self, X, y):
        return super().fit(X, y)

    @accelerated(*SERVED)
    def predict(self, X):
        return super().predict(X)

    @accelerated(*SERVED)
    def predict_proba(self, X):
        neighbors = self._neighbors(X)
        alone = np.flatnonzero(np.diff(neighbors.offsets) == 0)
        if self.outlier_label_ is None and alone.size > 0:
            raise ValueError(
                f"No neighbors found for test samples {alone!r}, you can try using larger radius, giving a label for "
                "outliers, or considering removing them from your dataset."
            )
        shares = []
        for k, (classes, labels) in enumerate(labels_of(self)):
            votes = _core.sum_votes(*neighbors, labels, len(classes))
            if alone.size > 0:
                place = np.flatnonzero(classes == self.outlier_label_[k])
                if place.size == 1:
                    votes[alone, place[0]] = 1.0
                else:
                    warnings.warn(
                        f"Outlier label {self.outlier_label_[k]} is not in training classes. All class probabilities "
                        "of outliers will be assigned with 0.",
                        stacklevel=4,
                    )
            total = votes.sum(axis=1)[:, None]
            total[total == 0.0] = 1.0
            votes /= total
            shares.append(votes)
        return shares if self.outputs_2d_ else shares[0]


class RadiusNeighborsRegressor(RadiusPredicting, sklearn.neighbors.RadiusNeighborsRegressor):
    __doc__ = sklearn.neighbors.RadiusNeighborsRegressor.__doc__

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        return self._fit(X, y)

    @accelerated(*SERVED, REAL_TARGETS)
    def predict(self, X):
        neighbors = self._neighbors(X)
        means = mean_targets(self._y, neighbors)
        alone = np.diff(neighbors.offsets) == 0
        if alone.any():
            # Whole targets have no NaN: scikit-learn has what NumPy makes of it.
            means[alone] = np.full_like(self._y[0], np.nan)
        if np.isnan(means).any():
            warnings.warn(
                "One or more samples have no neighbors within specified radius; predicting NaN.", stacklevel=4
            )
        return means.ravel() if self._y.ndim == 1 else means
