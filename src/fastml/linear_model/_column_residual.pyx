# cython: boundscheck=False, wraparound=False, cdivision=True
"""Coordinate descent on the columns of X themselves, dense or sparse.

A product with the residual costs a pass over a column, so that those that cannot matter are left out: between two
computations of X[:, j] @ r, r has moved by no more than the lengths of the steps since, and by Cauchy and Schwarz the
product by no more than that times the length of the column. Where even so it stays below the penalty, a weight of zero
stays zero, and nothing is computed. The same holds of lengths over several tasks; their residuals lie one after the
other, so that every pass is over samples.

The lengths of many steps add up to far more than the distance they lead to: they go in all directions. So now and then
all products are computed and the residual is kept, and its distance from what was kept bounds how far a product can be
from that one. This is done for one task only.
"""

import numpy as np

from cython cimport floating
from libc.math cimport INFINITY, fabs, sqrt
from libc.stdint cimport int32_t, uint32_t
from libc.string cimport memcpy

from fastml.linear_model._coordinate_descent cimport Residual
from fastml.linear_model._vector_kernels cimport axpy, dot, sparse_axpy, sparse_dot, squared_norm, table

from fastml._core import vector_kernels

STEPS_BETWEEN_RESTARTS = {"f": 100, "d": 10_000}
"""Steps after which the residual is computed anew when the next penalty begins, for each type of the data. Each step
rounds it once. scikit-learn starts every penalty with a new one: on long paths of small steps, half the time."""

cdef Py_ssize_t STEPS_PER_DISTANCE = 8  # steps after which the distance is worth a pass over the residual


