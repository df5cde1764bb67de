"""The trees of boosting in a pickle: they differ in their nodes alone, which are small, so they are kept together."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.tree._tree import Tree

from fastml.tree import DecisionTreeRegressor
from fastml.tree._compact import Compact, expand, shrink
from fastml.tree._fitted_tree import make_tree


class PickledStages(NamedTuple):
    """What stands for the array of trees.

    Parameters
    ----------
    shape : tuple of int
        Stages, and trees in each.
    attributes : dict
        What all the trees have in common: all but ``tree_``.
    max_depths : list of int
        The depth of each tree.
    compact : dict
        Their nodes and values.
    """

    shape: tuple[int, ...]
    attributes: dict[str, Any]
    max_depths: list[int]
    compact: Compact


def for_pickle(stages: Any) -> Any:
    """Return what is to be pickled instead of an array of trees; the array itself where it holds anything else."""
    if not isinstance(stages, np.ndarray) or not stages.size:
        return stages
    trees = list(stages.ravel())
    if not all(type(tree) is DecisionTreeRegressor and type(getattr(tree, "tree_", None)) is Tree for tree in trees):
        return stages
    common = _without_tree(trees[0])
    if not all(_same(_without_tree(tree), common) for tree in trees[1:]):
        return stages
    states = [tree.tree_.__getstate__() for tree in trees]
    return PickledStages(
        stages.shape,
        common,
        [state["max_depth"] for state in states],
        shrink([(state["nodes"], state["values"]) for state in states]),
    )


def from_pickle(stages: Any) -> Any:
    """Return the array of what :func:`for_pickle` gave."""
    if not isinstance(stages, PickledStages):
        return stages
    trees = np.empty(len(stages.max_depths), dtype=object)
    n_classes = np.ones(1, dtype=np.intp)
    for i, (pair, max_depth) in enumerate(zip(expand(stages.compact), stages.max_depths)):
        tree: Any = object.__new__(DecisionTreeRegressor)
        tree.__dict__.update(
            stages.attributes, tree_=make_tree(stages.attributes["n_features_in_"], n_classes, *pair, max_depth)
        )
        trees[i] = tree
    return trees.reshape(stages.shape)


def _without_tree(estimator: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(estimator).items() if name != "tree_"}


def _same(attributes: dict[str, Any], others: dict[str, Any]) -> bool:
    """Tell whether attributes are the same objects, or equal numbers and words of the same type."""
    return attributes.keys() == others.keys() and all(
        value is others[name]
        or (type(value) is type(others[name]) and isinstance(value, int | float | str) and value == others[name])
        for name, value in attributes.items()
    )
