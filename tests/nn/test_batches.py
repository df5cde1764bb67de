"""Batches: every sample once an epoch, in a seeded order, from arrays of any layout."""

import numpy as np
import pytest
from scipy import sparse

from fastml import _core
from fastml.nn._seeding import manual_seed
from fastml.nn.batches import Batches, gather

RNG = np.random.default_rng(0)


def layouts(X):
    """Return the same matrix in several layouts."""
    wide = np.zeros((2 * len(X), X.shape[1] + 3), X.dtype)
    wide[::2, :-3] = X
    reversed_rows = X[::-1].copy()
    read_only = X.copy()
    read_only.flags.writeable = False
    return {
        "contiguous": X,
        "strided": wide[::2, :-3],
        "backwards": reversed_rows[::-1],
        "columns": np.asfortranarray(X),
        "read-only": read_only,
    }


@pytest.mark.parametrize("layout", ["contiguous", "strided", "backwards", "columns", "read-only"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int32])
@pytest.mark.parametrize("to", [None, np.float32, np.float64])
def test_gathers_what_numpy_does(layout, dtype, to):
    X = layouts(RNG.integers(0, 200, size=(40, 17)).astype(dtype))[layout]
    rows = RNG.integers(0, 40, size=23)
    actual = gather(X, rows, to)
    assert actual.flags.c_contiguous
    assert actual.dtype == (dtype if to is None else to)
    np.testing.assert_array_equal(actual, X[rows])


@pytest.mark.parametrize("shape", [(9,), (9, 0), (9, 4, 5), (9, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool, "U3", object])
def test_gathers_targets_of_any_kind(shape, dtype):
    y = RNG.integers(0, 2, size=shape).astype(dtype)
    rows = np.array([8, 8, 0, 3])
    for given in (y, y[::-1], np.asfortranarray(y)):
        actual = gather(given, rows)
        assert actual.dtype == y.dtype
        np.testing.assert_array_equal(actual, given[rows])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int16])
def test_scales(dtype):
    X = RNG.integers(0, 255, size=(30, 5)).astype(dtype)
    batches = Batches(X, batch_size=7, rng=0, dtype=np.float32, shift=[1, 2, 3, 4, 5], factor=1 / 255)
    expected = (X.astype(np.float32) - np.arange(1, 6, dtype=np.float32)) * np.float32(1 / 255)
    for shuffle in (False, True):
        batches.shuffle = shuffle
        seen = np.concatenate([batch for batch, _ in batches])
        assert seen.dtype == np.float32
        if shuffle:
            seen, sorted_rows = (rows[np.lexsort(rows.T)] for rows in (seen, expected))
            np.testing.assert_allclose(seen, sorted_rows, rtol=1e-6)
        else:
            np.testing.assert_allclose(seen, expected, rtol=1e-6)


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 3, 1, 2), (0, 2, 1, 3), (0, 3, 2, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int32])
@pytest.mark.parametrize("to", [None, np.float32, np.float64])
def test_images_stay_in_the_order_of_their_memory(axes, dtype, to):
    memory = RNG.integers(0, 200, size=(19, 4, 5, 3)).astype(dtype)
    rows = RNG.integers(0, 19, size=11)
    for contiguous in (memory, memory[::2], memory[::-1], memory[:, :1], memory[:, :, :, :1].copy()):
        X, at = contiguous.transpose(axes), rows % len(contiguous)
        actual = gather(X, at, to)
        assert actual.dtype == (dtype if to is None else to)
        np.testing.assert_array_equal(actual, X[at])
        if contiguous.flags.c_contiguous:
            assert actual.transpose(np.argsort(axes)).flags.c_contiguous
    for parts in (memory[:, ::2], memory[:, :, 1:], np.asfortranarray(memory), memory[:, :, ::-1]):
        np.testing.assert_array_equal(gather(parts.transpose(axes), rows, to), parts.transpose(axes)[rows])
    assert gather(memory.transpose(axes), rows[:0], to).shape == (0, *memory.transpose(axes).shape[1:])


@pytest.mark.parametrize("shuffle", [False, True])
def test_images_are_scaled(shuffle):
    memory = RNG.integers(0, 255, size=(10, 6, 5, 3)).astype(np.uint8)
    X = memory.transpose(0, 3, 1, 2)
    means = np.array([1.0, 2, 3]).reshape(3, 1, 1)
    batches = Batches(X, np.arange(10), 4, shuffle, 0, dtype=np.float32, shift=means, factor=1 / 255)
    for images, rows in batches:
        assert images.dtype == np.float32
        assert images.transpose(0, 2, 3, 1).flags.c_contiguous
        np.testing.assert_allclose(images, (X[rows] - means) / 255, rtol=1e-6)
    with pytest.raises(ValueError, match="broadcast"):
        Batches(X, dtype=np.float32, factor=np.ones(4))


