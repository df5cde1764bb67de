"""What autoencoders share: they learn to restore samples from codes, whatever the network between is."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from fastml import nn
from fastml._support import validation
from fastml._support.dispatch import accelerated
from fastml.neural_network._building import new_loss
from fastml.neural_network._trained_network import Samples, TrainedNetwork
from fastml.neural_network._training_parameters import PARTS, TRAINING_DOC
from fastml.nn.predictor import outputs

LOSSES: dict[str, Callable[..., Any]] = {
    "absolute_error": nn.L1Loss,
    "binary_cross_entropy": nn.BCEWithLogitsLoss,
    "huber": nn.HuberLoss,
    "squared_error": nn.MSELoss,
}
_SCORING_DOC = TRAINING_DOC[TRAINING_DOC.index("scoring :") : TRAINING_DOC.index("accumulate :")]
RECONSTRUCTION_DOC = TRAINING_DOC.replace(_SCORING_DOC, "")


class Reconstruction(ClassNamePrefixFeaturesOutMixin, TransformerMixin, TrainedNetwork):
    """An estimator over a module with an ``encoder`` and a ``decoder``."""

    _parts = ("criterion", *PARTS)
    scoring = None

    n_components: Any
    n_components_: int
    criterion: Any
    output_activation: str
    _logits: bool

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _samples(self, X: Any, reset: bool) -> np.ndarray:
        """Return samples as the module gets them."""
        return validation.validate(self, X, reset=reset, sparse=False)

    def _as_given(self, restored: np.ndarray) -> np.ndarray:
        """Return what the module restores in the form of samples."""
        return restored

    def _default_components(self) -> int:
        return max(self.n_features_in_ // 2, 1)

    def _new_module(self, X: np.ndarray) -> nn.Module:
        raise NotImplementedError

    def _takes_sigmoid(self) -> bool:
        """Tell whether the loss takes the sigmoid of outputs itself."""
        takes_sigmoid = self.criterion in ("binary_cross_entropy", nn.BCEWithLogitsLoss)
        return takes_sigmoid or isinstance(self.criterion, nn.BCEWithLogitsLoss)

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples; float32 stays, anything else becomes float64.

        y : None
            Not used.

        Returns
        -------
        self : estimator
        """
        return self._fit(X, incremental=False)

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train for one epoch on these samples; the optimizer and the schedule go on from the call before.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        y : None
            Not used.

        Returns
        -------
        self : estimator
        """
        return self._fit(X, incremental=True)

    @accelerated()
    def transform(self, X):
        """Return the codes of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components_)
        """
        check_is_fitted(self)
        X = self._samples(X, reset=False)
        return outputs(self.module_.encoder, X).astype(X.dtype, copy=False)

    @accelerated()
    def inverse_transform(self, X):
        """Return the samples that codes are restored to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components_)
            Codes.

        Returns
        -------
        restored : ndarray of shape (n_samples, n_features_in_)
        """
        check_is_fitted(self)
        codes = check_array(X, dtype=(np.float64, np.float32), order="C")
        if codes.shape[1] != self.n_components_:
            raise ValueError(f"X: expected codes of {self.n_components_} numbers, got {codes.shape[1]}.")
        return self._as_given(self._restored(codes).astype(codes.dtype, copy=False))

    @accelerated()
    def reconstruction_error(self, X):
        """Return how far samples are from what they are restored to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        errors : ndarray of shape (n_samples,)
            The mean of the squared differences of each sample, whatever the loss.
        """
        check_is_fitted(self)
        X = self._samples(X, reset=False)
        difference = self._restored(outputs(self.module_.encoder, X)) - X
        return np.mean(np.square(difference, out=difference), axis=tuple(range(1, X.ndim)))

    def score(self, X, y=None):
        """Return the mean of the reconstruction errors, below zero: greater is better, for searches.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        y : None
            Not used.

        Returns
        -------
        score : float
        """
        return -float(np.mean(self.reconstruction_error(X)))

    def _restored(self, codes: np.ndarray) -> np.ndarray:
        values = outputs(self.module_.decoder, codes)
        return expit(values) if self._logits else values

    def _fit(self, X: Any, incremental: bool) -> "Reconstruction":
        goes_on = hasattr(self, "module_") and (incremental or self.warm_start)
        X = self._samples(X, reset=not goes_on)
        if not goes_on:
            self.n_components_ = self._default_components() if self.n_components is None else int(self.n_components)

        def loss_for(module: nn.Module) -> tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]:
            criterion = LOSSES[self.criterion] if isinstance(self.criterion, str) else self.criterion
            loss = new_loss(criterion, self._nested("criterion"), of_samples=False)
            self._logits = isinstance(loss, nn.BCEWithLogitsLoss)
            if self._logits and (X.min() < 0 or X.max() > 1):
                raise ValueError("X: binary cross entropy is for values in [0, 1]; scale them, or take squared_error.")
            if self._logits and self.output_activation not in ("identity", "sigmoid", "logistic"):
                raise ValueError(
                    f"output_activation: binary cross entropy takes the sigmoid itself, got {self.output_activation!r}."
                )
            return loss, lambda samples: samples

        self._train(Samples(X, X, X, None), lambda: self._new_module(X), loss_for, incremental)
        return self
