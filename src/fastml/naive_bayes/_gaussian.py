"""Gaussian naive Bayes."""

from typing import Any

import numpy as np
import sklearn.naive_bayes
from sklearn.base import _fit_context
from sklearn.utils.validation import validate_data

from fastml._core import gaussian_moments, gaussian_scores
from fastml._support import threads, validation
from fastml._support.dispatch import accelerated, of_sklearn
from fastml.naive_bayes._labels import find_labels, is_first_call, number_labels
from fastml.naive_bayes._predicting import NUMPY, SERVED_TYPE, Predicting, reject_not_finite

OWN_MOMENTS = of_sklearn("_partial_fit", "_update_mean_variance")
"""Classes derived from it may define anew how it learns."""

_TERM_WORK = 3
"""Operations for each sample, feature and class of a prediction."""


class GaussianNB(Predicting, sklearn.naive_bayes.GaussianNB):
    __doc__ = sklearn.naive_bayes.GaussianNB.__doc__

    theta_: np.ndarray
    var_: np.ndarray
    class_count_: np.ndarray
    class_prior_: np.ndarray
    classes_: np.ndarray
    epsilon_: Any
    _unserved_types = (np.float16, np.longdouble)

    @accelerated(NUMPY, SERVED_TYPE, OWN_MOMENTS)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        if not validation.targets_are_plain(y):
            y = validate_data(self, y=y)
        # What is no label is told of before the samples are looked at.
        self.classes_, codes = number_labels(y)
        X, y = _checked(self, X, y, reset=True)
        self._update(X, codes, sample_weight, is_first=True)
        return self

    @accelerated(NUMPY, SERVED_TYPE, OWN_MOMENTS)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        is_first = is_first_call(self, classes)
        X, y = _checked(self, X, y, reset=is_first)
        codes, known = find_labels(y, self.classes_)
        self._update(X, codes, sample_weight, is_first=is_first, unknown=None if known.all() else np.unique(y[~known]))
        return self

    def _update(
        self,
        X: np.ndarray,
        codes: np.ndarray,
        sample_weight: Any,
        *,
        is_first: bool,
        unknown: np.ndarray | None = None,
    ) -> None:
        """Join samples with what was known before, unless these are the first."""
        n_classes, n_features = len(self.classes_), X.shape[1]
        dtype = X.dtype if is_first else self.theta_.dtype
        try:
            sample_weight = validation.sample_weight(sample_weight, X)
            prior = None if self.priors is None else self._checked_priors(dtype) if is_first else self.class_prior_
            if unknown is not None:
                raise ValueError(
                    f"The target label(s) {unknown} in y do not exist in the initial classes {self.classes_}"
                )
        except Exception:
            # Values that are not finite come first.
            reject_not_finite(self, X, finite=False, reset=is_first)
            raise
        if is_first:
            counts, theta, var = np.zeros(n_classes), *np.zeros((2, n_classes, n_features))
        else:
            counts, theta, var = (_as_doubles(known) for known in (self.class_count_, self.theta_, self.var_))
        weights, means, variances, largest = gaussian_moments(
            X,
            codes,
            sample_weight,
            counts,
            theta,
            var,
            0.0 if is_first else float(self.var_smoothing),
            threads.for_pass(X.size),
        )
        reject_not_finite(self, X, np.isfinite(largest), reset=is_first)
        with np.errstate(over="ignore"):
            self.epsilon_ = self.var_smoothing * X.dtype.type(largest)
        self.theta_ = means.astype(dtype, copy=False)
        self.var_ = (variances + self.epsilon_).astype(dtype, copy=False)
        self.class_count_ = weights.astype(dtype, copy=False)
        self.class_prior_ = self.class_count_ / self.class_count_.sum() if prior is None else prior

    def _checked_priors(self, dtype: np.dtype) -> np.ndarray:
        priors = np.asarray(self.priors, dtype=dtype)
        if priors.shape[0] != len(self.classes_):
            raise ValueError("Number of priors must match number of classes.")
        if not np.isclose(priors.sum(), 1.0):
            raise ValueError("The sum of the priors should be 1.")
        if (priors < 0).any():
            raise ValueError("Priors must be non-negative.")
        return priors

    def _outcome(self, X: Any, kind: str) -> np.ndarray:
        X = validation.validate(self, X, reset=False, sparse=False, dtype="numeric", check_finite=False)
        model = (self.theta_, self.var_, self.class_prior_)
        narrow = np.result_type(X, *model).itemsize <= 4
        X = _as_floats(X)
        means, variances, priors = (_as_doubles(array) for array in model)
        n_threads = threads.n_threads(work=_TERM_WORK * len(X) * means.size)
        outcome, finite = gaussian_scores(X, means, variances, np.log(priors), kind, narrow, n_threads)
        reject_not_finite(self, X, finite)
        return outcome


def _checked(estimator: GaussianNB, X: Any, y: Any, *, reset: bool) -> tuple[np.ndarray, np.ndarray]:
    X, y = validation.samples_and_targets(
        estimator, X, y, reset=reset, sparse=False, dtype="numeric", check_finite=False
    )
    return _as_floats(X), y


def _as_floats(X: np.ndarray) -> np.ndarray:
    return X if X.dtype.type in (np.float32, np.float64) else X.astype(np.float64)


def _as_doubles(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array, dtype=np.float64)
