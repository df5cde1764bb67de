// Products of a few rows with the rows of a matrix. The matrix is read once and in order, where a general product would
// first copy it into panels, which for one row is most of the work.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::nn {

// Rows for which this is sooner than a general product.
inline constexpr std::int64_t kFewRows = 4;

template <class T>
struct FewRowsKernels {
  // y[r * outputs + o] = sum over k of x[r * inputs + k] * weight[o * inputs + k], for first <= o < last.
  void (*multiply)(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, std::int64_t first, std::int64_t last,
                   const T* x, const T* weight, T* y);
};

struct FewRowsTables {
  FewRowsKernels<float> f32;
  FewRowsKernels<double> f64;
};
const FewRowsTables& few_rows_tables(SimdLevel level = active_level());

// For all outputs. Nothing depends on the number of threads.
template <class T>
void multiply_few_rows(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, const T* x, const T* weight, T* y,
                       int threads);

}  // namespace fastml::nn
