"""The bindings of the brute-force search against distances that NumPy computes in double, pair by pair."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import DistanceMetric

from fastml import _core

SEARCHES = {np.float32: _core.BruteF32, np.float64: _core.BruteF64}
FEATURES = 7
WEIGHTS = np.arange(FEATURES) % 3 / 2.0

# What the binding is given beside the rows, by name of the case.
METRICS = {
    "sqeuclidean": {"metric": "sqeuclidean"},
    "euclidean": {"metric": "euclidean"},
    "manhattan": {"metric": "manhattan"},
    "chebyshev": {"metric": "chebyshev"},
    "cosine": {"metric": "cosine"},
    "minkowski-3": {"metric": "minkowski", "p": 3.0},
    "minkowski-0.5": {"metric": "minkowski", "p": 0.5},
    "minkowski-weights": {"metric": "minkowski", "p": 1.5, "weights": WEIGHTS},
}


@pytest.fixture(params=SEARCHES, ids=lambda dtype: dtype.__name__)
def dtype(request):
    return request.param


@pytest.fixture(params=METRICS)
def case(request):
    return request.param


def plain_distances(Q, X, metric, p=2.0, weights=None):
    """Return the distances of all pairs in double, from the numbers as they were given."""
    Q, X = Q.astype(np.float64), X.astype(np.float64)
    if metric == "cosine":
        Q = Q / np.linalg.norm(Q, axis=1, keepdims=True)
        X = X / np.linalg.norm(X, axis=1, keepdims=True)
        return ((Q[:, None] - X) ** 2).sum(axis=2) / 2
    if metric in ("sqeuclidean", "euclidean"):
        squares = ((Q[:, None] - X) ** 2).sum(axis=2)
        return np.sqrt(squares) if metric == "euclidean" else squares
    keywords = {"p": p, "w": weights} if metric == "minkowski" else {}
    return DistanceMetric.get_metric(metric, **keywords).pairwise(Q, X)


def tolerance(metric):
    # Squares, roots and sums in another order differ by a few roundings. The cosine is half the square of a distance
    # between unit vectors, each of them off by 1e-16.
    return {"rtol": 1e-7, "atol": 1e-15} if metric == "cosine" else {"rtol": 1e-14}


def assert_nearest(answer, expected, **close):
    """Assert that (distances, rows) are the least of the expected distances, by (distance, row)."""
    distances, rows = answer
    k = rows.shape[1]
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :k], **close)
    np.testing.assert_allclose(distances, np.take_along_axis(expected, rows, axis=1), **close)
    assert all(len(set(found)) == k for found in rows.tolist())
    steps = np.diff(distances, axis=1)
    assert ((steps > 0) | ((steps == 0) & (np.diff(rows, axis=1) > 0))).all()


@pytest.mark.parametrize("k", [1, 10, 130, 400])
def test_nearest(dtype, case, k):
    rng = np.random.default_rng(k)
    X = rng.normal(size=(400, FEATURES)).astype(dtype)
    Q = np.concatenate([rng.normal(size=(40, FEATURES)).astype(dtype), X[:10]])
    keywords = METRICS[case]
    answer = SEARCHES[dtype](X, **keywords).nearest(Q, k)
    assert answer[0].dtype == np.float64
    assert answer[1].dtype == np.int64
    assert_nearest(answer, plain_distances(Q, X, **keywords), **tolerance(keywords["metric"]))


def test_rows_that_are_equal_come_in_their_order(dtype, case):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6, FEATURES)).astype(dtype)[rng.integers(6, size=500)]
    keywords = METRICS[case]
    distances, rows = SEARCHES[dtype](X, **keywords).nearest(X[:20], 500)
    for i in range(20):
        own = np.flatnonzero((X[i] == X).all(axis=1))
        np.testing.assert_array_equal(rows[i, : len(own)], own)
        assert (distances[i, : len(own)] == 0).all()
        # Equal rows are equally far to the bit, so that the row decides.
        np.testing.assert_array_equal(np.lexsort([rows[i], distances[i]]), np.arange(500))
        assert len(set(distances[i].tolist())) <= 6
        assert sorted(rows[i].tolist()) == list(range(500))


@pytest.mark.parametrize("metric", ["sqeuclidean", "euclidean", "manhattan", "chebyshev"])
def test_ties_of_whole_numbers_go_to_the_lower_row(dtype, metric):
    rng = np.random.default_rng(1)
    X = rng.integers(3, size=(900, 5)).astype(dtype)
    Q = rng.integers(3, size=(60, 5)).astype(dtype)
    expected = plain_distances(Q, X, metric)
    distances, rows = SEARCHES[dtype](X, metric).nearest(Q, 120)
    order = np.argsort(expected, axis=1, kind="stable")[:, :120]
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_array_equal(distances, np.take_along_axis(expected, order, axis=1))


@pytest.mark.parametrize("metric", ["sqeuclidean", "euclidean", "manhattan", "chebyshev"])
def test_points_far_from_the_origin_lose_nothing(dtype, metric):
    rng = np.random.default_rng(2)
    spread = 1000 if dtype == np.float32 else 1  # float32 has steps of 8 there
    X = (1e8 + spread * rng.normal(size=(600, FEATURES))).astype(dtype)
    Q = (1e8 + spread * rng.normal(size=(50, FEATURES))).astype(dtype)
    assert_nearest(SEARCHES[dtype](X, metric).nearest(Q, 15), plain_distances(Q, X, metric), rtol=1e-14)


@pytest.mark.parametrize("reach", [0.0, 0.3, 10.0])
def test_within(dtype, case, reach):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(500, FEATURES)).astype(dtype)
    Q = rng.normal(size=(30, FEATURES)).astype(dtype)
    keywords = METRICS[case]
    expected = plain_distances(Q, X, **keywords)
    radius = float(reach * np.median(expected))
    offsets, distances, rows = SEARCHES[dtype](X, **keywords).within(Q, radius)
    assert offsets[0] == 0
    assert offsets[-1] == len(rows) == len(distances)
    for i in range(len(Q)):
        found = rows[offsets[i] : offsets[i + 1]]
        np.testing.assert_array_equal(found, np.flatnonzero(expected[i] <= radius))
        np.testing.assert_allclose(
            distances[offsets[i] : offsets[i + 1]], expected[i, found], **tolerance(keywords["metric"])
        )


def test_within_sorted(dtype, case):
    rng = np.random.default_rng(7)
    X = rng.integers(3, size=(300, FEATURES)).astype(dtype)
    search = SEARCHES[dtype](X, **METRICS[case])
    radius = float(np.median(search.nearest(X[:20], 150)[0]))
    offsets, distances, rows = search.within(X[:20], radius)
    sorted_offsets, sorted_distances, sorted_rows = search.within(X[:20], radius, sorted=True)
    np.testing.assert_array_equal(sorted_offsets, offsets)
    for begin, end in itertools.pairwise(offsets):
        order = np.lexsort([rows[begin:end], distances[begin:end]]) + begin
        np.testing.assert_array_equal(sorted_rows[begin:end], rows[order])
        np.testing.assert_array_equal(sorted_distances[begin:end], distances[order])


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
def test_a_radius_that_is_met_exactly_counts(dtype, metric):
    X = np.arange(50, dtype=dtype)[:, None]
    offsets, distances, rows = SEARCHES[dtype](X, metric).within(X[[10]], 3.0)
    np.testing.assert_array_equal(rows, np.arange(7, 14))
    np.testing.assert_array_equal(distances, [3, 2, 1, 0, 1, 2, 3])
    np.testing.assert_array_equal(offsets, [0, 7])


def test_threads_change_no_bit(dtype, case):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(6000, FEATURES)).astype(dtype)
    Q = rng.normal(size=(300, FEATURES)).astype(dtype)
    keywords = METRICS[case]
    one = SEARCHES[dtype](X, **keywords, n_threads=1)
    two = SEARCHES[dtype](X, **keywords, n_threads=2)
    radius = float(one.nearest(Q, 20)[0].mean())
    for count in (300, 2):  # many queries are dealt to the threads; for few of them, the rows are
        for a, b in zip(one.nearest(Q[:count], 150, 1), two.nearest(Q[:count], 150, 2), strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(
            one.within(Q[:count], radius, n_threads=1), two.within(Q[:count], radius, n_threads=2), strict=True
        ):
            np.testing.assert_array_equal(a, b)


def test_arrays_may_be_read_only(dtype, case):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(50, FEATURES)).astype(dtype)
    keywords = METRICS[case]
    expected = SEARCHES[dtype](X, **keywords).nearest(X, 3)
    X.flags.writeable = False
    search = SEARCHES[dtype](X, **keywords)
    np.testing.assert_array_equal(search.nearest(X, 3), expected)
    assert len(search.within(X, 1.0)[0]) == 51


def test_no_queries(dtype, case):
    X = np.ones((5, FEATURES), dtype=dtype)
    search = SEARCHES[dtype](X, **METRICS[case])
    distances, rows = search.nearest(X[:0], 2)
    assert distances.shape == rows.shape == (0, 2)
    offsets, distances, rows = search.within(X[:0], 1.0)
    np.testing.assert_array_equal(offsets, [0])
    assert len(distances) == len(rows) == 0


def test_rows_of_zeros_are_orthogonal_to_all(dtype):
    X = np.array([[1, 0], [0, 0], [2, 0], [0, 0]], dtype=dtype)
    distances, rows = SEARCHES[dtype](X, "cosine").nearest(X[:2], 4)
    np.testing.assert_array_equal(distances, [[0, 0, 1, 1], [1, 1, 1, 1]])
    np.testing.assert_array_equal(rows, [[0, 2, 1, 3], [0, 1, 2, 3]])


def test_the_rows_outlive_their_name(dtype):
    rng = np.random.default_rng(6)
    X = rng.normal(size=(1000, FEATURES)).astype(dtype)
    search = SEARCHES[dtype](X.copy())
    others = [np.zeros_like(X) for _ in range(5)]  # would be given the memory, were it free
    np.testing.assert_array_equal(search.nearest(X, 1)[1][:, 0], np.arange(1000))
    del others


def test_what_would_read_out_of_bounds_is_an_error(dtype):
    Search = SEARCHES[dtype]
    X = np.zeros((4, 2), dtype=dtype)
    search = Search(X)
    for k in (0, 5):
        with pytest.raises(ValueError, match="k: expected 1 to 4"):
            search.nearest(X, k)
    for ask in (lambda Q: search.nearest(Q, 1), lambda Q: search.within(Q, 1.0)):
        with pytest.raises(ValueError, match="expected 2 columns"):
            ask(np.zeros((1, 3), dtype=dtype))
        with pytest.raises(ValueError, match="expected a 2-dimensional array"):
            ask(np.zeros(2, dtype=dtype))
    with pytest.raises(ValueError, match="at least one row"):
        Search(X[:0])
    with pytest.raises(ValueError, match="expected a 2-dimensional array"):
        Search(X[0])


def test_wrong_types_are_not_converted(dtype):
    other = np.float64 if dtype == np.float32 else np.float32
    X = np.zeros((4, 2), dtype=dtype)
    for wrong in (X.astype(other), np.asfortranarray(X), X[:, ::-1]):
        with pytest.raises(TypeError):
            SEARCHES[dtype](wrong)
        with pytest.raises(TypeError):
            SEARCHES[dtype](X).nearest(wrong, 1)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"metric": "dice"}, "'dice' is not served"),
        ({"metric": "minkowski", "p": 0.0}, "p: expected a positive, finite number"),
        ({"metric": "minkowski", "p": np.inf}, "p: expected a positive, finite number"),
        ({"metric": "minkowski", "weights": np.ones(3)}, "weights: expected 2 elements, got 3"),
        ({"metric": "minkowski", "weights": np.array([1.0, -1.0])}, "weights: negative or not finite"),
        ({"metric": "minkowski", "weights": np.array([1.0, np.nan])}, "weights: negative or not finite"),
        ({"metric": "euclidean", "weights": np.ones(2)}, "weights: of minkowski only"),
    ],
)
def test_parameters_that_are_not_served(dtype, keywords, message):
    with pytest.raises(ValueError, match=message):
        SEARCHES[dtype](np.zeros((4, 2), dtype=dtype), **keywords)
