"""pairwise_distances_argmin and pairwise_distances_argmin_min: a search for one neighbour."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.metrics
from sklearn.metrics.pairwise import check_pairwise_arrays
from sklearn.utils._param_validation import validate_params

from fastml._support.dispatch import Condition, accelerated
from fastml.neighbors._index import Index
from fastml.neighbors._metric import Metric, served_metric


def _metric(metric: Any, metric_kwargs: dict[str, Any] | None) -> Metric | None:
    parameters = dict(metric_kwargs or {})
    if metric == "euclidean":
        # The answer does not depend on norms computed before.
        for name in ("X_norm_squared", "Y_norm_squared"):
            parameters.pop(name, None)
        if parameters.pop("squared", False):
            metric = "sqeuclidean"
    return served_metric(metric, parameters)


_SERVED = (
    Condition(
        "a metric of euclidean, sqeuclidean, manhattan, chebyshev, minkowski or cosine",
        lambda X, Y, *, axis=1, metric="euclidean", metric_kwargs=None: _metric(metric, metric_kwargs) is not None,
    ),
    Condition("dense X and Y", lambda X, Y, **options: not sp.issparse(X) and not sp.issparse(Y)),
)


@accelerated(*_SERVED, fallback=sklearn.metrics.pairwise_distances_argmin_min)
@validate_params(
    sklearn.metrics.pairwise_distances_argmin_min._skl_parameter_constraints,
    prefer_skip_nested_validation=False,
)
def pairwise_distances_argmin_min(X, Y, *, axis=1, metric="euclidean", metric_kwargs=None):
    X, Y = check_pairwise_arrays(X, Y)
    if axis == 0:
        X, Y = Y, X
    X, Y = (np.require(array, requirements=("C", "A")) for array in (X, Y))
    served = _metric(metric, metric_kwargs)
    assert served is not None, "_SERVED says so"
    distances, indices = Index(Y, served).nearest(X, 1, None)
    # Where scikit-learn makes the matrix of distances, they are of the dtype of X.
    dtype = X.dtype if metric == "cosine" else np.float64
    return indices.ravel(), distances.ravel().astype(dtype, copy=False)


@accelerated(*_SERVED, fallback=sklearn.metrics.pairwise_distances_argmin)
@validate_params(
    sklearn.metrics.pairwise_distances_argmin._skl_parameter_constraints,
    prefer_skip_nested_validation=False,
)
def pairwise_distances_argmin(X, Y, *, axis=1, metric="euclidean", metric_kwargs=None):
    return pairwise_distances_argmin_min(X, Y, axis=axis, metric=metric, metric_kwargs=metric_kwargs)[0]
