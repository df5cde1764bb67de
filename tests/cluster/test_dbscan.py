"""DBSCAN beside scikit-learn's: every attribute, error and warning, for every kind of input."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import sklearn.cluster
from against_sklearn import blobs, outcome
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import radius_neighbors_graph

import fastml
from fastml.cluster import DBSCAN, dbscan

X = np.round(blobs(300, 3, seed=4), 2)
NAMES = ["height", "width", "depth"]


def assert_equal_models(ours, stock):
    """Assert that two fitted models are the same, types included."""
    ours, stock = ({k: v for k, v in vars(m).items() if k.endswith("_")} for m in (ours, stock))
    assert ours.keys() == stock.keys()
    for name, expected in stock.items():
        value = ours[name]
        assert type(value) is type(expected), name
        if sp.issparse(expected):
            assert value.dtype == expected.dtype
            assert_array_equal(value.toarray(), expected.toarray(), err_msg=name)
        elif isinstance(expected, np.ndarray):
            assert value.dtype == expected.dtype, name
            assert_array_equal(value, expected, err_msg=name)
        else:
            assert value == expected, name


def compare(X, weights=None, **parameters):
    """Fit both; assert the same outcome, warnings and errors included, and return our model."""
    ours, stock = (
        outcome(lambda cls=cls: cls(**parameters).fit(X, sample_weight=weights))
        for cls in (DBSCAN, sklearn.cluster.DBSCAN)
    )
    assert ours.error == stock.error
    assert ours.warnings == stock.warnings
    if stock.error is None:
        assert_equal_models(ours.value, stock.value)
    return ours.value


# ---- features


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_features", [1, 2, 3, 8, 12, 17, 40])
@pytest.mark.parametrize("eps", [0.3, 0.7, 1.2, 3.0])
def test_shapes(n_features, eps, dtype):
    given = blobs(500, n_features, seed=n_features, dtype=dtype)
    given[::9] += np.random.RandomState(0).uniform(-6, 6, size=given[::9].shape).astype(dtype)
    model = compare(given, eps=eps * np.sqrt(n_features), min_samples=6)
    if eps == (0.7 if n_features <= 8 else 1.2):
        assert len(set(model.labels_)) > 2, "a case with clusters"


@pytest.mark.parametrize("n_samples", [1, 2, 5, 11, 12, 13, 31, 32, 33, 127, 128, 129, 1000])
def test_numbers_of_samples(n_samples):
    for n_features in 2, 15:
        compare(blobs(n_samples, n_features, seed=n_samples), eps=0.9 * np.sqrt(n_features), min_samples=3)


@pytest.mark.parametrize("algorithm", ["auto", "brute", "kd_tree", "ball_tree"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"metric": "euclidean"},
        {"metric": "l2"},
        {"metric": "sqeuclidean"},
        {"metric": "manhattan", "p": 3},
        {"metric": "l1"},
        {"metric": "cityblock"},
        {"metric": "chebyshev"},
        {"metric": "infinity"},
        {"metric": "cosine"},
        {"metric": "p", "p": 2},
        {"metric": "minkowski"},
        {"metric": "minkowski", "p": 1},
        {"metric": "minkowski", "p": 1.5},
        {"metric": "minkowski", "p": 2},
        {"metric": "minkowski", "p": 3},
        {"metric": "minkowski", "p": np.inf},
        {"metric": "minkowski", "p": 0.5},
        {"metric": "minkowski", "p": 0},
        {"metric": "minkowski", "p": 1, "metric_params": {"p": 3}},
        {"metric": "minkowski", "p": 2, "metric_params": {"w": [1.0, 0.2, 2.5]}},
        {"metric": "minkowski", "metric_params": {"w": np.array([1, 0, 2]), "p": 4}},
    ],
    ids=str,
)
def test_metrics(parameters, algorithm):
    eps = 0.003 if parameters["metric"] == "cosine" else 1.1
    compare(X, eps=eps, min_samples=4, algorithm=algorithm, **parameters)


@pytest.mark.parametrize("n_features", [2, 11])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
@pytest.mark.parametrize("eps", [1, 2, 3])
def test_distances_of_exactly_eps(n_features, metric, eps):
    lattice = np.random.RandomState(0).randint(0, 7 if n_features == 2 else 3, size=(400, n_features))
    model = compare(lattice, eps=eps, min_samples=9, metric=metric)
    assert model.components_.dtype == (lattice.dtype if len(model.core_sample_indices_) else np.float64)
    compare(lattice.astype(np.float32), eps=eps, min_samples=9, metric=metric)


def test_equal_samples():
    equal = np.full((200, 4), 2.5)
    compare(equal, eps=1e-9, min_samples=200)
    model = compare(equal, eps=1e-9, min_samples=201)
    assert (model.labels_ == -1).all()
    assert model.components_.shape == (0, 4)


def test_border_samples_go_to_the_first_cluster():
    # Of these 1 and 3 are core, and 2 is within eps of both.
    line = np.array([0.0, 0.3, 0.5, 1.0, 2.0, 3.0, 3.5, 3.7, 4.0])
    rng = np.random.default_rng(0)
    for _ in range(30):
        order = rng.permutation(9)
        model = compare(line[order, None], eps=1.0, min_samples=5)
        assert_array_equal(np.sort(line[order][model.core_sample_indices_]), [1.0, 3.0])
        assert model.labels_[line[order] == 2.0] == 0


def test_large_and_small_eps():
    compare(X, eps=np.inf, min_samples=300)
    compare(X, eps=1e300, min_samples=2)
    compare(X, eps=1e-300, min_samples=1)
    compare(X, eps=np.float32(0.5))
    compare(X, eps=1, min_samples=np.int64(3))


def test_far_from_the_origin():
    far = np.vstack([X, X + 1e8])
    compare(far, eps=0.7, min_samples=4)
    wide = np.vstack([np.hstack([X] * 4), np.hstack([X] * 4) + 1e8])
    compare(wide, eps=1.4, min_samples=4, algorithm="kd_tree")


def test_threads_change_nothing():
    many = blobs(6000, 3, n_blobs=8, seed=1)
    for given, eps in ((many, 0.5), (np.hstack([many] * 5), 1.2)):
        with fastml.config_context(n_threads=1):
            one = DBSCAN(eps=eps, min_samples=8).fit(given)
        for n_jobs in (None, 2, -1):
            assert_equal_models(DBSCAN(eps=eps, min_samples=8, n_jobs=n_jobs).fit(given), one)


# ---- weights


@pytest.mark.parametrize("n_features", [2, 14])
def test_weights(n_features):
    given = blobs(400, n_features, seed=9)
    rng = np.random.RandomState(0)
    for weights in (
        rng.randint(0, 4, size=400),
        rng.randint(-3, 4, size=400),
        rng.randint(-3, 4, size=400).astype(np.float32),
        rng.uniform(size=400),
        np.full(400, 5.0),
        np.zeros(400),
        3,
        list(range(400)),
    ):
        compare(given, weights, eps=0.8 * np.sqrt(n_features), min_samples=6)


def test_a_tenth_ten_times_is_enough():
    model = DBSCAN(eps=1, min_samples=1).fit(np.zeros((10, 1)), sample_weight=np.full(10, 0.1))
    assert_array_equal(model.labels_, np.zeros(10))


# ---- inputs


def read_only_memmap(tmp_path):
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r")


INPUTS = {
    "list": X.tolist(),
    "Fortran order": np.asfortranarray(X),
    "every other row": np.repeat(X, 2, axis=0)[::2],
    "every other column": np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": X[::-1, ::-1],
    "big-endian": X.astype(">f8"),
    "float16": X.astype(np.float16),
    "longdouble": X.astype(np.longdouble),
    "object": X.astype(object),
    "int64": (X * 2).astype(np.int64),
    "int8": X.astype(np.int8),
    "bool": X > 0,
    "pandas": pd.DataFrame(X, columns=NAMES),
    "pandas, mixed types": pd.DataFrame(X, columns=NAMES).astype({"height": np.float32}),
    "polars": pl.DataFrame(X, schema=NAMES),
    "csr": sp.csr_matrix(np.where(np.abs(X) < 4, 0, X)),
    "csc array": sp.csc_array(np.where(np.abs(X) < 4, 0, X)),
    "csr of float32": sp.csr_array(X.astype(np.float32)),
}


@pytest.mark.parametrize("name", INPUTS)
def test_inputs(name):
    compare(INPUTS[name], eps=0.9, min_samples=4)


def test_read_only_memmap(tmp_path):
    compare(read_only_memmap(tmp_path), eps=0.9, min_samples=4)


def test_samples_are_left_alone():
    given = X.copy()
    model = DBSCAN(eps=0.9).fit(given)
    assert_array_equal(given, X)
    model.components_[:] = 0
    assert_array_equal(given, X)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan", "chebyshev", "minkowski"])
def test_sparse_metrics(metric):
    given = sp.csr_matrix(np.where(np.abs(X) < 4, 0, X))
    eps = 0.003 if metric == "cosine" else 0.9
    for algorithm in ("auto", "brute", "kd_tree", "ball_tree"):
        compare(given, eps=eps, min_samples=4, metric=metric, p=2, algorithm=algorithm)


# ---- distances that are given


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_precomputed(dtype):
    distances = pairwise_distances(X).astype(dtype)
    compare(distances, eps=0.9 if dtype != np.int64 else 1, min_samples=5, metric="precomputed")
    compare(np.asfortranarray(distances), np.arange(300) % 4 - 1, eps=1, min_samples=5, metric="precomputed")
    compare(distances, eps=1, metric="precomputed", algorithm="kd_tree")


@pytest.mark.parametrize("seed", range(10))
def test_precomputed_without_symmetry(seed):
    rng = np.random.RandomState(seed)
    distances = rng.uniform(size=(60, 60))
    compare(distances, eps=0.08, min_samples=5, metric="precomputed")
    np.fill_diagonal(distances, 0)
    compare(distances, eps=0.05, min_samples=4, metric="precomputed")
    compare(sp.csr_matrix(np.where(distances < 0.2, distances, 0)), eps=0.05, min_samples=4, metric="precomputed")


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csr_array, sp.csc_matrix, sp.coo_array, sp.lil_matrix])
def test_precomputed_graph(container):
    graph = container(radius_neighbors_graph(X, 1.5, mode="distance"))
    before = graph.toarray()
    for include_self in (False, True):
        given = container(radius_neighbors_graph(X, 1.5, mode="distance", include_self=include_self))
        compare(given, eps=0.9, min_samples=5, metric="precomputed")
        compare(given, np.arange(300) % 5 - 1, eps=0.9, min_samples=5, metric="precomputed")
    assert_array_equal(graph.toarray(), before)


def test_precomputed_graph_of_wide_indices():
    graph = radius_neighbors_graph(X, 1.5, mode="distance")
    wide = graph.copy()
    wide.indices, wide.indptr = graph.indices.astype(np.int64), graph.indptr.astype(np.int64)
    compare(wide, eps=0.9, metric="precomputed")
    mixed = graph.copy()
    mixed.indptr = graph.indptr.astype(np.int64)
    compare(mixed, eps=0.9, metric="precomputed")


# ---- bad input


BAD_SAMPLES = {
    "nan": np.where(X > 5, np.nan, X),
    "inf": np.where(X > 5, np.inf, X),
    "one dimension": X[:, 0],
    "three dimensions": X[:, :, None],
    "no rows": X[:0],
    "no columns": X[:, :0],
    "words": np.array([["a", "b"]] * 10),
    "complex": X.astype(complex),
    "ragged": [[1.0, 2.0], [3.0]],
    "None": None,
    "nan in csr": sp.csr_matrix(np.where(X > 5, np.nan, X)),
}


@pytest.mark.parametrize("name", BAD_SAMPLES)
def test_bad_samples(name):
    assert compare(BAD_SAMPLES[name]) is None


@pytest.mark.parametrize(
    "weights",
    [np.ones(5), np.ones((300, 2)), np.full(300, np.nan), np.full(300, np.inf), ["a"] * 300, "balanced"],
    ids=["too few", "two columns", "nan", "inf", "words", "a word"],
)
def test_bad_weights(weights):
    assert compare(X, weights) is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"eps": 0},
        {"eps": -1.0},
        {"eps": "a"},
        {"eps": np.nan},
        {"min_samples": 0},
        {"min_samples": 2.5},
        {"metric": "blah"},
        {"metric": 3},
        {"metric": None},
        {"metric": ["euclidean"]},
        {"metric_params": 3},
        {"algorithm": "blah"},
        {"algorithm": "kd_tree", "metric": "cosine"},
        {"leaf_size": -1},
        {"p": -1},
        {"n_jobs": "a"},
        {"algorithm": "kd_tree", "metric": "minkowski", "p": 2, "metric_params": {"w": [1.0, 1.0, 1.0]}},
    ],
    ids=str,
)
def test_bad_parameters(parameters):
    assert compare(X, **parameters) is None


def test_bad_distances():
    distances = pairwise_distances(X)
    for bad in (distances[:5], distances - 1, distances * np.nan, X[:3] * 0 + np.eye(3) * -1):
        assert compare(bad, metric="precomputed") is None
        assert compare(sp.csr_matrix(bad), metric="precomputed") is None
    assert compare(distances, metric="precomputed", algorithm="ball_tree") is None


def test_a_failed_fit_changes_nothing():
    model = DBSCAN(eps=0.9).fit(X)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(BAD_SAMPLES["nan"])
    assert vars(model) == before


# ---- the rest of the estimator


def test_function():
    for parameters in ({}, {"eps": 0.9, "min_samples": 4}, {"eps": 2, "p": 1}, {"eps": 0.003, "metric": "cosine"}):
        for weights in (None, np.arange(300) % 3):
            ours = dbscan(X, **parameters, sample_weight=weights)
            stock = sklearn.cluster.dbscan(X, **parameters, sample_weight=weights)
            for a, b in zip(ours, stock, strict=True):
                assert a.dtype == b.dtype
                assert_array_equal(a, b)
    ours, stock = (outcome(lambda f=f: f(X, eps=-1)) for f in (dbscan, sklearn.cluster.dbscan))
    assert ours.error == stock.error is not None


def test_fit_predict_pickle_and_clone():
    model = DBSCAN(eps=0.9, min_samples=4)
    labels = model.fit_predict(X, sample_weight=np.ones(300))
    assert_array_equal(labels, model.labels_)
    assert_equal_models(pickle.loads(pickle.dumps(model)), model)
    assert not hasattr(clone(model), "labels_")
    stock = fastml.to_sklearn(model)
    assert type(stock) is sklearn.cluster.DBSCAN
    assert_array_equal(stock.labels_, labels)


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        (X, {"metric": lambda x, y: np.abs(x - y).max()}),
        (X, {"metric": "canberra", "eps": 0.1}),
        (X, {"metric": "mahalanobis", "metric_params": {"VI": np.eye(3)}, "algorithm": "brute"}),
        (sp.random_array((400, 4000), density=0.01, format="csr", rng=0), {"eps": 1.0}),
    ],
    ids=["callable", "canberra", "metric_params", "sparse"],
)
def test_what_runs_on_scikit_learn(given, parameters):
    with pytest.raises(fastml.FallbackError, match=r"DBSCAN\.fit: it needs"):
        DBSCAN(**parameters).fit(given)
    with fastml.config_context(fallback="silent"), warnings.catch_warnings():
        warnings.simplefilter("error")
        compare(given, **parameters)
