"""How decompositions are told right from wrong, against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import subspace_angles

from benchmarks.workload import Verdict

# Of singular values (of each), explained variances and transformed rows (of the largest), and the largest angle between
# both spans. Covariances added up in float32 leave few digits of the smaller directions, and an angle is off by as much
# as they are, over the gap to the directions left out.
CLOSE = {"float32": 1e-3, "float64": 1e-8}
ANGLE = {"float32": 3e-2, "float64": 1e-6}
CAPTURED = {"float32": 1e-5, "float64": 1e-10}  # what a span may capture less than the reference's
ROUNDING = 16 * np.finfo(np.float64).eps  # by how much an answer may be off that is as good as exact


def same_span(answer: dict[str, Any], reference: dict[str, Any] | None, dtype: str = "float64") -> Verdict | None:
    """Hold a decomposition against the reference's: singular values, explained variances, the span, rows in it."""
    if reference is None:
        return None
    if answer["components"].shape != reference["components"].shape:
        shapes = (answer["components"].shape, reference["components"].shape)
        return Verdict(False, {"components": f"of shape {shapes[0]}, not {shapes[1]}"})
    values = float(np.max(np.abs(answer["singular_values"] / reference["singular_values"] - 1)))
    explained = _off(answer["explained"], reference["explained"])
    angle = float(np.max(subspace_angles(answer["components"].T, reference["components"].T)))
    less = (reference["captured"] - answer["captured"]) / reference["captured"]
    # Rows' lengths, for single components turn where their variances are close.
    lengths = [np.linalg.norm(each["transformed"].astype(np.float64), axis=1) for each in (answer, reference)]
    rows = _off(*lengths)
    right = max(values, explained, rows) <= CLOSE[dtype] and angle <= ANGLE[dtype] and less <= CAPTURED[dtype]
    figures = {"values off": f"{max(values, explained):.0e}", "angle": f"{angle:.0e}", "rows off": f"{rows:.0e}"}
    return Verdict(bool(right), {**figures, "captured": f"{answer['captured']:.4f}"})


def as_exact(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold the error of explained variances against the reference's."""
    if reference is None:
        return None
    right = answer["off"] <= max(reference["off"], ROUNDING)
    return Verdict(bool(right), {"variances off": f"{answer['off']:.0e}/{reference['off']:.0e}"})


def _off(ours: Any, theirs: Any) -> float:
    """Give the largest difference, as a share of the largest number."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())
