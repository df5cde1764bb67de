"""PCA: accuracy where scikit-learn loses digits, input of every kind, what is left after errors."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.decomposition
from numpy.testing import assert_allclose, assert_array_equal

import fastml
from fastml.decomposition import PCA

SOLVERS = ("covariance_eigh", "full", "arpack", "randomized")


def samples(n=300, d=12, dtype=np.float64, seed=0):
    rng = np.random.RandomState(seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((d, d)))
    return (rng.standard_normal((n, d)) * np.geomspace(5, 0.1, d) @ rotation + rng.standard_normal(d)).astype(dtype)


def exact_variances(X):
    """Variances along the components, of samples that were centred in extended precision."""
    X = X.astype(np.longdouble)
    centered = (X - X.mean(axis=0)).astype(np.float64)
    return np.linalg.svd(centered, compute_uv=False) ** 2 / (len(X) - 1)


@pytest.mark.parametrize("solver", SOLVERS)
def test_large_means(solver):
    # Means of 1e8 with variances around 1e-2: their squares leave nothing of the variances in float64.
    rng = np.random.RandomState(0)
    X = 1e8 * rng.choice([-1, 1], 8) + np.round(0.1 * rng.standard_normal((400, 8)) * np.arange(1, 9) * 2**20) / 2**20
    expected = exact_variances(X)[:5]
    ours = PCA(5, svd_solver=solver, random_state=0).fit(X)
    stock = sklearn.decomposition.PCA(5, svd_solver=solver, random_state=0).fit(X)
    error, stock_error = (np.abs(pca.explained_variance_ - expected).max() for pca in (ours, stock))
    # The randomized solver finds the fifth of eight components to some digits only.
    assert error <= max(stock_error, 1e-10) if solver == "randomized" else error <= 1e-10
    if solver == "covariance_eigh":
        assert stock_error > 1
        assert_allclose(ours.explained_variance_ratio_.sum() / (expected.sum() / exact_variances(X).sum()), 1, 1e-9)


@pytest.mark.parametrize("shape", [(2000, 30), (6000, 300)], ids=["in float64", "in float32"])
def test_float32_is_as_accurate_as_it_can_be(shape):
    # Large means: scikit-learn's products in float32 keep few digits of what is left when they are taken out.
    X = samples(*shape, dtype=np.float32) + np.float32(20)
    expected = exact_variances(X)
    ours = PCA(svd_solver="covariance_eigh").fit(X)
    stock = sklearn.decomposition.PCA(svd_solver="covariance_eigh").fit(X)
    assert ours.explained_variance_.dtype == ours.components_.dtype == ours.mean_.dtype == np.float32
    error, stock_error = (np.abs(pca.explained_variance_ - expected).max() for pca in (ours, stock))
    assert error < 2e-6 * expected[0]
    assert error < stock_error
    assert_allclose(ours.mean_, X.mean(axis=0, dtype=np.float64), rtol=1e-6)


def test_equal_variances():
    d = 10
    X = np.vstack([np.eye(d), -np.eye(d)] * 6)
    pca = PCA(3, svd_solver="covariance_eigh").fit(X)
    assert_allclose(pca.explained_variance_, 12 / (len(X) - 1))
    assert pca.noise_variance_ == pytest.approx(12 / (len(X) - 1))
    assert_allclose(pca.components_ @ pca.components_.T, np.eye(3), atol=1e-14)


@pytest.mark.parametrize("solver", ["covariance_eigh", "full"])
@pytest.mark.parametrize("whiten", [False, True])
def test_more_components_than_rank(solver, whiten):
    X = samples(500, 4) @ samples(4, 20, seed=1)
    pca = PCA(15, svd_solver=solver, whiten=whiten).fit(X)
    stock = sklearn.decomposition.PCA(15, svd_solver=solver, whiten=whiten).fit(X)
    assert (pca.explained_variance_ >= 0).all()
    assert pca.noise_variance_ >= 0
    assert_allclose(pca.explained_variance_, stock.explained_variance_, atol=1e-13 * stock.explained_variance_[0])
    assert_allclose(pca.components_ @ pca.components_.T, np.eye(15), atol=1e-13)
    scores = pca.transform(X)
    assert np.isfinite(scores).all()
    assert_allclose(pca.inverse_transform(scores), X, atol=1e-12 * np.abs(X).max())


@pytest.mark.parametrize("solver", ["covariance_eigh", "full"])
def test_constant_features(solver):
    X = samples(200, 6)
    X[:, [1, 4]] = 7.25
    pca = PCA(svd_solver=solver).fit(X)
    assert_allclose(pca.explained_variance_, exact_variances(X), atol=1e-13)
    assert_allclose(pca.components_ @ pca.components_.T, np.eye(6), atol=1e-13)
    assert_allclose(pca.components_[:4, [1, 4]], 0, atol=1e-14)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no variance to be explained
        assert_array_equal(PCA(2, svd_solver=solver).fit(np.full((30, 3), 2.5)).explained_variance_, 0)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_layouts(solver, dtype, tmp_path):
    X = samples(200, 12, dtype)
    file = tmp_path / "samples"
    X.tofile(file)
    wide = np.zeros((400, 24), dtype)
    wide[::2, ::2] = X
    read_only = X.copy()
    read_only.flags.writeable = False
    expected = PCA(3, svd_solver=solver, random_state=0).fit(X)
    scores = expected.transform(X)
    for given in (
        np.asfortranarray(X),
        wide[::2, ::2],
        read_only,
        np.memmap(file, dtype, "r", shape=X.shape),
        X.astype(X.dtype.newbyteorder()),
        X.tolist() if dtype == np.float64 else X,
    ):
        for copy in (True, False):
            pca = PCA(3, svd_solver=solver, random_state=0, copy=copy)
            before = np.array(given)
            found = pca.fit_transform(given.copy() if not copy and type(given) is np.ndarray else given)
            # Other byte orders become float64, in scikit-learn as here.
            assert found.dtype == (dtype if np.asarray(given).dtype.isnative else np.float64)
            assert_allclose(np.abs(found), np.abs(scores), atol=(1e-12 if dtype == np.float64 else 1e-4))
            assert_array_equal(np.array(given), before)
            assert_allclose(pca.singular_values_, expected.singular_values_, rtol=1e-5)


def test_copy():
    X = samples()
    PCA(svd_solver="full", copy=True).fit(X)
    assert_array_equal(X, samples())
    scores = PCA(3, svd_solver="full", copy=False).fit_transform(X)
    assert_allclose(np.abs(scores), np.abs(PCA(3, svd_solver="full").fit_transform(samples())), atol=1e-12)


@pytest.mark.parametrize("solver", ["covariance_eigh", "arpack"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("density", [0.05, 0.5])
@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_array, sp.coo_array], ids=lambda kind: kind.__name__)
def test_sparse(solver, dtype, density, kind):
    rng = np.random.RandomState(0)
    X = sp.random_array((400, 30), density=density, rng=rng, dtype=dtype)
    X.data += 1
    given = kind(X)
    sparse = PCA(4, svd_solver=solver, random_state=0).fit(given)
    dense = sklearn.decomposition.PCA(4, svd_solver="full").fit(X.toarray().astype(np.float64))
    tolerance = 1e-9 if dtype == np.float64 else 1e-3
    assert sparse.components_.dtype == sparse.mean_.dtype == dtype
    for name in ("explained_variance_", "explained_variance_ratio_", "noise_variance_", "mean_", "components_"):
        assert_allclose(getattr(sparse, name), getattr(dense, name), rtol=tolerance, atol=tolerance, err_msg=name)
    assert_allclose(sparse.transform(given), dense.transform(X.toarray()), atol=30 * tolerance)
    if dtype == np.float64:
        # On few values a fit may be made of dense products; it is the same fit.
        assert_allclose(PCA(4, svd_solver=solver).fit(given[:90]).mean_, X.toarray()[:90].mean(axis=0), atol=1e-12)


def test_sparse_needs_a_solver():
    with pytest.raises(TypeError, match='only support sparse inputs with the "arpack" and "covariance_eigh" solvers'):
        PCA(2, svd_solver="full").fit(sp.eye_array(5, format="csr"))


def test_column_names():
    X = pd.DataFrame(samples(40, 3), columns=["a", "b", "c"])
    pca = PCA(2).set_output(transform="pandas")
    scores = pca.fit_transform(X)
    assert list(scores.columns) == ["pca0", "pca1"] == list(pca.get_feature_names_out())
    pd.testing.assert_frame_equal(scores, pca.transform(X))
    with pytest.raises(ValueError, match="feature names"):
        pca.transform(X.rename(columns={"a": "z"}))


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("solver", ["auto", *SOLVERS])
def test_not_finite(odd, solver):
    X = samples()
    X[250, 3] = odd
    for n_components in (2, 99):
        # Even where the number of components is an error as well.
        with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
            PCA(n_components, svd_solver=solver).fit(X)
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        PCA(2).fit(samples()).transform(X)
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        PCA(3).fit(samples()).inverse_transform(X[:, 1:4])


def test_values_too_large_for_their_squares():
    X = samples() * 1e200
    for kind in (PCA, sklearn.decomposition.PCA):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            with pytest.raises(np.linalg.LinAlgError):
                kind(2, svd_solver="covariance_eigh").fit(X)


def test_a_failed_fit_leaves_the_estimator_alone():
    pca = PCA(3).fit(samples())
    before = dict(vars(pca))
    X = samples(100, 5)
    X[3, 3] = np.nan
    for solver in SOLVERS:
        pca.svd_solver = solver
        with pytest.raises(ValueError, match="NaN"):
            pca.fit(X)
        assert vars(pca).keys() == before.keys()
        assert all(vars(pca)[name] is before[name] for name in before if name != "svd_solver")


def test_threads():
    X = samples(3000, 40)
    found = {}
    for count in (1, 2):
        with fastml.config_context(n_threads=count):
            found[count] = PCA(5).fit(X)
    assert_allclose(found[1].components_, found[2].components_, rtol=1e-10, atol=1e-13)
    assert_allclose(found[1].explained_variance_, found[2].explained_variance_, rtol=1e-13)


def test_scores_in_pieces(monkeypatch):
    X = samples(500, 12)
    pca = PCA(4).fit(X)
    expected = pca.score_samples(X)
    monkeypatch.setattr("fastml.decomposition._pca.SCORED_VALUES", 100)
    assert_allclose(pca.score_samples(X), expected, rtol=1e-13)
    assert pca.score(X) == pytest.approx(expected.mean())


@pytest.mark.parametrize("n_samples", [1, 2])
@pytest.mark.parametrize("solver", ["auto", "covariance_eigh", "full"])
def test_few_samples(n_samples, solver):
    X = samples(n_samples, 4)
    outcomes = []
    for kind in (PCA, sklearn.decomposition.PCA):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # division by no degrees of freedom
            try:
                pca = kind(1, svd_solver=solver).fit(X)
                outcomes.append([pca.explained_variance_, pca.singular_values_, pca.noise_variance_])
            except np.linalg.LinAlgError as error:
                outcomes.append(str(error))
    if isinstance(outcomes[1], str):
        assert outcomes[0] == outcomes[1]
    else:
        for ours, stock in zip(*outcomes, strict=True):
            assert_allclose(ours, stock, atol=1e-14)


def test_signature_and_documentation():
    stock = sklearn.decomposition.PCA
    assert inspect.signature(PCA) == inspect.signature(stock)
    assert PCA.__doc__ == stock.__doc__
    for name in ("fit", "fit_transform", "transform", "inverse_transform", "score", "score_samples"):
        assert inspect.signature(getattr(PCA, name)) == inspect.signature(getattr(stock, name))
        assert getattr(PCA, name).__doc__ == getattr(stock, name).__doc__
