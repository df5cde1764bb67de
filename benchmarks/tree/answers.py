"""How trees and their predictions are told right from wrong, against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.workload import Verdict

# Trees grown by other rules, on binned features or from other draws, may be worse by so much and still be as good:
# forests from other seeds differ by about as much on these data.
OWN_TREES_TOLERANCE = 0.02


def same_trees(answer: dict[str, Any], reference: dict[str, Any] | None, nodes: float) -> Verdict | None:
    """Hold trees against the reference's.

    Parameters
    ----------
    answer, reference : dict
        ``digests``, ``trees``, ``score``, ``own_trees``.
    nodes : float
        Least share of nodes that are where the reference has them, with the same split. 1 asks for trees that are
        equal to the bit, in all that scikit-learn keeps of them.

    Notes
    -----
    Trees of its own making need only predict about as well, and be about as large.
    """
    if reference is None:
        return None
    gain = answer["score"] - reference["score"]
    sizes = [sum(map(len, each["trees"])) for each in (answer, reference)]
    if answer["own_trees"]:
        figures = {"score": f"{gain:+.4f}", "nodes": f"{sizes[0] / sizes[1]:.2f} times as many", "trees": "its own"}
        return Verdict(bool(gain >= -OWN_TREES_TOLERANCE), figures)
    count = len(reference["digests"])
    equal = sum(map(str.__eq__, answer["digests"], reference["digests"]))
    share = equal_nodes(answer["trees"], reference["trees"])
    figures = {"trees equal to the bit": f"{equal}/{count}"}
    if nodes == 1.0:
        return Verdict(equal == count == len(answer["digests"]), figures)
    figures |= {"equal nodes": f"{share:.3%}", "score": f"{gain:+.1e}"}
    return Verdict(bool(share >= nodes and gain >= -OWN_TREES_TOLERANCE), figures)


def same_probabilities(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold predicted probabilities against the reference's: equal to the bit, and labels that follow from them.

    Trees of its own making need only predict about as well.
    """
    if reference is None:
        return None
    if answer["own_trees"]:
        gain = answer["score"] - reference["score"]
        return Verdict(bool(gain >= -OWN_TREES_TOLERANCE), {"score": f"{gain:+.4f}", "trees": "its own"})
    ours, theirs = answer["probabilities"], reference["probabilities"]
    share = float(np.mean(ours == theirs)) if ours.shape == theirs.shape else 0.0
    return Verdict(bool(share == 1.0 and answer["consistent"]), {"equal probabilities": f"{share:.2%}"})


def equal_nodes(trees: list[NDArray[Any]], reference: list[NDArray[Any]]) -> float:
    """Give the share of nodes with an equal one in the same place of the same tree; 0 for another number of trees.

    Both are walked from the root at once. Where two nodes part, all that is below them is unequal.
    """
    if len(trees) != len(reference):
        return 0.0
    equal = sum(_equal_nodes(tree, other) for tree, other in zip(trees, reference, strict=True))
    return equal / sum(max(len(tree), len(other)) for tree, other in zip(trees, reference, strict=True))


def _equal_nodes(tree: NDArray[Any], other: NDArray[Any]) -> int:
    equal = 0
    places, other_places = np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.intp)
    while len(places):
        found, other_found = tree[places], other[other_places]
        same = (found["feature"] == other_found["feature"]) & (found["threshold"] == other_found["threshold"])
        equal += int(same.sum())
        inner = same & (found["left"] >= 0)
        found, other_found = found[inner], other_found[inner]
        places = np.concatenate([found["left"], found["right"]])
        other_places = np.concatenate([other_found["left"], other_found["right"]])
    return equal
