"""Multilayer perceptrons: what a user sees beyond scikit-learn's answers."""

import pickle
import signal
import threading
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.neural_network
from sklearn.base import clone

import fastml
from fastml.neural_network import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classes(n_samples=300, n_features=20, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n_samples)
    return rng.normal(size=(n_samples, n_features)) + y[:, None], y


@pytest.mark.parametrize("solver", ["lbfgs", "sgd", "adam"])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_runs_repeat_to_the_bit(solver, n_threads):
    X, y = classes(600, 60)
    with fastml.config_context(n_threads=n_threads):
        first, second = (
            MLPClassifier((150, 60), solver=solver, max_iter=4, random_state=0).fit(X, y) for _ in range(2)
        )
    for a, b in zip(first.coefs_ + first.intercepts_, second.coefs_ + second.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    if solver != "lbfgs":
        assert first.loss_curve_ == second.loss_curve_


def test_number_of_threads_is_not_seen_in_the_model():
    X, y = classes(600, 60)
    models = []
    for n_threads in (1, 2):
        with fastml.config_context(n_threads=n_threads):
            models.append(MLPClassifier((150, 60), max_iter=4, random_state=0).fit(X, y))
    for a, b in zip(models[0].coefs_, models[1].coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


def interrupt_after(seconds):
    timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])
    timer.start()
    return timer


def test_ctrl_c_warns_and_keeps_the_model():
    X, y = classes(4000, 200)
    model = MLPClassifier((300, 300), max_iter=10_000, n_iter_no_change=10_000, random_state=0)
    timer = interrupt_after(1.0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    timer.join()
    assert 0 < model.n_iter_ < 10_000
    assert len(model.loss_curve_) == model.n_iter_
    assert model.score(X, y) > 0.5
    assert model._optimizer.t >= model.n_iter_ * 20  # 20 batches an epoch
    model.partial_fit(X, y)  # goes on from there


def test_another_exception_of_a_signal_leaves_the_estimator_as_it_was():
    class Alarm(Exception):
        pass

    def ring(*_):
        raise Alarm

    X, y = classes(4000, 200)
    model = MLPClassifier((300, 300), max_iter=2, random_state=0).fit(X, y)
    before = pickle.dumps(model.__dict__)
    previous = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.7)
        model.set_params(max_iter=10_000, n_iter_no_change=10_000, warm_start=True)
        with pytest.raises(Alarm):
            model.fit(X, y)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    model.set_params(max_iter=2, n_iter_no_change=10, warm_start=False)
    assert pickle.dumps(model.__dict__) == before


def test_a_failed_partial_fit_changes_nothing():
    X, y = classes()
    model = MLPClassifier((5,), batch_size=10, random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    coefs, curve, steps = [c.copy() for c in model.coefs_], list(model.loss_curve_), model._optimizer.t
    with pytest.raises(ZeroDivisionError, match="Weights sum to zero"):
        model.partial_fit(X, y, sample_weight=np.arange(len(y)) == 7)
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :3], y)
    for a, b in zip(model.coefs_, coefs, strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.loss_curve_ == curve
    assert model._optimizer.t == steps


def test_weights_that_are_not_finite_are_an_error():
    X, y = classes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
            MLPRegressor(solver="sgd", learning_rate_init=1e10, random_state=0).fit(X, y * 1e100)


def test_partial_fit_is_there_for_stochastic_solvers_only():
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    assert hasattr(MLPClassifier(solver="sgd"), "partial_fit")


def test_changed_coefficients_count():
    X, y = classes()
    model = MLPClassifier((5,), max_iter=2, random_state=0).fit(X, y)
    model.coefs_[1][:] = 0
    model.intercepts_[1][:] = [1.0, 2.0, 3.0]
    expected = np.exp([1.0, 2.0, 3.0]) / np.sum(np.exp([1.0, 2.0, 3.0]))
    for rows in (1, 3, 300):
        np.testing.assert_allclose(model.predict_proba(X[:rows]), np.tile(expected, (rows, 1)), rtol=1e-12)


@pytest.mark.parametrize("rows", [1, 2, 5, 400])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_predictions_of_any_type(rows, dtype):
    X, y = classes()
    X = np.round(X * 3)
    model = MLPRegressor(hidden_layer_sizes=(33, 7), max_iter=3, random_state=0, activation="tanh").fit(
        X.astype(np.float32), y
    )
    stock = fastml.to_sklearn(model)
    assert type(stock) is sklearn.neural_network.MLPRegressor
    given = np.tile(X, (2, 1))[:rows].astype(dtype)
    for samples in (given, sp.csr_array(given), np.asfortranarray(given), given[:, ::-1][:, ::-1]):
        predicted, expected = model.predict(samples), stock.predict(samples)
        assert predicted.dtype == expected.dtype
        np.testing.assert_allclose(predicted, expected, rtol=2e-5, atol=2e-5)


def test_extreme_inputs_of_activations():
    X, y = classes()
    for activation in ("logistic", "tanh", "relu"):
        model = MLPClassifier((4,), activation=activation, max_iter=1, random_state=0).fit(X, y)
        probabilities = model.predict_proba(np.array([[1e300] * 20, [-1e300] * 20, [0.0] * 20, [1e-300] * 20, X[0]]))
        if activation != "relu":
            assert np.isfinite(probabilities).all()
            np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_pickles_and_clones():
    X, y = classes()
    model = MLPClassifier((5,), max_iter=2, random_state=0).fit(X, y)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict_proba(X), model.predict_proba(X))
    restored.partial_fit(X, y)
    assert restored._optimizer.t == model._optimizer.t + 2
    assert not hasattr(clone(model), "coefs_")
