"""ConvNetClassifier and ConvNetRegressor: what both share."""

import os
import zipfile
from collections.abc import Mapping
from fnmatch import fnmatchcase
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from fastml import nn
from fastml.neural_network._building import SCHEDULES, new_module
from fastml.neural_network._conv_module import ARCHITECTURES, architecture, conv_network
from fastml.neural_network._images import IMAGES_CONSTRAINTS, IMAGES_DOC, ImageInput
from fastml.neural_network._trained_network import scale_of
from fastml.neural_network._training_parameters import TRAINING_DOC
from fastml.nn.checkpoints import load_checkpoint
from fastml.nn.predictor import outputs

LEAST_EPOCHS, LEAST_STEPS, MOST_EPOCHS = 12, 600, 100
"""How long a training is by default. 8,000 of MNIST's digits take the epochs, a few hundred samples the steps."""

CONV_MODULE_DOC = """\
module : list, str, Module, class or function, default=None
        What is trained. A list of blocks, such as ``[32, "pool", 64, "pool", ("dense", 128)]``, makes a network of
        them: :func:`fastml.neural_network.conv_network` says what blocks there are, and takes ``module__activation``,
        ``module__batch_norm`` and ``module__dropout``; by default it chooses blocks by the size of the images. A name
        is that of a function in :mod:`fastml.nn.models`: "densenet", "lenet", "mobilenet", "resnet18", "resnet20" or
        "vgg", with arguments as ``module__<name>``. A class or function is called with ``module__<name>`` and with
        those that its signature names of ``image_shape`` (channels, height, width), ``in_channels``, ``image_size``,
        ``out_features``, ``n_classes`` (the same) and ``dtype``. A Module is copied, and the copy trained from the
        parameters that it has. It computes in float32 where X is of float32 or of bytes, and in float64 where X is of
        float64."""

CONV_TRAINING_DOC = """\
augmentation : Augmentation, list of Augmentation or function, default=None
        What is done to images at random as they are trained on: see :mod:`fastml.nn.augment`. Images are floats by
        then, those of bytes from 0 to 1.

    frozen : str or list of str, default=None
        Parameters that are not trained, by name or by the name of a layer around them, as in
        ``module_.named_parameters()`` and ``module_.named_modules()``; with ``*`` and ``?`` as in file names. A layer
        of which all is frozen stays in evaluation mode, so that the averages of batch normalisation are frozen, too.

    pretrained : path-like, mapping or Module, default=None
        What training starts from: a file of :class:`fastml.nn.callbacks.Checkpoint` or of :func:`fastml.nn.save`, a
        state of a module or such a module. Parameters and buffers of the same name and shape are taken over; the others
        (the last layer for other classes) have initial values as without. ``pretrained_`` names them."""

_GIVEN_EPOCHS_DOC = TRAINING_DOC[TRAINING_DOC.index("max_epochs :") : TRAINING_DOC.index("schedule :")].strip()
_EPOCHS_DOC = f"""max_epochs : int, default=None
        Passes over the samples. By default {LEAST_EPOCHS}; with few samples as many as make {LEAST_STEPS} steps, at
        most {MOST_EPOCHS}."""

CONV_DEFAULTS_DOC = (
    TRAINING_DOC.replace(_GIVEN_EPOCHS_DOC, _EPOCHS_DOC)
    .replace('schedule : {"cosine"', 'schedule : {"auto", "cosine"')
    .replace(
        "default=None\n        How the learning rate changes: one of",
        'default="auto"\n        How the learning rate changes. "auto" is a cosine, step by step to the end of ``fit`` '
        "and none in\n        ``partial_fit``. Otherwise one of",
    )
)

CONV_ATTRIBUTES_DOC = """\
image_shape_ : tuple of int
        Channels, height and width.

    pretrained_ : list of str
        Names of what was taken over. Only with ``pretrained``."""

CONV_CONSTRAINTS: dict = {
    "module": [StrOptions(set(ARCHITECTURES)), list, tuple, callable, None],
    "augmentation": [callable, list, tuple, None],
    "frozen": [str, list, tuple, None],
    "pretrained": [str, Path, Mapping, nn.Module, None],
    "max_epochs": [Interval(Integral, 1, None, closed="left"), None],
    "schedule": [StrOptions({"auto", *SCHEDULES}), callable, None],
    **IMAGES_CONSTRAINTS,
}

__all__ = [
    "CONV_ATTRIBUTES_DOC",
    "CONV_CONSTRAINTS",
    "CONV_DEFAULTS_DOC",
    "CONV_MODULE_DOC",
    "CONV_TRAINING_DOC",
    "IMAGES_DOC",
    "ConvNet",
]


