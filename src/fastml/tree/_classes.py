"""The four trees."""

import sklearn.tree

from fastml.tree._growing import Growing
from fastml.tree._predicting import TreeClassifierPredicting, TreePredicting


class DecisionTreeClassifier(TreeClassifierPredicting, Growing, sklearn.tree.DecisionTreeClassifier):
    __doc__ = sklearn.tree.DecisionTreeClassifier.__doc__


class DecisionTreeRegressor(TreePredicting, Growing, sklearn.tree.DecisionTreeRegressor):
    __doc__ = sklearn.tree.DecisionTreeRegressor.__doc__


class ExtraTreeClassifier(DecisionTreeClassifier, sklearn.tree.ExtraTreeClassifier):
    __doc__ = sklearn.tree.ExtraTreeClassifier.__doc__


class ExtraTreeRegressor(DecisionTreeRegressor, sklearn.tree.ExtraTreeRegressor):
    __doc__ = sklearn.tree.ExtraTreeRegressor.__doc__
