# cython: boundscheck=False, wraparound=False, cdivision=True
"""Coordinate descent on rows of the Gram matrix: covariance updates (Friedman et al., 2010).

All products with the residual are kept up to date, which takes the row of X.T @ X of a feature that moves, and no look
at the samples.
"""

import numpy as np

from libc.string cimport memcpy

from fastml.linear_model._coordinate_descent cimport Residual
from fastml.linear_model._vector_kernels cimport axpy, table

from fastml._core import vector_kernels


cdef class GramResidual(Residual):
    """Products with the residual, by the Gram matrix.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features), float64
        X.T @ X.
    Xy : ndarray of shape (n_features,), float64
        X.T @ y.
    y_norm2 : float
        y @ y.
    norms2 : ndarray of shape (n_features,), float64
        The diagonal of the Gram matrix.
    measure : callable or None
        Takes weights; returns X.T @ r and (r @ r, r @ y) of their residual r, from the data. Where it is given, gaps
        are measured by it: sums of the Gram matrix leave nothing of a gap of a few eps times y @ y.
    """

    cdef:
        object measure
        const void* kernels
        const double[:, ::1] gram
        const double[::1] Xy
        double[::1] current

    def __init__(self, gram, Xy, double y_norm2, norms2, measure=None):
        if gram.shape != (len(Xy), len(Xy)) or norms2.shape != Xy.shape:
            raise ValueError(f"GramResidual: shapes differ: {gram.shape}, {Xy.shape}, {norms2.shape}.")
        self.n_features = Xy.shape[0]
        self.gram = gram
        self.measure = measure
        self.Xy = Xy
        self.y_norm2 = y_norm2
        self.norms2 = norms2
        self.current = np.empty(self.n_features)
        self.work = self.n_features
        self.kernels = table(vector_kernels(np.dtype(np.float64)), <double> 0)

    cdef int restart(self, const double* w) except -1 nogil:
        cdef Py_ssize_t j
        memcpy(&self.current[0], &self.Xy[0], self.n_features * sizeof(double))
        for j in range(self.n_features):
            if w[j] != 0:
                self.move(j, w[j])
        return 0

    cdef double product(self, Py_ssize_t j) noexcept nogil:
        return self.current[j]

    cdef int move(self, Py_ssize_t j, double step) except -1 nogil:
        axpy(self.kernels, self.n_features, -step, &self.gram[j, 0], &self.current[0])
        return 0

    cdef int products(self, const double* w, double* out, double* sums) except -1 nogil:
        cdef:
            Py_ssize_t j
            double Xyw = 0, rXw = 0
        if self.measure is not None:
            with gil:
                products, (sums[0], sums[1]) = self.measure(np.array(<const double[:self.n_features]> w))
                np.copyto(np.asarray(self.current), products)
        else:
            for j in range(self.n_features):
                Xyw += self.Xy[j] * w[j]
                rXw += self.current[j] * w[j]
            sums[0] = self.y_norm2 - Xyw - rXw
            sums[1] = self.y_norm2 - Xyw
        memcpy(out, &self.current[0], self.n_features * sizeof(double))
        return 0
