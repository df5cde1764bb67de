"""Least squares of sparse samples, with and without a penalty, against scikit-learn's and against what is right."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal

import fastml.linear_model
from fastml._support import dispatch
from fastml.linear_model import LinearRegression, Ridge, RidgeClassifier, RidgeCV, ridge_regression

EVERY_DTYPE = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
EVERY_INTERCEPT = pytest.mark.parametrize("fit_intercept", [True, False], ids=["intercept", "no intercept"])
EVERY_TARGETS = pytest.mark.parametrize("targets", [None, 1, 3], ids=["y", "one column", "three columns"])
EVERY_WEIGHTS = pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])

# Of float32, scikit-learn's own rounding; of float64 the tolerance that its iterations are given.
RELATIVE = {np.float64: 1e-9, np.float32: 2e-4}

# What is solved from stored values, what is made dense, and what iterations are cheaper for.
SHAPES = {"stored": (3000, 60, 0.06), "dense": (300, 20, 0.5), "iterated": (400, 350, 0.02), "wide": (40, 90, 0.1)}
EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES)


def problem(shape, targets=None, dtype=np.float64, weighted=False, layout="csr"):
    n, d, kept = SHAPES[shape]
    rng = np.random.RandomState(0)
    X = sp.random(n, d, kept, format="csr", random_state=0)
    X.data += 0.5
    y = X @ rng.standard_normal((d, targets or 1)) + 0.3 * rng.standard_normal((n, targets or 1)) + 5
    weight = rng.randint(0, 4, n).astype(float) if weighted else None
    return X.astype(dtype).asformat(layout), (y if targets else y[:, 0]).astype(dtype), weight


def fitted(name, parameters, *data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(
            getattr(family, name)(**parameters).fit(*data) for family in (fastml.linear_model, sklearn.linear_model)
        )


def outcome(call):
    """Return what a call returns, or the error that it raises."""
    try:
        return call()
    except Exception as error:
        return type(error), str(error)


def assert_same_model(ours, stock, relative):
    assert vars(ours).keys() == vars(stock).keys()
    for name in ("coef_", "intercept_"):
        actual, expected = getattr(ours, name), getattr(stock, name)
        assert np.shape(actual) == np.shape(expected), name
        assert np.asarray(actual).dtype == np.asarray(expected).dtype, name
        assert_allclose(actual, expected, rtol=relative, atol=relative * np.abs(expected).max(), err_msg=name)
    for name in ("solver_", "n_iter_"):
        if hasattr(stock, name):
            assert_array_equal(getattr(ours, name), getattr(stock, name), err_msg=name)


@EVERY_DTYPE
@EVERY_INTERCEPT
@EVERY_TARGETS
@EVERY_WEIGHTS
@EVERY_SHAPE
@pytest.mark.parametrize("name", ["LinearRegression", "Ridge"])
def test_models(name, shape, targets, fit_intercept, weighted, dtype):
    data = problem(shape, targets, dtype, weighted)
    ours, stock = fitted(name, {"fit_intercept": fit_intercept, "tol": 1e-13}, *data)
    assert_same_model(ours, stock, RELATIVE[dtype])


@EVERY_SHAPE
@pytest.mark.parametrize("name", ["LinearRegression", "Ridge"])
def test_no_farther_from_the_answer_than_scikit_learn(name, shape):
    X, y, weight = problem(shape, 2, weighted=True)
    ours, stock = fitted(name, {}, X, y, weight)
    exact = getattr(sklearn.linear_model, name)().fit(X.toarray(), y, weight)
    error, stock_error = (np.abs(model.coef_ - exact.coef_).max() for model in (ours, stock))
    assert error <= max(stock_error, 1e-12 * np.abs(exact.coef_).max())


@pytest.mark.parametrize("layout", ["csr", "csc", "coo"])
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix], ids=["array", "matrix"])
@pytest.mark.parametrize("index", [np.int32, np.int64], ids=lambda dtype: dtype.__name__)
@EVERY_SHAPE
def test_formats(shape, index, kind, layout):
    X, y, _ = problem(shape)
    X = kind(X)
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    for name in ("LinearRegression", "Ridge"):
        assert_same_model(*fitted(name, {"tol": 1e-13}, X.asformat(layout), y), 1e-9)


@EVERY_INTERCEPT
def test_rows_and_columns_without_values_zeros_stored_and_values_in_parts(fit_intercept):
    X, y, _ = problem("stored")
    X = X.tolil()
    X[:, [3, 59]] = 0
    X[10:40] = 0
    X = X.tocsr()
    # In each row, indices descend; the first value is stored in two parts, and a zero is stored.
    rows = []
    for i in range(X.shape[0]):
        values, indices = X[[i]].data[::-1], X[[i]].indices[::-1]
        if len(values):
            values = np.concatenate([[values[0] / 4, 0.0], values[1:], [0.75 * values[0]]])
            indices = np.concatenate([indices[:1], [59], indices[1:], indices[:1]])
        rows.append((values, indices))
    offsets = np.concatenate([[0], np.cumsum([len(values) for values, _ in rows])])
    data = np.concatenate([values for values, _ in rows]), np.concatenate([indices for _, indices in rows]), offsets
    messy = sp.csr_matrix(data, shape=X.shape)
    assert not messy.has_canonical_format
    copies = [array.copy() for array in data]
    for name in ("LinearRegression", "Ridge"):
        parameters = {"fit_intercept": fit_intercept}
        ours, _ = fitted(name, parameters, messy, y)
        _, dense = fitted(name, parameters, X.toarray(), y)
        assert_allclose(ours.coef_, dense.coef_, rtol=1e-10, atol=1e-12)
        assert_array_equal(ours.coef_[[3, 59]], 0)
        assert_allclose(ours.intercept_, dense.intercept_, rtol=1e-10, atol=1e-12)
    for array, copy in zip((messy.data, messy.indices, messy.indptr), copies, strict=True):
        assert_array_equal(array, copy)


def conditioned(exponent):
    """Return sparse samples with a column that is another one but for a part of 10 ** -exponent."""
    X, _, _ = problem("stored")
    other = X[:, [1]] + 10.0**-exponent * X[:, [2]]
    return sp.hstack([X, other]).tocsr()


@pytest.mark.parametrize("exponent", range(0, 15, 2))
def test_ill_conditioned_samples_are_solved_as_well_as_by_scikit_learn(exponent):
    X = conditioned(exponent)
    rng = np.random.RandomState(0)
    y = X @ rng.standard_normal(X.shape[1]) + 0.1 * rng.standard_normal(X.shape[0])
    ours, stock = fitted("LinearRegression", {}, X, y)
    # Where features are nearly the same coefficients say little; what is minimised is the sum of squares.
    least = np.sum((y - sklearn.linear_model.LinearRegression(tol=0).fit(X.toarray(), y).predict(X)) ** 2)
    excess, stock_excess = (np.sum((y - model.predict(X)) ** 2) / least - 1 for model in (ours, stock))
    assert excess <= max(stock_excess, 1e-12)
    ours, stock = fitted("Ridge", {"alpha": 1e-3, "tol": 1e-12}, X, y)
    assert_same_model(ours, stock, 1e-6)


@pytest.mark.parametrize("mean", [1.0, 1e2, 1e4, 1e6, 1e8])
def test_full_columns_far_from_zero(mean):
    # As years are: their sums of squares lose digits once means are taken from them.
    X, y, _ = problem("stored")
    rng = np.random.RandomState(1)
    far = mean + rng.standard_normal(X.shape[0])
    X = sp.hstack([X, sp.csr_matrix(far[:, None])]).tocsr()
    y = y + far - mean
    ours, stock = fitted("LinearRegression", {}, X, y)
    exact = sklearn.linear_model.LinearRegression().fit(X.toarray(), y)
    error, stock_error = (np.abs(model.coef_ - exact.coef_).max() for model in (ours, stock))
    assert error <= max(stock_error, 1e-14 * mean, 1e-12)


def test_a_penalty_for_each_target():
    X, y, weight = problem("stored", 3, weighted=True)
    parameters = {"alpha": np.array([0.1, 10.0, 300.0]), "tol": 1e-13}
    assert_same_model(*fitted("Ridge", parameters, X, y, weight), 1e-9)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Ridge", {"solver": "sag", "random_state": 0, "max_iter": 50}),
        ("Ridge", {"solver": "lsqr"}),
        ("Ridge", {"solver": "sparse_cg"}),
        ("Ridge", {"positive": True}),
        ("Ridge", {"alpha": [1.0, 2.0]}),
        ("Ridge", {"solver": "cholesky"}),
        ("Ridge", {"solver": "cholesky", "fit_intercept": False}),
        ("Ridge", {"solver": "cholesky", "fit_intercept": False, "alpha": 0.0}),
        ("Ridge", {"solver": "svd", "fit_intercept": False}),
        ("RidgeClassifier", {"solver": "lsqr", "class_weight": "balanced"}),
        ("LinearRegression", {"positive": True}),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_other_solvers_and_errors(name, parameters):
    X, y, _ = problem("stored")
    X = X.tolil()
    X[:, 7] = 0  # which is an error of solver='cholesky' without a penalty
    X, target = X.tocsr(), np.digitize(y, [5.0, 6.0]) if name == "RidgeClassifier" else y
    ours, stock = (
        outcome(lambda family=family: getattr(family, name)(**parameters).fit(X, target))
        for family in (fastml.linear_model, sklearn.linear_model)
    )
    if isinstance(stock, tuple):
        assert ours == stock
    else:
        assert_same_model(ours, stock, 1e-9)


def test_classifiers_and_searches():
    X, y, weight = problem("stored", weighted=True)
    classes = np.digitize(y, [5.0, 6.0])
    for target in (classes, classes > 0, np.column_stack([classes > 0, classes > 1]).astype(int)):
        ours, stock = fitted("RidgeClassifier", {"tol": 1e-13}, X, target, weight)
        assert_same_model(ours, stock, 1e-9)
        assert_array_equal(ours.predict(X), stock.predict(X))
    for name, target in (("RidgeCV", y), ("RidgeClassifierCV", classes)):
        ours, stock = fitted(name, {"cv": 3}, X, target)
        assert ours.alpha_ == stock.alpha_
        # scikit-learn's inner models stop at their default tolerance.
        assert_allclose(ours.coef_, stock.coef_, atol=1e-3 * np.abs(stock.coef_).max())


def test_what_runs_on_kernels_is_not_called_borrowed():
    X, y, _ = problem("stored")
    dispatch.reset_calls()
    for model in (LinearRegression(), Ridge(), RidgeClassifier(), RidgeCV(cv=2)):
        model.fit(X, y > 5 if isinstance(model, RidgeClassifier) else y)
    ridge_regression(X, y, 1.0)
    assert [call.reason for call in dispatch.calls()] == [None] * 5
    dispatch.reset_calls()
    Ridge(solver="sparse_cg").fit(X, y)
    assert "scikit-learn's" in dispatch.calls()[0].reason


FORMS = [{}, {"return_n_iter": True}, {"return_intercept": True}, {"return_n_iter": True, "return_intercept": True}]


@EVERY_DTYPE
@EVERY_TARGETS
@EVERY_WEIGHTS
@pytest.mark.parametrize("layout", ["dense", "csr", "csc", "coo"])
@pytest.mark.parametrize("solver", ["auto", "cholesky", "lsqr", "svd"])
def test_ridge_regression(solver, layout, weighted, targets, dtype):
    X, y, weight = problem("dense" if layout == "dense" else "stored", targets, dtype, weighted)
    if solver == "svd" and layout != "dense":
        with pytest.raises(TypeError, match="SVD solver does not support sparse"):
            ridge_regression(X, y, 1.0, solver=solver)
        return
    X = X.toarray() if layout == "dense" else X.asformat(layout)
    for alpha in (0.5, np.array([3.0]), np.arange(1.0, 4.0)[: targets or 1]):
        parameters = {"alpha": alpha, "sample_weight": weight, "solver": solver, "tol": 1e-13, "return_n_iter": True}
        coef, n_iter = ridge_regression(X, y, **parameters)
        expected, expected_n_iter = sklearn.linear_model.ridge_regression(X, y, **parameters)
        assert coef.shape == expected.shape
        assert coef.dtype == expected.dtype
        relative = RELATIVE[dtype]
        assert_allclose(coef, expected, rtol=relative, atol=relative * np.abs(expected).max())
        assert_array_equal(n_iter, expected_n_iter)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("check_input", [True, False])
@pytest.mark.parametrize("sparse", [True, False])
def test_forms_of_ridge_regression(sparse, check_input, form):
    X, y, _ = problem("stored")
    X = X if sparse else X.toarray()
    parameters = {"tol": 1e-10, "random_state": 0, "check_input": check_input, "sample_weight": 2.0, **form}
    ours = ridge_regression(X, y, 1.0, **parameters)
    stock = sklearn.linear_model.ridge_regression(X, y, 1.0, **parameters)
    if not form:
        ours, stock = (ours,), (stock,)
    assert isinstance(ours, tuple)
    assert len(ours) == len(stock)
    for actual, expected in zip(ours, stock, strict=True):
        if expected is None:
            assert actual is None
        else:
            assert type(actual) is type(expected)
            assert_allclose(actual, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("change", "parameters"),
    [
        ({}, {"alpha": -1.0}),
        ({}, {"alpha": [1.0, 2.0]}),
        ({}, {"alpha": "much"}),
        ({}, {"solver": "normal"}),
        ({}, {"solver": "lbfgs"}),
        ({}, {"positive": True, "solver": "cholesky"}),
        ({}, {"return_intercept": True, "solver": "cholesky"}),
        ({}, {"sample_weight": np.ones(3)}),
        ({}, {"verbose": "no"}),
        ({"y": np.ones(7)}, {}),
        ({"y": np.ones((300, 1, 1))}, {}),
        ({"y": np.full(300, np.nan)}, {}),
        ({"X": np.full((300, 4), np.nan)}, {}),
        ({"X": np.ones((0, 4)), "y": np.ones(0)}, {}),
        ({"X": np.ones(300)}, {}),
        ({"X": [["a"]] * 3, "y": [1, 2, 3]}, {}),
        ({"X": np.eye(3).tolist(), "y": [1, 2, 3]}, {}),
        ({"X": np.ones((300, 4), dtype=int)}, {}),
        ({}, {"alpha": np.array([-0.5])}),
        ({}, {"sample_weight": -np.ones(300)}),
        ({"X": np.ones((3, 4)), "y": np.ones(3)}, {}),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_errors_of_ridge_regression(change, parameters):
    X, y, _ = problem("dense")
    given = {"X": X.toarray(), "y": y, "alpha": 1.0, **change, **parameters}
    ours, stock = (
        outcome(lambda function=function: function(**given))
        for function in (ridge_regression, sklearn.linear_model.ridge_regression)
    )
    if isinstance(stock, tuple):
        assert ours == stock
    else:
        assert_allclose(ours, stock, rtol=1e-9, atol=1e-12)
