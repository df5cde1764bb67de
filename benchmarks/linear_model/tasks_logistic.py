"""How each contender fits logistic regression, and predicts by it.

An answer holds ``objective``, what the fit makes small, taken in float64 of the coefficients given and divided by the
number of rows; ``iterations``; and ``score``, the accuracy on rows held out.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
from scipy.special import log_softmax

from benchmarks.datasets import Labelled
from benchmarks.workload import Job

MODULES = {
    "scikit-learn": "sklearn.linear_model",
    "sklearnex": "sklearnex.linear_model",
    "fastml": "fastml.linear_model",
}


def fit(contender: str, data: Labelled, estimator: str = "LogisticRegression", **parameters: Any) -> Job:
    """Fit all rows but those held out."""
    model = _model(contender, estimator, parameters)
    return Job(lambda: model.fit(data.X, data.y), lambda fitted: _answer(data, fitted))


def predict_one_row(contender: str, data: Labelled, method: str, rows: int) -> Job:
    """Call a method for rows held out, one after the other."""
    model = _model(contender, "LogisticRegression", {}).fit(data.X, data.y)
    single = [data.X_held_out[row : row + 1] for row in range(rows)]
    return Job(
        lambda: [getattr(model, method)(row) for row in single],
        lambda values: {"values": np.concatenate(values), **_answer(data, model)},
    )


def predict(contender: str, data: Labelled, method: str) -> Job:
    """Call a method for the rows of the fit."""
    model = _model(contender, "LogisticRegression", {}).fit(data.X, data.y)
    return Job(lambda: getattr(model, method)(data.X), lambda values: {"values": values, **_answer(data, model)})


def _model(contender: str, estimator: str, parameters: dict[str, Any]) -> Any:
    warnings.simplefilter("ignore")  # of limits of iterations, and of defaults of the cross-validation that will change
    return getattr(importlib.import_module(MODULES[contender]), estimator)(**parameters)


def _answer(data: Labelled, model: Any) -> dict[str, Any]:
    scores = data.X.astype(np.float64) @ model.coef_.T.astype(np.float64) + model.intercept_
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    losses = -log_softmax(scores, axis=1)[np.arange(len(data.y)), data.y]
    C = float(np.ravel(getattr(model, "C_", getattr(model, "C", 1.0)))[0])
    penalty = 0.5 * np.sum(model.coef_.astype(np.float64) ** 2) / C
    return {
        "objective": float((np.sum(losses) + penalty) / len(data.y)),
        "iterations": int(np.max(model.n_iter_)),
        "score": float(np.mean(model.predict(data.X_held_out) == data.y_held_out)),
    }
