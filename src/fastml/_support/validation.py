"""Input checks: scikit-learn's, with a way past them for plain arrays.

scikit-learn's ``validate_data`` takes tens of microseconds, more than a small prediction itself. A plain array that is
seen at once to be what a kernel wants skips it. Everything else, and every array that fails a check, goes through
scikit-learn, so that conversions, errors and messages are its own.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.utils.validation import _check_sample_weight, validate_data

from fastml._core import all_finite
from fastml._support import threads

_FLOATS = (np.float64, np.float32)


def validate(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    sparse: bool | str | Sequence[str],
    copy: bool = False,
    dtype: str | Sequence[type] = _FLOATS,
    min_samples: int = 1,
    order: str | None = "C",
    large_sparse: bool = False,
    check_finite: bool = True,
) -> Any:
    """Check the samples given to a method, as scikit-learn does.

    Parameters
    ----------
    estimator : estimator instance
        Whose ``n_features_in_`` and ``feature_names_in_`` are set or compared.
    X : array-like of shape (n_samples, n_features)
        The samples.
    reset : bool
        True in ``fit``: set the attributes. False elsewhere: compare with them.
    sparse : bool, str or sequence of str
        The sparse formats taken, as in ``accept_sparse`` of :func:`sklearn.utils.check_array`.
    copy : bool, default=False
        Whether to return a copy even where X could be used as it is.
    dtype : "numeric" or sequence of types, default=(np.float64, np.float32)
        The floating-point types kept; anything else is converted to the first. "numeric" keeps all types of numbers.
    min_samples : int, default=1
        The least number of samples.
    order : {"C", "F"} or None, default="C"
        The layout of a dense array; None for any.
    large_sparse : bool, default=False
        Whether sparse input may have 64-bit indices.
    check_finite : bool, default=True
        False to let a plain array pass with values that are not finite, where the caller will notice them by itself. It
        has to check X again then, for scikit-learn's error.

    Returns
    -------
    X : ndarray or sparse array of shape (n_samples, n_features)
        Finite, if checked; of the order asked for and aligned if dense. Possibly read-only.

    Raises
    ------
    TypeError, ValueError
        scikit-learn's, where it rejects X.
    """
    plain = _is_plain(X, dtype, order) and X.shape[0] >= min_samples and _fits(estimator, X, reset)
    if plain and (not check_finite or _finite(X)):
        take_features(estimator, X, reset=reset)
        return X.copy(order="K") if copy else X
    X = validate_data(
        estimator,
        X,
        reset=reset,
        accept_sparse=sparse,
        accept_large_sparse=large_sparse or sparse is False,  # the error is another
        dtype=dtype if isinstance(dtype, str) else list(dtype),
        order=order,
        copy=copy,
        ensure_min_samples=min_samples,
    )
    return np.require(X, requirements="A") if type(X) is np.ndarray else X  # kernels read whole elements


def is_plain(X: Any) -> bool:
    """Tell whether X is a finite matrix of floats of any contiguous layout, which checks would return as it is."""
    return _is_plain(X, _FLOATS, None) and _finite(X)


def samples_and_targets(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    reset: bool,
    sparse: bool | str | Sequence[str] = "csr",
    dtype: str | Sequence[type] = _FLOATS,
    large_sparse: bool = False,
    check_finite: bool = True,
) -> tuple[Any, np.ndarray]:
    """Check samples and targets, as scikit-learn's fits do.

    Parameters
    ----------
    estimator : estimator instance
        Whose ``n_features_in_`` and ``feature_names_in_`` are set or compared.
    X, y : array-like
        As the user gave them.
    reset : bool
        Whether to set the attributes.
    sparse : bool, str or sequence of str, default="csr"
        The sparse formats taken.
    dtype : "numeric" or sequence of types, default=(np.float64, np.float32)
        As in :func:`validate`.
    large_sparse : bool, default=False
        Whether sparse input may have 64-bit indices.
    check_finite : bool, default=True
        As in :func:`validate`.

    Returns
    -------
    X : ndarray or CSR of shape (n_samples, n_features)
        Of one of the types; C-contiguous if dense.
    y : ndarray of shape (n_samples,)
        Of any type.

    Raises
    ------
    TypeError, ValueError
        scikit-learn's, where it rejects them.
    """
    if targets_are_plain(y) and getattr(X, "shape", (0,))[0] == len(y):
        X = validate(
            estimator,
            X,
            reset=reset,
            sparse=sparse,
            dtype=dtype,
            large_sparse=large_sparse,
            check_finite=check_finite,
        )
        return X, y
    X, y = validate_data(
        estimator,
        X,
        y,
        reset=reset,
        accept_sparse=sparse,
        accept_large_sparse=large_sparse or sparse is False,  # the error is another
        dtype=dtype if isinstance(dtype, str) else list(dtype),
        order="C",
    )
    return (np.require(X, requirements="A") if type(X) is np.ndarray else X), y


def targets_are_plain(y: Any) -> bool:
    """Tell whether targets are an array of numbers to which scikit-learn's checks have no objection."""
    if type(y) is not np.ndarray or y.ndim != 1 or y.size == 0:
        return False
    if y.dtype.type in (np.float32, np.float64):
        return y.dtype.isnative and y.flags.c_contiguous and y.flags.aligned and all_finite(y)
    return y.dtype.kind in "iub"


