// Trust-region Newton (Lin and Moré, 1999; Lin, Weng and Keerthi, 2008): the minimum of a convex function of many variables,
// from its gradients and products with its Hessian.
//
// It takes LIBLINEAR's steps: conjugate gradients to a tenth of the gradient's norm or to the region's boundary, its
// constants for accepting a step and for the radius, and its tests of the end.
#pragma once

#include <cstdint>
#include <vector>

namespace fastml::linear {

// Methods return false to ask for a stop.
class NewtonFunction {
 public:
  virtual ~NewtonFunction() = default;
  virtual std::int64_t size() const = 0;
  // Sets the value and the gradient at a point.
  virtual bool value_gradient(const double* point, double& value, double* gradient) = 0;
  // From here on hessian_product is about the last point given to value_gradient.
  virtual void settle() = 0;
  virtual bool hessian_product(const double* direction, double* product) = 0;
};

// A step that was tried.
struct TrustRegionStep {
  std::int64_t iteration;  // from 1 on; steps that were not taken have the number of the next one
  double reduction;
  double expected_reduction;
  double radius;
  double value;          // before the step
  double gradient_norm;  // before the step
  std::int64_t products;
  bool at_boundary;
};

enum class TrustRegionOutcome {
  converged,    // the gradient's norm is within its tolerance, or there were as many iterations as allowed
  unbounded,    // the value is below -1e32
  no_decrease,  // neither a reduction nor an expected one
  too_small,    // both are below the value's rounding
  stopped,      // by the function
};

struct TrustRegionResult {
  TrustRegionOutcome outcome;
  std::int64_t iterations;  // steps taken
};

// Minimises from 0 on; `point` holds the last iterate in the end. The tolerance is relative to the gradient's norm at 0.
// Steps are added to `steps` unless it is nullptr. Throws std::bad_alloc.
TrustRegionResult minimize_trust_region(NewtonFunction& function, double tolerance, std::int64_t most_iterations,
                                        double* point, std::vector<TrustRegionStep>* steps = nullptr);

}  // namespace fastml::linear
