"""Multilayer perceptrons against scikit-learn's: the same draws, losses, scores, weights and ends."""

import copy
import itertools

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.neural_network as stock
from hypothesis import given, settings, strategies as st

from fastml import neural_network as ours

pytestmark = [
    pytest.mark.usefixtures("no_fallback"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Got `batch_size`"),
]

# What is promised of float64: sums in another order, over some epochs. float32 sums differ from the first batch on.
TOLERANCES = {
    np.float64: {"rtol": 1e-9, "atol": 1e-9},
    np.float32: {"rtol": 2e-4, "atol": 2e-4},
}
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")


def samples(rng, n_samples=60, n_features=7, dtype=np.float64, layout="dense"):
    X = rng.normal(size=(n_samples, n_features)).astype(dtype)
    if layout == "fortran":
        return np.asfortranarray(X)
    if layout == "dense":
        return X
    X[rng.random(X.shape) < (0.97 if layout == "thin csr" else 0.5)] = 0
    return {"csr": sp.csr_array, "thin csr": sp.csr_matrix, "csc": sp.csc_array}[layout](X)


def class_targets(rng, n_samples, kind):
    if kind == "multilabel":
        return rng.integers(0, 2, size=(n_samples, 3))
    y = rng.integers(0, {"binary": 2, "multiclass": 4}[kind], size=n_samples)
    return np.array(["a", "b", "c", "d"])[y] if kind == "multiclass" else y


def value_targets(rng, n_samples, outputs=1, *, loss="squared_error"):
    y = rng.normal(size=(n_samples, outputs))
    if loss == "poisson":
        y = rng.poisson(2.0, size=(n_samples, outputs)).astype(float)
    return y[:, 0] if outputs == 1 else y


def assert_same(mine, theirs, X, dtype=np.float64):
    close = TOLERANCES[dtype]
    for name in ("n_iter_", "t_", "n_outputs_", "n_layers_", "out_activation_", "_no_improvement_count"):
        assert getattr(mine, name, None) == getattr(theirs, name, None), name
    assert set(vars(mine)) == set(vars(theirs))
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(mine, name), getattr(theirs, name), strict=True):
            assert a.shape == b.shape
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, err_msg=name, **close)
    for name in ("loss_", "best_loss_", "loss_curve_", "validation_scores_", "best_validation_score_"):
        a, b = getattr(mine, name, None), getattr(theirs, name, None)
        assert (a is None) == (b is None), name
        if b is not None:
            np.testing.assert_allclose(a, b, err_msg=name, **close)
            assert type(a) is type(b), name
            assert np.asarray(a).dtype == np.asarray(b).dtype, name
    assert mine._random_state.randint(1 << 30) == theirs._random_state.randint(1 << 30)
    if hasattr(theirs, "_optimizer"):
        assert_same_optimizer(mine._optimizer, theirs._optimizer, close)
    for method in ("predict_proba", "predict_log_proba") if hasattr(theirs, "predict_proba") else ("predict",):
        a, b = getattr(mine, method)(X), getattr(theirs, method)(X)
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, err_msg=method, **close)
    assert mine.predict(X).shape == theirs.predict(X).shape
    assert mine.predict(X).dtype == theirs.predict(X).dtype


def assert_same_optimizer(mine, theirs, close):
    assert type(mine) is type(theirs)
    assert set(vars(mine)) == set(vars(theirs))
    assert mine.learning_rate == pytest.approx(theirs.learning_rate, rel=1e-12)
    assert getattr(mine, "t", None) == getattr(theirs, "t", None)
    for name in ("ms", "vs", "velocities"):
        for a, b in zip(getattr(mine, name, []), getattr(theirs, name, []), strict=True):
            np.testing.assert_allclose(a, b, err_msg=name, **close)


def fitted(name, X, y, calls=("fit",), sample_weight=None, **parameters):
    """Fit both libraries' estimators by the same calls."""
    parameters = {"random_state": 3, "max_iter": 5, "hidden_layer_sizes": (9, 5), **parameters}
    both = [getattr(module, name)(**copy.deepcopy(parameters)) for module in (ours, stock)]
    for estimator in both:
        for call in calls:
            extra = {} if sample_weight is None else {"sample_weight": sample_weight}
            if call == "partial_fit" and name == "MLPClassifier" and not hasattr(estimator, "classes_"):
                extra["classes"] = np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
            getattr(estimator, call)(X, y, **extra)
    return both


