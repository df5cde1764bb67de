"""The table of scikit-learn's test modules that concern fastml's estimators: modules.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Concerned:
    """A test module that the suite runs, and the names of which it must have been served a call."""

    module: str
    serves: tuple[str, ...]


@dataclass(frozen=True)
class ModuleTable:
    """Test modules in the order in which they are started, and those left out, with the reason."""

    concerned: tuple[Concerned, ...]
    not_concerned: dict[str, str]

    def choose(self, names: list[str]) -> list[Concerned]:
        """The rows of the modules named, all of them when none is."""
        known = {row.module: row for row in self.concerned}
        if missing := [name for name in names if name not in known]:
            raise ValueError(f"modules.toml has no row for {', '.join(missing)}; it has {', '.join(sorted(known))}")
        return [known[name] for name in names] if names else list(self.concerned)


def read(path: Path) -> ModuleTable:
    """Read the table at `path`."""
    with path.open("rb") as file:
        document = tomllib.load(file)
    modules = [row["module"] for part in document.values() for row in part]
    if twice := {module for module in modules if modules.count(module) > 1}:
        raise ValueError(f"{path.name} names twice: {', '.join(sorted(twice))}")
    return ModuleTable(
        concerned=tuple(Concerned(row["module"], tuple(row["serves"])) for row in document["concerned"]),
        not_concerned={row["module"]: row["reason"] for row in document.get("not_concerned", [])},
    )
