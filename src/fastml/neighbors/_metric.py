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
}
_TREE_METRICS = ("euclidean", "sqeuclidean", "manhattan", "chebyshev", "minkowski")


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
    """

    name: str
    p: float = 2.0
    weights: tuple[float, ...] | None = None

    @property
    def has_tree(self) -> bool:
        """Whether a k-d tree serves it."""
        return self.name in _TREE_METRICS and self.p >= 1 and self.weights is None


def served_metric(name: Any, parameters: dict[str, Any] | None) -> Metric | None:
    """Return what the kernels make of a metric.

    Parameters
    ----------
    name : str, callable or DistanceMetric
        scikit-learn's name, as in ``effective_metric_``.
    parameters : dict or None
        Its parameters, as in ``effective_metric_params_``.

    Returns
    -------
    metric : Metric or None
        None where the kernels do not serve it.
    """
    parameters = parameters or {}
    if not isinstance(name, str):
        return None
    if name in _NAMES:
        return None if parameters else Metric(_NAMES[name])
    if name not in ("minkowski", "p") or not parameters.keys() <= {"p", "w"}:
        return None
    p, weights = parameters.get("p", 2), parameters.get("w")
    if weights is None:
        if p in (1, 2, np.inf):
            return Metric({1: "manhattan", 2: "euclidean"}.get(p, "chebyshev"))
        return Metric("minkowski", float(p))
    weights = np.asarray(weights)
    # scikit-learn has words for what is wrong with the others.
    valid = weights.ndim == 1 and weights.dtype.kind in "iuf" and np.isfinite(weights).all() and (weights >= 0).all()
    return Metric("minkowski", float(p), tuple(weights.tolist())) if valid and np.isfinite(p) else None
