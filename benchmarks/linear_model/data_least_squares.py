"""Data for sparse least squares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.sparse as sp

from benchmarks.datasets import Labelled

HELD_OUT = 100


def sparse_numbers(
    rows: int, features: int, density: float, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Labelled:
    """Draw CSR rows of uniform values at random places, and a linear function of them, with noise."""
    rng = np.random.default_rng(seed)
    X = sp.random_array((rows + HELD_OUT, features), density=density, format="csr", dtype=dtype, rng=rng)
    y = X @ rng.normal(size=features) + rng.normal(size=X.shape[0])
    return Labelled(X[:rows], y[:rows], X[rows:], y[rows:], "random places")
