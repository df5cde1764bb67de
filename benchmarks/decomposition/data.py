"""Data for decompositions: a few directions that matter, and noise around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets import Labelled, digits as labelled_digits, sparse_texts

HELD_OUT = 1_000
DECAY = 0.9  # of deviations from one direction to the next, so that none is as wide as another


def directions(
    rows: int,
    features: int,
    rank: int,
    dtype: str,
    mean: float = 0.0,
    deviation: float = 1.0,
    data_dir: Path | None = None,
    seed: int = 0,
) -> Labelled:
    """Draw rows along `rank` directions of falling width, with noise, about `mean`; features vary by `deviation`."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((features, rank)))[0]
    widths = 10 * DECAY ** np.arange(rank)
    X = (rng.standard_normal((rows + HELD_OUT, rank)) * widths) @ basis.T
    X += rng.standard_normal(X.shape)
    # Means of their own for features, so that a fit that forgot one would be seen.
    offsets = mean + rng.normal(size=features) * max(deviation, abs(mean) / 1e3)
    X = (X * (deviation / X.std(axis=0)) + offsets).astype(dtype)
    y = np.zeros(len(X), dtype=np.intp)
    return Labelled(X[:rows], y[:rows], X[rows:].copy(), y[rows:], f"{rank} directions and noise")


def digits(dtype: str, data_dir: Path | None = None, seed: int = 0) -> Labelled:
    """Give all images of handwritten digits; some of them stand for rows held out."""
    images = labelled_digits(dtype, data_dir=data_dir, seed=seed)
    X, y = np.concatenate([images.X, images.X_held_out]), np.concatenate([images.y, images.y_held_out])
    return Labelled(X, y, images.X_held_out, images.y_held_out, images.origin)


def texts(
    rows: int, features: int, density: float, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Labelled:
    """Draw CSR rows with the word frequencies of texts."""
    return _first(sparse_texts(rows + HELD_OUT, features, density, 2, dtype, data_dir, seed).X, rows, "drawn texts")


def random_places(
    rows: int, features: int, density: float, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Labelled:
    """Draw CSR rows of uniform values at random places: all singular values but the first are about as large."""
    import scipy.sparse as sp

    drawn = sp.random_array((rows + HELD_OUT, features), density=density, format="csr", rng=np.random.default_rng(seed))
    # scikit-learn takes 32-bit indices only.
    X = sp.csr_matrix(
        (drawn.data.astype(dtype), drawn.indices.astype(np.int32), drawn.indptr.astype(np.int32)), shape=drawn.shape
    )
    return _first(X, rows, "random places")


def _first(X: Any, rows: int, origin: str) -> Labelled:
    y = np.zeros(X.shape[0], dtype=np.intp)
    return Labelled(X[:rows], y[:rows], X[rows:], y[rows:], origin)
