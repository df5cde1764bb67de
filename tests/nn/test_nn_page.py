"""The page docs/nn.md: its Python blocks run, one after the other, and print what their comments say."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from fastml.nn.tensor import PRIMITIVES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "nn.md"

if not PAGE.exists():
    pytest.skip("the page is not beside the tests: an installed package is tested", allow_module_level=True)

BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def said(block):
    """Return the lines that a block says it prints: comments behind print(...), and those that begin a line."""
    lines = []
    for line in block.splitlines():
        if line.startswith("# "):
            lines.append(line[2:])
        elif re.match(r"\s*print\(", line) and "  # " in line:
            lines.append(line.split("  # ", 1)[1])
    return lines


def test_every_block_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = set(PRIMITIVES)
    text = PAGE.read_text(encoding="utf-8")
    blocks = [(text[: found.start()].count("\n") + 2, found[1]) for found in BLOCK.finditer(text)]
    assert len(blocks) > 10
    names = {"__name__": "page"}
    try:
        for line, block in blocks:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile("\n" * (line - 1) + block, str(PAGE), "exec"), names)
            assert printed.getvalue().splitlines() == said(block), f"the block at line {line} of {PAGE.name}"
    finally:  # the page adds rows to the table
        for name in set(PRIMITIVES) - before:
            del PRIMITIVES[name]
    assert sum(len(said(block)) for _, block in blocks) > 20


def test_the_files_that_it_names_exist():
    package = PAGE.parents[1] / "src" / "fastml" / "nn"
    named = set(re.findall(r"`(\w+\.py)`", PAGE.read_text(encoding="utf-8")))
    assert "tensor.py" in named
    assert {name for name in named if not (package / name).exists()} == set()
