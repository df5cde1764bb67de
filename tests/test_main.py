"""``python -m fastml`` runs a program as ``python`` itself does, with scikit-learn accelerated."""

import os
import py_compile
import signal
import subprocess
import sys
import textwrap
import zipfile

import pytest

SHOW = """
import sys
main = sys.modules["__main__"]
print("name", __name__, main.__dict__ is globals(), __spec__ and __spec__.name, __package__)
print("file", globals().get("__file__"))
print("argv", sys.argv)
print("path", sys.path[0])
print("doc", __doc__, __builtins__.__name__)
"""


def run(*arguments, accelerated=True, cwd=None, code=0, flags=(), **options):
    """Run an interpreter, with or without ``-m fastml``, and return what it prints."""
    front = ["-m", "fastml"] if accelerated else []
    result = subprocess.run(
        [sys.executable, *flags, *front, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, **options
    )
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return result.stdout, result.stderr


def same(*arguments, **options):
    """Assert that a program prints the same and ends the same under ``-m fastml``; return what it prints."""
    ours = run(*arguments, **options)
    stock = run(*arguments, accelerated=False, **options)
    assert ours == stock
    return ours


@pytest.fixture
def programs(tmp_path):
    """A directory with a program in each form that python runs."""
    (tmp_path / "script.py").write_text(SHOW)
    (tmp_path / "package").mkdir()
    for name in ("__init__.py", "module.py", "__main__.py"):
        (tmp_path / "package" / name).write_text("" if name == "__init__.py" else SHOW)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "__init__.py").write_text("")
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", SHOW)
    py_compile.compile(str(tmp_path / "script.py"), str(tmp_path / "compiled.pyc"))
    os.symlink(tmp_path / "package" / "module.py", tmp_path / "link.py")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["script.py"],
        ["./script.py", "-x", "--report", "-m"],
        ["package/module.py", "a"],
        ["link.py"],
        ["compiled.pyc", "a"],
        ["package", "a"],
        ["app.zip", "a"],
        ["-m", "package.module", "-c", "b"],
        ["-m", "package", "--help"],
        ["-c", SHOW, "-m", "c"],
    ],
    ids=lambda arguments: "code" if arguments[0] == "-c" else " ".join(arguments),
)
@pytest.mark.parametrize("flags", [(), ("-P",)], ids=["", "safe path"])
def test_the_program_sees_what_it_sees_under_python(programs, arguments, flags):
    # With -P the package is found through PYTHONPATH alone.
    environment = {**os.environ, "PYTHONPATH": str(programs)}
    printed, _ = same(*arguments, cwd=programs, flags=flags, env=environment)
    assert "name __main__ True" in printed


def test_standard_input(programs):
    printed, _ = same("-", "a", input=SHOW, cwd=programs)
    assert "argv ['-', 'a']" in printed


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit('a message')", 1),
        ("raise SystemExit", 0),
        ("1 / 0", 1),
        ("def f():\n    g()\ndef g():\n    raise LookupError('lost')\nf()", 1),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('cause') from error", 1),
        ("raise ExceptionGroup('several', [ValueError(1), TypeError(2)])", 1),
        ("x = (", 1),
        ("import not_there", 1),
        ("import sys\nsys.excepthook = lambda *error: print('mine', error[0].__name__)\n1 / 0", 1),
        ("import atexit; atexit.register(print, 'bye'); raise KeyError('k')", 1),
        ("import threading; threading.Timer(0.05, lambda: print(__name__, sorted(globals())[-1])).start()", 0),
        ("import sys; print(sys.flags.isolated, file=sys.stderr)", 0),
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
    ],
)
def test_endings_are_those_of_python(tmp_path, program, code):
    (tmp_path / "program.py").write_text(program)
    same("program.py", cwd=tmp_path, code=code)


def test_tracebacks_have_none_of_our_frames(tmp_path):
    (tmp_path / "program.py").write_text("1 / 0\n")
    _, errors = run("program.py", cwd=tmp_path, code=1)
    assert errors.splitlines()[0] == "Traceback (most recent call last):"
    assert errors.count("File ") == 1
    assert "fastml" not in errors


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.py"], 2, "can't open file '{here}/nothing.py': [Errno 2] No such file or directory"),
        (["empty"], 1, "can't find '__main__' module in '{here}/empty'"),
        (["-m", "nothing"], 1, "No module named nothing"),
        (["-m", "nothing.at.all"], 1, "(ModuleNotFoundError: No module named 'nothing')"),
        (["-m", "bare"], 1, "No module named bare.__main__; 'bare' is a package and cannot be directly executed"),
    ],
)
def test_missing_programs_are_refused_in_pythons_words(programs, arguments, code, message):
    (programs / "empty").mkdir()
    message = message.format(here=programs)
    for accelerated in (True, False):
        _, errors = run(*arguments, accelerated=accelerated, cwd=programs, code=code)
        assert message in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a program to run is missing"),
        (["--report"], "a program to run is missing"),
        (["-m"], "argument expected for the -m option"),
        (["-c"], "argument expected for the -c option"),
        (["--rapport", "x.py"], "unknown option --rapport"),
        (
            ["--fallback", "never", "x.py"],
            "--fallback: fallback must be one of ('error', 'warn', 'silent'), got 'never'",
        ),
        (["--fallback"], "got ''"),
    ],
)
def test_wrong_command_lines_are_refused(arguments, message):
    printed, errors = run(*arguments, code=2)
    assert printed == ""
    assert errors.startswith("python -m fastml: ")
    assert message in errors
    assert "usage: python -m fastml [option]" in errors


