"""The fit of the classifiers that learn by SGD: scikit-learn's checks and draws, its bookkeeping, our solver."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.linear_model._stochastic_gradient import BaseSGDClassifier
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import validate_data

from fastml._support import validation
from fastml._support.validation import samples_and_targets, targets_are_plain
from fastml.linear_model._predicting import PredictingClasses
from fastml.linear_model._sgd import Cancel
from fastml.linear_model._sgd_solving import (
    SEEDS,
    detach,
    draw_unused,
    run_each,
    solve,
    warn_of_fit,
)

_FEW_CLASSES = 20
"""Up to here scikit-learn has nothing to say about sorted distinct integers that are to be classes."""


class FittingClasses(BaseSGDClassifier):
    """Fit and partial fit of linear classifiers. Comes before scikit-learn's class among the bases."""

    classes_: np.ndarray
    coef_: Any
    intercept_: Any
    _standard_coef: Any
    _standard_intercept: Any
    _average_coef: Any
    _average_intercept: Any
    n_iter_: int
    t_: float

    def _fit(self, X, y, alpha, loss, learning_rate, coef_init=None, intercept_init=None, sample_weight=None):
        self.__dict__.pop("classes_", None)
        if not targets_are_plain(y):
            y = validate_data(self, y=y)
        classes = np.unique(y)
        if self.warm_start and hasattr(self, "coef_"):
            if coef_init is None:
                coef_init = self.coef_
            if intercept_init is None:
                intercept_init = self.intercept_
        else:
            self.coef_ = None
            self.intercept_ = None
        if self.average > 0:
            self._standard_coef = self.coef_
            self._standard_intercept = self.intercept_
            self._average_coef = None
            self._average_intercept = None
        self.t_ = 1.0
        self._learn(
            X, y, alpha, loss, learning_rate, self.max_iter, classes, sample_weight, coef_init, intercept_init, True
        )
        warn_of_fit(self)
        return self

    def _partial_fit(
        self, X, y, alpha, loss, learning_rate, max_iter, classes, sample_weight, coef_init, intercept_init
    ):
        return self._learn(
            X, y, alpha, loss, learning_rate, max_iter, classes, sample_weight, coef_init, intercept_init, False
        )

    def _learn(
        self,
        X: Any,
        y: Any,
        alpha: float,
        loss: str,
        learning_rate: str,
        max_iter: int,
        classes: Any,
        sample_weight: Any,
        coef_init: Any,
        intercept_init: Any,
        classes_are_those_of_y: bool,
    ) -> Any:
        """Go on from where the estimator is, for some epochs."""
        first_call = not hasattr(self, "classes_")
        X, y = samples_and_targets(self, X, y, reset=first_call)
        n_features = X.shape[1]
        if first_call and _are_plain_classes(classes):
            self.classes_ = classes
        else:
            _check_partial_fit_first_call(self, classes)
        n_classes = len(self.classes_)
        if self.class_weight is None and classes_are_those_of_y:
            self._expanded_class_weight = np.ones(n_classes)
        else:
            self._expanded_class_weight = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        weights = validation.sample_weight(sample_weight, X, allow_all_zero_weights=self.early_stopping)
        if weights is None and self.early_stopping:
            weights = np.ones(X.shape[0], dtype=X.dtype)
        if getattr(self, "coef_", None) is None or coef_init is not None:
            self._allocate_parameter_mem(
                n_classes=n_classes,
                n_features=n_features,
                input_dtype=X.dtype,
                coef_init=coef_init,
                intercept_init=intercept_init,
            )
        elif n_features != self.coef_.shape[-1]:
            raise ValueError(f"Number of features {n_features} does not match previous data {self.coef_.shape[-1]}.")
        self._loss_function_ = self._get_loss_function(loss)
        if not hasattr(self, "t_"):
            self.t_ = 1.0
        if n_classes < 2:
            raise ValueError(f"The number of classes has to be greater than one; got {n_classes} class")
        detach(self)
        fit = _Fit(self, X, y, weights, loss, alpha, learning_rate, max_iter)
        if n_classes == 2:
            self._keep_binary(*fit.binary(1, self.random_state, self._expanded_class_weight[[1, 0]]), len(y))
        else:
            self._keep_multiclass(fit.one_versus_rest(), len(y))
        return self

    def _make_validation_score_cb(self, validation_mask, X, y, sample_weight, classes=None):
        # Classes derived from ours may predict or score in a way of their own.
        ours = type(self).score is ClassifierMixin.score and type(self).predict is PredictingClasses.predict
        if not self.early_stopping or not ours:
            return super()._make_validation_score_cb(validation_mask, X, y, sample_weight, classes)
        return _Accuracy(X[validation_mask], y[validation_mask], sample_weight[validation_mask])

    def _keep_binary(self, coef: np.ndarray, intercept: float, n_iter: int, n_samples: int) -> None:
        self.t_ += n_iter * n_samples
        self.n_iter_ = n_iter
        if self.average > 0:
            if self.average <= self.t_ - 1:
                self.coef_ = self._average_coef.reshape(1, -1)
                self.intercept_ = self._average_intercept
            else:
                self.coef_ = self._standard_coef.reshape(1, -1)
                self._standard_intercept = np.atleast_1d(intercept)
                self.intercept_ = self._standard_intercept
        else:
            self.coef_ = coef.reshape(1, -1)
            self.intercept_ = np.atleast_1d(intercept)

    def _keep_multiclass(self, results: list[tuple[np.ndarray, float, int]], n_samples: int) -> None:
        # In scikit-learn's order: some of these attributes are one array under two names.
        for i, (_, intercept, _) in enumerate(results):
            self.intercept_[i] = intercept
        n_iter = max(n_iter for _, _, n_iter in results)
        self.t_ += n_iter * n_samples
        self.n_iter_ = n_iter
        if self.average > 0:
            if self.average <= self.t_ - 1.0:
                self.coef_ = self._average_coef
                self.intercept_ = self._average_intercept
            else:
                self.coef_ = self._standard_coef
                self._standard_intercept = np.atleast_1d(self.intercept_)
                self.intercept_ = self._standard_intercept


