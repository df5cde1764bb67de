"""Linear models: least squares, logistic regression, coordinate descent, stochastic gradient descent."""

from fastml.linear_model._elastic_net import ElasticNet, Lasso
from fastml.linear_model._elastic_net_cv import ElasticNetCV, LassoCV, MultiTaskElasticNetCV, MultiTaskLassoCV
from fastml.linear_model._elastic_net_paths import enet_path, lasso_path
from fastml.linear_model._linear_regression import LinearRegression
from fastml.linear_model._logistic import LogisticRegression
from fastml.linear_model._logistic_cv import LogisticRegressionCV
from fastml.linear_model._multi_task import MultiTaskElasticNet, MultiTaskLasso
from fastml.linear_model._passive_aggressive import PassiveAggressiveClassifier, PassiveAggressiveRegressor
from fastml.linear_model._perceptron import Perceptron
from fastml.linear_model._ridge import Ridge, RidgeClassifier
from fastml.linear_model._ridge_cv import RidgeClassifierCV, RidgeCV
from fastml.linear_model._ridge_regression import ridge_regression
from fastml.linear_model._stochastic_gradient import SGDClassifier, SGDOneClassSVM, SGDRegressor

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "Lasso",
    "LassoCV",
    "LinearRegression",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "PassiveAggressiveClassifier",
    "PassiveAggressiveRegressor",
    "Perceptron",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
    "SGDOneClassSVM",
    "SGDRegressor",
    "enet_path",
    "lasso_path",
    "ridge_regression",
]
