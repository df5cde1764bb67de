"""Principal component analysis."""

from math import log, pi, sqrt
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.decomposition
from scipy.sparse.linalg import svds
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._arpack import _init_arpack_v0
from sklearn.utils.extmath import fast_logdet, svd_flip
from sklearn.utils.sparsefuncs import _implicit_column_offset, mean_variance_axis
from sklearn.utils.validation import check_is_fitted

from fastml._support import validation
from fastml._support.arrays import of_numpy
from fastml._support.dispatch import accelerated, of_sklearn
from fastml._support.serial_blas import serial_blas
from fastml.decomposition._covariance import centered_products, threads_worth
from fastml.decomposition._dimension import infer_dimension
from fastml.decomposition._randomized import randomized_svd
from fastml.decomposition._singular_values import center, lapack_threads, right_singular_vectors
from fastml.decomposition._spectrum import Spectrum
from fastml.decomposition._transforming import OWN_PROJECTION, Transforming

SCORED_VALUES = 1 << 17
"""Values of samples whose likelihoods are computed at a time: they stay in the cache."""

WIDE = 256
"""Features from which the covariance matrix of float32 samples is decomposed in float32, as scikit-learn does: below,
float64 costs little."""


OWN_FITS = of_sklearn("_fit", "_fit_full", "_fit_truncated")
"""Classes derived from it may define anew how it is fitted."""


