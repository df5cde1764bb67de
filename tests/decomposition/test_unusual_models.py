"""Models that were set by hand, classes derived from ours, values at the ends of their type."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.decomposition as stock
from sklearn.datasets import load_digits

import fastml
from fastml.decomposition import PCA, IncrementalPCA, TruncatedSVD

pytestmark = pytest.mark.usefixtures("no_fallback")
X = np.random.default_rng(0).standard_normal((300, 8))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fractions_near_1_with_constant_features(dtype):
    digits = load_digits().data.astype(dtype)
    fraction = 1 - np.finfo(dtype).eps / 2
    model = PCA(float(fraction)).fit(digits)
    assert model.components_.shape[0] <= digits.shape[1]
    np.testing.assert_allclose(model.explained_variance_ratio_.sum(), 1, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-20, 1e-30])
def test_tiny_values_of_float32(scale):
    tiny = (X * scale).astype(np.float32)
    for kind, parameters in (("TruncatedSVD", {}), ("PCA", {"svd_solver": "randomized"})):
        mine = getattr(fastml.decomposition, kind)(3, random_state=0, **parameters).fit(tiny)
        theirs = getattr(stock, kind)(3, random_state=0, **parameters).fit(tiny)
        np.testing.assert_allclose(mine.singular_values_, theirs.singular_values_, rtol=1e-4)


def test_models_set_by_hand():
    components = np.linalg.qr(X[:8])[0][:3]
    for kind in ("PCA", "IncrementalPCA"):
        mine, theirs = getattr(fastml.decomposition, kind)(3), getattr(stock, kind)(3)
        for mean in (np.zeros(8), X.mean(axis=0)[None]):
            for model in (mine, theirs):
                model.components_, model.mean_ = components, mean
            np.testing.assert_allclose(mine.transform(X), theirs.transform(X), atol=1e-14)
    mine, theirs = TruncatedSVD(3), stock.TruncatedSVD(3)
    mine.components_ = theirs.components_ = components
    sparse = sp.csr_array(X)
    np.testing.assert_allclose(mine.transform(sparse), theirs.transform(sparse), atol=1e-14)
    mine.fit(sparse).components_ = np.ones((3, 10))
    with pytest.raises(ValueError):
        mine.transform(sparse)
    mine.components_ = np.ones((0, 8))
    assert mine.transform(sparse).shape == (300, 0)


def test_derived_classes():
    calls = []

    class Batches(IncrementalPCA):
        def partial_fit(self, X, y=None, check_input=True):
            calls.append(len(X))
            return super().partial_fit(X, y, check_input)

    class Fits(PCA):
        def _fit_full(self, *args):
            calls.append("full")
            return super()._fit_full(*args)

    class Projections(PCA):
        def _transform(self, X, xp, x_is_centered=False):
            return np.zeros((len(X), 1))

    for model in (Batches(2, batch_size=100), Fits(2)):
        with pytest.raises(fastml.FallbackError):
            model.fit(X)
    with fastml.config_context(fallback="silent"):
        Batches(2, batch_size=100).fit(X)
        Fits(2).fit(X)
        assert not Projections(2).fit(X).transform(X).any()
    assert calls == [100, 100, 100, "full"]


def test_scores_of_sparse_samples_with_long_indices():
    long = sp.csr_array(X)
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    messages = []
    for kind in (PCA, stock.PCA):
        with pytest.raises(TypeError) as error:
            kind(2).fit(X).score_samples(long)
        messages.append(str(error.value))
    assert messages[0] == messages[1]
