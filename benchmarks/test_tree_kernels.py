"""Times of the tree kernels one by one: ``pytest benchmarks -k tree --benchmark-group-by=func``.

One thread each. The reference is scikit-learn's Tree, grown and asked by its own code.
"""

import numpy as np
import pytest
import sklearn.tree
from sklearn.tree._tree import NODE_DTYPE

import fastml.tree
from benchmarks.datasets import classes, numbers
from benchmarks.tree.tasks import digest
from fastml import _core
from fastml.tree._fitted_tree import make_tree
from fastml.tree._growing import SEEDS
from fastml.tree._parameters import encoding, tree_options

ROWS, FEATURES = 20_000, 16

# Ways to look for a split, and what leads there: (parameters of the tree, values of a feature or None for all apart).
ROUTES = {
    "sorted lists": ({}, None),
    "buckets": ({"max_features": 4}, None),
    "sums by value": ({"max_features": 4}, 50),
    "random": ({"splitter": "random", "max_features": 4}, None),
    "best first": ({"max_leaf_nodes": 1000}, None),
}
KINDS = ("values", "ranks", "sorted")


def labelled(values=None):
    return classes(ROWS, FEATURES, held_out=ROWS, values=values, dtype="float32")


def kernel_arguments(model, data, n_classes):
    """Return what grow_tree takes for an unfitted tree of scikit-learn."""
    max_features = FEATURES if model.max_features is None else model.max_features
    features = _core.TreeFeatures(data.X, encoding(model.splitter, max_features, FEATURES))
    y = data.y.astype(np.float64).reshape(-1, 1)
    targets = _core.TreeTargets(y, None if n_classes is None else np.array([n_classes]))
    options = tree_options(model, ROWS, max_features, total_weight=float(ROWS), monotonic_cst=None)
    return features, targets, options, None, np.random.RandomState(0).randint(0, SEEDS), 1


@pytest.mark.parametrize("kind", KINDS)
def test_encode(benchmark, kind):
    X = labelled().X
    features = benchmark(_core.TreeFeatures, X, kind)
    assert (features.n_samples, features.n_features) == X.shape


@pytest.mark.parametrize("route", ROUTES)
def test_grow_classifier(benchmark, route):
    parameters, values = ROUTES[route]
    data = labelled(values)
    model = sklearn.tree.DecisionTreeClassifier(random_state=0, **parameters)
    nodes, tree_values, max_depth = benchmark(_core.grow_tree, *kernel_arguments(model, data, 2))
    grown = make_tree(FEATURES, np.array([2]), nodes, tree_values, max_depth)
    assert digest(grown) == digest(model.fit(data.X, data.y).tree_)


@pytest.mark.parametrize("criterion", ["squared_error", "poisson"])
@pytest.mark.parametrize("max_depth", [3, None])
def test_grow_regressor(benchmark, criterion, max_depth):
    """Whole targets, whose sums are exact: the trees are equal."""
    data = numbers(ROWS, FEATURES, held_out=0, dtype="float32")
    data.y[:] = np.round(data.y - data.y.min())
    # Leaves of some samples: in fewer, the last bit of a logarithm decides between splits that are as good.
    model = sklearn.tree.DecisionTreeRegressor(
        criterion=criterion, max_depth=max_depth, min_samples_leaf=20, random_state=0
    )
    nodes = benchmark(_core.grow_tree, *kernel_arguments(model, data, None))[0].view(NODE_DTYPE).ravel()
    model.fit(data.X, data.y)
    np.testing.assert_array_equal(nodes["feature"], model.tree_.feature)
    np.testing.assert_array_equal(nodes["threshold"], model.tree_.threshold)


@pytest.mark.parametrize("steps", [1000, 4000, 16000])
def test_staircase(benchmark, steps):
    """Each split takes one sample off. scikit-learn sorts each node anew, in steps**2 log(steps) in all."""
    X, y = np.arange(steps + 1, dtype=np.float32)[:, None], np.arange(steps + 1) % 2
    model = benchmark.pedantic(fastml.tree.DecisionTreeClassifier(random_state=0).fit, (X, y), rounds=3)
    assert model.get_depth() == steps


@pytest.mark.parametrize("rows", [1, 64, ROWS])
def test_forest_values(benchmark, rows):
    """Few rows walk the nodes as they are; many have them packed."""
    data = labelled()
    trees = [
        sklearn.tree.DecisionTreeClassifier(max_features=4, max_depth=12, random_state=seed).fit(data.X, data.y).tree_
        for seed in range(20)
    ]
    X = data.X_held_out[:rows]
    arrays = [(state["nodes"], state["values"]) for state in (tree.__getstate__() for tree in trees)]
    view = _core.ForestView(arrays, FEATURES)
    out = np.zeros((rows, 2))

    def call():
        out[:] = 0
        view.add_values(X, out)

    benchmark(call)
    expected = np.zeros_like(out)
    for tree in trees:
        expected += tree.predict(X)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("rows", [1, ROWS])
def test_to_float32(benchmark, rows):
    X = labelled().X[:rows].astype(np.float64)
    np.testing.assert_array_equal(benchmark(_core.to_float32, X), X.astype(np.float32))
