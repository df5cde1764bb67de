"""Searches, and the transformers that make graphs of them."""

import sklearn.neighbors
from sklearn.base import _fit_context

from fastml._support.dispatch import accelerated
from fastml.neighbors._searching import KNeighbors, RadiusNeighbors


class NearestNeighbors(KNeighbors, RadiusNeighbors, sklearn.neighbors.NearestNeighbors):
    __doc__ = sklearn.neighbors.NearestNeighbors.__doc__

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        return self._fit(X)


class KNeighborsTransformer(KNeighbors, sklearn.neighbors.KNeighborsTransformer):
    __doc__ = sklearn.neighbors.KNeighborsTransformer.__doc__

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        self._fit(X)
        self._n_features_out = self.n_samples_fit_
        return self


class RadiusNeighborsTransformer(RadiusNeighbors, sklearn.neighbors.RadiusNeighborsTransformer):
    __doc__ = sklearn.neighbors.RadiusNeighborsTransformer.__doc__

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        self._fit(X)
        self._n_features_out = self.n_samples_fit_
        return self
