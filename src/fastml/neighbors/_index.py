"""Samples to search in, and the choice between a k-d tree and comparing with all of them.

Both give the same answer to the bit, so the choice is a matter of time alone. What a search in the tree takes is
estimated from how many of the points a few queries look at.
"""

import math
import threading
from typing import Any

import numpy as np

from fastml import _core
from fastml._support import threads
from fastml._support.metric import Metric

# Nanoseconds on a Zen 3, one thread. Comparing a query with a sample takes _BRUTE[0] for each feature and _BRUTE[1]
# besides; where it is no matter of products, _DIFFERENCES for each feature. A point looked at in a leaf of the tree
# takes _TREE[0] for each feature and _TREE[1] besides, a query _TREE_QUERY. Building takes _BUILD for each point and
# level.
_BRUTE = (0.025, 0.12)
_DIFFERENCES = {
    "manhattan": 0.06,
    "chebyshev": 0.06,
    "minkowski": 0.4,
    "hamming": 0.2,
    "canberra": 1.0,
    "braycurtis": 0.4,
    "nan_euclidean": 0.3,
}
_TREE = (0.25, 1.0)
_TREE_QUERY = 400.0
_BUILD = 6.0

_OPERATIONS_PER_NS = 17.0
"""What :mod:`fastml._support.threads` counts in."""

_MOST_TREE_FEATURES = 40
"""With more, a tree is not even tried: the boxes of its leaves exclude too little."""

_PROBES = 64
"""Queries at most that are asked at once how much of the tree they look at."""

_ENOUGH_PROBES = 16
"""Queries that stand for all others."""


