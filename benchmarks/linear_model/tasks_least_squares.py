"""How each contender fits least squares."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.datasets import Labelled
from benchmarks.workload import Job

MODULES = {
    "scikit-learn": "sklearn.linear_model",
    "sklearnex": "sklearnex.linear_model",
    "fastml": "fastml.linear_model",
}


def fit(
    contender: str, data: Labelled, estimator: str, repeats: int, classes: bool, parameters: Mapping[str, Any]
) -> Job:
    """Fit on all rows, `repeats` times; on classes, of whether the target is above its median, or on numbers."""
    make = getattr(importlib.import_module(MODULES[contender]), estimator)
    y = (data.y > np.median(data.y)).astype(int) if classes else data.y.astype(data.X.dtype)

    def run() -> Any:
        for _ in range(repeats):
            model = make(**parameters).fit(data.X, y)
        return model

    return Job(
        run,
        lambda model: {
            "coef": np.ravel(model.coef_),
            "intercept": np.ravel(model.intercept_),
            "alpha": getattr(model, "alpha_", 0.0),
        },
    )
