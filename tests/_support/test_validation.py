"""The way past scikit-learn's checks ends where they end themselves: same data, attributes, errors and warnings."""

import re
import warnings

import numpy as np
import pytest
import scipy.sparse
import sklearn
from sklearn.cluster import KMeans
from sklearn.utils.validation import _check_sample_weight, validate_data

from fastml._support import validation

FLOATS = [np.float64, np.float32]
RANDOM = np.random.RandomState(0)
PLAIN = RANDOM.standard_normal((6, 3))


def unaligned(array):
    raw = np.zeros(array.nbytes + 1, dtype=np.uint8)
    view = raw[1:].view(array.dtype).reshape(array.shape)
    view[:] = array
    return view


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def with_value(value, dtype=np.float64):
    array = PLAIN.astype(dtype)
    array[2, 1] = value
    return array


def memmap(tmp_path):
    path = tmp_path / "data.npy"
    np.save(path, PLAIN)
    return np.load(path, mmap_mode="r")


def frame(library, **columns):
    module = pytest.importorskip(library)
    return module.DataFrame(columns)


NAMED = {"a": [1.0, 2.0, 3.0], "b": [0.5, 0.0, 1.5], "c": [4.0, 5.0, 9.0]}

ZOO = {
    "plain": lambda tmp: PLAIN.copy(),
    "float32": lambda tmp: PLAIN.astype(np.float32),
    "float16": lambda tmp: PLAIN.astype(np.float16),
    "longdouble": lambda tmp: PLAIN.astype(np.longdouble),
    "integers": lambda tmp: np.arange(12).reshape(4, 3),
    "booleans": lambda tmp: PLAIN > 0,
    "complex": lambda tmp: PLAIN + 1j,
    "big-endian": lambda tmp: PLAIN.astype(">f8"),
    "big-endian float32": lambda tmp: PLAIN.astype(">f4"),
    "Fortran order": lambda tmp: np.asfortranarray(PLAIN),
    "strided": lambda tmp: np.repeat(PLAIN, 2, axis=0)[::2],
    "columns": lambda tmp: np.repeat(PLAIN, 2, axis=1)[:, ::2],
    "reversed": lambda tmp: PLAIN[::-1],
    "unaligned": lambda tmp: unaligned(PLAIN),
    "read-only": lambda tmp: read_only(PLAIN),
    "memmap": memmap,
    "list": lambda tmp: PLAIN.tolist(),
    "tuple": lambda tmp: tuple(map(tuple, PLAIN)),
    "matrix": lambda tmp: np.matrix(PLAIN),
    "masked": lambda tmp: np.ma.masked_array(PLAIN),
    "masked with a mask": lambda tmp: np.ma.masked_array(PLAIN, PLAIN > 1),
    "objects": lambda tmp: PLAIN.astype(object),
    "objects with a text": lambda tmp: np.array([["a", 1.0], [2.0, 3.0]], dtype=object),
    "texts": lambda tmp: np.array([["1.5", "2"], ["3", "4"]]),
    "other texts": lambda tmp: np.array([["x", "y"]]),
    "nan": lambda tmp: with_value(np.nan),
    "nan float32": lambda tmp: with_value(np.nan, np.float32),
    "inf": lambda tmp: with_value(np.inf),
    "-inf": lambda tmp: with_value(-np.inf, np.float32),
    "inf and -inf": lambda tmp: np.array([[np.inf, -np.inf, 0.0]]),
    "finite with an infinite sum": lambda tmp: np.full((4, 3), np.finfo(np.float64).max),
    "float64 too large for float32": lambda tmp: np.full((2, 3), 1e300),
    "denormal": lambda tmp: np.full((2, 3), 5e-324),
    "no rows": lambda tmp: np.empty((0, 3)),
    "no columns": lambda tmp: np.empty((3, 0)),
    "1-D": lambda tmp: PLAIN[0],
    "0-D": lambda tmp: np.array(1.0),
    "scalar": lambda tmp: 1.0,
    "3-D": lambda tmp: np.zeros((2, 3, 4)),
    "one row": lambda tmp: PLAIN[:1],
    "four columns": lambda tmp: np.zeros((2, 4)),
    "ragged": lambda tmp: [[1.0], [1.0, 2.0]],
    "text": lambda tmp: "text",
    "None": lambda tmp: None,
    "dict": lambda tmp: {"a": 1},
    "set": lambda tmp: {1.0},
    "pandas": lambda tmp: frame("pandas", **NAMED),
    "pandas float32": lambda tmp: frame("pandas", **NAMED).astype("float32"),
    "pandas integer names": lambda tmp: frame("pandas", **NAMED).set_axis([0, 1, 2], axis=1),
    "pandas mixed names": lambda tmp: frame("pandas", **NAMED).set_axis(["a", 1, 2], axis=1),
    "pandas other names": lambda tmp: frame("pandas", **NAMED).set_axis(["a", "z", "c"], axis=1),
    "pandas other order": lambda tmp: frame("pandas", **NAMED)[["b", "a", "c"]],
    "pandas missing": lambda tmp: frame("pandas", a=[1.0, None], b=[1.0, 2.0], c=[0.0, 0.0]).astype("Float64"),
    "pandas series": lambda tmp: frame("pandas", **NAMED)["a"],
    "polars": lambda tmp: frame("polars", **NAMED),
    "csr": lambda tmp: scipy.sparse.csr_array(PLAIN),
    "csr matrix": lambda tmp: scipy.sparse.csr_matrix(PLAIN),
    "csr float32": lambda tmp: scipy.sparse.csr_array(PLAIN.astype(np.float32)),
    "csr integers": lambda tmp: scipy.sparse.csr_array(np.eye(3, dtype=int)),
    "csr nan": lambda tmp: scipy.sparse.csr_array(with_value(np.nan)),
    "csc": lambda tmp: scipy.sparse.csc_array(PLAIN),
    "coo": lambda tmp: scipy.sparse.coo_array(PLAIN),
    "dok": lambda tmp: scipy.sparse.dok_array(PLAIN),
}


