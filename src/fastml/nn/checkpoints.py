"""States of training in a file: nested dicts and lists of arrays and numbers, whole or not at all.

The file is a NumPy archive (.npz): its arrays by number, and the structure around them as JSON. Nothing in it is run
when it is read. Floats come back bit for bit.
"""

from __future__ import annotations

import json
import os
import zipfile
from typing import Any

import numpy as np

from fastml.nn._whole_files import write_whole

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
    arrays: list[np.ndarray] = []
    text = json.dumps({"version": _VERSION, "state": _without_arrays(state, arrays, "state")})
    named = {f"array_{i}": array for i, array in enumerate(arrays)}
    write_whole(path, lambda file: np.savez(file, **{_STRUCTURE: np.array(text)}, **named))  # type: ignore[arg-type]


def load_checkpoint(path: str | os.PathLike) -> Any:
    """Return the state that :func:`save_checkpoint` wrote; tuples come back as lists.

    Raises
    ------
    ValueError
        Where the file is damaged, or no checkpoint.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = json.loads(archive[_STRUCTURE].item())
            version = content["version"]
            state = _with_arrays(content["state"], archive) if version == _VERSION else None
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a whole checkpoint of fastml.nn: {error}") from error
    if version != _VERSION:
        raise ValueError(f"{path}: a checkpoint of version {version}, expected {_VERSION}.")
    return state


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
