"""Files of states: what comes back, what other readers of the format see, and what a bad file does."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from fastml import nn
from fastml.nn.checkpoints import load_checkpoint, save_checkpoint


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
    assert list(loaded) == sorted(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].shape == np.shape(array)
        assert loaded[name].dtype == np.asarray(array).dtype.newbyteorder("=")
        assert loaded[name].flags.writeable
    with pytest.raises(TypeError, match="complex128"):
        nn.save_arrays({"z": np.ones(1, complex)}, tmp_path / "x")
    np.testing.assert_array_equal(nn.load_arrays(tmp_path / "x")["i64"], np.arange(3))


def read_by_hand(path):
    """Return the arrays of a safetensors file as the format is described: a header's length, the header, the arrays."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    types = {"F32": np.float32, "F64": np.float64, "I64": np.int64}
    return {
        name: np.frombuffer(content[start:][slice(*entry["data_offsets"])], types[entry["dtype"]]).reshape(
            entry["shape"]
        )
        for name, entry in header.items()
    }


def test_the_file_is_what_the_format_says(tmp_path):
    module = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5))
    module.save(tmp_path / "x")
    found = read_by_hand(tmp_path / "x")
    assert found.keys() == module.state_dict().keys()
    for name, array in module.state_dict().items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_without_the_library_it_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "x"
    model().save(path)
    whole = path.read_bytes()
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"pip install 'fastml\[nn\]'"):
        model().save(path)
    with pytest.raises(ImportError, match=r"pip install 'fastml\[nn\]'"):
        model().load(path)
    assert path.read_bytes() == whole


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


def test_types_that_are_not_converted_load_nothing():
    module = model()
    before = {name: array.copy() for name, array in module.state_dict().items()}
    # Floats are converted to each other; counts stay integers.
    state = {name: array.astype(np.float64) + 1 if array.dtype.kind == "f" else array for name, array in before.items()}
    state["3.bias"] = state["3.bias"].astype(complex)
    with pytest.raises(ValueError, match=r"nothing was loaded:\n  type of 3.bias: complex128 given, float32 expected$"):
        module.load_state_dict(state)
    for name, array in module.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    state["3.bias"] = state["3.bias"].real
    module.load_state_dict(state)
    np.testing.assert_allclose(module.state_dict()["3.bias"], before["3.bias"] + 1, rtol=1e-6)


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


# What ends a process while it writes: the system, at a byte of the file in the middle, or SIGKILL, at the last moment
# before the new file takes the old one's place.
ENDS = {
    "within": (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); signal.signal(signal.SIGXFSZ, signal.SIG_DFL)",
        signal.SIGXFSZ,
    ),
    "behind": ("os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)", signal.SIGKILL),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("make", "save"),
    [
        ("nn.Linear(500, 300, rng={})", "state.save(path)"),
        ("{{'weights': np.full((500, 300), {})}}", "save_checkpoint(path, state)"),
    ],
    ids=["module", "checkpoint"],
)
def test_a_process_killed_while_it_writes_leaves_the_old_file(tmp_path, make, save, end):
    path = tmp_path / "x"
    how, expected = ENDS[end]
    script = f"""
        import os, resource, signal
        import numpy as np
        from fastml import nn
        from fastml.nn.checkpoints import save_checkpoint

        path = {str(path)!r}
        state = {make.format(0)}
        {save}
        print("saved", flush=True)
        {how}
        state = {make.format(1)}
        {save}
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, check=False)
    assert done.stdout == b"saved\n", done.stderr.decode()
    assert done.returncode == -expected, done.stderr.decode()
    parts = [p for p in tmp_path.iterdir() if p != path]
    assert [p.suffix for p in parts] == [".part"]
    assert parts[0].stat().st_size == 200_000 or end == "behind"
    if "nn" in make:
        loaded, expected = nn.Linear(500, 300).load(path).weight.data, nn.Linear(500, 300, rng=0).weight.data
    else:
        loaded, expected = load_checkpoint(path)["weights"], np.zeros((500, 300))
    np.testing.assert_array_equal(loaded, expected)


@pytest.mark.parametrize("damage", [lambda b: b[:5], lambda b: b[:-3], lambda b: b[:40], lambda b: b"\xff" * 8 + b[8:]])
def test_damaged_files_are_rejected(tmp_path, damage):
    path = tmp_path / "x"
    model().save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        model().load(path)


def test_files_have_the_rights_of_any_other(tmp_path):
    model().save(tmp_path / "x")
    save_checkpoint(tmp_path / "z", {})
    (tmp_path / "y").write_bytes(b"")
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode == (tmp_path / "z").stat().st_mode
