"""The results as tables in the terminal: one row a contender, then one row a workload for fastml."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from benchmarks.contenders import OURS
from benchmarks.measure import Comparison, Result
from benchmarks.workload import Goal

UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6))


def details(comparisons: Sequence[Comparison], title: str) -> Table:
    """Lay out every contender's time, ratios, answer and memory, workload by workload."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    shown = {
        "GFLOP/s": any(comparison.workload.flops for comparison in comparisons),
        "memory": any(result.peak_bytes is not None for comparison in comparisons for result in comparison.results),
    }
    table.add_column("contender", no_wrap=True)
    for heading in ("median", "spread", "GFLOP/s", "vs baseline", "vs best peer", "memory"):
        if shown.get(heading, True):
            table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("answer", overflow="fold")
    for comparison in comparisons:
        name = Text(comparison.workload.name.partition("/")[2], style="bold cyan")
        table.add_row(name, *[""] * (len(table.columns) - 1))
        for result in comparison.results:
            cells = _cells(comparison, result)
            table.add_row(*(cells.get(str(column.header), Text()) for column in table.columns))
        table.add_section()
    return table


def summary(comparisons: Sequence[Comparison]) -> Table:
    """Lay out how fastml stands on each workload, beside its goals."""
    table = Table(title=f"{OURS}: times sooner", box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("workload", no_wrap=True)
    table.add_column("than the baseline", justify="right")
    table.add_column("than the best peer", justify="right")
    table.add_column("goals")
    table.add_column("answer")
    for comparison in comparisons:
        ours = next((result for result in comparison.results if result.contender == OURS), None)
        if ours is None:
            continue
        baseline, best = comparison.of(comparison.workload.baseline), comparison.best_peer()
        table.add_row(
            comparison.workload.name,
            _times(baseline, ours),
            _times(best, ours, named=True),
            _goals(comparison),
            _verdict(ours),
        )
    return table


def _cells(comparison: Comparison, result: Result) -> dict[str, Text | str]:
    name = Text(f"  {result.contender}", style="bold" if result.contender == OURS else "")
    if result.status != "ok":
        reason = result.reason.strip().splitlines()[-1] if result.status == "failed" else ""
        style = "dim" if result.status == "not installed" else "bold red"
        return {"contender": name, "median": Text(result.status, style=style), "answer": Text(reason, style=style)}
    cells: dict[str, Text | str] = {
        "contender": name,
        "median": duration(result.median),
        "spread": f"{result.spread:.0%}",
        "vs baseline": _times(comparison.of(comparison.workload.baseline), result),
        "vs best peer": _times(comparison.best_peer(), result),
        "answer": _verdict(result, figures=True),
    }
    if comparison.workload.flops is not None:
        cells["GFLOP/s"] = f"{comparison.workload.flops / result.median / 1e9:.1f}"
    if result.peak_bytes is not None:
        cells["memory"] = f"{result.peak_bytes / 2**20:.1f}M"
    return cells


def _times(other: Result | None, result: Result, named: bool = False) -> Text:
    if other is None or result.status != "ok":
        return Text("-", style="dim")
    ratio = other.median / result.median
    style = "green" if ratio >= 1.05 else "red" if ratio < 0.95 else ""
    return Text(f"{ratio:.2f}x" + (f" {other.contender}" if named else ""), style=style)


def _goals(comparison: Comparison) -> Text:
    if not comparison.workload.goals:
        return Text("-", style="dim")
    return Text(", ").join(_goal(goal, comparison.ratio(goal)) for goal in comparison.workload.goals)


def _goal(goal: Goal, ratio: float | None) -> Text:
    reached = ratio is not None and ratio >= goal.ratio
    word = "unknown" if ratio is None else "reached" if reached else "missed"
    return Text(f"{goal.ratio:g}x {goal.over}: {word}", style="green" if reached else "yellow")


def _verdict(result: Result, figures: bool = False) -> Text:
    if result.status != "ok":
        return Text(result.status, style="bold red")
    if result.verdict is None:
        text = Text("unchecked", style="dim")
    else:
        text = Text("right" if result.verdict.right else "WRONG", style="" if result.verdict.right else "bold red")
        if figures:
            text.append("".join(f", {key} {value}" for key, value in result.verdict.figures.items()), style="dim")
    if result.facts.get("fallbacks"):
        text.append(", ran scikit-learn's own code", style="yellow")
    if figures and result.disturbed:
        text.append(f", {result.disturbed} of {len(result.seconds)} turns disturbed by other programs", style="yellow")
    return text


def duration(seconds: float) -> str:
    """Write a time with three digits and the unit that suits it."""
    unit, size = next(((unit, size) for unit, size in UNITS if seconds >= size), UNITS[-1])
    value = seconds / size
    decimals = max(0, 3 - len(str(int(value))))
    return f"{value:.{decimals}f} {unit}"
