"""The randomized decomposition against the exact one and scikit-learn's, and the pieces that it is made of."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils.extmath import randomized_svd as sklearn_randomized_svd
from threadpoolctl import threadpool_limits

from fastml import _core
from fastml.decomposition import _bases
from fastml.decomposition._bases import near_basis, orthonormal_basis
from fastml.decomposition._products import products_of
from fastml.decomposition._randomized import randomized_svd

EVERY_DTYPE = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
EVERY_LAYOUT = pytest.mark.parametrize("layout", ["dense", "csr", "csc"])
EVERY_SHAPE = pytest.mark.parametrize("shape", [(300, 90), (90, 300), (120, 120)], ids=["tall", "wide", "square"])


@pytest.fixture(autouse=True)
def serial_blas():
    """Matrices are small: on a busy machine BLAS's threads would wait for each other most of the time."""
    with threadpool_limits(1, "blas"):
        yield


SPECTRA = {
    "a gap": np.r_[100.0, 50, 20, 10, 5, np.full(80, 0.01)],
    "slow": 1 / np.arange(1, 86),
    "slower": 1 / np.sqrt(np.arange(1, 86)),
    "to rounding": 10.0 ** -np.arange(0, 17, 0.2),
}


def matrix_of(singular_values, shape, dtype=np.float64, layout="dense", seed=0):
    """Return a matrix that has the singular values; all of its elements are stored in sparse layouts."""
    rng = np.random.RandomState(seed)
    singular_values = singular_values[: min(shape)]
    left, right = (np.linalg.qr(rng.standard_normal((n, len(singular_values))))[0] for n in shape)
    X = ((left * singular_values) @ right.T).astype(dtype)
    return X if layout == "dense" else sp.csr_array(X).asformat(layout)


def assert_same_factors(ours, stock, atol):
    """Compare up to the signs of singular vectors."""
    U, S, Vt = ours
    assert [array.dtype for array in ours] == [array.dtype for array in stock]
    assert_allclose(S, stock[1], atol=atol * S[0])
    signs = np.sign(np.sum(Vt * stock[2], axis=1))
    assert_allclose(Vt, stock[2] * signs[:, np.newaxis], atol=atol)
    assert_allclose(U, stock[0] * signs, atol=atol)


@pytest.mark.parametrize("spectrum", SPECTRA)
@EVERY_SHAPE
@EVERY_LAYOUT
@EVERY_DTYPE
@pytest.mark.parametrize("n_iter", ["auto", 0, 2])
def test_the_same_as_scikit_learns(spectrum, shape, layout, dtype, n_iter):
    X = matrix_of(SPECTRA[spectrum], shape, dtype, layout)
    options = {"n_iter": n_iter, "n_oversamples": 7, "random_state": 3}
    # Two iterations without bases between them square the condition number twice; only four digits are to be had then.
    tall_order = dtype is np.float32 and n_iter == 2
    atol = 0.05 if tall_order else 1e-8 if dtype is np.float64 else 1e-3
    stock = sklearn_randomized_svd(X, 5, **options)
    assert_same_factors(randomized_svd(X, 5, **options), stock, atol)


@pytest.mark.parametrize("normalizer", ["QR", "LU", "none"])
@EVERY_LAYOUT
def test_normalizers(normalizer, layout):
    X = matrix_of(SPECTRA["slow"], (200, 110), layout=layout)
    options = {"n_iter": 3, "power_iteration_normalizer": normalizer, "random_state": np.random.RandomState(1)}
    ours = randomized_svd(X, 4, n_oversamples=20, **options)
    options["random_state"] = np.random.RandomState(1)
    assert_same_factors(ours, sklearn_randomized_svd(X, 4, n_oversamples=20, **options), 1e-8)


def test_left_vectors_are_made_on_demand():
    X = matrix_of(SPECTRA["slow"], (60, 100))
    U, S, Vt = randomized_svd(X, 3, random_state=0, left=False)
    expected = randomized_svd(X, 3, random_state=0)
    assert U is None
    assert_array_equal(S, expected[1])
    assert_array_equal(Vt, expected[2])


@pytest.mark.parametrize("rank", [0, 1, 3])
@EVERY_LAYOUT
def test_rank_deficiency(rank, layout):
    X = matrix_of(np.arange(rank, 0, -1.0), (50, 40), layout=layout)
    U, S, Vt = randomized_svd(X, 6, n_iter=4, random_state=0)
    assert_allclose(S, [*range(rank, 0, -1), *[0] * (6 - rank)], atol=1e-13)
    assert_allclose(U * S @ Vt, X if layout == "dense" else X.toarray(), atol=1e-13)
    assert_allclose(U.T @ U, np.eye(6), atol=1e-13)
    assert_allclose(Vt @ Vt.T, np.eye(6), atol=1e-13)


@pytest.mark.parametrize("n_iter", [0, 3])
@EVERY_LAYOUT
def test_more_vectors_than_columns(n_iter, layout):
    X = matrix_of(np.arange(6, 0, -1.0), (9, 6), layout=layout)
    _, S, _ = randomized_svd(X, 6, n_iter=n_iter, n_oversamples=10, random_state=0)
    assert_allclose(S, np.arange(6, 0, -1), atol=1e-13)


@pytest.mark.parametrize("scale", [1e-200, 1e-100, 1e100, 1e200])
def test_scales_whose_squares_leave_the_range(scale):
    X = scale * matrix_of(SPECTRA["slow"], (80, 60))
    _, S, Vt = randomized_svd(X, 3, n_iter=8, random_state=0)
    expected = randomized_svd(X / scale, 3, n_iter=8, random_state=0)
    assert_allclose(S, scale * expected[1], rtol=1e-12)
    assert_allclose(np.abs(np.sum(Vt * expected[2], axis=1)), 1, rtol=1e-12)


