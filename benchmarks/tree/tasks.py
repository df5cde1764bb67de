"""How each contender does the work of the table.

An answer holds ``score``: the share of held-out rows that are classified right, or R2. That of a fit also holds
``digests``, one for each tree over all that scikit-learn keeps of it; ``trees``, their nodes; and ``own_trees``:
whether they are of the contender's own making, and owe nothing to scikit-learn's. That of a prediction holds
``probabilities`` instead.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contenders import THREAD_VARIABLES
from benchmarks.datasets import Labelled
from benchmarks.workload import Job

PACKAGES = {"scikit-learn": "sklearn", "sklearnex": "sklearnex", "fastml": "fastml"}
# What a tree does with a row: two trees with the same of these in every node are the same function.
NODE = np.dtype([("left", np.int32), ("right", np.int32), ("feature", np.int32), ("threshold", np.float64)])


def fit(contender: str, data: Labelled, estimator: str, **parameters: Any) -> Job:
    """Fit an estimator, ``"module:Class"``, on all rows but those held out."""
    make = _named(contender, estimator)
    parameters = _with_jobs(make, parameters)

    def answer(fitted: Any) -> dict[str, Any]:
        trees = [tree.tree_ for tree in _trees(fitted)]
        return {
            "digests": [digest(tree) for tree in trees],
            "trees": [nodes(tree) for tree in trees],
            "score": float(fitted.score(data.X_held_out, data.y_held_out)),
            "own_trees": contender == "sklearnex",  # oneDAL's, on binned features
        }

    return Job(lambda: make(**parameters).fit(data.X, data.y), answer)


def predict(contender: str, data: Labelled, rows: int, estimator: str, **parameters: Any) -> Job:
    """Classify the first held-out rows with a fitted model.

    One row is predicted by one thread: what scikit-learn's joblib needs to start another is ten times the work.
    """
    make = _named(contender, estimator)
    parameters = _with_jobs(make, parameters)
    model = make(**parameters).fit(data.X, data.y)
    if rows == 1:
        model.n_jobs = None
    X = data.X_held_out[:rows]

    def answer(labels: NDArray[Any]) -> dict[str, Any]:
        model.n_jobs = None  # scikit-learn's threads add up the trees in the order in which they come by
        probabilities = model.predict_proba(X)
        return {
            "probabilities": probabilities,
            "consistent": bool(np.array_equal(model.classes_[probabilities.argmax(axis=1)], labels)),
            "score": float(model.score(data.X_held_out, data.y_held_out)),
            "own_trees": contender == "sklearnex",
        }

    return Job(lambda: model.predict(X), answer)


def _named(contender: str, name: str) -> Any:
    module, _, cls = name.partition(":")
    return getattr(importlib.import_module(f"{PACKAGES[contender]}.{module}"), cls)


def _with_jobs(make: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    """Add the number of threads, where the estimator takes it; the others see it in their environment."""
    threads = int(os.environ.get(THREAD_VARIABLES[0], "1"))
    return {**parameters, "n_jobs": threads} if "n_jobs" in make().get_params() else parameters


def _trees(fitted: Any) -> list[Any]:
    """Give the trees of an ensemble, or the one that there is."""
    return list(np.ravel(fitted.estimators_)) if hasattr(fitted, "estimators_") else [fitted]


def digest(tree: Any) -> str:
    """Give a fingerprint of all that scikit-learn keeps of a tree: equal ones mean equal bits."""
    state = tree.__getstate__()
    found = hashlib.sha256(str((tree.max_depth, tree.node_count)).encode())
    for name in state["nodes"].dtype.names:
        found.update(np.ascontiguousarray(state["nodes"][name]).tobytes())
    found.update(np.ascontiguousarray(state["values"]).tobytes())
    return found.hexdigest()


def nodes(tree: Any) -> NDArray[Any]:
    """Give the nodes of a tree, as far as they decide where a row goes."""
    found = np.empty(tree.node_count, dtype=NODE)
    found["left"], found["right"] = tree.children_left, tree.children_right
    found["feature"], found["threshold"] = tree.feature, tree.threshold
    return found
