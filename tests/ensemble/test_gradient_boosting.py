"""Gradient boosting: scikit-learn's stages on our trees."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.ensemble
from numpy.testing import assert_allclose, assert_array_equal
from predicting_like_sklearn import ways_to_give
from same_outcome import assert_same_outcome, assert_same_tree
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.inspection import partial_dependence
from sklearn.linear_model import LinearRegression

import fastml
from fastml.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from fastml.ensemble._terminal_regions import update_terminal_regions
from fastml.tree import DecisionTreeRegressor, _predicting

STOCK = {
    GradientBoostingClassifier: sklearn.ensemble.GradientBoostingClassifier,
    GradientBoostingRegressor: sklearn.ensemble.GradientBoostingRegressor,
}
# Continuous, and with leaves of many samples: of few, two features are likely to tell the same ones from the others.
# Then their splits are equally good, and the last place of a sum decides.
MANY = {"min_samples_leaf": 15}
RNG = np.random.RandomState(0)
X = RNG.standard_normal((400, 6))
Y = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * RNG.standard_normal(400)
WEIGHTS = RNG.uniform(0.5, 2, size=400)


def targets(cls, loss):
    if cls is GradientBoostingRegressor:
        return Y
    return Y > 0 if loss != "multinomial" else np.digitize(Y, [-1, 1])


CASES = [
    (GradientBoostingRegressor, "squared_error", {}),
    (GradientBoostingRegressor, "absolute_error", {"max_depth": 2}),
    (GradientBoostingRegressor, "huber", {}),
    (GradientBoostingRegressor, "quantile", {"alpha": 0.25}),
    (GradientBoostingRegressor, "squared_error", {"subsample": 0.6}),
    (GradientBoostingRegressor, "huber", {"subsample": 0.6, "alpha": 0.8}),
    (GradientBoostingRegressor, "squared_error", {"init": "zero"}),
    (GradientBoostingRegressor, "squared_error", {"init": DummyRegressor(strategy="median")}),
    (GradientBoostingRegressor, "squared_error", {"n_iter_no_change": 3, "n_estimators": 100, "learning_rate": 0.5}),
    (GradientBoostingRegressor, "squared_error", {"max_features": "sqrt"}),
    (GradientBoostingRegressor, "squared_error", {"max_leaf_nodes": 6, "max_depth": None}),
    (GradientBoostingRegressor, "squared_error", {"ccp_alpha": 0.005}),
    (GradientBoostingRegressor, "squared_error", {"min_samples_leaf": 10, "min_weight_fraction_leaf": 0.05}),
    (GradientBoostingClassifier, "log_loss", {}),
    (GradientBoostingClassifier, "log_loss", {"subsample": 0.6}),
    (GradientBoostingClassifier, "exponential", {}),
    (GradientBoostingClassifier, "multinomial", {}),
    (GradientBoostingClassifier, "multinomial", {"subsample": 0.5, "max_features": 2, "random_state": 1}),
    (GradientBoostingClassifier, "log_loss", {"n_iter_no_change": 2, "n_estimators": 60, "tol": 1e-3}),
]


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("cls", "loss", "parameters"), CASES, ids=str)
def test_same_model(cls, loss, parameters, weighted):
    y = targets(cls, loss)
    given = {"n_estimators": 15, "random_state": 0, **MANY, **parameters}
    if loss != "multinomial":
        given["loss"] = loss

    def fit(cls):
        model = cls(**{**given, "init": copy.deepcopy(given.get("init"))})
        return model.fit(X, y, sample_weight=WEIGHTS if weighted else None)

    ours, stock = assert_same_outcome(cls, STOCK[cls], fit)
    assert stock.error is None
    ours, stock = ours.value, stock.value
    assert set(vars(ours)) == set(vars(stock))
    assert ours.estimators_.shape == stock.estimators_.shape
    assert {type(tree) for tree in ours.estimators_.ravel()} == {DecisionTreeRegressor}
    for tree, twin in zip(ours.estimators_.ravel(), stock.estimators_.ravel()):
        assert_array_equal(tree.tree_.feature, twin.tree_.feature)
        assert_array_equal(tree.tree_.threshold, twin.tree_.threshold)
        assert_allclose(tree.tree_.value, twin.tree_.value, rtol=1e-9, atol=1e-12)
        ours_params, params = tree.get_params(), twin.get_params()
        ours_params.pop("random_state"), params.pop("random_state")
        assert ours_params == params
    assert_allclose(ours.train_score_, stock.train_score_, rtol=1e-9)
    assert_allclose(ours.feature_importances_, stock.feature_importances_, rtol=1e-9)
    for name in ("oob_improvement_", "oob_scores_", "oob_score_"):
        if hasattr(stock, name):
            assert_allclose(getattr(ours, name), getattr(stock, name), rtol=1e-9)
    assert_array_equal(ours.apply(X), stock.apply(X))
    assert_allclose(ours.predict(X), stock.predict(X), rtol=1e-9, atol=1e-12)
    for staged, expected in zip(ours.staged_predict(X), stock.staged_predict(X), strict=True):
        assert_allclose(staged, expected, rtol=1e-9, atol=1e-12)
    if cls is GradientBoostingClassifier:
        assert_allclose(ours.predict_proba(X), stock.predict_proba(X), rtol=1e-9)
        assert_allclose(ours.decision_function(X), stock.decision_function(X), rtol=1e-9, atol=1e-12)
        assert_allclose(ours.predict_log_proba(X), stock.predict_log_proba(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile", "log_loss", "exponential"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_line_search_gives_the_same_bits(loss, masked, dtype):
    """On the same tree, leaves and predictions are those of scikit-learn's own function."""
    from sklearn.ensemble._gb import _update_terminal_regions

    rng = np.random.RandomState(1)
    n_samples = 9000
    samples = rng.standard_normal((n_samples, 4)).astype(np.float32)
    cls = GradientBoostingClassifier if loss in ("log_loss", "exponential") else GradientBoostingRegressor
    y = (
        (samples[:, 0] > 0).astype(float)
        if cls is GradientBoostingClassifier
        else samples[:, 0] + rng.uniform(size=n_samples)
    )
    booster = cls(loss=loss, n_estimators=1).fit(samples, y)
    loss = booster._loss
    if hasattr(loss, "quantile") and hasattr(loss.closs, "delta"):
        loss.closs.delta = 0.5
    raw = rng.standard_normal((n_samples, 1))
    descent = -loss.gradient(y_true=y, raw_prediction=raw[:, 0].copy())
    weights = rng.uniform(size=n_samples).astype(dtype)
    mask = rng.uniform(size=n_samples) < 0.6 if masked else np.ones(n_samples, dtype=bool)
    tree = DecisionTreeRegressor(max_depth=5).fit(samples, descent, sample_weight=weights * mask).tree_
    others, predictions = copy.deepcopy(tree), raw.copy()
    _update_terminal_regions(loss, others, samples, y, descent, predictions, weights, mask, 0.1, 0)
    update_terminal_regions(loss, tree, samples, y, descent, raw, weights, mask if masked else None, 0.1, 0, 2)
    assert_array_equal(tree.value, others.value)
    assert_array_equal(raw, predictions)


