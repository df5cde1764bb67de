// Operations on vectors for solvers that take one row, or one column, after the other.
//
// A C compiler reads this header too: Cython solvers call the tables through pointers, which _core gives out in capsules.
// So the level chosen in the process serves them, and no kernel is linked twice.
//
// Vectors are contiguous, of n >= 0 elements, with any alignment; no two of them overlap. A sparse vector is n values and
// their places in a dense vector, in any order; a place may come twice, and counts twice. Calls neither throw nor start
// threads.
//
// Products of float32 are rounded to float32 and added in double where it says so: the sums that scikit-learn's solvers
// make one after the other differ from ours in the order of additions in double, and thereby hardly ever as float32.
#pragma once

#define FASTML_VECTOR_KERNELS(T)                                                                                  \
  {                                                                                                               \
    /* The sum of x[j] y[j], each product rounded to T. */                                                        \
    double (*dot)(long long n, const T* x, const T* y);                                                           \
    /* The sum of x[j]^2, in double. */                                                                           \
    double (*squared_norm)(long long n, const T* x);                                                              \
    /* The sum of |x[j]|, in double. */                                                                           \
    double (*absolute_sum)(long long n, const T* x);                                                              \
    /* x[j] = factor x[j], in double. */                                                                          \
    void (*scale)(long long n, double factor, T* x);                                                              \
    /* y[j] = y[j] + factor x[j], computed in double and rounded to T once. */                                    \
    void (*axpy)(long long n, double factor, const T* x, T* y);                                                   \
    /* The same; returns the sum of the new y[j]^2, each rounded to T. */                                         \
    double (*axpy_squares)(long long n, double factor, const T* x, T* y);                                         \
    /* The same; norms[0] is that sum, norms[1] the sum of |y[j]|. */                                             \
    void (*axpy_norms)(long long n, double factor, const T* x, T* y, double* norms);                              \
    /* The cumulative L1 penalty (Tsuruoka et al., 2009) on weights that stand for scale w. Each moves towards */ \
    /* zero, by what is left of `owed` after the q[j] it has received, and stops there. */                        \
    void (*shrink)(long long n, double owed, double scale, T* q, T* w);                                           \
    /* The same with a sparse x, on the elements of y, w and q at its places; sums are of these elements, */      \
    /* each taken right after it was changed. */                                                                  \
    double (*sparse_dot)(long long n, const T* x, const int* places, const T* y);                                 \
    void (*sparse_axpy)(long long n, double factor, const T* x, const int* places, T* y);                         \
    void (*sparse_axpy_norms)(long long n, double factor, const T* x, const int* places, T* y, double* norms);    \
    void (*sparse_shrink)(long long n, const int* places, double owed, double scale, T* q, T* w);                 \
  }

struct FastmlVectorKernelsF32 FASTML_VECTOR_KERNELS(float);
struct FastmlVectorKernelsF64 FASTML_VECTOR_KERNELS(double);

#ifdef __cplusplus

#include "runtime/simd_level.hpp"

namespace fastml::linear {

template <class T>
struct VectorKernelsOf;
template <>
struct VectorKernelsOf<float> {
  using type = FastmlVectorKernelsF32;
};
template <>
struct VectorKernelsOf<double> {
  using type = FastmlVectorKernelsF64;
};
template <class T>
using VectorKernels = typename VectorKernelsOf<T>::type;

template <class T>
const VectorKernels<T>& vector_kernels(SimdLevel level = active_level());

}  // namespace fastml::linear

#endif
