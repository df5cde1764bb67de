"""ConvNetRegressor."""

from fastml.neural_network._conv_net import (
    CONV_ATTRIBUTES_DOC,
    CONV_CONSTRAINTS,
    CONV_DEFAULTS_DOC,
    CONV_MODULE_DOC,
    CONV_TRAINING_DOC,
    IMAGES_DOC,
    ConvNet,
)
from fastml.neural_network._neural_net_regressor import REGRESSOR_CONSTRAINTS, NeuralNetRegressor
from fastml.neural_network._training_parameters import ATTRIBUTES_DOC


class ConvNetRegressor(ConvNet, NeuralNetRegressor):
    __doc__ = f"""Regression on images by a convolutional network.

    The network gives a number for each value to predict. Values far from 0 +- 1 are learnt slowly: scale them, by
    scikit-learn's ``TransformedTargetRegressor`` for instance.

    X of all methods are images: an array of shape (n_samples, height, width), (n_samples, channels, height, width), or
    of rows (``image_shape``). Those of bytes (uint8) are divided by 255; floats are taken as they are; images of other
    integers are refused, since nothing says what to divide them by, and so are images on another scale than those of
    ``fit``.

    Parameters
    ----------
    {CONV_MODULE_DOC}

    criterion : {{"absolute_error", "huber", "poisson", "squared_error"}}, class, Module or function, default=None
        The loss, by default the squared error, as :class:`NeuralNetRegressor` has it.

    {CONV_DEFAULTS_DOC}

    {CONV_TRAINING_DOC}

    {IMAGES_DOC}

    Attributes
    ----------
    n_outputs_ : int
        Values to predict for a sample.

    {CONV_ATTRIBUTES_DOC}

    {ATTRIBUTES_DOC}

    See Also
    --------
    NeuralNetRegressor : The same over any module, of rows.

    Notes
    -----
    Ctrl-C ends training early, with a warning; the network then has what it learnt by whole steps, and ``history_`` the
    whole epochs. Any error leaves the estimator as it was.

    Images are brought into the order that convolutions read, channels last in memory, once; those of one channel, and
    of ``channels="last"``, lie so already. Bytes stay bytes until they are in a batch.

    Examples
    --------
    >>> import numpy as np
    >>> from fastml.neural_network import ConvNetRegressor
    >>> X = np.random.default_rng(0).random((200, 6, 6))
    >>> y = X[:, :3].mean(axis=(1, 2)) - X[:, 3:].mean(axis=(1, 2))
    >>> net = ConvNetRegressor([8], max_epochs=None, random_state=0).fit(X[:150], y[:150])
    >>> bool(net.score(X[150:], y[150:]) > 0.3)
    True
    """

    _parameter_constraints: dict = {**REGRESSOR_CONSTRAINTS, **CONV_CONSTRAINTS}

    def __init__(
        self,
        module=None,
        *,
        criterion=None,
        optimizer="adam",
        batch_size=64,
        max_epochs=None,
        schedule="auto",
        augmentation=None,
        frozen=None,
        pretrained=None,
        image_shape=None,
        channels="first",
        callbacks=None,
        early_stopping=False,
        validation_fraction=None,
        scoring=None,
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
        super().__init__(
            module,
            criterion=criterion,
            optimizer=optimizer,
            batch_size=batch_size,
            max_epochs=max_epochs,
            schedule=schedule,
            callbacks=callbacks,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            scoring=scoring,
            accumulate=accumulate,
            gradient_clip_norm=gradient_clip_norm,
            gradient_clip_value=gradient_clip_value,
            shuffle=shuffle,
            drop_last=drop_last,
            checkpoint=checkpoint,
            resume=resume,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
            **nested,
        )
        self.augmentation = augmentation
        self.frozen = frozen
        self.pretrained = pretrained
        self.image_shape = image_shape
        self.channels = channels
