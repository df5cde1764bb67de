"""The example that draws support vectors finds them, and writes its pictures."""

import importlib.util
import re
import sys

import numpy as np
import pytest
from conftest import ROOT


@pytest.fixture
def example():
    path = ROOT / "examples" / "support_vectors.py"
    specification = importlib.util.spec_from_file_location("support_vectors", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_pictures_are_drawn(example, monkeypatch, capsys, tmp_path):
    pytest.importorskip("matplotlib", reason="draws the pictures")
    folder = tmp_path / "pictures"
    monkeypatch.setattr(sys, "argv", ["support_vectors.py", "--pictures", str(folder)])
    monkeypatch.setattr(example, "PIXELS", 20)
    example.main()
    said = capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == ["support_vectors_iris.png", "support_vectors_moons.png"]
    accuracies = [float(number) for number in re.findall(r"on the others ([\d.]+)%", said)]
    assert len(accuracies) == 2 * len(example.PENALTIES) * len(example.KERNELS)
    assert min(accuracies) > 75  # guessing gives 50 %


@pytest.mark.parametrize("name", ["iris", "moons"])
def test_support_vectors_are_those_not_beyond_the_margin(example, name):
    X, y, _ = example.DATA[name]()
    for kernel in example.KERNELS:
        few, many = (len(example.fit(X, y, kernel, C)[-1].support_) for C in (10.0, 0.1))
        assert few < many
        model = example.fit(X, y, kernel, 1.0)
        margins = np.where(y == model.classes_[1], 1, -1) * model.decision_function(X)
        others = np.setdiff1d(np.arange(len(X)), model[-1].support_)
        assert np.all(margins[others] >= 1 - 1e-2)
        assert np.all(margins[model[-1].support_] <= 1 + 1e-2)
