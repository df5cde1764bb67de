"""Naive Bayes of counts in all classes but one."""

from typing import Any

import numpy as np
import sklearn.naive_bayes

from fastml.naive_bayes._discrete import Fitting
from fastml.naive_bayes._predicting import Predicting


class ComplementNB(Fitting, Predicting, sklearn.naive_bayes.ComplementNB):
    __doc__ = sklearn.naive_bayes.ComplementNB.__doc__

    feature_all_: np.ndarray

    _non_negative = "ComplementNB (input X)"

    def _add_counts(
        self, X: Any, y: np.ndarray, labels: np.ndarray, weights: np.ndarray | None, *, reset: bool
    ) -> None:
        super()._add_counts(X, y, labels, weights, reset=reset)
        self.feature_all_ = self.feature_count_.sum(axis=0)

    def _linear_model(self) -> tuple[np.ndarray, np.ndarray]:
        constants = self.class_log_prior_ if len(self.classes_) == 1 else np.zeros(len(self.feature_log_prob_))
        return self.feature_log_prob_, constants
