"""The list of tests that are expected to fail, each with its reason: expected_failures.toml."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

KINDS = ("fails", "fails_with_stock", "absent")
KEYS = {"tests", "versions", "reason"}


@dataclass(frozen=True)
class Entry:
    """One line of a `tests` array: a test's id, in which `*` stands for any characters, and why it fails."""

    kind: str
    test: str
    reason: str

    def matches(self, test_id: str) -> bool:
        """Whether the entry names this test."""
        # Not fnmatch: the ids of parametrized tests are full of brackets, which it would read as character classes.
        return re.fullmatch(".*".join(map(re.escape, self.test.split("*"))), test_id) is not None

    @property
    def module(self) -> str:
        """The test module that the entry belongs to."""
        return self.test.partition("::")[0]


def read(path: Path, sklearn_version: str) -> list[Entry]:
    """The entries of the file at `path` that hold for this version of scikit-learn."""
    with path.open("rb") as file:
        document = tomllib.load(file)
    if unknown := set(document) - set(KINDS):
        raise ValueError(f"{path}: expected the tables {KINDS}, got {sorted(unknown)}")
    entries = []
    for kind in KINDS:
        for table in document.get(kind, []):
            if set(table) != KEYS or not table["reason"].strip():
                raise ValueError(f"{path}: an entry needs {sorted(KEYS)}, none of them empty, got {table}")
            if SpecifierSet(table["versions"]).contains(sklearn_version, prereleases=True):
                entries += [Entry(kind, test, table["reason"]) for test in table["tests"]]
    return entries
