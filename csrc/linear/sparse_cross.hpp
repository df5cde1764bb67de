// Centred cross products of sparse samples: the normal equations of least squares, from the stored values alone.
#pragma once

#include <cstdint>

#include "linear/cross_products.hpp"
#include "runtime/stop.hpp"

namespace fastml::linear {

// Compressed sparse rows with their targets. Row i holds values[offsets[i] .. offsets[i + 1]). Indices lie in [0, features),
// in any order, and may repeat: a value is the sum of what is stored for it. y is row-major, rows x targets; weights may be
// null. Rows, features and targets are 1 at least, but for targets, which may be 0.
template <class T, class Index>
struct SparseCrossTask {
  const T* values;
  const Index* indices;
  const Index* offsets;
  std::int64_t rows, features;
  const T* y;
  std::int64_t targets;
  const T* weights;
  int threads;  // at most this many
  StopCheck stop;
};

// Whether reading x stays within `stored` values and the features.
template <class T, class Index>
bool in_bounds(const SparseCrossTask<T, Index>& x, std::int64_t stored);

// As cross_products() has it, but that X is not shifted: sums about 0 are corrected for the means afterwards. That leaves
// an error, relative to the diagonal of gram, of eps times (the sum of w x_j^2) / gram[j][j]: the caller is to look.
// All values are finite. f32 is widened. The result repeats bit for bit for a number of threads. False when stopped.
template <class T, class Index>
bool sparse_cross_products(const SparseCrossTask<T, Index>& task, bool center, const CrossProducts& products);

// As normal_residual() has it.
template <class T, class Index>
bool sparse_normal_residual(const SparseCrossTask<T, Index>& task, const double* x_mean, const double* y_mean,
                            const double* coef, double* gradient);

}  // namespace fastml::linear
