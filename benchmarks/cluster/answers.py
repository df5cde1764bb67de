"""How a clustering is told right from wrong, against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.workload import Verdict

# What a contender says its inertia is, against the float64 sum over its labels: float32 sums of 10^5 rows lose digits.
REPORTED_TOLERANCE = 1e-3
# A contender with random draws of its own comes to another local minimum; it may be this much worse and still be as
# good a clustering: restarts from other seeds of the same workloads differ by as much.
OWN_DRAWS_TOLERANCE = 0.01


def same_clustering(
    answer: dict[str, Any], reference: dict[str, Any] | None, inertia: float, labels: float
) -> Verdict | None:
    """Hold a clustering against the reference.

    Parameters
    ----------
    answer, reference : dict
        ``labels``, ``inertia``, ``reported``, ``iterations``, ``own_draws``.
    inertia : float
        How much larger the inertia may be, relative to the reference's. A smaller one is welcome.
    labels : float
        Least share of rows with the reference's label.

    Notes
    -----
    From draws of its own a contender owes neither the same labels nor the same inertia, only one about as good.
    """
    if reference is None:
        return None
    excess = answer["inertia"] / reference["inertia"] - 1
    share = equal_share(answer["labels"], reference["labels"])
    truthful = abs(answer["reported"] / answer["inertia"] - 1) <= REPORTED_TOLERANCE
    figures = {
        "inertia": f"{excess:+.1e}",
        "labels": f"{share:.2%}",
        "iterations": f"{answer['iterations']}/{reference['iterations']}",
    }
    if not truthful:
        figures["reported inertia"] = f"{answer['reported']:.6g}, but is {answer['inertia']:.6g}"
    if answer["own_draws"]:
        return Verdict(bool(excess <= OWN_DRAWS_TOLERANCE and truthful), figures | {"seeds": "its own"})
    return Verdict(bool(excess <= inertia and share >= labels and truthful), figures)


def same_labels(answer: dict[str, Any], reference: dict[str, Any] | None, least: float) -> Verdict | None:
    """Hold labels, or indices drawn, against the reference's: at least a share ``least`` must be equal."""
    if reference is None:
        return None
    share = equal_share(answer["labels"], reference["labels"])
    return Verdict(share >= least, {"labels": f"{share:.2%}"})


def equal_share(labels: NDArray[Any], reference: NDArray[Any]) -> float:
    """Give the share of equal entries; 0 for arrays of different lengths."""
    if len(labels) != len(reference):
        return 0.0
    return float(np.mean(np.asarray(labels) == np.asarray(reference)))
