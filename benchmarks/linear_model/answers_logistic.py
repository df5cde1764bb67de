"""How solutions of logistic regression are told right from wrong, against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Verdict

# Of the mean loss. A solution ends with a gradient below 1e-4, which leaves about its square.
AS_LOW = 1e-6


def as_low_an_objective(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold a solution against the reference's: its objective is no higher."""
    if reference is None:
        return None
    excess = answer["objective"] - reference["objective"]
    seen = {
        "objective": f"{excess:+.0e}",
        "iterations": str(answer["iterations"]),
        "score": f"{answer['score']:.4f}",
    }
    right = excess <= AS_LOW
    if "values" in answer:
        # Coefficients agree to about 1e-4 between solvers that stop by the gradient.
        right = right and np.allclose(answer["values"], reference["values"], rtol=1e-2, atol=1e-3)
    return Verdict(bool(right), seen)
