"""Rules of the code base that a reader relies on and a compiler does not check."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CSRC = ROOT / "csrc"
PACKAGE = ROOT / "src" / "fastml"

MOST_LINES = 500

# Included by level sources, where an inline function of the standard library would be compiled with a level's flags
# and merged by the linker with the baseline's copy. These headers hold types, constants and compiler built-ins only.
HEADERS_WITHOUT_INLINE_CODE = {
    "cfloat",
    "climits",
    "cstddef",
    "cstdint",
    "cstring",
    "immintrin.h",  # intrinsics are always inlined: no copy of them reaches the linker
    "limits",
    "type_traits",
}

# Each layer may include itself and those before it. A folder that is not named is a family of kernels: it stands on
# these and knows no other family.
LAYERS = ("runtime", "simd", "gemm")


def files(folder, *suffixes):
    """Return the files below a folder with one of the suffixes; rules about none would pass on nothing."""
    found = sorted(p for p in folder.rglob("*") if p.name.endswith(suffixes) and "__pycache__" not in p.parts)
    assert found, f"no {' or '.join(suffixes)} below {folder}"
    return found


def relative(path):
    return path.relative_to(ROOT).as_posix()


def kernel_files():
    """Return csrc's sources and headers without its tests."""
    return [p for p in files(CSRC, ".cpp", ".hpp") if CSRC / "tests" not in p.parents]


