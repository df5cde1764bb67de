"""The naive Bayes classifiers of counts and categories against scikit-learn's: kinds of input, random problems."""

from functools import partial

import bayes_cases as cases
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings, strategies as st

import fastml
import fastml.naive_bayes as ours

RNG = np.random.default_rng(0)
COUNTS = RNG.integers(0, 5, (70, 13))
WEIGHTS = RNG.random(70)

DTYPES = ["float64", "float32", "int64", "int32", "int8", "uint8", "uint64", "bool"]
LAYOUTS = {
    "rows": lambda X: X,
    "columns": np.asfortranarray,
    "part": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "list": lambda X: X.tolist(),
    "frame": lambda X: pd.DataFrame(X, columns=[f"word {j}" for j in range(X.shape[1])]),
    "csr_matrix": sp.csr_matrix,
    "csr_array": sp.csr_array,
    "csc": sp.csc_array,
    "coo": sp.coo_array,
}
LABELS = {
    "three classes": RNG.integers(0, 3, 70),
    "two classes": RNG.integers(0, 2, 70),
    "one class": np.zeros(70, dtype=int),
    "strings": RNG.choice(["egg", "ham", "spam"], 70),
    "objects": RNG.choice(["egg", "ham"], 70).astype(object),
    "floats": RNG.choice([1.0, 2.0, 7.0], 70),
    "booleans": RNG.random(70) < 0.5,
    "bytes": RNG.integers(0, 3, 70).astype(np.uint8),
    "far apart": RNG.choice([-(10**12), 5, 10**12], 70),
    "many": np.arange(70) // 2 * 3,
    "one for each sample": np.arange(70),
}
HALVES = [slice(0, 70, 2), slice(1, 70, 2)]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", cases.COUNTS)
def test_kinds_of_samples(name, dtype, layout):
    X = LAYOUTS[layout](COUNTS.astype(dtype))
    y = LABELS["three classes"]
    cases.compare(name, X, y)
    cases.compare(name, X, y, sample_weight=WEIGHTS)


