"""How each contender learns by stochastic gradient descent, and predicts."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from benchmarks.datasets import Labelled
from benchmarks.workload import Job

MODULES = {"scikit-learn": "sklearn.linear_model", "fastml": "fastml.linear_model"}


def fit(contender: str, data: Labelled, estimator: str, repeats: int = 1, **parameters: Any) -> Job:
    """Fit an estimator, some times over."""
    model = _make(contender, estimator, parameters)

    def call() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(repeats):
                model.fit(data.X, data.y)
        return model

    return Job(
        call,
        lambda fitted: {
            "coef": np.asarray(fitted.coef_, dtype=np.float64),
            "n_iter": int(fitted.n_iter_),
            "score": float(fitted.score(data.X_held_out, data.y_held_out)),
        },
    )


def predict_rows(contender: str, data: Labelled, estimator: str, rows: int, **parameters: Any) -> Job:
    """Predict one row after the other."""
    model = _make(contender, estimator, parameters).fit(data.X, data.y)
    single = [data.X_held_out[i : i + 1] for i in range(rows)]
    return Job(
        lambda: [model.predict(row) for row in single],
        lambda predicted: {"labels": np.concatenate(predicted)},
    )


def _make(contender: str, estimator: str, parameters: dict[str, Any]) -> Any:
    return getattr(importlib.import_module(MODULES[contender]), estimator)(random_state=0, **parameters)
