"""Coarse primitives: several small ones in a few passes over memory, on C++ kernels.

Each has a ``plain`` form, written with the small primitives: what it means, the oracle of the tests, and what is
differentiated where a gradient is to be differentiated again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastml import _core
from fastml._support import threads
from fastml.nn._layout import in_memory_order, in_rows, laid_like
from fastml.nn._primitives import constant
from fastml.nn._recording import mode
from fastml.nn.tensor import FLOATS, PRIMITIVES, STORED, Record, Tensor, _record, apply, grad


class Fused:
    """A row of the table that computes on arrays, forward and backward.

    Parameters
    ----------
    name : str
    forward : callable
        ``forward(*arrays, **options)`` returns the result and what the backward pass needs.
    vjp : callable
        ``vjp(gradient, saved, needs, *arrays, **options)`` returns a list with a gradient for every input; that of one
        that needs none is not looked at. Arrays all of them; neither the gradient nor the arrays may be changed.
    plain : callable
        ``plain(*inputs, **options)``: the same of tensors, in small primitives.
    any_layout : bool, default=False
        Whether ``vjp`` takes gradients of any memory layout. Otherwise they come contiguous in the order of their axes.
    """

    def __init__(self, name: str, forward: Callable, vjp: Callable, plain: Callable, any_layout: bool = False) -> None:
        self.name, self.forward, self.vjp, self.plain = name, forward, vjp, plain
        self.any_layout = any_layout

    def apply(self, inputs: Sequence[Tensor], options: dict) -> Tensor:
        try:
            data, saved = self.forward(*[x.data for x in inputs], **options)
        except TypeError:
            types = [x.data.dtype for x in inputs]
            if all(dtype in FLOATS for dtype in types):
                raise
            # The kernel's own message lists the signatures that it has.
            given = ", ".join(str(dtype) for dtype in types)
            raise TypeError(f"{self.name}: expected tensors of float32 or float64, got {given}.") from None
        result = Tensor._of(data)
        if mode.recording:
            _record(result, self, inputs, options, saved)
        return result

    def backward(self, record: Record, gradient: Tensor, needs: Sequence[bool], direct: bool) -> list:
        if mode.recording:
            return self._recorded(record, gradient, needs)
        arrays = [x.data for x in record.inputs]
        g = gradient.data if self.any_layout else in_rows(gradient.data)
        parts = self.vjp(g, record.saved, needs, *arrays, **record.options)
        return [Tensor._of(part) if n else None for part, n in zip(parts, needs)]

    def _recorded(self, record: Record, gradient: Tensor, needs: Sequence[bool]) -> list:
        """Differentiate the plain form. Its inputs are aliases, where the inner pass ends."""
        inputs = [apply("alias", x) for x in record.inputs]
        needed = [x for x, n in zip(inputs, needs) if n]
        parts = iter(grad(self.plain(*inputs, **record.options), needed, gradient, create_graph=True))
        return [next(parts) if n else None for n in needs]


def fuse(name: str, forward: Callable, vjp: Callable, plain: Callable, any_layout: bool = False) -> None:
    """Add a coarse row to the table."""
    PRIMITIVES[name] = Fused(name, forward, vjp, plain, any_layout)  # type: ignore[assignment]


# Activations. Those whose derivative is not read from the result keep what they were given.

FROM_RESULT = frozenset({"relu", "leaky_relu", "elu", "sigmoid", "tanh"})
_COST = 10
"""Multiply-adds that an activation takes about as long as."""


def reads_result(kind: str, parameter: float) -> bool:
    """Tell whether an activation's derivative is computed from its result, not from its argument."""
    return kind in FROM_RESULT and (parameter > 0 or kind != "leaky_relu")


def _threads_for(values: int) -> int:
    return threads.n_threads(work=_COST * values)


def _activation(x: np.ndarray, kind: str, parameter: float) -> tuple[np.ndarray, Any]:
    x, axes = in_memory_order(x)
    y = _core.nn_activate(x, kind, parameter, _threads_for(x.size))
    saved = y if reads_result(kind, parameter) else x
    return y if axes is None else y.transpose(axes), (saved, axes)


def _activation_vjp(g: np.ndarray, saved: Any, needs: Any, x: np.ndarray, kind: str, parameter: float) -> list:
    values, axes = saved
    dx, _ = _core.nn_activate_backward(values, laid_like(g, axes), kind, parameter, False, _threads_for(g.size))
    return [dx if axes is None else dx.transpose(axes)]


