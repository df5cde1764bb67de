"""kmeans_plusplus and k_means: what scikit-learn's functions return, raise and warn of."""

import inspect

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.cluster
from against_sklearn import blobs, outcome, tolerance
from numpy.testing import assert_allclose, assert_array_equal

from fastml.cluster import KMeans, k_means, kmeans_plusplus

X64 = blobs(400)
WEIGHTS = np.random.RandomState(0).uniform(size=400)
WEIGHTS[:100] = 0
STORAGES = {
    "float64": X64,
    "float32": X64.astype(np.float32),
    "int": np.rint(X64 * 1000).astype(np.int32),
    "Fortran order": np.asfortranarray(X64),
    "csr": sp.csr_matrix(np.where(np.abs(X64) < 3, 0, X64)),
    "csc": sp.csc_array(np.where(np.abs(X64) < 3, 0, X64)),
    "csr float32": sp.csr_matrix(np.where(np.abs(X64) < 3, 0, X64).astype(np.float32)),
}


@pytest.mark.parametrize("function", [k_means, kmeans_plusplus])
def test_signature_and_documentation(function):
    stock = getattr(sklearn.cluster, function.__name__)
    assert inspect.signature(function) == inspect.signature(stock)
    assert function.__doc__ == stock.__doc__


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("storage", STORAGES)
def test_kmeans_plusplus_chooses_the_rows_that_scikit_learn_does(storage, weights):
    X = STORAGES[storage]
    for seed in range(10):
        centers, indices = kmeans_plusplus(X, 12, random_state=seed, sample_weight=weights)
        expected_centers, expected_indices = sklearn.cluster.kmeans_plusplus(
            X, 12, random_state=seed, sample_weight=weights
        )
        assert_array_equal(indices, expected_indices)
        assert indices.dtype == expected_indices.dtype
        assert_array_equal(centers, expected_centers)
        assert centers.dtype == expected_centers.dtype
        assert_array_equal(centers, X[indices].toarray() if sp.issparse(X) else X[indices])
    if weights is not None:
        assert (WEIGHTS[indices] > 0).all()


def test_kmeans_plusplus_takes_what_can_be_made_an_array():
    # scikit-learn's checks these too, and then fails on them.
    expected = kmeans_plusplus(X64, 5, random_state=0)
    for given in X64.tolist(), pd.DataFrame(X64):
        centers, indices = kmeans_plusplus(given, 5, random_state=0)
        assert_array_equal(indices, expected[1])
        assert_array_equal(centers, expected[0])


@pytest.mark.parametrize("n_local_trials", [None, 1, 2, 7, 20])
def test_trials(n_local_trials):
    _, indices = kmeans_plusplus(X64, 20, random_state=0, n_local_trials=n_local_trials)
    _, expected = sklearn.cluster.kmeans_plusplus(X64, 20, random_state=0, n_local_trials=n_local_trials)
    assert_array_equal(indices, expected)


def test_squared_norms_may_be_given():
    norms = (X64**2).sum(axis=1)
    for given in norms, norms.tolist():
        _, indices = kmeans_plusplus(X64, 5, x_squared_norms=given, random_state=0)
        assert_array_equal(indices, kmeans_plusplus(X64, 5, random_state=0)[1])


def test_a_random_state_is_drawn_from_as_scikit_learn_does():
    draws = []
    for function in kmeans_plusplus, sklearn.cluster.kmeans_plusplus:
        random_state = np.random.RandomState(3)
        function(X64, 9, random_state=random_state)
        draws.append(random_state.uniform())
    assert draws[0] == draws[1]


def test_every_row_can_be_a_center():
    _, indices = kmeans_plusplus(X64[:50], 50, random_state=0)
    assert_array_equal(np.sort(indices), np.arange(50))


def test_duplicates_are_chosen_once_while_there_are_others():
    X = np.repeat(X64[:6], 30, axis=0)
    centers, _ = kmeans_plusplus(X, 6, random_state=0)
    assert len(np.unique(centers, axis=0)) == 6


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_clusters": 401},
        {"n_clusters": 0},
        {"n_clusters": 2.5},
        {"X": X64[0]},
        {"X": X64 * np.nan},
        {"X": X64[:0]},
        {"X": "rows"},
        {"X": [["a"]]},
        {"sample_weight": np.ones(3)},
        {"sample_weight": "all"},
        {"sample_weight": np.zeros(400)},
        {"x_squared_norms": np.ones(3)},
        {"x_squared_norms": "none"},
        {"x_squared_norms": np.full(400, np.nan)},
        {"random_state": "seed"},
        {"n_local_trials": 0},
    ],
    ids=lambda parameters: ",".join(f"{name}={type(value).__name__}" for name, value in parameters.items()),
)
def test_bad_arguments_of_kmeans_plusplus(parameters):
    arguments = {"X": X64, "n_clusters": 3, "random_state": 0, **parameters}
    ours = outcome(lambda: kmeans_plusplus(**arguments))
    stock = outcome(lambda: sklearn.cluster.kmeans_plusplus(**arguments))
    assert (ours.error, ours.warnings) == (stock.error, stock.warnings)
    assert ours.error is not None or ours.warnings


@pytest.mark.parametrize("return_n_iter", [False, True])
@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize(
    "parameters",
    [{}, {"init": "random", "n_init": 2}, {"algorithm": "elkan", "tol": 0}, {"max_iter": 2, "copy_x": False}],
    ids=str,
)
def test_k_means(parameters, storage, return_n_iter):
    X = STORAGES[storage]
    arguments = {
        "sample_weight": WEIGHTS,
        "random_state": np.random.RandomState(0).randint(9),
        "return_n_iter": return_n_iter,
        **parameters,
    }
    ours = k_means(X, 5, **arguments)
    stock = sklearn.cluster.k_means(X, 5, **arguments)
    assert len(ours) == len(stock) == 3 + return_n_iter
    rtol = tolerance(stock[0].dtype)
    assert_allclose(ours[0], stock[0], rtol=0, atol=rtol * np.abs(stock[0]).max())
    assert_array_equal(ours[1], stock[1])
    assert_allclose(ours[2], stock[2], rtol=rtol)
    assert ours[3:] == stock[3:]


def test_k_means_is_kmeans():
    centers, labels, inertia = k_means(X64, 5, random_state=0)
    model = KMeans(5, random_state=0).fit(X64)
    assert_array_equal(centers, model.cluster_centers_)
    assert_array_equal(labels, model.labels_)
    assert inertia == model.inertia_


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_clusters": 401},
        {"n_clusters": "3"},
        {"X": X64[0]},
        {"X": X64 * np.inf},
        {"X": None},
        {"init": X64[:2]},
        {"init": X64[:3], "n_init": 3},
        {"algorithm": "auto"},
        {"return_n_iter": 1},
        {"sample_weight": np.ones(3)},
        {"sample_weight": "all"},
        {"tol": -1},
    ],
    ids=lambda parameters: ",".join(f"{name}={type(value).__name__}" for name, value in parameters.items()),
)
def test_bad_arguments_of_k_means(parameters):
    arguments = {"X": X64, "n_clusters": 3, "random_state": 0, **parameters}
    ours = outcome(lambda: k_means(**arguments))
    stock = outcome(lambda: sklearn.cluster.k_means(**arguments))
    assert (ours.error, ours.warnings) == (stock.error, stock.warnings)
    assert ours.error is not None or ours.warnings
