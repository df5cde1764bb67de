"""The settings of fastml: a value for the process, overridden for a thread inside :func:`config_context`.

The environment gives the first values (``FASTML_FALLBACK``, ``FASTML_NUM_THREADS``), read once, at import.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

FALLBACKS = ("error", "warn", "silent")


def _checked(fallback: Any = None, n_threads: Any = None) -> dict[str, Any]:
    """Return the settings that are given (not None), or raise."""
    given: dict[str, Any] = {}
    if fallback is not None:
        if fallback not in FALLBACKS:
            raise ValueError(f"fallback must be one of {FALLBACKS}, got {fallback!r}.")
        given["fallback"] = fallback
    if n_threads is not None:
        if isinstance(n_threads, bool) or not isinstance(n_threads, int) or n_threads < 1:
            raise ValueError(f"n_threads must be an integer of at least 1, got {n_threads!r}.")
        given["n_threads"] = n_threads
    return given


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    fallback = environ.get("FASTML_FALLBACK") or "silent"
    if fallback not in FALLBACKS:
        raise ValueError(f"The environment variable FASTML_FALLBACK must be one of {FALLBACKS}, got {fallback!r}.")
    text = environ.get("FASTML_NUM_THREADS")
    if text and not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError(f"The environment variable FASTML_NUM_THREADS must be an integer of at least 1, got {text!r}.")
    return {"fallback": fallback, "n_threads": int(text) if text else None}


class _Overrides(threading.local):
    """The settings of the thread inside ``config_context``, or None outside of one."""

    settings: dict[str, Any] | None = None


_process: dict[str, Any] = _from_environment(os.environ)
_overrides = _Overrides()


def current() -> dict[str, Any]:
    """Return the settings in force, to be read only; :func:`get_config` gives a copy."""
    settings = _overrides.settings
    return _process if settings is None else settings


def get_config() -> dict[str, Any]:
    """Return the settings in force in this thread.

    Returns
    -------
    config : dict
        With the keys ``"fallback"`` and ``"n_threads"``, see :func:`set_config`.
    """
    return current().copy()


def set_config(*, fallback: str | None = None, n_threads: int | None = None) -> None:
    """Change the settings of the process.

    Threads that are inside a :func:`config_context` keep theirs until they leave it.

    Parameters
    ----------
    fallback : {"error", "warn", "silent"}, optional
        What happens when a call is not served by fastml: raise :class:`fastml.FallbackError`, or run scikit-learn's
        method with or without a :class:`fastml.FallbackWarning`. None leaves it as it is. At first the environment
        variable ``FASTML_FALLBACK``, or ``"silent"``.
    n_threads : int, optional
        The most threads a call uses. None leaves it as it is. At first the environment variable
        ``FASTML_NUM_THREADS``, or None: as many as OpenMP and the CPUs of the process allow.

    Raises
    ------
    ValueError
        When a value is not one of those above.
    """
    given = _checked(fallback, n_threads)
    _share()
    _process.update(given)
    if _overrides.settings is not None:
        _overrides.settings.update(given)


@contextmanager
def config_context(*, fallback: str | None = None, n_threads: int | None = None) -> Iterator[None]:
    """Change the settings for the calls made inside a ``with`` block by this thread and the joblib workers it starts.

    Parameters
    ----------
    fallback : {"error", "warn", "silent"}, optional
        See :func:`set_config`. None leaves it as it is.
    n_threads : int, optional
        See :func:`set_config`. None leaves it as it is.

    Raises
    ------
    ValueError
        When a value is not one that :func:`set_config` takes.

    Examples
    --------
    >>> import fastml
    >>> with fastml.config_context(fallback="error", n_threads=1):
    ...     fastml.get_config()
    {'fallback': 'error', 'n_threads': 1}
    """
    given = _checked(fallback, n_threads)
    _share()
    with override({**current(), **given}):
        yield


@contextmanager
def override(settings: dict[str, Any]) -> Iterator[None]:
    """Put settings in force in this thread, whole, such as those of the thread that gave it a task."""
    before = _overrides.settings
    _overrides.settings = settings.copy()
    try:
        yield
    finally:
        _overrides.settings = before


def adopt(settings: dict[str, Any]) -> None:
    """Take over the settings of the process that this one works for."""
    _process.update(settings)


def _share() -> None:
    # Late, since workers imports this module.
    from fastml._support import workers

    workers.share(__name__, lambda: _process)
