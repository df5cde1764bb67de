"""How trained perceptrons and their predictions are held against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Verdict

LOSS_OFF = 1e-3  # of float32 or after many epochs; scikit-learn's draws
SCORE_OFF = 0.01
PROBABILITY_OFF = 1e-4


def same_training(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold the loss of the first epoch and the score against the reference's.

    Who draws other weights and batches than the reference (PyTorch) gives no losses: of it only the score counts.
    """
    if reference is None:
        return None
    right = answer["score"] >= reference["score"] - SCORE_OFF
    figures = {"score": f"{answer['score']:.4f}"}
    if "losses" in answer:
        off = float(abs(answer["losses"][0] / reference["losses"][0] - 1))
        right &= off <= LOSS_OFF
        figures["first loss off"] = f"{off:.0e}"
    return Verdict(right, figures)


def same_probabilities(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold probabilities against the reference's."""
    if reference is None:
        return None
    off = float(np.abs(answer["values"] - reference["values"]).max())
    return Verdict(off <= PROBABILITY_OFF, {"probabilities off": f"{off:.0e}"})
