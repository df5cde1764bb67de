"""What estimators over modules share: from parameters to the training loop of ``fastml.nn``, and back to attributes."""

import copy
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from fastml import nn
from fastml._support import validation
from fastml.neural_network._building import OPTIMIZERS, built, new_schedule
from fastml.neural_network._nested_parameters import NestedParameters
from fastml.nn.augment import as_augmentation
from fastml.nn.batches import gather
from fastml.nn.predictor import outputs, type_of

VALIDATION_FRACTION = 0.1
"""The share that is kept back for early stopping where none is given: that of scikit-learn's MLPClassifier."""


class Samples(NamedTuple):
    """Samples and what is known of them, row by row."""

    X: Any
    y: Any
    """As ``fit`` was given it, for scorers."""
    targets: Any
    """As the loss takes it."""
    weight: Any

    def take(self, rows: np.ndarray) -> "Samples":
        """Return some of the samples."""
        X = self.X[rows] if self.X.ndim <= 2 else gather(self.X, rows)  # the latter keeps channels last
        return Samples(X, *[None if part is None else part[rows] for part in self[1:]])


def float_type(X: Any) -> np.dtype:
    """Return the type that a module computes in: that of floats, and float32 for images of bytes."""
    return np.dtype(np.float32) if X.dtype == np.uint8 else X.dtype


def scale_of(X: Any) -> float | None:
    """Return what samples are multiplied by as they become floats: bytes become numbers up to 1."""
    return 1 / 255 if X.dtype == np.uint8 else None


