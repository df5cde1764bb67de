"""Means and centred cross products of samples, from one pass over them."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from fastml import _core
from fastml._support import threads
from fastml._support.arrays import csr_arrays

DENSE_GROWTH = 4
"""Sparse samples are made dense where one value in so many is stored: products of all pairs of features then cost less
than scattering those of stored values."""


def threads_worth(n_samples: int, n_features: int) -> int:
    """Return the number of threads for the products of dense samples."""
    return threads.n_threads(work=float(n_samples) * n_features * (n_features / 2 + 4))


def centered_products(X: Any, *, widen: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of products of all pairs of features about their means, and the means, in float64.

    Dense samples are taken about a mean of some rows, so that large means cancel before they are squared. Sparse ones
    are taken about 0, and corrected for the means afterwards.

    Parameters
    ----------
    X : ndarray or sparse array of shape (n_samples, n_features)
        float32 or float64, of any layout; CSR or CSC. Possibly not finite, if dense.
    widen : bool, default=True
        False to multiply dense float32 samples in float32, which is twice as fast: each product about the means is then
        off by some 1e-7 of what it may be at most, at random, as those of samples are that have been rounded.

    Returns
    -------
    products : ndarray of shape (n_features, n_features)
        Not finite on its diagonal where X is not.
    mean : ndarray of shape (n_features,)
        The means.
    """
    n, d = X.shape
    if sp.issparse(X) and n * d > DENSE_GROWTH * X.nnz:
        X = X.tocsr()
        pairs = float(np.square(np.diff(X.indptr), dtype=np.float64).sum()) / 2
        values, indices, offsets = csr_arrays(X)
        products, _, mean, _ = _core.sparse_cross_products(
            values, indices, offsets, d, np.empty((n, 0), X.dtype), None, True, threads.n_threads(work=pairs + X.nnz)
        )
        return products, mean
    if sp.issparse(X):
        X = X.toarray()
    no_targets = np.empty((n, 0), X.dtype)
    products, _, mean, _ = _core.cross_products(X, no_targets, None, True, threads_worth(n, d), widen)
    return products, mean
