"""The naive Bayes classifiers of counts and categories: errors, fits that fail, threads, derived classes, tools."""

import pickle
import signal
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
import sklearn.naive_bayes as stock
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastml
import fastml.naive_bayes as ours
from fastml.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, MultinomialNB

COUNTS = ("MultinomialNB", "ComplementNB", "BernoulliNB")
DISCRETE = (*COUNTS, "CategoricalNB")
METHODS = ("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba")

X = np.array([[1, 0, 2], [0, 3, 1], [2, 2, 0], [0, 1, 1]])
Y = np.array([0, 1, 0, 1])


def error_of(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except Exception as error:
            return type(error), str(error)
    return None


def with_value(value, kind=np.array):
    changed = X.astype(float)
    changed[2, 1] = value
    return kind(changed)


BAD_FITS = {
    "negative": (with_value(-1.0), Y, {}),
    "negative integers": (-X, Y, {}),
    "negative and stored": (with_value(-1.0, sp.csr_array), Y, {}),
    "NaN": (with_value(np.nan), Y, {}),
    "infinite": (with_value(np.inf), Y, {}),
    "infinite of float32": (with_value(np.inf).astype(np.float32), Y, {}),
    "NaN and stored": (with_value(np.nan, sp.csr_array), Y, {}),
    "NaN in columns": (np.asfortranarray(with_value(np.nan)), Y, {}),
    "NaN and labels that are no classes": (with_value(np.nan), Y + 0.5, {}),
    "NaN and weights of another length": (with_value(np.nan), Y, {"sample_weight": [1.0]}),
    "NaN and negative": (np.where(X == 3, -1.0, with_value(np.nan)), Y, {}),
    "negative and weights of another length": (-X, Y, {"sample_weight": [1.0]}),
    "no samples": (X[:0], Y[:0], {}),
    "no features": (X[:, :0], Y, {}),
    "one dimension": (X[0], Y, {}),
    "three dimensions": (X[None], Y[:1], {}),
    "lengths": (X, Y[:3], {}),
    "no labels": (X, None, {}),
    "labels of two columns": (X, np.stack([Y, Y], axis=1), {}),
    "labels that are no classes": (X, Y + 0.5, {}),
    "NaN among labels": (X, np.array([0, 1, np.nan, 1]), {}),
    "labels of several types": (X, np.array([0, "one", 0, "one"], dtype=object), {}),
    "lengths of weights": (X, Y, {"sample_weight": [1.0, 2.0]}),
    "weights that are NaN": (X, Y, {"sample_weight": [1.0, 2.0, np.nan, 1.0]}),
    "complex": (X * 1j, Y, {}),
    "text": (np.array([["a", "b"]] * 4), Y, {}),
}


@pytest.mark.parametrize("kind", BAD_FITS)
@pytest.mark.parametrize("name", DISCRETE)
def test_bad_input(name, kind):
    """Errors are scikit-learn's, and a model is left as it was."""
    samples, labels, more = BAD_FITS[kind]
    expected = error_of(lambda: getattr(stock, name)().fit(samples, labels, **more))
    assert error_of(lambda: getattr(ours, name)().fit(samples, labels, **more)) == expected
    model, other = (getattr(module, name)().fit(X, Y) for module in (ours, stock))
    before, arrays = dict(vars(model)), pickle.dumps(vars(model))
    expected_later = error_of(lambda: other.partial_fit(samples, labels, **more))
    for method, error in (("fit", expected), ("partial_fit", expected_later)):
        if error is None:
            continue
        assert error_of(lambda method=method: getattr(model, method)(samples, labels, **more)) == error
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[attribute] is before[attribute] for attribute in before)
        assert pickle.dumps(vars(model)) == arrays


