"""Trees in a few bytes a node, for pickles: what can be derived is left out, the rest is kept in narrow types.

scikit-learn keeps 64 bytes a node, and a float for each class. Here the shape of the trees is a bit a node, as nodes
stand in the order of a depth-first walk; features and thresholds are kept of inner nodes only, counts of leaves only,
as those of an inner node add up from below. Class fractions and Gini impurities follow from counts where weights are
whole numbers. Whatever does not come out equal to the bit is kept as it is, so that all is restored exactly.
"""

from typing import Any

import numpy as np
from sklearn.tree._tree import NODE_DTYPE

Compact = dict[str, Any]
Pair = tuple[np.ndarray, np.ndarray]

_LEAF = -1
_UNDEFINED = -2
_MOST_EXACT = 2.0**53


def shrink(trees: list[Pair]) -> Compact:
    """Return the compact form of trees with the same outputs.

    Parameters
    ----------
    trees : list of (nodes, values)
        Nodes as an array of scikit-learn's nodes or their bytes; values of shape (n_nodes, n_outputs, n_classes).

    Returns
    -------
    compact : dict
        To be given to :func:`expand`.
    """
    given = np.concatenate([as_bytes(nodes) for nodes, _ in trees])
    nodes = given.view(NODE_DTYPE).ravel()
    values = np.concatenate([values for _, values in trees])
    sizes = _narrow(np.array([len(values) for _, values in trees]))
    is_leaf = nodes["left_child"] == _LEAF
    shape = _Shape(is_leaf, sizes.astype(np.int64))
    compact: Compact = {"sizes": sizes, "is_leaf": np.packbits(is_leaf), "outputs": values.shape[1:]}
    if not all(_equal(shape.children[name], nodes[name]) for name in shape.children):
        # Trees grown best first are in another order.
        compact["children"] = [_narrow(nodes[name]) for name in shape.children]
        shape.in_order = False

    inner = nodes[~is_leaf]
    compact["feature"] = _narrow(inner["feature"])
    compact["threshold"] = _narrow(inner["threshold"])
    compact["missing_go_to_left"] = np.packbits(nodes["missing_go_to_left"] != 0)
    compact["n_node_samples"] = _narrow(shape.without_sums(nodes["n_node_samples"]))
    counts = _class_counts(values, nodes["weighted_n_node_samples"])
    if counts is not None:
        kept = shape.without_sums(counts)
        places = np.nonzero(kept)
        compact["classes_in_row"] = _narrow(np.bincount(places[0], minlength=len(kept)))
        compact["class"] = _narrow(places[1])
        compact["class_count"] = _narrow(kept[places])
    else:
        compact["values"] = values
        if not _equal(nodes["weighted_n_node_samples"], nodes["n_node_samples"].astype(np.float64)):
            compact["weighted_n_node_samples"] = _narrow(shape.without_sums(nodes["weighted_n_node_samples"]))
    if counts is None or not _equal(nodes["impurity"], _gini(counts, values.shape[1:])):
        impure = nodes["impurity"] != 0
        compact["impure"] = np.packbits(impure)
        compact["impurity"] = nodes["impurity"][impure]

    restored = expand(compact)
    if np.array_equal(np.concatenate([as_bytes(nodes) for nodes, _ in restored]), given) and _equal(
        np.concatenate([values for _, values in restored]), values
    ):
        return compact
    # Not as a tree is grown: somebody has changed its arrays.
    return {"sizes": sizes, "nodes": given, "values": values}


def expand(compact: Compact) -> list[Pair]:
    """Return the nodes and values of each tree of a compact form, equal to the bit to those it was made of."""
    sizes = compact["sizes"].astype(np.int64)
    n_nodes = int(sizes.sum())
    if "nodes" in compact:
        return _split(compact["nodes"], compact["values"], sizes)
    is_leaf = np.unpackbits(compact["is_leaf"], count=n_nodes).astype(bool)
    shape = _Shape(is_leaf, sizes)
    if "children" in compact:
        shape.in_order = False
        shape.children = dict(zip(shape.children, compact["children"]))
    inner = ~is_leaf
    nodes = np.zeros(n_nodes, dtype=NODE_DTYPE)
    for name, column in shape.children.items():
        nodes[name] = column
    for name in ("feature", "threshold"):
        nodes[name] = _UNDEFINED
        nodes[name][inner] = compact[name]
    nodes["missing_go_to_left"] = np.unpackbits(compact["missing_go_to_left"], count=n_nodes)
    nodes["n_node_samples"] = shape.with_sums(compact["n_node_samples"])
    counts = None
    if "class" in compact:
        rows = np.repeat(np.arange(len(compact["classes_in_row"])), compact["classes_in_row"])
        kept = np.zeros((len(compact["classes_in_row"]), int(np.prod(compact["outputs"]))), dtype=np.int64)
        kept[rows, compact["class"]] = compact["class_count"]
        counts = shape.with_sums(kept)
        weights = counts[:, : compact["outputs"][1]].sum(axis=1).astype(np.float64)
        values = (counts / weights[:, None]).reshape(n_nodes, *compact["outputs"])
    else:
        weights = shape.with_sums(compact.get("weighted_n_node_samples", nodes["n_node_samples"]))
        values = compact["values"]
    nodes["weighted_n_node_samples"] = weights
    if "impurity" in compact:
        nodes["impurity"][np.unpackbits(compact["impure"], count=n_nodes).astype(bool)] = compact["impurity"]
    else:
        nodes["impurity"] = _gini(counts, compact["outputs"])
    return _split(nodes, values, sizes)