def _is_plain(X: Any, dtype: str | Sequence[type], order: str | None) -> bool:
    """Tell whether X needs no conversion."""
    if type(X) is not np.ndarray or X.ndim != 2 or X.size == 0:
        return False
    flags = X.flags
    return (
        X.dtype.type in (_FLOATS if isinstance(dtype, str) else dtype)
        and X.dtype.isnative
        and (flags.c_contiguous if order == "C" else flags.f_contiguous if order == "F" else flags.forc)
        and flags.aligned
    )


def take_features(estimator: Any, X: Any, *, reset: bool) -> bool:
    """Set or compare the number of features, as scikit-learn's checks do, for samples that need no other check.

    Parameters
    ----------
    estimator : estimator instance
        Whose ``n_features_in_`` is set, or compared, and whose ``feature_names_in_`` is deleted where it is set.
    X : ndarray or sparse array of shape (n_samples, n_features)
        The samples. They have no names of features.
    reset : bool
        Whether to set the attributes.

    Returns
    -------
    fits : bool
        False where scikit-learn has something to say of the features; nothing is set then.
    """
    if not _fits(estimator, X, reset):
        return False
    if reset:
        estimator.n_features_in_ = X.shape[1]
        if hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
    return True


def _fits(estimator: Any, X: Any, reset: bool) -> bool:
    """Tell whether X has the features that the estimator was fitted on."""
    if reset:
        return True
    return (
        getattr(estimator, "feature_names_in_", None) is None
        and getattr(estimator, "n_features_in_", X.shape[1]) == X.shape[1]
    )


def _finite(X: np.ndarray) -> bool:
    if get_config()["assume_finite"]:
        return True
    return all_finite(X if X.flags.c_contiguous else X.T, threads.n_threads(work=X.size))


def sample_weight(weight: Any, X: Any, **checks: Any) -> np.ndarray | None:
    """Check the weights of samples, as scikit-learn does.

    Parameters
    ----------
    weight : array-like of shape (n_samples,), float or None
        The weights; None for none.
    X : ndarray or sparse array of shape (n_samples, n_features)
        The validated samples. Weights get their type.
    **checks : bool
        scikit-learn's further checks: ``ensure_non_negative``, ``allow_all_zero_weights``.

    Returns
    -------
    weight : ndarray of shape (n_samples,) or None
        C-contiguous and of the type of X; None when no weights were given.

    Raises
    ------
    TypeError, ValueError
        scikit-learn's, where it rejects the weights.
    """
    if weight is None:
        return None
    return np.require(_check_sample_weight(weight, X, dtype=X.dtype, **checks), requirements="A")
