// Sparse rows for tests, and the dense points that they stand for.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/views.hpp"
#include "tests/plain_kmeans.hpp"

namespace fastml {

template <class T>
struct SparsePoints {
  Points<T> dense;
  std::vector<T> values;
  std::vector<std::int32_t> indices, offsets;

  Csr<T> csr() const { return {values.data(), indices.data(), offsets.data(), dense.rows, dense.cols}; }
};

// Stores what is not zero, in descending order of columns: indices need not be sorted.
template <class T>
SparsePoints<T> sparse(const Points<T>& points) {
  SparsePoints<T> s{points, {}, {}, {0}};
  for (std::int64_t i = 0; i < points.rows; ++i) {
    for (std::int64_t f = points.cols; f-- > 0;) {
      if (points.row(i)[f] == T(0)) continue;
      s.values.push_back(points.row(i)[f]);
      s.indices.push_back(std::int32_t(f));
    }
    s.offsets.push_back(std::int32_t(s.values.size()));
  }
  return s;
}

}  // namespace fastml
