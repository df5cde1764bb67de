"""DBSCAN: scikit-learn's labels, in memory proportional to the samples."""

import warnings
from numbers import Real
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.cluster
from sklearn.base import _fit_context
from sklearn.neighbors import VALID_METRICS, NearestNeighbors, sort_graph_by_row_values
from sklearn.utils import check_array
from sklearn.utils._param_validation import validate_params
from sklearn.utils.validation import _check_sample_weight, validate_data

from fastml import _core
from fastml._support import threads
from fastml._support.dispatch import Condition, accelerated
from fastml._support.metric import served_metric

_METRICS = ("euclidean", "sqeuclidean", "manhattan", "chebyshev", "minkowski", "cosine")
"""Those that the kernel has, by its names."""

_KNOWN_METRICS = frozenset(metric for names in VALID_METRICS.values() for metric in names)

# Samples that scikit-learn's NearestNeighbors chooses the same method for as for any larger number.
_ENOUGH_TO_CHOOSE = 12

# Sparse samples are made dense where at least one value in this many is stored, or where they are small: the product
# then takes no longer than scikit-learn's sparse one. In bytes of a float64.
_MOST_GROWTH = 10
_SMALL = 1 << 22
_BYTES = 8

# Pairs a sample is compared with at least, those of its own block: what a call is worth in threads.
_LEAST_PAIRS = 64


def _has_kernel(estimator: Any, X: Any, *args: Any, **kwargs: Any) -> bool:
    name, parameters = estimator.metric, estimator.metric_params
    if callable(name):
        return False
    if not isinstance(name, str) or name == "precomputed" or name not in _KNOWN_METRICS:
        return True  # the body rejects what is no metric at all
    if not isinstance(parameters, dict):
        parameters = {}
    if name == "minkowski":
        p = parameters.get("p", estimator.p)
        if p is not None and not isinstance(p, Real):
            return True  # as above
        parameters = parameters | {"p": 2 if p is None else p}
    metric = served_metric(name, parameters, np.shape(X)[-1] if parameters.get("w") is not None else 0)
    return metric is not None and metric.name in _METRICS


def _is_dense_enough(estimator: Any, X: Any, *args: Any, **kwargs: Any) -> bool:
    if not sp.issparse(X) or (isinstance(estimator.metric, str) and estimator.metric == "precomputed"):
        return True
    dense = float(np.prod(X.shape)) * _BYTES
    return dense <= max(_SMALL, _MOST_GROWTH * X.nnz * _BYTES)


class DBSCAN(sklearn.cluster.DBSCAN):
    __doc__ = sklearn.cluster.DBSCAN.__doc__

    @accelerated(
        Condition(
            f"a metric among {', '.join(_METRICS)} and precomputed; no metric_params but minkowski's p and valid w",
            _has_kernel,
        ),
        Condition(
            f"dense X, or sparse X of which one value in {_MOST_GROWTH} is stored, unless metric='precomputed'",
            _is_dense_enough,
        ),
    )
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None):
        X = validate_data(self, X, accept_sparse="csr")
        weights = None
        if sample_weight is not None:
            weights = np.ascontiguousarray(_check_sample_weight(sample_weight, X), dtype=np.float64)
        if self.metric == "precomputed":
            X, (labels, is_core) = self._cluster_distances(X, weights)
        else:
            labels, is_core = self._cluster_features(X, weights)

        core_sample_indices = np.flatnonzero(is_core)
        # Samples as they were given: integers stay integers.
        components = X[core_sample_indices] if len(core_sample_indices) else np.empty((0, X.shape[1]))
        self.core_sample_indices_ = core_sample_indices
        self.labels_ = labels
        self.components_ = components
        return self

    def _neighbors(self, X: Any) -> NearestNeighbors:
        """Have scikit-learn check the parameters of the search and tell the metric in effect."""
        return NearestNeighbors(
            radius=self.eps,
            algorithm=self.algorithm,
            leaf_size=self.leaf_size,
            metric=self.metric,
            metric_params=self.metric_params,
            p=self.p,
            n_jobs=self.n_jobs,
        ).fit(X)

    def _cluster_features(self, X: Any, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the labels of the samples, and which are core."""
        neighbors = self._neighbors(X[:_ENOUGH_TO_CHOOSE])
        metric = served_metric(neighbors.effective_metric_, neighbors.effective_metric_params_, X.shape[1])
        assert metric is not None, "the conditions say so"
        return _core.dbscan(
            _for_kernel(X.toarray() if sp.issparse(X) else X),
            float(self.eps),
            float(self.min_samples),
            metric.name,
            metric.p,
            metric.arguments()["weights"],
            weights,
            threads.n_threads(self.n_jobs, work=float(np.prod(X.shape)) * _LEAST_PAIRS),
        )

    def _cluster_distances(self, X: Any, weights: np.ndarray | None) -> tuple[Any, tuple[np.ndarray, np.ndarray]]:
        """Return the distances as `components_` holds them, and what `_cluster_features` returns."""
        self._neighbors(np.zeros((1, 1)))
        is_sparse = sp.issparse(X)
        if is_sparse:
            # A sample is its own neighbour: the diagonal is stored, zeros too.
            X = X.copy()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", sp.SparseEfficiencyWarning)
                X.setdiag(X.diagonal())
                X = sort_graph_by_row_values(X, warn_when_not_sorted=False)
        name = "precomputed distance matrix" if is_sparse else "X"
        check_array(X, accept_sparse="csr", ensure_non_negative=True, input_name=name)
        if X.shape[0] != X.shape[1]:
            raise ValueError(f"Precomputed matrix must be square. Input is a {X.shape[0]}x{X.shape[1]} matrix.")
        n_threads = threads.n_threads(self.n_jobs, work=float(X.nnz if is_sparse else X.size))
        eps, min_samples = float(self.eps), float(self.min_samples)
        if not is_sparse:
            return X, _core.dbscan_matrix(_for_kernel(X), eps, min_samples, weights, n_threads)
        index = np.result_type(X.indices, X.indptr)
        found = _core.dbscan_graph(
            _for_kernel(X.data),
            X.indices.astype(index, copy=False),
            X.indptr.astype(index, copy=False),
            eps,
            min_samples,
            weights,
            n_threads,
        )
        return X, found


def _for_kernel(values: np.ndarray) -> np.ndarray:
    """Return numbers in a type and an order that the kernel reads."""
    dtype = np.float32 if values.dtype == np.float32 else np.float64
    return np.require(values, dtype=dtype, requirements=["C", "A"])


@accelerated(fallback=sklearn.cluster.dbscan)
@validate_params(
    {"X": ["array-like", "sparse matrix"], "sample_weight": ["array-like", None]},
    prefer_skip_nested_validation=False,
)
def dbscan(
    X,
    eps=0.5,
    *,
    min_samples=5,
    metric="minkowski",
    metric_params=None,
    algorithm="auto",
    leaf_size=30,
    p=2,
    sample_weight=None,
    n_jobs=None,
):
    model = DBSCAN(
        eps=eps,
        min_samples=min_samples,
        metric=metric,
        metric_params=metric_params,
        algorithm=algorithm,
        leaf_size=leaf_size,
        p=p,
        n_jobs=n_jobs,
    ).fit(X, sample_weight=sample_weight)
    return model.core_sample_indices_, model.labels_
