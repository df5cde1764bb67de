#include "linear/trust_region.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/buffer.hpp"

namespace fastml::linear {
namespace {

// Shares of the expected reduction: below the first a step is not taken, below the others the region shrinks or stays.
constexpr double kLeastShare = 1e-4, kPoorShare = 0.25, kGoodShare = 0.75;
// Factors of the radius.
constexpr double kShrinkMost = 0.25, kShrink = 0.5, kGrow = 4;
// Of the gradient's norm, where conjugate gradients end.
constexpr double kResidual = 0.1;
constexpr double kRounding = 1e-12;
constexpr double kUnbounded = -1e32;

double dot(const double* x, const double* y, std::int64_t size) {
  double sums[4] = {};
  std::int64_t i = 0;
  for (; i + 4 <= size; i += 4) {
    for (int u = 0; u < 4; ++u) sums[u] += x[i + u] * y[i + u];
  }
  for (; i < size; ++i) sums[0] += x[i] * y[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Squares that are out of range are added up of scaled elements, as BLAS does it.
double norm(const double* x, std::int64_t size) {
  const double plain = dot(x, x, size);
  if (plain > 1e-280 && plain < 1e280) return std::sqrt(plain);
  double largest = 0;
  for (std::int64_t i = 0; i < size; ++i) largest = std::max(largest, std::abs(x[i]));
  if (largest == 0 || !std::isfinite(largest)) return std::sqrt(plain);
  double sum = 0;
  for (std::int64_t i = 0; i < size; ++i) sum += (x[i] / largest) * (x[i] / largest);
  return largest * std::sqrt(sum);
}

void add(double factor, const double* x, double* to, std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) to[i] += factor * x[i];
}

// How far to go from `step`, inside the region, along `direction` to its boundary.
double way_to_boundary(const double* step, const double* direction, std::int64_t size, double radius) {
  const double along = dot(step, direction, size), inside = dot(step, step, size);
  const double squared = dot(direction, direction, size);
  const double left = radius * radius - inside;
  const double root = std::sqrt(along * along + squared * left);
  return along >= 0 ? left / (along + root) : (root - along) / squared;
}

class Solver {
 public:
  Solver(NewtonFunction& function, double tolerance, std::int64_t most_iterations, double* point,
         std::vector<TrustRegionStep>* steps)
      : function_(function),
        size_(function.size()),
        tolerance_(tolerance),
        most_(most_iterations),
        point_(point),
        steps_(steps),
        trial_(size_),
        gradient_(size_),
        next_gradient_(size_),
        step_(size_),
        residual_(size_),
        direction_(size_),
        product_(size_) {}

  TrustRegionResult minimize() {
    std::fill(point_, point_ + size_, 0.0);
    double value = 0;
    if (!function_.value_gradient(point_, value, gradient_.data())) return {TrustRegionOutcome::stopped, 0};
    function_.settle();
    double gradient_norm = norm(gradient_.data(), size_);
    const double enough = tolerance_ * gradient_norm;
    double radius = gradient_norm;
    std::int64_t taken = 0;
    while (taken < most_ && gradient_norm > enough) {  // a NaN ends it
      TrustRegionStep tried{taken + 1, 0, 0, 0, value, gradient_norm, 0, false};
      if (!find_step(gradient_norm, radius, tried)) return {TrustRegionOutcome::stopped, taken};
      std::copy(point_, point_ + size_, trial_.data());
      add(1, step_.data(), trial_.data(), size_);
      const double slope = dot(gradient_.data(), step_.data(), size_);
      tried.expected_reduction = -0.5 * (slope - dot(step_.data(), residual_.data(), size_));
      double next = 0;
      // The gradient comes out of the same pass over the rows; hardly a step is in vain.
      if (!function_.value_gradient(trial_.data(), next, next_gradient_.data())) {
        return {TrustRegionOutcome::stopped, taken};
      }
      tried.reduction = value - next;
      const double length = norm(step_.data(), size_);
      if (taken == 0) radius = std::min(radius, length);
      radius = next_radius(radius, length, slope, next - value, tried);
      tried.radius = radius;
      if (steps_ != nullptr) steps_->push_back(tried);

      if (tried.reduction > kLeastShare * tried.expected_reduction) {
        ++taken;
        std::copy(trial_.begin(), trial_.end(), point_);
        value = next;
        std::swap(gradient_, next_gradient_);
        function_.settle();
        gradient_norm = norm(gradient_.data(), size_);
        if (gradient_norm <= enough) break;
      }
      if (value < kUnbounded) return {TrustRegionOutcome::unbounded, taken};
      const double actual = std::abs(tried.reduction), rounding = kRounding * std::abs(value);
      if (std::isnan(actual) || (actual <= 0 && tried.expected_reduction <= 0)) {
        return {TrustRegionOutcome::no_decrease, taken};
      }
      if (actual <= rounding && std::abs(tried.expected_reduction) <= rounding) {
        return {TrustRegionOutcome::too_small, taken};
      }
    }
    return {TrustRegionOutcome::converged, taken};
  }

 private:
  double next_radius(double radius, double length, double slope, double change, const TrustRegionStep& tried) const {
    // The minimum of the parabola through both values, in lengths of the step.
    const double bend = change - slope;
    const double reach = bend <= 0 ? kGrow : std::max(kShrinkMost, -0.5 * (slope / bend));
    const double actual = tried.reduction, expected = tried.expected_reduction;
    if (actual < kLeastShare * expected) return std::min(std::max(reach, kShrinkMost) * length, kShrink * radius);
    if (actual < kPoorShare * expected) {
      return std::max(kShrinkMost * radius, std::min(reach * length, kShrink * radius));
    }
    if (actual < kGoodShare * expected) {
      return std::max(kShrinkMost * radius, std::min(reach * length, kGrow * radius));
    }
    return std::max(radius, std::min(reach * length, kGrow * radius));
  }

  // Conjugate gradients: step_ solves the Newton equations within the region, residual_ is what it leaves.
  bool find_step(double gradient_norm, double radius, TrustRegionStep& tried) {
    double *step = step_.data(), *residual = residual_.data(), *direction = direction_.data();
    for (std::int64_t i = 0; i < size_; ++i) {
      step[i] = 0;
      residual[i] = -gradient_.data()[i];
      direction[i] = residual[i];
    }
    double squared = dot(residual, residual, size_);
    while (norm(residual, size_) > kResidual * gradient_norm) {
      ++tried.products;
      double* product = product_.data();
      if (!function_.hessian_product(direction, product)) return false;
      double way = squared / dot(direction, product, size_);
      add(way, direction, step, size_);
      if (norm(step, size_) > radius) {
        tried.at_boundary = true;
        add(-way, direction, step, size_);
        way = way_to_boundary(step, direction, size_, radius);
        add(way, direction, step, size_);
        add(-way, product, residual, size_);
        return true;
      }
      add(-way, product, residual, size_);
      const double next = dot(residual, residual, size_);
      const double ratio = next / squared;
      for (std::int64_t i = 0; i < size_; ++i) direction[i] = ratio * direction[i] + residual[i];
      squared = next;
    }
    return true;
  }

  NewtonFunction& function_;
  std::int64_t size_;
  double tolerance_;
  std::int64_t most_;
  double* point_;
  std::vector<TrustRegionStep>* steps_;
  Buffer<double> trial_, gradient_, next_gradient_, step_, residual_, direction_, product_;
};

}  // namespace

TrustRegionResult minimize_trust_region(NewtonFunction& function, double tolerance, std::int64_t most_iterations,
                                        double* point, std::vector<TrustRegionStep>* steps) {
  return Solver(function, tolerance, most_iterations, point, steps).minimize();
}

}  // namespace fastml::linear
