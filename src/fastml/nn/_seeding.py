"""Where random numbers of networks come from: an explicit generator, or the one that ``manual_seed`` sets."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_generator", "default_generator", "manual_seed"]

_default = np.random.default_rng()


def manual_seed(seed: int | np.random.SeedSequence) -> np.random.Generator:
    """Seed the generator that initialisation and dropout draw from where they are given none.

    Parameters
    ----------
    seed : int or SeedSequence

    Returns
    -------
    generator : Generator
        That generator.
    """
    _default.bit_generator.state = np.random.default_rng(seed).bit_generator.state
    return _default


def default_generator() -> np.random.Generator:
    """Return the generator that :func:`manual_seed` seeds: always the same object."""
    return _default


def as_generator(rng: Any = None) -> Any:
    """Return a source of random numbers.

    Parameters
    ----------
    rng : None, int, SeedSequence, Generator or RandomState
        None for the default generator, a seed for a new one.

    Returns
    -------
    generator : Generator or RandomState
    """
    if rng is None:
        return _default
    if isinstance(rng, (np.random.Generator, np.random.RandomState)):
        return rng
    return np.random.default_rng(rng)
