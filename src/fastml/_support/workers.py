"""How settings, patches and the report reach joblib's workers and other processes.

There are two ways into a worker. Both are prepared once, when there is first something to share:

* ``joblib.Parallel.__call__`` wraps each task, so that it runs under the settings of the thread that called it, in
  thread and process workers alike, and so that workers started earlier learn of patches made since.
* The preparation data that ``multiprocessing`` (spawn, forkserver) and loky hand to a new process before anything else
  holds an object whose unpickling patches there, before the main module is imported again.

Forked processes inherit everything.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial, update_wrapper, wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from fastml._support import config
from fastml._support.import_hooks import when_imported

_PACKAGE_PARENT = str(Path(__file__).parents[2])

_shared: dict[str, Callable[[], Any]] = {}
_after_task: list[Callable[[], None]] = []
_installed = False


def share(module: str, value: Callable[[], Any]) -> None:
    """Share something with every worker from now on.

    Parameters
    ----------
    module : str
        The module whose function ``adopt(value)`` is called in the worker process, as often as there is a message.
    value : callable
        Returns the value to send, which can be pickled.
    """
    _shared[module] = value
    _install()


def after_task(action: Callable[[], None]) -> None:
    """Have an action done in this process after each of the joblib tasks that it is given."""
    if action not in _after_task:
        _after_task.append(action)


class SharedState:
    """The values shared at this moment. Unpickling it in another process has them adopted there.

    In a pickle it stands before the work, so that it is adopted before the modules of that work are imported.
    """

    def __init__(self) -> None:
        self.origin = os.getpid()
        self.values = {module: value() for module, value in _shared.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return adopt, (self.origin, self.values)


class _InitialState(SharedState):
    """Shared state for a process that has only started and may not have the parent's ``sys.path`` yet."""

    _ADOPT = (
        "import sys\n"
        "if parent not in sys.path:\n"
        "    sys.path.append(parent)\n"
        "from fastml._support.workers import adopt\n"
        "adopt(origin, values)\n"
    )

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (self._ADOPT, {"parent": _PACKAGE_PARENT, "origin": self.origin, "values": self.values})


def adopt(origin: int, values: dict[str, Any]) -> SharedState:
    """Adopt values that another process shares; those of this process itself are known."""
    if origin != os.getpid():
        for module, value in values.items():
            import_module(module).adopt(value)
    return SharedState()


class Task:
    """A function that runs under the settings of the thread that called for it.

    Parameters
    ----------
    function : callable
        The function.
    settings : dict
        The settings, see :mod:`fastml._support.config`.
    state : SharedState
        What a worker process adopts before the function is unpickled there.
    """

    def __init__(self, state: SharedState, settings: dict[str, Any], function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.state = state
        self.settings = settings
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            with config.override(self.settings):
                return self.function(*args, **kwargs)
        finally:
            for action in _after_task:
                action()

    def __reduce__(self) -> tuple[Any, ...]:
        return Task, (self.state, self.settings, self.function)


class _Tasks:
    """The tasks given to ``joblib.Parallel``, each wrapped as it is drawn."""

    def __init__(self, tasks: Iterable[tuple[Any, Any, Any]]) -> None:
        self.tasks = tasks
        self.settings = config.get_config()
        self.state = SharedState()

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        for function, args, kwargs in self.tasks:
            yield Task(self.state, self.settings, function), args, kwargs


class _SizedTasks(_Tasks):
    """Tasks whose number joblib can tell beforehand."""

    def __len__(self) -> int:
        return len(self.tasks)  # type: ignore[arg-type]


def _install() -> None:
    global _installed
    if not _installed:
        _installed = True
        when_imported("joblib", _widen_parallel)
        for spawn in ("multiprocessing.spawn", "joblib.externals.loky.backend.spawn"):
            when_imported(spawn, partial(_widen_spawn, spawn))


def _widen_parallel() -> None:
    parallel = sys.modules["joblib"].Parallel
    parallel.__call__ = _with_tasks(parallel.__call__)


def _widen_spawn(name: str) -> None:
    spawn: Any = sys.modules[name]
    spawn.get_preparation_data = _with_state(spawn.get_preparation_data)


def _with_tasks(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def __call__(self: Any, iterable: Any) -> Any:
        return call(self, _SizedTasks(iterable) if hasattr(iterable, "__len__") else _Tasks(iterable))

    return __call__


def _with_state(get_preparation_data: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    @wraps(get_preparation_data)
    def prepare(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"fastml": _InitialState(), **get_preparation_data(*args, **kwargs)}

    return prepare
