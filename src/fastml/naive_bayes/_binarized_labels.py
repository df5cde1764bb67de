"""Class labels to the numbers of their classes, where scikit-learn makes a column of zeros and ones of each class."""

from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer, label_binarize

from fastml.naive_bayes._labels import number_labels

_FEW_LABELS = 20
"""Up to these scikit-learn does not warn of many classes."""


def are_strings(y: Any) -> bool:
    """Tell whether labels are an array of strings, to which no check of scikit-learn's has an objection."""
    if type(y) is not np.ndarray or y.ndim != 1 or y.size == 0:
        return False
    return y.dtype.kind == "U" or (y.dtype.kind == "O" and set(map(type, y.tolist())) == {str})


def number_classes(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the classes among labels, as ``LabelBinarizer().fit_transform(y)`` finds them.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Sorted.
    labels : ndarray of shape (n_samples,), int64
        The number of each label's class.

    Raises
    ------
    ValueError
        scikit-learn's, where the labels are not classes.
    """
    numbered = None
    if y.dtype.kind in "iub":
        numbered = number_labels(y)
    elif are_strings(y):
        names = y.tolist()
        found = sorted(set(names))
        numbered = np.asarray(found), _places(names, found)
    if numbered is not None and not _are_many(numbered[0], y):
        return numbered
    binarizer = LabelBinarizer().fit(y)
    return binarizer.classes_, np.searchsorted(binarizer.classes_, y).astype(np.int64, copy=False)


def find_classes(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Find labels among classes that are known, as ``label_binarize(y, classes=classes)`` does.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int64
        The number of each label's class; the number of classes for labels that belong to none. Of two classes that are
        the only ones it is the first that unknown labels get, as in scikit-learn: what is not the second is the first.

    Raises
    ------
    ValueError
        scikit-learn's, where the labels are not classes.
    """
    n_classes = len(classes)
    if not _are_many(classes, y):
        labels = _find_quickly(y, classes)
        if labels is not None:
            return labels
    Y = label_binarize(y, classes=classes)
    if Y.shape[1] == 1:
        return Y[:, 0].astype(np.int64) if n_classes == 2 else np.zeros(len(Y), dtype=np.int64)
    return np.where(Y.any(axis=1), Y.argmax(axis=1), n_classes).astype(np.int64, copy=False)


def _find_quickly(y: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
    """Return the numbers of labels that all are integers, or strings, of known classes; None for others."""
    if y.dtype.kind == "i" and y.dtype == classes.dtype:
        least = int(classes[0])
        if int(classes[-1]) - least < len(classes):
            labels = np.subtract(y, least, dtype=np.int64)
            return labels if labels.view(np.uint64).max() < len(classes) else None
        labels = np.minimum(classes.searchsorted(y), len(classes) - 1)
        return labels if (classes[labels] == y).all() else None
    if classes.dtype.kind == "U" and are_strings(y):
        names, known = y.tolist(), classes.tolist()
        return _places(names, known) if set(known).issuperset(names) else None
    return None


def _places(names: list[str], sorted_names: list[str]) -> np.ndarray:
    place = {name: i for i, name in enumerate(sorted_names)}
    return np.fromiter(map(place.__getitem__, names), dtype=np.int64, count=len(names))


def _are_many(classes: np.ndarray, y: np.ndarray) -> bool:
    """Tell whether scikit-learn may warn that there are many classes for so few labels."""
    return len(y) > _FEW_LABELS and 2 * len(classes) > len(y)
