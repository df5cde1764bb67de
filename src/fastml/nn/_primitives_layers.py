"""Coarse primitives of layers: normalisation, dropout and embedding. See ``_primitives_fused``."""

from typing import Any

import numpy as np
from scipy import sparse

from fastml.nn._primitives import constant
from fastml.nn._primitives_fused import fuse
from fastml.nn.tensor import Tensor, apply

# Normalisation: (x - mean) / sqrt(variance + eps), times weight, plus bias. Of a LayerNorm the mean is that of a row
# and weight and bias belong to columns; x is rows x features. Of a BatchNorm it is that of a channel, which weight and
# bias belong to; x is samples x channels or samples x channels x positions.


def _reduced(x: np.ndarray, axis: tuple[int, ...]) -> int:
    return int(np.prod([x.shape[a] for a in axis]))


def _normalize(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, *, axis: tuple[int, ...], shape: tuple[int, ...], eps: float
) -> tuple[np.ndarray, Any]:
    centred = x - x.mean(axis=axis, keepdims=True)
    variance = np.square(centred).mean(axis=axis, keepdims=True)
    inverse = 1 / np.sqrt(variance + x.dtype.type(eps))
    centred *= inverse
    return centred * weight.reshape(shape) + bias.reshape(shape), (centred, inverse)


def _normalize_vjp(
    g: np.ndarray,
    saved: tuple[np.ndarray, np.ndarray],
    needs: Any,
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    *,
    axis: tuple[int, ...],
    shape: tuple[int, ...],
    eps: float,
) -> list:
    normal, inverse = saved
    others = tuple([i for i in range(x.ndim) if shape[i] == 1])
    product = g * normal
    dx = None
    if needs[0]:
        scaled = g * weight.reshape(shape)
        dx = scaled - scaled.mean(axis=axis, keepdims=True)
        dx -= normal * (scaled * normal).mean(axis=axis, keepdims=True)
        dx *= inverse
    dweight = product.sum(axis=others).reshape(weight.shape) if needs[1] else None
    dbias = g.sum(axis=others).reshape(bias.shape) if needs[2] else None
    return [dx, dweight, dbias]


def _plain_normalize(
    x: Tensor, weight: Tensor, bias: Tensor, *, axis: tuple[int, ...], shape: tuple[int, ...], eps: float
) -> Tensor:
    count = _reduced(x.data, axis)
    centred = x - apply("sum", x, axis=axis, keepdims=True) / count
    variance = apply("sum", centred * centred, axis=axis, keepdims=True) / count
    normal = centred / apply("sqrt", variance + eps)
    return normal * apply("reshape", weight, shape=shape) + apply("reshape", bias, shape=shape)


fuse("normalize", _normalize, _normalize_vjp, _plain_normalize)


# Dropout: the mask is drawn again in the backward pass, from the same seed, and takes no memory in between.


def dropout_mask(shape: tuple[int, ...], dtype: np.dtype, p: float, seed: int) -> np.ndarray:
    """Return 1 / (1 - p) where a value is kept, and 0 where it is dropped."""
    generator = np.random.Generator(np.random.SFC64(seed))
    kept = generator.random(shape, dtype=np.float32) >= p
    return kept * dtype.type(0 if p >= 1 else 1 / (1 - p))


fuse(
    "dropout",
    lambda x, p, seed: (x * dropout_mask(x.shape, x.dtype, p, seed), None),
    lambda g, saved, needs, x, p, seed: [g * dropout_mask(x.shape, x.dtype, p, seed)],
    lambda x, p, seed: x * constant(dropout_mask(x.data.shape, x.data.dtype, p, seed), x),
)


# Embedding: rows of a table; their gradient is added to the rows they were taken from.


def _embedding(table: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, Any]:
    return table[index], None


def _embedding_vjp(g: np.ndarray, saved: Any, needs: Any, table: np.ndarray, index: np.ndarray) -> list:
    # A product with the matrix that has a 1 in row i at column index[i]: it adds up in order, many times as fast as
    # np.add.at.
    rows = np.ascontiguousarray(index.reshape(-1), dtype=np.int64)
    chosen = sparse.csr_array(
        (np.ones(rows.size, g.dtype), rows, np.arange(rows.size + 1)), shape=(rows.size, table.shape[0])
    )
    return [np.ascontiguousarray(chosen.T @ g.reshape(rows.size, table.shape[1]))]


fuse("embedding", _embedding, _embedding_vjp, lambda table, index: apply("getitem", table, index=index))
