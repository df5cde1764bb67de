"""The example that reads digits learns to, and writes its pictures; it finds MNIST's files."""

import gzip
import importlib.util
import re
import sys

import numpy as np
import pytest
from conftest import ROOT


@pytest.fixture
def example():
    path = ROOT / "examples" / "convolutional_digits.py"
    specification = importlib.util.spec_from_file_location("convolutional_digits", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_digits_are_read_and_drawn(example, monkeypatch, capsys, tmp_path):
    pytest.importorskip("matplotlib", reason="draws the pictures")
    folder = tmp_path / "pictures"
    monkeypatch.setattr(sys, "argv", ["convolutional_digits.py", "--epochs", "3", "--pictures", str(folder)])
    example.main()
    said = capsys.readouterr().out
    assert "scikit-learn's digits: 1437 images to learn from, 360 others, 8 x 8 pixels" in said
    # Three epochs give about 98 %, and guessing 10 %.
    assert float(re.search(r"accuracy on the others: ([\d.]+)%", said)[1]) > 90
    written = sorted(path.name for path in folder.iterdir())
    assert written == ["filters.png", "learning_curve.png", "misclassified.png", "saliency.png"]
    assert all(f"wrote {folder / name}" in said for name in written)


@pytest.mark.parametrize("prefix", ["", "mnist-"])
def test_files_of_mnist_are_read(example, tmp_path, prefix):
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    contents = (
        np.array([2051, 3, 28, 28], ">u4").tobytes() + images.tobytes(),
        np.array([2049, 3], ">u4").tobytes() + bytes([7, 0, 9]),
    )
    for name, content in zip(example.FILES, contents):
        (tmp_path / f"{prefix}{name}").write_bytes(gzip.compress(content))
    X, y, origin = example.read_digits(tmp_path)
    np.testing.assert_array_equal(X, (images / 255).astype(np.float32))
    assert y.tolist() == [7, 0, 9]
    assert origin == "MNIST"


def test_a_folder_without_them_is_an_error_that_names_them(example, tmp_path):
    with pytest.raises(SystemExit, match=r"has neither t10k-images-idx3-ubyte\.gz nor mnist-t10k"):
        example.read_digits(tmp_path)
