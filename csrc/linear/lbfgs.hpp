// L-BFGS: the minimum of a smooth function of many variables, from its gradients (Liu and Nocedal, 1989).
//
// It takes the steps that L-BFGS-B (Zhu, Byrd, Lu, Nocedal: ACM TOMS 23, 1997; the solver in SciPy) takes where there are
// no bounds: the same line search, updates, restarts and stopping tests. They differ in how the products with the inverse
// Hessian are rounded: here by the two-loop recursion, there by the compact form.
#pragma once

#include <cstdint>
#include <functional>

namespace fastml::linear {

struct LbfgsOptions {
  std::int64_t most_iterations;
  double gradient_tolerance;   // of the largest element of the gradient
  double reduction_tolerance;  // of the reduction in an iteration, relative to the value or to 1, whichever is larger
};

enum class LbfgsOutcome {
  flat,         // the gradient is within its tolerance
  no_progress,  // the reduction is
  iterations,   // there were as many as allowed; what is reached is not looked at
  evaluations,  // there were more than 15,000
  abnormal,     // no step along the gradient lowers the value
  stopped,      // by the function
};

struct LbfgsResult {
  LbfgsOutcome outcome;
  double value;
  std::int64_t iterations;
};

// Sets the value and the gradient at a point; false asks to stop.
using LbfgsFunction = std::function<bool(const double* point, double& value, double* gradient)>;

// Minimises from `point` on, which holds the last iterate in the end. At least one iteration is made, unless the first
// gradient is within its tolerance. Throws std::bad_alloc.
LbfgsResult minimize_lbfgs(const LbfgsFunction& function, double* point, std::int64_t size,
                           const LbfgsOptions& options);

}  // namespace fastml::linear
