"""The tables of workloads can be run: everything they name is there, and data come out as asked for."""

import gzip

import numpy as np
import pytest

from benchmarks import datasets
from benchmarks.contenders import CONTENDERS
from benchmarks.families import FAMILIES
from benchmarks.workload import resolve

WORKLOADS = [workload for workloads in FAMILIES.values() for workload in workloads]


def test_names_are_unique_and_start_with_the_family():
    names = [workload.name for workload in WORKLOADS]
    assert len(set(names)) == len(names)
    for family, workloads in FAMILIES.items():
        assert all(workload.name.startswith(f"{family}/") for workload in workloads)


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_everything_a_workload_names_is_there(workload):
    for named in (workload.data, workload.task, workload.check):
        assert callable(resolve(named.path))
    assert set(workload.contenders) <= set(CONTENDERS)
    assert workload.baseline in workload.contenders
    assert workload.goal is None or workload.goal.over in {"best peer", *workload.contenders}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("generator", "arguments", "shape"),
    [
        ("overlapping_blobs", {"rows": 300, "features": 5, "centers": 4, "separation": 3.0}, (300, 5)),
        ("uniform", {"rows": 300, "features": 5, "starts": 4}, (300, 5)),
        ("digit_images", {"rows": 2000, "starts": 10}, (2000, 784)),
        ("sparse_texts", {"rows": 200, "features": 500, "density": 0.02, "starts": 5}, (200, 500)),
        ("iris", {}, (150, 4)),
    ],
)
def test_samples_are_the_same_each_time(generator, arguments, shape, dtype):
    make = getattr(datasets, generator)
    samples, again = make(**arguments, dtype=dtype), make(**arguments, dtype=dtype)
    X, X_again = (made.X.toarray() if hasattr(made.X, "toarray") else made.X for made in (samples, again))
    assert X.shape == shape
    assert X.dtype == samples.starts.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(X, X_again)
    np.testing.assert_array_equal(samples.starts, again.starts)


def test_starts_are_rows_of_dense_samples():
    samples = datasets.uniform(rows=300, features=5, starts=4, dtype="float32")
    for start in samples.starts:
        assert (start == samples.X).all(axis=1).any()


def test_sparse_texts_are_unit_rows_of_about_the_density_asked_for():
    X = datasets.sparse_texts(rows=500, features=1000, density=0.02, starts=5, dtype="float64").X
    np.testing.assert_allclose(np.sqrt(X.multiply(X).sum(axis=1)), 1.0)
    assert 0.01 < X.nnz / (500 * 1000) <= 0.02  # a word drawn twice is one entry


def test_digit_images_come_from_the_data_folder_when_it_has_them(tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(12, 784), dtype=np.uint8)
    with gzip.open(tmp_path / datasets.MNIST_IMAGES, "wb") as file:
        file.write(bytes(datasets.IDX_HEADER_BYTES) + pixels.tobytes())
    samples = datasets.digit_images(rows=20, starts=3, dtype="float32", data_dir=tmp_path)
    assert samples.origin == "MNIST"
    np.testing.assert_array_equal(samples.X[:12], (pixels / 255.0).astype(np.float32))
    np.testing.assert_allclose(samples.X[12:].sum(axis=1), samples.X[:8].sum(axis=1), rtol=1e-5)  # moved, all there
