"""ConvAutoencoder."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from fastml.neural_network._autoencoder_module import NOISES
from fastml.neural_network._building import ACTIVATIONS
from fastml.neural_network._conv_autoencoder_module import ConvAutoencoderModule
from fastml.neural_network._dense_module import checked_widths
from fastml.neural_network._images import IMAGES_CONSTRAINTS, IMAGES_DOC, ImageInput
from fastml.neural_network._reconstruction import LOSSES, RECONSTRUCTION_DOC, Reconstruction
from fastml.neural_network._trained_network import float_type, scale_of
from fastml.neural_network._training_parameters import ATTRIBUTES_DOC, TRAINING_CONSTRAINTS

MOST_COMPONENTS = 64


class ConvAutoencoder(ImageInput, Reconstruction):
    __doc__ = f"""A convolutional network that learns to restore images from a code of fewer numbers.

    Each convolution of the encoder halves the images; a dense layer makes the code of what is left. The decoder leads
    back through the same sizes, by transposed convolutions.

    X of all methods are images, as :class:`ConvNetClassifier` takes them: an array of shape (n_samples, height, width),
    (n_samples, channels, height, width), or of rows (``image_shape``); of floats, or of bytes, divided by 255.

    Parameters
    ----------
    n_components : int, default=None
        Numbers in a code; by default half as many as there are in an image, at most {MOST_COMPONENTS}.

    filters : array-like of int, default=(16, 32)
        Channels of the encoder's convolutions; the decoder has them in reverse order.

    activation : str, default="relu"
        Of inner layers, as :class:`Autoencoder` has it.

    code_activation : str, default="identity"
        Of the code.

    output_activation : str, default="identity"
        Of the output. "sigmoid" keeps it in (0, 1).

    noise : {{"gaussian", "masking"}}, default=None
        What disturbs the input in training, which the network learns to undo (a denoising autoencoder): normal numbers
        are added, or values are set to 0.

    noise_level : float, default=0.1
        The standard deviation of Gaussian noise; the share of values that are masked.

    criterion : {{"absolute_error", "binary_cross_entropy", "huber", "squared_error"}}, class, Module or function, \
default="squared_error"
        The loss, of outputs and images. "binary_cross_entropy" is for values in [0, 1]: the output is then a logit, and
        the sigmoid of it what images are restored to.

    {IMAGES_DOC}

    {RECONSTRUCTION_DOC.replace("max_epochs : int, default=100", "max_epochs : int, default=20")}

    Attributes
    ----------
    n_components_ : int
        Numbers in a code.

    image_shape_ : tuple of int
        Channels, height and width.

    {ATTRIBUTES_DOC}

    See Also
    --------
    Autoencoder : The same with dense layers.

    Notes
    -----
    ``inverse_transform`` returns images in the form that those of ``fit`` had, and floats: those of bytes from 0 to 1.
    Ctrl-C ends training early, with a warning; the network then has what it learnt by whole steps, and ``history_`` the
    whole epochs. Any error leaves the estimator as it was.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastml.neural_network import ConvAutoencoder
    >>> X = load_digits().images / 16
    >>> model = ConvAutoencoder(n_components=10, max_epochs=5, random_state=0)
    >>> model.fit_transform(X).shape
    (1797, 10)
    >>> restored = model.inverse_transform(model.transform(X))
    >>> restored.shape
    (1797, 8, 8)
    >>> bool(model.reconstruction_error(X).mean() < X.var(axis=0).mean())
    True
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "filters": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "code_activation": [StrOptions(set(ACTIVATIONS))],
        "output_activation": [StrOptions(set(ACTIVATIONS))],
        "noise": [StrOptions(set(NOISES)), None],
        "noise_level": [Interval(Real, 0, None, closed="left")],
        "criterion": [StrOptions(set(LOSSES)), callable],
        **{name: values for name, values in TRAINING_CONSTRAINTS.items() if name != "scoring"},
        **IMAGES_CONSTRAINTS,
    }

    def __init__(
        self,
        n_components=None,
        *,
        filters=(16, 32),
        activation="relu",
        code_activation="identity",
        output_activation="identity",
        noise=None,
        noise_level=0.1,
        criterion="squared_error",
        image_shape=None,
        channels="first",
        optimizer="adam",
        batch_size=64,
        max_epochs=20,
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
        self.filters = filters
        self.activation = activation
        self.code_activation = code_activation
        self.output_activation = output_activation
        self.noise = noise
        self.noise_level = noise_level
        self.criterion = criterion
        self.image_shape = image_shape
        self.channels = channels
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

    def _samples(self, X: Any, reset: bool) -> np.ndarray:
        X = self._validated_images(X, reset)
        scale = scale_of(X)
        # They are targets, too, which batches do not scale.
        return X if scale is None else np.multiply(X, np.float32(scale), dtype=float_type(X))

    def _as_given(self, restored: np.ndarray) -> np.ndarray:
        if self.channels == "last":
            restored = restored.transpose(0, 2, 3, 1)
        if self._n_axes == 4:
            return restored
        _, height, width = self.image_shape_
        shape = (height, width) if self._n_axes == 3 else (self.n_features_in_,)
        return restored.reshape(-1, *shape)

    def _default_components(self) -> int:
        return min(super()._default_components(), MOST_COMPONENTS)

    def _new_module(self, X: np.ndarray) -> ConvAutoencoderModule:
        filters = checked_widths(self.filters)
        if not filters:
            raise ValueError("filters: expected a number of channels at least; Autoencoder is without convolutions.")
        if self.noise == "masking" and self.noise_level > 1:
            raise ValueError(f"noise_level: expected a share of values to mask, got {self.noise_level}.")
        return ConvAutoencoderModule(
            self.image_shape_,
            filters,
            self.n_components_,
            self.activation,
            self.code_activation,
            "identity" if self._takes_sigmoid() else self.output_activation,
            self.noise,
            float(self.noise_level),
            X.dtype,
        )
