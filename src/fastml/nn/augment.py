"""Data augmentation: batches of images turned over, cropped, rotated, covered and mixed at random, in native code.

Images are arrays of shape (n_samples, channels, height, width); results have their channels last in memory. Each image
gets numbers of its own, drawn from one generator before the images are shared among threads: a seed gives the same
images on any number of them.

>>> import numpy as np
>>> from fastml.nn import augment
>>> augmentation = augment.Compose([augment.RandomCrop(2), augment.RandomHorizontalFlip()])
>>> augmentation(np.ones((8, 3, 32, 32), dtype=np.float32), rng=0).shape
(8, 3, 32, 32)
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastml import _core
from fastml._support import threads
from fastml.nn._flat import FLOATS
from fastml.nn._layout import channels_first, channels_last
from fastml.nn._seeding import as_generator

__all__ = [
    "Augmentation",
    "Compose",
    "Cutout",
    "MixUp",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomVerticalFlip",
    "as_augmentation",
]

_BYTES = np.dtype(np.uint8)


class Augmentation:
    """Base class: what is done to a batch of images at random.

    A subclass defines ``forward``. Called with images alone it returns images; :meth:`batch` is what training calls.

    Attributes
    ----------
    mixes_targets : bool
        Whether a sample of the result is made of several, so that its target has to be, too.
    """

    mixes_targets = False
    takes_bytes = True
    """Whether images of uint8 stay what they are; otherwise numbers are computed, which need floats."""

    def __call__(self, images: Any, rng: Any = None) -> np.ndarray:
        """Return a new batch of images.

        Parameters
        ----------
        images : array-like of shape (n_samples, channels, height, width)
            Of float32 or float64; those that only move pixels take uint8, too.
        rng : int, Generator or RandomState, optional
            By default the generator that ``nn.manual_seed`` sets.

        Returns
        -------
        images : ndarray of shape (n_samples, channels, height, width)
            Channels are last in memory.
        """
        images = np.asarray(images)
        if images.ndim != 4:
            raise ValueError(
                f"{self!r}: expected images of shape (n_samples, channels, height, width), got shape {images.shape}."
            )
        if images.dtype not in FLOATS and not (self.takes_bytes and images.dtype == _BYTES):
            expected = "float32, float64 or uint8" if self.takes_bytes else "float32 or float64"
            raise TypeError(f"{self!r}: expected images of {expected}, got {images.dtype}.")
        return channels_first(self.forward(channels_last(images), as_generator(rng)))

    def forward(self, images: np.ndarray, rng: Any) -> np.ndarray:
        """Return a new batch of images; here they are contiguous arrays of (n_samples, height, width, channels)."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(): define what it does to images.")

    def batch(self, images: Any, targets: Any, weight: Any = None, rng: Any = None) -> tuple[Any, Any, Any]:
        """Return a new batch: images, their targets and weights, the latter two as they are where images stay apart."""
        return self(images, rng), targets, weight

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({arguments})"


class Compose(Augmentation):
    """One augmentation after the other.

    Parameters
    ----------
    augmentations : sequence of Augmentation
    """

    def __init__(self, augmentations: Sequence[Augmentation]) -> None:
        others = [a for a in augmentations if not isinstance(a, Augmentation)]
        if others:
            raise TypeError(f"Compose: expected objects of fastml.nn.augment.Augmentation, got {others[0]!r}.")
        self.augmentations = list(augmentations)

    @property
    def mixes_targets(self) -> bool:  # type: ignore[override]
        """Whether one of them does."""
        return any(augmentation.mixes_targets for augmentation in self.augmentations)

    def __call__(self, images: Any, rng: Any = None) -> np.ndarray:
        """Return a new batch of images, see :class:`Augmentation`."""
        rng = as_generator(rng)
        for augmentation in self.augmentations:
            images = augmentation(images, rng)
        return images

    def batch(self, images: Any, targets: Any, weight: Any = None, rng: Any = None) -> tuple[Any, Any, Any]:
        """Return a new batch: images, their targets and weights."""
        rng = as_generator(rng)
        for augmentation in self.augmentations:
            images, targets, weight = augmentation.batch(images, targets, weight, rng)
        return images, targets, weight

    def __repr__(self) -> str:
        return f"Compose({self.augmentations!r})"


