"""How a trajectory, of parameters or of losses, is told right from wrong, against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Verdict

# The tolerances of torch.testing.assert_close.
TOLERANCES = {"float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def same_parameters(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold the parameters against the reference's."""
    if reference is None:
        return None
    ours, theirs = answer["parameters"], reference["parameters"]
    rtol, atol = TOLERANCES[str(theirs.dtype)]
    right = ours.dtype == theirs.dtype and np.allclose(ours, theirs, rtol=rtol, atol=atol)
    return Verdict(bool(right), {"off": f"{np.abs(ours - theirs).max():.0e}"})


def same_losses(answer: dict[str, Any], reference: dict[str, Any] | None, rtol: float = 1e-4) -> Verdict | None:
    """Hold the losses of the first steps against the reference's: each step rounds what the next begins with."""
    if reference is None:
        return None
    ours, theirs = answer["losses"], reference["losses"]
    off = np.abs(ours / theirs - 1).max()
    return Verdict(bool(off < rtol), {"off": f"{off:.0e}"})


def same_logits(answer: dict[str, Any], reference: dict[str, Any] | None) -> Verdict | None:
    """Hold logits against the reference's, relative to their size: some are next to 0, sums of values of size 1."""
    if reference is None:
        return None
    ours, theirs = answer["logits"], reference["logits"]
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return Verdict(False, {"shape": str(ours.shape), "type": str(ours.dtype)})
    off = np.abs(ours - theirs).max() / np.abs(theirs).max()
    return Verdict(bool(off < 1e-5), {"off": f"{off:.0e}"})
