// The two products of a block of dense rows: with the weights, and of its derivatives with its rows. For level sources only.
#pragma once

#include "gemm/microkernel.hpp"
#include "linear/logistic_kernels.hpp"
#include "simd/transpose.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {

using linear::DenseSamples;
using linear::kBlockRows;

// Bytes of X in a block: it is read twice, the second time from L1 or L2.
inline constexpr std::int64_t kBlockBytes = 24 << 10;

// Rows are transposed that many at a time.
template <class T>
inline constexpr std::int64_t kPanelRows = kTileCols<T>;

template <class T>
FASTML_INLINE std::int64_t whole_vectors(std::int64_t count) {
  return (count + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

// Element i of step p at base[p * stride + i].
template <class T>
struct SideBySide {
  const T* base;
  std::int64_t stride;
  FASTML_INLINE T operator()(int i, std::int64_t p) const { return base[p * stride + i]; }
};

// Element i of step p at base[i * kBlockRows + p].
template <class T>
struct BlockColumns {
  const T* base;
  FASTML_INLINE T operator()(int i, std::int64_t p) const { return base[i * kBlockRows + p]; }
};

template <class T>
FASTML_INLINE void add_in_double(double* to, vec<T> x) {
  if constexpr (sizeof(T) == sizeof(double)) {
    store(to, load(to) + x);
  } else {
    alignas(64) T lanes[kLanes<T>];
    store(lanes, x);
    for (int l = 0; l < kLanes<T>; l += kLanes<double>) store(to + l, load(to + l) + load_as<double>(lanes + l));
  }
}

// A block of rows whose last vectors may be read past the row: within the memory of X, or of a padded copy.
template <class T>
struct DenseBlock {
  const T* x;
  std::int64_t stride;
  std::int64_t features;
  std::int64_t outputs;
  std::int64_t count;
  T* panel;  // kPanelRows * whole_vectors(features)

  // Brings the same values of the next block into L2: the rows of a block are too short for the hardware to look ahead.
  FASTML_INLINE void fetch_next(const T* value) const { __builtin_prefetch(value + count * stride, 0, 2); }

  // scores[r] = x_r . w, `w` padded: products of kLanes rows side by side, transposed to be added up.
  FASTML_INLINE void scores_of_one(const T* w, T intercept, T* scores) const {
    for (std::int64_t first = 0; first < count; first += kLanes<T>) {
      const T* rows[kLanes<T>];
#pragma GCC unroll 16
      for (int l = 0; l < kLanes<T>; ++l) {
        rows[l] = x + (first + l < count ? first + l : count - 1) * stride;
      }
      vec<T> sums[kLanes<T>] = {};
      for (std::int64_t j = 0; j < features; j += kLanes<T>) {
        const vec<T> weights = load(w + j);
#pragma GCC unroll 16
        for (int l = 0; l < kLanes<T>; ++l) {
          sums[l] += load(rows[l] + j) * weights;
          fetch_next(rows[l] + j);
        }
      }
      transpose<T>(sums);
      vec<T> score = broadcast<T>(intercept);
#pragma GCC unroll 16
      for (int l = 0; l < kLanes<T>; ++l) score += sums[l];
      store(scores + first, score);
    }
  }

  // panel[j * kPanelRows + r] = x_(first + r), the last row repeated where there are fewer.
  FASTML_INLINE void transpose_rows(std::int64_t first) const {
    for (int v = 0; v < kTileVectors; ++v) {
      const T* rows[kLanes<T>];
#pragma GCC unroll 16
      for (int l = 0; l < kLanes<T>; ++l) {
        const std::int64_t r = first + v * kLanes<T> + l;
        rows[l] = x + (r < count ? r : count - 1) * stride;
      }
      for (std::int64_t j = 0; j < features; j += kLanes<T>) {
        vec<T> square[kLanes<T>];
#pragma GCC unroll 16
        for (int l = 0; l < kLanes<T>; ++l) {
          square[l] = load(rows[l] + j);
          fetch_next(rows[l] + j);
        }
        transpose<T>(square);
#pragma GCC unroll 16
        for (int l = 0; l < kLanes<T>; ++l) store(panel + (j + l) * kPanelRows<T> + v * kLanes<T>, square[l]);
      }
    }
  }

  // scores[c * kBlockRows + r] for several outputs: rows in the lanes, outputs down the tile.
  FASTML_INLINE void scores_of_many(const T* w, const T* intercepts, T* scores) const {
    for (std::int64_t first = 0; first < count; first += kPanelRows<T>) {
      transpose_rows(first);
      for (std::int64_t c = 0; c < outputs; c += kTileRows) {
        const int height = int(outputs - c < kTileRows ? outputs - c : kTileRows);
        with_rows<kTileRows>(height, [&](auto rows) __attribute__((always_inline)) {
          constexpr int MR = decltype(rows)::value;
          vec<T> tile[MR][kTileVectors];
#pragma GCC unroll 16
          for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
            for (int v = 0; v < kTileVectors; ++v) tile[i][v] = broadcast<T>(intercepts[c + i]);
          }
          multiply_tile(features, SideBySide<T>{w + c, outputs}, panel, kPanelRows<T>, tile);
#pragma GCC unroll 16
          for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
            for (int v = 0; v < kTileVectors; ++v) {
              store(scores + (c + i) * kBlockRows + first + v * kLanes<T>, tile[i][v]);
            }
          }
        });
      }
    }
  }

  // This and add_gradient are called once a block, from several passes: their tiles are compiled once.
  __attribute__((noinline)) void scores(const linear::LogisticModel<T>& model, T* to) const {
    if (outputs == 1) {
      scores_of_one(model.weights, model.intercepts[0], to);
    } else {
      scores_of_many(model.weights, model.intercepts, to);
    }
  }

  // One output, NV vectors of features. Four sums at a time hide the latency of the additions.
  template <int NV>
  FASTML_INLINE void add_rows_of_one(const T* derivatives, std::int64_t j, double* to) const {
    constexpr int parts = 4;
    vec<T> sums[parts][NV] = {};
    std::int64_t r = 0;
    for (; r + parts <= count; r += parts) {
#pragma GCC unroll 4
      for (int u = 0; u < parts; ++u) {
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) {
          sums[u][v] += derivatives[r + u] * load(x + (r + u) * stride + j + v * kLanes<T>);
        }
      }
    }
    for (; r < count; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) sums[0][v] += derivatives[r] * load(x + r * stride + j + v * kLanes<T>);
    }
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      add_in_double<T>(to + j + v * kLanes<T>, (sums[0][v] + sums[1][v]) + (sums[2][v] + sums[3][v]));
    }
  }

  template <int MR, int NV>
  FASTML_INLINE void add_tile(const T* derivatives, std::int64_t c, std::int64_t j, double* to,
                              std::int64_t padded) const {
    vec<T> tile[MR][NV] = {};
    multiply_tile(count, BlockColumns<T>{derivatives + c * kBlockRows}, x + j, stride, tile);
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) add_in_double<T>(to + (c + i) * padded + j + v * kLanes<T>, tile[i][v]);
    }
  }

  // to[c * padded + j] += sum over r of derivatives[c * kBlockRows + r] x_rj.
  __attribute__((noinline)) void add_gradient(const T* derivatives, double* to, std::int64_t padded) const {
    constexpr std::int64_t wide = kTileVectors * kLanes<T>;
    if (outputs == 1) {
      std::int64_t j = 0;
      for (; j + kLanes<T> < features; j += 2 * kLanes<T>) add_rows_of_one<2>(derivatives, j, to);
      if (j < features) add_rows_of_one<1>(derivatives, j, to);
      return;
    }
    for (std::int64_t c = 0; c < outputs; c += kTileRows) {
      const int height = int(outputs - c < kTileRows ? outputs - c : kTileRows);
      with_rows<kTileRows>(height, [&](auto rows) __attribute__((always_inline)) {
        constexpr int MR = decltype(rows)::value;
        std::int64_t j = 0;
        for (; j + wide - kLanes<T> < features; j += wide) {
          add_tile<MR, kTileVectors>(derivatives, c, j, to, padded);
        }
        for (; j < features; j += kLanes<T>) add_tile<MR, 1>(derivatives, c, j, to, padded);
      });
    }
  }
};

}  // namespace FASTML_LEVEL
}  // namespace fastml
