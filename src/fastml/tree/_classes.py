"""The four trees."""

import sklearn.tree
from sklearn.base import _fit_context

from fastml._support.dispatch import accelerated
from fastml.tree._growing import SERVED_CRITERION, Growing
from fastml.tree._predicting import TreeClassifierPredicting, TreePredicting


class DecisionTreeClassifier(TreeClassifierPredicting, Growing, sklearn.tree.DecisionTreeClassifier):
    __doc__ = sklearn.tree.DecisionTreeClassifier.__doc__

    @accelerated(SERVED_CRITERION)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, check_input=True):
        return self._fit(X, y, sample_weight=sample_weight, check_input=check_input)


class DecisionTreeRegressor(TreePredicting, Growing, sklearn.tree.DecisionTreeRegressor):
    __doc__ = sklearn.tree.DecisionTreeRegressor.__doc__

    @accelerated(SERVED_CRITERION)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, check_input=True):
        return self._fit(X, y, sample_weight=sample_weight, check_input=check_input)


class ExtraTreeClassifier(DecisionTreeClassifier, sklearn.tree.ExtraTreeClassifier):
    __doc__ = sklearn.tree.ExtraTreeClassifier.__doc__


class ExtraTreeRegressor(DecisionTreeRegressor, sklearn.tree.ExtraTreeRegressor):
    __doc__ = sklearn.tree.ExtraTreeRegressor.__doc__
