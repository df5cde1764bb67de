"""Samples and targets of least squares: scikit-learn's checks, and the quick way past them.

Values that are not finite show in the cross products, which read all of them anyway: plain arrays are not looked
through for them beforehand.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from fastml._support import threads, validation

FLOATS = (np.float64, np.float32)


@dataclass(slots=True)
class Samples:
    """What a fit is made from.

    Parameters
    ----------
    X : ndarray or sparse array of shape (n_samples, n_features)
        The samples, in a floating-point type. Possibly read-only, of any layout.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        The targets, in the type of X.
    weights : ndarray of shape (n_samples,) or None
        The weights, in the type of X.
    """

    X: Any
    y: np.ndarray
    weights: np.ndarray | None = None

    @property
    def targets(self) -> np.ndarray:
        """The targets as a C-contiguous matrix."""
        y = self.y if self.y.ndim == 2 else self.y[:, None]
        return np.require(y, requirements=["C", "A"])

    @property
    def n_threads(self) -> int:
        """The threads that a pass over X is worth which multiplies all pairs of features."""
        n, d = self.X.shape
        n_targets = 1 if self.y.ndim == 1 else self.y.shape[1]
        return threads.n_threads(work=float(n) * d * (d / 2 + n_targets + 4))


def check_samples(estimator: Any, X: Any, y: Any, *, quick: bool = True, **checks: Any) -> tuple[Samples, bool]:
    """Check samples and targets, as scikit-learn's linear regressions do.

    Parameters
    ----------
    estimator : estimator instance
        Whose ``n_features_in_`` and ``feature_names_in_`` are set.
    X : array-like or sparse array of shape (n_samples, n_features)
        The samples.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        The targets.
    quick : bool, default=True
        Whether plain arrays may pass that hold values which are not finite.
    **checks : object
        Arguments of :func:`sklearn.utils.validation.validate_data`.

    Returns
    -------
    samples : Samples
        Without weights.
    checked : bool
        Whether all values are known to be finite.
    """
    if quick and are_plain(X, y):
        X = validation.validate(estimator, X, reset=True, sparse=False, order=None, check_finite=False)
        return Samples(X, y.astype(X.dtype, copy=False)), False
    X, y = validate_data(estimator, X, y, multi_output=True, y_numeric=True, **checks)
    if X.dtype not in FLOATS:
        X = X.astype(np.float64)
    if isinstance(X, np.ndarray):
        X = np.require(X, requirements="A")
    return Samples(X, np.asarray(y).astype(X.dtype, copy=False)), True


def is_plain(X: Any) -> bool:
    """Tell whether samples need no conversion; whether they are finite is not looked at."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype in FLOATS
        and X.dtype.isnative
        and X.flags.forc
        and X.flags.aligned
        and X.size > 0
    )


def are_plain(X: Any, y: Any) -> bool:
    """Tell the same of samples and targets."""
    return (
        is_plain(X)
        and type(y) is np.ndarray
        and y.ndim in (1, 2)
        and y.size > 0
        and len(y) == len(X)
        and (y.dtype.kind in "iu" or y.dtype in FLOATS)
        and y.dtype.isnative
    )
