// Scores of dense rows for every class of a naive Bayes model, and what is made of them, over threads.
#pragma once

#include <cstdint>

#include "bayes/likelihood_kernels.hpp"
#include "runtime/stop.hpp"

namespace fastml::bayes {

// A score is log prior[k] + the sum over features j of
//   -log(2 pi variance[k][j]) / 2 - (x[j] - mean[k][j])^2 / (2 variance[k][j]).
// Matrices are row-major, classes x features, both 1 at least.
struct GaussianModel {
  std::int64_t features, classes;
  const double* means;
  const double* variances;
  const double* log_priors;
};

enum class ScoreResult { finite, not_finite, stopped };

// Writes the outcomes of all rows of x. Rows that are not finite have outcomes as plain arithmetic has them, and are told of.
// Sums are of doubles. Neither the number of threads nor the place of a row changes its outcome.
template <class T>
ScoreResult score_rows(const GaussianModel& model, Rows<const T> x, const Outcomes& out, int threads, StopCheck stop);

}  // namespace fastml::bayes
