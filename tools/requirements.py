"""Print the requirements named in pyproject.toml, their one home, in the form pip reads.

Usage: python tools/requirements.py GROUP...

GROUP is `build` (what building needs), `run` (what the package needs) or the name of an extra.
"""

import sys
import tomllib
from pathlib import Path


def requirements(pyproject: dict, group: str) -> list[str]:
    """Return the requirement strings of one group."""
    project = pyproject["project"]
    groups = {
        "build": pyproject["build-system"]["requires"],
        "run": project["dependencies"],
        **project["optional-dependencies"],
    }
    if group not in groups:
        raise SystemExit(f"unknown group {group!r}; expected one of {', '.join(groups)}")
    return groups[group]


if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    for group in sys.argv[1:]:
        print(*requirements(pyproject, group), sep="\n")
