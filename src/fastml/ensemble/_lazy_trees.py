"""The trees of a forest: arrays first, estimators when somebody asks for them.

Building an estimator and a scikit-learn ``Tree`` for each tree takes longer than growing it on a small sample, and
most forests are only ever asked to predict. So ``fit`` leaves arrays, which prediction reads as they are, and
``estimators_`` makes the estimators of them at its first use. From then on these are the forest: users replace,
append and change them.
"""

import threading
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble._forest import BaseForest
from sklearn.tree._tree import Tree

from fastml import _core
from fastml.tree._compact import Compact, Pair, expand, shrink
from fastml.tree._fitted_tree import make_tree

_building = threading.Lock()
_expanding = threading.Lock()


_LEAST_COMPACT = 100
"""Nodes from which on a tree is kept compact: below it, its objects take more than its nodes."""


class GrownTree(NamedTuple):
    """A tree as the kernel returns it, with what its estimator is made of.

    Parameters
    ----------
    arrays : CompactTree or tuple
        Nodes of shape (n_nodes, 64), uint8, scikit-learn's in bytes, and values of shape (n_nodes, n_outputs,
        max_n_classes), what they predict; compact until they are read.
    n_outputs : int
        The outputs.
    max_depth : int
        The depth of the deepest leaf.
    seed : int
        The ``random_state`` of the estimator.
    """

    arrays: _core.CompactTree | Pair
    n_outputs: int
    max_depth: int
    seed: int

    @classmethod
    def of(cls, nodes: np.ndarray, values: np.ndarray, max_depth: int, seed: int) -> "GrownTree":
        """Return a tree of what the kernel has grown."""
        arrays = (nodes, values) if len(nodes) < _LEAST_COMPACT else _core.CompactTree(nodes, values)
        return cls(arrays, values.shape[1], max_depth, seed)

    def pair(self) -> Pair:
        """Return the nodes and values."""
        return self.arrays if isinstance(self.arrays, tuple) else self.arrays.expand(self.n_outputs)

    def __reduce__(self) -> tuple[Any, ...]:
        return GrownTree.of, (*self.pair(), self.max_depth, self.seed)


class Batch(NamedTuple):
    """Trees grown by one ``fit``; further ones come from fits with ``warm_start``.

    Parameters
    ----------
    trees : list of GrownTree
        The trees.
    parameters : dict
        The parameters that their estimators have, but for ``random_state``.
    max_features : int
        Their ``max_features_``.
    n_classes : ndarray of shape (n_outputs,), intp
        The classes of each output; 1 each for regression.
    """

    trees: list[GrownTree]
    parameters: dict[str, Any]
    max_features: int
    n_classes: np.ndarray


class GrownForest:
    """The trees of a forest whose estimators nobody has asked for. What they are never changes.

    Parameters
    ----------
    n_features : int
        The features of X.
    batches : tuple of Batch
        In the order of their trees.
    """

    def __init__(self, n_features: int, batches: tuple[Batch, ...]) -> None:
        self.n_features = n_features
        self.batches = batches
        self._pairs: list[Pair] | None = None

    @property
    def n_trees(self) -> int:
        """The number of trees."""
        return sum(len(batch.trees) for batch in self.batches)

    @property
    def pairs(self) -> list[Pair]:
        """Nodes and values of each tree, for prediction: once used, they are kept instead of compact trees."""
        if self._pairs is None:
            with _expanding:
                if self._pairs is None:
                    for batch in self.batches:
                        for place, tree in enumerate(batch.trees):
                            batch.trees[place] = tree._replace(arrays=tree.pair())
                    # One list for good: prediction tells by its identity whether the trees are those it has seen.
                    self._pairs = [tree.pair() for batch in self.batches for tree in batch.trees]
        return self._pairs

    def and_then(self, batch: Batch) -> "GrownForest":
        """Return the forest with further trees."""
        return GrownForest(self.n_features, (*self.batches, batch))

    def trees(self) -> Iterator[Tree]:
        """Make scikit-learn Trees, one after the other."""
        for batch in self.batches:
            for tree in batch.trees:
                yield make_tree(self.n_features, batch.n_classes, *tree.pair(), tree.max_depth)

    def estimators(self, cls: type) -> list[Any]:
        """Return new fitted estimators of a class."""
        estimators = []
        trees = self.trees()
        for batch in self.batches:
            shared: dict[str, Any] = {"n_features_in_": self.n_features, "n_outputs_": len(batch.n_classes)}
            if issubclass(cls, ClassifierMixin):
                # Trees in a forest see the numbers of the classes, as the floats that the kernels take.
                classes = [np.arange(count, dtype=np.float64) for count in batch.n_classes]
                single = len(classes) == 1
                shared["classes_"] = classes[0] if single else classes
                shared["n_classes_"] = batch.n_classes[0] if single else batch.n_classes
            shared["max_features_"] = batch.max_features
            model = cls(**batch.parameters)
            for grown in batch.trees:
                estimator: Any = object.__new__(cls)
                vars(estimator).update(vars(model), random_state=grown.seed, **shared, tree_=next(trees))
                estimators.append(estimator)
        return estimators

    def __reduce__(self) -> tuple[Any, ...]:
        parts = [
            (
                shrink([tree.pair() for tree in batch.trees]),
                [tree.max_depth for tree in batch.trees],
                [tree.seed for tree in batch.trees],
                *batch[1:],
            )
            for batch in self.batches
        ]
        return _rebuild, (self.n_features, parts)


