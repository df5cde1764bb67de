"""The five forests."""

import numpy as np
import sklearn.ensemble
from sklearn.base import _fit_context
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples

from fastml._support.dispatch import accelerated
from fastml.ensemble._forest_fitting import OWN_TREES, ForestFitting
from fastml.ensemble._forest_predicting import (
    ForestClassifierPredicting,
    ForestPredicting,
    ForestRegressorPredicting,
)
from fastml.ensemble._out_of_bag import OutOfBagClassifier, OutOfBagRegressor
from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor


class RandomForestClassifier(
    ForestClassifierPredicting, ForestFitting, OutOfBagClassifier, sklearn.ensemble.RandomForestClassifier
):
    __doc__ = sklearn.ensemble.RandomForestClassifier.__doc__
    _tree_class = DecisionTreeClassifier


class RandomForestRegressor(
    ForestRegressorPredicting, ForestFitting, OutOfBagRegressor, sklearn.ensemble.RandomForestRegressor
):
    __doc__ = sklearn.ensemble.RandomForestRegressor.__doc__
    _tree_class = DecisionTreeRegressor


class ExtraTreesClassifier(
    ForestClassifierPredicting, ForestFitting, OutOfBagClassifier, sklearn.ensemble.ExtraTreesClassifier
):
    __doc__ = sklearn.ensemble.ExtraTreesClassifier.__doc__
    _tree_class = ExtraTreeClassifier


class ExtraTreesRegressor(
    ForestRegressorPredicting, ForestFitting, OutOfBagRegressor, sklearn.ensemble.ExtraTreesRegressor
):
    __doc__ = sklearn.ensemble.ExtraTreesRegressor.__doc__
    _tree_class = ExtraTreeRegressor


class RandomTreesEmbedding(ForestPredicting, ForestFitting, sklearn.ensemble.RandomTreesEmbedding):
    __doc__ = sklearn.ensemble.RandomTreesEmbedding.__doc__
    _tree_class = ExtraTreeRegressor

    @accelerated(OWN_TREES)
    def fit(self, X, y=None, sample_weight=None):
        self.fit_transform(X, y, sample_weight=sample_weight)
        return self

    @accelerated(OWN_TREES)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None, sample_weight=None):
        targets = check_random_state(self.random_state).uniform(size=_num_samples(X))
        self._fit_forest(X, targets, sample_weight)
        self.one_hot_encoder_ = OneHotEncoder(sparse_output=self.sparse_output)
        output = self.one_hot_encoder_.fit_transform(np.ascontiguousarray(self.apply(X)))
        self._n_features_out = output.shape[1]
        return output
