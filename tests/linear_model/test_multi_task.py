"""MultiTaskLasso, MultiTaskElasticNet and paths of several targets: what they take, what they give, what they say."""

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, PredefinedSplit, ShuffleSplit

import fastml
from fastml.linear_model import (
    ElasticNet,
    Lasso,
    LassoCV,
    MultiTaskElasticNet,
    MultiTaskElasticNetCV,
    MultiTaskLasso,
    MultiTaskLassoCV,
    enet_path,
    lasso_path,
)


def problem(n_samples=200, n_features=20, n_tasks=3, seed=0):
    """Return X and y; five features matter, for all targets."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    coef = 3 * rng.standard_normal((min(5, n_features), n_tasks))
    return X, X[:, :5] @ coef + 0.1 * rng.standard_normal((n_samples, n_tasks)) + 7


def subgradient_excess(model, X, y):
    """Return by how much the optimality condition of each feature is missed, in units of the penalty."""
    gradient = (X - X.mean(axis=0)).T @ (y - model.predict(X)) / len(y)
    alpha, beta = model.alpha * model.l1_ratio, model.alpha * (1 - model.l1_ratio)
    coef = model.coef_.T
    sizes = np.linalg.norm(coef, axis=1, keepdims=True)
    direction = np.divide(coef, sizes, out=np.zeros_like(coef), where=sizes > 0)
    excess = np.linalg.norm(gradient - beta * coef - alpha * direction, axis=1)
    return np.where(sizes[:, 0] == 0, np.maximum(excess - alpha, 0), excess) / alpha


# The Gram matrix at once, after some sweeps, and never.
@pytest.mark.parametrize(
    ("n_samples", "n_features"), [(200, 20), (2000, 60), (1200, 600), (60, 200)], ids=lambda size: str(size)
)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_optimality(n_samples, n_features, order, l1_ratio):
    X, y = problem(n_samples, n_features)
    X, y = np.asarray(X, order=order), np.asarray(y, order=order)
    before = X.copy(), y.copy()
    model = MultiTaskElasticNet(alpha=0.1, l1_ratio=l1_ratio, tol=1e-12, max_iter=10_000, copy_X=False).fit(X, y)
    assert subgradient_excess(model, X, y).max() < 1e-4
    # A feature is of all tasks or of none.
    chosen = model.coef_ != 0
    assert 0 < chosen[0].sum() < n_features
    assert_array_equal(chosen, chosen[:1].repeat(3, axis=0))
    assert_array_equal(X, before[0])
    assert_array_equal(y, before[1])
    assert model.eps_ == pytest.approx(1e-12 * ((y - y.mean(axis=0)) ** 2).sum())
    assert model.dual_gap_ * n_samples <= model.eps_


def test_one_task_is_the_lasso():
    X, y = problem(100, 12, 1)
    model, lasso = MultiTaskLasso(alpha=0.1).fit(X, y), Lasso(alpha=0.1).fit(X, y[:, 0])
    assert_allclose(model.coef_[0], lasso.coef_)
    assert model.n_iter_ == lasso.n_iter_
    model, lasso = MultiTaskLassoCV(cv=3, alphas=10).fit(X, y), LassoCV(cv=3, alphas=10).fit(X, y[:, 0])
    assert_allclose(model.mse_path_, lasso.mse_path_)
    assert_allclose(model.alpha_, lasso.alpha_)


def test_the_same_task_twice():
    """Two equal tasks share a penalty: each has it divided by sqrt(2)."""
    X, y = problem(100, 12, 1)
    model = MultiTaskLasso(alpha=0.1, tol=1e-12).fit(X, np.hstack([y, y]))
    assert_allclose(model.coef_[0], model.coef_[1])
    assert_allclose(model.coef_[0], Lasso(alpha=0.1 / np.sqrt(2), tol=1e-12).fit(X, y[:, 0]).coef_, atol=1e-8)


@pytest.mark.parametrize("shift", [0.0, 1e3, 1e6])
def test_means_far_from_zero(shift):
    """Products of columns less products of means would leave few digits."""
    X, y = problem(4000, 30)
    expected = MultiTaskLasso(alpha=0.1, tol=1e-9).fit(X, y)
    model = MultiTaskLasso(alpha=0.1, tol=1e-9).fit(X + shift, y)
    assert_allclose(model.coef_, expected.coef_, atol=1e-9 + 1e-14 * shift)


def test_tolerances_that_sums_of_products_cannot_measure():
    X, y = problem(4000, 30)
    model, stock = (
        package.MultiTaskLasso(alpha=0.1, tol=1e-13, max_iter=10_000).fit(X, y)
        for package in (fastml.linear_model, sklearn.linear_model)
    )
    assert_allclose(model.coef_, stock.coef_, rtol=1e-11, atol=1e-12)
    assert abs(model.n_iter_ - stock.n_iter_) <= 1


@pytest.mark.parametrize("density", [0.05, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_is_dense(density, weighted):
    rng = np.random.default_rng(0)
    X = sp.random_array((300, 80), density=density, rng=rng, format="csc")
    X.data += 2  # means that matter
    y = X[:, :5] @ rng.standard_normal((5, 3)) + rng.standard_normal((300, 3))
    weight = rng.random(300) if weighted else None
    parameters = {"alpha": 0.01, "tol": 1e-10, "max_iter": 10_000, "warm_start": True}
    model = MultiTaskElasticNet(**parameters)
    dense = MultiTaskElasticNet(**parameters)
    for alpha in (0.03, 0.01):
        model.set_params(alpha=alpha).fit(X, y, sample_weight=weight)
        dense.set_params(alpha=alpha).fit(X.toarray(), y, sample_weight=weight)
        assert_allclose(model.coef_, dense.coef_, atol=1e-7)
        assert model.n_iter_ == dense.n_iter_
    assert_allclose(model.predict(X), dense.predict(X.toarray()), atol=1e-6)
    assert_allclose(model.sparse_coef_.toarray(), model.coef_)


@pytest.mark.parametrize("size", [(60, 8), (6000, 20), (40, 90)], ids=str)
def test_weights_are_repeated_samples(size):
    X, y = problem(*size)
    repeats = np.random.default_rng(1).integers(0, 4, len(X))
    model = MultiTaskLasso(alpha=0.05, tol=1e-9).fit(X, y, sample_weight=repeats)
    repeated = MultiTaskLasso(alpha=0.05, tol=1e-9).fit(np.repeat(X, repeats, axis=0), np.repeat(y, repeats, axis=0))
    assert_allclose(model.coef_, repeated.coef_, atol=1e-6)
    assert_allclose(model.intercept_, repeated.intercept_, atol=1e-6)
    number = MultiTaskLasso(alpha=0.05, tol=1e-9).fit(X, y, sample_weight=3.5)
    assert_array_equal(number.coef_, MultiTaskLasso(alpha=0.05, tol=1e-9).fit(X, y).coef_)


@pytest.mark.parametrize("size", [(100, 10), (5000, 30), (900, 500), (30, 100)], ids=str)
def test_float32(size):
    X, y = problem(*size)
    model = MultiTaskLasso(alpha=0.1).fit(X.astype(np.float32), y.astype(np.float32))
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    assert model.predict(X.astype(np.float32)).dtype == np.float32
    assert_allclose(model.coef_, MultiTaskLasso(alpha=0.1).fit(X, y).coef_, atol=1e-4)
    assert MultiTaskLasso(alpha=0.1).fit(X.astype(np.float32), y).coef_.dtype == np.float32
    assert MultiTaskLasso(alpha=0.1).fit(X, y.astype(np.float32)).coef_.dtype == np.float64


def test_inputs_of_other_kinds(tmp_path):
    X, y = problem(50, 6)
    expected = MultiTaskLasso(alpha=0.1).fit(X, y)
    np.save(tmp_path / "x.npy", X)
    read_only = np.load(tmp_path / "x.npy", mmap_mode="r")
    strided = np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
    for samples, targets in (
        (read_only, y),
        (strided, y),
        (X.tolist(), y.tolist()),
        (np.asfortranarray(X), np.asfortranarray(y)),
        (X, np.repeat(y, 2, axis=1)[:, ::2]),
        (X.astype(">f8"), y.astype(">f8")),
        (X[::-1], y[::-1]),
    ):
        for copy in (True, False):
            model = MultiTaskLasso(alpha=0.1, copy_X=copy).fit(samples, targets)
            assert_allclose(model.coef_, expected.coef_, rtol=1e-10)
    integers = np.round(10 * X).astype(int), np.round(10 * y).astype(int)
    assert_allclose(
        MultiTaskLasso().fit(*integers).coef_, MultiTaskLasso().fit(*(part.astype(float) for part in integers)).coef_
    )
    frame = pytest.importorskip("pandas", reason="names of features come with a data frame").DataFrame(
        X, columns=list("abcdef")
    )
    assert_array_equal(MultiTaskLasso(alpha=0.1).fit(frame, y).feature_names_in_, list("abcdef"))


@pytest.mark.parametrize("size", [(200, 20), (60, 200)], ids=str)
def test_warm_start(size):
    X, y = problem(*size)
    model = MultiTaskLasso(alpha=0.01, warm_start=True, tol=1e-8, max_iter=10_000)
    cold = model.fit(X, y).n_iter_
    coef = model.coef_
    held = coef.copy()
    assert model.fit(X, y).n_iter_ < cold
    model.set_params(alpha=1.0).fit(X, y)
    assert_array_equal(coef, held), "the array that a user has got hold of is not written to"
    assert_allclose(model.coef_, MultiTaskLasso(alpha=1.0, tol=1e-8).fit(X, y).coef_, atol=1e-6)
    with pytest.raises(ValueError, match="weights to start from"):
        model.fit(X, y[:, :2])
    assert_array_equal(model.coef_.shape, (3, size[1]))


def test_no_convergence():
    X, y = problem()
    with pytest.warns(ConvergenceWarning, match=r"Objective did not converge.*Duality gap: .*e.*, tolerance: "):
        model = MultiTaskLasso(alpha=1e-3, max_iter=2, tol=1e-12).fit(X, y)
    assert model.n_iter_ == 2
    told = []
    for package in (sklearn.linear_model, fastml.linear_model):
        with warnings.catch_warnings(record=True) as entries:
            warnings.simplefilter("always")
            package.MultiTaskLasso(alpha=0, max_iter=2, tol=1e-16).fit(X, y)
            package.MultiTaskLassoCV(cv=3, alphas=[1e-4, 0.0], max_iter=1, tol=1e-9).fit(X, y)
        told.append([(entry.category, str(entry.message).split(" Duality gap")[0]) for entry in entries])
    assert told[0] == told[1]
    assert len(told[1]) == 8


def test_trivial_problems():
    X, y = problem(30, 4, 2)
    constant = MultiTaskLasso().fit(X, np.full((30, 2), 2.5))
    assert_array_equal(constant.coef_, np.zeros((2, 4)))
    assert_array_equal(constant.intercept_, [2.5, 2.5])
    assert constant.n_iter_ == 0
    X[:, 1] = 3
    X[:, 2] = 0
    model = MultiTaskLasso(alpha=0.1).fit(X, y)
    assert_array_equal(model.coef_[:, 1:3], np.zeros((2, 2)))
    assert MultiTaskLasso(alpha=1e6).fit(X, y).n_iter_ == 0
    unpenalised = MultiTaskLasso(alpha=0, tol=1e-12, fit_intercept=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        unpenalised.fit(X[:, [0, 3]], y)
    assert unpenalised.intercept_ == 0.0
    assert_allclose(unpenalised.coef_.T, np.linalg.lstsq(X[:, [0, 3]], y)[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "X", "y", "message"),
    [
        ({}, [[np.nan], [1]], [[1], [2]], "Input X contains NaN"),
        ({}, [[1], [2]], [[np.inf], [2]], "infinity"),
        ({}, np.array([[np.nan], [1]]), np.array([[1.0], [2]]), "Input X contains NaN"),
        ({}, np.array([[0.0], [1]]), np.array([[1.0], [np.nan]]), "contains NaN"),
        ({}, [[1], [2]], [[1], [2], [3]], "inconsistent numbers of samples"),
        ({}, [1, 2], [[1], [2]], "Expected 2D array"),
        ({}, [[1], [2]], None, "requires y to be passed"),
        ({}, [[1], [2]], [1, 2], "For mono-task outputs, use ElasticNet"),
        ({}, np.zeros((0, 3)), np.zeros((0, 2)), "0 sample"),
        ({}, [[1], [2]], np.zeros((2, 2, 2)), "Found array with dim 3"),
        ({"alpha": -1}, [[1], [2]], [[1], [2]], "'alpha' parameter"),
        ({"max_iter": 0}, [[1], [2]], [[1], [2]], "'max_iter' parameter"),
        ({"selection": "best"}, [[1], [2]], [[1], [2]], "'selection' parameter"),
        ({}, sp.csc_array(np.array([[np.nan], [1]])), [[1], [2]], "NaN"),
        ({}, [["a"], ["b"]], [[1], [2]], "could not convert"),
    ],
)
def test_errors_are_scikit_learns(parameters, X, y, message):
    said = []
    for package in (sklearn.linear_model, fastml.linear_model):
        with pytest.raises(ValueError, match=message) as error:
            package.MultiTaskLasso(**parameters).fit(X, y)
        said.append(str(error.value))
    assert said[0] == said[1]


def test_weights_of_another_length():
    X, y = problem(30, 4)
    for package in (sklearn.linear_model, fastml.linear_model):
        for estimator in (package.MultiTaskLasso(), package.MultiTaskLassoCV(cv=3)):
            with pytest.raises(ValueError, match=r"sample_weight.shape == \(3,\)"):
                estimator.fit(X, y, sample_weight=[1, 2, 3])


def test_a_failed_fit_changes_nothing():
    X, y = problem(30, 4)
    for model in (MultiTaskLasso(alpha=0.1), MultiTaskLassoCV(cv=3, alphas=5)):
        before = dict(vars(model.fit(X, y)))
        with pytest.raises(ValueError, match="mono-task"):
            model.fit(np.zeros((3, 7)), [1, 2, 3])
        assert vars(model) == before


def test_paths():
    X, y = problem()
    alphas, coefs, gaps, n_iters = lasso_path(X, y, alphas=30, eps=1e-3, return_n_iter=True)
    assert coefs.shape == (3, 20, 30)
    assert alphas.shape == gaps.shape == (30,)
    assert len(n_iters) == 30
    assert_array_equal(coefs[..., 0], np.zeros((3, 20)))
    assert (gaps <= 1e-4 * (y**2).sum(axis=1).mean()).all()
    fit = MultiTaskLasso(alpha=alphas[20], fit_intercept=False, tol=1e-10).fit(X, y)
    _, close, _ = lasso_path(X, y, alphas=alphas, tol=1e-10)
    assert_allclose(close[..., 20], fit.coef_, atol=1e-6)
    start = np.ones((3, 20))
    _, from_start, _ = enet_path(X, y, alphas=[0.1], coef_init=start)
    assert_array_equal(start, np.ones((3, 20)))
    assert_allclose(from_start, enet_path(X, y, alphas=[0.1])[1], atol=0.05)
    for gram, products in ((X.T @ X, None), (X.T @ X, X.T @ y), ("auto", None), (True, None), (False, X.T @ y)):
        given = enet_path(X, y, alphas=5, precompute=gram, Xy=products)
        assert_allclose(given[1], enet_path(X, y, alphas=5)[1], rtol=1e-6, atol=1e-9)
    for function in (sklearn.linear_model.lasso_path, lasso_path):
        with pytest.raises(ValueError, match="positive=True is not allowed for multi-output"):
            function(X, y, alphas=3, positive=True)
        with pytest.raises(ValueError, match="Gram matrix passed in via 'precompute' parameter"):
            function(X, y, alphas=3, precompute=X.T @ X + 1)


@pytest.mark.parametrize(
    "cv",
    [
        None,
        KFold(4, shuffle=True, random_state=0),
        ShuffleSplit(4, test_size=0.3, random_state=0),
        PredefinedSplit(np.arange(120) % 3),
        [(np.arange(0, 100), np.arange(50, 120)), (np.arange(20, 120), np.arange(20))],
        [(np.arange(120) >= 30, np.arange(120) < 30), (np.arange(120) < 90, np.arange(120) >= 90)],
    ],
    ids=lambda cv: type(cv).__name__,
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["dense", "wide", "sparse", "float32"])
def test_any_splits(cv, weighted, kind):
    X, y = problem(120, 150 if kind == "wide" else 10)
    X = X + np.linspace(-5, 5, X.shape[1])
    if kind == "sparse":
        X = sp.csr_matrix(np.where(np.abs(X) > 2, X, 0))
    elif kind == "float32":
        X, y = X.astype(np.float32), y.astype(np.float32)
    weight = np.random.default_rng(1).random(120) if weighted else None
    stock, ours = (
        package.MultiTaskElasticNetCV(cv=cv, alphas=6, eps=0.05, l1_ratio=[0.5, 0.9]).fit(X, y, sample_weight=weight)
        for package in (sklearn.linear_model, fastml.linear_model)
    )
    double = kind != "float32"
    for name in ("alphas_", "mse_path_", "coef_", "intercept_"):
        given, expected = getattr(ours, name), getattr(stock, name)
        assert given.dtype == expected.dtype
        assert_allclose(given, expected, rtol=1e-6 if double else 1e-2, atol=1e-9 if double else 1e-2)
    if double:
        assert (ours.n_iter_, ours.l1_ratio_) == (stock.n_iter_, stock.l1_ratio_)
        assert ours.alpha_ == pytest.approx(stock.alpha_)


@pytest.mark.parametrize("name", ["LassoCV", "MultiTaskLassoCV"])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("seed", range(5))
def test_equal_solutions_tie(name, form, seed):
    """Where a solution is as good for the next penalty, it is taken for the larger one."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((50, 10))
    y = X @ (rng.standard_normal((10, 2)) * (np.arange(10) < 4)[:, None])
    stock, ours = (
        getattr(package, name)(alphas=[1.0, 0.1, 0.01, 0.009, 0.008]).fit(form(X), y if "Multi" in name else y[:, 0])
        for package in (sklearn.linear_model, fastml.linear_model)
    )
    assert ours.alpha_ == stock.alpha_
    ties = stock.mse_path_[1:] == stock.mse_path_[:-1]
    assert ties.any()
    assert_array_equal((ours.mse_path_[1:] == ours.mse_path_[:-1])[ties], True)


