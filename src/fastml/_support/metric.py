"""Which of scikit-learn's metrics the kernels serve, and under what name."""

from typing import Any, NamedTuple

import numpy as np

_NAMES = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "sqeuclidean": "sqeuclidean",
    "manhattan": "manhattan",
    "cityblock": "manhattan",
    "l1": "manhattan",
    "chebyshev": "chebyshev",
    "infinity": "chebyshev",
    "cosine": "cosine",
    "haversine": "haversine",
    "hamming": "hamming",
    "canberra": "canberra",
    "braycurtis": "braycurtis",
    "nan_euclidean": "nan_euclidean",
}
_OF_OBJECTS = {
    f"{name}Distance{width}": name.lower() for name in ("Euclidean", "Manhattan", "Chebyshev") for width in ("", "32")
}
"""Classes of scikit-learn's DistanceMetric without parameters."""

_TREE_METRICS = ("euclidean", "sqeuclidean", "manhattan", "chebyshev", "minkowski")
_SPARSE_METRICS = ("euclidean", "manhattan", "cosine")

NAMES = "euclidean, manhattan, chebyshev, minkowski, cosine, mahalanobis, seuclidean, haversine, hamming, canberra, "
NAMES += "braycurtis or nan_euclidean"


class Metric(NamedTuple):
    """A metric as the kernels take it.

    Parameters
    ----------
    name : str
        The kernels' name.
    p : float, default=2.0
        The exponent of "minkowski".
    weights : tuple of float or None, default=None
        The features' weights of "minkowski".
    V : tuple of float or None, default=None
        The features' variances of "seuclidean".
    VI : tuple of tuple of float or None, default=None
        The inverse covariances of "mahalanobis".
    """

    name: str
    p: float = 2.0
    weights: tuple[float, ...] | None = None
    V: tuple[float, ...] | None = None
    VI: tuple[tuple[float, ...], ...] | None = None

    @property
    def has_tree(self) -> bool:
        """Whether a k-d tree serves it."""
        return self.name in _TREE_METRICS and self.p >= 1 and self.weights is None

    @property
    def is_for_sparse(self) -> bool:
        """Whether scikit-learn takes sparse samples for it."""
        return self.name in _SPARSE_METRICS

    @property
    def is_narrow(self) -> bool:
        """Whether scikit-learn computes it in float32 for samples of that type."""
        return self.name in ("cosine", "nan_euclidean")

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of a brute-force search."""
        arrays = {name: getattr(self, name) for name in ("weights", "V", "VI")}
        return {
            "metric": self.name,
            "p": self.p,
            **{name: None if array is None else np.array(array, dtype=np.float64) for name, array in arrays.items()},
        }


def served_metric(name: Any, parameters: dict[str, Any] | None, n_features: int) -> Metric | None:
    """Return what the kernels make of a metric.

    Parameters
    ----------
    name : str, callable or DistanceMetric
        scikit-learn's name, as in ``effective_metric_``.
    parameters : dict or None
        Its parameters, as in ``effective_metric_params_``.
    n_features : int
        The number of features of the samples.

    Returns
    -------
    metric : Metric or None
        None where the kernels do not serve it, and where scikit-learn has words for what is wrong with it.
    """
    parameters = parameters or {}
    if not isinstance(name, str):
        served = _OF_OBJECTS.get(type(name).__name__.removesuffix("64"))
        return None if served is None or parameters else Metric(served)
    if name in _NAMES:
        return None if parameters else Metric(_NAMES[name])
    if name in ("minkowski", "p") and parameters.keys() <= {"p", "w"}:
        return _minkowski(parameters.get("p", 2), parameters.get("w"), n_features)
    if name == "seuclidean" and parameters.keys() == {"V"}:
        variances = _real(parameters["V"], (n_features,))
        return None if variances is None or (variances <= 0).any() else Metric(name, V=tuple(variances.tolist()))
    if name == "mahalanobis" and parameters.keys() == {"VI"}:
        return _mahalanobis(parameters["VI"], n_features)
    return None


def _minkowski(p: float, weights: Any, n_features: int) -> Metric | None:
    if weights is None:
        if p in (1, 2, np.inf):
            return Metric("manhattan" if p == 1 else "euclidean" if p == 2 else "chebyshev")
        return Metric("minkowski", float(p))
    weights = _real(weights, (n_features,))
    if weights is None or (weights < 0).any() or not np.isfinite(p):
        return None
    return Metric("minkowski", float(p), tuple(weights.tolist()))


def _mahalanobis(inverse: Any, n_features: int) -> Metric | None:
    matrix = _real(inverse, (n_features, n_features))
    if matrix is None:
        return None
    matrix = (matrix + matrix.T) / 2  # the same distances
    if np.linalg.eigvalsh(matrix)[0] <= 0:
        return None  # a square of a distance may be negative
    return Metric("mahalanobis", VI=tuple(map(tuple, matrix.tolist())))


def _real(array: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    array = np.asarray(array)
    if array.shape != shape or array.dtype.kind not in "biuf":
        return None
    array = array.astype(np.float64)
    return array if np.isfinite(array).all() else None
