"""Data for support vector machines: features of one scale, as their kernels need them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from benchmarks.datasets import Labelled


def scaled_classes(
    rows: int,
    features: int,
    n_classes: int,
    held_out: int,
    dtype: str,
    data_dir: Path | None = None,
    seed: int = 0,
) -> Labelled:
    """Draw overlapping classes of several clusters each, told apart by two features in three."""
    from sklearn.datasets import make_classification

    X, y = make_classification(
        rows + held_out, features, n_informative=features * 2 // 3, n_classes=n_classes, random_state=seed
    )
    return _scaled(X, y, rows, dtype, f"{n_classes} classes")


def curved_numbers(
    rows: int, features: int, held_out: int, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Labelled:
    """Draw rows, and Friedman's function of five of their features, with noise."""
    from sklearn.datasets import make_friedman1

    X, y = make_friedman1(rows + held_out, features, noise=1.0, random_state=seed)
    return _scaled(X, y, rows, dtype, "Friedman's function, with noise")


def iris(dtype: str, data_dir: Path | None = None, seed: int = 0) -> Labelled:
    """Give scikit-learn's bundled iris measurements, as they are; the rows held out are those of the fit."""
    from sklearn.datasets import load_iris

    bundled = load_iris()
    X = bundled.data.astype(dtype)
    return Labelled(X, bundled.target, X, bundled.target, "iris")


def _scaled(X: NDArray[Any], y: NDArray[Any], rows: int, dtype: str, origin: str) -> Labelled:
    """Bring features to mean 0 and variance 1, by the rows of the fit; hold out all but these."""
    X = ((X - X[:rows].mean(axis=0)) / X[:rows].std(axis=0)).astype(dtype)
    return Labelled(X[:rows].copy(), y[:rows], X[rows:].copy(), y[rows:], origin)
