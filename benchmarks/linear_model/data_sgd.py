"""Data for stochastic gradient descent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.sparse as sp

from benchmarks.datasets import Labelled

HELD_OUT = 2_000


def overlapping_classes(
    rows: int, features: int, classes: int, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Labelled:
    """Draw classes of one Gaussian each, which no plane parts from the others."""
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=rows + HELD_OUT)
    X = (rng.normal(scale=1.5, size=(len(y), features)) + rng.normal(size=(classes, features))[y]).astype(dtype)
    return Labelled(X[:rows].copy(), y[:rows], X[rows:].copy(), y[rows:], f"{classes} Gaussians")


def sparse_classes(
    rows: int, features: int, density: float, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Labelled:
    """Draw CSR rows of uniform values at random places, and two classes by a plane through them."""
    rng = np.random.default_rng(seed)
    drawn = sp.random_array((rows + HELD_OUT, features), density=density, format="csr", rng=rng)
    # scikit-learn takes 32-bit indices only.
    X = sp.csr_matrix(
        (drawn.data.astype(dtype), drawn.indices.astype(np.int32), drawn.indptr.astype(np.int32)), shape=drawn.shape
    )
    y = (X @ rng.normal(size=features) > 0).astype(np.int64)
    return Labelled(X[:rows], y[:rows], X[rows:], y[rows:], "random places")
