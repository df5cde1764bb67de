"""What all estimators of neighbours share: fitting, and the index that their searches ask.

No tree of scikit-learn is built unless someone asks for ``_tree``. The index is kept outside of the estimator, and is
made anew where it is missing: in copies, after unpickling.
"""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.metrics.pairwise import check_pairwise_arrays
from sklearn.neighbors import BallTree, KDTree
from sklearn.neighbors._base import VALID_METRICS, NeighborsBase, _check_precomputed
from sklearn.utils.validation import validate_data

from fastml._support import validation
from fastml._support.dispatch import Condition
from fastml._support.metric import NAMES, Metric, served_metric
from fastml._support.remembered import Remembered
from fastml.neighbors._given import GivenDistances, GivenGraph
from fastml.neighbors._index import Index, SparseIndex


class _Known(NamedTuple):
    """What was derived from a fitted estimator: from its samples and its metric, by identity."""

    samples: Any
    metric_name: Any
    parameters: Any
    metric: Metric | None
    indices: dict[Any, Any]  # by kind and dtype


_known: Remembered[_Known] = Remembered()

_trees: Remembered[tuple[Any, Any]] = Remembered()
"""Of each estimator whose tree was asked for: the samples, and scikit-learn's tree."""

_MOST_ELEMENTS = 2**23
"""Sparse queries of no more elements, zeros included, are made dense to search in dense samples."""


def is_fitted(estimator: Any) -> bool:
    return "_fit_method" in estimator.__dict__


def _known_of(estimator: Any) -> _Known:
    samples, name, parameters = estimator._fit_X, estimator.effective_metric_, estimator.effective_metric_params_
    known = _known.get(estimator)
    if (
        known is None
        or known.samples is not samples
        or known.metric_name is not name
        or known.parameters is not parameters
    ):
        known = _Known(samples, name, parameters, served_metric(name, parameters, samples.shape[1]), {})
        _known.keep(estimator, known)
    return known


def _metric_of(estimator: Any) -> Metric | None:
    return _known_of(estimator).metric


def _is_served(estimator: Any, X: Any = None, *args: Any, **kwargs: Any) -> bool:
    """Tell whether the kernels serve an estimator's metric for queries X."""
    # What is not fitted has an error coming.
    if not is_fitted(estimator) or estimator.metric == "precomputed":
        return True
    metric = _metric_of(estimator)
    if metric is None:
        return False
    # Trees have an error for sparse queries.
    return metric.is_for_sparse or not sp.issparse(X) or estimator._fit_method != "brute"


def _has_samples(estimator: Any, *args: Any, **kwargs: Any) -> bool:
    return estimator.__dict__.get("_tree") is None


SERVED = (
    Condition(f"precomputed distances or a metric of {NAMES}; for sparse X, a sparse metric", _is_served),
    Condition("an estimator that was fitted on samples, not on a tree of scikit-learn", _has_samples),
)


class _SamplesOf(NeighborsBase):
    """What another estimator takes over from a fitted one, without the tree that it may not have built."""

    def __init__(self, fitted: NeighborsBase) -> None:
        self._fit_X = fitted._fit_X
        self._fit_method = fitted._fit_method
        self.n_samples_fit_ = fitted.n_samples_fit_
        self._tree = None


def _measures_like(estimator: NeighborsBase, other: NeighborsBase) -> bool:
    """Tell whether a search in the samples of the other estimator is one by the metric of this."""
    metric = _metric_of(estimator)
    return metric is not None and metric == _metric_of(other) and isinstance(other._fit_X, np.ndarray)


