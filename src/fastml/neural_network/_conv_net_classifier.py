"""ConvNetClassifier."""

from fastml.neural_network._conv_net import (
    CONV_ATTRIBUTES_DOC,
    CONV_CONSTRAINTS,
    CONV_DEFAULTS_DOC,
    CONV_MODULE_DOC,
    CONV_TRAINING_DOC,
    IMAGES_DOC,
    ConvNet,
)
from fastml.neural_network._neural_net_classifier import CLASSIFIER_CONSTRAINTS, NeuralNetClassifier
from fastml.neural_network._training_parameters import ATTRIBUTES_DOC


class ConvNetClassifier(ConvNet, NeuralNetClassifier):
    __doc__ = f"""Classification of images by a convolutional network.

    Labels may be of any type; with several labels a sample (an indicator matrix) there is an output for each label.

    X of all methods are images: an array of shape (n_samples, height, width), (n_samples, channels, height, width), or
    of rows (``image_shape``). Those of bytes (uint8) are divided by 255; floats are taken as they are; images of other
    integers are refused, since nothing says what to divide them by, and so are images on another scale than those of
    ``fit``.

    Parameters
    ----------
    {CONV_MODULE_DOC}

    criterion : {{"bce_with_logits", "cross_entropy", "hinge"}}, class, Module or function, default=None
        The loss, as :class:`NeuralNetClassifier` has it: by default cross entropy.

    class_weight : dict, list of dict or "balanced", default=None
        Weights of classes, as scikit-learn's classifiers have them: samples get those of their classes.

    {CONV_DEFAULTS_DOC}

    {CONV_TRAINING_DOC}

    {IMAGES_DOC}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels; with several a sample, their numbers.

    n_outputs_ : int
        Outputs of the network.

    {CONV_ATTRIBUTES_DOC}

    {ATTRIBUTES_DOC}

    See Also
    --------
    NeuralNetClassifier : The same over any module, of rows.

    Notes
    -----
    Ctrl-C ends training early, with a warning; the network then has what it learnt by whole steps, and ``history_`` the
    whole epochs. Any error leaves the estimator as it was.

    Images are brought into the order that convolutions read, channels last in memory, once; those of one channel, and
    of ``channels="last"``, lie so already. Bytes stay bytes until they are in a batch.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastml.neural_network import ConvNetClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X.reshape(-1, 8, 8) / 16
    >>> net = ConvNetClassifier([16, "pool", 32], max_epochs=3, random_state=0).fit(X[:1000], y[:1000])
    >>> bool(net.score(X[1000:], y[1000:]) > 0.8)
    True
    """

    _parameter_constraints: dict = {**CLASSIFIER_CONSTRAINTS, **CONV_CONSTRAINTS}

    def __init__(
        self,
        module=None,
        *,
        criterion=None,
        class_weight=None,
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
            class_weight=class_weight,
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
