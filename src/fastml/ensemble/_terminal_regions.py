"""The line search of gradient boosting: one step for the samples of each leaf, as scikit-learn takes it.

scikit-learn looks for the samples of each leaf among all samples. Here they are sorted by leaf once, stably, so that
those of a leaf are a slice, in the same order: sums over them have the same bits.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn._loss.loss import ExponentialLoss, HalfBinomialLoss, HalfMultinomialLoss, HalfSquaredError
from sklearn.ensemble._gb import _safe_divide
from sklearn.tree._tree import TREE_LEAF, Tree

from fastml.tree._predicting import add_tree_values, core_samples, forest_view


def update_terminal_regions(
    loss: Any,
    tree: Tree,
    X: Any,
    y: np.ndarray,
    descent: np.ndarray,
    raw_prediction: np.ndarray,
    sample_weight: np.ndarray,
    sample_mask: np.ndarray | None,
    learning_rate: float,
    k: int,
    n_threads: int,
) -> None:
    """Set what the leaves of a stage's tree predict, and add it to the predictions so far.

    Parameters
    ----------
    loss : loss instance
        scikit-learn's.
    tree : Tree
        Grown on ``descent``. Its values change.
    X : ndarray or CSR of shape (n_samples, n_features), float32
        The samples.
    y : ndarray of shape (n_samples,)
        The targets; of several classes, 1 for those of class k.
    descent : ndarray of shape (n_samples,)
        The negative gradient.
    raw_prediction : ndarray of shape (n_samples, n_trees_per_stage)
        Column k changes.
    sample_weight : ndarray of shape (n_samples,)
        Weights.
    sample_mask : ndarray of shape (n_samples,), bool, or None
        The samples that the stage is fitted on; None for all.
    learning_rate : float
        What leaves predict is multiplied by it.
    k : int
        The tree's number in its stage.
    n_threads : int
        For the walks down the tree.
    """
    if isinstance(loss, HalfSquaredError):
        # The mean, which leaves have already, is the best step.
        add_tree_values([tree], X, raw_prediction, learning_rate, [k], n_threads)
        return
    leaves = forest_view([tree], X.shape[1]).apply(core_samples(X), n_threads)[0]
    order = _by_leaf(leaves, sample_mask, tree.node_count)
    ends = np.cumsum(np.bincount(leaves if sample_mask is None else leaves[order], minlength=tree.node_count))
    step = _step(loss, y[order], descent[order], raw_prediction[:, k][order], sample_weight[order])
    for leaf in np.flatnonzero(tree.children_left == TREE_LEAF):
        tree.value[leaf, 0, 0] = step(slice(ends[leaf - 1] if leaf else 0, ends[leaf]))
    raw_prediction[:, k] += learning_rate * tree.value[:, 0, 0].take(leaves)


def _by_leaf(leaves: np.ndarray, sample_mask: np.ndarray | None, node_count: int) -> np.ndarray:
    """Return the numbers of the samples, leaf after leaf, ascending in each."""
    # 16-bit numbers are sorted by radix, in linear time.
    keys = leaves.astype(np.uint16 if node_count <= 2**16 else np.uint32)
    if sample_mask is None:
        return np.argsort(keys, kind="stable")
    rows = np.flatnonzero(sample_mask)
    return rows[np.argsort(keys[rows], kind="stable")]


def _step(
    loss: Any, y: np.ndarray, descent: np.ndarray, raw_prediction: np.ndarray, weights: np.ndarray
) -> Callable[[slice], float]:
    """Return the function that computes a leaf's value from the slice of its samples."""
    if isinstance(loss, (HalfBinomialLoss, HalfMultinomialLoss)):
        probability = y - descent
        curvature = probability * (1 - probability)
    elif isinstance(loss, ExponentialLoss):
        curvature = np.where(y == 0, -descent, descent)
    else:
        return lambda leaf: loss.fit_intercept_only(y_true=y[leaf] - raw_prediction[leaf], sample_weight=weights[leaf])
    factor = (loss.n_classes - 1) / loss.n_classes if isinstance(loss, HalfMultinomialLoss) else 1.0
    weighted_descent = np.multiply(descent, weights, dtype=np.float64)
    weighted_curvature = np.multiply(curvature, weights, dtype=np.float64)

    def newton(leaf: slice) -> float:
        total = weights[leaf].sum(dtype=np.float64)
        if total == 0:
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        return _safe_divide(weighted_descent[leaf].sum() / total * factor, weighted_curvature[leaf].sum() / total)

    return newton
