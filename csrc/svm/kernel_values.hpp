// From inner products to values of a kernel. For level sources only.
#pragma once

#include <cstdint>

#include "simd/decay.hpp"
#include "simd/math.hpp"
#include "simd/vec.hpp"
#include "svm/kernel.hpp"

namespace fastml {
namespace FASTML_LEVEL {

using svm::Kernel;
using svm::KernelKind;

// x^degree by squaring, in the order of LIBSVM: the same roundings.
FASTML_INLINE vec<double> integer_power(vec<double> x, int degree) {
  vec<double> result = broadcast<double>(1.0);
  for (int rest = degree; rest > 0; rest /= 2) {
    if (rest % 2 == 1) result *= x;
    x *= x;
  }
  return result;
}

// Calls step(f) with the function that maps a vector of inner products x.y, and of norms |y|^2, to values: the kind of
// kernel is asked for once, outside of the loop over the products. x_norm is |x|^2; rbf alone reads norms.
template <class Step>
FASTML_INLINE void with_kernel(const Kernel& kernel, double x_norm, const Step& step) {
  const double gamma = kernel.gamma, coef0 = kernel.coef0;
  const int degree = kernel.degree;
  switch (kernel.kind) {
    case KernelKind::rbf:
      step([=](vec<double> dots, vec<double> norms)
               __attribute__((always_inline)) { return decay<double>(-gamma * (x_norm + norms - 2.0 * dots)); });
      break;
    case KernelKind::poly:
      step([=](vec<double> dots, vec<double>)
               __attribute__((always_inline)) { return integer_power(gamma * dots + coef0, degree); });
      break;
    case KernelKind::sigmoid:
      step([=](vec<double> dots, vec<double>)
               __attribute__((always_inline)) { return tanh<double>(gamma * dots + coef0); });
      break;
    default:  // linear; given values are what they are
      step([](vec<double> dots, vec<double>) __attribute__((always_inline)) { return dots; });
  }
}

}  // namespace FASTML_LEVEL
}  // namespace fastml
