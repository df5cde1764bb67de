"""IncrementalPCA: both ways to the singular values, accuracy, files, errors that leave the estimator alone."""

import inspect
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.decomposition
from numpy.testing import assert_allclose, assert_array_equal

import fastml
from fastml.decomposition import PCA, IncrementalPCA, _merging


def samples(n=600, d=12, dtype=np.float64, seed=0, least=0.1):
    rng = np.random.RandomState(seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((d, d)))
    return (rng.standard_normal((n, d)) * np.geomspace(5, least, d) @ rotation + rng.standard_normal(d)).astype(dtype)


def assert_same(ours, stock, tolerance):
    assert vars(ours).keys() == vars(stock).keys()
    for name, expected in vars(stock).items():
        actual = getattr(ours, name)
        assert type(actual) is type(expected), name
        if isinstance(expected, (np.ndarray, np.floating, float)):
            assert np.asarray(actual).dtype == np.asarray(expected).dtype, name
            assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max(), err_msg=name)
        else:
            assert actual == expected, name


# Products decide where nothing is small, rows where something is; either is forced by a bound of 0 or of infinity.
@pytest.mark.parametrize("bound", [None, 0.0, np.inf], ids=["chosen", "products", "rows"])
@pytest.mark.parametrize("shape", [(600, 12), (120, 60)], ids=["tall batches", "wide batches"])
@pytest.mark.parametrize("n_components", [None, 3, 10])
@pytest.mark.parametrize("batch_size", [None, 50, 12])
def test_products_or_rows(bound, shape, n_components, batch_size, monkeypatch):
    if bound is not None:
        monkeypatch.setattr(_merging, "LEAST_SQUARE", bound)
    X = samples(*shape)
    parameters = {"n_components": n_components, "batch_size": batch_size}
    if shape == (120, 60) and n_components is None and batch_size is None:
        parameters["batch_size"] = 90
    stock = sklearn.decomposition.IncrementalPCA(**parameters).fit(X)
    ours = IncrementalPCA(**parameters).fit(X)
    # The first of wide batches has one component less than samples: with bound 0 there is a vector of rounding.
    degenerate = bound == 0.0 and shape == (120, 60) and n_components is None
    if not degenerate:
        singular = stock.singular_values_
        steep = singular[-1] < 1e-3 * singular[0]
        if not steep:
            assert_same(ours, stock, 1e-8)
    assert_allclose(ours.singular_values_, stock.singular_values_, atol=1e-7 * stock.singular_values_[0])


@pytest.mark.parametrize("n_components", [3, 12])
def test_rank_deficient_batches(n_components):
    X = samples(300, 2) @ samples(2, 12, seed=1)
    stock = sklearn.decomposition.IncrementalPCA(n_components, batch_size=40).fit(X)
    ours = IncrementalPCA(n_components, batch_size=40).fit(X)
    assert_allclose(ours.singular_values_, stock.singular_values_, rtol=1e-9, atol=1e-12 * stock.singular_values_[0])
    assert_allclose(ours.components_[:2], stock.components_[:2], atol=1e-9)
    assert_allclose(ours.components_ @ ours.components_.T, np.eye(n_components), atol=1e-12)


def test_large_means():
    # scikit-learn adds up samples, and loses what is left of their means.
    rng = np.random.RandomState(0)
    deviations = np.round(0.1 * rng.standard_normal((400, 8)) * np.arange(1, 9) * 2**20) / 2**20
    X = deviations + 1e8 * rng.choice([-1, 1], 8)
    centered = deviations - deviations.mean(axis=0)
    expected = np.linalg.svd(centered, compute_uv=False)
    errors = []
    for kind in (IncrementalPCA, sklearn.decomposition.IncrementalPCA):
        pca = kind(batch_size=100).fit(X)
        errors.append(np.abs(pca.singular_values_ - expected).max())
        errors.append(np.abs(pca.var_ - centered.var(axis=0)).max())
    assert errors[0] <= errors[2]
    assert errors[1] <= errors[3]
    assert errors[0] < 1e-7
    assert errors[1] < 1e-8


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_partial_fits(dtype):
    X = samples(dtype=dtype)
    whole = IncrementalPCA(4, batch_size=100).fit(X)
    ours, stock = IncrementalPCA(4), sklearn.decomposition.IncrementalPCA(4)
    for begin in range(0, 600, 100):
        before = X[begin : begin + 100].copy()
        assert ours.partial_fit(X[begin : begin + 100]) is ours
        assert_array_equal(X[begin : begin + 100], before)
        stock.partial_fit(X[begin : begin + 100])
        assert_same(ours, stock, 1e-8 if dtype == np.float64 else 1e-4)
    assert_array_equal(whole.components_, ours.components_)
    assert_array_equal(whole.mean_, ours.mean_)
    # As many samples as it takes, it is the PCA of all of them, but for what was dropped on the way.
    assert_allclose(np.abs(ours.components_[0] @ PCA(1).fit(X).components_[0]), 1, atol=1e-3)
    unchecked = IncrementalPCA(4).partial_fit(X[:100], check_input=False)
    assert_array_equal(unchecked.components_, IncrementalPCA(4).partial_fit(X[:100]).components_)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_array, sp.lil_array], ids=lambda kind: kind.__name__)
