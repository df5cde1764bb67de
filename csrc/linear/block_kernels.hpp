// The loops of column_blocks.hpp, at each SIMD level.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::linear {

// Some columns of X: x[i][j] lies at x + i * row_stride + j * col_stride, one of the strides is 1, and `shift` has what is
// taken off each column.
template <class T>
struct ColumnBlock {
  const T* x;
  std::int64_t row_stride, col_stride, columns;
  const double* shift;
};

// Rows that are taken through all columns of a block at a time, where the values of a column lie side by side: they and
// their residuals stay in L1.
inline constexpr std::int64_t kBlockRows = 512;

// With z = x - shift, over rows [begin, end); all arithmetic is in double.
template <class T>
struct BlockKernels {
  // residual[i] -= sum of steps[j] z[i][j] over the columns of `old`, then products[j] += residual[i] z[i][j] over those of
  // `next`. Either may have no columns.
  void (*advance)(const ColumnBlock<T>& old, const double* steps, const ColumnBlock<T>& next, std::int64_t begin,
                  std::int64_t end, double* residual, double* products);
  // sums[j] += z[i][j], squares[j] += z[i][j]^2, products[j] += target[i] z[i][j]
  void (*add_moments)(const ColumnBlock<T>& block, std::int64_t begin, std::int64_t end, const double* target,
                      double* sums, double* squares, double* products);
};

template <class T>
const BlockKernels<T>& block_kernels(SimdLevel level = active_level());

}  // namespace fastml::linear
