// Sums of sparse rows with a group of queries, in double: the features that some query of the group has are lines of a
// dense panel, and the rows stream past it.
#pragma once

#include <cstdint>

#include "neighbors/sparse_rows.hpp"
#include "runtime/simd_level.hpp"

namespace fastml::neighbors {

inline constexpr int kCsrGroup = 16;  // queries of a group: two or four vectors, a line of the panel in two cache lines

template <class T>
struct CsrBlock {
  SparseRows<T> rows;
  const double* sizes;        // one a row
  const double* scales;       // one a row, or nullptr for ones
  double head;                // what a size is multiplied by
  double scale;               // what the scale of every row is multiplied by
  const std::int32_t* slots;  // of each feature: its line of the panel; line 0, of zeros, where no query has it
  const double* panel;        // lines of kCsrGroup values
  int queries;
  const double* limits;  // kCsrGroup; what is at the limit or above is of no interest; NaN: all are
  void* context;
  // Called for the others, for each query by ascending row. May lower limits.
  void (*offer)(void* context, int query, std::int64_t row, double value);
};

template <class T>
struct CsrKernels {
  // For rows [begin, end) and each query: head size + scale scale[row] sum x y, over the row's features.
  void (*products)(const CsrBlock<T>& block, std::int64_t begin, std::int64_t end);
  // The same of the sum of |x - y| - |y|.
  void (*differences)(const CsrBlock<T>& block, std::int64_t begin, std::int64_t end);
};

template <class T>
const CsrKernels<T>& csr_kernels(SimdLevel level = active_level());

}  // namespace fastml::neighbors
