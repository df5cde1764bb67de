// Coordinate descent on blocks of columns of X as it lies in memory: nothing is copied, centred or transposed.
//
// A block's inner products with the residual come from one pass over the rows, and so does what its weights, changed in
// the meantime, take off the residual: one pass serves the block that was left and the one that is entered. Within a block
// the products of its columns with each other keep the inner products up to date, so that coordinates are visited one by
// one, as ever.
//
// A C compiler reads the first part: the Cython solver calls the pass through a pointer, which _core gives out in a capsule.
#pragma once

// x[i][j] lies at x + i * row_stride + j * col_stride (strides count elements, and one of them is 1), of float or double as
// the table says. All else is of doubles. z stands for x less its shift.
struct FastmlColumnPass {
  const void* x;
  long long row_stride, col_stride, rows;
  const double* shift;  // one for each column of x
  double* residual;     // one for each row
  // residual[i] -= sum over columns [old_first, old_first + old_count) of steps[k] z[i][old_first + k]; old_count may be 0
  long long old_first, old_count;
  const double* steps;
  // then products[k] = sum of residual[i] z[i][new_first + k], for new_count columns, which may be 0
  long long new_first, new_count;
  double* products;
  // gram[k][l] = sum of z[i][new_first + k] z[i][new_first + l], new_count x new_count; may be null
  double* gram;
  int threads;      // at most this many; the result repeats for the same number
  void* workspace;  // as many bytes as `workspace` says, with any alignment; overwritten
};

struct FastmlColumnBlocks {
  void (*pass)(const struct FastmlColumnPass* pass);
  // The bytes that a pass needs, which has all fields set but this one. Passes of fewer new columns need no more.
  long long (*workspace)(const struct FastmlColumnPass* pass);
};

#ifdef __cplusplus

#include <cstdint>

#include "runtime/stop.hpp"

namespace fastml::linear {

template <class T>
const FastmlColumnBlocks& column_blocks();

// Of rows x columns values, in the layout of FastmlColumnPass, and a target for each row:
//   mean[j]      of the column; 0 if not `center`
//   norm2[j]     sum of (x_j - mean_j)^2
//   product[j]   sum of (x_j - mean_j) target; where `center`, the target's mean should be 0 up to rounding
// Values that are not finite leave a norm that is not.
struct ColumnMoments {
  double* mean;
  double* norm2;
  double* product;
};
template <class T>
void column_moments(const T* x, std::int64_t row_stride, std::int64_t col_stride, std::int64_t rows,
                    std::int64_t columns, const double* target, bool center, int threads, const ColumnMoments& out);

}  // namespace fastml::linear

#endif
