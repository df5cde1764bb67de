"""From the neighbours of queries to what they vote for."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastml import _core


class Neighbors(NamedTuple):
    """The neighbours of all queries, one after the other.

    Parameters
    ----------
    offsets : ndarray of shape (n_queries + 1,), int64
        Those of query i stand from ``offsets[i]`` to ``offsets[i + 1]``.
    indices : ndarray of shape (n_neighbors,), int64
        The samples that they are.
    weights : ndarray of shape (n_neighbors,), float64, or None
        What each weighs; None where all weigh the same.
    """

    offsets: np.ndarray
    indices: np.ndarray
    weights: np.ndarray | None

    def without_weight(self) -> bool:
        """Tell whether all neighbours of some query weigh 0."""
        if self.weights is None:
            return False
        heavy = np.concatenate(([0], np.cumsum(self.weights != 0)))[self.offsets]
        return bool((heavy[1:] == heavy[:-1]).any())


def flat_weights(
    offsets: np.ndarray, distances: np.ndarray, weights: str | Callable[[Any], Any] | None, shaped: Any
) -> np.ndarray | None:
    """Return the weights of neighbours as an estimator's parameter ``weights`` asks for them.

    Parameters
    ----------
    offsets : ndarray of shape (n_queries + 1,), int64
        Where the neighbours of each query begin.
    distances : ndarray of shape (n_neighbors,)
        Their distances.
    weights : {'uniform', 'distance'}, callable or None
        The parameter.
    shaped : callable
        Returns the distances in the shape that a callable is promised: one row for each query.

    Returns
    -------
    weights : ndarray of shape (n_neighbors,), float64, or None
    """
    if weights == "distance":
        return _core.inverse_distances(offsets, np.ascontiguousarray(distances, dtype=np.float64).ravel())
    given = weights(shaped()) if callable(weights) else None
    if given is None:
        return None
    if getattr(given, "dtype", None) == np.dtype(object):
        given = np.concatenate([np.asarray(row, dtype=np.float64).ravel() for row in given] or [np.empty(0)])
    return np.ascontiguousarray(given, dtype=np.float64).ravel()


def labels_of(model: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the classes of each output of a classifier, and the samples' numbers among them."""
    if not model.outputs_2d_:
        return [(model.classes_, np.ascontiguousarray(model._y, dtype=np.int64))]
    return [(classes, np.ascontiguousarray(model._y[:, k], dtype=np.int64)) for k, classes in enumerate(model.classes_)]


def mean_targets(y: np.ndarray, neighbors: Neighbors) -> np.ndarray:
    """Return the weighted means of the targets of each query's neighbours.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The samples' targets, of a real type.
    neighbors : Neighbors

    Returns
    -------
    means : ndarray of shape (n_queries, n_outputs)
        Of the dtype of NumPy's mean; NaN where a query has no neighbours.
    """
    targets = np.ascontiguousarray(y if y.ndim == 2 else y[:, None], dtype=np.float64)
    means = _core.mean_targets(neighbors.offsets, neighbors.indices, neighbors.weights, targets)
    narrow = neighbors.weights is None and y.dtype.kind == "f"
    return means.astype(y.dtype, copy=False) if narrow else means