def _rebuild(
    n_features: int, parts: list[tuple[Compact, list[int], list[int], dict[str, Any], int, np.ndarray]]
) -> GrownForest:
    batches = []
    for compact, depths, seeds, parameters, max_features, n_classes in parts:
        trees = [GrownTree.of(*pair, depth, seed) for pair, depth, seed in zip(expand(compact), depths, seeds)]
        batches.append(Batch(trees, parameters, max_features, n_classes))
    return GrownForest(n_features, tuple(batches))


class LazyTrees(BaseForest):
    """``estimators_`` as an attribute that is made when it is first read."""

    _tree_class: type
    _grown: GrownForest | None
    _estimators: list[Any]

    @property
    def estimators_(self):
        """The fitted trees of the forest, made when they are first asked for.

        Returns
        -------
        estimators_ : list of estimators
            Changes of the list and of its trees are seen by all methods.
        """
        state = self.__dict__
        if "_estimators" not in state:
            with _building:
                if "_estimators" not in state:
                    grown = state.get("_grown")
                    if grown is None:
                        raise AttributeError(f"{type(self).__name__!r} object has no attribute 'estimators_'")
                    state["_estimators"] = grown.estimators(self._tree_class)
                    state["_grown"] = None
        return state["_estimators"]

    @estimators_.setter
    def estimators_(self, estimators):
        self._estimators = estimators
        self._grown = None

    @estimators_.deleter
    def estimators_(self):
        if vars(self).get("_grown") is None:
            del self._estimators
        self._grown = None

    def _grown_trees(self) -> list[tuple[np.ndarray, np.ndarray]] | None:
        """Return nodes and values of each tree, or None once there are estimators."""
        grown = vars(self).get("_grown")
        return None if grown is None else grown.pairs

    def _seeded_trees(self) -> Iterable[tuple[Any, Any]]:
        """Return the ``random_state`` of each tree with its nodes and values, or with its Tree."""
        grown = vars(self).get("_grown")
        if grown is None:
            return [(estimator.random_state, estimator.tree_) for estimator in self.estimators_]
        return ((tree.seed, tree.pair()) for batch in grown.batches for tree in batch.trees)

    def _n_trees(self) -> int:
        """Return how many trees there are; none before the first fit."""
        grown = vars(self).get("_grown")
        return len(vars(self).get("_estimators", ())) if grown is None else grown.n_trees

    def __fastml_to_sklearn__(self) -> dict[str, Any]:
        state = vars(self).copy()
        grown = state.pop("_grown", None)
        estimators = state.pop("_estimators", None)
        if grown is not None:
            estimators = grown.estimators(self._tree_class)
        if estimators is not None:
            state["estimators_"] = estimators
        return state
