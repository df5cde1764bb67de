"""How solutions of the lasso are told right from wrong, against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Verdict

# Of the target's variance. A solution may end with a gap of tol, 1e-4; what differs by rounding only is far below that.
AS_LOW = 1e-5


def as_low_an_objective(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold a solution against the reference's: the same penalty, and an objective that is no higher."""
    if reference is None:
        return None
    excess = (answer["objective"] - reference["objective"]) / reference["scale"]
    same_penalty = bool(np.isclose(answer["alpha"], reference["alpha"], rtol=1e-4))
    return Verdict(
        same_penalty and excess <= AS_LOW, {"objective": f"{excess:+.0e}", "score": f"{answer['score']:.4f}"}
    )
