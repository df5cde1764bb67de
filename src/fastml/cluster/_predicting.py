"""What both k-means estimators do once they are fitted."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.cluster._kmeans import _BaseKMeans
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from fastml import _core
from fastml._support import threads, validation
from fastml._support.dispatch import accelerated
from fastml.cluster._input import core_input


class Predicting(_BaseKMeans):
    """The methods that read ``cluster_centers_``.

    scikit-learn's base class gives them their docstrings and the wrapper that ``set_output`` needs.
    """

    cluster_centers_: np.ndarray

    @accelerated()
    def predict(self, X):
        X, centers, n_threads = self._test_input(X)
        return _core.kmeans_labels(core_input(X), centers, n_threads)

    @accelerated()
    def score(self, X, y=None, sample_weight=None):
        X, centers, n_threads = self._test_input(X)
        weights = validation.sample_weight(sample_weight, X)
        samples = core_input(X)
        labels = _core.kmeans_labels(samples, centers, n_threads)
        return -_core.kmeans_inertia(samples, centers, labels, weights, n_threads)

    @accelerated()
    def transform(self, X):
        X, _, _ = self._test_input(X)
        return self._transform(X)

    def _transform(self, X: Any) -> np.ndarray:
        """Return distances to the centres. After ``fit``, X may still be as the user gave it."""
        X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32], order="C", accept_large_sparse=False)
        X, centers, n_threads = self._with_centers(X)
        return _core.kmeans_distances(core_input(X), centers, n_threads)

    def _test_input(self, X: Any) -> tuple[Any, np.ndarray, int]:
        if "cluster_centers_" not in self.__dict__:
            check_is_fitted(self)
        return self._with_centers(validation.validate(self, X, reset=False, sparse="csr"))

    def _with_centers(self, X: Any) -> tuple[Any, np.ndarray, int]:
        """Return samples and centres in one dtype, the wider of the two, and the number of threads."""
        centers = np.ascontiguousarray(self.cluster_centers_)
        if centers.dtype != X.dtype:
            dtype = np.result_type(centers, X)
            X, centers = X.astype(dtype), centers.astype(dtype)
        stored = X.nnz if sp.issparse(X) else X.size
        return X, centers, threads.n_threads(work=float(stored) * centers.shape[0])
