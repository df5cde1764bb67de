"""LinearSVC and LinearSVR: scikit-learn's, on LIBLINEAR's algorithms over X as it is."""

from typing import Any

import numpy as np
import sklearn.svm
from sklearn.base import _fit_context
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import _check_sample_weight

from fastml._support.dispatch import accelerated
from fastml._support.targets import check_and_encode
from fastml._support.validation import samples_and_targets
from fastml.linear_model._predicting import PredictingClasses, PredictingValues
from fastml.svm._linear_solving import (
    coefficients,
    make_task,
    random_numbers,
    solve_classes,
    solve_values,
    solver_number,
    warn_of,
)

_EPSILON = 0.1
"""What LIBLINEAR is told where it has no use for it."""


class LinearSVC(PredictingClasses, sklearn.svm.LinearSVC):
    __doc__ = sklearn.svm.LinearSVC.__doc__

    coef_: Any
    intercept_: Any
    classes_: np.ndarray
    n_iter_: int

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        X, y = samples_and_targets(self, X, y, reset=True)
        (classes,), codes = check_and_encode(y[:, None])
        codes = codes[:, 0]
        if len(classes) < 2:
            raise ValueError(
                "This solver needs samples of at least 2 classes in the data, but the data contains only one class: "
                f"{classes[0]!r}"
            )
        class_weight = np.ones(len(classes))
        if self.class_weight is not None:
            class_weight = compute_class_weight(self.class_weight, classes=classes, y=y, sample_weight=sample_weight)
        random_state = random_numbers(self)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        solver = solver_number(self, self.penalty, self.multi_class, X)
        order = _kept(weights)
        order = order[np.argsort(codes[order], kind="stable")]
        task = make_task(self, X, weights, order, solver, random_state, _EPSILON)
        raw, n_iter = solve_classes(task, codes, class_weight)
        warn_of(n_iter, self.max_iter)
        coef, intercept = coefficients(task, raw)
        if self.multi_class == "crammer_singer" and len(classes) == 2:
            coef = (coef[1] - coef[0]).reshape(1, -1)
            if self.fit_intercept:
                intercept = np.array([intercept[1] - intercept[0]])
        self.classes_ = classes
        self.coef_ = coef
        self.intercept_ = intercept
        self.n_iter_ = n_iter.max().item()
        return self


class LinearSVR(PredictingValues, sklearn.svm.LinearSVR):
    __doc__ = sklearn.svm.LinearSVR.__doc__

    coef_: np.ndarray
    intercept_: Any
    n_iter_: int

    @accelerated()
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        X, y = samples_and_targets(self, X, y, reset=True)
        random_state = random_numbers(self)
        y = np.require(y, np.float64, ["C", "A"])
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        solver = solver_number(self, "l2", "ovr", X)
        task = make_task(self, X, weights, _kept(weights), solver, random_state, self.epsilon)
        raw, n_iter = solve_values(task, y)
        warn_of(n_iter, self.max_iter)
        coef, self.intercept_ = coefficients(task, raw)
        self.coef_ = coef.ravel()
        self.n_iter_ = n_iter.max().item()
        return self


def _kept(weights: np.ndarray) -> np.ndarray:
    """Return the rows whose weights are positive."""
    return np.flatnonzero(weights > 0).astype(np.intc)
