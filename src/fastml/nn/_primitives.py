"""The table: what each small primitive computes, and its vector-Jacobian product for every input.

A product is written ``lambda g, out, x, y: ...``: g is the gradient of the scalar at the end with respect to the result
``out``, and the value the gradient with respect to one input. Everything in it is a tensor, so that it can be recorded
and differentiated again. At kinks (``maximum``, ``abs``, ...) it is PyTorch's choice of a subgradient.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from fastml import _core
from fastml._support import threads
from fastml.nn._layout import in_memory_order, in_rows, laid_like
from fastml.nn.tensor import FLOATS, PRIMITIVES, Primitive, Tensor, apply

Axis = int | Sequence[int] | None


def define(name: str, forward: Any, *vjps: Any, needs_result: bool = False) -> None:
    """Add a row to the table."""
    PRIMITIVES[name] = Primitive(name, forward, vjps, needs_result)


def constant(values: Any, like: Tensor) -> Tensor:
    """Return values that need no gradient as a tensor of another's type."""
    return Tensor._of(np.asarray(values, dtype=like.data.dtype))


def sum_to(g: Tensor, like: Tensor) -> Tensor:
    """Sum a gradient over the axes along which an input was broadcast, in the type of that input."""
    shape = like.data.shape
    if g.data.shape != shape:
        new = g.data.ndim - len(shape)
        stretched = [i + new for i, n in enumerate(shape) if n == 1 and g.data.shape[i + new] != 1]
        g = apply("sum", g, axis=(*range(new), *stretched), keepdims=False)
        if stretched:
            g = apply("reshape", g, shape=shape)
    return g if g.data.dtype == like.data.dtype else apply("astype", g, dtype=like.data.dtype)


# Elementwise, two operands: inputs are broadcast as NumPy does.

_VALUES_FOR_KERNEL = 1 << 16


