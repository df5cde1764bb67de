#include "bayes/load_doubles.hpp"
#include "bayes/row_score_kernels.hpp"
#include "bayes/score_table.hpp"
#include "bayes/score_tile.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using bayes::DenseScoreKernels;
using bayes::Outcomes;
using bayes::ScoreTable;

// Values of a block of rows, as doubles, that stay in L1 while all classes are scored: 16 KB.
constexpr int kBlockRows = 8;
constexpr std::int64_t kPanel = 256;

// Rows whose sums stay in registers, with V vectors of classes each.
template <int V>
constexpr int kSumRows = V == 1 ? 8 : 4;

// values[j] = x[j], or whether it is above the threshold. Returns NaN where some x[j] is not finite, 0 else.
template <class T>
FASTML_INLINE double convert(const T* x, std::int64_t count, const double* threshold, double* values) {
  constexpr int lanes = kLanes<double>;
  const vec<double> limit = broadcast(threshold == nullptr ? 0.0 : *threshold);
  vec<double> differences{};  // x - x: NaN where x is not finite
  std::int64_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    const vec<double> v = load_doubles(x + j);
    differences += v - v;
    store<double>(values + j, threshold == nullptr ? v : select<double>(v > limit, broadcast(1.0), vec<double>{}));
  }
  double rest = reduce_add<double>(differences);
  for (; j < count; ++j) {
    const auto v = double(x[j]);
    rest += v - v;
    values[j] = threshold == nullptr ? v : v > *threshold ? 1.0 : 0.0;
  }
  return rest;
}

// sums[r][k..] += the products of R rows of values with V runs of N classes of the table. Meanwhile the rows of x from
// `next` on are asked for: else memory would rest during the products, and the processor before them.
template <int N, int V, int R, class T>
FASTML_INLINE void add_products(const double* values, std::int64_t features, const double* rows, std::int64_t stride,
                                double* sums, const T* next) {
  using Run = typename VectorOf<double, N>::type;
  Run sum[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[r][v] = load_run<N>(sums + r * stride + v * N);
  }
  for (std::int64_t j = 0; j < features; ++j, rows += stride) {
    __builtin_prefetch(next + j * R);
    Run weights[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) weights[v] = load_run<N>(rows + v * N);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const double x = values[r * kPanel + j];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sum[r][v] += x * weights[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store_run<N>(sums + r * stride + v * N, sum[r][v]);
  }
}

std::int64_t scratch_size(std::int64_t classes) {
  return classes * kTileRows + kBlockRows * (kPanel + table_stride(classes));
}

template <class T>
bool score(const ScoreTable& table, const double* threshold, Rows<const T> x, std::int64_t begin, std::int64_t end,
           const Outcomes& out, double* scratch) {
  double* scores = scratch;
  double* values = scores + table.classes * kTileRows;
  double* sums = values + kBlockRows * kPanel;
  double differences = 0;
  for (; begin < end; begin += kTileRows) {
    const std::int64_t tile = end - begin < kTileRows ? end - begin : kTileRows;
    for (std::int64_t c = 0; tile < kTileRows && c < table.classes; ++c) {
      for (std::int64_t i = tile; i < kTileRows; ++i) scores[c * kTileRows + i] = 0;
    }
    for (std::int64_t first = 0; first < tile; first += kBlockRows) {
      const std::int64_t rows = tile - first < kBlockRows ? tile - first : kBlockRows;
      for (std::int64_t i = 0; i < rows * table.stride; ++i) sums[i] = 0;
      for (std::int64_t j = 0; j < x.cols; j += kPanel) {
        const std::int64_t features = x.cols - j < kPanel ? x.cols - j : kPanel;
        for (std::int64_t r = 0; r < rows; ++r) {
          differences += convert(x.data + (begin + first + r) * x.stride + j, features, threshold, values + r * kPanel);
        }
        for_each_class_block(table, [&](auto width, auto vectors, std::int64_t k) __attribute__((always_inline)) {
          constexpr int N = decltype(width)::value, V = decltype(vectors)::value, R = kSumRows<V>;
          const double* from = table.rows + j * table.stride + k;
          const T* next = x.data + (begin + first + kBlockRows) * x.stride + j;
          double* to = sums + k;
          std::int64_t r = 0;
          for (; r + R <= rows; r += R) {
            add_products<N, V, R>(values + r * kPanel, features, from, table.stride, to + r * table.stride,
                                  next + r * x.stride);
          }
          for (; r < rows; ++r) {
            add_products<N, V, 1>(values + r * kPanel, features, from, table.stride, to + r * table.stride, next);
          }
        });
      }
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < table.classes; ++c) {
          scores[c * kTileRows + first + r] = sums[r * table.stride + c] + table.constants[c];
        }
      }
    }
    write_outcomes(scores, tile, table.classes, begin, out);
  }
  return differences == 0;
}

}  // namespace

extern const DenseScoreKernels<float> dense_score_table_f32;
extern const DenseScoreKernels<double> dense_score_table_f64;
extern const DenseScoreKernels<std::int32_t> dense_score_table_i32;
extern const DenseScoreKernels<std::int64_t> dense_score_table_i64;
const DenseScoreKernels<float> dense_score_table_f32{score<float>, scratch_size};
const DenseScoreKernels<double> dense_score_table_f64{score<double>, scratch_size};
const DenseScoreKernels<std::int32_t> dense_score_table_i32{score<std::int32_t>, scratch_size};
const DenseScoreKernels<std::int64_t> dense_score_table_i64{score<std::int64_t>, scratch_size};

}  // namespace FASTML_LEVEL
}  // namespace fastml
