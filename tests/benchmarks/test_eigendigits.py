"""The example that draws principal components restores digits, the better the more of them it uses."""

import importlib.util
import re
import sys

import numpy as np
import pytest
from conftest import ROOT
from sklearn.decomposition import PCA


@pytest.fixture
def example():
    path = ROOT / "examples" / "eigendigits.py"
    specification = importlib.util.spec_from_file_location("eigendigits", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_pictures_are_drawn_and_errors_fall(example, monkeypatch, capsys, tmp_path):
    pytest.importorskip("matplotlib", reason="draws the pictures")
    folder = tmp_path / "pictures"
    monkeypatch.setattr(sys, "argv", ["eigendigits.py", "--pictures", str(folder)])
    example.main()
    said = capsys.readouterr().out
    assert "scikit-learn's digits: 1437 images to learn from, 360 others, 8 x 8 pixels" in said
    rows = np.array(re.findall(r"^ +(\d+) +([\d.]+)% +([\d.]+) +([\d.]+)$", said, re.MULTILINE), dtype=float)
    np.testing.assert_array_equal(rows[:, 0], [number for number in example.NUMBERS if number < 64])
    assert np.all(np.diff(rows[:, 1]) > 0)
    assert np.all(np.diff(rows[:, 2:], axis=0) < 0)
    assert rows[-1, 3] < 0.01  # nearly all components leave nearly no error, on images not learnt from too
    written = sorted(path.name for path in folder.iterdir())
    assert written == ["eigendigits.png", "error_by_components.png", "restored_digits.png"]


def test_restoring_is_the_inverse_transform_of_fewer_components(example):
    X, origin = example.read_images(None)
    assert origin == "scikit-learn's digits"
    few, many = PCA(5, svd_solver="full").fit(X), PCA(20, svd_solver="full").fit(X)
    expected = few.inverse_transform(few.transform(X))
    np.testing.assert_allclose(example.restore(many, X, 5), expected, atol=1e-4)  # float32 pixels of at most 1
