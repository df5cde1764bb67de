"""Functions of tensors, under PyTorch's names and with its defaults. Losses are in :mod:`fastml.nn.losses`."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastml.nn import _primitives, _primitives_layers, _primitives_losses  # noqa: F401  (they fill the table)
from fastml.nn._functional_conv import (
    conv1d as conv1d,
    conv2d as conv2d,
    conv_transpose2d as conv_transpose2d,
    pad as pad,
)
from fastml.nn._functional_pooling import (
    adaptive_avg_pool2d as adaptive_avg_pool2d,
    adaptive_max_pool2d as adaptive_max_pool2d,
    avg_pool1d as avg_pool1d,
    avg_pool2d as avg_pool2d,
    group_norm as group_norm,
    interpolate as interpolate,
    max_pool1d as max_pool1d,
    max_pool2d as max_pool2d,
)
from fastml.nn._primitives_fused import plain_activation
from fastml.nn._seeding import default_generator
from fastml.nn.tensor import FLOATS, METHODS, PRIMITIVES, Tensor, apply, as_tensor

Axis = int | Sequence[int] | None


def _method(function: Any) -> Any:
    """Make a function a method of tensors, too."""
    METHODS[function.__name__] = function
    return function


def _axis(axis: Axis) -> Any:
    return axis if axis is None or isinstance(axis, (int, np.integer)) else tuple(axis)


def _place(operation: str, axis: int, ndim: int) -> int:
    """Return an axis counted from the first one. A single number has one axis, as in PyTorch."""
    ndim = ndim or 1
    if not -ndim <= axis < ndim:
        raise IndexError(f"{operation}: axis {axis} is not one of {ndim} axes.")
    return axis % ndim


# Elementwise.


def _elementwise(name: str, summary: str) -> Any:
    def function(x: Any) -> Tensor:
        return apply(name, as_tensor(x))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = summary
    return _method(function)


exp = _elementwise("exp", "e^x.")
log = _elementwise("log", "The natural logarithm.")
log1p = _elementwise("log1p", "log(1 + x), exact for small x.")
expm1 = _elementwise("expm1", "e^x - 1, exact for small x.")
sqrt = _elementwise("sqrt", "The square root.")
sin = _elementwise("sin", "The sine.")
cos = _elementwise("cos", "The cosine.")
erf = _elementwise("erf", "The error function.")
abs = _elementwise("abs", "The absolute value; its gradient at 0 is 0.")  # noqa: A001


def _pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Return two operands as tensors, a number in the type of the other one."""
    if not isinstance(x, (Tensor, np.ndarray)) and isinstance(y, (Tensor, np.ndarray)):
        y = as_tensor(y)
        return Tensor(x, dtype=y.dtype), y
    x = as_tensor(x)
    return x, y if isinstance(y, Tensor) else Tensor(y, dtype=None if isinstance(y, np.ndarray) else x.dtype)


@_method
def maximum(x: Any, y: Any) -> Tensor:
    """Return the larger of two, elementwise. Where they are equal, each gets half of the gradient."""
    return apply("maximum", *_pair(x, y))


@_method
def minimum(x: Any, y: Any) -> Tensor:
    """Return the smaller of two, elementwise. Where they are equal, each gets half of the gradient."""
    return apply("minimum", *_pair(x, y))


def where(condition: Any, x: Any, y: Any) -> Tensor:
    """Return elements of x where a condition (an array of booleans) holds, and of y elsewhere."""
    condition = condition.data if isinstance(condition, Tensor) else np.asarray(condition)
    return apply("where", *_pair(x, y), condition=condition)


@_method
def clip(x: Any, min: float | None = None, max: float | None = None) -> Tensor:  # noqa: A002
    """Return x within bounds. Elements outside of them have no gradient."""
    if min is None and max is None:
        raise ValueError("clip: give at least one of min and max.")
    return apply("clip", as_tensor(x), low=min, high=max)


clamp = clip
METHODS["clamp"] = clip


# Reductions. `axis` is None (all), a number or a sequence of numbers.


