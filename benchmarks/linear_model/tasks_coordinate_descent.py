"""How each contender fits the lasso and the elastic net.

An answer holds ``objective``, what the fit makes small, taken in float64 of the weights given; ``alpha``, the penalty;
``score``, R2 on rows held out; and ``values``, predictions for these.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from benchmarks.datasets import Labelled
from benchmarks.workload import Job

MODULES = {
    "scikit-learn": "sklearn.linear_model",
    "sklearnex": "sklearnex.linear_model",
    "fastml": "fastml.linear_model",
}


def fit(contender: str, data: Labelled, estimator: str, **parameters: Any) -> Job:
    """Fit an estimator on all rows but those held out."""
    model = getattr(importlib.import_module(MODULES[contender]), estimator)(**parameters)
    return Job(lambda: model.fit(data.X, data.y), lambda fitted: _answer(data, fitted, fitted.predict(data.X_held_out)))


def predict_one_row(contender: str, data: Labelled, alpha: float, rows: int) -> Job:
    """Predict rows held out, one after the other."""
    model = importlib.import_module(MODULES[contender]).Lasso(alpha=alpha).fit(data.X, data.y)
    single = [data.X_held_out[row : row + 1] for row in range(rows)]
    return Job(
        lambda: [model.predict(row) for row in single],
        lambda values: _answer(data, model, np.concatenate(values)),
    )


def _answer(data: Labelled, model: Any, values: Any) -> dict[str, Any]:
    coef = model.coef_.astype(np.float64)
    residues = data.y - data.X.astype(np.float64) @ coef.T - model.intercept_
    sizes = np.linalg.norm(coef, axis=0) if coef.ndim > 1 else np.abs(coef)  # several tasks share a feature's penalty
    alpha = getattr(model, "alpha_", getattr(model, "alpha", 0.0))
    l1_ratio = getattr(model, "l1_ratio", 1.0)
    penalty = l1_ratio * sizes.sum() + 0.5 * (1 - l1_ratio) * (sizes @ sizes)
    expected = data.y_held_out[: len(values)]
    return {
        "objective": float(0.5 * np.sum(residues**2) / len(residues) + alpha * penalty),
        "alpha": float(alpha),
        "scale": float(np.var(data.y, axis=0).sum()),
        "values": values,
        "score": float(1 - np.sum((expected - values) ** 2) / np.sum((expected - data.y.mean(axis=0)) ** 2)),
    }
