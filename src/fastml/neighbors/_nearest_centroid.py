"""Classification by the nearest centroid."""

import numpy as np
import sklearn.neighbors
from sklearn.metrics.pairwise import check_pairwise_arrays
from sklearn.utils.validation import check_is_fitted, validate_data

from fastml._support.dispatch import accelerated
from fastml._support.metric import Metric
from fastml.neighbors._closest import closest


class NearestCentroid(sklearn.neighbors.NearestCentroid):
    __doc__ = sklearn.neighbors.NearestCentroid.__doc__

    @accelerated()
    def predict(self, X):
        check_is_fitted(self)
        if not np.isclose(self.class_prior_, 1 / len(self.classes_)).all():
            # Its scores are one product of matrices.
            return super().predict(X)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        X, centroids = check_pairwise_arrays(X, self.centroids_)
        _, nearest = closest(X, centroids, Metric(self.metric))
        return self.classes_[nearest]
