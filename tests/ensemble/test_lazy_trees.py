"""estimators_ of a forest: made when first asked for, and from then on the forest."""

import copy
import gc
import io
import pickle
import subprocess
import sys
import threading

import joblib
import numpy as np
import pytest
import sklearn.ensemble
import sklearn.tree
from numpy.testing import assert_array_equal
from same_outcome import assert_same_tree, exact_problem
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import fastml
import fastml.tree
from fastml.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)

FORESTS = (
    RandomForestClassifier,
    RandomForestRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomTreesEmbedding,
)
X, y = exact_problem()


def fitted(cls=RandomForestClassifier, **parameters):
    return cls(**{"n_estimators": 6, "random_state": 0, **parameters}).fit(X, y)


def is_lazy(model):
    return "_estimators" not in vars(model)


def test_nothing_is_made_for_nothing():
    model = fitted(oob_score=True)
    model.predict(X)
    model.predict_proba(X)
    model.apply(X)
    model.feature_importances_  # noqa: B018
    model.score(X, y)
    pickle.dumps(model)
    clone(model)
    copy.copy(model)
    fastml.to_sklearn(model)
    repr(model)
    assert is_lazy(model)
    assert len(model.estimators_) == 6
    assert not is_lazy(model)


@pytest.mark.parametrize("cls", FORESTS)
def test_unfitted(cls):
    model = cls()
    assert not hasattr(model, "estimators_")
    with pytest.raises(AttributeError, match="has no attribute 'estimators_'"):
        model.estimators_  # noqa: B018
    with pytest.raises(NotFittedError):
        model.feature_importances_  # noqa: B018
    with pytest.raises(AttributeError):
        len(model)


@pytest.mark.parametrize("cls", FORESTS)
def test_it_is_a_sequence_of_real_trees(cls):
    model = fitted(cls)
    assert len(model) == 6
    assert model[2] is model.estimators_[2]
    assert list(model) == model.estimators_
    for tree in model:
        assert type(tree).__module__ == "fastml.tree._classes"
        assert isinstance(tree.tree_, sklearn.tree._tree.Tree)
        sklearn.tree.export_text(tree)
        assert type(clone(tree)) is type(tree)
    path, places = model.decision_path(X)
    stock_path, stock_places = fastml.to_sklearn(model).decision_path(X)
    assert (path != stock_path).nnz == 0
    assert_array_equal(places, stock_places)


def test_changes_are_seen():
    model = fitted()
    mean = lambda trees: np.mean([tree.predict_proba(X) for tree in trees], axis=0)  # noqa: E731
    before = model.predict_proba(X)
    trees = model.estimators_
    assert_array_equal(model.predict_proba(X), before)
    trees.pop()
    np.testing.assert_allclose(model.predict_proba(X), mean(trees))
    other = fitted(random_state=9)
    model.estimators_ += other.estimators_
    assert len(model.estimators_) == 11
    np.testing.assert_allclose(model.predict_proba(X), mean(model.estimators_))
    model.estimators_ = other.estimators_[:2]
    np.testing.assert_allclose(model.predict_proba(X), mean(other.estimators_[:2]))
    model.estimators_[0].tree_.value[...] = 0.5
    np.testing.assert_allclose(model.predict_proba(X), mean(model.estimators_))
    del model.estimators_
    assert not hasattr(model, "estimators_")


def test_parameters_changed_after_the_fit_are_not_those_of_its_trees():
    model = fitted(max_depth=3)
    model.set_params(max_depth=None)
    assert {tree.max_depth for tree in model.estimators_} == {3}


def test_many_threads_get_the_same_list():
    for _ in range(20):
        model = fitted(n_estimators=20, max_depth=2)
        ready, seen = threading.Barrier(8), []

        def look(model=model, ready=ready, seen=seen):
            ready.wait()
            seen.append(model.estimators_)
            model.predict(X[:3])

        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 8
        assert all(trees is seen[0] for trees in seen)


def through_joblib(model):
    stream = io.BytesIO()
    joblib.dump(model, stream)
    stream.seek(0)
    return joblib.load(stream)


@pytest.mark.parametrize("looked_at", [False, True])
@pytest.mark.parametrize(
    "passage", [lambda model: pickle.loads(pickle.dumps(model)), through_joblib, copy.deepcopy, copy.copy]
)
@pytest.mark.parametrize("cls", FORESTS)
def test_copies(cls, passage, looked_at):
    model = fitted(cls)
    if looked_at:
        model.estimators_  # noqa: B018
    twin = passage(model)
    assert type(twin) is cls
    assert is_lazy(twin) == (not looked_at)
    assert_array_equal(twin.apply(X), model.apply(X))
    for tree, other in zip(twin.estimators_, model.estimators_, strict=True):
        assert_same_tree(tree.tree_, other.tree_)
        assert tree.get_params() == other.get_params()
    twin.fit(X, y)


@pytest.mark.parametrize("cls", FORESTS[:4])
def test_pickles_are_small(cls):
    X, y = exact_problem(2000, 10)
    ours, stock = (
        which(n_estimators=20, random_state=0).fit(X, y) for which in (cls, getattr(sklearn.ensemble, cls.__name__))
    )
    sizes = [len(pickle.dumps(model)) for model in (ours, stock)]
    print(f"{cls.__name__}: {sizes[0]} bytes, scikit-learn's {sizes[1]}: {sizes[0] / sizes[1]:.2f}")
    assert sizes[0] < 0.3 * sizes[1]
    ours.estimators_  # noqa: B018
    assert len(pickle.dumps(ours)) < 0.3 * sizes[1]


def test_a_pickle_loads_in_another_process(tmp_path):
    model = fitted()
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    np.save(tmp_path / "X.npy", X)
    script = (
        "import numpy as np, pickle\n"
        "model = pickle.load(open('model.pickle', 'rb'))\n"
        "print(model.predict(np.load('X.npy')).tolist())"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(model.predict(X).tolist())


@pytest.mark.parametrize("cls", FORESTS)
def test_to_sklearn(cls):
    model = fitted(cls)
    stock = fastml.to_sklearn(model)
    assert type(stock) is getattr(sklearn.ensemble, cls.__name__)
    assert {type(tree).__module__ for tree in stock.estimators_} == {"sklearn.tree._classes"}
    assert type(stock.estimator_).__module__ == "sklearn.tree._classes"
    assert b"fastml" not in pickle.dumps(stock)
    assert_array_equal(stock.apply(X), model.apply(X))
    model.estimators_  # noqa: B018
    again = fastml.to_sklearn(model)
    assert b"fastml" not in pickle.dumps(again)
    assert_array_equal(again.apply(X), model.apply(X))
    assert set(vars(again)) == set(vars(stock))
    unfitted = fastml.to_sklearn(cls())
    assert type(unfitted) is type(stock)
    assert not hasattr(unfitted, "estimators_")


def test_a_forest_lets_go_of_its_trees():
    model = fitted()
    tree = model.estimators_[0]
    model.predict(X)
    model.fit(X, y)
    assert is_lazy(model)
    del model
    gc.collect()
    assert tree.predict(X).shape == y.shape
