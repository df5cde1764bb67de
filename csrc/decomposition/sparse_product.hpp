// Products of a sparse matrix with thin dense matrices, and its transposition, which makes the products of its transpose
// ones of rows too: no two threads then add to one sum.
#pragma once

#include <cstdint>

#include "decomposition/sparse_matrix.hpp"
#include "runtime/stop.hpp"
#include "runtime/views.hpp"

namespace fastml::decomposition {

enum class Outcome { done, stopped, index_out_of_range };

// y = a b, row-major, y.rows == a.rows, b.rows == a.cols, as many columns of both. y must not overlap b. The offsets have been
// checked (are_offsets); indices are checked here, piece by piece as they are read, and none out of range is followed; y
// then holds anything. f32 is summed in f32. The result does not depend on the number of threads.
template <class T, class Index>
Outcome sparse_product(const SparseMatrix<T, Index>& a, Rows<const T> b, Rows<T> y, int threads, StopCheck stop);

// The transpose of a, in rows: `offsets` has room for a.cols + 1, the others for all stored values. Columns of a row ascend, and
// equal ones keep their order. a is checked, as above.
template <class T, class Index>
Outcome transpose(const SparseMatrix<T, Index>& a, T* values, Index* indices, Index* offsets, int threads);

}  // namespace fastml::decomposition
