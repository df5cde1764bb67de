"""Local outlier factors."""

import sklearn.neighbors

from fastml._support.dispatch import accelerated
from fastml.neighbors._searching import KNeighbors


class LocalOutlierFactor(KNeighbors, sklearn.neighbors.LocalOutlierFactor):
    __doc__ = sklearn.neighbors.LocalOutlierFactor.__doc__

    @accelerated()
    def fit(self, X, y=None):
        return super().fit(X, y)
