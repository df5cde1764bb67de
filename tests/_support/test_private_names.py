"""The list of private scikit-learn names is complete, holds nothing that is not used, and all of it exists."""

import ast
import importlib
import re
from pathlib import Path

import pytest
import sklearn
import sklearn.base

import fastml
from fastml._registry import ENTRIES, OWN_ENTRIES
from fastml._support.private_names import CHECKED_AGAINST, PRIVATE_NAMES

SOURCES = sorted(path for path in Path(fastml.__file__).parent.rglob("*.py*") if path.suffix in (".py", ".pyx", ".pxd"))


def is_private(path):
    return any(part.startswith("_") and not part.startswith("__") for part in path.split("."))


def resolve(path):
    """Import what a dotted path of modules and attributes leads to."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name)
        return found
    raise ModuleNotFoundError(path)


def imported_from_sklearn(source):
    """Return the dotted paths of scikit-learn that a Python or Cython source imports or reaches into."""
    paths = set()
    for module, names in re.findall(r"^\s*from\s+(sklearn[\w.]*)\s+c?import\s+(\([^)]*\)|[^\n(]*)", source, re.M):
        for name in re.findall(r"[\w.]+(?:\s+as\s+\w+)?", names.strip("()")):
            paths.add(f"{module}.{name.split()[0]}")
    paths.update(re.findall(r"\bsklearn(?:\.\w+)+", "\n".join(_code_lines(source))))
    return {path for path in paths if is_private(path)}


def _code_lines(source):
    """Return the lines without comments and ``from`` imports; docstrings may mention what they like."""
    without_docstrings = re.sub(r'"""(?:.|\n)*?"""', '""', source)
    lines = [line.partition("#")[0].strip() for line in without_docstrings.splitlines()]
    return [line for line in lines if not line.startswith("from ")]


def inherited_private_methods():
    """Return the private methods that our classes use or override, as paths of the classes that define them."""
    used = set()
    for path in SOURCES:
        if path.suffix != ".py":
            continue
        tree = ast.parse(path.read_text())
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for entry in (*ENTRIES, *OWN_ENTRIES):
            family = importlib.import_module(entry.family)
            ours = getattr(family, entry.name)
            if not isinstance(ours, type) or not path.is_relative_to(Path(family.__file__).parent):
                continue
            for name in names:
                if name.startswith("_") and not name.startswith("__"):
                    for base in ours.__mro__:
                        if base.__module__.startswith("sklearn.") and name in vars(base):
                            used.add(f"{base.__module__}.{base.__qualname__}.{name}")
                            break
    return used


def used_names():
    # The list itself is no use.
    sources = [path for path in SOURCES if path.name != "private_names.py"]
    return set().union(*(imported_from_sklearn(path.read_text()) for path in sources)) | inherited_private_methods()


def test_the_search_finds_imports_and_attributes():
    source = '''
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._openmp_helpers import (
    _openmp_effective_n_threads as n,
)
from sklearn.utils._typedefs cimport float64_t
x = sklearn.cluster._kmeans._BaseKMeans  # not sklearn.a._comment
"""sklearn.b._docstring"""
'''
    assert imported_from_sklearn(source) == {
        "sklearn.base._fit_context",
        "sklearn.utils._openmp_helpers._openmp_effective_n_threads",
        "sklearn.utils._typedefs.float64_t",
        "sklearn.cluster._kmeans._BaseKMeans",
    }


@pytest.mark.parametrize("path", PRIVATE_NAMES)
def test_each_name_exists(path):
    assert resolve(path) is not None, f"scikit-learn {sklearn.__version__} has no {path}: {PRIVATE_NAMES[path]}"


def test_every_name_in_use_is_listed():
    missing = sorted(used_names() - set(PRIVATE_NAMES))
    assert not missing, f"add to fastml/_support/private_names.py: {missing}"


def test_every_listed_name_is_in_use():
    stale = sorted(set(PRIVATE_NAMES) - used_names())
    assert not stale, f"remove from fastml/_support/private_names.py: {stale}"


def test_the_installed_version_was_checked():
    assert sklearn.__version__ in CHECKED_AGAINST, (
        f"The private names exist in scikit-learn {sklearn.__version__}, going by the other tests here. Read what has "
        f"changed in them since {CHECKED_AGAINST[-1]}, then add the version to fastml/_support/private_names.py."
    )
