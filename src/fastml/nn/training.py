"""The training loop: epochs of batches, with validation, callbacks, checkpoints and a history."""

from __future__ import annotations

import math
import numbers
import operator
import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from fastml._core import release_memory
from fastml.nn._interrupts import Interrupts
from fastml.nn._native_epochs import NativeEpochs, native_epochs
from fastml.nn._non_finite import NonFiniteLossError, first_not_finite, first_parameter
from fastml.nn._recording import no_grad
from fastml.nn._seeding import GENERATORS, default_generator, seeded, set_state, state_of
from fastml.nn.augment import Augmentation, as_augmentation
from fastml.nn.batches import Batches, as_samples
from fastml.nn.callbacks import Callback
from fastml.nn.checkpoints import load_checkpoint
from fastml.nn.clipping import clip_factor, clip_grad_value_, grad_norm
from fastml.nn.history import History
from fastml.nn.predictor import Predictor, batch_form, evaluation_batch, type_of
from fastml.nn.tensor import Tensor

__all__ = ["NonFiniteLossError", "Predictor", "Training", "fit"]


def fit(
    module: Any,
    X: Any,
    y: Any,
    loss: Callable[[Any, Any], Any],
    optimizer: Any,
    epochs: int = 10,
    batch_size: int = 32,
    *,
    sample_weight: Any = None,
    validation: tuple[Any, ...] | float | None = None,
    callbacks: Sequence[Callback] = (),
    seed: int | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
    accumulate: int = 1,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    resume: str | os.PathLike | None = None,
    history: History | None = None,
    augmentation: Any = None,
    scale: float | None = None,
) -> History:
    """Train a module.

    Parameters
    ----------
    module : Module
        Left in evaluation mode. All of it trains, but for layers in evaluation mode inside of a module that is not:
        their running statistics stay as they are.
    X : array-like of shape (n_samples, ...), or sparse array
        Inputs; those of a sparse array become dense batch by batch. Floating ones are converted to the type of the
        module's parameters, batch by batch.
    y : array-like of shape (n_samples, ...)
        Targets: integers for classes, floats otherwise.
    loss : callable
        ``loss(outputs, targets)`` of two tensors, the mean over the samples of a batch; with ``sample_weight`` the
        losses of samples, or of each of their outputs (``reduction="none"``).
    optimizer : Optimizer
        Of the module's parameters.
    epochs : int, default=10
        Passes over the samples, those before a resumed checkpoint included.
    batch_size : int, default=32
    sample_weight : array-like of shape (n_samples,), optional
        What the losses of samples are multiplied by before the mean is taken: weights whose own mean is 1 leave the
        gradients as large as they were.
    validation : tuple (X, y) or (X, y, sample_weight), or float, optional
        Samples that ``validation_loss`` is computed of after each epoch, or the share of the samples that are drawn and
        kept back for it.
    callbacks : sequence of Callback
        See :mod:`fastml.nn.callbacks`.
    seed : int, optional
        Makes the result repeatable: seeds the order of samples, and what layers draw that have no generator of their
        own, whatever other threads do. The generator of ``nn.manual_seed`` is neither read nor changed then.
    shuffle : bool, default=True
        Whether each epoch has an order of its own.
    drop_last : bool, default=False
        Whether a last batch that is not full is left out.
    accumulate : int, default=1
        Batches whose gradients are added up, each with the share of its samples, to one step.
    clip_norm : float, optional
        The largest norm of all gradients; longer ones are scaled down.
    clip_value : float, optional
        The largest absolute value in gradients; it comes before ``clip_norm``.
    resume : path-like, optional
        A file of :class:`~fastml.nn.callbacks.Checkpoint`: training goes on behind it, with the same arguments to the
        same result bit for bit.
    history : History, optional
        Where the numbers go, by default into a new one. Epochs are numbered on from those that it holds.
    augmentation : Augmentation, list of Augmentation, or function, optional
        What is done to each batch that is trained on, see :mod:`fastml.nn.augment`; a function gets images and returns
        others. It draws from the generator that ``seed`` makes, and is not for validation.
    scale : float, optional
        What X is multiplied by, that of ``validation``, too, as batches of it become floats: 1 / 255 for images of
        uint8.

    Returns
    -------
    history : History
        For each epoch ``epoch``, ``loss`` (the mean over its samples, while training), ``validation_loss``, ``lr``
        (of each group, where there are several), ``seconds``, and what callbacks added.

    Raises
    ------
    NonFiniteLossError
        Where the loss is not finite. It says in which batch, and what was not finite first.
    KeyboardInterrupt
        Ctrl-C. The module is as of the last whole step; the history of the epochs before is the exception's
        ``history``.
    """
    epochs, batch_size, accumulate = (operator.index(number) for number in (epochs, batch_size, accumulate))
    for name, limit in (("clip_norm", clip_norm), ("clip_value", clip_value)):
        if limit is not None and not limit > 0:  # gradients would be turned around, or vanish
            raise ValueError(f"{name}: expected a number above 0, got {limit}.")
    others = [callback for callback in callbacks if not isinstance(callback, Callback)]
    if others:
        raise TypeError(f"callbacks: expected objects of fastml.nn.callbacks.Callback, got {others[0]!r}.")
    if accumulate < 1:
        raise ValueError(f"accumulate: expected at least 1, got {accumulate}.")
    # A block of its own: a training in another thread must not draw from the same generator.
    with nullcontext() if seed is None else seeded(np.random.SeedSequence(seed).spawn(1)[0]):
        training = Training(
            module,
            X,
            y,
            loss,
            optimizer,
            epochs,
            batch_size,
            validation,
            seed,
            shuffle,
            drop_last,
            sample_weight,
            scale,
        )
        training.augmentation = as_augmentation(augmentation)
        if history is not None:
            training.history, history.stopped = history, None
        training.accumulate, training.clip_norm, training.clip_value = accumulate, clip_norm, clip_value
        training.callbacks = sorted(callbacks, key=lambda callback: callback.comes_last)
        if resume is not None:
            training.load_state_dict(load_checkpoint(resume))
        try:
            training.run()
        finally:
            release_memory()
    return training.history


