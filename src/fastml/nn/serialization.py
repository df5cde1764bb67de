"""A module's state in a file: safetensors, which other libraries read too, and which cannot run code as pickles can.

The format is the library safetensors' work, an extra: ``pip install 'fastml[nn]'``.
"""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from fastml.nn._whole_files import write_whole
from fastml.nn.module import Module


def _safetensors(what: str) -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(f"{what} needs safetensors: pip install 'fastml[nn]'") from error
    return safetensors


def save_arrays(arrays: Mapping[str, Any], path: str | PathLike, metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays to a safetensors file. Whoever reads it sees the old file or the whole new one.

    Needs safetensors, as all functions here: ``pip install 'fastml[nn]'``.

    Parameters
    ----------
    arrays : mapping of str to array-like
    path : path-like
    metadata : mapping of str to str, optional
    """
    library = _safetensors("saving")
    # The library writes memory as it lies: transposes, and numbers of the other byte order, are laid out first.
    dense = {}
    for name, values in arrays.items():
        array = np.asarray(values)
        if array.dtype.kind not in "biuf" or array.itemsize > 8:
            raise TypeError(f"{name!r} is of {array.dtype}: expected integers, booleans or floats of 16 to 64 bits.")
        dense[name] = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).reshape(array.shape)
    content = library.numpy.save(dense, metadata=None if metadata is None else dict(metadata))
    write_whole(path, lambda file: file.write(content))


def load_arrays(path: str | PathLike) -> dict[str, np.ndarray]:
    """Read the arrays of a safetensors file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    arrays : dict of str to ndarray
        By name, in the order of the alphabet: the library has one of its own in every process.

    Raises
    ------
    ValueError
        Where the file is not whole, or not of that format.
    """
    library = _safetensors("loading")
    # Read, not mapped into memory: what another process does to the file later must not change the arrays.
    content = Path(path).read_bytes()
    try:
        return {name: np.array(array) for name, array in sorted(library.numpy.load(content).items())}
    except (library.SafetensorError, KeyError) as error:  # KeyError: a type that NumPy does not have
        raise ValueError(f"{path} is not a whole safetensors file of NumPy's types: {error}") from error


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
