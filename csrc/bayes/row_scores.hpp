// Outcomes of rows whose scores are sums of weights: dense ones, sparse ones and those of categories, over threads.
#pragma once

#include <cstdint>

#include "bayes/category_counts.hpp"
#include "bayes/likelihood.hpp"
#include "bayes/outcomes.hpp"
#include "bayes/sparse_rows.hpp"
#include "runtime/stop.hpp"
#include "runtime/views.hpp"

namespace fastml::bayes {

// A score is constant[k] + the sum over features j of x[j] weight[k][j]; or, where `binary`, of the weights of those
// features that are above the threshold. Weights are row-major, classes x features, both 1 at least.
struct LinearModel {
  std::int64_t features, classes;
  const double* weights;
  const double* constants;
  bool binary;
  double threshold;
};

// Writes the outcomes of all rows of x. Rows that are not finite have outcomes as plain arithmetic has them, and are
// told of. Sums are of doubles. Neither the number of threads nor the place of a row changes its outcome. T: float,
// double, std::int32_t, std::int64_t.
template <class T>
ScoreResult score_rows(const LinearModel& model, Rows<const T> x, const Outcomes& out, int threads, StopCheck stop);

// As of dense rows, but that the terms of a row are added in the order in which its values are stored, and the constant
// at the end: the same to the bit as SciPy's product of matrices. Where the model is binary, the threshold must not be
// negative: what is not stored is not above it. Indices may repeat.
template <class T, class Index>
ScoreResult score_rows(const LinearModel& model, const SparseRows<T, Index>& x, const Outcomes& out, int threads,
                       StopCheck stop);

// A score is constant[k] + the sum over features j of weight[k][offsets[j] + x[j]]. Weights are row-major, classes x
// offsets[features].
struct CategoryModel {
  std::int64_t features, classes;
  const std::int64_t* offsets;  // features + 1, from 0, each more than the one before
  const double* weights;
  const double* constants;
};

// Terms and constants are added as above.
CategoryResult score_rows(const CategoryModel& model, Rows<const std::int64_t> x, const Outcomes& out, int threads,
                          StopCheck stop);

}  // namespace fastml::bayes
