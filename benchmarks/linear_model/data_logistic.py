"""Data for logistic regression: classes drawn from its own model, and messages as weighted words."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Labelled, sparse_texts

SMS = "sms-spam.csv"


def soft_classes(
    rows: int,
    features: int,
    n_classes: int,
    held_out: int,
    dtype: str,
    data_dir: Path | None = None,
    seed: int = 0,
) -> Labelled:
    """Draw rows, and the class of each by the probabilities of a softmax of linear scores."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows + held_out, features))
    scores = X @ rng.normal(scale=2 / np.sqrt(features), size=(features, n_classes))
    y = np.argmax(scores + rng.gumbel(size=scores.shape), axis=1)
    X = X.astype(dtype)
    return Labelled(X[:rows], y[:rows], X[rows:], y[rows:], f"{n_classes} classes by softmax")


def messages(dtype: str, data_dir: Path | None = None, seed: int = 0) -> Labelled:
    """Give messages as TF-IDF of their words, spam or not; else drawn texts, by whether they hold the first words."""
    read = read_messages(data_dir)
    if read is not None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        texts, y = read
        return split_messages(TfidfVectorizer().fit_transform(texts).astype(dtype), y, "SMS, TF-IDF", seed)
    X = sparse_texts(rows=5000, features=8000, density=0.002, starts=2, dtype=dtype, seed=seed).X.tocsr()
    common = np.ravel(X[:, :50].sum(axis=1))
    return split_messages(X, (common > np.median(common)).astype(int), "drawn texts", seed)


def read_messages(data_dir: Path | None) -> tuple[tuple[str, ...], NDArray[np.intp]] | None:
    """Give the texts and whether each is spam, where the folder has them."""
    if data_dir is None or not (data_dir / SMS).exists():
        return None
    with (data_dir / SMS).open(encoding="utf-8", errors="replace", newline="") as file:
        kinds, texts = zip(*list(csv.reader(file))[1:], strict=True)
    return texts, np.unique(kinds, return_inverse=True)[1]


def split_messages(X: Any, y: NDArray[Any], origin: str, seed: int) -> Labelled:
    """Hold out one row in five, drawn."""
    order = np.random.default_rng(seed).permutation(X.shape[0])
    train, test = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]
    return Labelled(X[train], y[train], X[test], y[test], origin)
