"""The process a contender lives in: ``python -m benchmarks.worker FD``.

It answers one request at a time over the socket it inherits as file descriptor FD, each request a tuple that starts
with its name, each reply a tuple that starts with "ok", "not installed" or "failed":

=========================================  ==================================================================
``("prepare", contender, workload, dir)``  import, make the data, run once to warm up, choose the calls a sample
``("run",)``                               one sample; replies the seconds a call took
``("answer",)``                            the answer of the last call as a dict of numbers and arrays
``("peak",)``                              bytes one more call needs beyond what is held before it
``("stop",)``                              end
=========================================  ==================================================================

Only what a contender needs is imported here, and not before it is told to prepare.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import math
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.memory import peak_growth
from benchmarks.workload import Job, Workload, resolve

# A sample this long is many times the timer's resolution and a scheduler tick (1 to 4 ms).
SAMPLE_SECONDS = 0.05


class Worker:
    """The requests of the protocol, as methods."""

    def prepare(self, contender: Contender, workload: Workload, data_dir: Path | None) -> dict[str, Any]:
        """Make everything ready, so that only the work itself is left to time."""
        importlib.import_module(contender.module)
        data = workload.data(dtype=workload.dtype, data_dir=data_dir)
        self.job: Job = workload.task(contender.name, data)
        with _fallbacks(contender.fallback_logger) as fallbacks:
            self.result = self.job.call()
        self.calls = calls_per_sample(self.job.call)
        return {
            "calls": self.calls,
            "fallbacks": fallbacks,
            "version": importlib.metadata.version(contender.distribution),
            "facts": dict(resolve(contender.facts)()) if contender.facts else {},
            "origin": getattr(data, "origin", ""),
            "threads": _thread_pools(),
        }

    def prepare_once(self, contender: Contender, workload: Workload, data_dir: Path | None) -> None:
        """Make ready without a call that would leave pages behind: for the memory of the first call."""
        importlib.import_module(contender.module)
        self.job = workload.task(contender.name, workload.data(dtype=workload.dtype, data_dir=data_dir))

    def run(self) -> float:
        """Take one sample and give the seconds of one call."""
        call, calls = self.job.call, range(self.calls)
        start = perf_counter()
        for _ in calls:
            result = call()
        seconds = (perf_counter() - start) / self.calls
        self.result = result
        return seconds

    def answer(self) -> dict[str, Any]:
        """Give the answer of the last call."""
        return self.job.answer(self.result)

    def peak(self) -> int:
        """Give the bytes that a call needs beyond its input."""
        return peak_growth(self.job.call)


def calls_per_sample(call: Callable[[], Any], sample_seconds: float = SAMPLE_SECONDS) -> int:
    """Find how many calls in a row take at least about ``sample_seconds``."""
    calls = 1
    while True:
        start = perf_counter()
        for _ in range(calls):
            call()
        seconds = perf_counter() - start
        if seconds >= sample_seconds:
            return calls
        # At most tenfold at once: the first estimates come from samples too short to be trusted.
        calls = min(10 * calls, max(calls + 1, math.ceil(1.1 * calls * sample_seconds / max(seconds, 1e-9))))


def serve(connection: Connection) -> None:
    """Answer requests until told to stop, or until the parent is gone."""
    worker = Worker()
    while True:
        try:
            name, *arguments = connection.recv()
        except EOFError:
            return
        if name == "stop":
            return
        connection.send(_reply(worker, name, arguments))


def _reply(worker: Worker, name: str, arguments: list[Any]) -> tuple[str, Any]:
    try:
        return "ok", getattr(worker, name)(*arguments)
    except ModuleNotFoundError as error:
        contender = arguments[0] if name.startswith("prepare") else None
        if contender is not None and error.name == contender.module:
            return "not installed", str(error)
        return "failed", traceback.format_exc()
    except Exception:
        # Whatever a contender raises is a result to report, not the end of the run.
        return "failed", traceback.format_exc()


@contextmanager
def _fallbacks(logger_name: str | None) -> Iterator[list[str]]:
    """Collect what a library logs about work it hands to scikit-learn."""
    messages: list[str] = []
    if logger_name is None:
        yield messages
        return

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "fallback" in record.getMessage():
                messages.append(record.getMessage())

    logger, handler = logging.getLogger(logger_name), Collect()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield messages
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


def _thread_pools() -> dict[str, int]:
    """Give the threads of each runtime loaded: the proof that the limit took hold."""
    from threadpoolctl import threadpool_info

    return {
        f"{pool['internal_api']} {pool.get('version') or ''}".strip(): pool["num_threads"] for pool in threadpool_info()
    }


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
