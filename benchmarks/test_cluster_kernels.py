"""Times of k-means' kernels one by one: ``pytest benchmarks -k cluster --benchmark-group-by=func``.

One thread each, so that figures tell of the kernel and not of waiting; the reference answers are NumPy's.
"""

import numpy as np
import pytest
import scipy.sparse as sp

from benchmarks.datasets import overlapping_blobs, sparse_texts
from fastml import _core
from fastml.cluster._input import core_input

# rows, features, clusters: few features, the usual, many clusters, many features.
SHAPES = {
    "low": (50_000, 4, 12),
    "middle": (20_000, 16, 50),
    "many": (20_000, 48, 256),
    "wide": (4_000, 512, 10),
}
LLOYD = {"float32": _core.LloydF32, "float64": _core.LloydF64}
SEEDING = {"float32": _core.SeedingF32, "float64": _core.SeedingF64}

dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])
shapes = pytest.mark.parametrize("shape", SHAPES)


def dense(shape, dtype):
    rows, features, clusters = SHAPES[shape]
    return overlapping_blobs(rows, features, clusters, separation=4.0, dtype=dtype)


def sparse(dtype):
    return sparse_texts(rows=5_000, features=2_000, density=0.01, starts=20, dtype=dtype)


def squared_distances(X, centers):
    X = X.toarray() if sp.issparse(X) else X
    X, centers = X.astype(np.float64), centers.astype(np.float64)
    return (X**2).sum(axis=1)[:, None] - 2 * X @ centers.T + (centers**2).sum(axis=1)


def lloyd(samples, dtype):
    run = LLOYD[dtype](core_input(samples.X), len(samples.starts), n_threads=1)
    run.start(samples.starts)
    return run


def assert_closest(labels, samples):
    """Check that no other start is closer to a row than its own, up to the rounding that settles ties."""
    distances = squared_distances(samples.X, samples.starts)
    chosen = np.take_along_axis(distances, labels[:, None].astype(int), axis=1)[:, 0]
    largest = (samples.starts.astype(np.float64) ** 2).sum(axis=1).max()
    np.testing.assert_allclose(chosen, distances.min(axis=1), rtol=0, atol=16 * np.finfo(samples.X.dtype).eps * largest)


@shapes
@dtypes
def test_first_iteration(benchmark, shape, dtype):
    """Every row is compared with every centroid."""
    samples = dense(shape, dtype)
    run = lloyd(samples, dtype)

    def call():
        run.start(samples.starts)
        run.iterate(1, 0.0)

    benchmark(call)
    assert_closest(run.labels(), samples)


@dtypes
def test_first_iteration_sparse(benchmark, dtype):
    samples = sparse(dtype)
    run = lloyd(samples, dtype)

    def call():
        run.start(samples.starts)
        run.iterate(1, 0.0)

    benchmark(call)
    assert_closest(run.labels(), samples)


@shapes
@dtypes
def test_later_iterations(benchmark, shape, dtype):
    """Iterations 11 to 15: most rows could be skipped."""
    samples = dense(shape, dtype)

    def start():
        run = lloyd(samples, dtype)
        run.iterate(10, 0.0)
        return (run,), {}

    def call(run):
        run.iterate(5, 0.0)
        return run

    run = benchmark.pedantic(call, setup=start, rounds=10)
    assert run.iterations == 15
    assert run.inertia() < squared_distances(samples.X, samples.starts).min(axis=1).sum()


@shapes
@dtypes
def test_predict(benchmark, shape, dtype):
    samples = dense(shape, dtype)
    labels = benchmark(_core.kmeans_labels, samples.X, samples.starts)
    assert_closest(labels, samples)


@shapes
@dtypes
def test_transform(benchmark, shape, dtype):
    samples = dense(shape, dtype)
    distances = benchmark(_core.kmeans_distances, samples.X, samples.starts)
    expected = np.sqrt(np.maximum(squared_distances(samples.X, samples.starts), 0))
    # float32: |x|^2 - 2 x c + |c|^2 cancels where a row is close to a centroid.
    np.testing.assert_allclose(distances, expected, rtol=1e-3 if dtype == "float32" else 1e-9, atol=1e-2)


@shapes
@dtypes
def test_seeding_distances(benchmark, shape, dtype):
    """One step of k-means++: all candidates of a step in one pass."""
    samples = dense(shape, dtype)
    seeding = SEEDING[dtype](core_input(samples.X), None, 1)
    candidates = np.arange(6) * 100
    closest = seeding.distances(np.array([50]))[0]
    distances = benchmark(seeding.distances, candidates, closest)
    expected = np.minimum(squared_distances(samples.X, samples.X[candidates]).T, closest)
    np.testing.assert_allclose(distances, expected, rtol=1e-4, atol=1e-3 * float(closest.mean()))


@dtypes
def test_search_cumulative(benchmark, dtype):
    rng = np.random.default_rng(0)
    closest = rng.random(100_000, dtype=np.dtype(dtype).type)
    draws = rng.random(6) * closest.sum()
    found = benchmark(_core.search_cumulative, closest, None, draws)
    np.testing.assert_array_equal(found, np.searchsorted(np.cumsum(closest), draws))


@dtypes
def test_all_finite(benchmark, dtype):
    X = np.random.default_rng(0).random((50_000, 16), dtype=np.dtype(dtype).type)
    assert benchmark(_core.all_finite, X)
    X[-1, -1] = np.nan
    assert not _core.all_finite(X)
