"""fit of the four trees: what may be given, what is set, what is refused."""

import pickle
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import sklearn.tree
from numpy.testing import assert_array_equal
from same_outcome import assert_same_outcome, assert_same_tree, exact_problem, outcome
from sklearn.base import clone
from sklearn.tree._criterion import MAE, MSE, Entropy, Gini
from sklearn.utils._param_validation import InvalidParameterError

import fastml
from fastml.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

STOCK = {
    cls: getattr(sklearn.tree, cls.__name__)
    for cls in (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)
}
TREES = list(STOCK)
X, y = exact_problem()


def with_value(value, dtype=np.float64):
    spoilt = X.astype(dtype)
    spoilt[7, 1] = value
    return spoilt


def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


def unaligned(values):
    values = np.ascontiguousarray(values, dtype=np.float32)
    moved = np.frombuffer(b"\0" + values.tobytes(), dtype=np.uint8)[1:].view(np.float32).reshape(values.shape)
    assert not moved.flags.aligned
    return moved


INPUTS = {
    "float64": X,
    "float32": X.astype(np.float32),
    "float16": X.astype(np.float16),
    "integers": np.round(5 * X).astype(int),
    "booleans": X > 0,
    "fortran": np.asfortranarray(X),
    "strided": np.repeat(X, 2, axis=1)[:, ::2],
    "reversed": X[::-1],
    "big-endian": X.astype(">f8"),
    "unaligned": unaligned(X),
    "read-only": read_only(X),
    "list": X.tolist(),
    "pandas": pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]),
    "polars": pl.DataFrame(X, schema=[f"x{i}" for i in range(X.shape[1])]),
    "objects": X.astype(object),
    "missing": np.where(np.abs(X) > 2, np.nan, X),
    "no missing and a sum beyond float32": X * 1e38,
}


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("cls", TREES)
def test_inputs(cls, kind):
    given = INPUTS[kind]
    ours, stock = assert_same_outcome(cls, STOCK[cls], lambda cls: cls(random_state=1).fit(given, y))
    if stock.error is not None:
        assert kind == "no missing and a sum beyond float32"
        return
    ours, stock = ours.value, stock.value
    assert_same_tree(ours.tree_, stock.tree_)
    assert set(vars(ours)) == set(vars(stock))
    assert ours.n_features_in_ == stock.n_features_in_
    if kind in ("pandas", "polars"):
        assert_array_equal(ours.feature_names_in_, stock.feature_names_in_)
        ours.fit(X, y)
        assert not hasattr(ours, "feature_names_in_")


