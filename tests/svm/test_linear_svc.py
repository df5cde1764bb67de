"""LinearSVC against scikit-learn's: every solver, type and kind of input; errors, interrupts, fits that fail."""

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.svm as stock
from hypothesis import given, settings, strategies as st
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import compute_class_weight
from sklearn.utils.estimator_checks import parametrize_with_checks
from svm.linear_machine_cases import (
    CLASSIFIERS,
    assert_as_good,
    assert_same_fit,
    classifier_objective,
    draw_classes,
    draw_parameters,
    draw_samples,
    draw_weights,
    fit_both,
)

import fastml
from fastml.svm import LinearSVC

pytestmark = pytest.mark.usefixtures("no_fallback")

ignore_convergence = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def both(**parameters):
    return LinearSVC(**parameters), stock.LinearSVC(**parameters)


def weights_of_classes(model, y, weights):
    return compute_class_weight(model.class_weight, classes=np.unique(y), y=y, sample_weight=weights)


def compare(kind, X, y, weights=None, **parameters):
    """Fit both and compare; return whether they took the same way."""
    mine, theirs = both(**CLASSIFIERS[kind], **parameters)
    fit_both(mine, theirs, X, y, weights)
    np.testing.assert_array_equal(mine.classes_, theirs.classes_)
    assert mine.classes_.dtype == theirs.classes_.dtype
    same = assert_as_good(
        mine, theirs, kind, X, classifier_objective(X, y, weights, weights_of_classes(mine, y, weights))
    )
    scores = theirs.decision_function(X)
    if same:
        np.testing.assert_allclose(mine.decision_function(X), scores, rtol=0, atol=1e-5 * max(1, np.abs(scores).max()))
    return same


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "csr"])
def test_all_solvers(kind, n_classes, dtype, sparse):
    same = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = draw_samples(rng, dtype, sparse)
        y = draw_classes(rng, X, n_classes)
        class_weight = [None, "balanced", {0: 0.5, 1: 2.0}][rng.integers(3)]
        same += compare(kind, X, y, draw_weights(rng, len(y)), class_weight=class_weight, **draw_parameters(rng))
    assert same >= 4


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(sorted(CLASSIFIERS)))
def test_any_problem(seed, kind):
    rng = np.random.default_rng(seed)
    X = draw_samples(rng, rng.choice([np.float32, np.float64]), rng.random() < 0.5)
    y = draw_classes(rng, X, int(rng.choice([2, 3, 5])))
    parameters = draw_parameters(rng) | {"C": 10.0 ** rng.uniform(-3, 1), "tol": 1e-4}
    compare(kind, X, y, draw_weights(rng, len(y)), **parameters)


def test_threads_do_not_change_the_answer():
    # One thread adds up what two add up in parts.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9000, 60))
    y = draw_classes(rng, X, 2)
    fitted = []
    for n_threads in (1, 2):
        with fastml.config_context(n_threads=n_threads):
            fitted.append(LinearSVC(dual=False).fit(X, y))
    assert fitted[0].n_iter_ == fitted[1].n_iter_ > 1
    np.testing.assert_allclose(fitted[0].coef_, fitted[1].coef_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classes_without_weight_are_left_out(kind):
    rng = np.random.default_rng(0)
    X = draw_samples(rng, np.float64, False, n_samples=60)
    y = np.arange(60) % 4
    for weights in ((y != 1).astype(float), np.where(y == 1, -1.0, 1.0)):
        mine, theirs = both(**CLASSIFIERS[kind], C=0.1, random_state=0)
        fit_both(mine, theirs, X, y, weights)
        assert_same_fit(mine, theirs, kind, X)
        assert len(mine.coef_) == 3 < len(mine.classes_)


def test_two_classes_by_crammer_singer_and_labels_of_any_type():
    X, y = load_iris(return_X_y=True)
    for labels in (y, y.astype(float), np.array(["setosa", "b", "c"], dtype=object)[y], (y - 1).astype(np.int8)):
        mine, theirs = both(multi_class="crammer_singer", random_state=0)
        fit_both(mine, theirs, X[50:], labels[50:])
        assert_same_fit(mine, theirs, "crammer_singer", X)
        np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))
        assert mine.predict(X).dtype == theirs.predict(X).dtype


def test_a_generator_goes_on_as_scikit_learns():
    X, y = load_iris(return_X_y=True)
    states = [np.random.RandomState(7), np.random.RandomState(7)]
    for model, state in zip(both(dual=False), states, strict=True):
        model.set_params(random_state=state).fit(X, y)  # draws a seed that it has no use for
    assert states[0].randint(2**31) == states[1].randint(2**31)


