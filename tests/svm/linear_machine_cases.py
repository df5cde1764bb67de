"""Random settings and data for LinearSVC and LinearSVR, and the comparison with scikit-learn's."""

import warnings

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

# One entry for each solver of LIBLINEAR.
CLASSIFIERS = {
    "hinge": {"loss": "hinge", "dual": True},
    "squared hinge, dual": {"loss": "squared_hinge", "dual": True},
    "squared hinge": {"loss": "squared_hinge", "dual": False},
    "l1": {"penalty": "l1", "dual": False},
    "crammer_singer": {"multi_class": "crammer_singer"},
}
REGRESSORS = {
    "insensitive": {"loss": "epsilon_insensitive", "dual": True},
    "squared insensitive, dual": {"loss": "squared_epsilon_insensitive", "dual": True},
    "squared insensitive": {"loss": "squared_epsilon_insensitive", "dual": False},
}

# The solvers that learn one sample after the other.
DUAL = {"hinge", "squared hinge, dual", "crammer_singer", "insensitive", "squared insensitive, dual"}

# What sums in another order leave: one part in 1e16 of each, handed on from step to step. Of 400 random fits the dual
# solvers were off by 6e-14 at most, l1, whose line searches run in flat places, by 5e-9; conjugate gradients hand on
# more.
CLOSE = {"l1": 1e-7, "squared hinge": 1e-6, "squared insensitive": 1e-6}
CLOSE_ELSEWHERE = 1e-11

# LIBLINEAR asks for the sign of numbers that are 0 but for their rounding: whether a pass had a projected gradient
# above 0 decides which samples are looked at in the next one. So a few fits in a hundred take another way. They end
# where the tolerance is met as well; the objective, which is flat there, then agrees to this.
CLOSE_OBJECTIVE = 5e-3


def closeness(kind, X):
    """Return how far apart fits may be: those of sparse rows, or of all classes at once, are added up in one order."""
    if kind in DUAL and (sp.issparse(X) or kind == "crammer_singer"):
        return 0.0
    return CLOSE.get(kind, CLOSE_ELSEWHERE)


def draw_samples(rng, dtype, sparse, n_samples=None):
    """Draw X, dense or CSR."""
    n_samples = n_samples or int(rng.integers(20, 120))
    X = rng.normal(size=(n_samples, int(rng.integers(1, 24))))
    if sparse:
        X[rng.random(X.shape) < 0.6] = 0.0
    X = X.astype(dtype)
    return sp.csr_array(X) if sparse else X


def draw_classes(rng, X, n_classes):
    """Draw classes that depend on X, each of them present."""
    scores = X @ rng.normal(size=(X.shape[1], n_classes)) + rng.normal(size=(X.shape[0], n_classes))
    y = scores.argmax(axis=1)
    y[: 3 * n_classes] = np.arange(3 * n_classes) % n_classes
    return y


def draw_values(rng, X):
    """Draw targets that depend on X."""
    return X @ rng.normal(size=X.shape[1]) + rng.normal(size=X.shape[0])


def draw_weights(rng, n_samples):
    """Draw weights of samples: often none, some of them zero."""
    if rng.random() < 0.5:
        return None
    weights = rng.choice([0.0, 0.5, 1.0, 3.0], size=n_samples, p=[0.1, 0.3, 0.3, 0.3])
    weights[:15] = 1.0  # so that each class keeps a sample
    return weights


def draw_parameters(rng):
    """Draw what both estimators have; mild where conjugate gradients would wander for hundreds of steps."""
    return {
        "C": float(rng.choice([0.01, 0.3, 1.0])),
        "tol": float(rng.choice([1e-2, 1e-3, 1e-4])),
        "fit_intercept": bool(rng.random() < 0.8),
        "intercept_scaling": float(rng.choice([1.0, 0.3, 2.0])),
        "random_state": int(rng.integers(1000)),
        "max_iter": 10_000,
    }


