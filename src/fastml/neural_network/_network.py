"""From an estimator's attributes to the kernel's network, and back."""

from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp

from fastml import _core
from fastml._support import threads

_NETWORKS: dict[Any, type[_core.DenseNetworkF32] | type[_core.DenseNetworkF64]] = {
    np.float32: _core.DenseNetworkF32,
    np.float64: _core.DenseNetworkF64,
}

_FEW_ROWS = 4
"""Rows that are predicted one by one, by the coefficients where they lie: more are worth copying these."""


def compute_type(X: Any, coefs: list[np.ndarray], intercepts: list[np.ndarray]) -> type[np.floating[Any]]:
    """Return the type in which NumPy would compute: float32 where all are of it, else float64."""
    common = np.result_type(X.dtype, *coefs, *intercepts)
    return np.float32 if common in (np.float32, np.float16) else np.float64


def samples_for_kernel(X: Any, dtype: type[np.floating[Any]]) -> Any:
    """Return samples as the kernel takes them: rows of float32 or float64, no wider than ``dtype``.

    Parameters
    ----------
    X : ndarray or sparse array of shape (n_samples, n_features)
        Validated samples.
    dtype : type
        The type that the network computes in.

    Returns
    -------
    x : ndarray or tuple
        C-contiguous; or (data, indices, indptr, n_features).
    """
    if sp.issparse(X):
        X = X.tocsr()
        return _floats(X.data, dtype), X.indices.astype(np.int32, copy=False), X.indptr.astype(np.int64), X.shape[1]
    return _floats(X, dtype)


def _floats(values: np.ndarray, dtype: type[np.floating[Any]]) -> np.ndarray:
    kept = values.dtype.type if values.dtype in (np.float32, dtype) else dtype
    return np.require(values, dtype=kept, requirements=["C", "A"])


def flat(arrays: list[Any], dtype: type[np.floating[Any]]) -> np.ndarray:
    """Return all values of the arrays in one vector."""
    return np.concatenate([np.asarray(array).ravel() for array in arrays]).astype(dtype, copy=False)


def parts(values: np.ndarray, units: list[int]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the weights and the intercepts of each layer, as views of a vector of all of them.

    Parameters
    ----------
    values : ndarray of shape (n_parameters,)
        The weights of all layers, then their intercepts.
    units : list of int
        The widths of the input and of all layers.

    Returns
    -------
    coefs, intercepts : list of ndarray
        Of shapes (fan_in, fan_out) and (fan_out,).
    """
    coefs, intercepts = [], []
    start = 0
    for fan_in, fan_out in pairwise(units):
        coefs.append(values[start : start + fan_in * fan_out].reshape(fan_in, fan_out))
        start += fan_in * fan_out
    for fan_out in units[1:]:
        intercepts.append(values[start : start + fan_out])
        start += fan_out
    return coefs, intercepts


def new_network(
    units: list[int], activation: str, output: str, loss: str, dtype: type[np.floating[Any]]
) -> _core.DenseNetworkF32 | _core.DenseNetworkF64:
    """Return a network of the kernel's; its weights are zeros."""
    if loss == "log_loss" and output == "logistic":
        loss = "binary_log_loss"
    return _NETWORKS[dtype](units, activation, output, loss)


def n_threads_for(n_samples: int, units: list[int]) -> int:
    """Return the threads for a pass over samples."""
    return threads.n_threads(work=float(n_samples) * float(np.dot(units[1:], units[:-1])))


def outputs(X: Any, coefs: list[np.ndarray], intercepts: list[np.ndarray], activation: str, output: str) -> np.ndarray:
    """Return the values of the last layer.

    Parameters
    ----------
    X : ndarray or sparse array of shape (n_samples, n_features)
        Validated samples.
    coefs, intercepts : list of ndarray
        Of each layer.
    activation, output : str
        The activations of hidden layers and of the last one.

    Returns
    -------
    outputs : ndarray of shape (n_samples, n_outputs)
        In the type in which NumPy would have computed.
    """
    dtype = compute_type(X, coefs, intercepts)
    if type(X) is np.ndarray and 0 < len(X) <= _FEW_ROWS and X.shape[1:] == coefs[0].shape[:1]:
        x = np.require(X, dtype=dtype, requirements=["C", "A"])
        weights = [np.require(coef, dtype=dtype, requirements=["C", "A"]) for coef in coefs]
        starts = [np.require(intercept, dtype=dtype, requirements=["C", "A"]) for intercept in intercepts]
        rows = [_core.dense_predict_row(row, weights, starts, activation, output) for row in x]
        return rows[0] if len(rows) == 1 else np.concatenate(rows)
    units = [coefs[0].shape[0], *(coef.shape[1] for coef in coefs)]
    network = new_network(units, activation, output, "squared_error", dtype)
    network.load("weights", flat([*coefs, *intercepts], dtype))
    return network.predict(samples_for_kernel(X, dtype), n_threads_for(X.shape[0], units))