cdef class ColumnResidual(Residual):
    """What dense and sparse columns have in common: the residual, and the bounds."""

    cdef:
        object arrays  # keeps what the pointers lead to
        bint is_double
        const void* kernels
        Py_ssize_t n_samples
        void* r
        const void* y
        double[::1] norms  # lengths of the columns
        double[:, ::1] known  # the products of the tasks when they were computed last
        double[::1] known_at  # the way the residual had gone by then
        double way
        void* kept_r  # a residual that was kept,
        double[::1] kept  # the products with it,
        double distance  # and how far from it the residual was
        double distance_way  # when it had gone this way,
        Py_ssize_t distance_steps  # and taken as many steps
        Py_ssize_t looks  # products computed since
        Py_ssize_t sweeps, sweeps_between_keeps
        bint is_kept
        Py_ssize_t steps, steps_between_restarts
        bint started

    def __init__(self, y, norms2, *arrays):
        cdef:
            float[::1] r32
            double[::1] r64
        if norms2.dtype != np.float64 or y.dtype.char not in "fd" or not y.flags.c_contiguous:
            raise ValueError("ColumnResidual: expected y of float32 or float64 and norms2 of float64.")
        r, kept_r = np.empty(y.size, dtype=y.dtype), np.empty(y.size, dtype=y.dtype)
        self.sweeps_between_keeps = 1
        self.is_double = y.dtype == np.float64
        self.n_tasks, self.n_samples = np.atleast_2d(y).shape
        self.n_features = norms2.shape[0]
        self.y_norm2 = np.vdot(y, y) if self.is_double else np.vdot(y.astype(np.float64), y.astype(np.float64))
        self.norms2 = norms2
        self.norms = np.sqrt(norms2)
        self.known = np.empty((self.n_features, self.n_tasks))
        self.kept = np.empty(self.n_features)
        self.known_at = np.full(self.n_features, -INFINITY)
        self.steps_between_restarts = STEPS_BETWEEN_RESTARTS[y.dtype.char]
        self.arrays = (y, r, kept_r, *arrays)
        capsule = vector_kernels(y.dtype)
        if self.is_double:
            r64 = r
            self.r = &r64[0]
            self.kernels = table(capsule, <double> 0)
        else:
            r32 = r
            self.r = &r32[0]
            self.kernels = table(capsule, <float> 0)
        self.y = <const void*> <size_t> y.ctypes.data
        self.kept_r = <void*> <size_t> kept_r.ctypes.data

    cdef void begin_sweep(self, const uint32_t* active, Py_ssize_t n_active) noexcept nogil:
        cdef Py_ssize_t visit, j
        self.sweeps += 1
        if self.is_kept and self.sweeps == 1:
            # What was kept did not serve the sweep after it: the residual moves too fast, for some time to come.
            self.sweeps_between_keeps = 2 * self.sweeps_between_keeps if 2 * self.looks > n_active else 1
        if self.looks < n_active or self.sweeps < self.sweeps_between_keeps:
            return
        self.kept[:] = INFINITY  # of features that are left out for this penalty, and come back for the next
        for visit in range(n_active):
            j = active[visit]
            self.kept[j] = self.product(j)
        self.keep()
        self.distance = 0
        self.distance_way = self.way
        self.distance_steps = self.steps
        self.is_kept = True
        self.looks = 0
        self.sweeps = 0

    cdef bint is_below(self, Py_ssize_t j, bint positive) noexcept nogil:
        cdef double known = self.known[j, 0] if positive else fabs(self.known[j, 0])
        if self.n_tasks > 1:
            known = sqrt(sum_of_squares(self.n_tasks, &self.known[j, 0]))
        if known + self.norms[j] * (self.way - self.known_at[j]) < self.threshold:
            return True
        if not self.is_kept:
            return False
        known = self.kept[j] if positive else fabs(self.kept[j])
        if self.is_near(j, known):
            return True
        if self.steps - self.distance_steps < STEPS_PER_DISTANCE:
            return False
        self.distance = sqrt(self.squared_distance())
        self.distance_way = self.way
        self.distance_steps = self.steps
        return self.is_near(j, known)

    cdef bint is_near(self, Py_ssize_t j, double known) noexcept nogil:
        return known + self.norms[j] * (self.distance + self.way - self.distance_way) < self.threshold

    cdef double product(self, Py_ssize_t j) noexcept nogil:
        self.update(j)
        return self.known[j, 0]

    cdef void task_products(self, Py_ssize_t j, double* out) noexcept nogil:
        self.update(j)
        memcpy(out, &self.known[j, 0], self.n_tasks * sizeof(double))

    cdef void update(self, Py_ssize_t j) noexcept nogil:
        cdef Py_ssize_t t
        if self.known_at[j] != self.way:
            for t in range(self.n_tasks):
                self.known[j, t] = self.column_product(j, t)
            self.looks += 1
            self.patience -= self.n_tasks
            self.known_at[j] = self.way

    cdef int move(self, Py_ssize_t j, double step) except -1 nogil:
        self.subtract(j, 0, step)
        self.patience -= 1
        self.way += fabs(step) * self.norms[j]
        self.steps += 1
        return 0

    cdef int move_tasks(self, Py_ssize_t j, const double* steps) except -1 nogil:
        cdef Py_ssize_t t
        for t in range(self.n_tasks):
            if steps[t] != 0:
                self.subtract(j, t, steps[t])
        self.patience -= self.n_tasks
        self.way += sqrt(sum_of_squares(self.n_tasks, steps)) * self.norms[j]
        self.steps += 1
        return 0

    cdef int restart(self, const double* w) except -1 nogil:
        cdef Py_ssize_t j, t
        if self.started and self.steps < self.steps_between_restarts:
            return 0
        self.reset()
        for j in range(self.n_features):
            for t in range(self.n_tasks):
                if w[j * self.n_tasks + t] != 0:
                    self.subtract(j, t, w[j * self.n_tasks + t])
        self.known_at[:] = -INFINITY
        self.is_kept = False
        self.started = True
        self.steps = 0
        return 0

    cdef int products(self, const double* w, double* out, double* sums) except -1 nogil:
        cdef Py_ssize_t j
        for j in range(self.n_features):
            self.task_products(j, out + j * self.n_tasks)
        self.sum_up(sums)
        return 0

    cdef double column_product(self, Py_ssize_t j, Py_ssize_t task) noexcept nogil:
        return 0.0

    cdef void subtract(self, Py_ssize_t j, Py_ssize_t task, double step) noexcept nogil:
        pass

    cdef void reset(self) noexcept nogil:
        cdef Py_ssize_t size = self.n_tasks * self.n_samples
        memcpy(self.r, self.y, size * (sizeof(double) if self.is_double else sizeof(float)))

    cdef void sum_up(self, double* sums) noexcept nogil:
        pass

    cdef void keep(self) noexcept nogil:
        """Keep the residual as it is now."""
        memcpy(self.kept_r, self.r, self.n_samples * (sizeof(double) if self.is_double else sizeof(float)))

    cdef double squared_distance(self) noexcept nogil:
        """The square of the way from what was kept to the residual."""
        return self.weighed_distance(NULL, 0)

    cdef double weighed_distance(self, const void* weights, double shift) noexcept nogil:
        if self.is_double:
            return distance2[double](
                self.n_samples, <const double*> self.r, <const double*> self.kept_r, <const double*> weights, shift
            )
        return distance2[float](
            self.n_samples, <const float*> self.r, <const float*> self.kept_r, <const float*> weights, shift
        )


