"""Predictions of forests are scikit-learn's with n_jobs=1, bit for bit, for any number of threads."""

import copy
import pickle

import numpy as np
import pytest
import sklearn.ensemble
from predicting_like_sklearn import (
    assert_predicts_alike,
    assert_same_bits,
    assert_same_outcome,
    fitted,
    same_trees,
    samples,
    sparse_rows,
    targets,
    ways_to_give,
)
from sklearn.base import clone

import fastml
import fastml.ensemble

# (class, kind of targets, outputs)
CASES = [
    ("RandomForestClassifier", "classes", 1),
    ("RandomForestClassifier", "classes", 3),
    ("RandomForestRegressor", "numbers", 1),
    ("RandomForestRegressor", "numbers", 2),
    ("ExtraTreesClassifier", "classes", 1),
    ("ExtraTreesRegressor", "numbers", 1),
]


def pair(name="RandomForestClassifier", kind="classes", n_outputs=1, missing=False, **parameters):
    """Return a forest of ours and the one of scikit-learn's whose trees it has."""
    parameters = {"n_estimators": 7, "random_state": 0} | parameters
    stock = fitted(getattr(sklearn.ensemble, name)(**parameters), kind, n_outputs, missing)
    return same_trees(getattr(fastml.ensemble, name), stock), stock


@pytest.mark.parametrize("n_samples", [1, 2, 70, 5000])
@pytest.mark.parametrize(("name", "kind", "n_outputs"), CASES)
def test_every_kind_of_forest(name, kind, n_outputs, n_samples):
    ours, stock = pair(name, kind, n_outputs)
    assert_predicts_alike(ours, stock, samples(n_samples, seed=3))


@pytest.mark.parametrize("n_samples", [1, 400])
def test_every_way_to_give_X(n_samples):
    ours, stock = pair()
    for where, X in ways_to_give(samples(n_samples, seed=3)):
        assert_predicts_alike(ours, stock, X, where)
    assert_predicts_alike(ours, stock, sparse_rows(samples(n_samples, seed=3)), "CSR")
    assert_predicts_alike(ours, stock, sparse_rows(samples(n_samples, seed=3)).tocsc(), "CSC")


@pytest.mark.parametrize("n_samples", [1, 400])
def test_read_only_memory_map(tmp_path, n_samples):
    np.save(tmp_path / "X.npy", samples(n_samples, seed=3))
    assert_predicts_alike(*pair(), np.load(tmp_path / "X.npy", mmap_mode="r"))


@pytest.mark.parametrize("frames", ["pandas", "polars"])
def test_frames(frames):
    library = pytest.importorskip(frames)
    X = library.DataFrame({f"x{j}": column for j, column in enumerate(samples(400).T.astype(np.float64))})
    stock = sklearn.ensemble.RandomForestRegressor(5, random_state=0).fit(X, targets(samples(400), "numbers"))
    ours = same_trees(fastml.ensemble.RandomForestRegressor, stock)
    assert_predicts_alike(ours, stock, X)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        ours.predict(samples(5))


@pytest.mark.parametrize("n_samples", [1, 70, 3000])
@pytest.mark.parametrize("trained_on_missing", [False, True])
def test_missing_values(n_samples, trained_on_missing):
    for name, kind in (("RandomForestClassifier", "classes"), ("ExtraTreesRegressor", "numbers")):
        ours, stock = pair(name, kind, missing=trained_on_missing)
        X = samples(n_samples, seed=3, missing=True)
        X[0, :2] = np.nan
        assert_predicts_alike(ours, stock, X)


@pytest.mark.parametrize("n_samples", [1, 2000])
def test_forest_of_stumps_and_single_leaves(n_samples):
    X = samples(60)
    y = np.zeros(60)
    y[0] = 1e3
    stock = sklearn.ensemble.RandomForestRegressor(20, max_depth=1, random_state=0).fit(X, y)
    sizes = {tree.tree_.node_count for tree in stock.estimators_}
    assert sizes == {1, 3}
    assert_predicts_alike(same_trees(fastml.ensemble.RandomForestRegressor, stock), stock, samples(n_samples))


@pytest.mark.parametrize("n_samples", [1, 3000])
def test_many_classes_and_many_trees(n_samples):
    X = samples(600)
    y = np.arange(600) % 11
    stock = sklearn.ensemble.RandomForestClassifier(150, random_state=0).fit(X, y)
    assert_predicts_alike(same_trees(fastml.ensemble.RandomForestClassifier, stock), stock, samples(n_samples, seed=4))