@pytest.mark.parametrize(
    ("solver", "activation", "kind"),
    list(itertools.product(("lbfgs", "sgd", "adam"), ACTIVATIONS, ("binary", "multiclass", "multilabel"))),
)
@pytest.mark.parametrize("weighted", [False, True])
def test_classifier(solver, activation, kind, weighted):
    rng = np.random.default_rng(0)
    X, y = samples(rng), class_targets(rng, 60, kind)
    weights = rng.random(60) if weighted else None
    mine, theirs = fitted(
        "MLPClassifier", X, y, sample_weight=weights, solver=solver, activation=activation, batch_size=13
    )
    assert_same(mine, theirs, X)


@pytest.mark.parametrize(
    ("solver", "loss", "outputs", "weighted"),
    list(itertools.product(("lbfgs", "sgd", "adam"), ("squared_error", "poisson"), (1, 3), (False, True))),
)
def test_regressor(solver, loss, outputs, weighted):
    rng = np.random.default_rng(1)
    X, y = samples(rng), value_targets(rng, 60, outputs, loss=loss)
    weights = rng.random(60) if weighted else None
    mine, theirs = fitted("MLPRegressor", X, y, sample_weight=weights, solver=solver, loss=loss, alpha=0.1)
    assert_same(mine, theirs, X)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", ["dense", "fortran", "csr", "thin csr", "csc"])
@pytest.mark.parametrize("solver", ["lbfgs", "sgd", "adam"])
def test_layouts_and_types(dtype, layout, solver):
    rng = np.random.default_rng(2)
    X, y = samples(rng, dtype=dtype, layout=layout, n_features=40), class_targets(rng, 60, "multiclass")
    mine, theirs = fitted("MLPClassifier", X, y, solver=solver, batch_size=20)
    assert_same(mine, theirs, X, dtype)


def test_float32_classes_have_a_loss_of_float64():
    rng = np.random.default_rng(13)
    X, y = samples(rng, dtype=np.float32), class_targets(rng, 60, "multiclass")
    assert_same(*fitted("MLPClassifier", X, y), X, np.float32)


@pytest.mark.parametrize("target_dtype", [np.float32, np.float64, np.int64])
def test_targets_decide_on_the_type_of_the_loss(target_dtype):
    rng = np.random.default_rng(3)
    X, y = samples(rng, dtype=np.float32), value_targets(rng, 60, loss="poisson").astype(target_dtype)
    assert_same(*fitted("MLPRegressor", X, y), X, np.float32)


@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, True), (0.9, False), (0.5, True)])
def test_stochastic_gradient_descent(schedule, momentum, nesterov):
    rng = np.random.default_rng(4)
    X, y = samples(rng), class_targets(rng, 60, "multiclass")
    mine, theirs = fitted(
        "MLPClassifier",
        X,
        y,
        solver="sgd",
        learning_rate=schedule,
        learning_rate_init=0.3,
        momentum=momentum,
        nesterovs_momentum=nesterov,
        max_iter=40,
        n_iter_no_change=2,
        tol=1e-2,
        activation="tanh",
    )
    assert_same(mine, theirs, X)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping(name, weighted):
    rng = np.random.default_rng(5)
    X = samples(rng, 80)
    y = class_targets(rng, 80, "binary") if name == "MLPClassifier" else value_targets(rng, 80)
    mine, theirs = fitted(
        name,
        X,
        y,
        sample_weight=rng.random(80) if weighted else None,
        early_stopping=True,
        max_iter=30,
        n_iter_no_change=3,
        validation_fraction=0.25,
        learning_rate_init=0.05,
        activation="tanh",
    )
    assert_same(mine, theirs, X)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("calls", [("partial_fit",) * 3, ("fit", "partial_fit", "fit", "partial_fit")])
def test_partial_fit(name, solver, calls):
    rng = np.random.default_rng(6)
    X = samples(rng)
    y = class_targets(rng, 60, "multiclass") if name == "MLPClassifier" else value_targets(rng, 60, 2)
    assert_same(*fitted(name, X, y, calls, solver=solver, activation="tanh"), X)


