# The vector kernels of csrc/linear/vector_kernels.hpp for Cython solvers; the contract of each stands there.
#
#     kernels = table(_core.vector_kernels(dtype), <floating> 0)     with the GIL, once a fit
#     p = dot(kernels, n_features, x, w)                             without
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating


cdef extern from "linear/vector_kernels.hpp" nogil:
    cdef struct FastmlVectorKernelsF32:
        double (*dot)(long long, const float*, const float*) noexcept nogil
        double (*squared_norm)(long long, const float*) noexcept nogil
        double (*absolute_sum)(long long, const float*) noexcept nogil
        void (*scale)(long long, double, float*) noexcept nogil
        void (*axpy)(long long, double, const float*, float*) noexcept nogil
        double (*axpy_squares)(long long, double, const float*, float*) noexcept nogil
        void (*axpy_norms)(long long, double, const float*, float*, double*) noexcept nogil
        void (*shrink)(long long, double, double, float*, float*) noexcept nogil
        double (*sparse_dot)(long long, const float*, const int*, const float*) noexcept nogil
        void (*sparse_axpy)(long long, double, const float*, const int*, float*) noexcept nogil
        void (*sparse_axpy_norms)(long long, double, const float*, const int*, float*, double*) noexcept nogil
        void (*sparse_shrink)(long long, const int*, double, double, float*, float*) noexcept nogil

    cdef struct FastmlVectorKernelsF64:
        double (*dot)(long long, const double*, const double*) noexcept nogil
        double (*squared_norm)(long long, const double*) noexcept nogil
        double (*absolute_sum)(long long, const double*) noexcept nogil
        void (*scale)(long long, double, double*) noexcept nogil
        void (*axpy)(long long, double, const double*, double*) noexcept nogil
        double (*axpy_squares)(long long, double, const double*, double*) noexcept nogil
        void (*axpy_norms)(long long, double, const double*, double*, double*) noexcept nogil
        void (*shrink)(long long, double, double, double*, double*) noexcept nogil
        double (*sparse_dot)(long long, const double*, const int*, const double*) noexcept nogil
        void (*sparse_axpy)(long long, double, const double*, const int*, double*) noexcept nogil
        void (*sparse_axpy_norms)(long long, double, const double*, const int*, double*, double*) noexcept nogil
        void (*sparse_shrink)(long long, const int*, double, double, double*, double*) noexcept nogil


cdef inline const void* table(object capsule, floating one_of_the_type) except NULL:
    """The pointer in a capsule of `_core.vector_kernels`, whose type must be that of the solver."""
    if floating is float:
        return PyCapsule_GetPointer(capsule, "fastml.vector_kernels.float32")
    else:
        return PyCapsule_GetPointer(capsule, "fastml.vector_kernels.float64")


cdef inline double dot(const void* kernels, Py_ssize_t n, const floating* x, const floating* y) noexcept nogil:
    if floating is float:
        return (<const FastmlVectorKernelsF32*> kernels).dot(n, x, y)
    else:
        return (<const FastmlVectorKernelsF64*> kernels).dot(n, x, y)


cdef inline double squared_norm(const void* kernels, Py_ssize_t n, const floating* x) noexcept nogil:
    if floating is float:
        return (<const FastmlVectorKernelsF32*> kernels).squared_norm(n, x)
    else:
        return (<const FastmlVectorKernelsF64*> kernels).squared_norm(n, x)


cdef inline double absolute_sum(const void* kernels, Py_ssize_t n, const floating* x) noexcept nogil:
    if floating is float:
        return (<const FastmlVectorKernelsF32*> kernels).absolute_sum(n, x)
    else:
        return (<const FastmlVectorKernelsF64*> kernels).absolute_sum(n, x)


cdef inline void scale(const void* kernels, Py_ssize_t n, double factor, floating* x) noexcept nogil:
    if floating is float:
        (<const FastmlVectorKernelsF32*> kernels).scale(n, factor, x)
    else:
        (<const FastmlVectorKernelsF64*> kernels).scale(n, factor, x)


cdef inline void axpy(
    const void* kernels, Py_ssize_t n, double factor, const floating* x, floating* y
) noexcept nogil:
    if floating is float:
        (<const FastmlVectorKernelsF32*> kernels).axpy(n, factor, x, y)
    else:
        (<const FastmlVectorKernelsF64*> kernels).axpy(n, factor, x, y)


cdef inline double axpy_squares(
    const void* kernels, Py_ssize_t n, double factor, const floating* x, floating* y
) noexcept nogil:
    if floating is float:
        return (<const FastmlVectorKernelsF32*> kernels).axpy_squares(n, factor, x, y)
    else:
        return (<const FastmlVectorKernelsF64*> kernels).axpy_squares(n, factor, x, y)


cdef inline void axpy_norms(
    const void* kernels, Py_ssize_t n, double factor, const floating* x, floating* y, double* norms
) noexcept nogil:
    if floating is float:
        (<const FastmlVectorKernelsF32*> kernels).axpy_norms(n, factor, x, y, norms)
    else:
        (<const FastmlVectorKernelsF64*> kernels).axpy_norms(n, factor, x, y, norms)


cdef inline void shrink(
    const void* kernels, Py_ssize_t n, double owed, double scale, floating* q, floating* w
) noexcept nogil:
    if floating is float:
        (<const FastmlVectorKernelsF32*> kernels).shrink(n, owed, scale, q, w)
    else:
        (<const FastmlVectorKernelsF64*> kernels).shrink(n, owed, scale, q, w)


cdef inline double sparse_dot(
    const void* kernels, Py_ssize_t n, const floating* x, const int* places, const floating* y
) noexcept nogil:
    if floating is float:
        return (<const FastmlVectorKernelsF32*> kernels).sparse_dot(n, x, places, y)
    else:
        return (<const FastmlVectorKernelsF64*> kernels).sparse_dot(n, x, places, y)


cdef inline void sparse_axpy(
    const void* kernels, Py_ssize_t n, double factor, const floating* x, const int* places, floating* y
) noexcept nogil:
    if floating is float:
        (<const FastmlVectorKernelsF32*> kernels).sparse_axpy(n, factor, x, places, y)
    else:
        (<const FastmlVectorKernelsF64*> kernels).sparse_axpy(n, factor, x, places, y)


cdef inline void sparse_axpy_norms(
    const void* kernels,
    Py_ssize_t n,
    double factor,
    const floating* x,
    const int* places,
    floating* y,
    double* norms,
) noexcept nogil:
    if floating is float:
        (<const FastmlVectorKernelsF32*> kernels).sparse_axpy_norms(n, factor, x, places, y, norms)
    else:
        (<const FastmlVectorKernelsF64*> kernels).sparse_axpy_norms(n, factor, x, places, y, norms)


cdef inline void sparse_shrink(
    const void* kernels, Py_ssize_t n, const int* places, double owed, double scale, floating* q, floating* w
) noexcept nogil:
    if floating is float:
        (<const FastmlVectorKernelsF32*> kernels).sparse_shrink(n, places, owed, scale, q, w)
    else:
        (<const FastmlVectorKernelsF64*> kernels).sparse_shrink(n, places, owed, scale, q, w)
