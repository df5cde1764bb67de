"""What holds for a fitted KMeans on any data: few rows, duplicates, extreme magnitudes."""

import warnings

import numpy as np
import pytest
import sklearn.cluster
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as npst
from sklearn.exceptions import ConvergenceWarning

from fastml.cluster import KMeans, MiniBatchKMeans

SETTINGS = settings(
    max_examples=150,
    deadline=None,  # other work on the machine must not fail a test
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def problems(draw, magnitudes):
    """Draw (X, n_clusters, weights, seed)."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    shape = draw(st.tuples(st.integers(1, 40), st.integers(1, 6)))
    largest = magnitudes[dtype]
    width = 8 * np.dtype(dtype).itemsize
    elements = st.one_of(
        st.integers(-3, 3).map(float),
        st.floats(-largest, largest, width=width, allow_subnormal=False),
        st.floats(-1, 1, width=width, allow_subnormal=False),
    )
    X = draw(npst.arrays(dtype, shape, elements=elements, fill=st.just(0.0)))
    repeats = draw(st.integers(1, 3))
    X = np.repeat(X, repeats, axis=0)
    n_clusters = draw(st.integers(1, len(X)))
    weights = draw(st.one_of(st.none(), npst.arrays(np.float64, len(X), elements=st.integers(1, 5).map(float))))
    return X, n_clusters, weights, draw(st.integers(0, 1000))


def fit(cls, X, weights, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return cls(**parameters).fit(X, sample_weight=weights)


def all_clusters_have_rows(model):
    """Tell whether labels and centres need to agree.

    With fewer distinct rows than clusters, rounding errors may be taken for rows far from their centres, and empty
    clusters be put there in the last step; labels are from before it, in scikit-learn as here (test_kmeans.py has an
    example).
    """
    return len(np.unique(model.labels_)) == model.n_clusters


def wide(array):
    return np.asarray(array).astype(np.longdouble)


def squared_distances(X, centers):
    return ((wide(X)[:, None] - wide(centers)) ** 2).sum(axis=2)


def rounding(X, terms):
    """Return how far off a squared distance between rows of X may be."""
    largest = np.abs(wide(X)).max()
    return 16 * terms * np.finfo(X.dtype).eps * largest**2 + np.finfo(X.dtype).tiny


# Squares of larger numbers overflow.
ORDINARY = {np.float32: 1e3, np.float64: 1e3}
EXTREME = {np.float32: 2.0**50, np.float64: 2.0**400}


@pytest.mark.parametrize("cls", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("magnitudes", [ORDINARY, EXTREME], ids=["ordinary", "extreme"])
def test_labels_are_those_of_the_nearest_centers(cls, magnitudes):
    @SETTINGS
    @given(problems(magnitudes))
    def check(problem):
        X, n_clusters, weights, seed = problem
        model = fit(cls, X, weights, n_clusters=n_clusters, random_state=seed, n_init=1)
        if cls is KMeans and not all_clusters_have_rows(model):
            return
        distances = squared_distances(X, model.cluster_centers_)
        slack = rounding(X, X.shape[1] + 4)
        for labels in model.labels_, model.predict(X):
            chosen = np.take_along_axis(distances, labels[:, None].astype(int), axis=1)[:, 0]
            assert (chosen <= distances.min(axis=1) + slack).all()
        weighted = distances[np.arange(len(X)), model.labels_] * (1 if weights is None else weights)
        total = 5 * len(X)  # weights are at most 5
        assert abs(model.inertia_ - weighted.sum()) <= total * slack + 1e-5 * weighted.sum()
        assert np.isfinite(model.cluster_centers_).all()

    check()


@pytest.mark.parametrize("magnitudes", [ORDINARY, EXTREME], ids=["ordinary", "extreme"])
def test_centers_are_means_after_strict_convergence(magnitudes):
    @SETTINGS
    @given(problems(magnitudes))
    def check(problem):
        X, n_clusters, weights, seed = problem
        model = fit(KMeans, X, weights, n_clusters=n_clusters, random_state=seed, tol=0)
        if not all_clusters_have_rows(model):
            return  # and rounding errors may go round in circles
        assert model.n_iter_ < model.max_iter
        weights = np.ones(len(X)) if weights is None else weights
        slack = 16 * len(X) * np.finfo(X.dtype).eps * np.abs(wide(X)).max()
        for label in np.unique(model.labels_):
            rows = model.labels_ == label
            mean = np.average(wide(X[rows]), axis=0, weights=wide(weights[rows]))
            assert (np.abs(model.cluster_centers_[label] - mean) <= slack).all()

    check()


@SETTINGS
@given(problems(ORDINARY))
def test_one_step_is_scikit_learn_s_but_for_ties(problem):
    X, n_clusters, weights, seed = problem
    init = X[np.random.RandomState(seed).choice(len(X), n_clusters, replace=False)]
    parameters = {"n_clusters": n_clusters, "init": init, "max_iter": 1}
    ours, stock = (fit(cls, X, weights, **parameters) for cls in (KMeans, sklearn.cluster.KMeans))
    first = squared_distances(X, init)
    two_nearest = np.sort(first, axis=1)[:, :2]
    slack = rounding(X, 4 * X.shape[1] + 16)
    if n_clusters > 1 and (two_nearest[:, 1] - two_nearest[:, 0] <= slack).any():
        return  # initial centres tie: anything may follow
    distances = squared_distances(X, stock.cluster_centers_)
    rows = np.arange(len(X))
    margins = np.abs(distances[rows, ours.labels_] - distances[rows, stock.labels_])
    assert (margins <= slack).all()
    assert np.abs(wide(ours.cluster_centers_) - stock.cluster_centers_).max() <= (
        16 * len(X) * np.finfo(X.dtype).eps * np.abs(wide(X)).max()
    )
    assert abs(ours.inertia_ - stock.inertia_) <= 5 * len(X) * slack + 1e-5 * stock.inertia_


@SETTINGS
@given(
    npst.arrays(np.float64, st.tuples(st.integers(2, 60), st.integers(1, 3)), elements=st.integers(-5, 5).map(float)),
    st.data(),
)
def test_more_iterations_never_hurt(X, data):
    n_clusters = data.draw(st.integers(1, min(len(X), 8)))
    seed = data.draw(st.integers(0, 100))
    inertias = [
        fit(KMeans, X, None, n_clusters=n_clusters, random_state=seed, tol=0, max_iter=steps).inertia_
        for steps in (1, 2, 4, 100)
    ]
    assert (np.diff(inertias) <= 1e-9 * (1 + np.abs(X).max() ** 2 * len(X))).all()
