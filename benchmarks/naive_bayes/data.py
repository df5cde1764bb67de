"""Data for naive Bayes: classes by independent features, as each of the models takes them to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Labelled, sparse_texts
from benchmarks.linear_model.data_logistic import read_messages, split_messages

HELD_OUT = 1_000
WORDS_OF_A_TEXT = 20  # what the largest weight of a drawn text's words stands for


def gaussian_classes(
    rows: int,
    features: int,
    n_classes: int,
    dtype: str,
    mean: float = 0.0,
    deviation: float = 1.0,
    data_dir: Path | None = None,
    seed: int = 0,
) -> Labelled:
    """Draw overlapping classes of one Gaussian each, all about `mean`, features of slightly different widths."""
    rng = np.random.default_rng(seed)
    y = _labels(rng, rows, n_classes)
    centers = rng.normal(scale=1.5 / np.sqrt(features), size=(n_classes, features))
    widths = rng.uniform(0.8, 1.2, size=(n_classes, features))
    X = mean + deviation * (centers[y] + widths[y] * rng.standard_normal((len(y), features)))
    return _held_out(X.astype(dtype), y, rows, f"{n_classes} Gaussians")


def word_counts(
    rows: int, features: int, n_classes: int, dtype: str, data_dir: Path | None = None, seed: int = 0
) -> Labelled:
    """Draw counts by Poisson's law, each class with rates of its own; about one count in three is zero."""
    rng = np.random.default_rng(seed)
    y = _labels(rng, rows, n_classes)
    rates = rng.exponential(scale=2.0, size=features) * rng.uniform(0.9, 1.1, size=(n_classes, features))
    X = rng.poisson(rates[y]).astype(dtype)
    return _held_out(X, y, rows, f"{n_classes} classes of counts")


def categories(
    rows: int,
    features: int,
    n_categories: int,
    n_classes: int,
    dtype: str,
    data_dir: Path | None = None,
    seed: int = 0,
) -> Labelled:
    """Draw category numbers, each class with probabilities of its own in each feature."""
    rng = np.random.default_rng(seed)
    y = _labels(rng, rows, n_classes)
    X = np.empty((len(y), features), dtype=dtype)
    for feature in range(features):
        common = rng.dirichlet(np.ones(n_categories))
        shares = 0.9 * common + 0.1 * rng.dirichlet(np.ones(n_categories), size=n_classes)
        ends = np.cumsum(shares, axis=1)
        X[:, feature] = (rng.random(len(y))[:, np.newaxis] > ends[y, :-1]).sum(axis=1)
    X[:n_categories] = np.arange(n_categories)[:, np.newaxis]  # none is first met in a row held out
    return _held_out(X, y, rows, f"{n_classes} classes of {n_categories} categories")


def message_counts(dtype: str, data_dir: Path | None = None, seed: int = 0) -> Labelled:
    """Give messages as counts of their words, spam or not; else drawn texts, by whether they hold the first words."""
    read = read_messages(data_dir)
    if read is not None:
        from sklearn.feature_extraction.text import CountVectorizer

        texts, y = read
        return split_messages(CountVectorizer().fit_transform(texts).astype(dtype), y, "SMS, counts", seed)
    X = sparse_texts(rows=5000, features=8000, density=0.002, starts=2, dtype="float64", seed=seed).X
    X.data = np.ceil(WORDS_OF_A_TEXT * X.data)
    common = np.ravel(X[:, :50].sum(axis=1))
    return split_messages(X.astype(dtype), (common > np.median(common)).astype(int), "drawn texts", seed)


def _labels(rng: np.random.Generator, rows: int, n_classes: int) -> NDArray[np.int64]:
    """Draw classes of unequal sizes, for the rows and those held out."""
    shares = 1 + np.arange(n_classes)
    return rng.choice(n_classes, size=rows + HELD_OUT, p=shares / shares.sum())


def _held_out(X: NDArray[Any], y: NDArray[Any], rows: int, origin: str) -> Labelled:
    return Labelled(X[:rows], y[:rows], X[rows:].copy(), y[rows:].copy(), origin)
