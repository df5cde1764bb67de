"""AdaBoost and bagging: scikit-learn's, on our trees, which share one encoding of the samples."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.ensemble
from numpy.testing import assert_allclose, assert_array_equal
from same_outcome import assert_same_outcome, assert_same_tree, exact_problem
from sklearn.linear_model import LogisticRegression

import fastml
from fastml import _core
from fastml.ensemble import AdaBoostClassifier, AdaBoostRegressor, BaggingClassifier, BaggingRegressor
from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, _shared_features

X, y = exact_problem()
WEIGHTS = np.arange(len(y)) % 3 + 1.0
META = (AdaBoostClassifier, AdaBoostRegressor, BaggingClassifier, BaggingRegressor)
CLASSIFIERS = (AdaBoostClassifier, BaggingClassifier)


def stock(cls):
    return getattr(sklearn.ensemble, cls.__name__)


def default_tree(cls):
    return DecisionTreeClassifier if cls in CLASSIFIERS else DecisionTreeRegressor


@pytest.mark.parametrize("cls", META)
def test_same_ensemble(cls):
    ours, other = assert_same_outcome(
        cls, stock(cls), lambda cls: cls(n_estimators=8, random_state=0).fit(X, y, sample_weight=WEIGHTS)
    )
    ours, other = ours.value, other.value
    assert {type(tree) for tree in ours.estimators_} == {default_tree(cls)}
    assert type(ours.estimator_) is default_tree(cls)
    for tree, twin in zip(ours.estimators_, other.estimators_, strict=True):
        assert tree.get_params() == twin.get_params()
        assert_array_equal(tree.tree_.feature, twin.tree_.feature)
        assert_allclose(tree.tree_.value, twin.tree_.value, rtol=1e-9, atol=1e-12)
    assert_array_equal(ours.predict(X), other.predict(X))
    if cls in CLASSIFIERS:
        assert_allclose(ours.predict_proba(X), other.predict_proba(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "parameters",
    [
        {"oob_score": True, "n_estimators": 30},
        {"max_samples": 0.5, "bootstrap": False},
        {"max_features": 0.5},
        {"bootstrap_features": True},
        {"n_jobs": 2},
        {"warm_start": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("cls", [BaggingClassifier, BaggingRegressor])
def test_ways_of_bagging(cls, parameters):
    ours, other = (which(random_state=0, **parameters).fit(X, y) for which in (cls, stock(cls)))
    for tree, twin in zip(ours.estimators_, other.estimators_, strict=True):
        assert_same_tree(tree.tree_, twin.tree_)
    for drawn, expected in zip(ours.estimators_samples_, other.estimators_samples_):
        assert_array_equal(drawn, expected)
    assert_array_equal(ours.predict(X), other.predict(X))
    assert getattr(ours, "oob_score_", None) == getattr(other, "oob_score_", None)


@pytest.mark.parametrize(
    "estimator",
    [DecisionTreeClassifier(max_depth=3), ExtraTreeClassifier(max_depth=2, min_samples_leaf=20), LogisticRegression()],
    ids=repr,
)
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_other_estimators(cls, estimator):
    ours, other = (
        which(which_estimator, n_estimators=5, random_state=0).fit(X, y)
        for which, which_estimator in ((cls, estimator), (stock(cls), fastml.to_sklearn(estimator)))
    )
    assert type(ours.estimators_[0]) is type(estimator)
    assert_array_equal(ours.predict(X), other.predict(X))


@pytest.mark.parametrize("given", ["float64", "float32", "missing", "frame", "csr", "fortran"])
@pytest.mark.parametrize("cls", META)
def test_samples(cls, given):
    samples = {
        "float64": X,
        "float32": X.astype(np.float32),
        "missing": np.where(X > 1.5, np.nan, X),
        "frame": pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]),
        "csr": sp.csr_matrix(np.where(np.abs(X) < 1, 0, X)),
        "fortran": np.asfortranarray(X),
    }[given]
    ours, other = assert_same_outcome(
        cls, stock(cls), lambda cls: cls(n_estimators=6, random_state=0).fit(samples, y).predict(samples)
    )
    if other.error is None:
        assert_array_equal(ours.value, other.value)


def count_encodings(monkeypatch):
    made = []
    make = _core.TreeFeatures

    def encode(*args):
        made.append(args)
        return make(*args)

    monkeypatch.setattr(_shared_features._core, "TreeFeatures", encode)
    return made


@pytest.mark.parametrize("cls", [AdaBoostClassifier, BaggingClassifier, BaggingRegressor])
def test_samples_are_encoded_once(cls, monkeypatch):
    made = count_encodings(monkeypatch)
    cls(n_estimators=7, random_state=0).fit(X, y)
    assert len(made) == 1


def test_an_encoding_is_not_taken_for_another_s(monkeypatch):
    made = count_encodings(monkeypatch)
    with _shared_features.sharing():
        trees = [DecisionTreeClassifier(random_state=0).fit(samples, y) for samples in (X, X, X[::-1], X, X.copy())]
        extra = [ExtraTreeClassifier(random_state=0).fit(X, y) for _ in range(2)]
        assert len(made) == 5
    assert _shared_features.find(X, "best") is None
    expected = sklearn.tree.DecisionTreeClassifier(random_state=0)
    for tree, samples in zip(trees, (X, X, X[::-1], X, X.copy())):
        assert_same_tree(tree.tree_, expected.fit(samples, y).tree_)
    for tree in extra:
        assert_same_tree(tree.tree_, sklearn.tree.ExtraTreeClassifier(random_state=0).fit(X, y).tree_)
    # Outside of the block, samples that changed meanwhile are seen.
    changed = X.copy()
    DecisionTreeClassifier().fit(changed, y)
    changed[:] = -X
    assert_same_tree(DecisionTreeClassifier(random_state=0).fit(changed, y).tree_, expected.fit(changed, y).tree_)


def test_checks_are_not_forgotten_with_shared_samples():
    with _shared_features.sharing():
        DecisionTreeClassifier().fit(X, y)
        with pytest.raises(ValueError, match="does not match number of samples"):
            DecisionTreeClassifier().fit(X, y[:-1])
        with pytest.raises(ValueError, match="contains NaN"):
            DecisionTreeRegressor().fit(X, np.where(y == 1, np.nan, y))
        model = DecisionTreeRegressor(max_depth=1).fit(X, y)
        assert model.n_features_in_ == X.shape[1]


@pytest.mark.parametrize("cls", META)
def test_in_scikit_learn_s_tools(cls):
    ours = cls(n_estimators=5, random_state=0).fit(X, y)
    other = fastml.to_sklearn(ours)
    assert type(other) is stock(cls)
    assert b"fastml" not in pickle.dumps(other)
    assert_array_equal(other.predict(X), ours.predict(X))
    assert_array_equal(pickle.loads(pickle.dumps(ours)).predict(X), ours.predict(X))
    if "Ada" in cls.__name__:
        assert_array_equal(ours.feature_importances_, other.feature_importances_)