@pytest.mark.parametrize("layout", ["fortran", "strided", "list", "read-only", "integers", "csc", "unsorted"])
def test_layouts(layout):
    rng = np.random.default_rng(1)
    X = np.round(rng.normal(size=(40, 6)) * 3)
    y = draw_classes(rng, X, 3)
    given = X.copy()
    if layout == "fortran":
        given = np.asfortranarray(X)
    elif layout == "strided":
        given = np.repeat(X, 2, axis=1)[:, ::2]
    elif layout == "list":
        given = X.tolist()
    elif layout == "read-only":
        given.flags.writeable = False
    elif layout == "integers":
        given = X.astype(int)
    elif layout == "csc":
        given = sp.csc_array(X)
    else:
        given = sp.csr_array(X)[:, ::-1]
        X = X[:, ::-1]
        assert not given.has_sorted_indices
    kept = np.array(given) if isinstance(given, np.ndarray) else None
    for kind in ("hinge", "squared hinge", "l1"):
        mine, theirs = both(**CLASSIFIERS[kind], random_state=0, C=0.1)
        fit_both(mine, theirs, given, y)
        assert_same_fit(mine, theirs, kind, given)
    if kept is not None:
        np.testing.assert_array_equal(given, kept)


def test_values_stored_twice_and_zeros_that_are_stored():
    indices, indptr = np.array([0, 0, 1, 1, 2, 0], dtype=np.int32), np.array([0, 2, 3, 4, 6, 6], dtype=np.int32)
    X = sp.csr_array((np.array([1.0, 2.0, -1.0, 0.0, 3.0, 1.5]), indices, indptr))
    y = np.array([0, 1, 0, 1, 1])
    for kind in CLASSIFIERS:
        for bias in (False, True):
            # As they are: scikit-learn would add up the copies if it were to copy X.
            mine, theirs = both(**CLASSIFIERS[kind], fit_intercept=bias, random_state=0)
            fit_both(mine, theirs, X.copy(), y)
            assert_same_fit(mine, theirs, kind, X)


def test_no_iterations_and_few():
    X, y = load_iris(return_X_y=True)
    for kind in CLASSIFIERS:
        for max_iter in (0, 1):
            mine, theirs = both(**CLASSIFIERS[kind], random_state=0, max_iter=max_iter)
            fit_both(mine, theirs, X, y)
            assert_same_fit(mine, theirs, kind, X)
    with pytest.warns(ConvergenceWarning, match="Liblinear failed to converge, increase the number of iterations"):
        LinearSVC(dual=True, max_iter=1).fit(X, y)


@pytest.mark.parametrize("kind", CLASSIFIERS)
@ignore_convergence
def test_verbose_says_what_liblinear_says(kind, capfd):
    X, y = load_iris(return_X_y=True)
    said = []
    for model in both(**CLASSIFIERS[kind], random_state=0, verbose=1, C=0.1, max_iter=40):
        model.fit(X, y)
        sys.stdout.flush()
        said.append(capfd.readouterr().out)
    # scikit-learn's head goes through Python, and may come after what C has written.
    assert said[0].count("[LibLinear]") == said[1].count("[LibLinear]") == 1
    mine, theirs = (text.replace("[LibLinear]", "") for text in said)
    assert mine == theirs
    assert mine


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
Y20 = np.arange(20) % 2


@pytest.mark.parametrize(
    "parameters",
    [
        {"C": 0},
        {"C": -1.0},
        {"tol": 0},
        {"max_iter": -1},
        {"penalty": "l3"},
        {"penalty": "l1", "loss": "hinge"},
        {"penalty": "l1", "dual": True},
        {"loss": "hinge", "dual": False},
        {"loss": "logistic_regression"},
        {"multi_class": "ovo"},
        {"intercept_scaling": 0},
        {"class_weight": "even"},
        {"class_weight": {7: 1.0}},
        {"random_state": -1},
        {"dual": "always"},
    ],
    ids=str,
)
def test_wrong_parameters(parameters):
    same_error(X20, Y20, **parameters)


@pytest.mark.parametrize(
    ("name", "value"), [("C", -1.0), ("tol", -1.0), ("intercept_scaling", -1.0)], ids=["C", "tol", "intercept_scaling"]
)
def test_wrong_parameters_where_nobody_validates(name, value):
    import sklearn

    with sklearn.config_context(skip_parameter_validation=True):
        same_error(X20, Y20, **{name: value})


@pytest.mark.parametrize(
    "y",
    [np.zeros(20, dtype=int), np.zeros((20, 2)), np.full(20, np.nan), np.linspace(0, 1, 20), np.arange(19) % 2, None],
    ids=["one class", "two columns", "NaN", "values", "too few", "none"],
)
def test_wrong_targets(y):
    same_error(X20, y)