class TrainedNetwork(NestedParameters):
    """An estimator that trains a module by ``fastml.nn.fit``.

    Subclasses turn samples into targets and outputs into predictions. Ctrl-C ends a training early, as in
    scikit-learn's MLPClassifier: with a warning, and with what was learnt by whole steps. Any error leaves the
    estimator as it was.
    """

    module_: Any
    history_: nn.History
    _optimizer_state: dict[str, Any]
    _schedule_state: dict[str, Any] | None
    best_epoch_: int
    _seed: int
    _n_calls: int
    augmentation: Any = None

    @property
    def loss_curve_(self) -> list[float]:
        """The loss of each epoch."""
        return self.history_["loss"] if len(self.history_) else []

    def _train(
        self,
        samples: Samples,
        new_module: Callable[[], nn.Module],
        new_loss: Callable[[nn.Module], tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]],
        incremental: bool,
        stratify: Any = None,
    ) -> None:
        """Train the module, and set what came of it.

        Parameters
        ----------
        samples : Samples
        new_module : callable
            Returns the module that a training begins with.
        new_loss : callable
            Returns the loss for a module, after a look at its outputs, and a function that makes of targets what this
            loss takes.
        incremental : bool
            Whether this is an epoch of ``partial_fit``.
        stratify : ndarray, optional
            Classes, whose shares are kept where samples are kept back.
        """
        goes_on = hasattr(self, "module_") and (incremental or self.warm_start)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        for_module, for_split, for_training = self._seeds(incremental)
        kept: Samples | None = None
        if not incremental:
            samples, kept = self._kept_back(samples, for_split, stratify)
            samples = _of_mean_weight_1(samples)
            kept = None if kept is None else _of_mean_weight_1(kept)
        history = nn.History(list(self.history_.epochs) if goes_on else [])
        n_before = len(history)

        with nn.seeded(for_module):
            module = copy.deepcopy(self.module_).astype(type_of(self.module_)) if goes_on else new_module()
            loss, encode = new_loss(module)
            self._prepare(module, goes_on)
            optimizer = self._new_optimizer(module)
            schedule = self._new_schedule(optimizer, samples.X.shape[0], incremental)
            if incremental and goes_on:
                optimizer.load_state_dict(self._state_for(optimizer))
            scoring = self._scoring(samples if kept is None else kept, on_train=kept is None)
            stopping = self._early_stopping(scoring)
            self.callbacks_ = self._own_callbacks()
            callbacks = [
                *self._inner_callbacks(module),
                *scoring,
                *([schedule] if schedule else []),
                *self.callbacks_,
                *([stopping] if stopping else []),
                *([] if incremental or self.checkpoint is None else [self._checkpoint()]),
                *([nn.callbacks.ProgressBar()] if self.verbose else []),
            ]
            try:
                nn.fit(
                    module,
                    samples.X,
                    encode(samples.targets),
                    loss,
                    optimizer,
                    epochs=1 if incremental else self._n_epochs(samples.X.shape[0]),
                    batch_size=self.batch_size,
                    sample_weight=samples.weight,
                    validation=None if kept is None else _without_none(kept.X, encode(kept.targets), kept.weight),
                    callbacks=callbacks,
                    seed=for_training,
                    shuffle=self.shuffle,
                    drop_last=self.drop_last,
                    accumulate=self.accumulate,
                    clip_norm=self.gradient_clip_norm,
                    clip_value=self.gradient_clip_value,
                    resume=self._resumed_from(incremental),
                    history=history,
                    augmentation=self.augmentation,
                    scale=scale_of(samples.X),
                )
            except KeyboardInterrupt:
                # As in scikit-learn's MLPClassifier: what was learnt so far counts.
                warnings.warn("Training interrupted by user.", stacklevel=7)
        self._optimizer_state = optimizer.state_dict()
        self._schedule_state = None if schedule is None else schedule.state_dict()
        # Out of the optimizer's buffer, and without gradients.
        self.module_ = module.astype(type_of(module))
        self.history_ = history
        self.n_iter_ = len(history) - n_before
        if hasattr(self, "best_epoch_"):
            del self.best_epoch_
        if stopping is not None and stopping.best_epoch is not None and history.stopped != "interrupted":
            self.best_epoch_ = n_before + stopping.best_epoch

    def _seeds(self, incremental: bool) -> tuple[int, int, int]:
        """Return seeds for initial values, the split and the training. Calls of ``partial_fit`` have one each."""
        if incremental and hasattr(self, "_seed"):
            self._n_calls += 1
        else:
            self._seed, self._n_calls = int(check_random_state(self.random_state).randint(2**31 - 1)), 0
        first, second, third = np.random.SeedSequence(self._seed, spawn_key=(self._n_calls,)).generate_state(3).tolist()
        return first, second, third

    def _kept_back(self, samples: Samples, seed: int, stratify: Any) -> tuple[Samples, Samples | None]:
        """Return the samples to train on, and those to validate on."""
        fraction = self.validation_fraction
        if fraction is None:
            if not self.early_stopping:
                return samples, None
            fraction = VALIDATION_FRACTION
        rows, kept = train_test_split(
            np.arange(samples.X.shape[0]), test_size=fraction, random_state=seed, stratify=stratify
        )
        return samples.take(rows), samples.take(kept)

    def _prepare(self, module: nn.Module, goes_on: bool) -> None:
        """Do what is to be done to a module before it is trained, or trained on."""

    def _inner_callbacks(self, module: nn.Module) -> list[nn.callbacks.Callback]:
        """Return what an estimator does along with every training of its own."""
        return []

    def _mixes_targets(self) -> bool:
        """Tell whether augmentation makes targets of several ones."""
        augmentation = as_augmentation(self.augmentation)
        return augmentation is not None and augmentation.mixes_targets

    def _new_optimizer(self, module: nn.Module) -> Any:
        build = OPTIMIZERS[self.optimizer] if isinstance(self.optimizer, str) else self.optimizer
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        if not trained:
            raise ValueError(f"module: {type(module).__name__} has no parameters to train.")
        return built("optimizer", build, self._nested("optimizer"), trained)

    def _state_for(self, optimizer: Any) -> dict[str, Any]:
        """Return the state that ``partial_fit`` goes on with; arguments set since then count, but for a schedule."""
        if self._schedule_for(incremental=True)[0] is not None:
            return self._optimizer_state
        return {**self._optimizer_state, "param_groups": optimizer.state_dict()["param_groups"]}

    def _n_epochs(self, n_samples: int) -> int:
        """Return how many passes a training makes."""
        return self.max_epochs

    def _schedule_for(self, incremental: bool) -> tuple[Any, dict[str, Any]]:
        """Return what the schedule is, None for none, and its arguments."""
        return self.schedule, self._nested("schedule")

    def _new_schedule(self, optimizer: Any, n_samples: int, incremental: bool) -> nn.callbacks.LRSchedule | None:
        kind, arguments = self._schedule_for(incremental)
        if kind is None:
            return None
        n_batches = n_samples // self.batch_size if self.drop_last else -(-n_samples // self.batch_size)
        n_epochs = self._n_epochs(n_samples)
        steps = -(-n_batches // self.accumulate) * n_epochs
        lengths = {"epoch": n_epochs, "step": max(steps, 1)}
        schedule = new_schedule(kind, arguments, optimizer, lengths)
        state = getattr(self, "_schedule_state", None)
        if incremental and state is not None:
            schedule.load_state_dict(state)
        return schedule

    def _scoring(self, samples: Samples, on_train: bool) -> list[nn.callbacks.EpochScoring]:
        """Return a callback for each score, which asks this estimator with the module as it is then."""

        def scored(scorer: Callable[..., float]) -> Callable[..., float]:
            return lambda predictor, *_: scorer(self._with(predictor.module), samples.X, samples.y)

        on = "train" if on_train else "validation"
        return [
            nn.callbacks.EpochScoring(scored(get_scorer(scorer)), name, on=on)
            for name, scorer in _named(self.scoring).items()
        ]

    def _with(self, module: nn.Module) -> Any:
        """Return this estimator over another module."""
        other = copy.copy(self)
        other.module_ = module
        return other

    def _early_stopping(self, scoring: Sequence[nn.callbacks.EpochScoring]) -> nn.callbacks.EarlyStopping | None:
        if not self.early_stopping:
            return None
        given = self._nested("early_stopping")
        names = [score.name for score in scoring]
        if "monitor" not in given and names:
            given["monitor"] = names[0]
        # Scores of scikit-learn are better the greater they are, losses the smaller.
        given.setdefault("mode", "max" if given.get("monitor") in names else "min")
        return built("early_stopping", nn.callbacks.EarlyStopping, given)

    def _checkpoint(self) -> nn.callbacks.Checkpoint:
        return built("checkpoint", nn.callbacks.Checkpoint, self._nested("checkpoint"), self.checkpoint)

    def _resumed_from(self, incremental: bool) -> str | Path | None:
        """Return the checkpoint to go on from, if there is one."""
        if not self.resume or incremental:
            return None
        if self.checkpoint is None:
            raise ValueError("resume=True needs a checkpoint: the file to go on from.")
        return self.checkpoint if Path(self.checkpoint).exists() else None

    def _own_callbacks(self) -> list[nn.callbacks.Callback]:
        """Return copies of the user's callbacks: parameters do not change in a fit."""
        return [copy.copy(callback) for callback in self.callbacks or ()]

    def _outputs(self, X: Any) -> np.ndarray:
        """Return what the module makes of samples that are yet to be checked."""
        return outputs(self.module_, validation.validate(self, X, reset=False, sparse="csr", large_sparse=True))


def _named(scoring: Any) -> dict[str, Any]:
    """Return scorers, or names of scikit-learn's, by the names that they have in the history."""
    if scoring is None:
        return {}
    if isinstance(scoring, dict):
        return scoring
    if isinstance(scoring, (list, tuple)):
        return {name: name for name in scoring}
    return {scoring if isinstance(scoring, str) else "score": scoring}


def _of_mean_weight_1(samples: Samples) -> Samples:
    """Return samples whose weights change the directions of steps and not their lengths."""
    if samples.weight is None:
        return samples
    mean = samples.weight.mean()
    return samples._replace(weight=samples.weight / mean) if mean > 0 else samples


def _without_none(*parts: Any) -> tuple[Any, ...]:
    return tuple(part for part in parts if part is not None)
