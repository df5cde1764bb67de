"""fit of the forests: the same trees, estimates, errors and warnings as scikit-learn's."""

import itertools
import re

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.ensemble
from numpy.testing import assert_allclose, assert_array_equal
from same_outcome import assert_same_outcome, assert_same_tree, exact_problem
from sklearn.metrics import balanced_accuracy_score, mean_squared_error

import fastml
from fastml.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)

CLASSIFIERS = (RandomForestClassifier, ExtraTreesClassifier)
REGRESSORS = (RandomForestRegressor, ExtraTreesRegressor)
SUPERVISED = CLASSIFIERS + REGRESSORS
X, y = exact_problem(200)
WEIGHTS = np.arange(len(y)) % 4


def stock(cls):
    return getattr(sklearn.ensemble, cls.__name__)


def assert_same_forest(ours, other, same_tree=assert_same_tree):
    assert len(ours.estimators_) == len(other.estimators_)
    for tree, twin in zip(ours.estimators_, other.estimators_):
        same_tree(tree.tree_, twin.tree_)
        assert tree.get_params() == twin.get_params()
        assert set(vars(tree)) == set(vars(twin))
        assert type(tree).__name__ == type(twin).__name__
        for name in ("n_features_in_", "n_outputs_", "max_features_", "n_classes_", "classes_"):
            assert type(getattr(tree, name, None)) is type(getattr(twin, name, None)), name
            for value, expected in zip(
                np.atleast_1d(getattr(tree, name, 0)), np.atleast_1d(getattr(twin, name, 0)), strict=True
            ):
                assert_array_equal(value, expected)
    assert_allclose(ours.feature_importances_, other.feature_importances_, rtol=1e-12, atol=1e-15)
    ours, other = vars(ours), vars(other)
    names = set(ours) - {"_grown", "_estimators"}
    assert names == set(other) - {"estimators_"}
    for name in ("n_classes_", "classes_", "oob_score_", "n_outputs_", "_n_samples", "_n_samples_bootstrap"):
        assert_array_equal(ours.get(name), other.get(name))
        assert type(ours.get(name)) is type(other.get(name))


PARAMETERS = [
    {},
    {"bootstrap": True, "oob_score": True},
    {"bootstrap": False},
    {"bootstrap": True, "max_samples": 50},
    {"bootstrap": True, "max_samples": 0.5},
    {"bootstrap": True, "max_samples": 0.01},
    {"bootstrap": True, "max_samples": 500},
    {"max_depth": 3, "max_features": 0.5},
    {"min_samples_leaf": 0.05, "min_weight_fraction_leaf": 0.1, "bootstrap": True},
    {"min_samples_split": 20, "max_features": None},
    {"max_leaf_nodes": 9},
    {"min_impurity_decrease": 0.01},
    {"ccp_alpha": 0.01},
    {"n_estimators": 1, "n_jobs": 2},
    {"n_jobs": 2},
    {"n_jobs": -1},
    {"random_state": np.random.RandomState(1)},
]
FOR_CLASSES = [
    {"class_weight": {0: 1, 1: 2, 2: 3}},
    {"class_weight": "balanced_subsample", "bootstrap": True, "oob_score": balanced_accuracy_score, "max_depth": 2},
    {"class_weight": "balanced_subsample", "bootstrap": False, "max_depth": 2},
    {"class_weight": "balanced", "bootstrap": False, "max_depth": 2},
    {"class_weight": "balanced", "bootstrap": True},
    {"criterion": "entropy"},
    {"criterion": "log_loss", "bootstrap": True},
]
FOR_NUMBERS = [
    {"criterion": "absolute_error", "max_depth": 3},
    {"criterion": "poisson", "max_depth": 3},
    {"criterion": "friedman_mse"},
    {"monotonic_cst": [1, -1, 0, 0, 0, 0, 0, 1]},
    {"oob_score": mean_squared_error, "bootstrap": True},
]