def columns(n, k, condition, dtype):
    """Return a tall matrix of a condition number, the lengths of whose columns are far apart."""
    rng = np.random.RandomState(0)
    left, right = (np.linalg.qr(rng.standard_normal((m, k)))[0] for m in (n, k))
    return ((left * np.logspace(0, -np.log10(condition), k)) @ right.T * np.logspace(-3, 3, k)).astype(dtype)


@pytest.mark.parametrize("condition", [1, 10, 1e4, 1e5, 1e8, 1e15])
@pytest.mark.parametrize("k", [1, 5, 60])
@EVERY_DTYPE
def test_bases(condition, k, dtype):
    Y = columns(500, k, condition, dtype)
    eps = np.finfo(dtype).eps
    near, eigenvalue = near_basis(Y)
    basis = orthonormal_basis(Y)
    assert near.dtype == basis.dtype == dtype
    assert near.flags.c_contiguous
    assert_allclose(basis.T @ basis, np.eye(k), atol=50 * eps)
    assert np.linalg.cond(near) < 2 or dtype is np.float32  # of which the digits may not be there
    assert 0 <= eigenvalue <= 1 + 1e-12
    # All columns of Y lie in the space, to rounding of their lengths.
    Y = Y.astype(np.float64) / np.linalg.norm(Y.astype(np.float64), axis=0)
    assert_allclose(basis @ (basis.T @ Y), Y, atol=100 * eps)


@pytest.mark.parametrize("flaw", ["zeros", "a zero column", "two equal columns", "huge", "tiny", "wide"])
def test_bases_that_gram_matrices_do_not_give(flaw):
    Y = np.random.RandomState(0).standard_normal((50, 6))
    if flaw == "zeros":
        Y[:] = 0
    elif flaw == "a zero column":
        Y[:, 3] = 0
    elif flaw == "two equal columns":
        Y[:, 3] = Y[:, 1]
    elif flaw == "wide":
        Y = np.ascontiguousarray(Y[:4])
    else:
        Y *= {"huge": 1e200, "tiny": 1e-200}[flaw]
    for basis in (near_basis(Y)[0], orthonormal_basis(Y)):
        assert basis.shape == (len(Y), min(Y.shape))
        assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-13)
        assert_allclose(basis @ (basis.T @ Y), Y, atol=1e-13 * np.abs(Y).max())


def test_quick_bases_are_not_left_unused(monkeypatch):
    """Well conditioned matrices never get to LAPACK's QR."""
    monkeypatch.setattr(_bases.linalg, "qr", None)
    assert_allclose(np.linalg.cond(orthonormal_basis(columns(500, 30, 1e4, np.float64))), 1, rtol=1e-13)


@pytest.mark.parametrize("layout", ["dense", "csr", "csc"])
@pytest.mark.parametrize("index", [np.int32, np.int64], ids=lambda index: index.__name__)
@EVERY_DTYPE
def test_products(layout, index, dtype):
    rng = np.random.RandomState(0)
    X = sp.random(70, 40, 0.2, format="csr", random_state=0, dtype=dtype)
    # Indices out of order, and some twice.
    X = sp.csr_array((np.tile(X.data, 2), np.tile(X.indices[::-1], 2), np.arange(0, 2 * X.nnz + 1, 16)), shape=(70, 40))
    X = X.asformat(layout) if layout != "dense" else X.toarray()
    if layout != "dense":
        X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    dense = (X if layout == "dense" else X.toarray()).astype(np.float64)
    matrix = products_of(X)
    rtol = 1e-12 if dtype is np.float64 else 1e-4
    for k in (1, 3, 33):
        Q, Y = rng.standard_normal((40, k)).astype(dtype), rng.standard_normal((70, k)).astype(dtype)
        assert matrix.times(Q).dtype == matrix.transposed_times(Y).dtype == dtype
        assert_allclose(matrix.times(Q), dense @ Q, rtol=rtol, atol=rtol)
        assert_allclose(matrix.transposed_times(Y), dense.T @ Y, rtol=rtol, atol=rtol)
        # Fortran's order, which ARPACK and transposes have.
        assert_allclose(matrix.times(np.asfortranarray(Q)), dense @ Q, rtol=rtol, atol=rtol)


def test_threads_change_nothing():
    X = sp.random(3000, 2000, 0.01, format="csr", random_state=0)
    b = np.random.RandomState(0).standard_normal((2000, 60))
    arrays = X.data, X.indices, X.indptr
    assert_array_equal(_core.sparse_product(*arrays, b, 1), _core.sparse_product(*arrays, b, 2))
    transposes = [_core.sparse_transpose(*arrays, 2000, n_threads) for n_threads in (1, 2)]
    for one, two in zip(*transposes, strict=True):
        assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("offsets", "indices", "message"),
    [
        ([0, 2, 1], [0, 1, 2], "ascending"),
        ([0, 1, 4], [0, 1, 2], "within the values"),
        ([1, 2, 3], [0, 1, 2], "from 0 on"),
        ([0, 1, 3], [0, 1, 3], "columns of the matrix"),
        ([0, 1, 3], [0, -1, 2], "columns of the matrix"),
    ],
)
def test_arrays_that_lead_out_of_bounds(offsets, indices, message):
    arrays = np.ones(3), np.array(indices, np.int32), np.array(offsets, np.int32)
    with pytest.raises(ValueError, match=message):
        _core.sparse_product(*arrays, np.ones((3, 2)))
    with pytest.raises(ValueError, match=message):
        _core.sparse_transpose(*arrays, 3)
