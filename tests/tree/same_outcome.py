"""The same done with fastml and with scikit-learn, and what came of each: for trees and their ensembles."""

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

ARRAYS = (
    "children_left",
    "children_right",
    "feature",
    "threshold",
    "impurity",
    "n_node_samples",
    "weighted_n_node_samples",
    "value",
    "missing_go_to_left",
)


@dataclass
class Outcome:
    """What an action returned or raised, and its warnings as (category, text)."""

    value: Any = None
    error: tuple[type, str] | None = None
    warnings: list[tuple[type, str]] = field(default_factory=list)


def outcome(action):
    """Perform an action and tell what came of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = Outcome()
        try:
            result.value = action()
        except Exception as error:
            result.error = type(error), str(error)
    result.warnings = [(warning.category, str(warning.message)) for warning in caught]
    return result


def assert_same_outcome(ours, stock, action):
    """Assert that `action(ours)` raises and warns as `action(stock)` does; return both outcomes."""
    results = outcome(lambda: action(ours)), outcome(lambda: action(stock))
    assert results[0].error == results[1].error
    assert results[0].warnings == results[1].warnings
    return results


def assert_same_tree(ours, stock):
    """Assert that two Trees are equal to the bit."""
    assert type(ours) is type(stock)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(ours, name), getattr(stock, name), err_msg=name)
    for name in ("max_depth", "node_count", "n_features", "n_outputs", "max_n_classes", "n_leaves"):
        assert getattr(ours, name) == getattr(stock, name), name


def exact_problem(n_samples=300, n_features=8, n_classes=3, seed=0):
    """Return samples and classes. Taken as numbers, classes have sums that are exact: trees are equal to the bit."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n_samples, n_features))
    X[:, ::3] = np.round(X[:, ::3], 1)
    scores = X[:, : max(1, n_features // 2)].sum(axis=1) + rng.standard_normal(n_samples)
    return X, scores.argsort().argsort() * n_classes // n_samples
