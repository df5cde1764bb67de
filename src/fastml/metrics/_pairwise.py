"""pairwise_distances_argmin and pairwise_distances_argmin_min: a search for one neighbour."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.metrics
from sklearn.metrics.pairwise import check_pairwise_arrays
from sklearn.utils._param_validation import validate_params

from fastml._support.dispatch import Condition, accelerated
from fastml._support.metric import NAMES, Metric, served_metric
from fastml.neighbors._closest import closest


def _metric(metric: Any, metric_kwargs: dict[str, Any] | None, n_features: int) -> Metric | None:
    parameters = dict(metric_kwargs or {})
    if metric == "euclidean":
        # The answer does not depend on norms computed before.
        for name in ("X_norm_squared", "Y_norm_squared"):
            parameters.pop(name, None)
        if parameters.pop("squared", False):
            metric = "sqeuclidean"
    # scikit-learn takes a distance that is not defined for the least.
    return None if metric == "nan_euclidean" else served_metric(metric, parameters, n_features)


_NAMES = sklearn.metrics.pairwise_distances_argmin._skl_parameter_constraints["metric"][0].options


def _is_served(X: Any, Y: Any, *, axis: int = 1, metric: Any = "euclidean", metric_kwargs: Any = None) -> bool:
    known = metric in _NAMES if isinstance(metric, str) else callable(metric)
    if not known or not isinstance(metric_kwargs, (dict, type(None))):
        return True  # there is an error coming
    shape = np.shape(X)
    served = _metric(metric, metric_kwargs, shape[1] if len(shape) == 2 else 0)
    return served is not None and (served.is_for_sparse or not (sp.issparse(X) or sp.issparse(Y)))


_SERVED = Condition(f"a metric of {NAMES} (but nan_euclidean); for sparse X, a sparse metric", _is_served)


@accelerated(_SERVED, fallback=sklearn.metrics.pairwise_distances_argmin_min)
@validate_params(
    sklearn.metrics.pairwise_distances_argmin_min._skl_parameter_constraints,
    prefer_skip_nested_validation=False,
)
def pairwise_distances_argmin_min(X, Y, *, axis=1, metric="euclidean", metric_kwargs=None):
    X, Y = check_pairwise_arrays(X, Y)
    if axis == 0:
        X, Y = Y, X
    served = _metric(metric, metric_kwargs, X.shape[1])
    assert served is not None, "_SERVED says so"
    distances, indices = closest(X, Y, served)
    return indices, distances


@accelerated(_SERVED, fallback=sklearn.metrics.pairwise_distances_argmin)
@validate_params(
    sklearn.metrics.pairwise_distances_argmin._skl_parameter_constraints,
    prefer_skip_nested_validation=False,
)
def pairwise_distances_argmin(X, Y, *, axis=1, metric="euclidean", metric_kwargs=None):
    return pairwise_distances_argmin_min(X, Y, axis=axis, metric=metric, metric_kwargs=metric_kwargs)[0]
