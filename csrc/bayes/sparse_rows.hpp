// Sparse rows with indices of either width. For all sources.
#pragma once

#include <cstdint>

namespace fastml::bayes {

// Compressed sparse rows. Row i holds values[offsets[i] .. offsets[i + 1]). Indices lie in [0, cols), in any order, and
// may repeat: a value is the sum of what is stored for it, but each counts by itself where there is a threshold.
template <class T, class Index>
struct SparseRows {
  const T* values;
  const Index* indices;
  const Index* offsets;
  std::int64_t rows, cols;
};

}  // namespace fastml::bayes