@pytest.mark.parametrize("layout", ["rows", "columns", "part", "list", "frame"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_kinds_of_categories(dtype, layout):
    X = LAYOUTS[layout](COUNTS.astype(dtype))
    y = LABELS["three classes"]
    cases.compare("CategoricalNB", X, y)
    cases.compare("CategoricalNB", X, y, sample_weight=WEIGHTS)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("name", cases.DISCRETE)
def test_kinds_of_labels(name, kind):
    y = LABELS[kind]
    for X in (COUNTS, COUNTS.astype(float), sp.csr_array(COUNTS)):
        if name == "CategoricalNB" and X.dtype == float:
            continue
        for weights in (None, WEIGHTS):
            cases.compare(name, X, y, sample_weight=weights)
            cases.compare(name, X, y, sample_weight=weights, batches=HALVES)
    cases.compare(name, COUNTS, y.tolist())
    cases.compare(name, COUNTS, pd.Series(y))
    with fastml.config_context(fallback="silent"):
        cases.compare(name, COUNTS, y[:, None])


PARAMETERS = [
    {"alpha": 0.0},
    {"alpha": 0.0, "force_alpha": False},
    {"alpha": 1e-12},
    {"alpha": 3},
    {"alpha": np.full(13, 0.5)},
    {"alpha": [0.25] * 13},
    {"alpha": [0.0] * 13, "force_alpha": False},
    {"alpha": [-1.0] * 13},
    {"alpha": np.ones(12)},
    {"alpha": -1.0},
    {"alpha": "none"},
    {"class_prior": [0.2, 0.3, 0.5]},
    {"class_prior": np.array([2.0, 3.0, 0.0])},
    {"class_prior": [0.5, 0.5]},
    {"class_prior": "equal"},
    {"fit_prior": False},
    {"fit_prior": "yes"},
]


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("name", cases.DISCRETE)
def test_parameters(name, parameters):
    y = LABELS["three classes"]
    cases.compare(name, COUNTS, y, **parameters)
    cases.compare(name, COUNTS, y, batches=HALVES, **parameters)
    if name != "CategoricalNB":
        cases.compare(name, sp.csr_matrix(COUNTS), y, **parameters)


@pytest.mark.parametrize("binarize", [None, 0.0, 1, 1.1, np.float64(1.1), np.float32(1.1), -1.0, "half"], ids=repr)
@pytest.mark.parametrize("layout", ["rows", "csr_array"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_thresholds(dtype, layout, binarize):
    """Some values are as near to 1.1 as their type allows, on either side."""
    X = (COUNTS * 0.55).astype(dtype)
    X[COUNTS == 3] = np.nextafter(np.float32(1.1), np.float32(0)).astype(dtype)
    cases.compare("BernoulliNB", LAYOUTS[layout](X), LABELS["three classes"], binarize=binarize)


@pytest.mark.parametrize("norm", [True, False, 1], ids=str)
def test_norm(norm):
    cases.compare("ComplementNB", COUNTS, LABELS["three classes"], norm=norm)
    cases.compare("ComplementNB", COUNTS, LABELS["one class"], norm=norm)


MIN_CATEGORIES = [None, 2, 9, list(range(2, 15)), np.arange(13), np.full(13, 7.0), np.ones(12, dtype=int), 2.5, 0]


@pytest.mark.parametrize("min_categories", MIN_CATEGORIES, ids=str)
def test_least_numbers_of_categories(min_categories):
    cases.compare("CategoricalNB", COUNTS, LABELS["two classes"], min_categories=min_categories)
    cases.compare("CategoricalNB", COUNTS, LABELS["two classes"], batches=HALVES, min_categories=min_categories)


def test_batches_have_other_categories():
    """Categories that come later, and those of earlier batches that do not come again."""
    X = np.array([[0, 1], [1, 4], [3, 0], [2, 0], [0, 2], [1, 1]])
    batches = [slice(0, 2), slice(2, 3), slice(3, 6)]
    models = cases.compare("CategoricalNB", X, np.array([0, 1, 1, 2, 0, 2]), batches=batches)
    for model in models:
        assert [counts.shape for counts in model.category_count_] == [(3, 4), (3, 5)]
        np.testing.assert_array_equal(model.n_categories_, [3, 3])


@pytest.mark.parametrize("name", cases.DISCRETE)
@pytest.mark.parametrize("classes", [[1, 2, 3], [1, 2], [1], [1, 5, 9]], ids=str)
def test_batches_with_labels_that_are_no_classes(name, classes):
    """scikit-learn leaves them out; of two classes it takes them for the first, and a class alone has all."""
    X, unknown = COUNTS[:30], np.arange(30) % 5
    for y in (np.resize(classes, 30), unknown, unknown.astype(float), unknown.astype(str)):
        mine, theirs = models = [getattr(module, name)() for module in (ours, cases.stock)]
        for model in models:
            cases.attempt(partial(model.partial_fit, X, y, classes=np.array(classes).astype(y.dtype)))
            assert hasattr(model, "class_log_prior_")
            cases.attempt(partial(model.partial_fit, X[::2], y[::2]))
        cases.assert_same_models(mine, theirs)
        cases.assert_same_predictions(mine, theirs, X)


@given(seed=st.integers(0, 2**32 - 1), name=st.sampled_from(cases.COUNTS), weighted=st.booleans(), sparse=st.booleans())
@settings(max_examples=60, deadline=None)
def test_random_counts(seed, name, weighted, sparse):
    rng = np.random.default_rng(seed)
    n_samples, n_features = int(rng.integers(1, 200)), int(rng.integers(1, 60))
    X = rng.poisson(rng.choice([0.1, 1.0, 5.0]), (n_samples, n_features)) * rng.choice([1.0, 0.1])
    X = X.astype(rng.choice([np.float64, np.float32]))
    y = rng.integers(0, int(rng.integers(1, 40)), n_samples)
    weights = rng.integers(0, 3, n_samples) * rng.choice([1.0, 0.3]) + 0.5 if weighted else None
    parameters = {"alpha": float(rng.choice([1.0, 0.1, 2.5])), "fit_prior": bool(rng.integers(2))}
    batches = None
    if rng.integers(2):
        batches = [slice(begin, begin + 50) for begin in range(0, n_samples, 50)]
    cases.compare(name, sp.csr_array(X) if sparse else X, y, sample_weight=weights, batches=batches, **parameters)


@given(seed=st.integers(0, 2**32 - 1), weighted=st.booleans())
@settings(max_examples=40, deadline=None)
def test_random_categories(seed, weighted):
    rng = np.random.default_rng(seed)
    n_samples, n_features = int(rng.integers(1, 200)), int(rng.integers(1, 20))
    X = rng.integers(0, rng.integers(1, 12, n_features), (n_samples, n_features))
    y = rng.integers(0, int(rng.integers(1, 30)), n_samples)
    weights = rng.random(n_samples) + 0.5 if weighted else None
    batches = [slice(begin, begin + 70) for begin in range(0, n_samples, 70)] if rng.integers(2) else None
    cases.compare("CategoricalNB", X, y, sample_weight=weights, batches=batches, alpha=float(rng.choice([1.0, 0.3])))
