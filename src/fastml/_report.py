"""The table that ``python -m fastml --report`` prints at exit: which calls ran on fastml, which did not, and why.

Worker processes write their calls to a file each, in a directory of the process that reports: after every joblib task,
and at their exit otherwise.
"""

import atexit
import json
import multiprocessing.util
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

from fastml._support import workers
from fastml._support.dispatch import Call, add_calls, calls, reset_calls

_directory: Path | None = None


def report_at_exit() -> None:
    """Print the calls of this process and its workers when it exits, to the standard error."""
    global _directory
    _directory = Path(tempfile.mkdtemp(prefix="fastml-report-"))
    atexit.register(_report, os.getpid())
    workers.share(__name__, lambda: str(_directory))
    multiprocessing.util.register_after_fork(_report, _start_in_worker)


def adopt(directory: str) -> None:
    """Have the calls of this process written for the one that reports."""
    global _directory
    if _directory is None:
        _directory = Path(directory)
        workers.share(__name__, lambda: str(_directory))
        _start_in_worker()
        # Some kinds of process forget their finalizers once more before they run; and this one may have children.
        multiprocessing.util.register_after_fork(_report, _start_in_worker)


def _start_in_worker(_: object = None) -> None:
    reset_calls()
    multiprocessing.util.Finalize(None, _write, exitpriority=0)
    workers.after_task(_write)


def _write() -> None:
    made = calls()
    if _directory is not None and made:
        path = _directory / f"{os.getpid()}.json"
        temporary = path.with_suffix(".part")
        try:
            temporary.write_text(json.dumps([astuple(call) for call in made]))
            temporary.replace(path)
        except FileNotFoundError:
            # The reporting process is gone, and its directory with it.
            pass


def _report(reporter: int) -> None:
    if os.getpid() != reporter or _directory is None:
        return
    worker_files = sorted(_directory.glob("*.json"))
    for path in worker_files:
        add_calls(Call(*call) for call in json.loads(path.read_text()))
    shutil.rmtree(_directory, ignore_errors=True)
    print(table(calls(), len(worker_files)), file=sys.stderr)


def table(made: Sequence[Call], n_workers: int = 0) -> str:
    """Return the calls as aligned text.

    Parameters
    ----------
    made : sequence of Call
        The calls.
    n_workers : int, default=0
        How many of the processes that made them were workers.

    Returns
    -------
    text : str
        A line of totals, the table, and a note on worker processes where there were some.
    """
    if not made:
        return "fastml: no call was made of anything that fastml accelerates."
    ours = sum(call.count for call in made if call.reason is None)
    stock = sum(call.count for call in made if call.reason is not None)
    rows = [("call", "ran on", "calls", "seconds", "why not fastml")]
    for call in sorted(made, key=lambda call: (call.name, call.reason or "")):
        where = "fastml" if call.reason is None else "scikit-learn"
        rows.append((call.name, where, str(call.count), f"{call.seconds:.3f}", call.reason or ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [f"fastml: {ours} calls ran on fastml, {stock} on scikit-learn."]
    for name, where, count, seconds, reason in rows:
        cells = [name.ljust(widths[0]), where.ljust(widths[1]), count.rjust(widths[2]), seconds.rjust(widths[3])]
        lines.append("  ".join([*cells, reason]).rstrip())
    if n_workers:
        lines.append(
            f"With those of {n_workers} worker processes, whose seconds add up; calls that a worker had not finished "
            "when it was ended are missing."
        )
    return "\n".join(lines)
