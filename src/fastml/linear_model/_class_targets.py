"""Classes as targets of least squares, 1 for a class and -1 for all others."""

from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight

from fastml._support import validation
from fastml.linear_model._samples import is_plain

_FEW_SAMPLES = 20
"""Up to these scikit-learn does not warn of many classes."""


def prepare_quickly(
    estimator: Any, X: Any, y: Any, sample_weight: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray] | None:
    """Do what scikit-learn's ridge classifiers do before a fit, for plain samples and classes that are integers.

    Returns
    -------
    prepared : tuple of (X, y, sample_weight, Y) or None
        Checked samples, classes, weights (None for none) and targets; None where scikit-learn is to look at the input.
        The estimator's `classes_` and its label binarizer are set.
    """
    if not (is_plain(X) and type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in "biu" and y.dtype.isnative):
        return None
    if len(y) != len(X):
        return None
    classes, codes = _number(y)
    if len(classes) < 2 or (len(y) > _FEW_SAMPLES and 2 * len(classes) > len(y)):
        return None
    X = validation.validate(estimator, X, reset=True, sparse=False, order=None)
    if sample_weight is not None or estimator.class_weight:
        sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        if estimator.class_weight:
            sample_weight = sample_weight * compute_sample_weight(estimator.class_weight, y)
    binarizer = LabelBinarizer(pos_label=1, neg_label=-1)
    binarizer.y_type_ = "binary" if len(classes) == 2 else "multiclass"
    binarizer.sparse_input_ = False
    binarizer.classes_ = classes
    estimator._label_binarizer = binarizer
    estimator.classes_ = classes
    if len(classes) == 2:
        Y = (2 * codes - 1).astype(X.dtype)[:, None]
    else:
        Y = np.full((len(y), len(classes)), -1, dtype=X.dtype)
        Y[np.arange(len(y)), codes] = 1
    return X, y, sample_weight, Y


def _number(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct classes and the number of each sample's; in linear time if they are close together."""
    if y.dtype.kind == "b":
        present = np.array([not y.all(), bool(y.any())])
        return np.array([False, True])[present], y.astype(np.intp) if present.all() else np.zeros(len(y), np.intp)
    least, most = int(y.min()), int(y.max())
    if most - least >= len(y) or max(-least, most) >= 2**62:
        return np.unique(y, return_inverse=True)
    from_least = np.subtract(y, least, dtype=np.int64, casting="unsafe")
    present = np.bincount(from_least) > 0
    places = np.flatnonzero(present)
    return (places + least).astype(y.dtype), (np.cumsum(present) - 1)[from_least]
