// The trust region: minima that are known, and every way to end.
#include <cmath>
#include <limits>
#include <vector>

#include "linear/trust_region.hpp"
#include "tests/check.hpp"

using namespace fastml::linear;
namespace check = fastml::check;

namespace {

// sum of bend_i / 2 (x_i - goal_i)^2 + quartic / 4 (x_i - goal_i)^4
class Bowl final : public NewtonFunction {
 public:
  Bowl(std::vector<double> bends, std::vector<double> goals, double quartic)
      : bends_(std::move(bends)), goals_(std::move(goals)), quartic_(quartic) {}

  std::int64_t size() const override { return std::int64_t(bends_.size()); }
  bool value_gradient(const double* x, double& value, double* gradient) override {
    ++evaluations;
    value = offset;
    for (std::int64_t i = 0; i < size(); ++i) {
      const double d = x[i] - goals_[i];
      value += bends_[i] / 2 * d * d + quartic_ / 4 * d * d * d * d;
      gradient[i] = bends_[i] * d + quartic_ * d * d * d;
    }
    last_.assign(x, x + size());
    return evaluations < most_evaluations;
  }
  void settle() override { at_ = last_; }
  bool hessian_product(const double* v, double* product) override {
    for (std::int64_t i = 0; i < size(); ++i) {
      const double d = at_[i] - goals_[i];
      product[i] = (bends_[i] + 3 * quartic_ * d * d) * v[i];
    }
    return !no_products;
  }

  double offset = 0;
  std::int64_t evaluations = 0, most_evaluations = 1000;
  bool no_products = false;

 private:
  std::vector<double> bends_, goals_, last_, at_;
  double quartic_;
};

void finds_minima() {
  for (const std::int64_t size : {1, 2, 5, 17}) {
    for (const double quartic : {0.0, 3.0}) {
      std::vector<double> bends(size), goals(size), x(size, 7.0);
      for (std::int64_t i = 0; i < size; ++i) bends[i] = 1 + double(i), goals[i] = std::sin(double(i + 1)) * 4;
      Bowl bowl(bends, goals, quartic);
      std::vector<TrustRegionStep> steps;
      const auto result = minimize_trust_region(bowl, 1e-8, 1000, x.data(), &steps);
      CHECK(result.outcome == TrustRegionOutcome::converged, size);
      CHECK(result.iterations >= 1 && result.iterations <= std::int64_t(steps.size()), size);
      CHECK_EQUAL(bowl.evaluations, std::int64_t(steps.size()) + 1, "one evaluation a step");
      for (std::int64_t i = 0; i < size; ++i) CHECK_CLOSE(x[i], goals[i], 1e-6, size << " element " << i);
      std::int64_t taken = 0;
      for (const auto& step : steps) {
        CHECK_EQUAL(step.iteration, taken + 1, "numbers of steps");
        if (step.reduction > 1e-4 * step.expected_reduction) ++taken;
        CHECK(step.products >= 1 && step.radius > 0 && step.gradient_norm > 0, "step " << step.iteration);
      }
      CHECK_EQUAL(taken, result.iterations, "steps taken");
    }
  }
}

void ends() {
  std::vector<double> x(2, 7.0);
  Bowl at_goal({1, 1}, {0, 0}, 0);
  auto result = minimize_trust_region(at_goal, 1e-4, 10, x.data());
  CHECK(result.outcome == TrustRegionOutcome::converged && result.iterations == 0, "starts at the minimum");
  CHECK_EQUAL(x[0], 0, "the start is 0, whatever the memory holds");

  Bowl limited({1, 100}, {3, 3}, 5);
  result = minimize_trust_region(limited, 1e-12, 1, x.data());
  CHECK_EQUAL(result.iterations, 1, "limit of iterations");
  result = minimize_trust_region(limited, 1e-12, 0, x.data());
  CHECK_EQUAL(result.iterations, 0, "no iterations");
  CHECK_EQUAL(x[0], 0, "no iterations");

  // Reductions drown in a large value.
  Bowl drowned({1, 100}, {3, 3}, 5);
  drowned.offset = 1e16;
  result = minimize_trust_region(drowned, 1e-12, 1000, x.data());
  CHECK(result.outcome == TrustRegionOutcome::too_small, "too small");

  Bowl deep({1, 1}, {3, 3}, 0);
  deep.offset = -2e32;
  CHECK(minimize_trust_region(deep, 1e-12, 1000, x.data()).outcome == TrustRegionOutcome::unbounded, "unbounded");

  Bowl nowhere({1, 1}, {3, 3}, 0);
  nowhere.offset = std::numeric_limits<double>::quiet_NaN();
  CHECK(minimize_trust_region(nowhere, 1e-12, 1000, x.data()).outcome == TrustRegionOutcome::no_decrease, "NaN");
  Bowl undefined({1, std::numeric_limits<double>::quiet_NaN()}, {3, 3}, 0);
  CHECK_EQUAL(minimize_trust_region(undefined, 1e-12, 1000, x.data()).iterations, 0, "a gradient of NaN");
}

void stops() {
  for (const std::int64_t most : {1, 2, 3}) {
    Bowl bowl({1, 100}, {3, 3}, 5);
    bowl.most_evaluations = most;
    std::vector<double> x(2);
    CHECK(minimize_trust_region(bowl, 1e-12, 1000, x.data()).outcome == TrustRegionOutcome::stopped, most);
  }
  Bowl bowl({1, 100}, {3, 3}, 5);
  bowl.no_products = true;
  std::vector<double> x(2);
  CHECK(minimize_trust_region(bowl, 1e-12, 1000, x.data()).outcome == TrustRegionOutcome::stopped, "product");
}

// Squares of these gradients are out of the range of doubles.
void extreme_scales() {
  for (const double scale : {1e-170, 1e170}) {
    Bowl bowl({scale, 2 * scale}, {1, -1}, 0);
    std::vector<double> x(2);
    std::vector<TrustRegionStep> steps;
    minimize_trust_region(bowl, 1e-4, 1, x.data(), &steps);
    CHECK(!steps.empty(), scale);
    if (!steps.empty()) CHECK_CLOSE(steps[0].gradient_norm / scale, std::sqrt(5.0), 1e-12, scale);
  }
}

}  // namespace

int main() {
  finds_minima();
  ends();
  stops();
  extreme_scales();
  return check::result();
}