@pytest.mark.parametrize("name", COUNTS)
def test_negative_counts(name):
    """Only BernoulliNB takes them."""
    for samples in (-X, -X.astype(np.float32), sp.csr_array(-X), -X.astype(np.int8)):
        error = error_of(lambda samples=samples: getattr(ours, name)().fit(samples, Y))
        if name == "BernoulliNB":
            assert error is None
        else:
            assert error == (ValueError, f"Negative values in data passed to {name} (input X).")
    assert error_of(lambda: getattr(ours, name)().fit(-0.0 * X, Y)) is None


@pytest.mark.parametrize("name", DISCRETE)
def test_bad_batches(name):
    def batches(module, *calls):
        model = getattr(module, name)()
        for samples, labels, classes in calls:
            model.partial_fit(samples, labels, classes=classes)

    for calls in (
        [(X, Y, None)],
        [(X, Y, [0, 1]), (X, Y, [0, 1, 2])],
        [(X, Y, [0, 1]), (X, Y, np.array([0, 2]))],
        [(X, Y, [0, 1]), (X[:, :1], Y, None)],
        [(X, Y, [0, 1]), (X[:0], Y[:0], None)],
        [(X, Y, [0, 1]), (X, Y + 0.5, None)],
        [(X, Y, [0.5, 1, 1.5])],
        [(X, Y, [0, "one"])],
    ):
        expected = error_of(lambda calls=calls: batches(stock, *calls))
        assert expected is not None
        assert error_of(lambda calls=calls: batches(ours, *calls)) == expected


@pytest.mark.parametrize("name", DISCRETE)
def test_bad_samples_to_predict(name):
    mine, theirs = (getattr(module, name)().fit(X, Y) for module in (ours, stock))
    bad = [X[:, :1], X[0], X[:0], with_value(np.nan), with_value(np.inf), with_value(np.nan, sp.csr_array), X * 1j]
    for samples in (*bad, sp.csr_array(X)[:, :2], pd.DataFrame(X, columns=list("abc")), [["a", "b", "c"]]):
        for method in METHODS:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                expected = error_of(partial(getattr(theirs, method), samples))
                assert error_of(partial(getattr(mine, method), samples)) == expected
                assert len({str(warning.message) for warning in caught}) <= 1
    for method in METHODS:
        with pytest.raises(NotFittedError):
            getattr(getattr(ours, name)(), method)(X)


def test_unknown_categories():
    mine, theirs = (module.CategoricalNB().fit(X, Y) for module in (ours, stock))
    for column, value in ((0, 3), (1, 4), (2, 10**12), (1, -1)):
        samples = X.copy()
        samples[2, column] = value
        samples[3, 2] = 7
        for method in METHODS:
            expected = error_of(partial(getattr(theirs, method), samples))
            assert expected[0] is (ValueError if value < 0 else IndexError)
            assert error_of(partial(getattr(mine, method), samples)) == expected
    assert "out of bounds" in expected[1] or value < 0


@pytest.mark.parametrize("name", DISCRETE)
def test_names_of_features(name):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = getattr(ours, name)().fit(frame, Y)
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"a": "z"}))
    assert not hasattr(model.fit(X, Y), "feature_names_in_")
    if name != "CategoricalNB":
        assert not hasattr(model.fit(frame, Y).fit(sp.csr_array(X), Y), "feature_names_in_")


