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
    Xy : ndarray of shape (n_features,) or (n_features, n_tasks), float64
        X.T @ y.
    y_norm2 : float
        The sum of the squares of y.
    norms2 : ndarray of shape (n_features,), float64
        The diagonal of the Gram matrix.
    measure : callable or None
        Takes weights of the shape of Xy; returns X.T @ r and (r @ r, r @ y) of their residual r, from the data. Where
        it is given, gaps are measured by it: sums of the Gram matrix leave nothing of a gap of a few eps times y @ y.
    """

    cdef:
        object measure, shape
        const void* kernels
        const double[:, ::1] gram
        const double[:, ::1] Xy  # task after task
        double[:, ::1] current

    def __init__(self, gram, Xy, double y_norm2, norms2, measure=None):
        if gram.shape != (len(Xy), len(Xy)) or norms2.shape != Xy.shape[:1] or Xy.ndim > 2:
            raise ValueError(f"GramResidual: shapes differ: {gram.shape}, {Xy.shape}, {norms2.shape}.")
        self.n_features = Xy.shape[0]
        self.gram = gram
        self.measure = measure
        self.shape = Xy.shape
        self.Xy = np.ascontiguousarray(Xy.reshape(len(Xy), -1).T)
        self.n_tasks = self.Xy.shape[0]
        self.y_norm2 = y_norm2
        self.norms2 = norms2
        self.current = np.empty((self.n_tasks, self.n_features))
        self.work = self.n_features * self.n_tasks
        self.kernels = table(vector_kernels(np.dtype(np.float64)), <double> 0)

    cdef int restart(self, const double* w) except -1 nogil:
        cdef Py_ssize_t j
        memcpy(&self.current[0, 0], &self.Xy[0, 0], self.n_tasks * self.n_features * sizeof(double))
        for j in range(self.n_features):
            self.move_tasks(j, w + j * self.n_tasks)
        return 0

    cdef double product(self, Py_ssize_t j) noexcept nogil:
        return self.current[0, j]

    cdef void task_products(self, Py_ssize_t j, double* out) noexcept nogil:
        cdef Py_ssize_t t
        for t in range(self.n_tasks):
            out[t] = self.current[t, j]

    cdef int move(self, Py_ssize_t j, double step) except -1 nogil:
        axpy(self.kernels, self.n_features, -step, &self.gram[j, 0], &self.current[0, 0])
        return 0

    cdef int move_tasks(self, Py_ssize_t j, const double* steps) except -1 nogil:
        cdef Py_ssize_t t
        for t in range(self.n_tasks):
            if steps[t] != 0:
                axpy(self.kernels, self.n_features, -steps[t], &self.gram[j, 0], &self.current[t, 0])
        return 0

    cdef int products(self, const double* w, double* out, double* sums) except -1 nogil:
        cdef:
            Py_ssize_t n_tasks = self.n_tasks, j, t
            double Xyw = 0, rXw = 0
        if self.measure is not None:
            with gil:
                weights = np.array(<const double[:self.n_features * n_tasks]> w).reshape(self.shape)
                products, (sums[0], sums[1]) = self.measure(weights)
                np.copyto(np.asarray(self.current), products.T)
        else:
            for j in range(self.n_features):
                for t in range(n_tasks):
                    Xyw += self.Xy[t, j] * w[j * n_tasks + t]
                    rXw += self.current[t, j] * w[j * n_tasks + t]
            sums[0] = self.y_norm2 - Xyw - rXw
            sums[1] = self.y_norm2 - Xyw
        for j in range(self.n_features):
            for t in range(n_tasks):
                out[j * n_tasks + t] = self.current[t, j]
        return 0
