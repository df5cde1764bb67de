"""The brute-force search in sparse rows, against the one in dense rows, to the bit, and against scikit-learn."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.neighbors import NearestNeighbors

from fastml import _core

DENSE = {np.float32: _core.BruteF32, np.float64: _core.BruteF64}
SPARSE = {np.float32: _core.BruteCsrF32, np.float64: _core.BruteCsrF64}
METRICS = ["sqeuclidean", "euclidean", "manhattan", "cosine"]


@pytest.fixture(params=SPARSE, ids=lambda dtype: dtype.__name__)
def dtype(request):
    return request.param


@pytest.fixture(params=METRICS)
def metric(request):
    return request.param


@pytest.fixture(params=[np.int32, np.int64], ids=lambda index: index.__name__)
def index(request):
    return request.param


def rows_of_words(rows, features, seed, dtype):
    X = sp.random(rows, features, density=0.05, format="csr", random_state=seed, dtype=np.float64)
    X.data = np.ceil(4 * X.data)  # counts, so that there are ties
    return X.astype(dtype)


def parts(X, index=np.int32):
    return X.data, X.indices.astype(index), X.indptr.astype(index)


@pytest.mark.parametrize("k", [1, 20, 300])
def test_same_answer_as_of_dense_rows(dtype, metric, index, k):
    X, Q = rows_of_words(300, 200, 0, dtype), rows_of_words(45, 200, 1, dtype)
    dense = DENSE[dtype](X.toarray(), metric)
    search = SPARSE[dtype](*parts(X, index), 200, metric)
    expected = dense.nearest(Q.toarray(), k)
    for answer, right in zip(search.nearest(*parts(Q, index), k, n_threads=2), expected, strict=True):
        np.testing.assert_array_equal(answer, right)
    radius = float(expected[0].mean())
    found = search.within(*parts(Q, index), radius, n_threads=2)
    for answer, right in zip(found, dense.within(Q.toarray(), radius), strict=True):
        np.testing.assert_array_equal(answer, right)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])  # what it serves in sparse rows
def test_same_distances_as_scikit_learn(dtype, metric):
    X, Q = rows_of_words(400, 1000, 2, dtype), rows_of_words(30, 1000, 3, dtype)
    theirs = NearestNeighbors(metric=metric, algorithm="brute").fit(X.astype(np.float64))
    expected, _ = theirs.kneighbors(Q.astype(np.float64), 10)
    distances, _ = SPARSE[dtype](*parts(X), 1000, metric).nearest(*parts(Q), 10)
    # Its squares come from products of the rows, which lose the last places where they cancel.
    np.testing.assert_allclose(distances, expected, rtol=1e-12, atol=1e-12)


def test_any_order_of_entries_and_stored_zeros(dtype, metric):
    X = rows_of_words(100, 50, 4, dtype)
    coo = X.tocoo()
    # Each entry twice as a half, and zeros that are stored, in any order.
    order = np.random.default_rng(0).permutation(3 * X.nnz)
    rows = np.concatenate([coo.row, coo.row, coo.row])[order]
    columns = np.concatenate([coo.col, coo.col, (coo.col + 1) % 50])[order]
    values = np.concatenate([coo.data / 2, coo.data / 2, np.zeros_like(coo.data)])[order]
    by_row = np.argsort(rows, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=100))]).astype(np.int32)
    given = values[by_row].astype(dtype), columns[by_row].astype(np.int32), offsets
    kept = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    expected = SPARSE[dtype](*parts(X), 50, metric).nearest(*parts(X), 100)
    answer = SPARSE[dtype](*given, 50, metric).nearest(*given, 100)
    for a, b in zip(answer, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(given, kept, strict=True):
        np.testing.assert_array_equal(a, b)


def test_rows_without_entries(dtype, metric):
    X = sp.csr_matrix(np.array([[0, 0, 0], [1, 0, 2], [0, 0, 0]], dtype=dtype))
    expected = DENSE[dtype](X.toarray(), metric).nearest(X.toarray(), 3)
    for a, b in zip(SPARSE[dtype](*parts(X), 3, metric).nearest(*parts(X), 3), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    none = SPARSE[dtype](*parts(X), 3, metric).nearest(*parts(X[:0]), 2)
    assert none[0].shape == none[1].shape == (0, 2)


def test_memory_is_not_that_of_dense_rows(dtype):
    # 20,000 rows of a million features would need 80 GB.
    rng = np.random.default_rng(0)
    columns = rng.integers(1_000_000, size=200_000).astype(np.int32)
    values = rng.normal(size=200_000).astype(dtype)
    offsets = np.arange(0, 200_001, 10, dtype=np.int32)
    search = SPARSE[dtype](values, columns, offsets, 1_000_000, "manhattan")
    distances, rows = search.nearest(values[:500], columns[:500], offsets[:51], 1)
    np.testing.assert_array_equal(rows[:, 0], np.arange(50))
    np.testing.assert_array_equal(distances, 0)


def test_what_would_read_out_of_bounds_is_an_error(dtype):
    dense = rows_of_words(10, 8, 5, dtype).toarray()
    dense[0, 7] = 1
    values, indices, offsets = parts(sp.csr_matrix(dense))
    search = SPARSE[dtype](values, indices, offsets, 8)
    for k in (0, 11):
        with pytest.raises(ValueError, match="k: expected 1 to 10"):
            search.nearest(values, indices, offsets, k)
    cases = [
        ((values, indices, offsets, 7), "out of bounds"),
        ((values, indices - 8, offsets, 8), "out of bounds"),
        ((values, indices, offsets + 1, 8), "out of bounds"),
        ((values, indices, offsets[::-1].copy(), 8), "out of bounds"),
        ((values[:-1], indices, offsets, 8), "as many indices as values"),
        ((values, indices, offsets[:0], 8), "at least one row"),
        ((values, indices, offsets[:1], 8), "at least one row"),
        ((values, indices, offsets, -1), "the number of features is negative, or more than"),
        ((values, indices, offsets, 2**31), "the number of features is negative, or more than"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            SPARSE[dtype](*arguments)
    with pytest.raises(ValueError, match="out of bounds"):
        search.nearest(values, indices + 8, offsets, 1)
    with pytest.raises(ValueError, match="out of bounds"):
        search.within(values, indices + 8, offsets, 1.0)
    with pytest.raises(ValueError, match="Sparse rows are served under"):
        SPARSE[dtype](values, indices, offsets, 8, "chebyshev")
    with pytest.raises(TypeError):
        SPARSE[dtype](values.astype(np.int64), indices, offsets, 8)
