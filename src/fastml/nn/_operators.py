"""Python's operators on tensors, by the names of primitives."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def values_of(other: Any) -> Any:
    """Return the array of a tensor, anything else as it is."""
    return other.data if isinstance(other, Operators) else other


def _plain_index(index: Any) -> Any:
    return tuple([values_of(i) for i in index]) if isinstance(index, tuple) else values_of(index)


class Operators:
    """What :class:`~fastml.nn.Tensor` inherits."""

    __slots__ = ()

    data: np.ndarray
    _unary: Callable[..., Any]
    _binary: Callable[[str, Any], Any]
    _reflected: Callable[[str, Any], Any]

    # Operators: each is one primitive, or a few.

    def __add__(self, other: Any) -> Any:
        return self._binary("add", other)

    def __radd__(self, other: Any) -> Any:
        return self._reflected("add", other)

    def __sub__(self, other: Any) -> Any:
        return self._binary("subtract", other)

    def __rsub__(self, other: Any) -> Any:
        return self._reflected("subtract", other)

    def __mul__(self, other: Any) -> Any:
        return self._binary("multiply", other)

    def __rmul__(self, other: Any) -> Any:
        return self._reflected("multiply", other)

    def __truediv__(self, other: Any) -> Any:
        return self._binary("divide", other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._reflected("divide", other)

    def __pow__(self, other: Any) -> Any:
        if isinstance(other, (int, float)):
            return self._unary("power_by", exponent=other if type(other) is int else float(other))
        return self._binary("power", other)

    def __rpow__(self, other: Any) -> Any:
        return self._reflected("power", other)

    def __matmul__(self, other: Any) -> Any:
        return self._binary("matmul", other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._reflected("matmul", other)

    def __neg__(self) -> Any:
        return self._unary("negative")

    def __abs__(self) -> Any:
        return self._unary("abs")

    def __getitem__(self, index: Any) -> Any:
        return self._unary("getitem", index=_plain_index(index))

    def __iter__(self) -> Iterator:
        return (self[i] for i in range(len(self.data)))

    # Comparisons have no gradient: they give arrays of booleans.

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        return self.data == values_of(other)

    def __ne__(self, other: object) -> Any:
        return self.data != values_of(other)

    def __lt__(self, other: Any) -> Any:
        return self.data < values_of(other)

    def __le__(self, other: Any) -> Any:
        return self.data <= values_of(other)

    def __gt__(self, other: Any) -> Any:
        return self.data > values_of(other)

    def __ge__(self, other: Any) -> Any:
        return self.data >= values_of(other)
