// Borrowed arrays: pointers and extents, nothing owned. Plain structs, safe to share between SIMD levels.
#pragma once

#include <cstdint>

namespace fastml {

// Row-major matrix whose rows are contiguous; `stride` elements lie between the starts of two rows.
template <class T>
struct Rows {
  T* data;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t stride;
};

// Compressed sparse rows with 32-bit column indices, as scikit-learn's estimators accept them. Row i holds
// values[offsets[i] .. offsets[i + 1]). Indices need not be sorted, but must lie in [0, cols).
template <class T>
struct Csr {
  const T* values;
  const std::int32_t* indices;
  const std::int32_t* offsets;
  std::int64_t rows;
  std::int64_t cols;
};

// Whether all of values[0..count) are indices below `limit`. For baseline sources.
template <class Index>
bool are_indices(const Index* values, std::int64_t count, std::int64_t limit) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (values[i] < 0 || values[i] >= limit) return false;
  }
  return true;
}

// Whether reading x stays within `stored` values and `cols` columns. For baseline sources.
template <class T>
bool in_bounds(const Csr<T>& x, std::int64_t stored) {
  std::int32_t last = 0;
  for (std::int64_t i = 0; i <= x.rows; ++i) {
    if (x.offsets[i] < last || x.offsets[i] > stored) return false;
    last = x.offsets[i];
  }
  return are_indices(x.indices + x.offsets[0], last - x.offsets[0], x.cols);
}

// |x|^2 of a row, in double. For baseline sources.
template <class T>
double squared_norm(const Csr<T>& x, std::int64_t row) {
  double norm = 0;
  for (std::int32_t p = x.offsets[row]; p < x.offsets[row + 1]; ++p) norm += double(x.values[p]) * double(x.values[p]);
  return norm;
}

}  // namespace fastml
