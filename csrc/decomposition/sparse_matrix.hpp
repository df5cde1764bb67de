// Borrowed compressed sparse rows, with indices of either width.
#pragma once

#include <cstdint>

namespace fastml::decomposition {

// Row i holds values[offsets[i] .. offsets[i + 1]). Indices lie in [0, cols), in any order, and may repeat: a value is the
// sum of what is stored for it.
template <class T, class Index>
struct SparseMatrix {
  const T* values;
  const Index* indices;
  const Index* offsets;
  std::int64_t rows, cols;
};

// Whether the offsets ascend from 0 on and stay within `stored` values. For baseline sources.
template <class Index>
bool are_offsets(const Index* offsets, std::int64_t rows, std::int64_t stored) {
  if (offsets[0] != 0 || offsets[rows] > stored) return false;
  bool ascend = true;
  for (std::int64_t i = 0; i < rows; ++i) ascend &= offsets[i] <= offsets[i + 1];
  return ascend;
}

// Whether indices[0..count) lie in [0, limit), without leaving early, so that whole vectors are compared. For baseline
// sources.
template <class Index>
bool are_columns(const Index* indices, std::int64_t count, std::int64_t limit) {
  bool inside = true;
  for (std::int64_t p = 0; p < count; ++p) inside &= indices[p] >= 0 && indices[p] < limit;
  return inside;
}

}  // namespace fastml::decomposition
