"""How each contender multiplies two matrices into a given third."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Factors
from benchmarks.workload import Job

Array = NDArray[Any]


def product(contender: str, data: Factors) -> Job:
    """Multiply the factors; the answer holds the largest error relative to the float64 product."""
    out = np.full((data.left.shape[0], data.right.shape[1]), np.nan, dtype=data.left.dtype)
    multiply = MULTIPLY[contender](data.left, data.right, out)
    return Job(multiply, lambda _: {"error": relative_error(data.left, data.right, out)})


def relative_error(left: Array, right: Array, out: Array) -> float:
    """Give the largest ``|out - A B|`` relative to ``|A| |B|``, the scale that rounding errors are bounded by."""
    left, right = left.astype(np.float64), right.astype(np.float64)
    return float(np.max(np.abs(out - left @ right) / (np.abs(left) @ np.abs(right))))


def _numpy(left: Array, right: Array, out: Array) -> Callable[[], Any]:
    return lambda: np.matmul(left, right, out=out)


def _scipy(left: Array, right: Array, out: Array) -> Callable[[], Any]:
    from scipy.linalg.blas import get_blas_funcs

    (gemm,) = get_blas_funcs(("gemm",), (left,))
    # BLAS works on column-major arrays: C^T = B^T A^T without a copy.
    return lambda: gemm(1.0, right.T, left.T, c=out.T, overwrite_c=True)


def _torch(left: Array, right: Array, out: Array) -> Callable[[], Any]:
    torch = importlib.import_module("torch")
    tensors = [torch.from_numpy(array) for array in (left, right, out)]
    return lambda: torch.mm(tensors[0], tensors[1], out=tensors[2])


def _fastml(left: Array, right: Array, out: Array) -> Callable[[], Any]:
    from fastml import _core
    from fastml._support.threads import n_threads

    threads = n_threads()  # as an estimator decides it
    return lambda: _core.gemm(left, right, out=out, n_threads=threads)


MULTIPLY: dict[str, Callable[[Array, Array, Array], Callable[[], Any]]] = {
    "numpy": _numpy,
    "scipy": _scipy,
    "torch": _torch,
    "fastml": _fastml,
}
