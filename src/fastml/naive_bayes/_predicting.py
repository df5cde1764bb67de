"""What naive Bayes classifiers do once they are fitted."""

from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.naive_bayes import _BaseNB
from sklearn.utils.validation import check_is_fitted

from fastml._support import validation
from fastml._support.arrays import of_numpy
from fastml._support.dispatch import Condition, accelerated, of_sklearn
from fastml._support.targets import are_plain


def _is_served(estimator: Any, X: Any, *args: Any, **kwargs: Any) -> bool:
    unserved = estimator._unserved_types
    if isinstance(X, np.ndarray):
        return X.dtype.type not in unserved
    types = getattr(X, "dtypes", None)  # of a frame
    return types is None or not any(getattr(dtype, "type", None) in unserved for dtype in types)


def _logarithms_are_ours(estimator: Any, *args: Any, **kwargs: Any) -> bool:
    return type(estimator).predict_log_proba is Predicting.predict_log_proba


SERVED_TYPE = Condition("samples other than of long double, or of float16 for GaussianNB", _is_served)
"""There are no kernels for what scikit-learn computes in these types."""

NUMPY = of_numpy("theta_")
"""Of the five only GaussianNB takes arrays of other libraries."""

OWN_SCORES = of_sklearn("_joint_log_likelihood", "_check_X")
"""Classes derived from these may define their scores anew."""

OWN_LOGARITHMS = Condition("our predict_log_proba", _logarithms_are_ours)
"""What scikit-learn's probabilities are made of."""


class Predicting(_BaseNB):
    """Predictions of naive Bayes classifiers. Comes before scikit-learn's class among the bases."""

    classes_: np.ndarray
    _unserved_types: tuple[type, ...] = (np.longdouble,)

    @accelerated(NUMPY, SERVED_TYPE, OWN_SCORES)
    def predict(self, X):
        labels = self._checked_outcome(X, "label")
        return self.classes_.take(labels)

    @accelerated(NUMPY, SERVED_TYPE, OWN_SCORES)
    def predict_joint_log_proba(self, X):
        return self._checked_outcome(X, "joint")

    @accelerated(NUMPY, SERVED_TYPE, OWN_SCORES)
    def predict_log_proba(self, X):
        return self._checked_outcome(X, "log_probability")

    @accelerated(NUMPY, SERVED_TYPE, OWN_SCORES, OWN_LOGARITHMS)
    def predict_proba(self, X):
        return self._checked_outcome(X, "probability")

    def score(self, X, y, sample_weight=None):
        classes = getattr(self, "classes_", None)
        if sample_weight is None and are_plain(y) and classes is not None and classes.dtype == y.dtype:
            labels = self.predict(X)
            if isinstance(labels, np.ndarray) and labels.shape == y.shape:
                return float(np.count_nonzero(labels == y) / len(y))
        return super().score(X, y, sample_weight)

    score.__doc__ = _BaseNB.score.__doc__

    def _checked_outcome(self, X: Any, kind: str) -> np.ndarray:
        if "classes_" not in self.__dict__:
            check_is_fitted(self)
        return self._outcome(X, kind)

    def _outcome(self, X: Any, kind: str) -> np.ndarray:
        """Return what is asked of the samples.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_features)
            The samples as the user gave them.
        kind : {"joint", "log_probability", "probability", "label"}
            Joint log-probabilities, log-probabilities or probabilities of the classes, or the number of the likeliest
            one.

        Returns
        -------
        outcome : ndarray of shape (n_samples, n_classes), or (n_samples,) for labels
        """
        raise NotImplementedError


def reject_not_finite(estimator: Any, X: Any, finite: bool, *, reset: bool = False) -> None:
    """Raise scikit-learn's error about samples in which a kernel met values that are not finite."""
    if not finite and not get_config()["assume_finite"]:
        validation.validate(estimator, X, reset=reset, sparse=False, dtype="numeric")
