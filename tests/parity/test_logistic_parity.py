"""Logistic regression beside scikit-learn's: coefficients, iterations, objectives, warnings, attributes."""

import itertools
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from parity.logistic_cases import BAD, ROWS, messages, samples, weights_of
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning

import fastml
from fastml.linear_model import LogisticRegression, LogisticRegressionCV

SOLVERS = ("lbfgs", "newton-cg", "newton-cholesky")
CASES = [
    {
        "solver": solver,
        "n_classes": n_classes,
        "sparse": sparse,
        "fit_intercept": fit_intercept,
        "weights": weights,
        "C": C,
    }
    for solver, n_classes, sparse, fit_intercept, weights, C in itertools.product(
        SOLVERS, (2, 4), (False, True), (True, False), (None, "samples", "balanced"), (0.01, 1.0, 100.0)
    )
]


def case_id(case):
    return "-".join(str(value) for value in case.values())


def objective(model, X, y, C, weights=None):
    """Return C * sum of losses + half of the squared norm, in double."""
    X = X.toarray() if sp.issparse(X) else X
    scores = X.astype(np.float64) @ model.coef_.T.astype(np.float64) + model.intercept_
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    losses = -log_softmax(scores, axis=1)[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    return C * np.sum(losses if weights is None else losses * weights) + 0.5 * np.sum(
        model.coef_.astype(np.float64) ** 2
    )


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_same_model(case):
    X, y = samples(case["n_classes"], sparse=case["sparse"])
    parameters = {
        "solver": case["solver"],
        "C": case["C"],
        "fit_intercept": case["fit_intercept"],
        "class_weight": "balanced" if case["weights"] == "balanced" else None,
        "max_iter": 300,
    }
    weights = weights_of(case["weights"], len(y))
    ours = LogisticRegression(**parameters).fit(X, y, weights)
    stock = sklearn.linear_model.LogisticRegression(**parameters).fit(X, y, weights)
    # Iterates follow the same path: they part by rounding only.
    assert_array_equal(ours.n_iter_, stock.n_iter_)
    assert_allclose(ours.coef_, stock.coef_, rtol=1e-5, atol=1e-6)
    assert_allclose(ours.intercept_, stock.intercept_, rtol=1e-5, atol=1e-6)
    for name in ("n_iter_", "coef_", "intercept_", "classes_"):
        assert getattr(ours, name).dtype == getattr(stock, name).dtype, name
        assert getattr(ours, name).shape == getattr(stock, name).shape, name
    assert vars(ours).keys() == vars(stock).keys()
    for method in ("predict_proba", "predict_log_proba", "decision_function"):
        assert_allclose(getattr(ours, method)(X), getattr(stock, method)(X), rtol=1e-4, atol=1e-5)
    assert_array_equal(ours.predict(X), stock.predict(X))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-6])
