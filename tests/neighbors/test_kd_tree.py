"""The k-d tree's bindings against scikit-learn's tree, whose distances are rounded in the same steps."""

import signal

import numpy as np
import pytest
from sklearn.neighbors import KDTree

from fastml import _core

TREES = {np.float32: _core.KdTreeF32, np.float64: _core.KdTreeF64}
METRICS = [("euclidean", 2.0), ("manhattan", 2.0), ("chebyshev", 2.0), ("minkowski", 3.0)]


@pytest.fixture(params=TREES, ids=lambda dtype: dtype.__name__)
def dtype(request):
    return request.param


@pytest.mark.parametrize(("metric", "p"), METRICS)
@pytest.mark.parametrize("features", [1, 3, 12])
def test_same_distances_and_rows_as_scikit_learn(dtype, metric, p, features):
    rng = np.random.default_rng(features)
    X = rng.normal(size=(3000, features)).astype(dtype)
    Q = rng.normal(size=(400, features)).astype(dtype)
    keywords = {"p": p} if metric == "minkowski" else {}
    theirs = KDTree(X, metric=metric, **keywords)
    ours = TREES[dtype](X, metric, p, n_threads=2)
    distances, rows = ours.nearest(Q, 8, n_threads=2)
    expected, expected_rows = theirs.query(Q, k=8)
    if metric == "minkowski":  # the root of a power may differ in the last place between two libraries
        np.testing.assert_allclose(distances, expected, rtol=1e-15)
    else:
        np.testing.assert_array_equal(distances, expected)
    np.testing.assert_array_equal(rows, expected_rows)

    radius = float(np.median(expected))
    np.testing.assert_array_equal(ours.count_within(Q, radius), theirs.query_radius(Q, radius, count_only=True))
    offsets, found, lengths = ours.within(Q, radius, sorted=True, n_threads=2)
    found_by_them = theirs.query_radius(Q, radius)
    for i, begin in enumerate(offsets[:-1]):
        end = offsets[i + 1]
        assert set(found[begin:end]) == set(found_by_them[i])
        assert (np.diff(lengths[begin:end]) >= 0).all()


def test_radius_is_met_to_the_bit_as_in_scikit_learn(dtype):
    # Steps of 0.1: points a radius of 0.3 away lie on either side of it by rounding.
    grid = np.stack(np.meshgrid(np.arange(40), np.arange(40)), axis=-1).reshape(-1, 2)
    X = (grid * 0.1).astype(dtype)
    theirs = KDTree(X).query_radius(X, 0.3, count_only=True)
    np.testing.assert_array_equal(TREES[dtype](X).count_within(X, 0.3), theirs)


def test_equal_distances_go_to_the_lower_row(dtype):
    X = np.repeat(np.arange(5, dtype=dtype), 200)[:, None]
    distances, rows = TREES[dtype](X).nearest(X[[450]], 300)
    np.testing.assert_array_equal(rows[0, :200], np.arange(400, 600))
    np.testing.assert_array_equal(rows[0, 200:], np.arange(200, 300))
    np.testing.assert_array_equal(distances[0], np.repeat([0.0, 1.0], [200, 100]))


def test_share_visited_tells_few_features_from_many(dtype):
    rng = np.random.default_rng(0)
    few, many = (rng.normal(size=(5000, features)).astype(dtype) for features in (2, 30))
    assert TREES[dtype](few).share_visited(few[:64], 5) < 0.1
    assert TREES[dtype](many).share_visited(many[:64] + dtype(0.1), 5) > 0.5


def test_what_would_read_out_of_bounds_is_an_error(dtype):
    X = np.zeros((4, 2), dtype=dtype)
    tree = TREES[dtype](X)
    for k in (0, 5):
        with pytest.raises(ValueError, match="k: expected 1 to 4"):
            tree.nearest(X, k)
    with pytest.raises(ValueError, match="expected 2 features"):
        tree.nearest(np.zeros((1, 3), dtype=dtype), 1)
    with pytest.raises(ValueError, match="at least one row"):
        TREES[dtype](X[:0])
    with pytest.raises(ValueError, match="does not serve"):
        TREES[dtype](X, "cosine")
    with pytest.raises(ValueError, match="p >= 1"):
        TREES[dtype](X, "minkowski", 0.5)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers that send signals")
def test_building_lets_signals_through():
    """A signal while a call holds the interpreter is handled behind the call, and however many: as one.

    So the third one gets through to a handler only where building asks for them.
    """
    X = np.random.default_rng(0).normal(size=(2_000_000, 4))
    handled = []

    def handler(*_):
        handled.append(1)
        if len(handled) == 3:
            raise KeyboardInterrupt

    def build_under_signals():
        signal.setitimer(signal.ITIMER_REAL, 0.03, 0.03)
        try:
            _core.KdTreeF64(X)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    previous = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            build_under_signals()
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert _core.KdTreeF64(X[:1000]).nearest(X[:5], 1)[1].ravel().tolist() == [0, 1, 2, 3, 4]
