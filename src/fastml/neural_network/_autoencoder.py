"""Autoencoder."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from fastml.neural_network._autoencoder_module import NOISES, AutoencoderModule
from fastml.neural_network._building import ACTIVATIONS
from fastml.neural_network._dense_module import checked_widths
from fastml.neural_network._reconstruction import LOSSES, RECONSTRUCTION_DOC, Reconstruction
from fastml.neural_network._training_parameters import ATTRIBUTES_DOC, TRAINING_CONSTRAINTS


class Autoencoder(Reconstruction):
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

    {RECONSTRUCTION_DOC}

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

    def _new_module(self, X: np.ndarray) -> AutoencoderModule:
        hidden = checked_widths(self.hidden_layer_sizes)
        if self.noise == "masking" and self.noise_level > 1:
            raise ValueError(f"noise_level: expected a share of values to mask, got {self.noise_level}.")
        return AutoencoderModule(
            [X.shape[1], *hidden, self.n_components_],
            self.activation,
            self.code_activation,
            "identity" if self._takes_sigmoid() else self.output_activation,
            self.tied,
            self.noise,
            float(self.noise_level),
            X.dtype,
        )
