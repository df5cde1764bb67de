"""The number of components that the data themselves suggest."""

from math import lgamma, log, pi

import numpy as np
from sklearn.decomposition._pca import _infer_dimension

LEAST = 1e-15
"""Eigenvalues below this are none."""


def infer_dimension(spectrum: np.ndarray, n_samples: int) -> np.signedinteger:
    """Return the number of components of largest evidence, by Minka's method (2000).

    scikit-learn evaluates the evidence of each number of components by itself, which takes time in the cube of the
    number of features. It is made of sums over pairs of eigenvalues, which grow by a row from one number to the next.

    Parameters
    ----------
    spectrum : ndarray of shape (n_features,)
        All eigenvalues of the covariance matrix, in descending order.
    n_samples : int
        The number of samples.

    Returns
    -------
    n_components : numpy.int64
        Of 1 to n_features - 1; 0 for one feature.
    """
    d = len(spectrum)
    values = spectrum.astype(np.float64)
    count = int(np.sum(values >= LEAST))
    present = values[: min(count, d - 1)]
    if not len(present) or not (np.diff(values[:count]) < 0).all() or not np.isfinite(values).all():
        # Equal eigenvalues have no logarithm of their difference: whatever scikit-learn makes of them.
        return _infer_dimension(spectrum, n_samples)
    ranks = np.arange(1, len(present) + 1)
    half = (d - ranks + 1) / 2
    prior = np.cumsum([lgamma(h) - log(pi) * h for h in half]) - ranks * log(2.0)
    spread = -np.cumsum(np.log(present)) * n_samples / 2
    sums = values[::-1].cumsum()[::-1]
    noise = np.maximum(LEAST, sums[ranks] / (d - ranks))
    fit = -np.log(noise) * n_samples * (d - ranks) / 2
    free = d * ranks - ranks * (ranks + 1) / 2
    scale = log(2 * pi) * (free + ranks) / 2

    # Sums over i < rank: of logarithms of differences to all j > i, and of differences of reciprocals, where those of
    # j >= rank are the noise's.
    gaps = np.array([np.log(present[i] - values[i + 1 :]).sum() for i in range(len(present))]).cumsum()
    inverse = 1 / present
    among = np.cumsum([np.log(inverse[j] - inverse[:j]).sum() for j in range(len(present))])
    to_noise = np.array([(d - rank) * np.log(1 / noise[rank - 1] - inverse[:rank]).sum() for rank in ranks])
    pairs = d * ranks - ranks * (ranks + 1) / 2
    curvature = gaps + among + to_noise + pairs * log(n_samples)
    evidence = np.full(d, -np.inf, spectrum.dtype)
    evidence[ranks] = prior + spread + fit + scale - curvature / 2 - ranks * log(n_samples) / 2
    return evidence.argmax()
