"""The source distribution is complete, and the wheel built from it is small, typed and works without the source."""

import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 5_000_000

pytest.importorskip("scikit_build_core", reason="building needs the build requirements of pyproject.toml")


def run(*command, cwd):
    finished = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    build = f"from scikit_build_core.build import build_sdist; build_sdist({str(folder)!r})"
    run(sys.executable, "-c", build, cwd=ROOT)
    (archive,) = folder.glob("fastml-*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.glob("fastml-*")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", str(folder), str(source), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_sdist_holds_the_sources_and_no_build(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    kept = [p for folder in ("src", "csrc", "cmake", "tests", "tools") for p in (ROOT / folder).rglob("*")]
    sources = {".py", ".cpp", ".hpp", ".pyx", ".pyi", ".cmake", ".in", ".toml", ".txt", ".typed"}
    expected = {p.relative_to(ROOT).as_posix() for p in kept if p.suffix in sources and p.is_file()}
    expected |= {"CMakeLists.txt", "LICENSE", "Makefile", "README.md", "pyproject.toml", "PKG-INFO"}
    assert expected <= names
    assert not [name for name in names if name.startswith(("build/", "dist/", ".venv/")) or name.endswith(".so")]


def test_wheel_is_small(wheel):
    assert wheel.stat().st_size < MOST_BYTES


def test_wheel_holds_the_package_and_no_sources(wheel):
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert all(name.startswith("fastml/") for name in names)
    assert {"fastml/__init__.py", "fastml/py.typed", "fastml/_core.pyi"} <= set(names)
    assert [name for name in names if name.startswith("fastml/_core.") and name.endswith(".so")]
    python = {p.relative_to(ROOT / "src").as_posix() for p in (ROOT / "src").rglob("*.py")}
    assert python <= set(names)
    modules = {
        p.relative_to(ROOT / "src").with_suffix("").as_posix() + sysconfig.get_config_var("EXT_SUFFIX")
        for p in (ROOT / "src").rglob("*.pyx")
    }
    assert modules <= set(names)
    assert not [name for name in names if name.endswith((".cpp", ".hpp", ".pyx", ".pxd", ".c"))]


def test_wheel_metadata(installed):
    (folder,) = installed.glob("*.dist-info")
    metadata = Parser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["License-File"] == "LICENSE"
    assert (folder / "licenses" / "LICENSE").exists()
    assert metadata["Requires-Python"] == project["requires-python"]
    assert set(metadata.get_all("Provides-Extra")) == set(project["optional-dependencies"])


def test_extension_modules_are_stripped(installed):
    modules = [*installed.rglob("*.so")]
    assert modules
    for path in modules:
        content = path.read_bytes()
        for section in (b".symtab", b".debug_info"):  # names of sections stand in the file as text
            assert b"\0" + section + b"\0" not in content, path.name


def test_wheel_works_without_the_source(installed, tmp_path):
    # -S leaves out the .pth files of site-packages, where an editable install would put the source tree first.
    script = (
        "import sys; sys.path[:0] = sys.argv[1:]; import fastml, fastml._core;"
        "print(fastml.__version__, fastml.__file__, fastml._core.__file__)"
    )
    packages = sysconfig.get_path("purelib")
    said = run(sys.executable, "-S", "-c", script, str(installed), packages, cwd=tmp_path).split()
    (folder,) = installed.glob("*.dist-info")
    assert folder.name == f"fastml-{said[0]}.dist-info"
    assert all(Path(place).is_relative_to(installed) for place in said[1:])
