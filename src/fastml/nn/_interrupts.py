"""Ctrl-C between changes of a model, not within one."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interrupts:
    """Context manager of a training. Inside of ``with interrupts.held:`` Ctrl-C waits until the block has ended.

    So KeyboardInterrupt never leaves half of the parameters stepped. Where the process has a handler of its own, and
    outside of the main thread, which gets no signals, nothing changes.
    """

    def __init__(self) -> None:
        self.held = _Held()
        self._installed = False

    def __enter__(self) -> Interrupts:
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self.held.note)
            self._installed = True
        return self

    def __exit__(self, *exception: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._installed = False


class _Held:
    def __init__(self) -> None:
        self._depth = 0
        self._pending = False

    def note(self, signum: int, frame: Any) -> None:
        if not self._depth:
            raise KeyboardInterrupt
        self._pending = True

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *exception: object) -> None:
        self._depth -= 1
        if self._pending and not self._depth:
            self._pending = False
            raise KeyboardInterrupt
