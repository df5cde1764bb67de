// The vector operations of L-BFGS, in double.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::linear {

struct LbfgsKernels {
  double (*dot)(const double* a, const double* b, std::int64_t n);
  // a += factor * b; returns c . a of the new a.
  double (*add_and_dot)(double* a, double factor, const double* b, const double* c, std::int64_t n);
  // to = a + factor * b.
  void (*add)(const double* a, double factor, const double* b, double* to, std::int64_t n);
  // a *= factor.
  void (*scale)(double* a, double factor, std::int64_t n);
};

const LbfgsKernels& lbfgs_kernels(SimdLevel level = active_level());

}  // namespace fastml::linear
