"""TruncatedSVD against scikit-learn's: attributes, types, messages, over a grid and over random cases."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.decomposition
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose
from scipy.sparse.linalg import ArpackError

from fastml.decomposition import TruncatedSVD

ATTRIBUTES = ("components_", "singular_values_", "explained_variance_", "explained_variance_ratio_")

# scikit-learn's own rounding in float32, over products whose terms cancel.
RELATIVE = {"f4": 2e-3, "f8": 1e-8}


def outcome(call):
    """Return what a call returns and the warnings, or the error that it raises."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call()
        except (ValueError, TypeError, ArpackError) as error:
            return type(error), str(error)
    return result, [str(warning.message) for warning in caught]


def compare(parameters, X, relative, n_compared=None):
    """Fit both; return what ours came to, for an error. Of values, the first n_compared are compared."""
    ours, stock = TruncatedSVD(**parameters), sklearn.decomposition.TruncatedSVD(**parameters)
    actual, expected = (outcome(lambda model=model: model.fit_transform(X)) for model in (ours, stock))
    if isinstance(expected[0], type):
        assert actual == expected
        return actual
    assert actual[1] == expected[1]
    assert vars(ours).keys() == vars(stock).keys()
    kept = slice(n_compared)
    for name in ATTRIBUTES:
        mine, theirs = getattr(ours, name), getattr(stock, name)
        assert mine.dtype == theirs.dtype, name
        assert mine.shape == theirs.shape, name
        scale = np.abs(theirs).max() if theirs.size else 0
        assert_allclose(mine[kept], theirs[kept], atol=relative * scale, rtol=relative, err_msg=name)
    assert actual[0].dtype == expected[0].dtype
    assert actual[0].shape == expected[0].shape
    scale = stock.singular_values_[0]
    assert_allclose(actual[0][:, kept], expected[0][:, kept], atol=relative * scale)
    transformed = stock.transform(X)
    assert ours.transform(X).dtype == transformed.dtype
    assert_allclose(ours.transform(X)[:, kept], transformed[:, kept], atol=relative * scale)
    if n_compared is None:
        back = stock.inverse_transform(transformed)
        assert_allclose(ours.inverse_transform(transformed), back, atol=relative * scale)
    return actual


def samples(shape, density, dtype, layout, index=np.int32, seed=0):
    """Return sparse samples with some empty rows, indices out of order, and some of them twice."""
    rng = np.random.RandomState(seed)
    X = sp.random(*shape, density, format="coo", random_state=rng)
    kept = X.row % 7 != 3
    rows, cols, values = X.row[kept], X.col[kept], X.data[kept]
    # Values near one another lead to singular values that are; columns of different sizes keep them apart.
    values = (values * 0.9 ** (cols % 23)).astype(dtype)
    if layout == "dense":
        return sp.coo_array((values, (rows, cols)), shape=shape).toarray()
    order = rng.permutation(rows.size)
    order = order[np.argsort((rows if layout == "csr" else cols)[order], kind="stable")]
    major, minor = (rows, cols) if layout == "csr" else (cols, rows)
    counts = np.bincount(major, minlength=shape[0 if layout == "csr" else 1])
    offsets = np.r_[0, np.cumsum(counts)].astype(index)
    kind = sp.csr_array if layout == "csr" else sp.csc_array
    X = kind((values[order], minor[order].astype(index), offsets), shape=shape)
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    return X


@pytest.mark.parametrize("algorithm", ["randomized", "arpack"])
@pytest.mark.parametrize("shape", [(150, 60), (60, 150), (80, 80)], ids=["tall", "wide", "square"])
@pytest.mark.parametrize("layout", ["dense", "csr", "csc"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_layouts_and_types(algorithm, shape, layout, dtype):
    X = samples(shape, 0.2, dtype, layout)
    compare({"n_components": 5, "algorithm": algorithm, "random_state": 0}, X, RELATIVE[dtype])


@pytest.mark.parametrize("normalizer", ["auto", "QR", "LU", "none"])
@pytest.mark.parametrize("n_iter", [0, 1, 2, 3, 8])
@pytest.mark.parametrize("n_oversamples", [1, 30])
def test_options_of_the_randomized_algorithm(normalizer, n_iter, n_oversamples):
    if normalizer == "none" and n_iter == 8:
        n_iter = 4  # beyond, what is left of all but the first component is rounding
    X = samples((120, 70), 0.2, "f8", "csr")
    parameters = {
        "n_components": 4,
        "n_iter": n_iter,
        "n_oversamples": n_oversamples,
        "power_iteration_normalizer": normalizer,
        "random_state": 1,
    }
    compare(parameters, X, 1e-6 if normalizer == "none" else RELATIVE["f8"])


@pytest.mark.parametrize("tol", [0.0, 1e-6, 0.1])
@pytest.mark.parametrize("layout", ["dense", "csr", "csc"])
def test_tolerance_of_arpack(tol, layout):
    X = samples((90, 50), 0.2, "f8", layout)
    parameters = {"n_components": 4, "algorithm": "arpack", "tol": tol, "random_state": 0}
    compare(parameters, X, max(RELATIVE["f8"], tol))


@pytest.mark.parametrize("index", [np.int32, np.int64], ids=lambda index: index.__name__)
@pytest.mark.parametrize("layout", ["csr", "csc"])
@pytest.mark.parametrize("algorithm", ["randomized", "arpack"])
def test_indices_of_either_width(index, layout, algorithm):
    X = samples((90, 50), 0.3, "f8", layout, index)
    X = type(X)((np.tile(X.data, 1), X.indices, X.indptr), shape=X.shape)
    compare({"n_components": 3, "algorithm": algorithm, "random_state": 0}, X, RELATIVE["f8"])


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csr_array, sp.csc_matrix, sp.coo_array, sp.lil_matrix, list])
@pytest.mark.parametrize("algorithm", ["randomized", "arpack"])
@pytest.mark.parametrize("dtype", ["f8", "i8", "i4", "?"])
def test_containers_and_numbers(container, algorithm, dtype):
    dense = (samples((40, 30), 0.4, "f8", "dense") * 10).round().astype(dtype)
    X = dense.tolist() if container is list else container(dense)
    compare({"n_components": 3, "algorithm": algorithm, "random_state": 0}, X, RELATIVE["f8"])


