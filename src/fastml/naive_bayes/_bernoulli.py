"""Naive Bayes of features that are there or not."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.naive_bayes

from fastml.naive_bayes._counting import threshold_for
from fastml.naive_bayes._discrete import Fitting
from fastml.naive_bayes._predicting import Predicting


class BernoulliNB(Fitting, Predicting, sklearn.naive_bayes.BernoulliNB):
    __doc__ = sklearn.naive_bayes.BernoulliNB.__doc__

    def _threshold(self, X: Any) -> float | None:
        threshold = threshold_for(self.binarize, X)
        if sp.issparse(X) and threshold is not None and threshold < 0:
            raise ValueError("Cannot binarize a sparse matrix with threshold < 0")
        return threshold

    def _linear_model(self) -> tuple[np.ndarray, np.ndarray]:
        absent = np.log(1 - np.exp(self.feature_log_prob_))
        # A score is that of a sample without any feature, and what each of its features changes.
        return self.feature_log_prob_ - absent, self.class_log_prior_ + absent.sum(axis=1)
