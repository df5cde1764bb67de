// Compressed sparse rows as the neighbours searches read them: in each row indices ascend, none twice.
#pragma once

#include <cstdint>
#include <vector>

#include "neighbors/exact.hpp"
#include "neighbors/sparse_rows.hpp"

namespace fastml::neighbors {

// Rows of a sparse matrix brought into that form. Borrows what is in it already; the rest is copied.
template <class T>
class CanonicalRows {
 public:
  // Row i holds values[offsets[i] .. offsets[i + 1]), `stored` values in all. Entries of one feature are summed up, as
  // SciPy does. Throws std::invalid_argument where offsets or indices lead out of bounds.
  template <class Index>
  CanonicalRows(const T* values, const Index* indices, const Index* offsets, std::int64_t stored, std::int64_t rows,
                std::int64_t cols);

  SparseRows<T> view() const;

 private:
  void sort_rows();

  const T* given_values_;
  const std::int32_t* given_indices_ = nullptr;
  std::int64_t rows_, cols_;
  std::vector<T> values_;
  std::vector<std::int32_t> indices_;
  std::vector<std::int64_t> offsets_;
};

// The sum of terms of two rows, `inverse` their 1 / |x| for directions (else 1): that of exact.hpp, to the bit.
template <class T>
double sparse_sum(Terms terms, const SparseRows<T>& a, std::int64_t row_a, double inverse_a, const SparseRows<T>& b,
                  std::int64_t row_b, double inverse_b);

}  // namespace fastml::neighbors