def outcome(check, estimator):
    """Return everything a caller could see of a check, comparable."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = check()
        except Exception as error:
            what = (type(error), str(error))
        else:
            if scipy.sparse.issparse(result):
                parts = (result.data, result.indices, result.indptr)
                what = (type(result), result.shape, [(part.dtype, part.tolist()) for part in parts])
            else:
                flags = result.flags
                what = (type(result), result.dtype, flags.c_contiguous, flags.writeable, result.tolist())
    messages = [(warning.category, str(warning.message)) for warning in caught]
    attributes = {name: np.asarray(value).tolist() for name, value in vars(estimator).items()}
    # Names of sets and addresses differ from run to run.
    return re.sub(r"0x[0-9a-f]+", "0x", repr((what, messages, attributes)))


def both(X, fitted_on=None, *, sparse="csr", dtype=tuple(FLOATS), copy=False, min_samples=1):
    """Check X our way and scikit-learn's, in ``fit`` or, with ``fitted_on``, afterwards."""
    outcomes = []
    for ours in (True, False):
        estimator = KMeans()
        if fitted_on is not None:
            validate_data(estimator, fitted_on, reset=True)
        reset = fitted_on is None

        def check(estimator=estimator, ours=ours, reset=reset):
            if ours:
                return validation.validate(
                    estimator, X, reset=reset, sparse=sparse, copy=copy, dtype=dtype, min_samples=min_samples
                )
            return validate_data(
                estimator,
                X,
                reset=reset,
                accept_sparse=sparse,
                accept_large_sparse=False,
                copy=copy,
                dtype=list(dtype),
                order="C",
                ensure_min_samples=min_samples,
            )

        outcomes.append(outcome(check, estimator))
    return outcomes


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("animal", ZOO)
@pytest.mark.parametrize("fitted_on", ["nothing", "array", "frame"])
def test_same_outcome(animal, fitted_on, tmp_path):
    before = {"nothing": None, "array": PLAIN, "frame": frame("pandas", **NAMED)}[fitted_on]
    ours, stock = both(ZOO[animal](tmp_path), before)
    assert ours == stock


