"""Autoencoder."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from fastml import nn
from fastml._support import validation
from fastml._support.dispatch import accelerated
from fastml.neural_network._autoencoder_module import NOISES, AutoencoderModule
from fastml.neural_network._building import ACTIVATIONS, new_loss
from fastml.neural_network._dense_module import checked_widths
from fastml.neural_network._trained_network import Samples, TrainedNetwork
from fastml.neural_network._training_parameters import ATTRIBUTES_DOC, PARTS, TRAINING_CONSTRAINTS, TRAINING_DOC
from fastml.nn.predictor import outputs

LOSSES: dict[str, Callable[..., Any]] = {
    "absolute_error": nn.L1Loss,
    "binary_cross_entropy": nn.BCEWithLogitsLoss,
    "huber": nn.HuberLoss,
    "squared_error": nn.MSELoss,
}
_SCORING_DOC = TRAINING_DOC[TRAINING_DOC.index("scoring :") : TRAINING_DOC.index("accumulate :")]


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, TrainedNetwork):
    __doc__ = f"""A network that learns to restore its input from a code of fewer numbers.

    The encoder leads through ``hidden_layer_sizes`` to ``n_components`` numbers, the decoder back through the same
    widths. Without hidden layers and with the activations "identity" it finds the subspace of PCA, in other
    coordinates.

    Parameters
    ----------
    n_components : int, default=None
        Numbers in a code; by default half as many as there are features.

    hidden_layer_sizes : array-like of int, default=()
        Widths of the encoder's hidden layers; the decoder has them in reverse order.

    activation : str, default="relu"
        Of the hidden layers: "elu", "gelu", "identity", "leaky_relu", "logistic", "relu", "sigmoid", "silu",
        "softplus" or "tanh".

    code_activation : str, default="identity"
        Of the code.

    output_activation : str, default="identity"
        Of the output. "sigmoid" keeps it in (0, 1).

    tied : bool, default=False
        Whether the weights of the decoder are those of the encoder, transposed.

    noise : {{"gaussian", "masking"}}, default=None
        What disturbs the input in training, which the network learns to undo (a denoising autoencoder): normal numbers
        are added, or values are set to 0.

    noise_level : float, default=0.1
        The standard deviation of Gaussian noise; the share of values that are masked.

    criterion : {{"absolute_error", "binary_cross_entropy", "huber", "squared_error"}}, class, Module or function, \
default="squared_error"
        The loss, of outputs and samples. "binary_cross_entropy" is for values in [0, 1]: the output is then a logit,
        and the sigmoid of it what samples are restored to.

    {TRAINING_DOC.replace(_SCORING_DOC, "")}

    Attributes
    ----------
    n_components_ : int
        Numbers in a code.

    {ATTRIBUTES_DOC}

    See Also
    --------
    sklearn.decomposition.PCA : The best linear code.

    Notes
    -----
    Ctrl-C ends training early, with a warning; the module then has what it learnt by whole steps, and ``history_`` the
    whole epochs. Any error leaves the estimator as it was. X is dense: sparse samples are refused.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastml.neural_network import Autoencoder
    >>> X = load_digits().data / 16
    >>> model = Autoencoder(n_components=10, hidden_layer_sizes=(32,), max_epochs=20, random_state=0)
    >>> model.fit_transform(X).shape
    (1797, 10)
    >>> restored = model.inverse_transform(model.transform(X))
    >>> bool(model.reconstruction_error(X).mean() < X.var(axis=0).mean())
    True
    """

    _parts = ("criterion", *PARTS)
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "code_activation": [StrOptions(set(ACTIVATIONS))],
        "output_activation": [StrOptions(set(ACTIVATIONS))],
        "tied": ["boolean"],
        "noise": [StrOptions(set(NOISES)), None],
        "noise_level": [Interval(Real, 0, None, closed="left")],
        "criterion": [StrOptions(set(LOSSES)), callable],
        **{name: values for name, values in TRAINING_CONSTRAINTS.items() if name != "scoring"},
    }
    scoring = None

    def __init__(
        self,
        n_components=None,
        *,
        hidden_layer_sizes=(),
        activation="relu",
        code_activation="identity",
        output_activation="identity",
        tied=False,
        noise=None,
        noise_level=0.1,
        criterion="squared_error",
        optimizer="adam",
        batch_size=64,
        max_epochs=100,
        schedule=None,
        callbacks=None,
        early_stopping=False,
        validation_fraction=None,
        accumulate=1,
        gradient_clip_norm=None,
        gradient_clip_value=None,
        shuffle=True,
        drop_last=False,
        checkpoint=None,
        resume=False,
        warm_start=False,
        random_state=None,
        verbose=False,
        **nested,
    ):
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.code_activation = code_activation
        self.output_activation = output_activation
        self.tied = tied
        self.noise = noise
        self.noise_level = noise_level
        self.criterion = criterion
        self.optimizer = optimizer
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.schedule = schedule
        self.callbacks = callbacks
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.accumulate = accumulate
        self.gradient_clip_norm = gradient_clip_norm
        self.gradient_clip_value = gradient_clip_value
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.checkpoint = checkpoint
        self.resume = resume
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self._take_nested(nested)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

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
        self : Autoencoder
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
        self : Autoencoder
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
        X = validation.validate(self, X, reset=False, sparse=False)
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
        return self._restored(codes).astype(codes.dtype, copy=False)

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
        X = validation.validate(self, X, reset=False, sparse=False)
        difference = self._restored(outputs(self.module_.encoder, X)) - X
        return np.mean(np.square(difference, out=difference), axis=1)

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

    def _fit(self, X: Any, incremental: bool) -> "Autoencoder":
        goes_on = hasattr(self, "module_") and (incremental or self.warm_start)
        X = validation.validate(self, X, reset=not goes_on, sparse=False)
        if not goes_on:
            self.n_components_ = max(X.shape[1] // 2, 1) if self.n_components is None else int(self.n_components)

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

    def _new_module(self, X: np.ndarray) -> AutoencoderModule:
        hidden = checked_widths(self.hidden_layer_sizes)
        if self.noise == "masking" and self.noise_level > 1:
            raise ValueError(f"noise_level: expected a share of values to mask, got {self.noise_level}.")
        takes_sigmoid = self.criterion in ("binary_cross_entropy", nn.BCEWithLogitsLoss)
        takes_sigmoid = takes_sigmoid or isinstance(self.criterion, nn.BCEWithLogitsLoss)
        return AutoencoderModule(
            [X.shape[1], *hidden, self.n_components_],
            self.activation,
            self.code_activation,
            "identity" if takes_sigmoid else self.output_activation,
            self.tied,
            self.noise,
            float(self.noise_level),
            X.dtype,
        )
