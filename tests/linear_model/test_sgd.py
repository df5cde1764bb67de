"""The SGD family beyond its answers: errors, threads, interrupts, arrays that belong to the user."""

import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model as stock
from joblib import parallel_config
from sklearn.base import clone

import fastml
from fastml.linear_model import (
    PassiveAggressiveClassifier,
    PassiveAggressiveRegressor,
    SGDClassifier,
    SGDRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def blobs(n_samples=300, n_features=6, n_classes=2, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n_samples) % n_classes)
    return rng.normal(size=(n_samples, n_features)) + rng.normal(size=(n_classes, n_features))[y], y


def same_error(method, mine, theirs, *args, **kwargs):
    """Check that a call fails, with the same error on both."""
    said = []
    for estimator in (mine, theirs):
        with pytest.raises((TypeError, ValueError)) as raised:
            getattr(estimator, method)(*args, **kwargs)
        said.append((raised.type, str(raised.value)))
    assert said[0] == said[1]


def test_diverging_weights_are_an_error_and_leave_the_estimator_as_it_was():
    X, y = blobs()
    parameters = {"loss": "squared_error", "learning_rate": "constant", "eta0": 0.1, "max_iter": 60, "random_state": 0}
    same_error("fit", SGDRegressor(**parameters), stock.SGDRegressor(**parameters), X * 1e300, y)
    same_error("fit", SGDClassifier(**parameters), stock.SGDClassifier(**parameters), X * 1e300, y)
    model = SGDRegressor(random_state=0).fit(X, y)
    before = dict(vars(model)), model.coef_.copy(), model.intercept_.copy()
    model.set_params(**parameters, warm_start=True)
    parameters_set = dict(vars(model))
    with pytest.raises(ValueError, match="Floating-point under-/overflow occurred at epoch"):
        model.fit(X * 1e300, y)
    assert vars(model) == parameters_set
    assert model.coef_ is before[0]["coef_"]
    np.testing.assert_array_equal(model.coef_, before[1])
    np.testing.assert_array_equal(model.intercept_, before[2])


BAD_TARGETS = {
    "one class": np.zeros(20, dtype=int),
    "two columns": np.zeros((20, 2)),
    "NaN": np.array([np.nan] + [1.0] * 19),
    "values": np.linspace(0.1, 1, 20),
    "too few": np.arange(19) % 2,
    "none": None,
    "a number": 3,
}


@pytest.mark.parametrize("y", BAD_TARGETS.values(), ids=BAD_TARGETS)
def test_wrong_targets_of_a_classifier(y):
    X = np.arange(40.0).reshape(20, 2)
    same_error("fit", SGDClassifier(), stock.SGDClassifier(), X, y)


@pytest.mark.parametrize("y", [BAD_TARGETS[key] for key in ("two columns", "NaN", "too few", "none", "a number")])
def test_wrong_targets_of_a_regressor(y):
    X = np.arange(40.0).reshape(20, 2)
    same_error("fit", SGDRegressor(), stock.SGDRegressor(), X, y)


BAD_SAMPLES = {
    "NaN": np.array([[np.nan, 1.0], [2.0, 3.0]] * 10),
    "infinite": np.array([[np.inf, 1.0], [2.0, 3.0]] * 10, dtype=np.float32),
    "one dimension": np.arange(20.0),
    "no features": np.empty((20, 0)),
    "text": np.array([["a", "b"]] * 20),
    "complex": np.ones((20, 2)) * 1j,
    "sparse NaN": sp.csr_array(np.array([[np.nan, 1.0]] * 20)),
}


@pytest.mark.parametrize("X", BAD_SAMPLES.values(), ids=BAD_SAMPLES)
def test_wrong_samples(X):
    y = np.arange(20) % 2
    for name in ("SGDClassifier", "SGDRegressor", "SGDOneClassSVM", "Perceptron"):
        same_error("fit", getattr(fastml.linear_model, name)(), getattr(stock, name)(), X, y)