@pytest.mark.parametrize(("name", "kind", "n_outputs"), CASES)
def test_threads_do_not_change_a_bit(name, kind, n_outputs):
    ours, _ = pair(name, kind, n_outputs)
    X = samples(20_000, seed=3)
    answers = []
    for n_threads in (1, 2, 5):
        with fastml.config_context(n_threads=n_threads):
            answers.append((ours.predict(X).tobytes(), ours.set_params(n_jobs=n_threads).apply(X).tobytes()))
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("n_samples", [1, 3000])
def test_changes_in_place_are_seen(n_samples):
    X = samples(n_samples, seed=3)
    ours, stock = pair(max_depth=6)
    ours.predict(X)
    stock.estimators_[3].tree_.value[:, :, 0] += 0.5
    stock.estimators_[0].tree_.children_left[0] = -1
    assert_predicts_alike(ours, stock, X)


def test_replaced_removed_and_added_trees_are_seen():
    X = samples(50, seed=3)
    ours, stock = pair()
    _, other = pair(random_state=1)
    ours.predict(X)
    for change in (
        lambda trees: trees.__setitem__(2, other.estimators_[2]),
        lambda trees: trees.pop(),
        lambda trees: trees.extend(other.estimators_),
        lambda trees: setattr(trees[0], "tree_", other.estimators_[1].tree_),
    ):
        change(stock.estimators_)
        assert ours.estimators_ is stock.estimators_
        assert_predicts_alike(ours, stock, X)


def test_predicting_leaves_nothing_in_the_estimator():
    ours, _ = pair()
    before, pickled = dict(vars(ours)), pickle.dumps(ours)
    ours.predict(samples(10))
    assert vars(ours) == before
    assert pickle.dumps(ours) == pickled
    for twin in (copy.copy(ours), copy.deepcopy(ours), pickle.loads(pickled)):
        assert_same_bits(twin.predict_proba(samples(10)), ours.predict_proba(samples(10)))
    assert not hasattr(clone(ours), "estimators_")


@pytest.mark.parametrize("n_samples", [1, 2000])
@pytest.mark.parametrize(("name", "kind", "n_outputs"), CASES)
def test_trees_that_nobody_has_asked_for(name, kind, n_outputs, n_samples):
    ours = fitted(getattr(fastml.ensemble, name)(7, random_state=0), kind, n_outputs)
    twin = copy.deepcopy(ours)
    assert len(twin.estimators_) == 7
    assert ours._grown_trees() is not None
    missing = samples(n_samples, seed=3, missing=True)
    for X in (samples(n_samples), sparse_rows(samples(n_samples)), missing, missing.astype(np.float64)):
        assert_predicts_alike(ours, twin, X)
        assert_predicts_alike(ours, fastml.to_sklearn(twin), X)
    assert ours._grown_trees() is not None, "predicting has made the estimators"


def test_a_new_fit_is_seen():
    X, more = samples(300), samples(300, seed=9)
    ours = fastml.ensemble.RandomForestRegressor(5, random_state=0, warm_start=True)
    for n_estimators, x in ((5, X), (9, X), (9, more)):
        ours.set_params(n_estimators=n_estimators, warm_start=x is X).fit(x, targets(x, "numbers"))
        assert_predicts_alike(ours, fastml.to_sklearn(copy.deepcopy(ours)), X)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "apply"])
def test_errors_are_scikit_learns(method, lazy):
    ours, stock = pair()
    if lazy:
        ours = fitted(fastml.ensemble.RandomForestClassifier(7, random_state=0), "classes")
    with_nan = samples(3)
    with_nan[1, 1] = np.nan
    sparse = sparse_rows(samples(3))
    sparse.indices, sparse.indptr = sparse.indices.astype(np.int64), sparse.indptr.astype(np.int64)
    wrong = [
        samples(3, n_features=4),
        samples(3)[0],
        np.zeros((0, 6)),
        np.full((2, 6), np.inf),
        np.full((2, 6), 1e39),
        sparse_rows(with_nan),
        sparse,
        [["a"] * 6],
        None,
    ]
    for X in wrong:
        assert assert_same_outcome(ours, stock, method, X) is not None
    assert assert_same_outcome(type(ours)(), type(stock)(), method, samples(3)) is not None


def test_leaves_of_an_embedding():
    X = samples(300)
    ours = fastml.ensemble.RandomTreesEmbedding(8, random_state=0).fit(X)
    stock = sklearn.ensemble.RandomTreesEmbedding(8, random_state=0).fit(X)
    for x in (X, X[:1], sparse_rows(X)):
        assert_same_bits(same_trees(type(ours), stock).apply(x), stock.apply(x))
        assert_same_bits(ours.apply(x), stock.apply(x))
