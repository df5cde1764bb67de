"""How neighbours are told right from wrong, against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Verdict

# What float32 products of rounded norms lose, relative to a distance: faiss and sklearnex take such for neighbours.
AS_NEAR = 1e-3


def same_neighbors(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold neighbours against the reference's: they must be as near, but for the rounding of float32."""
    if reference is None:
        return None
    farther = float((answer["distances"] / np.maximum(reference["distances"], 1e-30)).max() - 1)
    share = float(np.mean(answer["indices"] == reference["indices"]))
    return Verdict(farther <= AS_NEAR, {"neighbours": f"{share:.3%}", "farther": f"{max(farther, 0):.0e}"})


def same_predictions(answer: dict[str, Any], reference: dict[str, Any] | None, least: float) -> Verdict | None:
    """Hold labels against the reference's: at least a share ``least`` must be equal."""
    if reference is None:
        return None
    share = float(np.mean(answer["labels"] == reference["labels"]))
    return Verdict(share >= least, {"labels": f"{share:.2%}", "score": f"{answer['score']:.4f}"})
