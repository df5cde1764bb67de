"""The brute-force search under metrics that it computes as they stand, against scikit-learn's distances."""

import numpy as np
import pytest
from sklearn.metrics import DistanceMetric, pairwise_distances
from sklearn.neighbors import NearestNeighbors

from fastml import _core

SEARCHES = {np.float32: _core.BruteF32, np.float64: _core.BruteF64}
FEATURES = 6
VARIANCES = np.arange(1.0, FEATURES + 1) / 3


def covariance():
    rng = np.random.default_rng(0)
    return np.cov(rng.normal(size=(50, FEATURES)) @ rng.normal(size=(FEATURES, FEATURES)), rowvar=False)


METRICS = {
    "seuclidean": {"V": VARIANCES},
    "mahalanobis": {"VI": np.linalg.inv(covariance())},
    "haversine": {},
    "hamming": {},
    "canberra": {},
    "braycurtis": {},
}


@pytest.fixture(params=SEARCHES, ids=lambda dtype: dtype.__name__)
def dtype(request):
    return request.param


@pytest.fixture(params=METRICS)
def metric(request):
    return request.param


def points(metric, rows, seed, dtype):
    rng = np.random.default_rng(seed)
    if metric == "haversine":
        return (rng.uniform(-1, 1, size=(rows, 2)) * [np.pi / 2, np.pi]).astype(dtype)
    if metric == "hamming":
        return rng.integers(4, size=(rows, FEATURES)).astype(dtype)
    X = rng.normal(size=(rows, FEATURES))
    return np.where(rng.random(X.shape) < 0.2, 0, X).astype(dtype)  # zeros, which canberra leaves out


def by_distance_and_row(distances):
    return np.argsort(distances, axis=1, kind="stable")


@pytest.mark.parametrize("k", [1, 12, 250, 700])
def test_same_distances_and_rows_as_scikit_learn(dtype, metric, k):
    X, Q = points(metric, 700, 1, dtype), points(metric, 50, 2, dtype)
    distance = DistanceMetric.get_metric(metric, **METRICS[metric])
    # Its float32 classes round each difference to float32; these distances are those of the numbers given.
    expected = distance.pairwise(Q.astype(np.float64), X.astype(np.float64))
    search = SEARCHES[dtype](X, metric, **METRICS[metric])
    distances, rows = search.nearest(Q, k, n_threads=2)
    order = by_distance_and_row(expected)[:, :k]
    if metric == "haversine":  # sine and arcsine may differ in the last place between two libraries
        np.testing.assert_allclose(distances, np.take_along_axis(expected, order, axis=1), rtol=1e-14)
        np.testing.assert_allclose(distances, np.take_along_axis(expected, rows, axis=1), rtol=1e-14)
    else:
        np.testing.assert_array_equal(rows, order)
        np.testing.assert_array_equal(distances, np.take_along_axis(expected, order, axis=1))

    radius = float(np.median(expected))
    offsets, distances, rows = search.within(Q, radius, n_threads=2)
    for i in range(len(Q)):
        found = rows[offsets[i] : offsets[i + 1]]
        clear = np.abs(expected[i] - radius) > 1e-14 * radius
        expected_rows = np.flatnonzero(expected[i] <= radius)
        np.testing.assert_array_equal(found[clear[found]], expected_rows[clear[expected_rows]])
        np.testing.assert_allclose(distances[offsets[i] : offsets[i + 1]], expected[i, found], rtol=1e-14)


