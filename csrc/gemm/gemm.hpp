// General matrix product: C = alpha * A * B + beta * C, f32 and f64, any transposes and strides.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml {

// A is m x k, B is k x n, C is m x n. Element (i, j) of a matrix lies at data + i * row_stride + j * col_stride; strides
// count elements and may be anything, so a transpose is an exchange of strides. Products whose C has contiguous rows or
// columns are fast; any other C is served too. C must not overlap A or B. Where beta is 0, C is written and never read (it
// may hold NaN). Sums over k run in blocks, in an order that depends on the shapes, the level and the thread count only.
template <class T>
struct GemmArguments {
  std::int64_t m, n, k;
  T alpha;
  const T* a;
  std::int64_t a_row_stride, a_col_stride;
  const T* b;
  std::int64_t b_row_stride, b_col_stride;
  T beta;
  T* c;
  std::int64_t c_row_stride, c_col_stride;
  int threads;  // at most this many; fewer where the product is too small to gain
};

// Throws std::bad_alloc. Safe to call from several threads at once.
struct GemmKernels {
  void (*f32)(const GemmArguments<float>&);
  void (*f64)(const GemmArguments<double>&);
};

const GemmKernels& gemm_kernels(SimdLevel level = active_level());

}  // namespace fastml
