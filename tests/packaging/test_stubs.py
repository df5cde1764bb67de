"""The committed stub of the extension module describes the module that was built."""

import ast
import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "stubs.py"


@pytest.fixture(scope="module")
def stubs():
    pytest.importorskip("pybind11_stubgen")
    spec = importlib.util.spec_from_file_location("stubs", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generated(stubs):
    return stubs.generate()


def names_and_arguments(text):
    """List what a stub declares, without the annotations, whose wording changes with Python and pybind11."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            a = node.args
            arguments = [x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
            found.append((node.name, tuple(arguments), len(a.defaults) + sum(d is not None for d in a.kw_defaults)))
        elif isinstance(node, ast.ClassDef):
            found.append((node.name, (), 0))
    return sorted(found)


def test_stub_declares_what_the_module_has(stubs, generated):
    committed = stubs.STUB.read_text(encoding="utf-8")
    assert names_and_arguments(committed) == names_and_arguments(generated), "run `make stubs`"


def test_stub_is_what_the_generator_writes(stubs, generated):
    committed = stubs.STUB.read_text(encoding="utf-8")
    if committed.splitlines()[0] != stubs.header():
        pytest.skip(f"wording depends on versions: {committed.splitlines()[0]!r}, here {stubs.header()!r}")
    assert committed == generated, "run `make stubs`"
