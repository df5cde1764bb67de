"""NeuralNetClassifier."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import issparse
from scipy.special import expit, log_expit, softmax
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import check_is_fitted

from fastml import nn
from fastml._support.dispatch import accelerated
from fastml.neural_network._building import CLASS_LOSSES
from fastml.neural_network._neural_net import MODULE_DOC, NeuralNet
from fastml.neural_network._trained_network import Samples, float_type
from fastml.neural_network._training_parameters import ATTRIBUTES_DOC, TRAINING_CONSTRAINTS, TRAINING_DOC


def _has_probabilities(estimator: Any) -> bool:
    if estimator._is_criterion(nn.HingeLoss):
        raise AttributeError("the scores of a hinge loss are no logarithms of probabilities")
    return True


CLASSIFIER_CONSTRAINTS: dict = {
    "module": [callable, None],
    "criterion": [StrOptions(set(CLASS_LOSSES)), callable, None],
    "class_weight": [dict, list, StrOptions({"balanced"}), None],
    **TRAINING_CONSTRAINTS,
}


class NeuralNetClassifier(ClassifierMixin, NeuralNet):
    __doc__ = f"""Classification by any module of ``fastml.nn``.

    The module gives logits: a number for each class, or a single one for two classes. Labels may be of any type;
    with several labels a sample (an indicator matrix) there is a number for each label.

    Parameters
    ----------
    {MODULE_DOC}

    criterion : {{"bce_with_logits", "cross_entropy", "hinge"}}, class, Module or function, default=None
        The loss. By default cross entropy, of the softmax where there is an output for each class, of the sigmoid where
        there is one output or several labels a sample. ``criterion__label_smoothing`` and so on are its arguments. A
        function is called with outputs and targets. Targets are numbers of classes; BCE gets flags, and so does any
        loss of a single output; hinge gets -1 and 1.

    class_weight : dict, list of dict or "balanced", default=None
        Weights of classes, as scikit-learn's classifiers have them: samples get those of their classes.

    {TRAINING_DOC}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels; with several a sample, their numbers.

    n_outputs_ : int
        Outputs of the module.

    {ATTRIBUTES_DOC}

    See Also
    --------
    MLPClassifier : scikit-learn's multilayer perceptron.
    NeuralNetRegressor : The same for values.

    Notes
    -----
    Ctrl-C ends training early, with a warning; the module then has what it learnt by whole steps, and ``history_`` the
    whole epochs. Any error leaves the estimator as it was. Sparse samples become dense batch by batch.

    An epoch of a plain perceptron, as the module by default is, is one native call where nothing needs Python between
    batches: with "adam" and "sgd" without weight decay, no clipping, accumulation, weights, or callbacks for batches.
    Other modules run batch by batch.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from fastml.neural_network import NeuralNetClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = NeuralNetClassifier(max_epochs=50, module__dropout=0.1, random_state=0)
    >>> search = GridSearchCV(net, {{"optimizer__lr": [0.001, 0.01]}}, cv=3).fit(X, y)
    >>> bool(search.best_score_ > 0.9)
    True
    """

    _parameter_constraints: dict = CLASSIFIER_CONSTRAINTS

    classes_: np.ndarray
    n_outputs_: int
    _multilabel: bool
    _form: str

    def __init__(
        self,
        module=None,
        *,
        criterion=None,
        class_weight=None,
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
        self.class_weight = class_weight
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Train the module.

        Parameters
        ----------
        X : {array-like, sparse array} of shape (n_samples, n_features)
            Samples; float32 stays, anything else becomes float64. Subclasses for images say what they take.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels, or an indicator matrix of several a sample.

        sample_weight : array-like of shape (n_samples,), default=None
            What samples count in the loss.

        Returns
        -------
        self : NeuralNetClassifier
        """
        return self._fit(X, y, sample_weight, incremental=False)

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on these samples; the optimizer and the schedule go on from the call before.

        Parameters
        ----------
        X : {array-like, sparse array} of shape (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.

        classes : array-like of shape (n_classes,), default=None
            All labels that are to come; needed in the first call only.

        sample_weight : array-like of shape (n_samples,), default=None
            What samples count in the loss: it is multiplied by them as they are, while ``fit`` looks at shares.

        Returns
        -------
        self : NeuralNetClassifier
        """
        _check_partial_fit_first_call(self, classes)
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit: the shares of the classes are not known "
                "before all samples are. Give the weights as a dict; compute_class_weight('balanced', ...) of all of "
                "them has these."
            )
        return self._fit(X, y, sample_weight, incremental=True)

    @accelerated()
    def predict(self, X):
        """Return the most probable labels.

        Parameters
        ----------
        X : {array-like, sparse array} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels, or an indicator matrix.
        """
        check_is_fitted(self)
        logits = self._outputs(X)
        if self._multilabel:
            return (logits > 0).astype(int)
        if self._is_single():
            return self.classes_[(logits.ravel() > 0).astype(int)]
        return self.classes_[logits.argmax(axis=1)]

    @available_if(_has_probabilities)
    @accelerated()
    def predict_proba(self, X):
        """Return the probabilities of labels.

        Parameters
        ----------
        X : {array-like, sparse array} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        logits = self._outputs(X)
        if self._multilabel:
            return expit(logits)
        if self._is_single():
            positive = expit(logits.reshape(-1, 1))
            return np.concatenate([1 - positive, positive], axis=1)
        logits = logits.reshape(len(logits), -1)
        if self._form == "flags":
            # A class against all others each: as scikit-learn does, their probabilities are made to sum to 1. Of
            # logarithms, since all of them may be 0 in the type.
            return softmax(log_expit(logits), axis=1)
        return softmax(logits, axis=1)

    @available_if(_has_probabilities)
    @accelerated()
    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities of labels.

        Parameters
        ----------
        X : {array-like, sparse array} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
        """
        return np.log(self.predict_proba(X))

    @accelerated()
    def decision_function(self, X):
        """Return the logits: what the module gives.

        Parameters
        ----------
        X : {array-like, sparse array} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        logits : ndarray of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_labels)
            For two classes how much greater that of the second one is.
        """
        check_is_fitted(self)
        logits = self._outputs(X)
        if self._multilabel or len(self.classes_) > 2:
            return logits
        return logits.ravel() if self.n_outputs_ == 1 else logits[:, 1] - logits[:, 0]

    def _fit(self, X: Any, y: Any, sample_weight: Any, incremental: bool) -> "NeuralNetClassifier":
        goes_on = hasattr(self, "module_") and (incremental or self.warm_start)
        X, y = self._validated(X, y, reset=not goes_on)
        dtype = float_type(X)
        weight = self._checked_weight(sample_weight, X)
        y = y.toarray() if issparse(y) else y
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if self.class_weight is not None:
            of_classes = compute_sample_weight(self.class_weight, y).astype(dtype)
            if not np.all((of_classes >= 0) & np.isfinite(of_classes)):
                raise ValueError(f"class_weight: expected finite numbers from 0 on, got {self.class_weight}.")
            weight = of_classes if weight is None else weight * of_classes
        targets = self._numbered(y, keep=goes_on or incremental)
        n_classes = len(self.classes_)

        def loss_for(module: nn.Module) -> tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]:
            self.n_outputs_ = self._width(module, X)
            if self.n_outputs_ != n_classes and (self._multilabel or n_classes > 2 or self.n_outputs_ != 1):
                raise ValueError(
                    f"module: {type(module).__name__} gives {self.n_outputs_} output(s) for a sample; expected one for "
                    f"each of the {n_classes} {'labels' if self._multilabel else 'classes'}"
                    f"{', or a single one' if n_classes == 2 and not self._multilabel else ''}."
                )
            loss = self._new_loss(self._criterion_for(self._multilabel or self._is_single()), weight)
            self._form = self._form_for(loss)
            # What augmentation mixes are probabilities of classes.
            form = "flags" if self._form == "classes" and self._mixes_targets() else self._form
            return loss, lambda codes: _encoded(codes, form, self._multilabel, self.n_outputs_, dtype)

        one_output = n_classes == 2 and not self._multilabel
        one_output = one_output and (self._is_criterion(nn.BCEWithLogitsLoss) or self._is_criterion(nn.HingeLoss))
        self._train(
            Samples(X, y, targets, weight),
            lambda: self._new_module(X, 1 if one_output else n_classes),
            loss_for,
            incremental,
            stratify=None if self._multilabel else targets,
        )
        return self

    def _numbered(self, y: np.ndarray, keep: bool) -> np.ndarray:
        """Return the numbers of labels, or indicators as they are, and set ``classes_`` where it is not to be kept."""
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError("y: several labels a sample have to be an indicator matrix, of zeros and ones.")
        multilabel = kind == "multilabel-indicator"
        if keep:
            if multilabel != getattr(self, "_multilabel", multilabel) or (
                multilabel and y.shape[1] != len(self.classes_)
            ):
                raise ValueError(f"y: expected labels as in the fit before, of the classes {self.classes_}.")
        else:
            self.classes_ = np.arange(y.shape[1]) if multilabel else unique_labels(y)
        self._multilabel = multilabel
        if multilabel:
            return y
        codes = np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1)
        unknown = self.classes_[codes] != y
        if np.any(unknown):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}; 'y' has "
                f"{np.unique(y[unknown])}, too."
            )
        return codes

    def _is_single(self) -> bool:
        """Tell whether two classes share one output."""
        return self.n_outputs_ == 1 and len(self.classes_) == 2 and not self._multilabel

    def _criterion_for(self, flags: bool) -> Any:
        if self.criterion is None:
            return nn.BCEWithLogitsLoss if flags else nn.CrossEntropyLoss
        return CLASS_LOSSES[self.criterion] if isinstance(self.criterion, str) else self.criterion

    def _is_criterion(self, loss: type) -> bool:
        criterion = CLASS_LOSSES.get(self.criterion, self.criterion)
        return isinstance(criterion, loss) or (isinstance(criterion, type) and issubclass(criterion, loss))

    def _form_for(self, loss: Any) -> str:
        """Return what targets a loss takes: numbers of classes, flags, or signs."""
        if isinstance(loss, nn.CrossEntropyLoss):
            if self._multilabel or self._is_single():
                what = "several labels a sample" if self._multilabel else "a module of one output"
                raise ValueError(f"criterion: cross_entropy is not for {what}; bce_with_logits is.")
            return "classes"
        if isinstance(loss, nn.HingeLoss):
            return "signs"
        flags = isinstance(loss, nn.BCEWithLogitsLoss) or self._multilabel or self._is_single()
        return "flags" if flags else "classes"


def _encoded(codes: np.ndarray, form: str, multilabel: bool, n_columns: int, dtype: Any) -> np.ndarray:
    if form == "classes":
        return codes
    if multilabel or n_columns == 1:
        flags = codes.astype(dtype)
    else:
        flags = np.zeros((len(codes), n_columns), dtype=dtype)
        flags[np.arange(len(codes)), codes] = 1
    return flags if form == "flags" else 2 * flags - 1
