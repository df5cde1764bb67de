"""Logistic regression by liblinear, SAG and SAGA, which are scikit-learn's: the same bits, warnings and errors."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from parity.logistic_cases import BAD, ROWS, messages, samples, weights_of

import fastml.linear_model

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Parameters, and the numbers of classes that they serve.
SOLVERS = [
    ({"solver": "liblinear"}, (2,)),
    ({"solver": "liblinear", "l1_ratio": 1}, (2,)),
    ({"solver": "liblinear", "dual": True}, (2,)),
    ({"solver": "liblinear", "intercept_scaling": 3.0, "C": 0.1}, (2,)),
    ({"solver": "sag"}, (2, 3)),
    ({"solver": "sag", "C": np.inf}, (2, 3)),
    ({"solver": "saga", "C": 0.1}, (2, 3)),
    ({"solver": "saga", "l1_ratio": 1, "C": 0.1}, (2, 3)),
    ({"solver": "saga", "l1_ratio": 0.3, "C": 0.1}, (2, 3)),
    ({"solver": "saga", "l1_ratio": 0.3, "C": np.inf}, (2, 3)),
]
CASES = [
    {**parameters, "n_classes": n_classes, "weights": weights, "fit_intercept": fit_intercept}
    for parameters, served in SOLVERS
    for n_classes, weights, fit_intercept in itertools.product(
        served, (None, "samples", "balanced", {0: 2.0, 1: 0.5}), (True, False)
    )
]


def case_id(case):
    return "-".join(f"{value}" for value in case.values())


def assert_same_bits(ours, stock, name=""):
    """Compare values, types and shapes, through dicts and lists."""
    if isinstance(stock, dict):
        assert list(ours) == list(stock), name
        for key in stock:
            assert_same_bits(ours[key], stock[key], f"{name}[{key}]")
        return
    assert type(ours) is type(stock), name
    ours, stock = np.asarray(ours), np.asarray(stock)
    assert (ours.shape, ours.dtype) == (stock.shape, stock.dtype), name
    np.testing.assert_array_equal(ours, stock, err_msg=name)


def assert_same_state(ours, stock):
    assert vars(ours).keys() == vars(stock).keys()
    for name, value in vars(stock).items():
        if name.endswith("_"):
            assert_same_bits(getattr(ours, name), value, name)


def both(name, parameters):
    return [getattr(module, name)(**parameters) for module in (fastml.linear_model, sklearn.linear_model)]


@pytest.mark.parametrize("case", CASES, ids=case_id)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "csr"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)
def test_same_bits(case, sparse, dtype):
    parameters = dict(case)
    weights, n_classes = parameters.pop("weights"), parameters.pop("n_classes")
    X, y = samples(n_classes, sparse=sparse, dtype=dtype, rows=90)
    parameters["class_weight"] = None if weights == "samples" else weights
    parameters.update(max_iter=30, random_state=3)
    ours, stock = both("LogisticRegression", parameters)
    given = weights_of(weights, len(y))
    assert messages(lambda: ours.fit(X, y, given)) == messages(lambda: stock.fit(X, y, given))
    assert_same_state(ours, stock)
    np.testing.assert_array_equal(ours.predict(X), stock.predict(X))
    # Predictions are ours: by the kernel where the types are the same.
    np.testing.assert_allclose(
        ours.predict_proba(X), stock.predict_proba(X), rtol=1e-5 if ours.coef_.dtype == np.float32 else 1e-12
    )


@pytest.mark.parametrize("solver", ["liblinear", "sag", "saga"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_warm_start_on_shared_random_numbers(solver, n_classes, fit_intercept):
    if solver == "liblinear":
        n_classes = 2  # it serves no more
    X, y = samples(n_classes)
    parameters = {"solver": solver, "fit_intercept": fit_intercept, "warm_start": True, "max_iter": 2}
    ours, stock = both("LogisticRegression", parameters)
    ours.random_state, stock.random_state = np.random.RandomState(0), np.random.RandomState(0)
    for _ in range(3):
        assert_same_state(ours.fit(X, y), stock.fit(X, y))
    assert ours.random_state.randint(1 << 30) == stock.random_state.randint(1 << 30)


@pytest.mark.parametrize("solver", ["sag", "saga"])
def test_warm_start_of_other_classes_is_the_same_error(solver):
    X, y = samples(3)
    fits = []
    for model in both("LogisticRegression", {"solver": solver, "warm_start": True, "random_state": 0}):
        model.fit(X, y)
        fits.append(messages(lambda model=model: model.fit(X, y % 2)))
    assert fits[0] == fits[1]
    assert "Initialization coef is of shape" in fits[0][0][1]


@pytest.mark.parametrize("solver", ["liblinear", "sag", "saga"])
def test_labels_of_text(solver):
    X, y = samples(2)
    y = np.array(["pear", "fig"])[y]
    parameters = {"solver": solver, "random_state": 0, "class_weight": {"fig": 3.0}}
    ours, stock = (model.fit(X.tolist(), y.tolist()) for model in both("LogisticRegression", parameters))
    assert_same_state(ours, stock)


@pytest.mark.parametrize("solver", ["liblinear", "sag", "saga"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"penalty": "l2"},
        {"penalty": "l1"},
        {"penalty": "l1", "l1_ratio": 1},
        {"penalty": "l2", "l1_ratio": 0.5},
        {"penalty": None},
        {"penalty": None, "C": 2.0},
        {"penalty": "elasticnet"},
        {"penalty": "elasticnet", "l1_ratio": 0.5},
        {"penalty": "elasticnet", "l1_ratio": None},
        {"l1_ratio": None},
        {"l1_ratio": None, "C": np.inf},
        {"l1_ratio": 1},
        {"l1_ratio": 0.5},
        {"l1_ratio": 0.5, "C": np.inf},
        {"l1_ratio": 2.0},
        {"C": np.inf},
        {"dual": True},
        {"dual": True, "l1_ratio": 1},
        {"intercept_scaling": 0.0},
        {"n_jobs": 2},
        {"max_iter": 0},
        {"max_iter": 1},
        {"class_weight": {7: 1.0}},
        {"class_weight": "no such weights"},
        {"random_state": "no such state"},
    ],
    ids=str,
)
def test_same_warnings_and_errors(solver, parameters):
    X, y = samples(2)
    ours, stock = both("LogisticRegression", {"random_state": 0, "solver": solver, **parameters})
    (raised, _) = said = messages(lambda: ours.fit(X, y))
    assert said == messages(lambda: stock.fit(X, y))
    if raised is None:
        assert_same_state(ours, stock)
    else:
        assert not hasattr(ours, "classes_")


REJECTED = {
    **BAD,
    "three classes": (ROWS, [0, 1, 2] * 2),
    "large values": (ROWS * 1e31, [0, 1] * 3),
    "large values of three classes": (ROWS * 1e31, [0, 1, 2] * 2),
    "64-bit indices": (sp.csr_array(ROWS), [0, 1] * 3),
}
REJECTED["64-bit indices"][0].indices = REJECTED["64-bit indices"][0].indices.astype(np.int64)


@pytest.mark.parametrize("solver", ["liblinear", "sag", "saga"])
@pytest.mark.parametrize("name", ["LogisticRegression", "LogisticRegressionCV"])
@pytest.mark.parametrize("case", REJECTED)
def test_same_rejection(solver, name, case):
    parameters = {"solver": solver, "random_state": 0, "max_iter": 5}
    if name.endswith("CV"):
        parameters |= {"l1_ratios": (0,), "scoring": None, "use_legacy_attributes": True, "cv": 2, "Cs": 2}
    ours, stock = both(name, parameters)
    X, y = REJECTED[case]
    raised, _ = said = messages(lambda: ours.fit(X, y))
    assert said == messages(lambda: stock.fit(X, y))
    if case in BAD or case == "64-bit indices" or (solver == "liblinear" and case == "three classes"):
        assert raised is not None


@pytest.mark.parametrize("solver", ["liblinear", "sag", "saga"])
@pytest.mark.parametrize(
    "weights",
    [np.ones(5), np.full(6, np.nan), "text", np.zeros(6), -np.ones(6)],
    ids=["short", "NaN", "text", "0", "-"],
)
def test_same_rejection_of_weights(solver, weights):
    ours, stock = both("LogisticRegression", {"solver": solver, "random_state": 0})
    y = [0, 1] * 3
    assert messages(lambda: ours.fit(ROWS, y, weights)) == messages(lambda: stock.fit(ROWS, y, weights))


@pytest.mark.parametrize("solver", ["liblinear", "saga"])
def test_failed_fit_leaves_the_model(solver):
    X, y = samples(2)
    model = fastml.linear_model.LogisticRegression(solver=solver, random_state=0).fit(X, y)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="sample_weight"):
        model.fit(X[:, :2], y, np.ones(3))
    assert vars(model) == before


GRIDS = [
    ({"solver": "liblinear", "l1_ratios": (0,)}, 2),
    ({"solver": "liblinear", "l1_ratios": (1,), "Cs": 3}, 2),
    ({"solver": "liblinear", "l1_ratios": None, "dual": True, "intercept_scaling": 3.0}, 2),
    ({"solver": "sag", "l1_ratios": (0,)}, 2),
    ({"solver": "sag", "l1_ratios": None}, 3),
    ({"solver": "saga", "l1_ratios": (0,), "Cs": 2}, 3),
    ({"solver": "saga", "l1_ratios": np.array([0, 0.4, 1])}, 2),
    ({"solver": "saga", "l1_ratios": np.array([0.2, 1])}, 3),
]


@pytest.mark.parametrize(("grid", "n_classes"), GRIDS, ids=str)
@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "csr"])
def test_cross_validation(grid, n_classes, refit, legacy, scoring, sparse):
    X, y = samples(n_classes, sparse=sparse, rows=120)
    y = np.array(["pear", "apple", "fig"])[y]
    weights = weights_of("samples" if refit else None, len(y))
    parameters = {
        "Cs": [0.01, 1, 10.0],
        "cv": 3,
        "refit": refit,
        "use_legacy_attributes": legacy,
        "scoring": scoring,
        "fit_intercept": legacy or "intercept_scaling" in grid,
        "class_weight": "balanced" if refit else {"apple": 2.0},
        "max_iter": 15,
        **grid,
    }
    ours, stock = both("LogisticRegressionCV", parameters)
    # Folds and the last fit draw from the same numbers, one after the other.
    ours.random_state, stock.random_state = np.random.RandomState(0), np.random.RandomState(0)
    assert messages(lambda: ours.fit(X, y, weights)) == messages(lambda: stock.fit(X, y, weights))
    assert_same_state(ours, stock)
    assert ours.score(X, y) == pytest.approx(stock.score(X, y), rel=1e-12)


@pytest.mark.parametrize("solver", ["liblinear", "saga"])
def test_cross_validation_in_joblibs_hands(solver):
    X, y = samples(2)
    parameters = {"l1_ratios": (0,), "scoring": "accuracy", "use_legacy_attributes": False, "Cs": 3, "cv": 3}
    ours, stock = both("LogisticRegressionCV", {**parameters, "solver": solver, "random_state": 0, "n_jobs": 2})
    assert_same_state(ours.fit(X, y), stock.fit(X, y))


@pytest.mark.parametrize("solver", ["liblinear", "sag", "saga"])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"penalty": "l2"},
        {"penalty": "l2", "l1_ratios": (0.5,)},
        {"penalty": "l1"},
        {"penalty": "l1", "use_legacy_attributes": False},
        {"penalty": "elasticnet"},
        {"penalty": "elasticnet", "l1_ratios": [0.5]},
        {"penalty": "elasticnet", "l1_ratios": []},
        {"penalty": "elasticnet", "l1_ratios": ["a"]},
        {"penalty": None},
        {"l1_ratios": None},
        {"l1_ratios": (1,)},
        {"l1_ratios": (0, 0.5)},
        {"l1_ratios": [0.5, 2]},
        {"l1_ratios": (0,), "Cs": [np.inf]},
        {"class_weight": {9: 1.0}},
        {"dual": True},
    ],
    ids=str,
)
def test_same_warnings_and_errors_of_cross_validation(solver, parameters):
    if solver == "liblinear" and "Cs" in parameters:
        # Some of LIBLINEAR's searches do not end without a penalty, whoever calls them.
        parameters = {**parameters, "Cs": [1e10]}
    X, y = samples(2, rows=60)
    parameters = {"solver": solver, "random_state": 0, "Cs": 2, "cv": 2, **parameters}
    ours, stock = both("LogisticRegressionCV", parameters)
    said = messages(lambda: ours.fit(X, y))
    assert said == messages(lambda: stock.fit(X, y))
    if said[0] is None:
        assert_same_state(ours, stock)


def test_ratios_in_a_list_without_refit():
    # scikit-learn indexes them as an array, and fails on a list.
    X, y = samples(2)
    parameters = {"solver": "saga", "refit": False, "scoring": "accuracy", "use_legacy_attributes": True, "Cs": 2}
    ours, stock = both("LogisticRegressionCV", {**parameters, "random_state": 0})
    ours.l1_ratios, stock.l1_ratios = [0.2, 0.8], np.array([0.2, 0.8])
    assert_same_state(ours.fit(X, y), stock.fit(X, y))
