// Elementwise losses at every level, against plain formulas in long double. Arrays lie against an unmapped page.
#include <cmath>
#include <limits>
#include <vector>

#include "nn/losses.hpp"
#include "tests/check.hpp"
#include "tests/guarded.hpp"
#include "tests/levels.hpp"
#include "tests/samples.hpp"

using namespace fastml;
using namespace fastml::nn;

namespace {

using Real = long double;

constexpr ElementLoss kKinds[] = {ElementLoss::squared, ElementLoss::absolute,      ElementLoss::huber,
                                  ElementLoss::smooth,  ElementLoss::logistic,      ElementLoss::hinge,
                                  ElementLoss::poisson, ElementLoss::poisson_of_log};

Real plain(ElementLoss kind, Real x, Real y, Real w, Real p) {
  const Real d = x - y, size = std::abs(d);
  switch (kind) {
    case ElementLoss::squared:
      return d * d;
    case ElementLoss::absolute:
      return size;
    case ElementLoss::huber:
      return size <= p ? d * d / 2 : p * (size - p / 2);
    case ElementLoss::smooth:
      return size <= p ? d * d / 2 / p : size - p / 2;
    case ElementLoss::logistic:
      return w * y * (std::log1p(std::exp(-std::abs(x))) + (x < 0 ? -x : 0)) +
             (1 - y) * (std::log1p(std::exp(-std::abs(x))) + (x > 0 ? x : 0));
    case ElementLoss::hinge:
      return 1 - x * y > 0 ? 1 - x * y : 0;
    case ElementLoss::poisson:
      return x - y * std::log(x + p);
    default:
      return std::exp(x) - x * y;
  }
}

// By central differences, whose error is about the step's square.
Real plain_slope(ElementLoss kind, Real x, Real y, Real w, Real p) {
  const Real step = 1e-6L;
  return (plain(kind, x + step, y, w, p) - plain(kind, x - step, y, w, p)) / (2 * step);
}

template <class T>
void values(const char* level) {
  constexpr Real unit = std::numeric_limits<T>::epsilon();
  constexpr std::int64_t most = 10'000;
  Guarded<T> at_x(most), at_y(most), at_weights(most), at_positive(most), at_losses(most), at_dx(most);
  const T p = T(0.75), factor = T(0.25);
  for (const std::int64_t n : {0, 1, 2, 3, 5, 8, 13, 31, 64, 9001}) {
    for (const ElementLoss kind : kKinds) {
      std::vector<T> some = normals<T>(n, unsigned(n)), others = normals<T>(n, 3);
      std::vector<T> weights = normals<T>(n, 4), positive = normals<T>(n, 5);
      for (std::int64_t i = 0; i < n; ++i) {
        some[i] *= T(4);
        if (kind == ElementLoss::poisson) some[i] = std::abs(some[i]);
        if (kind == ElementLoss::logistic) others[i] = T(1) / (T(1) + others[i] * others[i]);
        if (kind == ElementLoss::hinge) others[i] = others[i] < 0 ? T(-1) : T(1);
        weights[i] *= weights[i];
        positive[i] *= positive[i];
      }
      const T *x = at_x.at_end(some), *y = at_y.at_end(others), *w = at_weights.at_end(weights),
              *pw = at_positive.at_end(positive);
      T *losses = at_losses.at_end(n), *dx = at_dx.at_end(n);
      for (const bool weighted : {false, true}) {
        const LossArrays<T> arrays{x, y, weighted ? w : nullptr, weighted ? pw : nullptr, losses, dx};
        const double sum = elementwise_loss(kind, p, n, arrays, factor, 3);
        Real total = 0;
        for (std::int64_t i = 0; i < n; ++i) {
          const Real weight = weighted ? w[i] : T(1), positive_weight = weighted ? pw[i] : T(1);
          const Real expected = weight * plain(kind, x[i], y[i], positive_weight, p);
          // Terms that cancel: of the size of e^x, or of the products with y and the logarithm.
          const Real size = weight *
                            (4 + std::abs(Real(x[i]) * y[i]) + Real(x[i]) * x[i] + Real(y[i]) * y[i] +
                             std::exp(kind == ElementLoss::poisson_of_log ? Real(x[i]) : 0) * 4) *
                            (1 + positive_weight);
          CHECK_CLOSE(losses[i], expected, 8 * unit * size, level << " loss " << int(kind) << " of " << x[i]);
          total += losses[i];
          const Real slope = plain_slope(kind, x[i], y[i], positive_weight, p);
          const bool at_kink =
              std::abs(std::abs(Real(x[i]) - y[i]) - (kind == ElementLoss::absolute ? 0 : p)) < 1e-3L ||
              std::abs(1 - Real(x[i]) * y[i]) < 1e-3L;
          if (!at_kink) {
            CHECK_CLOSE(dx[i], slope * weight * factor, 8 * unit * size + 1e-9 * size,
                        level << " slope of loss " << int(kind) << " at " << x[i]);
          }
        }
        CHECK_CLOSE(sum, total, 1e-12 * std::abs(total) + 1e-12, level << " sum of loss " << int(kind));
        // The sum alone, on any number of threads.
        for (const int threads : {1, 2}) {
          const double alone = elementwise_loss<T>(
              kind, p, n, {x, y, arrays.weights, arrays.positive_weights, nullptr, nullptr}, T(1), threads);
          CHECK_EQUAL(alone, sum, level << " sum on " << threads << " threads, loss " << int(kind));
        }
      }
    }
  }
}

template <class T>
void special_values(const char* level) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  for (const ElementLoss kind : kKinds) {
    const T x = nan, y = T(1);
    T loss = 0, dx = 0;
    const double sum = elementwise_loss<T>(kind, T(1), 1, {&x, &y, nullptr, nullptr, &loss, &dx}, T(1), 1);
    CHECK(std::isnan(loss) && std::isnan(sum), level << " loss " << int(kind) << " of NaN");
    // The hinge has no slope where it is not known to be above 0.
    CHECK(std::isnan(dx) || kind == ElementLoss::hinge, level << " slope of loss " << int(kind) << " at NaN");
  }
  const T far = T(-1000), one = T(1), equal = T(2);
  T loss = 0, dx = 7;
  elementwise_loss<T>(ElementLoss::logistic, T(1), 1, {&far, &one, nullptr, nullptr, &loss, &dx}, T(1), 1);
  CHECK_EQUAL(loss, T(1000), level << " a score that is far off");
  CHECK_EQUAL(dx, T(-1), level << " a score that is far off");
  elementwise_loss<T>(ElementLoss::absolute, T(1), 1, {&equal, &equal, nullptr, nullptr, &loss, &dx}, T(1), 1);
  CHECK_EQUAL(dx, T(0), level << " slope of |0|");
}

}  // namespace

int main() {
  at_each_level_in_a_child([](SimdLevel level) {
    values<float>(name(level));
    values<double>(name(level));
    special_values<float>(name(level));
    special_values<double>(name(level));
  });
  return check::result();
}
