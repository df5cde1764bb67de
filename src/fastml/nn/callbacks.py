"""What can be done along with training: stop early, save, change the learning rate, show progress, score.

A callback has the methods of :class:`Callback` that it needs. Each gets the :class:`fastml.nn.training.Training` under
way. ``fit`` calls them in the order given, but for :class:`Checkpoint` and :class:`ProgressBar`, which come after all
others, so that what they save and show is complete.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastml.nn.checkpoints import save_checkpoint
from fastml.nn.schedules import ReduceLROnPlateau

if TYPE_CHECKING:
    from fastml.nn.training import Training

__all__ = ["Callback", "Checkpoint", "EarlyStopping", "EpochScoring", "LRSchedule", "ProgressBar"]


class Callback:
    """The moments at which ``fit`` calls; a subclass overrides those that it needs."""

    comes_last = False

    @property
    def sees_batches(self) -> bool:
        """Whether it has to be called after each batch: an epoch may be a single native call otherwise."""
        return type(self).on_batch_end is not Callback.on_batch_end

    def on_train_begin(self, training: Training) -> None:
        """Before the first epoch, or the first one after a resumed checkpoint, whose states are loaded already."""

    def on_epoch_begin(self, training: Training) -> None:
        """Before the first batch of an epoch."""

    def on_batch_end(self, training: Training) -> None:
        """After a batch; ``training.batch`` is its number in the epoch, ``training.batch_loss`` its loss."""

    def on_epoch_end(self, training: Training) -> None:
        """After an epoch; ``training.numbers`` are what will stand in the history, and may be added to."""

    def on_train_end(self, training: Training) -> None:
        """After the last epoch, also where an error or Ctrl-C ends training."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint has to hold for this callback to go on as if nothing had happened."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned."""


class _Best:
    """The best number so far, under a rule of what counts as better."""

    def __init__(self, monitor: str | None, mode: str, min_delta: float = 0.0) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"mode: expected 'min' or 'max', got {mode!r}.")
        self.monitor, self.sign, self.min_delta = monitor, 1 if mode == "max" else -1, min_delta
        self.value = -math.inf * self.sign

    def improves(self, training: Training) -> bool:
        value = training.monitored(self.monitor)
        if self.sign * value > self.sign * self.value + self.min_delta:
            self.value = value
            return True
        return False


class EarlyStopping(Callback):
    """Stop when a number has not become better for some epochs.

    Parameters
    ----------
    monitor : str, optional
        The name of the number; by default the validation loss, or the loss where there is no validation.
    patience : int, default=10
        Epochs without improvement after which training stops.
    min_delta : float, default=0
        The least improvement that counts.
    mode : {"min", "max"}, default="min"
        Whether smaller is better.
    restore_best : bool, default=True
        Whether the module ends with its state of the best epoch; not where an error or Ctrl-C ends training.

    Attributes
    ----------
    best_epoch : int or None
    best : float
    """

    def __init__(
        self,
        monitor: str | None = None,
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = True,
    ) -> None:
        if patience < 1:
            raise ValueError(f"patience: expected at least 1, got {patience}.")
        self.patience, self.restore_best = patience, restore_best
        self._fresh = (monitor, mode, min_delta)
        self._forget()

    def _forget(self) -> None:
        self._best = _Best(*self._fresh)
        self.best_epoch: int | None = None
        self._without_improvement = 0
        self._state: dict[str, np.ndarray] | None = None

    @property
    def best(self) -> float:
        return self._best.value

    def on_train_begin(self, training: Training) -> None:
        if not training.resumed:
            self._forget()

    def on_epoch_end(self, training: Training) -> None:
        if self._best.improves(training):
            self.best_epoch, self._without_improvement = training.epoch, 0
            if self.restore_best:
                self._state = training.module_state()
            return
        self._without_improvement += 1
        if self._without_improvement >= self.patience:
            training.stop(f"no improvement for {self.patience} epochs")

    def on_train_end(self, training: Training) -> None:
        if self._state is not None and not training.aborted:
            training.module.load_state_dict(self._state)

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self._best.value,
            "best_epoch": self.best_epoch,
            "without_improvement": self._without_improvement,
            "module": self._state,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        # A new one: a copy of this callback shares the old.
        self._best = _Best(*self._fresh)
        self._best.value, self.best_epoch = state_dict["best"], state_dict["best_epoch"]
        self._without_improvement, self._state = state_dict["without_improvement"], state_dict["module"]


class Checkpoint(Callback):
    """Save all of training after epochs, so that ``fit(..., resume=path)`` goes on to the same result bit for bit.

    A run that is killed leaves the last whole file.

    Parameters
    ----------
    path : path-like
    every : int, default=1
        Epochs from one file to the next.
    best_only : bool, default=False
        Whether to save only after epochs better than all before.
    monitor, mode
        What is better: as in :class:`EarlyStopping`.
    """

    comes_last = True

    def __init__(
        self,
        path: str | os.PathLike,
        every: int = 1,
        best_only: bool = False,
        monitor: str | None = None,
        mode: str = "min",
    ) -> None:
        if every < 1:
            raise ValueError(f"every: expected at least 1, got {every}.")
        self.path, self.every, self.best_only = Path(path), every, best_only
        self._fresh = (monitor, mode)
        self._best = _Best(monitor, mode)

    def on_train_begin(self, training: Training) -> None:
        if not training.resumed:
            self._best = _Best(*self._fresh)

    def on_epoch_end(self, training: Training) -> None:
        if self.best_only:
            if self._best.improves(training):
                save_checkpoint(self.path, training.state_dict())
        elif training.epoch % self.every == 0 or training.is_last_epoch:
            save_checkpoint(self.path, training.state_dict())

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best.value}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._best = _Best(*self._fresh)
        self._best.value = state_dict["best"]


class LRSchedule(Callback):
    """Step a schedule of the learning rate.

    Parameters
    ----------
    schedule : LRScheduler or ReduceLROnPlateau
        Of the optimizer that ``fit`` gets.
    every : {"epoch", "step"}, default="epoch"
        Whether after each epoch or after each step of the optimizer.
    monitor : str, optional
        What ``ReduceLROnPlateau`` looks at: as in :class:`EarlyStopping`.
    """

    def __init__(self, schedule: Any, every: str = "epoch", monitor: str | None = None) -> None:
        if every not in ("epoch", "step"):
            raise ValueError(f"every: expected 'epoch' or 'step', got {every!r}.")
        self.schedule, self.every, self.monitor = schedule, every, monitor
        if every == "step" and isinstance(schedule, ReduceLROnPlateau):
            raise ValueError("every: what ReduceLROnPlateau looks at is known after an epoch only.")

    def on_train_begin(self, training: Training) -> None:
        if self.schedule.optimizer is not training.optimizer:
            raise ValueError("LRSchedule: the schedule belongs to another optimizer than the one that fit was given.")

    @property
    def sees_batches(self) -> bool:
        """Whether the rate changes between batches."""
        return self.every == "step"

    def on_batch_end(self, training: Training) -> None:
        if self.every == "step" and training.stepped:
            self.schedule.step()

    def on_epoch_end(self, training: Training) -> None:
        if self.every == "epoch":
            if isinstance(self.schedule, ReduceLROnPlateau):
                self.schedule.step(training.monitored(self.monitor))
            else:
                self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        return self.schedule.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.schedule.load_state_dict(state_dict)


class EpochScoring(Callback):
    """Add a score to the history after each epoch.

    Parameters
    ----------
    scorer : callable
        ``scorer(predictor, X, y)``, as those of scikit-learn (``get_scorer("accuracy")``) are called. The predictor
        (:class:`fastml.nn.predictor.Predictor`) has ``predict``, and for classes ``predict_proba`` and ``classes_``.
    name : str
        The score's name in the history.
    on : {"validation", "train"}, default="validation"
        Which samples are scored.
    """

    def __init__(self, scorer: Callable[[Any, Any, Any], float], name: str, on: str = "validation") -> None:
        if on not in ("validation", "train"):
            raise ValueError(f"on: expected 'validation' or 'train', got {on!r}.")
        self.scorer, self.name, self.on = scorer, name, on

    def on_train_begin(self, training: Training) -> None:
        if self.on == "validation" and training.validation is None:
            raise ValueError(f"EpochScoring({self.name!r}): fit was given no validation samples.")

    def on_epoch_end(self, training: Training) -> None:
        samples: Any = training.validation if self.on == "validation" else (training.batches.X, training.batches.y)
        X, y = samples
        training.numbers[self.name] = float(self.scorer(training.predictor(), X, y))


class ProgressBar(Callback):
    """Show how far training is: by tqdm where it is installed, by a line for each epoch otherwise.

    Parameters
    ----------
    file : text stream, optional
        Where to write, by default the standard error stream.
    """

    comes_last = True

    def __init__(self, file: Any = None) -> None:
        self.file = file
        self._bar: Any = None

    def on_train_begin(self, training: Training) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return
        n_epochs = training.n_epochs
        self._bar = tqdm(total=n_epochs, initial=training.epoch, unit="epoch", file=self.file or sys.stderr)

    def on_epoch_end(self, training: Training) -> None:
        numbers = {k: f"{v:.4g}" for k, v in training.numbers.items() if isinstance(v, float)}
        if self._bar is not None:
            self._bar.set_postfix(numbers)
            self._bar.update()
        else:
            shown = ", ".join(f"{name} {value}" for name, value in numbers.items())
            print(f"epoch {training.epoch}/{training.n_epochs}: {shown}", file=self.file or sys.stderr, flush=True)

    def on_train_end(self, training: Training) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
