#include "svm/problems.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fastml::svm {
namespace {

Solved solved(SmoProblem& problem, KernelRows& rows, const TrainOptions& options, StopCheck stop, bool divide_by_r) {
  const SmoSolution solution = minimize(problem, rows, options.smo, stop);
  Solved result;
  const double scale = divide_by_r ? solution.r : 1;
  const std::int64_t columns = rows.columns();
  result.coefficients.resize(columns);
  for (std::int64_t c = 0; c < columns; ++c) {
    // Of regression the second half pulls the other way.
    result.coefficients[c] = problem.variables == columns ? problem.alpha[c] * (problem.y[c] / scale)
                                                          : problem.alpha[c] - problem.alpha[c + columns];
  }
  result.at_bound = 0;
  for (std::int64_t c = 0; c < columns; ++c) {
    const double weight = std::fabs(result.coefficients[c]);
    result.at_bound += weight > 0 && weight >= problem.upper[c] / scale;
  }
  result.rho = solution.rho / scale;
  result.objective = solution.objective / (scale * scale);
  result.n_iter = solution.n_iter;
  result.timed_out = solution.timed_out;
  return result;
}

// Gives each variable of a label as much as it may hold, until `sum` is dealt out.
void deal(SmoProblem& problem, int label, double sum) {
  for (std::int64_t v = 0; v < problem.variables; ++v) {
    if (problem.y[v] != label) continue;
    problem.alpha[v] = std::min(problem.upper[v], sum);
    sum -= problem.alpha[v];
  }
}

}  // namespace

Solved solve_two_classes(KernelRows& rows, std::int64_t positives, std::vector<double> bounds,
                         const TrainOptions& options, StopCheck stop) {
  const std::int64_t count = rows.columns();
  const bool nu = options.machine == Machine::nu_svc;
  SmoProblem problem{count,
                     std::vector<signed char>(count, -1),
                     std::vector<double>(count, nu ? 0.0 : -1.0),
                     std::move(bounds),
                     std::vector<double>(count),
                     nu};
  std::fill_n(problem.y.begin(), positives, 1);
  if (nu) {
    double share = 0;
    for (const double bound : problem.upper) share += options.nu * bound;
    deal(problem, 1, share / 2);
    deal(problem, -1, share / 2);
  }
  return solved(problem, rows, options, stop, nu);
}

Solved solve_one_class(KernelRows& rows, std::vector<double> weights, const TrainOptions& options, StopCheck stop) {
  const std::int64_t count = rows.columns();
  double share = 0;
  for (const double weight : weights) share += weight * options.nu;
  SmoProblem problem{count,
                     std::vector<signed char>(count, 1),
                     std::vector<double>(count),
                     std::move(weights),
                     std::vector<double>(count),
                     false};
  deal(problem, 1, share);
  return solved(problem, rows, options, stop, false);
}

Solved solve_regression(KernelRows& rows, const std::vector<double>& targets, const std::vector<double>& weights,
                        const TrainOptions& options, StopCheck stop) {
  const std::int64_t count = rows.columns();
  const bool nu = options.machine == Machine::nu_svr;
  const double epsilon = nu ? 0.0 : options.epsilon;
  SmoProblem problem{2 * count,
                     std::vector<signed char>(2 * count, 1),
                     std::vector<double>(2 * count),
                     std::vector<double>(2 * count),
                     std::vector<double>(2 * count),
                     nu};
  double share = 0;
  for (std::int64_t c = 0; c < count; ++c) {
    problem.y[c + count] = -1;
    problem.linear[c] = epsilon - targets[c];
    problem.linear[c + count] = epsilon + targets[c];
    problem.upper[c] = problem.upper[c + count] = weights[c] * options.c;
    share += problem.upper[c] * options.nu;
  }
  if (nu) {
    deal(problem, 1, share / 2);
    deal(problem, -1, share / 2);
  }
  return solved(problem, rows, options, stop, false);
}

}  // namespace fastml::svm
