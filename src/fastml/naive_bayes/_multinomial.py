"""Naive Bayes of counts."""

import numpy as np
import sklearn.naive_bayes

from fastml.naive_bayes._discrete import Fitting
from fastml.naive_bayes._predicting import Predicting


class MultinomialNB(Fitting, Predicting, sklearn.naive_bayes.MultinomialNB):
    __doc__ = sklearn.naive_bayes.MultinomialNB.__doc__

    _non_negative = "MultinomialNB (input X)"

    def _linear_model(self) -> tuple[np.ndarray, np.ndarray]:
        return self.feature_log_prob_, self.class_log_prior_
