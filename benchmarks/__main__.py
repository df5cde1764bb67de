"""Command line: ``python -m benchmarks [--only REGEX] [--contenders a,b] ...``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import record, table
from benchmarks.contenders import CONTENDERS, OURS
from benchmarks.families import FAMILIES
from benchmarks.machine import machine_facts
from benchmarks.measure import Comparison, compare
from benchmarks.workload import Workload


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the workloads picked; return 0 if fastml ran on all of them and was right, else 1."""
    options = _parser().parse_args(arguments)
    picked = {
        family: [workload for workload in workloads if re.search(options.only, workload.name)]
        for family, workloads in FAMILIES.items()
    }
    if options.list:
        print("\n".join(workload.name for workloads in picked.values() for workload in workloads))
        return 0
    if not any(picked.values()):
        print(f"no workload matches --only {options.only!r}; --list prints their names", file=sys.stderr)
        return 2
    machine = machine_facts()
    # Never narrower than the tables need, so that a log holds them whole.
    console = Console(width=max(160, Console().width) if not sys.stdout.isatty() else None)
    families = _measure(picked, options)
    comparisons = [comparison for family in families.values() for comparison in family]
    for family, members in families.items():
        console.print(table.details(members, family))
    if OURS in _chosen(options):
        console.print(table.summary(comparisons))
    versions = record.versions(comparisons)
    caption = (
        f"{machine['cpu']}, {machine['cpus']} CPUs, SIMD up to {(machine['simd'] or ['baseline'])[-1]}; "
        f"{options.threads} threads unless named, median of {options.repeats}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
    )
    console.print(caption, style="dim")
    if options.json:
        settings = {key: str(value) if isinstance(value, Path) else value for key, value in vars(options).items()}
        record.write(options.json, record.record(comparisons, machine, settings))
    if options.plot:
        from benchmarks.plot import write_plot

        write_plot(options.plot, families, caption)
    return _report_ours(comparisons, OURS in _chosen(options), console)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure fastml against its peers: each in a process of its own, taking turns, answers checked.",
    )
    parser.add_argument("--only", metavar="REGEX", default="", help="measure the workloads whose name matches")
    parser.add_argument("--list", action="store_true", help="print the names of the workloads and stop")
    parser.add_argument("--data", metavar="DIR", type=lambda text: Path(text).resolve(), help="folder with real data")
    parser.add_argument("--repeats", metavar="N", type=_positive, default=7, help="turns of each contender (default 7)")
    parser.add_argument("--threads", metavar="N", type=_positive, default=2, help="threads of each (default 2)")
    parser.add_argument(
        "--contenders", metavar="A,B", type=_contenders, help=f"of {', '.join(CONTENDERS)} (default all)"
    )
    parser.add_argument("--json", metavar="OUT", type=Path, help="write the results to this file")
    parser.add_argument("--plot", metavar="OUT.png", type=Path, help="draw the ratios into this file")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def _contenders(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in CONTENDERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown {', '.join(unknown)}; there are {', '.join(CONTENDERS)}")
    return names


def _chosen(options: argparse.Namespace) -> Sequence[str]:
    return options.contenders or list(CONTENDERS)


def _measure(picked: dict[str, list[Workload]], options: argparse.Namespace) -> dict[str, Sequence[Comparison]]:
    families: dict[str, Sequence[Comparison]] = {}
    columns: tuple[Any, ...] = (
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        line = progress.add_task("", total=sum(map(len, picked.values())))
        for family, workloads in picked.items():
            members: list[Comparison] = []
            for workload in workloads:
                contenders = [CONTENDERS[name] for name in workload.contenders if name in _chosen(options)]
                if contenders:
                    members.append(
                        compare(
                            workload,
                            contenders,
                            repeats=options.repeats,
                            threads=options.threads,
                            data_dir=options.data,
                            progress=lambda step, name=workload.name: progress.update(  # type: ignore[misc]
                                line, description=f"{name}: {step}"
                            ),
                        )
                    )
                progress.advance(line)
            if members:
                families[family] = members
    return families


def _report_ours(comparisons: Sequence[Comparison], expected: bool, console: Console) -> int:
    """Say where fastml did not do its work; that is an error, unlike a missing peer."""
    if not expected:
        return 0
    wrong = 0
    for comparison in comparisons:
        ours = next((result for result in comparison.results if result.contender == OURS), None)
        if ours is not None and not ours.right:
            wrong += 1
            what = "wrong answer" if ours.status == "ok" else ours.status
            figures = ours.verdict.figures if ours.verdict else {}
            reason = ours.reason.strip() or ", ".join(f"{key} {value}" for key, value in figures.items())
            console.print(f"[bold red]{OURS} on {comparison.workload.name}:[/] {what}", highlight=False)
            console.print(reason, style="red", markup=False, highlight=False)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
