"""Samples as the kernel takes them: dense, in single precision."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _check_sample_weight

_MOST_DENSE = 2**25
"""Values that sparse samples may have as a dense array: 128 MB in single precision, for the time of their encoding."""

_PLAIN_WEIGHTS = (np.float64, np.int64)
"""Types of weights that are checked without scikit-learn: the one that is used, and that of counts."""


def may_be_dense(X: Any) -> bool:
    """Tell whether samples are dense, or sparse and small enough to become so."""
    return not issparse(X) or X.ndim != 2 or X.shape[0] * X.shape[1] <= _MOST_DENSE


def as_dense(X: Any) -> np.ndarray:
    """Return validated samples as a dense array of single precision.

    scikit-learn grows the same trees from sparse samples as from dense ones: its sparse splitter only finds values in
    another way.

    Raises
    ------
    ValueError
        scikit-learn's, where the indices of sparse samples are not of 32 bits.
    """
    if not issparse(X):
        return X
    X = X.tocsc()
    if X.indices.dtype != np.intc or X.indptr.dtype != np.intc:
        raise ValueError("No support for np.int64 index based sparse matrices")
    return X.astype(np.float32, copy=False).toarray(order="F")


def may_be_finite(X: np.ndarray) -> bool:
    """Tell whether all values are finite, from their sum: quickly, and with a false alarm where it overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.sum(X)))


def checked_weights(sample_weight: Any, X: Any) -> np.ndarray:
    """Return weights of samples in double precision, or raise what scikit-learn raises."""
    given = sample_weight
    if type(given) is np.ndarray and given.shape == X.shape[:1] and given.dtype in _PLAIN_WEIGHTS:
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.sum(given)
        if np.isfinite(total) and total != 0:
            # All are finite and not all are zero, which is all that scikit-learn looks for, in ten times the time.
            return given.astype(np.float64, copy=False)
    return _check_sample_weight(sample_weight, X, dtype=np.float64)