def test_objective_is_never_above(solver, n_classes, dtype, tol):
    for seed, C in itertools.product(range(3), (0.1, 10.0)):
        X, y = samples(n_classes, dtype=dtype, rows=400, seed=seed)
        parameters = {"solver": solver, "C": C, "tol": tol, "max_iter": 1000}
        with warnings.catch_warnings():
            # In float32 scikit-learn's line searches meet the rounding of its losses.
            warnings.simplefilter("ignore", ConvergenceWarning)
            stock = sklearn.linear_model.LogisticRegression(**parameters).fit(X, y)
            ours = LogisticRegression(**parameters).fit(X, y)
        expected = objective(stock, X, y, C)
        # Iterates that follow the same path differ by rounding; in float32 the coefficients are rounded besides.
        slack = 1e-9 if dtype == np.float64 else 1e-6
        assert objective(ours, X, y, C) <= expected * (1 + slack), (seed, C)
        assert ours.coef_.dtype == stock.coef_.dtype == dtype


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_without_penalty(solver, n_classes):
    X, y = samples(n_classes, rows=600)
    parameters = {"solver": solver, "C": np.inf, "tol": 1e-7, "max_iter": 1000}
    ours = LogisticRegression(**parameters).fit(X, y)
    stock = sklearn.linear_model.LogisticRegression(**parameters).fit(X, y)
    assert_allclose(ours.predict_proba(X), stock.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_warm_start_goes_on_where_it_stopped(solver, n_classes):
    X, y = samples(n_classes)
    models = [
        cls(solver=solver, warm_start=True, max_iter=2)
        for cls in (LogisticRegression, sklearn.linear_model.LogisticRegression)
    ]
    for _ in range(4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            ours, stock = (model.fit(X, y) for model in models)
        assert_allclose(ours.coef_, stock.coef_, rtol=1e-6, atol=1e-8)
        assert_array_equal(ours.n_iter_, stock.n_iter_)


@pytest.mark.parametrize(
    "parameters",
    [
        {"penalty": "l2"},
        {"penalty": None},
        {"penalty": None, "C": 2.0},
        {"penalty": "l2", "l1_ratio": 0.5},
        {"penalty": "l1"},
        {"penalty": "elasticnet"},
        {"penalty": "elasticnet", "l1_ratio": None},
        {"l1_ratio": None},
        {"l1_ratio": 1},
        {"l1_ratio": 0.5},
        {"l1_ratio": 0.5, "C": np.inf},
        {"l1_ratio": 2.0},
        {"C": -1.0},
        {"C": np.inf},
        {"dual": True},
        {"solver": "no such solver"},
        {"solver": "newton-cholesky", "dual": True},
        {"n_jobs": 2},
        {"max_iter": 0},
        {"max_iter": 1},
        {"max_iter": 2, "solver": "newton-cg"},
        {"max_iter": 1, "solver": "newton-cholesky"},
        {"tol": 0.0, "max_iter": 2000},
        {"class_weight": {7: 1.0}},
        {"class_weight": "no such weights"},
    ],
    ids=str,
)
def test_same_warnings_and_errors(parameters):
    X, y = samples(3)
    ours = messages(lambda: LogisticRegression(**parameters).fit(X, y))
    assert ours == messages(lambda: sklearn.linear_model.LogisticRegression(**parameters).fit(X, y))


@pytest.mark.parametrize("name", ["LogisticRegression", "LogisticRegressionCV"])
@pytest.mark.parametrize("case", BAD)
def test_same_rejection(name, case):
    parameters = {"l1_ratios": (0,), "scoring": None, "use_legacy_attributes": True} if name.endswith("CV") else {}
    raised, _ = ours = messages(lambda: getattr(fastml.linear_model, name)(**parameters).fit(*BAD[case]))
    assert raised is not None
    assert ours == messages(lambda: getattr(sklearn.linear_model, name)(**parameters).fit(*BAD[case]))


@pytest.mark.parametrize(
    "weights", [np.ones(5), np.full(6, np.nan), "text", np.zeros(6)], ids=["short", "NaN", "text", "0"]
)
def test_same_rejection_of_weights(weights):
    y = [0, 1] * 3
    ours = messages(lambda: LogisticRegression().fit(ROWS, y, weights))
    assert ours == messages(lambda: sklearn.linear_model.LogisticRegression().fit(ROWS, y, weights))
    assert ours[0] is not None


def _same(ours, stock):
    if isinstance(stock, dict):
        assert list(ours) == list(stock)
        for key in stock:
            _same(ours[key], stock[key])
        return
    assert type(ours) is type(stock)
    ours, stock = np.asarray(ours), np.asarray(stock)
    assert (ours.shape, ours.dtype) == (stock.shape, stock.dtype)
    if stock.dtype.kind in "OUS":
        assert_array_equal(ours, stock)
    else:
        assert_allclose(ours, stock, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("l1_ratios", [None, (0,)])
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_cross_validation(solver, n_classes, refit, legacy, l1_ratios, scoring):
    X, y = samples(n_classes)
    y = np.array(["pear", "apple", "fig"])[y]
    weights = weights_of("samples" if refit else None, len(y))
    parameters = {
        "Cs": [0.01, 1.0, 100.0],
        "cv": 3,
        "solver": solver,
        "refit": refit,
        "use_legacy_attributes": legacy,
        "l1_ratios": l1_ratios,
        "scoring": scoring,
        "fit_intercept": legacy,
        "class_weight": "balanced",
        "tol": 1e-6,
        "max_iter": 1000,
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'l1_ratios=None' was deprecated", FutureWarning)
        ours = LogisticRegressionCV(**parameters).fit(X, y, weights)
        stock = sklearn.linear_model.LogisticRegressionCV(**parameters).fit(X, y, weights)
    assert vars(ours).keys() == vars(stock).keys()
    for name in vars(stock):
        if name.endswith("_") and not name.startswith("_"):
            _same(getattr(ours, name), getattr(stock, name))
    assert_allclose(ours.score(X, y), stock.score(X, y), rtol=1e-3)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"penalty": "l2"},
        {"penalty": "l2", "l1_ratios": (0.5,)},
        {"penalty": "l1"},
        {"l1_ratios": None},
        {"l1_ratios": (1,)},
        {"l1_ratios": (0, 0.5)},
        {"Cs": 2, "l1_ratios": (0,), "scoring": "accuracy", "use_legacy_attributes": False},
        {"class_weight": {9: 1.0}},
        {"dual": True},
    ],
    ids=str,
)
def test_same_warnings_and_errors_of_cross_validation(parameters):
    X, y = samples(3)
    ours = messages(lambda: LogisticRegressionCV(**parameters).fit(X, y))
    assert ours == messages(lambda: sklearn.linear_model.LogisticRegressionCV(**parameters).fit(X, y))
