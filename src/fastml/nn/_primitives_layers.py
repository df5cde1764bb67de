"""Coarse primitives of layers: normalisation, dropout and embedding. See ``_primitives_fused``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastml import _core
from fastml._support import threads
from fastml.nn._layout import channels_first, channels_last, in_memory_order, laid_like
from fastml.nn._primitives import constant
from fastml.nn._primitives_fused import Fused, fuse, plain_activation
from fastml.nn._recording import mode
from fastml.nn.tensor import PRIMITIVES, STORED, Record, Tensor, apply


def _of_one_type(what: str, *arrays: np.ndarray) -> None:
    if len({x.dtype for x in arrays}) != 1:
        types = ", ".join(str(x.dtype) for x in arrays)
        raise TypeError(f"{what}: input, weight and bias must have one type, got {types}.")


def _flat(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x.reshape(-1))


# Normalisation: (x - mean) / sqrt(variance + eps), times weight, plus bias. Of a LayerNorm the mean is that of a row,
# the last axes of x, which weight and bias are as long as.


def _layer_norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, *, eps: float) -> tuple[np.ndarray, Any]:
    _of_one_type("layer_norm", x, weight, bias)
    x, weight, bias = np.ascontiguousarray(x), _flat(weight), _flat(bias)
    y, mean, inverse = _core.nn_layer_norm(x, weight, bias, eps, threads.for_pass(x.size))
    return y, (x, weight, mean, inverse)


def _layer_norm_vjp(
    g: np.ndarray, saved: Any, needs: Sequence[bool], _: np.ndarray, weight: np.ndarray, bias: np.ndarray, *, eps: float
) -> list:
    x, flat_weight, mean, inverse = saved
    dx, dweight, dbias = _core.nn_layer_norm_backward(
        x, mean, inverse, flat_weight, g, needs[0], threads.for_pass(2 * x.size)
    )
    return [dx, dweight.reshape(weight.shape), dbias.reshape(bias.shape)]


def _plain_layer_norm(x: Tensor, weight: Tensor, bias: Tensor, *, eps: float) -> Tensor:
    axes = tuple(range(x.data.ndim - weight.data.ndim, x.data.ndim))
    return _plain_normalize(x, weight, bias, axis=axes, shape=weight.data.shape, eps=eps)


def _plain_normalize(
    x: Tensor, weight: Tensor, bias: Tensor, *, axis: tuple[int, ...], shape: tuple[int, ...], eps: float
) -> Tensor:
    count = int(np.prod([x.data.shape[a] for a in axis]))
    centred = x - apply("sum", x, axis=axis, keepdims=True) / count
    variance = apply("sum", centred * centred, axis=axis, keepdims=True) / count
    normal = centred / apply("sqrt", variance + eps)
    return normal * apply("reshape", weight, shape=shape) + apply("reshape", bias, shape=shape)


fuse("layer_norm", _layer_norm, _layer_norm_vjp, _plain_layer_norm)


# Of a BatchNorm the mean is that of a channel, which weight and bias belong to, too; x is samples x channels (x
# positions). What a fourth input holds is added to the result, and a ReLU may be taken of that: where a network does
# so, memory is passed over once. `given` is (mean, variance) of an earlier time, or None for those of x.

Statistics = tuple[np.ndarray, np.ndarray]


def _batch_norm(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    more: np.ndarray | None = None,
    *,
    eps: float,
    given: Statistics | None,
    seen: list | None,
    relu: bool,
) -> tuple[np.ndarray, Any]:
    _of_one_type("batch_norm", x, weight, bias, *(given or ()), *(() if more is None else (more,)))
    x, weight, bias = channels_last(x), _flat(weight), _flat(bias)
    more = None if more is None else channels_last(more)
    mean, variance = given or (None, None)
    n_threads = threads.for_pass(x.size)
    y, mean, variance, inverse = _core.nn_batch_norm(x, weight, bias, mean, variance, eps, more, relu, n_threads)
    if seen is not None:
        seen[:] = mean, variance
    # Running statistics change with the next batch.
    # The kernel finds out from x what a ReLU let through, unless something was added before it.
    kept = y if relu and more is not None else None
    return channels_first(y), (x, kept, bias if relu else None, mean if given is None else mean.copy(), inverse)


def _batch_norm_vjp(
    g: np.ndarray,
    saved: Any,
    needs: Sequence[bool],
    _: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    more: np.ndarray | None = None,
    *,
    eps: float,
    given: Statistics | None,
    seen: list | None,
    relu: bool,
) -> list:
    x, y, shift, mean, inverse = saved
    g, n_threads = channels_last(g), threads.for_pass(2 * x.size)
    # Without a ReLU what is added gets the gradient as it is.
    dmore = relu and more is not None and needs[3]
    dx, dweight, dbias, dz = _core.nn_batch_norm_backward(
        x, y, shift, mean, inverse, _flat(weight), g, given is not None, needs[0], dmore, n_threads
    )
    parts = [None if dx is None else channels_first(dx), dweight, dbias]
    return parts if more is None else [*parts, channels_first(dz if dmore else g)]


def _plain_batch_norm(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    more: Tensor | None = None,
    *,
    eps: float,
    given: Statistics | None,
    seen: list | None,
    relu: bool,
) -> Tensor:
    shape = (1, x.data.shape[1], *[1] * (x.data.ndim - 2))
    if given is None:
        y = _plain_normalize(x, weight, bias, axis=(0, *range(2, x.data.ndim)), shape=shape, eps=eps)
    else:
        mean, variance = given
        scale = weight * (1 / np.sqrt(variance + variance.dtype.type(eps)))
        y = (x - mean.reshape(shape)) * apply("reshape", scale, shape=shape) + apply("reshape", bias, shape=shape)
    y = y if more is None else y + more
    return plain_activation(y, "relu", 0.0) if relu else y


fuse("batch_norm", _batch_norm, _batch_norm_vjp, _plain_batch_norm, any_layout=True)


# GroupNorm: mean and variance of a group of channels of a sample; weight and bias belong to channels.


def _group_norm(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, *, groups: int, eps: float
) -> tuple[np.ndarray, Any]:
    _of_one_type("group_norm", x, weight, bias)
    images = channels_last(x)
    pixels = images.reshape(x.shape[0], int(np.prod(x.shape[2:])), x.shape[1])
    y, mean, inverse = _core.nn_group_norm(
        pixels, groups, _flat(weight), _flat(bias), eps, threads.for_pass(2 * x.size)
    )
    return channels_first(y.reshape(images.shape)), (pixels, mean, inverse)


def _group_norm_vjp(
    g: np.ndarray,
    saved: Any,
    needs: Sequence[bool],
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    *,
    groups: int,
    eps: float,
) -> list:
    pixels, mean, inverse = saved
    dy = channels_last(g)
    dx, dweight, dbias = _core.nn_group_norm_backward(
        pixels, mean, inverse, _flat(weight), dy.reshape(pixels.shape), needs[0], threads.for_pass(2 * x.size)
    )
    return [dx if dx is None else channels_first(dx.reshape(dy.shape)), dweight, dbias]


def _plain_group_norm(x: Tensor, weight: Tensor, bias: Tensor, *, groups: int, eps: float) -> Tensor:
    n, channels, *positions = x.data.shape
    shape = (1, groups, channels // groups, 1)
    grouped = apply("reshape", x, shape=(n, *shape[1:3], int(np.prod(positions))))
    y = _plain_normalize(grouped, weight, bias, axis=(2, 3), shape=shape, eps=eps)
    return apply("reshape", y, shape=x.data.shape)


fuse("group_norm", _group_norm, _group_norm_vjp, _plain_group_norm, any_layout=True)


# Dropout: the choice is a function of the seed and the element's number. It is made again in the backward pass, and
# takes no memory in between.


def _dropout(x: np.ndarray, p: float, seed: int) -> np.ndarray:
    x, axes = in_memory_order(x)
    y = _core.nn_dropout(x, p, seed, threads.for_pass(x.size))
    return y if axes is None else y.transpose(axes)


def _dropout_forward(x: np.ndarray, p: float, seed: int) -> tuple[np.ndarray, Any]:
    return _dropout(x, p, seed), in_memory_order(x)[1]


def _dropout_vjp(g: np.ndarray, axes: Any, needs: Sequence[bool], x: np.ndarray, p: float, seed: int) -> list:
    g = laid_like(g, axes)
    return [_dropout(g if axes is None else g.transpose(axes), p, seed)]


def _plain_dropout(x: Tensor, p: float, seed: int) -> Tensor:
    return x * constant(_dropout(np.ones_like(x.data), p, seed), x)


fuse("dropout", _dropout_forward, _dropout_vjp, _plain_dropout, any_layout=True)


# Embedding: rows of a table; their gradient is added to the rows they were taken from, but for the row `padding`.


def _embedding(table: np.ndarray, index: np.ndarray, padding: int) -> tuple[np.ndarray, Any]:
    rows = np.ascontiguousarray(index.reshape(-1), dtype=np.int64)
    n_columns = table.shape[1]
    y = _core.nn_embedding(np.ascontiguousarray(table), rows, threads.for_pass(rows.size * n_columns))
    return y.reshape(*index.shape, n_columns), rows


def _plain_embedding(table: Tensor, index: np.ndarray, padding: int) -> Tensor:
    taken = apply("getitem", table, index=index)
    if padding < 0:
        return taken
    return apply("where", constant(taken.data, taken), taken, condition=(index == padding)[..., np.newaxis])


class _Embedding(Fused):
    def backward(self, record: Record, gradient: Tensor, needs: Sequence[bool], direct: bool) -> list:
        if mode.recording:
            return self._recorded(record, gradient, needs)
        (table,) = record.inputs
        rows, padding = record.saved, record.options["padding"]
        dy = np.ascontiguousarray(gradient.data).reshape(rows.size, table.data.shape[1])
        n_threads = threads.for_pass(table.data.size + dy.size)
        # Into the memory of the gradient where there is one: a table is large, and most of it is not touched.
        stores = direct and table._record is None and not table._hooks
        to = (table.grad if table.grad is not None else table.grad_buffer) if stores else None
        is_new = not stores or table.grad is None
        to = np.empty_like(table.data, order="C") if to is None else to
        _core.nn_embedding_backward(dy, rows, padding, is_new, to, n_threads)
        if not stores:
            return [Tensor._of(to)]
        table.grad = to
        return [STORED]


PRIMITIVES["embedding"] = _Embedding("embedding", _embedding, lambda *_: [], _plain_embedding)  # type: ignore[assignment]
