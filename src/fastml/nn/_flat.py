"""Parameters moved side by side into one buffer, so that one pass steps all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import numpy as np

ALIGNMENT = 64
"""Bytes between the starts of two parameters: a cache line, and the widest vector."""

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def aligned_zeros(size: int, dtype: np.dtype) -> np.ndarray:
    """Return zeros whose first element is aligned to :data:`ALIGNMENT` bytes."""
    memory = np.zeros(size * dtype.itemsize + ALIGNMENT, dtype=np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size * dtype.itemsize].view(dtype)


class FlatParameters:
    """Parameters of one type in one buffer, their gradients and an optimizer's states in others of the same layout.

    Each parameter's ``data`` becomes a view of the buffer, and so does ``grad`` where it has one; ``grad_buffer`` tells
    backward where to store the next. Whoever sets ``data`` to another array (loading a model, another optimizer over
    the same parameters) changes values only: they are moved here at the next step.

    Parameters
    ----------
    parameters : list of Tensor
        All of one type, float32 or float64.
    """

    def __init__(self, parameters: list[Any]) -> None:
        self.parameters = parameters
        self.dtype: np.dtype = parameters[0].data.dtype
        step = ALIGNMENT // self.dtype.itemsize
        ends = np.cumsum([-(-p.data.size // step) * step for p in parameters])
        self.offsets: list[int] = [0, *ends[:-1].tolist()]
        self.size = int(ends[-1])
        self.n_elements = sum(p.data.size for p in parameters)
        self.values = aligned_zeros(self.size, self.dtype)
        self.states: dict[str, np.ndarray] = {}
        self.counts = [0] * len(parameters)
        """Steps that each parameter has taken."""
        self._views = [self.view(self.values, i) for i in range(len(parameters))]
        gradients = aligned_zeros(self.size, self.dtype)
        self._gradient_views = [self.view(gradients, i) for i in range(len(parameters))]
        for i, p in enumerate(parameters):
            self._take_in(i)
            if p.grad is not None:
                np.copyto(self._gradient_views[i], p.grad)
                p.grad = self._gradient_views[i]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the views out: in a copy they would be arrays of their own, which steps do not reach."""
        return {"parameters": self.parameters, "counts": self.counts, "states": self.states}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["parameters"])  # type: ignore[misc]
        self.counts = state["counts"]
        for name, array in state["states"].items():
            np.copyto(self.state(name), array)

    def view(self, buffer: np.ndarray, i: int) -> np.ndarray:
        """Return the part of a buffer that belongs to parameter i, in its shape."""
        data = self.parameters[i].data
        return buffer[self.offsets[i] : self.offsets[i] + data.size].reshape(data.shape)

    def state(self, name: str, fill: float = 0.0) -> np.ndarray:
        """Return a buffer of the optimizer's, made when it is first asked for."""
        if name not in self.states:
            self.states[name] = aligned_zeros(self.size, self.dtype)
            if fill:
                self.states[name].fill(fill)
        return self.states[name]

    def due(self, kind: Callable[[int], Hashable]) -> Iterator[tuple[int, list[np.ndarray], list[int]]]:
        """Count a step for every parameter that has a gradient, and yield those that step alike.

        Parameters
        ----------
        kind : callable
            ``kind(count)``: parameters for which it is equal take the same step.

        Yields
        ------
        count : int
            The steps that these have taken, this one included.
        gradients : list of ndarray
        offsets : list of int
            Where their parameters begin in the buffers.
        """
        alike: defaultdict[Hashable, tuple[list[np.ndarray], list[int], list[int]]] = defaultdict(lambda: ([], [], []))
        for i, p in enumerate(self.parameters):
            if p.data is not self._views[i]:
                self._take_in(i)
            if p.grad is None:
                continue
            gradients, offsets, places = alike[kind(self.counts[i])]
            gradients.append(self._checked_gradient(i))
            offsets.append(self.offsets[i])
            places.append(i)
        for gradients, offsets, places in alike.values():
            for i in places:
                self.counts[i] += 1
            yield self.counts[places[0]], gradients, offsets

    def _take_in(self, i: int) -> None:
        p, view = self.parameters[i], self._views[i]
        if p.data.shape != view.shape:
            raise ValueError(
                f"A parameter of shape {view.shape} now has shape {p.data.shape}: an optimizer steps parameters of the "
                "shapes that it was made with. Make a new one."
            )
        np.copyto(view, p.data)
        p.data = view
        p.grad_buffer = self._gradient_views[i]

    def _checked_gradient(self, i: int) -> np.ndarray:
        gradient = self.parameters[i].grad
        if gradient is self._gradient_views[i]:
            return gradient
        if np.shape(gradient) != self._views[i].shape:
            raise ValueError(
                f"A parameter of shape {self._views[i].shape} has a gradient of shape {np.shape(gradient)}."
            )
        return np.ascontiguousarray(gradient, dtype=self.dtype)


def flat_by_dtype(parameters: Iterable[Any]) -> list[FlatParameters]:
    """Move parameters into one buffer for each of their types."""
    by_type: dict[np.dtype, list[Any]] = {}
    for p in parameters:
        by_type.setdefault(p.data.dtype, []).append(p)
    return [FlatParameters(group) for group in by_type.values()]
