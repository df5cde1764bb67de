"""States of training in a file: nested dicts and lists of arrays and numbers, whole or not at all.

The file is a NumPy archive (.npz): its arrays by number, and the structure around them as JSON. Nothing in it is run
when it is read. Floats come back bit for bit.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["load_checkpoint", "save_checkpoint"]

_VERSION = 1
_STRUCTURE = "structure"


def save_checkpoint(path: str | os.PathLike, state: Any) -> None:
    """Write a state to a file in place of whatever the file held. A process killed on the way leaves that as it was.

    Parameters
    ----------
    path : path-like
    state : object
        Dicts (keys: strings or integers), lists, tuples, NumPy arrays without objects, strings, numbers, None.
    """
    path = Path(path)
    arrays: list[np.ndarray] = []
    text = json.dumps({"version": _VERSION, "state": _without_arrays(state, arrays, "state")})
    named = {f"array_{i}": array for i, array in enumerate(arrays)}
    # In the folder of the target: os.replace is atomic within a file system only.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, **{_STRUCTURE: np.array(text)}, **named)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def load_checkpoint(path: str | os.PathLike) -> Any:
    """Return the state that :func:`save_checkpoint` wrote; tuples come back as lists."""
    with np.load(path, allow_pickle=False) as archive:
        if _STRUCTURE not in archive:
            raise ValueError(f"{path}: not a checkpoint of fastml.nn.")
        content = json.loads(archive[_STRUCTURE].item())
        if content["version"] != _VERSION:
            raise ValueError(f"{path}: a checkpoint of version {content['version']}, expected {_VERSION}.")
        return _with_arrays(content["state"], archive)


# In JSON, a list with a tag stands for what JSON has no word for: arrays, and dicts, whose keys may be numbers.
def _without_arrays(value: Any, arrays: list[np.ndarray], place: str) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError(f"{place}: an array of objects cannot be saved.")
        arrays.append(value)
        return ["array", len(arrays) - 1]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        if not all(type(k) in (str, int) for k in value):
            raise TypeError(f"{place}: expected keys that are strings or integers.")
        return ["dict", [[k, _without_arrays(v, arrays, f"{place}[{k!r}]")] for k, v in value.items()]]
    if isinstance(value, (list, tuple)):
        return ["list", [_without_arrays(v, arrays, f"{place}[{i}]") for i, v in enumerate(value)]]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{place}: {type(value).__name__} cannot be saved.")


def _with_arrays(value: Any, archive: Any) -> Any:
    if not isinstance(value, list):
        return value
    tag, content = value
    if tag == "array":
        return archive[f"array_{content}"]
    if tag == "dict":
        return {k: _with_arrays(v, archive) for k, v in content}
    return [_with_arrays(v, archive) for v in content]
