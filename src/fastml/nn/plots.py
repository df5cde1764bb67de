"""Pictures of networks for images: how they learnt, what they look for, and where they are wrong.

Needs matplotlib (``pip install 'fastml[plots]'``), which is imported where something is drawn, and never its
``pyplot``: figures belong to their callers, appear on no screen by themselves, and need not be closed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastml._core import release_memory
from fastml.nn._recording import enable_grad
from fastml.nn.conv_layers import Conv2d
from fastml.nn.history import History
from fastml.nn.module import Module
from fastml.nn.predictor import type_of
from fastml.nn.tensor import FLOATS, Tensor, grad

__all__ = ["filters", "learning_curve", "misclassified", "saliency", "saliency_map"]

_SALIENCY_BATCH = 64
"""Images that are differentiated at once: what their layers gave is kept until then."""

_INCHES = 1.1
"""The side of a picture in a figure of our own."""

_NOT_SCORES = ("epoch", "loss", "validation_loss", "lr", "seconds")


def learning_curve(history: History, ax: Any = None) -> Any:
    """Draw the loss, the validation loss and scores over epochs.

    Parameters
    ----------
    history : History
        What :func:`fastml.nn.fit` returns, or ``history_`` of an estimator. All numbers that callbacks have added count
        as scores; they get a scale of their own, on the right.
    ax : matplotlib Axes, optional
        Where to; by default the axes of a new figure, ``ax.figure``.

    Returns
    -------
    ax : matplotlib Axes
        Of the losses.
    """
    if not isinstance(history, History):
        raise TypeError(f"learning_curve: expected a History, as nn.fit returns, got {type(history).__name__}.")
    losses = [name for name in ("loss", "validation_loss") if name in history]
    if not losses:
        given = ", ".join(history.names) or "no epochs"
        raise ValueError(f"learning_curve: the history has no loss to draw; it has {given}.")
    Figure = _figure_class("learning_curve")
    ax = Figure(layout="constrained").subplots() if ax is None else ax
    history.plot(losses, ax=ax)
    ax.set_ylabel("loss")
    lines = list(ax.get_lines())
    scores = [name for name in history.names if _is_score(name, history[name])]
    if scores:
        right = ax.twinx()
        history.plot(scores, ax=right)
        right.get_legend().remove()
        right.set_ylabel("score")
        for number, line in enumerate(right.get_lines(), start=len(lines)):
            line.set(color=f"C{number}", linestyle="--")
        lines += right.get_lines()
        # The legend is of these axes, and no line of the others may cross it.
        ax.set_zorder(right.get_zorder() + 1)
        ax.patch.set_visible(False)
    for line in lines:
        if len(line.get_xdata()) == 1:  # a line of one point would not be seen
            line.set_marker("o")
    ax.legend(handles=lines, loc="center right" if scores else "best")
    return ax


def filters(module: Module, figure: Any = None) -> Any:
    """Draw the weights of the first :class:`Conv2d` as images: what the network looks for in pixels.

    Each filter is scaled by itself, from its lowest weight (black) to its highest (white).

    Parameters
    ----------
    module : Module
        A Conv2d, or a module with one inside; it must see images of 1 channel (drawn in grey) or 3 (in colour).
    figure : matplotlib Figure or SubFigure, optional
        Where to; by default a new figure.

    Returns
    -------
    figure : matplotlib Figure or SubFigure
    """
    _checked_module(module, "filters")
    layer = next((layer for layer in module.modules() if isinstance(layer, Conv2d)), None)
    if layer is None:
        raise ValueError(f"filters: {type(module).__name__} has no Conv2d whose weights could be drawn.")
    weight = layer.weight.data
    if weight.shape[1] not in (1, 3):
        raise ValueError(
            f"filters: the first Conv2d sees {weight.shape[1]} channels in a filter; 1 (grey) or 3 (colour) can be "
            "drawn as an image."
        )
    pictures = [_scaled(image, image.min(), image.max()) for image in weight.transpose(0, 2, 3, 1)]
    figure, axes = _grid(len(pictures), figure, "filters")
    for ax, picture in zip(axes, pictures):
        _draw(ax, picture)
    return figure


def misclassified(
    X: Any, y_true: Any, y_predicted: Any, classes: Sequence[Any] | None = None, count: int = 25, figure: Any = None
) -> Any:
    """Draw images whose label was not predicted, each below "label → prediction".

    Parameters
    ----------
    X : array-like of shape (n, h, w) or (n, c, h, w)
        Images, of 1 or 3 channels.
    y_true, y_predicted : array-like of shape (n,)
        Labels.
    classes : sequence, optional
        Names: label k, an integer, is shown as ``classes[k]``.
    count : int, default=25
        How many to draw at most: the first ones.
    figure : matplotlib Figure or SubFigure, optional
        Where to; by default a new figure.

    Returns
    -------
    figure : matplotlib Figure or SubFigure
        Its title says how many of how many are wrong.
    """
    X, count = _with_channels(X, "misclassified"), _checked_count(count, "misclassified")
    labels = []
    for name, y in (("y_true", y_true), ("y_predicted", y_predicted)):
        y = np.asarray(y)
        if y.shape != (len(X),):
            raise ValueError(
                f"misclassified: {name} has shape {y.shape}; expected one label for each of {len(X)} images."
            )
        labels.append(y)
    wrong = np.flatnonzero(labels[0] != labels[1])
    shown = wrong[:count]
    names = [_names(y[shown], classes, "misclassified") for y in labels]
    pictures = _pictures(X, shown, "misclassified")
    figure, axes = _grid(len(shown), figure, "misclassified")
    for ax, picture, true, predicted in zip(axes, pictures, *names):
        _draw(ax, picture, f"{true} → {predicted}")
    figure.suptitle(f"{len(wrong)} of {len(X)} misclassified", fontsize="medium")
    return figure


def saliency(module: Module, X: Any, target: Any = None) -> np.ndarray:
    """Return how much each pixel moves a score: the absolute derivative, the largest over the channels.

    The module computes as in use (evaluation mode). Modes and gradients of its parameters are left as they were.

    Parameters
    ----------
    module : Module
        Gives a score for each class, or a single one, of images.
    X : array-like of shape (n, h, w) or (n, c, h, w)
        Images of floats, as the module was trained on. Those without channels are given to it with one.
    target : int or array-like of shape (n,), optional
        The class whose score is asked about, of all images or of each; by default that with the highest score.

    Returns
    -------
    saliency : ndarray of shape (n, h, w)
    """
    images = _floating_images(module, X, "saliency")
    return _saliency(module, images, _targets(target, len(images), "saliency"), "saliency")[0]


def saliency_map(
    module: Module,
    X: Any,
    target: Any = None,
    classes: Sequence[Any] | None = None,
    count: int = 10,
    figure: Any = None,
) -> Any:
    """Draw images, and beside each its :func:`saliency`, scaled from 0 (black) to its highest value.

    Parameters
    ----------
    module : Module
    X : array-like of shape (n, h, w) or (n, c, h, w)
        Images of floats, of 1 or 3 channels.
    target : int or array-like of shape (n,), optional
        As in :func:`saliency`.
    classes : sequence, optional
        Names of the targets, which stand above the images.
    count : int, default=10
        How many to draw at most: the first ones.
    figure : matplotlib Figure or SubFigure, optional
        Where to; by default a new figure.

    Returns
    -------
    figure : matplotlib Figure or SubFigure
    """
    count = _checked_count(count, "saliency_map")
    images = _floating_images(module, X, "saliency_map")
    target = _targets(target, len(images), "saliency_map")
    images, target = images[:count], None if target is None else target[:count]
    pictures = _pictures(images, slice(None), "saliency_map")
    maps, targets = _saliency(module, images, target, "saliency_map")
    figure, axes = _grid(2 * len(images), figure, "saliency_map", even=True)
    for i, name in enumerate(_names(targets, classes, "saliency_map")):
        _draw(axes[2 * i], pictures[i], name)
        _draw(axes[2 * i + 1], _scaled(maps[i], 0.0, maps[i].max()), "", "inferno")
    return figure


def _is_score(name: str, values: Sequence[Any]) -> bool:
    if name in _NOT_SCORES:
        return False
    given = [value for value in values if value is not None]
    return bool(given) and all(isinstance(value, (int, float)) for value in given)


def _checked_module(module: Any, what: str) -> None:
    if not isinstance(module, Module):
        raise TypeError(f"{what}: expected a module (of an estimator: its module_), got {type(module).__name__}.")


def _checked_count(count: Any, what: str) -> int:
    count = operator.index(count)
    if count < 1:
        raise ValueError(f"{what}: count must be at least 1, got {count}.")
    return count


def _with_channels(X: Any, what: str) -> np.ndarray:
    """Return images as an array of shape (n, c, h, w)."""
    X = np.asarray(X)
    if X.ndim not in (3, 4) or X.size == 0:
        raise ValueError(f"{what}: X has shape {X.shape}; expected images, (n, h, w) or (n, channels, h, w).")
    if X.dtype.kind not in "fiub":
        raise TypeError(f"{what}: X is of type {X.dtype}; expected numbers.")
    return X[:, np.newaxis] if X.ndim == 3 else X


def _floating_images(module: Any, X: Any, what: str) -> np.ndarray:
    _checked_module(module, what)
    X = _with_channels(X, what)
    if X.dtype.kind != "f":
        raise TypeError(
            f"{what}: X is of type {X.dtype}; expected floats on the scale that the module was trained on, for 8-bit "
            "images perhaps X / 255."
        )
    return X


def _pictures(X: np.ndarray, shown: Any, what: str) -> np.ndarray:
    """Return some images of X as (n, h, w, c) from 0 to 1; where X is on another scale, all of it is scaled alike."""
    if X.shape[1] not in (1, 3):
        raise ValueError(f"{what}: images of {X.shape[1]} channels; 1 (grey) or 3 (colour) can be drawn.")
    low, high = X.min(), X.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{what}: X has values that are not finite (NaN or infinity).")
    if X.dtype == np.uint8:
        low, high = 0, 255
    elif low >= 0 and high <= 1:
        low, high = 0, 1
    return _scaled(X[shown].transpose(0, 2, 3, 1), low, high)


def _scaled(image: np.ndarray, low: Any, high: Any) -> np.ndarray:
    """Return an image in which low is 0 and high is 1; one of a single value becomes 0."""
    low, high = float(low), float(high)
    return (image.astype(np.float64) - low) / (high - low if high > low else 1.0)


def _names(labels: np.ndarray, classes: Sequence[Any] | None, what: str) -> list[str]:
    if classes is None:
        return [str(label) for label in labels]
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{what}: labels are of type {labels.dtype}; with classes they must be integers, its indices.")
    out = labels[(labels < 0) | (labels >= len(classes))]
    if out.size:
        raise ValueError(f"{what}: label {out[0]} has no name among {len(classes)} classes.")
    return [str(classes[label]) for label in labels]


def _figure_class(what: str) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"{what} needs matplotlib: pip install 'fastml[plots]'") from error
    return Figure


def _grid(count: int, figure: Any, what: str, even: bool = False) -> tuple[Any, list[Any]]:
    """Return a figure and the axes of so many pictures, in rows that are about as many as the columns."""
    Figure = _figure_class(what)
    columns = max(math.isqrt(max(count - 1, 0)) + 1, 2 if even else 1)
    columns += columns % 2 if even else 0
    rows = max(-(-count // columns), 1)
    if figure is None:
        figure = Figure(figsize=(max(columns, 3) * _INCHES, rows * _INCHES + 0.4), layout="constrained")
    if count == 0:
        return figure, []
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for ax in axes[count:]:
        ax.remove()
    return figure, axes[:count]


def _draw(ax: Any, picture: np.ndarray, title: str = "", colours: str = "gray") -> None:
    """Draw an image of values from 0 to 1, of one channel or three."""
    picture = picture[..., 0] if picture.shape[-1] == 1 and picture.ndim == 3 else picture
    ax.imshow(picture, cmap=colours, vmin=0, vmax=1)
    ax.set_title(title, fontsize="small")
    ax.set(xticks=[], yticks=[])  # the frame stays: white pixels end somewhere, too


@contextmanager
def _in_use(module: Module) -> Any:
    """Evaluation mode for a while. Modules inside may be in different modes: each gets back its own."""
    before = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in before:
            part.training = training
        release_memory()


def _saliency(
    module: Module, images: np.ndarray, target: np.ndarray | None, what: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the saliency of images, and the classes that it is of."""
    dtype = type_of(module)
    dtype = dtype if dtype in FLOATS else np.dtype(np.float32)
    maps, targets = [], []
    with _in_use(module), enable_grad():
        for start in range(0, len(images), _SALIENCY_BATCH):
            x = Tensor(np.array(images[start : start + _SALIENCY_BATCH], dtype=dtype), requires_grad=True)
            scores = module(x)
            if scores.ndim not in (1, 2) or len(scores) != len(x):
                raise ValueError(
                    f"{what}: the module gave shape {scores.shape} for {len(x)} images; expected a score for each "
                    "class, (images, classes)."
                )
            n_classes = scores.shape[1] if scores.ndim == 2 else 1
            if target is None:
                chosen = scores.data.reshape(len(x), n_classes).argmax(axis=1)
            else:
                chosen = target[start : start + _SALIENCY_BATCH]
                out = chosen[(chosen < 0) | (chosen >= n_classes)]
                if out.size:
                    raise ValueError(f"{what}: target {out[0]} is none of the module's {n_classes} classes, from 0.")
            seed = np.zeros((len(x), n_classes), dtype=scores.dtype)
            seed[np.arange(len(x)), chosen] = 1
            (gradient,) = grad(scores, x, seed.reshape(scores.shape)) if scores.requires_grad else (None,)
            if gradient is None:
                raise ValueError(f"{what}: the module's scores do not depend on the images.")
            maps.append(abs(gradient.data).max(axis=1))
            targets.append(chosen)
    return np.concatenate(maps), np.concatenate(targets)


def _targets(target: Any, n: int, what: str) -> np.ndarray | None:
    """Return a class for each of n images, or None: that with the highest score."""
    if target is None:
        return None
    classes = np.asarray(target)
    if classes.dtype.kind not in "iu" or classes.shape not in ((), (n,)):
        raise ValueError(
            f"{what}: target must be a class, or one for each of {n} images, as integers; got shape {classes.shape} of "
            f"type {classes.dtype}."
        )
    return np.broadcast_to(classes, (n,))
