"""Bagging: scikit-learn's, over our trees, which share one encoding of the samples where they share the samples."""

import sklearn.ensemble

from fastml._support.dispatch import accelerated
from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor
from fastml.tree._shared_features import sharing


class BaggingClassifier(sklearn.ensemble.BaggingClassifier):
    __doc__ = sklearn.ensemble.BaggingClassifier.__doc__

    @accelerated()
    def fit(self, X, y, sample_weight=None, **fit_params):
        with sharing():
            return super().fit(X, y, sample_weight=sample_weight, **fit_params)

    def _get_estimator(self):
        return DecisionTreeClassifier() if self.estimator is None else self.estimator


class BaggingRegressor(sklearn.ensemble.BaggingRegressor):
    __doc__ = sklearn.ensemble.BaggingRegressor.__doc__

    @accelerated()
    def fit(self, X, y, sample_weight=None, **fit_params):
        with sharing():
            return super().fit(X, y, sample_weight=sample_weight, **fit_params)

    def _get_estimator(self):
        return DecisionTreeRegressor() if self.estimator is None else self.estimator
