"""Data of the perceptrons' benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import datasets
from benchmarks.datasets import Labelled

CALIFORNIA = "california-housing.csv"


def images(dtype: str, side: int = 28, data_dir: Path | None = None, seed: int = 0) -> Labelled:
    """Give images of digits, grey values from 0 to 1, with a margin up to ``side`` pixels."""
    data = datasets.digits(dtype, data_dir, seed)
    most = data.X.max()

    def framed(X: NDArray[Any]) -> NDArray[Any]:
        width = int(np.sqrt(X.shape[1]))
        before, after = (side - width) // 2, (side - width + 1) // 2
        padded = np.pad((X / most).reshape(-1, width, width), ((0, 0), (before, after), (before, after)))
        return padded.reshape(len(X), -1)

    return Labelled(framed(data.X), data.y, framed(data.X_held_out), data.y_held_out, data.origin)


def small_digits(dtype: str, data_dir: Path | None = None) -> Labelled:
    """Give scikit-learn's bundled 8 x 8 digits, all of them to learn from."""
    from sklearn.datasets import load_digits

    bundled = load_digits()
    X = bundled.data.astype(dtype)
    return Labelled(X, bundled.target, X[:200], bundled.target[:200], "digits")


def houses(dtype: str, data_dir: Path | None = None, seed: int = 0) -> Labelled:
    """Give districts of California and the value of their houses, standardised; else the bundled diabetes."""
    if data_dir is not None and (data_dir / CALIFORNIA).exists():
        table = np.genfromtxt(data_dir / CALIFORNIA, delimiter=",", skip_header=1)
        table = table[:, np.isfinite(table).all(axis=0)]  # a column of words is none of numbers
        X, y, origin = table[:, :-1], table[:, -1], "california"
    else:
        from sklearn.datasets import load_diabetes

        bundled = load_diabetes()
        X, y, origin = bundled.data, bundled.target, "diabetes"
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    order = np.random.default_rng(seed).permutation(len(X))
    rows = len(X) - len(X) // 5
    X, y = X[order].astype(dtype), y[order].astype(dtype)
    return Labelled(X[:rows].copy(), y[:rows].copy(), X[rows:].copy(), y[rows:].copy(), origin)
