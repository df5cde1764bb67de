"""The two lists that the suite runs by name what exists, and leave out nothing."""

import importlib.util
import re
from pathlib import Path

import expected_failures
import module_table
import pytest
import sklearn
from replacement import find_replacements

HERE = Path(__file__).parent
TABLE = module_table.read(HERE / "modules.toml")


def test_every_test_module_that_mentions_an_estimator_is_in_the_table() -> None:
    """A test module that names one of our classes or functions is run, or the table says why not."""
    names = "|".join(sorted({replacement.name for replacement in find_replacements()}))
    assert names
    package = Path(sklearn.__file__).parent
    mentioning = {
        ".".join(("sklearn", *path.relative_to(package).with_suffix("").parts))
        for path in package.rglob("tests/**/test_*.py")
        if re.search(rf"\b({names})\b", path.read_text(encoding="utf-8"))
    }
    assert "sklearn.cluster.tests.test_k_means" in mentioning
    in_table = {row.module for row in TABLE.concerned} | set(TABLE.not_concerned)
    assert mentioning - in_table == set()


def test_the_table_names_modules_that_exist() -> None:
    """A renamed test module must not drop out of the suite unseen."""
    modules = [row.module for row in TABLE.concerned] + list(TABLE.not_concerned)
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []
    assert all(reason.strip() for reason in TABLE.not_concerned.values())


def test_a_module_is_named_once(tmp_path: Path) -> None:
    """Two rows of one module may say different things."""
    path = tmp_path / "modules.toml"
    row = '[[{part}]]\nmodule = "sklearn.tests.test_base"\nserves = []\nreason = "none"\n'
    for parts in (("concerned", "not_concerned"), ("not_concerned", "not_concerned")):
        path.write_text("".join(row.format(part=part) for part in parts), encoding="utf-8")
        with pytest.raises(ValueError, match=r"modules.toml names twice: sklearn.tests.test_base"):
            module_table.read(path)


def test_what_the_table_wants_served_is_replaced() -> None:
    """A misspelt name under `serves` is not one of ours."""
    replaced = {replacement.name for replacement in find_replacements()}
    assert {name for row in TABLE.concerned for name in row.serves} - replaced == set()


def test_expected_failures_belong_to_modules_that_are_run() -> None:
    """An entry of a module that nobody runs could never be found stale."""
    run = {row.module for row in TABLE.concerned}
    entries = expected_failures.read(HERE / "expected_failures.toml", sklearn.__version__)
    assert [entry.test for entry in entries if entry.module not in run] == []


def test_a_star_stands_for_any_characters_and_brackets_for_themselves() -> None:
    """The ids of parametrized tests hold brackets, which are no patterns here."""
    entry = expected_failures.Entry("fails", "sklearn.tests.test_base::test_x[*-lloyd]", "a reason")
    assert entry.matches("sklearn.tests.test_base::test_x[float32-lloyd]")
    assert not entry.matches("sklearn.tests.test_base::test_x[float32-elkan]")
    assert not entry.matches("sklearn.tests.test_base::test_xf-lloyd]")


def test_entries_hold_for_the_versions_they_name(tmp_path: Path) -> None:
    """An entry of another version of scikit-learn is not looked at."""
    path = tmp_path / "expected.toml"
    path.write_text('[[fails]]\ntests = ["a::b"]\nversions = ">=1.9,<1.10"\nreason = "why"\n', encoding="utf-8")
    assert [entry.test for entry in expected_failures.read(path, "1.9.1")] == ["a::b"]
    assert expected_failures.read(path, "1.10.0") == []
