"""Files of states: what comes back, what other readers of the format see, and what a bad file does."""

import os

import numpy as np
import pytest

from fastml import nn


def model(width=5):
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 2))


def test_a_state_comes_back_to_the_bit(tmp_path):
    first, second = model(), model()
    first(np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32))
    path = tmp_path / "model.safetensors"
    first.save(path)
    assert second.load(path) is second
    for name, array in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[name], array)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_arrays_of_all_types(tmp_path):
    arrays = {
        "f64": np.arange(6.0).reshape(2, 3).T,
        "f32": np.float32(2.5),
        "i64": np.arange(3),
        "u8": np.zeros((0, 3), np.uint8),
        "bool": np.array([True, False]),
        "big": np.arange(3, dtype=">f8"),
    }
    nn.save_arrays(arrays, tmp_path / "x", metadata={"by": "test"})
    loaded = nn.load_arrays(tmp_path / "x")
    assert list(loaded) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].shape == np.shape(array)
    with pytest.raises(TypeError, match="complex128"):
        nn.save_arrays({"z": np.ones(1, complex)}, tmp_path / "x")
    np.testing.assert_array_equal(nn.load_arrays(tmp_path / "x")["i64"], np.arange(3))


def test_the_library_safetensors_reads_and_writes_the_same(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy", reason="the format's own library is not installed")
    state = model().state_dict()
    nn.save_arrays(state, tmp_path / "ours")
    theirs = safetensors.load_file(tmp_path / "ours")
    safetensors.save_file(state, tmp_path / "theirs")
    ours = nn.load_arrays(tmp_path / "theirs")
    assert set(theirs) == set(ours) == set(state)
    for name, array in state.items():
        np.testing.assert_array_equal(theirs[name], array)
        np.testing.assert_array_equal(ours[name], array)


def test_another_architecture_loads_nothing_and_lists_what_differs(tmp_path):
    path = tmp_path / "x"
    nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).save(path)
    other = model()
    before = {name: array.copy() for name, array in other.state_dict().items()}
    with pytest.raises(ValueError, match="nothing was loaded") as error:
        other.load(path)
    for line in (
        "missing: 1.running_mean (5,)",
        "missing: 3.weight (2, 5)",
        "shape of 0.weight: (4, 3) given, (5, 3) expected",
        "shape of 1.weight: (2, 4) given, (5,) expected",
    ):
        assert line in str(error.value)
    for name, array in other.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x"
    first = model()
    first.save(path)
    whole = path.read_bytes()

    def fail(*args):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        model().save(path)
    assert path.read_bytes() == whole
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", [lambda b: b[:5], lambda b: b[:-3], lambda b: b[:40], lambda b: b"\xff" * 8 + b[8:]])
def test_damaged_files_are_rejected(tmp_path, damage):
    path = tmp_path / "x"
    model().save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        model().load(path)


def test_files_have_the_rights_of_any_other(tmp_path):
    model().save(tmp_path / "x")
    (tmp_path / "y").write_bytes(b"")
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode
