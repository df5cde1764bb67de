"""The most memory a call needs beyond what is held before it, from the kernel's own count of resident pages.

``tracemalloc`` sees only what goes through Python's allocators; the arrays of a C++ library do not.
"""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
CLEAR_PEAK = "5"  # what /proc/self/clear_refs takes to reset VmHWM, see proc(5)


def peak_growth(call: Callable[[], Any]) -> int:
    """Run ``call`` and return by how many bytes the resident set grew at its peak.

    On systems without ``/proc`` the peak of the whole process so far is the start, so that a call which stays below
    an earlier peak counts as 0: use a fresh process.
    """
    gc.collect()
    _return_free_pages()
    if not STATUS.exists():
        before = _maximum_resident()
        call()
        return _maximum_resident() - before
    Path("/proc/self/clear_refs").write_text(CLEAR_PEAK)
    before = _status_bytes("VmRSS")
    call()
    return max(0, _status_bytes("VmHWM") - before)


def _return_free_pages() -> None:
    """Hand freed heap pages back, so that a call which reuses them is not counted as needing none."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)


def _status_bytes(key: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(key + ":"))
    return int(line.split()[1]) * 1024


def _maximum_resident() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
