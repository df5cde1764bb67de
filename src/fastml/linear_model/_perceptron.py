"""Perceptron: scikit-learn's, on the solver of SGD."""

import sklearn.linear_model

from fastml._support.dispatch import accelerated
from fastml.linear_model._predicting import PredictingClasses
from fastml.linear_model._sgd_classifying import FittingClasses


class Perceptron(PredictingClasses, FittingClasses, sklearn.linear_model.Perceptron):
    __doc__ = sklearn.linear_model.Perceptron.__doc__

    @accelerated()
    def fit(self, X, y, coef_init=None, intercept_init=None, sample_weight=None):
        return super().fit(X, y, coef_init=coef_init, intercept_init=intercept_init, sample_weight=sample_weight)

    @accelerated()
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        return super().partial_fit(X, y, classes=classes, sample_weight=sample_weight)
