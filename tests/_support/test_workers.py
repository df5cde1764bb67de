"""Patches and settings reach the workers of joblib and the processes of multiprocessing, and leave them again."""

import multiprocessing
import subprocess
import sys
import textwrap

import joblib
import pytest
import sklearn.cluster
from joblib.externals.loky import get_reusable_executor
from sklearn.utils.parallel import Parallel as SklearnParallel, delayed as sklearn_delayed

import fastml

BACKENDS = ["loky", "multiprocessing", "threading"]


@pytest.fixture(autouse=True)
def _unpatched():
    yield
    fastml.unpatch_sklearn()


@pytest.fixture(scope="module", autouse=True)
def _no_workers_left():
    yield
    get_reusable_executor().shutdown(wait=True)


def where(name="KMeans"):
    """Return the package that scikit-learn's name stands for in this process."""
    import sklearn.cluster

    return getattr(sklearn.cluster, name).__module__.partition(".")[0]


def settings():
    return fastml.get_config()


@pytest.mark.parametrize("backend", BACKENDS)
def test_joblib_workers_are_patched(backend):
    with fastml.patched():
        assert joblib.Parallel(2, backend=backend)(joblib.delayed(where)() for _ in range(3)) == ["fastml"] * 3


def test_joblib_workers_that_were_there_before_follow_every_change():
    parallel = joblib.Parallel(2, backend="loky")
    assert parallel(joblib.delayed(where)() for _ in range(4)) == ["sklearn"] * 4
    with fastml.patched("KMeans"):
        assert parallel(joblib.delayed(where)() for _ in range(4)) == ["fastml"] * 4
        assert parallel(joblib.delayed(where)("MiniBatchKMeans") for _ in range(4)) == ["sklearn"] * 4
    assert parallel(joblib.delayed(where)() for _ in range(4)) == ["sklearn"] * 4


def test_other_modules_of_a_worker_see_the_patch_when_the_work_is_unpickled(tmp_path, monkeypatch):
    (tmp_path / "work_of_a_user.py").write_text(
        "from sklearn.cluster import KMeans\ndef work():\n    return KMeans.__module__.partition('.')[0]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with fastml.patched():
        from work_of_a_user import work

        get_reusable_executor().shutdown(wait=True)
        assert joblib.Parallel(2, backend="loky")(joblib.delayed(work)() for _ in range(3)) == ["fastml"] * 3


def test_nested_workers_are_patched():
    def outer():
        return joblib.Parallel(2, backend="loky")(joblib.delayed(where)() for _ in range(2))

    with fastml.patched():
        assert joblib.Parallel(2, backend="loky")(joblib.delayed(outer)() for _ in range(2)) == [["fastml"] * 2] * 2


def test_scikit_learns_parallel():
    with fastml.patched(), fastml.config_context(n_threads=1), sklearn.config_context(working_memory=7):
        parallel = SklearnParallel(2, backend="loky")
        work = sklearn_delayed(lambda: (where(), settings()["n_threads"], sklearn.get_config()["working_memory"]))
        assert parallel(work() for _ in range(2)) == [("fastml", 1, 7)] * 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_context_reaches_the_workers_and_ends_there(backend):
    before = fastml.get_config()
    with fastml.config_context(fallback="warn", n_threads=3):
        inside = joblib.Parallel(2, backend=backend)(joblib.delayed(settings)() for _ in range(3))
    after = joblib.Parallel(2, backend=backend)(joblib.delayed(settings)() for _ in range(3))
    assert inside == [{"fallback": "warn", "n_threads": 3}] * 3
    assert after == [before] * 3


def test_the_generator_of_results_and_lists_of_tasks_work():
    with fastml.patched():
        results = joblib.Parallel(2, backend="loky", return_as="generator")([joblib.delayed(where)()] * 3)
        assert list(results) == ["fastml"] * 3


def test_joblib_still_knows_the_number_of_tasks_where_it_can_be_known():
    parallel = joblib.Parallel(1)
    with fastml.patched():
        parallel([joblib.delayed(where)()] * 3)
        assert parallel.n_tasks == 3
        parallel(joblib.delayed(where)() for _ in range(3))
        assert parallel.n_tasks is None


def test_an_error_of_a_worker_comes_back():
    def fail():
        raise LookupError("lost")

    with fastml.patched(), pytest.raises(LookupError, match="lost"):
        joblib.Parallel(2, backend="loky")(joblib.delayed(fail)() for _ in range(2))


METHODS = multiprocessing.get_all_start_methods()


@pytest.mark.parametrize(("method", "patched"), [*((method, True) for method in METHODS), ("spawn", False)])
def test_processes_of_multiprocessing(method, patched, tmp_path):
    # In a program of its own: a spawned process imports the main module again, before anything else of ours.
    (tmp_path / "program.py").write_text(
        textwrap.dedent(
            """
            import multiprocessing, sys
            from concurrent.futures import ProcessPoolExecutor

            def where():
                return MODULE_AT_IMPORT, KMeans.__module__.partition(".")[0], fastml.get_config()["n_threads"]

            if __name__ == "__main__":
                import fastml
                if sys.argv[2] == "True":
                    fastml.patch_sklearn()
                fastml.set_config(n_threads=3)

            import fastml
            from sklearn.cluster import KMeans
            MODULE_AT_IMPORT = KMeans.__module__.partition(".")[0]

            if __name__ == "__main__":
                context = multiprocessing.get_context(sys.argv[1])
                with ProcessPoolExecutor(1, mp_context=context) as pool:
                    print(*pool.submit(where).result())
            """
        )
    )
    result = subprocess.run(
        [sys.executable, "program.py", method, str(patched)], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    package = "fastml" if patched else "sklearn"
    assert result.stdout.split() == [package, package, "3"]


def test_joblib_is_not_touched_before_there_is_something_to_share():
    code = (
        "import joblib; before = joblib.Parallel.__call__; import fastml.cluster\n"
        "assert joblib.Parallel.__call__ is before; fastml.patch_sklearn()\n"
        "assert joblib.Parallel.__call__.__wrapped__ is before; print('done')"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "done\n"
