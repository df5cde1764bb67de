"""From samples and targets to what coordinate descent takes: centred, weighted, as columns or as inner products."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.sparsefuncs import mean_variance_axis

from fastml import _core
from fastml._support import threads
from fastml.linear_model._block_residual import BlockResidual
from fastml.linear_model._centering import center_columns
from fastml.linear_model._column_residual import DenseResidual, SparseResidual
from fastml.linear_model._coordinate_descent import Residual
from fastml.linear_model._elastic_net_sums import SummedData, inner_product
from fastml.linear_model._gram_residual import GramResidual

SMALL = 50_000
"""Values of X up to which a centred copy is made without a second look: it is in the cache."""

PASSES_PER_GRAM = 0.014
"""Passes over a column that take as long as the Gram matrix, as a part of the number of its elements, as measured: both
from memory, and the matrix by blocks. One solution starts with columns, and changes to the matrix when it has taken so
long; it then takes at most twice the time of the better choice."""

FEW_PASSES = 7
"""Sweeps over the features that most solutions take, with looks at the gap: where the Gram matrix costs no more, it is
made at once."""

ALL_TASKS = slice(None)
"""In the place of a target: all of them, as the tasks of one problem."""

LARGEST_GRAM = 6000
"""Features up to which a path is solved with the Gram matrix: its rows may all be needed, 300 MB."""

MEASURED_BELOW = {"f": 2e-5, "d": 1e-10}
"""Tolerances below which gaps are measured on the data, for each type: rounding leaves no more of sums of products."""

COLUMNS_PER_THREAD = 64
"""Columns that a thread writes at least, when they are centred."""


class DenseData:
    """Dense samples and their targets.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
        C- or Fortran-contiguous. Never written to.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        The targets.
    sample_weight : ndarray of shape (n_samples,) or None
        Summing to n_samples.
    fit_intercept : bool
        Whether samples and targets are to be centred.
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, fit_intercept: bool) -> None:
        self.n_samples, self.n_features = X.shape
        self.dtype = X.dtype
        self._X = X
        self._centers = fit_intercept
        self._root = None if sample_weight is None else np.sqrt(sample_weight)
        self._offset: np.ndarray | None = None  # of _X, as it is now
        self._gram: np.ndarray | None = None
        self._products: np.ndarray | None = None  # of this target
        self._products_of: int | slice = 0
        self._norms2: np.ndarray | None = None
        y = y.astype(X.dtype)
        if fit_intercept:
            self.y_offset = np.average(y, axis=0, weights=sample_weight).astype(X.dtype)[()]
            y -= self.y_offset
        else:
            self.y_offset = X.dtype.type(0) if y.ndim == 1 else np.zeros(y.shape[1], dtype=X.dtype)
        if self._root is not None:
            y *= self._root if y.ndim == 1 else self._root[:, None]
        self._y = np.asfortranarray(y.reshape(len(y), -1))
        self.n_targets = self._y.shape[1]
        if X.size > SMALL and self._root is None:
            means, self._norms2, self._products = self._moments(0)
            self.X_offset = means.astype(X.dtype, copy=False)
        elif fit_intercept:
            self.X_offset = column_means(X, sample_weight)
        else:
            self.X_offset = np.zeros(self.n_features, dtype=X.dtype)
        if fit_intercept:
            self._offset = self.X_offset
        if X.size <= SMALL or self._root is not None:
            self.prepare()

    def prepare(self, *, columns: bool = False) -> np.ndarray:
        """Return samples centred and weighted, column after column if asked to; kept in place of what was given."""
        if self._offset is None and self._root is None and (not columns or self._X.flags.f_contiguous):
            return self._X
        if columns and self._X.size > SMALL:
            self._X, self._norms2 = _columns(self._X, self._offset, self._root)
        else:
            X = self._X.copy(order="F" if columns else "K") if self._offset is None else self._X - self._offset
            if self._root is not None:
                X *= self._root[:, None]
            self._X = np.asfortranarray(X) if columns else X
        self._offset = self._root = None
        return self._X

    def norms2(self) -> np.ndarray:
        """Return the squared lengths of the columns, centred and weighted."""
        if self._norms2 is None:
            # Samples are centred and weighted by now. Each column by itself, so that a float32 sum is one of products
            # next to each other.
            self._norms2 = np.einsum("ij,ij->j", self._X, self._X, dtype=np.float64)
        return self._norms2

    def adopt(self, sums: SummedData, target: int | slice) -> None:
        """Take over inner products that are known."""
        self._gram, self._products, self._products_of = sums.XX, sums.Xy, target
        self._norms2 = sums.XX.diagonal().copy()

    def products(self, target: int | slice) -> np.ndarray:
        """Return the products of the columns with a target, all centred and weighted; one column a task for several."""
        if target == self._products_of and self._products is not None:
            return self._products
        if self._offset is not None:
            if not isinstance(target, slice):
                return self._moments(target)[2]
            self.prepare(columns=True)
        return (self._X.T @ self._y[:, target]).astype(np.float64, copy=False)

    def _moments(self, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the means of the columns, and about them their squared lengths and products with a target."""
        y = self._y[:, target].astype(np.float64)
        return _core.column_moments(self._X, y, self._centers, threads.n_threads(work=3.0 * self._X.size))

    def y_norm2(self, target: int | slice) -> float:
        """Return the sum of squares of a target, centred and weighted."""
        y = self._y[:, target].astype(np.float64, copy=False).T
        return inner_product(y, y)

    def residual(self, target: int | slice, penalties: np.ndarray, tol: float, *, in_turn: bool = True) -> Residual:
        """Return the residual of a target, in the form that serves the penalties soonest.

        Parameters
        ----------
        target : int or slice
            Column of y, or ALL_TASKS.
        penalties : ndarray of shape (n_penalties,)
            On the absolute weights.
        tol : float
            The gap that is asked for, as a part of y @ y.
        in_turn : bool
            Whether features will be visited in turn.
        """
        by_gram = partial(self._gram_residual, target, tol)
        if self.n_features > min(self.n_samples, LARGEST_GRAM):
            return DenseResidual(self.prepare(columns=True), self._y[:, target].T, self.norms2())
        if len(penalties) > 1 or self._gram is not None or starts_with_gram(self._X.shape, self._y[0, target].size):
            return by_gram()
        passes = PASSES_PER_GRAM * self.n_features**2
        if in_turn and self._X.size > SMALL and not isinstance(target, slice):
            return BlockResidual(
                self._X,
                np.zeros(self.n_features) if self._offset is None else self._offset.astype(np.float64),
                self._y[:, target].astype(np.float64),
                self.products(target),
                self.norms2(),
                threads.n_threads(work=float(self._X.size)),
                passes,
                by_gram,
            )
        return DenseResidual(self.prepare(columns=True), self._y[:, target].T, self.norms2(), passes, by_gram)

    def given_gram_residual(self, target: int, gram: np.ndarray, Xy: np.ndarray | None = None) -> GramResidual:
        """Return the residual of a target by a Gram matrix that the user gave, and products if they were given, too."""
        given = np.ascontiguousarray(gram, dtype=np.float64)
        Xy = self.products(target) if Xy is None else np.ascontiguousarray(Xy, dtype=np.float64)
        return GramResidual(given, Xy, self.y_norm2(target), given.diagonal().copy())

    def gram(self) -> np.ndarray:
        """Return the Gram matrix of the columns, centred and weighted."""
        if self._gram is None:
            work = float(self._X.size) * self.n_features
            no_targets = np.empty((self.n_samples, 0), dtype=self.dtype)
            self._gram = _core.cross_products(
                self._X, no_targets, None, self._offset is not None, threads.n_threads(work)
            )[0]
        return self._gram

    def _gram_residual(self, target: int | slice, tol: float) -> GramResidual:
        norms2 = self.norms2()
        measure = partial(self._measure, target) if tol < MEASURED_BELOW[self.dtype.char] else None
        return GramResidual(self.gram(), self.products(target), self.y_norm2(target), norms2, measure)

    def _measure(self, target: int | slice, w: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
        """Return what `GramResidual` calls its measure."""
        w = w.astype(self._X.dtype)
        y = self._y[:, target]
        r = y - self._X @ w
        if self._offset is not None:
            r += self._offset @ w
        products = (self._X.T @ r).astype(np.float64, copy=False)
        if self._offset is not None:
            products -= np.multiply.outer(self._offset, r.sum(axis=0, dtype=np.float64))
        r64 = r.astype(np.float64, copy=False)
        return products, (inner_product(r64, r64), inner_product(r64, y.astype(np.float64, copy=False)))


class SparseData:
    """Samples in a CSC matrix and their targets.

    Parameters
    ----------
    X : sparse matrix or array of shape (n_samples, n_features), CSC
        float32 or float64, with 32-bit indices. Never written to.
    y, sample_weight, fit_intercept
        As for `DenseData`.
    """

    def __init__(self, X: Any, y: np.ndarray, sample_weight: np.ndarray | None, fit_intercept: bool) -> None:
        self.n_samples, self.n_features = X.shape
        self.dtype = X.dtype
        self._X = X
        self._weight = sample_weight
        weight_sum = self.n_samples if sample_weight is None else sample_weight.sum(dtype=np.float64)
        means, variances = (
            moment.astype(np.float64, copy=False) for moment in mean_variance_axis(X, axis=0, weights=sample_weight)
        )
        self._sums = means * weight_sum
        y = y.astype(X.dtype)
        if fit_intercept:
            self.X_offset = means.astype(X.dtype)
            self.y_offset = np.average(y, axis=0, weights=sample_weight).astype(X.dtype)[()]
            y -= self.y_offset
            self._means = means
            self._norms2 = variances * weight_sum
        else:
            self.X_offset = np.zeros(self.n_features, dtype=X.dtype)
            self.y_offset = X.dtype.type(0) if y.ndim == 1 else np.zeros(y.shape[1], dtype=X.dtype)
            self._means = np.zeros(self.n_features)
            self._norms2 = (variances + means**2) * weight_sum
        self._y = np.asfortranarray(y.reshape(len(y), -1))
        self.n_targets = self._y.shape[1]
        self._plain = np.ascontiguousarray(X.data)
        self._data = self._plain if sample_weight is None else self._plain * sample_weight[X.indices]

    def products(self, target: int | slice) -> np.ndarray:
        """Return the products of the columns with a target, all centred and weighted; one column a task for several."""
        y = self._y[:, target]
        yw = y if self._weight is None else (y.T * self._weight).T
        return self._X.T @ yw - np.multiply.outer(self._means, yw.sum(axis=0, dtype=np.float64))

    def residual(
        self, target: int | slice, penalties: np.ndarray, tol: float, *, in_turn: bool = True
    ) -> SparseResidual:
        """Return the residual of a target."""
        y = self._y[:, target].astype(np.float64, copy=False).T
        y_norm2 = inner_product(y, y if self._weight is None else y * self._weight)
        return SparseResidual(
            self._data,
            self._plain,
            self._X.indices,
            self._X.indptr,
            self._y[:, target].T,
            self._means,
            self._norms2,
            self._sums,
            self._weight,
            y_norm2,
        )


def data_of(X: Any, y: np.ndarray, sample_weight: np.ndarray | None, fit_intercept: bool) -> DenseData | SparseData:
    """Return dense or sparse data."""
    return (SparseData if sp.issparse(X) else DenseData)(X, y, sample_weight, fit_intercept)


def starts_with_gram(shape: tuple[int, int], n_tasks: int) -> bool:
    """Tell whether the Gram matrix of samples costs no more than what any solution takes."""
    n_samples, n_features = shape
    if n_features > min(n_samples, LARGEST_GRAM):
        return False
    return PASSES_PER_GRAM * n_features**2 <= FEW_PASSES * n_tasks * n_features


def _columns(X: np.ndarray, offset: np.ndarray | None, root: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return samples centred and weighted, column after column, and the squared lengths of the columns."""
    out = np.empty_like(X, order="F")
    norms2 = np.empty(X.shape[1])
    if offset is None:
        offset = np.zeros(X.shape[1], dtype=X.dtype)
    count = min(threads.n_threads(work=4 * X.size), max(1, X.shape[1] // COLUMNS_PER_THREAD))
    edges = np.linspace(0, X.shape[1], count + 1).astype(int).tolist()
    if count == 1:
        center_columns(X, offset, root, out, norms2, 0, X.shape[1])
    else:
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(partial(center_columns, X, offset, root, out, norms2), edges[:-1], edges[1:]))
    return out, norms2


def column_means(X: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
    """Return the weighted means of columns, summed in double, in the type of X."""
    if sample_weight is not None:
        weight = sample_weight.astype(np.float64, copy=False)
        return ((weight @ X) / weight.sum()).astype(X.dtype)
    return (np.add.reduce(X, axis=0, dtype=np.float64) / len(X)).astype(X.dtype, copy=False)