@pytest.mark.parametrize("algorithm", ["randomized", "arpack"])
def test_half_precision(algorithm):
    X = samples((40, 30), 0.4, "f8", "dense").astype(np.float16)
    compare({"n_components": 3, "algorithm": algorithm, "random_state": 0}, X, RELATIVE["f8"])


@pytest.mark.parametrize("algorithm", ["randomized", "arpack"])
@pytest.mark.parametrize("n_components", [1, 7, 8, 9, 11, 12, 13, 20])
@pytest.mark.parametrize("shape", [(12, 8), (8, 12), (8, 8)], ids=str)
@pytest.mark.parametrize("layout", ["dense", "csr"])
def test_limits_of_the_number_of_components(algorithm, n_components, shape, layout):
    X = samples(shape, 0.9, "f8", layout)
    rank = np.linalg.matrix_rank(X if layout == "dense" else X.toarray())
    parameters = {"n_components": n_components, "algorithm": algorithm, "random_state": 0}
    # Vectors beyond the rank are arbitrary.
    compare(parameters, X, RELATIVE["f8"], n_compared=min(rank, n_components))


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_components": 0},
        {"n_components": 2.5},
        {"algorithm": "lanczos"},
        {"n_iter": -1},
        {"n_iter": "auto"},
        {"n_oversamples": 0},
        {"power_iteration_normalizer": "SVD"},
        {"tol": -1.0},
        {"random_state": "seed"},
    ],
    ids=str,
)
def test_parameters_that_are_refused(parameters):
    error, message = compare(parameters, samples((20, 10), 0.3, "f8", "csr"), 0)
    assert issubclass(error, ValueError)
    assert next(iter(parameters)) in message


@pytest.mark.parametrize(
    "X",
    [
        np.ones((5, 1)),
        np.ones(5),
        np.ones((0, 3)),
        np.array([["a", "b"], ["c", "d"]]),
        np.array([[1, np.nan], [2, 3]]),
        sp.csr_array(np.ones((5, 1))),
        sp.csr_array(np.array([[1, np.inf], [2, 3]])),
        np.ones((4, 3), complex),
    ],
    ids=["one column", "one dimension", "no rows", "strings", "nan", "one sparse column", "sparse inf", "complex"],
)
def test_samples_that_are_refused(X):
    error, _ = compare({"n_components": 1, "random_state": 0}, X, 0)
    assert issubclass(error, ValueError)


def test_samples_without_values():
    """Components are arbitrary, all else is zero, or what zero by zero is."""
    compare({"n_components": 1, "random_state": 0}, sp.csr_array((6, 4)), 0, n_compared=0)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(2, 60),
    cols=st.integers(2, 60),
    density=st.sampled_from([0.05, 0.3, 1.0]),
    layout=st.sampled_from(["dense", "csr", "csc"]),
    index=st.sampled_from([np.int32, np.int64]),
    n_components=st.integers(1, 8),
    n_iter=st.integers(3, 7),
    n_oversamples=st.integers(1, 20),
    normalizer=st.sampled_from(["auto", "QR", "LU"]),
    seed=st.integers(0, 10**6),
)
def test_random_cases(rows, cols, density, layout, index, n_components, n_iter, n_oversamples, normalizer, seed):
    X = samples((rows, cols), density, "f8", layout, index, seed)
    parameters = {
        "n_components": n_components,
        "n_iter": n_iter,
        "n_oversamples": n_oversamples,
        "power_iteration_normalizer": normalizer,
        "random_state": seed,
    }
    values = np.linalg.svd(X if layout == "dense" else X.toarray(), compute_uv=False)
    # Vectors of singular values that are equal, or zero, are arbitrary; of near ones some digits are.
    apart = (values > 1e-5 * max(values[0], 1e-300)) & (np.abs(np.diff(values, append=-1)) > 1e-3 * values[0])
    n_compared = min(n_components, len(values) if apart.all() else int(np.argmin(apart)))
    compare(parameters, X, 1e-6, n_compared=n_compared)