@pytest.mark.parametrize("name", COUNTS)
def test_unchecked_samples(name):
    mine, theirs = (getattr(module, name)().fit(X, Y) for module in (ours, stock))
    samples = with_value(np.inf)
    with sklearn.config_context(assume_finite=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(mine.predict_joint_log_proba(samples), theirs.predict_joint_log_proba(samples))
        assert np.isinf(MultinomialNB().fit(samples, Y).feature_count_).sum() == 1


@pytest.mark.parametrize("name", DISCRETE)
def test_read_only_memmap(tmp_path, name):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    model, expected = getattr(ours, name)().fit(mapped, Y), getattr(ours, name)().fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(mapped), expected.predict_proba(X))


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("name", COUNTS)
def test_csr_as_it_comes(name, index):
    """Repeated and unsorted indices, room behind the last row, and indices of 64 bits."""
    samples = sp.csr_array(([2.0, 0.5, 1.0, 0.0, 1.0, 3.0], [2, 2, 0, 1, 1, 0], [0, 2, 4, 5, 6]), shape=(4, 3))
    samples.data, samples.indices = np.append(samples.data, 99.0), np.append(samples.indices, 0).astype(index)
    samples.indptr = samples.indptr.astype(index)
    mine, theirs = (getattr(module, name)().fit(samples, Y) for module in (ours, stock))
    assert samples.indices.dtype == index
    np.testing.assert_array_equal(mine.feature_count_, theirs.feature_count_)
    np.testing.assert_array_equal(mine.predict_joint_log_proba(samples), theirs.predict_joint_log_proba(samples))


@pytest.mark.parametrize("name", COUNTS)
def test_scores_of_sparse_samples_to_the_bit(name):
    """Their terms are added in SciPy's order."""
    rng = np.random.default_rng(0)
    samples = sp.random_array((500, 300), density=0.1, format="csr", rng=rng)
    labels = rng.integers(0, 7, 500)
    mine, theirs = (getattr(module, name)().fit(samples, labels) for module in (ours, stock))
    theirs.feature_log_prob_ = mine.feature_log_prob_
    for rows in (slice(None), slice(3, 4)):
        np.testing.assert_array_equal(
            mine.predict_joint_log_proba(samples[rows]), theirs.predict_joint_log_proba(samples[rows])
        )


