"""The compact form of trees restores every bit, and is small."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import sklearn.ensemble
import sklearn.tree
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_array_equal
from same_outcome import assert_same_tree, exact_problem

from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor
from fastml.tree._compact import expand, shrink


def pairs(*trees):
    states = [tree.__getstate__() for tree in trees]
    return [(state["nodes"], state["values"]) for state in states]


def assert_restored(trees, compact):
    restored = expand(compact)
    assert len(restored) == len(trees)
    for (nodes, values), (other_nodes, other_values) in zip(trees, restored):
        assert nodes.tobytes() == other_nodes.tobytes()
        assert values.tobytes() == other_values.tobytes()
        assert values.shape == other_values.shape


def stock_trees(classify=True, seeds=range(3), weights=None, **parameters):
    X, y = exact_problem(400, 6, 5)
    cls = sklearn.tree.DecisionTreeClassifier if classify else sklearn.tree.DecisionTreeRegressor
    return pairs(*(cls(random_state=seed, **parameters).fit(X, y, sample_weight=weights).tree_ for seed in seeds))


@pytest.mark.parametrize("weights", [None, np.arange(400) % 4, np.random.RandomState(0).uniform(size=400)])
@pytest.mark.parametrize("parameters", [{}, {"max_leaf_nodes": 20}, {"max_depth": 2}, {"ccp_alpha": 0.01}], ids=str)
@pytest.mark.parametrize("classify", [True, False])
def test_round_trip(classify, parameters, weights):
    trees = stock_trees(classify, weights=weights, **parameters)
    assert_restored(trees, shrink(trees))


@settings(deadline=None, max_examples=60)
@given(
    n_samples=st.integers(2, 60),
    n_outputs=st.integers(1, 3),
    n_classes=st.integers(1, 300),
    criterion=st.sampled_from(["gini", "entropy"]),
    missing=st.booleans(),
    max_leaf_nodes=st.sampled_from([None, None, 5]),
    seed=st.integers(0, 1000),
)
def test_round_trip_of_random_trees(n_samples, n_outputs, n_classes, criterion, missing, max_leaf_nodes, seed):
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n_samples, 3))
    if missing:
        X[rng.uniform(size=X.shape) < 0.3] = np.nan
    y = rng.randint(0, n_classes, size=(n_samples, n_outputs))
    weights = rng.randint(1, 400, size=n_samples) * rng.choice([1, 0.5, 1 / 3])
    model = sklearn.tree.DecisionTreeClassifier(criterion=criterion, max_leaf_nodes=max_leaf_nodes)
    trees = pairs(model.fit(X, y, sample_weight=weights).tree_, model.fit(X, y).tree_)
    assert_restored(trees, shrink(trees))


def test_what_somebody_has_changed_is_kept():
    for name, value in [("threshold", -0.0), ("feature", -7), ("left_child", 3), ("impurity", np.nan)]:
        trees = copy.deepcopy(stock_trees())
        trees[1][0][name][2] = value
        assert_restored(trees, shrink(trees))
    trees = copy.deepcopy(stock_trees())
    trees[0][1][3] = np.inf
    assert_restored(trees, shrink(trees))


def test_it_is_small():
    X, y = exact_problem(3000, 10, 5)
    for cls, most in ((DecisionTreeClassifier, 12), (DecisionTreeRegressor, 24)):
        model = cls(random_state=0).fit(X, y + 0.1 * X[:, 0] if cls is DecisionTreeRegressor else y)
        per_node = len(pickle.dumps(model)) / model.tree_.node_count
        print(f"{cls.__name__}: {per_node:.1f} bytes a node")
        assert per_node < most


def through_joblib(model):
    stream = io.BytesIO()
    joblib.dump(model, stream)
    stream.seek(0)
    return joblib.load(stream)


@pytest.mark.parametrize(
    "passage", [lambda model: pickle.loads(pickle.dumps(model)), through_joblib, copy.deepcopy, copy.copy]
)
@pytest.mark.parametrize("n_samples", [20, 3000], ids=["small", "large"])
@pytest.mark.parametrize("cls", [DecisionTreeClassifier, DecisionTreeRegressor])
def test_estimators_survive(cls, n_samples, passage):
    X, y = exact_problem(n_samples)
    model = cls(random_state=0).fit(X, y)
    tree = model.tree_
    twin = passage(model)
    assert model.tree_ is tree
    assert type(twin) is cls
    assert_same_tree(twin.tree_, tree)
    assert_array_equal(twin.predict(X), model.predict(X))
    assert twin.get_params() == model.get_params()
    twin.fit(X, y)
