"""Naive Bayes of categories."""

from typing import Any

import numpy as np
import sklearn.naive_bayes
from sklearn.base import _fit_context
from sklearn.utils.validation import check_non_negative, validate_data

from fastml._core import category_scores, count_categories, largest_categories
from fastml._support import threads, validation
from fastml._support.dispatch import accelerated
from fastml.naive_bayes._counting import have_plain_labels
from fastml.naive_bayes._discrete import OWN_COUNTS, Fitting
from fastml.naive_bayes._predicting import Predicting


class CategoricalNB(Fitting, Predicting, sklearn.naive_bayes.CategoricalNB):
    __doc__ = sklearn.naive_bayes.CategoricalNB.__doc__

    category_count_: list[np.ndarray]
    n_categories_: np.ndarray

    _non_negative = "CategoricalNB (input X)"

    @accelerated(OWN_COUNTS)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        return self._fit(X, y, sample_weight)

    @accelerated(OWN_COUNTS)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        return self._fit_batch(X, y, classes, sample_weight)

    def _samples_and_targets(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        if _are_integers(X) and have_plain_labels(X, y):
            return _categories(self, X, reset=reset), y
        X, y = validate_data(self, X, y, dtype="int", accept_sparse=False, reset=reset, order="C")
        return np.require(X, dtype=np.int64, requirements="A"), y

    def _add_counts(
        self, X: Any, y: np.ndarray, labels: np.ndarray, weights: np.ndarray | None, *, reset: bool
    ) -> None:
        """Count the categories of each feature in each class."""
        n_threads = threads.for_pass(X.size)
        largest, least = largest_categories(X, n_threads)
        if least < 0:
            check_non_negative(X, self._non_negative)
        # The categories of a sample of the largest ones are those of all.
        self.n_categories_ = self._validate_n_categories(largest[None], self.min_categories)
        offsets = _offsets(self.n_categories_)
        counts = count_categories(X, labels, weights, offsets, len(self.classes_), n_threads)
        self.category_count_ = [
            _joined(known, counts[:, begin:end])
            for known, begin, end in zip(self.category_count_, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
        ]

    def _outcome(self, X: Any, kind: str) -> np.ndarray:
        X = _categories(self, X, reset=False)
        logarithms = self.feature_log_prob_
        offsets = _offsets([of_feature.shape[1] for of_feature in logarithms])
        weights = np.concatenate(logarithms, axis=1, dtype=np.float64)
        constants = np.ascontiguousarray(self.class_log_prior_, dtype=np.float64)
        n_threads = threads.n_threads(work=X.size * len(constants))
        outcome, known = category_scores(X, offsets, weights, constants, kind, n_threads)
        if not known:
            check_non_negative(X, self._non_negative)
            self._joint_log_likelihood(X)  # raises: some category has no probability
        return outcome


# Those of the class that it shares its fits with do not tell of categories.
CategoricalNB.fit.__doc__ = sklearn.naive_bayes.CategoricalNB.fit.__doc__
CategoricalNB.partial_fit.__doc__ = sklearn.naive_bayes.CategoricalNB.partial_fit.__doc__


def _are_integers(X: Any) -> bool:
    return type(X) is np.ndarray and X.dtype == np.int64


def _categories(estimator: Any, X: Any, *, reset: bool) -> np.ndarray:
    """Check samples, as scikit-learn does, but for categories that are negative."""
    if _are_integers(X):
        return validation.validate(estimator, X, reset=reset, sparse=False, dtype=(np.int64,), check_finite=False)
    X = validate_data(estimator, X, dtype="int", accept_sparse=False, reset=reset, order="C")
    return np.require(X, dtype=np.int64, requirements="A")


def _offsets(n_categories: Any) -> np.ndarray:
    """Return where the categories of each feature begin, if they follow one another, and where the last end."""
    offsets = np.zeros(len(n_categories) + 1, dtype=np.int64)
    np.cumsum(n_categories, out=offsets[1:])
    return offsets


def _joined(known: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Return the sum of two matrices of counts, of which one may have categories that the other has not."""
    few, many = sorted((known, more), key=lambda counts: counts.shape[1])
    joined = np.array(many, order="C")
    joined[:, : few.shape[1]] += few
    return joined
