// Centred cross products of samples: the normal equations of least squares, from one pass over X.
#pragma once

#include <cstdint>

#include "runtime/stop.hpp"

namespace fastml::linear {

// x[i][j] lies at x + i * row_stride + j * col_stride; strides count elements. y is row-major, rows x targets; weights may
// be null. Rows, features and targets are 1 at least, but for targets, which may be 0.
template <class T>
struct CrossTask {
  const T* x;
  std::int64_t row_stride, col_stride;
  std::int64_t rows, features;
  const T* y;
  std::int64_t targets;
  const T* weights;
  int threads;  // at most this many
  StopCheck stop;
  const std::int64_t* columns = nullptr;  // where not null, feature j lies in column columns[j] of x
};

// With the means of X and Y (weighted; zeros if not `center`), all arrays of doubles, row-major and contiguous:
//   gram[j][k]   sum of w (x_j - mean_j) (x_k - mean_k), features x features
//   xy[k][j]     sum of w (x_j - mean_j) (y_k - mean_k), targets x features
// The sums are taken about a mean of some rows and corrected for the rest, so that large means cancel before they are
// squared. f32 is widened: its products are exact. Not finite values in X or Y leave values that are not finite on the
// diagonal of gram or in y_mean. The result depends on the number of threads and the SIMD level in its last bits only, and
// repeats bit for bit. Weights are not negative; their sum is not 0. Returns false when stopped.
struct CrossProducts {
  double* gram;
  double* xy;
  double* x_mean;
  double* y_mean;
};
//
// With A = float, for samples in float, products are made and added up in float over some hundred rows, less their shifts,
// and those sums in double: twice as fast, with errors of some 1e-7 times roots of gram[j][j] gram[k][k].
template <class T, class A = double>
bool cross_products(const CrossTask<T>& task, bool center, const CrossProducts& products);

// gradient[k][j] = sum of w r_k (x_j - x_mean_j), r_k = y_k - y_mean_k - (x - x_mean) . coef_k: what is left of the normal
// equations for coefficients that were rounded on the way. coef and gradient are targets x features. False when stopped.
template <class T>
bool normal_residual(const CrossTask<T>& task, const double* x_mean, const double* y_mean, const double* coef,
                     double* gradient);

}  // namespace fastml::linear
