"""Samples for logistic regression, what it has to reject, and what a fit says."""

import re
import warnings

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import make_classification

ROWS = np.eye(6)
BAD = {
    "one class": (ROWS, np.zeros(6)),
    "one class of text": (ROWS, np.array(["a"] * 6)),
    "continuous": (ROWS, np.linspace(0, 1, 6)),
    "lengths": (ROWS, [0, 1]),
    "no rows": (ROWS[:0], []),
    "NaN": (np.where(ROWS == 1, np.nan, 0), [0, 1] * 3),
    "infinity": (np.where(ROWS == 1, np.inf, 0), [0, 1] * 3),
    "NaN among the labels": (ROWS, [0, 1, np.nan, 0, 1, 0]),
    "one dimension": (np.arange(6.0), [0, 1] * 3),
    "no labels": (ROWS, None),
    "two columns of labels": (ROWS, np.eye(6, 2, dtype=int)),
    "text": ([["a"]] * 6, [0, 1] * 3),
    "complex": (ROWS * 1j, [0, 1] * 3),
}


def samples(n_classes, *, sparse=False, dtype=np.float64, rows=240, seed=0):
    """Return standardised features, of which some are zero, and classes that overlap."""
    X, y = make_classification(
        rows, 9, n_informative=6, n_classes=n_classes, class_sep=0.7, flip_y=0.1, random_state=seed
    )
    X = (X / X.std(axis=0)).astype(dtype)
    X[np.random.default_rng(seed).random(X.shape) < 0.3] = 0
    return (sp.csr_array(X) if sparse else X), y


def weights_of(kind, rows):
    """Return weights of samples, or None where others or none are asked for."""
    return np.random.default_rng(1).uniform(0.1, 3, size=rows) if kind == "samples" else None


def messages(fit):
    """Return what a fit raises, if anything, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fit()
            raised = None
        except Exception as error:
            raised = (type(error), str(error))
    # A loss in a message ends in digits that depend on the order of sums.
    return raised, [(warning.category, re.sub(r"(\d\.\d{8})\d+", r"\1", str(warning.message))) for warning in caught]
