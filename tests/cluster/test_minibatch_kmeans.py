"""MiniBatchKMeans: parameters, attributes and methods, held against scikit-learn's."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.cluster
from against_sklearn import assert_same_model, assert_same_outcome, blobs, tolerance
from numpy.testing import assert_allclose, assert_array_equal

from fastml.cluster import KMeans, MiniBatchKMeans

X64 = blobs(700)
WEIGHTS = np.random.RandomState(1).uniform(0, 3, size=len(X64))
WEIGHTS[::7] = 0
STORAGES = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "csr": lambda X: sp.csr_matrix(np.where(np.abs(X) < 3, 0, X)),
    "csr float32": lambda X: sp.csr_array(np.where(np.abs(X) < 3, 0, X).astype(np.float32)),
}
NUMBER = r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?"


def some_rows(X, n_clusters, random_state):
    rows = X[random_state.permutation(X.shape[0])[:n_clusters]]
    return rows.toarray() if sp.issparse(rows) else rows


def assert_same_steps(ours, stock):
    """Assert that two models agree, and would go on alike: the state between batches included."""
    assert_same_model(ours, stock)
    rtol = tolerance(stock.cluster_centers_.dtype)
    assert_allclose(ours._counts, stock._counts, rtol=rtol)
    assert ours._counts.dtype == stock._counts.dtype
    assert ours._n_since_last_reassign == stock._n_since_last_reassign


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"batch_size": 100},
        {"batch_size": 32, "max_iter": 3},
        {"batch_size": 100, "init": "random"},
        {"batch_size": 100, "init": some_rows, "n_init": 2},
        {"batch_size": 100, "init": X64[:8], "n_init": 1},
        {"batch_size": 100, "n_init": 5, "n_clusters": 12},
        {"batch_size": 100, "n_clusters": 1},
        {"batch_size": 10, "n_clusters": 40},
        {"batch_size": 100, "tol": 0.01},
        {"batch_size": 100, "max_no_improvement": None, "max_iter": 5},
        {"batch_size": 100, "max_no_improvement": 0},
        {"batch_size": 100, "compute_labels": False},
        {"batch_size": 100, "init_size": 50},
        {"batch_size": 100, "reassignment_ratio": 0},
        {"batch_size": 20, "n_clusters": 20, "reassignment_ratio": 0.5, "max_no_improvement": None, "max_iter": 4},
    ],
    ids=lambda parameters: (
        ",".join(
            f"{name}={getattr(value, '__name__', 'array' if np.ndim(value) else value)}"
            for name, value in parameters.items()
        )
        or "default"
    ),
)
def test_every_parameter(parameters, storage, weighted):
    X = STORAGES[storage](X64)
    weights = WEIGHTS if weighted else None
    ours = MiniBatchKMeans(**{"random_state": 3, **parameters}).fit(X, sample_weight=weights)
    stock = sklearn.cluster.MiniBatchKMeans(**{"random_state": 3, **parameters}).fit(X, sample_weight=weights)
    assert_same_steps(ours, stock)


def test_a_random_state_is_drawn_from_as_scikit_learn_does():
    draws = []
    for cls in MiniBatchKMeans, sklearn.cluster.MiniBatchKMeans:
        random_state = np.random.RandomState(5)
        cls(12, batch_size=20, n_init=2, random_state=random_state).fit(X64)
        draws.append(random_state.uniform(size=3))
    assert_array_equal(*draws)


def test_no_random_state_draws_from_numpy_s_own():
    labels = []
    for cls in MiniBatchKMeans, sklearn.cluster.MiniBatchKMeans:
        np.random.seed(11)
        labels.append([cls(6).fit(X64).labels_ for _ in range(2)])
    assert_array_equal(*labels)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_init": 2, "init": "random"},
        {"tol": 0.01},
        {"max_iter": 1, "max_no_improvement": None},
        {"n_clusters": 30, "batch_size": 20, "reassignment_ratio": 0.3},
    ],
    ids=str,
)
def test_verbose_prints_scikit_learn_s_lines(capsys, parameters):
    printed = []
    for cls in MiniBatchKMeans, sklearn.cluster.MiniBatchKMeans:
        cls(**{"n_clusters": 5, "batch_size": 100, "random_state": 0, "verbose": 1, **parameters}).fit(X64)
        printed.append(capsys.readouterr().out)
    ours, stock = printed
    assert "Minibatch step 2/" in stock
    assert re.sub(NUMBER, "#", ours).splitlines() == re.sub(NUMBER, "#", stock).splitlines()
    assert_allclose(
        [float(number) for number in re.findall(NUMBER, ours)],
        [float(number) for number in re.findall(NUMBER, stock)],
        rtol=1e-9,
    )


@pytest.mark.parametrize("storage", STORAGES)
def test_methods_of_a_fitted_model(storage):
    X, unseen = STORAGES[storage](X64), STORAGES[storage](blobs(seed=1))
    ours = MiniBatchKMeans(6, random_state=0)
    stock = sklearn.cluster.MiniBatchKMeans(6, random_state=0)
    assert ours.fit(X) is ours
    stock.fit(X)
    rtol = 10 * tolerance(X.dtype)
    assert_array_equal(ours.predict(unseen), stock.predict(unseen))
    assert_allclose(ours.transform(unseen), stock.transform(unseen), rtol=rtol)
    assert_allclose(ours.score(unseen), stock.score(unseen), rtol=rtol)
    assert_allclose(ours.fit_transform(X), stock.fit_transform(X), rtol=20 * rtol)
    assert_array_equal(ours.fit_predict(X, sample_weight=WEIGHTS), stock.fit_predict(X, sample_weight=WEIGHTS))
    assert_array_equal(ours.predict(X), ours.labels_)


def test_without_labels():
    model = MiniBatchKMeans(5, compute_labels=False, random_state=0).fit(X64)
    assert not hasattr(model, "labels_")
    exact = -model.score(X64)
    assert model.inertia_ == pytest.approx(exact, rel=0.2)


def test_without_labels_after_labels():
    ours, stock = (
        cls(5, random_state=0).fit(X64).set_params(compute_labels=False)
        for cls in (MiniBatchKMeans, sklearn.cluster.MiniBatchKMeans)
    )
    assert_same_model(ours.fit(X64[:300]), stock.fit(X64[:300]))


def test_the_answer_is_about_as_good_as_that_of_all_rows():
    X = blobs(5000, 6, 10, seed=3)
    whole = KMeans(10, random_state=0, n_init=3).fit(X)
    batches = MiniBatchKMeans(10, random_state=0, n_init=3, batch_size=256).fit(X)
    assert batches.inertia_ < 1.1 * whole.inertia_


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"init": "random"},
        {"init": X64[:5], "n_init": 1},
        {"init": some_rows},
        {"init_size": 30},
        {"n_clusters": 20, "reassignment_ratio": 0.5},
        {"compute_labels": False},
    ],
    ids=lambda parameters: ",".join(parameters) or "default",
)
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_partial_fit(storage, parameters, weighted):
    X = STORAGES[storage](X64)
    ours, stock = (
        cls(**{"n_clusters": 5, "random_state": 0, **parameters})
        for cls in (MiniBatchKMeans, sklearn.cluster.MiniBatchKMeans)
    )
    for start in range(0, 700, 100):
        rows = slice(start, start + 100)
        weights = WEIGHTS[rows] if weighted else None
        assert ours.partial_fit(X[rows], sample_weight=weights) is ours
        stock.partial_fit(X[rows], sample_weight=weights)
        assert_same_steps(ours, stock)
    assert ours.n_steps_ == 7
    assert_array_equal(ours.predict(X), stock.predict(X))


def test_partial_fit_goes_on_after_fit():
    ours, stock = (
        cls(5, random_state=0, batch_size=100).fit(X64).partial_fit(X64[:50])
        for cls in (MiniBatchKMeans, sklearn.cluster.MiniBatchKMeans)
    )
    assert_same_steps(ours, stock)


def test_fit_starts_anew_after_partial_fit():
    model = MiniBatchKMeans(5, random_state=0, batch_size=100)
    again = MiniBatchKMeans(5, random_state=0, batch_size=100).partial_fit(X64[:60]).fit(X64)
    assert_same_steps(again, model.fit(X64))


@pytest.mark.parametrize("first", [np.float32, np.float64])
def test_partial_fit_keeps_the_float_type_of_its_first_batch(first):
    second = np.float64 if first is np.float32 else np.float32
    model = MiniBatchKMeans(5, random_state=0).partial_fit(X64[:100].astype(first))
    model.partial_fit(X64[100:200].astype(second), sample_weight=WEIGHTS[100:200])
    same = MiniBatchKMeans(5, random_state=0).partial_fit(X64[:100].astype(first))
    same.partial_fit(X64[100:200].astype(second).astype(first), sample_weight=WEIGHTS[100:200])
    assert model.cluster_centers_.dtype == first
    assert_allclose(model.cluster_centers_, same.cluster_centers_, rtol=1e-6)


def test_a_batch_does_not_change_the_centers_a_caller_holds():
    model = MiniBatchKMeans(5, random_state=0).partial_fit(X64[:100])
    centers = model.cluster_centers_
    before = centers.copy()
    model.partial_fit(X64[100:200])
    assert_array_equal(centers, before)
    assert not np.array_equal(model.cluster_centers_, before)


def test_one_cluster_is_the_mean_of_all_rows_ever_received():
    model = MiniBatchKMeans(1, random_state=0)
    for start in range(0, 700, 70):
        model.partial_fit(X64[start : start + 70], sample_weight=WEIGHTS[start : start + 70])
    assert_allclose(model.cluster_centers_[0], np.average(X64, axis=0, weights=WEIGHTS), rtol=1e-10)
    assert_allclose(model._counts, WEIGHTS.sum(), rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [4, 1024])
@pytest.mark.parametrize("X", [np.ones((50, 2)), X64[:, :1], X64[:1]], ids=["constant", "one feature", "one row"])
def test_degenerate_data(X, dtype, batch_size):
    X = X.astype(dtype)
    ours, stock = assert_same_outcome(
        MiniBatchKMeans, lambda cls: cls(min(8, len(X)), random_state=0, batch_size=batch_size).fit(X)
    )
    assert_same_steps(ours.value, stock.value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [4, 1024])
@pytest.mark.parametrize("X", [np.repeat(X64[:4], 10, axis=0), X64[:8]], ids=["duplicates", "k = n"])
def test_centers_on_top_of_each_other(X, dtype, batch_size):
    # Reassigned centres stand where others stand, up to rounding, which decides the labels: in scikit-learn as here.
    X = X.astype(dtype)
    ours, stock = assert_same_outcome(MiniBatchKMeans, lambda cls: cls(8, random_state=0, batch_size=batch_size).fit(X))
    distances = ours.value.transform(X)
    # |x|^2 - 2xc + |c|^2 of x = c: d + 4 roundings of up to |x|^2.
    tiny = np.sqrt((X.shape[1] + 4) * np.finfo(dtype).eps) * np.linalg.norm(X, axis=1).max()
    assert_allclose(distances[np.arange(len(X)), ours.value.labels_], distances.min(axis=1), atol=tiny)
    assert_allclose(ours.value.inertia_, stock.value.inertia_, rtol=1e-3, atol=tiny)
    assert (distances.min(axis=0) < X.std()).all()


def test_small_init_size_is_warned_of():
    ours, _ = assert_same_outcome(MiniBatchKMeans, lambda cls: cls(8, init_size=4, random_state=0).fit(X64))
    assert "init_size=4 should be larger than n_clusters=8" in ours.warnings[0][1]
