"""How a matrix product is told right from wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Verdict


def small_error(answer: dict[str, Any], reference: dict[str, Any] | None, inner: int, dtype: str) -> Verdict:
    """Hold the error against the bound that any order of summation keeps: inner * eps, relative to ``|A| |B|``."""
    bound = inner * float(np.finfo(dtype).eps)
    error = answer["error"]
    return Verdict(bool(error <= bound), {"error": f"{error:.1e}"})  # NaN is above any bound
