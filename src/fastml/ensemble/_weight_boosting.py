"""AdaBoost: scikit-learn's, over our trees, which share one encoding of the samples."""

import sklearn.ensemble

from fastml._support.dispatch import accelerated
from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor
from fastml.tree._shared_features import sharing


class AdaBoostClassifier(sklearn.ensemble.AdaBoostClassifier):
    __doc__ = sklearn.ensemble.AdaBoostClassifier.__doc__

    @accelerated()
    def fit(self, X, y, sample_weight=None):
        with sharing():
            return super().fit(X, y, sample_weight=sample_weight)

    def _validate_estimator(self):
        super()._validate_estimator()
        if self.estimator is None:
            self.estimator_ = DecisionTreeClassifier(max_depth=1)


class AdaBoostRegressor(sklearn.ensemble.AdaBoostRegressor):
    __doc__ = sklearn.ensemble.AdaBoostRegressor.__doc__

    @accelerated()
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y, sample_weight=sample_weight)

    def _validate_estimator(self):
        super()._validate_estimator()
        if self.estimator is None:
            self.estimator_ = DecisionTreeRegressor(max_depth=3)
