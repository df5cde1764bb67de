"""A module that has been trained, as scorers see it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from fastml._core import release_memory
from fastml.nn._recording import no_grad
from fastml.nn.batches import Batches, as_samples
from fastml.nn.tensor import Tensor

__all__ = ["EVALUATION_BATCH", "Predictor", "batch_form", "evaluation_batch", "outputs", "type_of"]

EVALUATION_BATCH = 1024
"""Samples in a batch without gradients: enough that Python's share is small, few enough to stay in the caches."""

EVALUATION_IMAGES = 64
"""The same of images, each of which becomes many numbers in each layer."""


def type_of(module: Any) -> np.dtype:
    """Return the type that a module computes in: that of its parameters."""
    return next((p.data.dtype for p in module.parameters()), np.dtype(np.float32))


def evaluation_batch(X: Any) -> int:
    """Return how many samples make a batch without gradients."""
    return EVALUATION_BATCH if X.ndim <= 2 else EVALUATION_IMAGES


def batch_form(X: np.ndarray, dtype: np.dtype, scale: float | None = None) -> dict[str, Any]:
    """Return what becomes of X in batches, as arguments of them.

    Floats get the type of the module; so does what is to be scaled. Other integers stay as they are.
    """
    return {"dtype": dtype if X.dtype.kind == "f" or scale is not None else None, "factor": scale}


def outputs(module: Any, X: Any, scale: float | None = None) -> np.ndarray:
    """Return what a module makes of samples, in evaluation mode and without gradients.

    Parameters
    ----------
    module : Module
    X : array-like of shape (n_samples, ...), or sparse array
    scale : float, optional
        What X is multiplied by as batches of it become floats.

    Returns
    -------
    outputs : ndarray of shape (n_samples, ...)
    """
    X = as_samples(X)
    training = [inside for inside in module.modules() if inside.training]
    if training:
        module.eval()
    try:
        with no_grad():
            form = batch_form(X, type_of(module), scale)
            batches = Batches(X, None, evaluation_batch(X), shuffle=False, **form)
            if not X.shape[0]:
                raise ValueError("X: expected samples, got none.")
            parts = [module(Tensor(part)).data for part, _ in batches]
            return parts[0] if len(parts) == 1 else np.concatenate(parts)
    finally:
        for inside in training:  # frozen layers are not among them
            inside.training = True
        release_memory()


class Predictor:
    """A module with the methods of an estimator, in evaluation mode and without gradients.

    Parameters
    ----------
    module : Module
    y : ndarray
        The targets it is trained on: integers make it a classifier.
    scale : float, optional
        What samples are multiplied by.

    Attributes
    ----------
    module : Module
    classes_ : ndarray
        Of classifiers: 0, 1, ...
    """

    def __init__(self, module: Any, y: Any, scale: float | None = None) -> None:
        self.module, self.scale = module, scale
        if y.dtype.kind in "iub":
            self._estimator_type = "classifier"
            self.classes_ = np.arange(int(y.max()) + 1)
        else:
            self._estimator_type = "regressor"

    def __sklearn_tags__(self) -> SimpleNamespace:
        """Return what scikit-learn's scorers ask for: whether it classifies."""
        return SimpleNamespace(estimator_type=self._estimator_type)

    def outputs(self, X: Any) -> np.ndarray:
        """Return what the module makes of samples."""
        return outputs(self.module, X, self.scale)

    def predict(self, X: Any) -> np.ndarray:
        """Return classes, or values."""
        values = self.outputs(X)
        if self._estimator_type == "classifier":
            return (values.ravel() > 0).astype(int) if values[0].size == 1 else values.argmax(axis=1)
        return values.ravel() if values[0].size == 1 else values

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities of classes, of outputs that are scores: logits of two classes, or one for each."""
        values = self.outputs(X).astype(np.float64)
        if values[0].size == 1:
            values = np.stack([np.zeros(len(values)), values.ravel()], axis=1)
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
