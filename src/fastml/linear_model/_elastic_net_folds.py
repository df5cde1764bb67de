"""Folds of cross-validation: the errors of solutions on the samples that were left out.

With fewer features than samples, what a fold trains on is known from inner products. Those of the samples that it
leaves out are taken off the products of all samples, so that all folds together multiply each sample twice, where
scikit-learn does so once for each fold that it is in. Samples are shifted by the means of all of them, and what is left
of a fold's means is small: nothing cancels.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp

from fastml.linear_model._elastic_net_data import LARGEST_GRAM, DenseData, data_of
from fastml.linear_model._elastic_net_solving import Options, Path, solve
from fastml.linear_model._gram_residual import GramResidual

MOST_LEFT_OUT = 0.9
"""The largest part of a column's sum of squares that may be taken off: one digit is lost."""


class Folds:
    """Samples and targets, of which folds are taken.

    Parameters
    ----------
    X : ndarray or CSC matrix of shape (n_samples, n_features)
        The samples.
    y : ndarray of shape (n_samples,)
        The targets.
    sample_weight : ndarray of shape (n_samples,) or None
        Of any sum.
    fit_intercept : bool
        Whether samples and targets are to be centred.
    """

    def __init__(self, X: Any, y: np.ndarray, sample_weight: np.ndarray | None, fit_intercept: bool) -> None:
        self._X = X.tocsr() if sp.issparse(X) else X
        self._y = y
        self._weight = sample_weight
        self._fit_intercept = fit_intercept
        if sample_weight is not None:
            sample_weight = sample_weight * (len(y) / np.sum(sample_weight))
        self._normed_weight = sample_weight
        self.all = data_of(X, y, sample_weight, fit_intercept)
        self._all_sums: Sums | None = None

    def prepare(self, n_training: int) -> None:
        """Compute what folds of at least so many samples share."""
        if isinstance(self.all, DenseData) and self.all.n_features <= min(n_training, LARGEST_GRAM):
            self._all_sums = Sums.of_all(self.all)

    def errors(
        self,
        train: np.ndarray,
        test: np.ndarray,
        alphas: list[np.ndarray],
        l1_ratios: np.ndarray,
        seeds: list[np.ndarray],
        options: Options,
        stop: np.ndarray,
    ) -> tuple[np.ndarray, list[Path]]:
        """Return the mean squared errors of a fold's solutions on the samples left out.

        Parameters
        ----------
        train, test : ndarray
            Indices or masks of samples.
        alphas, l1_ratios, seeds : sequences
            The grid, and its seeds: arrays for each of the ratios.
        options, stop
            As `solve` takes them.

        Returns
        -------
        errors : ndarray of shape (n_l1_ratios, n_alphas)
            In the type that scikit-learn's have.
        paths : list of Path
            The solutions for each ratio.
        """
        X_test, y_test = self._X[test], self._y[test]
        weight = None if self._weight is None else self._weight[test]
        fold = self._fold(train, test, X_test, y_test)
        errors, paths = [], []
        for grid, l1_ratio, draws in zip(alphas, l1_ratios, seeds, strict=True):
            scaled = np.asarray(grid, dtype=np.float64) * fold.n_samples
            residual = fold.residual(0, scaled * l1_ratio, options.tol)
            path = solve(residual, scaled * l1_ratio, scaled * (1.0 - l1_ratio), draws, options, stop=stop)
            coefs = path.coefs.T.astype(X_test.dtype)
            intercepts = fold.y_offset - fold.X_offset @ coefs
            residues = X_test @ coefs - y_test[:, None] + intercepts
            errors.append(np.average(residues**2, axis=0, weights=weight))
            paths.append(path)
        return np.array(errors), paths

    def _fold(self, train: np.ndarray, test: np.ndarray, X_test: Any, y_test: np.ndarray) -> Any:
        """Return the data that a fold trains on."""
        weight = self._normed_weight
        if self._all_sums is not None and _are_complements(train, test, len(self._y)):
            rest = self._all_sums.without(X_test, y_test, None if weight is None else weight[test])
            if rest is not None:
                return rest.centered(len(self._y) - len(y_test), self._fit_intercept)
        if weight is not None:
            weight = weight[train]
            weight = weight * (len(weight) / np.sum(weight))
        X = self._X[train]
        return data_of(X.tocsc() if sp.issparse(X) else X, self._y[train], weight, self._fit_intercept)


