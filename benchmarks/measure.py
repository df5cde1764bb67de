"""One workload from start to finish: prepare every contender, take turns, check the answers, measure memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.contenders import OURS, Contender
from benchmarks.turns import ContenderError, NotInstalledError, WorkerProcess, take_turns
from benchmarks.workload import Goal, Verdict, Workload

TIMEOUT_SECONDS = 300.0


@dataclass
class Result:
    """What one contender did on one workload.

    Attributes
    ----------
    status : str
        "ok", "not installed" or "failed".
    reason : str
        Why not, when the status is not "ok".
    seconds : list of float
        Seconds of a call, one figure a turn.
    disturbed : int
        How many of these turns other programs disturbed.
    facts : dict
        What the worker said about itself: version, calls a sample, fallbacks, threads.
    verdict : Verdict or None
        Whether the answer is right; None if there was no reference to hold it against.
    peak_bytes : int or None
        Memory of a call beyond its input, where asked for.
    """

    contender: str
    status: str = "ok"
    reason: str = ""
    seconds: list[float] = field(default_factory=list)
    disturbed: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    peak_bytes: int | None = None

    def fail(self, error: ContenderError) -> None:
        """Record that the contender could not do the work."""
        self.status = "not installed" if isinstance(error, NotInstalledError) else "failed"
        self.reason = str(error)

    @property
    def median(self) -> float:
        """Median seconds of a call."""
        return median(self.seconds)

    @property
    def spread(self) -> float:
        """Distance of the quartiles relative to the median."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = quantiles(self.seconds, n=4, method="inclusive")
        return (high - low) / self.median

    @property
    def right(self) -> bool:
        """Whether it ran and its answer was not found wrong."""
        return self.status == "ok" and (self.verdict is None or self.verdict.right)


@dataclass
class Comparison:
    """All contenders on one workload."""

    workload: Workload
    threads: int
    results: list[Result]

    def of(self, contender: str) -> Result | None:
        """Give the result of a contender whose answer is right."""
        return next((result for result in self.results if result.contender == contender and result.right), None)

    def best_peer(self) -> Result | None:
        """Give the quickest contender other than ours among those whose answer is right."""
        peers = [result for result in self.results if result.contender != OURS and result.right]
        return min(peers, key=lambda result: result.median, default=None)

    def ratio(self, goal: Goal) -> float | None:
        """Give the ratio that a goal speaks of, or None where either side is missing."""
        ours = self.of(OURS)
        other = self.best_peer() if goal.over == "best peer" else self.of(goal.over)
        return None if ours is None or other is None else other.median / ours.median


def compare(
    workload: Workload,
    contenders: Sequence[Contender],
    *,
    repeats: int,
    threads: int,
    data_dir: Path | None = None,
    timeout: float = TIMEOUT_SECONDS,
    progress: Callable[[str], None] = lambda step: None,
) -> Comparison:
    """Measure one workload.

    Parameters
    ----------
    workload : Workload
        What to do.
    contenders : sequence of Contender
        Who does it, in the order of turns.
    repeats : int
        Turns each contender gets.
    threads : int
        Threads each may use, unless the workload fixes them.
    data_dir : Path or None
        Folder with real data.
    timeout : float
        Seconds any single step of a contender may take.
    progress : callable
        Called with a short text at each step.

    Returns
    -------
    Comparison
        A contender that raises, dies or hangs has a result that says so; the others are measured all the same.
    """
    threads = workload.threads or threads
    results = {contender.name: Result(contender.name) for contender in contenders}
    with ExitStack() as stack:
        workers: dict[str, WorkerProcess] = {}
        for contender in contenders:
            progress(f"{contender.name} prepares")
            worker = stack.enter_context(WorkerProcess(contender, threads, timeout))
            try:
                results[contender.name].facts = worker.ask("prepare", contender, workload, data_dir)
                workers[contender.name] = worker
            except ContenderError as error:
                results[contender.name].fail(error)
        turns = take_turns(
            workers, repeats, progress=lambda turn, name: progress(f"turn {turn + 1} of {repeats}, {name}")
        )
        for name in workers:
            results[name].seconds = turns.seconds[name]
            results[name].disturbed = turns.disturbed[name]
        for name, reason in turns.failures.items():
            results[name].fail(ContenderError(reason))
        progress("answers")
        _check_answers(workload, workers, results)
    if workload.memory:
        for contender in contenders:
            if results[contender.name].status == "ok":
                progress(f"memory, {contender.name}")
                _measure_memory(contender, workload, threads, data_dir, timeout, results[contender.name])
    return Comparison(workload, threads, list(results.values()))


def _check_answers(workload: Workload, workers: dict[str, WorkerProcess], results: dict[str, Result]) -> None:
    answers: dict[str, dict[str, Any]] = {}
    for name, worker in workers.items():
        if results[name].status == "ok":
            try:
                answers[name] = worker.ask("answer")
            except ContenderError as error:
                results[name].fail(error)
    for name, answer in answers.items():
        results[name].verdict = workload.check(answer, answers.get(workload.baseline))


def _measure_memory(
    contender: Contender, workload: Workload, threads: int, data_dir: Path | None, timeout: float, result: Result
) -> None:
    with WorkerProcess(contender, threads, timeout) as worker:
        try:
            worker.ask("prepare_once", contender, workload, data_dir)
            result.peak_bytes = worker.ask("peak")
        except ContenderError as error:
            result.fail(error)
