"""Encoded samples that several fits share.

Encoding sorts every feature, which for a shallow tree takes longer than growing it. Ensembles that fit many trees on
one X (boosting, bagging by weights) open :func:`sharing`; inside of it a tree that is given the very same object as
one before takes that one's encoding, and is spared the checks of X as well.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.sparse import issparse

from fastml import _core
from fastml._support import threads
from fastml.tree._samples import encode_csc

_WORK_PER_VALUE = 8.0
"""Passes over the values that sorting them takes, for the decision on threads."""


class _Current(threading.local):
    is_open = False
    # The last only: an ensemble that gives each tree other samples would pile them up.
    last: tuple[Any, str, _core.TreeFeatures] | None = None


_current = _Current()


def encode(X: Any, kind: str) -> _core.TreeFeatures:
    """Encode samples for trees.

    Parameters
    ----------
    X : ndarray or CSC of shape (n_samples, n_features), float32
        Validated, as ``fastml.tree._samples.dense_or_csc`` returns it: no infinity; dense, possibly NaN.
    kind : str
        See ``fastml.tree._parameters.encoding``.

    Returns
    -------
    features : TreeFeatures
        Immutable, to be shared between threads.
    """
    if issparse(X):
        return encode_csc(X, kind == "values")
    X = np.require(X, requirements="A")  # kernels read whole elements
    return _core.TreeFeatures(X, kind, threads.n_threads(work=_WORK_PER_VALUE * X.size))


@contextmanager
def sharing() -> Iterator[None]:
    """Share encodings among the trees that this thread fits inside of the block.

    What they are given must not change meanwhile: it is known again by its identity.
    """
    outer = _current.is_open, _current.last
    _current.is_open, _current.last = True, None
    try:
        yield
    finally:
        _current.is_open, _current.last = outer


def find(X: Any, splitter: str) -> _core.TreeFeatures | None:
    """Return the encoding of the object that the last fit of this block was given for such a splitter, or None."""
    last = _current.last
    return last[2] if last is not None and last[0] is X and last[1] == splitter else None


def keep(X: Any, splitter: str, features: _core.TreeFeatures) -> None:
    """Keep an encoding for the next fit, if there is a block to keep it for."""
    if _current.is_open:
        _current.last = X, splitter, features
