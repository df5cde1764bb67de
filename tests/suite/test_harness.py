"""The suite catches what it is there to catch, shown on a small package of tests made for it."""

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent

MODULES = {
    "test_outcomes": """
        import fastml.cluster
        import pytest
        from sklearn.cluster import KMeans
        from sklearn.utils import all_estimators
        from sklearn.utils._test_common import instance_generator

        def test_served():
            KMeans(n_clusters=2, n_init=1).fit([[0.0], [1.0], [3.0]])

        def test_discovered_once():
            assert [cls for name, cls in all_estimators() if name == "KMeans"] == [fastml.cluster.KMeans]

        def test_keys_of_the_check_tables():
            assert fastml.cluster.KMeans in instance_generator.INIT_PARAMS
            assert fastml.cluster.KMeans in instance_generator.PER_ESTIMATOR_XFAIL_CHECKS
            assert fastml.cluster.KMeans in instance_generator.PER_ESTIMATOR_CHECK_PARAMS

        @pytest.mark.parametrize("number", [1, 2])
        def test_listed(number):
            assert number < 0

        def test_unlisted():
            raise ValueError("nobody expects this")

        def test_listed_but_passing():
            assert True

        def test_swallows_a_refused_call():
            with pytest.raises(fastml.FallbackError):
                raise fastml.FallbackError("KMeans.fit needs luck")
    """,
    "test_unpatched": """
        import fastml
        fastml.unpatch_sklearn()
        from sklearn.cluster import KMeans

        def test_passes():
            KMeans(n_clusters=2, n_init=1).fit([[0.0], [1.0], [3.0]])
    """,
    "test_instance": """
        import pytest
        from sklearn.cluster import KMeans

        STOCK = next(cls for cls in KMeans.__mro__ if cls.__module__ == "sklearn.cluster._kmeans")

        @pytest.mark.parametrize("estimator", [STOCK()])
        def test_passes(estimator):
            assert estimator.n_clusters == 8
    """,
    "test_no_call": """
        from sklearn.cluster import KMeans

        def test_passes():
            assert KMeans().n_clusters == 8
    """,
    "test_crash": """
        import os

        def test_ends_the_process():
            os._exit(3)
    """,
    "test_differences": """
        import pytest
        from sklearn.cluster import KMeans

        OURS = KMeans.__module__.startswith("fastml")

        def test_served():
            KMeans(n_clusters=2, n_init=1).fit([[0.0], [1.0], [3.0]])

        def test_skipped_with_fastml():
            if OURS:
                pytest.skip("no reason")

        @pytest.mark.parametrize("number", [1] if OURS else [1, 2, 3])
        def test_rows(number):
            assert number

        def test_fails_with_both():
            raise ValueError("an old fault")
    """,
}

EXPECTED = """
    [[fails]]
    tests = ["toy.test_outcomes::test_listed[*]", "toy.test_outcomes::test_listed_but_passing"]
    versions = ">=1.0"
    reason = "made to fail"

    [[fails]]
    tests = ["toy.test_outcomes::test_renamed_long_ago"]
    versions = ">=1.0"
    reason = "made to fail"

    [[absent]]
    tests = ["toy.test_outcomes::test_served", "toy.test_differences::test_rows[3]"]
    versions = ">=1.0"
    reason = "made to be absent"

    [[fails_with_stock]]
    tests = ["toy.test_differences::test_fails_with_both"]
    versions = ">=1.0"
    reason = "made to fail"
"""


@dataclass(frozen=True)
class Toy:
    """A package of tests in a directory of its own."""

    directory: Path

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run the suite on it; its exit status and what it printed."""
        command = [sys.executable, str(HERE / "run.py"), "--results", str(self.directory / "results"), *arguments]
        for option, name in (("--table", "modules.toml"), ("--expected", "expected.toml")):
            command += [option, str(self.directory / name)]
        search_path = os.pathsep.join(filter(None, [str(self.directory), os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            command, env=os.environ | {"PYTHONPATH": search_path}, capture_output=True, text=True, timeout=120
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The small package, its table and its list of failures."""
    directory = tmp_path_factory.mktemp("toy")
    (directory / "toy").mkdir()
    (directory / "toy" / "__init__.py").touch()
    for name, source in MODULES.items():
        (directory / "toy" / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
    rows = [f'[[concerned]]\nmodule = "toy.{name}"\nserves = ["KMeans"]\n' for name in MODULES]
    (directory / "modules.toml").write_text("\n".join(rows), encoding="utf-8")
    (directory / "expected.toml").write_text(textwrap.dedent(EXPECTED), encoding="utf-8")
    return Toy(directory)


@pytest.fixture(scope="module")
def whole_run(toy: Toy) -> tuple[int, str]:
    """One run of all the modules."""
    return toy.run()


@pytest.mark.parametrize(
    "line",
    [
        "FAIL toy.test_outcomes: 3 passed, 2 failed, 2 expected, 1 stale; ",
        "failed toy.test_outcomes::test_unlisted\n         ValueError: nobody expects this",
        "failed toy.test_outcomes::test_swallows_a_refused_call\n         "
        "AssertionError: passed although fastml refused calls: KMeans.fit needs luck",
        "stale toy.test_outcomes::test_listed_but_passing\n         [XPASS(strict)] made to fail",
        "stale entry, there is no such test: toy.test_outcomes::test_renamed_long_ago",
        "stale entry, the test is there: toy.test_outcomes::test_served",
        "sklearn.cluster.KMeans is <class 'sklearn.cluster._kmeans.KMeans'>, not fastml's",
        "toy.test_unpatched.KMeans is scikit-learn's own sklearn.cluster.KMeans",
        "1 instance(s) of scikit-learn's own KMeans are alive",
        "no call of KMeans was served: were fastml's classes tested?",
        "pytest ended with status 3",
        "ok   toy.test_differences: 2 passed, 1 expected, 1 skipped; ",
    ],
)
def test_the_report_says(whole_run: tuple[int, str], line: str) -> None:
    """Each thing that can be wrong is named, and only that."""
    status, output = whole_run
    assert status == 1
    assert line in output


def test_refused_runs_test_nothing(whole_run: tuple[int, str]) -> None:
    """A module that would test scikit-learn itself is stopped before its first test."""
    output = whole_run[1]
    assert "FAIL toy.test_unpatched: no test;" in output
    assert "FAIL toy.test_instance: no test;" in output


def test_stock_run_compares_with_the_run_on_fastml(toy: Toy, whole_run: tuple[int, str]) -> None:
    """Tests that only stock scikit-learn was given, or that fastml skipped, are found by the stock run."""
    status, output = toy.run("--stock", "toy.test_differences")
    assert status == 1
    assert "ok   toy.test_differences: 5 passed, 1 expected; 0 calls" in output
    assert "only with stock: toy.test_differences::test_rows[2]" in output
    assert "test_rows[3]" not in output
    assert "skipped with fastml only: toy.test_differences::test_skipped_with_fastml (Skipped: no reason)" in output


def test_a_selection_is_judged_by_what_it_ran(toy: Toy) -> None:
    """With -k, no call is missed of tests that were not run, and their entries are not stale."""
    status, output = toy.run("toy.test_differences", "-k", "both")
    assert "ok   toy.test_differences: 1 expected; 0 calls" in output
    assert status == 0


def test_a_module_without_a_row_is_refused(toy: Toy) -> None:
    """A module that is not in the table says nothing on what must be served."""
    status, output = toy.run("toy.test_elsewhere")
    assert status != 0
    assert "modules.toml has no row for toy.test_elsewhere" in output