@pytest.mark.parametrize("animal", ["plain", "float32", "csr", "nan", "pandas", "list"])
@pytest.mark.parametrize(
    "options",
    [
        {"sparse": False},
        {"copy": True},
        {"dtype": (np.float32,)},
        {"dtype": (np.float64,)},
        {"min_samples": 6},
        {"min_samples": 7},
    ],
    ids=repr,
)
def test_same_outcome_with_options(animal, options, tmp_path):
    ours, stock = both(ZOO[animal](tmp_path), **options)
    assert ours == stock


@pytest.mark.parametrize("animal", ["plain", "nan", "inf", "list", "csr nan"])
def test_same_outcome_where_finiteness_is_assumed(animal, tmp_path):
    with sklearn.config_context(assume_finite=True):
        ours, stock = both(ZOO[animal](tmp_path))
    assert ours == stock


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_plain_array_is_not_seen_by_scikit_learn(monkeypatch, dtype):
    def refuse(*args, **kwargs):
        raise AssertionError("went to scikit-learn")

    monkeypatch.setattr(validation, "validate_data", refuse)
    estimator, X = KMeans(), PLAIN.astype(dtype)
    assert validation.validate(estimator, X, reset=True, sparse="csr") is X
    assert validation.validate(estimator, X, reset=False, sparse="csr") is X
    assert estimator.n_features_in_ == 3
    copied = validation.validate(estimator, X, reset=False, sparse="csr", copy=True)
    assert copied is not X
    assert np.array_equal(copied, X)


def test_refitting_without_names_forgets_them():
    estimator = KMeans()
    validation.validate(estimator, frame("pandas", **NAMED), reset=True, sparse="csr")
    assert list(estimator.feature_names_in_) == ["a", "b", "c"]
    validation.validate(estimator, PLAIN, reset=True, sparse="csr")
    assert not hasattr(estimator, "feature_names_in_")


WEIGHTS = {
    "ones": np.ones(6),
    "integers": np.arange(6),
    "float32": np.ones(6, np.float32),
    "list": [1.0] * 6,
    "scalar": 2.5,
    "strided": np.arange(12.0)[::2],
    "series": None,
    "negative": -np.ones(6),
    "zeros": np.zeros(6),
    "nan": np.full(6, np.nan),
    "inf": np.full(6, np.inf),
    "short": np.ones(5),
    "2-D": np.ones((6, 1)),
    "text": "heavy",
    "objects": np.array([1, 2, 3, 4, 5, "x"], dtype=object),
}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "checks", [{}, {"ensure_non_negative": True}, {"allow_all_zero_weights": True}, {"ensure_non_negative": False}]
)
def test_same_outcome_for_weights(weights, dtype, checks):
    X = PLAIN.astype(dtype)
    given = pytest.importorskip("pandas").Series(range(6)) if weights == "series" else WEIGHTS[weights]
    ours = outcome(lambda: validation.sample_weight(given, X, **checks), KMeans())
    stock = outcome(lambda: _check_sample_weight(given, X, dtype=dtype, **checks), KMeans())
    assert ours == stock


def test_no_weights_stay_none():
    assert validation.sample_weight(None, PLAIN) is None


def test_a_plain_array_is_checked_fast():
    import timeit

    estimator = KMeans()
    seconds = {
        name: min(timeit.repeat(check, number=200, repeat=7)) / 200
        for name, check in {
            "ours": lambda: validation.validate(estimator, PLAIN, reset=True, sparse="csr"),
            "stock": lambda: validate_data(estimator, PLAIN, reset=True, dtype=FLOATS),
        }.items()
    }
    # 2 us against 50 us and more; the bound leaves room for busy machines.
    assert seconds["ours"] < seconds["stock"] / 4


def test_values_may_be_left_to_the_caller():
    X = with_value(np.nan)
    model = KMeans()
    assert validation.validate(model, X, reset=True, sparse=False, check_finite=False) is X
    assert model.n_features_in_ == X.shape[1]
    # What scikit-learn has to convert, it checks as well.
    with pytest.raises(ValueError, match="contains NaN"):
        validation.validate(model, X.tolist(), reset=True, sparse=False, check_finite=False)
