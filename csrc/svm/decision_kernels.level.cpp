// Decisions of kernel machines at one SIMD level.
#include "svm/decision_kernels.hpp"

#include "gemm/microkernel.hpp"
#include "simd/copy_block.hpp"
#include "svm/kernel_values.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using svm::DecisionKernels;
using svm::KernelValues;

constexpr int kLane = kLanes<double>;
constexpr int kCols = kTileCols<double>;

// Panels that a tile of so few samples meets at a time: a register tile of one or two rows alone would wait for its own
// additions.
template <int Height>
inline constexpr int kPanelsAtOnce = Height == 1   ? 4
                                     : Height == 2 ? 2
                                                   : 1;

// Samples and outputs whose sums are in registers at a time.
constexpr int kWeighedRows = 4;
constexpr int kWeighedOutputs = FASTML_VECTOR_BYTES == 64 ? 4 : 2;

void pack_panel(const double* vectors, std::int64_t stride, std::int64_t count, std::int64_t features,
                const double* center, double* panel, double* norms) {
  copy_block(panel, kCols, vectors, 1, stride, features, count);
  vec<double> sums[kTileVectors] = {};
  for (std::int64_t f = 0; f < features; ++f) {
    double* to = panel + f * kCols;
    for (std::int64_t s = count; s < kCols; ++s) to[s] = center != nullptr ? center[f] : 0.0;
#pragma GCC unroll 8
    for (int v = 0; v < kTileVectors; ++v) {
      vec<double> y = load(to + v * kLane);
      if (center != nullptr) y -= center[f];
      store(to + v * kLane, y);
      sums[v] += y * y;
    }
  }
  for (int v = 0; v < kTileVectors; ++v) store(norms + v * kLane, sums[v]);
}

void pack_tile(const double* samples, std::int64_t stride, std::int64_t height, std::int64_t features,
               const double* center, double* tile, double* norms) {
  copy_block(tile, height, samples, 1, stride, features, height);
  for (std::int64_t i = 0; i < height; ++i) norms[i] = 0;
  for (std::int64_t f = 0; f < features; ++f) {
    double* to = tile + f * height;
    const double middle = center != nullptr ? center[f] : 0.0;
    for (std::int64_t i = 0; i < height; ++i) {
      to[i] -= middle;
      norms[i] += to[i] * to[i];
    }
  }
}

// What a tile is compared with: panels of `features` features, of which the first `depth` count.
struct Panels {
  const double* first;
  std::int64_t features;
  std::int64_t depth;
  FASTML_INLINE const double* operator()(std::int64_t p) const { return first + p * features * kCols; }
};

// acc[k][i][v] += the terms of sample i and of the vectors of panel k.
template <bool Differences, int Height, int Count>
FASTML_INLINE void add_terms(const Panels& panels, std::int64_t p, const double* tile,
                             vec<double> (&acc)[Count][Height][kTileVectors]) {
  for (std::int64_t f = 0; f < panels.depth; ++f) {
#pragma GCC unroll 8
    for (int k = 0; k < Count; ++k) {
      vec<double> y[kTileVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kTileVectors; ++v) y[v] = load(panels(p + k) + f * kCols + v * kLane);
#pragma GCC unroll 16
      for (int i = 0; i < Height; ++i) {
        const double x = tile[f * Height + i];
#pragma GCC unroll 8
        for (int v = 0; v < kTileVectors; ++v) {
          if constexpr (Differences) {
            const vec<double> difference = y[v] - x;
            acc[k][i][v] += difference * difference;
          } else {
            acc[k][i][v] += x * y[v];
          }
        }
      }
    }
  }
}

template <bool Differences, int Height, int Count>
FASTML_INLINE void compare_panels(const Panels& panels, std::int64_t p, const double* tile, bool add,
                                  const KernelValues& values) {
  vec<double> acc[Count][Height][kTileVectors] = {};
  add_terms<Differences>(panels, p, tile, acc);
#pragma GCC unroll 8
  for (int k = 0; k < Count; ++k) {
#pragma GCC unroll 16
    for (int i = 0; i < Height; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < kTileVectors; ++v) {
        double* const to = values.data + i * values.stride + (p + k) * kCols + v * kLane;
        vec<double> value = Differences ? -0.5 * acc[k][i][v] : acc[k][i][v];
        if (add) value += load(to);
        store(to, value);
      }
    }
  }
}

