"""How support vector machines are told right from wrong, against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Verdict

AS_LOW = 1e-6  # of the reference's dual objective, pair by pair: what is promised
CLOSE = 1e-3  # decision values: a fit may leave the optimality conditions violated by tol, which is that
OWN_STEPS = 1e-2  # the same of contenders that come to tol by other steps than LIBSVM's
AS_GOOD = 1e-3  # accuracy


def same_machine(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold a machine against the reference's: no higher an objective, the same decision values, as good a score."""
    if reference is None:
        return None
    excess = float(np.max((answer["objectives"] - reference["objectives"]) / np.abs(reference["objectives"])))
    off = float(np.abs(answer["values"] - reference["values"]).max())
    loss = reference["score"] - answer["score"]
    right = loss <= AS_GOOD and excess <= AS_LOW and off <= (OWN_STEPS if answer["own_steps"] else CLOSE)
    figures = {
        "objective": f"{excess:+.0e}",
        "values off": f"{off:.0e}",
        "score": f"{answer['score']:.4f}",
        "iterations": f"{answer['iterations']}/{reference['iterations']}",
    }
    return Verdict(bool(right), figures)
