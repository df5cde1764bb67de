"""The vocabulary in which workloads are written down.

A workload names what is done by dotted path ("package.module:function"), so that the table can be read, filtered and
sent to another process without importing any contender.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Named:
    """A function by its dotted path, and the keyword arguments it gets.

    Parameters
    ----------
    path : str
        ``"package.module:function"``.
    arguments : mapping, default={}
        Keyword arguments, picklable.
    """

    path: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *positional: Any, **more: Any) -> Any:
        return resolve(self.path)(*positional, **self.arguments, **more)


@dataclass(frozen=True)
class Goal:
    """How many times sooner fastml should be.

    Parameters
    ----------
    ratio : float
        Time of the other over time of fastml.
    over : str, default="best peer"
        A contender's name, or "best peer": the quickest contender other than fastml whose answer is right.
    """

    ratio: float
    over: str = "best peer"


@dataclass(frozen=True)
class Workload:
    """One row of the benchmark.

    Parameters
    ----------
    name : str
        ``family/what-dtype-shape``; ``--only`` is searched in it.
    data : Named
        ``function(dtype=, data_dir=, **arguments) -> data``; any object the task understands.
    dtype : str
        "float32" or "float64", or "int64" for counts and numbers of categories.
    task : Named
        ``function(contender, data, **arguments) -> Job``.
    check : Named
        ``function(answer, reference, **arguments) -> Verdict or None``. The reference is the baseline's answer, or None
        when the baseline did not take part; a check that needs it returns None then.
    contenders : tuple of str
        Who can do this work.
    baseline : str
        The contender whose answer is the reference, and to whose time ratios are given.
    threads : int or None
        Fixed number of threads; None takes the run's.
    flops : float or None
        Floating-point operations of one call, to show GFLOP/s.
    memory : bool
        Whether the memory of one call beyond its input is measured, in a run of its own.
    goals : tuple of Goal
        What fastml sets out to reach.
    """

    name: str
    data: Named
    dtype: str
    task: Named
    check: Named
    contenders: tuple[str, ...]
    baseline: str
    threads: int | None = None
    flops: float | None = None
    memory: bool = False
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True)
class Job:
    """What a task hands to the worker.

    Parameters
    ----------
    call : callable
        The work that is timed, without arguments.
    answer : callable
        Turns what ``call`` returned into a dict of numbers and arrays; not timed.
    """

    call: Callable[[], Any]
    answer: Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """Whether an answer holds, with the figures that say so, as a short text each."""

    right: bool
    figures: Mapping[str, str]


def resolve(path: str) -> Callable[..., Any]:
    """Import the function that a ``"package.module:function"`` path names."""
    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function