@pytest.mark.parametrize("name", DISCRETE)
def test_threads(name):
    rng = np.random.default_rng(0)
    samples, labels = rng.poisson(1.0, (40_000, 30)), rng.integers(5, size=40_000)
    weights = rng.random(len(labels))
    kinds = [samples] if name == "CategoricalNB" else [samples.astype(float), sp.csr_array(samples)]
    for data in kinds:
        fit = partial(getattr(ours, name)().fit, data, labels, sample_weight=weights)
        with fastml.config_context(n_threads=1):
            one = pickle.loads(pickle.dumps(fit()))
            expected = one.predict_proba(data)
        with fastml.config_context(n_threads=2):
            two = pickle.loads(pickle.dumps(fit()))
            assert pickle.dumps(vars(fit())) == pickle.dumps(vars(two))
            np.testing.assert_array_equal(one.predict_proba(data), expected)
        for a, b in zip(one.feature_log_prob_, two.feature_log_prob_, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_batches_are_one_fit():
    samples, labels = load_digits(return_X_y=True)
    for name in DISCRETE:
        data = samples.astype(int) if name == "CategoricalNB" else samples
        together, batches = getattr(ours, name)().fit(data, labels), getattr(ours, name)()
        for rows in np.array_split(np.arange(len(labels)), 11):
            batches.partial_fit(data[rows], labels[rows], classes=np.unique(labels))
        for a, b in zip(together.feature_log_prob_, batches.feature_log_prob_, strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(together.class_log_prior_, batches.class_log_prior_)


def test_arrays_are_not_changed_in_place():
    """What a caller has got hold of stays as it was."""
    model = MultinomialNB().fit(X, Y)
    counts, classes = model.feature_count_, model.class_count_
    before = counts.copy(), classes.copy()
    model.partial_fit(X, Y)
    np.testing.assert_array_equal(counts, before[0])
    np.testing.assert_array_equal(classes, before[1])
    np.testing.assert_array_equal(model.feature_count_, 2 * counts)


@pytest.mark.parametrize("name", DISCRETE)
def test_interrupt(name, monkeypatch):
    """Ctrl-C after the counts leaves the model as it was."""
    model = getattr(ours, name)().fit(X, Y)
    state = dict(vars(model))
    monkeypatch.setattr(type(model), "_check_alpha", lambda self: signal.raise_signal(signal.SIGINT), raising=True)
    for method in ("fit", "partial_fit"):
        with pytest.raises(KeyboardInterrupt):
            getattr(model, method)(X, Y)
        assert vars(model).keys() == state.keys()
        assert all(vars(model)[attribute] is state[attribute] for attribute in state)


def test_derived_classes():
    class OwnCounts(MultinomialNB):
        def _count(self, X, Y):
            super()._count(2 * X, Y)

    class OwnProbabilities(MultinomialNB):
        def _update_feature_log_prob(self, alpha):
            super()._update_feature_log_prob(alpha + 1)

    class OwnScores(BernoulliNB):
        def _joint_log_likelihood(self, X):
            return 2 * super()._joint_log_likelihood(X)

    with fastml.config_context(fallback="silent"):
        doubled = OwnCounts().fit(X, Y)
        scores = OwnScores().fit(X, Y).predict_joint_log_proba(X)
    np.testing.assert_array_equal(doubled.feature_count_, 2 * MultinomialNB().fit(X, Y).feature_count_)
    np.testing.assert_allclose(scores, 2 * BernoulliNB().fit(X, Y).predict_joint_log_proba(X))
    smoothed = OwnProbabilities().fit(X, Y)
    np.testing.assert_array_equal(smoothed.feature_log_prob_, MultinomialNB(alpha=2).fit(X, Y).feature_log_prob_)


def test_texts():
    texts = ["spam offer now", "free offer now", "lunch at noon", "meeting at noon", "free spam", "lunch meeting"]
    labels = ["spam", "spam", "ham", "ham", "spam", "ham"]
    for name in COUNTS:
        mine, theirs = (
            make_pipeline(CountVectorizer(), getattr(module, name)()).fit(texts, labels) for module in (ours, stock)
        )
        np.testing.assert_array_equal(mine.predict(["free lunch", "offer"]), theirs.predict(["free lunch", "offer"]))
        assert mine.classes_.dtype == theirs.classes_.dtype
        assert mine.score(texts, labels) == theirs.score(texts, labels)


@pytest.mark.parametrize("name", DISCRETE)
def test_tools(name):
    model = getattr(ours, name)(alpha=0.5).fit(X, Y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X))
    assert clone(model).alpha == 0.5
    assert type(fastml.to_sklearn(model)) is getattr(stock, name)
    np.testing.assert_allclose(fastml.to_sklearn(model).predict_proba(X), model.predict_proba(X))
    samples, labels = load_digits(return_X_y=True)
    samples = samples.astype(int)
    grid = {"alpha": [0.1, 1.0, 10.0], "fit_prior": [True, False]}
    minimum = {"min_categories": 17} if name == "CategoricalNB" else {}
    mine, theirs = (
        GridSearchCV(getattr(module, name)(**minimum), grid, cv=3).fit(samples, labels) for module in (ours, stock)
    )
    np.testing.assert_allclose(mine.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


@parametrize_with_checks([MultinomialNB(), ComplementNB(), ComplementNB(norm=True), BernoulliNB(), CategoricalNB()])
def test_estimator_checks(estimator, check):
    check(estimator)


def test_derived_classes_that_check_samples():
    from fastml.naive_bayes import BernoulliNB

    class Absent(BernoulliNB):
        def _check_X(self, X):
            return 1 - super()._check_X(X)

    X = (np.random.default_rng(0).random((40, 5)) > 0.5).astype(float)
    y = np.arange(40) % 2
    with fastml.config_context(fallback="silent"):
        probabilities = Absent().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(probabilities, BernoulliNB().fit(X, y).predict_proba(1 - X))


def test_thresholds_below_zero_of_sparse_samples():
    from fastml.naive_bayes import BernoulliNB

    X = sp.csr_array(np.eye(4))
    model = BernoulliNB().fit(X, [0, 1, 0, 1]).set_params(binarize=-1.0)
    with pytest.raises(ValueError, match="Cannot binarize a sparse matrix with threshold < 0"):
        model.predict_proba(X)
