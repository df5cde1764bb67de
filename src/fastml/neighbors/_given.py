"""Searches among distances that are given: ``metric="precomputed"``. Their methods are those of an index."""

from typing import Any

import numpy as np
from sklearn.neighbors._base import _kneighbors_from_graph

from fastml import _core
from fastml._support import threads

_ELEMENTS_AT_ONCE = 2**22
"""Distances compared with a radius at a time: a mask of some megabytes."""


class GivenDistances:
    """Searches in matrices of shape (n_queries, n_samples)."""

    def nearest(self, given: np.ndarray, k: int, n_jobs: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest samples of each query, by (distance, index)."""
        return _core.nearest_given(_floats(given), k, threads.n_threads(n_jobs, work=given.size))

    def within(
        self, given: np.ndarray, radius: float, n_jobs: int | None, sort: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the samples at most ``radius`` away from each query."""
        given = _floats(given)
        step = max(1, _ELEMENTS_AT_ONCE // max(given.shape[1], 1))
        counts, distances, indices = [], [], []
        for begin in range(0, len(given), step):
            rows = given[begin : begin + step]
            mask = rows <= radius
            counts.append(mask.sum(axis=1))
            distances.append(rows[mask])
            indices.append(np.nonzero(mask)[1])
        offsets = np.concatenate(([0], np.cumsum(np.concatenate(counts))))
        return _ordered(offsets, np.concatenate(distances), np.concatenate(indices), sort)


def _floats(given: np.ndarray) -> np.ndarray:
    return np.require(given, None if given.dtype == np.float32 else np.float64, ("C", "A"))


class GivenGraph:
    """Searches in CSR graphs, each row sorted by distance: what is not stored is no neighbour."""

    def nearest(self, given: Any, k: int, n_jobs: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest samples of each query, in the order of the graph."""
        distances, indices = _kneighbors_from_graph(given, n_neighbors=k, return_distance=True)
        return distances, indices.astype(np.int64, copy=False)

    def within(
        self, given: Any, radius: float, n_jobs: int | None, sort: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the samples at most ``radius`` away from each query."""
        mask = given.data <= radius
        offsets = np.concatenate(([0], np.cumsum(mask)))[given.indptr]
        return offsets, given.data[mask], given.indices[mask].astype(np.int64, copy=False)


def _ordered(
    offsets: np.ndarray, distances: np.ndarray, indices: np.ndarray, sort: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return neighbours sorted by distance within each query, if they are to be."""
    if not sort:
        return offsets, distances, indices
    queries = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((distances, queries))
    return offsets, distances[order], indices[order]
