"""GaussianNB against scikit-learn's: types, weights, batches; ill-scaled data; errors, fits that fail."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.naive_bayes as stock
from hypothesis import given, settings, strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastml
from fastml.naive_bayes import GaussianNB

ATTRIBUTES = ("classes_", "class_count_", "class_prior_", "theta_", "var_", "epsilon_")
METHODS = ("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba")


def assert_same(mine, theirs, X, rtol=1e-9):
    """Compare all that two fitted models have and give."""
    assert vars(mine).keys() == vars(theirs).keys()
    for name in ATTRIBUTES:
        actual, expected = getattr(mine, name), getattr(theirs, name)
        assert type(actual) is type(expected)
        assert actual.dtype == expected.dtype
        if name == "classes_":
            np.testing.assert_array_equal(actual, expected)
        else:
            scale = np.abs(expected).max() if np.size(expected) else 0
            np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * scale, err_msg=name)
    for name in METHODS:
        actual, expected = getattr(mine, name)(X), getattr(theirs, name)(X)
        assert actual.dtype == expected.dtype
        if name == "predict":
            scores = np.sort(theirs.predict_joint_log_proba(X), axis=1)
            gap = scores[:, -1] - scores[:, -2] if scores.shape[1] > 1 else np.full(len(scores), np.inf)
            clear = gap > 10 * rtol * (1 + np.abs(scores[:, -1]))
            np.testing.assert_array_equal(actual[clear], expected[clear])
        else:
            scale = np.abs(theirs.predict_joint_log_proba(X)).max()
            np.testing.assert_allclose(actual, expected, rtol=10 * rtol, atol=10 * rtol * scale, err_msg=name)


def fit_both(X, y, weights=None, **parameters):
    mine = GaussianNB(**parameters).fit(X, y, sample_weight=weights)
    theirs = stock.GaussianNB(**parameters).fit(X, y, sample_weight=weights)
    return mine, theirs


def draw(rng, dtype=np.float64):
    n_classes = int(rng.integers(1, 8))
    # One weighted sample alone: see test_one_weighted_sample.
    n_samples, n_features = int(rng.integers(max(n_classes, 2), 200)), int(rng.integers(1, 40))
    y = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=n_samples - n_classes)])
    X = rng.standard_normal((n_samples, n_features)) * 10.0 ** rng.integers(-2, 3, n_features) + y[:, None] % 3
    return X.astype(dtype), y


@given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from([np.float64, np.float32]), weighted=st.booleans())
@settings(max_examples=60, deadline=None)
def test_random_problems(seed, dtype, weighted):
    rng = np.random.default_rng(seed)
    X, y = draw(rng, dtype)
    weights = rng.integers(1, 4, len(y)) * rng.choice([1.0, 0.3]) if weighted else None
    parameters = {"var_smoothing": float(rng.choice([1e-9, 1e-3, 0.5]))}
    if rng.integers(3) == 0:
        parameters["priors"] = rng.dirichlet(np.ones(len(np.unique(y))))
    mine, theirs = fit_both(X, y, weights, **parameters)
    # scikit-learn's own sums are of float32: variances of classes of few samples keep few digits.
    assert_same(mine, theirs, X, rtol=1e-9 if dtype is np.float64 else 2e-3)


@given(seed=st.integers(0, 2**32 - 1), weighted=st.booleans())
@settings(max_examples=30, deadline=None)
def test_random_batches(seed, weighted):
    rng = np.random.default_rng(seed)
    X, y = draw(rng)
    weights = rng.integers(0, 4, len(y)).astype(float) if weighted else None
    mine, theirs = GaussianNB(var_smoothing=1e-3), stock.GaussianNB(var_smoothing=1e-3)
    cuts = np.sort(rng.integers(1, len(y) + 1, size=3))
    for rows in np.split(np.arange(len(y)), np.unique(cuts[cuts < len(y)])):
        for model in (mine, theirs):
            # Not all of them may be 0.
            batch_weights = None if weights is None else np.append(weights[rows[:-1]], 2.0)
            model.partial_fit(X[rows], y[rows], classes=np.unique(y), sample_weight=batch_weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # logarithms of classes that were not seen
        np.testing.assert_allclose(mine.theta_, theirs.theta_, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(mine.var_, theirs.var_, rtol=1e-7, atol=1e-9 * np.abs(theirs.var_).max())
        np.testing.assert_allclose(mine.class_prior_, theirs.class_prior_)
        np.testing.assert_allclose(
            mine.predict_joint_log_proba(X), theirs.predict_joint_log_proba(X), rtol=1e-6, atol=1e-6
        )


def test_one_weighted_sample():
    """Its variance is 0; scikit-learn's is what rounding leaves of x w / w - x."""
    x = np.random.default_rng(0).standard_normal((1, 30))
    mine, theirs = fit_both(x, [0], [0.3])
    np.testing.assert_array_equal(mine.theta_, x)
    np.testing.assert_array_equal(mine.var_, 0)
    np.testing.assert_allclose(theirs.var_, 0, atol=1e-29)