@pytest.mark.parametrize("size", [(120, 10), (40, 90)], ids=str)
def test_many_threads_choose_as_one(size):
    X, y = problem(*size)
    with fastml.config_context(n_threads=1):
        one = MultiTaskLassoCV(cv=5, alphas=20).fit(X, y)
    many = MultiTaskLassoCV(cv=5, alphas=20, n_jobs=2).fit(X, y)
    assert_allclose(many.mse_path_, one.mse_path_, rtol=1e-10)


def test_refit_is_the_lasso():
    X, y = problem(500, 30)
    model = MultiTaskLassoCV(cv=3).fit(X, y)
    lasso = MultiTaskLasso(alpha=model.alpha_).fit(X, y)
    assert_allclose(model.coef_, lasso.coef_, rtol=1e-9)
    assert (model.n_iter_, model.dual_gap_) == (lasso.n_iter_, pytest.approx(lasso.dual_gap_, rel=1e-4))
    assert not hasattr(model, "l1_ratio_")
    assert not hasattr(model, "eps_")
    assert_allclose(model.predict(X[:1]), lasso.predict(X[:1]))


def test_classes():
    assert issubclass(MultiTaskLasso, sklearn.linear_model.MultiTaskLasso)
    assert issubclass(MultiTaskLasso, MultiTaskElasticNet)
    assert issubclass(MultiTaskElasticNet, ElasticNet)
    X, y = problem(30, 3)
    for cls in (MultiTaskElasticNet, MultiTaskElasticNetCV, MultiTaskLasso, MultiTaskLassoCV):
        stock = getattr(sklearn.linear_model, cls.__name__)
        model = clone(cls(max_iter=2000))
        assert model.get_params() == stock(max_iter=2000).get_params()
        assert model.__sklearn_tags__() == stock().__sklearn_tags__()
        again = pickle.loads(pickle.dumps(model.fit(X, y)))
        assert_array_equal(again.predict(X), model.predict(X))
        back = fastml.to_sklearn(model)
        assert type(back) is stock
        assert_allclose(back.predict(X), model.predict(X))
