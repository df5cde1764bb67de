"""Fitted trees inside of scikit-learn's tools: plots, exports, pruning paths, searches, stock equivalents."""

import pickle
import pickletools

import matplotlib as mpl
import numpy as np
import pytest
import sklearn.tree
from numpy.testing import assert_array_equal
from same_outcome import assert_same_tree, exact_problem
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.inspection import partial_dependence
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

import fastml
from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

TREES = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)
X, y = exact_problem()


def stock(cls):
    return getattr(sklearn.tree, cls.__name__)


@pytest.mark.parametrize("cls", TREES)
def test_it_is_scikit_learn_s_estimator(cls):
    model, other = cls(max_depth=3), stock(cls)(max_depth=3)
    assert isinstance(model, stock(cls))
    assert is_classifier(model) == is_classifier(other)
    assert is_regressor(model) == is_regressor(other)
    assert model.get_params() == other.get_params()
    assert repr(model) == repr(other)
    assert get_tags(model) == get_tags(other)
    assert cls.__doc__ == stock(cls).__doc__
    for name in ("fit", "predict", "apply"):
        assert getattr(cls, name).__doc__ == getattr(stock(cls), name).__doc__
    assert issubclass(ExtraTreeClassifier, DecisionTreeClassifier)


@pytest.mark.parametrize("cls", TREES)
def test_exports(cls):
    model, other = (which(max_depth=3, random_state=0).fit(X, y) for which in (cls, stock(cls)))
    assert sklearn.tree.export_text(model) == sklearn.tree.export_text(other)
    assert sklearn.tree.export_graphviz(model) == sklearn.tree.export_graphviz(other)
    mpl.use("agg")
    texts = [[text.get_text() for text in sklearn.tree.plot_tree(tree)] for tree in (model, other)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("cls", TREES)
def test_what_is_derived_from_the_tree(cls):
    model, other = (which(random_state=0).fit(X, y) for which in (cls, stock(cls)))
    assert_array_equal(model.feature_importances_, other.feature_importances_)
    assert (model.get_depth(), model.get_n_leaves()) == (other.get_depth(), other.get_n_leaves())
    assert (model.decision_path(X) != other.decision_path(X)).nnz == 0
    paths = [tree.cost_complexity_pruning_path(X, y) for tree in (model, other)]
    assert_array_equal(paths[0].ccp_alphas, paths[1].ccp_alphas)
    assert_array_equal(paths[0].impurities, paths[1].impurities)
    pruned, other = (which(random_state=0, ccp_alpha=0.01).fit(X, y) for which in (cls, stock(cls)))
    assert_same_tree(pruned.tree_, other.tree_)
    assert pruned.tree_.node_count < model.tree_.node_count


def test_partial_dependence():
    model, other = (which(random_state=0).fit(X, y) for which in (DecisionTreeRegressor, stock(DecisionTreeRegressor)))
    for method in ("recursion", "brute"):
        ours, theirs = (partial_dependence(tree, X, [0], method=method)["average"] for tree in (model, other))
        assert_array_equal(ours, theirs)


@pytest.mark.parametrize("cls", TREES)
def test_to_sklearn(cls):
    model = cls(random_state=0).fit(X, y)
    other = fastml.to_sklearn(model)
    assert type(other) is stock(cls)
    assert_same_tree(other.tree_, model.tree_)
    assert_array_equal(other.predict(X), model.predict(X))
    names = {str(argument) for _, argument, _ in pickletools.genops(pickle.dumps(other))}
    assert not [name for name in names if "fastml" in name]
    assert type(fastml.to_sklearn(clone(model))) is stock(cls)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_grid_search(n_jobs):
    grid = {"tree__max_depth": [2, 5, None], "tree__min_samples_leaf": [1, 5], "tree__criterion": ["gini", "entropy"]}
    results = []
    for cls in (DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier):
        pipeline = make_pipeline(StandardScaler(), cls(random_state=0))
        pipeline.steps[-1] = "tree", pipeline.steps[-1][1]
        results.append(GridSearchCV(pipeline, grid, n_jobs=n_jobs, cv=3, error_score="raise").fit(X, y))
    ours, theirs = results
    assert_array_equal(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])
    assert ours.best_params_ == theirs.best_params_
    assert type(ours.best_estimator_[-1]) is DecisionTreeClassifier


def test_changed_arrays_are_what_predicts():
    model = DecisionTreeClassifier(random_state=0).fit(X, y)
    model.predict(X[:5])
    model.tree_.value[...] = np.roll(model.tree_.value, 1, axis=2)
    other = fastml.to_sklearn(model)
    assert_array_equal(model.predict(X), other.predict(X))
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), other.predict(X))


def test_subclasses():
    class Shallow(DecisionTreeClassifier):
        def fit(self, X, y, sample_weight=None, check_input=True):
            self.max_depth = 2
            return super().fit(X, y, sample_weight=sample_weight, check_input=check_input)

    assert Shallow(random_state=0).fit(X, y).get_depth() == 2
    with pytest.raises(TypeError, match="derives from a class of fastml"):
        fastml.to_sklearn(Shallow())


def test_metadata_routing():
    request = DecisionTreeClassifier().set_fit_request
    with pytest.raises(RuntimeError, match="enable_metadata_routing"):
        request(sample_weight=True)
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        model = (
            DecisionTreeClassifier(random_state=0)
            .set_fit_request(sample_weight=True)
            .set_score_request(sample_weight=False)
        )
        search = GridSearchCV(model, {"max_depth": [2, 3]}, cv=2).fit(X, y, sample_weight=np.arange(len(y)) % 3)
        assert search.best_estimator_.tree_.weighted_n_node_samples[0] == np.sum(np.arange(len(y)) % 3)


def test_names_of_parameters():
    for cls in (DecisionTreeClassifier, ExtraTreeRegressor):
        expected = getattr(sklearn.tree, cls.__name__)._get_param_names()
        cls._get_param_names().clear()
        assert cls._get_param_names() == expected

    class Wider(DecisionTreeClassifier):
        def __init__(self, extra=1, *, max_depth=None):
            super().__init__(max_depth=max_depth)
            self.extra = extra

    assert Wider._get_param_names() == ["extra", "max_depth"]
    assert clone(Wider(extra=3)).get_params() == {"extra": 3, "max_depth": None}
