"""What a bug report should say about the machine and the versions."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_PACKAGES = ("scikit-learn", "numpy", "scipy", "joblib", "threadpoolctl", "narwhals", "pandas", "polars", "pip")


def show_versions() -> None:
    """Print what a bug report needs: versions, SIMD level, threads, and the native libraries loaded.

    See Also
    --------
    sklearn.show_versions : scikit-learn's own account of its build.
    """
    print("\n".join(_lines()))


def _lines() -> list[str]:
    from threadpoolctl import threadpool_info

    from fastml import __version__, _core
    from fastml._support import config, threads

    build: dict[str, Any] = dict(_core.build_info())
    settings = config.get_config()
    sections: dict[str, dict[str, Any]] = {
        "System": {
            "python": sys.version.replace("\n", " "),
            "executable": sys.executable,
            "machine": platform.platform(),
        },
        "Packages": {"fastml": __version__, **{name: _version(name) for name in _PACKAGES}},
        "Build": build,
        "SIMD": {
            "level in use": _core.simd_level(),
            "levels of this machine": ", ".join(_core.simd_levels()),
            "FASTML_SIMD": os.environ.get("FASTML_SIMD", "not set"),
        },
        "Threads": {
            "threads of a call": threads.n_threads(),
            "CPUs of the process": threads.available_cpus(),
            "OpenMP maximum": _core.omp_max_threads(),
            "n_threads": settings["n_threads"],
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
        },
        "Settings": {"fallback": settings["fallback"]},
    }
    for index, library in enumerate(threadpool_info(), start=1):
        sections[f"Native library {index}"] = library

    lines = []
    for title, entries in sections.items():
        width = max((len(name) for name in entries), default=0)
        lines += ["", f"{title}:", *(f"  {name:>{width}}: {_text(value)}" for name, value in entries.items())]
    return lines[1:]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{key} {entry}" for key, entry in value.items()]
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value) or "none"
