"""How each contender does the work of the table.

An answer holds ``labels``, and for a fit ``inertia`` (summed here in float64 from the labels and centroids it gave, not
taken from the contender's own word), ``reported`` (its own word), ``iterations``, and ``own_draws``: whether it started
elsewhere than scikit-learn does with the same ``random_state``.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Samples
from benchmarks.workload import Job

MODULES = {"scikit-learn": "sklearn.cluster", "sklearnex": "sklearnex.cluster", "fastml": "fastml.cluster"}
ROWS_AT_ONCE = 4096


def fit(contender: str, data: Samples, estimator: str, **parameters: Any) -> Job:
    """Fit an estimator on all rows."""
    make = _named(contender, estimator)
    own_draws = _draws_itself(contender, parameters)
    return Job(lambda: make(**parameters).fit(data.X), lambda fitted: _fitted_answer(fitted, data.X, own_draws))


def fit_labels(contender: str, data: Samples, estimator: str, **parameters: Any) -> Job:
    """Fit an estimator that has labels and no centroids."""
    make = _named(contender, estimator)
    return Job(lambda: make(**parameters).fit(data.X), lambda fitted: {"labels": np.asarray(fitted.labels_)})


def fit_and_predict(contender: str, data: Samples, estimator: str, **parameters: Any) -> Job:
    """Fit an estimator, then label the rows it was fitted on: mostly the cost of the calls on small data."""
    make = _named(contender, estimator)
    own_draws = _draws_itself(contender, parameters)

    def call() -> Any:
        fitted = make(**parameters).fit(data.X)
        return fitted, fitted.predict(data.X)

    return Job(call, lambda result: {**_fitted_answer(result[0], data.X, own_draws), "labels": result[1]})


def fit_from_starts(contender: str, data: Samples, iterations: int, algorithm: str) -> Job:
    """Run Lloyd's iterations from the given centroids, then label every row."""
    if contender == "faiss":
        return _faiss_fit(data, iterations)
    return fit(
        contender,
        data,
        "KMeans",
        n_clusters=len(data.starts),
        init=data.starts,
        n_init=1,
        max_iter=iterations,
        tol=0,
        algorithm=algorithm,
    )


def predict(contender: str, data: Samples, rows: int) -> Job:
    """Label rows with a fitted model; all contenders hold the same centroids."""
    X = data.X[:rows]
    if contender == "faiss":
        index = _faiss_index(data.starts)
        return Job(lambda: index.search(X, 1)[1], lambda found: {"labels": found.ravel()})
    # Fitting to the starts themselves leaves them as they are; twice each, as sklearnex serves no k = n.
    model = _named(contender, "KMeans")(len(data.starts), init=data.starts, n_init=1, max_iter=1)
    model.fit(np.repeat(data.starts, 2, axis=0))
    return Job(lambda: model.predict(X), lambda labels: {"labels": labels})


def seed(contender: str, data: Samples, n_clusters: int, random_state: int) -> Job:
    """Draw k-means++ seeds; the answer's labels are the indices drawn."""
    kmeans_plusplus = _named(contender, "kmeans_plusplus")
    return Job(
        lambda: kmeans_plusplus(data.X, n_clusters, random_state=random_state), lambda drawn: {"labels": drawn[1]}
    )


def _named(contender: str, name: str) -> Any:
    return getattr(importlib.import_module(MODULES[contender]), name)


def _faiss_fit(data: Samples, iterations: int) -> Job:
    import faiss

    rows, features = data.X.shape

    def call() -> Any:
        model = faiss.Kmeans(
            features,
            len(data.starts),
            niter=iterations,
            nredo=1,
            max_points_per_centroid=rows,  # it samples rows beyond this many
            min_points_per_centroid=1,
        )
        model.train(data.X, init_centroids=data.starts)
        # scikit-learn's fit ends with the labels; faiss leaves its index filled with the final centroids.
        return model, model.index.search(data.X, 1)

    def answer(result: Any) -> dict[str, Any]:
        model, (distances, labels) = result
        labels = labels.ravel()
        return {
            "labels": labels,
            "inertia": inertia(data.X, model.centroids, labels),
            "reported": float(distances.sum(dtype=np.float64)),
            "iterations": len(model.obj),
            "own_draws": False,
        }

    return Job(call, answer)


def _faiss_index(centroids: NDArray[Any]) -> Any:
    import faiss

    index = faiss.IndexFlatL2(centroids.shape[1])
    index.add(centroids)
    return index


def _draws_itself(contender: str, parameters: dict[str, Any]) -> bool:
    return contender == "sklearnex" and "init" not in parameters  # oneDAL's k-means++


def _fitted_answer(fitted: Any, X: Any, own_draws: bool) -> dict[str, Any]:
    return {
        "labels": np.asarray(fitted.labels_),
        "inertia": inertia(X, np.asarray(fitted.cluster_centers_), np.asarray(fitted.labels_)),
        "reported": float(fitted.inertia_),
        "iterations": int(fitted.n_iter_),
        "own_draws": own_draws,
    }


def inertia(X: Any, centroids: NDArray[Any], labels: NDArray[Any]) -> float:
    """Sum the squared distances of the rows to their centroids, in float64."""
    total = 0.0
    for start in range(0, X.shape[0], ROWS_AT_ONCE):
        rows = X[start : start + ROWS_AT_ONCE]
        dense = rows.toarray() if hasattr(rows, "toarray") else rows
        difference = dense.astype(np.float64) - centroids[labels[start : start + ROWS_AT_ONCE]]
        total += float(np.einsum("ij,ij->", difference, difference))
    return total