def test_sparse(kind):
    X = sp.random_array((300, 15), density=0.2, rng=np.random.RandomState(0))
    given = kind(X)
    ours = IncrementalPCA(4, batch_size=50).fit(given)
    stock = sklearn.decomposition.IncrementalPCA(4, batch_size=50).fit(given)
    assert_same(ours, stock, 1e-9)
    assert_allclose(ours.transform(given), stock.transform(given), atol=1e-12)
    with pytest.raises(TypeError, match=r"partial_fit does not support sparse input\. Either convert"):
        IncrementalPCA(4).partial_fit(given)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int32], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("order", ["C", "F"])
def test_files(dtype, order, tmp_path):
    X = np.round(samples(300, 10) * 4 + 100).astype(dtype)
    mapped = np.memmap(tmp_path / "samples", dtype, "w+", shape=X.shape, order=order)
    mapped[:] = X
    mapped.flush()
    mapped = np.memmap(tmp_path / "samples", dtype, "r", shape=X.shape, order=order)
    ours = IncrementalPCA(4, batch_size=50).fit(mapped)
    assert_same(
        ours, sklearn.decomposition.IncrementalPCA(4, batch_size=50).fit(X), 1e-8 if dtype != np.float32 else 1e-5
    )
    assert_allclose(ours.transform(mapped), ours.transform(np.array(X)), atol=1e-3)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
@pytest.mark.parametrize("shape", [(300, 10), (60, 40)], ids=["tall", "wide"])
def test_not_finite(odd, shape):
    X = samples(*shape)
    pca = IncrementalPCA(3, batch_size=20).fit(X)
    before = dict(vars(pca))
    X[-1, 2] = odd  # of the last batch
    for fit in (pca.fit, pca.partial_fit):
        with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
            fit(X)
        assert vars(pca).keys() == before.keys()
        assert all(vars(pca)[name] is before[name] for name in before)


def test_errors():
    X = samples(50, 10)
    cases = [
        lambda pca: pca(11).fit(X),
        lambda pca: pca(8).partial_fit(X[:5]),
        lambda pca: pca(8, batch_size=5).fit(X[:, :8]),
        lambda pca: pca(0).fit(X),
        lambda pca: pca(batch_size=3).fit(X).partial_fit(X[:, :4]),
        lambda pca: pca(3).fit(X).set_params(n_components=4).partial_fit(X),
        lambda pca: pca(3).transform(X),
        lambda pca: pca(3).inverse_transform(X),
        lambda pca: pca(3).fit(X).transform(X[:, :4]),
        lambda pca: pca(3).fit(X[:0]),
        lambda pca: pca(3).fit(X[0]),
    ]
    for number, case in enumerate(cases):
        outcomes = []
        for kind in (IncrementalPCA, sklearn.decomposition.IncrementalPCA):
            try:
                case(kind)
                outcomes.append(None)
            except ValueError as error:
                outcomes.append((type(error), str(error)))
        assert outcomes[0] == outcomes[1], number
        assert outcomes[0] is not None or number == 2, number


def test_fewer_samples_than_components():
    X = samples(4, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean variance along no components
        ours, stock = (kind(6).fit(X) for kind in (IncrementalPCA, sklearn.decomposition.IncrementalPCA))
    assert ours.components_.shape == stock.components_.shape == (4, 10)
    assert np.isnan(ours.noise_variance_)
    assert np.isnan(stock.noise_variance_)
    assert_allclose(ours.singular_values_, stock.singular_values_, atol=1e-13)


def test_threads():
    X = samples(3000, 40)
    found = {}
    for count in (1, 2):
        with fastml.config_context(n_threads=count):
            found[count] = IncrementalPCA(5, batch_size=1000).fit(X)
    assert_allclose(found[1].components_, found[2].components_, rtol=1e-9, atol=1e-12)


def test_signature_and_documentation():
    stock = sklearn.decomposition.IncrementalPCA
    assert inspect.signature(IncrementalPCA) == inspect.signature(stock)
    assert IncrementalPCA.__doc__ == stock.__doc__
    for name in ("fit", "partial_fit", "transform", "inverse_transform"):
        assert inspect.signature(getattr(IncrementalPCA, name)) == inspect.signature(getattr(stock, name))
