"""Threads inside a call, several calls at once, and calls inside joblib's workers."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from against_sklearn import ESTIMATORS, blobs
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

import fastml
from fastml.cluster import KMeans, MiniBatchKMeans, kmeans_plusplus

# Enough rows for several threads to be worth their while.
X64 = blobs(60_000, 12, 10, seed=1)
X32 = X64.astype(np.float32)
SPARSE = sp.csr_matrix(np.where(np.abs(X64) < 8, 0, X64))
SAMPLES = {"float64": X64, "float32": X32, "csr": SPARSE}


def fit(cls, X, seed):
    return cls(15, random_state=seed, n_init=1, max_iter=20).fit(X)


def state(model):
    return model.labels_, model.cluster_centers_, np.array([model.inertia_, model.n_iter_])


@pytest.mark.parametrize("storage", SAMPLES)
@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_fits_on_as_many_threads_are_equal_to_the_last_bit(cls, storage, n_threads):
    with fastml.config_context(n_threads=n_threads):
        first, *others = [state(fit(cls, SAMPLES[storage], 0)) for _ in range(4)]
    for other in others:
        for ours, theirs in zip(first, other):
            assert_array_equal(ours, theirs)


@pytest.mark.parametrize("storage", SAMPLES)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_number_of_threads_changes_nothing_but_the_last_digits(cls, storage):
    with fastml.config_context(n_threads=1):
        one = fit(cls, SAMPLES[storage], 0)
    with fastml.config_context(n_threads=2):
        two = fit(cls, SAMPLES[storage], 0)
    assert_array_equal(one.labels_, two.labels_)
    assert one.n_iter_ == two.n_iter_
    assert_allclose(one.cluster_centers_, two.cluster_centers_, rtol=0, atol=1e-5 if storage == "float32" else 1e-10)


@pytest.mark.parametrize("storage", SAMPLES)
def test_predictions_do_not_depend_on_the_number_of_threads(storage):
    model = fit(KMeans, SAMPLES[storage], 0)
    with fastml.config_context(n_threads=1):
        one = model.predict(SAMPLES[storage]), model.transform(SAMPLES[storage])
        score, seeds = model.score(SAMPLES[storage]), kmeans_plusplus(SAMPLES[storage], 9, random_state=0)[1]
    with fastml.config_context(n_threads=2):
        assert_array_equal(model.predict(SAMPLES[storage]), one[0])
        assert_array_equal(model.transform(SAMPLES[storage]), one[1])
        assert model.score(SAMPLES[storage]) == score
        assert_array_equal(kmeans_plusplus(SAMPLES[storage], 9, random_state=0)[1], seeds)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_fits_in_several_threads_at_once(cls):
    tasks = [(SAMPLES[storage], seed) for storage in SAMPLES for seed in range(4)]
    alone = [state(fit(cls, X, seed)) for X, seed in tasks]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda task: state(fit(cls, *task)), tasks))
    for ours, theirs in zip(alone, together):
        for a, b in zip(ours, theirs):
            assert_array_equal(a, b)


def test_one_model_used_by_several_threads_at_once():
    model = fit(KMeans, X32, 0)
    blocks = np.array_split(X32, 50)
    with ThreadPoolExecutor(4) as pool:
        assert_array_equal(np.concatenate(list(pool.map(model.predict, blocks))), model.labels_)
        distances = np.concatenate(list(pool.map(model.transform, blocks)))
    assert_array_equal(distances, model.transform(X32))


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_fits_in_joblib_workers(cls, backend):
    alone = [fit(cls, X64, seed) for seed in range(3)]
    together = Parallel(n_jobs=2, backend=backend)(delayed(fit)(cls, X64, seed) for seed in range(3))
    for ours, theirs in zip(alone, together):
        assert_array_equal(ours.labels_, theirs.labels_)
        assert ours.n_iter_ == theirs.n_iter_
        assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9)


THREADS_OF_A_FIT = """
import os
import numpy as np
from threadpoolctl import threadpool_limits
import fastml
from fastml.cluster import KMeans, MiniBatchKMeans, kmeans_plusplus
X = np.random.RandomState(0).standard_normal((200_000, 8)).astype(np.float32)
count = lambda: len(os.listdir("/proc/self/task"))
X @ X[:8].T  # NumPy's own threads have started
before = count()
{}
    KMeans(20, random_state=0, max_iter=5).fit(X).predict(X)
    MiniBatchKMeans(20, random_state=0, batch_size=50_000, max_iter=1).fit(X).transform(X)
    kmeans_plusplus(X, 5, random_state=0)
print(count() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in Linux' /proc")
@pytest.mark.parametrize(
    ("limit", "environment", "started"),
    [
        ("with fastml.config_context():", {}, (os.cpu_count() or 1) - 1),
        ("with fastml.config_context(n_threads=1):", {}, 0),
        ("with threadpool_limits(1):", {}, 0),
        ("with threadpool_limits(1, user_api='openmp'):", {}, 0),
        ("if True:", {"FASTML_NUM_THREADS": "1"}, 0),
        ("if True:", {"OMP_NUM_THREADS": "1"}, 0),
    ],
)
def test_a_call_starts_no_more_threads_than_it_may(limit, environment, started):
    run = subprocess.run(
        [sys.executable, "-c", THREADS_OF_A_FIT.format(limit)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) <= started
    if started == 0:
        assert int(run.stdout) == 0


def test_limits_are_seen_by_the_fit():
    with fastml.config_context(n_threads=1):
        assert fit(KMeans, X64, 0)._n_threads == 1
    with threadpool_limits(1, user_api="openmp"):
        assert fit(KMeans, X64, 0)._n_threads == 1
        assert fit(MiniBatchKMeans, X64, 0)._n_threads == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_fit_in_a_forked_child_of_a_process_that_has_fitted():
    # GNU's OpenMP would wait for ever there if it were asked for threads.
    expected = fit(KMeans, X64, 0)
    run = Parallel(n_jobs=2, backend="multiprocessing")(delayed(fit)(KMeans, X64, 0) for _ in range(2))
    for model in run:
        assert_array_equal(model.labels_, expected.labels_)