def code(path):
    """Return C++ text without its comments, line for line."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL)
    return re.sub(r"//[^\n]*", "", text)


def includes(path):
    """Return what a C++ file includes, as (name, whether it is a header of the project)."""
    found = re.findall(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', code(path), flags=re.MULTILINE)
    return [(name, opening == '"') for opening, name in found]


def imported_modules(path):
    """Return the absolute names of the modules that a Python file imports anywhere."""
    package = [*path.relative_to(ROOT / "src").parent.parts]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*parent, *([node.module] if node.module else [])])
            names.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
    return names


def test_kernels_never_see_python():
    offenders = {
        relative(path): name
        for path in files(CSRC, ".cpp", ".hpp")
        for name, _ in includes(path)
        if re.match(r"Python\.h|pybind11/|numpy/", name)
    }
    assert not offenders, "csrc builds without Python; convert arrays in src/fastml/_core"


def test_bindings_hold_no_loops_and_no_threads():
    # A range-for over a list of names is a conversion; a counted loop is a kernel in the wrong place.
    counted_loop = re.compile(r"\bwhile\s*\(|\bfor\s*\([^;()]*(\([^()]*\)[^;()]*)*;|#\s*pragma\s+omp|\bstd::thread\b")
    offenders = {
        relative(p): m[0] for p in files(PACKAGE / "_core", ".cpp", ".hpp") if (m := counted_loop.search(code(p)))
    }
    assert not offenders, "bindings convert, release the GIL and call one kernel; loops belong in csrc"


def test_includes_point_down():
    offenders = []
    for path in kernel_files():
        folder = path.relative_to(CSRC).parts[0]
        for name, ours in includes(path):
            if not ours:
                continue
            assert (CSRC / name).exists(), f"{relative(path)} includes {name}: write the path from csrc"
            target = name.split("/")[0]
            if folder in LAYERS:
                allowed = LAYERS[: LAYERS.index(folder) + 1]
            else:
                allowed = (*LAYERS, folder)
            if target not in allowed:
                offenders.append((relative(path), name))
    assert not offenders, f"includes may point at the same folder or down: {' < '.join(LAYERS)} < families"


def test_level_sources_see_no_inline_code_of_the_standard_library():
    sources = files(CSRC, ".level.cpp")
    offenders = set()
    for source in sources:
        reached, waiting = set(), [source]
        while waiting:
            path = waiting.pop()
            reached.add(path)
            for name, ours in includes(path):
                if ours:
                    waiting.extend({CSRC / name} - reached)
                elif name not in HEADERS_WITHOUT_INLINE_CODE:
                    offenders.add((relative(source), relative(path), name))
    assert not offenders, (
        "(level source, file that includes, header): use built-ins, or move the code to a plain source"
    )


def test_level_sources_define_names_in_the_level_namespace_only():
    offenders = [
        relative(path)
        for path in files(CSRC, ".level.cpp")
        if not re.search(r"namespace\s+FASTML_LEVEL\b|namespace\s+fastml::FASTML_LEVEL\b", code(path))
    ]
    assert not offenders, "everything in a *.level.cpp lives in namespace fastml::FASTML_LEVEL"


def test_every_kernel_source_is_built():
    listed = (CSRC / "CMakeLists.txt").read_text(encoding="utf-8")
    level = re.search(r"set\(FASTML_LEVEL_SOURCES(.*?)\)", listed, flags=re.DOTALL)[1].split()
    plain = re.search(r"set\(FASTML_PLAIN_SOURCES(.*?)\)", listed, flags=re.DOTALL)[1].split()
    sources = [p.relative_to(CSRC).as_posix() for p in kernel_files() if p.suffix == ".cpp"]
    assert sorted(level) == [name for name in sources if name.endswith(".level.cpp")]
    assert sorted(plain) == [name for name in sources if not name.endswith(".level.cpp")]


def test_headers_are_guarded():
    offenders = [relative(p) for p in files(CSRC, ".hpp") if "#pragma once" not in p.read_text(encoding="utf-8")]
    assert not offenders


def test_build_uses_no_machine_dependent_or_unsafe_flags():
    build_files = [
        ROOT / "CMakeLists.txt",
        CSRC / "CMakeLists.txt",
        ROOT / "CMakePresets.json",
        ROOT / "pyproject.toml",
        *files(ROOT / "cmake", ".cmake"),
    ]
    flag = re.compile(r"-march=native|-mtune=native|(?<!No )-ffast-math|-Ofast|-flto")
    offenders = {relative(p): m[0] for p in build_files if (m := flag.search(p.read_text(encoding="utf-8")))}
    assert not offenders


def test_version_has_one_home():
    init = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    (version,) = re.findall(r'^__version__ = "(\d+\.\d+\.\d+)"$', init, flags=re.MULTILINE)
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in pyproject["project"]["dynamic"]
    elsewhere = [
        relative(path)
        for path in [
            ROOT / "CMakeLists.txt",
            *files(ROOT / "cmake", ".cmake", ".in"),
            *files(PACKAGE, ".py", ".cpp", ".pyi"),
        ]
        if path != PACKAGE / "__init__.py" and re.search(rf'["\']{re.escape(version)}["\']', path.read_text("utf-8"))
    ]
    assert not elsewhere, "the version is read from src/fastml/__init__.py"


def test_support_knows_no_estimators():
    families = {p.parent.name for p in PACKAGE.glob("*/__init__.py") if not p.parent.name.startswith("_")}
    offenders = {
        (relative(path), module)
        for path in files(PACKAGE / "_support", ".py")
        for module in imported_modules(path)
        if module.split(".")[0] == "fastml" and module.split(".")[1:2] and module.split(".")[1] in families
    }
    assert not offenders, "imports point down: estimators use _support"


def test_nn_never_imports_sklearn():
    if not (PACKAGE / "nn").exists():
        pytest.skip("fastml.nn does not exist yet")
    offenders = {
        (relative(path), module)
        for path in files(PACKAGE / "nn", ".py")
        for module in imported_modules(path)
        if module.split(".")[0] == "sklearn"
    }
    assert not offenders, "neural_network/ joins nn to scikit-learn's API; nn stands alone"


@pytest.mark.parametrize("folder", [CSRC, ROOT / "src"], ids=relative)
def test_a_file_fits_one_reading(folder):
    long = {
        relative(path): lines
        for path in files(folder, ".cpp", ".hpp", ".py", ".pyx", ".pxd")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert not long, f"split files of more than {MOST_LINES} lines by idea"


def test_file_names_say_what_is_inside():
    vague = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
    named = [*files(CSRC, ".cpp", ".hpp"), *files(ROOT / "src", ".py", ".pyx", ".cpp")]
    offenders = [relative(p) for p in named if vague & set(re.split(r"[_.]", p.name.lower()))]
    assert not offenders


def test_texts_name_no_place_of_one_machine():
    place = re.compile(r"(?<![\w.~:}])/(work|tmp|home|root|Users)/")
    folders = ["csrc", "src", "cmake", "tools", "tests", "benchmarks", "docs", "examples"]
    texts = [p for name in folders if (ROOT / name).exists() for p in files(ROOT / name, ".py", ".cpp", ".hpp", ".md")]
    texts += [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "CMakeLists.txt"]
    offenders = {relative(p): m[0] for p in texts if (m := place.search(p.read_text(encoding="utf-8")))}
    assert not offenders
