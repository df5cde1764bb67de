"""Least squares where rounding, rank and memory matter."""

import pickle
import signal
import threading
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from scipy import linalg

import fastml
from fastml import _core
from fastml.linear_model import LinearRegression, Ridge, RidgeClassifier, RidgeCV

EPS = np.finfo(np.float64).eps


def conditioned(n, d, condition, seed=0):
    """Return a matrix whose singular values over sqrt(n) go from 1 to 1 / condition, in even ratios."""
    rng = np.random.RandomState(seed)
    U, _ = np.linalg.qr(rng.standard_normal((n, d)))
    V, _ = np.linalg.qr(rng.standard_normal((d, d)))
    return np.sqrt(n) * (U * np.logspace(0, -np.log10(condition), d)) @ V.T


def solve_in_long_double(X, y):
    """Solve least squares by Gram-Schmidt, done twice over, in extended precision."""
    X, y = X.astype(np.longdouble), y.astype(np.longdouble)
    Q, y = X - X.mean(axis=0), y - y.mean()
    d = X.shape[1]
    R = np.eye(d, dtype=np.longdouble)
    for _ in range(2):
        step = np.zeros((d, d), dtype=np.longdouble)
        for j in range(d):
            step[j, j] = np.sqrt((Q[:, j] ** 2).sum())
            Q[:, j] /= step[j, j]
            step[j, j + 1 :] = Q[:, j] @ Q[:, j + 1 :]
            Q[:, j + 1 :] -= np.outer(Q[:, j], step[j, j + 1 :])
        R = step @ R
    rotated = Q.T @ y
    w = np.zeros(d, dtype=np.longdouble)
    for j in reversed(range(d)):
        w[j] = (rotated[j] - R[j, j + 1 :] @ w[j + 1 :]) / R[j, j]
    return w


@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize("noise", [0.0, 1e-3, 1.0])
@pytest.mark.parametrize("exponent", range(15))
def test_no_worse_than_scikit_learn_at_any_condition(exponent, noise, offset):
    rng = np.random.RandomState(exponent)
    X = conditioned(400, 8, 10.0**exponent, seed=exponent) + offset * rng.uniform(size=8)
    y = X @ rng.standard_normal(8) + noise * rng.standard_normal(400)
    ours, stock = LinearRegression().fit(X, y), sklearn.linear_model.LinearRegression().fit(X, y)
    assert ours.rank_ == stock.rank_
    # Singular values are known to eps of the largest; squared before they are summed up, ours may lose somewhat more.
    assert_allclose(ours.singular_, stock.singular_, rtol=1e-7, atol=4 * EPS * stock.singular_[0] * (1 + offset))
    if stock.rank_ == 8:
        truth = solve_in_long_double(X, y)
        error, stock_error = (float(np.linalg.norm(coef - truth)) for coef in (ours.coef_, stock.coef_))
        # A bound of any backward stable solution, for where scikit-learn's is right by chance.
        residual = np.linalg.norm(y - stock.predict(X)) / np.sqrt(400)
        condition = stock.singular_[0] / stock.singular_[-1]
        stable = 8 * EPS * (condition * float(np.linalg.norm(truth)) + condition**2 * residual)
        assert error <= max(2 * stock_error, stable)
    else:
        assert_allclose(ours.coef_, stock.coef_, rtol=1e-9, atol=1e-9 * np.abs(stock.coef_).max())


def test_well_conditioned_coefficients_are_those_of_the_svd():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((20_000, 50)) + 100
    y = X @ rng.standard_normal(50) + rng.standard_normal(20_000)
    expected = linalg.lstsq(X - X.mean(axis=0), y - y.mean())[0]
    assert_allclose(LinearRegression().fit(X, y).coef_, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())


def test_a_solution_is_corrected_by_its_residuals():
    # Uncorrected, half of the digits would be gone.
    X = conditioned(2000, 10, 3e3)
    w = np.arange(1.0, 11.0)
    coef = LinearRegression().fit(X, X @ w).coef_
    assert_allclose(coef, w, rtol=1e-11)


