// Products and additions of rows or columns of X, in either type, and vectors of doubles: for the solvers of LIBLINEAR's
// problems. Tables for Cython, as those of vector_kernels.hpp, whose words on vectors hold here, too.
//
// Every product and every sum is in double and rounded for itself, never fused: axpy leaves what LIBLINEAR does, to the
// bit, and dot what it finds where there are up to three elements. Solvers ask whether a variable is exactly at its bound,
// and for signs of numbers that are 0 but for their rounding; with more elements, which are added up in another order, few
// problems hang on that. Sparse rows are short, and gain nothing from vectors.
#pragma once

#define FASTML_WIDE_KERNELS(T)                                                                                     \
  {                                                                                                                \
    /* The sum of x[j] y[j]. */                                                                                    \
    double (*dot)(long long n, const T* x, const double* y);                                                       \
    /* y[j] = y[j] + factor x[j]. */                                                                               \
    void (*axpy)(long long n, double factor, const T* x, double* y);                                               \
    /* The sum of x[j]^2. */                                                                                       \
    double (*squared_norm)(long long n, const T* x);                                                               \
    /* A column x of squared hinge losses, with the residuals r of all samples, and their costs, which have the */ \
    /* sign of the sample: it loses |cost| r^2 where cost r > 0. Of those that lose, sums[0] is the sum of */      \
    /* |cost| x r, sums[1] that of |cost| x^2. */                                                                  \
    void (*hinge_derivatives)(long long n, const T* x, const double* r, const double* costs, double* sums);        \
    /* r += factor x; losses[0] and losses[1] are the sums before and after, of the samples in the column. */      \
    void (*hinge_step)(long long n, double factor, const T* x, double* r, const double* costs, double* losses);    \
  }

struct FastmlWideKernelsF32 FASTML_WIDE_KERNELS(float);
struct FastmlWideKernelsF64 FASTML_WIDE_KERNELS(double);

#ifdef __cplusplus

#include "runtime/simd_level.hpp"

namespace fastml::linear {

template <class T>
struct WideKernelsOf;
template <>
struct WideKernelsOf<float> {
  using type = FastmlWideKernelsF32;
};
template <>
struct WideKernelsOf<double> {
  using type = FastmlWideKernelsF64;
};
template <class T>
using WideKernels = typename WideKernelsOf<T>::type;

template <class T>
const WideKernels<T>& wide_kernels(SimdLevel level = active_level());

}  // namespace fastml::linear

#endif