@pytest.mark.parametrize("cls", STOCK)
def test_bad_input(cls):
    y = targets(cls, "")
    spoilt = X.copy()
    spoilt[3, 2] = np.nan
    cases = [
        ({}, spoilt, y, None),
        ({}, X * 1e300, y, None),
        ({}, X[:, 0], y, None),
        ({}, X, y[:-1], None),
        ({}, X, None, None),
        ({}, X, np.column_stack([y, y]), None),
        ({}, X, y[:, None], None),
        ({}, X, np.zeros(len(y)), None),
        ({}, X, y, np.zeros(len(y))),
        ({}, X, y, np.ones(3)),
        ({"loss": "unheard-of"}, X, y, None),
        ({"criterion": "friedman_mse"}, X, y, None),
        ({"criterion": "unheard-of"}, X, y, None),
        ({"subsample": 0.0}, X, y, None),
        ({"n_estimators": 0}, X, y, None),
        ({"max_features": 0}, X, y, None),
        ({"init": 3}, X, y, None),
        ({"n_iter_no_change": 2, "validation_fraction": 1.0}, X, y, None),
    ]
    fitted = cls(n_estimators=2).fit(X, y)
    before = vars(fitted).copy()
    for parameters, samples, labels, weights in cases:

        def fit(cls, parameters=parameters, samples=samples, labels=labels, weights=weights):
            return cls(**{"n_estimators": 2, "random_state": 0, **parameters}).fit(
                samples, labels, sample_weight=weights
            )

        _, stock = assert_same_outcome(cls, STOCK[cls], fit)
        if stock.error is not None and not parameters:
            with pytest.raises(stock.error[0]):
                fitted.fit(samples, labels, sample_weight=weights)
            assert all(vars(fitted)[name] is before[name] for name in before)


