"""The equal stock estimator, for places without fastml.

The estimator goes through pickle in memory, and its classes are exchanged on the way. So everything that pickle finds
is converted, however deep it lies: steps of a pipeline, clones in a grid search, estimators inside of object arrays,
owners of metadata requests. Arrays travel beside the pickle: original and result share their memory.
"""

import io
import pickle
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from sklearn.base import BaseEstimator

from fastml._registry import is_ours


def to_sklearn(estimator: Any) -> Any:
    """Return the equal scikit-learn estimator.

    Parameters
    ----------
    estimator : estimator instance or container
        A fastml estimator, fitted or not; or anything that holds some: a pipeline, a search, a meta-estimator, a list,
        tuple or dict.

    Returns
    -------
    estimator : same kind as given
        With scikit-learn's class in place of each of fastml's, the same parameters and fitted attributes. Its pickle
        loads without fastml. The large arrays of both share their memory; the given one is left as it is.

    Raises
    ------
    TypeError
        When an estimator has no counterpart in scikit-learn: one that only fastml has, or a class of your own that
        derives from one of fastml's.

    Notes
    -----
    An estimator class whose attributes are not scikit-learn's, because it builds them when they are asked for, has a
    method ``__fastml_to_sklearn__`` that returns the ``__dict__`` of the stock estimator.

    Examples
    --------
    >>> import numpy as np
    >>> import fastml
    >>> from fastml.cluster import KMeans
    >>> from sklearn.pipeline import make_pipeline
    >>> X = np.array([[0.0], [1.0], [9.0]])
    >>> pipeline = make_pipeline(KMeans(n_clusters=2, random_state=0)).fit(X)
    >>> stock = fastml.to_sklearn(pipeline)
    >>> type(stock[-1]).__module__
    'sklearn.cluster._kmeans'
    """
    stream = io.BytesIO()
    buffers: list[pickle.PickleBuffer] = []
    exchange = _Exchange(stream, buffers)
    exchange.dump(estimator)
    stream.seek(0)
    return _Rebuild(stream, buffers, exchange.kept).load()


def stock_class(cls: type) -> type:
    """Return the class of scikit-learn whose name and place one of fastml's takes.

    Parameters
    ----------
    cls : type
        Any class.

    Returns
    -------
    stock : type
        The class itself, where it has nothing of fastml.

    Raises
    ------
    TypeError
        When there is no such class in scikit-learn.
    """
    if not any(is_ours(base) for base in cls.__mro__):
        return cls
    if not is_ours(cls):
        raise TypeError(
            f"{cls.__module__}.{cls.__qualname__} derives from a class of fastml, so scikit-learn has no equal of it. "
            "Derive it from scikit-learn's class instead, or convert the estimators it was made from."
        )
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] == "sklearn" and base.__name__ == cls.__name__:
            return base
    raise TypeError(f"{cls.__module__}.{cls.__qualname__} has no counterpart in scikit-learn.")


class _Exchange(pickle.Pickler):
    """Pickles with each class and function of fastml exchanged for scikit-learn's.

    Classes, functions and modules are kept as objects instead of by name: a name could stand for ours again where
    scikit-learn is patched, and a lambda has none.
    """

    def __init__(self, stream: io.BytesIO, buffers: list[pickle.PickleBuffer]) -> None:
        super().__init__(stream, protocol=5, buffer_callback=buffers.append)
        self.kept: list[Any] = []
        self.index: dict[int, int] = {}

    def persistent_id(self, obj: Any) -> int | None:
        if not isinstance(obj, (type, FunctionType, BuiltinFunctionType, ModuleType)):
            return None
        if id(obj) not in self.index:
            self.index[id(obj)] = len(self.kept)
            self.kept.append(_stock(obj))
        return self.index[id(obj)]

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, BaseEstimator):
            return NotImplemented
        cls = stock_class(type(obj))
        if cls is type(obj):
            # Past the table of copyreg, which has the originals of a patched scikit-learn pickled by name.
            return obj.__reduce_ex__(5)
        state = obj.__fastml_to_sklearn__() if hasattr(obj, "__fastml_to_sklearn__") else vars(obj).copy()
        return _new, (cls,), state, None, None, _set_state


class _Rebuild(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, buffers: list[pickle.PickleBuffer], kept: list[Any]) -> None:
        super().__init__(stream, buffers=buffers)
        self.kept = kept

    def persistent_load(self, pid: int) -> Any:
        return self.kept[pid]


def _stock(obj: Any) -> Any:
    if isinstance(obj, type):
        return stock_class(obj)
    return getattr(obj, "__fastml_stock__", obj)


def _new(cls: type) -> Any:
    return object.__new__(cls)


def _set_state(estimator: Any, state: dict[str, Any]) -> None:
    vars(estimator).update(state)
