"""Predictions of single trees are scikit-learn's, bit for bit, whatever X looks like and whoever changed the tree."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import sklearn.tree
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
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.ensemble._gradient_boosting import predict_stages

import fastml.tree
from fastml import _core
from fastml.tree._predicting import add_tree_values, forest_view, forget_view, remembered_view

# (class, kind of targets, outputs)
CASES = [
    ("DecisionTreeClassifier", "classes", 1),
    ("DecisionTreeClassifier", "classes", 3),
    ("DecisionTreeRegressor", "numbers", 1),
    ("DecisionTreeRegressor", "numbers", 2),
    ("ExtraTreeClassifier", "classes", 1),
    ("ExtraTreeRegressor", "numbers", 1),
]


def pair(name="DecisionTreeClassifier", kind="classes", n_outputs=1, missing=False, **parameters):
    """Return a tree of ours and the one of scikit-learn's whose nodes it has."""
    parameters.setdefault("random_state", 0)
    stock = fitted(getattr(sklearn.tree, name)(**parameters), kind, n_outputs, missing)
    return same_trees(getattr(fastml.tree, name), stock), stock


@pytest.mark.parametrize("n_samples", [1, 2, 70, 5000])
@pytest.mark.parametrize(("name", "kind", "n_outputs"), CASES)
def test_every_kind_of_tree(name, kind, n_outputs, n_samples):
    ours, stock = pair(name, kind, n_outputs)
    assert_predicts_alike(ours, stock, samples(n_samples, seed=3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_bad_values_by_columns(value, dtype):
    with np.errstate(over="ignore"):
        X = np.asfortranarray(samples(50, seed=3), dtype=dtype)
        X[3, 1] = value
    for ours, stock in (pair(), pair(missing=True)):
        assert_same_outcome(ours, stock, "predict_proba", X)


@pytest.mark.parametrize("n_samples", [1, 400])
def test_every_way_to_give_X(n_samples):
    ours, stock = pair()
    for where, X in ways_to_give(samples(n_samples, seed=3)):
        assert_predicts_alike(ours, stock, X, where)
    assert_predicts_alike(ours, stock, sparse_rows(samples(n_samples, seed=3)), "CSR")
    assert_predicts_alike(ours, stock, sparse_rows(samples(n_samples, seed=3)).tocoo(), "COO")


@pytest.mark.parametrize("n_samples", [1, 400])
def test_read_only_memory_map(tmp_path, n_samples):
    np.save(tmp_path / "X.npy", samples(n_samples, seed=3))
    assert_predicts_alike(*pair(), np.load(tmp_path / "X.npy", mmap_mode="r"))


@pytest.mark.parametrize("frames", ["pandas", "polars"])
def test_frames(frames):
    library = pytest.importorskip(frames)
    X = library.DataFrame({f"x{j}": column for j, column in enumerate(samples(400).T.astype(np.float64))})
    stock = sklearn.tree.DecisionTreeClassifier(random_state=0).fit(X, targets(samples(400), "classes"))
    ours = same_trees(fastml.tree.DecisionTreeClassifier, stock)
    assert_predicts_alike(ours, stock, X)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        ours.predict(samples(5))


@pytest.mark.parametrize("n_samples", [1, 70, 3000])
@pytest.mark.parametrize("trained_on_missing", [False, True])
def test_missing_values(n_samples, trained_on_missing):
    for name, kind in (("DecisionTreeClassifier", "classes"), ("ExtraTreeRegressor", "numbers")):
        ours, stock = pair(name, kind, missing=trained_on_missing)
        X = samples(n_samples, seed=3, missing=True)
        X[0, :2] = np.nan
        assert_predicts_alike(ours, stock, X)


def test_every_split_on_missing_values_only():
    X = np.array([[1.0], [1.0], [np.nan], [np.nan]], dtype=np.float32)
    stock = sklearn.tree.DecisionTreeClassifier().fit(X, [0, 0, 1, 1])
    assert np.isposinf(stock.tree_.threshold[0])
    for n_samples in (1, 1000):
        grid = np.resize(np.array([[1.0], [np.nan], [-5.0], [3e38]], dtype=np.float32), (n_samples, 1))
        assert_predicts_alike(same_trees(fastml.tree.DecisionTreeClassifier, stock), stock, grid)


def test_values_next_to_thresholds():
    ours, stock = pair("DecisionTreeRegressor", "numbers")
    splits = stock.tree_.children_left >= 0
    near = stock.tree_.threshold[splits].astype(np.float32)
    around = np.concatenate([near, np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9))])
    assert_predicts_alike(ours, stock, np.repeat(around[:, None], 6, axis=1))


