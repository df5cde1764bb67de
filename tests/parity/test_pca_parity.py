"""PCA and IncrementalPCA against scikit-learn's: attributes, scores, errors, over grids and random data."""

import warnings

import numpy as np
import pytest
import sklearn.decomposition
from hypothesis import HealthCheck, given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import fastml.decomposition

SETTINGS = settings(
    max_examples=60,
    deadline=None,  # other work on the machine must not fail a test
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# scikit-learn's covariance of float32 samples is made in float32, with their means in it.
TOLERANCE = {np.float64: 1e-9, np.float32: 2e-3}


def samples(n, d, dtype, seed=0, least=0.2):
    rng = np.random.RandomState(seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((d, d)))
    return (rng.standard_normal((n, d)) * np.geomspace(3, least, d) @ rotation + rng.standard_normal(d)).astype(dtype)


def outcome(cls, X, parameters):
    """Return a fitted estimator and its scores, or the error."""
    estimator = cls(**parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return estimator, estimator.fit_transform(X)
        except (ValueError, TypeError) as error:
            return type(error), str(error)


def close(actual, expected, tolerance, name):
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype, name
    assert actual.shape == expected.shape, name
    assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * (np.abs(expected).max(initial=0)), err_msg=name)


def assert_same(name, X, parameters, *, degenerate=False, tolerance=None):
    """Compare everything; of degenerate problems what does not depend on a basis of equal or no variances."""
    tolerance = tolerance or TOLERANCE[X.dtype.type]
    ours, stock = (
        outcome(getattr(family, name), X, parameters) for family in (fastml.decomposition, sklearn.decomposition)
    )
    if isinstance(stock[0], type):
        assert ours == stock
        return
    (ours, scores), (stock, expected_scores) = ours, stock
    assert vars(ours).keys() == vars(stock).keys()
    for attribute, expected in vars(stock).items():
        actual = getattr(ours, attribute)
        assert type(actual) is type(expected), attribute
        if attribute == "noise_variance_" and degenerate:
            size = X.var(dtype=np.float64) + 1e-300
            assert actual == pytest.approx(expected, rel=1e-6, abs=100 * np.finfo(X.dtype).eps * size)
        elif attribute == "singular_values_" and degenerate:
            # Their squares are what is known to some digits of the largest.
            size = expected.max(initial=0) ** 2
            assert_allclose(actual**2, expected**2, atol=100 * np.finfo(X.dtype).eps * size)
        elif attribute == "components_" and degenerate:
            assert actual.shape == expected.shape
            assert actual.dtype == expected.dtype
            overlap = actual.astype(np.float64) @ actual.T
            assert_allclose(overlap, np.eye(len(actual)), atol=1e-10 if X.dtype == np.float64 else 1e-4)
        elif attribute.startswith("explained") and degenerate:
            size = np.nanmax(np.abs(expected), initial=0)
            assert_allclose(actual, expected, atol=100 * np.finfo(X.dtype).eps * size)
        elif isinstance(expected, (np.ndarray, np.floating, float)):
            close(actual, expected, tolerance, attribute)
        else:
            assert actual == expected, attribute
    if degenerate:
        return
    close(scores, expected_scores, 10 * tolerance, "fit_transform")
    close(ours.transform(X), stock.transform(X), 10 * tolerance, "transform")
    close(ours.transform(X[:1]), stock.transform(X[:1]), 10 * tolerance, "transform of one row")
    if scores.shape[1]:
        close(ours.inverse_transform(scores), stock.inverse_transform(scores), 10 * tolerance, "inverse_transform")
    if name == "PCA" and np.shape(ours.noise_variance_) == () and ours.noise_variance_ > 0:
        close(ours.score_samples(X), stock.score_samples(X), 10 * tolerance, "score_samples")
        assert ours.score(X) == pytest.approx(stock.score(X), rel=10 * tolerance)
    close(ours.get_covariance(), stock.get_covariance(), 10 * tolerance, "get_covariance")


EVERY_DTYPE = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])


