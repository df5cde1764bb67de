"""How the naive Bayes classifiers of counts and categories are fitted."""

from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import _fit_context
from sklearn.naive_bayes import _BaseDiscreteNB
from sklearn.utils.validation import _check_sample_weight

from fastml._support.dispatch import accelerated, of_sklearn
from fastml.naive_bayes._binarized_labels import find_classes, number_classes
from fastml.naive_bayes._counting import counts_of, linear_outcome, samples, samples_and_targets
from fastml.naive_bayes._labels import is_first_call
from fastml.naive_bayes._predicting import SERVED_TYPE

OWN_COUNTS = of_sklearn("_count", "_init_counters", "_check_X_y")
"""Classes derived from these may define anew how samples are counted."""


class Fitting(_BaseDiscreteNB):
    """Fits of discrete naive Bayes classifiers. Comes before scikit-learn's class among the bases.

    A derived class gives a name for the samples in `_non_negative` if they must not be negative, and replaces
    `_add_counts` if it counts anything but values. Arrays are not changed in place: a fit that fails leaves those of
    the fit before.
    """

    classes_: np.ndarray
    class_count_: np.ndarray
    class_log_prior_: np.ndarray
    feature_count_: np.ndarray
    feature_log_prob_: Any

    _non_negative: str | None = None

    @accelerated(OWN_COUNTS, SERVED_TYPE)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        return self._fit(X, y, sample_weight)

    @accelerated(OWN_COUNTS, SERVED_TYPE)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        return self._fit_batch(X, y, classes, sample_weight)

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Any:
        given = X, y
        X, y = self._samples_and_targets(X, y, reset=True)
        try:
            self.classes_, labels = number_classes(y)
            weights = _checked_weights(sample_weight, X)
        except Exception:
            self._check_X_y(*given)  # raises if X has values that are not finite, of which scikit-learn tells first
            raise
        self._init_counters(len(self.classes_), X.shape[1])
        return self._update(X, y, labels, weights, reset=True)

    def _fit_batch(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> Any:
        is_first = not hasattr(self, "classes_")
        given = X, y
        X, y = self._samples_and_targets(X, y, reset=is_first)
        try:
            if not (classes is None and getattr(self, "classes_", None) is not None) and is_first_call(self, classes):
                self._init_counters(len(classes), X.shape[1])
            labels = find_classes(y, self.classes_)
            weights = _checked_weights(sample_weight, X)
        except Exception:
            self._check_X_y(*given, reset=is_first)
            raise
        return self._update(X, y, labels, weights, reset=is_first)

    def _update(self, X: Any, y: np.ndarray, labels: np.ndarray, weights: np.ndarray | None, *, reset: bool) -> Any:
        """Add samples to the counts, and make probabilities of them."""
        self._add_counts(X, y, labels, weights, reset=reset)
        self.class_count_ = self.class_count_ + _class_weights(labels, weights, len(self.classes_))
        self._update_feature_log_prob(self._check_alpha())
        self._update_class_log_prior(class_prior=self.class_prior)
        return self

    def _samples_and_targets(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        return samples_and_targets(self, X, y, reset=reset)

    def _add_counts(
        self, X: Any, y: np.ndarray, labels: np.ndarray, weights: np.ndarray | None, *, reset: bool
    ) -> None:
        """Count the values of each feature in each class."""
        counts, least, finite = counts_of(X, labels, weights, self._threshold(X), len(self.classes_))
        if not finite and not get_config()["assume_finite"]:
            self._check_X_y(X, y, reset=reset)
        if self._non_negative and least < 0:
            raise ValueError(f"Negative values in data passed to {self._non_negative}.")
        self.feature_count_ = self.feature_count_ + counts

    def _threshold(self, X: Any) -> float | None:
        """Return what a value must exceed to count 1; None where values count as they are."""
        return None

    def _linear_model(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the weights of values in the score of each class, and what a score is without values."""
        raise NotImplementedError

    def _outcome(self, X: Any, kind: str) -> np.ndarray:
        X = samples(self, X, reset=False)
        outcome, finite = linear_outcome(X, *self._linear_model(), self._threshold(X), kind)
        if not finite and not get_config()["assume_finite"]:
            self._check_X(X)
        return outcome


def _checked_weights(sample_weight: Any, X: Any) -> np.ndarray | None:
    if sample_weight is None:
        return None
    return np.require(_check_sample_weight(sample_weight, X), dtype=np.float64, requirements=["C", "A"])


def _class_weights(labels: np.ndarray, weights: np.ndarray | None, n_classes: int) -> np.ndarray:
    """Return what the samples of each class weigh, added up as scikit-learn does."""
    if n_classes == 1 and weights is not None:
        return weights.sum(keepdims=True)
    return np.bincount(labels, weights=weights, minlength=n_classes + 1)[:n_classes]
