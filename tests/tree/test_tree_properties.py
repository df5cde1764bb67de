"""What holds of any tree, whatever it is grown on: scikit-learn's own, and what follows from exact sums."""

import numpy as np
import sklearn.tree
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from same_outcome import assert_same_tree

import fastml.ensemble
from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor


@st.composite
def problems(draw, missing=True):
    """Few values, so that ties, constants and equal rows are the rule."""
    n_samples = draw(st.integers(1, 60))
    n_features = draw(st.integers(1, 5))
    rng = np.random.RandomState(draw(st.integers(0, 2**31 - 1)))
    X = rng.randint(0, draw(st.sampled_from([1, 2, 5, 1000])), size=(n_samples, n_features)).astype(float)
    X *= draw(st.sampled_from([1.0, 0.1, 1e-7, 1e30, -3.0]))
    if missing and draw(st.booleans()):
        X[rng.uniform(size=X.shape) < 0.3] = np.nan
    return X, rng.randint(0, draw(st.integers(1, 6)), size=n_samples), rng


parameters = st.fixed_dictionaries(
    {"random_state": st.integers(0, 2**32 - 1)},
    optional={
        "max_depth": st.integers(1, 5),
        "min_samples_split": st.one_of(st.integers(2, 20), st.floats(0.01, 1.0)),
        "min_samples_leaf": st.one_of(st.integers(1, 10), st.floats(0.01, 0.4)),
        "min_weight_fraction_leaf": st.floats(0.0, 0.5),
        "max_features": st.one_of(
            st.none(), st.integers(1, 9), st.floats(0.01, 1.0), st.sampled_from(["sqrt", "log2"])
        ),
        "max_leaf_nodes": st.integers(2, 12),
        "min_impurity_decrease": st.floats(0.0, 0.2),
        "splitter": st.sampled_from(["best", "random"]),
    },
)


@settings(deadline=None, max_examples=300)
@given(problem=problems(), given_parameters=parameters, criterion=st.sampled_from(["gini", "entropy"]))
def test_classification_trees_are_scikit_learn_s(problem, given_parameters, criterion):
    X, y, rng = problem
    weights = rng.randint(0, 3, size=len(y)) + (np.arange(len(y)) == 0)
    models = [
        cls(criterion=criterion, **given_parameters).fit(X, y, sample_weight=weights)
        for cls in (DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier)
    ]
    assert_same_tree(models[0].tree_, models[1].tree_)


@settings(deadline=None, max_examples=200)
@given(problem=problems(), given_parameters=parameters, criterion=st.sampled_from(["squared_error", "absolute_error"]))
def test_regression_trees_on_integers_are_scikit_learn_s(problem, given_parameters, criterion):
    X, y, _ = problem
    models = [
        cls(criterion=criterion, **given_parameters).fit(X, y)
        for cls in (DecisionTreeRegressor, sklearn.tree.DecisionTreeRegressor)
    ]
    assert_same_tree(models[0].tree_, models[1].tree_)


@settings(deadline=None)
@given(problem=problems(), seed=st.integers(0, 1000))
def test_the_order_of_samples_does_not_matter(problem, seed):
    X, y, rng = problem
    order = rng.permutation(len(y))
    models = [DecisionTreeClassifier(random_state=seed).fit(*samples) for samples in ((X, y), (X[order], y[order]))]
    assert_same_tree(models[0].tree_, models[1].tree_)


@settings(deadline=None)
@given(problem=problems(), seed=st.integers(0, 1000))
def test_a_weight_stands_for_so_many_samples(problem, seed):
    X, y, rng = problem
    weights = rng.randint(1, 4, size=len(y))
    weighted = DecisionTreeClassifier(random_state=seed).fit(X, y, sample_weight=weights).tree_
    repeated = DecisionTreeClassifier(random_state=seed).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights)).tree_
    for name in ("children_left", "feature", "threshold", "value", "impurity", "weighted_n_node_samples"):
        assert_array_equal(getattr(weighted, name), getattr(repeated, name))


@settings(deadline=None)
@given(problem=problems(), seed=st.integers(0, 1000))
def test_nodes_add_up(problem, seed):
    X, y, _ = problem
    model = DecisionTreeClassifier(random_state=seed).fit(X, y)
    tree = model.tree_
    inner = np.flatnonzero(tree.children_left >= 0)
    left, right = tree.children_left[inner], tree.children_right[inner]
    assert_array_equal(tree.n_node_samples[inner], tree.n_node_samples[left] + tree.n_node_samples[right])
    assert_allclose(tree.value.sum(axis=2), 1)
    leaves = model.apply(X)
    assert_array_equal(
        np.bincount(leaves, minlength=tree.node_count)[tree.children_left < 0],
        tree.n_node_samples[tree.children_left < 0],
    )
    for leaf in np.unique(leaves):
        assert_allclose(
            tree.value[leaf, 0],
            np.bincount(y[leaves == leaf], minlength=y.max() + 1)[model.classes_] / (leaves == leaf).sum(),
        )


@settings(deadline=None, max_examples=50)
@given(problem=problems(missing=False), seed=st.integers(0, 1000), n_trees=st.integers(1, 6))
def test_a_larger_forest_begins_with_the_smaller(problem, seed, n_trees):
    X, y, _ = problem
    small, large = (
        fastml.ensemble.RandomForestClassifier(n_estimators=count, random_state=seed).fit(X, y)
        for count in (n_trees, 8)
    )
    for tree, twin in zip(small.estimators_, large.estimators_):
        assert_same_tree(tree.tree_, twin.tree_)
