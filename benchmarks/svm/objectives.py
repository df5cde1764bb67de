"""What the fit of a support vector machine makes small, of the attributes it leaves behind, in float64."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.metrics.pairwise import pairwise_kernels

from benchmarks.datasets import Labelled


def dual_objectives(model: Any, data: Labelled) -> NDArray[np.float64]:
    """Give the dual objective of each pair of classes of an SVC, in scikit-learn's order; of an SVR, the only one.

    That is 1/2 c'Kc - sum |c| over the coefficients c = y alpha of a pair, and 1/2 c'Kc + epsilon sum |c| - y'c for a
    regression.
    """
    coefficients = model.dual_coef_.toarray() if sp.issparse(model.dual_coef_) else np.asarray(model.dual_coef_)
    coefficients = coefficients.astype(np.float64)
    K = pairwise_kernels(
        _float64(data.X[model.support_]),
        metric=model.kernel,
        filter_params=True,
        gamma=_gamma(model.gamma, data.X),
        degree=model.degree,
        coef0=model.coef0,
    )
    if not hasattr(model, "classes_"):
        c = coefficients[0]
        y = data.y[model.support_]
        return np.array([0.5 * c @ K @ c + model.epsilon * np.abs(c).sum() - y @ c])
    ends = np.concatenate([[0], np.cumsum(model.n_support_)])
    objectives = []
    for first, second in combinations(range(len(model.classes_)), 2):
        of_first, of_second = (slice(ends[k], ends[k + 1]) for k in (first, second))
        rows = np.r_[of_first, of_second]
        # Row k of dual_coef_ holds the coefficients against the k-th of the other classes.
        c = np.concatenate([coefficients[second - 1, of_first], coefficients[first, of_second]])
        objectives.append(0.5 * c @ K[np.ix_(rows, rows)] @ c - np.abs(c).sum())
    return np.array(objectives)


def squared_hinge_objectives(model: Any, data: Labelled) -> NDArray[np.float64]:
    """Give the objective of each machine of a LinearSVC: the penalty, intercept included, and the squared hinge loss.

    There is one machine a class, against all others; of two classes only that of the second.
    """
    positive = model.classes_[-len(model.coef_) :]
    signs = np.where(data.y[:, np.newaxis] == positive, 1.0, -1.0)
    values = _float64(data.X) @ model.coef_.T.astype(np.float64) + model.intercept_
    penalties = np.sum(model.coef_**2, axis=1) + (model.intercept_ / model.intercept_scaling) ** 2
    objectives: NDArray[np.float64] = 0.5 * penalties + model.C * np.sum(np.maximum(0, 1 - signs * values) ** 2, axis=0)
    return objectives


def _gamma(gamma: Any, X: Any) -> float:
    if gamma == "scale":
        mean_square = X.multiply(X).mean() if sp.issparse(X) else np.mean(np.square(X, dtype=np.float64))
        return float(1 / (X.shape[1] * (mean_square - X.mean(dtype=np.float64) ** 2)))
    return 1 / X.shape[1] if gamma == "auto" else float(gamma)


def _float64(X: Any) -> Any:
    return X.astype(np.float64)
