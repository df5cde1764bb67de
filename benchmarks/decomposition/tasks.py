"""How each contender fits decompositions, and transforms by them.

An answer holds ``components``; ``singular_values`` and ``explained``, the variances and their shares; ``captured``, the
share of the squares of all rows, less their means where the model takes them away, that lie in the components' span;
``transformed``, rows held out.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from benchmarks.datasets import Labelled
from benchmarks.workload import Job

MODULES = {
    "scikit-learn": "sklearn.decomposition",
    "sklearnex": "sklearnex.decomposition",
    "fastml": "fastml.decomposition",
}
CHECKED = 100  # rows held out that are transformed for the check


def fit(contender: str, data: Labelled, estimator: str, **parameters: Any) -> Job:
    """Fit all rows but those held out."""
    model = _model(contender, estimator, parameters)
    return Job(lambda: model.fit(data.X), lambda fitted: _answer(fitted, data))


def transform(contender: str, data: Labelled, estimator: str, **parameters: Any) -> Job:
    """Transform the rows of the fit."""
    model = _model(contender, estimator, parameters).fit(data.X)
    return Job(lambda: model.transform(data.X), lambda made: {**_answer(model, data), "transformed": made[:CHECKED]})


def transform_one_row(contender: str, data: Labelled, estimator: str, rows: int, **parameters: Any) -> Job:
    """Transform rows held out, one after the other."""
    model = _model(contender, estimator, parameters).fit(data.X)
    single = [data.X_held_out[row : row + 1] for row in range(rows)]
    return Job(
        lambda: [model.transform(row) for row in single],
        lambda made: {**_answer(model, data), "transformed": np.concatenate(made)},
    )


def fit_exactly(contender: str, data: Labelled, estimator: str, **parameters: Any) -> Job:
    """Fit, and tell how far the explained variances are from those of rows centred in extended precision."""
    job = fit(contender, data, estimator, **parameters)
    return Job(job.call, lambda fitted: {**job.answer(fitted), "off": _off_from_exact(fitted, data)})


def _model(contender: str, estimator: str, parameters: dict[str, Any]) -> Any:
    return getattr(importlib.import_module(MODULES[contender]), estimator)(**parameters)


def _answer(model: Any, data: Labelled) -> dict[str, Any]:
    components = np.asarray(model.components_, dtype=np.float64)
    mean = getattr(model, "mean_", None)
    variances = np.asarray(model.explained_variance_, dtype=np.float64)
    return {
        "components": components,
        "singular_values": np.asarray(model.singular_values_, dtype=np.float64),
        "explained": np.concatenate([variances / variances[0], model.explained_variance_ratio_]),
        "captured": _captured(data.X, components, mean),
        "transformed": np.asarray(model.transform(data.X_held_out[:CHECKED]), dtype=np.float64),
    }


def _captured(X: Any, components: NDArray[np.float64], mean: NDArray[Any] | None) -> float:
    X = X.astype(np.float64)
    if sp.issparse(X):
        return float(np.sum((X @ components.T) ** 2) / X.multiply(X).sum())
    centred = X if mean is None else X - X.mean(axis=0)
    return float(np.sum((centred @ components.T) ** 2) / np.sum(centred**2))


def _off_from_exact(model: Any, data: Labelled) -> float:
    """Give the largest error of an explained variance, as a share of it."""
    extended = data.X.astype(np.longdouble)
    centred = (extended - extended.mean(axis=0)).astype(np.float64)
    exact = np.linalg.svd(centred, compute_uv=False)[: len(model.explained_variance_)] ** 2 / (len(centred) - 1)
    return float(np.max(np.abs(model.explained_variance_ / exact - 1)))
