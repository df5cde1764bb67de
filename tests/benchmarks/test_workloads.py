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
    assert {goal.over for goal in workload.goals} <= {"best peer", *workload.contenders}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("generator", "arguments", "shape"),
    [
        ("overlapping_blobs", {"rows": 300, "features": 5, "centers": 4, "separation": 3.0}, (300, 5)),
        ("blobs_in_noise", {"rows": 300, "features": 5, "centers": 4, "noise": 0.1}, (300, 5)),
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


@pytest.mark.parametrize(
    ("generator", "arguments", "shape"),
    [
        ("classes", {"rows": 300, "features": 8, "held_out": 40}, (300, 8)),
        ("numbers", {"rows": 300, "features": 8, "held_out": 40}, (300, 8)),
        ("letters", {}, (1438, 64)),  # the bundled digits, four rows in five
        ("adult", {}, (456, 30)),
        ("digits", {}, (1438, 784)),
    ],
)
def test_labelled_rows_are_the_same_each_time_and_some_are_held_out(generator, arguments, shape):
    make = getattr(datasets, generator)
    made, again = make(**arguments, dtype="float32"), make(**arguments, dtype="float32")
    assert made.X.shape == shape
    assert made.X.dtype == made.X_held_out.dtype == np.float32
    assert (len(made.y), len(made.y_held_out)) == (len(made.X), len(made.X_held_out))
    assert len(made.X_held_out) == arguments.get("held_out", len(made.X_held_out)) > 0
    for name in ("X", "y", "X_held_out", "y_held_out"):
        np.testing.assert_array_equal(getattr(made, name), getattr(again, name))


def test_rounded_classes_have_about_as_many_values_as_asked_for():
    X = datasets.classes(rows=3000, features=4, held_out=10, values=50, dtype="float32").X
    assert all(25 < len(np.unique(column)) <= 51 for column in X.T)


def test_letters_come_from_the_data_folder_when_it_has_them(tmp_path):
    (tmp_path / datasets.LETTERS).write_text("Letter,1,2\n" + "\n".join(f"{'ACT'[i % 3]},{i},7" for i in range(10)))
    made = datasets.letters(dtype="float32", data_dir=tmp_path)
    assert made.origin == "letters"
    assert (made.X.shape, made.X_held_out.shape) == ((8, 2), (2, 2))
    np.testing.assert_array_equal(made.y, made.X[:, 0] % 3)


def test_words_of_the_census_become_numbers(tmp_path):
    lines = ["39, State-gov, <=50K", "50, Private, >50K", "38, ?, <=50K", "53, Private, <=50K", "28, Private, >50K"]
    (tmp_path / datasets.ADULT).write_text("\n".join(lines) + "\n\n")
    made = datasets.adult(dtype="float32", data_dir=tmp_path)
    rows = np.concatenate([made.X, made.X_held_out])
    labels = np.concatenate([made.y, made.y_held_out])
    order = np.argsort(rows[:, 0])
    np.testing.assert_array_equal(rows[order], [[28, 1], [38, 0], [39, 2], [50, 1], [53, 1]])
    np.testing.assert_array_equal(labels[order], [1, 0, 0, 1, 0])


def test_digits_have_the_labels_of_their_images(tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(10, 784), dtype=np.uint8)
    with gzip.open(tmp_path / datasets.MNIST_IMAGES, "wb") as file:
        file.write(bytes(datasets.IDX_HEADER_BYTES) + pixels.tobytes())
    with gzip.open(tmp_path / datasets.MNIST_LABELS, "wb") as file:
        file.write(bytes(8) + bytes(range(10)))
    made = datasets.digits(dtype="float32", data_dir=tmp_path)
    assert made.origin == "MNIST"
    np.testing.assert_array_equal(made.X, (pixels[made.y] / 255.0).astype(np.float32))


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