@_method
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Return the sum over axes."""
    return apply("sum", as_tensor(x), axis=_axis(axis), keepdims=keepdims)


def _count(x: Tensor, axis: Axis) -> int:
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, (int, np.integer)) else axis
    return int(np.prod([x.shape[a] for a in axes]))


@_method
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean over axes."""
    x = as_tensor(x)
    return sum(x, axis, keepdims) / _count(x, axis)


@_method
def var(x: Any, axis: Axis = None, correction: float = 1, keepdims: bool = False) -> Tensor:
    """Return the variance over axes: squared distances from the mean, divided by their number less `correction`."""
    x = as_tensor(x)
    centred = x - mean(x, axis, keepdims=True)
    return sum(centred * centred, axis, keepdims) / (_count(x, axis) - correction)


@_method
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Return the largest element over axes. Equal ones share the gradient."""
    return apply("max", as_tensor(x), axis=_axis(axis), keepdims=keepdims)


@_method
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Return the smallest element over axes. Equal ones share the gradient."""
    return apply("min", as_tensor(x), axis=_axis(axis), keepdims=keepdims)


@_method
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))) over axes, without overflow."""
    return apply("logsumexp", as_tensor(x), axis=_axis(axis), keepdims=keepdims)


# Shapes.


@_method
def reshape(x: Any, *shape: Any) -> Tensor:
    """Return the elements in another shape."""
    return apply("reshape", as_tensor(x), shape=shape[0] if len(shape) == 1 else shape)


@_method
def transpose(x: Any, *axes: int) -> Tensor:
    """Return x with its axes in another order, by default in reverse."""
    order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
    return apply("transpose", as_tensor(x), axes=tuple(order) if order else None)


@_method
def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return x with some consecutive axes made one."""
    x = as_tensor(x)
    shape = x.shape or (1,)
    start, end = _place("flatten", start_dim, x.ndim), _place("flatten", end_dim, x.ndim)
    if start > end:
        raise ValueError(f"flatten: start_dim {start_dim} comes behind end_dim {end_dim} in shape {x.shape}.")
    return reshape(x, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


@_method
def broadcast_to(x: Any, shape: Sequence[int]) -> Tensor:
    """Return x repeated along axes of length 1, and along new ones."""
    return apply("broadcast_to", as_tensor(x), shape=tuple(shape))


@_method
def astype(x: Any, dtype: Any) -> Tensor:
    """Return x in float32 or float64."""
    if np.dtype(dtype) not in FLOATS:
        raise TypeError(f"a tensor becomes float32 or float64, not {np.dtype(dtype)}.")
    return apply("astype", as_tensor(x), dtype=np.dtype(dtype))


def concatenate(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Return tensors joined along an axis."""
    tensors = [as_tensor(x) for x in tensors]
    if not tensors:
        raise ValueError("concatenate: there is nothing to join.")
    return apply("concatenate", *tensors, axis=axis)


cat = concatenate


def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Return tensors of one shape joined along a new axis."""
    tensors = [as_tensor(x) for x in tensors]
    if len({x.shape for x in tensors}) != 1:
        raise ValueError(f"stack: shapes {' and '.join(str(x.shape) for x in tensors)} are not equal.")
    axis = _place("stack", axis, tensors[0].ndim + 1)
    shape = list(tensors[0].shape)
    shape.insert(axis, 1)
    return concatenate([reshape(x, shape) for x in tensors], axis)


@_method
def matmul(x: Any, y: Any) -> Tensor:
    """Return the product of matrices, stacks of matrices or vectors."""
    return apply("matmul", as_tensor(x), as_tensor(y))


# Activations.


def _activate(x: Any, kind: str, parameter: float = 0.0) -> Tensor:
    x = as_tensor(x)
    return PRIMITIVES["activation"].apply((x,), {"kind": kind, "parameter": _checked(kind, parameter)})


def _checked(kind: str, parameter: float) -> float:
    if not parameter > 0 and kind in ("elu", "softplus"):
        raise ValueError(f"{kind}: {'alpha' if kind == 'elu' else 'beta'} must be positive, got {parameter}.")
    return float(parameter)


@_method
def relu(x: Any) -> Tensor:
    """Return max(x, 0)."""
    return _activate(x, "relu")


@_method
def leaky_relu(x: Any, negative_slope: float = 0.01) -> Tensor:
    """Return x where it is positive, and negative_slope * x elsewhere."""
    return _activate(x, "leaky_relu", negative_slope)


@_method
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, and alpha * (e^x - 1) elsewhere."""
    # The kernel reads the derivative from the result, which tells it for positive alpha only.
    return _activate(x, "elu", alpha) if alpha > 0 else plain_activation(as_tensor(x), "elu", float(alpha))


@_method
def gelu(x: Any, approximate: str = "none") -> Tensor:
    """Return x Phi(x), with Phi the normal distribution or (approximate="tanh") a formula close to it."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}.")
    return _activate(x, "gelu" if approximate == "none" else "gelu_tanh")


@_method
def silu(x: Any) -> Tensor:
    """Return x sigmoid(x)."""
    return _activate(x, "silu")


@_method
def sigmoid(x: Any) -> Tensor:
    """Return 1 / (1 + e^-x)."""
    return _activate(x, "sigmoid")


@_method
def tanh(x: Any) -> Tensor:
    """Return the hyperbolic tangent."""
    return _activate(x, "tanh")


@_method
def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return log(1 + e^(beta x)) / beta, or x where beta x is above a threshold.

    From 20 on there is hardly a difference, and none is made: the kernel computes the logarithm without overflow.
    """
    y = _activate(x, "softplus", beta)
    if threshold >= SOFTPLUS_IS_IDENTITY:
        return y
    x = as_tensor(x)
    return apply("where", x, y, condition=x.data * beta > threshold)


SOFTPLUS_IS_IDENTITY = 20.0
"""PyTorch's threshold: log(1 + e^x) is x to 1e-10 of it from here on."""


def _over_axis(x: Any, axis: int, logarithm: bool) -> Tensor:
    x = as_tensor(x)
    axis = _place("log_softmax" if logarithm else "softmax", axis, x.ndim)
    if axis >= x.ndim - 1:
        return apply("softmax", x, logarithm=logarithm)
    order = list(range(x.ndim))
    order[axis], order[-1] = order[-1], order[axis]
    return transpose(apply("softmax", transpose(x, order), logarithm=logarithm), order)


@_method
def softmax(x: Any, axis: int = -1) -> Tensor:
    """Return e^x over its sum along an axis."""
    return _over_axis(x, axis, logarithm=False)


@_method
def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """Return the logarithm of the softmax along an axis."""
    return _over_axis(x, axis, logarithm=True)


# Layers.


def linear(
    x: Any, weight: Tensor, bias: Tensor | None = None, activation: str = "identity", parameter: float = 0.0
) -> Tensor:
    """Return activation(x @ weight.T + bias), computed in one pass.

    Parameters
    ----------
    x : Tensor of shape (..., in_features)
    weight : Tensor of shape (out_features, in_features)
    bias : Tensor of shape (out_features,), optional
    activation : str, default="identity"
        "identity", "relu", "leaky_relu", "elu", "gelu", "gelu_tanh", "silu", "sigmoid", "tanh" or "softplus".
    parameter : float, default=0
        The activation's slope, alpha or beta, where it has one.

    Returns
    -------
    y : Tensor of shape (..., out_features)
    """
    inputs = (as_tensor(x), weight) if bias is None else (as_tensor(x), weight, bias)
    return PRIMITIVES["linear"].apply(inputs, {"kind": activation, "parameter": _checked(activation, parameter)})


def dropout(x: Any, p: float = 0.5, training: bool = True, seed: int | None = None) -> Tensor:
    """Return x with each element set to 0 with probability p, and the others divided by 1 - p.

    Parameters
    ----------
    x : Tensor
    p : float, default=0.5
    training : bool, default=True
        Where it is False, x is returned as it is.
    seed : int, optional
        Fixes the choice. By default it is drawn from the generator that :func:`fastml.nn.manual_seed` seeds.

    Returns
    -------
    y : Tensor
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p must be a probability, got {p}.")
    x = as_tensor(x)
    if not training or p == 0:
        return x
    seed = int(default_generator().integers(1 << 63)) if seed is None else int(seed)
    return apply("dropout", x, p=float(p), seed=seed)


def as_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return a shape that may be given as the length of its only axis."""
    return (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(shape)


def layer_norm(
    x: Any,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return x with mean 0 and variance 1 over its last axes, times weight, plus bias."""
    x, shape = as_tensor(x), as_shape(normalized_shape)
    if x.shape[x.ndim - len(shape) :] != shape or not shape:
        raise ValueError(f"layer_norm: input of shape {x.shape} does not end in normalized_shape {shape}.")
    weight = Tensor(np.ones(shape, x.dtype)) if weight is None else weight
    bias = Tensor(np.zeros(shape, x.dtype)) if bias is None else bias
    if weight.shape != shape or bias.shape != shape:
        raise ValueError(
            f"layer_norm: weight of shape {weight.shape} or bias of shape {bias.shape} is not of normalized_shape "
            f"{shape}."
        )
    return apply("layer_norm", x, weight, bias, eps=float(eps))


def batch_norm(
    x: Any,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    more: Tensor | None = None,
    relu: bool = False,
) -> Tensor:
    """Return x with mean 0 and variance 1 of every channel (axis 1), times weight, plus bias.

    Where `more` is given, it is added to that; with `relu` negative results become 0. Both belong to the same pass.

    In training, and where there are no running statistics, mean and variance are those of the batch; the running ones
    move towards them by a share of `momentum` (the variance with the correction for its degree of freedom).
    """
    x = as_tensor(x)
    if x.ndim < 2:
        raise ValueError(f"batch_norm: expected samples x channels (x positions), got an input of shape {x.shape}.")
    if more is not None and more.shape != x.shape:
        raise ValueError(f"batch_norm: an input of shape {x.shape} and more of shape {more.shape} do not fit.")
    channels = x.shape[1]
    weight = Tensor(np.ones(channels, x.dtype)) if weight is None else weight
    bias = Tensor(np.zeros(channels, x.dtype)) if bias is None else bias
    if weight.shape != (channels,) or bias.shape != (channels,):
        raise ValueError(
            f"batch_norm: weight of shape {weight.shape} or bias of shape {bias.shape} does not fit the {channels} "
            f"channels of an input of shape {x.shape}."
        )
    inputs = (x, weight, bias) if more is None else (x, weight, bias, more)
    running = None if running_mean is None or running_var is None else (running_mean, running_var)
    if running is not None and not training:
        given = (running[0].data, running[1].data)
        return apply("batch_norm", *inputs, eps=float(eps), given=given, seen=None, relu=relu)
    count = x.size // channels if channels else 0
    if count < 2:
        raise ValueError(f"batch_norm: training needs more than one value per channel, got shape {x.shape}.")
    seen: list[np.ndarray] = []
    y = apply("batch_norm", *inputs, eps=float(eps), given=None, seen=seen, relu=relu)
    if running is not None:
        mean, variance = seen
        for buffer, now in zip(running, (mean, variance * x.dtype.type(count / (count - 1)))):
            buffer.data *= 1 - momentum
            buffer.data += now * x.dtype.type(momentum)
    return y


def embedding(index: Any, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Return the rows of a table (weight) that an array of integers names. Row ``padding_idx`` gets no gradient."""
    index = np.asarray(index.data if isinstance(index, Tensor) else index)
    n_rows = weight.shape[0]
    if index.dtype.kind not in "iu":
        raise TypeError(f"embedding: indices must be integers, got {index.dtype}.")
    if index.size and (index.min() < 0 or index.max() >= n_rows):
        raise IndexError(f"embedding: indices must lie in [0, {n_rows}), got {index.min()} to {index.max()}.")
    padding = -1 if padding_idx is None else padding_index(padding_idx, n_rows)
    return apply("embedding", weight, index=index, padding=padding)


def padding_index(padding_idx: int, n_rows: int) -> int:
    """Return the number of a table's row, which may be counted from its end."""
    if not -n_rows <= padding_idx < n_rows:
        raise ValueError(f"embedding: padding_idx must lie in [{-n_rows}, {n_rows}), got {padding_idx}.")
    return padding_idx % n_rows