def fit_both(mine, theirs, X, y, sample_weight=None):
    """Fit both estimators; the same warnings must come."""
    said = []
    for model in (mine, theirs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, y, sample_weight=sample_weight)
        said.append([(warning.category, str(warning.message)) for warning in caught])
    assert said[0] == said[1]
    assert all(category is ConvergenceWarning for category, _ in said[0])


def assert_same_attributes(mine, theirs):
    """Compare the kinds of what both have learned."""
    assert vars(mine).keys() == vars(theirs).keys()
    assert type(mine.n_iter_) is type(theirs.n_iter_)
    assert type(mine.intercept_) is type(theirs.intercept_)
    assert np.shape(mine.intercept_) == np.shape(theirs.intercept_)
    assert mine.coef_.shape == theirs.coef_.shape
    assert mine.coef_.dtype == theirs.coef_.dtype == np.float64
    assert mine.coef_.flags.f_contiguous == theirs.coef_.flags.f_contiguous
    assert mine.coef_.flags.writeable == theirs.coef_.flags.writeable


def are_close(mine, theirs, close):
    """Tell whether both have learned the same."""
    atol = close * max(np.abs(theirs.coef_).max(), np.abs(theirs.intercept_).max())
    return (
        mine.n_iter_ == theirs.n_iter_
        and np.allclose(mine.coef_, theirs.coef_, rtol=0, atol=atol)
        and np.allclose(mine.intercept_, theirs.intercept_, rtol=0, atol=atol)
    )


def assert_same_fit(mine, theirs, kind, X):
    """Compare what both have learned, where no sign is in doubt."""
    assert_same_attributes(mine, theirs)
    assert mine.n_iter_ == theirs.n_iter_
    atol = closeness(kind, X) * max(np.abs(theirs.coef_).max(), np.abs(theirs.intercept_).max())
    np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=0, atol=atol)
    np.testing.assert_allclose(mine.intercept_, theirs.intercept_, rtol=0, atol=atol)


def assert_as_good(mine, theirs, kind, X, objective):
    """Compare what both have learned, or else how good it is; return whether it is the same.

    `objective` gives the values of each class for a model.
    """
    assert_same_attributes(mine, theirs)
    close = closeness(kind, X)
    if are_close(mine, theirs, close):
        return True
    assert close > 0, "a solver that adds up in LIBLINEAR's order has taken another way"
    np.testing.assert_allclose(objective(mine), objective(theirs), rtol=CLOSE_OBJECTIVE)
    return False


def penalties(model, l1=False):
    """Return the penalty of each row of weights, that of the bias included."""
    bias = np.atleast_1d(model.intercept_) / model.intercept_scaling
    w = np.atleast_2d(model.coef_)
    w = np.column_stack([w, np.broadcast_to(bias, len(w))])
    return np.abs(w).sum(axis=1) if l1 else 0.5 * np.square(w).sum(axis=1)


def classifier_objective(X, y, weights, class_weight):
    """Return the function that gives the primal objectives of a LinearSVC, one class against the others."""
    classes = np.unique(y)
    costs = np.ones(len(y)) if weights is None else weights

    def objective(model):
        scores = model.decision_function(X).reshape(len(y), -1)
        values = penalties(model, model.penalty == "l1")
        for k in range(len(values)):
            positive = y == classes[1 if len(values) == 1 else k]
            factor = np.where(positive, class_weight[1 if len(values) == 1 else k], 1.0)
            if len(values) == 1:
                factor[~positive] = class_weight[0]
            hinge = np.maximum(0, 1 - np.where(positive, 1, -1) * scores[:, k])
            values[k] += model.C * np.sum(costs * factor * (hinge if model.loss == "hinge" else hinge**2))
        return values

    return objective


def regressor_objective(X, y, weights):
    """Return the function that gives the primal objective of a LinearSVR."""
    costs = np.ones(len(y)) if weights is None else weights

    def objective(model):
        off = np.maximum(0, np.abs(model.predict(X) - y) - model.epsilon)
        lost = off if model.loss == "epsilon_insensitive" else off**2
        return penalties(model) + model.C * np.sum(costs * lost)

    return objective
