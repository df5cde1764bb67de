"""How coefficients are told right from wrong, against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Verdict

# Relative to the largest coefficient: float32 keeps 24 bits, of which sums over many rows lose some.
MOST = {"float32": 1e-4, "float64": 1e-10}


def same_coefficients(
    answer: dict[str, Any], reference: dict[str, Any] | None, most: float | None = None
) -> Verdict | None:
    """Hold coefficients, intercept and the chosen penalty against the reference's; `most` is for iterative solvers."""
    if reference is None:
        return None
    size = float(np.abs(reference["coef"]).max())
    off = max(float(np.abs(answer[name] - reference[name]).max()) / size for name in ("coef", "intercept"))
    most = most or MOST[str(reference["coef"].dtype)]
    return Verdict(off <= most and bool(answer["alpha"] == reference["alpha"]), {"off": f"{off:.0e}"})