def test_help_and_version():
    import fastml

    for option in ("-h", "--help"):
        printed, _ = run(option)
        assert printed.startswith("usage: python -m fastml")
        assert "--fallback MODE" in printed
    assert run("--version") == (f"fastml {fastml.__version__}\n", "")


def test_scikit_learn_is_patched():
    printed, _ = run("-c", "from sklearn.cluster import KMeans; print(KMeans.__module__)")
    assert printed.startswith("fastml.cluster")


def test_the_fallback_option_holds_in_the_program_and_its_children():
    code = (
        "import subprocess, sys, fastml; print(fastml.get_config()['fallback']);"
        "subprocess.run([sys.executable, '-c', 'import fastml; print(fastml.get_config()[\"fallback\"])'])"
    )
    for option in (["--fallback", "error"], ["--fallback=error"]):
        printed, _ = run(*option, "-c", code, flags=["-u"])
        assert printed.split() == ["error", "error"]


PARALLEL = """
import multiprocessing, sys

import joblib
from sklearn.cluster import KMeans


def work(n_clusters):
    return KMeans.__module__, int(KMeans(n_clusters=n_clusters, n_init=1).fit([[0.0], [1.0], [5.0]]).n_clusters)


if __name__ == "__main__":
    print(joblib.Parallel(2)(joblib.delayed(work)(n) for n in (1, 2, 3)))
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(pool.map(work, (1, 2, 3)))
        pool.close()
        pool.join()
    print(work(2))
"""


@pytest.mark.parametrize("form", ["script", "module"])
def test_workers_of_the_program_are_accelerated_and_reported(tmp_path, form):
    (tmp_path / "parallel.py").write_text(PARALLEL)
    program = ["parallel.py"] if form == "script" else ["-m", "parallel"]
    printed, errors = run("--report", *program, "spawn", cwd=tmp_path)
    expected = "[('fastml.cluster._kmeans', 1), ('fastml.cluster._kmeans', 2), ('fastml.cluster._kmeans', 3)]"
    assert printed.splitlines()[:2] == [expected] * 2
    lines = errors.splitlines()
    assert lines[0] == "fastml: 7 calls ran on fastml, 0 on scikit-learn."
    assert lines[2].split()[:3] == ["KMeans.fit", "fastml", "7"]
    assert "worker processes" in lines[-1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forked_workers_are_reported(tmp_path):
    (tmp_path / "parallel.py").write_text(PARALLEL.replace("joblib.Parallel(2)", "joblib.Parallel(1)"))
    _, errors = run("--report", "parallel.py", "fork", cwd=tmp_path)
    assert errors.splitlines()[0] == "fastml: 7 calls ran on fastml, 0 on scikit-learn."


@pytest.mark.parametrize(
    ("end", "code"),
    [("", 0), ("1 / 0", 1), ("import sys; sys.exit(4)", 4), ("raise KeyboardInterrupt", -signal.SIGINT)],
)
def test_the_report_comes_last_however_the_program_ends(tmp_path, end, code):
    (tmp_path / "program.py").write_text(
        textwrap.dedent(
            f"""
            import atexit, sys
            from sklearn.cluster import KMeans
            atexit.register(print, "bye", file=sys.stderr)
            model = KMeans(n_clusters=2, n_init=1).fit([[0.0], [1.0], [5.0]])
            model.predict([[0.0]])
            model.predict([[1.0]])
            {end}
            """
        )
    )
    printed, errors = run("--report", "program.py", cwd=tmp_path, code=code)
    lines = errors.splitlines()
    assert printed == ""
    assert "bye" in lines[:-4]
    assert lines[-4] == "fastml: 3 calls ran on fastml, 0 on scikit-learn."
    assert lines[-3].split() == ["call", "ran", "on", "calls", "seconds", "why", "not", "fastml"]
    assert [line.split()[:3] for line in lines[-2:]] == [
        ["KMeans.fit", "fastml", "1"],
        ["KMeans.predict", "fastml", "2"],
    ]


def test_the_report_of_nothing():
    _, errors = run("--report", "-c", "pass")
    assert errors == "fastml: no call was made of anything that fastml accelerates.\n"
