"""What all estimators of neighbours share: fitting, ``kneighbors`` and ``radius_neighbors``.

No tree of scikit-learn is built unless someone asks for ``_tree``. The index that the kernels search is kept outside
of the estimator, and is made anew where it is missing: in copies, after unpickling.
"""

from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.neighbors import BallTree, KDTree
from sklearn.neighbors._base import VALID_METRICS, KNeighborsMixin, NeighborsBase, RadiusNeighborsMixin
from sklearn.utils import _align_api_if_sparse
from sklearn.utils.validation import check_is_fitted, validate_data

from fastml._support import validation
from fastml._support.dispatch import Condition, accelerated
from fastml._support.remembered import Remembered
from fastml.neighbors._index import Index
from fastml.neighbors._metric import Metric, served_metric

_indices: Remembered[tuple[Any, dict[Any, Index]]] = Remembered()
"""Of each estimator: the samples that it was fitted on, and indices of them by dtype and metric."""

_trees: Remembered[tuple[Any, Any]] = Remembered()
"""Of each estimator whose tree was asked for: the samples, and scikit-learn's tree."""

_MOST_ELEMENTS = 2**23
"""Sparse samples of no more elements are made dense."""

_SPARSE_METRICS = ("euclidean", "manhattan", "cosine")
"""Those for which scikit-learn takes sparse samples."""


def _is_fitted(estimator: Any) -> bool:
    return "_fit_method" in estimator.__dict__


def _metric_of(estimator: Any) -> Metric | None:
    return served_metric(estimator.effective_metric_, estimator.effective_metric_params_)


def _is_served(estimator: Any, *args: Any, **kwargs: Any) -> bool:
    # What is not fitted has an error coming.
    return not _is_fitted(estimator) or _metric_of(estimator) is not None


def _is_dense_enough(estimator: Any, X: Any = None, *args: Any, **kwargs: Any) -> bool:
    sparse = [x for x in (X, getattr(estimator, "_fit_X", None)) if sp.issparse(x)]
    if not sparse or not _is_fitted(estimator):
        return True
    metric = _metric_of(estimator)
    return (metric is None or metric.name in _SPARSE_METRICS) and max(map(_n_elements, sparse)) <= _MOST_ELEMENTS


def _n_elements(X: Any) -> int:
    return X.shape[0] * X.shape[1]


def _has_samples(estimator: Any, *args: Any, **kwargs: Any) -> bool:
    return estimator.__dict__.get("_tree") is None


