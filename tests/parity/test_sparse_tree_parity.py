"""Trees on sparse samples against scikit-learn's: equal to the bit where sums are exact, and up to ties elsewhere."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import sklearn.ensemble
import sklearn.tree
from numpy.testing import assert_allclose, assert_array_equal
from sparse_tree_cases import SPARSE_KINDS, sparse_classification_case, sparse_regression_case
from tree_comparison import STRUCTURE, different_arrays, fit_both, rounding_of_impurity

from fastml.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor
from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, _samples

CLASSIFICATION = range(500)
REGRESSION = range(300)


@pytest.fixture(autouse=True)
def stays_sparse(monkeypatch):
    """Never make samples dense, however small they are."""
    monkeypatch.setattr(_samples, "_DENSE_SHARE", {"best": np.inf, "random": np.inf})


def has_exact_sums(case):
    return case.parameters.get("class_weight") != "balanced"


def test_cases_of_all_kinds():
    kinds = Counter(sparse_classification_case(number).kind for number in CLASSIFICATION)
    assert set(kinds) == set(SPARSE_KINDS)


@pytest.mark.parametrize("number", CLASSIFICATION)
def test_classification_trees_are_equal(number):
    case = sparse_classification_case(number)
    ours, stock = fit_both(
        DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier, case, None, case.sample_weight()
    )
    if isinstance(stock, str):
        assert ours == stock
        return
    if has_exact_sums(case):
        assert not different_arrays(ours.tree_, stock.tree_), case
    X = case.samples().tocsr()
    if has_exact_sums(case):
        assert_array_equal(ours.predict(X), stock.predict(X))
        assert_array_equal(ours.apply(X), stock.apply(X))


@pytest.mark.parametrize("number", range(100))
def test_extra_trees_are_equal(number):
    case = sparse_classification_case(number)
    case.parameters.pop("splitter")
    if not has_exact_sums(case):
        case.parameters.pop("class_weight")
    ours, stock = fit_both(ExtraTreeClassifier, sklearn.tree.ExtraTreeClassifier, case, None, case.sample_weight())
    if isinstance(stock, str):
        assert ours == stock
    else:
        assert not different_arrays(ours.tree_, stock.tree_), case


@pytest.mark.parametrize("number", REGRESSION)
def test_regression_trees_are_equal_where_sums_are_exact(number):
    case = sparse_regression_case(number)
    weights = case.sample_weight()
    weights = None if weights is None else np.ceil(3 * weights)
    y = np.round(3 * case.targets())
    criterion = case.parameters["criterion"]
    if criterion == "poisson":
        y = np.abs(y) + 1
    ours, stock = fit_both(DecisionTreeRegressor, sklearn.tree.DecisionTreeRegressor, case, y, weights)
    if isinstance(stock, str):
        assert ours == stock
        return
    different = different_arrays(ours.tree_, stock.tree_)
    if criterion == "poisson":
        # Sums of y log y are not exact.
        different = [name for name in different if name != "impurity"]
        assert_allclose(ours.tree_.impurity, stock.tree_.impurity, rtol=0, atol=rounding_of_impurity(case))
    assert not different, case


def test_regression_trees_part_seldom_where_sums_are_rounded():
    outcomes = Counter()
    for number in REGRESSION:
        case = sparse_regression_case(number)
        ours, stock = fit_both(
            DecisionTreeRegressor, sklearn.tree.DecisionTreeRegressor, case, None, case.sample_weight()
        )
        if isinstance(stock, str):
            assert ours == stock
            continue
        # Samples lie in scikit-learn's order, but for equal values that are not alone in their column.
        ties = case.kind in ("counts", "near zero", "near equal")
        to_the_bit = not different_arrays(ours.tree_, stock.tree_)
        outcomes["ties" if ties else "none", to_the_bit] += 1
        if not different_arrays(ours.tree_, stock.tree_, STRUCTURE):
            scale = np.abs(case.targets()).max()
            assert_allclose(ours.tree_.value, stock.tree_.value, rtol=1e-9, atol=1e-12 * scale)
            assert_allclose(ours.tree_.impurity, stock.tree_.impurity, rtol=1e-9, atol=rounding_of_impurity(case))
    print(outcomes)
    assert outcomes["none", False] == 0
    assert outcomes["ties", True] >= outcomes["ties", False]


def test_classification_trees_part_seldom_where_sums_are_rounded():
    outcomes = Counter()
    for number in CLASSIFICATION[:200]:
        case = sparse_classification_case(number)
        weights = np.random.RandomState(number).uniform(size=case.n_samples)
        ours, stock = fit_both(DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier, case, None, weights)
        if isinstance(stock, str):
            assert ours == stock
            continue
        ties = case.kind in ("counts", "near zero", "near equal")
        outcomes["ties" if ties else "none", not different_arrays(ours.tree_, stock.tree_)] += 1
    print(outcomes)
    assert outcomes["none", False] == 0
    assert outcomes["ties", True] >= outcomes["ties", False]


@pytest.mark.parametrize("number", range(30))
@pytest.mark.parametrize(
    ("ours", "stock"),
    [
        (RandomForestClassifier, sklearn.ensemble.RandomForestClassifier),
        (ExtraTreesClassifier, sklearn.ensemble.ExtraTreesClassifier),
    ],
)
def test_forests_are_equal(number, ours, stock):
    parameters = {
        "n_estimators": 5,
        "random_state": number,
        "bootstrap": number % 3 > 0,
        "oob_score": number % 3 == 1,
        "max_leaf_nodes": 9 if number % 4 == 0 else None,
    }
    case = replace(sparse_classification_case(number), parameters=parameters)
    ours, stock = fit_both(ours, stock, case, None, case.sample_weight())
    if isinstance(stock, str):
        assert ours == stock
        return
    for tree, twin in zip(ours.estimators_, stock.estimators_, strict=True):
        assert not different_arrays(tree.tree_, twin.tree_), case
    if number % 3 == 1:
        assert_allclose(ours.oob_decision_function_, stock.oob_decision_function_, rtol=1e-12)
        assert ours.oob_score_ == stock.oob_score_
    X = case.samples()
    assert_allclose(ours.predict_proba(X), stock.predict_proba(X), rtol=1e-12)


def test_out_of_bag_estimates_of_regression():
    case = sparse_regression_case(3)
    X, y = case.samples(), np.round(5 * case.targets())
    given = {"n_estimators": 20, "oob_score": True, "random_state": 0}
    ours = RandomForestRegressor(**given).fit(X, y)
    stock = sklearn.ensemble.RandomForestRegressor(**given).fit(X, y)
    assert_allclose(ours.oob_prediction_, stock.oob_prediction_, rtol=1e-12)
    assert_allclose(ours.oob_score_, stock.oob_score_, rtol=1e-12)