def test_float32_samples_lose_nothing_on_the_way():
    rng = np.random.RandomState(0)
    X = (rng.standard_normal((5000, 6)) + 30).astype(np.float32)
    w = np.array([1, -2, 3, -4, 5, -6], dtype=np.float32)
    y = X.astype(np.float64) @ w + 7
    model = LinearRegression().fit(X, y)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    # y is rounded to float32, 1e-5 at most, which the means over many samples take out.
    assert_allclose(model.coef_, w, rtol=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_constant_features_have_no_coefficient(fit_intercept):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((200, 5))
    X[:, 2] = 0.1 if fit_intercept else 0
    X[:, 4] = 0
    y = X @ np.arange(5.0) + rng.standard_normal(200)
    ours = LinearRegression(fit_intercept=fit_intercept).fit(X, y)
    stock = sklearn.linear_model.LinearRegression(fit_intercept=fit_intercept).fit(X, y)
    assert_array_equal(ours.coef_[[2, 4]], 0)
    assert ours.rank_ == stock.rank_ == 3
    assert_allclose(ours.coef_, stock.coef_, rtol=1e-10, atol=1e-12)
    assert_allclose(ours.singular_, stock.singular_, rtol=1e-10, atol=1e-12)
    assert_allclose(ours.intercept_, stock.intercept_, atol=1e-12)


@pytest.mark.parametrize("n", [60, 8])
def test_of_many_solutions_it_is_the_smallest(n):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((n, 6))
    X = np.column_stack([X, X[:, :3] @ rng.standard_normal((3, 3)), X[:, 0]])
    y = rng.standard_normal((n, 2))
    ours, stock = LinearRegression().fit(X, y), sklearn.linear_model.LinearRegression().fit(X, y)
    assert ours.rank_ == stock.rank_ == 6
    assert_allclose(ours.coef_, stock.coef_, rtol=1e-9, atol=1e-11)
    least = np.linalg.pinv(X - X.mean(axis=0)) @ (y - y.mean(axis=0))
    assert_allclose(ours.coef_, least.T, rtol=1e-9, atol=1e-11)


def test_features_of_uneven_scales_are_left_out_as_by_scikit_learn():
    # Some units are so small that their singular values drown, by `tol`, in the others'.
    rng = np.random.RandomState(0)
    scales = np.array([1, 1e-8, 1e3, 1, 1e-9])
    X = rng.standard_normal((300, 5)) * scales
    y = rng.standard_normal(300)
    for tol in (1e-6, 1e-2):
        ours, stock = LinearRegression(tol=tol).fit(X, y), sklearn.linear_model.LinearRegression(tol=tol).fit(X, y)
        assert ours.rank_ == stock.rank_ < 5
        assert_allclose(ours.coef_, stock.coef_, rtol=1e-9, atol=1e-15)
        assert_allclose(ours.singular_, stock.singular_, rtol=1e-9, atol=4 * EPS * stock.singular_[0])
    # Without it they all count; scales are no condition.
    even = sklearn.linear_model.LinearRegression().fit(X / scales, y)
    assert_allclose(LinearRegression(tol=0).fit(X, y).coef_ * scales, even.coef_, rtol=1e-12)


def test_sparse_samples_of_many_features_are_solved_by_iterations():
    X = sp.random(300, 1000, 0.02, format="csr", random_state=0)
    y = np.random.RandomState(0).standard_normal((300, 2))
    for n_jobs in (None, 2):
        model = LinearRegression(n_jobs=n_jobs).fit(X, y)
        assert_array_equal(model.coef_, sklearn.linear_model.LinearRegression().fit(X, y).coef_)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        LinearRegression(positive=True).fit(X, y)


@pytest.mark.parametrize("kept", [0.5, 0.02])
def test_sparse_samples_whether_made_dense_or_not(kept):
    rng = np.random.RandomState(0)
    X = sp.random(9000, 60, kept, format="csr", random_state=0)
    y = X @ rng.standard_normal(60) + rng.standard_normal(9000)
    weight = rng.uniform(size=9000)
    expected = sklearn.linear_model.LinearRegression().fit(X.toarray(), y, weight)
    model = LinearRegression().fit(X, y, weight)
    assert_allclose(model.coef_, expected.coef_, rtol=1e-10, atol=1e-12)
    assert_allclose(model.intercept_, expected.intercept_, rtol=1e-10, atol=1e-12)
    assert not hasattr(model, "rank_")


@pytest.mark.parametrize("scale", [1e-170, 1e-120, 1e120, 1e170])
def test_squares_may_leave_the_range_of_numbers(scale):
    rng = np.random.RandomState(0)
    X = scale * rng.standard_normal((50, 3))
    y = X @ [1.0, 2.0, 3.0]
    assert_allclose(LinearRegression().fit(X, y).coef_, [1, 2, 3], rtol=1e-12)
    assert_allclose(RidgeCV(cv=2).fit(X / scale, y / scale).coef_.shape, 3)


@pytest.mark.parametrize("family", [LinearRegression, Ridge, RidgeCV, RidgeClassifier])
def test_a_failed_fit_changes_nothing(family):
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((30, 3)), (rng.uniform(size=30) > 0.5).astype(float)
    model = family().fit(X, y)
    before = dict(vars(model))
    bad = np.column_stack([X, X])
    bad[3, 3] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit(bad, y)
    assert vars(model) == before


def test_singular_systems_warn_and_fall_to_the_svd_as_in_scikit_learn():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((50, 3))
    y = rng.standard_normal(50)
    nearly = np.column_stack([X, X[:, 0] * (1 + 1e-9 * rng.standard_normal(50))])
    for samples in (nearly, np.column_stack([X, np.zeros(50)])):
        outcomes = []
        for family in (Ridge, sklearn.linear_model.Ridge):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                model = family(alpha=0.0).fit(samples, y)
            outcomes.append((model, {w.category for w in caught}))
        (ours, our_warnings), (stock, stock_warnings) = outcomes
        assert our_warnings == stock_warnings
        assert ours.solver_ == stock.solver_
    assert ours.solver_ == "svd"
    assert_allclose(ours.coef_, stock.coef_, rtol=1e-12)


def test_pickles_and_conversion():
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((30, 3)), rng.standard_normal(30)
    for model in (LinearRegression().fit(X, y), Ridge().fit(X, y), RidgeCV().fit(X, y)):
        again = pickle.loads(pickle.dumps(model))
        assert_array_equal(again.predict(X), model.predict(X))
        stock = fastml.to_sklearn(model)
        assert type(stock).__module__.startswith("sklearn.")
        assert_array_equal(stock.predict(X), model.predict(X))


def test_weights_count_samples():
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((60, 4)), rng.standard_normal(60)
    counts = rng.randint(0, 4, 60)
    for family in (LinearRegression, Ridge):
        weighted = family().fit(X, y, sample_weight=counts)
        repeated = family().fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
        assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-11)
        assert_allclose(weighted.intercept_, repeated.intercept_, rtol=1e-10)