def without_address(value):
    """Return a name that is the same in every process that collects the tests."""
    return re.sub(r" at 0x\w+", "", str(value))


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(
    ("cls", "parameters"),
    [
        *itertools.product(SUPERVISED, PARAMETERS),
        *itertools.product(CLASSIFIERS, FOR_CLASSES),
        *itertools.product(REGRESSORS, FOR_NUMBERS),
    ],
    ids=without_address,
)
def test_same_forest(cls, parameters, weighted):
    def fit(cls):
        given = {"n_estimators": 8, "random_state": 3, **parameters}
        if not isinstance(given["random_state"], int):
            given["random_state"] = np.random.RandomState(1)
        return cls(**given).fit(X, y, sample_weight=WEIGHTS if weighted else None)

    ours, other = assert_same_outcome(cls, stock(cls), fit)
    assert other.error is None
    ours, other = ours.value, other.value
    # Classes weighted equally have weights that are no whole numbers, and sums that depend on the order of additions;
    # unless the weights are those by which samples are drawn.
    balanced = str(parameters.get("class_weight")).startswith("balanced")
    is_rounded = parameters.get("criterion") == "poisson" or (balanced and "max_depth" in parameters)
    assert_same_forest(ours, other, assert_similar_tree if is_rounded else assert_same_tree)
    for name in ("oob_decision_function_", "oob_prediction_"):
        assert hasattr(ours, name) == hasattr(other, name)
        if hasattr(other, name):
            assert_allclose(getattr(ours, name), getattr(other, name), rtol=1e-12 if is_rounded else 0)
    assert ours.predict(X).dtype == other.predict(X).dtype
    assert_array_equal(ours.predict(X), other.predict(X))