template <bool Differences>
FASTML_INLINE void compare(const double* tile, int height, const Panels& panels, std::int64_t count, bool add,
                           const KernelValues& values) {
  with_rows<kTileRows>(height, [&](auto rows) __attribute__((always_inline)) {
    constexpr int Height = decltype(rows)::value;
    constexpr int AtOnce = kPanelsAtOnce<Height>;
    std::int64_t p = 0;
    for (; p + AtOnce <= count; p += AtOnce) {
      compare_panels<Differences, Height, AtOnce>(panels, p, tile, add, values);
    }
    if constexpr (AtOnce > 1) {
      for (; p < count; ++p) compare_panels<Differences, Height, 1>(panels, p, tile, add, values);
    }
  });
}

void products(const double* tile, int height, const double* first_panel, std::int64_t panels, std::int64_t features,
              std::int64_t depth, bool add, KernelValues values) {
  compare<false>(tile, height, {first_panel, features, depth}, panels, add, values);
}

void differences(const double* tile, int height, const double* first_panel, std::int64_t panels, std::int64_t features,
                 std::int64_t depth, bool add, KernelValues values) {
  compare<true>(tile, height, {first_panel, features, depth}, panels, add, values);
}

void apply(const Kernel& kernel, double x_norm, const double* norms, std::int64_t count, double* values) {
  if (kernel.kind == KernelKind::linear || kernel.kind == KernelKind::precomputed) return;
  with_kernel(kernel, x_norm, [&](auto value_of) __attribute__((always_inline)) {
    if (norms != nullptr) {
      for (std::int64_t s = 0; s < count; s += kLane) store(values + s, value_of(load(values + s), load(norms + s)));
    } else {
      for (std::int64_t s = 0; s < count; s += kLane) store(values + s, value_of(load(values + s), vec<double>{}));
    }
  });
}

template <int Rows, int Outputs>
FASTML_INLINE void weigh_some(const double* values, std::int64_t stride, std::int64_t count, const double* coef,
                              std::int64_t coef_stride, double* sums, std::int64_t sums_stride) {
  vec<double> acc[Rows][Outputs] = {};
  std::int64_t s = 0;
  for (; s + kLane <= count; s += kLane) {
    vec<double> weights[Outputs];
#pragma GCC unroll 8
    for (int q = 0; q < Outputs; ++q) weights[q] = load(coef + q * coef_stride + s);
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      const vec<double> value = load(values + i * stride + s);
#pragma GCC unroll 8
      for (int q = 0; q < Outputs; ++q) acc[i][q] += value * weights[q];
    }
  }
  for (int i = 0; i < Rows; ++i) {
    for (int q = 0; q < Outputs; ++q) {
      double sum = reduce_add<double>(acc[i][q]);
      for (std::int64_t rest = s; rest < count; ++rest) sum += values[i * stride + rest] * coef[q * coef_stride + rest];
      sums[i * sums_stride + q] += sum;
    }
  }
}

void weigh(KernelValues values, int rows, std::int64_t count, const double* coef, std::int64_t coef_stride,
           std::int64_t outputs, double* sums, std::int64_t sums_stride) {
  for (std::int64_t q = 0; q < outputs; q += kWeighedOutputs) {
    const int width = int(outputs - q < kWeighedOutputs ? outputs - q : kWeighedOutputs);
    for (int i = 0; i < rows; i += kWeighedRows) {
      const int height = rows - i < kWeighedRows ? rows - i : kWeighedRows;
      with_rows<kWeighedRows>(height, [&](auto some_rows) __attribute__((always_inline)) {
        with_rows<kWeighedOutputs>(width, [&](auto some_outputs) __attribute__((always_inline)) {
          weigh_some<decltype(some_rows)::value, decltype(some_outputs)::value>(
              values.data + i * values.stride, values.stride, count, coef + q * coef_stride, coef_stride,
              sums + i * sums_stride + q, sums_stride);
        });
      });
    }
  }
}

}  // namespace

extern const DecisionKernels decision_table;
const DecisionKernels decision_table = {kTileRows, kCols, pack_panel, pack_tile, products, differences, apply, weigh};

}  // namespace FASTML_LEVEL
}  // namespace fastml