def test_memmaps(tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert_same_tree(
        DecisionTreeClassifier(random_state=0).fit(mapped, y).tree_,
        sklearn.tree.DecisionTreeClassifier(random_state=0).fit(X, y).tree_,
    )


LABELS = {
    "strings": np.array(["b", "a", "c"])[y],
    "objects": np.array(["b", "a", "c"], dtype=object)[y],
    "floats": y * 1.5 - 1.0 * (y == 1),
    "whole floats": y * 2.0,
    "booleans": y > 0,
    "int8": (y * 100 - 100).astype(np.int8),
    "uint64": (y.astype(np.uint64) << np.uint64(62)),
    "far apart": y * 10**15,
    "list": y.tolist(),
    "column": y[:, None],
    "one class": np.full(len(y), 7),
    "two outputs": np.column_stack([y, y[::-1] > 0]),
    "multilabel": np.column_stack([y > 0, y > 1]).astype(int),
    "series": pd.Series(y, name="target"),
    "categories": pd.Series(np.array(["u", "v", "w"])[y], dtype="category"),
    "many": np.arange(len(y)),
    "nan": np.where(y == 1, np.nan, y),
    "inf": np.where(y == 1, np.inf, y),
    "mixed objects": np.array([1, "a", None] * 100, dtype=object),
    "too few": y[:-1],
    "None": None,
    "three dimensions": np.zeros((len(y), 2, 2)),
    "sequences": [[1, 2]] * 150 + [[1]] * 150,
    "sparse": sp.csr_matrix(np.column_stack([y > 0, y > 1])),
    "empty": [],
    "bytes": np.array([b"a", b"b", b"c"])[y],
    "complex": y * 1j,
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("cls", [DecisionTreeClassifier, ExtraTreeClassifier])
def test_labels(cls, kind):
    ours, stock = assert_same_outcome(cls, STOCK[cls], lambda cls: cls(random_state=1).fit(X, LABELS[kind]))
    if stock.error is not None:
        return
    ours, stock = ours.value, stock.value
    assert_same_tree(ours.tree_, stock.tree_)
    assert ours.n_outputs_ == stock.n_outputs_
    assert type(ours.classes_) is type(stock.classes_)
    for labels, others in zip(ours.classes_, stock.classes_):
        assert_array_equal(labels, others)
        assert getattr(labels, "dtype", None) == getattr(others, "dtype", None)
    assert_array_equal(ours.n_classes_, stock.n_classes_)
    assert_array_equal(ours.predict(X), stock.predict(X))


TARGETS = {
    "integers": y,
    "float32": y.astype(np.float32),
    "booleans": y > 0,
    "column": y[:, None],
    "fortran": np.asfortranarray(np.column_stack([y, y % 2, -y])),
    "list": y.tolist(),
    "series": pd.Series(y),
    "number strings": y.astype(str),
    "words": np.array(["a", "b", "c"])[y],
    "nan": np.where(y == 1, np.nan, y),
    "inf": np.where(y == 1, np.inf, y),
    "too few": y[:-1],
    "too many": np.append(y, 0),
    "None": None,
    "complex": y * 1j,
    "negative": -y,
    "zero": 0 * y,
}


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson", "friedman_mse"])
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("cls", [DecisionTreeRegressor, ExtraTreeRegressor])
def test_targets(cls, kind, criterion):
    ours, stock = assert_same_outcome(
        cls, STOCK[cls], lambda cls: cls(criterion=criterion, random_state=1, max_depth=4).fit(X, TARGETS[kind])
    )
    if stock.error is None:
        assert_array_equal(ours.value.tree_.feature, stock.value.tree_.feature)
        assert_array_equal(ours.value.tree_.threshold, stock.value.tree_.threshold)
        assert_array_equal(ours.value.tree_.value, stock.value.tree_.value)


BAD_SAMPLES = {
    "inf": with_value(np.inf),
    "-inf": with_value(-np.inf),
    "inf in float32": with_value(np.inf, np.float32),
    "nan and inf": np.where(X > 2, np.inf, with_value(np.nan)),
    "beyond float32": with_value(1e300),
    "nan": with_value(np.nan),
    "None among objects": with_value(None, object),
    "one dimension": X[:, 0],
    "three dimensions": X[:, :, None],
    "a number": 3.5,
    "no rows": X[:0],
    "no columns": X[:, :0],
    "one row": X[:1],
    "ragged": [[1.0, 2.0], [3.0]],
    "words": np.array([["a", "b", "c"]] * 300),
    "complex": X.astype(complex),
    "None": None,
    "a word": "rows",
}


@pytest.mark.parametrize("kind", BAD_SAMPLES)
@pytest.mark.parametrize("cls", TREES)
def test_bad_samples(cls, kind):
    model = cls(random_state=0).fit(X, y)
    before = vars(model).copy()
    _, stock = assert_same_outcome(cls, STOCK[cls], lambda cls: cls(random_state=0).fit(BAD_SAMPLES[kind], y))
    if stock.error is not None:
        assert outcome(lambda: model.fit(BAD_SAMPLES[kind], y)).error == stock.error
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[name] is before[name] for name in before)


def weights_with(value):
    weights = np.ones(len(y))
    weights[:3] = value
    return weights


WEIGHTS = {
    "ones": np.ones(len(y)),
    "integers": np.arange(len(y)) % 4,
    "float32": (np.arange(len(y)) % 3).astype(np.float32),
    "list": [1.0] * len(y),
    "a number": 2.0,
    "strided": np.repeat(np.arange(len(y)) % 3, 2)[::2].astype(float),
    "too few": np.ones(5),
    "two columns": np.ones((len(y), 2)),
    "nan": weights_with(np.nan),
    "inf": weights_with(np.inf),
    "negative": weights_with(-1.0),
    "all zero": np.zeros(len(y)),
    "words": ["a"] * len(y),
}


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("cls", TREES)
def test_weights(cls, kind):
    ours, stock = assert_same_outcome(
        cls, STOCK[cls], lambda cls: cls(random_state=0).fit(X, y, sample_weight=WEIGHTS[kind])
    )
    if stock.error is None:
        assert_same_tree(ours.value.tree_, stock.value.tree_)


PARAMETERS = [
    {"criterion": "mse"},
    {"criterion": 3},
    {"splitter": "worst"},
    {"splitter": None},
    {"max_depth": 0},
    {"max_depth": 2.5},
    {"min_samples_split": 1},
    {"min_samples_split": 1.5},
    {"min_samples_leaf": 0},
    {"min_samples_leaf": 1.0},
    {"min_weight_fraction_leaf": 0.6},
    {"max_features": 0},
    {"max_features": -1},
    {"max_features": 1.5},
    {"max_features": "auto"},
    {"max_features": 100},
    {"max_features": 0.001},
    {"max_leaf_nodes": 1},
    {"max_leaf_nodes": 2.0},
    {"min_impurity_decrease": -1},
    {"ccp_alpha": -0.1},
    {"ccp_alpha": 0.02},
    {"monotonic_cst": [1]},
    {"monotonic_cst": [2] * 8},
    {"monotonic_cst": ["a"] * 8},
    {"monotonic_cst": [0.5] * 8},
    {"monotonic_cst": [1, -1, 0, 0, 0, 0, 1, 1]},
    {"monotonic_cst": 1},
    {"random_state": "seed"},
    {"random_state": -1},
    {"random_state": 2**32},
    {"random_state": np.int64(7)},
    {"random_state": np.random.RandomState(7)},
]


def without_address(value):
    """Return a name that is the same in every process that collects the tests."""
    return re.sub(r" at 0x\w+", "", str(value))


@pytest.mark.parametrize("parameters", PARAMETERS, ids=without_address)
@pytest.mark.parametrize("cls", TREES)
def test_parameters(cls, parameters):
    ours, stock = assert_same_outcome(
        cls, STOCK[cls], lambda cls: clone(cls(**{"random_state": 0, **parameters})).fit(X, y)
    )
    if stock.error is None:
        assert_same_tree(ours.value.tree_, stock.value.tree_)


CLASS_WEIGHTS = [
    "balance",
    {0: -1},
    {9: 1.0},
    [1, 2],
    {0: 2, 1: 3},
]


@pytest.mark.parametrize("class_weight", CLASS_WEIGHTS, ids=str)
@pytest.mark.parametrize("cls", [DecisionTreeClassifier, ExtraTreeClassifier])
def test_class_weights(cls, class_weight):
    weights = np.arange(len(y)) % 3
    ours, stock = assert_same_outcome(
        cls,
        STOCK[cls],
        lambda cls: cls(random_state=0, class_weight=class_weight).fit(X, y, sample_weight=weights),
    )
    if stock.error is None:
        assert_same_tree(ours.value.tree_, stock.value.tree_)


@pytest.mark.parametrize("targets", [y, y > 0, np.column_stack([y > 0, y > 1])], ids=["three", "two", "outputs"])
@pytest.mark.parametrize("cls", TREES)
def test_constraints_that_targets_do_not_allow(cls, targets):
    ours, stock = assert_same_outcome(
        cls, STOCK[cls], lambda cls: cls(monotonic_cst=[1] * 8, random_state=0).fit(X, targets)
    )
    if stock.error is None:
        assert_same_tree(ours.value.tree_, stock.value.tree_)


@pytest.mark.parametrize("cls", TREES)
def test_generators_are_left_in_the_same_state(cls):
    generators = np.random.RandomState(3), np.random.RandomState(3)
    for which, generator in zip((cls, STOCK[cls]), generators):
        which(random_state=generator).fit(X, y)
    assert generators[0].randint(2**31) == generators[1].randint(2**31)
    np.random.seed(5)
    ours = cls().fit(X, y).tree_
    np.random.seed(5)
    assert_same_tree(ours, STOCK[cls]().fit(X, y).tree_)


def test_check_input_can_be_switched_off():
    samples = X.astype(np.float32)
    targets = y.astype(float)
    for cls in TREES:
        ours = cls(random_state=0).fit(samples, targets, check_input=False)
        assert_same_tree(ours.tree_, STOCK[cls](random_state=0).fit(samples, targets, check_input=False).tree_)


SPARSE = np.where(np.abs(X) < 1, 0, X)


@pytest.mark.parametrize(
    "as_sparse", [sp.csr_matrix, sp.csc_array, sp.coo_array, sp.lil_matrix], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("cls", TREES)
def test_sparse_samples(cls, as_sparse):
    ours, stock = assert_same_outcome(
        cls, STOCK[cls], lambda cls: cls(random_state=0).fit(as_sparse(SPARSE.astype(np.float32)), y)
    )
    assert_same_tree(ours.value.tree_, stock.value.tree_)
    assert_array_equal(ours.value.predict(sp.csr_array(SPARSE)), stock.value.predict(sp.csr_array(SPARSE)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("cls", TREES)
def test_bad_sparse_samples(cls, value):
    spoilt = sp.csc_matrix(SPARSE)
    spoilt.data[3] = value
    assert_same_outcome(cls, STOCK[cls], lambda cls: cls(random_state=0).fit(spoilt, y))
    wide = sp.csc_matrix(SPARSE)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    assert_same_outcome(cls, STOCK[cls], lambda cls: cls(random_state=0).fit(wide, y))


@pytest.mark.parametrize("cls", TREES)
def test_large_sparse_samples_stay_sparse(cls):
    rng = np.random.RandomState(0)
    entries = rng.randint(0, 300, size=3000), rng.randint(0, 1_000_000, size=3000)
    large = sp.csc_matrix((rng.standard_normal(3000).astype(np.float32), entries), (300, 1_000_000))
    outcomes = [which(random_state=0, max_depth=3, max_features=50).fit(large, y) for which in (cls, STOCK[cls])]
    assert_same_tree(outcomes[0].tree_, outcomes[1].tree_)


@pytest.mark.parametrize("cls", TREES)
def test_samples_with_values_in_pieces(cls):
    # Halves of values, rows out of order: what counts is the matrix, not how it is stored.
    whole = sp.csc_matrix(SPARSE.astype(np.float32))
    columns = [sp.csc_matrix(whole[:, [f]]) for f in range(whole.shape[1])]
    pieces = sp.csc_matrix(
        (
            np.concatenate([np.repeat(column.data / 2, 2)[::-1] for column in columns]),
            np.concatenate([np.repeat(column.indices, 2)[::-1] for column in columns]),
            2 * whole.indptr,
        ),
        whole.shape,
    )
    given = pieces.data.copy(), pieces.indices.copy()
    trees = [cls(random_state=0).fit(which, y).tree_ for which in (pieces, whole)]
    assert_same_tree(*trees)
    assert_array_equal(pieces.data, given[0])
    assert_array_equal(pieces.indices, given[1])


@pytest.mark.parametrize(
    ("cls", "name"), [(Gini, "gini"), (Entropy, "entropy"), (MSE, "squared_error"), (MAE, "absolute_error")]
)
def test_criteria_as_objects(cls, name):
    if name in ("gini", "entropy"):
        model, criterion = DecisionTreeClassifier, cls(1, np.array([3]))
    else:
        model, criterion = DecisionTreeRegressor, cls(1, len(y))
    by_object = model(criterion=criterion, random_state=0).fit(X, y)
    assert by_object.criterion is criterion
    assert_same_tree(by_object.tree_, model(criterion=name, random_state=0).fit(X, y).tree_)


def test_criteria_of_other_classes_go_to_scikit_learn():
    class Other(MSE):
        pass

    criterion = Other(1, len(y))
    with pytest.raises(fastml.FallbackError, match="scikit-learn has names for"):
        DecisionTreeRegressor(criterion=criterion).fit(X, y)
    with fastml.config_context(fallback="silent"):
        ours = DecisionTreeRegressor(criterion=criterion, random_state=0).fit(X, y)
    assert_same_tree(ours.tree_, sklearn.tree.DecisionTreeRegressor(random_state=0).fit(X, y).tree_)


def test_a_staircase_is_not_too_deep():
    # Each split takes one sample off: 5000 levels. How long it takes is for benchmarks/test_tree_kernels.py.
    samples = np.arange(5001, dtype=float)[:, None]
    model = DecisionTreeClassifier(random_state=0).fit(samples, np.arange(5001) % 2)
    assert (model.get_depth(), model.get_n_leaves()) == (5000, 5001)
    assert_array_equal(model.predict(samples), np.arange(5001) % 2)
    copied = pickle.loads(pickle.dumps(model))
    assert_same_tree(copied.tree_, model.tree_)


def test_a_million_leaves_are_no_trouble():
    rng = np.random.RandomState(0)
    samples = rng.standard_normal((1_000_000, 2)).astype(np.float32)
    model = ExtraTreeRegressor(random_state=0).fit(samples, rng.standard_normal(len(samples)))
    assert model.get_n_leaves() > 990_000


def test_import_is_lazy():
    script = "import fastml, sys; print('sklearn' in sys.modules)\n"
    script += "import fastml.tree; print('fastml.ensemble' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_parameters_once_found_valid_do_not_vouch_for_others():
    for valid, invalid in [
        ({"max_depth": 2}, {"max_depth": 2.0}),
        ({"min_samples_leaf": 1}, {"min_samples_leaf": 1.0}),
        ({"max_leaf_nodes": 3}, {"max_leaf_nodes": 3.0}),
        ({"ccp_alpha": 0.0}, {"ccp_alpha": "0.0"}),
    ]:
        for _ in range(2):
            DecisionTreeClassifier(**valid).fit(X, y)
            with pytest.raises(InvalidParameterError):
                DecisionTreeClassifier(**invalid).fit(X, y)
    # What changes is looked at each time.
    constraints = np.zeros(X.shape[1], dtype=int)
    model = DecisionTreeRegressor(monotonic_cst=constraints).fit(X, y)
    constraints[0] = 7
    with pytest.raises(ValueError, match="must be None or an array-like of -1, 0 or 1"):
        model.fit(X, y)