@pytest.mark.parametrize(
    "X",
    [
        np.where(X20 == 5, np.nan, X20),
        np.where(X20 == 5, np.inf, X20),
        X20.ravel(),
        np.empty((20, 0)),
        np.array([["a", "b"]] * 20),
        X20 * 1j,
        sp.csr_array(np.where(X20 == 5, np.nan, X20)),
    ],
    ids=["NaN", "infinite", "one dimension", "no features", "text", "complex", "sparse NaN"],
)
def test_wrong_samples(X):
    same_error(X, Y20)


def test_wrong_samples_in_float32_and_with_64_bit_indices():
    with pytest.raises(ValueError, match="Input X contains infinity or a value too large for dtype"):
        LinearSVC().fit(np.where(X20 == 5, np.inf, X20).astype(np.float32), Y20)
    X = sp.csr_array(X20)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    same_error(X, Y20)


def test_wrong_weights():
    for weights in (np.ones(19), np.full(20, np.nan), np.zeros(20), np.ones((20, 2)), "heavy"):
        same_error(X20, Y20, weights)
    with pytest.raises(ValueError, match="No sample has a positive weight"):
        LinearSVC().fit(X20, Y20, sample_weight=-np.ones(20))
    with pytest.raises(ValueError, match="positive weight in two classes"):
        LinearSVC(multi_class="crammer_singer").fit(X20, Y20, sample_weight=(Y20 == 0).astype(float))


def test_predictions_ask_for_a_fit_and_for_its_features():
    with pytest.raises(NotFittedError):
        LinearSVC().predict(X20)
    with pytest.raises(ValueError, match="X has 3 features, but LinearSVC is expecting 2 features as input"):
        LinearSVC(C=0.1).fit(X20 / 40, Y20).predict(np.ones((1, 3)))


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    X, y = load_iris(return_X_y=True)
    model = LinearSVC(random_state=0).fit(X, y)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="at least 2 classes"):
        model.fit(X[:50, :2], y[:50])
    with pytest.raises(ValueError, match="positive weight"):
        model.fit(X[:, :2], y, sample_weight=-np.ones(150))
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is before[name] for name in before)


@pytest.mark.parametrize("kind", CLASSIFIERS)
@ignore_convergence
def test_pickles_clones_and_sparse_coefficients(kind):
    X, y = load_iris(return_X_y=True)
    model = LinearSVC(**CLASSIFIERS[kind], random_state=0, C=0.1).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.coef_, model.coef_)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(clone(model).fit(X, y).coef_, model.coef_)
    theirs = fastml.to_sklearn(model)
    assert type(theirs) is stock.LinearSVC
    np.testing.assert_array_equal(theirs.predict(X), model.predict(X))
    scores = model.decision_function(X)
    np.testing.assert_allclose(model.sparsify().decision_function(sp.csr_array(X)), scores, rtol=1e-12, atol=1e-12)


SCRIPT = """
import json, sys, warnings
import numpy as np
from fastml.svm import LinearSVC

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = rng.standard_normal((10_000, 100))
y = rng.integers(3, size=len(X))
for parameters in json.loads(sys.argv[1]):
    model = LinearSVC(**parameters, tol=1.0).fit(X[:200], y[:200])
    model.set_params(tol=1e-300, max_iter=10**9)
    print("started", flush=True)
    try:
        while True:  # the primal solver ends, whatever the tolerance, where rounding leaves nothing to gain
            state = dict(vars(model))
            model.fit(X, y)
    except KeyboardInterrupt:
        unchanged = vars(model).keys() == state.keys() and all(vars(model)[name] is state[name] for name in state)
    print(unchanged, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="a test cannot send Ctrl-C to one process on Windows")
def test_interrupt():
    # A fit that did not see the interrupt would go on for days.
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, json.dumps(list(CLASSIFIERS.values()))],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    ) as process:
        waiting = threading.Timer(60, process.kill)
        waiting.start()
        try:
            for kind in CLASSIFIERS:
                assert process.stdout.readline() == "started\n", kind
                time.sleep(0.1)
                process.send_signal(signal.SIGINT)
                assert process.stdout.readline() == "True\n", kind
            assert process.wait() == 0
        finally:
            waiting.cancel()
            process.kill()


SHUFFLES = (
    "samples or features are shuffled, and the end is where a tolerance is met: scikit-learn's own class fails it too"
)
FAILURES = dict.fromkeys(
    ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"), SHUFFLES
)


@parametrize_with_checks(
    [
        LinearSVC(dual=False, tol=1e-12),
        LinearSVC(dual=True),
        LinearSVC(penalty="l1", max_iter=50),
        LinearSVC(multi_class="crammer_singer"),
    ],
    expected_failed_checks=lambda estimator: {} if estimator.tol < 1e-10 else FAILURES,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimator_checks(estimator, check):
    check(estimator)