class _Accuracy:
    """What early stopping goes by: the score of an estimator with given weights, without making one."""

    def __init__(self, X: Any, y: np.ndarray, sample_weight: np.ndarray) -> None:
        self.X, self.y, self.sample_weight = X, y, sample_weight

    def __call__(self, coef: np.ndarray, intercept: float) -> float:
        # -1 is also what is predicted where the log loss has 0 for a target; scikit-learn counts it as wrong too.
        predicted = np.where(self.X @ coef + np.atleast_1d(intercept) > 0, 1, -1)
        return float(np.average(predicted == self.y, weights=self.sample_weight))


class _Fit:
    """What the binary fits of one call have in common."""

    def __init__(
        self,
        estimator: FittingClasses,
        X: Any,
        y: np.ndarray,
        weights: np.ndarray | None,
        loss: str,
        alpha: float,
        learning_rate: str,
        max_iter: int,
    ) -> None:
        self.estimator, self.X, self.y, self.weights = estimator, X, y, weights
        self.settings: dict[str, Any] = {
            "loss": loss,
            "alpha": alpha,
            "learning_rate": learning_rate,
            "max_iter": max_iter,
        }

    def one_versus_rest(self) -> list[tuple[np.ndarray, float, int]]:
        """Fit each class against all others."""
        estimator = self.estimator
        mask = None
        if self.weights is not None and estimator.early_stopping:
            # Of the classes, not of one against the others: each has its share of the validation set.
            mask = estimator._make_validation_split(self.y, sample_mask=self.weights > 0)
        seeds = check_random_state(estimator.random_state).randint(SEEDS, size=len(estimator.classes_))

        def fit(i: int, seed: int, cancel: Cancel) -> tuple[np.ndarray, float, int]:
            return self.binary(i, seed, (estimator._expanded_class_weight[i], 1.0), mask, cancel)

        return run_each(fit, seeds, self.X, estimator, self.settings["max_iter"])

    def binary(
        self,
        i: int,
        random_state: Any,
        class_weights: Any,
        mask: np.ndarray | None = None,
        cancel: Cancel | None = None,
    ) -> tuple[np.ndarray, float, int]:
        """Fit class i against the rest; return coefficients, intercept and number of epochs."""
        estimator, X = self.estimator, self.X
        one = X.dtype.type(1)
        y = np.where(self.y == estimator.classes_[i], one, one - one if self.settings["loss"] == "log_loss" else -one)
        random_state = check_random_state(random_state)
        draw_unused(random_state)
        score = None
        if estimator.early_stopping and self.weights is not None:
            if mask is None:
                mask = estimator._make_validation_split(y, sample_mask=self.weights > 0)
            score = estimator._make_validation_score_cb(
                mask, X, y, self.weights, classes=np.array([-1, 1], dtype=y.dtype)
            )
        row = 0 if len(estimator.classes_) == 2 else i
        if estimator.average:
            coefs, intercepts = estimator._standard_coef, estimator._standard_intercept
            average_coef = estimator._average_coef.reshape(-1, X.shape[1])[row]
            average_intercept = estimator._average_intercept[row]
        else:
            coefs, intercepts = estimator.coef_, estimator.intercept_
            average_coef, average_intercept = None, 0.0
        coef = coefs.reshape(-1, X.shape[1])[row]
        intercept, average_intercept, n_iter = solve(
            estimator,
            X,
            y,
            self.weights,
            (coef, intercepts[row], average_coef, average_intercept),
            seed=random_state.randint(SEEDS),
            validation_mask=mask,
            validation_score=score,
            class_weights=tuple(class_weights),
            cancel=cancel,
            **self.settings,
        )
        if estimator.average:
            estimator._average_intercept[row] = average_intercept
        return coef, intercept, n_iter


def _are_plain_classes(classes: Any) -> bool:
    """Tell whether classes are sorted distinct integers, which are what ``classes_`` becomes."""
    return (
        type(classes) is np.ndarray
        and classes.ndim == 1
        and classes.dtype.kind in "iu"
        and 1 < classes.size <= _FEW_CLASSES
        and bool((classes[1:] > classes[:-1]).all())
    )