class ConvNet(ImageInput):
    """An estimator over a convolutional network, in front of the one over any module."""

    module: Any
    frozen: Any
    pretrained: Any
    pretrained_: list[str]
    _frozen_names: frozenset[str] = frozenset()

    def _new_module(self, X: np.ndarray, out_features: int) -> nn.Module:
        return new_conv_module(self.module, self._nested("module"), self.image_shape_, out_features, X)

    def _outputs(self, X: Any) -> np.ndarray:
        X = self._validated_images(X, reset=False)
        return outputs(self.module_, X, scale_of(X))

    def _with(self, module: nn.Module) -> Any:
        other = super()._with(module)
        other.channels = "first"  # it is asked about images as they are trained on
        return other

    def _prepare(self, module: nn.Module, goes_on: bool) -> None:
        if hasattr(self, "pretrained_") and not goes_on:
            del self.pretrained_
        if self.pretrained is not None and not goes_on:
            self.pretrained_ = _taken_over(module, state_of(self.pretrained))
            others = sorted(_matching(module, self.frozen) - set(self.pretrained_))
            if others:
                raise ValueError(
                    f"frozen: {', '.join(others)} would stay random: pretrained has nothing of that shape."
                )
        before, self._frozen_names = self._frozen_names if goes_on else frozenset(), _matching(module, self.frozen)
        for name, parameter in module.named_parameters():
            if name in before or name in self._frozen_names:
                parameter.requires_grad_(name not in self._frozen_names)

    def _n_epochs(self, n_samples: int) -> int:
        if self.max_epochs is not None:
            return self.max_epochs
        steps = max(-(-n_samples // self.batch_size), 1)
        return min(max(-(-LEAST_STEPS // steps), LEAST_EPOCHS), MOST_EPOCHS)

    def _schedule_for(self, incremental: bool) -> tuple[Any, dict[str, Any]]:
        if self.schedule != "auto":
            return super()._schedule_for(incremental)
        # How long a training by partial_fit is to be is not known.
        return (None, {}) if incremental else ("cosine", {"every": "step", **self._nested("schedule")})

    def _inner_callbacks(self, module: nn.Module) -> list[nn.callbacks.Callback]:
        return [KeepFrozen(self._frozen_names)] if self._frozen_names else []


class KeepFrozen(nn.callbacks.Callback):
    """Layers whose parameters are all frozen do not train: neither their averages nor dropout.

    Parameters
    ----------
    names : collection of str
        Of the parameters that are frozen.
    """

    def __init__(self, names: Any) -> None:
        self.names = names

    def on_epoch_begin(self, training: Any) -> None:
        for prefix, module in training.module.named_modules():
            inside = [f"{prefix}.{name}" if prefix else name for name, _ in module.named_parameters()]
            if inside and all(name in self.names for name in inside):
                module.eval()


def new_conv_module(module: Any, given: Mapping[str, Any], image_shape: Any, out_features: int, X: Any) -> nn.Module:
    """Return a module for images, in the type of what is computed with them."""
    dtype = np.dtype(np.float32) if X.dtype == np.uint8 else X.dtype
    shape: dict[str, Any] = {
        "image_shape": image_shape,
        "image_size": image_shape[1:],
        "in_channels": image_shape[0],
        "in_features": image_shape[0],
        "out_features": out_features,
        "n_classes": out_features,
        "dtype": dtype,
    }
    if module is None or isinstance(module, (list, tuple)):
        given = given if module is None else {"blocks": module, **given}
        module = conv_network
    elif isinstance(module, str):
        module = architecture(module)
    return new_module(module, given, shape)


def state_of(pretrained: Any) -> dict[str, np.ndarray]:
    """Return the arrays of a module by name: from a file, or from a module."""
    if isinstance(pretrained, nn.Module):
        return pretrained.state_dict()
    if isinstance(pretrained, Mapping):
        return {name: np.asarray(getattr(array, "data", array)) for name, array in pretrained.items()}
    path = os.fspath(pretrained)
    if not Path(path).exists():
        raise FileNotFoundError(f"pretrained: there is no file {path}.")
    if not zipfile.is_zipfile(path):
        return nn.load_arrays(path)
    state = load_checkpoint(path)
    if not isinstance(state, dict) or "module" not in state:
        raise ValueError(f"pretrained: {path} is not the checkpoint of a training.")
    return state["module"]


def _taken_over(module: nn.Module, state: Mapping[str, np.ndarray]) -> list[str]:
    """Copy arrays into the tensors of the same name and shape, and return their names."""
    own = module.state_dict()
    names = [name for name, array in own.items() if name in state and state[name].shape == array.shape]
    if not names:
        raise ValueError(
            f"pretrained: nothing has the name and shape of a parameter of this {type(module).__name__}. It has "
            f"{_shapes(own)}; given are {_shapes(state)}."
        )
    for name in names:
        np.copyto(own[name], state[name], casting="same_kind")
    return names


def _shapes(state: Mapping[str, np.ndarray]) -> str:
    shown = [f"{name} {array.shape}" for name, array in list(state.items())[:4]]
    return ", ".join(shown) + (", ..." if len(state) > len(shown) else "")


def _matching(module: nn.Module, patterns: Any) -> frozenset[str]:
    """Return the names of parameters that patterns mean."""
    patterns = [patterns] if isinstance(patterns, str) else list(patterns or ())
    names = [name for name, _ in module.named_parameters()]
    matching: set[str] = set()
    for pattern in patterns:
        found = {name for name in names if any(fnmatchcase(part, pattern) for part in _around(name))}
        if not found:
            raise ValueError(f"frozen: no parameter has the name {pattern!r}; there are {', '.join(names)}.")
        matching |= found
    return frozenset(matching)


def _around(name: str) -> list[str]:
    """Return a parameter's name and those of the modules around it."""
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]
