// L-BFGS and its line search: minima that are known, every way to end, and steps that meet the conditions they promise.
#include <cmath>
#include <limits>
#include <vector>

#include "linear/lbfgs.hpp"
#include "linear/line_search.hpp"
#include "tests/check.hpp"
#include "tests/levels.hpp"

using namespace fastml;
using namespace fastml::linear;

namespace {

// Rosenbrock's valley, pair after pair: its minimum is 0 where all are 1.
bool valleys(const double* x, std::int64_t size, double& value, double* gradient) {
  value = 0;
  for (std::int64_t i = 0; i + 1 < size; i += 2) {
    const double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
    value += a * a + 100 * b * b;
    gradient[i] = -2 * a - 400 * b * x[i];
    gradient[i + 1] = 200 * b;
  }
  return true;
}

LbfgsResult descend(std::vector<double>& x, const LbfgsOptions& options) {
  const auto size = std::int64_t(x.size());
  return minimize_lbfgs([=](const double* at, double& value, double* g) { return valleys(at, size, value, g); },
                        x.data(), size, options);
}

void finds_minima() {
  for (const std::int64_t size : {2, 6, 16, 34, 100}) {
    std::vector<double> x(size);
    for (std::int64_t i = 0; i < size; ++i) x[i] = i % 2 ? 1 : -1.2;
    const LbfgsResult result = descend(x, {1000, 1e-9, 0});
    CHECK(result.outcome == LbfgsOutcome::flat, size);
    CHECK(result.iterations > 10 && result.iterations < 200, size << " iterations " << result.iterations);
    CHECK_CLOSE(result.value, 0, 1e-15, size);
    for (const double value : x) CHECK_CLOSE(value, 1, 1e-8, size);
  }
}

void ends() {
  std::vector<double> x{-1.2, 1};
  CHECK(descend(x, {3, 1e-9, 0}).outcome == LbfgsOutcome::iterations, "limit of iterations");
  x = {-1.2, 1};
  CHECK(descend(x, {1000, 0, 1e-3}).outcome == LbfgsOutcome::no_progress, "reduction");
  x = {1, 1};
  const LbfgsResult at_minimum = descend(x, {1000, 1e-9, 0});
  CHECK(at_minimum.outcome == LbfgsOutcome::flat, "start at the minimum");
  CHECK_EQUAL(at_minimum.iterations, 0, "start at the minimum");
  x = {-1.2, 1};
  const LbfgsResult one = descend(x, {0, 1e-9, 0});
  CHECK_EQUAL(one.iterations, 1, "at least one iteration is made");

  // Nowhere but at the start is there a value: the start is what is left.
  double start = 3;
  const LbfgsResult alone = minimize_lbfgs(
      [](const double* at, double& value, double* g) {
        value = at[0] == 3 ? 9 : std::numeric_limits<double>::quiet_NaN();
        g[0] = 6;
        return true;
      },
      &start, 1, {100, 1e-9, 0});
  CHECK(alone.outcome == LbfgsOutcome::abnormal, "a point alone");
  CHECK_EQUAL(start, 3.0, "a point alone");
  CHECK_EQUAL(alone.value, 9.0, "a point alone");

  const LbfgsResult nan = minimize_lbfgs(
      [](const double*, double& value, double* g) {
        value = g[0] = std::numeric_limits<double>::quiet_NaN();
        return true;
      },
      &start, 1, {100, 1e-9, 0});
  CHECK(nan.outcome == LbfgsOutcome::abnormal, "NaN");

  int calls = 0;
  const LbfgsResult stopped = minimize_lbfgs(
      [&](const double* at, double& value, double* g) {
        value = at[0] * at[0];
        g[0] = 2 * at[0];
        return ++calls < 2;
      },
      &start, 1, {100, 0, 0});
  CHECK(stopped.outcome == LbfgsOutcome::stopped, "stopped");
}

// Functions with a minimum ahead, from More and Thuente's paper and plainer ones.
void steps_meet_both_conditions() {
  const auto check = [](const char* what, auto function, auto slope) {
    for (const double first : {1e-3, 0.1, 1.0, 10.0, 1000.0}) {
      LineSearch search(function(0.0), slope(0.0), first);
      int trials = 0;
      bool done = false;
      double step = 0;
      while (!done && trials < 60) {
        step = search.step();
        done = search.done(function(step), slope(step));
        ++trials;
      }
      CHECK(done && trials < 20, what << " from " << first << ": " << trials << " trials");
      CHECK(function(step) <= function(0.0) + 1e-3 * step * slope(0.0), what << " from " << first << " to " << step);
      CHECK(std::abs(slope(step)) <= 0.9 * std::abs(slope(0.0)), what << " from " << first << " to " << step);
    }
  };
  check("parabola", [](double s) { return (s - 2) * (s - 2); }, [](double s) { return 2 * (s - 2); });
  check(
      "quartic", [](double s) { return std::pow(s - 1, 4) - s; }, [](double s) { return 4 * std::pow(s - 1, 3) - 1; });
  check(
      "rational", [](double s) { return -s / (s * s + 2); },
      [](double s) { return (s * s - 2) / ((s * s + 2) * (s * s + 2)); });
  check(
      "logistic", [](double s) { return std::log1p(std::exp(-s)) + 0.01 * s; },
      [](double s) { return -1 / (1 + std::exp(s)) + 0.01; });
}

}  // namespace

int main() {
  steps_meet_both_conditions();
  at_each_level_in_a_child([](SimdLevel) {
    finds_minima();
    ends();
  });
  return check::result();
}