cdef class DenseResidual(ColumnResidual):
    """Dense columns, centred and weighted already.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
        Fortran-contiguous.
    y : ndarray of shape (n_samples,) or (n_tasks, n_samples)
        Of the type of X.
    norms2 : ndarray of shape (n_features,), float64
        Squared lengths of the columns.
    patience : float
        Passes over a column after which the Gram matrix should take over.
    by_gram : callable
        Returns the residual by the Gram matrix.
    """

    cdef const char* X
    cdef Py_ssize_t stride
    cdef object by_gram

    def __init__(self, X, y, norms2, double patience=INFINITY, by_gram=None):
        if not X.flags.f_contiguous or X.dtype != y.dtype or X.shape != (y.T.shape[0], norms2.shape[0]):
            raise ValueError(f"DenseResidual: expected Fortran-contiguous X of {y.dtype}, given {X.dtype}, {X.shape}.")
        super().__init__(y, norms2, X)
        self.X = <const char*> <size_t> X.ctypes.data
        self.stride = X.shape[0] * X.itemsize
        self.work = X.shape[0] * self.n_tasks
        self.patience = patience
        self.by_gram = by_gram

    cdef Residual successor(self):
        return self.by_gram()

    cdef double column_product(self, Py_ssize_t j, Py_ssize_t task) noexcept nogil:
        cdef:
            const void* column = self.X + j * self.stride
            Py_ssize_t first = task * self.n_samples
        if self.is_double:
            return dot(self.kernels, self.n_samples, <const double*> column, <const double*> self.r + first)
        return dot(self.kernels, self.n_samples, <const float*> column, <const float*> self.r + first)

    cdef void subtract(self, Py_ssize_t j, Py_ssize_t task, double step) noexcept nogil:
        cdef:
            const void* column = self.X + j * self.stride
            Py_ssize_t first = task * self.n_samples
        if self.is_double:
            axpy(self.kernels, self.n_samples, -step, <const double*> column, <double*> self.r + first)
        else:
            axpy(self.kernels, self.n_samples, -step, <const float*> column, <float*> self.r + first)

    cdef void sum_up(self, double* sums) noexcept nogil:
        cdef Py_ssize_t size = self.n_tasks * self.n_samples
        if self.is_double:
            sums[0] = squared_norm(self.kernels, size, <const double*> self.r)
            sums[1] = dot(self.kernels, size, <const double*> self.r, <const double*> self.y)
        else:
            sums[0] = squared_norm(self.kernels, size, <const float*> self.r)
            sums[1] = dot(self.kernels, size, <const float*> self.r, <const float*> self.y)


