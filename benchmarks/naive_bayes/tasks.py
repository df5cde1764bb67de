"""How each contender fits naive Bayes classifiers, and predicts by them.

An answer holds ``learnt``, what was counted and made of it, by the name of the attribute; ``joint``, the joint
log-likelihoods of rows held out; ``labels``, what is predicted for rows, and ``score``, how well.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Labelled
from benchmarks.workload import Job

MODULES = {"scikit-learn": "sklearn.naive_bayes", "fastml": "fastml.naive_bayes"}
LEARNT = (
    "class_count_",
    "class_prior_",
    "class_log_prior_",
    "theta_",
    "var_",
    "feature_count_",
    "category_count_",
    "feature_log_prob_",
)


def fit_and_score(contender: str, data: Labelled, estimator: str, **parameters: Any) -> Job:
    """Fit all rows but those held out, and score the same."""
    model = _model(contender, estimator, parameters)
    return Job(
        lambda: model.fit(data.X, data.y).score(data.X, data.y), lambda score: {**_answer(model, data), "score": score}
    )


def partial_fit(contender: str, data: Labelled, estimator: str, batch: int, **parameters: Any) -> Job:
    """Learn all rows but those held out, a batch at a time."""
    classes = np.unique(data.y)
    batches = [(data.X[start : start + batch], data.y[start : start + batch]) for start in range(0, len(data.y), batch)]

    def run() -> Any:
        model = _model(contender, estimator, parameters)
        model.partial_fit(*batches[0], classes=classes)
        for X, y in batches[1:]:
            model.partial_fit(X, y)
        return model

    return Job(run, lambda model: _answer(model, data))


def predict_one_row(contender: str, data: Labelled, estimator: str, rows: int, **parameters: Any) -> Job:
    """Predict rows held out, one after the other."""
    model = _model(contender, estimator, parameters).fit(data.X, data.y)
    single = [data.X_held_out[row : row + 1] for row in range(rows)]
    return Job(
        lambda: [model.predict(row) for row in single],
        lambda labels: {**_answer(model, data), "labels": np.concatenate(labels)},
    )


def fit_and_score_exactly(contender: str, data: Labelled, estimator: str, **parameters: Any) -> Job:
    """Do the same as fit_and_score, and tell how far means and variances are from those in extended precision."""
    job = fit_and_score(contender, data, estimator, **parameters)
    return Job(job.call, lambda score: _off_from_exact(job.answer(score), data))


def _model(contender: str, estimator: str, parameters: dict[str, Any]) -> Any:
    return getattr(importlib.import_module(MODULES[contender]), estimator)(**parameters)


def _answer(model: Any, data: Labelled) -> dict[str, Any]:
    labels = model.predict(data.X_held_out)
    return {
        "learnt": {name: _flat(getattr(model, name)) for name in LEARNT if hasattr(model, name)},
        "joint": model.predict_joint_log_proba(data.X_held_out),
        "labels": labels,
        "score": float(np.mean(labels == data.y_held_out)),
    }


def _flat(values: Any) -> NDArray[np.float64]:
    """Give one array of what may be one, or one a feature."""
    parts = values if isinstance(values, list) else [values]
    return np.concatenate([np.ravel(part) for part in parts]).astype(np.float64)


def _off_from_exact(answer: dict[str, Any], data: Labelled) -> dict[str, Any]:
    """Add the largest error of a mean, in deviations, and of a variance, as a share of it."""
    off = {"means": 0.0, "variances": 0.0}
    n_features = data.X.shape[1]
    for position, label in enumerate(np.unique(data.y)):
        rows = data.X[data.y == label].astype(np.longdouble)
        mean, variance = rows.mean(axis=0), rows.var(axis=0)
        given = slice(position * n_features, (position + 1) * n_features)
        means, variances = (answer["learnt"][name][given] for name in ("theta_", "var_"))
        off["means"] = max(off["means"], float(np.max(np.abs(means - mean) / np.sqrt(variance))))
        # The smallest variances of the model are raised by a share of the largest, which is no error.
        off["variances"] = max(off["variances"], float(np.max(np.abs(variances / variance - 1))))
    return {**answer, "off": off}
