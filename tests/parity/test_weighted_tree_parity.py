"""Trees against scikit-learn's where sums are rounded: fractional weights, real targets.

Sums then depend on the order of the samples of a node, which is what scikit-learn's partitions and sorts have left.
Random splits only part samples: their trees are equal to the bit. Best splits sort them, and samples of equal value
come in another order: trees are equal to the bit where there are none.
"""

from collections import Counter

import numpy as np
import pytest
import sklearn.ensemble
import sklearn.tree
from tree_cases import classification_case, regression_case
from tree_comparison import STRUCTURE, different_arrays, fit_both

from fastml.ensemble import AdaBoostClassifier, ExtraTreesClassifier, RandomForestClassifier
from fastml.tree import DecisionTreeClassifier, ExtraTreeClassifier, ExtraTreeRegressor

# Those whose samples have no equal values: constants are equal in all samples, and sorting leaves them.
WITHOUT_TIES = ("continuous", "float32", "staircase", "constants")


def fractional_weights(case, y):
    """Return weights of four kinds: uniform, from very small to very large, thirds with zeros, of each class."""
    rng = np.random.RandomState(case.number + 5_000_000)
    first = y if y.ndim == 1 else y[:, 0]
    return [
        rng.uniform(size=len(y)),
        np.exp(3 * rng.standard_normal(len(y))),
        rng.randint(0, 4, size=len(y)) / 3,
        rng.uniform(size=int(first.max()) + 1)[first.astype(int)] if case.n_classes else rng.uniform(1, 2, size=len(y)),
    ][case.number % 4]


@pytest.mark.parametrize("number", range(200))
def test_random_splits_of_classes_are_equal(number):
    case = classification_case(number)
    case.parameters.pop("splitter")
    y = case.targets()
    ours, stock = fit_both(ExtraTreeClassifier, sklearn.tree.ExtraTreeClassifier, case, y, fractional_weights(case, y))
    if isinstance(stock, str):
        assert ours == stock
    else:
        assert not different_arrays(ours.tree_, stock.tree_), case


@pytest.mark.parametrize("number", range(100))
def test_random_splits_of_numbers_are_equal(number):
    case = regression_case(number)
    case.parameters.pop("splitter")
    if case.parameters["criterion"] == "absolute_error":
        # Medians, and deviations from them, are found in another way, with other roundings.
        case.parameters["criterion"] = "squared_error"
    y = case.targets()
    ours, stock = fit_both(ExtraTreeRegressor, sklearn.tree.ExtraTreeRegressor, case, y, fractional_weights(case, y))
    if isinstance(stock, str):
        assert ours == stock
    else:
        assert not different_arrays(ours.tree_, stock.tree_), case


def test_best_splits_of_classes_are_equal_where_no_values_are():
    outcomes = Counter()
    for number in range(700):
        case = classification_case(number)
        case.parameters.pop("splitter")
        y = case.targets()
        weights = fractional_weights(case, y)
        ours, stock = fit_both(DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier, case, y, weights)
        if isinstance(stock, str):
            assert ours == stock
            continue
        if case.kind in WITHOUT_TIES:
            assert not different_arrays(ours.tree_, stock.tree_), case
            outcomes["without ties"] += 1
            continue
        different = different_arrays(ours.tree_, stock.tree_, STRUCTURE)
        outcomes["parted" if different else "same"] += 1
    print(outcomes)
    assert outcomes["without ties"] >= 200
    assert outcomes["same"] >= 3 * outcomes["parted"]


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(
    ("ours", "stock", "parameters"),
    [
        (RandomForestClassifier, sklearn.ensemble.RandomForestClassifier, {"class_weight": "balanced_subsample"}),
        (
            RandomForestClassifier,
            sklearn.ensemble.RandomForestClassifier,
            {"class_weight": "balanced", "bootstrap": False, "criterion": "entropy"},
        ),
        (ExtraTreesClassifier, sklearn.ensemble.ExtraTreesClassifier, {"class_weight": "balanced"}),
        (AdaBoostClassifier, sklearn.ensemble.AdaBoostClassifier, {}),
    ],
)
def test_ensembles_of_weighted_trees_are_equal(ours, stock, parameters, n_classes):
    rng = np.random.RandomState(n_classes)
    X = rng.standard_normal((1500, 9))
    y = np.digitize(X[:, 0] + X[:, 1] * X[:, 2] + rng.standard_normal(1500), [1.0, 2.0, 2.5][: n_classes - 1])
    ours, stock = (cls(n_estimators=8, random_state=3, **parameters).fit(X, y) for cls in (ours, stock))
    for one, other in zip(ours.estimators_, stock.estimators_, strict=True):
        assert not different_arrays(one.tree_, other.tree_)
