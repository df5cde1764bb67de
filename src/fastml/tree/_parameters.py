"""From the parameters of an estimator to what the kernel takes."""

from collections.abc import Sequence
from math import ceil
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.tree._criterion import MAE, MSE, Criterion, Entropy, Gini, Poisson

from fastml import _core

_NO_DEPTH_LIMIT = np.iinfo(np.int32).max

_NAMES = {Gini: "gini", Entropy: "entropy", MSE: "squared_error", MAE: "absolute_error", Poisson: "poisson"}

_LISTED_SHARE = 3
"""Where a split looks at one feature in this many or more, the kernel keeps lists of the samples sorted by each."""


def criterion_name(criterion: Any) -> str | None:
    """Return the name of a criterion that is given by name or as an object; None where scikit-learn has no name for it.

    What is no criterion at all comes back as it is: scikit-learn's checks are to see it.
    """
    return _NAMES.get(type(criterion)) if isinstance(criterion, Criterion) else criterion


def encoding(splitter: str, max_features: int, n_features: int) -> str:
    """Return how the kernel wants features encoded for splits that look at so many of them."""
    if splitter == "random":
        return "values"
    return "sorted" if _LISTED_SHARE * max_features >= n_features else "ranks"


def number_of_features(max_features: Any, n_features: int) -> Any:
    """Return how many features a split looks at, from the parameter of scikit-learn's name."""
    if max_features == "sqrt":
        return max(1, int(np.sqrt(n_features)))
    if max_features == "log2":
        return max(1, int(np.log2(n_features)))
    if max_features is None:
        return n_features
    if isinstance(max_features, Integral):
        return max_features
    return max(1, int(max_features * n_features)) if max_features > 0.0 else 0


def tree_options(
    tree: Any,
    n_samples: int,
    max_features: int,
    *,
    total_weight: float,
    monotonic_cst: np.ndarray | None,
) -> _core.TreeOptions:
    """Return what the kernel needs to know of an estimator's parameters.

    Parameters
    ----------
    tree : estimator instance
        A tree, or a forest with the parameters of its trees.
    n_samples : int
        To which fractions refer.
    max_features : int
        Features looked at for a split.
    total_weight : float
        To which ``min_weight_fraction_leaf`` refers.
    monotonic_cst : ndarray of shape (n_features,), int8, or None
        As :func:`signed_constraints` returns it.

    Returns
    -------
    options : TreeOptions
    """
    leaf, split = tree.min_samples_leaf, tree.min_samples_split
    min_samples_leaf: Any = leaf if isinstance(leaf, Integral) else ceil(leaf * n_samples)
    min_samples_split: Any = split if isinstance(split, Integral) else max(2, ceil(split * n_samples))
    return _core.TreeOptions(
        criterion=criterion_name(tree.criterion) or "",
        random_splits=tree.splitter == "random",
        max_depth=_NO_DEPTH_LIMIT if tree.max_depth is None else tree.max_depth,
        min_samples_split=max(min_samples_split, 2 * min_samples_leaf),
        min_samples_leaf=min_samples_leaf,
        min_weight_leaf=float(tree.min_weight_fraction_leaf * total_weight),
        max_features=max_features,
        max_leaf_nodes=-1 if tree.max_leaf_nodes is None else tree.max_leaf_nodes,
        min_impurity_decrease=tree.min_impurity_decrease,
        monotonic_cst=monotonic_cst,
    )


def signed_constraints(
    tree: Any, n_features: int, n_classes: Sequence[int] | np.ndarray | None, n_outputs: int
) -> np.ndarray | None:
    """Check ``monotonic_cst`` and return it as constraints on what the kernel predicts.

    Parameters
    ----------
    tree : estimator instance
        Whose parameter is checked.
    n_features : int
        The features there are.
    n_classes : sequence of int or None
        The classes of each output; None for regression.
    n_outputs : int
        The outputs there are.

    Returns
    -------
    constraints : ndarray of shape (n_features,), int8, or None
        The kernel constrains the probability of the first of two classes, the parameter that of the second.

    Raises
    ------
    ValueError
        scikit-learn's.
    """
    if tree.monotonic_cst is None:
        return None
    if n_outputs > 1:
        raise ValueError("Monotonicity constraints are not supported with multiple outputs.")
    given = np.asarray(tree.monotonic_cst)
    if given.shape[0] != n_features:
        raise ValueError(f"monotonic_cst has shape {given.shape[0]} but the input data X has {n_features} features.")
    if not np.all(np.isin(given, (-1, 0, 1))):
        raise ValueError(f"monotonic_cst must be None or an array-like of -1, 0 or 1, but got {np.unique(given)}")
    constraints = np.asarray(given, dtype=np.int8)
    if n_classes is None:
        return constraints
    if n_classes[0] > 2:
        raise ValueError("Monotonicity constraints are not supported with multiclass classification")
    return -constraints
