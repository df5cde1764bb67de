"""Trees against scikit-learn's over random problems: classification trees equal to the bit, regression up to ties."""

from collections import Counter

import numpy as np
import pytest
import sklearn.tree
from numpy.testing import assert_allclose, assert_array_equal
from tree_cases import classification_case, regression_case
from tree_comparison import STRUCTURE, different_arrays, explain_difference, fit_both, rounding_of_impurity

from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

CLASSIFICATION = range(700)
REGRESSION = range(400)


def has_exact_sums(case):
    """Tell whether weights are whole numbers: "balanced" ones are not."""
    return case.parameters.get("class_weight") != "balanced"


@pytest.mark.parametrize("number", CLASSIFICATION)
def test_classification_trees_are_equal(number):
    case = classification_case(number)
    ours, stock = fit_both(
        DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier, case, None, case.sample_weight()
    )
    if isinstance(stock, str):
        assert ours == stock
        return
    if has_exact_sums(case):
        assert not different_arrays(ours.tree_, stock.tree_), case
        assert_array_equal(ours.predict(case.samples()), stock.predict(case.samples()))
    assert ours.max_features_ == stock.max_features_
    assert type(ours.n_classes_) is type(stock.n_classes_)
    assert_array_equal(np.concatenate(np.atleast_2d(ours.classes_)), np.concatenate(np.atleast_2d(stock.classes_)))


def test_most_cases_have_exact_sums():
    cases = [classification_case(number) for number in CLASSIFICATION]
    assert sum(has_exact_sums(case) for case in cases) >= 600
    assert {case.kind for case in cases if has_exact_sums(case)} == {case.kind for case in cases}


def test_classification_trees_part_seldom_where_sums_are_rounded():
    outcomes = Counter()
    for number in range(2500):
        case = classification_case(number)
        if has_exact_sums(case):
            continue
        ours, stock = fit_both(
            DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier, case, None, case.sample_weight()
        )
        if isinstance(stock, str):
            assert ours == stock
            continue
        same = not different_arrays(ours.tree_, stock.tree_, STRUCTURE)
        outcomes["same" if same else "parted"] += 1
        if same:
            assert_allclose(ours.tree_.value, stock.tree_.value, rtol=1e-9, atol=1e-12)
            assert_allclose(ours.tree_.impurity, stock.tree_.impurity, rtol=1e-9, atol=1e-12)
    print(outcomes)
    assert outcomes["same"] >= 3 * outcomes["parted"]


@pytest.mark.parametrize("number", range(100))
@pytest.mark.parametrize(
    ("ours", "stock"),
    [
        (ExtraTreeClassifier, sklearn.tree.ExtraTreeClassifier),
        (ExtraTreeRegressor, sklearn.tree.ExtraTreeRegressor),
    ],
)
def test_extra_trees_are_equal(number, ours, stock):
    case = classification_case(number)
    if ours is ExtraTreeRegressor:
        case.parameters.pop("class_weight", None)
        case.parameters.pop("monotonic_cst", None)
        case.parameters["criterion"] = "squared_error"
    case.parameters.pop("splitter")
    ours, stock = fit_both(ours, stock, case, None, case.sample_weight())
    if isinstance(stock, str):
        assert ours == stock
    else:
        assert not different_arrays(ours.tree_, stock.tree_), case


@pytest.mark.parametrize("max_features", ["sqrt", 0.5])
@pytest.mark.parametrize("seed", range(10))
def test_extra_trees_with_features_that_become_constant(seed, max_features):
    # After the last feature that varies in a node, scikit-learn goes on to draw those known to be constant: the random
    # numbers that it takes for them are missing in all later nodes otherwise.
    rng = np.random.RandomState(seed)
    X = rng.uniform(size=(400, 40)) < rng.uniform(0.02, 0.5, size=40)
    y = (X @ rng.standard_normal(40) + rng.standard_normal(400) > 0).astype(int)
    parameters = {"max_features": max_features, "random_state": seed}
    ours, stock = (cls(**parameters).fit(X, y) for cls in (ExtraTreeClassifier, sklearn.tree.ExtraTreeClassifier))
    assert stock.get_depth() > 8, "too small a tree for constants to add up"
    assert not different_arrays(ours.tree_, stock.tree_)


@pytest.mark.parametrize("number", REGRESSION)
def test_regression_trees_are_equal_where_sums_are_exact(number):
    case = regression_case(number)
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


def test_regression_trees_part_at_ties_only():
    outcomes = Counter()
    for number in REGRESSION:
        case = regression_case(number)
        ours, stock = fit_both(
            DecisionTreeRegressor, sklearn.tree.DecisionTreeRegressor, case, None, case.sample_weight()
        )
        if isinstance(stock, str):
            assert ours == stock
            continue
        criterion = case.parameters["criterion"]
        if different_arrays(ours.tree_, stock.tree_, STRUCTURE):
            where = explain_difference(ours.tree_, stock.tree_, case)
            print(case, "->", where)
            outcomes[criterion, "parted"] += 1
            continue
        outcomes[criterion, "same"] += 1
        outcomes[criterion, "same to the bit"] += not different_arrays(ours.tree_, stock.tree_)
        scale = np.abs(case.targets()).max()
        assert_allclose(ours.tree_.value, stock.tree_.value, rtol=1e-9, atol=1e-12 * scale)
        assert_allclose(ours.tree_.impurity, stock.tree_.impurity, rtol=1e-9, atol=rounding_of_impurity(case))
        X = case.samples()
        assert_allclose(ours.predict(X), stock.predict(X), rtol=1e-9, atol=1e-12 * scale)
    print(outcomes)
    assert outcomes["squared_error", "same"] >= 6 * outcomes["squared_error", "parted"]
    assert sum(
        outcomes[criterion, "parted"] for criterion in ("squared_error", "absolute_error", "poisson")
    ) <= 0.2 * len(REGRESSION)