def assert_similar_tree(ours, other):
    """Assert that trees with rounded sums are alike: they are not told apart by a tie here."""
    assert_array_equal(ours.feature, other.feature)
    assert_array_equal(ours.threshold, other.threshold)
    assert_allclose(ours.value, other.value, rtol=1e-9, atol=1e-12)
    assert_allclose(ours.impurity, other.impurity, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("labels", ["strings", "two outputs", "strings in two outputs", "series", "column"])
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_labels(cls, labels):
    given = {
        "strings": np.array(["b", "a", "c"])[y],
        "two outputs": np.column_stack([y, y[::-1] % 2]),
        "strings in two outputs": np.array(["b", "a", "c"])[np.column_stack([y, y[::-1] % 2])],
        "series": pd.Series(y, name="target"),
        "column": y[:, None],
    }[labels]
    ours, other = assert_same_outcome(
        cls, stock(cls), lambda cls: cls(n_estimators=5, random_state=0, bootstrap=True).fit(X, given)
    )
    ours, other = ours.value, other.value
    for tree, twin in zip(ours.estimators_, other.estimators_):
        assert_same_tree(tree.tree_, twin.tree_)
    assert_array_equal(ours.predict(X), other.predict(X))
    assert_array_equal(np.asarray(ours.predict_proba(X)[0]), np.asarray(other.predict_proba(X)[0]))


@pytest.mark.parametrize("cls", SUPERVISED)
def test_out_of_bag_of_several_outputs(cls):
    outputs = np.column_stack([y > 0, y > 1]).astype(int)
    ours, other = (
        which(n_estimators=30, random_state=0, bootstrap=True, oob_score=True).fit(X, outputs)
        for which in (cls, stock(cls))
    )
    name = "oob_decision_function_" if cls in CLASSIFIERS else "oob_prediction_"
    assert getattr(ours, name).shape == getattr(other, name).shape
    assert_array_equal(getattr(ours, name), getattr(other, name))
    assert ours.oob_score_ == other.oob_score_


@pytest.mark.parametrize("cls", SUPERVISED)
def test_bad_input(cls):
    spoilt = X.copy()
    spoilt[3, 2] = np.inf
    missing = np.where(X > 1, np.nan, X)
    cases = [
        ({}, spoilt, y, None),
        ({}, X * 1e300, y, None),
        ({}, missing, y, None),
        ({"criterion": "poisson"}, X, -y, None),
        ({"criterion": "poisson"}, X, 0 * y, None),
        ({"criterion": "unheard-of"}, X, y, None),
        ({}, X[:, 0], y, None),
        ({}, X[:0], y[:0], None),
        ({}, X, y[:-1], None),
        ({}, X, None, None),
        ({}, None, y, None),
        ({}, X, sp.csr_matrix(np.column_stack([y, y])), None),
        ({}, X, np.where(y == 1, np.nan, y), None),
        ({}, X, y + 0.5 * (y == 1), None),
        ({}, X, y, np.ones(3)),
        ({}, X, y, -np.ones(len(y))),
        ({}, X, y, 0 * y),
        ({"bootstrap": True}, X, y, -np.ones(len(y))),
        ({"bootstrap": True}, X, y, np.where(y == 1, -1.0, 1.0)),
        ({"max_samples": 10, "bootstrap": False}, X, y, None),
        ({"oob_score": True, "bootstrap": False}, X, y, None),
        ({"n_estimators": 0}, X, y, None),
        ({"n_jobs": 0}, X, y, None),
        ({"n_jobs": 1.5}, X, y, None),
        ({"max_features": 0}, X, y, None),
        ({"max_features": 50}, X, y, None),
        ({"max_samples": 0}, X, y, None),
        ({"max_samples": 1.5, "bootstrap": True}, X, y, None),
        ({"monotonic_cst": [1]}, X, y, None),
        ({"monotonic_cst": [1] * 8}, X, y, None),
        ({"monotonic_cst": [1] * 8}, X, np.column_stack([y, y]), None),
        ({"random_state": -1}, X, y, None),
        ({"class_weight": "unheard-of"}, X, y, None),
        ({"class_weight": [1, 2]}, X, y, None),
        ({"class_weight": {0: 0.0, 1: 0.0, 2: 0.0}}, X, y, None),
        ({"class_weight": {0: 0.0, 1: 0.0, 2: 0.0}, "bootstrap": True}, X, y, None),
        ({"oob_score": True, "bootstrap": True}, X, np.column_stack([y, y]), None),
        ({"oob_score": True, "bootstrap": True, "n_estimators": 1}, X, y, None),
    ]
    fitted = cls(n_estimators=3, random_state=0).fit(X, y)
    before = vars(fitted).copy()
    for parameters, samples, targets, weights in cases:
        if "class_weight" in parameters and cls in REGRESSORS:
            continue

        def fit(cls, parameters=parameters, samples=samples, targets=targets, weights=weights):
            return cls(**{"n_estimators": 3, "random_state": 0, **parameters}).fit(
                samples, targets, sample_weight=weights
            )

        ours, other = assert_same_outcome(cls, stock(cls), fit)
        assert (ours.value is None) == (other.value is None)
        if other.error is not None and not parameters:
            with pytest.raises(other.error[0]):
                fitted.fit(samples, targets, sample_weight=weights)
            assert all(vars(fitted)[name] is before[name] for name in before)


@pytest.mark.parametrize("cls", SUPERVISED)
def test_warm_start(cls):
    def grow(cls, *steps):
        model = cls(warm_start=True, random_state=5, bootstrap=True)
        for n_estimators, depth in steps:
            model.set_params(n_estimators=n_estimators, max_depth=depth).fit(X, y)
        return model

    for steps in ([(3, 2), (7, 5)], [(4, None), (4, None)], [(4, None), (2, None)], [(2, 3), (3, 4), (6, None)]):
        ours, other = assert_same_outcome(cls, stock(cls), lambda cls: grow(cls, *steps))  # noqa: B023
        if other.error is None:
            assert_same_forest(ours.value, other.value)
            assert_array_equal(ours.value.predict(X), other.value.predict(X))

    # Trees that somebody has looked at stay what they are.
    model = grow(cls, (3, None))
    first = model.estimators_[0]
    model.set_params(n_estimators=5).fit(X, y)
    assert model.estimators_[0] is first
    assert len(model.estimators_) == 5
    assert_array_equal(model.predict(X), grow(stock(cls), (5, None)).predict(X))
    model.set_params(warm_start=False, n_estimators=2).fit(X, y)
    assert len(model.estimators_) == 2


@pytest.mark.parametrize("bootstrap", [True, False])
@pytest.mark.parametrize("cls", SUPERVISED)
def test_samples_of_trees(cls, bootstrap):
    for weights in (None, WEIGHTS):
        ours, other = (
            which(n_estimators=4, random_state=0, bootstrap=bootstrap).fit(X, y, sample_weight=weights)
            for which in (cls, stock(cls))
        )
        for drawn, expected in zip(ours.estimators_samples_, other.estimators_samples_, strict=True):
            assert_array_equal(drawn, expected)
            assert drawn.dtype == expected.dtype
        if bootstrap:
            tree = ours.estimators_[0].tree_
            assert tree.n_node_samples[0] == len(np.unique(ours.estimators_samples_[0]))


@pytest.mark.parametrize("parameters", [{}, {"max_leaf_nodes": 5}, {"sparse_output": False, "max_depth": 3}], ids=str)
def test_embedding(parameters):
    ours, other = (
        which(n_estimators=10, random_state=0, **parameters).fit(X)
        for which in (RandomTreesEmbedding, sklearn.ensemble.RandomTreesEmbedding)
    )
    embedded = [model.transform(X) for model in (ours, other)]
    assert type(embedded[0]) is type(embedded[1])
    assert embedded[0].dtype == embedded[1].dtype
    assert abs(embedded[0] - embedded[1]).max() == 0
    assert abs(ours.fit_transform(X) - other.fit_transform(X)).max() == 0
    assert_array_equal(ours.get_feature_names_out(), other.get_feature_names_out())
    for tree, twin in zip(ours.estimators_, other.estimators_):
        assert_similar_tree(tree.tree_, twin.tree_)
    with pytest.raises(ValueError, match="infinity"):
        ours.fit(np.where(X > 2, np.inf, X))


def progress(text):
    """Return what a verbose fit prints, without times."""
    return re.sub(r"[\d.]+(s|min)\b", "", text)


@pytest.mark.parametrize("verbose", [1, 2])
@pytest.mark.parametrize("cls", [RandomForestClassifier, ExtraTreesRegressor])
def test_verbose(cls, verbose, capfd):
    texts = []
    for which in (cls, stock(cls)):
        which(n_estimators=12, random_state=0, verbose=verbose, n_jobs=1).fit(X, y)
        out, err = capfd.readouterr()
        texts.append((progress(out), progress(err)))
    assert texts[0] == texts[1]
    assert ("building tree 12 of 12" in texts[0][0]) == (verbose > 1)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
@pytest.mark.parametrize("cls", [*SUPERVISED, RandomTreesEmbedding])
def test_sparse_samples(cls, kind):
    sparse = sp.csr_matrix(np.where(np.abs(X) < 1, 0, X)).asformat(kind)
    ours, other = (which(n_estimators=4, random_state=0).fit(sparse, y) for which in (cls, stock(cls)))
    for tree, twin in zip(ours.estimators_, other.estimators_):
        (assert_similar_tree if cls is RandomTreesEmbedding else assert_same_tree)(tree.tree_, twin.tree_)
    assert (ours.apply(sparse) == other.apply(sparse)).all()


@pytest.mark.parametrize("cls", [RandomForestClassifier, ExtraTreesRegressor])
def test_large_sparse_samples_stay_sparse(cls):
    large = sp.random(200, 20_000, density=1e-3, format="csr", random_state=0, dtype=np.float32)
    given = {"n_estimators": 4, "random_state": 0, "max_depth": 3, "oob_score": True, "bootstrap": True}
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        ours, other = (which(**given).fit(large, y) for which in (cls, stock(cls)))
    assert ours.oob_score_ == pytest.approx(other.oob_score_, rel=1e-12)
    for tree, twin in zip(ours.estimators_, other.estimators_):
        assert_same_tree(tree.tree_, twin.tree_)
    for rows in (large, large[:1], large[::7]):
        assert_array_equal(ours.apply(rows), other.apply(rows))
        assert_allclose(ours.predict(rows), other.predict(rows), rtol=1e-12)


def test_sparse_samples_in_processes():
    large = sp.random(200, 20_000, density=1e-3, format="csc", random_state=0, dtype=np.float32)
    with joblib.parallel_config("loky", n_jobs=2):
        ours = RandomForestClassifier(n_estimators=4, random_state=0).fit(large, y)
    other = sklearn.ensemble.RandomForestClassifier(n_estimators=4, random_state=0).fit(large, y)
    for tree, twin in zip(ours.estimators_, other.estimators_):
        assert_same_tree(tree.tree_, twin.tree_)


def test_other_trees_than_the_forest_s_go_to_scikit_learn():
    class Own(sklearn.tree.DecisionTreeClassifier):
        pass

    model = RandomForestClassifier(n_estimators=2)
    model.estimator = Own()
    with pytest.raises(fastml.FallbackError, match="the trees that scikit-learn's forest of this name has"):
        model.fit(X, y)
    with fastml.config_context(fallback="silent"):
        assert {type(tree) for tree in model.fit(X, y).estimators_} == {Own}
    assert model.predict(X).shape == y.shape
