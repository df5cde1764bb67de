"""Digits of 8 x 8 pixels: what tests of convolutional estimators share."""

import numpy as np
from sklearn.datasets import load_digits

_digits = load_digits()
IMAGES = (_digits.images / 16).astype(np.float32)
BYTES = np.round(_digits.images * (255 / 16)).astype(np.uint8)
DIGITS = _digits.target
TRAIN, TEST = slice(0, 1200), slice(1200, None)
FEW = slice(0, 100)
QUICK = {"max_epochs": 2, "random_state": 0}
SMALL = [8, "pool", 8]


def colours(X):
    """Return images of three channels that differ."""
    return np.stack([X, X[:, ::-1], X[:, :, ::-1]], axis=1)