class Training:
    """A training under way, as callbacks see it.

    Attributes
    ----------
    module, optimizer, loss, batches, validation, history
    epoch : int
        The epoch under way or just ended, from 1; 0 before the first.
    n_epochs : int
    batch : int
        The batch under way or just ended, from 1.
    batch_loss : float
        NaN after an epoch that was a single native call, as those of plain perceptrons are.
    stepped : bool
        Whether that batch ended in a step of the optimizer.
    numbers : dict
        What the history holds of the epoch that has just ended.
    resumed, aborted : bool
        Whether it began with a checkpoint; whether an error or Ctrl-C has ended it.
    """

    def __init__(
        self,
        module: Any,
        X: Any,
        y: Any,
        loss: Callable[[Any, Any], Any],
        optimizer: Any,
        n_epochs: int,
        batch_size: int,
        validation: Any,
        seed: int | None,
        shuffle: bool,
        drop_last: bool,
        sample_weight: Any = None,
        scale: float | None = None,
    ) -> None:
        self.module, self.loss, self.optimizer, self.n_epochs = module, loss, optimizer, n_epochs
        self.scale = scale
        self.augmentation: Augmentation | None = None
        self.dtype = type_of(module)
        self.rng = np.random.default_rng(seed)
        X, y = as_samples(X), self._typed(np.asarray(y))
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=self.dtype)
        self.validation: tuple[np.ndarray, np.ndarray] | None = None
        validation_weight: np.ndarray | None = None
        if isinstance(validation, numbers.Real):
            X, y, weight, validation_weight = self._keep_back(X, y, weight, float(validation))
        elif validation is not None:
            if not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3):
                raise ValueError("validation: expected (X, y), (X, y, sample_weight), or a share of the samples.")
            y_validation, *others = (np.asarray(part) for part in validation[1:])
            self.validation = (as_samples(validation[0]), self._typed(y_validation))
            validation_weight = others[0].astype(self.dtype, copy=False) if others else None
            if (weight is None) != (not others):
                raise ValueError(
                    "validation: expected weights of its samples where there are sample_weight, and only there."
                )
            if not self.validation[0].shape[:1] == self.validation[1].shape[:1] != (0,):
                raise ValueError(
                    "validation: expected samples, and as many targets, got shapes "
                    f"{self.validation[0].shape} and {self.validation[1].shape}."
                )
        self._validation_weight = validation_weight
        self.batches = Batches(
            X, y, batch_size, shuffle, self.rng, drop_last, **batch_form(X, self.dtype, scale), sample_weight=weight
        )
        if not self.batches.n_samples:
            raise ValueError(f"X: expected a batch of samples at least, got {X.shape[0]} sample(s).")
        self.history = History()
        self.callbacks: Sequence[Callback] = ()
        self.accumulate = 1
        self.clip_norm: float | None = None
        self.clip_value: float | None = None
        # In a module that trains, layers in evaluation mode are meant to stay so: BatchNorm whose statistics are kept.
        self._frozen = [layer for layer in module.modules() if not layer.training] if module.training else []
        self.epoch = self.batch = 0
        self.batch_loss = math.nan
        self.stepped = self.resumed = self.aborted = False
        self.numbers: dict[str, Any] = {}
        self._interrupts = Interrupts()
        self._native: NativeEpochs | None = None

    def run(self) -> None:
        """Train until the last epoch, or until a callback stops it."""
        try:
            with self._interrupts:
                self._tell("on_train_begin")
                self._native = native_epochs(self)
                while self.epoch < self.n_epochs and self.history.stopped is None:
                    self._run_epoch()
        except BaseException as error:
            self.aborted = True
            if isinstance(error, KeyboardInterrupt):
                self.history.stopped = "interrupted"
                error.history = self.history  # type: ignore[attr-defined]
            raise
        finally:
            self.module.eval()
            self._tell("on_train_end")
        # No batch follows the last step whose loss would show it.
        culprit = first_parameter(self.module)
        if culprit:
            loss = self.numbers.get("loss", math.nan)
            raise NonFiniteLossError(self.epoch, self.batch, loss, f"{culprit}, after this batch", self.history)

    def stop(self, reason: str) -> None:
        """End training after this epoch; the reason is the history's ``stopped``."""
        self.history.stopped = reason

    @property
    def is_last_epoch(self) -> bool:
        """Whether no epoch follows."""
        return self.epoch >= self.n_epochs or self.history.stopped is not None

    def monitored(self, name: str | None = None) -> float:
        """Return a number of the epoch that has just ended: by default the validation loss, or else the loss."""
        if name is None:
            name = "validation_loss" if self.validation is not None else "loss"
        if name not in self.numbers:
            raise KeyError(f"nothing to monitor under the name {name!r}; there are {', '.join(self.numbers)}")
        return float(self.numbers[name])

    def predictor(self) -> Predictor:
        """Return the module as it is now with the methods of an estimator."""
        return Predictor(self.module, self.batches.y, self.scale)

    def module_state(self) -> dict[str, np.ndarray]:
        """Return copies of the module's parameters and buffers."""
        return {name: array.copy() for name, array in self.module.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """Return all that the following epochs depend on but the arguments of ``fit``."""
        return {
            "epoch": self.epoch,
            "made_of": self._made_of(),
            "module": self.module_state(),
            "optimizer": self.optimizer.state_dict(),
            "callbacks": [state for _, state in self._states_of_callbacks()],
            "order": self.rng.bit_generator.state,
            "draws": [state_of(generator) for generator in self._generators()],
            "history": list(self.history.epochs),
            "stopped": self.history.stopped,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where a training of the same arguments was when its state was taken.

        Raises
        ------
        ValueError
            Where it was one of other arguments, or of another architecture. All is as it was then.
        """
        if not isinstance(state, dict) or "made_of" not in state:
            raise ValueError("the checkpoint is not of a training.")
        before = self.state_dict()
        try:
            self._take_over(state)
        except BaseException:
            self._take_over(before)
            raise
        self.resumed = True

    def _take_over(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        for name, ours in self._made_of().items():
            saved = state["made_of"][name]
            if ours != saved:
                raise ValueError(f"the checkpoint is of a training with {name} {saved}, this one has {ours}.")
        for (callback, _), callback_state in zip(self._states_of_callbacks(), state["callbacks"]):
            callback.load_state_dict(callback_state)
        # Behind the schedules, each of which sets the rates to its own.
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = state["order"]
        for generator, draws in zip(self._generators(), state["draws"]):
            set_state(generator, draws)
        self.history.epochs[:] = state["history"]
        self.history.stopped = state["stopped"]
        self.epoch = state["epoch"]

    def _made_of(self) -> dict[str, Any]:
        """Return what has to be the same for a checkpoint to be gone on from, beside the module's parameters."""
        return {
            "callbacks": [type(c).__name__ for c, _ in self._states_of_callbacks()],
            "optimizer": type(self.optimizer).__name__,
            "dtype": str(self.dtype),
            "n_samples": self.batches.X.shape[0],
            "batch_size": self.batches.batch_size,
            "generators": [type(generator).__name__ for generator in self._generators()],
        }

    def _states_of_callbacks(self) -> list[tuple[Callback, dict[str, Any]]]:
        """Return the callbacks that go into checkpoints: one without a state, as a progress bar, may come and go."""
        return [(c, state) for c in self.callbacks if (state := c.state_dict())]

    def _generators(self) -> list[Any]:
        """Return what the module draws from: the default generator, and those that its layers were given."""
        held = [v for layer in self.module.modules() for v in vars(layer).values() if isinstance(v, GENERATORS)]
        return [default_generator(), *held]

    def _run_epoch(self) -> None:
        self.epoch += 1
        started = time.perf_counter()
        self.module.train()
        for layer in self._frozen:
            layer.training = False
        self._tell("on_epoch_begin")
        rates = [group["lr"] for group in self.optimizer.param_groups]
        total = self._run_natively()
        if total is None:
            total = self._run_batches()
        self.numbers = {
            "epoch": len(self.history) + 1,
            "loss": total / self.batches.n_samples,
            "lr": rates[0] if len(rates) == 1 else rates,
        }
        if self.validation is not None:
            self.numbers["validation_loss"] = self._evaluate(*self.validation, self._validation_weight)
        self.numbers["seconds"] = time.perf_counter() - started
        self.history.epochs.append(self.numbers)
        self._tell("on_epoch_end")

    def _run_natively(self) -> float | None:
        """Return the sum of the losses of an epoch that was one native call, or None where it could not be."""
        if self._native is None or not self._native.still_fit():
            return None
        draws = self.rng.bit_generator.state
        total = self._native.run()
        if total is None:  # the loop over the same batches finds out where
            self.rng.bit_generator.state = draws
            return None
        self.batch, self.batch_loss, self.stepped = len(self.batches), math.nan, True
        return total

    def _run_batches(self) -> float:
        """Return the sum of the losses of an epoch's samples."""
        total, sizes, share = 0.0, self.batches.sizes(), 1.0
        for i, (X, y, *weight) in enumerate(self.batches):
            self.batch = i + 1
            begin = i // self.accumulate * self.accumulate
            if i == begin:
                self.optimizer.zero_grad()
            if self.augmentation is not None:
                X, y, mixed = self.augmentation.batch(X, y, *weight)
                weight = [mixed] if weight else []
            loss = self._loss(X, y, *weight)
            self.batch_loss = loss.item()
            if not math.isfinite(self.batch_loss):
                culprit = first_not_finite(self.module, X, y, *weight)
                raise NonFiniteLossError(self.epoch, self.batch, self.batch_loss, culprit, self.history)
            if self.accumulate == 1:
                loss.backward()
            else:
                share = len(X) / sum(sizes[begin : begin + self.accumulate])
                loss.backward(np.full(loss.shape, share, dtype=loss.dtype))
            self.stepped = i + 1 == min(begin + self.accumulate, len(sizes))
            if self.stepped:
                with self._interrupts.held:
                    self._step()
            total += self.batch_loss * len(X)
            self._tell("on_batch_end")
        return total

    def _step(self) -> None:
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        if self.clip_value is not None:
            clip_grad_value_(parameters, self.clip_value)
        factor = 1.0 if self.clip_norm is None else clip_factor(grad_norm(parameters), self.clip_norm)
        if factor == 1:
            self.optimizer.step()
        else:
            self.optimizer.step(gradient_scale=factor)

    def _loss(self, X: np.ndarray, y: Any, weight: np.ndarray | None = None) -> Any:
        outputs = self.module(Tensor(X))
        # Targets of one number each and outputs of one column would broadcast to a matrix of all pairs.
        if y.ndim == 1 and outputs.shape == (len(y), 1) and y.dtype.kind == "f":
            y = y[:, np.newaxis]
        losses = self.loss(outputs, Tensor(y))
        if weight is not None:
            return _weighted_mean(losses, weight)
        if not isinstance(losses, Tensor) or losses.data.size != 1:
            shape = f"shape {losses.shape}" if isinstance(losses, Tensor) else f"{losses!r}"
            raise ValueError(f"loss: expected a tensor of one number, the mean over the batch; it returned {shape}.")
        return losses

    def _evaluate(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
        self.module.eval()
        form = batch_form(X, self.dtype, self.scale)
        batches = Batches(X, y, evaluation_batch(X), shuffle=False, **form, sample_weight=weight)
        with no_grad():
            total = sum(self._loss(*batch).item() * len(batch[0]) for batch in batches)
        return total / X.shape[0]

    def _typed(self, y: np.ndarray) -> np.ndarray:
        return y.astype(self.dtype, copy=False) if y.dtype.kind == "f" else y

    def _keep_back(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, share: float) -> tuple[Any, ...]:
        """Return samples, targets and weights to train on, and the weights of those kept back."""
        n_samples = X.shape[0]
        n_kept = round(share * n_samples)
        if not 0 < n_kept < n_samples:
            raise ValueError(f"validation: expected a share that leaves samples on both sides, got {share}.")
        order = self.rng.permutation(n_samples)
        kept, rest = np.sort(order[:n_kept]), np.sort(order[n_kept:])
        self.validation = (X[kept], y[kept])
        if weight is None:
            return X[rest], y[rest], None, None
        return X[rest], y[rest], weight[rest], weight[kept]

    def _tell(self, moment: str) -> None:
        for callback in self.callbacks:
            getattr(callback, moment)(self)


def _weighted_mean(losses: Any, weight: np.ndarray) -> Any:
    """Return the mean over samples of their losses times their weights."""
    if losses.shape[:1] != weight.shape:
        raise ValueError(
            "loss: with sample_weight it has to return a number, or a row of them, for each of the "
            f"{len(weight)} samples of the batch (reduction='none'); it returned shape {losses.shape}."
        )
    return (losses * weight.reshape(-1, *[1] * (losses.ndim - 1))).mean()
