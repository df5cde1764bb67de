"""How naive Bayes classifiers are told right from wrong, against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Verdict

# Of the largest number of an attribute. Both add up in float64, in different orders; scikit-learn's Gaussian model of
# float32 rows adds up in float32, which tens of thousands of rows a class leave few digits of.
CLOSE = {"float32": 1e-3, "float64": 1e-10}
EQUAL_LABELS = {"float32": 0.999, "float64": 1.0}
SAME_SCORE = {"float32": 1e-4, "float64": 0.0}
ROUNDING = 4 * np.finfo(np.float64).eps  # by how much an answer may be off that is as good as exact


def same_model(answer: dict[str, Any], reference: dict[str, Any] | None, dtype: str = "float64") -> Verdict | None:
    """Hold a model against the reference's: what was learnt, joint log-likelihoods, labels and score."""
    if reference is None:
        return None
    missing = sorted(set(reference["learnt"]) ^ set(answer["learnt"]))
    if missing:
        return Verdict(False, {"only one has": ", ".join(missing)})
    pairs = [(answer["learnt"][name], reference["learnt"][name]) for name in reference["learnt"]]
    learnt = max(_off(ours, theirs) for ours, theirs in pairs)
    joint = _off(answer["joint"], reference["joint"])
    equal = float(np.mean(answer["labels"] == reference["labels"]))
    loss = reference["score"] - answer["score"]
    right = max(learnt, joint) <= CLOSE[dtype] and equal >= EQUAL_LABELS[dtype] and loss <= SAME_SCORE[dtype]
    figures = {
        "learnt off": f"{learnt:.0e}",
        "joint off": f"{joint:.0e}",
        "equal labels": f"{equal:.2%}",
        "score": f"{answer['score']:.4f}",
    }
    return Verdict(bool(right), figures)


def as_exact(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold the errors of means and variances against the reference's, and the score."""
    if reference is None:
        return None
    pairs = [(answer["off"][name], reference["off"][name]) for name in ("means", "variances")]
    right = all(ours <= max(theirs, ROUNDING) for ours, theirs in pairs) and answer["score"] >= reference["score"]
    figures = {
        f"{name} off": f"{ours:.0e}/{theirs:.0e}" for name, (ours, theirs) in zip(answer["off"], pairs, strict=True)
    }
    return Verdict(bool(right), {**figures, "score": f"{answer['score']:.4f}"})


def _off(ours: Any, theirs: Any) -> float:
    """Give the largest difference, as a share of the largest number."""
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-300))