def test_sparse_samples_with_64_bit_indices():
    X, y = blobs(20)
    X = sp.csr_array(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    same_error("fit", SGDClassifier(), stock.SGDClassifier(), X, y)


@pytest.mark.parametrize(
    "parameters",
    [
        {"alpha": 0, "learning_rate": "optimal"},
        {"learning_rate": "pa1", "loss": "log_loss"},
        {"penalty": "elasticnet", "l1_ratio": None},
        {"loss": "unknown"},
        {"eta0": 0.0},
        {"max_iter": 0},
        {"class_weight": {7: 1.0}},
        {"class_weight": "even"},
        {"early_stopping": True, "validation_fraction": 0.001},
        {"n_jobs": 1.5},
    ],
    ids=str,
)
def test_wrong_parameters(parameters):
    X, y = blobs(20)
    same_error("fit", SGDClassifier(**parameters), stock.SGDClassifier(**parameters), X, y)


def test_wrong_weights_and_starts():
    X, y = blobs(20)
    for arguments in (
        {"sample_weight": np.ones(19)},
        {"sample_weight": np.full(20, np.nan)},
        {"sample_weight": np.zeros(20)},
        {"coef_init": np.ones(5)},
        {"intercept_init": np.ones(5)},
    ):
        same_error("fit", SGDClassifier(), stock.SGDClassifier(), X, y, **arguments)
    early = {"early_stopping": True, "random_state": 0}
    same_error("fit", SGDClassifier(**early), stock.SGDClassifier(**early), X, y, sample_weight=np.zeros(20))


def test_wrong_batches():
    X, y = blobs(20, 3)
    same_error("partial_fit", SGDClassifier(), stock.SGDClassifier(), X, y)
    pair = SGDClassifier().partial_fit(X, y, classes=[0, 1]), stock.SGDClassifier().partial_fit(X, y, classes=[0, 1])
    same_error("partial_fit", *pair, X, y, classes=[0, 2])
    same_error("partial_fit", *pair, X, y + 1)
    same_error("partial_fit", *pair, X[:, :2], y)
    balanced = {"class_weight": "balanced"}
    same_error("partial_fit", SGDClassifier(**balanced), stock.SGDClassifier(**balanced), X, y, classes=[0, 1])
    with pytest.raises(TypeError, match="X is float32, but the coefficients from which the fit goes on are float64"):
        pair[0].partial_fit(X.astype(np.float32), y)


def test_unfitted():
    X, _ = blobs(5)
    for name in ("SGDClassifier", "SGDRegressor", "SGDOneClassSVM", "Perceptron"):
        same_error("predict", getattr(fastml.linear_model, name)(), getattr(stock, name)(), X)


@pytest.mark.parametrize("cls", [PassiveAggressiveClassifier, PassiveAggressiveRegressor])
def test_deprecated_classes_say_so(cls):
    with pytest.warns(FutureWarning, match=f"Class {cls.__name__} is deprecated"):
        cls()


@pytest.mark.parametrize("labels", ["text", "objects", "bool", "int8", "float"])
def test_labels_of_any_type(labels):
    X, y = blobs(120, n_classes=2 if labels == "bool" else 3)
    y = {
        "text": lambda: np.array(["b", "a", "c"])[y],
        "objects": lambda: np.array(["b", "a", "c"], dtype=object)[y],
        "bool": lambda: y > 0,
        "int8": lambda: (y - 1).astype(np.int8),
        "float": lambda: y * 2.0,
    }[labels]()
    mine, theirs = SGDClassifier(random_state=0).fit(X, y), stock.SGDClassifier(random_state=0).fit(X, y)
    assert mine.classes_.dtype == theirs.classes_.dtype
    np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))
    assert mine.predict(X).dtype == theirs.predict(X).dtype
    np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=1e-6)


