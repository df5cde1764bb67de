"""Targets as the kernel takes them: numbers, or the numbers of classes."""

from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from fastml._core import number_labels

_MANY_CLASSES = 0.5
"""Classes per sample beyond which scikit-learn's check warns."""


def are_plain(y: Any) -> bool:
    """Tell whether targets are an array of integers, to which no check of scikit-learn's has an objection."""
    return type(y) is np.ndarray and y.ndim == 1 and y.size > 0 and y.dtype.kind in "iub"


def check_and_encode(y: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Number the classes of each output, once it is sure that they are classes.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_outputs)
        Class labels.

    Returns
    -------
    classes, codes
        As :func:`encode_classes` returns them.

    Raises
    ------
    TypeError, ValueError
        scikit-learn's, where the targets are not classes.
    """
    if y.shape[1:] == (1,) and are_plain(y[:, 0]):
        classes, codes = encode_classes(y)
        # Integers are classes. The one thing to be said of them is that they are many.
        if len(classes[0]) > round(_MANY_CLASSES * len(y)):
            check_classification_targets(y)
        return classes, codes
    check_classification_targets(y)
    return encode_classes(y)


def encode_classes(y: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Number the classes of each output.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_outputs)
        Class labels.

    Returns
    -------
    classes : list of ndarray
        The sorted labels of each output.
    codes : ndarray of shape (n_samples, n_outputs), int
        The place of each label among those of its output.
    """
    codes = np.zeros(y.shape, dtype=int)
    classes = []
    for k in range(y.shape[1]):
        labels, codes[:, k] = _unique_inverse(y[:, k])
        classes.append(labels)
    return classes, codes


def _unique_inverse(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what ``np.unique`` returns; of integers in linear time."""
    if labels.dtype.kind in "iu" and labels.dtype != np.uint64 and labels.size:
        numbered = number_labels(np.ascontiguousarray(labels, dtype=np.int64))
        if numbered is not None:
            return numbered[0].astype(labels.dtype, copy=False), numbered[1]
    return np.unique(labels, return_inverse=True)


def check_poisson_targets(y: np.ndarray, negative: str, not_positive: str) -> None:
    """Raise, with one of the two messages, where Poisson deviance is not defined."""
    if np.any(y < 0):
        raise ValueError(negative)
    if np.sum(y) <= 0:
        raise ValueError(not_positive)
