"""The one sample that is closest to each query, among samples that are not kept."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from fastml._support.metric import Metric
from fastml.neighbors._index import Index, SparseIndex


def closest(X: Any, Y: Any, metric: Metric) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of Y that is closest to each row of X, the first of several.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples_X, n_features)
        The queries, as :func:`sklearn.metrics.pairwise.check_pairwise_arrays` returns them.
    Y : ndarray or CSR of shape (n_samples_Y, n_features)
        The samples, of the same dtype.
    metric : Metric
        One for sparse samples where X or Y are sparse.

    Returns
    -------
    distances : ndarray of shape (n_samples_X,)
        In the dtype that scikit-learn returns them in.
    indices : ndarray of shape (n_samples_X,), int64
    """
    if sp.issparse(X) or sp.issparse(Y):
        distances, indices = SparseIndex(sp.csr_array(Y), metric).nearest(sp.csr_array(X), 1, None)
    else:
        X, Y = (np.require(array, requirements=("C", "A")) for array in (X, Y))
        distances, indices = Index(Y, metric).nearest(X, 1, None)
    dtype = X.dtype if metric.is_narrow else np.float64
    return distances.ravel().astype(dtype, copy=False), indices.ravel()
