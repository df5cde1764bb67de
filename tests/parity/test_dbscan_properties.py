"""DBSCAN on random small problems, full of equal samples and of distances of exactly eps: scikit-learn's labels."""

import numpy as np
import pytest
import sklearn.cluster
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as npst
from numpy.testing import assert_array_equal

from fastml.cluster import DBSCAN

SETTINGS = settings(
    max_examples=150,
    deadline=None,  # other work on the machine must not fail a test
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_same(X, weights, **parameters):
    ours, stock = (cls(**parameters).fit(X, sample_weight=weights) for cls in (DBSCAN, sklearn.cluster.DBSCAN))
    assert_array_equal(ours.labels_, stock.labels_)
    assert_array_equal(ours.core_sample_indices_, stock.core_sample_indices_)
    assert_array_equal(ours.components_, stock.components_)
    return ours


@st.composite
def lattices(draw):
    """Draw (X, weights): samples on a lattice, whose distances are exact; whole weights of any sign."""
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int32]))
    shape = draw(st.tuples(st.integers(1, 60), st.sampled_from([1, 2, 3, 11, 20])))
    X = draw(npst.arrays(dtype, shape, elements=st.integers(-3, 3).map(float if dtype != np.int32 else int)))
    X = np.repeat(X, draw(st.integers(1, 4)), axis=0)
    weights = draw(st.one_of(st.none(), npst.arrays(np.float64, len(X), elements=st.integers(-2, 5).map(float))))
    return X, weights


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "manhattan", "chebyshev"])
def test_lattices(metric):
    @SETTINGS
    @given(lattices(), st.sampled_from([0.5, 1, 2, 3, 4, 9]), st.integers(1, 12))
    def check(problem, eps, min_samples):
        X, weights = problem
        assert_same(X, weights, eps=eps, min_samples=min_samples, metric=metric)

    check()


@pytest.mark.parametrize("largest", [1e3, 2.0**400])
def test_any_numbers(largest):
    """At any distance: eps is halfway between two of them, where no rounding decides."""

    @SETTINGS
    @given(
        npst.arrays(
            np.float64,
            st.tuples(st.integers(2, 40), st.integers(1, 5)),
            elements=st.one_of(
                st.floats(-largest, largest, allow_subnormal=False), st.floats(-1, 1, allow_subnormal=False)
            ),
        ),
        st.floats(0, 1),
        st.integers(1, 6),
        st.integers(1, 5),
    )
    def check(X, share, min_samples, repeats):
        differences = np.abs(X[:, None] - X).astype(np.longdouble)
        distances = np.unique(np.sqrt((differences**2).sum(axis=2)))
        if len(distances) < 2:
            return
        at = min(int(share * (len(distances) - 1)), len(distances) - 2)
        eps = float((distances[at] + distances[at + 1]) / 2)
        if not distances[at] * (1 + 1e-12) < eps < distances[at + 1] * (1 - 1e-12) or not 1e-150 < eps < 1e150:
            return
        # The tree compares exact distances; the product that scikit-learn would take for few samples does not.
        assert_same(np.repeat(X, repeats, axis=0), None, eps=eps, min_samples=min_samples, algorithm="kd_tree")

    check()


@SETTINGS
@given(
    npst.arrays(np.float64, st.integers(1, 40).map(lambda n: (n, n)), elements=st.integers(0, 12).map(float)),
    st.integers(1, 8),
    st.booleans(),
)
def test_given_distances(distances, min_samples, symmetric):
    if symmetric:
        distances = np.minimum(distances, distances.T)
    assert_same(distances, None, eps=1, min_samples=min_samples, metric="precomputed")


def test_more_samples_than_a_block():
    """Structure over many blocks: clusters that touch, noise between them, samples in any order."""
    rng = np.random.RandomState(0)
    clusters = 0
    for seed in range(12):
        n_features = (1, 2, 3, 5, 9, 13, 24)[seed % 7]
        n = rng.randint(500, 2500)
        centers = rng.uniform(-6, 6, size=(8, n_features))
        X = centers[rng.randint(8, size=n)] + rng.standard_normal((n, n_features))
        X[: n // 5] = rng.uniform(-8, 8, size=(n // 5, n_features))
        X = rng.permutation(X).astype((np.float64, np.float32)[seed % 2])
        for scale in (0.1, 0.3, 0.6, 1.0):
            model = assert_same(X, None, eps=scale * np.sqrt(n_features), min_samples=rng.randint(1, 12))
            clusters += model.labels_.max() + 1
    assert clusters > 100, "cases with clusters"
