"""_core.gemm against NumPy's product in a wider type."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from fastml._core import gemm

DTYPES = [np.float32, np.float64]


def random(shape, dtype, seed=0):
    return np.random.RandomState(seed).standard_normal(shape).astype(dtype)


def assert_product(result, a, b, alpha=1, beta=0, out=None):
    """Assert that a result is within the rounding of k additions of the exact one."""
    wide = np.longdouble if result.dtype == np.float64 else np.float64
    a, b = a.astype(wide), b.astype(wide)
    exact, magnitude = alpha * (a @ b), abs(alpha) * (abs(a) @ abs(b))
    if beta:
        exact, magnitude = exact + beta * out.astype(wide), magnitude + abs(beta * out.astype(wide))
    bound = (a.shape[1] + 3) * np.finfo(result.dtype).eps * magnitude
    assert (abs(result - exact) <= bound).all()


# As NumPy arrays come: whole, transposed, part of something larger, backwards.
LAYOUTS = {
    "C": lambda shape, dtype, seed: random(shape, dtype, seed),
    "F": lambda shape, dtype, seed: random(shape[::-1], dtype, seed).T,
    "columns of a wider one": lambda shape, dtype, seed: random((shape[0], shape[1] + 5), dtype, seed)[:, 3:-2],
    "every third row and second column": lambda shape, dtype, seed: random((3 * shape[0], 2 * shape[1]), dtype, seed)[
        ::3, ::2
    ],
    "backwards": lambda shape, dtype, seed: random(shape, dtype, seed)[::-1, ::-1],
    "one row repeated": lambda shape, dtype, seed: np.broadcast_to(random((1, shape[1]), dtype, seed), shape),
}
SIZES = [(1, 1, 1), (3, 5, 7), (17, 33, 9), (64, 64, 64), (100, 1, 50), (1, 100, 300), (129, 130, 131), (40, 300, 500)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("b_layout", LAYOUTS)
@pytest.mark.parametrize("a_layout", LAYOUTS)
def test_layouts(a_layout, b_layout, dtype):
    for m, n, k in SIZES:
        a, b = LAYOUTS[a_layout]((m, k), dtype, 0), LAYOUTS[b_layout]((k, n), dtype, 1)
        result = gemm(a, b)
        assert result.dtype == dtype
        assert result.shape == (m, n)
        assert result.flags.c_contiguous
        assert_product(result, a, b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_every_tail(dtype, n_threads):
    # Tiles are a few rows by one or two vectors: all that can be left over is within these sizes.
    for m in range(1, 20):
        for n in range(1, 40, 3):
            a, b = random((m, 13), dtype, m), random((13, n), dtype, n)
            assert_product(gemm(a, b, n_threads=n_threads), a, b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("shape", [(400, 300, 350), (2000, 30, 40), (20, 3000, 50), (50, 40, 5000)], ids=str)
def test_large(shape, n_threads, dtype):
    m, n, k = shape
    a, b = random((m, k), dtype, 0), random((n, k), dtype, 1).T
    assert_product(gemm(a, b, n_threads=n_threads), a, b)
    assert_product(gemm(b.T, a.T, n_threads=n_threads), b.T, a.T)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "layout", ["C", "F", "columns of a wider one", "every third row and second column", "backwards"]
)
@pytest.mark.parametrize(("alpha", "beta"), [(1, 0), (-2, 0), (1, 1), (0.5, -0.25), (0, 3)])
def test_out(layout, alpha, beta, dtype):
    for m, n, k in [(1, 1, 1), (7, 18, 5), (70, 66, 80), (150, 140, 300)]:
        a, b = random((m, k), dtype, 0), random((k, n), dtype, 1)
        out = LAYOUTS[layout]((m, n), dtype, 2)
        before = out.copy()
        whole = out if out.base is None else out.base
        neighbours = whole.size - out.size
        kept = whole.copy()
        result = gemm(a, b, out=out, alpha=alpha, beta=beta)
        assert np.shares_memory(result, out)
        assert_product(out, a, b, alpha, beta, before)
        assert (whole != kept).sum() <= whole.size - neighbours


@pytest.mark.parametrize("dtype", DTYPES)
def test_only_out_is_written(dtype):
    surroundings = np.full((30, 50), 7, dtype=dtype)
    gemm(random((20, 9), dtype), random((9, 33), dtype), out=surroundings[4:24, 8:41])
    surroundings[4:24, 8:41] = 7
    assert (surroundings == 7).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [5, 40, 300])
def test_without_beta_out_is_not_read(dtype, size):
    a, b = random((size, size), dtype, 0), random((size, size), dtype, 1)
    assert_product(gemm(a, b, out=np.full((size, size), np.nan, dtype=dtype)), a, b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_to_add_up(dtype):
    assert_array_equal(gemm(np.empty((3, 0), dtype), np.empty((0, 4), dtype)), np.zeros((3, 4)))
    out = np.ones((3, 4), dtype)
    gemm(np.empty((3, 0), dtype), np.empty((0, 4), dtype), out=out, beta=2)
    assert_array_equal(out, np.full((3, 4), 2))
    assert gemm(np.empty((0, 3), dtype), np.empty((3, 4), dtype)).shape == (0, 4)
    assert gemm(np.empty((2, 3), dtype), np.empty((3, 0), dtype)).shape == (2, 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_and_inf_stay_in_their_row(dtype):
    a, b = random((40, 30), dtype, 0), random((30, 50), dtype, 1)
    a[7, 3], a[9, 5] = np.nan, np.inf
    result = gemm(a, b)
    assert np.isnan(result[7]).all()
    assert_array_equal(result[9], np.copysign(np.inf, b[5]))
    rest = np.delete(np.arange(40), [7, 9])
    assert_allclose(result[rest], a[rest] @ b, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_read_only_operands(dtype):
    a, b = random((9, 8), dtype, 0), random((8, 7), dtype, 1)
    a.flags.writeable = b.flags.writeable = False
    assert_product(gemm(a, b), a, b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_repeatable(dtype, n_threads):
    a, b = random((300, 400), dtype, 0), random((400, 200), dtype, 1)
    assert_array_equal(gemm(a, b, n_threads=n_threads), gemm(a, b, n_threads=n_threads))


@pytest.mark.parametrize("dtype", DTYPES)
def test_wrong_shapes(dtype):
    a, b = random((3, 4), dtype), random((4, 5), dtype)
    with pytest.raises(ValueError, match="a has 4 columns but b has 5 rows; they must be equal"):
        gemm(a, b.T)
    with pytest.raises(ValueError, match="a and b must be 2-dimensional"):
        gemm(a[0], b)
    with pytest.raises(ValueError, match="out must be 3 x 5"):
        gemm(a, b, out=np.empty((5, 3), dtype))
    with pytest.raises(ValueError, match="beta needs an `out` to scale"):
        gemm(a, b, beta=1)
    read_only = np.empty((3, 5), dtype)
    read_only.flags.writeable = False
    with pytest.raises(ValueError, match="writeable"):
        gemm(a, b, out=read_only)
    fields = np.zeros((3, 4), dtype=[("x", dtype), ("tag", np.int8)])
    with pytest.raises(ValueError, match="strides must be whole elements"):
        gemm(fields["x"], b)


def test_wrong_types():
    single, double = random((3, 3), np.float32), random((3, 3), np.float64)
    for a, b in [(single, double), (double.astype(int), double), ([[1.0]], double), (double.astype(">f8"), double)]:
        with pytest.raises(TypeError, match=r"both be float32 or both float64|incompatible function arguments"):
            gemm(a, b)
    with pytest.raises(TypeError, match="out must have the dtype"):
        gemm(single, single, out=double)
