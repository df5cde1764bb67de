"""The errors of ridge regression where each sample is left out once, for all penalties from one decomposition.

With X and y about their means and times the roots of the weights, and X'X = V L V' (or XX' = Q L Q', where features
outnumber samples), the errors are fractions whose parts are linear in 1 / (L + alpha): see the notes of scikit-learn's
`_RidgeGCV`. It multiplies X with a matrix anew for each penalty. Here X is rotated once, Z = X V; a penalty takes a
product with a vector, and the squares of Z are multiplied with the vectors of all penalties at once.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy import linalg
from sklearn.linear_model import _ridge
from sklearn.utils.validation import _check_sample_weight

from fastml import _core
from fastml._support import threads
from fastml.linear_model._normal_equations import cross_products
from fastml.linear_model._samples import Samples, check_samples


class _RidgeGCV(_ridge._RidgeGCV):
    """As scikit-learn's class of this name, which stands in messages. It is left sparse X and gcv_mode="svd"."""

    alphas: Any
    coef_: Any
    cv_results_: Any

    def fit(self, X, y, sample_weight=None, score_params=None):
        if sp.issparse(X) or self.gcv_mode == "svd" or np.size(self.alphas) == 0:
            return super().fit(X, y, sample_weight, score_params)
        dtype = getattr(X, "dtype", None)
        dtype = dtype if getattr(dtype, "kind", None) == "f" else np.dtype(np.float64)
        samples = self._check(X, y, sample_weight)
        weights = samples.weights
        if weights is not None and not (weights.min() >= 0 and weights.sum() > 0):
            return super().fit(X, y, sample_weight, score_params)
        self.alphas = np.asarray(self.alphas)
        rotation = Rotation(samples, np.atleast_1d(self.alphas).astype(np.float64), self.fit_intercept)
        self._choose(samples, rotation, score_params or {})
        self.coef_ = self.coef_.astype(dtype, copy=False)
        if self.fit_intercept:
            self.intercept_ = (rotation.y_mean - self.coef_ @ rotation.x_mean).astype(dtype, copy=False)
            if samples.y.ndim == 1:
                self.intercept_ = self.intercept_[0]
        else:
            self.intercept_ = 0.0
        if self.store_cv_results:
            self.cv_results_ = self.cv_results_.astype(dtype, copy=False)
        return self

    def _check(self, X: Any, y: Any, sample_weight: Any) -> Samples:
        samples, checked = check_samples(self, X, y, dtype=np.float64)
        if not checked and not (np.isfinite(samples.X.sum()) and np.isfinite(samples.y.sum())):
            samples, _ = check_samples(self, X, y, quick=False, dtype=np.float64)
        samples.X = samples.X.astype(np.float64, copy=False)
        samples.y = samples.y.astype(np.float64, copy=False)
        if sample_weight is not None:
            samples.weights = np.require(
                _check_sample_weight(sample_weight, samples.X, dtype=np.float64), requirements=["C", "A"]
            )
        return samples

    def _choose(self, samples: Samples, rotation: "Rotation", score_params: dict[str, Any]) -> None:
        """Set the best penalty, its score and coefficients, and the results of all if they are to be stored."""
        y = samples.y
        n_targets = rotation.y.shape[1]
        per_target = self.alpha_per_target and n_targets > 1
        best_alpha: Any = None
        best_score: Any = None
        best: Any = None
        results = []
        for i, alpha in enumerate(rotation.alphas):
            errors, solution = rotation.errors(i)
            errors = errors.reshape(y.shape)
            if self.scoring is None:
                result = errors**2
                score = self._score_without_scorer(squared_errors=result)
            else:
                result = rotation.y.reshape(y.shape) - errors
                if rotation.root_weights is not None:
                    result /= rotation.root_weights.reshape((-1, 1)[: y.ndim])
                result += rotation.y_mean if y.ndim == 2 else rotation.y_mean[0]
                score = self._score(
                    predictions=result, y=y, n_y=n_targets, scorer=self.scoring, score_params=score_params
                )
            if self.store_cv_results:
                results.append(result)
            if per_target:
                score = np.reshape(score, -1)
                if best is None:
                    best_alpha, best_score, best = np.full(n_targets, alpha), score, solution
                better = score > best_score
                best_alpha[better], best_score[better] = alpha, score[better]
                best[:, better] = solution[:, better]
            elif best is None or score > best_score:
                best_alpha, best_score, best = float(alpha), score, solution

        self.alpha_, self.best_score_ = best_alpha, best_score
        coef = rotation.coefficients(best)
        self.coef_ = coef[0] if len(coef) == 1 else coef
        if self.store_cv_results:
            self.cv_results_ = np.stack(results, axis=-1)


class Rotation:
    """Samples in the basis in which every penalty's system is diagonal.

    Parameters
    ----------
    samples : Samples
        In float64, weights not negative.
    alphas : ndarray of shape (n_alphas,)
        The penalties.
    fit_intercept : bool
        Whether X and y are taken about their means.
    """

    def __init__(self, samples: Samples, alphas: np.ndarray, fit_intercept: bool) -> None:
        X, y, weights = samples.X, samples.targets, samples.weights
        n, d = X.shape
        self.alphas = alphas
        self.wide = n <= d
        if self.wide:
            self.x_mean, self.y_mean = np.zeros(d), np.zeros(y.shape[1])
            if fit_intercept:
                self.x_mean = np.average(X, axis=0, weights=weights)
                self.y_mean = np.average(y, axis=0, weights=weights)
        else:
            equations = cross_products(samples, center=fit_intercept)
            self.x_mean, self.y_mean = equations.x_mean, equations.y_mean
        X = X - self.x_mean
        self.y = y - self.y_mean
        self.root_weights = None if weights is None else np.sqrt(weights)
        if self.root_weights is not None:
            X *= self.root_weights[:, None]
            self.y *= self.root_weights[:, None]
        ones = np.ones(n) if self.root_weights is None else self.root_weights
        # What the samples' weights take of the mean: a sample that is left out does not shift it.
        self.shares = ones**2 / (ones @ ones) if fit_intercept else np.zeros(n)

        eigenvalues, self.basis = linalg.eigh(
            X @ X.T if self.wide else equations.gram, overwrite_a=True, check_finite=False
        )
        self.inverses = 1.0 / (eigenvalues[:, None] + alphas)
        if self.wide:
            self.X = X
            self.rotated_y = self.basis.T @ self.y
            self.rotated_ones = self.basis.T @ ones / (ones @ ones) if fit_intercept else np.zeros(n)
            self.ones = ones
            self.diagonals = self.basis**2 @ self.inverses
        else:
            self.rotated_y = self.basis.T @ equations.xy.T
            work = float(n) * d * d
            self.rotated = _core.gemm(X, self.basis, n_threads=threads.n_threads(work=work))
            self.diagonals = np.square(self.rotated, out=X) @ self.inverses

    def errors(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the errors of the samples, each left out, for penalty `i`, and what gives the coefficients."""
        solution = self.inverses[:, i, None] * self.rotated_y
        if self.wide:
            dual = self.basis @ solution
            left = self.basis @ (self.inverses[:, i] * self.rotated_ones)
            divisors = self.diagonals[:, i] - left * self.ones
            return dual / divisors[:, None], dual
        divisors = 1.0 - self.diagonals[:, i] - self.shares
        return (self.y - self.rotated @ solution) / divisors[:, None], solution

    def coefficients(self, solution: np.ndarray) -> np.ndarray:
        """Return the coefficients of a solution, of shape (n_targets, n_features)."""
        return (self.X.T @ solution if self.wide else self.basis @ solution).T
