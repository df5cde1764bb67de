"""What happened in training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["History"]


class History:
    """Numbers of each epoch: ``history["loss"]`` is a list with one for each, ``history[-1]`` the dict of the last.

    An epoch that has no number of a name has None there.

    Parameters
    ----------
    epochs : list of dict, optional
        What it begins with.

    Attributes
    ----------
    epochs : list of dict
        The numbers of each whole epoch, by name.
    stopped : str or None
        Why training ended before its last epoch.
    """

    def __init__(self, epochs: list[dict[str, Any]] | None = None) -> None:
        self.epochs: list[dict[str, Any]] = [] if epochs is None else epochs
        self.stopped: str | None = None

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.epochs)

    def __contains__(self, name: str) -> bool:
        return any(name in epoch for epoch in self.epochs)

    def __getitem__(self, key: str | int | slice) -> Any:
        if not isinstance(key, str):
            return self.epochs[key]
        if key not in self:
            raise KeyError(f"{key!r} is not in the history, which has {', '.join(self.names) or 'no epochs'}")
        return [epoch.get(key) for epoch in self.epochs]

    @property
    def names(self) -> list[str]:
        """Names of all numbers, in the order of their appearance."""
        return list(dict.fromkeys(name for epoch in self.epochs for name in epoch))

    def plot(self, names: list[str] | None = None, ax: Any = None) -> Any:
        """Draw numbers over epochs. Needs matplotlib.

        Parameters
        ----------
        names : list of str, optional
            What to draw; by default the loss and the validation loss.
        ax : matplotlib Axes, optional
            Where to; by default new axes.

        Returns
        -------
        ax : matplotlib Axes
        """
        if names is None:
            names = [name for name in ("loss", "validation_loss") if name in self]
        missing = [name for name in names if name not in self]
        if missing:
            raise KeyError(
                f"{', '.join(missing)}: not in the history, which has {', '.join(self.names) or 'no epochs'}"
            )
        if ax is None:
            try:
                from matplotlib import pyplot
            except ImportError as error:
                raise ImportError("History.plot needs matplotlib: pip install 'fastml[plots]'") from error
            ax = pyplot.subplots()[1]
        for name in names:
            points = [(epoch["epoch"], epoch[name]) for epoch in self.epochs if epoch.get(name) is not None]
            ax.plot(*zip(*points), label=name.replace("_", " "))
        ax.set_xlabel("epoch")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        last = ", ".join(f"{k}={v:.4g}" for k, v in self.epochs[-1].items() if _is_number(v)) if self.epochs else ""
        return f"History({len(self)} epochs{', the last with ' + last if last else ''})"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))