cdef class SparseResidual(ColumnResidual):
    """Columns of a CSC matrix, weighted and centred without being written anew.

    With s the weights of the samples and m the means, the columns are sqrt(s) (x - m), and the solver's inner products

        X[:, j] @ r  =  sum over the entries of s x (r + shift)  -  m sum of s (r + shift)

    where r is the residual of the entries alone, and `shift`, a number of each task, what all means add to a sample.
    The second sum never changes, since the columns are centred; the entries' share of the shift is m times that of s.
    So a step costs what its entries cost, where scikit-learn adds m to every sample.

    Parameters
    ----------
    data, indices, indptr : ndarray
        The CSC matrix, of float32 or float64 and int32, times the weights of the samples where there are any.
    plain : ndarray
        The entries without weights: data itself if there are none.
    y : ndarray of shape (n_samples,) or (n_tasks, n_samples)
        Centred, not weighted, of the type of data.
    means, norms2 : ndarray of shape (n_features,), float64
        Weighted means to subtract (zeros: none), and squared lengths of the columns after it.
    sums : ndarray of shape (n_features,), float64
        Sums of data in each column.
    sample_weight : ndarray of shape (n_samples,) or None
        Of the type of data.
    y_norm2 : float
        sum of s y^2.
    """

    cdef:
        const void* data
        const void* plain
        const void* sample_weight
        const int32_t[::1] indices, indptr
        const double[::1] means, sums
        double[::1] shifts, residual_sums
        double kept_shift

    def __init__(self, data, plain, indices, indptr, y, means, norms2, sums, sample_weight, y_norm2):
        if (
            data.dtype != y.dtype
            or plain.dtype != y.dtype
            or data.shape != plain.shape
            or indptr.shape[0] != norms2.shape[0] + 1
            or (sample_weight is not None and (sample_weight.dtype != y.dtype or len(sample_weight) != len(y.T)))
        ):
            raise ValueError(f"SparseResidual: expected arrays of {y.dtype} that fit together, given {data.dtype}.")
        super().__init__(y, norms2, data, plain, sample_weight)
        self.y_norm2 = y_norm2
        self.shifts = np.zeros(self.n_tasks)
        self.residual_sums = np.zeros(self.n_tasks)
        self.data = <const void*> <size_t> data.ctypes.data
        self.plain = <const void*> <size_t> plain.ctypes.data
        self.sample_weight = <const void*> <size_t> (0 if sample_weight is None else sample_weight.ctypes.data)
        self.indices = indices
        self.indptr = indptr
        self.means = means
        self.sums = sums
        self.work = self.n_tasks * (1 + data.shape[0] // max(1, norms2.shape[0]))

    cdef double column_product(self, Py_ssize_t j, Py_ssize_t task) noexcept nogil:
        cdef:
            int32_t first = self.indptr[j]
            Py_ssize_t count = self.indptr[j + 1] - first
            const int* places = <const int*> &self.indices[first]
            const double* r64 = <const double*> self.r + task * self.n_samples
            const float* r32 = <const float*> self.r + task * self.n_samples
            double product
        if self.is_double:
            product = sparse_dot(self.kernels, count, <const double*> self.data + first, places, r64)
        else:
            product = sparse_dot(self.kernels, count, <const float*> self.data + first, places, r32)
        return product + self.shifts[task] * self.sums[j] - self.means[j] * self.residual_sums[task]

    cdef void subtract(self, Py_ssize_t j, Py_ssize_t task, double step) noexcept nogil:
        cdef:
            int32_t first = self.indptr[j]
            Py_ssize_t count = self.indptr[j + 1] - first
            const int* places = <const int*> &self.indices[first]
            double* r64 = <double*> self.r + task * self.n_samples
            float* r32 = <float*> self.r + task * self.n_samples
        if self.is_double:
            sparse_axpy(self.kernels, count, -step, <const double*> self.plain + first, places, r64)
        else:
            sparse_axpy(self.kernels, count, -step, <const float*> self.plain + first, places, r32)
        self.shifts[task] += step * self.means[j]

    cdef void reset(self) noexcept nogil:
        cdef Py_ssize_t n = self.n_samples, task
        ColumnResidual.reset(self)
        self.shifts[:] = 0
        for task in range(self.n_tasks):
            if self.is_double:
                self.residual_sums[task] = weighted_sum[double](
                    n, <double*> self.r + task * n, <double*> self.sample_weight
                )
            else:
                self.residual_sums[task] = weighted_sum[float](
                    n, <float*> self.r + task * n, <float*> self.sample_weight
                )

    cdef void sum_up(self, double* sums) noexcept nogil:
        cdef:
            Py_ssize_t n = self.n_samples, task, first
        sums[0] = 0
        sums[1] = 0
        for task in range(self.n_tasks):
            first = task * n
            if self.is_double:
                add_up[double](
                    n,
                    <double*> self.r + first,
                    <double*> self.y + first,
                    <double*> self.sample_weight,
                    self.shifts[task],
                    sums,
                )
            else:
                add_up[float](
                    n,
                    <float*> self.r + first,
                    <float*> self.y + first,
                    <float*> self.sample_weight,
                    self.shifts[task],
                    sums,
                )

    cdef void keep(self) noexcept nogil:
        ColumnResidual.keep(self)
        self.kept_shift = self.shifts[0]

    cdef double squared_distance(self) noexcept nogil:
        return self.weighed_distance(self.sample_weight, self.shifts[0] - self.kept_shift)


cdef double distance2(
    Py_ssize_t n, const floating* r, const floating* old, const floating* weights, double shift
) noexcept nogil:
    """The weighted sum of (r + shift - old)^2."""
    cdef:
        Py_ssize_t i
        double total = 0, change
    for i in range(n):
        change = <double> r[i] - <double> old[i] + shift
        total += change * change * (<double> weights[i] if weights else 1.0)
    return total


cdef double sum_of_squares(Py_ssize_t n, const double* values) noexcept nogil:
    cdef:
        Py_ssize_t i
        double total = 0
    for i in range(n):
        total += values[i] * values[i]
    return total


cdef double weighted_sum(Py_ssize_t n, const floating* r, const floating* weights) noexcept nogil:
    cdef:
        Py_ssize_t i
        double total = 0
    for i in range(n):
        total += <double> r[i] * weights[i] if weights else r[i]
    return total


cdef void add_up(
    Py_ssize_t n, const floating* r, const floating* y, const floating* weights, double shift, double* sums
) noexcept nogil:
    """Add the weighted sums of (r + shift)^2 and of (r + shift) y."""
    cdef:
        Py_ssize_t i
        double residual, weight
    for i in range(n):
        residual = r[i] + shift
        weight = weights[i] if weights else 1.0
        sums[0] += weight * residual * residual
        sums[1] += weight * residual * y[i]