def _added(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    alike = x.strides == y.strides and x.shape == y.shape and x.dtype == y.dtype
    if x.size < _VALUES_FOR_KERNEL or not alike or x.dtype not in FLOATS:
        return np.add(x, y)
    x, axes = in_memory_order(x)
    total = _core.nn_add(x, laid_like(y, axes), threads.for_pass(x.size))
    return total if axes is None else total.transpose(axes)


define("add", _added, lambda g, out, x, y: sum_to(g, x), lambda g, out, x, y: sum_to(g, y))
define("subtract", np.subtract, lambda g, out, x, y: sum_to(g, x), lambda g, out, x, y: sum_to(-g, y))
define("multiply", np.multiply, lambda g, out, x, y: sum_to(g * y, x), lambda g, out, x, y: sum_to(g * x, y))
define(
    "divide",
    np.divide,
    lambda g, out, x, y: sum_to(g / y, x),
    lambda g, out, x, y: sum_to(-g * out / y, y),
    needs_result=True,
)


def _share(x: Tensor, y: Tensor, wins: Any) -> Tensor:
    """Return what x gets of the gradient of a maximum or minimum: all, nothing, or half of it where both are equal."""
    return constant(wins(x.data, y.data) + 0.5 * (x.data == y.data), x)


define(
    "maximum",
    np.maximum,
    lambda g, out, x, y: sum_to(g * _share(x, y, np.greater), x),
    lambda g, out, x, y: sum_to(g * _share(y, x, np.greater), y),
)
define(
    "minimum",
    np.minimum,
    lambda g, out, x, y: sum_to(g * _share(x, y, np.less), x),
    lambda g, out, x, y: sum_to(g * _share(y, x, np.less), y),
)
define(
    "where",
    lambda x, y, condition: np.where(condition, x, y),
    lambda g, out, x, y, condition: sum_to(apply("where", g, constant(0, g), condition=condition), x),
    lambda g, out, x, y, condition: sum_to(apply("where", constant(0, g), g, condition=condition), y),
)


def _power_vjp_base(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    # 0 * x**-1 would be NaN at 0.
    slope = apply("where", constant(0, g), y * apply("power", x, y - 1), condition=y.data == 0)
    return sum_to(g * slope, x)


def _power_vjp_exponent(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    # 0**y is constant for y >= 0, whatever log(0) is.
    constant_zero = (x.data == 0) & (y.data >= 0)
    safe = apply("where", constant(1, x), x, condition=constant_zero)
    return sum_to(g * apply("where", constant(0, g), out * apply("log", safe), condition=constant_zero), y)


define("power", np.power, _power_vjp_base, _power_vjp_exponent, needs_result=True)
define(
    "power_by",
    lambda x, exponent: x**exponent,
    lambda g, out, x, exponent: (
        g * (exponent * apply("power_by", x, exponent=exponent - 1)) if exponent != 0 else g * constant(0, g)
    ),
)


# Elementwise, one operand.

define("alias", lambda x: x.view(), lambda g, out, x: g)
define("astype", lambda x, dtype: x.astype(dtype), lambda g, out, x, dtype: apply("astype", g, dtype=x.data.dtype))
define("negative", np.negative, lambda g, out, x: -g)
define("exp", np.exp, lambda g, out, x: g * out, needs_result=True)
define("log", np.log, lambda g, out, x: g / x)
define("log1p", np.log1p, lambda g, out, x: g / (x + 1.0))
define("expm1", np.expm1, lambda g, out, x: g * (out + 1.0), needs_result=True)
define("sqrt", np.sqrt, lambda g, out, x: g / (out * 2.0), needs_result=True)
define("sin", np.sin, lambda g, out, x: g * apply("cos", x))
define("cos", np.cos, lambda g, out, x: -g * apply("sin", x))
define("tanh", np.tanh, lambda g, out, x: g * (1.0 - out * out), needs_result=True)
define("sigmoid", special.expit, lambda g, out, x: g * (out * (1.0 - out)), needs_result=True)
define("erf", special.erf, lambda g, out, x: g * (apply("exp", -(x * x)) * (2 / np.sqrt(np.pi))))
define("abs", np.abs, lambda g, out, x: g * constant(np.sign(x.data), x))
define(
    "clip",
    lambda x, low, high: np.clip(x, low, high),
    lambda g, out, x, low, high: g * constant(_inside(x.data, low, high), x),
)


def _inside(x: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    inside = np.ones(x.shape, dtype=bool)
    if low is not None:
        inside &= x >= low
    if high is not None:
        inside &= x <= high
    return inside


# Reductions.


def _axes(x: Tensor, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.data.ndim))
    return tuple([a % x.data.ndim for a in ((axis,) if isinstance(axis, (int, np.integer)) else axis)])


def kept(g: Tensor, x: Tensor, axis: Axis) -> Tensor:
    """Give a reduced gradient its axes of length 1 back, to be broadcast against what was reduced."""
    axes = _axes(x, axis)
    return apply("reshape", g, shape=tuple([1 if i in axes else n for i, n in enumerate(x.data.shape)]))


def _extreme_vjp(g: Tensor, out: Tensor, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    # Shared equally among elements that are equal.
    chosen = x.data == kept(out, x, axis).data
    return kept(g, x, axis) * constant(chosen / chosen.sum(axis=_axes(x, axis), keepdims=True), x)


def _logsumexp(x: np.ndarray, axis: Axis = None, keepdims: bool = False) -> np.ndarray:
    axes = axis if axis is None or isinstance(axis, int) else tuple(axis)
    largest = x.max(axis=axes, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, x.dtype.type(0))
    with np.errstate(divide="ignore"):
        result = np.log(np.exp(x - largest).sum(axis=axes, keepdims=True)) + largest
    return result if keepdims else result.reshape(np.squeeze(result, axis=axes).shape)


define(
    "sum",
    lambda x, axis=None, keepdims=False: x.sum(axis=axis, keepdims=keepdims),
    lambda g, out, x, axis=None, keepdims=False: apply("broadcast_to", kept(g, x, axis), shape=x.data.shape),
)
define(
    "max",
    lambda x, axis=None, keepdims=False: x.max(axis=axis, keepdims=keepdims),
    _extreme_vjp,
    needs_result=True,
)
define(
    "min",
    lambda x, axis=None, keepdims=False: x.min(axis=axis, keepdims=keepdims),
    _extreme_vjp,
    needs_result=True,
)
define(
    "logsumexp",
    _logsumexp,
    lambda g, out, x, axis=None, keepdims=False: kept(g, x, axis) * apply("exp", x - kept(out, x, axis)),
    needs_result=True,
)


# Shapes.


def _reshaped(x: np.ndarray, shape: Any) -> np.ndarray:
    # Images lie with their channels last: rearranging them is our kernel's, unless only axes of length 1 come or go.
    if (
        x.flags.c_contiguous
        or x.ndim < 3
        or [n for n in x.shape if n != 1] == [n for n in np.atleast_1d(shape) if n != 1]
    ):
        return x.reshape(shape)
    return in_rows(x).reshape(shape)


define("broadcast_to", lambda x, shape: np.broadcast_to(x, shape), lambda g, out, x, shape: sum_to(g, x))
define(
    "reshape",
    lambda x, shape: _reshaped(x, shape),
    lambda g, out, x, shape: apply("reshape", g, shape=x.data.shape),
)
define(
    "transpose",
    lambda x, axes: np.transpose(x, axes),
    lambda g, out, x, axes: apply("transpose", g, axes=None if axes is None else tuple(np.argsort(_axes(x, axes)))),
)


def _put(g: np.ndarray, index: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros with g added at an index: what a gradient is outside of a selection."""
    to = np.zeros(shape, dtype=g.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(p, (list, np.ndarray)) and np.asarray(p).dtype != bool for p in parts):
        np.add.at(to, index, g)  # elements may be named more than once
    else:
        to[index] = g
    return to


define(
    "getitem",
    lambda x, index: x[index],
    lambda g, out, x, index: apply("put", g, index=index, shape=x.data.shape),
)
define("put", _put, lambda g, out, x, index, shape: apply("getitem", g, index=index))


def _concatenated_vjp(i: int, g: Tensor, out: Tensor, *inputs: Tensor, axis: int) -> Tensor:
    begin = sum([x.data.shape[axis] for x in inputs[:i]])
    index = [slice(None)] * g.data.ndim
    index[axis] = slice(begin, begin + inputs[i].data.shape[axis])
    return sum_to(apply("getitem", g, index=tuple(index)), inputs[i])


PRIMITIVES["concatenate"] = Primitive(
    "concatenate", lambda *arrays, axis: np.concatenate(arrays, axis=axis), _concatenated_vjp
)


# Products of matrices.


def multiply_matrices(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x @ y: two matrices by our kernel, stacks of them and vectors by NumPy."""
    if x.ndim == 2 and y.ndim == 2 and x.dtype == y.dtype:
        n_threads = threads.n_threads(work=x.shape[0] * x.shape[1] * y.shape[1])
        return _core.gemm(x, y, n_threads=n_threads)
    return np.matmul(x, y)


def _swapped(x: Tensor) -> Tensor:
    axes = (*range(x.data.ndim - 2), x.data.ndim - 1, x.data.ndim - 2)
    return apply("transpose", x, axes=axes)


def _matrices(g: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return a product's gradient and factors as matrices, where some are vectors."""
    if x.data.ndim == 1:
        x = apply("reshape", x, shape=(1, x.data.size))
        g = apply("reshape", g, shape=(*g.data.shape[:-1], 1, *g.data.shape[-1:]) if y.data.ndim > 1 else (1,))
    if y.data.ndim == 1:
        y = apply("reshape", y, shape=(y.data.size, 1))
        g = apply("reshape", g, shape=(*g.data.shape, 1))
    return g, x, y


def _matmul_vjp_left(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    g, left, right = _matrices(g, x, y)
    return apply("reshape", sum_to(apply("matmul", g, _swapped(right)), left), shape=x.data.shape)


def _matmul_vjp_right(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    g, left, right = _matrices(g, x, y)
    return apply("reshape", sum_to(apply("matmul", _swapped(left), g), right), shape=y.data.shape)


define("matmul", multiply_matrices, _matmul_vjp_left, _matmul_vjp_right)