class _Moved(Augmentation):
    """Images whose pixels only change their places."""

    def _shown(
        self, images: np.ndarray, size: tuple[int, int], places: np.ndarray, reflect: bool = False, fill: float = 0
    ) -> np.ndarray:
        n_threads = threads.n_threads(work=images.size)
        return _core.nn_windows(images, places, *size, reflect, _filling(self, images, fill), n_threads)


class RandomHorizontalFlip(_Moved):
    """Mirror images: left becomes right.

    Parameters
    ----------
    p : float, default=0.5
        The probability for an image.
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = _probability(self, p)

    def forward(self, images: np.ndarray, rng: Any) -> np.ndarray:
        places = np.zeros((len(images), 4), dtype=np.int64)
        places[:, 3] = rng.random(len(images)) < self.p
        return self._shown(images, images.shape[1:3], places)


class RandomVerticalFlip(_Moved):
    """Turn images upside down.

    Parameters
    ----------
    p : float, default=0.5
        The probability for an image.
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = _probability(self, p)

    def forward(self, images: np.ndarray, rng: Any) -> np.ndarray:
        places = np.zeros((len(images), 4), dtype=np.int64)
        places[:, 2] = rng.random(len(images)) < self.p
        return self._shown(images, images.shape[1:3], places)


class RandomCrop(_Moved):
    """Show a part of each image with a margin around it: of the same size, it is the image moved.

    Parameters
    ----------
    padding : int or tuple of int, default=4
        The margin: on all sides, or (above and below, left and right).
    size : int or tuple of int, default=None
        Height and width of the part; by default the image's own.
    fill : float, default=0
        What the margin is of.
    padding_mode : {"constant", "reflect"}, default="constant"
        Whether the margin is of ``fill``, or reflects the image, without repeating the pixels at its edges.
    """

    def __init__(
        self,
        padding: int | tuple[int, int] = 4,
        size: int | tuple[int, int] | None = None,
        fill: float = 0.0,
        padding_mode: str = "constant",
    ) -> None:
        self.padding = _pair(self, "padding", padding, 0)
        self.size = None if size is None else _pair(self, "size", size, 1)
        if padding_mode not in ("constant", "reflect"):
            raise ValueError(f"RandomCrop: padding_mode must be 'constant' or 'reflect', got {padding_mode!r}.")
        self.fill, self.padding_mode = float(fill), padding_mode

    def forward(self, images: np.ndarray, rng: Any) -> np.ndarray:
        height, width = images.shape[1:3]
        rows, columns = self.size or (height, width)
        spare = height + 2 * self.padding[0] - rows, width + 2 * self.padding[1] - columns
        if min(spare) < 0:
            raise ValueError(
                f"{self!r}: a part of {rows} x {columns} pixels is larger than images of {height} x {width} with their "
                "margin; give a smaller size or more padding."
            )
        places = np.zeros((len(images), 4), dtype=np.int64)
        places[:, 0] = _whole_numbers(rng, len(images), spare[0]) - self.padding[0]
        places[:, 1] = _whole_numbers(rng, len(images), spare[1]) - self.padding[1]
        return self._shown(images, (rows, columns), places, self.padding_mode == "reflect", self.fill)


