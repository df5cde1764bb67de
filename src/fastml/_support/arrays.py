"""Arrays as kernels take them, and those of other libraries, with which scikit-learn's array API dispatch computes."""

from typing import Any

import numpy as np
from sklearn import get_config

from fastml._support.dispatch import Condition

_WITHOUT_NAMESPACE = ("cupy", "torch")
"""Libraries that scikit-learn computes with, and whose arrays do not name their namespace."""


def are_of_numpy(args: Any, kwargs: Any) -> bool:
    """Tell whether no argument is an array of another library that scikit-learn would compute with."""
    if not get_config()["array_api_dispatch"]:
        return True
    return not any(_is_foreign(given) for given in (*args, *kwargs.values()))


def _is_foreign(given: Any) -> bool:
    if isinstance(given, np.ndarray):
        return False
    return hasattr(given, "__array_namespace__") or type(given).__module__.partition(".")[0] in _WITHOUT_NAMESPACE


def of_numpy(*attributes: str) -> Condition:
    """Return the condition that arguments and some fitted attributes are NumPy's.

    Arrays of other libraries stay in their library only where scikit-learn's own code computes.
    """

    def predicate(estimator: Any, *args: Any, **kwargs: Any) -> bool:
        return are_of_numpy((*(getattr(estimator, name, None) for name in attributes), *args), kwargs)

    return Condition("array_api_dispatch=False, or arrays of NumPy", predicate)


def csr_arrays(X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, column indices and offsets of CSR samples, as kernels take them."""
    kind = np.int32 if X.indices.dtype == X.indptr.dtype == np.int32 else np.int64
    stored = X.indptr[-1]
    values, indices = X.data[:stored], X.indices[:stored].astype(kind, copy=False)
    return np.ascontiguousarray(values), np.ascontiguousarray(indices), X.indptr.astype(kind, copy=False)
