"""LassoCV, ElasticNetCV and their forms for several tasks: the penalty that cross-validation chooses."""

import numbers
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import sklearn.linear_model
from sklearn.base import _fit_context
from sklearn.linear_model._coordinate_descent import LinearModelCV, _alpha_grid
from sklearn.model_selection import check_cv
from sklearn.utils import check_scalar, column_or_1d
from sklearn.utils._metadata_requests import _raise_for_params, _routing_enabled
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.parallel import Parallel, delayed

from fastml._support import threads, validation
from fastml._support.dispatch import Condition, accelerated
from fastml.linear_model._elastic_net import ALPHA_ZERO, check_solution, is_like_an_array
from fastml.linear_model._elastic_net_folds import Folds
from fastml.linear_model._elastic_net_paths import enet_path, lasso_path
from fastml.linear_model._elastic_net_solving import Options, draw_seeds, solve_once
from fastml.linear_model._multi_task import check_separately, set_tasks
from fastml.linear_model._predicting import NUMPY, PredictingValues

SWEEPS = 10
"""Sweeps over the features that one solution takes, roughly: it decides on threads only."""

_NO_GRAM = Condition(
    "precompute=True, False or 'auto'",
    lambda self, *args, **kwargs: not is_like_an_array(self.precompute),
)


