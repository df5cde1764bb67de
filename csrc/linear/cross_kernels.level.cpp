// X'WX at one SIMD level. A block of rows is packed into panels of columns, centred and weighted; a panel of `kPanelCols`
// columns serves as B of the micro-kernel, and any `kTileRows` of its columns as A, since the tile's height divides its
// width. So X is read from memory once, and both operands come from L1.
#include "linear/cross_kernels.hpp"

#include "gemm/microkernel.hpp"
#include "simd/copy_block.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using linear::CrossLayout;
using linear::CrossSamples;
using linear::kCrossDepth;
using linear::kCrossDepthOf;

// A tile of kRows x kVectors accumulators; kRows divides the panel's width. Its registers: as in gemm/microkernel.hpp. A
// product of X with itself is cut into small tiles, since those on the diagonal and at the last feature are wasted in part.
#if FASTML_VECTOR_BYTES == 64
inline constexpr int kRows = 8;
inline constexpr int kVectors = 2;
#elif FASTML_VECTOR_BYTES == 32
inline constexpr int kRows = 4;
inline constexpr int kVectors = 3;
#elif FASTML_VECTOR_BYTES == 16
inline constexpr int kRows = 4;
inline constexpr int kVectors = 2;
#else
inline constexpr int kRows = 2;
inline constexpr int kVectors = 2;
#endif
template <class A>
inline constexpr int kPanelColsOf = kVectors * kLanes<A>;
static_assert(kPanelColsOf<float> % kRows == 0 && kPanelColsOf<double> % kRows == 0, "tiles must not cross panels");
template <class A>
inline constexpr CrossLayout kLayoutOf{kRows, kPanelColsOf<A>};
inline constexpr int kPanelCols = kPanelColsOf<double>;
inline constexpr CrossLayout kLayout = kLayoutOf<double>;

std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

// One row of X, less the shift and times the root of its weight, into its row of every panel.
template <class T, class A>
FASTML_INLINE void pack_row(const T* row, std::int64_t features, const A* shift, A weight, A* panels) {
  constexpr int cols = kPanelColsOf<A>;
  std::int64_t j = 0;
  A* to = panels;
  for (; j + cols <= features; j += cols, to += kCrossDepthOf<A> * cols) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t at = j + v * kLanes<A>;
      store(to + v * kLanes<A>, weight * (load_as<A>(row + at) - load(shift + at)));
    }
  }
  for (std::int64_t c = 0; j < features; ++j, ++c) to[c] = weight * (A(row[j]) - shift[j]);
}

// The packed rows of a block: X in panels of kPanelColsOf<A> columns, then the targets and ones in panels of kRows columns.
template <class T, class A>
struct Block {
  A* panels;
  A* targets;
  std::int64_t depth;

  Block(const CrossSamples<T, A>& s, std::int64_t begin, std::int64_t end, T* rows, A* panels_, double* y_sums)
      : panels(panels_), targets(panels_ + kCrossDepthOf<A> * kLayoutOf<A>.width(s.features)), depth(end - begin) {
    const T* x = s.x + begin * s.row_stride;
    std::int64_t stride = s.row_stride;
    if (s.columns != nullptr) {
      for (std::int64_t p = 0; p < depth; ++p) {
        const T* row = x + p * s.row_stride;
        for (std::int64_t j = 0; j < s.features; ++j) rows[p * s.features + j] = row[s.columns[j] * s.col_stride];
      }
      x = rows;
      stride = s.features;
    } else if (s.col_stride != 1) {
      copy_block(rows, s.features, x, s.row_stride, s.col_stride, depth, s.features);
      x = rows;
      stride = s.features;
    }
    for (std::int64_t p = 0; p < depth; ++p) {
      const double weight = s.root_weights ? s.root_weights[begin + p] : 1.0;
      pack_row(x + p * stride, s.features, s.shift, A(weight), panels + p * kPanelColsOf<A>);
      const T* y = s.y + (begin + p) * s.targets;
      for (std::int64_t k = 0; k < s.targets; ++k) {
        const double target = weight * (double(y[k]) - s.y_shift[k]);
        *target_at(k, p) = A(target);
        if (y_sums) y_sums[k] += weight * target;
      }
      *target_at(s.targets, p) = A(weight);
    }
  }

  FASTML_INLINE A* target_at(std::int64_t k, std::int64_t p) const {
    return targets + k / kRows * kRows * kCrossDepthOf<A> + p * kRows + k % kRows;
  }
  FASTML_INLINE const A* panel(std::int64_t q) const { return panels + q * kCrossDepthOf<A> * kPanelColsOf<A>; }
};

// sums += acc, in double.
FASTML_INLINE void add_to(double* sums, vec<double> acc) { store(sums, load(sums) + acc); }
FASTML_INLINE void add_to(double* sums, vec<float> acc) {
  float narrow[kLanes<float>];
  store(narrow, acc);
#pragma GCC unroll 2
  for (int at = 0; at < kLanes<float>; at += kLanes<double>) {
    store(sums + at, load(sums + at) + load_as<double>(narrow + at));
  }
}

