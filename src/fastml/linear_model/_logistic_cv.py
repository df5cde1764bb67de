"""Logistic regression whose penalty is chosen by cross-validation."""

from numbers import Integral
from typing import Any

import joblib
import numpy as np
import sklearn.linear_model
from sklearn.base import _fit_context
from sklearn.model_selection import check_cv
from sklearn.utils import compute_class_weight
from sklearn.utils.metadata_routing import _manual_routing, _raise_for_params, _routing_enabled, process_routing
from sklearn.utils.parallel import Parallel, delayed

from fastml._support import threads
from fastml._support.dispatch import accelerated
from fastml.linear_model._logistic import (
    SHORT_INDICES,
    PredictingProbabilities,
    encoded_labels,
    samples_and_labels,
    solve,
)
from fastml.linear_model._logistic_borrowed import score_folds_as_sklearn
from fastml.linear_model._logistic_folds import solve_fold
from fastml.linear_model._logistic_parameters import Options, checked_grid
from fastml.linear_model._logistic_path import SOLVERS
from fastml.linear_model._predicting import NUMPY

_EVALUATIONS = 20
"""Passes over the samples that a fit is taken to need, for the decision on threads."""


class LogisticRegressionCV(PredictingProbabilities, sklearn.linear_model.LogisticRegressionCV):
    __doc__ = sklearn.linear_model.LogisticRegressionCV.__doc__

    C_: Any
    l1_ratio_: Any
    coefs_paths_: Any
    scores_: Any

    @accelerated(NUMPY, SHORT_INDICES)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        _raise_for_params(params, self, "fit")
        given_l1_ratios, penalty, scoring, use_legacy_attributes = checked_grid(self)
        l1_ratios = [None] if given_l1_ratios is None else given_l1_ratios
        X, y = samples_and_labels(self, X, y, dtype=(np.float64,))
        classes, codes = encoded_labels(y)
        if len(classes) < 2:
            raise ValueError(
                "This solver needs samples of at least 2 classes in the data, but the data contains only one class: "
                f"{classes[0]}."
            )
        routed = self._routed(sample_weight, params)
        folds = list(check_cv(self.cv, y, classifier=True).split(X, y, **routed.splitter.split))
        class_weight = self._weights_of_classes(classes, y, sample_weight)
        Cs = np.logspace(-4, 4, self.Cs) if isinstance(self.Cs, Integral) else np.asarray(self.Cs)

        solved = self._solve_folds(
            X,
            y,
            codes,
            classes,
            folds,
            sample_weight,
            Cs=Cs,
            penalty=penalty,
            l1_ratios=l1_ratios,
            class_weight=class_weight,
            scoring=scoring,
            score_params=routed.scorer.score,
        )
        grid = (len(folds), len(l1_ratios), len(Cs))
        coefs, scores, n_iter = (np.reshape(part, (*grid, *part[0].shape[1:])) for part in zip(*solved, strict=True))

        best, C, l1_ratio = self._best(scores, Cs, l1_ratios, penalty)
        coef = np.mean([coefs[fold, i, j] for fold, (i, j) in enumerate(best)], axis=0)
        if self.refit:
            options = Options(C, penalty, l1_ratio, sample_weight, class_weight, coef, max(0, self.verbose - 1))
            coef = np.atleast_2d(solve(self, X, y, codes, classes, options)[0])

        self.classes_ = classes
        self.Cs_ = Cs
        self.l1_ratios_ = np.asarray(l1_ratios)
        self.coef_ = coef[:, : X.shape[1]]
        self.intercept_ = coef[:, -1] if self.fit_intercept else np.zeros(len(coef))
        if use_legacy_attributes:
            self._set_legacy_attributes(coefs, scores, n_iter, C, l1_ratio, given_l1_ratios is None)
        else:
            self.C_ = float(C)
            self.l1_ratio_ = float(self.penalty == "l1") if given_l1_ratios is None else float(l1_ratio)
            self.coefs_paths_, self.scores_, self.n_iter_ = coefs, scores, n_iter
        return self

    def _routed(self, sample_weight: Any, params: dict[str, Any]) -> Any:
        """Return what the splitter and the scorer are given."""
        if _routing_enabled():
            return process_routing(self, "fit", sample_weight=sample_weight, **params)
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        return _manual_routing({"splitter": {}, "scorer": {"score": params}})

    def _weights_of_classes(self, classes: np.ndarray, y: np.ndarray, sample_weight: Any) -> dict[Any, float] | None:
        """Return the weight of each class: the same in all folds."""
        class_weight = self.class_weight
        if isinstance(class_weight, dict):
            if not set(class_weight) <= set(classes):
                raise ValueError(
                    f"The given class_weight dict must have the class labels as keys; classes={classes} but "
                    f"key={class_weight.keys()}"
                )
        elif class_weight == "balanced":
            weights = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=sample_weight)
            class_weight = dict(zip(classes, weights, strict=True))
        return class_weight

    def _solve_folds(
        self,
        X: Any,
        y: np.ndarray,
        codes: np.ndarray,
        classes: np.ndarray,
        folds: list[tuple[np.ndarray, np.ndarray]],
        sample_weight: Any,
        *,
        Cs: np.ndarray,
        penalty: str | None,
        l1_ratios: Any,
        class_weight: dict[Any, float] | None,
        scoring: Any,
        score_params: dict[str, Any] | None,
    ) -> Any:
        """Return what ``solve_fold`` returns: fold by fold, all ratios of each."""
        if self.solver not in SOLVERS:
            return score_folds_as_sklearn(
                self,
                X,
                y,
                classes,
                folds,
                sample_weight,
                penalty=penalty,
                l1_ratios=l1_ratios,
                class_weight=class_weight,
                scoring=scoring,
                score_params=score_params,
            )
        tasks = (
            delayed(solve_fold)(
                X,
                y,
                codes,
                classes,
                train,
                test,
                Cs=Cs,
                estimator=self,
                class_weight=class_weight,
                sample_weight=sample_weight,
                scoring=scoring,
                score_params=score_params,
            )
            for train, test in folds
            for _ in l1_ratios
        )
        return Parallel(n_jobs=self._n_jobs(X, len(classes), len(Cs)), verbose=self.verbose, prefer="threads")(tasks)

    def _n_jobs(self, X: Any, n_classes: int, n_cs: int) -> int | None:
        """Return the number of folds that the kernel solves at a time, each by one thread."""
        if self.n_jobs is not None or joblib.parallel.get_active_backend(prefer="threads")[1] != 1:
            return self.n_jobs  # as the user, or joblib.parallel_config, has it
        if self.solver == "newton-cholesky":
            # It turns warnings into errors while it solves, in all threads of the process: the kernel has them instead.
            return 1
        values = getattr(X, "nnz", None) or X.size
        return threads.n_threads(work=2.0 * values * (1 if n_classes == 2 else n_classes) * n_cs * _EVALUATIONS)

    def _best(
        self, scores: np.ndarray, Cs: np.ndarray, l1_ratios: Any, penalty: str | None
    ) -> tuple[list[tuple[int, int]], Any, Any]:
        """Return the best place in each fold's grid (n_l1_ratios, n_cs), and the C and l1_ratio that are reported."""
        by_C = np.swapaxes(scores, 1, 2)  # among equals scikit-learn takes the first C
        if self.refit:
            i_C, i_ratio = np.unravel_index(np.argmax(by_C.sum(axis=0)), by_C.shape[1:])
            return [(int(i_ratio), int(i_C))] * len(scores), Cs[i_C], l1_ratios[i_ratio]
        places = [np.unravel_index(np.argmax(fold), fold.shape) for fold in by_C]
        l1_ratio = np.mean([l1_ratios[j] for _, j in places]) if penalty == "elasticnet" else 0.0
        return [(int(j), int(i)) for i, j in places], np.mean(Cs[[int(i) for i, _ in places]]), l1_ratio

    def _set_legacy_attributes(
        self, coefs: np.ndarray, scores: np.ndarray, n_iter: np.ndarray, C: Any, l1_ratio: Any, no_ratios: bool
    ) -> None:
        """Set the attributes whose shapes depend on the number of classes and on whether ratios were given."""
        labels = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        n_labels = len(labels)
        paths = np.moveaxis(coefs, (3, 0, 2, 1), (0, 1, 2, 3))  # (n_labels, n_folds, n_cs, n_l1_ratios, n_coefficients)
        by_C = np.tile(np.swapaxes(scores, 1, 2), (n_labels, 1, 1, 1))
        n_iter = np.swapaxes(n_iter, 1, 2)[None]
        if no_ratios:
            paths, by_C, n_iter = paths[:, :, :, 0], by_C[..., 0], n_iter[..., 0]
        self.coefs_paths_ = dict(zip(labels, paths, strict=True))
        self.scores_ = dict(zip(labels, by_C, strict=True))
        self.n_iter_ = n_iter
        self.C_ = np.tile(np.asarray([C]), n_labels)
        self.l1_ratio_ = np.tile(np.asarray([l1_ratio]), n_labels)