@pytest.mark.parametrize("cls", STOCK)
def test_warm_start_and_monitor(cls):
    y = targets(cls, "")

    def grow(cls):
        model = cls(n_estimators=4, warm_start=True, random_state=0, subsample=0.8, **MANY).fit(X, y)
        copies = []

        def monitor(i, model, _locals):
            copies.append(pickle.loads(pickle.dumps(model)).estimators_[: i + 1].copy())
            return i == 8

        model.set_params(n_estimators=20).fit(X, y, monitor=monitor)
        return model, copies

    (ours, copies), (stock, stock_copies) = grow(cls), grow(STOCK[cls])
    assert ours.n_estimators_ == stock.n_estimators_ == 9
    assert [len(stages) for stages in copies] == [len(stages) for stages in stock_copies]
    assert_allclose(ours.predict(X), stock.predict(X), rtol=1e-9)
    with pytest.raises(ValueError, match="must be larger or equal to"):
        ours.set_params(n_estimators=3).fit(X, y)


@pytest.mark.parametrize("container", [sp.csr_array, sp.csc_matrix, sp.coo_array])
@pytest.mark.parametrize("parameters", [{}, {"subsample": 0.5}, {"n_iter_no_change": 2, "n_estimators": 40}], ids=str)
@pytest.mark.parametrize("cls", STOCK)
def test_sparse_samples(cls, parameters, container):
    dense = np.where(np.abs(X) < 0.7, 0, X)
    y = targets(cls, "")
    given = {"n_estimators": 10, "random_state": 0, **MANY, **parameters}
    ours, stock = (which(**given).fit(container(dense), y) for which in (cls, STOCK[cls]))
    assert_allclose(ours.predict(sp.csr_array(dense)), stock.predict(sp.csr_array(dense)), rtol=1e-9)
    assert_allclose(ours.predict(dense), stock.predict(dense), rtol=1e-9)
    assert_array_equal(ours.apply(sp.csr_array(dense)), stock.apply(sp.csr_array(dense)))


@pytest.mark.parametrize("cls", STOCK)
def test_large_sparse_samples_stay_sparse(cls):
    large = sp.random(300, 20_000, density=1e-3, format="csr", random_state=0, dtype=np.float32)
    y = targets(cls, "")[:300]
    given = {"n_estimators": 5, "max_depth": 2, "max_features": 3000, "subsample": 0.7, "random_state": 0}
    ours, stock = (which(**given).fit(large, y) for which in (cls, STOCK[cls]))
    assert_array_equal(ours.apply(large), stock.apply(large))
    assert_allclose(ours.predict(large), stock.predict(large), rtol=1e-9)


def test_inside_of_itself():
    inner = GradientBoostingRegressor(n_estimators=3, random_state=0, **MANY)
    ours = GradientBoostingRegressor(n_estimators=5, init=inner, random_state=0, **MANY).fit(X, Y)
    stock = sklearn.ensemble.GradientBoostingRegressor(
        n_estimators=5, init=fastml.to_sklearn(inner), random_state=0, **MANY
    ).fit(X, Y)
    assert_allclose(ours.predict(X), stock.predict(X), rtol=1e-9)


