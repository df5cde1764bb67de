"""MultiTaskLasso and MultiTaskElasticNet: features are chosen for all targets together."""

import numbers
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.linear_model
from sklearn.base import _fit_context
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import validate_data

from fastml._support import threads, validation
from fastml._support.dispatch import accelerated
from fastml.linear_model._elastic_net import ElasticNet, are_plain, contiguous
from fastml.linear_model._elastic_net_data import (
    ALL_TASKS,
    MEASURED_BELOW,
    DenseData,
    SparseData,
    data_of,
    starts_with_gram,
)
from fastml.linear_model._elastic_net_solving import Options, Path, solve_once
from fastml.linear_model._elastic_net_sums import SummedData, Sums
from fastml.linear_model._predicting import NUMPY


class MultiTaskElasticNet(ElasticNet, sklearn.linear_model.MultiTaskElasticNet):
    __doc__ = sklearn.linear_model.MultiTaskElasticNet.__doc__

    @accelerated(NUMPY)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        if are_plain(X, y):
            X = validation.validate(self, X, reset=True, sparse="csc", order=None)
        else:
            X, y = check_separately(self, X, y)
        if y.ndim == 1:
            raise ValueError("For mono-task outputs, use %s" % ("ElasticNet" if hasattr(self, "l1_ratio") else "Lasso"))
        if isinstance(sample_weight, numbers.Number):
            sample_weight = None
        if sample_weight is not None:
            sample_weight = validation.sample_weight(sample_weight, X)
            sample_weight = sample_weight * (len(y) / np.sum(sample_weight))
        data = _data_of_tasks(X, y, sample_weight, self.fit_intercept, self.tol)
        path = solve_once(
            data,
            ALL_TASKS,
            self.alpha,
            self.l1_ratio,
            Options(self.max_iter, self.tol, selection=self.selection),
            self.random_state,
            self.coef_ if self.warm_start and hasattr(self, "coef_") else None,
        )
        set_tasks(self, data, path, X.dtype)
        self.eps_ = path.tol
        return self


class MultiTaskLasso(MultiTaskElasticNet, sklearn.linear_model.MultiTaskLasso):
    __doc__ = sklearn.linear_model.MultiTaskLasso.__doc__


def _data_of_tasks(
    X: Any, y: np.ndarray, sample_weight: np.ndarray | None, fit_intercept: bool, tol: float
) -> DenseData | SparseData | SummedData:
    """Return what is solved for: inner products, from one pass, where all that is asked for can be had from them."""
    if (
        sp.issparse(X)
        or not starts_with_gram(X.shape, y.shape[1])
        or tol < MEASURED_BELOW[X.dtype.char]
        or not (sample_weight is None or (sample_weight >= 0).all())
    ):
        return data_of(X, y, sample_weight, fit_intercept)
    sums = Sums.of(X, y, sample_weight, threads.n_threads(work=float(X.size) * X.shape[1]))
    return sums.data(len(y), fit_intercept, X.dtype)


def check_separately(estimator: Any, X: Any, y: Any) -> tuple[Any, np.ndarray]:
    """Check samples and targets as scikit-learn does where targets keep their type."""
    floats = [np.float64, np.float32]
    X, y = validate_data(
        estimator,
        X,
        y,
        validate_separately=(
            {"accept_sparse": "csc", "dtype": floats, "accept_large_sparse": False},
            {"dtype": floats, "ensure_2d": False},
        ),
    )
    check_consistent_length(X, y)
    return contiguous(X), y


def set_tasks(estimator: Any, data: DenseData | SparseData | SummedData, path: Path, dtype: np.dtype) -> None:
    """Set what a fit of tasks leaves, from the one solution of a path."""
    coef = path.by_task((len(data.y_offset),), dtype)[0]
    estimator.intercept_ = data.y_offset - data.X_offset @ coef.T if estimator.fit_intercept else 0.0
    estimator.coef_ = coef
    estimator.dual_gap_ = float(path.gaps[0]) / data.n_samples
    estimator.n_iter_ = int(path.n_iters[0])
