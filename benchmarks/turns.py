"""The parent's end of the workers: start them, let them run one at a time, notice when one fails."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.contenders import Contender, environment
from benchmarks.disturbance import Watch

ROOT = Path(__file__).resolve().parent.parent
# OpenMP's idle threads spin for some milliseconds after a parallel region; they must sleep when the next worker runs.
PAUSE_SECONDS = 0.02
LAST_WORDS_BYTES = 4000
# A turn that others disturb is taken again after a while; a machine that is never quiet is measured as it is.
ATTEMPTS = 5
ATTEMPT_PAUSE_SECONDS = 0.3


class ContenderError(RuntimeError):
    """A contender could not do what it was asked: it raised, died or took too long."""


class NotInstalledError(ContenderError):
    """A contender's library is missing."""


class WorkerProcess:
    """A contender's process; a context manager that ends it.

    Parameters
    ----------
    contender : Contender
        Who lives there.
    threads : int
        Threads its libraries may use.
    timeout : float
        Seconds a reply may take; after that the process is ended.
    """

    def __init__(self, contender: Contender, threads: int, timeout: float) -> None:
        self.contender = contender
        self.timeout = timeout
        self.connection, theirs = Pipe()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed on exit of this context manager
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.worker", str(theirs.fileno())],
                cwd=ROOT,
                env={**os.environ, **environment(contender, threads)},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                # Peers print as they like; what they report comes over the connection.
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
            )

    def ask(self, request: str, *arguments: Any) -> Any:
        """Send a request, wait for the reply and return what it holds.

        Raises
        ------
        NotInstalledError
            If the contender's library is missing.
        ContenderError
            If the contender raised, died or took longer than the timeout.
        """
        try:
            self.connection.send((request, *arguments))
            if not self.connection.poll(self.timeout):
                self.process.kill()
                raise ContenderError(f"no reply to '{request}' within {self.timeout:g} s; ended")
            status, value = self.connection.recv()
        except (EOFError, ConnectionError, BrokenPipeError) as error:
            code = self.process.wait()
            raise ContenderError(
                f"process ended during '{request}' with exit code {code}\n{self._last_words()}"
            ) from error
        if status == "not installed":
            raise NotInstalledError(value)
        if status == "failed":
            raise ContenderError(value)
        return value

    def _last_words(self) -> str:
        size = self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, size - LAST_WORDS_BYTES))
        return self.errors.read().decode(errors="replace")

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.connection.close()  # the worker ends when its connection does
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()


@dataclass
class Turns:
    """What came of taking turns.

    Attributes
    ----------
    seconds : dict of str to list of float
        What each turn took, by name.
    disturbed : dict of str to int
        Turns kept although other programs were using the CPU, by name.
    failures : dict of str to str
        Why a worker dropped out, by name; the others go on.
    """

    seconds: dict[str, list[float]]
    disturbed: dict[str, int]
    failures: dict[str, str]


def take_turns(
    workers: Mapping[str, WorkerProcess],
    rounds: int,
    pause: float = PAUSE_SECONDS,
    progress: Callable[[int, str], None] = lambda done, name: None,
) -> Turns:
    """Let each worker run once, in order, ``rounds`` times: A B C A B C ...

    A turn during which other programs used the CPU is taken again, a few times at most.

    Parameters
    ----------
    workers : mapping of str to WorkerProcess
        Prepared workers by name.
    rounds : int
        Turns each gets.
    pause : float
        Seconds between turns.
    progress : callable
        Called with the round and the name before each turn.

    Returns
    -------
    Turns
    """
    turns = Turns({name: [] for name in workers}, dict.fromkeys(workers, 0), {})
    for turn in range(rounds):
        for name, worker in workers.items():
            if name in turns.failures:
                continue
            progress(turn, name)
            time.sleep(pause)
            try:
                seconds, disturbed = _undisturbed(worker)
            except ContenderError as error:
                turns.failures[name] = str(error)
            else:
                turns.seconds[name].append(seconds)
                turns.disturbed[name] += disturbed
    return turns


def _undisturbed(worker: WorkerProcess) -> tuple[float, bool]:
    for _ in range(ATTEMPTS):
        watch = Watch(worker.process.pid)
        seconds: float = worker.ask("run")
        if not watch.disturbed():
            return seconds, False
        time.sleep(ATTEMPT_PAUSE_SECONDS)
    return seconds, True
