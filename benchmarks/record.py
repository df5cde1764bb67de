"""The results as JSON: everything the table and the plot show, and every single figure behind it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Comparison, Result


def record(comparisons: Sequence[Comparison], machine: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Give the results as plain dicts and lists."""
    return {
        "machine": machine,
        "settings": settings,
        "versions": versions(comparisons),
        "workloads": [_comparison(comparison) for comparison in comparisons],
    }


def write(path: Path, recorded: dict[str, Any]) -> None:
    """Write a record, readable by eye."""
    path.write_text(json.dumps(recorded, indent=1, default=str) + "\n", encoding="utf-8")


def versions(comparisons: Sequence[Comparison]) -> dict[str, str]:
    """Give the version of each contender that ran."""
    return {
        result.contender: result.facts["version"]
        for comparison in comparisons
        for result in comparison.results
        if "version" in result.facts
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    workload = comparison.workload
    best = comparison.best_peer()
    return {
        "name": workload.name,
        "dtype": workload.dtype,
        "threads": comparison.threads,
        "data": {"generator": workload.data.path, **workload.data.arguments},
        "task": {"function": workload.task.path, **workload.task.arguments},
        "baseline": workload.baseline,
        "best peer": best.contender if best else None,
        "goals": [
            {"ratio": goal.ratio, "over": goal.over, "reached": comparison.ratio(goal)} for goal in workload.goals
        ],
        "results": [_result(result, workload.flops) for result in comparison.results],
    }


def _result(result: Result, flops: float | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"contender": result.contender, "status": result.status}
    if result.status != "ok":
        return {**entry, "reason": result.reason}
    entry |= {"median seconds": result.median, "spread": result.spread, "seconds": result.seconds}
    entry |= {"disturbed turns": result.disturbed, **result.facts}
    if flops is not None:
        entry["gflop/s"] = flops / result.median / 1e9
    if result.verdict is not None:
        entry |= {"right": result.verdict.right, "answer": dict(result.verdict.figures)}
    if result.peak_bytes is not None:
        entry["peak bytes"] = result.peak_bytes
    return entry
