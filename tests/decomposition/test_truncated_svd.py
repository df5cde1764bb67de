"""TruncatedSVD by itself: what is right, what is kept, and what is refused."""

import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.decomposition
from numpy.testing import assert_allclose, assert_array_equal

import fastml
from fastml.decomposition import TruncatedSVD

EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", ["randomized", "arpack"])
EVERY_LAYOUT = pytest.mark.parametrize("layout", ["dense", "csr", "csc"])


def low_rank(layout="csr", shape=(60, 40), rank=4, seed=0):
    """Return samples of a rank, and the same as an array."""
    rng = np.random.RandomState(seed)
    left = rng.standard_normal((shape[0], rank)) * (rng.uniform(size=(shape[0], 1)) < 0.5)
    dense = left @ (np.diag(np.arange(rank, 0, -1.0)) @ rng.standard_normal((rank, shape[1])))
    return (dense if layout == "dense" else sp.csr_array(dense).asformat(layout)), dense


@EVERY_ALGORITHM
@EVERY_LAYOUT
def test_the_exact_decomposition(algorithm, layout):
    X, dense = low_rank(layout)
    model = TruncatedSVD(4, algorithm=algorithm, random_state=0)
    transformed = model.fit_transform(X)
    _, S, Vt = np.linalg.svd(dense)
    assert_allclose(model.singular_values_, S[:4], rtol=1e-12)
    assert_allclose(np.abs(np.sum(model.components_ * Vt[:4], axis=1)), 1, rtol=1e-12)
    assert_allclose(model.explained_variance_ratio_.sum(), 1, rtol=1e-12)
    assert_allclose(model.explained_variance_, transformed.var(axis=0), rtol=1e-12)
    assert_allclose(model.transform(X), transformed, atol=1e-12 * S[0])
    assert_allclose(model.inverse_transform(transformed), dense, atol=1e-12 * S[0])
    # The largest element of a component is positive.
    assert (model.components_[np.arange(4), np.argmax(np.abs(model.components_), axis=1)] > 0).all()


@EVERY_LAYOUT
def test_samples_are_left_as_they_are(layout):
    X, dense = low_rank(layout)
    for array in [X] if layout == "dense" else [X.data, X.indices, X.indptr]:
        array.flags.writeable = False
    model = TruncatedSVD(3, random_state=0).fit(X)
    model.transform(X)
    assert_array_equal(X if layout == "dense" else X.toarray(), dense)


@pytest.mark.parametrize("rows", [1, 2, 50])
@EVERY_LAYOUT
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "?"])
def test_transform(rows, layout, dtype):
    X, dense = low_rank(layout)
    model = TruncatedSVD(3, random_state=0).fit(X)
    given = (dense[:rows] * 10).astype(dtype)
    new = given if layout == "dense" else sp.csr_array(given).asformat(layout)
    expected = given.astype(np.float64) @ model.components_.T
    transformed = model.transform(new)
    assert transformed.dtype == np.float64
    assert_allclose(transformed, expected, rtol=1e-10, atol=1e-10)
    assert_allclose(model.inverse_transform(transformed), expected @ model.components_, rtol=1e-10, atol=1e-10)


def test_components_of_any_order_and_type():
    """As a user, or an old pickle, may set them."""
    X, dense = low_rank()
    model = TruncatedSVD(3, random_state=0).fit(X)
    expected = dense @ model.components_.T
    for components in (
        np.ascontiguousarray(model.components_),
        np.asfortranarray(model.components_),
        model.components_.astype(np.float32),
        model.components_.astype(np.longdouble),
    ):
        model.components_ = components
        transformed = model.transform(X)
        assert transformed.dtype == np.result_type(np.float64, components)
        assert_allclose(transformed, expected, atol=1e-5)


@EVERY_LAYOUT
def test_refit_and_pickle(layout):
    X, _ = low_rank(layout)
    model = TruncatedSVD(3, random_state=0).fit(X)
    other, _ = low_rank(layout, shape=(30, 25), seed=1)
    again = TruncatedSVD(2, random_state=1).fit(X).set_params(n_components=3, random_state=0).fit(X)
    assert_array_equal(again.components_, model.components_)
    assert_array_equal(pickle.loads(pickle.dumps(model)).transform(X), model.transform(X))
    assert model.fit(other).components_.shape == (3, 25)
    with pytest.raises(ValueError, match="X has 40 features, but TruncatedSVD is expecting 25"):
        model.transform(X)


