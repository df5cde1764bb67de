"""PassiveAggressiveClassifier and PassiveAggressiveRegressor: scikit-learn's, on the solver of SGD.

scikit-learn 1.8 deprecated both; their warning comes with the classes.
"""

import sklearn.linear_model

from fastml._support.dispatch import accelerated
from fastml.linear_model._predicting import PredictingClasses
from fastml.linear_model._sgd_classifying import FittingClasses
from fastml.linear_model._sgd_values import FittingValues


class PassiveAggressiveClassifier(PredictingClasses, FittingClasses, sklearn.linear_model.PassiveAggressiveClassifier):
    __doc__ = sklearn.linear_model.PassiveAggressiveClassifier.__doc__

    @accelerated()
    def fit(self, X, y, coef_init=None, intercept_init=None):
        return super().fit(X, y, coef_init=coef_init, intercept_init=intercept_init)

    @accelerated()
    def partial_fit(self, X, y, classes=None):
        return super().partial_fit(X, y, classes=classes)


class PassiveAggressiveRegressor(FittingValues, sklearn.linear_model.PassiveAggressiveRegressor):
    __doc__ = sklearn.linear_model.PassiveAggressiveRegressor.__doc__

    @accelerated()
    def fit(self, X, y, coef_init=None, intercept_init=None):
        return super().fit(X, y, coef_init=coef_init, intercept_init=intercept_init)

    @accelerated()
    def partial_fit(self, X, y):
        return super().partial_fit(X, y)
