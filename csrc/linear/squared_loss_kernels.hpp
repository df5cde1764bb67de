// Passes over rows for losses that are squares beyond a margin: those of LinearSVC and LinearSVR in the primal.
//
// A row has a score s = x . w + bias w_n: the bias is a feature of one value behind all others, where it is not 0. With the
// target y the row is off by an error e, and loses weight * e^2:
//
//   squared hinge (y is 1 or -1)    e = s - y where y s < 1, else 0
//   squared, insensitive to p       e = s - y less p towards 0, and not beyond
//
// All sums are in double, whatever the type of the rows. A row is multiplied by the weights and added to the gradient while
// it is in L1; rows with an error are listed, since no others have a part in the Hessian.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::linear {

template <class T>
struct SquaredLossRows {
  Rows<const T> dense;  // its data is nullptr where rows are sparse
  Csr<T> sparse;
  double bias;
  std::int64_t rows() const { return dense.data == nullptr ? sparse.rows : dense.rows; }
  std::int64_t features() const { return dense.data == nullptr ? sparse.cols : dense.cols; }
  // Of weights, gradients and the like.
  std::int64_t size() const { return features() + (bias != 0 ? 1 : 0); }
};

struct SquaredLossTargets {
  const double* targets;
  const double* weights;  // of rows; those that are not positive have no part in anything
  bool margin;            // squared hinge; else insensitive to `epsilon`
  double epsilon;
};

template <class T>
struct SquaredLossKernels {
  // Returns the losses of rows [begin, end), adds half of their gradient to `gradient`, and lists the rows that have an
  // error at `active` (room for end - begin), in ascending order; `count` is their number.
  double (*loss_gradient)(const SquaredLossRows<T>& rows, const SquaredLossTargets& targets, const double* w,
                          std::int64_t begin, std::int64_t end, double* gradient, std::int32_t* active,
                          std::int64_t& count);

  // Adds half of the product of the listed rows' Hessian and `direction` to `product`.
  void (*hessian_product)(const SquaredLossRows<T>& rows, const double* weights, const double* direction,
                          const std::int32_t* active, std::int64_t count, double* product);
};

template <class T>
const SquaredLossKernels<T>& squared_loss_kernels(SimdLevel level = active_level());

}  // namespace fastml::linear