class Fitting(NeighborsBase):
    """``_fit`` without a tree, and ``_tree`` for who asks for it."""

    algorithm: str

    def _fit(self, X, y=None):
        self.__dict__.pop("_tree", None)
        _known.forget(self)
        _trees.forget(self)
        if isinstance(X, NeighborsBase):
            super()._fit(_SamplesOf(X), y)
            if not _measures_like(self, X):
                # scikit-learn's searches would go by the metric of the other's tree.
                self._tree = X._tree
                return self
        elif not self._can_fit_without_tree(X):
            super()._fit(X, y)
            if isinstance(X, (KDTree, BallTree)) or _metric_of(self) is None:
                return self
        else:
            algorithm = self.algorithm
            try:
                # It decides about nothing but the tree.
                self.algorithm = "brute"
                super()._fit(X, y)
            finally:
                self.algorithm = algorithm
            self._fit_method = algorithm if algorithm != "auto" else self._automatic_method()
        del self.__dict__["_tree"]
        return self

    def _can_fit_without_tree(self, X: Any) -> bool:
        """Tell whether scikit-learn checks the same for brute force as for the algorithm."""
        if self.algorithm == "brute" or sp.issparse(X) or isinstance(X, (KDTree, BallTree)):
            return False
        if not isinstance(self.metric, str) or self.metric not in VALID_METRICS["brute"]:
            return False
        if self.metric == "haversine":
            return False  # trees take two features only, brute force says so later
        if self.metric_params is not None or (self.metric == "minkowski" and (self.p is None or self.p < 1)):
            return False
        trees = ("kd_tree", "ball_tree") if self.algorithm == "auto" else (self.algorithm,)
        return all(self.metric in VALID_METRICS[tree] for tree in trees)

    def _automatic_method(self) -> str:
        """Return what scikit-learn chooses for ``algorithm="auto"``, for a metric of both trees."""
        n_samples, n_features = self._fit_X.shape
        many = self.n_neighbors is not None and self.n_neighbors >= n_samples // 2
        return "brute" if n_features > 15 or many else "kd_tree"

    @property
    def _tree(self):
        state = self.__dict__
        if "_tree" in state:
            return state["_tree"]
        if not is_fitted(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute '_tree'")
        kind = {"kd_tree": KDTree, "ball_tree": BallTree}.get(self._fit_method)
        if kind is None:
            return None
        made = _trees.get(self)
        if made is None or made[0] is not self._fit_X:
            parameters = self.effective_metric_params_
            tree = kind(self._fit_X, self.leaf_size, metric=self.effective_metric_, **parameters)
            made = self._fit_X, tree
            _trees.keep(self, made)
        return made[1]

    @_tree.setter
    def _tree(self, tree):
        self.__dict__["_tree"] = tree

    def __fastml_to_sklearn__(self):
        return self.__dict__ | ({"_tree": self._tree} if is_fitted(self) else {})

    def _query(self, X: Any) -> tuple[Any, Any]:
        """Return checked queries, or the samples for None, and what searches for them."""
        if self.metric == "precomputed":
            return self._given(X)
        known = _known_of(self)
        fitted, metric = known.samples, known.metric
        assert metric is not None, "SERVED says so"
        if metric.name == "haversine" and fitted.shape[1] != 2:
            raise ValueError("Haversine distance only valid in 2 dimensions")
        if X is None:
            X = fitted
        elif sp.issparse(X):
            X = validate_data(self, X, reset=False, accept_sparse="csr", order="C")
            if self._fit_method != "brute":
                raise ValueError(
                    f"{self._fit_method} does not work with sparse matrices. Densify the data, or set algorithm='brute'"
                )
        elif metric.name == "nan_euclidean":
            X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", order="C")
        else:
            X = validation.validate(self, X, reset=False, sparse="csr", dtype="numeric")

        dtype = np.dtype(np.float32 if X.dtype == fitted.dtype == np.float32 else np.float64)
        many = sp.issparse(X) and X.shape[0] * X.shape[1] > _MOST_ELEMENTS
        kind = SparseIndex if sp.issparse(fitted) or many else Index
        index = known.indices.get((kind, dtype))
        if index is None:
            index = known.indices.setdefault((kind, dtype), kind(_as_kind(kind, fitted, dtype), metric))
        return index.X if X is fitted else _as_kind(kind, X, dtype), index

    def _given(self, X: Any) -> tuple[Any, Any]:
        X = self._fit_X if X is None else _check_precomputed(X)
        if sp.issparse(X):
            return X, GivenGraph()
        if X.shape[1] != self.n_samples_fit_:
            check_pairwise_arrays(X, self._fit_X, precomputed=True)
        return X, GivenDistances()

    def _as_returned(self, distances: np.ndarray, queries: Any) -> np.ndarray:
        """Return distances in the dtype that scikit-learn returns them in."""
        if self.metric == "precomputed" or queries.dtype != np.float32:
            return distances
        metric = _metric_of(self)
        return distances.astype(np.float32) if metric is not None and metric.is_narrow else distances


def _as_kind(kind: type, X: Any, dtype: np.dtype) -> Any:
    """Return samples as an index of that kind takes them."""
    if kind is SparseIndex:
        return sp.csr_array(X, dtype=dtype)
    return np.require(X.toarray() if sp.issparse(X) else X, dtype, ("C", "A"))