// c += A' B over the rows of a block: A's rows lie Stride apart.
template <int MR, int NV, int Stride, class A>
__attribute__((noinline)) void add_tile(std::int64_t depth, const A* a, const A* b, double* c, std::int64_t width) {
  vec<A> acc[MR][NV] = {};
  multiply_tile(depth, Interleaved<A, Stride>{a}, b, kPanelColsOf<A>, acc);
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) add_to(c + i * width + j * kLanes<A>, acc[i][j]);
  }
}

template <int Stride, class A>
void add_tile_of(int rows, int cols, std::int64_t depth, const A* a, const A* b, double* c, std::int64_t width) {
  const int vectors = (cols + kLanes<A> - 1) / kLanes<A>;
  with_rows<kRows>(rows, [&](auto height) {
    with_rows<kVectors>(vectors < kVectors ? vectors : kVectors, [&](auto count) {
      add_tile<decltype(height)::value, decltype(count)::value, Stride>(depth, a, b, c, width);
    });
  });
}

template <class T, class A>
void add_products(const CrossSamples<T, A>& s, std::int64_t begin, std::int64_t end, std::int64_t first_tile,
                  std::int64_t last_tile, T* rows, A* panels, double* products, double* y_sums) {
  constexpr std::int64_t cols = kPanelColsOf<A>, rows_at_once = kCrossDepthOf<A>;
  const std::int64_t width = kLayoutOf<A>.width(s.features);
  const std::int64_t feature_tiles = kLayoutOf<A>.feature_tiles(s.features);
  for (std::int64_t row = begin; row < end; row += rows_at_once) {
    const Block<T, A> block(s, row, least(row + rows_at_once, end), rows, panels, y_sums);
    for (std::int64_t q = 0; q * cols < s.features; ++q) {
      const std::int64_t col = q * cols;
      // Tiles above this one lie above the diagonal.
      for (std::int64_t t = first_tile > col / kRows ? first_tile : col / kRows; t < last_tile; ++t) {
        double* c = products + t * kRows * width + col;
        if (t < feature_tiles) {
          const std::int64_t i = t * kRows;
          const int height = int(least(s.features - i, kRows));
          const A* a = block.panel(i / cols) + i % cols;
          add_tile_of<cols>(height, int(least(i + height - col, cols)), block.depth, a, block.panel(q), c, width);
        } else {
          const std::int64_t k = (t - feature_tiles) * kRows;
          const int height = int(least(s.targets + 1 - k, kRows));
          add_tile_of<kRows>(height, int(least(s.features - col, cols)), block.depth, block.targets + k * rows_at_once,
                             block.panel(q), c, width);
        }
      }
    }
  }
}

template <class T>
void add_gradient(const CrossSamples<T>& s, std::int64_t begin, std::int64_t end, const double* coef, T* rows,
                  double* panels, double* gradient) {
  const std::int64_t width = kLayout.width(s.features);
  const std::int64_t count = width / kPanelCols;
  vec<double> partial[kCrossDepth];
  double residuals[kCrossDepth];
  for (std::int64_t row = begin; row < end; row += kCrossDepth) {
    const Block<T, double> block(s, row, least(row + kCrossDepth, end), rows, panels, nullptr);
    for (std::int64_t k = 0; k < s.targets; ++k) {
      for (std::int64_t p = 0; p < block.depth; ++p) partial[p] = vec<double>{};
      for (std::int64_t q = 0; q < count; ++q) {
        const double* panel = block.panel(q);
        for (int v = 0; v < kVectors; ++v) {
          const int at = v * kLanes<double>;
          const vec<double> w = load(coef + k * width + q * kPanelCols + at);
          for (std::int64_t p = 0; p < block.depth; ++p) partial[p] += load(panel + p * kPanelCols + at) * w;
        }
      }
      for (std::int64_t p = 0; p < block.depth; ++p) {
        residuals[p] = *block.target_at(k, p) - reduce_add<double>(partial[p]);
      }
      for (std::int64_t q = 0; q < count; ++q) {
        const double* panel = block.panel(q);
        double* to = gradient + k * width + q * kPanelCols;
        vec<double> sums[kVectors] = {};
        for (std::int64_t p = 0; p < block.depth; ++p) {
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; ++v) {
            sums[v] += residuals[p] * load(panel + p * kPanelCols + v * kLanes<double>);
          }
        }
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          store(to + v * kLanes<double>, load(to + v * kLanes<double>) + sums[v]);
        }
      }
    }
  }
}

}  // namespace

extern const linear::CrossKernels<float> cross_table_f32;
extern const linear::CrossKernels<double> cross_table_f64;
extern const linear::CrossProductKernels<float, float> cross_table_f32_narrow;
const linear::CrossKernels<float> cross_table_f32{{kLayout, add_products<float, double>}, add_gradient<float>};
const linear::CrossKernels<double> cross_table_f64{{kLayout, add_products<double, double>}, add_gradient<double>};
const linear::CrossProductKernels<float, float> cross_table_f32_narrow{kLayoutOf<float>, add_products<float, float>};

}  // namespace FASTML_LEVEL
}  // namespace fastml
