"""Truncated singular value decomposition, of sparse samples above all."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn.decomposition
from scipy.sparse.linalg import svds
from sklearn.base import _fit_context
from sklearn.utils import check_array, check_random_state
from sklearn.utils._arpack import _init_arpack_v0
from sklearn.utils.extmath import svd_flip
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import check_is_fitted, validate_data

from fastml._core import all_finite
from fastml._support import threads, validation
from fastml._support.arrays import of_numpy
from fastml._support.dispatch import accelerated
from fastml._support.serial_blas import serial_blas
from fastml.decomposition._products import Dense, Sparse, products_of
from fastml.decomposition._randomized import randomized_svd

FLOATS = (np.float32, np.float64)


class TruncatedSVD(sklearn.decomposition.TruncatedSVD):
    __doc__ = sklearn.decomposition.TruncatedSVD.__doc__

    @accelerated(of_numpy())
    def fit(self, X, y=None):
        self.fit_transform(X)
        return self

    @accelerated(of_numpy())
    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        given = validate_data(self, X, accept_sparse=["csr", "csc"], ensure_min_features=2)
        # What scikit-learn draws is float64, and so are its products with other numbers.
        X = given if given.dtype in FLOATS else given.astype(np.float64)
        matrix = products_of(X)
        U, S, components = self._decompose(given, matrix)
        exact = self.algorithm == "arpack" and self.tol == 0
        # With an approximation, X V is not U S.
        transformed = U * S if exact else matrix.times(components.T)
        variance = np.var(transformed, axis=0)
        total = (mean_variance_axis(given, axis=0)[1] if sp.issparse(given) else np.var(given, axis=0)).sum()

        self.components_ = components
        self.explained_variance_ = variance
        self.explained_variance_ratio_ = variance / total
        self.singular_values_ = S
        return transformed

    def _decompose(self, given: Any, matrix: Dense | Sparse) -> tuple[Any, np.ndarray, np.ndarray]:
        """Return U, the singular values and the components; U only where ARPACK has been asked.

        ``given`` are the validated samples and ``matrix`` the products of the same as floats.
        """
        random_state = check_random_state(self.random_state)
        if self.algorithm == "arpack":
            v0 = _init_arpack_v0(min(matrix.shape), random_state)
            # One column at a time is over before a second thread is awake: SciPy's products are as quick, and BLAS only
            # gets small matrices between them.
            with serial_blas(threads.for_pass(given.nnz) if sp.issparse(given) else 1):
                U, S, components = svds(given, k=self.n_components, tol=self.tol, v0=v0)
            U, components = svd_flip(U[:, ::-1], components[::-1], u_based_decision=False)
            return U, S[::-1], components
        if self.n_components > matrix.shape[1]:
            raise ValueError(f"n_components({self.n_components}) must be <= n_features({matrix.shape[1]}).")
        _, S, components = randomized_svd(
            matrix,
            self.n_components,
            n_oversamples=self.n_oversamples,
            n_iter=self.n_iter,
            power_iteration_normalizer=self.power_iteration_normalizer,
            random_state=random_state,
            left=False,
        )
        _, components = svd_flip(None, components, u_based_decision=False)
        return None, S, components

    @accelerated(of_numpy("components_"))
    def transform(self, X):
        if "components_" not in self.__dict__:
            check_is_fitted(self)
        if not (
            _is_plain_csr(X)
            and X.shape[1] == getattr(self, "n_features_in_", -1)
            and not hasattr(self, "feature_names_in_")
        ):
            X = validation.validate(
                self, X, reset=False, sparse=("csr", "csc"), dtype="numeric", order=None, large_sparse=True
            )
        components = self.components_
        kind = np.result_type(X.dtype, components.dtype)
        if kind not in FLOATS or not sp.issparse(X) or X.shape[1:] != components.shape[1:] or not len(components):
            return X @ components.T
        return products_of(X.astype(kind, copy=False)).times(components.T.astype(kind, copy=False))

    @accelerated(of_numpy("components_"))
    def inverse_transform(self, X):
        return (X if validation.is_plain(X) else check_array(X)) @ self.components_


def _is_plain_csr(X: Any) -> bool:
    """Tell whether X is what scikit-learn's checks would return as it is."""
    if type(X) not in (sp.csr_array, sp.csr_matrix) or X.ndim != 2 or X.dtype not in FLOATS:
        return False
    values = X.data
    return (
        0 not in X.shape
        and values.dtype.isnative
        and values.flags.c_contiguous
        and values.flags.aligned
        and all_finite(values, threads.for_pass(values.size))
    )