def test_a_failed_fit_leaves_the_model_as_it_was():
    X, _ = low_rank()
    model = TruncatedSVD(3, random_state=0).fit(X)
    before = {name: np.copy(value) for name, value in vars(model).items() if name.endswith("_")}
    with pytest.raises(ValueError, match=r"n_components\(3\) must be <= n_features\(2\)"):
        model.fit(X[:, :2])
    for name, value in before.items():
        assert_array_equal(getattr(model, name), value)


def test_names_of_features_and_outputs():
    pd = pytest.importorskip("pandas", reason="names of features come with pandas")
    X, dense = low_rank("dense")
    frame = pd.DataFrame(dense, columns=[f"x{j}" for j in range(dense.shape[1])])
    model = TruncatedSVD(3, random_state=0).set_output(transform="pandas").fit(frame)
    out = model.transform(frame)
    assert list(out.columns) == ["truncatedsvd0", "truncatedsvd1", "truncatedsvd2"]
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.transform(sp.csr_array(X))


@EVERY_LAYOUT
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(layout, value):
    X, dense = low_rank(layout)
    model = TruncatedSVD(3).fit(X)
    dense = dense.copy()
    dense[3, 4] = value
    bad = dense if layout == "dense" else sp.csr_array(dense).asformat(layout)
    for call in (TruncatedSVD(3).fit, model.transform):
        with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
            call(bad)
    if layout == "dense":
        with pytest.raises(ValueError, match=r"Input contains (NaN|infinity)"):
            model.inverse_transform(bad)


def test_n_threads_change_nothing():
    X = sp.random(2000, 1500, 0.01, format="csr", random_state=0)
    models = []
    for n_threads in (1, 2):
        with fastml.config_context(n_threads=n_threads):
            models.append(TruncatedSVD(10, random_state=0).fit(X))
    # Sums of Gram matrices are put together from those of the threads.
    assert_allclose(models[0].components_, models[1].components_, atol=1e-9)


def test_patched():
    with fastml.patched():
        assert sklearn.decomposition.TruncatedSVD is TruncatedSVD


# Minutes each, unless they stop.
INTERRUPTED = {
    "fit": """
rng = np.random.default_rng(0)
offsets = np.arange(0, 10**6 + 1, 50, dtype=np.int32)
X = sp.csr_array((rng.standard_normal(10**6), rng.integers(0, 10_000, 10**6, np.int32), offsets), (20_000, 10_000))
model = TruncatedSVD(3, random_state=0).fit(X[:500])
X, whole = X[:5], X
expected = model.transform(X)
model.set_params(algorithm="arpack", n_components=1000)
call = lambda: model.fit(whole)
""",
    "transform": """
X = sp.csr_array(np.ones((3, 10), np.float32))
model = TruncatedSVD(2, random_state=0).fit(np.eye(10, dtype=np.float32))
model.components_ = np.ones((100_000, 10), np.float32)
expected = model.transform(X)
offsets = np.arange(0, 10**7 + 1, 10**4, dtype=np.int32)
long = sp.csr_array((np.ones(10**7, np.float32), np.zeros(10**7, np.int32), offsets), (1000, 10))
call = lambda: model.transform(long)
""",
}
SCRIPT = """
import numpy as np
import scipy.sparse as sp
from fastml.decomposition import TruncatedSVD
{}
print("started", flush=True)
try:
    call()
except KeyboardInterrupt:
    print("usable" if np.array_equal(model.transform(X), expected) else "changed")
"""


@pytest.mark.skipif(os.name == "nt", reason="a test cannot send Ctrl-C to one process on Windows")
@pytest.mark.parametrize("call", INTERRUPTED)
def test_interrupt(call):
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(INTERRUPTED[call])],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    ) as process:
        try:
            assert process.stdout.readline() == "started\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.communicate(timeout=0.5)
            process.send_signal(signal.SIGINT)
            answer, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert answer.splitlines()[-1] == "usable"
