"""Whether operations are recorded: a setting of each thread."""

import functools
import threading
from collections.abc import Callable
from typing import Any


class _Mode(threading.local):
    recording = True


mode = _Mode()


class Recording:
    """Context manager that switches recording for the current thread."""

    def __init__(self, recording: bool) -> None:
        self._recording = recording
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(mode.recording)
        mode.recording = self._recording

    def __exit__(self, *exception: object) -> None:
        mode.recording = self._before.pop()

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with Recording(self._recording):
                return function(*args, **kwargs)

        return wrapped


def no_grad() -> Recording:
    """Context manager, or decorator, in which nothing is recorded: results do not require gradients."""
    return Recording(False)


def enable_grad() -> Recording:
    """Context manager, or decorator, in which operations are recorded again inside of :func:`no_grad`."""
    return Recording(True)


def is_grad_enabled() -> bool:
    """Tell whether operations of this thread are recorded."""
    return mode.recording
