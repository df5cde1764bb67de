"""Run plain scikit-learn scripts as they are and accelerated, and compare times and answers: ``make demo``.

Each script runs twice as ``python script`` and twice as ``python -m fastml script``, in turns, each time in a process
of its own; the better time of each step counts. The exit code is 1 if the answers disagree.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
# A script writes its steps to the file given by --output, see digits_clustering.py. Adding one is one line.
STEPS = (
    "digits_clustering.py",
    "tree_ensembles.py",
    "nearest_neighbors.py",
    "linear_models.py",
    "kernel_machines.py",
    "perceptrons.py",
    "naive_bayes_and_components.py",
)
SCRIPTS = tuple(HERE / name for name in STEPS)
RUNS = 2

PLAIN, FASTML = "scikit-learn", "fastml"
COMMANDS = {PLAIN: (sys.executable,), FASTML: (sys.executable, "-m", "fastml")}
# An error instead of a fallback: no time or answer is borrowed from scikit-learn.
ENVIRONMENT = {**os.environ, "FASTML_FALLBACK": "error"}

# Both add in float64, in different orders. A sum that differs in its last bit can send a row halfway between two
# centroids the other way, and a step of many runs picks among many; hence not equality. Nor for trees, since those of
# regression and of boosting by weights choose by sums too; those of classification are equal.
LEAST_EQUAL_LABELS = 0.99
INERTIA_TOLERANCE = 1e-4
SCORE_TOLERANCE = 0.005

try:
    import rich
except ModuleNotFoundError:
    rich = None  # type: ignore[assignment]


class Run(NamedTuple):
    """One run of a script: wall time of the process, and what the script wrote."""

    seconds: float
    steps: list[dict[str, Any]]


class Row(NamedTuple):
    """One step of the script, run both ways."""

    estimator: str
    title: str
    seconds: dict[str, float]
    scores: dict[str, float]
    equal_labels: float
    inertia_difference: float | None  # where the step gives an inertia

    @property
    def agrees(self) -> bool:
        """Whether both ways came to the same answer."""
        return (
            self.equal_labels >= LEAST_EQUAL_LABELS
            and (self.inertia_difference or 0.0) <= INERTIA_TOLERANCE
            and abs(self.scores[PLAIN] - self.scores[FASTML]) <= SCORE_TOLERANCE
        )


def main() -> int:
    """Run every script both ways and print what came of it."""
    agree = True
    for script in SCRIPTS:
        runs = run_in_turns(script)
        rows = compare([run.steps for run in runs[PLAIN]], [run.steps for run in runs[FASTML]])
        show(rows, title=f"{script.relative_to(HERE.parent)}: as it is, and with python -m fastml")
        whole = {name: min(run.seconds for run in runs[name]) for name in COMMANDS}
        agree = agree and all(row.agrees for row in rows)
        print("The answers agree." if all(row.agrees for row in rows) else "The answers DISAGREE.")
        print(
            f"The whole script, imports and all: {whole[PLAIN]:.1f} s with scikit-learn,"
            f" {whole[FASTML]:.1f} s with fastml: {whole[PLAIN] / whole[FASTML]:.1f} times sooner."
        )
    return 0 if agree else 1


def run_in_turns(script: Path) -> dict[str, list[Run]]:
    """Run a script as it is, accelerated, as it is, accelerated, ..."""
    runs: dict[str, list[Run]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder, progress_line() as progress:
        for turn in range(RUNS):
            for position, (name, command) in enumerate(COMMANDS.items()):
                label = f"{script.name}, run {turn * len(COMMANDS) + position + 1} of {RUNS * len(COMMANDS)}, {name}"
                output = Path(folder) / "steps.json"
                start = time.perf_counter()
                _run(
                    [*command, str(script), "--output", str(output)],
                    lambda text, label=label: progress(f"{label}: {text}"),
                )
                runs[name].append(Run(time.perf_counter() - start, json.loads(output.read_text(encoding="utf-8"))))
                output.unlink()
    return runs


def compare(plain: Sequence[list[dict[str, Any]]], fastml: Sequence[list[dict[str, Any]]]) -> list[Row]:
    """Put the steps of all runs side by side.

    Parameters
    ----------
    plain, fastml : sequence of list of dict
        The steps of each run, as the script wrote them. Answers are taken from the last run, times from the best.

    Returns
    -------
    list of Row
    """
    rows = []
    for number, (ours, theirs) in enumerate(zip(fastml[-1], plain[-1], strict=True)):
        rows.append(
            Row(
                theirs["estimator"],
                theirs["title"],
                {
                    PLAIN: min(steps[number]["seconds"] for steps in plain),
                    FASTML: min(steps[number]["seconds"] for steps in fastml),
                },
                {PLAIN: theirs["score"], FASTML: ours["score"]},
                _equal_share(theirs["labels"], ours["labels"]),
                abs(ours["inertia"] / theirs["inertia"] - 1) if "inertia" in theirs else None,
            )
        )
    return rows


def show(rows: Sequence[Row], title: str) -> None:
    """Print a line a step and the sums."""
    has_inertia = any(row.inertia_difference is not None for row in rows)
    headings = ["estimator", "step", PLAIN, FASTML, "sooner", "score", "with fastml", "equal labels"]
    lines = [
        [
            row.estimator,
            row.title,
            f"{row.seconds[PLAIN]:.2f} s",
            f"{row.seconds[FASTML]:.2f} s",
            f"{row.seconds[PLAIN] / row.seconds[FASTML]:.1f}x",
            f"{row.scores[PLAIN]:.4f}",
            f"{row.scores[FASTML]:.4f}",
            f"{row.equal_labels:.2%}",
            *([_scientific(row.inertia_difference)] if has_inertia else []),
        ]
        for row in rows
    ]
    if has_inertia:
        headings.append("inertia differs")
    for line, row in zip(lines, rows, strict=True):
        line[-1] += "" if row.agrees else " DISAGREES"
    total = {name: sum(row.seconds[name] for row in rows) for name in COMMANDS}
    ratio = f"{total[PLAIN] / total[FASTML]:.1f}x"
    sums = ["all", "", f"{total[PLAIN]:.2f} s", f"{total[FASTML]:.2f} s", ratio]
    sums += [""] * (len(headings) - len(sums))
    if rich is None:
        _show_plainly(title, headings, [*lines, sums])
    else:
        _show_richly(title, headings, lines, sums)


@contextmanager
def progress_line() -> Iterator[Any]:
    """Give a function that shows a text as the state of the work, on a line that is written over."""
    if rich is None:
        yield lambda text: print(text, flush=True)
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        line = progress.add_task("")

        def update(text: str) -> None:
            progress.update(line, description=text)
            if not console.is_terminal:
                print(text, flush=True)  # a log shows no line that is written over

        yield update


def _run(command: Sequence[str], progress: Any) -> None:
    progress("starts")
    with subprocess.Popen(command, env=ENVIRONMENT, cwd=HERE.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # as asked for
        for line in process.stdout:
            progress(line.strip())
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with exit code {process.returncode}")


def _scientific(number: float | None) -> str:
    return "" if number is None else f"{number:.0e}"


def _equal_share(first: Sequence[int], second: Sequence[int]) -> float:
    if len(first) != len(second):
        return 0.0
    return sum(a == b for a, b in zip(first, second, strict=True)) / len(first)


def _show_richly(title: str, headings: Sequence[str], lines: Sequence[Sequence[str]], sums: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < 2 else "right", no_wrap=number != 1)
    for line in lines:
        table.add_row(*line, style="bold red" if line[-1].endswith("DISAGREES") else "")
    table.add_section()
    table.add_row(*sums, style="bold")
    # A log gets the whole width the table needs.
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def _show_plainly(title: str, headings: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    widths = [max(len(line[number]) for line in [headings, *lines]) for number in range(len(headings))]
    print(f"\n{title}\n")
    for line in [headings, *lines]:
        print("  ".join(f"{cell:{'<' if i < 2 else '>'}{widths[i]}}" for i, cell in enumerate(line)))


if __name__ == "__main__":
    sys.exit(main())
