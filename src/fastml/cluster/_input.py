"""From validated samples to what the native functions take."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from fastml import _core


def core_input(X: Any) -> Any:
    """Return X as the k-means bindings take it: a dense array as it is, CSR as a tuple of its parts."""
    if sp.issparse(X):
        return X.data, X.indices, X.indptr, X.shape[1]
    return X


def column_means(X: np.ndarray) -> np.ndarray:
    """Return ``X.mean(axis=0)``, bit for bit.

    float32 k-means++ draws depend on the last bit of the centred data, hence the same order of additions as NumPy's:
    row by row in the dtype of X (pairwise for a single column), then a division in double.
    """
    if X.shape[1] == 1:
        return X.mean(axis=0)
    return np.true_divide(_core.column_sums(X), np.intp(X.shape[0])).astype(X.dtype, copy=False)


def mean_variance(X: np.ndarray, means: np.ndarray, n_threads: int) -> tuple[float, float]:
    """Return the mean over columns of their variances, and the largest deviation in standard deviations."""
    variances, largest_ratio = _core.column_spread(X, means, n_threads)
    return float(np.mean(variances)), largest_ratio
