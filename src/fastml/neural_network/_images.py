"""Images as estimators are given them: in which forms, and how they become what a network takes."""

import math
import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_X_y, validate_data

from fastml.nn._layout import channels_first, channels_last

IMAGES_DOC = """\
image_shape : tuple of int, default=None
        What the rows of a two-dimensional X are: (height, width) of grey images, or (channels, height, width); with
        ``channels="last"`` (height, width, channels). By default rows whose length is a square of 4 or more are square
        grey images. Rows of any other length are no images: each feature is a channel of a single pixel, so that a
        convolution is a layer of a perceptron.

    channels : {"first", "last"}, default="first"
        Where the channels stand in ``image_shape``, and in X of four dimensions."""

IMAGES_CONSTRAINTS: dict = {
    "image_shape": ["array-like", None],
    "channels": [StrOptions({"first", "last"})],
}

SMALLEST_SQUARE = 4
"""The side of the smallest image that rows are taken for without being told so."""

LARGEST_UNIT = 2.0
"""Floats up to here may be bytes divided by 255, with some margin for what was done to them since."""


class ImageInput(BaseEstimator):
    """An estimator of images.

    Attributes
    ----------
    image_shape_ : tuple of int
        Channels, height and width.
    n_features_in_ : int
        Numbers in an image.
    """

    image_shape: Any
    channels: str
    image_shape_: tuple[int, int, int]
    n_features_in_: int
    _n_axes: int
    _in_bytes: bool
    _in_units: bool

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = False
        return tags

    def _validated(self, X: Any, y: Any, reset: bool, **checks: Any) -> tuple[np.ndarray, Any]:
        """Return images as a network takes them, and targets."""
        if _n_axes(X) > 2:
            X, y = check_X_y(X, y, dtype="numeric", allow_nd=True, multi_output=True, estimator=self, **checks)
            return self._images(X, reset), y
        X, y = validate_data(self, X, y, dtype="numeric", order="C", multi_output=True, reset=reset, **checks)
        return self._rows(X, reset), y

    def _validated_images(self, X: Any, reset: bool) -> np.ndarray:
        """Return images as a network takes them: of four axes, channels second, and last in memory."""
        if _n_axes(X) > 2:
            X = check_array(X, dtype="numeric", allow_nd=True, input_name="X", estimator=self)
            return self._images(X, reset)
        return self._rows(validate_data(self, X, dtype="numeric", order="C", reset=reset), reset)

    def _images(self, X: np.ndarray, reset: bool) -> np.ndarray:
        given = X.shape
        if X.ndim not in (3, 4):
            raise ValueError(
                f"X: expected images of shape (n_samples, height, width) or {self._four_axes()}, got shape {given}."
            )
        if X.ndim == 3:
            X = X[:, np.newaxis]
        elif self.channels == "last":
            X = channels_first(X)
        if reset:
            if X.size == 0:
                raise ValueError(f"X: expected images of one pixel or more, got shape {given}.")
            self._n_axes = len(given)
            self.image_shape_ = _three(X.shape[1:])
            self.n_features_in_ = math.prod(self.image_shape_)
            if hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
            self._check_image_shape(given)
            self._warn_of_order(given)
        elif X.shape[1:] != self.image_shape_:
            raise ValueError(
                f"X: images of (channels, height, width) = {X.shape[1:]}, {type(self).__name__} was fitted on "
                f"{self.image_shape_}; got shape {given}."
            )
        return self._laid_out(self._numbers(X, True, reset))

    def _rows(self, X: np.ndarray, reset: bool) -> np.ndarray:
        if reset:
            self._n_axes = 2
            self.image_shape_ = self._shape_of_rows(X.shape[1])
        channels, height, width = self.image_shape_
        X = self._numbers(X, height * width > 1 or self.image_shape is not None, reset)
        if self.channels == "last":
            return channels_first(X.reshape(-1, height, width, channels))
        return self._laid_out(X.reshape(-1, channels, height, width))

    def _shape_of_rows(self, n_features: int) -> tuple[int, int, int]:
        if self.image_shape is not None:
            shape = self._given_shape()
            if math.prod(shape) != n_features:
                raise ValueError(
                    f"image_shape: images of {tuple(self.image_shape)} have {math.prod(shape)} numbers; X has "
                    f"{n_features} features."
                )
            return shape
        side = math.isqrt(n_features)
        return (1, side, side) if side**2 == n_features and side >= SMALLEST_SQUARE else (n_features, 1, 1)

    def _given_shape(self) -> tuple[int, int, int]:
        """Return ``image_shape`` as (channels, height, width)."""
        shape = np.asarray(self.image_shape)
        if shape.ndim != 1 or len(shape) not in (2, 3) or shape.dtype.kind not in "iu" or np.any(shape < 1):
            order = "(height, width, channels)" if self.channels == "last" else "(channels, height, width)"
            raise ValueError(f"image_shape: expected (height, width) or {order}, got {self.image_shape!r}.")
        sizes = [int(size) for size in shape]
        if len(sizes) == 2:
            return _three([1, *sizes])
        return _three([sizes[-1], *sizes[:-1]] if self.channels == "last" else sizes)

    def _check_image_shape(self, given: tuple[int, ...]) -> None:
        if self.image_shape is not None and self._given_shape() != self.image_shape_:
            raise ValueError(f"image_shape: {tuple(self.image_shape)} is not that of X, which has shape {given}.")

    def _warn_of_order(self, given: tuple[int, ...]) -> None:
        """Warn where channels seem to be last and are not said to be: a network would learn from nonsense."""
        channels, height, width = self.image_shape_
        if self.channels == "first" and channels > 4 and width in (1, 3, 4) and height > 4 and len(given) == 4:
            warnings.warn(
                f"X of shape {given} is read as images of {channels} channels and {height} x {width} pixels. If the "
                "channels are last, say channels='last'.",
                UserWarning,
                stacklevel=6,
            )

    def _four_axes(self) -> str:
        if self.channels == "last":
            return "(n_samples, height, width, channels)"
        return "(n_samples, channels, height, width)"

    def _numbers(self, X: np.ndarray, are_images: bool, reset: bool) -> np.ndarray:
        """Return numbers that a network computes with: floats, or bytes, which are scaled batch by batch."""
        if X.dtype.kind in "iu" and X.dtype != np.uint8:
            if are_images:
                raise ValueError(
                    f"X: images of {X.dtype}; expected uint8, which is divided by 255, or floats, which are taken as "
                    "they are. Convert X.astype('uint8') where values go up to 255, or divide by the greatest one."
                )
            X = X.astype(np.float64)
        elif X.dtype == np.uint8 and not are_images:
            X = X.astype(np.float64)
        elif X.dtype.kind == "b" or X.dtype == np.float16:
            X = X.astype(np.float32)
        elif X.dtype.kind == "f" and X.dtype not in (np.float32, np.float64):
            X = X.astype(np.float64)
        self._check_range(X, reset)
        return X

    def _check_range(self, X: np.ndarray, reset: bool) -> None:
        """Remember what range numbers are in, and refuse those that cannot be in the range of those before."""
        in_bytes = X.dtype == np.uint8
        in_units = in_bytes or max(X.max(initial=0), -X.min(initial=0)) <= LARGEST_UNIT
        if reset:
            self._in_bytes, self._in_units = in_bytes, in_units
        elif in_bytes and not self._in_units:
            raise ValueError(
                f"X: images of uint8 are divided by 255, but {type(self).__name__} was fitted on floats beyond 1; give "
                "it floats on their scale."
            )
        elif self._in_bytes and not in_units:
            raise ValueError(
                f"X: floats beyond 1, but {type(self).__name__} was fitted on images of uint8, which it divides by "
                "255; give it uint8 again, or floats that are divided."
            )

    @staticmethod
    def _laid_out(X: np.ndarray) -> np.ndarray:
        return channels_first(channels_last(X))


def _three(sizes: Any) -> tuple[int, int, int]:
    channels, height, width = sizes
    return channels, height, width


def _n_axes(X: Any) -> int:
    """Return the number of axes of what may be an array; what it is not is found out by scikit-learn's checks."""
    n_axes = getattr(X, "ndim", None)
    if n_axes is not None:
        return n_axes
    n_axes = 0
    while isinstance(X, (list, tuple)) and len(X):
        n_axes, X = n_axes + 1, X[0]
    return n_axes + getattr(X, "ndim", 0)
