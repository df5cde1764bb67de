"""The committed table of what fastml serves is the one that the code gives."""

import importlib.util
from pathlib import Path

import pytest

from fastml._registry import ENTRIES, OWN_ENTRIES
from fastml._support.dispatch import Coverage, coverage_table

TOOL = Path(__file__).resolve().parents[1] / "tools" / "coverage_table.py"

if not TOOL.exists():
    pytest.skip("the tools are not beside the tests: an installed package is tested", allow_module_level=True)


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("coverage_table", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_committed_page_is_what_the_conditions_say(tool):
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(coverage_table()), "run `make coverage`"


def test_everything_that_fastml_has_is_in_the_table(tool):
    page = tool.page(coverage_table())
    assert [entry.name for entry in (*ENTRIES, *OWN_ENTRIES) if f"| `{entry.name}` |" not in page] == []


def test_what_scikit_learn_does_not_have_is_always_served():
    rows = [row for row in coverage_table() if row.estimator in {entry.name for entry in OWN_ENTRIES}]
    assert {row.estimator for row in rows} == {entry.name for entry in OWN_ENTRIES}
    assert [row for row in rows if row.conditions] == []


def test_a_row_names_every_condition(tool):
    rows = [Coverage("KMeans", "fit", ("dense or CSR input", "32-bit indices")), Coverage("k_means", "", ())]
    page = tool.page(rows)
    assert "| `KMeans` | `fit` | needs dense or CSR input; 32-bit indices |" in page
    assert "| `k_means` | (function) | always |" in page
