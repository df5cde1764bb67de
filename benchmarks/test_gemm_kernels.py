"""Times of the matrix product by shape, layout and dtype: ``pytest benchmarks -k gemm --benchmark-group-by=func``."""

import numpy as np
import pytest

from benchmarks.gemm.tasks import relative_error
from fastml import _core

SHAPES = {
    "tiny": (8, 8, 8),
    "small": (64, 64, 64),
    "odd": (67, 61, 71),  # no multiple of any register block: edges everywhere
    "square": (512, 512, 512),
    "skinny": (20_000, 128, 48),  # k-means' assignment step
    "deep": (32, 32, 20_000),  # a Gram matrix of few columns
    "flat": (20_000, 64, 4),  # hardly any depth to win back the reading and writing
}


def draw(rng, rows, columns, dtype, transposed):
    if transposed:
        return draw(rng, columns, rows, dtype, False).T
    return rng.random((rows, columns), dtype=np.dtype(dtype).type) * 2 - 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["NN", "NT", "TN", "TT"])
@pytest.mark.parametrize("shape", SHAPES)
def test_gemm(benchmark, shape, layout, dtype):
    m, n, k = SHAPES[shape]
    rng = np.random.default_rng(0)
    left = draw(rng, m, k, dtype, layout[0] == "T")
    right = draw(rng, k, n, dtype, layout[1] == "T")
    out = np.full((m, n), np.nan, dtype=dtype)
    benchmark.extra_info["flops"] = 2 * m * n * k
    benchmark(_core.gemm, left, right, out=out)
    assert relative_error(left, right, out) <= k * np.finfo(dtype).eps
