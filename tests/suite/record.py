"""What one run of one test module found: written by the plugin, read by run.py."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

OUTCOMES = (
    "passed",
    "failed",  # and no entry of the list says so
    "expected",  # to fail, by the list
    "stale",  # listed, but it passed
    "skipped",  # by scikit-learn's own conditions
    "xfailed",  # by a mark of scikit-learn's own
    "xpassed",  # in spite of a mark of scikit-learn's own that tolerates both
)


@dataclass
class Record:
    """The outcome of every test by its id, a line on each that did not pass, and what the run as a whole showed."""

    outcomes: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    served: dict[str, int] = field(default_factory=dict)
    fallbacks: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    partial: bool = False

    @property
    def counts(self) -> Counter[str]:
        """How many tests had each outcome."""
        return Counter(self.outcomes.values())

    @property
    def ok(self) -> bool:
        """Whether every failure was expected, every expected failure failed, and the run was one of fastml at all."""
        return bool(self.outcomes) and not (self.complaints or self.counts["failed"] or self.counts["stale"])

    def write(self, path: Path) -> None:
        """Write the record as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Record":
        """Read a record written by `write`."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))
