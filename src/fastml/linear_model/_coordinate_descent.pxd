# What coordinate descent needs of a problem, whatever form its data have.
from libc.stdint cimport uint32_t


cdef class Residual:
    cdef readonly Py_ssize_t n_features, n_tasks
    cdef readonly double y_norm2
    cdef double[::1] norms2  # X[:, j] @ X[:, j]
    cdef double threshold  # the L1 penalty being solved for
    cdef Py_ssize_t work  # multiply-adds of a step, roughly
    cdef double patience  # steps and products after which another form of the data should take over

    # that form
    cdef Residual successor(self)

    # Weights and products of several tasks lie feature after feature, w[j * n_tasks + t], as scikit-learn's do.

    # y - X w anew, of weights that others have changed
    cdef int restart(self, const double* w) except -1 nogil
    # a sweep over some features begins
    cdef void begin_sweep(self, const uint32_t* active, Py_ssize_t n_active) noexcept nogil
    # X[:, j] @ (y - X w), of the only task
    cdef double product(self, Py_ssize_t j) noexcept nogil
    # the same of each task
    cdef void task_products(self, Py_ssize_t j, double* out) noexcept nogil
    # whether that is below the threshold (in absolute value, unless only positive weights count); False if unknown
    cdef bint is_below(self, Py_ssize_t j, bint positive) noexcept nogil
    # w[j] += step, of the only task
    cdef int move(self, Py_ssize_t j, double step) except -1 nogil
    # the same of each task
    cdef int move_tasks(self, Py_ssize_t j, const double* steps) except -1 nogil
    # all products, |y - X w|^2 in sums[0], y @ (y - X w) in sums[1]
    cdef int products(self, const double* w, double* out, double* sums) except -1 nogil
