"""Least squares, with and without a penalty, against scikit-learn's."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.exceptions
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal

import fastml.linear_model

DTYPES = (np.float64, np.float32)
EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
EVERY_INTERCEPT = pytest.mark.parametrize("fit_intercept", [True, False], ids=["intercept", "no intercept"])
EVERY_TARGETS = pytest.mark.parametrize("targets", [None, 1, 3], ids=["y", "one column", "three columns"])
EVERY_WEIGHTS = pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
SHAPES = ((200, 1), (150, 7), (90, 33), (20, 45), (8, 8))
EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES, ids="{0[0]}x{0[1]}".format)

# What condition numbers of some hundreds leave of the digits, at most; scikit-learn's float32 loses the most of them.
RELATIVE = {np.float64: 1e-9, np.float32: 2e-3}


def problem(shape, targets, dtype, weighted, seed=0):
    """Return samples of uneven scales and means, targets with noise, and whole weights, some of them 0."""
    rng = np.random.RandomState(seed)
    n, d = shape
    X = rng.standard_normal((n, d)) * rng.uniform(0.5, 3, d) + rng.uniform(-2, 2, d)
    y = X @ rng.standard_normal((d, targets or 1)) + 0.3 * rng.standard_normal((n, targets or 1)) + 5
    weight = rng.randint(0, 4, n).astype(float) if weighted else None
    return X.astype(dtype), (y if targets else y[:, 0]).astype(dtype), weight


def fitted(ours, name, parameters, *data):
    family = fastml.linear_model if ours else sklearn.linear_model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(family, name)(**parameters).fit(*data)


def assert_same_model(ours, stock, dtype):
    ours, stock = vars(ours), vars(stock)
    assert ours.keys() == stock.keys()
    for name, expected in stock.items():
        if not name.endswith("_") or name in ("feature_names_in_", "n_features_in_"):
            continue
        actual = ours[name]
        if expected is None or isinstance(expected, (str, int)):
            assert actual == expected, name
            continue
        assert np.shape(actual) == np.shape(expected), name
        assert np.asarray(actual).dtype == np.asarray(expected).dtype, name
        if name == "classes_":
            assert_array_equal(actual, expected)
            continue
        size = np.abs(expected).max()
        assert_allclose(actual, expected, rtol=RELATIVE[dtype], atol=RELATIVE[dtype] * size, err_msg=name)


def assert_same(name, parameters, *data, dtype=np.float64):
    ours, stock = (fitted(who, name, parameters, *data) for who in (True, False))
    assert_same_model(ours, stock, dtype)
    expected = stock.predict(data[0])
    actual = ours.predict(data[0])
    assert actual.shape == expected.shape
    if np.asarray(expected).dtype.kind == "f":
        assert_allclose(actual, expected, rtol=RELATIVE[dtype], atol=RELATIVE[dtype] * np.abs(expected).max())
    else:
        assert_array_equal(actual, expected)


@EVERY_DTYPE
@EVERY_INTERCEPT
@EVERY_TARGETS
@EVERY_WEIGHTS
@EVERY_SHAPE
def test_linear_regression(shape, targets, fit_intercept, weighted, dtype):
    data = problem(shape, targets, dtype, weighted)
    assert_same("LinearRegression", {"fit_intercept": fit_intercept}, *data, dtype=dtype)


@EVERY_INTERCEPT
@EVERY_TARGETS
@EVERY_WEIGHTS
@pytest.mark.parametrize("shape", [(150, 7), (20, 45)], ids="{0[0]}x{0[1]}".format)
def test_positive_linear_regression(shape, targets, fit_intercept, weighted):
    data = problem(shape, targets, np.float64, weighted)
    assert_same("LinearRegression", {"fit_intercept": fit_intercept, "positive": True}, *data)


RIDGES = (
    {},
    {"alpha": 1e-3},
    {"alpha": 100.0, "solver": "cholesky"},
    {"solver": "svd"},
    {"solver": "lsqr", "tol": 1e-12},
    {"solver": "sparse_cg", "tol": 1e-12},
    {"solver": "sag", "tol": 1e-12, "max_iter": 300, "random_state": 0},
    {"solver": "saga", "tol": 1e-12, "max_iter": 300, "random_state": 0},
    {"positive": True, "tol": 1e-10},
)


@EVERY_DTYPE
@EVERY_INTERCEPT
@EVERY_TARGETS
@EVERY_WEIGHTS
@EVERY_SHAPE
def test_ridge(shape, targets, fit_intercept, weighted, dtype):
    data = problem(shape, targets, dtype, weighted)
    assert_same("Ridge", {"fit_intercept": fit_intercept}, *data, dtype=dtype)


@EVERY_INTERCEPT
@EVERY_WEIGHTS
@pytest.mark.parametrize("parameters", RIDGES, ids=str)
def test_ridge_solvers(parameters, fit_intercept, weighted):
    for shape, targets in (((150, 7), 3), ((20, 45), None)):
        data = problem(shape, targets, np.float64, weighted)
        assert_same("Ridge", {**parameters, "fit_intercept": fit_intercept}, *data)


@EVERY_WEIGHTS
@pytest.mark.parametrize("shape", [(150, 7), (20, 45)], ids="{0[0]}x{0[1]}".format)
def test_ridge_with_a_penalty_for_each_target(shape, weighted):
    data = problem(shape, 3, np.float64, weighted)
    assert_same("Ridge", {"alpha": np.array([0.1, 10.0, 3.0])}, *data)


def labels(y, names=("red", "green", "blue")):
    return np.array(names)[np.digitize(y, np.quantile(y, [0.3, 0.7]))]


@pytest.mark.parametrize(
    "names",
    [(2, 0, 1), (-5, 7, 100), (-(10**12), 3, 10**15), (np.int8(-128), np.int8(127), np.int8(0)), (1.0, 2.0, 5.0)],
    ids=str,
)
def test_classes_that_are_numbers(names):
    X, y, _ = problem((150, 7), None, np.float64, False)
    for target in (labels(y, names), labels(y, names)[y > np.quantile(y, 0.35)]):
        assert_same("RidgeClassifier", {}, X[-len(target) :], target)
        assert_same("RidgeClassifierCV", {"cv": 2}, X[-len(target) :], target)


@EVERY_INTERCEPT
@EVERY_WEIGHTS
@pytest.mark.parametrize("parameters", [{}, {"class_weight": "balanced"}, {"alpha": 0.1, "solver": "lsqr"}], ids=str)
def test_ridge_classifier(parameters, fit_intercept, weighted):
    X, y, weight = problem((150, 7), None, np.float64, weighted)
    parameters = {**parameters, "fit_intercept": fit_intercept}
    for target in (labels(y), y > 5, np.column_stack([y > 5, y > 3]).astype(int)):
        if target.ndim == 2 and "class_weight" in parameters:
            continue  # scikit-learn gives classes of several outputs no weights
        assert_same("RidgeClassifier", parameters, X, target, weight)


SEARCHES = (
    {},
    {"alphas": [1e-3, 0.1, 1.0, 100.0], "store_cv_results": True},
    {"gcv_mode": "svd", "store_cv_results": True},
    {"gcv_mode": "eigen", "alpha_per_target": True, "store_cv_results": True},
    {"scoring": "neg_mean_absolute_error", "store_cv_results": True},
    {"cv": 3, "alphas": (0.0, 1.0)},
    {"alphas": 2.0},
)


@EVERY_INTERCEPT
@EVERY_TARGETS
@EVERY_WEIGHTS
@pytest.mark.parametrize("parameters", SEARCHES, ids=str)
@pytest.mark.parametrize("shape", [(60, 7), (20, 30)], ids="{0[0]}x{0[1]}".format)
def test_ridge_cv(shape, parameters, targets, fit_intercept, weighted):
    X, y, weight = problem(shape, targets, np.float64, weighted)
    # A weight of 0 is an error of 0 / 0 where one is left out.
    weight = weight + 1 if weighted else None
    assert_same("RidgeCV", {**parameters, "fit_intercept": fit_intercept}, X, y, weight)


@pytest.mark.parametrize("parameters", SEARCHES[:2], ids=str)
def test_ridge_cv_of_float32_computes_in_float64(parameters):
    X, y, _ = problem((60, 7), 2, np.float32, False)
    ours, stock = (fitted(who, "RidgeCV", parameters, X, y) for who in (True, False))
    assert ours.coef_.dtype == stock.coef_.dtype == np.float32
    assert_allclose(ours.coef_, stock.coef_, rtol=1e-6)


@EVERY_INTERCEPT
@EVERY_WEIGHTS
@pytest.mark.parametrize(
    "parameters",
    [{}, {"class_weight": "balanced", "store_cv_results": True}, {"scoring": "accuracy"}, {"cv": 3}],
    ids=str,
)
def test_ridge_classifier_cv(parameters, fit_intercept, weighted):
    X, y, weight = problem((90, 7), None, np.float64, weighted)
    weight = weight + 1 if weighted else None
    for target in (labels(y), y > 5):
        if "scoring" in parameters and target.dtype == bool:
            continue  # scikit-learn's scorer of leave-one-out takes the first of one column for every class
        assert_same("RidgeClassifierCV", {**parameters, "fit_intercept": fit_intercept}, X, target, weight)


@EVERY_INTERCEPT
@EVERY_WEIGHTS
@pytest.mark.parametrize("layout", ["csr", "csc", "coo"])
def test_sparse_samples(layout, fit_intercept, weighted):
    rng = np.random.RandomState(0)
    X = sp.random(300, 20, 0.2, format=layout, random_state=0)
    y = X @ rng.standard_normal((20, 2)) + rng.standard_normal((300, 2))
    weight = rng.randint(1, 4, 300).astype(float) if weighted else None
    tight = {"fit_intercept": fit_intercept, "tol": 1e-14}
    assert_same("LinearRegression", tight, X, y, weight)
    assert_same("Ridge", tight, X, y, weight)
    assert_same("RidgeCV", {"fit_intercept": fit_intercept}, X, y, weight)


@pytest.mark.parametrize("name", ["LinearRegression", "Ridge", "RidgeCV"])
@pytest.mark.parametrize(
    "kind", ["integers", "columns", "read-only", "strided", "list", "big endian", "integer targets"]
)
def test_kinds_of_input(name, kind):
    X, y, _ = problem((80, 6), 2, np.float64, False)
    if kind == "integers":
        X = np.round(10 * X).astype(int)
    elif kind == "columns":
        X, y = np.asfortranarray(X), np.asfortranarray(y)
    elif kind == "read-only":
        X.flags.writeable = y.flags.writeable = False
    elif kind == "strided":
        X, y = np.repeat(X, 2, axis=1)[:, ::2], np.repeat(y, 2, axis=0)[::2]
    elif kind == "list":
        X, y = X.tolist(), y.tolist()
    elif kind == "big endian":
        X, y = X.astype(">f8"), y.astype(">f8")
    else:
        y = np.round(y).astype(np.int32)
    before = np.array(X)
    assert_same(name, {}, X, y)
    assert_array_equal(X, before)


PROBLEMS = {
    "nan in X": (lambda X, y, w: (np.where(X.max() == X, np.nan, X), y, w), {}),
    "inf in X": (lambda X, y, w: (np.where(X.max() == X, np.inf, X), y, w), {}),
    "nan in y": (lambda X, y, w: (X, np.where(y == y.max(), np.nan, y), w), {}),
    "inf in y": (lambda X, y, w: (X, np.where(y == y.max(), -np.inf, y), w), {}),
    "lengths": (lambda X, y, w: (X, y[:-1], w), {}),
    "one dimension": (lambda X, y, w: (X[:, 0], y, w), {}),
    "three dimensions": (lambda X, y, w: (X, y.reshape(-1, 2, 2), w), {}),
    "no samples": (lambda X, y, w: (X[:0], y[:0], w[:0]), {}),
    "no targets": (lambda X, y, w: (X, None, w), {}),
    "strings": (lambda X, y, w: (X, np.array(["a"] * len(y)), w), {}),
    "weights' length": (lambda X, y, w: (X, y, w[:-1]), {}),
    "nan weight": (lambda X, y, w: (X, y, np.where(w == w.max(), np.nan, w)), {}),
    "weights of two dimensions": (lambda X, y, w: (X, y, w[:, None]), {}),
    "no weight": (lambda X, y, w: (X, y, 0 * w), {}),
    "negative alpha": (lambda X, y, w: (X, y, w), {"alpha": -1.0}),
    "too many alphas": (lambda X, y, w: (X, y, w), {"alpha": [1.0, 2.0]}),
    "no such solver": (lambda X, y, w: (X, y, w), {"solver": "normal"}),
    "lbfgs without positive": (lambda X, y, w: (X, y, w), {"solver": "lbfgs"}),
    "positive by svd": (lambda X, y, w: (X, y, w), {"solver": "svd", "positive": True}),
    "no tol": (lambda X, y, w: (X, y, w), {"tol": -1}),
    "no alphas": (lambda X, y, w: (X, y, w), {"alphas": []}),
    "alpha of 0": (lambda X, y, w: (X, y, w), {"alphas": [0.0, 1.0]}),
    "stored results of folds": (lambda X, y, w: (X, y, w), {"cv": 3, "store_cv_results": True}),
    "alpha by target and fold": (lambda X, y, w: (X, y, w), {"cv": 3, "alpha_per_target": True}),
}


def outcome(family, name, parameters, data):
    """Return the error of a fit, or its coefficients."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(family, name)(**parameters).fit(*data).coef_
    except Exception as error:
        return type(error), str(error)


