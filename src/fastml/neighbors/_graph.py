"""kneighbors_graph and radius_neighbors_graph."""

import sklearn.neighbors
from sklearn.neighbors._base import KNeighborsMixin, RadiusNeighborsMixin
from sklearn.utils._param_validation import validate_params

from fastml._support.dispatch import accelerated
from fastml.neighbors._unsupervised import NearestNeighbors

# scikit-learn's, also where ours take their place there.
_k_graph = sklearn.neighbors.kneighbors_graph
_radius_graph = sklearn.neighbors.radius_neighbors_graph


@accelerated(fallback=_k_graph)
@validate_params(
    sklearn.neighbors.kneighbors_graph._skl_parameter_constraints,
    prefer_skip_nested_validation=False,
)
def kneighbors_graph(
    X,
    n_neighbors,
    *,
    mode="connectivity",
    metric="minkowski",
    p=2,
    metric_params=None,
    include_self=False,
    n_jobs=None,
):
    options = {"metric": metric, "p": p, "metric_params": metric_params}
    if not isinstance(X, KNeighborsMixin):
        X = NearestNeighbors(n_neighbors=n_neighbors, n_jobs=n_jobs, **options).fit(X)
    return _k_graph(X, n_neighbors, mode=mode, include_self=include_self, **options)


@accelerated(fallback=_radius_graph)
@validate_params(
    sklearn.neighbors.radius_neighbors_graph._skl_parameter_constraints,
    prefer_skip_nested_validation=False,
)
def radius_neighbors_graph(
    X,
    radius,
    *,
    mode="connectivity",
    metric="minkowski",
    p=2,
    metric_params=None,
    include_self=False,
    n_jobs=None,
):
    options = {"metric": metric, "p": p, "metric_params": metric_params}
    if not isinstance(X, RadiusNeighborsMixin):
        X = NearestNeighbors(radius=radius, n_jobs=n_jobs, **options).fit(X)
    return _radius_graph(X, radius, mode=mode, include_self=include_self, **options)
