"""Lasso and ElasticNet."""

import numbers
import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.linear_model
from sklearn import get_config
from sklearn.base import _fit_context
from sklearn.linear_model._base import _check_precomputed_gram_matrix
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from fastml._core import all_finite
from fastml._support import validation
from fastml._support.dispatch import Condition, accelerated
from fastml.linear_model._coordinate_descent import Residual
from fastml.linear_model._elastic_net_data import DenseData, SparseData, data_of
from fastml.linear_model._elastic_net_paths import enet_path
from fastml.linear_model._elastic_net_solving import Options, draw_seeds, solve
from fastml.linear_model._predicting import NUMPY, PredictingValues


def is_like_an_array(precompute: Any) -> bool:
    """Tell whether it holds a Gram matrix; what is neither one nor a choice, the body rejects."""
    return not isinstance(precompute, (str, np.generic)) and (
        hasattr(precompute, "__len__") or hasattr(precompute, "__array__")
    )


_GRAM = Condition(
    "precompute=True, False or an array of NumPy",
    lambda self, X, *args, **kwargs: isinstance(self.precompute, np.ndarray) or not is_like_an_array(self.precompute),
)

ALPHA_ZERO = (
    "With alpha=0, this algorithm does not converge well. You are advised to use the LinearRegression estimator"
)


class ElasticNet(PredictingValues, sklearn.linear_model.ElasticNet):
    __doc__ = sklearn.linear_model.ElasticNet.__doc__

    # Not an argument that is routed, as in the parent: classes of their own `fit` need it said again.
    __metadata_request__fit = {"check_input": sklearn.utils.metadata_routing.UNUSED}

    path = staticmethod(enet_path)

    @accelerated(NUMPY, _GRAM)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, check_input=True):
        if self.alpha == 0:
            warnings.warn(ALPHA_ZERO, stacklevel=2)
        if check_input:
            X, y = samples_and_targets(self, X, y)
        if isinstance(sample_weight, numbers.Number):
            sample_weight = None
        if sample_weight is not None:
            if check_input:
                sample_weight = validation.sample_weight(sample_weight, X)
            # The weights' scale is without meaning: as a sum over the samples, the penalty is alpha * n_samples.
            sample_weight = sample_weight * (len(y) / np.sum(sample_weight))
        data = data_of(X, y, sample_weight, self.fit_intercept)
        start = self.coef_.reshape(-1, data.n_features) if self.warm_start and hasattr(self, "coef_") else None
        coef, dual_gap, n_iter = self._descend(data, _given_gram(self, data, check_input), start)

        # New arrays, so that a failure leaves the attributes of the last fit.
        if self.fit_intercept:
            intercept = data.y_offset - data.X_offset @ (coef[0] if len(coef) == 1 else coef.T)
        else:
            intercept = 0.0
        check_solution(coef, intercept)
        single = len(coef) == 1
        self.n_iter_ = n_iter[0] if single else n_iter
        self.coef_ = coef[0] if single else coef
        self.dual_gap_ = dual_gap[0] if single else dual_gap
        self.intercept_ = intercept
        return self

    def _descend(
        self, data: DenseData | SparseData, gram: np.ndarray | None, start: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, list[int]]:
        """Return weights and gaps of each target, in the type of the samples, and the numbers of sweeps."""
        options = Options(self.max_iter, self.tol, self.positive, self.selection)
        alphas = np.array([self.alpha * self.l1_ratio * data.n_samples], dtype=np.float64)
        betas = np.array([self.alpha * (1.0 - self.l1_ratio) * data.n_samples], dtype=np.float64)
        coef = np.empty((data.n_targets, data.n_features), dtype=data.dtype, order="F")
        dual_gap = np.empty(data.n_targets, dtype=data.dtype)
        n_iter = []
        for target in range(data.n_targets):
            residual: Residual
            if gram is None or isinstance(data, SparseData):
                residual = data.residual(target, alphas, self.tol, in_turn=self.selection == "cyclic")
            else:
                residual = data.given_gram_residual(target, gram)
            seeds = draw_seeds(self.random_state, 1)
            path = solve(residual, alphas, betas, seeds, options, start=None if start is None else start[target])
            path.warn()
            coef[target] = path.coefs[0]
            dual_gap[target] = path.gaps[0] / data.n_samples
            n_iter.append(int(path.n_iters[0]))
        return coef, dual_gap, n_iter


class Lasso(ElasticNet, sklearn.linear_model.Lasso):
    __doc__ = sklearn.linear_model.Lasso.__doc__

    path = staticmethod(enet_path)


def check_solution(coef: np.ndarray, intercept: Any) -> None:
    """Reject what is not finite, as scikit-learn does."""
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise ValueError(
            "Coordinate descent iterations resulted in non-finite parameter values. The input data may contain large "
            "values and need to be preprocessed."
        )


def _given_gram(estimator: Any, data: DenseData | SparseData, check: bool) -> np.ndarray | None:
    """Return the Gram matrix that the user gave, where scikit-learn would use it."""
    if not isinstance(estimator.precompute, np.ndarray) or isinstance(data, SparseData):
        return None
    if estimator.fit_intercept and not np.allclose(data.X_offset, 0):
        warnings.warn(
            "Gram matrix was provided but X was centered to fit intercept: recomputing Gram matrix.",
            UserWarning,
            stacklevel=2,
        )
        return None
    if check:
        _check_precomputed_gram_matrix(
            data.prepare(), estimator.precompute, data.X_offset, np.ones(data.n_features, dtype=data.dtype)
        )
    return estimator.precompute


def samples_and_targets(estimator: Any, X: Any, y: Any) -> tuple[Any, np.ndarray]:
    """Check samples and targets as scikit-learn does, with a way past it for plain arrays.

    Returns
    -------
    X : ndarray or CSC matrix of shape (n_samples, n_features)
        C- or Fortran-contiguous if dense.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        Of the type of X.
    """
    if are_plain(X, y):
        X = validation.validate(estimator, X, reset=True, sparse="csc", order=None)
        return X, y.astype(X.dtype, copy=False)
    X, y = validate_data(
        estimator,
        X,
        y,
        accept_sparse="csc",
        dtype=[np.float64, np.float32],
        accept_large_sparse=False,
        multi_output=True,
        y_numeric=True,
    )
    y = check_array(y, order="F", copy=False, dtype=X.dtype.type, ensure_2d=False)
    return contiguous(X), y


def are_plain(X: Any, y: Any) -> bool:
    """Tell whether targets need no conversion but to the type of the samples, which are an array of as many."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and type(y) is np.ndarray
        and y.ndim in (1, 2)
        and y.dtype.char in "fd"
        and y.dtype.isnative
        and y.flags.forc
        and y.flags.aligned
        and len(X) == len(y) > 0
        and y.size > 0
        and (get_config()["assume_finite"] or all_finite(y if y.flags.c_contiguous else y.T, 1))
    )


def contiguous(X: Any) -> Any:
    """Return samples with dense ones in an order that kernels read."""
    return X if sp.issparse(X) or (X.flags.forc and X.flags.aligned) else np.require(X, requirements=["C", "A"])