class RandomRotation(Augmentation):
    """Rotate images about their centres, with bilinear interpolation.

    Parameters
    ----------
    degrees : float or tuple of float
        The range of the angles, from -degrees to degrees, or from the first to the second; anticlockwise.
    fill : float, default=0
        What lies outside of an image.
    """

    takes_bytes = False

    def __init__(self, degrees: float | tuple[float, float], fill: float = 0.0) -> None:
        low, high = degrees if isinstance(degrees, (tuple, list)) else (-degrees, degrees)
        if not -math.inf < low <= high < math.inf:
            raise ValueError(f"RandomRotation: degrees must be a number from 0 on or an interval, got {degrees}.")
        self.degrees, self.fill = (float(low), float(high)), float(fill)

    def forward(self, images: np.ndarray, rng: Any) -> np.ndarray:
        angles = np.radians(rng.uniform(*self.degrees, len(images)))
        n_threads = threads.n_threads(work=20.0 * images.size)
        return _core.nn_rotate(images, angles, self.fill, n_threads)


class Cutout(Augmentation):
    """Cover a square of each image; its centre is any pixel, so that part of it may lie outside.

    Parameters
    ----------
    size : int or tuple of int
        Height and width of what is covered.
    fill : float, default=0
    p : float, default=1
        The probability for an image.

    References
    ----------
    DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.
    """

    def __init__(self, size: int | tuple[int, int], fill: float = 0.0, p: float = 1.0) -> None:
        self.size = _pair(self, "size", size, 1)
        self.fill, self.p = float(fill), _probability(self, p)

    def forward(self, images: np.ndarray, rng: Any) -> np.ndarray:
        n_images = len(images)
        covered = rng.random(n_images) < self.p
        ends = []
        for extent, size in zip(images.shape[1:3], self.size):
            begin = _whole_numbers(rng, n_images, max(extent - 1, 0)) - size // 2
            end = np.where(covered, np.minimum(begin + size, extent), 0)
            ends += [np.clip(np.where(covered, begin, 0), 0, end), end]
        boxes = np.ascontiguousarray(np.stack(ends, axis=1))
        return _core.nn_cover(images, boxes, _filling(self, images, self.fill), threads.n_threads(work=images.size))


class MixUp(Augmentation):
    """Mix each image, and its target, with another one of the batch.

    Parameters
    ----------
    alpha : float, default=0.2
        The share of the image itself is drawn from the beta distribution of (alpha, alpha): for small ones it is close
        to 0 or 1, for 1 it is any.
    n_classes : int, default=None
        Targets that are integers become this many probabilities of classes, as
        :func:`fastml.nn.cross_entropy` takes them. Without it targets have to be floats: values, or probabilities.

    Notes
    -----
    Weights of samples are mixed as targets are.

    References
    ----------
    Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond empirical risk minimization", ICLR 2018.
    """

    mixes_targets = True
    takes_bytes = False

    def __init__(self, alpha: float = 0.2, n_classes: int | None = None) -> None:
        if not 0 < alpha < math.inf:
            raise ValueError(f"MixUp: alpha must be above 0, got {alpha}.")
        self.alpha, self.n_classes = float(alpha), None if n_classes is None else operator.index(n_classes)

    def forward(self, images: np.ndarray, rng: Any) -> np.ndarray:
        raise TypeError("MixUp mixes targets, too: call batch(images, targets).")

    def batch(self, images: Any, targets: Any, weight: Any = None, rng: Any = None) -> tuple[Any, Any, Any]:
        """Return mixed images, targets and weights.

        Parameters
        ----------
        images : array-like of shape (n_samples, ...)
            Of float32 or float64.
        targets : array-like of shape (n_samples, ...)
            Floats, or with ``n_classes`` integers.
        weight : array-like of shape (n_samples,), optional
        rng : int, Generator or RandomState, optional

        Returns
        -------
        images, targets, weight : ndarray
        """
        images, targets, rng = np.asarray(images), self._soft(np.asarray(targets), images), as_generator(rng)
        if images.dtype not in FLOATS or images.ndim == 0:
            raise TypeError(f"{self!r}: expected images of float32 or float64, got {images.dtype}.")
        n_samples = len(images)
        partners = rng.permutation(n_samples).astype(np.int64, copy=False)
        shares = rng.beta(self.alpha, self.alpha, n_samples)
        mixed = channels_last(images) if images.ndim == 4 else images
        result = _mixed(mixed, partners, shares)
        weight = None if weight is None else _mixed(np.asarray(weight), partners, shares)
        return channels_first(result) if images.ndim == 4 else result, _mixed(targets, partners, shares), weight

    def _soft(self, targets: np.ndarray, images: np.ndarray) -> np.ndarray:
        if targets.shape[:1] != images.shape[:1]:
            raise ValueError(f"{self!r}: got {images.shape[0]} images and targets of shape {targets.shape}.")
        if targets.dtype.kind not in "iub":
            return targets
        if self.n_classes is None:
            raise TypeError(
                f"{self!r}: targets of {targets.dtype} are numbers of classes, which cannot be mixed; give "
                "n_classes, or probabilities of classes."
            )
        if targets.size and not 0 <= targets.min() <= targets.max() < self.n_classes:
            raise ValueError(f"{self!r}: a target is no class from 0 to {self.n_classes - 1}.")
        return (targets[..., np.newaxis] == np.arange(self.n_classes)).astype(images.dtype)


