"""``kneighbors`` and ``radius_neighbors``."""

from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.neighbors._base import KNeighborsMixin, RadiusNeighborsMixin
from sklearn.utils import _align_api_if_sparse
from sklearn.utils.validation import check_is_fitted

from fastml._support.dispatch import accelerated
from fastml.neighbors._fitting import SERVED, Fitting, is_fitted


class KNeighbors(KNeighborsMixin, Fitting):
    """``kneighbors``."""

    @accelerated(*SERVED)
    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        if not is_fitted(self):
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
        if not is_fitted(self):
            check_is_fitted(self)
        if sort_results and not return_distance:
            raise ValueError("return_distance must be True if sort_results is True.")
        queries, index = self._query(X)
        radius = self.radius if radius is None else radius
        each = np.ravel(radius)
        offsets, distances, indices = index.within(queries, each.max(), self.n_jobs, sort_results)
        if np.ndim(radius):
            # scikit-learn's trees take one for each query.
            offsets, distances, indices = _chosen(
                distances <= np.repeat(each, np.diff(offsets)), offsets, distances, indices
            )
        if X is None:
            others = indices != np.repeat(np.arange(queries.shape[0]), np.diff(offsets))
            offsets, distances, indices = _chosen(others, offsets, distances, indices)
        return offsets, self._as_returned(distances, queries), indices

    @accelerated(*SERVED)
    def radius_neighbors_graph(self, X=None, radius=None, mode="connectivity", sort_results=False):
        if not is_fitted(self):
            check_is_fitted(self)
        if mode not in ("connectivity", "distance"):
            raise ValueError(f'Unsupported mode, must be one of "connectivity", or "distance" but got "{mode}" instead')
        offsets, distances, indices = self._within(X, radius, True, sort_results and mode == "distance")
        values = distances if mode == "distance" else np.ones(len(indices))
        shape = len(offsets) - 1, self.n_samples_fit_
        return _align_api_if_sparse(sp.csr_array((values, indices, offsets), shape=shape))


def _chosen(
    mask: np.ndarray, offsets: np.ndarray, distances: np.ndarray, indices: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return some of the neighbours of all queries."""
    return np.concatenate(([0], np.cumsum(mask)))[offsets], distances[mask], indices[mask]


def rows_of(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return an array of arrays, one for each query."""
    rows = np.empty(len(offsets) - 1, dtype=object)
    bounds = offsets.tolist()
    for i in range(len(rows)):
        rows[i] = values[bounds[i] : bounds[i + 1]]
    return rows
