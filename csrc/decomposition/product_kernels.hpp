// Rows of a sparse matrix times a thin dense matrix.
#pragma once

#include <cstdint>

#include "decomposition/sparse_matrix.hpp"
#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::decomposition {

// y[i] = the sum of value times the row of b that its index names, for rows [begin, end) of a. b and y are row-major, of the
// same number of columns, 1 at least. A row's sums are taken in an order that depends on the level and on b's columns only.
// Nothing is read or written beyond the columns.
template <class T>
struct ProductKernels {
  void (*narrow)(const SparseMatrix<T, std::int32_t>& a, std::int64_t begin, std::int64_t end, Rows<const T> b,
                 Rows<T> y);
  void (*wide)(const SparseMatrix<T, std::int64_t>& a, std::int64_t begin, std::int64_t end, Rows<const T> b,
               Rows<T> y);
};

template <class T>
const ProductKernels<T>& product_kernels(SimdLevel level = active_level());

}  // namespace fastml::decomposition