SERVED = (
    Condition("a metric of euclidean, manhattan, chebyshev, minkowski or cosine", _is_served),
    Condition(
        f"dense X, or sparse X of at most {_MOST_ELEMENTS:,} elements (zeros included) and a metric of euclidean, "
        "manhattan or cosine",
        _is_dense_enough,
    ),
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
    return (
        _metric_of(estimator) is not None
        and estimator.effective_metric_ == other.effective_metric_
        and estimator.effective_metric_params_ == other.effective_metric_params_
        and isinstance(other._fit_X, np.ndarray)
    )


class Fitting(NeighborsBase):
    """``_fit`` without a tree, and ``_tree`` for who asks for it."""

    algorithm: str

    def _fit(self, X, y=None):
        self.__dict__.pop("_tree", None)
        _indices.forget(self)
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
        if not _is_fitted(self):
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
        return self.__dict__ | ({"_tree": self._tree} if _is_fitted(self) else {})

    def _query(self, X: Any) -> tuple[np.ndarray, Index]:
        """Return checked queries, or the samples for None, and the index to search for them."""
        fitted = self._fit_X
        if X is None:
            X = fitted
        else:
            if sp.issparse(X):
                X = validate_data(self, X, reset=False, accept_sparse="csr", order="C")
            else:
                X = validation.validate(self, X, reset=False, sparse="csr", dtype="numeric")
            if sp.issparse(X) and self._fit_method != "brute":
                raise ValueError(
                    f"{self._fit_method} does not work with sparse matrices. Densify the data, or set algorithm='brute'"
                )
        dtype = np.dtype(np.float32 if X.dtype == fitted.dtype == np.float32 else np.float64)
        metric = _metric_of(self)
        assert metric is not None, "SERVED says so"
        known = _indices.get(self)
        if known is None or known[0] is not fitted:
            known = fitted, {}
            _indices.keep(self, known)
        indices = known[1]
        index = indices.get((dtype, metric))
        if index is None:
            index = indices.setdefault((dtype, metric), Index(_dense(fitted, dtype), metric))
        X = index.X if X is fitted else _dense(X, dtype)
        return X, index

    def _as_returned(self, distances: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Return distances in the dtype that scikit-learn returns them in."""
        narrow = self.effective_metric_ == "cosine" and X.dtype == np.float32
        return distances.astype(np.float32) if narrow else distances


def _dense(X: Any, dtype: np.dtype) -> np.ndarray:
    return np.require(X.toarray() if sp.issparse(X) else X, dtype, ("C", "A"))


class KNeighbors(KNeighborsMixin, Fitting):
    """``kneighbors``."""

    @accelerated(*SERVED)
    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        if not _is_fitted(self):
            check_is_fitted(self)
        if n_neighbors is None:
            n_neighbors = self.n_neighbors
        elif n_neighbors <= 0:
            raise ValueError(f"Expected n_neighbors > 0. Got {n_neighbors}")
        elif not isinstance(n_neighbors, Integral):
            raise TypeError(f"n_neighbors does not take {type(n_neighbors)} value, enter integer value")
        queries, index = self._query(X)
        # A sample finds itself too.
        wanted = int(n_neighbors) + (X is None)
        if wanted > self.n_samples_fit_:
            relation = "n_neighbors < n_samples_fit" if X is None else "n_neighbors <= n_samples_fit"
            raise ValueError(
                f"Expected {relation}, but n_neighbors = {n_neighbors}, n_samples_fit = {self.n_samples_fit_}, "
                f"n_samples = {queries.shape[0]}"
            )
        distances, indices = index.nearest(queries, wanted, self.n_jobs)
        if X is None:
            others = _others(indices)
            shape = len(indices), wanted - 1
            indices = indices[others].reshape(shape)
            distances = distances[others].reshape(shape) if return_distance else distances
        return (self._as_returned(distances, queries), indices) if return_distance else indices


def _others(indices: np.ndarray) -> np.ndarray:
    """Return a mask of neighbours without the sample itself; without the first, where more are equal to the sample."""
    mask = indices != np.arange(len(indices))[:, None]
    mask[:, 0] &= ~mask.all(axis=1)
    return mask


class RadiusNeighbors(RadiusNeighborsMixin, Fitting):
    """``radius_neighbors`` and its graph."""

    @accelerated(*SERVED)
    def radius_neighbors(self, X=None, radius=None, return_distance=True, sort_results=False):
        offsets, distances, indices = self._within(X, radius, return_distance, sort_results)
        rows = rows_of(indices, offsets)
        return (rows_of(distances, offsets), rows) if return_distance else rows

    def _within(
        self, X: Any, radius: float | None, return_distance: bool = True, sort_results: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return offsets, distances and indices: the neighbours of query i are those from ``offsets[i]`` on."""
        if not _is_fitted(self):
            check_is_fitted(self)
        if sort_results and not return_distance:
            raise ValueError("return_distance must be True if sort_results is True.")
        queries, index = self._query(X)
        radius = self.radius if radius is None else radius
        offsets, distances, indices = index.within(queries, radius, self.n_jobs, sort_results)
        if X is None:
            counts = np.diff(offsets)
            others = indices != np.repeat(np.arange(len(queries)), counts)
            offsets = np.concatenate(([0], np.cumsum(others)))[offsets]
            distances, indices = distances[others], indices[others]
        return offsets, self._as_returned(distances, queries), indices

    @accelerated(*SERVED)
    def radius_neighbors_graph(self, X=None, radius=None, mode="connectivity", sort_results=False):
        if not _is_fitted(self):
            check_is_fitted(self)
        if mode not in ("connectivity", "distance"):
            raise ValueError(f'Unsupported mode, must be one of "connectivity", or "distance" but got "{mode}" instead')
        offsets, distances, indices = self._within(X, radius, True, sort_results and mode == "distance")
        values = distances if mode == "distance" else np.ones(len(indices))
        shape = len(offsets) - 1, self.n_samples_fit_
        return _align_api_if_sparse(sp.csr_array((values, indices, offsets), shape=shape))


def rows_of(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return an array of arrays, one for each query."""
    rows = np.empty(len(offsets) - 1, dtype=object)
    bounds = offsets.tolist()
    for i in range(len(rows)):
        rows[i] = values[bounds[i] : bounds[i + 1]]
    return rows