@pytest.mark.parametrize("cls", STOCK)
def test_in_scikit_learn_s_tools(cls):
    y = targets(cls, "")
    ours = cls(n_estimators=5, random_state=0, max_depth=6).fit(X, y)
    stock = fastml.to_sklearn(ours)
    assert type(stock) is STOCK[cls]
    assert b"fastml" not in pickle.dumps(stock)
    assert_array_equal(stock.predict(X), ours.predict(X))
    twin = pickle.loads(pickle.dumps(ours))
    assert_array_equal(twin.predict(X), ours.predict(X))
    sizes = [len(pickle.dumps(model)) for model in (ours, stock)]
    print(f"{sizes[0]} bytes, scikit-learn's {sizes[1]}")
    assert sizes[0] < 0.7 * sizes[1]
    assert twin.estimators_.shape == ours.estimators_.shape
    for tree, other in zip(twin.estimators_.ravel(), ours.estimators_.ravel()):
        assert_same_tree(tree.tree_, other.tree_)
        assert tree.random_state is twin._rng
        assert set(vars(tree)) == set(vars(other))
    averages = [partial_dependence(model, X, [0], method="recursion")["average"] for model in (ours, stock)]
    assert_array_equal(*averages)
    ours.estimators_[0, 0].tree_.value[...] = 7.0
    assert (ours.predict(X) != stock.predict(X)).any()


METHODS = ("predict", "decision_function", "predict_proba")


@pytest.mark.parametrize(
    ("cls", "loss", "parameters"),
    [
        (GradientBoostingRegressor, "squared_error", {}),
        (GradientBoostingRegressor, "squared_error", {"init": "zero"}),
        (GradientBoostingRegressor, "squared_error", {"init": LinearRegression()}),
        (GradientBoostingClassifier, "log_loss", {}),
        (GradientBoostingClassifier, "multinomial", {}),
        (GradientBoostingClassifier, "multinomial", {"init": "zero"}),
    ],
    ids=str,
)
def test_predictions_are_those_of_the_stock_twin(cls, loss, parameters):
    ours = cls(n_estimators=7, random_state=0, **parameters).fit(X, targets(cls, loss))
    stock = fastml.to_sklearn(ours)
    for method in [name for name in METHODS if hasattr(stock, name)]:
        for n_rows in (1, 400):
            for name, rows in ways_to_give(X[:n_rows].astype(np.float32)):
                assert_array_equal(getattr(ours, method)(rows), getattr(stock, method)(rows), name, strict=True)
        spoilt = X.copy()
        spoilt[7, 1] = np.inf
        for rows in (X[0], X[:, :3], X[:0], spoilt, X * 1e300, None):
            errors = []
            for model in (ours, stock):
                with pytest.raises((ValueError, TypeError)) as caught:
                    getattr(model, method)(rows)
                errors.append([caught.type, str(caught.value)])
            assert errors[0] == errors[1]
        with pytest.raises(NotFittedError):
            getattr(cls(), method)(X)


def test_names_of_features_are_looked_at():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = GradientBoostingRegressor(n_estimators=2).fit(frame, Y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X[:1])
    with pytest.raises(ValueError, match="The feature names should match"):
        model.predict(frame[list("bacdef")])


@pytest.mark.parametrize("cls", STOCK)
def test_a_view_is_made_once_for_the_same_trees(cls, monkeypatch):
    made = []

    def note(trees, n_features):
        made.append(len(trees))
        return forest_view(trees, n_features)

    forest_view = _predicting.forest_view
    monkeypatch.setattr(_predicting, "forest_view", note)
    y = targets(cls, "")

    def assert_right():
        assert_array_equal(model.predict(X), fastml.to_sklearn(model).predict(X))

    model = cls(n_estimators=4, random_state=0, warm_start=True).fit(X, y)
    made.clear()
    for _ in range(3):
        assert_right()
    assert made == [4]
    # What is changed in place counts, and needs no other view.
    model.estimators_[1, 0].tree_.value[...] *= 5
    assert_right()
    assert made == [4]
    model.estimators_[1, 0] = DecisionTreeRegressor(max_depth=1).fit(X, Y)
    assert_right()
    assert made == [4, 4]
    model.set_params(n_estimators=6).fit(X, y)
    made.clear()
    assert_right()
    assert made == [6]
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(other.predict(X), model.predict(X))
    model.set_params(warm_start=False).fit(X[:200], y[:200])
    assert_right()
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X * np.nan, y)
    assert_right()
