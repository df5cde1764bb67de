"""LinearSVR against scikit-learn's: every solver, type and kind of input; errors, fits that fail."""

import pickle
import re
import sys

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.svm as stock
from hypothesis import given, settings, strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks
from svm.linear_machine_cases import (
    REGRESSORS,
    assert_as_good,
    assert_same_fit,
    draw_parameters,
    draw_samples,
    draw_values,
    draw_weights,
    fit_both,
    regressor_objective,
)

import fastml
from fastml.svm import LinearSVR

pytestmark = pytest.mark.usefixtures("no_fallback")


def both(**parameters):
    return LinearSVR(**parameters), stock.LinearSVR(**parameters)


def compare(kind, X, y, weights=None, **parameters):
    """Fit both and compare; return whether they took the same way."""
    mine, theirs = both(**REGRESSORS[kind], **parameters)
    fit_both(mine, theirs, X, y, weights)
    same = assert_as_good(mine, theirs, kind, X, regressor_objective(X, y, weights))
    values = theirs.predict(X)
    assert mine.predict(X).dtype == values.dtype
    if same:
        np.testing.assert_allclose(mine.predict(X), values, rtol=0, atol=1e-5 * max(1, np.abs(values).max()))
    return same


@pytest.mark.parametrize("kind", REGRESSORS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "csr"])
def test_all_solvers(kind, dtype, sparse):
    same = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = draw_samples(rng, dtype, sparse)
        y, weights = draw_values(rng, X), draw_weights(rng, X.shape[0])
        same += compare(kind, X, y, weights, epsilon=float(rng.choice([0.0, 0.1, 1.0])), **draw_parameters(rng))
    assert same >= 4


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(sorted(REGRESSORS)))
def test_any_problem(seed, kind):
    rng = np.random.default_rng(seed)
    X = draw_samples(rng, rng.choice([np.float32, np.float64]), rng.random() < 0.5)
    epsilon = float(rng.choice([0.0, 0.2, 2.0]))
    parameters = draw_parameters(rng) | {"C": 10.0 ** rng.uniform(-3, 1), "tol": 1e-4, "epsilon": epsilon}
    compare(kind, X, draw_values(rng, X), draw_weights(rng, X.shape[0]), **parameters)


def test_targets_of_any_type():
    rng = np.random.default_rng(0)
    X = draw_samples(rng, np.float64, False, n_samples=50)
    y = np.round(5 * draw_values(rng, X))
    for targets in (y.astype(int), y.astype(np.float32), y.tolist(), y > 0, y[:, None].astype(object).ravel()):
        mine, theirs = both(random_state=0, C=0.1)
        fit_both(mine, theirs, X, targets)
        assert_same_fit(mine, theirs, "insensitive", X)


@pytest.mark.parametrize("kind", REGRESSORS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_verbose_says_what_liblinear_says(kind, capfd):
    rng = np.random.default_rng(0)
    X = draw_samples(rng, np.float64, False, n_samples=50)
    y = draw_values(rng, X)
    said = []
    for model in both(**REGRESSORS[kind], random_state=0, verbose=1, C=0.1, max_iter=40):
        model.fit(X, y)
        sys.stdout.flush()
        said.append(capfd.readouterr().out.replace("[LibLinear]", ""))
    assert said[0] == said[1]
    assert said[0]


def same_error(X, y, weights=None, **parameters):
    said = []
    for model in both(**parameters):
        with pytest.raises((TypeError, ValueError)) as raised:
            model.fit(X, y, sample_weight=weights)
        # LIBLINEAR's own messages come out of scikit-learn as b'...'.
        said.append((raised.type, re.sub("^b'(.*)'$", r"\1", str(raised.value))))
        assert not hasattr(model, "coef_")
    assert said[0] == said[1]


X20 = np.arange(40.0).reshape(20, 2)
Y20 = np.linspace(-1, 1, 20)


@pytest.mark.parametrize(
    "parameters",
    [
        {"C": 0},
        {"tol": -1.0},
        {"epsilon": -0.1},
        {"epsilon": "small"},
        {"loss": "hinge"},
        {"loss": "epsilon_insensitive", "dual": False},
        {"intercept_scaling": 0},
        {"max_iter": 1.5},
    ],
    ids=str,
)
def test_wrong_parameters(parameters):
    same_error(X20, Y20, **parameters)


def test_wrong_input():
    for y in (None, Y20[:-1], np.full(20, np.nan), np.zeros((20, 2)), np.array(["a", "b"] * 10)):
        same_error(X20, y)
    for X in (np.full((20, 2), np.inf), X20.ravel(), np.empty((20, 0)), sp.csr_array(np.full((20, 2), np.nan))):
        same_error(X, Y20)
    for weights in (np.ones(19), np.zeros(20), np.full(20, np.inf)):
        same_error(X20, Y20, weights)
    with pytest.raises(ValueError, match="No sample has a positive weight"):
        LinearSVR().fit(X20, Y20, sample_weight=-np.ones(20))
    with pytest.raises(NotFittedError):
        LinearSVR().predict(X20)


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    model = LinearSVR(random_state=0, C=0.01).fit(X20 / 40, Y20)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="p < 0"):
        model.set_params(epsilon=-1.0).fit(X20[:, :1], Y20)
    before["epsilon"] = -1.0
    assert vars(model) == before


def test_pickles_and_clones():
    model = LinearSVR(random_state=0, C=0.01).fit(X20 / 40, Y20)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X20), model.predict(X20))
    np.testing.assert_array_equal(clone(model).fit(X20 / 40, Y20).coef_, model.coef_)
    theirs = fastml.to_sklearn(model)
    assert type(theirs) is stock.LinearSVR
    np.testing.assert_array_equal(theirs.predict(X20), model.predict(X20))


SHUFFLES = (
    "samples are shuffled by row, so that repeated rows come at other times: scikit-learn's own class fails it too"
)
FAILURES = dict.fromkeys(
    ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"), SHUFFLES
)


@parametrize_with_checks(
    [LinearSVR(), LinearSVR(loss="squared_epsilon_insensitive")],
    expected_failed_checks=lambda estimator: FAILURES,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimator_checks(estimator, check):
    check(estimator)
