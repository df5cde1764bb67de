"""What a user sees of logistic regression that scikit-learn's own tests do not look at."""

import threading
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import fastml
from fastml import _core
from fastml._support import dispatch
from fastml.linear_model import LogisticRegression, LogisticRegressionCV


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return X - X.mean(axis=0), y


@pytest.fixture(scope="module")
def many():
    """More rows than one thread is given."""
    return make_classification(60_000, 12, n_informative=8, n_classes=4, random_state=0)


LAYOUTS = {
    "fortran": np.asfortranarray,
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "misaligned": lambda X: np.frombuffer(b"\0" + X.tobytes(), dtype=X.dtype, offset=1).reshape(X.shape),
    "read-only": lambda X: np.frombuffer(X.tobytes(), dtype=X.dtype).reshape(X.shape),
    "big-endian": lambda X: X.astype(">f8"),
    "list": lambda X: X.tolist(),
    "coo": sp.coo_array,
    "csc": sp.csc_matrix,
    "csr of 64-bit indices": lambda X: _long_indices(sp.csr_array(X)),
    "unsorted csr": lambda X: _descending(sp.csr_array(X)),
}


def _long_indices(X):
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def _descending(X):
    for begin, end in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        X.indices[begin:end] = X.indices[begin:end][::-1]
        X.data[begin:end] = X.data[begin:end][::-1]
    X.has_sorted_indices = False
    return X


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_layouts(iris, layout, n_classes):
    X, y = (part[: 50 * n_classes] for part in iris)
    expected = LogisticRegression().fit(X, y)
    given = LAYOUTS[layout](X)
    model = LogisticRegression().fit(given, y)
    # Dense and sparse rows are summed up in different orders.
    assert_allclose(model.coef_, expected.coef_, rtol=1e-6, atol=1e-8)
    assert_allclose(model.predict_proba(given), expected.predict_proba(X), rtol=1e-6, atol=1e-9)
    assert_allclose(model.decision_function(given), expected.decision_function(X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b", "c"],
        [True, False, True],
        [-5, 10**12, 7],
        [1.0, 2.0, 4.0],
        np.array(["x", 3.5, None], dtype=object)[:2],
    ],
    ids=["text", "booleans", "far apart", "floats", "objects"],
)
def test_labels(iris, labels):
    X, y = iris
    labels = np.asarray(labels)
    X, y = X[y < len(labels)], labels[y[y < len(labels)]]
    if labels.dtype == object:
        y = y.astype(str)
    ours, stock = LogisticRegression().fit(X, y), sklearn.linear_model.LogisticRegression().fit(X, y)
    assert_array_equal(ours.classes_, stock.classes_)
    assert ours.classes_.dtype == stock.classes_.dtype
    assert_array_equal(ours.predict(X), stock.predict(X))


def test_threads_change_rounding_only(many):
    X, y = many
    models = []
    for n_threads in (1, 2, 2):
        with fastml.config_context(n_threads=n_threads):
            models.append(LogisticRegression().fit(X, y))
    one, two, again = models
    assert_array_equal(two.coef_, again.coef_)
    assert_array_equal(one.n_iter_, two.n_iter_)
    assert_allclose(one.coef_, two.coef_, rtol=1e-6, atol=1e-9)