class Index:
    """Samples of one dtype, and what is made of them when it is first needed.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
        Finite, C-contiguous, aligned. It must not change while the index is used.
    metric : Metric
    """

    def __init__(self, X: np.ndarray, metric: Metric) -> None:
        self.X = X
        self.metric = metric
        self._lock = threading.Lock()
        self._brute: Any = None
        self._tree: Any = None
        self._spent = 0.0
        # Of the queries asked so far, by about how many neighbours they wanted: their number, the sum of their shares.
        self._asked: dict[int, tuple[int, float]] = {}

    def nearest(self, queries: np.ndarray, k: int, n_jobs: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest samples of each query, by (distance, index).

        Parameters
        ----------
        queries : ndarray of shape (n_queries, n_features)
            Of the dtype of ``X``; finite, C-contiguous, aligned.
        k : int
            From 1 to ``n_samples``.
        n_jobs : int or None
            The estimator's parameter.

        Returns
        -------
        distances : ndarray of shape (n_queries, k), float64
        indices : ndarray of shape (n_queries, k), int64
        """
        search, n_threads = self._search_for(queries, k, n_jobs)
        return search.nearest(queries, k, n_threads)

    def within(
        self, queries: np.ndarray, radius: float, n_jobs: int | None, sort: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the samples at most ``radius`` away from each query.

        Parameters
        ----------
        queries : ndarray of shape (n_queries, n_features)
            Of the dtype of ``X``; finite, C-contiguous, aligned.
        radius : float
        n_jobs : int or None
            The estimator's parameter.
        sort : bool, default=False
            Whether those of a query come by (distance, index), or by index.

        Returns
        -------
        offsets : ndarray of shape (n_queries + 1,), int64
            The neighbours of query i stand from ``offsets[i]`` to ``offsets[i + 1]`` in the other two.
        distances : ndarray of shape (n_neighbors,), float64
        indices : ndarray of shape (n_neighbors,), int64
        """
        search, n_threads = self._search_for(queries, None, n_jobs, radius)
        if search is self._tree:
            offsets, indices, distances = search.within(queries, radius, sort, True, n_threads)
            return offsets, distances, indices
        return search.within(queries, radius, sort, n_threads)

    def _search_for(
        self, queries: np.ndarray, k: int | None, n_jobs: int | None, radius: float = 0.0
    ) -> tuple[Any, int]:
        """Return the search that is thought to take less time, and the threads that it is worth."""
        n_samples, n_features = self.X.shape
        differences = _DIFFERENCES.get(self.metric.name)
        each = _BRUTE[1] + n_features * (_BRUTE[0] if differences is None else differences)
        cost = len(queries) * n_samples * each
        if self.metric.has_tree and 0 < n_features <= _MOST_TREE_FEATURES:
            with self._lock:
                tree_cost = self._tree_cost(queries, k, cost, radius)
            if tree_cost < cost:
                return self._tree, threads.n_threads(n_jobs, work=tree_cost * _OPERATIONS_PER_NS)
        n_threads = threads.n_threads(n_jobs, work=cost * _OPERATIONS_PER_NS)
        with self._lock:
            if self._brute is None:
                kind = _core.BruteF32 if self.X.dtype == np.float32 else _core.BruteF64
                self._brute = kind(self.X, n_threads=n_threads, **self.metric.arguments())
        return self._brute, n_threads

    def _tree_cost(self, queries: np.ndarray, k: int | None, brute_cost: float, radius: float) -> float:
        """Return about how many nanoseconds one thread takes in the tree; infinity as long as there is none."""
        n_samples, n_features = self.X.shape
        if self._tree is None:
            # Until all queries together have cost as much as a tree, it might never pay.
            self._spent += brute_cost
            if self._spent < _BUILD * n_samples * math.log2(n_samples + 1):
                return math.inf
            kind = _core.KdTreeF32 if self.X.dtype == np.float32 else _core.KdTreeF64
            self._tree = kind(self.X, self.metric.name, self.metric.p, threads.n_threads(work=50.0 * self.X.size))

        probes = queries[:: max(1, len(queries) // _PROBES)][:_PROBES]
        if k is None:
            counts = self._tree.count_within(np.ascontiguousarray(probes), radius)
            k = min(n_samples, 1 + int(counts.mean()))
        size = k.bit_length()
        asked, shares = self._asked.get(size, (0, 0.0))
        if asked < _ENOUGH_PROBES:
            share = self._tree.share_visited(np.ascontiguousarray(probes), k)
            asked, shares = asked + len(probes), shares + share * len(probes)
            self._asked[size] = asked, shares
        looked_at = shares / asked * n_samples
        return len(queries) * (_TREE_QUERY + looked_at * (_TREE[1] + n_features * _TREE[0]))


class SparseIndex:
    """Sparse samples of one dtype: those of :class:`Index`, by the same methods.

    Parameters
    ----------
    X : CSR of shape (n_samples, n_features), float32 or float64
        Finite. It must not change while the index is used.
    metric : Metric
        One of those for sparse samples.
    """

    def __init__(self, X: Any, metric: Metric) -> None:
        self.X = X
        kind = _core.BruteCsrF32 if X.dtype == np.float32 else _core.BruteCsrF64
        self._search = kind(*_parts(X), X.shape[1], metric.name)

    def nearest(self, queries: Any, k: int, n_jobs: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest samples of each query, by (distance, index)."""
        return self._search.nearest(*_parts(queries), k, self._n_threads(queries, n_jobs))

    def within(
        self, queries: Any, radius: float, n_jobs: int | None, sort: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the samples at most ``radius`` away from each query."""
        return self._search.within(*_parts(queries), radius, sort, self._n_threads(queries, n_jobs))

    def _n_threads(self, queries: Any, n_jobs: int | None) -> int:
        return threads.n_threads(n_jobs, work=float(queries.shape[0]) * (self.X.nnz + self.X.shape[0]))


def _parts(X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the arrays of CSR samples, both kinds of indices of one type."""
    dtype = np.promote_types(X.indices.dtype, X.indptr.dtype)
    return np.require(X.data, requirements="A"), X.indices.astype(dtype, copy=False), X.indptr.astype(dtype, copy=False)
