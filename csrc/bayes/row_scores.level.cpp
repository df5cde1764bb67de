#include "bayes/row_score_kernels.hpp"
#include "bayes/score_table.hpp"
#include "bayes/score_tile.hpp"
#include "simd/vec.hpp"

namespace fastml {
namespace FASTML_LEVEL {
namespace {

using bayes::CategoryScoreKernels;
using bayes::Outcomes;
using bayes::ScoreTable;
using bayes::SparseRows;
using bayes::SparseScoreKernels;

std::int64_t stride(std::int64_t classes) { return table_stride(classes); }

std::int64_t score_scratch(std::int64_t classes) { return classes * kTileRows; }

// The sums of a row for V runs of N classes from class k on. Terms calls its argument with the factor and the table's
// row of each term.
template <int N, int V, class Terms>
FASTML_INLINE void score_row(const ScoreTable& table, std::int64_t k, const Terms& terms, double* scores) {
  typename VectorOf<double, N>::type sums[V] = {};
  terms([&](double factor, const double* row) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sums[v] += factor * load_run<N>(row + k + v * N);
  });
  const std::int64_t count = table.classes - k < V * N ? table.classes - k : V * N;
  double lanes[V * N];
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) store_run<N>(lanes + v * N, sums[v]);
  for (std::int64_t c = 0; c < count; ++c) scores[(k + c) * kTileRows] = lanes[c] + table.constants[k + c];
}

// All classes of the rows of a tile; terms_of(i) are the terms of its row i.
template <class TermsOf>
FASTML_INLINE void score_tile(const ScoreTable& table, std::int64_t rows, const TermsOf& terms_of, double* scores) {
  for_each_class_block(table, [&](auto width, auto vectors, std::int64_t k) __attribute__((always_inline)) {
    constexpr int N = decltype(width)::value, V = decltype(vectors)::value;
    for (std::int64_t i = 0; i < rows; ++i) score_row<N, V>(table, k, terms_of(i), scores + i);
  });
}

// Tiles over rows [begin, end); terms_of(i) are the terms of row i of all.
template <class TermsOf>
FASTML_INLINE void score_rows(const ScoreTable& table, std::int64_t begin, std::int64_t end, const TermsOf& terms_of,
                              const Outcomes& out, double* scores) {
  for (; begin < end; begin += kTileRows) {
    const std::int64_t rows = end - begin < kTileRows ? end - begin : kTileRows;
    for (std::int64_t c = 0; rows < kTileRows && c < table.classes; ++c) {
      for (std::int64_t i = rows; i < kTileRows; ++i) scores[c * kTileRows + i] = 0;
    }
    score_tile(table, rows, [&](std::int64_t i) __attribute__((always_inline)) { return terms_of(begin + i); }, scores);
    write_outcomes(scores, rows, table.classes, begin, out);
  }
}

template <class T, class Index>
bool score_sparse(const ScoreTable& table, const double* threshold, const SparseRows<T, Index>& x, std::int64_t begin,
                  std::int64_t end, const Outcomes& out, double* scratch) {
  double differences = 0;  // x - x: NaN where x is not finite
  for (std::int64_t p = x.offsets[begin]; p < std::int64_t(x.offsets[end]); ++p) {
    differences += double(x.values[p] - x.values[p]);
  }
  const auto terms_of = [&](std::int64_t i) __attribute__((always_inline)) {
    const std::int64_t first = x.offsets[i], last = x.offsets[i + 1];
    return [&, first, last](const auto& add) __attribute__((always_inline)) {
      for (std::int64_t p = first; p < last; ++p) {
        const double* row = table.rows + std::int64_t(x.indices[p]) * table.stride;
        if (threshold == nullptr) {
          add(double(x.values[p]), row);
        } else if (double(x.values[p]) > *threshold) {
          add(1.0, row);
        }
      }
    };
  };
  score_rows(table, begin, end, terms_of, out, scratch);
  return differences == 0;
}

bool score_categories(const ScoreTable& table, const std::int64_t* offsets, Rows<const std::int64_t> x,
                      std::int64_t begin, std::int64_t end, const Outcomes& out, double* scratch) {
  bool known = true;
  const auto terms_of = [&](std::int64_t i) __attribute__((always_inline)) {
    const std::int64_t* row = x.data + i * x.stride;
    return [&, row](const auto& add) __attribute__((always_inline)) {
      for (std::int64_t j = 0; j < x.cols; ++j) {
        const bool is_category = row[j] >= 0 && row[j] < offsets[j + 1] - offsets[j];
        known &= is_category;
        add(1.0, table.rows + (is_category ? offsets[j] + row[j] : 0) * table.stride);
      }
    };
  };
  score_rows(table, begin, end, terms_of, out, scratch);
  return known;
}

}  // namespace

extern const SparseScoreKernels<float, std::int32_t> sparse_score_table_f32_i32;
extern const SparseScoreKernels<float, std::int64_t> sparse_score_table_f32_i64;
extern const SparseScoreKernels<double, std::int32_t> sparse_score_table_f64_i32;
extern const SparseScoreKernels<double, std::int64_t> sparse_score_table_f64_i64;
extern const CategoryScoreKernels category_score_table;
const SparseScoreKernels<float, std::int32_t> sparse_score_table_f32_i32{score_sparse};
const SparseScoreKernels<float, std::int64_t> sparse_score_table_f32_i64{score_sparse};
const SparseScoreKernels<double, std::int32_t> sparse_score_table_f64_i32{score_sparse};
const SparseScoreKernels<double, std::int64_t> sparse_score_table_f64_i64{score_sparse};
const CategoryScoreKernels category_score_table{score_categories, stride, score_scratch};

}  // namespace FASTML_LEVEL
}  // namespace fastml
