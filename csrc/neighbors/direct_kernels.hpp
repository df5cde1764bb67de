// Distances computed for all pairs as they stand, in double: metrics that no product bounds.
//
// A tile holds the sums of a few queries with the fitted rows of a panel, one row a lane. Sums are added up feature by
// feature, as scikit-learn's loops do, in blocks of kDirectFeatures of them: the sum of thousands of terms in a row
// would be off by several units in the last place. No multiply-add is fused, so that a sum is the same to the bit at
// every level.
#pragma once

#include <cstdint>

#include "neighbors/metric.hpp"
#include "runtime/simd_level.hpp"

namespace fastml::neighbors {

inline constexpr std::int64_t kDirectFeatures = 64;

template <class T>
struct DirectBlock {
  Metric metric;    // hamming, canberra, braycurtis or nan_euclidean
  const T* panels;  // fitted rows, `panel_rows` to a panel: panel[f * panel_rows + r]
  std::int64_t features;
  std::int64_t rows;      // those of the panels that are rows; the others fill up the last panel
  const double* queries;  // as pack_queries wrote them
  std::int64_t query_count;
  const double* limits;  // a sum at the limit of its query, or above, is of no interest; NaN: all are
  void* context;
  // Called for the others, for each query by ascending row. May lower limits.
  void (*offer)(void* context, std::int64_t query, std::int64_t row, double sum);
};

template <class T>
struct DirectKernels {
  std::int64_t panel_rows;
  // Rows of `features` elements in double, in the order in which tiles read them.
  void (*pack_queries)(const double* rows, std::int64_t count, std::int64_t features, double* packed);
  // Compares the queries with the rows of the panels [begin, end). A sum is
  //   hamming         the share of features that differ
  //   canberra        sum |x - y| / (|x| + |y|), 0 / 0 = 0
  //   braycurtis      sum |x - y| / sum (|x| + |y|), 0 / 0 = 0
  //   nan_euclidean   the sum of squared differences of features that both have, times all features over those; NaN for
  //                   none
  void (*compare)(const DirectBlock<T>& block, std::int64_t begin, std::int64_t end);
};

template <class T>
const DirectKernels<T>& direct_kernels(SimdLevel level = active_level());

}  // namespace fastml::neighbors
