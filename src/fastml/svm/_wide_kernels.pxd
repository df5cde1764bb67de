# The kernels of csrc/linear/wide_kernels.hpp for Cython solvers; the contract of each stands there.
#
#     kernels = table(_core.wide_kernels(dtype), <floating> 0)     with the GIL, once a fit
#     p = dot(kernels, n_features, x, w)                           without
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating


cdef extern from "linear/wide_kernels.hpp" nogil:
    cdef struct FastmlWideKernelsF32:
        double (*dot)(long long, const float*, const double*) noexcept nogil
        void (*axpy)(long long, double, const float*, double*) noexcept nogil
        double (*squared_norm)(long long, const float*) noexcept nogil
        void (*hinge_derivatives)(long long, const float*, const double*, const double*, double*) noexcept nogil
        void (*hinge_step)(long long, double, const float*, double*, const double*, double*) noexcept nogil

    cdef struct FastmlWideKernelsF64:
        double (*dot)(long long, const double*, const double*) noexcept nogil
        void (*axpy)(long long, double, const double*, double*) noexcept nogil
        double (*squared_norm)(long long, const double*) noexcept nogil
        void (*hinge_derivatives)(long long, const double*, const double*, const double*, double*) noexcept nogil
        void (*hinge_step)(long long, double, const double*, double*, const double*, double*) noexcept nogil


cdef inline const void* table(object capsule, floating one_of_the_type) except NULL:
    """The pointer in a capsule of `_core.wide_kernels`, whose type must be that of the solver."""
    if floating is float:
        return PyCapsule_GetPointer(capsule, "fastml.wide_kernels.float32")
    else:
        return PyCapsule_GetPointer(capsule, "fastml.wide_kernels.float64")


cdef inline double squared_norm(const void* kernels, Py_ssize_t n, const floating* x) noexcept nogil:
    if floating is float:
        return (<const FastmlWideKernelsF32*> kernels).squared_norm(n, x)
    else:
        return (<const FastmlWideKernelsF64*> kernels).squared_norm(n, x)


cdef inline double dot(
    const void* kernels, Py_ssize_t n, const floating* x, const double* y
) noexcept nogil:
    if floating is float:
        return (<const FastmlWideKernelsF32*> kernels).dot(n, x, y)
    else:
        return (<const FastmlWideKernelsF64*> kernels).dot(n, x, y)


cdef inline void axpy(
    const void* kernels, Py_ssize_t n, double factor, const floating* x, double* y
) noexcept nogil:
    if floating is float:
        (<const FastmlWideKernelsF32*> kernels).axpy(n, factor, x, y)
    else:
        (<const FastmlWideKernelsF64*> kernels).axpy(n, factor, x, y)


cdef inline void hinge_derivatives(
    const void* kernels, Py_ssize_t n, const floating* x, const double* r, const double* costs, double* sums
) noexcept nogil:
    if floating is float:
        (<const FastmlWideKernelsF32*> kernels).hinge_derivatives(n, x, r, costs, sums)
    else:
        (<const FastmlWideKernelsF64*> kernels).hinge_derivatives(n, x, r, costs, sums)


cdef inline void hinge_step(
    const void* kernels, Py_ssize_t n, double factor, const floating* x, double* r, const double* costs, double* losses
) noexcept nogil:
    if floating is float:
        (<const FastmlWideKernelsF32*> kernels).hinge_step(n, factor, x, r, costs, losses)
    else:
        (<const FastmlWideKernelsF64*> kernels).hinge_step(n, factor, x, r, costs, losses)