def test_partial_fit_of_labels():
    rng = np.random.default_rng(7)
    X, y = samples(rng), class_targets(rng, 60, "multilabel")
    assert_same(*fitted("MLPClassifier", X, y, ("partial_fit",) * 2), X)


@pytest.mark.parametrize("solver", ["lbfgs", "sgd", "adam"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_warm_start(solver, early_stopping):
    rng = np.random.default_rng(8)
    X, y = samples(rng), class_targets(rng, 60, "multiclass")
    mine, theirs = fitted(
        "MLPClassifier", X, y, ("fit",) * 3, solver=solver, warm_start=True, early_stopping=early_stopping
    )
    assert_same(mine, theirs, X)


@pytest.mark.parametrize("random_state", [0, "shared"])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", ["auto", 1, 7, 60, 1000])
def test_batches_and_draws(random_state, shuffle, batch_size):
    rng = np.random.default_rng(9)
    X, y = samples(rng), class_targets(rng, 60, "binary")
    mine, theirs = fitted(
        "MLPClassifier",
        X,
        y,
        ("fit", "fit"),
        shuffle=shuffle,
        batch_size=batch_size,
        random_state=np.random.RandomState(5) if random_state == "shared" else random_state,
        activation="tanh",
    )
    assert_same(mine, theirs, X)


def test_more_rows_in_a_batch_than_in_a_chunk_of_the_kernel():
    rng = np.random.default_rng(10)
    X, y = samples(rng, 1500), class_targets(rng, 1500, "multiclass")
    assert_same(*fitted("MLPClassifier", X, y, batch_size=700), X)
    assert_same(*fitted("MLPClassifier", X, y, batch_size=700, solver="sgd"), X)
    assert_same(*fitted("MLPClassifier", X, y, solver="lbfgs"), X)


def test_types_that_change_between_calls():
    rng = np.random.default_rng(11)
    X, y = samples(rng), class_targets(rng, 60, "multiclass")
    for first, then in itertools.permutations((np.float32, np.float64)):
        both = [
            module.MLPClassifier((6,), random_state=0).partial_fit(X.astype(first), y, classes=np.unique(y))
            for module in (ours, stock)
        ]
        for estimator in both:
            estimator.partial_fit(X.astype(then), y)
        for a, b in zip(both[0].coefs_, both[1].coefs_, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
        assert both[0].predict_proba(X).dtype == both[1].predict_proba(X).dtype


def test_verbose_prints_the_same(capsys):
    rng = np.random.default_rng(12)
    X, y = samples(rng), class_targets(rng, 60, "multiclass")
    printed = []
    for module in (ours, stock):
        for more in ({"early_stopping": True}, {"solver": "sgd", "learning_rate": "adaptive", "tol": 10.0}):
            module.MLPClassifier((4,), random_state=0, max_iter=15, n_iter_no_change=2, verbose=True, **more).fit(X, y)
        printed.append(capsys.readouterr().out)
    assert "Iteration 1, loss = " in printed[0]
    assert printed[0] == printed[1]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_samples=st.integers(12, 90),
    n_features=st.integers(1, 40),
    hidden=st.lists(st.integers(1, 40), max_size=3),
    solver=st.sampled_from(["lbfgs", "sgd", "adam"]),
    activation=st.sampled_from(["identity", "logistic", "tanh"]),
    kind=st.sampled_from(["binary", "multiclass", "multilabel"]),
    batch_size=st.integers(1, 100),
    alpha=st.sampled_from([0.0, 1e-4, 1.0]),
    layout=st.sampled_from(["dense", "csr", "thin csr"]),
)
def test_any_network(seed, n_samples, n_features, hidden, solver, activation, kind, batch_size, alpha, layout):
    rng = np.random.default_rng(seed)
    X, y = samples(rng, n_samples, n_features, layout=layout), class_targets(rng, n_samples, kind)
    parameters = {"solver": solver, "activation": activation, "batch_size": batch_size, "alpha": alpha, "max_iter": 2}
    mine, theirs = fitted("MLPClassifier", X, y, hidden_layer_sizes=hidden, **parameters)
    np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(mine.loss_, theirs.loss_, rtol=1e-9, atol=1e-12)
