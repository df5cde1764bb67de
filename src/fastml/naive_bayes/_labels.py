"""Class labels to the numbers of their classes."""

from typing import Any

import numpy as np
from sklearn.utils.multiclass import _check_partial_fit_first_call, unique_labels

from fastml._support.targets import encode_classes


def is_first_call(estimator: Any, classes: Any) -> bool:
    """Tell whether a ``partial_fit`` is the first, which sets ``classes_``; with scikit-learn's errors."""
    known = getattr(estimator, "classes_", None)
    if known is None or type(classes) is not np.ndarray or classes.dtype != known.dtype:
        return _check_partial_fit_first_call(estimator, classes)
    if np.array_equal(known, classes):
        return False  # scikit-learn sorts them again, which takes longer than all the rest of a call
    return _check_partial_fit_first_call(estimator, classes)


def number_labels(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted classes among labels of shape (n_samples,), and the number of each label's, as int64.

    Labels that are no classes raise scikit-learn's error.
    """
    (classes,), codes = encode_classes(y[:, None])
    classes = classes.astype(classes.dtype.newbyteorder("="), copy=False)
    if y.dtype.kind not in "iub":
        classes = unique_labels(classes)
    return classes, np.ascontiguousarray(codes[:, 0], dtype=np.int64)


def find_labels(y: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find labels among classes that are known.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    codes : ndarray of shape (n_samples,), int64
        The number of each label's class; any number where there is none.
    known : ndarray of shape (n_samples,), bool
        Whether it is one of the classes.
    """
    if not len(classes):
        return np.zeros(len(y), dtype=np.int64), np.zeros(len(y), dtype=bool)
    if _are_comparable(y, classes):
        codes = np.searchsorted(classes, y)
        codes[codes == len(classes)] = 0
        return codes.astype(np.int64, copy=False), classes[codes] == y
    labels, places = np.unique(y, return_inverse=True)
    known = np.isin(labels, classes)
    codes = np.zeros(len(labels), dtype=np.int64)
    codes[known] = np.searchsorted(classes, labels[known])
    return codes[places], known[places]


def _are_comparable(a: np.ndarray, b: np.ndarray) -> bool:
    """Tell whether labels of the two types have an order among each other."""
    numbers = "biuf"
    return (a.dtype.kind in numbers and b.dtype.kind in numbers) or a.dtype.kind == b.dtype.kind != "O"
