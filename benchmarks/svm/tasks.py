"""How each contender fits support vector machines, and predicts by them.

An answer holds ``objectives``, what a fit makes small, one number a pair of classes or a class; ``values``, decision
values of rows held out, one column a pair; ``labels``, what is predicted for rows held out; ``score``, how well;
``iterations``; and ``own_steps``, whether the contender goes another way to the solution than LIBSVM does.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from benchmarks.datasets import Labelled
from benchmarks.svm.objectives import dual_objectives, squared_hinge_objectives
from benchmarks.workload import Job

MODULES = {"scikit-learn": "sklearn.svm", "sklearnex": "sklearnex.svm", "fastml": "fastml.svm"}
CHECKED = 1000  # rows whose decision values are compared


def fit(contender: str, data: Labelled, estimator: str, **parameters: Any) -> Job:
    """Fit all rows but those held out."""
    model = _model(contender, estimator, parameters)
    return Job(lambda: model.fit(data.X, data.y), lambda fitted: _answer(contender, data, fitted))


def fit_and_score(contender: str, data: Labelled, estimator: str, **parameters: Any) -> Job:
    """Fit, and predict the rows held out."""
    model = _model(contender, estimator, parameters)
    return Job(
        lambda: model.fit(data.X, data.y).predict(data.X_held_out),
        lambda labels: _answer(contender, data, model, labels),
    )


def predict(contender: str, data: Labelled, estimator: str, **parameters: Any) -> Job:
    """Predict the rows held out."""
    model = _model(contender, estimator, parameters).fit(data.X, data.y)
    return Job(lambda: model.predict(data.X_held_out), lambda labels: _answer(contender, data, model, labels))


def predict_one_row(contender: str, data: Labelled, estimator: str, rows: int, **parameters: Any) -> Job:
    """Predict rows held out, one after the other."""
    model = _model(contender, estimator, parameters).fit(data.X, data.y)
    single = [data.X_held_out[row : row + 1] for row in range(rows)]
    return Job(
        lambda: [model.predict(row) for row in single],
        lambda labels: _answer(contender, data, model, np.concatenate(labels)),
    )


def _model(contender: str, estimator: str, parameters: dict[str, Any]) -> Any:
    return getattr(importlib.import_module(MODULES[contender]), estimator)(**parameters)


def _answer(contender: str, data: Labelled, model: Any, labels: Any = None) -> dict[str, Any]:
    linear = not hasattr(model, "dual_coef_")
    labels = model.predict(data.X_held_out) if labels is None else labels
    expected = data.y_held_out[: len(labels)]
    if hasattr(model, "classes_"):
        score = np.mean(labels == expected)
        if not linear:
            model.decision_function_shape = "ovo"  # not votes, which jump where a value changes its sign
        values = model.decision_function(data.X_held_out[:CHECKED])
    else:
        score = 1 - np.sum((labels - expected) ** 2) / np.sum((expected - data.y.mean()) ** 2)
        values = labels[:CHECKED]
    return {
        "objectives": squared_hinge_objectives(model, data) if linear else dual_objectives(model, data),
        "values": np.asarray(values, dtype=np.float64),
        "labels": labels,
        "score": float(score),
        "iterations": int(np.sum(model.n_iter_)),
        "own_steps": contender == "sklearnex",
    }
