"""Random settings of the SGD family, and the comparison of two fitted estimators."""

import warnings

import numpy as np
import scipy.sparse as sp

CLASSIFIER_LOSSES = (
    "hinge",
    "squared_hinge",
    "perceptron",
    "log_loss",
    "modified_huber",
    "squared_error",
    "huber",
    "epsilon_insensitive",
    "squared_epsilon_insensitive",
)
REGRESSOR_LOSSES = ("squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive")

# The order of additions differs, by one part in 1e16 a sum, or one part in 1e7 where float32 is rounded the other way;
# a fit hands errors on from step to step. What is promised is 1e-6.
CLOSE = 1e-6

# Steps too long for their loss make the weights of these data, which are around 1, grow without end: errors grow with
# them, and the weights that remain are differences of such.
DIVERGED = 1e6
CLOSE_IF_DIVERGED = 1e-3


def draw_parameters(rng, losses):
    """Draw parameters that SGDClassifier and SGDRegressor share."""
    loss = str(rng.choice(losses))
    rates = ["constant", "optimal", "invscaling", "adaptive"]
    if loss == ("hinge" if "hinge" in losses else "epsilon_insensitive"):
        rates += ["pa1", "pa2"]
    return {
        "loss": loss,
        "penalty": [None, "l2", "l1", "elasticnet"][rng.integers(4)],
        "alpha": float(rng.choice([1e-5, 1e-3, 0.05])),
        "l1_ratio": float(rng.choice([0.0, 0.15, 0.7, 1.0])),
        "fit_intercept": bool(rng.random() < 0.8),
        "max_iter": int(rng.choice([1, 5, 60])),
        "tol": [None, 0.0, 1e-4, 1e-2][rng.integers(4)],
        "shuffle": bool(rng.random() < 0.8),
        "epsilon": float(rng.choice([0.0, 0.1, 0.5])),
        "random_state": int(rng.integers(1000)),
        "learning_rate": str(rng.choice(rates)),
        "eta0": float(rng.choice([0.001, 0.01])),
        "power_t": float(rng.choice([0.25, 0.5, 0.7])),
        "early_stopping": bool(rng.random() < 0.25),
        "validation_fraction": 0.2,
        "n_iter_no_change": int(rng.choice([1, 3, 5])),
        "average": [False, True, 10, 10_000][rng.choice(4, p=[0.55, 0.2, 0.15, 0.1])],
    }


def draw_samples(rng, dtype=None):
    """Draw X, dense or CSR, in float64 or float32."""
    n_samples, n_features = int(rng.integers(20, 150)), int(rng.integers(1, 40))
    X = rng.normal(size=(n_samples, n_features))
    sparse = rng.random() < 0.4
    if sparse:
        X[rng.random(X.shape) < 0.7] = 0.0
    X = X.astype(dtype or rng.choice([np.float64, np.float32]))
    return sp.csr_array(X) if sparse else X


def draw_weights(rng, n_samples):
    """Draw weights of samples: often none, some of them zero."""
    if rng.random() < 0.6:
        return None
    return rng.choice([0.0, 0.5, 1.0, 3.0], size=n_samples, p=[0.1, 0.3, 0.3, 0.3])


def class_targets(rng, X, n_classes):
    """Draw classes that depend on X, each of them present."""
    scores = X @ rng.normal(size=(X.shape[1], n_classes)) + rng.normal(size=(X.shape[0], n_classes))
    y = scores.argmax(axis=1)
    y[: 3 * n_classes] = np.arange(3 * n_classes) % n_classes
    return y


def value_targets(rng, X):
    """Draw values that depend on X."""
    return X @ rng.normal(size=X.shape[1]) + rng.normal(size=X.shape[0])


def outcome(estimator, method, *args, **kwargs):
    """Fit; return what it warned of, and the error that it raised, if any."""
    error = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            getattr(estimator, method)(*args, **kwargs)
        except (TypeError, ValueError) as raised:
            error = type(raised), str(raised)
    # scikit-learn's early stopping makes a further estimator, which says once more that its class is deprecated.
    said = [(w.category, str(w.message)) for w in caught if " is deprecated" not in str(w.message)]
    return said, error


def assert_same_fit(ours, theirs, where=""):
    """Check that two estimators have learned the same."""
    assert ours.n_iter_ == theirs.n_iter_, where
    assert type(ours.n_iter_) is type(theirs.n_iter_), where
    assert ours.t_ == theirs.t_, where
    largest = np.abs(theirs.coef_).max()
    close = CLOSE if largest < DIVERGED else CLOSE_IF_DIVERGED
    for name in ("coef_", "intercept_", "offset_"):
        if hasattr(theirs, name) or hasattr(ours, name):
            actual, expected = getattr(ours, name), getattr(theirs, name)
            assert actual.dtype == expected.dtype, (name, where)
            assert actual.shape == expected.shape, (name, where)
            np.testing.assert_allclose(actual, expected, rtol=close, atol=close * largest, err_msg=f"{name} {where}")
    if hasattr(theirs, "classes_"):
        assert ours.classes_.dtype == theirs.classes_.dtype
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    assert ours.n_features_in_ == theirs.n_features_in_
    assert {name for name in vars(ours) if name.endswith("_")} == {name for name in vars(theirs) if name.endswith("_")}


def assert_same_results(case, ours, theirs, *args, method="fit", **kwargs):
    """Fit both on the same; compare what they have learned, warned of and raised. Tell whether they have learned."""
    expected = outcome(theirs, method, *args, **kwargs)
    actual = outcome(ours, method, *args, **kwargs)
    assert actual == expected, case
    if expected[1] is None:
        assert_same_fit(ours, theirs, where=str(case))
    return expected[1] is None