NAMES = ("LinearRegression", "Ridge", "RidgeClassifier", "RidgeCV", "RidgeClassifierCV")
FAILURES = [
    (name, problem_name)
    for name in NAMES
    for problem_name, (_, parameters) in PROBLEMS.items()
    if parameters.keys() <= getattr(sklearn.linear_model, name)().get_params().keys()
]


@pytest.mark.parametrize(("name", "problem_name"), FAILURES)
def test_errors(name, problem_name):
    break_it, parameters = PROBLEMS[problem_name]
    X, y, _ = problem((40, 4), None, np.float64, False)
    weights = np.arange(40.0) % 3 + 1
    if "Classifier" in name and problem_name not in ("nan in y", "inf in y"):
        y = np.digitize(y, [5.0]).astype(float)
    data = break_it(X, y, weights)
    ours, stock = (outcome(family, name, parameters, data) for family in (fastml.linear_model, sklearn.linear_model))
    if isinstance(stock, tuple):
        assert ours == stock
    else:
        assert_allclose(ours, stock, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_predicted_before_a_fit(name):
    with pytest.raises(sklearn.exceptions.NotFittedError) as expected:
        getattr(sklearn.linear_model, name)().predict([[1.0]])
    with pytest.raises(sklearn.exceptions.NotFittedError) as actual:
        getattr(fastml.linear_model, name)().predict([[1.0]])
    assert str(actual.value) == str(expected.value)
