"""Folds of cross-validation: the errors of solutions on the samples that were left out.

With fewer features than samples, what a fold trains on is known from inner products. Those of the samples that it
leaves out are taken off the products of all samples; and where each sample is left out once, as in k folds, the
products of all are the sum of what the folds leave out. So all folds together multiply each sample once or twice,
where scikit-learn does so once for each fold that it is in.
"""

from functools import reduce
from typing import Any

import numpy as np
import scipy.sparse as sp

from fastml._support import threads
from fastml.linear_model._elastic_net_data import ALL_TASKS, LARGEST_GRAM, DenseData, data_of
from fastml.linear_model._elastic_net_solving import Options, Path, solve
from fastml.linear_model._elastic_net_sums import Sums

LARGEST_SUMS = 50_000_000
"""Numbers that the sums of all folds may hold together: 400 MB."""


class Folds:
    """Samples and targets, of which folds are taken.

    Parameters
    ----------
    X : ndarray or CSC matrix of shape (n_samples, n_features)
        The samples.
    y : ndarray of shape (n_samples,) or (n_samples, n_tasks)
        The targets.
    sample_weight : ndarray of shape (n_samples,) or None
        Of any sum.
    fit_intercept : bool
        Whether samples and targets are to be centred.
    """

    def __init__(self, X: Any, y: np.ndarray, sample_weight: np.ndarray | None, fit_intercept: bool) -> None:
        self._X = X.tocsr() if sp.issparse(X) else X
        self._y = y
        self.target = 0 if y.ndim == 1 else ALL_TASKS
        self._weight = sample_weight
        self._fit_intercept = fit_intercept
        if sample_weight is not None:
            sample_weight = sample_weight * (len(y) / np.sum(sample_weight))
        self._normed_weight = sample_weight
        self.all = data_of(X, y, sample_weight, fit_intercept)
        self._all_sums: Sums | None = None
        self._left_out: list[Sums] = []
        self._splits: list[Any] = []

    def split(self, splits: list[Any]) -> None:
        """Set the folds, and compute what they share.

        Parameters
        ----------
        splits : list of (train, test)
            Indices or masks of samples.
        """
        self._splits = splits
        data, weight = self.all, self._normed_weight
        if (
            not isinstance(data, DenseData)
            or data.n_features > min((LARGEST_GRAM, *(len(train) for train, _ in splits)))
            or not (weight is None or (weight >= 0).all())
        ):
            return
        tests = [test for _, test in splits]
        # Each fold's complement is what the others leave out, if each fold has all samples and each is left out once.
        if (
            len(splits) * data.n_features**2 <= LARGEST_SUMS
            and _are_a_partition(tests, len(self._y))
            and all(_are_complements(train, test, len(self._y)) for train, test in splits)
        ):
            self._left_out = [self._sums(test) for test in tests]
            self._all_sums = reduce(Sums.plus, self._left_out)
        else:
            self._all_sums = self._sums(slice(None))
        data.adopt(self._all_sums.data(data.n_samples, self._fit_intercept, data.dtype), self.target)

    def _sums(self, rows: Any, n_threads: int | None = None) -> Sums:
        X, y = taken(self._X, rows), taken(self._y, rows)
        weight = None if self._normed_weight is None else taken(self._normed_weight, rows)
        if n_threads is None:
            n_threads = threads.n_threads(work=float(X.size) * X.shape[1])
        return Sums.of(X, y, weight, n_threads)

    def errors(
        self,
        number: int,
        alphas: list[np.ndarray],
        l1_ratios: np.ndarray,
        seeds: list[np.ndarray],
        options: Options,
        stop: np.ndarray,
        verbose: bool | int = False,
    ) -> tuple[np.ndarray, list[Path]]:
        """Return the mean squared errors of a fold's solutions on the samples left out.

        Parameters
        ----------
        number : int
            The fold: an index of the splits.
        alphas, l1_ratios, seeds : sequences
            The grid, and its seeds: arrays for each of the ratios.
        options, stop
            As `solve` takes them.
        verbose : bool or int
            What to print of the solutions, as `enet_path` does.

        Returns
        -------
        errors : ndarray of shape (n_l1_ratios, n_alphas)
            In the type that scikit-learn's have.
        paths : list of Path
            The solutions for each ratio.
        """
        test = self._splits[number][1]
        X_test, y_test = taken(self._X, test), taken(self._y, test)
        weight = None if self._weight is None else taken(self._weight, test)
        fold = self._fold(number)
        errors, paths = [], []
        for grid, l1_ratio, draws in zip(alphas, l1_ratios, seeds, strict=True):
            scaled = np.asarray(grid, dtype=np.float64) * fold.n_samples
            residual = fold.residual(self.target, scaled * l1_ratio, options.tol)
            path = solve(residual, scaled * l1_ratio, scaled * (1.0 - l1_ratio), draws, options, stop=stop)
            if verbose:
                path.report(verbose, y_test.shape[1:], X_test.dtype)
            # All solutions and tasks side by side: one product.
            n_features, n_tasks = residual.n_features, residual.n_tasks
            solutions = path.coefs.reshape(-1, n_features, n_tasks).swapaxes(0, 1)
            coefs = solutions.reshape(n_features, -1).astype(X_test.dtype)
            residues = (X_test @ coefs).reshape(-1, len(scaled), n_tasks) - y_test.reshape(-1, 1, n_tasks)
            residues += fold.y_offset - (fold.X_offset @ coefs).reshape(-1, n_tasks)
            residues *= residues
            means = np.average(residues, axis=0, weights=weight).mean(axis=1)
            # Equal solutions tie, so that the largest of their penalties is chosen: products may round them apart.
            for i in np.flatnonzero((path.coefs[1:] == path.coefs[:-1]).all(axis=1)):
                means[i + 1] = means[i]
            errors.append(means)
            paths.append(path)
        return np.array(errors), paths

    def _fold(self, number: int) -> Any:
        """Return the data that a fold trains on."""
        train, test = self._splits[number]
        n_samples = len(self._y)
        if self._all_sums is not None and (self._left_out or _are_complements(train, test, n_samples)):
            rest = self._all_sums.minus(self._left_out[number] if self._left_out else self._sums(test, n_threads=1))
            if rest is not None:
                return rest.data(n_samples - len(test), self._fit_intercept, self.all.dtype)
        weight = None
        if self._normed_weight is not None:
            weight = self._normed_weight[train]
            weight = weight * (len(weight) / np.sum(weight))
        X = self._X[train]
        return data_of(X.tocsc() if sp.issparse(X) else X, self._y[train], weight, self._fit_intercept)


def taken(values: Any, rows: Any) -> Any:
    """Return some rows: a view where they follow one another."""
    if isinstance(rows, np.ndarray) and rows.dtype.kind == "i" and len(rows) and (np.diff(rows) == 1).all():
        rows = slice(rows[0], rows[0] + len(rows))
    return values[rows]


def _are_complements(train: Any, test: Any, n_samples: int) -> bool:
    """Tell whether each sample is in one of the two, once."""
    return not _is_mask(train) and _are_a_partition([train, test], n_samples)


def _are_a_partition(parts: list[Any], n_samples: int) -> bool:
    """Tell whether each sample is in one of the parts, once."""
    if any(_is_mask(part) for part in parts) or sum(len(part) for part in parts) != n_samples:
        return False
    seen = np.zeros(n_samples, dtype=bool)
    for part in parts:
        seen[part] = True
    return bool(seen.all())


def _is_mask(rows: Any) -> bool:
    return np.asarray(rows).dtype == bool
