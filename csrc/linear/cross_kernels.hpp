// The loops of centred cross products, at each SIMD level: X'WX and X'WY from one pass over the rows of X. Products are of
// type A: double, or float for samples in float, at twice the speed.
#pragma once

#include <cstdint>

#include "runtime/simd_level.hpp"

namespace fastml::linear {

// Rows of X that are packed at a time. Two panels of as many rows fit L1, and what a tile's sums cost to be loaded and
// stored is spread over this many multiply-adds.
template <class A>
inline constexpr std::int64_t kCrossDepthOf = 1024 / sizeof(A);
inline constexpr std::int64_t kCrossDepth = kCrossDepthOf<double>;

// What is summed up. x[i][j] lies at x + i * row_stride + j * col_stride; y is row-major, rows x targets.
template <class T, class A = double>
struct CrossSamples {
  const T* x;
  std::int64_t row_stride, col_stride;
  std::int64_t rows, features;
  const A* shift;  // taken from each column of X, one for each feature
  const T* y;
  std::int64_t targets;
  const double* y_shift;
  const double* root_weights;  // square roots of the rows' weights; null for weights of 1
  // Where not null, feature j lies in column columns[j] of x.
  const std::int64_t* columns = nullptr;
};

// How the sums lie in `products`: row-major, `width` doubles to a row. Row j < features has the products of feature j with
// the features up to j (to the end of a tile; what lies beyond is not set). Rows first_target + k have those of target k
// with all features, and after the last target come the sums of the features.
struct CrossLayout {
  int tile_rows, panel_cols;

  std::int64_t feature_tiles(std::int64_t features) const { return (features + tile_rows - 1) / tile_rows; }
  std::int64_t tiles(std::int64_t features, std::int64_t targets) const {
    return feature_tiles(features) + feature_tiles(targets + 1);
  }
  std::int64_t first_target(std::int64_t features) const { return feature_tiles(features) * tile_rows; }
  std::int64_t width(std::int64_t features) const { return (features + panel_cols - 1) / panel_cols * panel_cols; }
  std::int64_t size(std::int64_t features, std::int64_t targets) const {
    return tiles(features, targets) * tile_rows * width(features);
  }
  // Scratch: the panels of a block of `depth` rows. They must be zeros at first, and are kept zero where nothing lies.
  std::int64_t panels(std::int64_t features, std::int64_t targets, std::int64_t depth = kCrossDepth) const {
    return depth * (width(features) + feature_tiles(targets + 1) * tile_rows);
  }
};

// Rows are shifted and multiplied in A, and added up in A over kCrossDepthOf<A> of them; the sums of those are in double.
// `panels` as above; `rows` has room for kCrossDepthOf<A> * features elements, used where the rows of X are
// not contiguous, or not all of their columns are meant.
template <class T, class A>
struct CrossProductKernels {
  CrossLayout layout;
  // Adds the weighted products of rows [begin, end), less their shifts, to the rows of `products` that tiles
  // [first_tile, last_tile) hold, and to y_sums the weighted targets, unless it is null.
  void (*add_products)(const CrossSamples<T, A>& samples, std::int64_t begin, std::int64_t end, std::int64_t first_tile,
                       std::int64_t last_tile, T* rows, A* panels, double* products, double* y_sums);
};

template <class T>
struct CrossKernels : CrossProductKernels<T, double> {
  // gradient[k][j] += sum over rows [begin, end) of w (y_k - x . coef_k) x_j, x and y less their shifts; coef and gradient
  // have rows of layout.width(features) doubles, zeros past the features.
  void (*add_gradient)(const CrossSamples<T>& samples, std::int64_t begin, std::int64_t end, const double* coef,
                       T* rows, double* panels, double* gradient);
};

template <class T>
const CrossKernels<T>& cross_kernels(SimdLevel level = active_level());

// Those of T with products of type A.
template <class T, class A>
const CrossProductKernels<T, A>& cross_product_kernels(SimdLevel level = active_level());

}  // namespace fastml::linear