class _Shape:
    """The shape of trees whose nodes stand in depth-first order, tree after tree.

    Parameters
    ----------
    is_leaf : ndarray of shape (n_nodes,), bool
        All there is to know about them.
    sizes : ndarray of shape (n_trees,), int
        The nodes of each tree.
    """

    def __init__(self, is_leaf: np.ndarray, sizes: np.ndarray) -> None:
        n_nodes = len(is_leaf)
        numbers = np.arange(n_nodes)
        # A walk that goes up by 1 at inner nodes and down by 1 at leaves ends each subtree where it is first lower than
        # it was before.
        level = np.cumsum(np.where(is_leaf, -1, 1))
        before = level - np.where(is_leaf, -1, 1)
        lowest = int(level.min())
        places = np.sort((level - lowest) * n_nodes + numbers)
        found = np.searchsorted(places, (before - 1 - lowest) * n_nodes + numbers)
        last = places[np.minimum(found, n_nodes - 1)] % n_nodes
        starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
        self.is_leaf = is_leaf
        self.in_order = True
        self.children = {
            "left_child": np.where(is_leaf, _LEAF, numbers + 1 - starts),
            "right_child": np.where(is_leaf, _LEAF, last[np.minimum(numbers + 1, n_nodes - 1)] + 1 - starts),
        }
        leaves_before = np.append(0, np.cumsum(is_leaf))
        self.first_leaf, self.last_leaf = leaves_before[:-1], leaves_before[last + 1]

    def without_sums(self, column: np.ndarray) -> np.ndarray:
        """Return a column (or a matrix of them) of leaves alone where inner nodes have their sums, else all of it."""
        return column[self.is_leaf] if self._adds_up(column) else column

    def with_sums(self, column: np.ndarray) -> np.ndarray:
        """Return all of what :meth:`without_sums` was given."""
        if len(column) == len(self.is_leaf):
            return column
        sums = np.zeros((len(column) + 1, *column.shape[1:]), dtype=np.int64)
        np.cumsum(column, axis=0, out=sums[1:])
        return sums[self.last_leaf] - sums[self.first_leaf]

    def _adds_up(self, column: np.ndarray) -> bool:
        """Tell whether a column holds whole numbers, of which inner nodes have the sum of their leaves."""
        if not self.in_order:
            return False
        with np.errstate(invalid="ignore"):
            whole = column.astype(np.int64)
        return bool(np.array_equal(whole, column)) and np.array_equal(self.with_sums(whole[self.is_leaf]), whole)


def _class_counts(values: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
    """Return the counts that class fractions stand for, flat for each node; None where they are none."""
    if values.shape[2] == 1 or not np.isfinite(weights).all() or np.abs(weights).max() >= _MOST_EXACT:
        return None
    counts = np.rint(values * weights[:, None, None])
    sums = counts[:, 0].sum(axis=1)
    if not np.isfinite(counts).all() or (counts < 0).any() or not _equal(sums, weights):
        return None
    with np.errstate(invalid="ignore"):
        if not _equal(counts / weights[:, None, None], values):
            return None
    return counts.reshape(len(counts), -1).astype(np.int64)


def _gini(counts: np.ndarray | None, outputs: tuple[int, int]) -> np.ndarray:
    """Return the impurities as scikit-learn computes them, from exact sums."""
    assert counts is not None
    by_output = counts.reshape(len(counts), *outputs).astype(np.float64)
    weights = by_output[:, 0].sum(axis=1)
    impurity = np.zeros(len(counts))
    for k in range(outputs[0]):
        impurity += 1.0 - (by_output[:, k] ** 2).sum(axis=1) / (weights * weights)
    return impurity / outputs[0]


def _split(nodes: np.ndarray, values: np.ndarray, sizes: np.ndarray) -> list[Pair]:
    """Return the nodes and values of each tree, with memory of their own."""
    ends = np.cumsum(sizes)
    rows = as_bytes(nodes)
    return [(rows[end - size : end].copy(), values[end - size : end].copy()) for size, end in zip(sizes, ends)]


def as_bytes(nodes: np.ndarray) -> np.ndarray:
    """Return nodes as rows of bytes. As records, NumPy would copy and join them without what lies between fields."""
    return np.ascontiguousarray(nodes).view(np.uint8).reshape(-1, NODE_DTYPE.itemsize)


def _narrow(column: np.ndarray) -> np.ndarray:
    """Return a column in the narrowest type that holds it exactly."""
    if not column.size:
        return column
    for dtype in _NARROWER[column.dtype.kind]:
        with np.errstate(over="ignore", invalid="ignore"):
            narrowed: np.ndarray = column.astype(dtype)
        if narrowed.itemsize < column.itemsize and _equal(narrowed.astype(column.dtype), column):
            return narrowed
    return column.copy()


_NARROWER: dict[str, list[type]] = {
    "i": [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32],
    "u": [np.uint8, np.uint16, np.uint32],
    "f": [np.uint8, np.uint16, np.uint32, np.float32],
}


def _equal(left: np.ndarray, right: np.ndarray) -> bool:
    """Tell whether two columns of 64-bit numbers are equal to the bit."""
    return np.array_equal(np.ascontiguousarray(left).view(np.uint64), np.ascontiguousarray(right).view(np.uint64))
