"""MLPClassifier and MLPRegressor."""

import sklearn.neural_network
from scipy.sparse import issparse
from sklearn.base import _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from fastml._support.dispatch import Condition, accelerated
from fastml.neural_network._fitting import FittingNetworks

_SHORT_INDICES = Condition(
    "fewer than 2**31 features", lambda self, X, *args, **kwargs: not issparse(X) or X.shape[1] < 2**31
)


class MLPClassifier(FittingNetworks, sklearn.neural_network.MLPClassifier):
    __doc__ = sklearn.neural_network.MLPClassifier.__doc__

    @accelerated(_SHORT_INDICES)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        return self._fit(X, y, sample_weight=sample_weight, incremental=False)

    @available_if(lambda est: est._check_solver())
    @accelerated(_SHORT_INDICES)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        if _check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer()
            self._label_binarizer.fit(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight=sample_weight, incremental=True)

    @accelerated(_SHORT_INDICES)
    def predict(self, X):
        return super().predict(X)

    @accelerated(_SHORT_INDICES)
    def predict_proba(self, X):
        return super().predict_proba(X)

    @accelerated(_SHORT_INDICES)
    def predict_log_proba(self, X):
        return super().predict_log_proba(X)


class MLPRegressor(FittingNetworks, sklearn.neural_network.MLPRegressor):
    __doc__ = sklearn.neural_network.MLPRegressor.__doc__

    @accelerated(_SHORT_INDICES)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        return self._fit(X, y, sample_weight=sample_weight, incremental=False)

    @accelerated(_SHORT_INDICES)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        return self._fit(X, y, sample_weight=sample_weight, incremental=True)

    @accelerated(_SHORT_INDICES)
    def predict(self, X):
        return super().predict(X)