def test_the_same_threads_give_the_same_bits():
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((30_000, 20)), rng.standard_normal((30_000, 1))
    results = [_core.cross_products(X, y, None, True, threads) for threads in (1, 1, 2, 2)]
    for left, right in ((results[0], results[1]), (results[2], results[3])):
        for a, b in zip(left, right, strict=True):
            assert_array_equal(a, b)
    for a, b in zip(results[0], results[2], strict=True):
        assert_allclose(a, b, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_kernels_of_sparse_samples_refuse_what_they_would_read_beyond(index):
    values, indices, offsets, y = np.ones(2), np.array([0, 2], index), np.array([0, 1, 2], index), np.ones((2, 1))
    _core.sparse_cross_products(values, indices, offsets, 3, y)
    mean = np.zeros(3), np.zeros(1)
    for wrong, message in (
        ((values, indices, offsets, 2, y), "out of range"),
        ((values, indices, offsets + index(1), 3, y), "out of range"),
        ((values, indices[:1], offsets, 3, y), "as many of both"),
        ((values, indices, offsets, 3, y[:1]), "y: expected a matrix"),
        ((values, indices, offsets, 0, y), "one row and column"),
        ((values, indices, offsets, 3, y, np.ones(1)), "weights: expected 2 elements"),
    ):
        with pytest.raises(ValueError, match=message):
            _core.sparse_cross_products(*wrong)
        with pytest.raises(ValueError, match=message):
            _core.sparse_normal_residual(*wrong[:5], (*wrong, None)[5], *mean, np.zeros((1, 3)))
    with pytest.raises(TypeError):
        _core.sparse_cross_products(values.astype(np.float32), indices, offsets, 3, y)
    with pytest.raises(ValueError, match="coef: expected"):
        _core.sparse_normal_residual(values, indices, offsets, 3, y, None, *mean, np.zeros((1, 2)))
    with pytest.raises(ValueError, match="x_mean, y_mean"):
        _core.sparse_normal_residual(values, indices, offsets, 3, y, None, np.zeros(2), mean[1], np.zeros((1, 3)))


def test_the_same_threads_give_the_same_bits_of_sparse_samples():
    X = sp.random(30_000, 50, 0.1, format="csr", random_state=0)
    rest = X.data, X.indices, X.indptr, 50, np.random.RandomState(0).standard_normal((30_000, 1)), None, True
    results = [_core.sparse_cross_products(*rest, threads) for threads in (1, 1, 2, 2)]
    for left, right in ((results[0], results[1]), (results[2], results[3])):
        for a, b in zip(left, right, strict=True):
            assert_array_equal(a, b)
    for a, b in zip(results[0], results[2], strict=True):
        assert_allclose(a, b, rtol=1e-12, atol=1e-9)


def test_kernels_refuse_what_they_would_read_beyond():
    X, y = np.ones((4, 3)), np.ones((4, 1))
    with pytest.raises(ValueError, match="y: expected a matrix"):
        _core.cross_products(X, np.ones((3, 1)))
    with pytest.raises(ValueError, match="weights: expected 4 elements"):
        _core.cross_products(X, y, np.ones(3))
    with pytest.raises(ValueError, match="x: expected a matrix"):
        _core.cross_products(np.ones((0, 3)), np.ones((0, 1)))
    with pytest.raises(TypeError):
        _core.cross_products(X.astype(np.float32), y)
    with pytest.raises(ValueError, match="coef: expected"):
        _core.normal_residual(X, y, None, np.ones(3), np.ones(1), np.ones((1, 2)))
    with pytest.raises(ValueError, match="x_mean, y_mean"):
        _core.normal_residual(X, y, None, np.ones(2), np.ones(1), np.ones((1, 3)))


def test_ctrl_c_stops_a_fit():
    X = np.random.default_rng(0).standard_normal((200_000, 100))
    timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
    model = LinearRegression()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        fit_on_and_on(model, X)
    timer.join()
    assert not hasattr(model, "coef_") or model.coef_.shape == (100,)


def fit_on_and_on(model, X):
    for _ in range(1000):
        model.fit(X, X[:, 0])
