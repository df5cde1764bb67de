"""From samples as the user gave them to what the kernels count and score."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import validate_data

from fastml._core import count_rows, count_sparse_rows, linear_scores, sparse_linear_scores
from fastml._support import threads, validation
from fastml._support.arrays import csr_arrays
from fastml.naive_bayes._binarized_labels import are_strings

_COUNTED = (np.float64, np.float32, np.int64, np.int32)
"""Types of dense samples that are counted and scored as they are."""

_STORED = (np.float64, np.float32)
"""The same of sparse ones."""


def samples_and_targets(estimator: Any, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
    """Check samples and labels as scikit-learn's discrete naive Bayes does, but for values that are not finite.

    Those of plain arrays and of CSR are noticed when they are counted.

    Parameters
    ----------
    estimator : estimator instance
        Whose ``n_features_in_`` and ``feature_names_in_`` are set or compared.
    X, y : array-like
        As the user gave them.
    reset : bool
        Whether to set the attributes.

    Returns
    -------
    X : ndarray or CSR of shape (n_samples, n_features)
        Of any type of numbers.
    y : ndarray of shape (n_samples,)

    Raises
    ------
    TypeError, ValueError
        scikit-learn's, where it rejects them.
    """
    if (_is_dense(X) or _is_csr(X)) and have_plain_labels(X, y):
        return samples(estimator, X, reset=reset), y
    return validate_data(estimator, X, y, accept_sparse="csr", reset=reset)


def samples(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Check samples alone in the same way."""
    if _is_csr(X) and validation.take_features(estimator, X, reset=reset):
        return X
    if _is_dense(X):
        return validation.validate(estimator, X, reset=reset, sparse="csr", dtype=_COUNTED, check_finite=False)
    return validate_data(estimator, X, accept_sparse="csr", reset=reset)


def _is_dense(X: Any) -> bool:
    return type(X) is np.ndarray and X.dtype.type in _COUNTED


def _is_csr(X: Any) -> bool:
    """Tell whether X is CSR of which scikit-learn would but look whether its values are finite."""
    return (
        type(X) in (sp.csr_array, sp.csr_matrix)
        and X.ndim == 2
        and 0 not in X.shape
        and X.dtype.type in _COUNTED
        and X.dtype.isnative
    )


def have_plain_labels(X: Any, y: Any) -> bool:
    """Tell whether scikit-learn's checks have no objection to labels of the samples."""
    return (validation.targets_are_plain(y) or are_strings(y)) and X.shape[:1] == y.shape


def threshold_for(binarize: Any, X: Any) -> float | None:
    """Return what a value of X must exceed to count, as NumPy compares it with the parameter; None without one.

    Python's numbers are rounded to the type of X, NumPy's are not.
    """
    if binarize is None:
        return None
    threshold = float(binarize)
    if X.dtype == np.float32:
        rounded = np.float32(threshold)
        if float(rounded) > threshold and isinstance(binarize, np.floating):
            rounded = np.nextafter(rounded, np.float32(-np.inf))
        threshold = float(rounded)
    return threshold


def counts_of(
    X: Any, labels: np.ndarray, weights: np.ndarray | None, threshold: float | None, n_classes: int
) -> tuple[np.ndarray, float, bool]:
    """Add up the samples of each class.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Checked samples.
    labels : ndarray of shape (n_samples,), int64
        The number of each sample's class; `n_classes` for none.
    weights : ndarray of shape (n_samples,), float64, or None
        The weights of samples.
    threshold : float or None
        Values above it count 1, others 0; None to count values.
    n_classes : int
        The number of classes.

    Returns
    -------
    counts : ndarray of shape (n_classes, n_features)
        The sums.
    least : float
        The least value; infinity if none is stored.
    finite : bool
        Whether all values are finite.
    """
    if sp.issparse(X):
        n_threads = threads.for_pass(X.nnz)
        return count_sparse_rows(*_stored(X), X.shape[1], labels, weights, threshold, n_classes, n_threads)
    X = _dense(X)
    return count_rows(X, labels, weights, threshold, n_classes, threads.for_pass(X.size))


def linear_outcome(
    X: Any, weights: np.ndarray, constants: np.ndarray, threshold: float | None, kind: str
) -> tuple[np.ndarray, bool]:
    """Score samples by a product of matrices.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Checked samples.
    weights : ndarray of shape (n_classes, n_features)
        What a value, or one that is above the threshold, adds to the score of a class.
    constants : ndarray of shape (n_classes,)
        What a score is without values.
    threshold : float or None
        None to multiply weights by values.
    kind : str
        As for ``Predicting._outcome``.

    Returns
    -------
    outcome : ndarray
        As ``Predicting._outcome`` returns it.
    finite : bool
        Whether all values are finite.
    """
    weights = np.ascontiguousarray(weights, dtype=np.float64)
    constants = np.ascontiguousarray(constants, dtype=np.float64)
    if sp.issparse(X):
        n_threads = threads.n_threads(work=X.nnz * len(constants))
        return sparse_linear_scores(*_stored(X), weights, constants, threshold, kind, n_threads)
    n_threads = threads.n_threads(work=len(X) * weights.size)
    return linear_scores(_dense(X), weights, constants, threshold, kind, n_threads)


def _dense(X: np.ndarray) -> np.ndarray:
    return np.require(X, dtype=X.dtype if X.dtype.type in _COUNTED else np.float64, requirements=["C", "A"])


def _stored(X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, column indices and offsets of CSR, of types that the kernels take."""
    values, indices, offsets = csr_arrays(X)
    return values if values.dtype.type in _STORED else values.astype(np.float64), indices, offsets
