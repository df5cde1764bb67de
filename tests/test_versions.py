"""What show_versions prints."""

import numpy as np
import sklearn

import fastml
from fastml import _core


def test_everything_a_bug_report_needs(capsys):
    fastml.show_versions()
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    for line in (
        f"fastml: {fastml.__version__}",
        f"numpy: {np.__version__}",
        f"scikit-learn: {sklearn.__version__}",
        f"level in use: {_core.simd_level()}",
        f"levels of this machine: {', '.join(_core.simd_levels())}",
        f"OpenMP maximum: {_core.omp_max_threads()}",
    ):
        assert line in lines
    assert {
        f"{name}: {value or 'none'}" for name, value in _core.build_info().items() if isinstance(value, str)
    } <= set(lines)
    assert any(line.startswith("Native library") for line in lines)
    assert "user_api: openmp" in lines


def test_packages_that_are_missing_are_said_to_be(capsys, monkeypatch):
    monkeypatch.setattr("fastml._versions._PACKAGES", ("numpy", "no-such-package"))
    fastml.show_versions()
    assert "no-such-package: not installed" in capsys.readouterr().out