def test_fits_side_by_side(many):
    X, y = many
    expected = LogisticRegression().fit(X, y).coef_
    found = [None] * 4

    def fit(place):
        found[place] = LogisticRegression().fit(X, y).coef_

    workers = [threading.Thread(target=fit, args=(place,)) for place in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for coef in found:
        assert_allclose(coef, expected, rtol=1e-6, atol=1e-9)


def test_float32_is_as_exact_as_its_coefficients():
    # Losses in float32 would keep L-BFGS from this tolerance: they are rounded to 1e-7 of their sum.
    X, y = make_classification(5000, 10, random_state=0)
    parameters = {"tol": 1e-6, "max_iter": 1000}
    with np.errstate(all="raise"):
        single = LogisticRegression(**parameters).fit(X.astype(np.float32), y)
    double = LogisticRegression(**parameters).fit(X, y)
    assert_allclose(single.coef_, double.coef_, rtol=2e-5, atol=2e-5)
    assert single.predict_proba(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("n_classes", [2, 4])
def test_float32_meets_any_tolerance(n_classes):
    # Beyond what float32 products let a line search see, the fit goes on in double.
    X, y = make_classification(400, 8, n_informative=6, n_classes=n_classes, random_state=0)
    X = X.astype(np.float32)
    parameters = {"C": 0.01, "tol": 1e-12, "max_iter": 500, "class_weight": "balanced"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        single = LogisticRegression(**parameters).fit(X, y)
    assert single.n_iter_[0] < 500
    double = LogisticRegression(**parameters).fit(X.astype(np.float64), y)
    # What a reduction too small for float32 leaves: half of what scikit-learn is off by.
    assert_allclose(single.coef_, double.coef_, atol=3e-5)


def test_classes_that_are_far_apart():
    X = np.array([[-1e4], [-2e4], [1e4], [2e4]])
    model = LogisticRegression(C=1e4, fit_intercept=False).fit(X, [0, 0, 1, 1])
    assert_array_equal(model.predict_proba(X * 1e4), [[1, 0], [1, 0], [0, 1], [0, 1]])


def test_failed_fit_leaves_the_model(iris):
    X, y = iris
    model = LogisticRegression().fit(X, y)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="at least 2 classes"):
        model.fit(X[:, :2], np.zeros(len(y), dtype=int))
    assert vars(model) == before


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
def test_predicting(iris, method):
    X, y = iris
    with pytest.raises(NotFittedError):
        getattr(LogisticRegression(), method)(X)
    for n_classes in (2, 3):
        ours = LogisticRegression().fit(X[y < n_classes], y[y < n_classes])
        stock = fastml.to_sklearn(ours)
        for rows in (X, X[:1], X.astype(np.float32), np.round(X).astype(int), X.tolist(), sp.csr_array(X), X[::-1]):
            actual, expected = getattr(ours, method)(rows), getattr(stock, method)(rows)
            assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
            # float32 rows of a float64 model are made double by both.
            assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)
        with pytest.raises(ValueError, match="features"):
            getattr(ours, method)(X[:, :2])
    sparse = LogisticRegression().fit(X, y).sparsify()
    assert_allclose(getattr(sparse, method)(X), getattr(sparse.densify(), method)(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("solver", ["liblinear", "sag", "saga"])
def test_solvers_that_are_scikit_learns_are_reported(iris, solver):
    X, y = (part[:100] for part in iris)
    parameters = {"l1_ratios": (0,), "scoring": "accuracy", "use_legacy_attributes": False, "Cs": 2, "cv": 2}
    dispatch.reset_calls()
    LogisticRegression(solver=solver, tol=0.1).fit(X, y)
    LogisticRegressionCV(**parameters, solver=solver, tol=0.1).fit(X, y)
    LogisticRegression().fit(X, y)
    reason = f"the solver {solver} is scikit-learn's"
    assert [(call.name, call.reason) for call in dispatch.calls()] == [
        ("LogisticRegression.fit", reason),
        ("LogisticRegressionCV.fit", reason),
        ("LogisticRegression.fit", None),
    ]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_folds_in_joblibs_hands(iris, n_jobs):
    X, y = iris
    parameters = {"Cs": 3, "l1_ratios": (0,), "scoring": "neg_log_loss", "use_legacy_attributes": False}
    expected = LogisticRegressionCV(**parameters).fit(X, y)
    model = LogisticRegressionCV(**parameters, n_jobs=n_jobs).fit(X, y)
    assert_allclose(model.scores_, expected.scores_, rtol=1e-9)
    assert_array_equal(model.n_iter_, expected.n_iter_)


def test_binding_rejects_what_would_leave_its_arrays():
    X, y = np.ones((4, 2)), np.zeros(4)
    with pytest.raises(ValueError, match="one a row"):
        _core.LogisticLoss(X, y[:3], None, 1, 4.0, True)
    with pytest.raises(ValueError, match="weights"):
        _core.LogisticLoss(X, y, y[:3], 1, 4.0, True)
    indices, offsets = np.array([2], dtype=np.int32), np.array([0, 1, 1, 1, 1])
    with pytest.raises(ValueError, match="out of range"):
        _core.LogisticLoss((np.ones(1), indices, offsets, 2), y, None, 1, 4.0, True)
    loss = _core.LogisticLoss(X, y, None, 1, 4.0, True)
    with pytest.raises(ValueError, match="3 coefficients"):
        loss.loss_gradient(np.zeros(2), 0.0)
    with pytest.raises(ValueError, match="loss_gradient_curvature"):
        loss.hessian_product(np.zeros(3), 0.0)
    with pytest.raises(ValueError, match="intercept"):
        _core.logistic_probabilities(X, np.zeros(2), 1)
