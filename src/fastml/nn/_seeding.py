"""Where random numbers of networks come from: an explicit generator, or the one that ``manual_seed`` sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

__all__ = ["as_generator", "default_generator", "manual_seed", "seeded"]

_default = np.random.default_rng()
_of_block: ContextVar[np.random.Generator | None] = ContextVar("_of_block", default=None)


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
    generator = default_generator()
    generator.bit_generator.state = np.random.default_rng(seed).bit_generator.state
    return generator


def default_generator() -> np.random.Generator:
    """Return the generator that :func:`manual_seed` seeds: the process' one, or that of a block of :func:`seeded`."""
    return _of_block.get() or _default


@contextmanager
def seeded(seed: int | np.random.SeedSequence | None = None) -> Iterator[np.random.Generator]:
    """Give a block a default generator of its own.

    What is drawn inside depends on nothing outside and changes nothing there: neither the process' generator, nor that
    of another thread which trains at the same time.

    Parameters
    ----------
    seed : int or SeedSequence, optional

    Yields
    ------
    generator : Generator
        That generator.
    """
    generator = np.random.default_rng(seed)
    token = _of_block.set(generator)
    try:
        yield generator
    finally:
        _of_block.reset(token)


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
        return default_generator()
    if isinstance(rng, (np.random.Generator, np.random.RandomState)):
        return rng
    return np.random.default_rng(rng)


GENERATORS = (np.random.Generator, np.random.RandomState)


def state_of(generator: Any) -> dict[str, Any]:
    """Return where a generator stands."""
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    return generator.bit_generator.state


def set_state(generator: Any, state: dict[str, Any]) -> None:
    """Put a generator where another stood."""
    if isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state
