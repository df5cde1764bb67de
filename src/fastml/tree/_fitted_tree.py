"""From the kernel's arrays to scikit-learn's Tree, and to what stands for it in a pickle."""

from typing import NamedTuple

import numpy as np
from sklearn.tree._tree import NODE_DTYPE, Tree, _build_pruned_tree_ccp

from fastml.tree._compact import Compact, as_bytes, expand, shrink

_LEAST_COMPACT = 100
"""Nodes from which on the arrays of a compact tree, some 100 bytes each in a pickle, are less than what they save."""


def make_tree(n_features: int, n_classes: np.ndarray, nodes: np.ndarray, values: np.ndarray, max_depth: int) -> Tree:
    """Return scikit-learn's Tree of what the kernel has grown.

    Parameters
    ----------
    n_features : int
        The features that the tree was grown on.
    n_classes : ndarray of shape (n_outputs,), intp
        The classes of each output, 1 each for regression.
    nodes : ndarray of shape (n_nodes, 64), uint8
        The nodes' bytes, or an array of nodes.
    values : ndarray of shape (n_nodes, n_outputs, max_n_classes)
        What the nodes predict.
    max_depth : int
        The depth of the deepest leaf.

    Returns
    -------
    tree : sklearn.tree._tree.Tree
        With memory of its own.
    """
    nodes = nodes.view(NODE_DTYPE).ravel()
    tree = Tree(n_features, n_classes, len(n_classes))
    tree.__setstate__({"max_depth": max_depth, "node_count": len(nodes), "nodes": nodes, "values": values})
    return tree


def pruned(
    n_features: int,
    n_classes: np.ndarray | None,
    ccp_alpha: float,
    nodes: np.ndarray,
    values: np.ndarray,
    max_depth: int,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Prune a grown tree by minimal cost-complexity pruning, and return it as the kernel returns trees.

    Parameters
    ----------
    n_features, n_classes, nodes, values, max_depth
        As for :func:`make_tree`; ``n_classes`` is None for regression.
    ccp_alpha : float
        The price of a leaf.

    Returns
    -------
    nodes, values, max_depth
    """
    if n_classes is None:
        n_classes = np.ones(values.shape[1], dtype=np.intp)
    smaller = Tree(n_features, n_classes, len(n_classes))
    _build_pruned_tree_ccp(smaller, make_tree(n_features, n_classes, nodes, values, max_depth), ccp_alpha)
    state = smaller.__getstate__()
    # As bytes: a copy of records need not have what lies between their fields.
    return as_bytes(state["nodes"]).copy(), state["values"].copy(), smaller.max_depth


class PickledTree(NamedTuple):
    """What stands for a Tree in a pickle."""

    n_features: int
    n_classes: np.ndarray
    max_depth: int
    compact: Compact


def for_pickle(tree: Tree) -> Tree | PickledTree:
    """Return what is to be pickled instead of a Tree: the tree itself where that is less."""
    if type(tree) is not Tree or tree.node_count < _LEAST_COMPACT:
        return tree
    arrays = tree.__getstate__()
    return PickledTree(tree.n_features, tree.n_classes, tree.max_depth, shrink([(arrays["nodes"], arrays["values"])]))


def from_pickle(tree: Tree | PickledTree) -> Tree:
    """Return the Tree of what :func:`for_pickle` gave."""
    if not isinstance(tree, PickledTree):
        return tree
    return make_tree(tree.n_features, tree.n_classes, *expand(tree.compact)[0], tree.max_depth)
