"""Lasso, ElasticNet, lasso_path and enet_path: what they take, what they give, what they say."""

import pickle
import re
import threading
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import fastml
from fastml.linear_model import ElasticNet, Lasso, enet_path, lasso_path


def problem(n_samples=200, n_features=20, seed=0):
    """Return X and y; five features matter."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    return X, X[:, :5] @ np.array([3.0, -2, 1, 4, -5])[:n_features] + 0.1 * rng.standard_normal(n_samples) + 7


def subgradient_excess(model, X, y):
    """Return by how much the optimality condition of each weight is missed, in units of the penalty."""
    gradient = (X - X.mean(axis=0)).T @ (y - model.predict(X)) / len(y)
    alpha, beta = model.alpha * model.l1_ratio, model.alpha * (1 - model.l1_ratio)
    excess = np.abs(gradient - beta * model.coef_ - alpha * np.sign(model.coef_))
    return np.where(model.coef_ == 0, np.maximum(np.abs(gradient) - alpha, 0), excess) / alpha


@pytest.mark.parametrize(
    ("n_samples", "n_features"), [(200, 20), (2000, 60), (60, 200), (3000, 700)], ids=lambda size: str(size)
)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_optimality(n_samples, n_features, order, l1_ratio):
    X, y = problem(n_samples, n_features)
    X = np.asarray(X, order=order)
    before = X.copy()
    model = ElasticNet(alpha=0.1, l1_ratio=l1_ratio, tol=1e-12, max_iter=10_000).fit(X, y)
    assert subgradient_excess(model, X, y).max() < 1e-4
    assert 0 < np.count_nonzero(model.coef_) < n_features
    assert_array_equal(X, before)
    assert model.dual_gap_ <= 1e-12 * ((y - y.mean()) ** 2).mean()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "parameters", [{}, {"positive": True}, {"fit_intercept": False}, {"warm_start": True}], ids=str
)
def test_blocks_of_columns(dtype, order, parameters):
    """More features than a Gram matrix is made of at once; the last block is not full."""
    X, y = problem(2000, 601)
    if parameters.get("fit_intercept", True):
        X += 3
    else:
        y -= y.mean()
    X = np.asarray(X, dtype=dtype, order=order)
    X[:, 100:110] = 0
    y = y.astype(dtype)
    ours, stock = (
        package.Lasso(alpha=0.02, tol=1e-6 if dtype == np.float64 else 1e-3, **parameters)
        for package in (fastml.linear_model, sklearn.linear_model)
    )
    for target in (y, y + X[:, 40]):
        ours.fit(X, target)
        stock.fit(X, target)
        tolerance = 1e-8 if dtype == np.float64 else 2e-3
        assert_allclose(ours.coef_, stock.coef_, atol=tolerance)
        assert_allclose(ours.intercept_, stock.intercept_, atol=10 * tolerance)
        assert ours.coef_.dtype == stock.coef_.dtype
        if dtype == np.float64:
            assert ours.n_iter_ == stock.n_iter_


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_wide_data_where_few_products_matter(kind):
    """Many sweeps, after some of which the residual is kept; then a path, whose penalties have other features."""
    X, y = problem(80, 600)
    X = X if kind == "dense" else sp.csc_array(np.where(np.abs(X) > 0.7, X, 0))
    for alpha in (0.01, 0.1):
        ours, stock = (
            package.Lasso(alpha=alpha, tol=1e-8, max_iter=20_000).fit(X, y)
            for package in (fastml.linear_model, sklearn.linear_model)
        )
        assert ours.n_iter_ == stock.n_iter_ > 10
        assert_allclose(ours.coef_, stock.coef_, atol=1e-7)
    ours, stock = (
        package.lasso_path(X, y - y.mean(), alphas=20, eps=1e-2, tol=1e-8, max_iter=20_000, return_n_iter=True)
        for package in (fastml.linear_model, sklearn.linear_model)
    )
    assert_array_equal(ours[3], stock[3])
    assert_allclose(ours[1], stock[1], atol=1e-7)


@pytest.mark.parametrize("shift", [0.0, 1e3, 1e6])
def test_means_far_from_zero(shift):
    """Products of columns less products of means would leave few digits."""
    X, y = problem(4000, 30)
    expected = Lasso(alpha=0.1, tol=1e-10).fit(X, y)
    model = Lasso(alpha=0.1, tol=1e-10).fit(X + shift, y)
    # A value of size `shift` is off by half its last digit.
    assert_allclose(model.coef_, expected.coef_, atol=1e-9 + 1e-14 * shift)


def test_tolerances_that_sums_of_products_cannot_measure():
    X, y = problem(4000, 30)
    model = Lasso(alpha=0.1, tol=1e-15, max_iter=10_000).fit(X, y)
    stock = sklearn.linear_model.Lasso(alpha=0.1, tol=1e-15, max_iter=10_000).fit(X, y)
    assert_allclose(model.coef_, stock.coef_, rtol=1e-12, atol=1e-13)
    assert abs(model.n_iter_ - stock.n_iter_) <= 1


@pytest.mark.parametrize("density", [0.05, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_is_dense(density, weighted):
    rng = np.random.default_rng(0)
    X = sp.random_array((300, 80), density=density, rng=rng, format="csc")
    X.data += 2  # means that matter
    y = X[:, :5].sum(axis=1) * 3 + rng.standard_normal(300)
    weight = rng.random(300) if weighted else None
    model = ElasticNet(alpha=0.01, tol=1e-10, max_iter=10_000).fit(X, y, sample_weight=weight)
    dense = ElasticNet(alpha=0.01, tol=1e-10, max_iter=10_000).fit(X.toarray(), y, sample_weight=weight)
    assert_allclose(model.coef_, dense.coef_, atol=1e-7)
    assert model.n_iter_ == dense.n_iter_
    assert_allclose(model.predict(X), dense.predict(X.toarray()), atol=1e-6)
    assert_allclose(model.sparse_coef_.toarray(), model.coef_[None])


def test_weights_are_repeated_samples():
    X, y = problem(60, 8)
    repeats = np.random.default_rng(1).integers(0, 4, 60)
    model = Lasso(alpha=0.05, tol=1e-10).fit(X, y, sample_weight=repeats)
    repeated = Lasso(alpha=0.05, tol=1e-10).fit(np.repeat(X, repeats, axis=0), np.repeat(y, repeats))
    assert_allclose(model.coef_, repeated.coef_, atol=1e-8)
    assert_allclose(model.intercept_, repeated.intercept_)
    assert_allclose(Lasso(alpha=0.05).fit(X, y, sample_weight=3.5).coef_, Lasso(alpha=0.05).fit(X, y).coef_)


@pytest.mark.parametrize("size", [(100, 10), (5000, 30), (30, 100)], ids=str)
def test_float32(size):
    X, y = problem(*size)
    model = Lasso(alpha=0.1).fit(X.astype(np.float32), y.astype(np.float32))
    assert model.coef_.dtype == np.float32
    assert model.predict(X.astype(np.float32)).dtype == np.float32
    assert_allclose(model.coef_, Lasso(alpha=0.1).fit(X, y).coef_, atol=1e-4)


def test_inputs_of_other_kinds(tmp_path):
    X, y = problem(50, 6)
    expected = Lasso(alpha=0.1).fit(X, y)
    path = tmp_path / "x.npy"
    np.save(path, X)
    read_only = np.load(path, mmap_mode="r")
    strided = np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
    for samples, targets in (
        (read_only, y),
        (strided, y),
        (X.tolist(), y.tolist()),
        (np.asfortranarray(X), y[:, None]),
        (X.astype(">f8"), y.astype(">f8")),
        (X[::-1], y[::-1]),
    ):
        for copy in (True, False):
            model = Lasso(alpha=0.1, copy_X=copy).fit(samples, targets)
            assert_allclose(model.coef_, expected.coef_, rtol=1e-10)
            assert_allclose(model.predict(samples).ravel(), expected.predict(np.asarray(samples, dtype=float)))
    integers = np.round(10 * X).astype(int)
    assert_allclose(Lasso().fit(integers, y).coef_, Lasso().fit(integers.astype(float), y).coef_)
    frame = pytest.importorskip("pandas", reason="names of features come with a data frame").DataFrame(
        X, columns=list("abcdef")
    )
    named = Lasso(alpha=0.1).fit(frame, y)
    assert_array_equal(named.feature_names_in_, list("abcdef"))
    with pytest.warns(UserWarning, match="feature names"):
        named.predict(X)
    assert not hasattr(named.fit(X, y), "feature_names_in_")


def test_each_target_is_a_fit_of_its_own():
    X, y = problem(3000, 20)
    targets = np.stack([y, y**2, X[:, 3]], axis=1)
    model = Lasso(alpha=0.1, random_state=0, selection="random").fit(X, targets)
    assert model.coef_.shape == (3, 20)
    assert model.dual_gap_.shape == model.intercept_.shape == (3,)
    assert model.predict(X[:4]).shape == (4, 3)
    for target in range(3):
        one = Lasso(alpha=0.1, random_state=0, selection="random").fit(X, targets[:, target])
        assert_allclose(one.coef_, model.coef_[target])
        assert one.n_iter_ == model.n_iter_[target]


def test_given_gram_matrix():
    X, y = problem(100, 6)
    X -= X.mean(axis=0)
    gram = X.T @ X
    expected = Lasso(alpha=0.1).fit(X, y)
    assert_allclose(Lasso(alpha=0.1, precompute=gram).fit(X, y).coef_, expected.coef_, rtol=1e-10)
    with pytest.warns(UserWarning, match="recomputing Gram matrix"):
        shifted = Lasso(alpha=0.1, precompute=gram).fit(X + 1, y)
    assert_allclose(shifted.coef_, expected.coef_, rtol=1e-8)
    with pytest.raises(ValueError, match="Gram matrix passed in via 'precompute' parameter"):
        Lasso(alpha=0.1, precompute=gram + 1).fit(X, y)
    # The matrix is what is solved with: a ridge on its diagonal is the elastic net's.
    ridge = Lasso(alpha=0.1, precompute=gram + np.diag(np.full(6, 50.0)), fit_intercept=False)
    ridge = ridge.fit(X, y - y.mean(), check_input=False)
    net = ElasticNet(alpha=0.6, l1_ratio=0.1 / 0.6, fit_intercept=False).fit(X, y - y.mean())
    assert_allclose(ridge.coef_, net.coef_, rtol=1e-4)
    alphas, coefs, _ = enet_path(X, y, alphas=5, precompute=gram, Xy=X.T @ y)
    assert_allclose(coefs, enet_path(X, y, alphas=5)[1], rtol=1e-6, atol=1e-9)
    assert len(alphas) == 5


def test_warm_start():
    X, y = problem()
    model = Lasso(alpha=0.01, warm_start=True, tol=1e-8)
    cold = model.fit(X, y).n_iter_
    coef = model.coef_
    held = coef.copy()
    assert model.fit(X, y).n_iter_ < cold
    model.set_params(alpha=1.0).fit(X, y)
    assert_array_equal(coef, held), "the array that a user has got hold of is not written to"
    assert_allclose(model.coef_, Lasso(alpha=1.0, tol=1e-8).fit(X, y).coef_, atol=1e-6)


def test_no_convergence():
    X, y = problem()
    with pytest.warns(ConvergenceWarning, match=r"Objective did not converge.*Duality gap: .*e.*, tolerance: "):
        model = Lasso(alpha=1e-3, max_iter=2, tol=1e-12).fit(X, y)
    assert model.n_iter_ == 2
    with pytest.warns(ConvergenceWarning, match="zero l1 penalization"), pytest.warns(UserWarning, match="alpha=0"):
        Lasso(alpha=0, max_iter=2, tol=1e-12).fit(X, y)
    with pytest.warns(ConvergenceWarning) as given:
        lasso_path(X, y, alphas=[1e-3, 1e-4], max_iter=1, tol=1e-14)
    assert len(given) == 2


def test_trivial_problems():
    X, y = problem(30, 4)
    constant = Lasso().fit(X, np.full(30, 2.5))
    assert_array_equal(constant.coef_, np.zeros(4))
    assert constant.intercept_ == 2.5
    assert constant.n_iter_ == 0
    X[:, 1] = 3
    X[:, 2] = 0
    model = Lasso(alpha=0.1).fit(X, y)
    assert_array_equal(model.coef_[1:3], [0, 0])
    assert Lasso(alpha=1e6).fit(X, y).n_iter_ == 0
    assert Lasso().fit(np.zeros((5, 2)), np.arange(5.0)).predict([[1, 1]]) == 2


@pytest.mark.parametrize(
    ("parameters", "X", "y", "message"),
    [
        ({}, [[np.nan], [1]], [1, 2], "NaN"),
        ({}, [[1], [2]], [np.inf, 2], "infinity"),
        ({}, [[1], [2]], [1, 2, 3], "inconsistent numbers of samples"),
        ({}, [1, 2], [1, 2], "Expected 2D array"),
        ({}, [[1], [2]], None, "requires y to be passed"),
        ({}, np.zeros((0, 3)), [], "0 sample"),
        ({"alpha": -1}, [[1], [2]], [1, 2], "'alpha' parameter"),
        ({"max_iter": 0}, [[1], [2]], [1, 2], "'max_iter' parameter"),
        ({"selection": "best"}, [[1], [2]], [1, 2], "'selection' parameter"),
        ({"precompute": "auto"}, [[1], [2]], [1, 2], "'precompute' parameter"),
        ({}, sp.csc_array(np.array([[np.nan], [1]])), [1, 2], "NaN"),
        ({}, [["a"], ["b"]], [1, 2], "could not convert"),
    ],
)
def test_errors_are_scikit_learns(parameters, X, y, message):
    for cls in (sklearn.linear_model.Lasso, Lasso):
        with pytest.raises(ValueError, match=message):
            cls(**parameters).fit(X, y)


def test_values_too_large():
    rng = np.random.RandomState(0)
    X, y = np.finfo(np.float64).max * rng.uniform(size=(10, 2)), rng.randint(0, 2, size=10)
    for cls in (sklearn.linear_model.Lasso, Lasso):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError, match="non-finite parameter"):
                cls(alpha=0.1).fit(X, y)


def test_a_failed_fit_changes_nothing():
    X, y = problem(30, 4)
    model = Lasso(alpha=0.1).fit(X, y)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((3, 7), np.nan), [1, 2, 3])
    assert vars(model) == before


def test_paths():
    X, y = problem()
    alphas, coefs, gaps, n_iters = lasso_path(X, y, alphas=30, eps=1e-3, return_n_iter=True)
    assert alphas.shape == gaps.shape == (30,)
    assert len(n_iters) == 30
    assert_array_equal(coefs[:, 0], np.zeros(20))
    assert (np.diff(alphas) < 0).all()
    y_norm2 = (y**2).mean()
    assert (gaps <= 1e-4 * y_norm2).all()
    fit = Lasso(alpha=alphas[20], fit_intercept=False, tol=1e-10).fit(X, y)
    _, close, _ = lasso_path(X, y, alphas=alphas, tol=1e-10)
    assert_allclose(close[:, 20], fit.coef_, atol=1e-6)
    given = enet_path(X, y, alphas=[0.1], coef_init=np.ones(20))
    assert given[0] == [0.1]
    with pytest.raises(ValueError, match="Unexpected parameters"):
        lasso_path(X, y, alphas=3, fit_intercept=True)
    with pytest.raises(ValueError, match="l1_ratio=0"):
        enet_path(X, y, l1_ratio=0, alphas=3)
    with pytest.raises(ValueError, match="selection should be"):
        enet_path(X, y, alphas=3, selection="best")


def text_of(printed):
    """Return numbers and words that were printed, but for numbers that are smaller than rounding."""
    words = re.sub(r"[\[\](),]", " ", printed).split()
    numbers = (re.fullmatch(r"-?[\d.]+(e-?\d+)?", word) and round(float(word), 6) for word in words)
    return [word if number is None else number for word, number in zip(words, numbers, strict=True)]


def test_verbose_paths_print(capsys):
    X, y = problem(30, 3)
    for targets in (y, np.stack([y, X[:, 0]], axis=1)):
        for verbose in (1, 2, 3):
            printed = []
            for function in (sklearn.linear_model.lasso_path, lasso_path):
                function(X, targets, alphas=3, verbose=verbose)
                printed.append(capsys.readouterr())
            if verbose < 3:
                assert printed[0] == printed[1]
            else:
                # Gaps are rounding, and zeros have signs.
                stock, ours = (text_of(entry.out) for entry in printed)
                assert ours == stock
                assert len(ours) > 3


def test_what_is_left_to_scikit_learn():
    X, y = problem(30, 3)
    centred = {"X_offset": np.zeros(3), "X_scale": np.ones(3)}
    with pytest.raises(fastml.FallbackError, match="sparse X without X_offset"):
        lasso_path(sp.csc_array(X), y, alphas=3, **centred)
    with fastml.config_context(fallback="silent"):
        coefs = lasso_path(sp.csc_array(X), y, alphas=3, **centred)[1]
    assert_allclose(coefs, lasso_path(X, y, alphas=3)[1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("given", [{}, {"n_alphas": 7}, {"alphas": None}, {"n_alphas": 7, "alphas": [1.0, 2.0]}])
def test_grids_given_in_older_ways(given):
    X, y = problem(30, 3)
    told = []
    for package in (sklearn.linear_model, fastml.linear_model):
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            alphas = package.enet_path(X, y, **given)[0]
        told.append((len(alphas), [(entry.category, str(entry.message)) for entry in warned]))
    assert told[0] == told[1]


def test_random_state_is_drawn_from_as_often():
    """What comes after a fit draws the same numbers, whichever package it ran on."""
    X, y = problem(50, 5)
    states = []
    for package in (sklearn.linear_model, fastml.linear_model):
        rng = np.random.RandomState(0)
        package.ElasticNet(alpha=0.1, random_state=rng).fit(X, np.stack([y, y], axis=1))
        package.lasso_path(X, y, alphas=7, random_state=rng, selection="random")
        package.LassoCV(alphas=5, random_state=rng, cv=3).fit(X, y)
        package.MultiTaskElasticNet(alpha=0.1, random_state=rng).fit(X, np.stack([y, y], axis=1))
        package.MultiTaskElasticNetCV(alphas=5, l1_ratio=[0.5, 1], random_state=rng, cv=3).fit(X, np.stack([y, y], 1))
        states.append(rng.randint(10**9))
    assert states[0] == states[1]


def test_threads_fit_at_the_same_time():
    X, y = problem(300, 400)
    expected = Lasso(alpha=0.05).fit(X, y).coef_
    found = []
    threads = [threading.Thread(target=lambda: found.append(Lasso(alpha=0.05).fit(X, y).coef_)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for coef in found:
        assert_array_equal(coef, expected)


def test_classes():
    assert issubclass(Lasso, sklearn.linear_model.Lasso)
    assert issubclass(Lasso, ElasticNet)
    model = clone(Lasso(alpha=0.3, positive=True))
    assert model.get_params() == sklearn.linear_model.Lasso(alpha=0.3, positive=True).get_params()
    X, y = problem(30, 3)
    again = pickle.loads(pickle.dumps(model.fit(X, y)))
    assert_array_equal(again.predict(X), model.predict(X))
    stock = fastml.to_sklearn(model)
    assert type(stock) is sklearn.linear_model.Lasso
    assert_allclose(stock.predict(X), model.predict(X))
