// The quadratic problems of the five machines.
#pragma once

#include <cstdint>
#include <vector>

#include "svm/kernel_rows.hpp"
#include "svm/train.hpp"

namespace fastml::svm {

// Coefficients of a problem's columns, and the rest of its solution.
struct Solved {
  std::vector<double> coefficients;
  double rho, objective;
  std::int64_t n_iter;
  std::int64_t at_bound;  // support vectors that are as heavy as they may be
  bool timed_out;
};

// Two classes: the first `positives` columns against the others. `bounds` are those of the columns: C times the weight of the
// class and of the sample; for nu, the sample's weight alone.
Solved solve_two_classes(KernelRows& rows, std::int64_t positives, std::vector<double> bounds,
                         const TrainOptions& options, StopCheck stop);

// `weights` are those of the columns' samples, `targets` their values.
Solved solve_one_class(KernelRows& rows, std::vector<double> weights, const TrainOptions& options, StopCheck stop);
Solved solve_regression(KernelRows& rows, const std::vector<double>& targets, const std::vector<double>& weights,
                        const TrainOptions& options, StopCheck stop);

}  // namespace fastml::svm
