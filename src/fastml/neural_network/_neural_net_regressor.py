"""NeuralNetRegressor."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from fastml import nn
from fastml._support.dispatch import accelerated
from fastml.neural_network._building import VALUE_LOSSES
from fastml.neural_network._neural_net import MODULE_DOC, NeuralNet
from fastml.neural_network._trained_network import Samples, float_type
from fastml.neural_network._training_parameters import ATTRIBUTES_DOC, TRAINING_CONSTRAINTS, TRAINING_DOC

REGRESSOR_CONSTRAINTS: dict = {
    "module": [callable, None],
    "criterion": [StrOptions(set(VALUE_LOSSES)), callable, None],
    **TRAINING_CONSTRAINTS,
}


class NeuralNetRegressor(RegressorMixin, NeuralNet):
    __doc__ = f"""Regression by any module of ``fastml.nn``.

    The module gives a number for each value to predict. Values far from 0 +- 1 are learnt slowly: scale them, by
    scikit-learn's ``TransformedTargetRegressor`` for instance.

    Parameters
    ----------
    {MODULE_DOC}

    criterion : {{"absolute_error", "huber", "poisson", "squared_error"}}, class, Module or function, default=None
        The loss, by default the squared error. ``criterion__delta`` and so on are its arguments. A function is called
        with outputs and values. The outputs for "poisson" are logarithms, and predictions their powers.

    {TRAINING_DOC}

    Attributes
    ----------
    n_outputs_ : int
        Values to predict for a sample.

    {ATTRIBUTES_DOC}

    See Also
    --------
    MLPRegressor : scikit-learn's multilayer perceptron.
    NeuralNetClassifier : The same for classes.

    Notes
    -----
    Ctrl-C ends training early, with a warning; the module then has what it learnt by whole steps, and ``history_`` the
    whole epochs. Any error leaves the estimator as it was. Sparse samples become dense batch by batch.

    An epoch of a plain perceptron, as the module by default is, is one native call where nothing needs Python between
    batches: with "adam" and "sgd" without weight decay, no clipping, accumulation, weights, or callbacks for batches.
    Other modules run batch by batch.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from fastml.neural_network import NeuralNetRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = NeuralNetRegressor(module__hidden_layer_sizes=(32,), max_epochs=30, random_state=0)
    >>> bool(net.fit(scale(X), scale(y)).score(scale(X), scale(y)) > 0.5)
    True
    """

    _parameter_constraints: dict = REGRESSOR_CONSTRAINTS

    n_outputs_: int
    _of_logarithms: bool

    def __init__(
        self,
        module=None,
        *,
        criterion=None,
        optimizer="adam",
        batch_size=64,
        max_epochs=100,
        schedule=None,
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
        self.module = module
        self.criterion = criterion
        self.optimizer = optimizer
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.schedule = schedule
        self.callbacks = callbacks
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
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

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Train the module.

        Parameters
        ----------
        X : {array-like, sparse array} of shape (n_samples, n_features)
            Samples; float32 stays, anything else becomes float64. Subclasses for images say what they take.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.

        sample_weight : array-like of shape (n_samples,), default=None
            What samples count in the loss.

        Returns
        -------
        self : NeuralNetRegressor
        """
        return self._fit(X, y, sample_weight, incremental=False)

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on these samples; the optimizer and the schedule go on from the call before.

        Parameters
        ----------
        X : {array-like, sparse array} of shape (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.

        sample_weight : array-like of shape (n_samples,), default=None
            What samples count in the loss: it is multiplied by them as they are, while ``fit`` looks at shares.

        Returns
        -------
        self : NeuralNetRegressor
        """
        return self._fit(X, y, sample_weight, incremental=True)

    @accelerated()
    def predict(self, X):
        """Return values.

        Parameters
        ----------
        X : {array-like, sparse array} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        check_is_fitted(self)
        values = self._outputs(X)
        values = values.ravel() if self.n_outputs_ == 1 else values
        return np.exp(values) if self._of_logarithms else values

    def _fit(self, X: Any, y: Any, sample_weight: Any, incremental: bool) -> "NeuralNetRegressor":
        goes_on = hasattr(self, "module_") and (incremental or self.warm_start)
        X, y = self._validated(X, y, reset=not goes_on, y_numeric=True)
        weight = self._checked_weight(sample_weight, X)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        n_values = 1 if y.ndim == 1 else y.shape[1]
        if goes_on and n_values != self.n_outputs_:
            raise ValueError(f"y: expected {self.n_outputs_} value(s) a sample as in the fit before, got {n_values}.")
        self.n_outputs_ = n_values

        def loss_for(module: nn.Module) -> tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]:
            given = self._width(module, X)
            if given != n_values:
                raise ValueError(
                    f"module: {type(module).__name__} gives {given} output(s) for a sample; y has {n_values} value(s)."
                )
            loss = self._new_loss(self._criterion(), weight)
            self._of_logarithms = isinstance(loss, nn.PoissonNLLLoss) and loss.log_input
            if isinstance(loss, nn.PoissonNLLLoss) and np.any(y < 0):
                raise ValueError("y: expected counts, none of them negative, for a Poisson loss.")
            return loss, lambda values: values

        targets = np.ascontiguousarray(y, dtype=float_type(X))
        self._train(Samples(X, y, targets, weight), lambda: self._new_module(X, n_values), loss_for, incremental)
        return self

    def _criterion(self) -> Any:
        if self.criterion is None:
            return nn.MSELoss
        return VALUE_LOSSES[self.criterion] if isinstance(self.criterion, str) else self.criterion