@pytest.mark.parametrize("n_samples", [1, 2000])
def test_tree_of_one_leaf(n_samples):
    X = samples(50)
    for name, y in (("DecisionTreeRegressor", np.full(50, -0.0)), ("DecisionTreeClassifier", np.ones(50))):
        stock = getattr(sklearn.tree, name)().fit(X, y)
        assert stock.tree_.node_count == 1
        assert_predicts_alike(same_trees(getattr(fastml.tree, name), stock), stock, samples(n_samples))


@pytest.mark.parametrize("n_samples", [3, 3000])
def test_unbalanced_tree(n_samples):
    X = np.arange(3000, dtype=np.float32)[:, None]
    stock = sklearn.tree.DecisionTreeRegressor().fit(X, 1.5 ** np.minimum(np.arange(3000), 1000))
    assert stock.tree_.max_depth > 500
    assert_predicts_alike(same_trees(fastml.tree.DecisionTreeRegressor, stock), stock, X[:n_samples])


def test_more_features_than_rows_are_transposed_for():
    X = samples(600, n_features=300)
    stock = sklearn.tree.DecisionTreeClassifier(random_state=0).fit(X, targets(X, "classes"))
    assert_predicts_alike(same_trees(fastml.tree.DecisionTreeClassifier, stock), stock, X)


@pytest.mark.parametrize("n_samples", [1, 3000])
def test_changes_in_place_are_seen(n_samples):
    X = samples(n_samples, seed=3)
    ours, stock = pair("DecisionTreeRegressor", "numbers", max_depth=6)
    assert ours.tree_ is stock.tree_
    before = ours.predict(X)
    stock.tree_.value[:] *= 2
    assert_same_bits(ours.predict(X), 2 * before)
    # Pruning by hand, as is often done.
    stock.tree_.children_left[1] = stock.tree_.children_right[1] = -1
    stock.tree_.threshold[0] += 0.3
    assert_predicts_alike(ours, stock, X)


def test_a_new_tree_is_seen():
    X = samples(20)
    ours, _ = pair(max_depth=3)
    ours.predict(X)
    _, other = pair(max_depth=1)
    ours.tree_ = other.tree_
    assert_predicts_alike(ours, other, X)


def test_predicting_leaves_nothing_in_the_estimator():
    ours, _ = pair()
    before, pickled = dict(vars(ours)), pickle.dumps(ours)
    ours.predict(samples(10))
    assert vars(ours) == before
    assert pickle.dumps(ours) == pickled
    for twin in (copy.copy(ours), copy.deepcopy(ours), pickle.loads(pickled)):
        assert_same_bits(twin.predict_proba(samples(10)), ours.predict_proba(samples(10)))
    assert "tree_" not in vars(clone(ours))


def test_the_view_is_kept_as_long_as_the_trees_are_the_same():
    ours, _ = pair()
    view = remembered_view(ours, [ours.tree_])
    assert remembered_view(ours, [ours.tree_]) is view
    forget_view(ours)
    assert remembered_view(ours, [ours.tree_]) is not view
    arrays = [(state["nodes"].copy(), state["values"].copy()) for state in [ours.tree_.__getstate__()]]
    view = remembered_view(ours, arrays)
    assert remembered_view(ours, arrays) is view
    assert remembered_view(ours, list(arrays)) is not view
    array = weakref.ref(arrays[0][0])
    del arrays, view, ours
    gc.collect()
    assert array() is None, "the view of a model that is gone is kept"


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "apply"])
def test_errors_are_scikit_learns(method):
    ours, stock = pair()
    with_nan = samples(3)
    with_nan[1, 1] = np.nan
    wrong = [
        samples(3, n_features=4),
        samples(3)[0],
        np.zeros((0, 6)),
        np.full((2, 6), np.inf),
        np.full((2, 6), 1e39),
        sparse_rows(with_nan),
        [["a"] * 6],
        None,
    ]
    for X in wrong:
        assert assert_same_outcome(ours, stock, method, X) is not None
    assert assert_same_outcome(type(ours)(), type(stock)(), method, samples(3)) is not None


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
def test_missing_values_and_criteria(criterion, missing):
    # Which criteria take missing values, and what is said of the others, is scikit-learn's to decide.
    stock = sklearn.tree.DecisionTreeRegressor(criterion=criterion).fit(samples(50), np.arange(50))
    ours = same_trees(fastml.tree.DecisionTreeRegressor, stock)
    X = samples(5, missing=missing)
    assert_same_outcome(ours, stock, "predict", X)