class PCA(Transforming, sklearn.decomposition.PCA):
    __doc__ = sklearn.decomposition.PCA.__doc__

    @accelerated(of_numpy(), OWN_FITS)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        self._decompose(X, scores=False)
        return self

    @accelerated(of_numpy(), OWN_FITS, OWN_PROJECTION)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        X, scores = self._decompose(X, scores=True)
        return self._project(X) if scores is None else scores

    def _decompose(self, X: Any, *, scores: bool) -> tuple[Any, np.ndarray | None]:
        """Fit. Return the samples, and if they are asked for their scores, where the solver has them at hand."""
        if sp.issparse(X) and self.svd_solver not in ["auto", "arpack", "covariance_eigh"]:
            raise TypeError(
                'PCA only support sparse inputs with the "arpack" and'
                f' "covariance_eigh" solvers, while "{self.svd_solver}" was passed. See'
                " TruncatedSVD for a possible alternative."
            )
        samples = self._validated(X, check_finite=False)
        solver = self._fit_svd_solver = self._choose_solver(samples)
        n_components = self.n_components
        if n_components is None:
            n_components = min(samples.shape) - (solver == "arpack")
        if solver != "covariance_eigh" and not sp.issparse(samples) and not validation.is_plain(samples):
            self._validated(X)
        try:
            if solver in ("full", "covariance_eigh"):
                self._check_full(n_components, samples.shape)
            else:
                self._check_truncated(n_components, samples.shape)
        except ValueError:
            # Values that are not finite come first.
            self._validated(X)
            raise
        if solver == "covariance_eigh":
            self._fit_covariance(X, samples, n_components)
            return samples, None
        if solver == "full":
            return samples, self._fit_singular_values(samples, n_components, scores)
        return samples, self._fit_some(samples, n_components, scores)

    def _validated(self, X: Any, *, check_finite: bool = True) -> Any:
        # The part of a file that is an array is plain, but for its name.
        X = np.asarray(X) if type(X) is np.memmap else X
        return validation.validate(
            self, X, reset=True, sparse=("csr", "csc"), order=None, large_sparse=True, check_finite=check_finite
        )

    def _choose_solver(self, X: Any) -> str:
        if self.svd_solver != "auto":
            return self.svd_solver
        if sp.issparse(X):
            return "arpack"
        n, d = X.shape
        if d <= 1_000 and n >= 10 * d:
            return "covariance_eigh"
        if max(X.shape) <= 500 or self.n_components == "mle":
            return "full"
        n_components = min(X.shape) if self.n_components is None else self.n_components
        return "randomized" if 1 <= n_components < 0.8 * min(X.shape) else "full"

    def _check_full(self, n_components: Any, shape: tuple[int, int]) -> None:
        n_samples, n_features = shape
        if n_components == "mle":
            if n_samples < n_features:
                raise ValueError("n_components='mle' is only supported if n_samples >= n_features")
        elif not 0 <= n_components <= min(shape):
            raise ValueError(
                f"n_components={n_components} must be between 0 and min(n_samples, n_features)={min(shape)} with "
                f"svd_solver={self._fit_svd_solver!r}"
            )

    def _check_truncated(self, n_components: Any, shape: tuple[int, int]) -> None:
        solver, most = self._fit_svd_solver, min(shape)
        if isinstance(n_components, str):
            raise ValueError(f"n_components={n_components!r} cannot be a string with svd_solver='{solver}'")
        if not 1 <= n_components <= most:
            raise ValueError(
                f"n_components={n_components!r} must be between 1 and min(n_samples, n_features)={most!r} with "
                f"svd_solver='{solver}'"
            )
        if solver == "arpack" and n_components == most:
            raise ValueError(
                f"n_components={n_components!r} must be strictly less than min(n_samples, n_features)={most!r} with "
                f"svd_solver='{solver}'"
            )

    def _fit_covariance(self, given: Any, X: Any, n_components: Any) -> None:
        n, d = X.shape
        kind = X.dtype.type
        products, mean = centered_products(X, widen=False)
        if not np.isfinite(products.diagonal()).all():
            # An error, unless values are too large for their squares: LAPACK's then.
            self._validated(given)
        noise: Any = 0.0
        with serial_blas(threads_worth(n, d)):
            # A single sample has no covariance: LAPACK's error.
            spectrum = Spectrum(np.divide(products, n - 1, out=products), np.float64 if d <= WIDE else kind)
            if n_components == "mle" or 0 < n_components < 1:
                variances = spectrum.values.astype(kind)
                n_components = self._suggested(n_components, variances, n)
            values, components = spectrum.leading(int(n_components))
            if n_components < min(d, n):
                noise = kind(spectrum.rest(values) / (d - n_components))
        _, components = svd_flip(None, components, u_based_decision=False)
        self.mean_ = mean.astype(kind)
        self._set(
            n,
            n_components,
            components=components.astype(kind, copy=False),
            variances=values.astype(kind, copy=False),
            ratios=(values / spectrum.trace).astype(kind, copy=False),
            singular=np.sqrt(values * (n - 1)).astype(kind, copy=False),
            noise=noise,
        )

    def _suggested(self, n_components: Any, variances: np.ndarray, n_samples: int) -> Any:
        """Return the number of components that the data suggest, or that explain a part of their variance."""
        if n_components == "mle":
            return infer_dimension(variances, n_samples)
        if 0 < n_components < 1:
            parts = np.cumsum(variances / variances.sum())
            return np.searchsorted(parts, parts.dtype.type(n_components), side="right") + 1
        return n_components

    def _fit_singular_values(self, X: np.ndarray, n_components: Any, scores: bool) -> np.ndarray | None:
        n, d = X.shape
        centered, self.mean_ = center(X, copy=self.copy)
        # Scores of variance 1, that of components without any included, are only had from the left vectors.
        with lapack_threads(n, d):
            U, S, Vt = right_singular_vectors(centered, left=scores and self.whiten)
        U, Vt = svd_flip(U, Vt, u_based_decision=False)
        variances = S**2 / (n - 1)
        ratios = variances / variances.sum()
        n_components = self._suggested(n_components, variances, n)
        k = int(n_components)
        self._set(
            n,
            n_components,
            components=Vt[:k].copy(),
            variances=variances[:k].copy(),
            ratios=ratios[:k].copy(),
            singular=S[:k].copy(),
            noise=variances[k:].mean() if k < min(d, n) else 0.0,
        )
        if not scores:
            return None
        return centered @ self.components_.T if U is None else self._scores(U[:, :k])

    def _scores(self, U: np.ndarray) -> np.ndarray:
        """Return the scores of samples by their left singular vectors, which are overwritten."""
        return np.multiply(U, sqrt(self.n_samples_ - 1) if self.whiten else self.singular_values_, out=U)

    def _fit_some(self, X: Any, n_components: int, scores: bool) -> np.ndarray | None:
        """Fit by solvers that find some of the singular vectors."""
        n, d = X.shape
        random_state = check_random_state(self.random_state)
        if sp.issparse(X):
            self.mean_, variances = mean_variance_axis(X, axis=0)
            total = variances.sum() * n / (n - 1)
            centered = _implicit_column_offset(X, self.mean_)
        else:
            centered, self.mean_ = center(X, copy=self.copy)
            total = X.dtype.type(np.einsum("ij,ij->", centered, centered, dtype=np.float64) / (n - 1))
        if self._fit_svd_solver == "arpack":
            U, S, Vt = svds(centered, k=n_components, tol=self.tol, v0=_init_arpack_v0(min(X.shape), random_state))
            # In ascending order.
            U, S, Vt = U[:, ::-1], S[::-1], Vt[::-1]
        else:
            U, S, Vt = randomized_svd(
                centered,
                n_components,
                n_oversamples=self.n_oversamples,
                n_iter=self.iterated_power,
                power_iteration_normalizer=self.power_iteration_normalizer,
                random_state=random_state,
                left=scores,
            )
        U, Vt = svd_flip(U, Vt, u_based_decision=False)
        variances = S**2 / (n - 1)
        noise: Any = 0.0
        if n_components < min(d, n):
            noise = (total - variances.sum()) / (min(d, n) - n_components)
        self._set(
            n,
            n_components,
            components=Vt,
            variances=variances,
            ratios=variances / total,
            singular=S.copy(),
            noise=noise,
        )
        return self._scores(U) if scores else None

    def _set(
        self,
        n_samples: int,
        n_components: Any,
        *,
        components: np.ndarray,
        variances: np.ndarray,
        ratios: np.ndarray,
        singular: np.ndarray,
        noise: Any,
    ) -> None:
        self.noise_variance_ = noise
        self.n_samples_ = n_samples
        self.n_components_ = n_components
        self.components_ = components
        self.explained_variance_ = variances
        self.explained_variance_ratio_ = ratios
        self.singular_values_ = singular

    @accelerated(of_numpy("components_"))
    def score_samples(self, X):
        check_is_fitted(self)
        X = validation.validate(self, X, reset=False, sparse=False, order=None, large_sparse=True)
        n, d = X.shape
        precision = self.get_precision()
        squares = np.empty(n, np.result_type(X, self.mean_, precision))
        size = max(SCORED_VALUES // d, 1)
        for begin in range(0, n, size):
            deviations = X[begin : begin + size] - self.mean_
            np.einsum("ij,ij->i", deviations, deviations @ precision, out=squares[begin : begin + size])
        squares *= -0.5
        squares -= 0.5 * (d * log(2.0 * pi) - fast_logdet(precision))
        return squares

    @accelerated(of_numpy("components_"))
    def score(self, X, y=None):
        return float(np.mean(self.score_samples(X)))
