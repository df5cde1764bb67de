"""What may be given as samples and weights, to both estimators: the answer is that for a plain array."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from against_sklearn import ESTIMATORS, STOCK, assert_same_model, assert_same_outcome, blobs
from numpy.testing import assert_allclose, assert_array_equal

X = np.round(blobs(200, 3, seed=2), 2)
NAMES = ["height", "width", "depth"]
WEIGHTS = np.random.RandomState(0).uniform(size=len(X))


def read_only_memmap(tmp_path, dtype=np.float64):
    np.save(tmp_path / "X.npy", X.astype(dtype))
    return np.load(tmp_path / "X.npy", mmap_mode="r")


def unaligned(X):
    raw = np.zeros(X.nbytes + 1, dtype=np.uint8)
    view = raw[1:].view(X.dtype).reshape(X.shape)
    view[:] = X
    assert not view.flags.aligned
    return view


# name: (the input, the values it stands for)
INPUTS = {
    "list": (X.tolist(), X),
    "tuple of tuples": (tuple(map(tuple, X)), X),
    "Fortran order": (np.asfortranarray(X), X),
    "every other row": (np.repeat(X, 2, axis=0)[::2], X),
    "every other column": (np.repeat(X, 2, axis=1)[:, ::2], X),
    "backwards": (X[::-1, ::-1].copy()[::-1, ::-1], X),
    "unaligned": (unaligned(X), X),
    "big-endian": (X.astype(">f8"), X),
    "subclass": (X.view(type("Array", (np.ndarray,), {})), X),
    "float16": (X.astype(np.float16), X.astype(np.float16).astype(np.float64)),
    "longdouble": (X.astype(np.longdouble), X),
    "object": (X.astype(object), X),
    "Python numbers in objects": (np.array(X.tolist(), dtype=object), X),
    "strings of numbers in objects": (X.astype(str).astype(object), X),
    "dates": ((X * 100).astype(np.int64).astype("datetime64[s]"), (X * 100).astype(np.int64).astype(np.float64)),
    "int64": ((X * 100).astype(np.int64), (X * 100).astype(np.int64).astype(np.float64)),
    "int8": (X.astype(np.int8), X.astype(np.int8).astype(np.float64)),
    "uint16": (np.abs(X * 100).astype(np.uint16), np.abs(X * 100).astype(np.uint16).astype(np.float64)),
    "pandas": (pd.DataFrame(X, columns=NAMES), X),
    "pandas, mixed types": (pd.DataFrame(X, columns=NAMES).astype({"height": np.float32}), None),
    "pandas, nullable": (pd.DataFrame(X, columns=NAMES).astype("Float64"), X),
    "polars": (pl.DataFrame(X, schema=NAMES), X),
}
SPARSE = {
    "csr": sp.csr_matrix,
    "csc": sp.csc_matrix,
    "coo": sp.coo_matrix,
    "lil": sp.lil_matrix,
    "csr array": sp.csr_array,
    "csc array": sp.csc_array,
}


def few(cls, **parameters):
    """Return an estimator whose clusters are few enough for rounded data to stay clear of ties."""
    return cls(n_clusters=2, random_state=0, n_init=1, **parameters)


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("name", INPUTS)
def test_dense(cls, name):
    given, plain = INPUTS[name]
    ours, stock = assert_same_outcome(cls, lambda cls: few(cls).fit(given))
    assert_same_model(ours.value, stock.value)
    assert_array_equal(ours.value.predict(given), stock.value.predict(given))
    assert_allclose(ours.value.transform(given), stock.value.transform(given), rtol=1e-9)
    if plain is not None:
        assert_array_equal(ours.value.cluster_centers_, few(cls).fit(plain).cluster_centers_)


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_read_only_memmap(cls, tmp_path, dtype):
    given = read_only_memmap(tmp_path, dtype)
    assert not given.flags.writeable
    model = few(cls).fit(given)
    assert_same_model(model, few(cls).fit(X.astype(dtype)))
    assert_array_equal(model.predict(given), model.predict(X.astype(dtype)))


def test_read_only_samples_need_no_copy(tmp_path):
    # scikit-learn's copy_x=False writes into X, which it cannot here. Ours does not.
    given = read_only_memmap(tmp_path)
    assert_same_model(few(ESTIMATORS[0], copy_x=False).fit(given), few(ESTIMATORS[0]).fit(X))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_read_only_sparse(cls):
    given = sp.csr_matrix(X)
    for part in given.data, given.indices, given.indptr:
        part.flags.writeable = False
    model = few(cls).fit(given)
    assert_same_model(model, few(cls).fit(sp.csr_matrix(X)))
    assert_array_equal(model.predict(given), model.labels_)


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("storage", SPARSE)
def test_sparse(cls, storage, dtype):
    given = SPARSE[storage](np.where(np.abs(X) < 4, 0, X).astype(dtype))
    ours, stock = few(cls).fit(given), few(STOCK[cls]).fit(given)
    assert_same_model(ours, stock)
    assert_array_equal(ours.predict(given), stock.predict(given))
    # scikit-learn's float32 distances from sparse rows are rounded before the norms cancel.
    assert_allclose(ours.transform(given), stock.transform(given), rtol=1e-5, atol=5e-6)
    assert isinstance(ours.transform(given), np.ndarray)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_sparse_with_unsorted_indices(cls):
    tidy = sp.csr_matrix(np.where(np.abs(X) < 4, 0, X))
    order = np.concatenate([np.arange(b - 1, a - 1, -1) for a, b in zip(tidy.indptr[:-1], tidy.indptr[1:])])
    unsorted = sp.csr_matrix((tidy.data[order], tidy.indices[order], tidy.indptr), shape=tidy.shape)
    assert not unsorted.has_sorted_indices
    assert_same_model(few(cls).fit(unsorted), few(cls).fit(tidy))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_sparse_with_explicit_zeros(cls):
    tidy = sp.csr_matrix(np.where(np.abs(X) < 4, 0, X))
    full = sp.csr_matrix(X)
    full.data[np.abs(full.data) < 4] = 0
    assert full.nnz > tidy.nnz
    assert_same_model(few(cls).fit(full), few(cls).fit(tidy))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_dense_and_sparse_agree(cls):
    dense, sparse = few(cls).fit(X), few(cls).fit(sp.csr_matrix(X))
    assert_array_equal(dense.labels_, sparse.labels_)
    assert_allclose(dense.cluster_centers_, sparse.cluster_centers_, rtol=1e-9)
    assert_array_equal(sparse.predict(X), dense.predict(sp.csr_matrix(X)))


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("indices", [np.int32, np.int64])
def test_sparse_indices_of_either_width(cls, indices):
    given = sp.csr_matrix(X)
    given.indices, given.indptr = given.indices.astype(indices), given.indptr.astype(indices)
    ours, stock = assert_same_outcome(cls, lambda cls: few(cls).fit(given))
    if stock.error is None:
        assert_same_model(ours.value, stock.value)


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize(
    "weights",
    [
        WEIGHTS,
        WEIGHTS.astype(np.float32),
        WEIGHTS.tolist(),
        pd.Series(WEIGHTS),
        pl.Series(WEIGHTS),
        (WEIGHTS * 10).astype(int),
        np.repeat(WEIGHTS, 2)[::2],
        np.where(WEIGHTS < 0.5, 0, WEIGHTS),
        np.where(WEIGHTS < 0.5, -WEIGHTS, WEIGHTS),
        2,
        2.5,
    ],
    ids=["float64", "float32", "list", "pandas", "polars", "int", "strided", "zeros", "negative", "2", "2.5"],
)
def test_weights(cls, weights):
    ours, stock = assert_same_outcome(cls, lambda cls: few(cls).fit(X, sample_weight=weights))
    if stock.error is None:
        assert_same_model(ours.value, stock.value)
        assert_allclose(
            ours.value.score(X, sample_weight=weights), stock.value.score(X, sample_weight=weights), rtol=1e-9
        )


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_of_another_float_type_than_the_samples(cls, dtype):
    other = np.float64 if dtype is np.float32 else np.float32
    ours = few(cls).fit(X.astype(dtype), sample_weight=WEIGHTS.astype(other))
    assert_same_model(ours, few(STOCK[cls]).fit(X.astype(dtype), sample_weight=WEIGHTS.astype(other)))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_feature_names(cls):
    frame = pd.DataFrame(X, columns=NAMES)
    model = few(cls).fit(frame)
    assert model.feature_names_in_.tolist() == NAMES
    assert model.n_features_in_ == 3
    assert model.get_feature_names_out().tolist() == [f"{cls.__name__.lower()}{i}" for i in range(2)]
    model.fit(X)
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize(("kind", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_frames_come_out_where_asked_for(cls, kind, frame):
    ours, stock = few(cls).set_output(transform=kind), few(STOCK[cls]).set_output(transform=kind)
    out, expected = ours.fit_transform(X), stock.fit_transform(X)
    assert isinstance(out, frame)
    assert list(out.columns) == list(expected.columns)
    assert_allclose(out.to_numpy(), expected.to_numpy(), rtol=1e-9)
    assert isinstance(ours.transform(X), frame)
    index = pd.DataFrame(X, index=np.arange(len(X)) + 7)
    if kind == "pandas":
        assert ours.fit(index).transform(index).index.equals(index.index)


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("n_samples", [1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 129, 200])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_number_of_rows_is_labelled(cls, n_samples, dtype):
    # Kernels work in tiles: what is left over at their ends must be labelled all the same.
    rows = X[:n_samples].astype(dtype)
    model = cls(5, random_state=0).fit(X.astype(dtype))
    centers = model.cluster_centers_.astype(np.float64)
    expected = ((rows.astype(np.float64)[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    assert_array_equal(model.predict(rows), expected)
    assert_array_equal(model.predict(sp.csr_matrix(rows)), expected)


@pytest.mark.parametrize("n_features", [1, 2, 7, 8, 9, 31, 33, 100])
@pytest.mark.parametrize("n_clusters", [1, 2, 5, 8, 17, 33])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_width(n_features, n_clusters, dtype):
    rows = blobs(150, n_features, 8, seed=n_features, dtype=dtype)
    for cls in ESTIMATORS:
        ours = cls(n_clusters, random_state=1, max_iter=5).fit(rows)
        stock = STOCK[cls](n_clusters, random_state=1, max_iter=5).fit(rows)
        assert_same_model(ours, stock)
        assert_array_equal(ours.predict(rows), stock.predict(rows))