@EVERY_DTYPE
@pytest.mark.parametrize("shape", [(400, 12), (60, 25), (20, 35), (40, 1)], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("solver", ["auto", "full", "covariance_eigh", "arpack", "randomized"])
@pytest.mark.parametrize("n_components", [None, 0, 1, 5, 0.5, 0.9999, "mle", 99])
def test_pca(shape, solver, n_components, dtype):
    X = samples(*shape, dtype)
    whiten = n_components in (1, 0.5) or (n_components == 5 and solver == "auto")
    if solver == "arpack" and n_components is None and shape == (20, 35):
        n_components = 18  # the last one has no variance
    wide = shape == (20, 35) and (n_components is None or n_components == 0.9999)
    # scikit-learn's covariance has the rounding of the means in it.
    tolerance = 1e-2 if dtype == np.float32 else 1e-7 if wide else None
    assert_same(
        "PCA",
        X,
        {"n_components": n_components, "svd_solver": solver, "whiten": whiten, "random_state": 0},
        degenerate=wide,
        tolerance=tolerance,
    )


@EVERY_DTYPE
@pytest.mark.parametrize("iterated_power", ["auto", 0, 2, 5])
@pytest.mark.parametrize("normalizer", ["auto", "QR", "LU", "none"])
def test_randomized_parameters(iterated_power, normalizer, dtype):
    parameters = {
        "n_components": 4,
        "svd_solver": "randomized",
        "iterated_power": iterated_power,
        "power_iteration_normalizer": normalizer,
        "n_oversamples": 3,
        "random_state": 7,
    }
    assert_same("PCA", samples(90, 30, dtype), parameters, tolerance=1e-7 if dtype == np.float64 else 1e-2)


@EVERY_DTYPE
@pytest.mark.parametrize("shape", [(400, 12), (60, 25), (30, 35), (40, 1)], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("n_components", [None, 1, 5, 12])
@pytest.mark.parametrize("batch_size", [None, 14, 29])
def test_incremental_pca(shape, n_components, batch_size, dtype):
    whiten = batch_size == 29
    degenerate = shape == (30, 35) and n_components is None
    parameters = {"n_components": n_components, "batch_size": batch_size, "whiten": whiten}
    # The mean of a batch is scikit-learn's in float32.
    tolerance = 1e-8 if dtype == np.float64 else 1e-3
    assert_same("IncrementalPCA", samples(*shape, dtype), parameters, degenerate=degenerate, tolerance=tolerance)


@st.composite
def problems(draw):
    """Draw samples that may be of low rank, constant in parts, or repeat, and parameters of PCA."""
    n, d = draw(st.integers(2, 40)), draw(st.integers(1, 8))
    rng = np.random.RandomState(draw(st.integers(0, 10_000)))
    kind = draw(st.sampled_from(["normal", "integers", "low rank", "constant parts"]))
    X = rng.standard_normal((n, d))
    if kind == "integers":
        X = rng.randint(-2, 3, (n, d)).astype(float)
    elif kind == "low rank":
        X = X[:, :1] @ rng.standard_normal((1, d))
    elif kind == "constant parts":
        X[:, rng.uniform(size=d) < 0.5] = 1.5
    X *= 10.0 ** draw(st.integers(-6, 6))
    n_components = draw(st.one_of(st.none(), st.integers(0, 9), st.floats(0.05, 0.95)))
    solver = draw(st.sampled_from(["auto", "full", "covariance_eigh"]))
    return X, {"n_components": n_components, "svd_solver": solver, "whiten": draw(st.booleans())}


@SETTINGS
@given(problem=problems())
def test_any_samples(problem):
    X, parameters = problem
    n_components = parameters["n_components"]
    if isinstance(n_components, float) and not X.var():
        return  # no variance to explain parts of
    if isinstance(n_components, float):
        # Where a sum of parts ends at the very number that was asked for, rounding decides.
        variances = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
        if np.abs(np.cumsum(variances) / variances.sum() - n_components).min() < 1e-9:
            return
    assert_same("PCA", X, parameters, degenerate=True)


@SETTINGS
@given(problem=problems(), batch_size=st.integers(1, 30))
def test_any_batches(problem, batch_size):
    X, parameters = problem
    n_components = parameters["n_components"]
    n_components = n_components if isinstance(n_components, int) and n_components > 0 else None
    parameters = {"n_components": n_components, "batch_size": max(batch_size, 2)}
    ours, stock = (
        outcome(family.IncrementalPCA, X, parameters) for family in (fastml.decomposition, sklearn.decomposition)
    )
    if isinstance(stock[0], type):
        assert ours == stock
        return
    ours, stock = ours[0], stock[0]
    # scikit-learn's means leave the rounding of equal samples.
    size = stock.singular_values_[0] + 1e-6 * np.abs(X).max() + 1e-300
    # What is dropped of equal variances after one batch is missing from the next.
    if n_components is None or len(X) <= parameters["batch_size"]:
        assert_allclose(ours.singular_values_, stock.singular_values_, atol=1e-7 * size)
    assert_allclose(ours.mean_, stock.mean_, rtol=1e-12, atol=1e-14 * np.abs(X).max())
    assert_allclose(ours.var_, stock.var_, rtol=1e-9, atol=1e-13 * np.square(X).max())
    assert_array_equal(ours.n_samples_seen_, stock.n_samples_seen_)
    assert ours.components_.shape == stock.components_.shape