class _OfFunction(Augmentation):
    """A function of a user's own, of images as training has them."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self.function = function

    def __call__(self, images: Any, rng: Any = None) -> np.ndarray:
        result = np.asarray(self.function(images))
        if result.shape[:1] != images.shape[:1] or result.dtype != images.dtype:
            raise ValueError(
                f"augmentation: expected {self.function!r} to return as many images of the same type; for "
                f"{images.dtype} of shape {images.shape} it returned {result.dtype} of shape {result.shape}."
            )
        return result


def as_augmentation(given: Any) -> Augmentation | None:
    """Return what was given as ``augmentation``: an Augmentation, several one after the other, a function, or None."""
    if given is None or isinstance(given, Augmentation):
        return given
    if isinstance(given, (list, tuple)):
        return Compose(given)
    if not callable(given):
        raise TypeError(
            f"augmentation: expected an object of fastml.nn.augment, a list of them, or a function of a "
            f"batch of images, got {given!r}."
        )
    return _OfFunction(given)


def _mixed(x: np.ndarray, partners: np.ndarray, shares: np.ndarray) -> np.ndarray:
    rows = np.ascontiguousarray(
        x.reshape(len(x), math.prod(x.shape[1:])), dtype=x.dtype if x.dtype in FLOATS else np.float64
    )
    n_threads = threads.n_threads(work=rows.size)
    return _core.nn_mix(rows, partners, shares.astype(rows.dtype), n_threads).reshape(x.shape)


def _whole_numbers(rng: Any, count: int, most: int) -> np.ndarray:
    """Return whole numbers from 0 to ``most``: of generators old and new alike."""
    return np.floor(rng.random(count) * (most + 1)).astype(np.int64)


def _probability(owner: Augmentation, p: float) -> float:
    if not 0 <= p <= 1:
        raise ValueError(f"{type(owner).__name__}: p must be a probability, got {p}.")
    return float(p)


def _pair(owner: Augmentation, name: str, value: Any, least: int) -> tuple[int, int]:
    values = (value, value) if np.ndim(value) == 0 else tuple(value)
    if len(values) != 2 or any(v < least or v != int(v) for v in values):
        raise ValueError(
            f"{type(owner).__name__}: {name} must be a whole number from {least} on, or two of them, got {value!r}."
        )
    return int(values[0]), int(values[1])


def _filling(owner: Augmentation, images: np.ndarray, fill: float) -> float | int:
    """Return ``fill`` as a number of the images' type."""
    if images.dtype != _BYTES:
        return fill
    if not (0 <= fill <= 255 and fill == int(fill)):
        raise ValueError(f"{owner!r}: images of uint8 take a fill from 0 to 255, got {fill}.")
    return int(fill)
