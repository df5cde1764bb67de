// The loops over rows whose score is a sum of rows of a table, at each SIMD level.
#pragma once

#include <cstdint>

#include "bayes/outcomes.hpp"
#include "bayes/sparse_rows.hpp"
#include "runtime/simd_level.hpp"
#include "runtime/views.hpp"

namespace fastml::bayes {

// A row of the table has a number for each class and is filled up with zeros to `stride`, that of
// CategoryScoreKernels. Scores are sums in the order of a row's terms, rounded one by one, and then the constant: as
// NumPy and SciPy have them.
struct ScoreTable {
  const double* rows;
  std::int64_t stride;
  std::int64_t classes;
  const double* constants;  // one a class
};

// A stored value adds x times the table's row of its feature; or, where there is a threshold, that row if it is above
// it.
template <class T, class Index>
struct SparseScoreKernels {
  // Writes the outcomes of rows [begin, end). `scratch` is aligned, and as long as CategoryScoreKernels says. Returns
  // whether all values are finite.
  bool (*score)(const ScoreTable& table, const double* threshold, const SparseRows<T, Index>& x, std::int64_t begin,
                std::int64_t end, const Outcomes& out, double* scratch);
};

template <class T, class Index>
const SparseScoreKernels<T, Index>& sparse_score_kernels(SimdLevel level = active_level());

// The same of dense rows, but that terms may be fused with their sums. T: float, double, std::int32_t, std::int64_t.
template <class T>
struct DenseScoreKernels {
  bool (*score)(const ScoreTable& table, const double* threshold, Rows<const T> x, std::int64_t begin, std::int64_t end,
                const Outcomes& out, double* scratch);
  std::int64_t (*scratch)(std::int64_t classes);  // doubles
};

template <class T>
const DenseScoreKernels<T>& dense_score_kernels(SimdLevel level = active_level());

// Feature j, where it is of category c, adds row offsets[j] + c of the table.
struct CategoryScoreKernels {
  // As above. Returns whether all values are categories: 0 <= x[i][j] < offsets[j + 1] - offsets[j]. Outcomes of rows
  // with others mean nothing.
  bool (*score)(const ScoreTable& table, const std::int64_t* offsets, Rows<const std::int64_t> x, std::int64_t begin,
                std::int64_t end, const Outcomes& out, double* scratch);
  std::int64_t (*stride)(std::int64_t classes);   // of all tables
  std::int64_t (*scratch)(std::int64_t classes);  // doubles, for sparse rows as well
};

const CategoryScoreKernels& category_score_kernels(SimdLevel level = active_level());

}  // namespace fastml::bayes