class Sums:
    """Sums over samples: of weights, values, and products, all values shifted by the means of all samples."""

    def __init__(
        self,
        shift: tuple[np.ndarray, Any],
        weight: float,
        X: np.ndarray,
        y: float,
        XX: np.ndarray,
        Xy: np.ndarray,
        yy: float,
    ) -> None:
        self.shift, self.weight, self.X, self.y, self.XX, self.Xy, self.yy = shift, weight, X, y, XX, Xy, yy

    @classmethod
    def of_all(cls, data: DenseData) -> "Sums":
        """Return the sums over all samples. Shifted values add up to zero; others are not centred, and want no sums."""
        return cls(
            (data.X_offset, data.y_offset),
            float(data.n_samples),
            np.zeros(data.n_features),
            0.0,
            data.gram(),
            data.products(0),
            data.y_norm2(0),
        )

    def without(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> "Sums | None":
        """Return the sums without some samples, or None when too little is left of them."""
        X_offset, y_offset = self.shift
        Z = X - X_offset
        z = y.astype(X.dtype) - y_offset
        weight = float(len(z))
        X_sum, y_sum = Z.sum(axis=0, dtype=np.float64), z.sum(dtype=np.float64)
        if sample_weight is not None:
            weight, X_sum, y_sum = sample_weight.sum(dtype=np.float64), sample_weight @ Z, sample_weight @ z
            root = np.sqrt(sample_weight)
            Z *= root[:, None]
            z *= root
        XX = (Z.T @ Z).astype(np.float64, copy=False)
        if not (XX.diagonal() <= MOST_LEFT_OUT * self.XX.diagonal()).all():
            return None
        z64 = z.astype(np.float64, copy=False)
        return Sums(
            self.shift,
            self.weight - weight,
            self.X - X_sum,
            self.y - y_sum,
            np.subtract(self.XX, XX, out=XX),
            self.Xy - Z.T @ z,
            self.yy - z64 @ z64,
        )

    def centered(self, n_samples: int, fit_intercept: bool) -> "FoldData":
        """Return the data that have these sums, with weights that sum to the number of samples."""
        X_offset, y_offset = self.shift
        scale = n_samples / self.weight
        XX, Xy, yy = self.XX, self.Xy, self.yy
        if fit_intercept:
            X_mean, y_mean = self.X / self.weight, self.y / self.weight
            XX = XX - np.multiply.outer(self.X, X_mean)
            Xy = Xy - self.X * y_mean
            yy = yy - self.y * y_mean
            X_offset = (X_offset + X_mean).astype(X_offset.dtype)
            y_offset = X_offset.dtype.type(y_offset + y_mean)
        if scale != 1:
            XX, Xy, yy = XX * scale, Xy * scale, yy * scale
        return FoldData(n_samples, X_offset, y_offset, XX, Xy, yy)


class FoldData:
    """What a fold trains on, by its inner products; `DenseData` has the same attributes."""

    def __init__(self, n_samples: int, X_offset: Any, y_offset: Any, XX: np.ndarray, Xy: np.ndarray, yy: float) -> None:
        self.n_samples, self.X_offset, self.y_offset = n_samples, X_offset, y_offset
        self._gram, self._Xy, self._yy = XX, Xy, yy

    def residual(self, target: int, penalties: np.ndarray, tol: float) -> GramResidual:
        """Return the residual of the one target."""
        return GramResidual(self._gram, self._Xy, self._yy, self._gram.diagonal().copy())


def _are_complements(train: np.ndarray, test: np.ndarray, n_samples: int) -> bool:
    """Tell whether each sample is in one of the two, once."""
    train, test = np.asarray(train), np.asarray(test)
    if train.dtype == bool or len(train) + len(test) != n_samples:
        return False
    seen = np.zeros(n_samples, dtype=bool)
    seen[train] = True
    seen[test] = True
    return bool(seen.all())