class SelectingPenalties(PredictingValues, LinearModelCV):
    """The fit of LassoCV and ElasticNetCV. Comes before scikit-learn's class among the bases."""

    @accelerated(NUMPY, _NO_GRAM)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        return self._choose(X, y, sample_weight, params)

    def _choose(self, X: Any, y: Any, sample_weight: Any, params: dict[str, Any]) -> Any:
        """Fit, for one target or several."""
        _raise_for_params(params, self, "fit")
        X, y = self._checked(X, y)
        if isinstance(sample_weight, numbers.Number):
            sample_weight = None
        sample_weight = validation.sample_weight(sample_weight, X)
        folds = Folds(X, y, sample_weight, self.fit_intercept)
        l1_ratios = np.atleast_1d(getattr(self, "l1_ratio", 1))
        routed = {}
        if _routing_enabled():
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params).splitter.split
        splits = list(check_cv(self.cv).split(X, y, **routed))
        folds.split(splits)
        alphas = self._grid(folds, l1_ratios, np.result_type(X, y))
        errors = self._errors(folds, len(splits), alphas, l1_ratios)

        best = np.inf
        for l1_ratio, grid, means in zip(l1_ratios, alphas, errors.mean(axis=1), strict=True):
            least = np.argmin(means)
            if means[least] < best:
                best, best_alpha, best_l1_ratio = means[least], grid[least], l1_ratio
        self._refit(folds, best_alpha, best_l1_ratio)
        self.mse_path_ = np.squeeze(np.moveaxis(errors, 2, 1))
        self.alpha_ = best_alpha
        if hasattr(self, "l1_ratio"):
            self.l1_ratio_ = best_l1_ratio
        given = not isinstance(self.alphas, numbers.Integral)
        self.alphas_ = np.asarray(alphas[0] if given or len(alphas) == 1 else alphas)
        return self

    def _checked(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        """Check samples and the target as scikit-learn does."""
        X, y = check_separately(self, X, y)
        if y.ndim > 1 and y.shape[1] > 1:
            raise ValueError(f"For multi-task outputs, use MultiTask{type(self).__name__}")
        return X, column_or_1d(y, warn=True)

    def _grid(self, folds: Folds, l1_ratios: np.ndarray, dtype: np.dtype) -> Any:
        """Return the penalties to try, decreasing, for each ratio."""
        if not isinstance(self.alphas, numbers.Integral):
            for index, alpha in enumerate(self.alphas):
                check_scalar(
                    alpha, f"alphas[{index}]", target_type=numbers.Real, min_val=0.0, include_boundaries="left"
                )
            return np.tile(np.sort(self.alphas)[::-1], (len(l1_ratios), 1))
        data = folds.all
        products = data.products(folds.target).astype(dtype, copy=False)
        # Of the samples it wants the number only, as the products are there.
        samples = np.empty((data.n_samples, 0))
        return [
            _alpha_grid(
                samples,
                None,
                Xy=products,
                l1_ratio=l1_ratio,
                eps=self.eps,
                n_alphas=self.alphas,
                positive=self._options().positive,
            )
            for l1_ratio in l1_ratios
        ]

    def _errors(self, folds: Folds, n_folds: int, alphas: Any, l1_ratios: np.ndarray) -> np.ndarray:
        """Return the errors of each ratio, fold and penalty."""
        options = self._options()
        n_features, n_tasks, n_alphas = folds.all.n_features, folds.all.n_targets, len(alphas[0])
        # In the order in which scikit-learn's jobs draw them: it goes through the folds for one ratio after the other.
        seeds = [[draw_seeds(self.random_state, n_alphas) for _ in range(n_folds)] for _ in l1_ratios]
        work = folds.all.n_samples * n_features**2 + n_folds * n_alphas * SWEEPS * n_features**2 * n_tasks
        stop = np.zeros(1, dtype=np.uint8)
        if self.verbose:
            # One job for each ratio and fold, in the hands of joblib: it prints how many are done.
            single = Parallel(n_jobs=self.n_jobs, verbose=self.verbose, prefer="threads")(
                delayed(folds.errors)(number, [grid], [ratio], [draws], options, stop, self.verbose)
                for grid, ratio, draws_of_folds in zip(alphas, l1_ratios, seeds, strict=True)
                for number, draws in enumerate(draws_of_folds)
            )
            of_folds = (single[number::n_folds] for number in range(n_folds))
            results = [
                (np.concatenate([errors for errors, _ in fold]), [path for _, (path,) in fold]) for fold in of_folds
            ]
        else:
            jobs = (
                (number, alphas, l1_ratios, [draws[number] for draws in seeds], options, stop)
                for number in range(n_folds)
            )
            results = list(_on_threads(folds.errors, jobs, threads.n_threads(self.n_jobs, work), stop))
        for ratio in range(len(l1_ratios)):
            for _, paths in results:
                paths[ratio].warn()
        return np.stack([errors for errors, _ in results], axis=1)

    def _options(self) -> Options:
        return Options(self.max_iter, self.tol, getattr(self, "positive", False), self.selection)

    def _refit(self, folds: Folds, alpha: float, l1_ratio: float) -> None:
        """Solve for the chosen penalty with all samples, as Lasso and ElasticNet would."""
        if alpha == 0:
            warnings.warn(ALPHA_ZERO, stacklevel=2)
        data = folds.all
        path = solve_once(data, folds.target, alpha, l1_ratio, self._options(), self.random_state)
        coef = path.coefs[0].astype(data.dtype)
        intercept = data.y_offset - data.X_offset @ coef if self.fit_intercept else 0.0
        check_solution(coef, intercept)
        self.coef_, self.intercept_ = coef, intercept
        self.dual_gap_ = data.dtype.type(path.gaps[0] / data.n_samples)
        self.n_iter_ = int(path.n_iters[0])


class LassoCV(SelectingPenalties, sklearn.linear_model.LassoCV):
    __doc__ = sklearn.linear_model.LassoCV.__doc__

    path = staticmethod(lasso_path)


class ElasticNetCV(SelectingPenalties, sklearn.linear_model.ElasticNetCV):
    __doc__ = sklearn.linear_model.ElasticNetCV.__doc__

    path = staticmethod(enet_path)


class SelectingPenaltiesOfTasks(SelectingPenalties):
    """The fit of MultiTaskLassoCV and MultiTaskElasticNetCV."""

    @accelerated(NUMPY)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        return self._choose(X, y, sample_weight, params)

    def _checked(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        """Check samples and targets as scikit-learn does."""
        X, y = check_separately(self, X, y)
        if y.ndim == 1:
            # scikit-learn's words, with the name as it has it: LassoCVCV.
            raise ValueError(f"For mono-task outputs, use {type(self).__name__[9:]}CV")
        return X, y

    def _refit(self, folds: Folds, alpha: float, l1_ratio: float) -> None:
        """Solve for the chosen penalty with all samples, as MultiTaskLasso and MultiTaskElasticNet would."""
        data = folds.all
        path = solve_once(data, folds.target, alpha, l1_ratio, self._options(), self.random_state)
        set_tasks(self, data, path, data.dtype)


class MultiTaskLassoCV(SelectingPenaltiesOfTasks, sklearn.linear_model.MultiTaskLassoCV):
    __doc__ = sklearn.linear_model.MultiTaskLassoCV.__doc__

    path = staticmethod(lasso_path)


class MultiTaskElasticNetCV(SelectingPenaltiesOfTasks, sklearn.linear_model.MultiTaskElasticNetCV):
    __doc__ = sklearn.linear_model.MultiTaskElasticNetCV.__doc__

    path = staticmethod(enet_path)


def _on_threads(function: Any, jobs: Iterator[tuple[Any, ...]], n_threads: int, stop: np.ndarray) -> Iterator[Any]:
    """Call a function with each job's arguments; results in the order of the jobs."""
    if n_threads == 1:
        for job in jobs:
            yield function(*job)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        futures = [pool.submit(function, *job) for job in jobs]
        try:
            for future in futures:
                yield future.result()
        except BaseException:
            stop[0] = 1
            pool.shutdown(wait=False, cancel_futures=True)
            raise
