"""Principal component analysis, one batch of samples after the other."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.decomposition
from sklearn.base import _fit_context
from sklearn.utils import gen_batches
from sklearn.utils.validation import validate_data

from fastml._support import validation
from fastml._support.arrays import of_numpy
from fastml._support.dispatch import Condition, accelerated
from fastml.decomposition._merging import Summary, merged
from fastml.decomposition._singular_values import lapack_threads
from fastml.decomposition._transforming import Transforming


def _batches_are_ours(estimator: Any, *args: Any, **kwargs: Any) -> bool:
    return type(estimator).partial_fit is IncrementalPCA.partial_fit


OWN_BATCHES = Condition("our partial_fit", _batches_are_ours)
"""scikit-learn's fit is made of calls of it."""


class IncrementalPCA(Transforming, sklearn.decomposition.IncrementalPCA):
    __doc__ = sklearn.decomposition.IncrementalPCA.__doc__

    @accelerated(of_numpy(), OWN_BATCHES)
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        samples = self._samples(X)
        n_samples, n_features = samples.shape
        self.batch_size_ = 5 * n_features if self.batch_size is None else self.batch_size
        summary: Summary | None = None
        with lapack_threads(min(self.batch_size_, n_samples), n_features):
            for batch in gen_batches(n_samples, self.batch_size_, min_batch_size=self.n_components or 0):
                part = samples[batch]
                if sp.issparse(part):
                    part = part.toarray()
                elif part.dtype.kind != "f":
                    part = part.astype(np.float64)
                n_components = self._count_components(part, summary, first=False)
                following = merged(summary, part, n_components)
                if following is None:
                    # An error, unless values are too large for their squares, or must not be checked.
                    self._checked(X, reset=True)
                    following = merged(summary, part, n_components, checked=True)
                summary = following
        assert summary is not None
        self._set(summary)
        return self

    @accelerated(of_numpy())
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, check_input=True):
        first = not hasattr(self, "components_")
        given = X
        if check_input:
            if sp.issparse(X):
                raise TypeError(
                    "IncrementalPCA.partial_fit does not support sparse input. Either convert data to dense "
                    "or use IncrementalPCA.fit to do so in batches."
                )
            X = validation.validate(self, _array(X), reset=first, sparse=False, order=None, check_finite=False)
        summary = None if first or self.components_ is None else self._summary()
        n_components = self._count_components(X, summary, first=first)
        with lapack_threads(*X.shape):
            following = merged(summary, X, n_components)
            if following is None:
                if check_input:
                    self._checked(given, reset=first)
                following = merged(summary, X, n_components, checked=True)
        assert following is not None
        self._set(following)
        return self

    def _samples(self, X: Any) -> Any:
        """Return all samples of a fit, without reading them where they need no conversion."""
        X = _array(X)
        if type(X) is np.ndarray and X.ndim == 2 and X.size and X.dtype.kind in "iub":
            # Batches become floats one by one. They are finite, and one row has as many features as all.
            validation.validate(self, X[:1].astype(np.float64), reset=True, sparse=False)
            return X
        sparse = ("csr", "csc", "lil")
        X = validation.validate(self, X, reset=True, sparse=sparse, order=None, large_sparse=True, check_finite=False)
        return X.tocsr() if sp.issparse(X) else X

    def _checked(self, X: Any, *, reset: bool) -> None:
        validate_data(self, X, accept_sparse=("csr", "csc", "lil"), dtype=[np.float64, np.float32], reset=reset)

    def _count_components(self, X: np.ndarray, summary: Summary | None, *, first: bool) -> int:
        """Return the number of components to keep, with scikit-learn's errors."""
        n_samples, n_features = X.shape
        before = None if summary is None else len(summary.components)
        if self.n_components is None:
            return min(n_samples, n_features) if before is None else before
        if self.n_components > n_features:
            raise ValueError(
                f"n_components={self.n_components!r} invalid for n_features={n_features}, need more rows than columns "
                "for IncrementalPCA processing"
            )
        if self.n_components > n_samples and first:
            raise ValueError(
                f"n_components={self.n_components} must be less or equal to the batch number of samples {n_samples} "
                "for the first partial_fit call."
            )
        if before is not None and before != self.n_components:
            raise ValueError(
                f"Number of input features has changed from {before} to {self.n_components} between calls to "
                "partial_fit! Try setting n_components to a fixed value."
            )
        return self.n_components

    def _summary(self) -> Summary:
        return Summary(
            n_components=self.n_components_,
            count=self.n_samples_seen_,
            mean=self.mean_,
            variances=self.var_,
            components=self.components_,
            singular_values=self.singular_values_,
        )

    def _set(self, summary: Summary) -> None:
        self.n_components_ = summary.n_components
        self.n_samples_seen_ = summary.count
        self.mean_ = summary.mean
        self.var_ = summary.variances
        self.components_ = summary.components
        self.singular_values_ = summary.singular_values
        self.explained_variance_ = summary.explained_variances
        self.explained_variance_ratio_ = summary.explained_ratios
        self.noise_variance_ = summary.noise


def _array(X: Any) -> Any:
    """Return the array that a file is mapped to, which is plain but for its name."""
    return np.asarray(X) if type(X) is np.memmap else X
