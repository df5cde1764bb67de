"""How what was learned by stochastic gradient descent is held against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Verdict

CLOSE = 1e-6  # what is promised: the same steps, with sums of float64 in another order


def same_coefficients(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold coefficients and the number of epochs against the reference's."""
    if reference is None:
        return None
    largest = np.abs(reference["coef"]).max()
    off = float(np.abs(answer["coef"] - reference["coef"]).max() / largest)
    right = off <= CLOSE and answer["n_iter"] == reference["n_iter"]
    figures = {"coef off": f"{off:.0e}", "epochs": str(answer["n_iter"]), "score": f"{answer['score']:.4f}"}
    return Verdict(right, figures)


def same_labels(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold predictions against the reference's: all must be equal."""
    if reference is None:
        return None
    share = float(np.mean(answer["labels"] == reference["labels"]))
    return Verdict(share == 1, {"labels": f"{share:.2%}"})