def test_unchecked_input():
    ours, stock = pair()
    X = samples(50, missing=True)
    X[0] = np.inf
    for method in ("predict", "predict_proba", "apply"):
        for x in (X, X[:, ::-1], X[:0], sparse_rows(X)):
            assert assert_same_outcome(ours, stock, method, x, check_input=False) is None
        for x in (X.astype(np.float64), sparse_rows(X).tocsc(), sparse_rows(X).astype(np.float64), X[:, :3]):
            assert isinstance(assert_same_outcome(ours, stock, method, x, check_input=False), ValueError)


def test_sparse_rows_with_64_bit_indices():
    ours, stock = pair()
    X = sparse_rows(samples(5))
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    for model in (ours, stock):
        with pytest.raises(ValueError, match=r"No support for np\.int64 index based sparse matrices"):
            model.predict(X)


def test_stages_are_added_as_gradient_boosting_adds_them():
    X = samples(3000)
    y = targets(X, "classes")
    y[::2] = "7"
    stock = GradientBoostingClassifier(n_estimators=12, random_state=0).fit(X, y)
    stages = stock.estimators_
    assert stages.shape[1] == 3
    for rows in (X, X[:1], sparse_rows(X)):
        expected = np.random.RandomState(0).standard_normal((rows.shape[0], 3))
        sums = expected.copy()
        predict_stages(stages, rows, 0.1, expected)
        trees = [tree.tree_ for tree in stages.ravel()]
        for n_threads in (1, 2):
            out = sums.copy()
            add_tree_values(trees, rows, out, 0.1, [0, 1, 2] * 12, n_threads)
            assert_same_bits(out, expected)


def test_threads_do_not_change_a_bit():
    ours, _ = pair("DecisionTreeRegressor", "numbers", 2)
    view = remembered_view(ours, [ours.tree_])
    X = samples(30_000)
    answers = []
    for n_threads in (1, 2, 5):
        out = np.zeros((len(X), 2))
        view.add_values(X, out, n_threads=n_threads)
        answers.append((out.tobytes(), view.apply(X, n_threads).tobytes()))
    assert answers[0] == answers[1] == answers[2]


def test_what_could_lead_out_of_bounds_is_refused():
    ours, _ = pair()
    state = ours.tree_.__getstate__()
    nodes, values = state["nodes"], state["values"]
    view = forest_view([ours.tree_], 6)
    X = samples(4)
    refused = [
        (lambda: _core.ForestView([], 6), "at least one"),
        (lambda: _core.ForestView([(nodes[:-1], values)], 6), "an entry for each of"),
        (lambda: _core.ForestView([(nodes[::2], values[::2])], 6), "C-contiguous"),
        (lambda: _core.ForestView([(values, values)], 6), "64 bytes"),
        (lambda: _core.ForestView([(nodes, values), (nodes, np.zeros((len(nodes), 1, 9)))], 6), "in every tree"),
        (lambda: view.apply(X[:, :5].copy()), "X has 5 features, the trees have 6"),
        (lambda: view.add_values(X, np.zeros((4, view.n_values - 1))), "at least as wide"),
        (lambda: view.add_values(X, np.zeros((3, view.n_values))), "a row a sample"),
        (lambda: view.add_values(X, np.zeros((4, view.n_values)), 1.0, np.array([1])), "leave the row"),
        (lambda: view.apply((X[0], np.array([9], dtype=np.int32), np.array([0, 1], dtype=np.int32), 6)), "CSR arrays"),
        (lambda: view.apply((X[0, :1], np.array([9], np.int32), np.array([0, 1], np.int32), 6)), "out of range"),
    ]
    for call, message in refused:
        with pytest.raises(ValueError, match=message):
            call()
    ours.tree_.feature[0] = 6
    for n_samples in (1, 4000):
        with pytest.raises(ValueError, match="do not form a tree"):
            ours.predict(samples(n_samples))


def test_float64_is_narrowed_only_where_all_of_it_is_finite():
    X = np.random.RandomState(0).standard_normal((3, 5))
    assert_same_bits(_core.to_float32(X), X.astype(np.float32))
    for odd in (np.nan, np.inf, 1e39):
        X[2, 4] = odd
        assert _core.to_float32(X) is None
