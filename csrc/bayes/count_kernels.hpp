// The loop over dense rows that adds them to the sums of their classes, at each SIMD level.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::bayes {

// What a pass over values tells of them all. Starts as {infinity, true}.
struct ValueRange {
  double least;  // of those that are numbers
  bool finite;
};

// Rows as they are counted: w x[i][j], or w where x[i][j] is above the threshold and 0 elsewhere.
template <class T>
struct CountedRows {
  Rows<const T> x;
  const std::int64_t* labels;  // of the rows
  const double* weights;       // w; null for 1
  const double* threshold;     // null to count values
};

template <class T>
struct CountKernels {
  // sums[labels[i] * stride + j] += what x[i][j] counts, for rows [begin, end) and features [first, last). `range`
  // takes in their values as they are in x.
  void (*add)(const CountedRows<T>& rows, std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t last,
              double* sums, std::int64_t stride, ValueRange& range);
};

// T: float, double, std::int32_t, std::int64_t.
template <class T>
const CountKernels<T>& count_kernels(SimdLevel level = active_level());

}  // namespace fastml::bayes