def plain_activation(x: Tensor, kind: str, parameter: float) -> Tensor:
    """Return an activation in small primitives."""
    if kind == "identity":
        return x
    if kind in ("sigmoid", "tanh"):
        return apply(kind, x)
    if kind == "relu":
        return apply("where", x, constant(0, x), condition=x.data > 0)
    if kind == "leaky_relu":
        return apply("where", x, x * parameter, condition=x.data > 0)
    if kind == "elu":
        # Not of positive values, for which e^x may overflow, and 0 * inf is NaN; but of NaN.
        above = x.data > 0
        below = apply("expm1", apply("where", constant(0, x), x, condition=above)) * parameter
        return apply("where", x, below, condition=above)
    if kind == "gelu":
        return x * (apply("erf", x * 0.5**0.5) + 1.0) * 0.5
    if kind == "gelu_tanh":
        return x * apply("sigmoid", (x + x * x * x * 0.044715) * (2 * (2 / np.pi) ** 0.5))
    if kind == "silu":
        return x * apply("sigmoid", x)
    assert kind == "softplus"
    scaled = x * parameter
    size = apply("abs", scaled)
    return ((scaled + size) * 0.5 + apply("log1p", apply("exp", -size))) / parameter


fuse("activation", _activation, _activation_vjp, plain_activation, any_layout=True)


# A layer: x weight' + bias and its activation.


def _linear(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None, *, kind: str, parameter: float
) -> tuple[np.ndarray, Any]:
    if weight.ndim != 2 or x.ndim < 1 or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear: input of shape {x.shape} and weight of shape {weight.shape} do not fit: "
            "the last axis of the input must be as long as that of the weight."
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"linear: weight of shape {weight.shape} and bias of shape {bias.shape} do not fit.")
    if x.dtype != weight.dtype or (bias is not None and bias.dtype != x.dtype):
        raise TypeError(f"linear: input of {x.dtype} and weight of {weight.dtype} must have one type.")
    rows = np.ascontiguousarray(x if x.ndim == 2 else x.reshape(-1, x.shape[-1]))
    n_threads = threads.n_threads(work=rows.size * weight.shape[0])
    from_result = kind == "identity" or reads_result(kind, parameter)
    bias = None if bias is None else np.ascontiguousarray(bias)
    z, y = _core.nn_linear(rows, np.ascontiguousarray(weight), bias, kind, parameter, not from_result, n_threads)
    saved = (rows, y if from_result else z, n_threads)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], weight.shape[0]), saved


def _plain_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, kind: str, parameter: float) -> Tensor:
    z = apply("matmul", x, weight.T)
    return plain_activation(z if bias is None else z + bias, kind, parameter)


class _Linear(Fused):
    def backward(self, record: Record, gradient: Tensor, needs: Sequence[bool], direct: bool) -> list:
        if mode.recording:
            return self._recorded(record, gradient, needs)
        rows, saved, n_threads = record.saved
        kind, parameter = record.options["kind"], record.options["parameter"]
        x, weight = record.inputs[:2]
        dz = np.ascontiguousarray(gradient.data).reshape(saved.shape)
        sums = None
        with_sums = len(needs) > 2 and needs[2]
        if kind != "identity" or with_sums:
            values_per_thread = n_threads if dz.size > 100_000 else 1
            dz, sums = _core.nn_activate_backward(saved, dz, kind, parameter, with_sums, values_per_thread)
        parts: list[Any] = [None, None, None if sums is None else Tensor._of(sums)]
        if needs[0]:
            parts[0] = Tensor._of(_core.gemm(dz, weight.data, n_threads=n_threads).reshape(x.data.shape))
        if needs[1] and direct and weight._record is None and not weight._hooks:
            # Into the memory of the gradient: it is the largest array of the step, and would only be copied or added.
            if weight.grad is None:
                weight.grad = _core.gemm(dz.T, rows, out=weight.grad_buffer, n_threads=n_threads)
            else:
                _core.gemm(dz.T, rows, out=weight.grad, beta=1.0, n_threads=n_threads)
            parts[1] = STORED
        elif needs[1]:
            parts[1] = Tensor._of(_core.gemm(dz.T, rows, n_threads=n_threads))
        return parts[: len(needs)]


PRIMITIVES["linear"] = _Linear("linear", _linear, lambda *_: [], _plain_linear)  # type: ignore[assignment]


# Softmax, over the last axis.


def _softmax(x: np.ndarray, logarithm: bool) -> tuple[np.ndarray, Any]:
    if x.ndim == 0:
        raise ValueError("softmax: a scalar has no axis to sum over.")
    y = _core.nn_softmax(np.ascontiguousarray(x), logarithm, _threads_for(x.size))
    return y, y


def _softmax_vjp(g: np.ndarray, y: np.ndarray, needs: Any, x: np.ndarray, logarithm: bool) -> list:
    return [_core.nn_softmax_backward(y, g, logarithm, _threads_for(g.size))]


def plain_softmax(x: Tensor, logarithm: bool) -> Tensor:
    """Return a softmax, or its logarithm, in small primitives."""
    log_softmax = x - apply("logsumexp", x, axis=-1, keepdims=True)
    return log_softmax if logarithm else apply("exp", log_softmax)


fuse("softmax", _softmax, _softmax_vjp, plain_softmax)