def test_threads_change_no_bit(dtype, metric):
    X, Q = points(metric, 5000, 3, dtype), points(metric, 200, 4, dtype)
    search = SEARCHES[dtype](X, metric, **METRICS[metric])
    for count in (200, 2):
        for a, b in zip(search.nearest(Q[:count], 30, 1), search.nearest(Q[:count], 30, 2), strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(
            search.within(Q[:count], 0.5, n_threads=1), search.within(Q[:count], 0.5, n_threads=2), strict=True
        ):
            np.testing.assert_array_equal(a, b)


def test_mahalanobis_is_exact_far_from_the_origin_and_for_nearly_singular_matrices(dtype):
    rng = np.random.default_rng(5)
    base = rng.normal(size=(FEATURES, 2))
    inverse = base @ base.T + 1e-6 * np.eye(FEATURES)
    X = (1e6 + 10 * rng.normal(size=(500, FEATURES))).astype(dtype)
    Q = (1e6 + 10 * rng.normal(size=(30, FEATURES))).astype(dtype)
    expected = DistanceMetric.get_metric("mahalanobis", VI=inverse).pairwise(Q.astype(float), X.astype(float))
    distances, rows = SEARCHES[dtype](X, "mahalanobis", VI=inverse).nearest(Q, 20)
    np.testing.assert_array_equal(rows, by_distance_and_row(expected)[:, :20])
    np.testing.assert_array_equal(distances, np.take_along_axis(expected, rows, axis=1))


def test_neighbours_in_one_town(dtype):
    # 1e-6 is six metres: far less than what float32 resolves of a place on the unit sphere.
    rng = np.random.default_rng(6)
    X = ([0.7, -2.1] + 1e-6 * rng.normal(size=(400, 2))).astype(dtype)
    expected = DistanceMetric.get_metric("haversine").pairwise(X.astype(float))
    distances, rows = SEARCHES[dtype](X, "haversine").nearest(X, 10)
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :10], rtol=1e-13)
    np.testing.assert_allclose(distances, np.take_along_axis(expected, rows, axis=1), rtol=1e-13)


def test_missing_values(dtype):
    rng = np.random.default_rng(7)
    X = rng.integers(6, size=(300, FEATURES)).astype(dtype)
    X[rng.random(X.shape) < 0.4] = np.nan
    X[[3, 50, 51]] = np.nan
    Q = X[:60]
    wide = X.astype(np.float64)  # in float32 its distances would be rounded to float32
    expected = pairwise_distances(wide[:60], wide, metric="nan_euclidean")
    distances, rows = SEARCHES[dtype](X, "nan_euclidean").nearest(Q, 300, n_threads=2)
    # Whole numbers: products lose nothing, so that scikit-learn's sums are the same.
    np.testing.assert_array_equal(distances, np.sort(expected, axis=1))
    np.testing.assert_array_equal(rows, by_distance_and_row(expected))
    assert np.isnan(distances[3]).all()
    np.testing.assert_array_equal(rows[3], np.arange(300))

    theirs = NearestNeighbors(metric="nan_euclidean").fit(wide)
    np.testing.assert_array_equal(theirs.kneighbors(wide[:60], 40)[0], distances[:, :40])
    offsets, _, found = SEARCHES[dtype](X, "nan_euclidean").within(Q, 2.0)
    for i, expected_rows in enumerate(theirs.radius_neighbors(wide[:60], 2.0, return_distance=False)):
        np.testing.assert_array_equal(found[offsets[i] : offsets[i + 1]], expected_rows)


def test_zeros_only(dtype):
    X = np.zeros((5, FEATURES), dtype=dtype)
    for name in ("canberra", "braycurtis", "hamming"):
        distances, rows = SEARCHES[dtype](X, name).nearest(X, 5)
        np.testing.assert_array_equal(distances, 0)
        np.testing.assert_array_equal(rows, np.tile(np.arange(5), (5, 1)))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"metric": "seuclidean"}, "V: of seuclidean, which needs it"),
        ({"metric": "euclidean", "V": np.ones(3)}, "V: of seuclidean, which needs it"),
        ({"metric": "seuclidean", "V": np.ones(2)}, "V: expected 3 elements, got 2"),
        ({"metric": "seuclidean", "V": np.array([1.0, 0.0, 1.0])}, "V: not positive or not finite"),
        ({"metric": "mahalanobis"}, "VI: of mahalanobis, which needs it"),
        ({"metric": "hamming", "VI": np.eye(3)}, "VI: of mahalanobis, which needs it"),
        ({"metric": "mahalanobis", "VI": np.eye(2)}, "VI: expected a matrix of 3 x 3"),
        ({"metric": "mahalanobis", "VI": np.ones(3)}, "VI: expected a matrix of 3 x 3"),
        ({"metric": "mahalanobis", "VI": np.full((3, 3), np.inf)}, "VI: not finite"),
        ({"metric": "haversine"}, "haversine: expected 2 features, got 3"),
    ],
)
def test_parameters_that_are_not_served(dtype, keywords, message):
    with pytest.raises(ValueError, match=message):
        SEARCHES[dtype](np.zeros((4, 3), dtype=dtype), **keywords)
