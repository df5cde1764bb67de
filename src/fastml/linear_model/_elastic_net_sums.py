"""Inner products of samples about their means, which can be added and taken off (Chan, Golub and LeVeque, 1983)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastml import _core
from fastml.linear_model._gram_residual import GramResidual

MOST_LEFT_OUT = 0.9
"""The largest part of a column's sum of squares that may be taken off: one digit is lost."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Weight, means and inner products of some samples and their target, or several, in float64.

    Parameters
    ----------
    weight : float
        Of all samples together.
    X_mean : ndarray of shape (n_features,)
        Means of the features.
    y_mean : float or ndarray of shape (n_tasks,)
        Mean of the target.
    XX : ndarray of shape (n_features, n_features)
        Products of features, about their means.
    Xy : ndarray of shape (n_features,) or (n_features, n_tasks)
        Products of features and target, about their means.
    yy : float
        Sum of squares of the target, about its mean; of all tasks together.
    """

    weight: float
    X_mean: np.ndarray
    y_mean: Any
    XX: np.ndarray
    Xy: np.ndarray
    yy: float

    @classmethod
    def of(cls, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, n_threads: int) -> "Sums":
        """Return the sums of samples, whose weights are not negative."""
        weight = float(len(y)) if sample_weight is None else float(sample_weight.sum(dtype=np.float64))
        if weight == 0:
            d, shape = X.shape[1], y.shape[1:]
            return cls(0.0, np.zeros(d), np.zeros(shape)[()], np.zeros((d, d)), np.zeros((d, *shape)), 0.0)
        target = np.ascontiguousarray(y, dtype=X.dtype).reshape(len(y), -1)
        weights = None if sample_weight is None else np.ascontiguousarray(sample_weight, dtype=X.dtype)
        XX, Xy, X_mean, y_mean = _core.cross_products(X, target, weights, True, n_threads)
        z = (target - y_mean).T
        yy = inner_product(z, z if weights is None else weights * z)
        if y.ndim == 1:
            return cls(weight, X_mean, float(y_mean[0]), XX, Xy[0], yy)
        return cls(weight, X_mean, y_mean, XX, Xy.T, yy)

    def plus(self, other: "Sums") -> "Sums":
        """Return the sums of both."""
        return self._changed(other, self.weight + other.weight, 1.0)

    def minus(self, part: "Sums") -> "Sums | None":
        """Return the sums without a part of the samples, or None when too little is left of them."""
        weight = self.weight - part.weight
        if weight <= 0 or not (part.XX.diagonal() <= MOST_LEFT_OUT * self.XX.diagonal()).all():
            return None
        return self._changed(part, weight, -1.0)

    def _changed(self, other: "Sums", weight: float, sign: float) -> "Sums":
        """Return the sums with others added or taken off, of the weight that is then there."""
        if other.weight == 0 or weight == 0:
            return self
        X_way, y_way = other.X_mean - self.X_mean, other.y_mean - self.y_mean
        share = sign * other.weight / weight
        between = share * self.weight
        XX = np.multiply.outer(between * X_way, X_way)
        XX += self.XX
        if sign > 0:
            XX += other.XX
        else:
            XX -= other.XX
        return Sums(
            weight,
            self.X_mean + share * X_way,
            self.y_mean + share * y_way,
            XX,
            self.Xy + sign * other.Xy + between * np.multiply.outer(X_way, y_way),
            self.yy + sign * other.yy + between * float(np.vdot(y_way, y_way)),
        )

    def data(self, n_samples: int, fit_intercept: bool, dtype: np.dtype) -> "SummedData":
        """Return data that have these sums, with weights that sum to the number of samples."""
        XX, Xy, yy = self.XX, self.Xy, self.yy
        X_offset, y_offset = self.X_mean.astype(dtype), np.asarray(self.y_mean).astype(dtype)[()]
        if not fit_intercept:
            X_offset, y_offset = np.zeros_like(X_offset), np.zeros_like(y_offset)[()]
            XX = XX + np.multiply.outer(self.weight * self.X_mean, self.X_mean)
            Xy = Xy + self.weight * np.multiply.outer(self.X_mean, self.y_mean)
            yy = yy + self.weight * float(np.vdot(self.y_mean, self.y_mean))
        scale = n_samples / self.weight
        if scale != 1:
            XX, Xy, yy = XX * scale, Xy * scale, yy * scale
        return SummedData(n_samples, X_offset, y_offset, XX, Xy, yy)


@dataclass(frozen=True, slots=True)
class SummedData:
    """Samples and their target, or several, known by inner products; `DenseData` has the same attributes."""

    n_samples: int
    X_offset: np.ndarray
    y_offset: Any
    XX: np.ndarray
    Xy: np.ndarray
    yy: float

    def residual(self, target: int | slice, penalties: np.ndarray, tol: float, *, in_turn: bool = True) -> GramResidual:
        """Return the residual of all that there is of y."""
        return GramResidual(self.XX, self.Xy, self.yy, self.XX.diagonal().copy())


def inner_product(a: np.ndarray, b: np.ndarray) -> float:
    """Return the sum of the products of all elements of two arrays of one shape.

    Not by BLAS, whose threads would go on spinning for a while, where those of a kernel are to run.
    """
    axes = list(range(a.ndim))
    return float(np.einsum(a, axes, b, axes, []))