def test_batches_are_one_fit():
    X, y = load_digits(return_X_y=True)
    together = GaussianNB(var_smoothing=0).fit(X, y)
    batches = GaussianNB(var_smoothing=0)
    for rows in np.array_split(np.arange(len(y)), 13):
        batches.partial_fit(X[rows], y[rows], classes=np.unique(y))
    np.testing.assert_allclose(batches.theta_, together.theta_, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(batches.var_, together.var_, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(batches.class_count_, together.class_count_)


def kinds_of_input():
    X, y = load_iris(return_X_y=True)
    frame = pd.DataFrame(X, columns=list("abcd"))
    return {
        "float32": (X.astype(np.float32), y),
        "integers": ((X * 10).astype(int), y),
        "booleans": (X.mean(axis=0) < X, y),
        "list": (X.tolist(), y.tolist()),
        "columns side by side": (np.asfortranarray(X), y),
        "every other row": (np.repeat(X, 2, axis=0)[::2], np.repeat(y, 2)[::2]),
        "frame": (frame, pd.Series(y)),
        "strings": (X, np.array(["one", "two", "three"])[y]),
        "objects": (X.astype(object), np.array(["one", "two", "three"], dtype=object)[y]),
        "numbers with gaps": (X, y * 1000 - 5),
        "floats": (X, y * 2.0),
        "booleans as labels": (X, y > 0),
        "one class": (X, np.full(len(y), 7)),
        "one sample a class": (X[::50], y[::50]),
        "one feature": (X[:, :1], y),
    }


@pytest.mark.parametrize("kind", kinds_of_input())
def test_kinds_of_input(kind):
    X, y = kinds_of_input()[kind]
    mine, theirs = fit_both(X, y)
    assert_same(mine, theirs, X, rtol=1e-9 if kind != "float32" else 1e-4)
    assert mine.score(X, y) == theirs.score(X, y)


def test_models_and_samples_of_other_types():
    X, y = load_iris(return_X_y=True)
    for fitted, asked in [(np.float32, np.float64), (np.float64, np.float32)]:
        mine, theirs = fit_both(X.astype(fitted), y)
        assert mine.predict_proba(X.astype(asked)).dtype == theirs.predict_proba(X.astype(asked)).dtype
    mine = GaussianNB().fit(X.astype(np.float32), y)
    theirs = stock.GaussianNB().fit(X.astype(np.float32), y)
    for model in (mine, theirs):
        model.partial_fit(X[:20] + 0.25, y[:20])
    assert mine.theta_.dtype == theirs.theta_.dtype == np.float32
    np.testing.assert_allclose(mine.theta_, theirs.theta_, rtol=1e-5)
    with fastml.config_context(fallback="silent"):
        half = GaussianNB().fit(X.astype(np.float16), y)
    assert half.theta_.dtype == np.float16


def test_read_only_memmap(tmp_path):
    X, y = load_iris(return_X_y=True)
    np.save(tmp_path / "x.npy", X)
    assert_same(*fit_both(np.load(tmp_path / "x.npy", mmap_mode="r"), y), X)


@pytest.mark.parametrize("mean", [1e8, -1e8, 1e6])
def test_ill_scaled_samples(mean):
    """Never worse than scikit-learn's, which subtracts and adds up in another order."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=3000)
    X = mean + 0.1 * (rng.standard_normal((3000, 8)) + 0.7 * y[:, None])
    exact = (X - np.longdouble(mean)).astype(np.longdouble)
    variances = np.array([exact[y == k].var(axis=0) for k in range(3)], dtype=np.float64)
    means = np.array([exact[y == k].mean(axis=0) for k in range(3)], dtype=np.float64) + mean
    mine, theirs = fit_both(X, y, var_smoothing=0)
    error = np.abs(mine.var_ / variances - 1).max()
    assert error <= max(np.abs(theirs.var_ / variances - 1).max(), 1e-12)
    assert error < 1e-12
    assert np.abs(mine.theta_ - means).max() <= 1e-15 * abs(mean)
    assert mine.score(X, y) >= theirs.score(X, y)
    # In float32 there are digits only where the mean is small enough.
    Z = (X - mean + 1000).astype(np.float32)
    mine, theirs = fit_both(Z, y, var_smoothing=0)
    wide = Z.astype(np.longdouble)
    variances = np.array([wide[y == k].var(axis=0) for k in range(3)], dtype=np.float64)
    error = np.abs(mine.var_ / variances - 1).max()
    assert error <= np.abs(theirs.var_ / variances - 1).max()
    assert error < 1e-6
    assert mine.score(Z, y) >= theirs.score(Z, y)


def test_constant_features():
    X = np.tile([0.1, 1e8, 3.0], (40, 1))
    X[:, 2] = np.arange(40)
    y = np.arange(40) % 2
    mine, theirs = fit_both(X, y)
    assert_same(mine, theirs, X)
    np.testing.assert_array_equal(mine.var_[:, :2], mine.epsilon_)


def test_threads():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50_000, 20)), rng.integers(4, size=50_000)
    with fastml.config_context(n_threads=1):
        one = GaussianNB().fit(X, y)
        expected = one.predict_proba(X)
    with fastml.config_context(n_threads=2):
        two = GaussianNB().fit(X, y)
        again = GaussianNB().fit(X, y)
        np.testing.assert_array_equal(one.predict_proba(X), expected)
    np.testing.assert_allclose(two.var_, one.var_, rtol=1e-12)
    np.testing.assert_array_equal(two.var_, again.var_)


def error_of(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except Exception as error:
            return type(error), str(error)
    return None


X_BAD = np.array([[1.0, 2.0], [3.0, 4.0], [np.nan, 6.0], [7.0, 8.0]])
X_GOOD = np.arange(8.0).reshape(4, 2)
Y = np.array([0, 1, 0, 1])
BAD_FITS = {
    "NaN": (X_BAD, Y, {}),
    "infinite": (np.where(np.isnan(X_BAD), np.inf, X_BAD), Y, {}),
    "NaN, weighted": (X_BAD, Y, {"sample_weight": [1, 1, 0, 1]}),
    "sparse": (sp.csr_array(X_GOOD), Y, {}),
    "no samples": (np.empty((0, 2)), np.empty(0), {}),
    "no features": (np.empty((4, 0)), Y, {}),
    "one dimension": (X_GOOD[0], Y, {}),
    "three dimensions": (X_GOOD[None], Y, {}),
    "lengths": (X_GOOD, Y[:3], {}),
    "labels of two columns": (X_GOOD, np.stack([Y, Y], axis=1), {}),
    "labels that are no classes": (X_GOOD, Y + 0.5, {}),
    "NaN among labels": (X_GOOD, np.array([0, 1, np.nan, 1]), {}),
    "lengths of weights": (X_GOOD, Y, {"sample_weight": [1, 2]}),
    "weights that are NaN": (X_GOOD, Y, {"sample_weight": [1, 2, np.nan, 1]}),
    "complex": (X_GOOD * 1j, Y, {}),
    "text": (np.array([["a", "b"]] * 4), Y, {}),
}
BAD_PARAMETERS = {
    "number of priors": {"priors": [0.5, 0.25, 0.25]},
    "sum of priors": {"priors": [0.5, 0.6]},
    "negative priors": {"priors": [-0.5, 1.5]},
    "negative smoothing": {"var_smoothing": -1.0},
    "smoothing of text": {"var_smoothing": "large"},
    "priors of text": {"priors": "equal"},
}


@pytest.mark.parametrize("name", BAD_FITS)
def test_bad_input(name):
    X, y, fit = BAD_FITS[name]
    expected = error_of(lambda: stock.GaussianNB().fit(X, y, **fit))
    assert expected is not None
    assert error_of(lambda: GaussianNB().fit(X, y, **fit)) == expected
    model = GaussianNB().fit(X_GOOD, Y)
    before = dict(vars(model))
    assert error_of(lambda: model.fit(X, y, **fit)) == expected
    assert error_of(lambda: model.partial_fit(X, y, **fit)) is not None
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is before[name] for name in before)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_bad_parameters(name, method):
    def call(kind):
        arguments = ([0, 1],) if method == "partial_fit" else ()
        getattr(kind.GaussianNB(**BAD_PARAMETERS[name]), method)(X_GOOD, Y, *arguments)

    expected = error_of(lambda: call(stock))
    assert expected is not None
    assert error_of(lambda: call(fastml.naive_bayes)) == expected


def test_bad_batches():
    def batches(kind, *calls):
        model = kind.GaussianNB()
        for X, y, classes in calls:
            model.partial_fit(X, y, classes=classes)

    for calls in (
        [(X_GOOD, Y, None)],
        [(X_GOOD, Y, [0, 1]), (X_GOOD, Y, [0, 1, 2])],
        [(X_GOOD, Y, [0, 1]), (X_GOOD, Y, np.array([0, 2]))],
        [(X_GOOD, Y, [0, 1]), (X_GOOD, Y + 1, None)],
        [(X_GOOD, Y, [0, 1]), (X_GOOD, Y.astype(str), None)],
        [(X_GOOD, Y, [0, 1]), (X_GOOD[:, :1], Y, None)],
        [(X_GOOD, Y, [0, 1]), (X_GOOD[:0], Y[:0], None)],
        [(X_GOOD, Y + 5, [0, 1])],
    ):
        expected = error_of(lambda calls=calls: batches(stock, *calls))
        assert expected is not None
        assert error_of(lambda calls=calls: batches(fastml.naive_bayes, *calls)) == expected


def test_bad_samples_to_predict():
    mine, theirs = fit_both(X_GOOD, Y)
    for X in (X_BAD, X_GOOD[:, :1], X_GOOD[0], sp.csr_array(X_GOOD), X_GOOD[:0]):
        for method in METHODS:
            expected = error_of(lambda method=method, X=X: getattr(theirs, method)(X))
            assert expected is not None
            assert error_of(lambda method=method, X=X: getattr(mine, method)(X)) == expected
    for method in METHODS:
        with pytest.raises(NotFittedError):
            getattr(GaussianNB(), method)(X_GOOD)


def test_unchecked_samples():
    import sklearn

    mine, theirs = fit_both(X_GOOD, Y)
    with sklearn.config_context(assume_finite=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(mine.predict(X_BAD), theirs.predict(X_BAD))
        np.testing.assert_allclose(mine.predict_proba(X_BAD), theirs.predict_proba(X_BAD))


def test_extreme_variances():
    """Variances of zero, and those whose inverse is infinite."""
    X = np.array([[0.0, 0.0], [1e-155, 0.0], [3e-155, 0.0], [1.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    y = np.array([0, 0, 0, 1, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mine, theirs = fit_both(X[:, :1], y, var_smoothing=0)
        assert 0 < mine.var_[0, 0] < 1e-308
        expected = theirs.predict_joint_log_proba(X[:, :1])
        np.testing.assert_allclose(mine.predict_joint_log_proba(X[:, :1]), expected, rtol=1e-9)
        mine, theirs = fit_both(X, y, var_smoothing=0)
        np.testing.assert_array_equal(mine.predict_joint_log_proba(X), theirs.predict_joint_log_proba(X))
        np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))


def test_classes_without_prior():
    mine, theirs = fit_both(X_GOOD, Y, priors=[0.0, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_allclose(mine.predict_proba(X_GOOD), theirs.predict_proba(X_GOOD))
        np.testing.assert_array_equal(mine.predict_log_proba(X_GOOD), theirs.predict_log_proba(X_GOOD))


def test_scores_of_a_derived_class():
    class Doubled(GaussianNB):
        def _joint_log_likelihood(self, X):
            return 2 * super()._joint_log_likelihood(X)

    X, y = load_iris(return_X_y=True)
    with fastml.config_context(fallback="silent"):
        doubled = Doubled().fit(X, y).predict_joint_log_proba(X)
    np.testing.assert_allclose(doubled, 2 * GaussianNB().fit(X, y).predict_joint_log_proba(X))


def test_tools():
    X, y = load_iris(return_X_y=True)
    model = GaussianNB(var_smoothing=1e-5).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert clone(model).var_smoothing == 1e-5
    assert type(fastml.to_sklearn(model)) is stock.GaussianNB
    np.testing.assert_allclose(fastml.to_sklearn(model).predict_proba(X), model.predict_proba(X))
    grid = {"gaussiannb__var_smoothing": [1e-9, 1e-3, 1.0]}
    mine, theirs = (
        GridSearchCV(make_pipeline(StandardScaler(), kind()), grid, cv=3).fit(X, y)
        for kind in (GaussianNB, stock.GaussianNB)
    )
    np.testing.assert_allclose(mine.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


@parametrize_with_checks([GaussianNB()])
def test_estimator_checks(estimator, check):
    check(estimator)


def test_negative_weights():
    X, y, weights = np.array([[0.0], [1.0], [5.0], [6.0]]), np.zeros(4, dtype=int), [1.0, -2.0, 3.0, -1.0]
    mine, theirs = fit_both(X, y, weights)
    np.testing.assert_allclose(mine.var_, theirs.var_)
    assert mine.var_[0, 0] < 0


def test_first_samples_that_mislead():
    X = np.random.default_rng(0).standard_normal((3000, 1))
    X[:4] += 1e6
    mine = GaussianNB(var_smoothing=0).fit(X, np.zeros(len(X), dtype=int))
    np.testing.assert_allclose(mine.var_[0], X.astype(np.longdouble).var(axis=0).astype(float), rtol=2e-15)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, bool, np.int32, np.float16])
def test_scores_of_small_types(dtype):
    X, y = load_iris(return_X_y=True)
    mine, theirs = fit_both(X.astype(np.float32), y)
    with fastml.config_context(fallback="silent"):
        assert mine.predict_proba(X.astype(dtype)).dtype == theirs.predict_proba(X.astype(dtype)).dtype


def test_derived_classes():
    """What scikit-learn calls of a derived class is called, or the call is not served."""

    class OtherSamples(GaussianNB):
        def _check_X(self, X):
            return -super()._check_X(X)

    class OtherLogarithms(GaussianNB):
        def predict_log_proba(self, X):
            return super().predict_log_proba(X) - 1

    class OtherMoments(GaussianNB):
        @staticmethod
        def _update_mean_variance(*arguments):
            X = arguments[3]
            return X.mean(axis=0), np.ones(X.shape[1])

    class Lists(GaussianNB):
        def predict(self, X):
            return super().predict(X).tolist()

    X, y = load_iris(return_X_y=True)
    plain = GaussianNB().fit(X, y)
    with pytest.raises(fastml.FallbackError):
        OtherMoments().fit(X, y)
    with fastml.config_context(fallback="silent"):
        np.testing.assert_array_equal(OtherSamples().fit(X, y).predict(X), plain.predict(-X))
        changed = OtherLogarithms().fit(X, y).predict_proba(X)
        np.testing.assert_allclose(changed, plain.predict_proba(X) / np.e)
        np.testing.assert_allclose(OtherMoments().fit(X, y).var_, 1, rtol=1e-6)
    assert Lists().fit(X, y).score(X, y) == plain.score(X, y)
    assert type(plain.score(X, y)) is float
    plain._joint_log_likelihood = lambda X: np.zeros((len(X), 3))
    with fastml.config_context(fallback="silent"):
        np.testing.assert_array_equal(plain.predict(X), 0)


def test_order_of_errors():
    for X, y, parameters, fit in [
        (X_BAD, Y, {"priors": [0.5, 0.6]}, {}),
        (X_BAD, Y, {}, {"sample_weight": [1, 2]}),
        (sp.csr_array(X_GOOD), Y + 0.5, {}, {}),
    ]:
        expected = error_of(lambda X=X, y=y, p=parameters, f=fit: stock.GaussianNB(**p).fit(X, y, **f))
        assert expected is not None
        assert error_of(lambda X=X, y=y, p=parameters, f=fit: GaussianNB(**p).fit(X, y, **f)) == expected
    long = sp.csr_array(X_GOOD)
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    expected = error_of(lambda: stock.GaussianNB().fit(long, Y))
    assert expected is not None
    assert error_of(lambda: GaussianNB().fit(long, Y)) == expected
    none = np.array([], dtype=int)
    expected = error_of(lambda: stock.GaussianNB().partial_fit(X_GOOD, Y, none))
    assert expected is not None
    assert error_of(lambda: GaussianNB().partial_fit(X_GOOD, Y, none)) == expected


def test_arguments_of_the_kernels():
    from fastml import _core

    X, one = np.ones((4, 2)), np.ones((1, 2))
    for count in (0, -5, 1_000_000):
        labels, finite = _core.gaussian_scores(X, one, one, np.zeros(1), "label", False, count)
        assert labels.tolist() == [0] * 4
        assert finite
        weights, *_ = _core.gaussian_moments(X, np.zeros(4, np.int64), None, np.zeros(1), 0 * one, 0 * one, 0.0, count)
        assert weights == [4]
    with pytest.raises(ValueError, match="row or more"):
        _core.category_scores(np.array([[1, 1]]), np.array([0, 2, 4]), np.ones((0, 4)), np.ones(0), "label", 1)
