"""Samples as the kernel takes them: dense or CSC, in single precision."""

from typing import Any

import numpy as np
from scipy.sparse import csc_array, issparse
from sklearn.utils.validation import _check_sample_weight

from fastml import _core

_MOST_DENSE = 2**25
"""Values that sparse samples may have as a dense array: 128 MB in single precision, for the time of their encoding."""

_DENSE_SHARE = {"best": 0.07, "random": 0.05}
"""For each splitter the share of values other than zero from which on the dense array may be faster to grow trees on.
Where columns hold few distinct values, forests on 2,000 x 500 are 20 to 30% faster on it at a tenth, on a Zen 4; where
they are all distinct, the two are even at a fifth (a tenth)."""

_PLAIN_WEIGHTS = (np.float64, np.int64)
"""Types of weights that are checked without scikit-learn: the one that is used, and that of counts."""


def dense_or_csc(X: Any, splitter: str) -> Any:
    """Return validated samples as they are grown on faster: dense, or CSC in canonical format.

    Parameters
    ----------
    X : ndarray or sparse of shape (n_samples, n_features), float32
        The samples.
    splitter : str
        How splits are looked for, "best" or "random".

    Returns
    -------
    X : ndarray or CSC of shape (n_samples, n_features), float32
        Trees are the same on both.

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
    X = X.astype(np.float32, copy=False)
    n_values = X.shape[0] * X.shape[1]
    if n_values <= _MOST_DENSE and X.nnz >= _DENSE_SHARE[splitter] * n_values:
        return X.toarray(order="F")
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def encode_csc(X: csc_array, random_splits: bool) -> _core.TreeFeatures:
    """Encode sparse samples, as :func:`dense_or_csc` returns them, for trees with splits of one kind."""
    data, indices, indptr = (np.require(part, requirements=["C", "A"]) for part in (X.data, X.indices, X.indptr))
    return _core.TreeFeatures.from_csc(data, indices, indptr, X.shape[0], random_splits)


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
