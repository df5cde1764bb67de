// The loop over dense rows that adds up values class by class, at each SIMD level.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::bayes {

template <class T>
struct MomentKernels {
  // For rows [begin, end) of x and features [first, last), with d = x[i][j] - shift[k][j] in double and k = classes[i]:
  //   sums[k][j] += w d      squares[k][j] += w d^2
  // All three are of `features` columns; weights may be null.
  void (*add)(Rows<const T> x, const std::int64_t* classes, const T* weights, std::int64_t begin, std::int64_t end,
              std::int64_t first, std::int64_t last, const double* shift, double* sums, double* squares);
};

template <class T>
const MomentKernels<T>& moment_kernels(SimdLevel level = active_level());

}  // namespace fastml::bayes
