"""Comparison of a tree with scikit-learn's, array by array, and the search for the tie where two of them part."""

import warnings

import numpy as np

STRUCTURE = ("children_left", "children_right", "feature", "threshold", "n_node_samples", "missing_go_to_left")
NUMBERS = ("impurity", "weighted_n_node_samples", "value")
EPS = np.finfo(float).eps


def different_arrays(ours, stock, names=STRUCTURE + NUMBERS):
    """Return the names of the arrays of two Trees that are not equal to the bit."""
    names = [name for name in names if not np.array_equal(getattr(ours, name), getattr(stock, name), equal_nan=True)]
    return names if ours.max_depth == stock.max_depth else [*names, "max_depth"]


def fit_both(ours, stock, case, y=None, sample_weight=None):
    """Fit a class of ours and scikit-learn's to a case; return both models, or both errors."""
    y = case.targets() if y is None else y
    results = []
    for cls in (ours, stock):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                results.append(cls(**case.parameters).fit(case.samples(), y, sample_weight=sample_weight))
            except ValueError as error:
                results.append(str(error))
    return results


def rounding_of_impurity(case):
    """Return how far off an impurity may be: a difference of sums over all samples, divided by the weight of a few."""
    largest = np.abs(case.targets()).max()
    term = largest**2 if case.parameters["criterion"] == "squared_error" else 20 * largest
    return 4 * EPS * (case.n_samples + 16) * max(1.0, term)


def explain_difference(ours, stock, case):
    """Return where two regression trees part, or fail: it must be where the two choices are as good as one another.

    Trees are compared in the order in which nodes are made, so that all before the first difference is the same.
    """
    tolerance = rounding_of_impurity(case)
    if "max_leaf_nodes" in case.parameters or "ccp_alpha" in case.parameters:
        # Nodes stand in the order of their improvements, or are gone.
        return "in the order of nodes"
    n_common = min(ours.node_count, stock.node_count)
    parted = np.zeros(n_common, dtype=bool)
    for name in ("feature", "threshold", "missing_go_to_left"):
        parted |= getattr(ours, name)[:n_common] != getattr(stock, name)[:n_common]
    node = int(np.flatnonzero(parted)[0])
    sides = [_impurity_of_sides(tree, node) for tree in (ours, stock)]
    if None in sides:
        # One of them is a leaf: the node is pure, or the split improves nothing, but for rounding.
        side = sides[0] if sides[1] is None else sides[1]
        impurity = stock.impurity[node]
        assert impurity <= EPS + tolerance or abs(side - impurity) <= tolerance, (case, node)
        return f"node {node}: to split or not"
    if abs(sides[0] - sides[1]) <= tolerance:
        return f"node {node}: which split"
    # Random draws differ from a node on that is pure for one of them, which then draws no features.
    pure = [tree.impurity[:node] <= EPS for tree in (ours, stock)]
    assert (pure[0] != pure[1]).any() or (stock.impurity[:node][pure[1]] != 0).any(), (case, node)
    return f"node {node}: another draw"


def _impurity_of_sides(tree, node):
    left, right = tree.children_left[node], tree.children_right[node]
    if left < 0:
        return None
    weights, impurity = tree.weighted_n_node_samples, tree.impurity
    return (weights[left] * impurity[left] + weights[right] * impurity[right]) / weights[node]