@pytest.mark.parametrize("given", [{"n_jobs": 2}, {"n_jobs": None}, {"n_jobs": -1}])
def test_threads_do_not_change_the_answer(given):
    X, y = blobs(20_000, 30, 5)
    parameters = {"max_iter": 3, "tol": None, "random_state": 0}
    with fastml.config_context(n_threads=1):
        one = SGDClassifier(**parameters).fit(X, y)
    several = SGDClassifier(**parameters, **given).fit(X, y)
    np.testing.assert_array_equal(several.coef_, one.coef_)
    np.testing.assert_array_equal(several.intercept_, one.intercept_)
    with parallel_config("threading", n_jobs=2):
        by_joblib = SGDClassifier(**parameters).fit(X, y)
    np.testing.assert_array_equal(by_joblib.coef_, one.coef_)


def test_errors_of_threads_are_that_of_the_first_class():
    X, y = blobs(20_000, 30, 4)
    parameters = {"loss": "squared_error", "learning_rate": "constant", "eta0": 0.1, "max_iter": 5, "random_state": 0}
    same_error("fit", SGDClassifier(**parameters, n_jobs=2), stock.SGDClassifier(**parameters), X * 1e300, y)


def test_verbose_fits_tell_what_scikit_learn_tells(capsys):
    X, y = blobs(60)
    said = []
    for cls in (SGDClassifier, stock.SGDClassifier):
        cls(verbose=1, max_iter=4, tol=1e-3, random_state=0).fit(X, y)
        lines = capsys.readouterr().out.splitlines()
        said.append([line for line in lines if "seconds" not in line])
    assert said[0] == said[1]
    assert len(said[0]) == 2 * 4


def test_user_arrays_are_not_changed():
    X, y = blobs(50)
    model = SGDClassifier(random_state=0).fit(X, y)
    kept = model.coef_
    before = kept.copy()
    model.partial_fit(X, y)
    np.testing.assert_array_equal(kept, before)
    assert not np.array_equal(model.coef_, before)
    given = X.copy(), y.astype(float)
    for array in given:
        array.flags.writeable = False
    SGDRegressor(random_state=0).fit(*given, sample_weight=given[1] + 1)


def test_draws_from_a_given_generator_are_those_of_scikit_learn():
    X, y = blobs(80, n_classes=3)
    for cls, target in (("SGDClassifier", y), ("SGDClassifier", y > 0), ("SGDRegressor", y), ("SGDOneClassSVM", None)):
        for more in ({}, {"early_stopping": True}) if cls != "SGDOneClassSVM" else ({},):
            states = []
            for module in (fastml.linear_model, stock):
                generator = np.random.RandomState(5)
                np.random.seed(7)
                getattr(module, cls)(random_state=generator, max_iter=3, **more).fit(X, target)
                states.append((generator.randint(1 << 30), np.random.randint(1 << 30)))
            assert states[0] == states[1], (cls, more)


def test_pickles_and_clones():
    X, y = blobs(50)
    model = SGDClassifier(loss="log_loss", average=True, random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    again.partial_fit(X, y)
    assert clone(again).get_params() == model.get_params()


def test_sparsified_and_densified_coefficients_predict_the_same():
    X, y = blobs(100, 20, 3)
    model = SGDClassifier(penalty="l1", alpha=0.01, random_state=0).fit(X, y)
    expected = model.predict(X)
    np.testing.assert_array_equal(model.sparsify().predict(X), expected)
    np.testing.assert_array_equal(model.densify().predict(X), expected)


def test_ctrl_c_ends_a_fit_and_its_threads():
    program = """
        import os, signal, threading, time
        import numpy as np
        from fastml.linear_model import SGDClassifier
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(20_000, 50)), rng.integers(4, size=20_000)
        for n_jobs in (1, 2):
            model = SGDClassifier(max_iter=10**9, tol=None, n_jobs=n_jobs)
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                model.fit(X, y)
            except KeyboardInterrupt:
                print("interrupted", [name for name in vars(model) if name.endswith("_")])
        until = time.monotonic() + 60
        while threading.active_count() > 1 and time.monotonic() < until:
            time.sleep(0.01)
        print(threading.active_count(), "left")
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "FASTML_FALLBACK": "error"},
    )
    assert ran.stdout.splitlines() == ["interrupted []", "interrupted []", "1 left"], ran.stderr
