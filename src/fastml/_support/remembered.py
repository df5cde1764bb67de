"""What was made from an estimator and serves its next calls too, kept outside of the estimator.

An estimator's attributes are its user's: they are pickled, copied and compared. A view of its trees or an index of its
samples has no place among them.
"""

import weakref
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """One value for each estimator, for as long as the estimator lives."""

    def __init__(self) -> None:
        # By identity: an estimator may define equality, and a class derived from ours may not be hashable.
        self._entries: dict[int, tuple[weakref.ref[Any], Value]] = {}

    def get(self, estimator: Any) -> Value | None:
        """Return the value kept for the estimator, or None."""
        entry = self._entries.get(id(estimator))
        return entry[1] if entry is not None and entry[0]() is estimator else None

    def keep(self, estimator: Any, value: Value) -> None:
        """Keep a value for the estimator, in place of the one before."""
        key = id(estimator)
        self._entries[key] = (weakref.ref(estimator, lambda ref: self._drop(key, ref)), value)

    def forget(self, estimator: Any) -> None:
        """Let go of the estimator's value."""
        self._entries.pop(id(estimator), None)

    def _drop(self, key: int, ref: weakref.ref[Any]) -> None:
        # The place of an estimator that is gone may have been taken by another.
        entry = self._entries.get(key)
        if entry is not None and entry[0] is ref:
            del self._entries[key]
