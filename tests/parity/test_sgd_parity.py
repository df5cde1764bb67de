"""The SGD family against scikit-learn's, over random settings and data."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model as stock
from hypothesis import given, settings, strategies as st
from parity.sgd_cases import (
    CLASSIFIER_LOSSES,
    REGRESSOR_LOSSES,
    assert_same_fit,
    assert_same_results,
    class_targets,
    draw_parameters,
    draw_samples,
    draw_weights,
    value_targets,
)

from fastml import linear_model as ours

pytestmark = [
    pytest.mark.usefixtures("no_fallback"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::sklearn.exceptions.ConvergenceWarning"),
]


def classification_case(seed):
    rng = np.random.default_rng(seed)
    parameters = draw_parameters(rng, CLASSIFIER_LOSSES)
    parameters["class_weight"] = [None, None, "balanced", {0: 0.5, 1: 2.0}][rng.integers(4)]
    X = draw_samples(rng)
    y = class_targets(rng, X, int(rng.choice([2, 2, 3, 5])))
    return rng, parameters, X, y, draw_weights(rng, len(y))


@pytest.mark.parametrize("seed", range(160))
def test_classifier(seed):
    _, parameters, X, y, weights = classification_case(seed)
    mine, theirs = ours.SGDClassifier(**parameters), stock.SGDClassifier(**parameters)
    if assert_same_results(parameters, mine, theirs, X, y, sample_weight=weights):
        np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))
        scores = theirs.decision_function(X)
        assert mine.decision_function(X).dtype == scores.dtype
        np.testing.assert_allclose(mine.decision_function(X), scores, rtol=1e-5, atol=1e-5 * np.abs(scores).max())


@pytest.mark.parametrize("seed", range(1000, 1100))
def test_regressor(seed):
    rng = np.random.default_rng(seed)
    parameters = draw_parameters(rng, REGRESSOR_LOSSES)
    X = draw_samples(rng)
    y = value_targets(rng, X)
    mine, theirs = ours.SGDRegressor(**parameters), stock.SGDRegressor(**parameters)
    if assert_same_results(parameters, mine, theirs, X, y, sample_weight=draw_weights(rng, len(y))):
        values = theirs.predict(X)
        assert mine.predict(X).dtype == values.dtype
        np.testing.assert_allclose(mine.predict(X), values, rtol=1e-5, atol=1e-5 * np.abs(values).max())


@pytest.mark.parametrize("seed", range(2000, 2040))
def test_one_class(seed):
    rng = np.random.default_rng(seed)
    drawn = draw_parameters(rng, ("hinge",))
    names = (
        "fit_intercept",
        "max_iter",
        "tol",
        "shuffle",
        "random_state",
        "learning_rate",
        "eta0",
        "power_t",
        "average",
    )
    parameters = {"nu": float(rng.choice([0.05, 0.3, 1.0])), **{name: drawn[name] for name in names}}
    X = draw_samples(rng)
    mine, theirs = ours.SGDOneClassSVM(**parameters), stock.SGDOneClassSVM(**parameters)
    if assert_same_results(parameters, mine, theirs, X, sample_weight=draw_weights(rng, X.shape[0])):
        np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))
        assert mine.predict(X).dtype == theirs.predict(X).dtype
        np.testing.assert_allclose(mine.score_samples(X), theirs.score_samples(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", range(3000, 3030))
def test_perceptron(seed):
    rng = np.random.default_rng(seed)
    drawn = draw_parameters(rng, ("hinge",))
    names = ("penalty", "alpha", "l1_ratio", "fit_intercept", "max_iter", "tol", "shuffle", "random_state")
    names += ("early_stopping", "validation_fraction", "n_iter_no_change")
    parameters = {"eta0": float(rng.choice([0.1, 1.0])), **{name: drawn[name] for name in names}}
    X = draw_samples(rng)
    y = class_targets(rng, X, int(rng.choice([2, 4])))
    mine, theirs = ours.Perceptron(**parameters), stock.Perceptron(**parameters)
    if assert_same_results(parameters, mine, theirs, X, y, sample_weight=draw_weights(rng, len(y))):
        np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))


@pytest.mark.parametrize("seed", range(4000, 4030))
def test_passive_aggressive(seed):
    rng = np.random.default_rng(seed)
    drawn = draw_parameters(rng, ("hinge",))
    names = (
        "fit_intercept",
        "max_iter",
        "tol",
        "shuffle",
        "random_state",
        "average",
        "early_stopping",
        "n_iter_no_change",
    )
    parameters = {"C": float(rng.choice([0.01, 1.0])), **{name: drawn[name] for name in names}}
    X = draw_samples(rng)
    if seed % 2:
        parameters["loss"] = str(rng.choice(["hinge", "squared_hinge"]))
        y = class_targets(rng, X, int(rng.choice([2, 4])))
        pair = ours.PassiveAggressiveClassifier(**parameters), stock.PassiveAggressiveClassifier(**parameters)
    else:
        parameters["loss"] = str(rng.choice(["epsilon_insensitive", "squared_epsilon_insensitive"]))
        y = value_targets(rng, X)
        pair = ours.PassiveAggressiveRegressor(**parameters), stock.PassiveAggressiveRegressor(**parameters)
    if assert_same_results(parameters, *pair, X, y):
        np.testing.assert_allclose(pair[0].predict(X), pair[1].predict(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", range(5000, 5040))
def test_partial_fits_one_after_the_other(seed):
    rng, parameters, X, y, weights = classification_case(seed)
    parameters.update(early_stopping=False, class_weight=None if seed % 3 else {0: 2.0})
    if seed % 2:
        pair = ours.SGDClassifier(**parameters), stock.SGDClassifier(**parameters)
        more = {"classes": np.unique(y)}
    else:
        parameters = {**draw_parameters(rng, REGRESSOR_LOSSES), "early_stopping": False}
        pair = ours.SGDRegressor(**parameters), stock.SGDRegressor(**parameters)
        y, more = value_targets(rng, X), {}
    for rows in np.array_split(np.arange(len(y)), 4):
        batch = None if weights is None else weights[rows] + 0.1
        if not assert_same_results(
            parameters, *pair, X[rows], y[rows], method="partial_fit", sample_weight=batch, **more
        ):
            break
        more = {}
    else:
        # A fit after that starts anew, or from there.
        for warm_start in (False, True, True):
            for estimator in pair:
                estimator.set_params(warm_start=warm_start)
            assert_same_results(parameters, *pair, X, y)


@pytest.mark.parametrize("average", [False, True, 50])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_starts_given_by_the_user_stay_as_they_are(average, n_classes):
    rng = np.random.default_rng(n_classes)
    X = rng.normal(size=(60, 7))
    y = class_targets(rng, X, n_classes)
    rows = 1 if n_classes == 2 else n_classes
    coef, intercept = rng.normal(size=(rows, 7)), rng.normal(size=rows)
    mine = ours.SGDClassifier(max_iter=3, tol=None, average=average, random_state=1)
    theirs = stock.SGDClassifier(max_iter=3, tol=None, average=average, random_state=1)
    given = coef.copy(), intercept.copy()
    mine.fit(X, y, coef_init=given[0], intercept_init=given[1])
    theirs.fit(X, y, coef_init=coef.copy(), intercept_init=intercept.copy())
    assert_same_fit(mine, theirs)
    np.testing.assert_array_equal(given[0], coef)
    np.testing.assert_array_equal(given[1], intercept)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("estimator", ["SGDClassifier", "SGDRegressor", "SGDOneClassSVM", "Perceptron"])
def test_many_steps(estimator, dtype):
    # Enough of them for the scale of the weights to be carried out, several times.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 23)).astype(dtype)
    y = class_targets(rng, X, 2)
    parameters = {"max_iter": 30, "tol": None, "random_state": 3, "eta0": 0.5, "fit_intercept": True}
    if estimator != "Perceptron":
        parameters |= {"learning_rate": "constant", "eta0": 0.01}
    parameters |= {"nu": 0.5} if estimator == "SGDOneClassSVM" else {"alpha": 0.1, "penalty": "l2"}
    mine, theirs = getattr(ours, estimator)(**parameters), getattr(stock, estimator)(**parameters)
    assert assert_same_results(parameters, mine, theirs, X, y)


@st.composite
def small_problems(draw):
    n_samples, n_features = draw(st.integers(6, 30)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.normal(size=(n_samples, n_features))
    X[:, 0] *= draw(st.sampled_from([0.0, 1.0, 1e3]))
    X = X.astype(draw(st.sampled_from([np.float32, np.float64])))
    if draw(st.booleans()):
        X = sp.csr_matrix(X * (rng.random(X.shape) < 0.5))
    y = rng.permutation(np.arange(n_samples) % draw(st.integers(2, 3)))
    loss = draw(st.sampled_from(CLASSIFIER_LOSSES))
    parameters = {
        "loss": loss,
        "penalty": draw(st.sampled_from([None, "l2", "l1", "elasticnet"])),
        "alpha": draw(st.sampled_from([1e-4, 1e-2, 1.0])),
        "learning_rate": draw(st.sampled_from(["constant", "optimal", "invscaling", "adaptive"])),
        "average": draw(st.sampled_from([False, True, 20])),
        "max_iter": draw(st.integers(1, 8)),
        "tol": draw(st.sampled_from([None, 1e-3])),
        "random_state": draw(st.integers(0, 100)),
    }
    return X, y, parameters


@settings(max_examples=150, deadline=None)
@given(small_problems())
def test_small_problems(problem):
    X, y, parameters = problem
    assert_same_results(parameters, ours.SGDClassifier(**parameters), stock.SGDClassifier(**parameters), X, y)
