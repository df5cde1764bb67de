"""How each contender searches.

A search's answer holds ``indices``, and ``distances``: computed here in float64 from the indices given, so that what a
contender loses by rounding shows.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Labelled
from benchmarks.workload import Job

MODULES = {"scikit-learn": "sklearn.neighbors", "sklearnex": "sklearnex.neighbors", "fastml": "fastml.neighbors"}
CHECKED = 500  # queries whose distances are computed once more


def kneighbors(contender: str, data: Labelled, k: int, metric: str = "euclidean") -> Job:
    """Search for the k nearest of fitted samples, for all queries at once."""
    Q = data.X_held_out
    if contender == "faiss":
        index = _faiss_index(data.X)
        return Job(lambda: index.search(Q, k), lambda found: _answer(data, found[1], metric))
    if contender == "pykdtree":
        from pykdtree.kdtree import KDTree

        tree = KDTree(data.X)
        return Job(lambda: tree.query(Q, k=k), lambda found: _answer(data, found[1].reshape(len(Q), k), metric))
    model = _fitted(contender, "NearestNeighbors", data, n_neighbors=k, metric=metric)
    return Job(lambda: model.kneighbors(Q), lambda found: _answer(data, found[1], metric))


def one_by_one(contender: str, data: Labelled, k: int, queries: int) -> Job:
    """Search for one query after the other."""
    Q = data.X_held_out[:queries]
    rows = [Q[i : i + 1] for i in range(len(Q))]
    if contender == "faiss":
        index = _faiss_index(data.X)
        return Job(
            lambda: [index.search(row, k)[1] for row in rows],
            lambda found: _answer(data, np.vstack(found), "euclidean"),
        )
    model = _fitted(contender, "NearestNeighbors", data, n_neighbors=k)
    return Job(
        lambda: [model.kneighbors(row)[1] for row in rows],
        lambda found: _answer(data, np.vstack(found), "euclidean"),
    )


def predict(contender: str, data: Labelled, k: int) -> Job:
    """Classify held-out samples."""
    model = _fitted(contender, "KNeighborsClassifier", data, n_neighbors=k)
    return Job(
        lambda: model.predict(data.X_held_out),
        lambda labels: {"labels": labels, "score": float(np.mean(labels == data.y_held_out))},
    )


def _fitted(contender: str, estimator: str, data: Labelled, **parameters: Any) -> Any:
    make = getattr(importlib.import_module(MODULES[contender]), estimator)
    model = make(n_jobs=-1, **parameters)  # the CPUs that the run allows
    model.fit(data.X, data.y)
    # What is built when it is first needed is part of the fit.
    model.kneighbors(data.X_held_out[:256])
    return model


def _faiss_index(X: NDArray[Any]) -> Any:
    import faiss

    index = faiss.IndexFlatL2(X.shape[1])
    index.add(X)
    return index


def _answer(data: Labelled, indices: NDArray[Any], metric: str) -> dict[str, Any]:
    Q = data.X_held_out[:CHECKED].astype(np.float64)[: len(indices)]
    found = data.X.astype(np.float64)[indices[:CHECKED].astype(np.int64)]
    if metric == "cosine":
        Q = Q / np.linalg.norm(Q, axis=1, keepdims=True)
        found /= np.linalg.norm(found, axis=2, keepdims=True)
    difference = np.abs(found - Q[:, None])
    distances = difference.sum(axis=2) if metric == "manhattan" else np.sqrt((difference**2).sum(axis=2))
    return {"indices": np.asarray(indices, dtype=np.int64), "distances": distances}
