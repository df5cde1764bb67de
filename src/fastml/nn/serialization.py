"""A module's state in a file: safetensors, a JSON header and the arrays one after the other.

The format is simple enough to be written here, without a dependency: 8 bytes with the header's length, the header (for
every array its type, shape and place), the arrays. Files can be read by every library that reads safetensors, PyTorch's
ecosystem among them; unlike pickles they cannot run code.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from fastml.nn.module import Module

_TYPES: dict[str, np.dtype] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}

_MOST_HEADER = 100_000_000
"""Bytes of a header that readers of the format accept: a damaged length must not ask for all memory."""


def save_arrays(arrays: Mapping[str, Any], path: str | PathLike, metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays to a safetensors file. Whoever reads it sees the old file or the whole new one.

    Parameters
    ----------
    arrays : mapping of str to array-like
    path : path-like
    metadata : mapping of str to str, optional
    """
    header: dict[str, Any] = {} if not metadata else {"__metadata__": dict(metadata)}
    blocks, end = [], 0
    for name, values in arrays.items():
        array = np.asarray(values)
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
        if array.dtype not in _NAMES:
            raise TypeError(f"safetensors has no type for {name!r}, which is of {array.dtype}.")
        header[name] = {"dtype": _NAMES[array.dtype], "shape": array.shape, "data_offsets": [end, end + array.nbytes]}
        blocks.append(array)
        end += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # arrays begin at a multiple of 8
    path = Path(path)
    # Beside the file: replacing it is atomic within a file system only.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(len(text).to_bytes(8, "little"))
            file.write(text)
            for array in blocks:
                file.write(array.tobytes() if array.ndim == 0 else array.data.cast("B") if array.nbytes else b"")
            file.flush()
            os.fsync(file.fileno())
        # mkstemp keeps others out; the file gets the rights that open() would have given it.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def load_arrays(path: str | PathLike) -> dict[str, np.ndarray]:
    """Read the arrays of a safetensors file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    arrays : dict of str to ndarray

    Raises
    ------
    ValueError
        Where the file is not whole, or not of that format.
    """
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(_MOST_HEADER, len(data) - 8):
        raise ValueError(f"{path} is not a whole safetensors file: its header is cut off.")
    try:
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        arrays = {name: _array(data, 8 + length, **entry) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
    return arrays


def _array(data: bytes, start: int, dtype: str, shape: list[int], data_offsets: list[int]) -> np.ndarray:
    begin, end = data_offsets
    kind, size = _TYPES[dtype], int(np.prod(shape, dtype=np.int64))
    if not 0 <= begin <= end <= len(data) - start or end - begin != size * kind.itemsize:
        raise ValueError(f"an array of shape {shape} lies at bytes {begin} to {end} of {len(data) - start}.")
    return np.frombuffer(data, dtype=kind, count=size, offset=start + begin).reshape(shape).copy()


def save(module: Module, path: str | PathLike) -> None:
    """Write a module's parameters and buffers to a safetensors file.

    The file is replaced as a whole, once it is written: a process that is killed meanwhile leaves the old one.

    Parameters
    ----------
    module : Module
    path : path-like
    """
    save_arrays(module.state_dict(), path)


def load(module: Module, path: str | PathLike) -> Module:
    """Read a module's parameters and buffers from a safetensors file.

    Parameters
    ----------
    module : Module
        Of the architecture that was saved.
    path : path-like

    Returns
    -------
    module : Module

    Raises
    ------
    ValueError
        Where names or shapes differ (it lists all that do) or the file is damaged. The module is as it was.
    """
    module.load_state_dict(load_arrays(path))
    return module
