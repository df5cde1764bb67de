// Sequential minimal optimisation: LIBSVM's solver (Fan, Chen, Lin 2005: second-order working sets, with shrinking).
//
//   minimise  1/2 a'Qa + p'a   over  0 <= a_v <= C_v,  sum of y_v a_v as at the start (and, for nu, the sum of a, too)
//
// where Q_vw = y_v y_w K(sample of v, sample of w). Steps, ties, shrinking and the stopping rule are LIBSVM's, and so are the
// roundings: values of K to float, all else in double, nothing fused. The same solutions come out after as many steps.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/stop.hpp"
#include "svm/kernel_rows.hpp"

namespace fastml::svm {

struct SmoProblem {
  // One for each column of the kernel's rows; or two, for regression: variable v + columns belongs to the sample of v.
  std::int64_t variables;
  std::vector<signed char> y;  // 1 or -1
  std::vector<double> linear;  // p
  std::vector<double> upper;   // C, positive
  std::vector<double> alpha;   // a feasible start; the solution afterwards
  bool nu;                     // the classes' sums of a are kept each
};

struct SmoOptions {
  double tolerance;
  bool shrinking;
  std::int64_t max_iter;  // -1 for no limit
  std::int64_t cache_bytes;
};

struct SmoSolution {
  double rho;  // the decision's threshold
  double r;    // of nu: what solutions are divided by
  double objective;
  std::int64_t n_iter;
  bool timed_out;  // max_iter was reached
};

// Throws Stopped when stopped, and std::bad_alloc.
SmoSolution minimize(SmoProblem& problem, KernelRows& rows, const SmoOptions& options, StopCheck stop);

}  // namespace fastml::svm