def test_an_epoch_visits_every_sample_once():
    X, y = np.arange(46.0).reshape(23, 2), np.arange(23)
    batches = Batches(X, y, batch_size=5, rng=0)
    assert len(batches) == 5
    assert batches.sizes() == [5, 5, 5, 5, 3]
    first = [(a.copy(), b.copy()) for a, b in batches]
    assert [len(a) for a, _ in first] == [5, 5, 5, 5, 3]
    labels = np.concatenate([b for _, b in first])
    assert sorted(labels) == list(range(23))
    for a, b in first:
        np.testing.assert_array_equal(a, X[b])
    second = np.concatenate([b for _, b in batches])
    assert (second != labels).any()
    again = np.concatenate([b for _, b in Batches(X, y, batch_size=5, rng=0)])
    np.testing.assert_array_equal(again, labels)


def test_orders_come_from_the_given_generator():
    def order(rng):
        return np.concatenate([batch for batch, _ in Batches(np.arange(50), batch_size=8, rng=rng)])

    np.testing.assert_array_equal(order(np.random.default_rng(3)), order(3))
    np.testing.assert_array_equal(order(np.random.RandomState(3)), np.random.RandomState(3).permutation(50))
    manual_seed(4)
    first = order(None)
    manual_seed(4)
    np.testing.assert_array_equal(order(None), first)


def test_batches_in_order_are_views():
    X = np.arange(20.0).reshape(10, 2)
    parts = [batch for batch, _ in Batches(X, batch_size=4, shuffle=False)]
    np.testing.assert_array_equal(np.concatenate(parts), X)
    assert all(part.base is X.base or part.base is X for part in parts)
    converted = [batch for batch, _ in Batches(X, batch_size=4, shuffle=False, dtype=np.float32)]
    assert converted[0].dtype == np.float32
    np.testing.assert_array_equal(np.concatenate(converted), X)


def test_drop_last():
    batches = Batches(np.arange(10), batch_size=4, drop_last=True, rng=0)
    assert len(batches) == 2
    assert batches.n_samples == 8
    assert [len(batch) for batch, _ in batches] == [4, 4]
    assert list(Batches(np.arange(3), batch_size=4, drop_last=True)) == []


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"X has 3 samples, y has shape \(2,\)"):
        Batches(np.zeros((3, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="batch_size: expected at least 1, got 0"):
        Batches(np.zeros((3, 2)), batch_size=0)
    with pytest.raises(ValueError, match="X of two dimensions or more, got 1"):
        Batches(np.zeros(3), factor=2.0)
    with pytest.raises(ValueError, match="not to int64"):
        Batches(np.zeros((3, 2)), dtype=np.int64)
    with pytest.raises(ValueError, match="single number"):
        Batches(3.0)


def test_bindings_reject_what_leaves_an_array():
    X, batch = np.zeros((3, 2)), np.zeros((1, 2))
    for rows in ([3], [-1]):
        with pytest.raises(ValueError, match="out of range"):
            _core.nn_gather_rows(X, np.array(rows), None, None, batch, 1)
        with pytest.raises(ValueError, match="out of range"):
            _core.nn_gather_items(X, np.array(rows), batch)
    with pytest.raises(ValueError, match="another shape"):
        _core.nn_gather_rows(X, np.array([0, 1]), None, None, batch, 1)
    with pytest.raises(ValueError, match="another shape"):
        _core.nn_gather_items(X, np.array([0]), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="shift with a factor"):
        _core.nn_gather_rows(X, np.array([0]), np.zeros(2), None, batch, 1)
    with pytest.raises(ValueError, match="holds no objects"):
        _core.nn_gather_items(X.astype(object), np.array([0]), batch.astype(object))


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_of_sparse_rows_are_dense(shuffle):
    dense = np.where(np.random.default_rng(0).random((50, 7)) < 0.3, 2.5, 0.0)
    options = {"batch_size": 16, "shuffle": shuffle, "dtype": np.float32, "factor": 2.0, "drop_last": True}
    pairs = zip(
        Batches(sparse.csc_array(dense), np.arange(50), rng=0, **options),
        Batches(dense, np.arange(50), rng=0, **options),
        strict=True,
    )
    for (X, y), (expected, labels) in pairs:
        assert type(X) is np.ndarray
        assert X.dtype == np.float32
        np.testing.assert_array_equal(X, expected)
        np.testing.assert_array_equal(y, labels)
